//! Linked lists of sessions in FIFO order: the waiting sessions of a pool, and the open sessions of an agent. Any
//! session can be removed in O(1).
//!
//! A session is in at most one list, so its links are stored in the session.

use super::slab_map::{Keyed, NOBODY, SlabMap};

/// The links of a session in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    previous: u32,
    next: u32,
}

impl Link {
    /// In no list.
    pub const LOOSE: Link = Link {
        previous: NOBODY,
        next: NOBODY,
    };
}

impl Default for Link {
    fn default() -> Link {
        Link::LOOSE
    }
}

/// An element of a linked list.
pub trait Linked {
    /// The element's links.
    fn link(&self) -> Link;

    /// The element's links, mutable.
    fn link_mut(&mut self) -> &mut Link;
}

/// The two ends of a list.
#[derive(Clone, Copy, Debug)]
pub struct LinkedList {
    first: u32,
    last: u32,
    len: u32,
}

impl LinkedList {
    /// An empty list.
    pub const EMPTY: LinkedList = LinkedList {
        first: NOBODY,
        last: NOBODY,
        len: 0,
    };

    /// A list of these sessions, which must be in no other list.
    pub fn of<T: Keyed + Linked>(row: &[u32], sessions: &mut SlabMap<T>) -> LinkedList {
        let mut chain = LinkedList::EMPTY;
        for &session in row {
            chain.append(sessions, session);
        }
        chain
    }

    /// The first session.
    pub fn first(&self) -> Option<u32> {
        (self.first != NOBODY).then_some(self.first)
    }

    /// The length of the list.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a session that is in no list.
    pub fn append<T: Keyed + Linked>(&mut self, sessions: &mut SlabMap<T>, session: u32) {
        *sessions[session].link_mut() = Link {
            previous: self.last,
            next: NOBODY,
        };
        match self.last {
            NOBODY => self.first = session,
            last => sessions[last].link_mut().next = session,
        }
        self.last = session;
        self.len += 1;
    }

    /// Removes a session from this list.
    pub fn unlink<T: Keyed + Linked>(&mut self, sessions: &mut SlabMap<T>, session: u32) {
        let Link { previous, next } = sessions[session].link();
        match previous {
            NOBODY => self.first = next,
            previous => sessions[previous].link_mut().next = next,
        }
        match next {
            NOBODY => self.last = previous,
            next => sessions[next].link_mut().previous = previous,
        }
        *sessions[session].link_mut() = Link::LOOSE;
        self.len -= 1;
    }

    /// The sessions of the list, in order.
    pub fn iter<'a, T: Keyed + Linked>(
        &self,
        sessions: &'a SlabMap<T>,
    ) -> impl Iterator<Item = u32> + use<'a, T> {
        let start = self.first();
        std::iter::successors(start, |&session| {
            let next = sessions[session].link().next;
            (next != NOBODY).then_some(next)
        })
    }
}

impl Default for LinkedList {
    fn default() -> LinkedList {
        LinkedList::EMPTY
    }
}
