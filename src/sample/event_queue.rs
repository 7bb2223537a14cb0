//! The event queue: future steps in the order of time, then of planning.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::domain::base::time::{DAY_MS, Instant, OffsetTimestamp};
use crate::domain::protocol::codes::Presence;

use crate::sample::visit::BuyerVisit;

/// 2026-10-01T00:00:00+08:00, before which no sample begins.
const START_MS: i64 = 1_790_784_000_000;

/// Asia/Shanghai, which has known no other since 1991.
const OFFSET_S: i32 = 8 * 3600;

/// Seconds of a day.
pub const DAY_S: u64 = (DAY_MS / 1000) as u64;

/// A point in time: whole seconds since 2026-10-01 began in Shanghai.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub u64);

impl Moment {
    /// So many seconds later.
    pub fn after(self, seconds: u64) -> Moment {
        Moment(self.0 + seconds)
    }

    /// So many seconds earlier.
    pub fn before(self, seconds: u64) -> Moment {
        Moment(self.0.saturating_sub(seconds))
    }

    /// The moment of an instant, the next whole second where it lies between two.
    pub fn of(instant: Instant) -> Moment {
        let ms = (instant.ms() - START_MS).max(0) as u64;
        Moment(ms.div_ceil(1000))
    }

    /// As the wire language writes it.
    pub fn stamp(self) -> OffsetTimestamp {
        Instant::from_ms(START_MS + self.0 as i64 * 1000).at_offset(OFFSET_S)
    }
}

/// A chat of the sample, by its number.
pub type ChatNumber = usize;

/// An agent of the sample, by its place in the staff.
pub type AgentNumber = usize;

/// A future step. It is void when the plan's number is no longer the chat's.
#[derive(Clone, Debug)]
pub enum ScheduledStep {
    /// A buyer comes in.
    Arrive(BuyerVisit),
    /// An agent comes or goes.
    Presence(AgentNumber, Presence),
    /// An agent is at its desk again.
    Write(AgentNumber),
    /// An agent has written its next reply.
    Reply(AgentNumber),
    /// A workbench greets by itself.
    Greet(ChatNumber),
    /// The buyer writes.
    Say(ChatNumber, u32),
    /// The buyer asks whether anybody is there.
    Nudge(ChatNumber, u32),
    /// The bot answers.
    BotSay(ChatNumber),
    /// The bot hands the buyer over to the agents.
    HandOff(ChatNumber, u32),
    /// The buyer has waited long enough in the queue.
    GiveUp(ChatNumber, u32),
    /// The buyer opens the page again.
    Return(ChatNumber, u32),
    /// The agent sends something more.
    SendMore(ChatNumber, u32),
    /// The agent transfers the buyer to a colleague.
    Transfer(ChatNumber, u32),
    /// The agent clicks 邀请评价.
    AskForRating(ChatNumber, u32),
    /// The chat ends.
    End(ChatNumber, u32, EndedBy),
    /// The head of the shop looks after the queue.
    Supervise,
    /// The platform flags a buyer.
    Flag(ChatNumber),
    /// The shop blocks the buyer.
    Block(ChatNumber),
    /// A buyer who was blocked comes again.
    ComeAgain(ChatNumber),
    /// The agent is done with the work after its sessions.
    Ready(AgentNumber),
    /// An agent that the shop has set away is back.
    Back(AgentNumber),
    /// The buyer opens a card: the invited one, or by itself.
    OpenCard(ChatNumber, Option<String>),
    /// The buyer rates, by card or by session.
    Rate(ChatNumber, Option<String>),
}

/// The side that ends a chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// Its agent.
    Agent,
    /// Its buyer.
    Buyer,
    /// The gateway.
    System,
}

/// Steps by time.
#[derive(Default)]
pub struct EventQueue {
    heap: BinaryHeap<Reverse<Planned>>,
    planned: u64,
}

struct Planned {
    at: Moment,
    number: u64,
    step: ScheduledStep,
}

impl EventQueue {
    /// Plans `step`.
    pub fn plan(&mut self, at: Moment, step: ScheduledStep) {
        self.planned += 1;
        self.heap.push(Reverse(Planned {
            at,
            number: self.planned,
            step,
        }));
    }

    /// The time of the next step.
    pub fn next_at(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse(next)| next.at)
    }

    /// The next step.
    pub fn pop(&mut self) -> Option<(Moment, ScheduledStep)> {
        self.heap.pop().map(|Reverse(next)| (next.at, next.step))
    }
}

impl PartialEq for Planned {
    fn eq(&self, other: &Planned) -> bool {
        self.number == other.number
    }
}

impl Eq for Planned {}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Planned) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Planned) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_in_shanghai() {
        for (moment, written) in [
            (0, "2026-10-01T00:00:00+08:00"),
            (20 * 3600 + 3, "2026-10-01T20:00:03+08:00"),
            (DAY_S, "2026-10-02T00:00:00+08:00"),
            (40 * DAY_S, "2026-11-10T00:00:00+08:00"),
        ] {
            assert_eq!(Moment(moment).stamp().to_string(), written);
            assert_eq!(Moment::of(Moment(moment).stamp().instant), Moment(moment));
        }
    }

    #[test]
    fn steps_come_by_time_then_as_they_were_planned() {
        let mut event_queue = EventQueue::default();
        event_queue.plan(Moment(2), ScheduledStep::Reply(1));
        event_queue.plan(Moment(1), ScheduledStep::Reply(2));
        event_queue.plan(Moment(2), ScheduledStep::Reply(3));
        let times: Vec<_> = std::iter::from_fn(|| event_queue.pop()).collect();
        assert_eq!(
            format!("{times:?}"),
            "[(Moment(1), Reply(2)), (Moment(2), Reply(1)), (Moment(2), Reply(3))]"
        );
    }
}
