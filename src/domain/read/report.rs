//! The report of a shop at its clock: sessions, waits, days, weeks, months, agents and invitations (contract, section
//! 5).

use std::collections::BTreeMap;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use utoipa::ToSchema;

use super::sheet_report::{self, Sheets};
use crate::domain::base::calendar::DayRange;
pub use crate::domain::base::ratio::Decimal;
use crate::domain::base::ratio::Rate;
use crate::domain::base::time::Duration;
use crate::domain::policy::{Policy, ReplyUnit};
use crate::domain::protocol::codes::BlockCode;
use crate::domain::protocol::rating::Level;
use crate::domain::rules::score::good_needed;
use crate::domain::state::agent::{Agent, Tally};
use crate::domain::state::scores::{MonthScores, WeekScores};
use crate::domain::state::shop::Shop;
use crate::domain::state::totals::Totals;

/// The report of one shop.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct Report {
    pub sessions: Sessions,
    pub waits: Waits,
    pub days: BTreeMap<String, DayReport>,
    pub weeks: BTreeMap<String, WeekReport>,
    pub months: BTreeMap<String, MonthReport>,
    pub agents: BTreeMap<String, AgentReport>,
    pub desk: Sheets,
    pub invites: Invites,
}

/// Counts of sessions. Each session counts once.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
#[schema(as = SessionCounts)]
pub struct Sessions {
    pub opened: u64,
    pub assigned: u64,
    pub queued: u64,
    pub closed: u64,
    pub bot_only: u64,
}

/// Percentiles (nearest rank) of the wait before each session's first assignment, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct Waits {
    pub count: u64,
    pub mean: Decimal,
    pub p50: Decimal,
    pub p95: Decimal,
    pub max: Decimal,
}

/// A natural day (M1, M2).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct DayReport {
    #[schema(value_type = String)]
    pub unit: ReplyUnit,
    pub consulting: u64,
    pub late: u64,
    #[schema(required)]
    pub reply_rate: Option<Decimal>,
    pub buyers: u64,
    pub replied: u64,
    #[schema(required)]
    pub effective_rate: Option<Decimal>,
    pub penalty_risk: bool,
}

/// A natural week (M4).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct WeekReport {
    pub satisfied: u64,
    pub neutral: u64,
    pub disappointed: u64,
    #[schema(required)]
    pub good_rate: Option<Decimal>,
    #[schema(required)]
    pub human_good_rate: Option<Decimal>,
    pub judged: JudgedReport,
    #[schema(required)]
    pub good_needed: Option<u64>,
}

/// The ratings of a week that are judged (M4).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct JudgedReport {
    pub ratings: u64,
    #[schema(required)]
    pub good_rate: Option<Decimal>,
}

/// A natural month (M5).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct MonthReport {
    pub unhappy: u64,
    pub attitude: u64,
    #[schema(required)]
    pub attitude_rate: Option<Decimal>,
}

/// An agent with assignments, ratings or a sheet, or the bot.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct AgentReport {
    pub assigned: u64,
    pub satisfied: u64,
    pub neutral: u64,
    pub disappointed: u64,
    #[schema(required)]
    pub mean_stars: Option<Decimal>,
    #[schema(required)]
    pub good_rate: Option<Decimal>,
    pub reasons: BTreeMap<String, u64>,
    #[serde(flatten)]
    #[schema(inline)]
    pub sheets: Sheets,
}

/// Invitations sent and blocked.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
#[schema(as = InviteCounts)]
pub struct Invites {
    pub auto_sent: u64,
    pub manual_sent: u64,
    #[schema(value_type = BTreeMap<String, u64>)]
    pub blocked: Blocked,
}

/// How often each code blocked an invitation. Codes that never did are omitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blocked(pub [u64; BlockCode::ALL.len()]);

impl Serialize for Blocked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (code, count) in BlockCode::ALL.iter().zip(self.0).filter(|(_, n)| *n > 0) {
            map.serialize_entry(code.code(), &count)?;
        }
        map.end()
    }
}

/// The report at the shop's clock.
pub fn report(shop: &Shop) -> Report {
    report_of(shop, DayRange::ALL)
}

