//! The agent groups that a policy needs (R2): its member lists with named groups expanded. Equal lists are stored once.
//!
//! A plan depends only on the policy. So it is built when the policy is checked, outside the runtime threads. The agent
//! directory builds the groups of a plan from the current agents, each when it is first used.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Member, Policy, PolicyError, Routing};
use crate::domain::base::id::Id;
use crate::domain::policy::routing_attributes::RoutingAttributes;

/// The maximum size of a checked plan: the members of all lists after expansion, plus [`LIST_COST`] for each list. With
/// 10,000 agents, each agent can be in about 50 different lists.
pub const PLAN_SIZE_MAX: usize = 500_000;

/// What a list counts in addition to its members.
pub const LIST_COST: usize = 8;

/// The maximum number of different lists in a checked plan that name roles. Each of them may come to contain every
/// agent.
pub const ROLE_LISTS_MAX: usize = 128;

/// The agent groups that a policy needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupPlan {
    /// The agents that lists name, with their index in id order.
    agents: HashMap<Id, u32>,
    roles: HashMap<Id, u32>,
    lists: Vec<MemberList>,
    entries: BTreeMap<Id, EntryLists>,
    order_status: BTreeMap<Id, u32>,
    rota: Option<u32>,
}

/// A member list with expanded groups. Equal lists are the same list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemberList {
    /// Whether it is the rota, which picks in another order.
    pub rota: bool,
    /// Agents by their index in id order, ascending.
    pub agents: Vec<u32>,
    /// Roles by number, ascending.
    pub roles: Vec<u32>,
}

/// The lists of an entry, by number.
#[derive(Clone, Debug, Default, PartialEq)]
struct EntryLists {
    questions: BTreeMap<Id, u32>,
    members: Option<u32>,
}

/// The kind of scope whose list applies to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    /// A question.
    Question,
    /// An entry.
    Entry,
    /// An order status.
    OrderStatus,
}

/// A checked policy: parsed, with expanded groups, and within the limits.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedPolicy {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The groups.
    pub groups: Arc<GroupPlan>,
}

impl CheckedPolicy {
    /// Parses a policy and expands its groups, within the limits.
    ///
    /// # Errors
    ///
    /// A key is invalid, or the lists exceed [`PLAN_SIZE_MAX`] or [`ROLE_LISTS_MAX`].
    pub fn check(value: &serde_json::Value) -> Result<CheckedPolicy, PolicyError> {
        CheckedPolicy::within_limits(Policy::parse(value)?)
    }

    /// Expands the groups of a parsed policy, within the limits.
    ///
    /// # Errors
    ///
    /// The lists exceed [`PLAN_SIZE_MAX`] or [`ROLE_LISTS_MAX`].
    pub fn within_limits(policy: Policy) -> Result<CheckedPolicy, PolicyError> {
        let mut maker = Maker::new(&policy.routing, Some(PLAN_SIZE_MAX));
        maker.make(&policy.routing)?;
        Ok(CheckedPolicy {
            groups: Arc::new(maker.plan),
            policy: Arc::new(policy),
        })
    }

    /// Expands a policy that was accepted before, without limits.
    pub fn accepted(policy: Policy) -> CheckedPolicy {
        let mut maker = Maker::new(&policy.routing, None);
        // Without limits, expanding a parsed policy cannot fail.
        maker.make(&policy.routing).ok();
        CheckedPolicy {
            groups: Arc::new(maker.plan),
            policy: Arc::new(policy),
        }
    }
}

impl GroupPlan {
    /// All lists, by number.
    pub fn lists(&self) -> &[MemberList] {
        &self.lists
    }

    /// The index of an agent that some list names.
    pub fn place_of(&self, agent: &str) -> Option<u32> {
        self.agents.get(agent).copied()
    }

    /// The number of agents that lists name.
    pub fn agents_named(&self) -> usize {
        self.agents.len()
    }

    /// The number of a role that some list names.
    pub fn role(&self, role: &Id) -> Option<u32> {
        self.roles.get(role).copied()
    }

