//! The alerts (M4 to M6): when a rate crosses its threshold, and when it recovers. The day's word (M13).

use crate::model::calendar;
use crate::model::rating::RecordedRating;
use crate::model::reply::ReplyDay;
use crate::model::shop::Shop;
use crate::model::value::{ratio, thousandths};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Rates of the policy are in ten-thousandths.
const RATE_ONE: u64 = 10_000;

/// A rate of a period against its threshold.
struct Verdict {
    metric: &'static str,
    period: String,
    part: u64,
    whole: u64,
    min_sample: u64,
    threshold: u64,
    is_bad: bool,
    needed: Option<u64>,
}

/// The ratings of a week or month, counted.
#[derive(Default, Clone, Copy)]
pub struct Tally {
    pub satisfied: u64,
    pub neutral: u64,
    pub disappointed: u64,
    /// Neutral and disappointed ones with the reason `attitude`.
    pub attitude: u64,
}

impl Tally {
    pub fn of<'a>(ratings: impl Iterator<Item = &'a RecordedRating>) -> Tally {
        let mut tally = Tally::default();
        for rating in ratings {
            let level = match rating.level() {
                "satisfied" => &mut tally.satisfied,
                "neutral" => &mut tally.neutral,
                _ => &mut tally.disappointed,
            };
            *level += 1;
            let unhappy = rating.level() != "satisfied";
            tally.attitude += u64::from(unhappy && rating.reasons.contains("attitude"));
        }
        tally
    }

    pub fn all(&self) -> u64 {
        self.satisfied + self.unhappy()
    }

    pub fn unhappy(&self) -> u64 {
        self.neutral + self.disappointed
    }

    /// M4: how many more satisfied ones bring the rate to `min`; None where no number does.
    pub fn good_needed(&self, min: u64) -> Option<u64> {
        let (reached, wanted) = (self.satisfied * RATE_ONE, min * self.all());
        if reached >= wanted {
            return Some(0);
        }
        let each = RATE_ONE - min;
        (each > 0).then(|| (wanted - reached).div_ceil(each))
    }
}

impl Shop {
    /// M6b, of several days, the earliest first.
    pub fn judge_reply_rates(&mut self, days: BTreeSet<String>) {
        for day in days {
            self.judge_reply_rate(day);
        }
    }

    /// M6b, of the day's reply rate.
    pub fn judge_reply_rate(&mut self, period: String) {
        let service = &self.policy.service;
        let min = service.min_rate;
        if min == 0 {
            return;
        }
        let (whole, late) = self.reply_days[&period].count(service.unit, self.clock);
        let part = whole - late;
        self.judge(Verdict {
            metric: "reply_rate",
            period,
            part,
            whole,
            min_sample: service.reply_min_sample,
            threshold: min,
            is_bad: part * RATE_ONE < min * whole,
            needed: None,
        });
    }

    /// M13: the timer `day` has fired.
    pub fn say_day(&mut self, day: &str) {
        let service = &self.policy.service;
        let counted = &self.reply_days[day];
        let (whole, late) = counted.count(service.unit, self.clock);
        let part = whole - late;
        let fields = json!({
            "period": day, "consulting": whole, "late": late, "value": ratio(part, whole),
            "threshold": thousandths(service.min_rate, RATE_ONE),
            "below": whole > 0 && part * RATE_ONE < service.min_rate * whole,
            "effective_rate": ratio(counted.replied(), counted.consulting().len() as u64),
            "penalty_risk": self.penalty_risk(counted),
        });
        self.emit("score.day", fields);
    }

    /// M2.
    pub fn penalty_risk(&self, day: &ReplyDay) -> bool {
        let above = self.policy.service.penalty_above;
        let consulting = day.consulting().len() as u64;
        above > 0 && consulting > above && 2 * day.replied() < consulting
    }

    /// M6, after a recorded rating: the week's good rate, then the month's attitude rate.
    pub fn judge_ratings(&mut self) {
        self.judge_good_rate();
        self.judge_attitude_rate();
    }

    fn judge_good_rate(&mut self) {
        let min = self.policy.service.good_rate_min;
        if min == 0 {
            return;
        }
        let period = calendar::week(self.clock, &self.policy.zone);
        let of_week = |rating: &&RecordedRating| rating.judged && rating.booked.week == period;
        let tally = Tally::of(self.ratings.iter().filter(of_week)); // M4
        let (part, whole) = (tally.satisfied, tally.all());
        let is_bad = part * RATE_ONE < min * whole;
        let needed = tally.good_needed(min);
        self.judge(Verdict {
            metric: "good_rate",
            period,
            part,
            whole,
            min_sample: self.policy.service.min_sample,
            threshold: min,
            is_bad,
            needed,
        });
    }

    fn judge_attitude_rate(&mut self) {
        let max = self.policy.service.attitude_max;
        if max == RATE_ONE {
            return;
        }
        let period = calendar::month(self.clock, &self.policy.zone);
        let of_month = |rating: &&RecordedRating| rating.booked.month == period;
        let tally = Tally::of(self.ratings.iter().filter(of_month));
        let (part, whole) = (tally.attitude, tally.unhappy());
        let is_bad = part * RATE_ONE > max * whole;
        self.judge(Verdict {
            metric: "attitude_rate",
            period,
            part,
            whole,
            min_sample: self.policy.service.min_sample,
            threshold: max,
            is_bad,
            needed: None,
        });
    }

    /// M6: a word where it differs from the last one on this metric and period.
    fn judge(&mut self, verdict: Verdict) {
        let Verdict {
            metric,
            period,
            part,
            whole,
            min_sample,
            threshold,
            is_bad,
            needed,
        } = verdict;
        if whole == 0 || whole < min_sample {
            return;
        }
        let key = (metric, period.clone());
        let alerted = self.alerted.get(&key).copied().unwrap_or(false);
        if is_bad == alerted {
            return;
        }
        self.alerted.insert(key, is_bad);
        let (kind, needed) = match is_bad {
            true => ("score.alert", needed.map_or(Value::Null, Value::from)),
            false => ("score.recovered", Value::Null),
        };
        let fields = json!({
            "metric": metric, "period": period, "value": ratio(part, whole),
            "threshold": thousandths(threshold, RATE_ONE), "needed": needed,
        });
        self.emit(kind, fields);
    }
}
