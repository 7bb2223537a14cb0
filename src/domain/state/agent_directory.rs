//! The roster: all agents of a shop, and the crews that its policy makes of them (R2).
//!
//! Crews follow every change of one agent at once. A change of the policy, of who is routable or of who exists
//! makes them stale; whoever asks next has them made anew. Which lists of members there are is the plan's
//! ([`GroupPlan`]); a crew is made of its list when somebody first asks for it, so that an event pays for the crews that
//! it looks at and not for all that a policy has.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

use super::agent::{Agent, Agents, BOT_ID};
use super::agent_group::{Crew, Duty};
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::policy::Strategy;
use crate::domain::policy::group_plan::{GroupPlan, MemberList, ScopeKind};
use crate::domain::policy::routing_attributes::Ask;
use crate::domain::protocol::codes::Presence;

/// The crew of every routable agent.
pub const EVERYBODY: u32 = 0;

/// Where a session belongs (R2): it names the pool in which it would wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// A question of an entry's menu.
    Question {
        /// The entry.
        entry: Id,
        /// The question.
        question: Id,
    },
    /// An entry with members of its own.
    Entry(Id),
    /// An order status.
    OrderStatus(Id),
    /// Everybody routable.
    All,
}

impl Scope {
    /// The name of its pool: `question:live/几天发货`, `entry:live`, `order_status:unpaid` or `all`.
    pub fn pool_name(&self) -> String {
        match self {
            Scope::Question { entry, question } => format!("question:{entry}/{question}"),
            Scope::Entry(entry) => format!("entry:{entry}"),
            Scope::OrderStatus(status) => format!("order_status:{status}"),
            Scope::All => "all".to_owned(),
        }
    }
}

/// Stands where the plan names an agent that is none, or takes no buyers.
const NOBODY: u32 = u32::MAX;

/// Agents, crews, and which crew serves which scope.
pub struct Roster {
    /// The agents by number.
    pub agents: Agents,
    plan: Arc<GroupPlan>,
    strategy: Strategy,
    /// What the next crews are made by, where that has changed.
    next: Option<(Arc<GroupPlan>, Strategy)>,
    /// The crews by number; [`EVERYBODY`] is the first, then those of the plan's lists.
    crews: Vec<OnceCell<Box<Crew>>>,
    /// Crews whose seats their agents do not know yet.
    unseated: RefCell<Vec<u32>>,
    /// All agents in the order of their ids, and the place of each in it.
    by_id: Vec<u32>,
    ranks: Vec<u32>,
    /// The routable agents: all in the order of ids, by the plan's places, and by its roles.
    routable: Vec<u32>,
    named: Vec<u32>,
    of_role: Vec<Vec<u32>>,
    /// The shop's natural day of now.
    day: Day,
    stale: bool,
    /// How many seats of crews were filled so far.
    filled: Cell<u64>,
}

impl Roster {
    /// A roster with nobody but the bot.
    pub fn new(day: Day, plan: Arc<GroupPlan>, strategy: Strategy) -> Roster {
        let mut agents = Agents::default();
        agents.insert(Agent::new(Id::known(BOT_ID), day));
        Roster {
            agents,
            plan,
            strategy,
            next: None,
            crews: Vec::new(),
            unseated: RefCell::default(),
            by_id: Vec::new(),
            ranks: Vec::new(),
            routable: Vec::new(),
            named: Vec::new(),
            of_role: Vec::new(),
            day,
            stale: true,
            filled: Cell::new(0),
        }
    }

    /// The crews no longer follow from the policy and the agents.
    pub fn spoil(&mut self) {
        self.stale = true;
    }

    /// The next crews are made by another policy.
    pub fn follow(&mut self, plan: Arc<GroupPlan>, strategy: Strategy) {
        self.next = Some((plan, strategy));
        self.stale = true;
    }

    /// Whether [`Roster::make_crews`] has to be called before the crews are read.
    pub fn stale(&self) -> bool {
        self.stale
    }

    /// How many seats of crews were filled since the shop came up: what making crews has cost.
    pub fn seats_filled(&self) -> u64 {
        self.filled.get()
    }

    /// How many crews there are, whether somebody has asked for them or not.
    pub fn crew_count(&self) -> usize {
        self.crews.len()
    }

    /// A crew, which is made where nobody has asked for it before.
    pub fn crew(&self, number: u32) -> &Crew {
        self.crews[number as usize].get_or_init(|| Box::new(self.make(number)))
    }