    /// The number of roles that lists name.
    pub fn roles_named(&self) -> usize {
        self.roles.len()
    }

    /// The list of a question.
    pub fn question(&self, entry: &str, question: &Id) -> Option<u32> {
        self.entries.get(entry)?.questions.get(question).copied()
    }

    /// The list of an entry.
    pub fn entry(&self, entry: &str) -> Option<u32> {
        self.entries.get(entry)?.members
    }

    /// The list of an order status.
    pub fn order_status(&self, status: &Id) -> Option<u32> {
        self.order_status.get(status).copied()
    }

    /// The list of the rota.
    pub fn rota(&self) -> Option<u32> {
        self.rota
    }

    /// Whether any order status has a list (R1d).
    pub fn routes_by_status(&self) -> bool {
        !self.order_status.is_empty()
    }

    /// The list that applies to a session, and the kind of its scope (R2).
    pub fn list_of(&self, attributes: &RoutingAttributes) -> Option<(ScopeKind, u32)> {
        if let Some(entry) = self.entries.get(attributes.entry()) {
            let question = attributes.question.as_ref();
            if let Some(&list) = question.and_then(|question| entry.questions.get(question)) {
                return Some((ScopeKind::Question, list));
            }
            if let Some(list) = entry.members {
                return Some((ScopeKind::Entry, list));
            }
        }
        let status = attributes.order_status.as_ref()?;
        Some((ScopeKind::OrderStatus, self.order_status(status)?))
    }
}

/// Members before expansion: indices of agents, numbers of roles and groups, each once and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Raw {
    agents: Vec<u32>,
    roles: Vec<u32>,
    groups: Vec<u32>,
}

struct Maker<'a> {
    plan: GroupPlan,
    groups: Vec<Raw>,
    group_numbers: HashMap<&'a Id, u32>,
    /// The numbers of lists before and after expansion, to find equal ones.
    raw: HashMap<(bool, Raw), u32>,
    plain: HashMap<MemberList, u32>,
    size: usize,
    role_lists: usize,
    size_max: Option<usize>,
}

