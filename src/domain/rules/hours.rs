//! Opening hours: whether the shop is open, and when that changes (H1 to H3).

use crate::domain::base::calendar::{Day, LocalDaySpan};
use crate::domain::base::time::{Duration, Instant};
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::explain::explanation::{DayHours, Evidence};
use crate::domain::policy::{HoursPolicy, Interval, OutsideHours, Policy, Weekday};
use crate::domain::protocol::decision::DecisionBody;
use crate::domain::state::shop::Shop;

/// How far ahead a change is looked for (H3).
const LOOK_AHEAD: Duration = Duration::days(400);

impl Shop {
    /// Whether routing finds no agent, because the shop is closed (H2).
    pub(in crate::domain) fn is_shut(&self) -> bool {
        !self.open_now && self.policy.hours.outside == OutsideHours::Offline
    }

    /// Whether the shop is open at an instant by its policy (H1).
    pub(in crate::domain) fn is_open_at(&self, at: Instant) -> bool {
        let hours = &self.policy.hours;
        !has_closing(hours) || is_open_in(hours, &self.span_at(at), at)
    }

    /// The span of the calendar that contains an instant.
    pub(in crate::domain) fn span_at(&self, at: Instant) -> LocalDaySpan {
        if self.span.holds(at) {
            self.span
        } else {
            self.policy.timezone.span(at)
        }
    }

    /// Arms the next change of the opening hours, and decides one that has come (H3). Unanswered sessions are then
    /// handed over (R5b).
    pub(in crate::domain) fn follow_hours(&mut self, out: &mut DecisionSink) {
        let next = next_change(&self.policy, self.now);
        self.timers.arm_hours(next);
        let open = self.is_open_at(self.now);
        if std::mem::replace(&mut self.open_now, open) == open {
            return;
        }
        self.overdue_may_move = true;
        let until = next.map(|next| self.stamp(next));
        self.note_hours(out);
        if open {
            self.decide(DecisionBody::HoursOpened { until }, out);
            self.hand_over(out);
        } else {
            self.decide(DecisionBody::HoursClosed { until }, out);
        }
    }
}

impl Shop {
    /// The evidence for a change of the opening hours (H3): the hours of the day.
    fn note_hours(&self, out: &mut DecisionSink) {
        out.drop_notes();
        out.note(self.seq, || {
            let (hours, day) = (&self.policy.hours, self.span.day);
            let (intervals, of_day_ms) = (intervals_of(hours, day), self.span.of_day_ms(self.now));
            let mut holding = intervals.unwrap_or_default().iter();
            let holds = |hours: &&Interval| (hours.from_ms..hours.to_ms).contains(&of_day_ms);
            // By the time, the policy of now said otherwise a moment ago.
            let before = self.is_open_at(self.now - Duration::from_ms(1));
            Evidence::Hours(Box::new(DayHours {
                day,
                single: hours.days.contains_key(&day),
                intervals: intervals.map(<[Interval]>::to_vec),
                current: holding.find(holds).copied(),
                by_policy: before == self.open_now,
                outside: hours.outside,
            }))
        });
    }
}

/// Whether the shop can be closed at all.
fn has_closing(hours: &HoursPolicy) -> bool {
    !hours.week.is_empty() || !hours.days.is_empty()
}

/// The first instant after `from` at which the shop opens or closes, within [`LOOK_AHEAD`].
fn next_change(policy: &Policy, from: Instant) -> Option<Instant> {
    let hours = &policy.hours;
    if !has_closing(hours) {
        return None;
    }
    let last = from + LOOK_AHEAD;
    let mut span = policy.timezone.span(from);
    let open = is_open_in(hours, &span, from);
    loop {
        let changes = edges(hours, &span).into_iter();
        let mut changes =
            changes.filter(|&edge| edge > from && is_open_in(hours, &span, edge) != open);
        if let Some(change) = changes.next() {
            return (change <= last).then_some(change);
        }
        if span.ends() > last {
            return None;
        }
        span = policy.timezone.span(span.ends());
    }
}

/// The instants of a span at which the answer may change, in order.
fn edges(hours: &HoursPolicy, span: &LocalDaySpan) -> Vec<Instant> {
    let begins_ms = i64::from(span.of_day_ms(span.begins()));
    let intervals = intervals_of(hours, span.day).unwrap_or_default();
    let ends = intervals
        .iter()
        .flat_map(|hours| [hours.from_ms, hours.to_ms]);
    let within = ends.filter_map(|of_day_ms| {
        let after = u64::try_from(i64::from(of_day_ms) - begins_ms).ok()?;
        let at = span.begins() + Duration::from_ms(after as i64);
        (at < span.ends()).then_some(at)
    });
    std::iter::once(span.begins()).chain(within).collect()
}

/// Whether the shop is open at an instant of a span.
fn is_open_in(hours: &HoursPolicy, span: &LocalDaySpan, at: Instant) -> bool {
    let of_day_ms = span.of_day_ms(at);
    intervals_of(hours, span.day).is_none_or(|intervals| {
        let mut intervals = intervals.iter();
        intervals.any(|hours| (hours.from_ms..hours.to_ms).contains(&of_day_ms))
    })
}

/// The opening hours of a day. `None` if it is open all day.
fn intervals_of(hours: &HoursPolicy, day: Day) -> Option<&[Interval]> {
    match (hours.days.get(&day), hours.week.is_empty()) {
        (Some(intervals), _) => Some(intervals),
        (None, true) => None,
        (None, false) => Some(hours.week.get(&Weekday::of(day)).map_or(&[], Vec::as_slice)),
    }
}
