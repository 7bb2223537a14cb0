//! The pools of waiting sessions, and the agent group that serves each pool (R6, R7).

use std::collections::{BTreeMap, BTreeSet};

use super::agent_directory::{EVERYBODY, RoutingScope};
use super::session::{PassedAgents, QueueRank};
use crate::domain::collections::indexed_heap::IndexedHeap;
use crate::domain::collections::ordered_queue::OrderedQueue;
use crate::domain::collections::slab_map::{Keyed, SlabMap};

/// The sessions that wait for the same scope.
pub struct Pool {
    pub(in crate::domain) name: Box<str>,
    pub(in crate::domain) scope: RoutingScope,
    /// The waiting sessions that any agent of the pool may get, in the order of the queue.
    pub plain: OrderedQueue<(QueueRank, u32)>,
    /// The other waiting sessions: the buyer has left (S7), or agents are passed over (R10).
    pub aside: OrderedQueue<(QueueRank, u32)>,
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
            plain: OrderedQueue::default(),
            aside: OrderedQueue::default(),
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

    /// The number of waiting sessions.
    pub fn len(&self) -> usize {
        self.plain.len() + self.aside.len()
    }

    /// Whether no session waits.
    pub fn is_empty(&self) -> bool {
        self.plain.is_empty() && self.aside.is_empty()
    }

    /// The position of a session, waiting or not: 1 is the next one.
    pub fn position(&self, entry: (QueueRank, u32)) -> u32 {
        (self.plain.rank(&entry) + self.aside.rank(&entry)) as u32 + 1
    }

    /// The waiting sessions in the order of the queue.
    pub fn sessions(&self) -> impl Iterator<Item = u32> + '_ {
        let (mut plain, mut aside) = (self.plain.iter().peekable(), self.aside.iter().peekable());
        std::iter::from_fn(move || {
            let aside_first = match (plain.peek(), aside.peek()) {
                (Some(plain), Some(aside)) => aside < plain,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            let next = if aside_first {
                aside.next()
            } else {
                plain.next()
            };
            next.map(|(_, session)| session)
        })
    }
}

/// Sessions in the order of the queue.
type RankedSessions = BTreeSet<(QueueRank, u32)>;

/// All waiting sessions of a shop.
#[derive(Default)]
pub struct Queue {
    /// The non-empty pools.
    pub pools: SlabMap<Pool>,
    /// The number of waiting sessions.
    pub waiting: u32,
    pub(in crate::domain) tickets: u64,
    /// For each group, the pools of its line by the rank of their first plain session.
    pub(in crate::domain) lines: Vec<BTreeSet<(QueueRank, u32)>>,
    pub(in crate::domain) ready: IndexedHeap<QueueRank>,
    /// The waiting sessions that pass over agents (R10), by their pool and those agents.
    pub(in crate::domain) passing: BTreeMap<(u32, PassedAgents), RankedSessions>,
    /// Groups with a line and no free agent that are not built. They are not updated when agents change.
    pub(in crate::domain) unmade: BTreeSet<u32>,
}
