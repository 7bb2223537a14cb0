//! Member lists of agents, roles and groups, and maps of such lists.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use serde::ser::{Serialize, Serializer};

use super::reader::{KeyKind, Rendered, ValueAt};
use super::shape::Shape;
use crate::domain::base::id::Id;

/// A member of a group, an entry, a question, a status or the rota.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// An agent, by id.
    Agent(Id),
    /// All members of a named group of the policy. Groups cannot contain groups.
    Group(Id),
    /// The routable agents with a role.
    Role(Id),
}

/// The kind of a member list.
pub struct Members;

/// The kind of `groups`: member lists without groups, by name. It is read before the lists that use them.
pub struct Groups;

/// The kind of member lists by name. An empty list counts as absent.
pub struct MemberLists;

/// The kind of a map from entry names to objects.
pub struct Entries<E>(PhantomData<E>);

const LIST: Shape = Shape::List(&Shape::Member);
const LISTS: Shape = Shape::Map(&LIST);

type Lists = BTreeMap<Id, Vec<Member>>;

impl KeyKind for Members {
    type Value = Vec<Member>;
    const SHAPE: Shape = LIST;

    fn read(spot: ValueAt<'_>) -> Option<Vec<Member>> {
        const EXPECTED: (&str, &str) = (
            "must be an array of agent ids, group:NAME and role:NAME",
            "必须是数组，元素为客服编号、group:组名或 role:角色",
        );
        spot.list(EXPECTED, |spot| match member(spot)? {
            Member::Group(group) if !spot.has_group(&group) => spot.wrong((
                format!("must name groups that routing.groups has, which has no {group:?}"),
                format!("只能引用 routing.groups 中的组，其中没有 {group:?}"),
            )),
            known @ (Member::Agent(_) | Member::Group(_) | Member::Role(_)) => Some(known),
        })
    }

    fn write<S: Serializer>(value: &Vec<Member>, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

impl KeyKind for Groups {
    type Value = Lists;
    const SHAPE: Shape = LISTS;

    fn read(spot: ValueAt<'_>) -> Option<Lists> {
        if let Some(groups) = spot.value().as_object() {
            let named = groups.iter().filter(|(_, members)| !members.is_null());
            let names = named.filter_map(|(name, _)| Id::new(name));
            spot.set_groups(names.collect());
        }
        spot.map(|spot| spot.list(GROUP, single))
    }

    fn write<S: Serializer>(value: &Lists, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

const GROUP: (&str, &str) = (
    "must be an array of agent ids and role:NAME",
    "必须是数组，元素为客服编号或 role:角色",
);

/// A member of a group.
fn single(spot: ValueAt<'_>) -> Option<Member> {
    match member(spot)? {
        Member::Group(_) => spot.wrong((
            "must hold agents and roles, no groups",
            "只能包含客服和角色，不能再包含组",
        )),
        single @ (Member::Agent(_) | Member::Role(_)) => Some(single),
    }
}

impl KeyKind for MemberLists {
    type Value = Lists;
    const SHAPE: Shape = LISTS;

    fn read(spot: ValueAt<'_>) -> Option<Lists> {
        let mut lists = spot.map(Members::read)?;
        lists.retain(|_, members| !members.is_empty());
        Some(lists)
    }

    fn write<S: Serializer>(value: &Lists, to: S) -> Result<S::Ok, S::Error> {
        value.serialize(to)
    }
}

impl<E: KeyKind> KeyKind for Entries<E> {
    type Value = BTreeMap<Id, E::Value>;
    const SHAPE: Shape = Shape::Map(&E::SHAPE);

    fn read(spot: ValueAt<'_>) -> Option<Self::Value> {
        spot.map(|spot| {
            if spot.key().contains('/') {
                return spot.wrong(("must have a name without /", "名称不能含有 /"));
            }
            E::read(spot)
        })
    }

    fn write<S: Serializer>(value: &Self::Value, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(
            value
                .iter()
                .map(|(name, entry)| (name, Rendered::<E>(entry))),
        )
    }
}

fn member(spot: ValueAt<'_>) -> Option<Member> {
    const EXPECTED: (&str, &str) = (
        "must hold agent ids, group:NAME and role:NAME, names of 1 to 128 bytes without control characters",
        "元素须为客服编号、group:组名或 role:角色，名称为 1 到 128 字节，且不含控制字符",
    );
    let text = spot.str(EXPECTED)?;
    let member = if let Some(group) = text.strip_prefix("group:") {
        Id::new(group).map(Member::Group)
    } else if let Some(role) = text.strip_prefix("role:") {
        Id::new(role).map(Member::Role)
    } else {
        Id::new(text).map(Member::Agent)
    };
    member.or_else(|| spot.wrong(EXPECTED))
}

impl Serialize for Member {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Member::Agent(agent) => agent.serialize(serializer),
            Member::Group(group) => serializer.collect_str(&format_args!("group:{group}")),
            Member::Role(role) => serializer.collect_str(&format_args!("role:{role}")),
        }
    }
}
