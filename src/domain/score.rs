//! Scores: the good rate of a week (M4), the attitude rate of a month (M5), and the word on all rates (M6).

use std::collections::BTreeMap;

use super::calendar::{Day, Month, Week};
use super::decision::{Body, Period, Rate};
use super::id::Id;
use super::outcome::Outcome;
use super::policy::Share;
use super::rating::Level;
use super::shop::Shop;

/// The reason that M5 counts: 服务态度差.
pub const ATTITUDE: &str = "attitude";

/// The ratings of a natural week.
#[derive(Clone, Debug, Default)]
pub struct WeekBook {
    /// All of them, by [`Level`].
    pub levels: [u64; Level::COUNT],
    /// Those of the bot among them.
    pub of_bot: [u64; Level::COUNT],
    /// Whether the last word on the week's good rate was an alert.
    pub alerted: bool,
}

impl WeekBook {
    /// Satisfied by all (M4).
    pub fn good_rate(&self) -> Rate {
        Rate {
            over: self.levels[Level::Satisfied as usize],
            under: self.levels.iter().sum(),
        }
    }

    /// The same without the bot's.
    pub fn human_good_rate(&self) -> Rate {
        let all = self.good_rate();
        Rate {
            over: all.over - self.of_bot[Level::Satisfied as usize],
            under: all.under - self.of_bot.iter().sum::<u64>(),
        }
    }
}

/// The unhappy ratings of a natural month.
#[derive(Clone, Debug, Default)]
pub struct MonthBook {
    /// Neutral and disappointed.
    pub unhappy: u64,
    /// Of them, those with the reason [`ATTITUDE`].
    pub attitude: u64,
    /// Whether the last word on the month's attitude rate was an alert.
    pub alerted: bool,
}

impl MonthBook {
    /// Attitude by unhappy (M5).
    pub fn attitude_rate(&self) -> Rate {
        Rate {
            over: self.attitude,
            under: self.unhappy,
        }
    }
}

/// The weeks and months in which something was rated.
#[derive(Default)]
pub struct Scores {
    /// By week.
    pub weeks: BTreeMap<Week, WeekBook>,
    /// By month.
    pub months: BTreeMap<Month, MonthBook>,
}

/// How many more satisfied ratings bring a rate to `min` (M4); `None` where no number does.
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
    /// Books a recorded rating, and judges its week and month.
    pub(super) fn score_rating(
        &mut self,
        level: Level,
        of_bot: bool,
        reasons: &[Id],
        out: &mut Outcome,
    ) {
        let (week, month) = (self.stretch.day.week(), self.stretch.day.month());
        let book = self.scores.weeks.entry(week).or_default();
        book.levels[level as usize] += 1;
        book.of_bot[level as usize] += u64::from(of_bot);
        let book = self.scores.months.entry(month).or_default();
        if level != Level::Satisfied {
            book.unhappy += 1;
            let attitude = reasons.iter().any(|reason| reason.as_str() == ATTITUDE);
            book.attitude += u64::from(attitude);
        }
        self.judge_good_rate(week, out);
        self.judge_attitude_rate(month, out);
    }

    fn judge_good_rate(&mut self, week: Week, out: &mut Outcome) {
        let min = self.policy.service.good_rate_min;
        let Some(book) = self.scores.weeks.get_mut(&week) else {
            return;
        };
        let rate = book.good_rate();
        let line = Line {
            threshold: min,
            off: Share::ZERO,
            bad: rate.is_below(min),
            sample: self.policy.service.min_sample,
        };
        if let Some(word) = line.judge(rate, &mut book.alerted) {
            let needed = good_needed(rate, min);
            self.say(word, Period::GoodRate(week), rate, min, needed, out);
        }
    }

    fn judge_attitude_rate(&mut self, month: Month, out: &mut Outcome) {
        let max = self.policy.service.attitude_max;
        let Some(book) = self.scores.months.get_mut(&month) else {
            return;
        };
        let rate = book.attitude_rate();
        let line = Line {
            threshold: max,
            off: Share::ONE,
            bad: rate.is_above(max),
            sample: self.policy.service.min_sample,
        };
        if let Some(word) = line.judge(rate, &mut book.alerted) {
            self.say(word, Period::AttitudeRate(month), rate, max, None, out);
        }
    }

    /// Judges the reply rate of a day, with all that is late by now (M6).
    pub(super) fn judge_reply_rate(&mut self, day: Day, out: &mut Outcome) {
        let min = self.policy.service.reply.min_rate;
        if min == Share::ZERO {
            return;
        }
        self.settle_lates();
        let book = self.days.on(day);
        let rate = Rate {
            over: book.consulting - book.late,
            under: book.consulting,
        };
        let line = Line {
            threshold: min,
            off: Share::ZERO,
            bad: rate.is_below(min),
            sample: self.policy.service.min_sample,
        };
        if let Some(word) = line.judge(rate, &mut book.alerted) {
            self.say(word, Period::ReplyRate(day), rate, min, None, out);
        }
    }

    fn say(
        &mut self,
        word: Word,
        period: Period,
        value: Rate,
        threshold: Share,
        needed: Option<u64>,
        out: &mut Outcome,
    ) {
        let body = match word {
            Word::Alert => Body::ScoreAlert {
                period,
                value,
                threshold,
                needed,
            },
            Word::Recovered => Body::ScoreRecovered {
                period,
                value,
                threshold,
            },
        };
        self.note_judged(period, value, threshold, out);
        self.decide(body, out);
    }
}

enum Word {
    Alert,
    Recovered,
}

/// What a rate is held against (M6).
struct Line {
    threshold: Share,
    /// The threshold at which nothing is ever said.
    off: Share,
    bad: bool,
    sample: u32,
}

impl Line {
    /// The word to say, if there is one: an alert after anything but an alert, a recovery after an alert.
    fn judge(&self, rate: Rate, alerted: &mut bool) -> Option<Word> {
        let enough = rate.under > 0 && rate.under >= u64::from(self.sample);
        if !enough || self.threshold == self.off || self.bad == *alerted {
            return None;
        }
        *alerted = self.bad;
        Some(if self.bad {
            Word::Alert
        } else {
            Word::Recovered
        })
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
