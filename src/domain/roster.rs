//! The roster: all agents of a shop, and the crews that its policy makes of them (R2).
//!
//! Crews follow every change of one agent at once. A change of the policy, of who is routable or of who exists
//! makes them stale; whoever asks next has them made anew.

use std::collections::{BTreeMap, BTreeSet};

use super::agent::{Agent, Agents, BOT_ID, Presence};
use super::calendar::Day;
use super::crew::{Crew, Duty};
use super::id::Id;
use super::policy::{Member, Policy};
use super::session::Ask;

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

#[derive(Default)]
struct EntryCrews {
    questions: BTreeMap<Id, u32>,
    members: Option<u32>,
}

/// Agents, crews, and which crew serves which scope.
pub struct Roster {
    /// The agents by number.
    pub agents: Agents,
    /// The crews by number; [`EVERYBODY`] is the first.
    pub crews: Vec<Crew>,
    entries: BTreeMap<Id, EntryCrews>,
    order_status: BTreeMap<Id, u32>,
    rota: Option<u32>,
    /// The shop's natural day of now.
    day: Day,
    stale: bool,
}

impl Roster {
    /// A roster with nobody but the bot.
    pub fn new(day: Day) -> Roster {
        let mut agents = Agents::default();
        agents.insert(Agent::new(Id::known(BOT_ID), day));
        Roster {
            agents,
            crews: Vec::new(),
            entries: BTreeMap::new(),
            order_status: BTreeMap::new(),
            rota: None,
            day,
            stale: true,
        }
    }

    /// The crews no longer follow from the policy and the agents.
    pub fn spoil(&mut self) {
        self.stale = true;
    }

    /// Whether [`Roster::make_crews`] has to be called before the crews are read.
    pub fn stale(&self) -> bool {
        self.stale
    }

    /// The scope that the policy gives to a session, and its crew (R2).
    pub fn scope_of(&self, ask: &Ask) -> (Scope, u32) {
        if let Some(entry) = self.entries.get(ask.entry()) {
            let question = ask.question.as_ref();
            if let Some(question) = question
                && let Some(&crew) = entry.questions.get(question)
            {
                let (entry, question) = (ask.entry_id(), question.clone());
                return (Scope::Question { entry, question }, crew);
            }
            if let Some(crew) = entry.members {
                return (Scope::Entry(ask.entry_id()), crew);
            }
        }
        if let Some(status) = &ask.order_status
            && let Some(&crew) = self.order_status.get(status)
        {
            return (Scope::OrderStatus(status.clone()), crew);
        }
        (Scope::All, EVERYBODY)
    }

    /// The crew of a scope under the policy of now; `None` where the policy no longer has it (R7).
    pub fn crew_of(&self, scope: &Scope) -> Option<u32> {
        match scope {
            Scope::Question { entry, question } => {
                self.entries.get(entry)?.questions.get(question).copied()
            }
            Scope::Entry(entry) => self.entries.get(entry)?.members,
            Scope::OrderStatus(status) => self.order_status.get(status).copied(),
            Scope::All => Some(EVERYBODY),
        }
    }

    /// The crew of the rota and its number, where the policy has one (R5).
    pub fn rota(&self) -> Option<(u32, &Crew)> {
        let number = self.rota?;
        Some((number, &self.crews[number as usize]))
    }

    /// Whether the policy routes by any order status (R1d).
    pub fn routes_by_status(&self) -> bool {
        !self.order_status.is_empty()
    }

    /// Whether a routable agent is online (R3).
    pub fn anybody_online(&self) -> bool {
        self.crews[EVERYBODY as usize].online > 0
    }

    /// Takes an agent into account as it is now, in every crew it sits in.
    pub fn refresh(&mut self, agent: u32) {
        if self.stale {
            return;
        }
        let record = &self.agents[agent];
        for &(crew, seat) in &record.seats {
            self.crews[crew as usize].refresh(seat, record, self.day);
        }
    }

    /// Moves an agent to another presence, in every crew it sits in.
    pub fn set_presence(&mut self, agent: u32, presence: Presence) {
        let record = &mut self.agents[agent];
        let before = std::mem::replace(&mut record.presence, presence);
        if !self.stale {
            for &(crew, _) in &record.seats {
                self.crews[crew as usize].count_online(before, presence);
            }
        }
        self.refresh(agent);
    }

    /// Turns to another day: crews that count by the day begin anew.
    pub fn turn_to(&mut self, day: Day) {
        self.day = day;
        if self.crews.iter().any(Crew::by_day) {
            for agent in 0..self.agents.len() as u32 {
                self.refresh(agent);
            }
        }
    }