impl<'a> Maker<'a> {
    fn new(routing: &'a Routing, size_max: Option<usize>) -> Maker<'a> {
        let mut agents: Vec<&Id> = Vec::new();
        let mut plan = GroupPlan::default();
        for member in all_members(routing) {
            match member {
                Member::Agent(id) => agents.push(id),
                Member::Role(role) => {
                    let next = plan.roles.len() as u32;
                    plan.roles.entry(role.clone()).or_insert(next);
                }
                Member::Group(_) => {}
            }
        }
        agents.sort_unstable();
        agents.dedup();
        plan.agents = agents.into_iter().cloned().zip(0..).collect();
        let group_numbers = routing.groups.keys().zip(0..).collect();
        let mut maker = Maker {
            plan,
            groups: Vec::with_capacity(routing.groups.len()),
            group_numbers,
            raw: HashMap::new(),
            plain: HashMap::new(),
            size: 0,
            role_lists: 0,
            size_max,
        };
        for members in routing.groups.values() {
            let group = maker.raw(members);
            maker.groups.push(group);
        }
        maker
    }

    fn make(&mut self, routing: &'a Routing) -> Result<(), PolicyError> {
        for (name, entry) in &routing.entries {
            let mut lists = EntryLists::default();
            for (question, members) in &entry.questions {
                let path = || format!("routing.entries.{name}.questions.{question}");
                if let Some(list) = self.list(false, members, path)? {
                    lists.questions.insert(question.clone(), list);
                }
            }
            let path = || format!("routing.entries.{name}.members");
            lists.members = self.list(false, &entry.members, path)?;
            self.plan.entries.insert(name.clone(), lists);
        }
        for (status, members) in &routing.order_status {
            let path = || format!("routing.order_status.{status}");
            if let Some(list) = self.list(false, members, path)? {
                self.plan.order_status.insert(status.clone(), list);
            }
        }
        let path = || "routing.offline.members".to_owned();
        self.plan.rota = self.list(true, &routing.offline.members, path)?;
        Ok(())
    }

    /// The number of the list with these members. An empty list counts as absent.
    fn list(
        &mut self,
        rota: bool,
        members: &'a [Member],
        path: impl Fn() -> String,
    ) -> Result<Option<u32>, PolicyError> {
        if members.is_empty() {
            return Ok(None);
        }
        self.charge(LIST_COST + members.len(), &path)?;
        let key = (rota, self.raw(members));
        if let Some(&list) = self.raw.get(&key) {
            return Ok(Some(list));
        }
        let of_groups = key.1.groups.iter().map(|&group| {
            let group = &self.groups[group as usize];
            group.agents.len() + group.roles.len()
        });
        self.charge(of_groups.sum(), &path)?;
        let plain = self.plain(rota, &key.1);
        let list = match self.plain.get(&plain) {
            Some(&list) => list,
            None => {
                self.charge_roles(&plain, &path)?;
                let list = self.plan.lists.len() as u32;
                self.plan.lists.push(plain.clone());
                self.plain.insert(plain, list);
                list
            }
        };
        self.raw.insert(key, list);
        Ok(Some(list))
    }

    fn charge(&mut self, size: usize, path: &impl Fn() -> String) -> Result<(), PolicyError> {
        self.size += size;
        match self.size_max {
            Some(max) if self.size > max => Err(PolicyError::one(
                path(),
                (
                    format!(
                        "makes the policy's lists hold more than {max} members together, groups written out and \
                         {LIST_COST} counted for each list: use fewer lists, or smaller groups"
                    ),
                    format!(
                        "使策略的名单合计超过 {max} 名成员（组按成员展开，每份名单另计 {LIST_COST}）：\
                         请减少名单，或缩小分组"
                    ),
                ),
            )),
            Some(_) | None => Ok(()),
        }
    }

    fn charge_roles(
        &mut self,
        list: &MemberList,
        path: &impl Fn() -> String,
    ) -> Result<(), PolicyError> {
        self.role_lists += usize::from(!list.roles.is_empty());
        if self.size_max.is_some() && self.role_lists > ROLE_LISTS_MAX {
            return Err(PolicyError::one(
                path(),
                (
                    format!(
                        "is one more than {ROLE_LISTS_MAX} different lists with roles: name agents, or use one list in \
                         several places"
                    ),
                    format!(
                        "使含角色的不同名单超过 {ROLE_LISTS_MAX} 份：请直接写客服，或让多处使用同一份名单"
                    ),
                ),
            ));
        }
        Ok(())
    }

    fn raw(&self, members: &[Member]) -> Raw {
        let mut raw = Raw::default();
        for member in members {
            match member {
                Member::Agent(id) => raw.agents.extend(self.plan.agents.get(id.as_str())),
                Member::Role(role) => raw.roles.extend(self.plan.roles.get(role)),
                Member::Group(name) => raw.groups.extend(self.group_numbers.get(name)),
            }
        }
        for part in [&mut raw.agents, &mut raw.roles, &mut raw.groups] {
            put_in_order(part);
        }
        raw
    }

    fn plain(&self, rota: bool, raw: &Raw) -> MemberList {
        let (mut agents, mut roles) = (raw.agents.clone(), raw.roles.clone());
        for &group in &raw.groups {
            let group = &self.groups[group as usize];
            agents.extend_from_slice(&group.agents);
            roles.extend_from_slice(&group.roles);
        }
        put_in_order(&mut agents);
        put_in_order(&mut roles);
        MemberList {
            rota,
            agents,
            roles,
        }
    }
}

/// Sorts and removes duplicates. The input consists of a few sorted runs, which this sort handles fast.
fn put_in_order(numbers: &mut Vec<u32>) {
    numbers.sort();
    numbers.dedup();
}

fn all_members(routing: &Routing) -> impl Iterator<Item = &Member> {
    let entries = routing.entries.values();
    let of_entries = entries.flat_map(|entry| entry.questions.values().chain([&entry.members]));
    let lists = routing.groups.values().chain(of_entries);
    let lists = lists.chain(routing.order_status.values());
    lists.chain([&routing.offline.members]).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn checked(policy: &Value) -> Result<GroupPlan, PolicyError> {
        CheckedPolicy::check(policy).map(|checked| GroupPlan::clone(&checked.groups))
    }

    #[test]
    fn lists_of_the_same_members_are_one() {
        let plan = checked(&json!({"routing": {
            "groups": {"night": ["bo", "anna", "role:lead"], "nobody": []},
            "entries": {
                "live": {"questions": {"a": ["group:night"], "b": ["anna", "role:lead", "bo", "bo"], "c": []},
                    "members": ["group:night", "group:nobody"]},
                "other": {"members": ["group:nobody"]},
            },
            "order_status": {"unpaid": ["bo"], "paid": ["role:lead"]},
            "offline": {"mode": "rota", "members": ["group:night"]},
        }}));
        let plan = plan.unwrap();
        let id = |text| Id::new(text).unwrap();
        let list = |rota, agents: &[u32], roles: &[u32]| MemberList {
            rota,
            agents: agents.to_vec(),
            roles: roles.to_vec(),
        };
        assert_eq!(
            (plan.place_of("anna"), plan.place_of("bo")),
            (Some(0), Some(1))
        );
        assert_eq!(
            plan.lists(),
            [
                list(false, &[0, 1], &[0]),
                list(false, &[], &[]),
                list(false, &[], &[0]),
                list(false, &[1], &[]),
                list(true, &[0, 1], &[0]),
            ]
        );
        for question in ["a", "b"] {
            assert_eq!(plan.question("live", &id(question)), Some(0));
        }
        assert_eq!(plan.question("live", &id("c")), None);
        assert_eq!(
            (plan.entry("live"), plan.entry("other")),
            (Some(0), Some(1))
        );
        assert_eq!(plan.order_status(&id("paid")), Some(2));
        assert_eq!(
            (plan.order_status(&id("unpaid")), plan.rota()),
            (Some(3), Some(4))
        );
    }

    fn agents(count: usize) -> Vec<String> {
        (0..count)
            .map(|number| format!("agent-{number:05}"))
            .collect()
    }

    /// Entries with one question each. `members` gives the members of the n-th.
    fn lists(groups: Value, count: usize, members: impl Fn(usize) -> Value) -> Value {
        let questions: serde_json::Map<String, Value> = (0..count)
            .map(|number| (format!("q{number:06}"), members(number)))
            .collect();
        json!({"routing": {"groups": groups, "entries": {"live": {"questions": questions}}}})
    }

    #[test]
    fn what_lists_hold_together_is_bounded_and_the_list_is_named() {
        let ten_thousand = || json!({"all": agents(10_000)});
        // Ten thousand agents in hundreds of own lists, and in one group that any number of lists name.
        let sane = lists(ten_thousand(), 600, |number| {
            json!(agents(10_000)[number..number + 200])
        });
        assert!(checked(&sane).is_ok());
        let shared = lists(ten_thousand(), 5_000, |_| json!(["group:all"]));
        assert_eq!(checked(&shared).unwrap().lists().len(), 1);
        for (policy, path, hint) in [
            // Each list differs and contains all agents.
            (
                lists(ten_thousand(), 1_000, |number| {
                    json!(["group:all", format!("x{number}")])
                }),
                "routing.entries.live.questions.q000049",
                "smaller groups",
            ),
            (
                lists(json!({}), 60_000, |number| json!([format!("x{number}")])),
                "routing.entries.live.questions.q055555",
                "fewer lists",
            ),
            (
                lists(json!({}), 200, |number| {
                    json!(["role:a", format!("x{number}")])
                }),
                "routing.entries.live.questions.q000128",
                "lists with roles",
            ),
        ] {
            let error = checked(&policy).unwrap_err();
            assert_eq!(error.problems()[0].path, path);
            assert!(error.to_string().contains(hint), "{error}");
            // A policy that was accepted before is always valid.
            let parsed = Policy::parse(&policy).unwrap();
            assert!(!CheckedPolicy::accepted(parsed).groups.lists().is_empty());
        }
    }
}
