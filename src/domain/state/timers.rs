//! Timers as data: when a shop wants to be woken, and for what. Nothing here sleeps.
//!
//! Timers fire in the order of their due times, then of when they were armed. One event arms session by session,
//! in the order in which it comes to them, and for each in the order of [`Timer`] (contract, section 2).

use crate::domain::base::time::Instant;
use crate::domain::collections::indexed_heap::Heap;

/// What a session can be woken for, in the order in which one event arms them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The slow-response reminder (M3).
    ReplyDue,
    /// A message is late (M3).
    ReplyOverdue,
    /// The buyer is silent (S3).
    Silence,
    /// It has waited too long (R6).
    Queue,
}

const TIMERS: [Timer; 4] = [
    Timer::ReplyDue,
    Timer::ReplyOverdue,
    Timer::Silence,
    Timer::Queue,
];

/// The armed timers of a shop, at most one of each kind a session.
#[derive(Default)]
pub struct Timers {
    /// By due time, then by when they were armed.
    heap: Heap<(Instant, u64)>,
    /// By session, its place among all visits; an event comes to each session once.
    visits: Vec<u64>,
    visited: u64,
    /// Set anew as an event begins, so that what was visited before does not count: between events neither this nor
    /// the visits matter.
    event_began: u64,
}

/// An armed timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) struct Armed {
    /// When it is due.
    pub(in crate::domain) due: Instant,
    /// In which visit it was armed.
    pub(in crate::domain) visit: u64,
    /// Whose it is.
    pub(in crate::domain) session: u32,
    /// For what.
    pub(in crate::domain) timer: Timer,
}

fn handle(session: u32, timer: Timer) -> u32 {
    session * TIMERS.len() as u32 + timer as u32
}

impl Timers {
    /// An event, or a timer that fires, begins: what it arms is armed after all before it.
    pub fn begin_event(&mut self) {
        self.event_began = self.visited;
    }

    /// The event comes to a session; what it arms for it, now or later, has this place in the order.
    pub fn visit(&mut self, session: u32) -> u64 {
        let place = session as usize;
        if self.visits.len() <= place {
            self.visits.resize(place + 1, 0);
        }
        if self.visits[place] <= self.event_began {
            self.visited += 1;
            self.visits[place] = self.visited;
        }
        self.visits[place]
    }

    /// Arms a timer, in the place of one of the same kind.
    pub fn arm(&mut self, session: u32, timer: Timer, due: Instant) {
        let armed = self.visit(session) * TIMERS.len() as u64 + timer as u64;
        self.heap.set(handle(session, timer), (due, armed));
    }

    /// Disarms a timer, if it is armed.
    pub fn disarm(&mut self, session: u32, timer: Timer) {
        self.heap.remove(handle(session, timer));
    }

    /// All armed timers, in the order in which the heap holds them.
    pub(in crate::domain) fn armed(&self) -> impl Iterator<Item = Armed> {
        let kinds = TIMERS.len() as u32;
        self.heap.iter().map(move |((due, order), handle)| Armed {
            due,
            visit: order / u64::from(kinds),
            session: handle / kinds,
            timer: TIMERS[(handle % kinds) as usize],
        })
    }

    /// How many visits there were.
    pub(in crate::domain) fn visited(&self) -> u64 {
        self.visited
    }

    /// The timers that [`Timers::armed`] gave, after so many visits; [`Timers::find_places`] comes next.
    pub(in crate::domain) fn of(armed: Vec<Armed>, visited: u64) -> Timers {
        let entry = |of: Armed| {
            let order = of.visit * TIMERS.len() as u64 + of.timer as u64;
            ((of.due, order), handle(of.session, of.timer))
        };
        Timers {
            heap: Heap::of(armed.into_iter().map(entry).collect()),
            visited,
            ..Timers::default()
        }
    }

    /// Finds out where each timer stands, in timers that have just been read, of sessions with numbers below
    /// `sessions`; whether they are such.
    pub(in crate::domain) fn find_places(&mut self, sessions: u32) -> bool {
        self.heap
            .find_places(sessions.saturating_mul(TIMERS.len() as u32))
    }

    /// The sessions that have a timer, once for each.
    pub(in crate::domain) fn sessions(&self) -> impl Iterator<Item = u32> {
        let entries = self.heap.iter();
        entries.map(|(_, handle)| handle / TIMERS.len() as u32)
    }

    /// When a timer is due, if it is armed.
    pub fn due(&self, session: u32, timer: Timer) -> Option<Instant> {
        Some(self.heap.get(handle(session, timer))?.0)
    }

    /// Whether any timer of a session is armed.
    pub fn is_armed(&self, session: u32) -> bool {
        TIMERS
            .iter()
            .any(|&timer| self.due(session, timer).is_some())
    }

    /// How many timers are armed.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The timer that fires next: its due time, session and kind.
    pub fn next(&self) -> Option<(Instant, u32, Timer)> {
        let ((due, _), handle) = self.heap.first()?;
        let kinds = TIMERS.len() as u32;
        let timer = TIMERS[(handle % kinds) as usize];
        Some((due, handle / kinds, timer))
    }
}