    /// Whether an agent of a crew is free. A crew without a free agent is not made for the answer.
    pub fn has_free(&self, number: u32) -> bool {
        self.any(number, Crew::has_free, Agent::free)
    }

    /// Whether somebody of a crew is online; made for it like [`Roster::has_free`].
    pub fn has_online(&self, number: u32) -> bool {
        let online = |agent: &Agent| agent.presence == Presence::Online;
        self.any(number, |crew| crew.online > 0, online)
    }

    /// Whether an agent of a crew is in this state. A crew that is not made yet is made where one is; where no agent of the
    /// whole shop is, none is looked for.
    fn any(&self, number: u32, known: fn(&Crew) -> bool, is: fn(&Agent) -> bool) -> bool {
        if number != EVERYBODY && !self.is_made(number) {
            let list = &self.plan.lists()[number as usize - 1];
            if !known(self.crew(EVERYBODY))
                || !self.named_in(list).any(|agent| is(&self.agents[agent]))
            {
                return false;
            }
        }
        known(self.crew(number))
    }

    /// Whether a crew is made, so that it follows its agents.
    pub fn is_made(&self, number: u32) -> bool {
        self.crews[number as usize].get().is_some()
    }

    /// Whether an agent sits in a crew, whether that is made or not.
    pub fn sits_in(&self, agent: u32, number: u32) -> bool {
        let record = &self.agents[agent];
        let Some(list) = number.checked_sub(1) else {
            return record.routable;
        };
        let list = &self.plan.lists()[list as usize];
        let named = || {
            let place = self.plan.place_of(&record.id);
            place.is_some_and(|place| list.agents.binary_search(&place).is_ok())
        };
        let has_role = || {
            let roles = record.post.iter().flat_map(|post| &post.roles);
            let mut roles = roles.filter_map(|role| self.plan.role(role));
            roles.any(|role| list.roles.binary_search(&role).is_ok())
        };
        record.routable && (named() || has_role())
    }

    /// The scope that the policy gives to a session, and its crew (R2).
    pub fn scope_of(&self, ask: &Ask) -> (Scope, u32) {
        let Some((kind, list)) = self.plan.list_of(ask) else {
            return (Scope::All, EVERYBODY);
        };
        let scope = match (kind, &ask.question, &ask.order_status) {
            (ScopeKind::Question, Some(question), _) => Scope::Question {
                entry: ask.entry_id(),
                question: question.clone(),
            },
            (ScopeKind::OrderStatus, _, Some(status)) => Scope::OrderStatus(status.clone()),
            (ScopeKind::Entry | ScopeKind::Question | ScopeKind::OrderStatus, _, _) => {
                Scope::Entry(ask.entry_id())
            }
        };
        (scope, list + 1)
    }

    /// The crew of a scope under the policy of now; `None` where the policy no longer has it (R7).
    pub fn crew_of(&self, scope: &Scope) -> Option<u32> {
        let list = match scope {
            Scope::Question { entry, question } => self.plan.question(entry, question)?,
            Scope::Entry(entry) => self.plan.entry(entry)?,
            Scope::OrderStatus(status) => self.plan.order_status(status)?,
            Scope::All => return Some(EVERYBODY),
        };
        Some(list + 1)
    }

    /// The crew of the rota and its number, where the policy has one (R5).
    pub fn rota(&self) -> Option<(u32, &Crew)> {
        let number = self.plan.rota()? + 1;
        Some((number, self.crew(number)))
    }

    /// Whether the policy routes by any order status (R1d).
    pub fn routes_by_status(&self) -> bool {
        self.plan.routes_by_status()
    }

    /// Whether a routable agent is online (R3).
    pub fn anybody_online(&self) -> bool {
        self.crew(EVERYBODY).online > 0
    }

    /// Takes an agent into account as it is now, in every crew it sits in.
    pub fn refresh(&mut self, agent: u32) {
        if self.stale {
            return;
        }
        self.hand_out_seats();
        let record = &self.agents[agent];
        for &(crew, seat) in &record.seats {
            if let Some(crew) = self.crews[crew as usize].get_mut() {
                crew.refresh(seat, record, self.day);
            }
        }
    }

    /// Moves an agent to another presence, in every crew it sits in.
    pub fn set_presence(&mut self, agent: u32, presence: Presence) {
        self.hand_out_seats();
        let record = &mut self.agents[agent];
        let before = std::mem::replace(&mut record.presence, presence);
        if !self.stale {
            for &(crew, _) in &record.seats {
                if let Some(crew) = self.crews[crew as usize].get_mut() {
                    crew.count_online(before, presence);
                }
            }
        }
        self.refresh(agent);
    }

