//! Pools in form 1: each as its scope.

use serde::Deserialize;

use super::name::NameV1;
use crate::domain::snapshot::v2::pools::ScopeV2;

#[derive(Deserialize)]
pub(super) enum ScopeV1 {
    Question {
        entry: NameV1<'static>,
        question: NameV1<'static>,
    },
    Entry(NameV1<'static>),
    OrderStatus(NameV1<'static>),
    All,
}

impl From<ScopeV1> for ScopeV2<'static> {
    fn from(scope: ScopeV1) -> ScopeV2<'static> {
        match scope {
            ScopeV1::Question { entry, question } => ScopeV2::Question {
                entry: entry.into(),
                question: question.into(),
            },
            ScopeV1::Entry(entry) => ScopeV2::Entry(entry.into()),
            ScopeV1::OrderStatus(status) => ScopeV2::OrderStatus(status.into()),
            ScopeV1::All => ScopeV2::All,
        }
    }
}
