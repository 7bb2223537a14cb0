//! Pools in form 1: each as its scope.

use serde::{Deserialize, Serialize};

use super::name::NameV1;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::agent_directory::RoutingScope;
use crate::domain::state::queues::Pool;

#[derive(Serialize, Deserialize)]
pub(super) enum ScopeV1<'a> {
    Question {
        entry: NameV1<'a>,
        question: NameV1<'a>,
    },
    Entry(NameV1<'a>),
    OrderStatus(NameV1<'a>),
    All,
}

impl<'a> From<&'a Pool> for ScopeV1<'a> {
    /// The rest of a pool follows from the policy and the sessions.
    fn from(pool: &'a Pool) -> ScopeV1<'a> {
        match pool.scope() {
            RoutingScope::Question { entry, question } => ScopeV1::Question {
                entry: entry.into(),
                question: question.into(),
            },
            RoutingScope::Entry(entry) => ScopeV1::Entry(entry.into()),
            RoutingScope::OrderStatus(status) => ScopeV1::OrderStatus(status.into()),
            RoutingScope::All => ScopeV1::All,
        }
    }
}

impl TryFrom<ScopeV1<'_>> for Pool {
    type Error = InvalidPart;
    fn try_from(read: ScopeV1<'_>) -> Result<Pool, InvalidPart> {
        Ok(Pool::from(match read {
            ScopeV1::Question { entry, question } => RoutingScope::Question {
                entry: entry.id(),
                question: question.id(),
            },
            ScopeV1::Entry(entry) => RoutingScope::Entry(entry.id()),
            ScopeV1::OrderStatus(status) => RoutingScope::OrderStatus(status.id()),
            ScopeV1::All => RoutingScope::All,
        }))
    }
}