/// The report without the days, weeks and months that lie wholly outside of a range. Totals are of all time.
pub fn report_of(shop: &Shop, range: DayRange) -> Report {
    let days = shop.days.iter();
    let days = days.filter(|&(day, book)| book.consulting > 0 && range.holds(day));
    let weeks = shop.scores.weeks.iter();
    let weeks = weeks.filter(|&(&week, _)| range.meets_week(week));
    let months = shop.scores.months.iter();
    let months = months.filter(|&(&month, _)| range.meets_month(month));
    Report {
        sessions: sessions(&shop.totals),
        waits: waits(&shop.totals.waits),
        days: days
            .map(|(day, book)| (day.to_string(), day_report(book, &shop.policy)))
            .collect(),
        weeks: weeks
            .map(|(week, book)| (week.to_string(), week_report(book, &shop.policy)))
            .collect(),
        months: months
            .map(|(month, book)| (month.to_string(), month_report(book)))
            .collect(),
        agents: shop
            .directory
            .agents
            .iter()
            .filter_map(|(number, agent)| {
                let sheets = sheet_report::of_agent(shop, number, range);
                let shown = served_or_rated(agent) || sheet_report::has_sheet(shop, number);
                shown.then(|| agent_report(agent, sheets))
            })
            .collect(),
        desk: sheet_report::of_desk(shop, range),
        invites: Invites {
            auto_sent: shop.totals.auto_sent,
            manual_sent: shop.totals.manual_sent,
            blocked: Blocked(shop.totals.blocked),
        },
    }
}

fn sessions(totals: &Totals) -> Sessions {
    Sessions {
        opened: totals.opened,
        assigned: totals.assigned,
        queued: totals.queued,
        closed: totals.closed,
        bot_only: totals.bot_only,
    }
}

fn waits(waits: &BTreeMap<Duration, u64>) -> Waits {
    let count: u64 = waits.values().sum();
    let sum: u128 = waits
        .iter()
        .map(|(wait, &n)| wait.ms() as u128 * u128::from(n))
        .sum();
    let mean = (sum * 2)
        .checked_div(u128::from(count))
        .unwrap_or(0)
        .div_ceil(2);
    Waits {
        count,
        mean: Decimal::seconds(Duration::from_ms(mean as i64)),
        p50: Decimal::seconds(nearest_rank(waits, count, 50)),
        p95: Decimal::seconds(nearest_rank(waits, count, 95)),
        max: Decimal::seconds(nearest_rank(waits, count, 100)),
    }
}

/// The ⌈p·n⌉th wait. `None` if there are no waits.
fn nearest_rank(waits: &BTreeMap<Duration, u64>, count: u64, percent: u64) -> Duration {
    let rank = (count * percent).div_ceil(100);
    let mut seen = 0;
    for (&wait, n) in waits {
        seen += n;
        if seen >= rank {
            return wait;
        }
    }
    Duration::ZERO
}

fn day_report(book: &crate::domain::state::daily_stats::DayStats, policy: &Policy) -> DayReport {
    let reply = &policy.service.reply;
    let rate = book.reply_rate(reply.unit);
    DayReport {
        unit: reply.unit,
        consulting: rate.under,
        late: rate.under - rate.over,
        reply_rate: Decimal::rate(rate),
        buyers: book.consulting,
        replied: book.replied,
        effective_rate: Decimal::rate(book.effective_rate()),
        penalty_risk: book.is_at_risk(reply.penalty_above),
    }
}

fn week_report(book: &WeekScores, policy: &Policy) -> WeekReport {
    let rate = book.good_rate();
    WeekReport {
        satisfied: book.levels[Level::Satisfied as usize],
        neutral: book.levels[Level::Neutral as usize],
        disappointed: book.levels[Level::Disappointed as usize],
        good_rate: Decimal::rate(rate),
        human_good_rate: Decimal::rate(book.human_good_rate()),
        judged: JudgedReport {
            ratings: book.judged.under,
            good_rate: Decimal::rate(book.judged),
        },
        good_needed: good_needed(book.judged, policy.service.good_rate.min),
    }
}

fn month_report(book: &MonthScores) -> MonthReport {
    MonthReport {
        unhappy: book.unhappy,
        attitude: book.attitude,
        attitude_rate: Decimal::rate(book.attitude_rate()),
    }
}

fn served_or_rated(agent: &Agent) -> bool {
    let Tally {
        assigned, levels, ..
    } = &agent.tally;
    *assigned > 0 || levels.iter().any(|&n| n > 0)
}

fn agent_report(agent: &Agent, sheets: Sheets) -> (String, AgentReport) {
    let tally = &agent.tally;
    let rated = tally.levels.iter().sum();
    let rate = |over| Decimal::rate(Rate { over, under: rated });
    let satisfied = tally.levels[Level::Satisfied as usize];
    let reasons = tally.reasons.iter();
    let report = AgentReport {
        assigned: tally.assigned,
        satisfied,
        neutral: tally.levels[Level::Neutral as usize],
        disappointed: tally.levels[Level::Disappointed as usize],
        mean_stars: rate(tally.stars),
        good_rate: rate(satisfied),
        reasons: reasons
            .map(|(reason, &n)| (reason.to_string(), n))
            .collect(),
        sheets,
    };
    (agent.id.to_string(), report)
}
