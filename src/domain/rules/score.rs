//! Scores: the good rate of a week (M4), the attitude rate of a month (M5), and the alerts of all rates (M6).

use crate::domain::state::scores::ATTITUDE;

use crate::domain::base::calendar::Day;
use crate::domain::base::id::Id;
use crate::domain::base::ratio::Share;
use crate::domain::base::time::Instant;
use crate::domain::explain::decision_sink::DecisionSink;
use crate::domain::protocol::decision::{DecisionBody, Period, Rate};
use crate::domain::protocol::rating::Level;
use crate::domain::state::shop::Shop;

/// How many more satisfied ratings are needed to reach `min` (M4). `None` if it cannot be reached.
pub fn good_needed(rate: Rate, min: Share) -> Option<u64> {
    if !rate.is_below(min) {
        return Some(0);
    }
    let (min, one) = (u128::from(min.0), u128::from(Share::ONE.0));
    // (s + k) / (n + k) >= m  <=>  k >= (m n - s) / (1 - m)
    let missing = min * u128::from(rate.under) - one * u128::from(rate.over);
    (min < one).then(|| missing.div_ceil(one - min) as u64)
}

impl Shop {
    /// Books a recorded rating of a card that was made at an instant, and judges its week and month.
    pub(in crate::domain) fn score_rating(
        &mut self,
        level: Level,
        of_bot: bool,
        made: Instant,
        reasons: &[Id],
        out: &mut DecisionSink,
    ) {
        let is_judged = self.is_judged(of_bot, made);
        let (week, month) = (self.span.day.week(), self.span.day.month());
        let book = self.scores.weeks.entry(week).or_default();
        book.levels[level as usize] += 1;
        book.of_bot[level as usize] += u64::from(of_bot);
        if is_judged {
            book.judged.over += u64::from(level == Level::Satisfied);
            book.judged.under += 1;
        }
        let book = self.scores.months.entry(month).or_default();
        if level != Level::Satisfied {
            book.unhappy += 1;
            let attitude = reasons.iter().any(|reason| reason.as_str() == ATTITUDE);
            book.attitude += u64::from(attitude);
        }
        self.judge(Period::GoodRate(week), out);
        self.judge(Period::AttitudeRate(month), out);
    }

    /// Whether a rating of a card that was made at an instant is judged (M4).
    pub(in crate::domain) fn is_judged(&self, of_bot: bool, made: Instant) -> bool {
        let judged = &self.policy.service.good_rate;
        let of_day_ms = self.span_at(made).of_day_ms(made);
        let at_times = (judged.from_ms..judged.to_ms).contains(&of_day_ms);
        at_times && !(judged.human && of_bot)
    }

    /// Judges the reply rate of a day, with all messages that are late by now (M6).
    pub(in crate::domain) fn judge_reply_rate(&mut self, day: Day, out: &mut DecisionSink) {
        if self.policy.service.reply.min_rate != Share::ZERO {
            self.settle_lates();
            self.judge(Period::ReplyRate(day), out);
        }
    }

    /// The summary of a day (M13).
    pub(in crate::domain) fn sum_up(&mut self, day: Day, out: &mut DecisionSink) {
        self.settle_lates();
        self.note_day(out);
        let reply = self.policy.service.reply;
        let book = self.days.on(day);
        let rate = book.reply_rate(reply.unit);
        let value = (rate.under > 0).then_some(rate);
        let body = DecisionBody::ScoreDay {
            period: day,
            consulting: rate.under,
            late: rate.under - rate.over,
            value,
            threshold: reply.min_rate,
            below: value.is_some_and(|rate| rate.is_below(reply.min_rate)),
            effective_rate: book.effective_rate(),
            penalty_risk: book.is_at_risk(reply.penalty_above),
        };
        self.decide(body, out);
    }

    /// Decides an alert or a recovery of a rate: an alert unless the last decision was one, a recovery after an alert
    /// (M6).
    fn judge(&mut self, period: Period, out: &mut DecisionSink) {
        let service = &self.policy.service;
        let min_sample = match period {
            Period::ReplyRate(_) => service.reply.min_sample.unwrap_or(service.min_sample),
            Period::GoodRate(_) | Period::AttitudeRate(_) => service.min_sample,
        };
        let (rate, threshold, never, alerted) = match period {
            Period::ReplyRate(day) => {
                let book = self.days.on(day);
                let rate = book.reply_rate(service.reply.unit);
                (rate, service.reply.min_rate, Share::ZERO, &mut book.alerted)
            }
            Period::GoodRate(week) => {
                let book = self.scores.weeks.entry(week).or_default();
                let rate = book.judged;
                (rate, service.good_rate.min, Share::ZERO, &mut book.alerted)
            }
            Period::AttitudeRate(month) => {
                let book = self.scores.months.entry(month).or_default();
                let rate = book.attitude_rate();
                (rate, service.attitude.max, Share::ONE, &mut book.alerted)
            }
        };
        let bad = match period {
            Period::ReplyRate(_) | Period::GoodRate(_) => rate.is_below(threshold),
            Period::AttitudeRate(_) => rate.is_above(threshold),
        };
        let enough = rate.under > 0 && rate.under >= u64::from(min_sample);
        if !enough || threshold == never || bad == *alerted {
            return;
        }
        *alerted = bad;
        self.note_judged(period, rate, threshold, out);
        self.decide(word(bad, period, rate, threshold), out);
    }
}

fn word(bad: bool, period: Period, value: Rate, threshold: Share) -> DecisionBody {
    if !bad {
        return DecisionBody::ScoreRecovered {
            period,
            value,
            threshold,
        };
    }
    let needed = match period {
        Period::GoodRate(_) => good_needed(value, threshold),
        Period::ReplyRate(_) | Period::AttitudeRate(_) => None,
    };
    DecisionBody::ScoreAlert {
        period,
        value,
        threshold,
        needed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m4_one_bad_rating_at_eight_tenths_wants_four_good_ones() {
        for (over, under, min, needed) in [
            (0, 1, 8000, Some(4)),
            (4, 5, 8000, Some(0)),
            (1, 3, 8000, Some(7)),
            (0, 1, 10_000, None),
            (1, 1, 10_000, Some(0)),
            (0, 0, 8000, Some(0)),
            (0, 3, 0, Some(0)),
            (2, 7, 9999, Some(49_993)),
        ] {
            let rate = Rate { over, under };
            assert_eq!(
                good_needed(rate, Share(min)),
                needed,
                "{over}/{under} at {min}"
            );
        }
    }
}
