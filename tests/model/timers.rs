//! The timers of one shop, fired in the order of due time, then of arming.

use crate::model::value::Ms;

/// In the order in which one event arms them for one session.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TimerKind {
    ReplyDue,
    ReplyOverdue,
    Silence,
    Queue,
}

pub struct Timer {
    pub due: Ms,
    pub kind: TimerKind,
    /// Index of the session, which may be forgotten or have lost its id by then (S1).
    pub session: usize,
    order: u64,
}

struct Arming {
    session: usize,
    kind: TimerKind,
    due: Ms,
}

#[derive(Default)]
pub struct Timers {
    armed: Vec<Timer>,
    armed_ever: u64,
    /// What the event at hand arms, and the sessions in the order in which it came to them.
    arming: Vec<Arming>,
    visited: Vec<usize>,
}

impl Timers {
    pub fn arm(&mut self, session: usize, kind: TimerKind, due: Ms) {
        self.cancel(session, kind);
        self.arming.push(Arming { session, kind, due });
    }

    pub fn cancel(&mut self, session: usize, kind: TimerKind) {
        self.armed
            .retain(|timer| (timer.session, timer.kind) != (session, kind));
        self.arming
            .retain(|arming| (arming.session, arming.kind) != (session, kind));
        if !self.visited.contains(&session) {
            self.visited.push(session);
        }
    }

    /// The event is over: what it armed is armed, session by session, kind by kind.
    pub fn settle(&mut self) {
        let visited = std::mem::take(&mut self.visited);
        let place = |session| visited.iter().position(|visit| *visit == session);
        self.arming
            .sort_by_key(|arming| (place(arming.session), arming.kind));
        for Arming { session, kind, due } in self.arming.drain(..) {
            self.armed_ever += 1;
            self.armed.push(Timer {
                due,
                kind,
                session,
                order: self.armed_ever,
            });
        }
    }

    /// Takes the next timer that is due at or before `limit`.
    pub fn take_due(&mut self, limit: Ms) -> Option<Timer> {
        let due = self
            .armed
            .iter()
            .enumerate()
            .filter(|(_, timer)| timer.due <= limit);
        let (first, _) = due.min_by_key(|(_, timer)| (timer.due, timer.order))?;
        Some(self.armed.remove(first))
    }
}
