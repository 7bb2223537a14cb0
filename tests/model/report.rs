//! The report of a shop (contract section 5) at its clock.

use crate::model::event::BOT;
use crate::model::policy::Unit;
use crate::model::rating::RecordedRating;
use crate::model::reply::ReplyDay;
use crate::model::score::Tally;
use crate::model::sheets::{Owner, mean};
use crate::model::shop::Shop;
use crate::model::value::{ratio, seconds};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

impl Shop {
    pub fn report(&self) -> Value {
        json!({
            "sessions": self.report_sessions(),
            "waits": self.report_waits(),
            "days": self.report_days(),
            "weeks": self.report_weeks(),
            "months": self.report_months(),
            "agents": self.report_agents(),
            "desk": self.report_sheets(Owner::Desk),
            "invites": {
                "auto_sent": self.invite_counts.auto_sent,
                "manual_sent": self.invite_counts.manual_sent,
                "blocked": self.invite_counts.blocked,
            },
        })
    }

    fn report_sessions(&self) -> Value {
        let all = &self.sessions;
        let bot_only = |s: &&crate::model::session::Session| s.bot_had_it && s.last_agent.is_none();
        json!({
            "opened": all.len(),
            "assigned": all.iter().filter(|session| session.last_agent.is_some()).count(),
            "queued": all.iter().filter(|session| session.was_queued).count(),
            "closed": all.iter().filter(|session| session.is_closed()).count(),
            "bot_only": all.iter().filter(bot_only).count(),
        })
    }

    /// Of each session's first assignment.
    fn report_waits(&self) -> Value {
        let mut waits: Vec<i64> = self
            .sessions
            .iter()
            .filter_map(|session| session.first_wait)
            .collect();
        waits.sort_unstable();
        let count = waits.len();
        if count == 0 {
            return json!({ "count": 0, "mean": 0, "p50": 0, "p95": 0, "max": 0 });
        }
        let nearest_rank = |percent: usize| waits[(percent * count).div_ceil(100) - 1];
        json!({
            "count": count,
            "mean": seconds(mean(&waits)),
            "p50": seconds(nearest_rank(50)),
            "p95": seconds(nearest_rank(95)),
            "max": seconds(waits[count - 1]),
        })
    }

    /// Days on which somebody consulted.
    fn report_days(&self) -> Value {
        let some = self
            .reply_days
            .iter()
            .filter(|(_, day)| !day.messages.is_empty());
        some.map(|(name, day)| (name.clone(), self.report_day(day)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn report_day(&self, day: &ReplyDay) -> Value {
        let unit = self.policy.service.unit;
        let (consulting, late) = day.count(unit, self.clock);
        let (buyers, replied) = (day.consulting().len() as u64, day.replied());
        let unit = match unit {
            Unit::Buyer => "buyer",
            Unit::Round => "round",
            Unit::Session => "session",
        };
        json!({
            "unit": unit,
            "consulting": consulting,
            "late": late,
            "reply_rate": ratio(consulting - late, consulting),
            "buyers": buyers,
            "replied": replied,
            "effective_rate": ratio(replied, buyers),
            "penalty_risk": self.penalty_risk(day),
        })
    }

    fn report_weeks(&self) -> Value {
        let ratings = self.ratings.iter();
        let weeks: BTreeSet<&String> = ratings.map(|rating| &rating.booked.week).collect();
        let of_week = |week: &String| {
            let of_week = |rating: &&RecordedRating| rating.booked.week == *week;
            let ratings = || self.ratings.iter().filter(of_week);
            let tally = Tally::of(ratings());
            let human = Tally::of(ratings().filter(|rating| rating.agent != BOT));
            let judged = Tally::of(ratings().filter(|rating| rating.judged));
            json!({
                "satisfied": tally.satisfied,
                "neutral": tally.neutral,
                "disappointed": tally.disappointed,
                "good_rate": ratio(tally.satisfied, tally.all()),
                "human_good_rate": ratio(human.satisfied, human.all()),
                "judged": {
                    "ratings": judged.all(),
                    "good_rate": ratio(judged.satisfied, judged.all()),
                },
                "good_needed": judged.good_needed(self.policy.service.good_rate_min),
            })
        };
        weeks
            .into_iter()
            .map(|week| (week.clone(), of_week(week)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn report_months(&self) -> Value {
        let ratings = self.ratings.iter();
        let months: BTreeSet<&String> = ratings.map(|rating| &rating.booked.month).collect();
        let of_month = |month: &String| {
            let of_month = |rating: &&RecordedRating| rating.booked.month == *month;
            let tally = Tally::of(self.ratings.iter().filter(of_month));
            json!({
                "unhappy": tally.unhappy(),
                "attitude": tally.attitude,
                "attitude_rate": ratio(tally.attitude, tally.unhappy()),
            })
        };
        months
            .into_iter()
            .map(|month| (month.clone(), of_month(month)))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Every agent that was assigned or rated or has a sheet, the bot where it was rated or has one.
    fn report_agents(&self) -> Value {
        self.sheet_owners()
            .into_iter()
            .map(|agent| (agent.clone(), self.report_agent(agent)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn report_agent(&self, agent: &str) -> Value {
        let ratings = || self.ratings.iter().filter(|rating| rating.agent == agent);
        let tally = Tally::of(ratings());
        let stars = ratings().map(|rating| rating.stars).sum();
        let mut report = json!({
            "assigned": self.assigned.get(agent).copied().unwrap_or(0),
            "satisfied": tally.satisfied,
            "neutral": tally.neutral,
            "disappointed": tally.disappointed,
            "mean_stars": ratio(stars, tally.all()),
            "good_rate": ratio(tally.satisfied, tally.all()),
            "reasons": reasons(ratings()),
        });
        let entry = report.as_object_mut().expect("it was made above");
        entry.extend(self.report_sheets(Owner::Agent(agent)));
        report
    }
}

/// Every reason, each once a rating.
fn reasons<'a>(ratings: impl Iterator<Item = &'a RecordedRating>) -> BTreeMap<&'a str, u64> {
    let mut counts = BTreeMap::new();
    for reason in ratings.flat_map(|rating| &rating.reasons) {
        *counts.entry(reason.as_str()).or_default() += 1;
    }
    counts
}
