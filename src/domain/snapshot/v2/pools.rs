//! Pools in form 2: each as its scope.

use serde::{Deserialize, Serialize};

use super::name::NameV2;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::queues::Pool;

#[derive(Serialize, Deserialize)]
pub enum ScopeV2<'a> {
    Question {
        entry: NameV2<'a>,
        question: NameV2<'a>,
    },
    Entry(NameV2<'a>),
    OrderStatus(NameV2<'a>),
    All,
}

impl<'a> From<&'a Pool> for ScopeV2<'a> {
    /// The rest of a pool follows from the policy and the sessions.
    fn from(pool: &'a Pool) -> ScopeV2<'a> {
        let Pool {
            name: _,
            scope,
            plain: _,
            aside: _,
            group: _,
            line: _,
        } = pool;
        match scope {
            RoutingScope::Question { entry, question } => ScopeV2::Question {
                entry: entry.into(),
                question: question.into(),
            },
            RoutingScope::Entry(entry) => ScopeV2::Entry(entry.into()),
            RoutingScope::OrderStatus(status) => ScopeV2::OrderStatus(status.into()),
            RoutingScope::All => ScopeV2::All,
        }
    }
}

impl TryFrom<ScopeV2<'_>> for Pool {
    type Error = InvalidPart;
    fn try_from(read: ScopeV2<'_>) -> Result<Pool, InvalidPart> {
        Ok(Pool::from(match read {
            ScopeV2::Question { entry, question } => RoutingScope::Question {
                entry: entry.id(),
                question: question.id(),
            },
            ScopeV2::Entry(entry) => RoutingScope::Entry(entry.id()),
            ScopeV2::OrderStatus(status) => RoutingScope::OrderStatus(status.id()),
            ScopeV2::All => RoutingScope::All,
        }))
    }
}
