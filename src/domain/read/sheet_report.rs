//! The sheets of agents and of the desk in the report (M7 to M11; contract, section 5).

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::base::calendar::{Day, DayRange, Month, Week};
use crate::domain::base::ratio::{Decimal, Rate};
use crate::domain::base::time::Duration;
use crate::domain::protocol::rating::{Level, Source};
use crate::domain::state::agent::BOT;
use crate::domain::state::scores::ATTITUDE;
use crate::domain::state::sheets::{
    AgentSheet, AnswerCounts, CardCounts, DeskSheet, Durations, RatingCounts, TimeCounts,
};
use crate::domain::state::shop::Shop;

/// The sheets of an agent or of the desk.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct Sheets {
    pub days: BTreeMap<String, Sheet>,
    pub weeks: BTreeMap<String, Sheet>,
    pub months: BTreeMap<String, Sheet>,
}

/// What is booked in a period. A key without anything booked is omitted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct Sheet {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cards: Option<CardReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub ratings: Option<RatingReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub answers: Option<AnswerReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub taken_back: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub linger: Option<DurationReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unserved: Option<Unserved>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub abandoned: Option<DurationReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub time: Option<TimeReport>,
}

/// Cards by source (M7).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct CardReport {
    pub auto: MadeAndRated,
    pub agent: MadeAndRated,
    pub invited: MadeAndRated,
    /// Rated cards that the buyer opened without an invitation.
    pub own: u64,
}

/// Cards that were made, and those of them that were rated so far.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct MadeAndRated {
    pub made: u64,
    pub rated: u64,
    #[schema(required)]
    pub rate: Option<Decimal>,
}

/// Ratings (M8).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct RatingReport {
    pub satisfied: u64,
    pub neutral: u64,
    pub disappointed: u64,
    #[schema(required)]
    pub mean_stars: Option<Decimal>,
    #[schema(required)]
    pub good_rate: Option<Decimal>,
    #[schema(required)]
    pub neutral_rate: Option<Decimal>,
    #[schema(required)]
    pub bad_rate: Option<Decimal>,
    #[schema(required)]
    pub attitude_rate: Option<Decimal>,
    /// By level, then by reason.
    pub reasons: BTreeMap<&'static str, BTreeMap<String, ReasonReport>>,
}

/// How many ratings of a level name a reason.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct ReasonReport {
    pub count: u64,
    #[schema(required)]
    pub share: Option<Decimal>,
}

/// Rounds (M9).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct AnswerReport {
    pub buyers: u64,
    pub late_buyers: u64,
    #[schema(required)]
    pub reply_rate: Option<Decimal>,
    pub rounds: u64,
    pub answered: u64,
    pub late: u64,
    pub dropped: u64,
    pub open: u64,
    pub first: DurationReport,
    pub each: DurationReport,
}

/// Durations, in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct DurationReport {
    pub count: u64,
    pub mean: Decimal,
    pub max: Decimal,
}

/// Sessions without a human reply (M10).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub enum Unserved {
    /// On an agent's sheet.
    OfAgent(u64),
    /// On the desk's sheet.
    OfDesk {
        asked: u64,
        never_assigned: u64,
        never_answered: u64,
        #[schema(required)]
        rate: Option<Decimal>,
    },
}

/// Time at the desk, in seconds (M11).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the fields are the contract's, section 5")]
pub struct TimeReport {
    pub online: Decimal,
    pub away: Decimal,
    pub full: Decimal,
}

/// What the sheets of a period add up to.
#[derive(Clone, Default)]
struct Sum {
    cards: CardCounts,
    ratings: RatingCounts,
}

impl Sum {
    fn add(&mut self, sheet: &AgentSheet) {
        self.cards += sheet.cards;
        self.ratings += &sheet.ratings;
    }

    fn sheet(&self) -> Sheet {
        Sheet {
            cards: cards(&self.cards),
            ratings: ratings(&self.ratings),
            ..Sheet::default()
        }
    }
}

/// The sheets of an agent or the bot by day, with the time at the desk up to now.
fn days_of(shop: &Shop, agent: u32) -> BTreeMap<Day, AgentSheet> {
    let mut days = shop.directory.agents[agent].sheets.clone();
    for (day, time) in shop.unbooked_desk_time(agent) {
        days.entry(day).or_default().time += time;
    }
    days
}

