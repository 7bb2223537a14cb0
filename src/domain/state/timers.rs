//! Timers as data: when a shop needs to be woken, and why. Nothing here sleeps.
//!
//! Timers fire in the order of their due times, then in the order in which they were armed. An event arms timers
//! session by session, in the order in which it visits them, and for each session in the order of [`Timer`] (contract,
//! section 2).

use std::collections::BTreeMap;

use crate::domain::base::calendar::Day;
use crate::domain::base::time::Instant;
use crate::domain::collections::indexed_heap::IndexedHeap;

/// The kinds of timers, in the order in which one event arms those of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The slow-response reminder (M3).
    ReplyDue,
    /// A reply becomes late (M3).
    ReplyOverdue,
    /// The summary of a day is due (M13). It is the shop's, not the session's.
    Day,
    /// The buyer has been silent too long (S3).
    Silence,
    /// The longest wait is reached (R6).
    Queue,
    /// The agent has not answered in time (R10).
    TakeBack,
    /// The buyer left the page and did not come back in time (S7).
    Left,
    /// The work after a session ends (S8).
    WrapUp,
}

const TIMERS: [Timer; 8] = [
    Timer::ReplyDue,
    Timer::ReplyOverdue,
    Timer::Day,
    Timer::Silence,
    Timer::Queue,
    Timer::TakeBack,
    Timer::Left,
    Timer::WrapUp,
];

/// A timer of the shop itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShopTimer {
    /// The opening hours change (H3).
    Hours,
    /// The summary of this day is due (M13).
    Day(Day),
}

/// What a timer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTimer {
    /// To a session.
    Session(u32, Timer),
    /// To the shop. The number is its order of arming.
    Shop(u64, ShopTimer),
}

/// The armed timers of a shop. Each session has at most one of each kind.
#[derive(Default)]
pub struct Timers {
    /// By due time, then by the order of arming.
    heap: IndexedHeap<(Instant, u64)>,
    /// The shop's own, by due time, then by the order of arming.
    own: BTreeMap<(Instant, u64), ShopTimer>,
    /// For each session, its number among all visits. An event visits each session once.
    visits: Vec<u64>,
    visited: u64,
    /// Reset when an event starts, so that earlier visits do not count. Between events neither this nor the visits
    /// matter.
    event_began: u64,
}

/// An armed timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) struct Armed {
    /// The due time.
    pub(in crate::domain) due: Instant,
    /// The visit in which it was armed.
    pub(in crate::domain) visit: u64,
    /// The session.
    pub(in crate::domain) session: u32,
    /// The kind.
    pub(in crate::domain) timer: Timer,
}

fn handle(session: u32, timer: Timer) -> u32 {
    session * TIMERS.len() as u32 + timer as u32
}

impl Timers {
    /// Starts an event or the firing of a timer: the timers that it arms come after all earlier ones.
    pub fn begin_event(&mut self) {
        self.event_began = self.visited;
    }

    /// The event visits a session. All timers that it arms for the session get this position in the order.
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

    /// Arms a timer. It replaces one of the same kind.
    pub fn arm(&mut self, session: u32, timer: Timer, due: Instant) {
        let armed = self.visit(session) * TIMERS.len() as u64 + timer as u64;
        self.heap.set(handle(session, timer), (due, armed));
    }

    /// Arms the summary of a day, which a message of this session caused.
    pub fn arm_day(&mut self, session: u32, day: Day, due: Instant) {
        let armed = self.visit(session) * TIMERS.len() as u64 + Timer::Day as u64;
        self.own.insert((due, armed), ShopTimer::Day(day));
    }

    /// Arms the next change of the opening hours, or none. It comes before all other timers that the event arms.
    pub fn arm_hours(&mut self, due: Option<Instant>) {
        self.own.retain(|_, timer| *timer != ShopTimer::Hours);
        if let Some(due) = due {
            self.visited += 1;
            let armed = self.visited * TIMERS.len() as u64;
            self.own.insert((due, armed), ShopTimer::Hours);
        }
    }

