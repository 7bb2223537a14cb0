//! Sessions in a row: the waiting of a pool and the open ones of an agent, first come first, any of them taken out in O(1).
//!
//! A session stands in one row at most, so its neighbours are kept in the session itself.

use super::slab_map::{Keyed, NOBODY, Table};

/// A session's neighbours in its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    previous: u32,
    next: u32,
}

impl Link {
    /// In no row.
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

/// What can stand in a row.
pub trait Linked {
    /// Its neighbours.
    fn link(&self) -> Link;

    /// Its neighbours, to be changed.
    fn link_mut(&mut self) -> &mut Link;
}

/// The ends of a row.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    first: u32,
    last: u32,
    len: u32,
}

impl Chain {
    /// A row of nobody.
    pub const EMPTY: Chain = Chain {
        first: NOBODY,
        last: NOBODY,
        len: 0,
    };

    /// The row of these sessions, none of which stands in any.
    pub fn of<T: Keyed + Linked>(row: &[u32], sessions: &mut Table<T>) -> Chain {
        let mut chain = Chain::EMPTY;
        for &session in row {
            chain.append(sessions, session);
        }
        chain
    }

    /// The session at the head.
    pub fn first(&self) -> Option<u32> {
        (self.first != NOBODY).then_some(self.first)
    }

    /// How many stand in the row.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether nobody does.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Puts a session that stands in no row at the end.
    pub fn append<T: Keyed + Linked>(&mut self, sessions: &mut Table<T>, session: u32) {
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

    /// Takes a session of this row out.
    pub fn unlink<T: Keyed + Linked>(&mut self, sessions: &mut Table<T>, session: u32) {
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

    /// The sessions of the row, first come first.
    pub fn iter<'a, T: Keyed + Linked>(
        &self,
        sessions: &'a Table<T>,
    ) -> impl Iterator<Item = u32> + use<'a, T> {
        let start = self.first();
        std::iter::successors(start, |&session| {
            let next = sessions[session].link().next;
            (next != NOBODY).then_some(next)
        })
    }
}

impl Default for Chain {
    fn default() -> Chain {
        Chain::EMPTY
    }
}