    /// Turns to another day: crews that count by the day begin anew.
    pub fn turn_to(&mut self, day: Day) {
        self.day = day;
        let made = || self.crews.iter().filter_map(OnceCell::get);
        if made().any(|crew| crew.by_day()) {
            for agent in 0..self.agents.len() as u32 {
                self.refresh(agent);
            }
        }
    }

    /// Begins anew with the crews that the policy wants of the agents there are. Each is made once it is asked for.
    pub fn make_crews(&mut self) {
        if let Some((plan, strategy)) = self.next.take() {
            (self.plan, self.strategy) = (plan, strategy);
        }
        self.put_agents_in_order();
        self.routable.clear();
        self.named.clear();
        self.named.resize(self.plan.agents_named(), NOBODY);
        self.of_role.clear();
        self.of_role.resize(self.plan.roles_named(), Vec::new());
        for &number in &self.by_id {
            let agent = &mut self.agents[number];
            agent.seats.clear();
            if !agent.routable {
                continue;
            }
            self.routable.push(number);
            if let Some(place) = self.plan.place_of(&agent.id) {
                self.named[place as usize] = number;
            }
            for role in agent.post.iter().flat_map(|post| &post.roles) {
                let of_role = self
                    .plan
                    .role(role)
                    .map(|role| &mut self.of_role[role as usize]);
                // A role that is named twice makes no second seat.
                if let Some(of_role) = of_role
                    && of_role.last() != Some(&number)
                {
                    of_role.push(number);
                }
            }
        }
        self.unseated.get_mut().clear();
        self.crews.clear();
        self.crews
            .resize_with(self.plan.lists().len() + 1, OnceCell::new);
        self.stale = false;
    }

    /// Agents are never taken out of the table, so those that came since are put between the others.
    fn put_agents_in_order(&mut self) {
        let known = self.by_id.len();
        if known == self.agents.len() {
            return;
        }
        let agents = &self.agents;
        let id = |number: u32| &agents[number].id;
        let new = known as u32..agents.len() as u32;
        if new.len() == 1 {
            let at = self
                .by_id
                .partition_point(|&other| id(other) < id(new.start));
            self.by_id.insert(at, new.start);
        } else {
            self.by_id.extend(new);
            self.by_id.sort_by_key(|&number| id(number));
        }
        self.ranks.resize(self.by_id.len(), 0);
        for (&number, rank) in self.by_id.iter().zip(0..) {
            self.ranks[number as usize] = rank;
        }
    }

    /// Makes a crew of the agents as they are now.
    fn make(&self, number: u32) -> Crew {
        let list = number
            .checked_sub(1)
            .map(|list| &self.plan.lists()[list as usize]);
        let (duty, seats) = match list {
            None => (Duty::Desk(self.strategy), self.routable.clone()),
            Some(list) if list.rota => (Duty::Rota, self.members(list)),
            Some(list) => (Duty::Desk(self.strategy), self.members(list)),
        };
        self.filled.set(self.filled.get() + seats.len() as u64);
        let mut crew = Crew::new(duty, seats);
        for seat in 0..crew.seats.len() {
            let agent = &self.agents[crew.seats[seat]];
            crew.count_online(Presence::Offline, agent.presence);
            crew.refresh(seat as u32, agent, self.day);
        }
        self.unseated.borrow_mut().push(number);
        crew
    }

    /// The routable agents of a list, each once, in the order of their ids.
    fn members(&self, list: &MemberList) -> Vec<u32> {
        let mut members: Vec<u32> = self.named_in(list).collect();
        if !list.roles.is_empty() {
            members.sort_by_key(|&agent| self.ranks[agent as usize]);
            members.dedup();
        }
        members
    }

    /// The routable agents of a list, those of its roles behind the others, some twice.
    fn named_in<'a>(&'a self, list: &'a MemberList) -> impl Iterator<Item = u32> + 'a {
        let named = list.agents.iter().map(|&place| self.named[place as usize]);
        let named = named.filter(|&agent| agent != NOBODY);
        let roles = list.roles.iter().map(|&role| &self.of_role[role as usize]);
        named.chain(roles.flatten().copied())
    }

    /// Tells the agents of crews that were made since where they sit.
    fn hand_out_seats(&mut self) {
        for number in self.unseated.get_mut().drain(..) {
            let Some(crew) = self.crews[number as usize].get() else {
                continue;
            };
            for (&agent, seat) in crew.seats.iter().zip(0..) {
                self.agents[agent].seats.push((number, seat));
            }
        }
    }
}
