//! The pools of waiting sessions, and the agent group that serves each pool (R6, R7).

use std::collections::BTreeSet;

use super::agent_directory::{EVERYBODY, RoutingScope};
use crate::domain::collections::indexed_heap::IndexedHeap;
use crate::domain::collections::linked_list::LinkedList;
use crate::domain::collections::slab_map::{Keyed, SlabMap};

/// The sessions that wait for the same scope, first in, first out.
pub struct Pool {
    pub(in crate::domain) name: Box<str>,
    pub(in crate::domain) scope: RoutingScope,
    /// The waiting sessions.
    pub waiting: LinkedList,
    /// The group of the scope under the current policy. The group of all agents if the policy no longer has the scope.
    pub(in crate::domain) group: u32,
    /// The group in whose line the pool is.
    pub(in crate::domain) line: u32,
}

impl Keyed for Pool {
    type Key = str;
    fn key(&self) -> &str {
        &self.name
    }
}

impl From<RoutingScope> for Pool {
    /// An empty pool, which is in no line yet.
    fn from(scope: RoutingScope) -> Pool {
        Pool {
            name: scope.pool_name().into(),
            scope,
            waiting: LinkedList::EMPTY,
            group: EVERYBODY,
            line: EVERYBODY,
        }
    }
}

impl Pool {
    /// The pool's name in the wire format.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scope that the sessions wait for.
    pub(in crate::domain) fn scope(&self) -> &RoutingScope {
        &self.scope
    }
}

/// All waiting sessions of a shop.
#[derive(Default)]
pub struct Queue {
    /// The non-empty pools.
    pub pools: SlabMap<Pool>,
    /// The number of waiting sessions.
    pub waiting: u32,
    pub(in crate::domain) tickets: u64,
    /// For each group, the pools of its line by the ticket of their first session.
    pub(in crate::domain) lines: Vec<BTreeSet<(u64, u32)>>,
    pub(in crate::domain) ready: IndexedHeap<u64>,
    /// Groups with a line and no free agent that are not built. They are not updated when agents change.
    pub(in crate::domain) unmade: BTreeSet<u32>,
}