    /// Disarms a timer that is due.
    pub fn take(&mut self, due: Instant, timer: DueTimer) {
        match timer {
            DueTimer::Session(session, timer) => self.disarm(session, timer),
            DueTimer::Shop(order, _) => {
                self.own.remove(&(due, order));
            }
        }
    }

    /// The shop's own timers: due time, order of arming and kind.
    pub(in crate::domain) fn own(&self) -> impl Iterator<Item = (Instant, u64, ShopTimer)> {
        let own = self.own.iter();
        own.map(|(&(due, order), &timer)| (due, order, timer))
    }

    /// Sets the timers that [`Timers::own`] returned.
    pub(in crate::domain) fn set_own(
        &mut self,
        own: impl Iterator<Item = (Instant, u64, ShopTimer)>,
    ) {
        self.own = own
            .map(|(due, order, timer)| ((due, order), timer))
            .collect();
    }

    /// Disarms a timer, if it is armed.
    pub fn disarm(&mut self, session: u32, timer: Timer) {
        self.heap.remove(handle(session, timer));
    }

    /// All armed timers, in heap order.
    pub(in crate::domain) fn armed(&self) -> impl Iterator<Item = Armed> {
        let kinds = TIMERS.len() as u32;
        self.heap.iter().map(move |((due, order), handle)| Armed {
            due,
            visit: order / u64::from(kinds),
            session: handle / kinds,
            timer: TIMERS[(handle % kinds) as usize],
        })
    }

    /// The number of visits.
    pub(in crate::domain) fn visited(&self) -> u64 {
        self.visited
    }

    /// Timers from [`Timers::armed`], after this many visits. Call [`Timers::find_places`] next.
    pub(in crate::domain) fn of(armed: Vec<Armed>, visited: u64) -> Timers {
        let entry = |of: Armed| {
            let order = of.visit * TIMERS.len() as u64 + of.timer as u64;
            ((of.due, order), handle(of.session, of.timer))
        };
        Timers {
            heap: IndexedHeap::of(armed.into_iter().map(entry).collect()),
            visited,
            ..Timers::default()
        }
    }

    /// Computes the position of each timer after decoding, for sessions with numbers below `sessions`. Returns whether
    /// the timers are valid.
    pub(in crate::domain) fn find_places(&mut self, sessions: u32) -> bool {
        self.heap
            .find_places(sessions.saturating_mul(TIMERS.len() as u32))
    }

    /// The session of each timer. A session with several timers occurs several times.
    pub(in crate::domain) fn sessions(&self) -> impl Iterator<Item = u32> {
        let entries = self.heap.iter();
        entries.map(|(_, handle)| handle / TIMERS.len() as u32)
    }

    /// The due time of a timer, if it is armed.
    pub fn due(&self, session: u32, timer: Timer) -> Option<Instant> {
        Some(self.heap.get(handle(session, timer))?.0)
    }

    /// Whether a session has any armed timer.
    pub fn is_armed(&self, session: u32) -> bool {
        TIMERS
            .iter()
            .any(|&timer| self.due(session, timer).is_some())
    }

    /// The number of armed timers.
    pub fn len(&self) -> usize {
        self.heap.len() + self.own.len()
    }

    /// Whether no timer is armed.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty() && self.own.is_empty()
    }

    /// The next timer to fire.
    pub fn next(&self) -> Option<(Instant, DueTimer)> {
        let of_sessions = self.heap.first();
        if let Some((&(due, order), &timer)) = self.own.first_key_value()
            && of_sessions.is_none_or(|(other, _)| (due, order) < other)
        {
            return Some((due, DueTimer::Shop(order, timer)));
        }
        let ((due, _), handle) = of_sessions?;
        let kinds = TIMERS.len() as u32;
        let timer = TIMERS[(handle % kinds) as usize];
        Some((due, DueTimer::Session(handle / kinds, timer)))
    }
}
