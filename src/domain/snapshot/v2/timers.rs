//! Timers, in form 2.

use serde::{Deserialize, Serialize};

use super::instant;
use crate::domain::base::calendar::Day;
use crate::domain::base::time::Instant;
use crate::domain::snapshot::InvalidPart;
use crate::domain::state::timers::{Armed, ShopTimer, Timer, Timers};

#[derive(Serialize, Deserialize)]
pub struct TimersV2 {
    /// Those of sessions: a heap with four children per node.
    pub armed: Vec<ArmedV2>,
    /// The shop's own, in order.
    pub own: Vec<OwnTimerV2>,
    pub visited: u64,
}

#[derive(Serialize, Deserialize)]
pub struct ArmedV2 {
    pub due_ms: i64,
    pub visit: u64,
    pub session: u32,
    pub timer: TimerV2,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub enum TimerV2 {
    ReplyDue,
    ReplyOverdue,
    Day,
    Silence,
    Queue,
    TakeBack,
    Left,
    WrapUp,
}

#[derive(Serialize, Deserialize)]
pub struct OwnTimerV2 {
    due_ms: i64,
    /// The order of arming: eight times the visit, and the kind of timer.
    order: u64,
    timer: ShopTimerV2,
}

#[derive(Serialize, Deserialize)]
enum ShopTimerV2 {
    Hours,
    Day(i32),
}

impl From<&Timers> for TimersV2 {
    fn from(timers: &Timers) -> TimersV2 {
        TimersV2 {
            armed: timers.armed().map(ArmedV2::from).collect(),
            own: timers.own().map(OwnTimerV2::from).collect(),
            visited: timers.visited(),
        }
    }
}

impl TryFrom<TimersV2> for Timers {
    type Error = InvalidPart;
    fn try_from(read: TimersV2) -> Result<Timers, InvalidPart> {
        let armed = read.armed.into_iter().map(Armed::try_from);
        let armed = armed.collect::<Result<_, InvalidPart>>()?;
        let own = read.own.into_iter().map(|timer| {
            let kind = match timer.timer {
                ShopTimerV2::Hours => ShopTimer::Hours,
                ShopTimerV2::Day(day) => ShopTimer::Day(Day(day)),
            };
            Ok((instant(timer.due_ms)?, timer.order, kind))
        });
        let own = own.collect::<Result<Vec<_>, InvalidPart>>()?;
        let mut timers = Timers::of(armed, read.visited);
        timers.set_own(own.into_iter());
        Ok(timers)
    }
}

impl From<Armed> for ArmedV2 {
    fn from(armed: Armed) -> ArmedV2 {
        let Armed {
            due,
            visit,
            session,
            timer,
        } = armed;
        ArmedV2 {
            due_ms: due.ms(),
            visit,
            session,
            timer: match timer {
                Timer::ReplyDue => TimerV2::ReplyDue,
                Timer::ReplyOverdue => TimerV2::ReplyOverdue,
                Timer::Day => TimerV2::Day,
                Timer::Silence => TimerV2::Silence,
                Timer::Queue => TimerV2::Queue,
                Timer::TakeBack => TimerV2::TakeBack,
                Timer::Left => TimerV2::Left,
                Timer::WrapUp => TimerV2::WrapUp,
            },
        }
    }
}

impl TryFrom<ArmedV2> for Armed {
    type Error = InvalidPart;
    fn try_from(read: ArmedV2) -> Result<Armed, InvalidPart> {
        Ok(Armed {
            due: instant(read.due_ms)?,
            visit: read.visit,
            session: read.session,
            timer: match read.timer {
                TimerV2::ReplyDue => Timer::ReplyDue,
                TimerV2::ReplyOverdue => Timer::ReplyOverdue,
                TimerV2::Day => Timer::Day,
                TimerV2::Silence => Timer::Silence,
                TimerV2::Queue => Timer::Queue,
                TimerV2::TakeBack => Timer::TakeBack,
                TimerV2::Left => Timer::Left,
                TimerV2::WrapUp => Timer::WrapUp,
            },
        })
    }
}

impl From<(Instant, u64, ShopTimer)> for OwnTimerV2 {
    fn from((due, order, timer): (Instant, u64, ShopTimer)) -> OwnTimerV2 {
        OwnTimerV2 {
            due_ms: due.ms(),
            order,
            timer: match timer {
                ShopTimer::Hours => ShopTimerV2::Hours,
                ShopTimer::Day(day) => ShopTimerV2::Day(day.0),
            },
        }
    }
}
