//! Pools in form 1: each as its scope.

use serde::{Deserialize, Serialize};

use super::name::NameV1;
use crate::domain::snapshot::Wrong;
use crate::domain::state::agent_directory::Scope;
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
            Scope::Question { entry, question } => ScopeV1::Question {
                entry: entry.into(),
                question: question.into(),
            },
            Scope::Entry(entry) => ScopeV1::Entry(entry.into()),
            Scope::OrderStatus(status) => ScopeV1::OrderStatus(status.into()),
            Scope::All => ScopeV1::All,
        }
    }
}

impl TryFrom<ScopeV1<'_>> for Pool {
    type Error = Wrong;
    fn try_from(read: ScopeV1<'_>) -> Result<Pool, Wrong> {
        Ok(Pool::from(match read {
            ScopeV1::Question { entry, question } => Scope::Question {
                entry: entry.id(),
                question: question.id(),
            },
            ScopeV1::Entry(entry) => Scope::Entry(entry.id()),
            ScopeV1::OrderStatus(status) => Scope::OrderStatus(status.id()),
            ScopeV1::All => Scope::All,
        }))
    }
}