/// Whether an agent or the bot has a sheet.
pub fn has_sheet(shop: &Shop, agent: u32) -> bool {
    let booked = |sheet: &AgentSheet| *sheet != AgentSheet::default();
    days_of(shop, agent).values().any(booked)
}

/// The sheets of an agent or the bot, by number, within a range of days.
pub fn of_agent(shop: &Shop, agent: u32, range: DayRange) -> Sheets {
    let days = days_of(shop, agent);
    let mut sums = Sums::default();
    for (&day, sheet) in &days {
        sums.add(day, sheet);
    }
    let in_range = days.iter().filter(|&(&day, _)| range.holds(day));
    let in_range = in_range.map(|(&day, sheet)| {
        let sheet = Sheet {
            cards: cards(&sheet.cards),
            ratings: ratings(&sheet.ratings),
            answers: answers(&sheet.answers),
            taken_back: (sheet.taken_back > 0).then_some(sheet.taken_back),
            linger: durations(sheet.linger),
            unserved: (sheet.unserved > 0).then_some(Unserved::OfAgent(sheet.unserved)),
            abandoned: None,
            time: time(&sheet.time),
        };
        (day, sheet)
    });
    sums.sheets(range, in_range)
}

/// The sheets of all agents together, the bot left out, within a range of days.
pub fn of_desk(shop: &Shop, range: DayRange) -> Sheets {
    let mut days: BTreeMap<Day, (AgentSheet, DeskSheet)> = BTreeMap::new();
    for (number, agent) in shop.directory.agents.iter() {
        if number == BOT {
            continue;
        }
        for (&day, sheet) in &agent.sheets {
            let (sum, _) = days.entry(day).or_default();
            sum.cards += sheet.cards;
            sum.ratings += &sheet.ratings;
            sum.taken_back += sheet.taken_back;
            sum.linger += sheet.linger;
            let (all, one) = (&mut sum.answers, &sheet.answers);
            all.rounds += one.rounds;
            all.answered += one.answered;
            all.late += one.late;
            all.dropped += one.dropped;
            all.first += one.first;
            all.each += one.each;
        }
    }
    for (day, book) in shop.days.iter() {
        let (sum, desk) = days.entry(day).or_default();
        *desk = book.desk;
        (sum.answers.buyers, sum.answers.late_buyers) = (desk.buyers, desk.late_buyers);
    }
    let mut sums = Sums::default();
    for (&day, (sheet, _)) in &days {
        sums.add(day, sheet);
    }
    let in_range = days.iter().filter(|&(&day, _)| range.holds(day));
    let in_range = in_range.map(|(&day, (sheet, desk))| {
        let unserved = desk.never_assigned + desk.never_answered;
        let sheet = Sheet {
            cards: cards(&sheet.cards),
            ratings: ratings(&sheet.ratings),
            answers: answers(&sheet.answers),
            taken_back: (sheet.taken_back > 0).then_some(sheet.taken_back),
            linger: durations(sheet.linger),
            unserved: (desk.asked > 0).then(|| Unserved::OfDesk {
                asked: desk.asked,
                never_assigned: desk.never_assigned,
                never_answered: desk.never_answered,
                rate: share(unserved, desk.asked),
            }),
            abandoned: durations(desk.abandoned),
            time: None,
        };
        (day, sheet)
    });
    sums.sheets(range, in_range)
}

/// The sums of weeks and months.
#[derive(Default)]
struct Sums {
    weeks: BTreeMap<Week, Sum>,
    months: BTreeMap<Month, Sum>,
}

impl Sums {
    fn add(&mut self, day: Day, sheet: &AgentSheet) {
        self.weeks.entry(day.week()).or_default().add(sheet);
        self.months.entry(day.month()).or_default().add(sheet);
    }