    /// Makes the crews that the policy wants of the agents there are.
    pub fn make_crews(&mut self, policy: &Policy) {
        let mut maker = CrewMaker::new(self, policy);
        maker.crew(Duty::Desk(policy.routing.strategy), None);
        let (mut entries, mut order_status) = (BTreeMap::new(), BTreeMap::new());
        for (name, entry) in &policy.routing.entries {
            let mut crews = EntryCrews::default();
            for (question, members) in &entry.questions {
                if let Some(crew) = maker.desk(members) {
                    crews.questions.insert(question.clone(), crew);
                }
            }
            crews.members = maker.desk(&entry.members);
            entries.insert(name.clone(), crews);
        }
        for (status, members) in &policy.routing.order_status {
            if let Some(crew) = maker.desk(members) {
                order_status.insert(status.clone(), crew);
            }
        }
        let rota = &policy.routing.offline.members;
        let rota = (!rota.is_empty()).then(|| maker.crew(Duty::Rota, Some(rota)));
        let crews = maker.crews;
        (self.crews, self.entries, self.order_status, self.rota) =
            (crews, entries, order_status, rota);
        self.stale = false;
        self.take_seats();
    }

    fn take_seats(&mut self) {
        for agent in 0..self.agents.len() as u32 {
            self.agents[agent].seats.clear();
        }
        for (crew, number) in self.crews.iter_mut().zip(0..) {
            for seat in 0..crew.seats.len() {
                let record = &mut self.agents[crew.seats[seat]];
                record.seats.push((number, seat as u32));
                crew.count_online(Presence::Offline, record.presence);
            }
        }
        for agent in 0..self.agents.len() as u32 {
            self.refresh(agent);
        }
    }
}

/// Members without groups, each once, in order: what tells crews apart.
type Members = BTreeSet<Member>;

struct CrewMaker<'a> {
    policy: &'a Policy,
    /// The routable agents by id, the order of seats.
    by_id: BTreeMap<&'a str, u32>,
    by_role: BTreeMap<&'a Id, Vec<u32>>,
    crews: Vec<Crew>,
    made: BTreeMap<(bool, Members), u32>,
    agents: &'a Agents,
}

impl<'a> CrewMaker<'a> {
    fn new(roster: &'a Roster, policy: &'a Policy) -> CrewMaker<'a> {
        let (mut by_id, mut by_role) = (BTreeMap::new(), BTreeMap::new());
        for (number, agent) in roster.agents.iter().filter(|(_, agent)| agent.routable) {
            by_id.insert(agent.id.as_str(), number);
            for role in agent.post.iter().flat_map(|post| &post.roles) {
                by_role.entry(role).or_insert_with(Vec::new).push(number);
            }
        }
        CrewMaker {
            policy,
            by_id,
            by_role,
            crews: Vec::new(),
            made: BTreeMap::new(),
            agents: &roster.agents,
        }
    }

    /// The crew of these members; an empty list is as if it were not there.
    fn desk(&mut self, members: &[Member]) -> Option<u32> {
        let duty = Duty::Desk(self.policy.routing.strategy);
        (!members.is_empty()).then(|| self.crew(duty, Some(members)))
    }

    /// The number of the crew of these members, or of everybody.
    fn crew(&mut self, duty: Duty, members: Option<&[Member]>) -> u32 {
        let Some(members) = members else {
            let everybody = self.by_id.values().copied().collect();
            return self.add(duty, everybody);
        };
        let key = (duty == Duty::Rota, self.plain(members));
        if let Some(&crew) = self.made.get(&key) {
            return crew;
        }
        let seats = self.seats(&key.1);
        let crew = self.add(duty, seats);
        self.made.insert(key, crew);
        crew
    }

    fn add(&mut self, duty: Duty, seats: Vec<u32>) -> u32 {
        self.crews.push(Crew::new(duty, seats));
        self.crews.len() as u32 - 1
    }

    fn plain(&self, members: &[Member]) -> Members {
        let mut plain = Members::new();
        for member in members {
            match member {
                Member::Agent(_) | Member::Role(_) => {
                    plain.insert(member.clone());
                }
                Member::Group(name) => {
                    let group = self.policy.routing.groups.get(name);
                    plain.extend(group.into_iter().flatten().cloned());
                }
            }
        }
        plain
    }

    fn seats(&self, members: &Members) -> Vec<u32> {
        let mut seats = Vec::new();
        for member in members {
            match member {
                Member::Agent(id) => seats.extend(self.by_id.get(id.as_str())),
                Member::Role(role) => seats.extend(self.by_role.get(role).into_iter().flatten()),
                Member::Group(_) => {}
            }
        }
        seats.sort_by_key(|&agent| &self.agents[agent].id);
        seats.dedup();
        seats
    }
}
