//! Statistics of agents and of the desk, in form 2.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::name::NameV2;
use crate::domain::base::id::Id;
use crate::domain::base::time::Duration;
use crate::domain::state::sheets::{
    AgentSheet, AnswerCounts, CardCounts, DeskSheet, Durations, RatingCounts, TimeCounts,
};

/// The statistics of an agent on one day.
#[derive(Serialize, Deserialize)]
pub struct SheetV2<'a> {
    cards: CardCountsV2,
    ratings: RatingCountsV2<'a>,
    answers: AnswerCountsV2,
    taken_back: u64,
    linger: DurationsV2,
    unserved: u64,
    time: TimeCountsV2,
}

/// By source: buyer, agent, auto.
#[derive(Serialize, Deserialize)]
struct CardCountsV2 {
    made: [u64; 3],
    rated: [u64; 3],
}

/// By level: satisfied, neutral, disappointed.
#[derive(Serialize, Deserialize)]
struct RatingCountsV2<'a> {
    levels: [u64; 3],
    stars: u64,
    /// By reason, in order.
    reasons: [Vec<(NameV2<'a>, u64)>; 3],
}

#[derive(Serialize, Deserialize)]
struct AnswerCountsV2 {
    buyers: u64,
    late_buyers: u64,
    rounds: u64,
    answered: u64,
    late: u64,
    dropped: u64,
    first: DurationsV2,
    each: DurationsV2,
}

#[derive(Serialize, Deserialize)]
struct TimeCountsV2 {
    online_ms: i64,
    away_ms: i64,
    full_ms: i64,
}

#[derive(Default, Serialize, Deserialize)]
pub struct DurationsV2 {
    count: u64,
    sum_ms: i64,
    max_ms: i64,
}

/// The statistics of the desk on one day.
#[derive(Default, Serialize, Deserialize)]
pub struct DeskSheetV2 {
    buyers: u64,
    late_buyers: u64,
    asked: u64,
    never_assigned: u64,
    never_answered: u64,
    abandoned: DurationsV2,
}

impl<'a> From<&'a AgentSheet> for SheetV2<'a> {
    fn from(sheet: &'a AgentSheet) -> SheetV2<'a> {
        let AgentSheet {
            cards: CardCounts { made, rated },
            ratings,
            answers,
            taken_back,
            linger,
            unserved,
            time: TimeCounts { online, away, full },
        } = sheet;
        SheetV2 {
            cards: CardCountsV2 {
                made: *made,
                rated: *rated,
            },
            ratings: RatingCountsV2::from(ratings),
            answers: AnswerCountsV2::from(*answers),
            taken_back: *taken_back,
            linger: DurationsV2::from(*linger),
            unserved: *unserved,
            time: TimeCountsV2 {
                online_ms: online.ms(),
                away_ms: away.ms(),
                full_ms: full.ms(),
            },
        }
    }
}

impl From<SheetV2<'_>> for AgentSheet {
    fn from(read: SheetV2<'_>) -> AgentSheet {
        AgentSheet {
            cards: CardCounts {
                made: read.cards.made,
                rated: read.cards.rated,
            },
            ratings: RatingCounts::from(read.ratings),
            answers: AnswerCounts::from(read.answers),
            taken_back: read.taken_back,
            linger: Durations::from(read.linger),
            unserved: read.unserved,
            time: TimeCounts {
                online: Duration::from_ms(read.time.online_ms),
                away: Duration::from_ms(read.time.away_ms),
                full: Duration::from_ms(read.time.full_ms),
            },
        }
    }
}

impl<'a> From<&'a RatingCounts> for RatingCountsV2<'a> {
    fn from(ratings: &'a RatingCounts) -> RatingCountsV2<'a> {
        let RatingCounts {
            levels,
            stars,
            reasons,
        } = ratings;
        let listed = |of: &'a BTreeMap<Id, u64>| {
            let counts = of.iter();
            counts.map(|(reason, &n)| (reason.into(), n)).collect()
        };
        let [satisfied, neutral, disappointed] = reasons;
        RatingCountsV2 {
            levels: *levels,
            stars: *stars,
            reasons: [listed(satisfied), listed(neutral), listed(disappointed)],
        }
    }
}

impl From<RatingCountsV2<'_>> for RatingCounts {
    fn from(read: RatingCountsV2<'_>) -> RatingCounts {
        RatingCounts {
            levels: read.levels,
            stars: read.stars,
            reasons: read.reasons.map(|of_level| {
                let counts = of_level.into_iter();
                counts.map(|(reason, n)| (reason.id(), n)).collect()
            }),
        }
    }
}

impl From<AnswerCounts> for AnswerCountsV2 {
    fn from(answers: AnswerCounts) -> AnswerCountsV2 {
        let AnswerCounts {
            buyers,
            late_buyers,
            rounds,
            answered,
            late,
            dropped,
            first,
            each,
        } = answers;
        AnswerCountsV2 {
            buyers,
            late_buyers,
            rounds,
            answered,
            late,
            dropped,
            first: first.into(),
            each: each.into(),
        }
    }
}

impl From<AnswerCountsV2> for AnswerCounts {
    fn from(read: AnswerCountsV2) -> AnswerCounts {
        AnswerCounts {
            buyers: read.buyers,
            late_buyers: read.late_buyers,
            rounds: read.rounds,
            answered: read.answered,
            late: read.late,
            dropped: read.dropped,
            first: read.first.into(),
            each: read.each.into(),
        }
    }
}

impl From<Durations> for DurationsV2 {
    fn from(Durations { count, sum, max }: Durations) -> DurationsV2 {
        DurationsV2 {
            count,
            sum_ms: sum.ms(),
            max_ms: max.ms(),
        }
    }
}

impl From<DurationsV2> for Durations {
    fn from(read: DurationsV2) -> Durations {
        Durations {
            count: read.count,
            sum: Duration::from_ms(read.sum_ms),
            max: Duration::from_ms(read.max_ms),
        }
    }
}

impl From<DeskSheet> for DeskSheetV2 {
    fn from(sheet: DeskSheet) -> DeskSheetV2 {
        let DeskSheet {
            buyers,
            late_buyers,
            asked,
            never_assigned,
            never_answered,
            abandoned,
        } = sheet;
        DeskSheetV2 {
            buyers,
            late_buyers,
            asked,
            never_assigned,
            never_answered,
            abandoned: abandoned.into(),
        }
    }
}

impl From<DeskSheetV2> for DeskSheet {
    fn from(read: DeskSheetV2) -> DeskSheet {
        DeskSheet {
            buyers: read.buyers,
            late_buyers: read.late_buyers,
            asked: read.asked,
            never_assigned: read.never_assigned,
            never_answered: read.never_answered,
            abandoned: read.abandoned.into(),
        }
    }
}
