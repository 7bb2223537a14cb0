//! The agent directory: all agents of a shop, and the agent groups that its policy defines (R2).
//!
//! Groups follow every change of one agent at once. A change of the policy, of the routable agents or of the known
//! agents makes the groups stale, and the next user rebuilds them. The plan ([`GroupPlan`]) defines the member lists. A
//! group is built from its list when it is first used, so an event pays only for the groups that it uses.

use std::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

use smallvec::SmallVec;

use super::agent::{Agent, Agents, BOT_ID};
use super::agent_group::{AgentGroup, PickBy};
use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::policy::group_plan::{GroupPlan, MemberList, ScopeKind};
use crate::domain::policy::routing_attributes::RoutingAttributes;
use crate::domain::policy::{QueueMode, Strategy};
use crate::domain::protocol::codes::Presence;

/// The group of all routable agents.
pub const EVERYBODY: u32 = 0;

/// The scope of a session (R2). It also names the pool in which the session would wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoutingScope {
    /// A question in an entry's menu.
    Question {
        /// The entry.
        entry: Id,
        /// The question.
        question: Id,
    },
    /// An entry with its own members.
    Entry(Id),
    /// An order status.
    OrderStatus(Id),
    /// All routable agents.
    All,
}

impl RoutingScope {
    /// The name of the scope's pool: `question:live/几天发货`, `entry:live`, `order_status:unpaid` or `all`.
    pub fn pool_name(&self) -> String {
        match self {
            RoutingScope::Question { entry, question } => format!("question:{entry}/{question}"),
            RoutingScope::Entry(entry) => format!("entry:{entry}"),
            RoutingScope::OrderStatus(status) => format!("order_status:{status}"),
            RoutingScope::All => "all".to_owned(),
        }
    }
}

/// Stands for an agent of the plan that does not exist or is not routable.
const NOBODY: u32 = u32::MAX;

/// The agents, the groups, and the group of each scope.
pub struct AgentDirectory {
    /// The agents by number.
    pub agents: Agents,
    plan: Arc<GroupPlan>,
    strategy: Strategy,
    queue: QueueMode,
    /// The plan, strategy and queue mode of the next rebuild, if they changed.
    next: Option<(Arc<GroupPlan>, Strategy, QueueMode)>,
    /// The groups by number: [`EVERYBODY`] first, then those of the plan's lists.
    groups: Vec<OnceCell<Box<AgentGroup>>>,
    /// Groups that are built, but not yet registered with their agents.
    unseated: RefCell<Vec<u32>>,
    /// All agents in id order, and the index of each.
    by_id: Vec<u32>,
    ranks: Vec<u32>,
    /// The routable agents: in id order, by the plan's indices, and by its roles.
    routable: Vec<u32>,
    named: Vec<u32>,
    of_role: Vec<Vec<u32>>,
    /// The current natural day of the shop.
    day: Day,
    stale: bool,
    /// The number of group members that were written so far.
    filled: Cell<u64>,
}

