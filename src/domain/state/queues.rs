//! The pools of waiting sessions, and the group of agents that each pool waits for (R6, R7).

use std::collections::BTreeSet;

use super::agent_directory::{EVERYBODY, Scope};
use crate::domain::collections::indexed_heap::Heap;
use crate::domain::collections::linked_list::Chain;
use crate::domain::collections::slab_map::{Keyed, Table};

/// Sessions that wait for the same scope, first in, first out.
pub struct Pool {
    pub(in crate::domain) name: Box<str>,
    pub(in crate::domain) scope: Scope,
    /// Its sessions.
    pub waiting: Chain,
    /// The crew of its scope under the policy of now; everybody where the policy has it no longer.
    pub(in crate::domain) crew: u32,
    /// The crew in whose line it stands.
    pub(in crate::domain) line: u32,
}

impl Keyed for Pool {
    type Key = str;
    fn key(&self) -> &str {
        &self.name
    }
}

impl From<Scope> for Pool {
    /// A pool in which nobody waits, and which stands in no line yet.
    fn from(scope: Scope) -> Pool {
        Pool {
            name: scope.pool_name().into(),
            scope,
            waiting: Chain::EMPTY,
            crew: EVERYBODY,
            line: EVERYBODY,
        }
    }
}

impl Pool {
    /// As the wire language writes it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its sessions wait for.
    pub(in crate::domain) fn scope(&self) -> &Scope {
        &self.scope
    }
}

/// All that wait in a shop.
#[derive(Default)]
pub struct Queue {
    /// The pools in which somebody waits.
    pub pools: Table<Pool>,
    /// How many sessions wait.
    pub waiting: u32,
    pub(in crate::domain) tickets: u64,
    /// By crew, the pools of its line by the ticket of their head.
    pub(in crate::domain) lines: Vec<BTreeSet<(u64, u32)>>,
    pub(in crate::domain) ready: Heap<u64>,
    /// Crews with a line and nobody free that are not made: they hear of no agent by themselves.
    pub(in crate::domain) unmade: BTreeSet<u32>,
}