    /// The sheets of the periods of a range. Those without anything booked are left out.
    fn sheets(&self, range: DayRange, days: impl Iterator<Item = (Day, Sheet)>) -> Sheets {
        let booked = |sheet: &Sheet| *sheet != Sheet::default();
        let weeks = self.weeks.iter();
        let weeks = weeks.filter(|&(&week, _)| range.meets_week(week));
        let weeks = weeks.map(|(week, sum)| (week.to_string(), sum.sheet()));
        let months = self.months.iter();
        let months = months.filter(|&(&month, _)| range.meets_month(month));
        let months = months.map(|(month, sum)| (month.to_string(), sum.sheet()));
        let days = days.map(|(day, sheet)| (day.to_string(), sheet));
        Sheets {
            days: days.filter(|(_, sheet)| booked(sheet)).collect(),
            weeks: weeks.filter(|(_, sheet)| booked(sheet)).collect(),
            months: months.filter(|(_, sheet)| booked(sheet)).collect(),
        }
    }
}

fn share(over: u64, under: u64) -> Option<Decimal> {
    Decimal::rate(Rate { over, under })
}

fn cards(counts: &CardCounts) -> Option<CardReport> {
    if counts.made.iter().all(|&made| made == 0) {
        return None;
    }
    let of = |made: u64, rated: u64| MadeAndRated {
        made,
        rated,
        rate: share(rated, made),
    };
    let (auto, agent) = (Source::Auto as usize, Source::Agent as usize);
    let CardCounts { made, rated } = counts;
    Some(CardReport {
        auto: of(made[auto], rated[auto]),
        agent: of(made[agent], rated[agent]),
        invited: of(made[auto] + made[agent], rated[auto] + rated[agent]),
        own: rated[Source::Buyer as usize],
    })
}

fn ratings(counts: &RatingCounts) -> Option<RatingReport> {
    let all = counts.count();
    if all == 0 {
        return None;
    }
    let of = |level: Level| counts.levels[level as usize];
    let (satisfied, neutral) = (of(Level::Satisfied), of(Level::Neutral));
    let disappointed = of(Level::Disappointed);
    let attitude = |level: Level| {
        let mut reasons = counts.reasons[level as usize].iter();
        let named = reasons.find(|(reason, _)| reason.as_str() == ATTITUDE);
        named.map_or(0, |(_, &count)| count)
    };
    let reasons = Level::ALL.iter().map(|&level| {
        let named = counts.reasons[level as usize].iter();
        let named = named.map(|(reason, &count)| {
            let share = share(count, of(level));
            (reason.to_string(), ReasonReport { count, share })
        });
        (level.code(), named.collect::<BTreeMap<_, _>>())
    });
    Some(RatingReport {
        satisfied,
        neutral,
        disappointed,
        mean_stars: share(counts.stars, all),
        good_rate: share(satisfied, all),
        neutral_rate: share(neutral, all),
        bad_rate: share(disappointed, all),
        attitude_rate: share(
            attitude(Level::Neutral) + attitude(Level::Disappointed),
            neutral + disappointed,
        ),
        reasons: reasons.filter(|(_, named)| !named.is_empty()).collect(),
    })
}

fn answers(counts: &AnswerCounts) -> Option<AnswerReport> {
    (counts.rounds > 0).then(|| AnswerReport {
        buyers: counts.buyers,
        late_buyers: counts.late_buyers,
        reply_rate: share(counts.buyers - counts.late_buyers, counts.buyers),
        rounds: counts.rounds,
        answered: counts.answered,
        late: counts.late,
        dropped: counts.dropped,
        open: counts.rounds - counts.answered - counts.dropped,
        first: duration_report(counts.first),
        each: duration_report(counts.each),
    })
}

fn durations(durations: Durations) -> Option<DurationReport> {
    (durations.count > 0).then(|| duration_report(durations))
}

fn duration_report(durations: Durations) -> DurationReport {
    let Durations { count, sum, max } = durations;
    DurationReport {
        count,
        mean: Decimal::seconds(mean(sum, count)),
        max: Decimal::seconds(max),
    }
}

/// The mean in milliseconds, half away from zero. Zero if there are none.
fn mean(sum: Duration, count: u64) -> Duration {
    let twice = (sum.ms() as u64 * 2).checked_div(count).unwrap_or(0);
    Duration::from_ms(twice.div_ceil(2) as i64)
}

fn time(counts: &TimeCounts) -> Option<TimeReport> {
    (*counts != TimeCounts::default()).then(|| TimeReport {
        online: Decimal::seconds(counts.online),
        away: Decimal::seconds(counts.away),
        full: Decimal::seconds(counts.full),
    })
}