impl AgentDirectory {
    /// A directory with only the bot.
    pub fn new(
        day: Day,
        plan: Arc<GroupPlan>,
        strategy: Strategy,
        queue: QueueMode,
    ) -> AgentDirectory {
        let mut agents = Agents::default();
        agents.insert(Agent::new(Id::known(BOT_ID), day));
        AgentDirectory {
            agents,
            plan,
            strategy,
            queue,
            next: None,
            groups: Vec::new(),
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

    /// Marks the groups as stale.
    pub fn spoil(&mut self) {
        self.stale = true;
    }

    /// Uses another policy for the next rebuild.
    pub fn follow(&mut self, plan: Arc<GroupPlan>, strategy: Strategy, queue: QueueMode) {
        self.next = Some((plan, strategy, queue));
        self.stale = true;
    }

    /// Whether [`AgentDirectory::make_crews`] must be called before groups are read.
    pub fn stale(&self) -> bool {
        self.stale
    }

    /// The number of group members that were written since the shop was loaded: the cost of building groups.
    pub fn seats_filled(&self) -> u64 {
        self.filled.get()
    }

    /// The number of groups, built or not.
    pub fn crew_count(&self) -> usize {
        self.groups.len()
    }

    /// A group. It is built when it is first used.
    pub fn group(&self, number: u32) -> &AgentGroup {
        self.groups[number as usize].get_or_init(|| Box::new(self.make(number)))
    }

    /// Whether an agent of a group is free. Does not build a group without free agents.
    pub fn has_free(&self, number: u32) -> bool {
        let queue = self.queue;
        self.any(number, AgentGroup::has_free, |agent| agent.free(queue))
    }

    /// Whether an agent of a group is online. Builds groups like [`AgentDirectory::has_free`].
    pub fn has_online(&self, number: u32) -> bool {
        let online = |agent: &Agent| agent.presence == Presence::Online;
        self.any(number, |group| group.online > 0, online)
    }

    /// Whether an agent of a group is in this state. A group that is not built yet is built if one is. If no agent of
    /// the shop is in this state, no group is searched.
    fn any(
        &self,
        number: u32,
        known: fn(&AgentGroup) -> bool,
        is: impl Fn(&Agent) -> bool,
    ) -> bool {
        if number != EVERYBODY && !self.is_made(number) {
            let list = &self.plan.lists()[number as usize - 1];
            if !known(self.group(EVERYBODY))
                || !self.named_in(list).any(|agent| is(&self.agents[agent]))
            {
                return false;
            }
        }
        known(self.group(number))
    }

    /// Whether a group is built, so that it follows its agents.
    pub fn is_made(&self, number: u32) -> bool {
        self.groups[number as usize].get().is_some()
    }

    /// Whether an agent is in a group, built or not.
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

    /// The scope of a session under the policy, and its group (R2).
    pub fn scope_of(&self, attributes: &RoutingAttributes) -> (RoutingScope, u32) {
        let Some((kind, list)) = self.plan.list_of(attributes) else {
            return (RoutingScope::All, EVERYBODY);
        };
        let scope = match (kind, &attributes.question, &attributes.order_status) {
            (ScopeKind::Question, Some(question), _) => RoutingScope::Question {
                entry: attributes.entry_id(),
                question: question.clone(),
            },
            (ScopeKind::OrderStatus, _, Some(status)) => RoutingScope::OrderStatus(status.clone()),
            (ScopeKind::Entry | ScopeKind::Question | ScopeKind::OrderStatus, _, _) => {
                RoutingScope::Entry(attributes.entry_id())
            }
        };
        (scope, list + 1)
    }

    /// The group of a scope under the current policy. `None` if the policy no longer has the scope (R7).
    pub fn crew_of(&self, scope: &RoutingScope) -> Option<u32> {
        let list = match scope {
            RoutingScope::Question { entry, question } => self.plan.question(entry, question)?,
            RoutingScope::Entry(entry) => self.plan.entry(entry)?,
            RoutingScope::OrderStatus(status) => self.plan.order_status(status)?,
            RoutingScope::All => return Some(EVERYBODY),
        };
        Some(list + 1)
    }

    /// The group of the rota with its number, if the policy has one (R5).
    pub fn rota(&self) -> Option<(u32, &AgentGroup)> {
        let number = self.plan.rota()? + 1;
        Some((number, self.group(number)))
    }

    /// Whether the policy routes by any order status (R1d).
    pub fn routes_by_status(&self) -> bool {
        self.plan.routes_by_status()
    }

    /// Whether an agent is free under the current queue mode.
    pub fn is_free(&self, agent: u32) -> bool {
        self.agents[agent].free(self.queue)
    }

    /// The agent that a group picks for a session, with these agents left out (R10).
    pub fn pick_except(&self, number: u32, session: &str, passed: &[u32]) -> Option<u32> {
        let group = self.group(number);
        if passed.is_empty() {
            return group.pick(session);
        }
        group.pick_except(session, &self.seats_in(group, passed))
    }

    /// The agent that a draw from a group selects for a session, with these agents left out (R10).
    pub fn draw_except(&self, number: u32, session: &str, passed: &[u32]) -> Option<u32> {
        let group = self.group(number);
        if passed.is_empty() {
            return group.draw(session);
        }
        group.draw_except(session, &self.seats_in(group, passed))
    }

    /// Whether an agent of a group other than these is online.
    pub fn has_online_except(&self, number: u32, passed: &[u32]) -> bool {
        if passed.is_empty() {
            return self.has_online(number);
        }
        let group = self.group(number);
        let seats = self.seats_in(group, passed);
        let online = |&seat: &u32| self.agents[group.seats[seat as usize]].on_duty();
        let passed_online = seats.iter().filter(|seat| online(seat)).count();
        group.online as usize > passed_online
    }

    /// Whether an agent of a group other than these is free.
    pub fn has_free_except(&self, number: u32, passed: &[u32]) -> bool {
        if passed.is_empty() {
            return self.has_free(number);
        }
        let group = self.group(number);
        group.free_count() > group.free_at(&self.seats_in(group, passed))
    }

    /// The indices of agents in a group, ascending. Agents that are not in it are left out.
    fn seats_in(&self, group: &AgentGroup, agents: &[u32]) -> SmallVec<[u32; 8]> {
        let rank = |agent: u32| self.ranks[agent as usize];
        let seat = |&agent: &u32| {
            let known = (agent as usize) < self.ranks.len();
            let found = known.then(|| group.seats.binary_search_by_key(&rank(agent), |&a| rank(a)));
            Some(found?.ok()? as u32)
        };
        let mut seats: SmallVec<[u32; 8]> = agents.iter().filter_map(seat).collect();
        seats.sort_unstable();
        seats
    }

    /// Whether a routable agent is online (R3).
    pub fn anybody_online(&self) -> bool {
        self.group(EVERYBODY).online > 0
    }

    /// Updates an agent in all its groups.
    pub fn refresh(&mut self, agent: u32) {
        if self.stale {
            return;
        }
        self.hand_out_seats();
        let record = &self.agents[agent];
        for &(group, seat) in &record.seats {
            if let Some(group) = self.groups[group as usize].get_mut() {
                group.refresh(seat, record, self.day);
            }
        }
    }

    /// Changes an agent's presence in all its groups.
    pub fn set_presence(&mut self, agent: u32, presence: Presence) {
        self.hand_out_seats();
        let record = &mut self.agents[agent];
        let before = std::mem::replace(&mut record.presence, presence);
        if !self.stale {
            for &(group, _) in &record.seats {
                if let Some(group) = self.groups[group as usize].get_mut() {
                    group.count_online(before, presence);
                }
            }
        }
        self.refresh(agent);
    }

    /// Starts another day. Groups whose order depends on the day are rebuilt.
    pub fn turn_to(&mut self, day: Day) {
        self.day = day;
        let made = || self.groups.iter().filter_map(OnceCell::get);
        if made().any(|group| group.by_day()) {
            for agent in 0..self.agents.len() as u32 {
                self.refresh(agent);
            }
        }
    }

    /// Starts a rebuild from the policy and the current agents. Each group is built when it is first used.
    pub fn make_crews(&mut self) {
        if let Some(next) = self.next.take() {
            (self.plan, self.strategy, self.queue) = next;
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
                // A role that is named twice counts once.
                if let Some(of_role) = of_role
                    && of_role.last() != Some(&number)
                {
                    of_role.push(number);
                }
            }
        }
        self.unseated.get_mut().clear();
        self.groups.clear();
        self.groups
            .resize_with(self.plan.lists().len() + 1, OnceCell::new);
        self.stale = false;
    }

    /// Sorts agents by id. Agents are never removed from the table, so only new ones are inserted.
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

    /// Builds a group from the current agents.
    fn make(&self, number: u32) -> AgentGroup {
        let list = number
            .checked_sub(1)
            .map(|list| &self.plan.lists()[list as usize]);
        let (duty, seats) = match list {
            None => (
                PickBy::Desk(self.strategy, self.queue),
                self.routable.clone(),
            ),
            Some(list) if list.rota => (PickBy::Rota, self.members(list)),
            Some(list) => (PickBy::Desk(self.strategy, self.queue), self.members(list)),
        };
        self.filled.set(self.filled.get() + seats.len() as u64);
        let mut group = AgentGroup::new(duty, seats);
        for seat in 0..group.seats.len() {
            let agent = &self.agents[group.seats[seat]];
            group.count_online(Presence::Offline, agent.presence);
            group.refresh(seat as u32, agent, self.day);
        }
        self.unseated.borrow_mut().push(number);
        group
    }

    /// The routable agents of a list, each once, in id order.
    fn members(&self, list: &MemberList) -> Vec<u32> {
        let mut members: Vec<u32> = self.named_in(list).collect();
        if !list.roles.is_empty() {
            members.sort_by_key(|&agent| self.ranks[agent as usize]);
            members.dedup();
        }
        members
    }

    /// The routable agents of a list, with those of its roles last. Some occur twice.
    fn named_in<'a>(&'a self, list: &'a MemberList) -> impl Iterator<Item = u32> + 'a {
        let named = list.agents.iter().map(|&place| self.named[place as usize]);
        let named = named.filter(|&agent| agent != NOBODY);
        let roles = list.roles.iter().map(|&role| &self.of_role[role as usize]);
        named.chain(roles.flatten().copied())
    }

    /// Registers recently built groups with their agents.
    fn hand_out_seats(&mut self) {
        for number in self.unseated.get_mut().drain(..) {
            let Some(group) = self.groups[number as usize].get() else {
                continue;
            };
            for (&agent, seat) in group.seats.iter().zip(0..) {
                self.agents[agent].seats.push((number, seat));
            }
        }
    }
}
