//! The timers of one shop, fired in the order of due time, then of arming.

use crate::model::value::Ms;

/// In the order in which one event arms them: `Hours` first of all, then those of one session after the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum TimerKind {
    Hours,
    ReplyDue,
    ReplyOverdue,
    Day,
    Silence,
    Queue,
    TakeBack,
    Left,
    WrapUp,
}

/// What a timer is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Subject {
    Shop,
    /// Index of the session, which may be forgotten or have lost its id by then (S1).
    Session(usize),
    /// A natural day, and the session whose message was its first (M13).
    Day(String, usize),
}

impl Subject {
    /// The session that it was armed for.
    fn session(&self) -> Option<usize> {
        match self {
            Subject::Shop => None,
            Subject::Session(session) | Subject::Day(_, session) => Some(*session),
        }
    }
}

pub struct Timer {
    pub due: Ms,
    pub kind: TimerKind,
    pub subject: Subject,
    order: u64,
}

struct Arming {
    subject: Subject,
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
        self.arm_subject(Subject::Session(session), kind, due);
    }

    pub fn cancel(&mut self, session: usize, kind: TimerKind) {
        self.cancel_subject(&Subject::Session(session), kind);
    }

    pub fn arm_subject(&mut self, subject: Subject, kind: TimerKind, due: Ms) {
        self.cancel_subject(&subject, kind);
        self.arming.push(Arming { subject, kind, due });
    }

    pub fn cancel_subject(&mut self, subject: &Subject, kind: TimerKind) {
        self.armed
            .retain(|timer| (&timer.subject, timer.kind) != (subject, kind));
        self.arming
            .retain(|arming| (&arming.subject, arming.kind) != (subject, kind));
        if let Some(session) = subject.session()
            && !self.visited.contains(&session)
        {
            self.visited.push(session);
        }
    }

    pub fn is_armed(&self, session: usize, kind: TimerKind) -> bool {
        let subject = Subject::Session(session);
        let armed = self.armed.iter().map(|timer| (&timer.subject, timer.kind));
        let arming = self.arming.iter().map(|new| (&new.subject, new.kind));
        armed.chain(arming).any(|timer| timer == (&subject, kind))
    }

    /// The event is over: what it armed is armed, session by session, kind by kind.
    pub fn settle(&mut self) {
        let visited = std::mem::take(&mut self.visited);
        let place = |session| visited.iter().position(|visit| *visit == session);
        self.arming
            .sort_by_key(|arming| (arming.subject.session().map(place), arming.kind));
        for Arming { subject, kind, due } in self.arming.drain(..) {
            self.armed_ever += 1;
            self.armed.push(Timer {
                due,
                kind,
                subject,
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

    /// When the next timer is due.
    pub fn next_due(&self) -> Option<Ms> {
        self.armed.iter().map(|timer| timer.due).min()
    }
}
