//! Statistics of days, weeks and months, in form 2.

use serde::{Deserialize, Serialize, Serializer};

use super::sheets::DeskSheetV2;
use crate::domain::base::calendar::{Day, Month, Week};
use crate::domain::base::ratio::Rate;
use crate::domain::snapshot::InvalidPart;
use crate::domain::snapshot::stream::{Via, sequence};
use crate::domain::state::daily_stats::{
    BuyerDay, DailyStats, DayStats, People, RoundCounts, RoundDay,
};
use crate::domain::state::scores::{MonthScores, Scores, WeekScores};

/// The days of a shop with their statistics.
pub struct DaysV2<'a>(pub &'a DailyStats);

impl Serialize for DaysV2<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let days = self.0.iter();
        sequence(
            days.len(),
            days.map(|(day, book)| (day.0, DayBookV2::from(book))),
            to,
        )
    }
}

/// The days of [`DaysV2`], for decoding.
pub type DaysV2Read = Vec<(i32, Via<DayBookV2, DayStats>)>;

/// Converts the decoded days.
pub fn days(read: DaysV2Read) -> DailyStats {
    let days = read.into_iter();
    days.map(|(day, book)| (Day(day), book.0)).collect()
}

#[derive(Serialize, Deserialize)]
pub struct DayBookV2 {
    pub consulting: u64,
    pub late: u64,
    pub replied: u64,
    pub rounds: RoundCountsV2,
    pub first_rounds: RoundCountsV2,
    pub desk: DeskSheetV2,
    pub alerted: bool,
    pub people: Option<PeopleV2>,
}

#[derive(Default, Serialize, Deserialize)]
pub struct RoundCountsV2 {
    pub count: u64,
    pub late: u64,
}

#[derive(Serialize, Deserialize)]
pub struct PeopleV2 {
    /// By buyer, in order.
    pub buyers: Vec<(u32, BuyerDayV2)>,
    /// Buyer and agent, in order.
    pub wrote_to: Vec<(u32, u32)>,
    /// By agent and buyer, in order. The desk is the last agent.
    pub rounds: Vec<((u32, u32), RoundDayV2)>,
    pub pending: u32,
}

#[derive(Serialize, Deserialize)]
pub struct BuyerDayV2 {
    pub consulted: bool,
    pub late: bool,
    pub late_so_far: u32,
    pub replied: bool,
    pub wrote: bool,
    pub auto_invites: u32,
}

#[derive(Serialize, Deserialize)]
pub struct RoundDayV2 {
    late: bool,
    late_so_far: u32,
}

impl From<&DayStats> for DayBookV2 {
    fn from(book: &DayStats) -> DayBookV2 {
        let DayStats {
            consulting,
            late,
            replied,
            rounds,
            first_rounds,
            desk,
            alerted,
            people,
        } = book;
        DayBookV2 {
            consulting: *consulting,
            late: *late,
            replied: *replied,
            rounds: RoundCountsV2::from(*rounds),
            first_rounds: RoundCountsV2::from(*first_rounds),
            desk: DeskSheetV2::from(*desk),
            alerted: *alerted,
            people: people.as_deref().map(PeopleV2::from),
        }
    }
}

impl TryFrom<DayBookV2> for DayStats {
    type Error = InvalidPart;
    fn try_from(read: DayBookV2) -> Result<DayStats, InvalidPart> {
        Ok(DayStats {
            consulting: read.consulting,
            late: read.late,
            replied: read.replied,
            rounds: read.rounds.into(),
            first_rounds: read.first_rounds.into(),
            desk: read.desk.into(),
            alerted: read.alerted,
            people: read.people.map(|people| Box::new(people.into())),
        })
    }
}

impl From<RoundCounts> for RoundCountsV2 {
    fn from(RoundCounts { count, late }: RoundCounts) -> RoundCountsV2 {
        RoundCountsV2 { count, late }
    }
}

impl From<RoundCountsV2> for RoundCounts {
    fn from(RoundCountsV2 { count, late }: RoundCountsV2) -> RoundCounts {
        RoundCounts { count, late }
    }
}

/// The entries of a map as a list, in order.
fn in_order<K: Ord + Copy, L: Copy, F: From<L>>(
    entries: impl Iterator<Item = (K, L)>,
) -> Vec<(K, F)> {
    let mut listed: Vec<(K, F)> = entries.map(|(key, value)| (key, value.into())).collect();
    listed.sort_unstable_by_key(|&(key, _)| key);
    listed
}

impl From<&People> for PeopleV2 {
    fn from(people: &People) -> PeopleV2 {
        let People {
            buyers,
            wrote_to,
            rounds,
            pending,
        } = people;
        let mut wrote_to: Vec<(u32, u32)> = wrote_to.iter().copied().collect();
        wrote_to.sort_unstable();
        PeopleV2 {
            buyers: in_order(buyers.iter().map(|(&buyer, &day)| (buyer, day))),
            wrote_to,
            rounds: in_order(rounds.iter().map(|(&pair, &round)| (pair, round))),
            pending: *pending,
        }
    }
}

impl From<PeopleV2> for People {
    fn from(read: PeopleV2) -> People {
        let (buyers, rounds) = (read.buyers.into_iter(), read.rounds.into_iter());
        People {
            buyers: buyers.map(|(buyer, day)| (buyer, day.into())).collect(),
            wrote_to: read.wrote_to.into_iter().collect(),
            rounds: rounds.map(|(pair, round)| (pair, round.into())).collect(),
            pending: read.pending,
        }
    }
}

impl From<BuyerDay> for BuyerDayV2 {
    fn from(day: BuyerDay) -> BuyerDayV2 {
        let BuyerDay {
            consulted,
            late,
            late_so_far,
            replied,
            wrote,
            auto_invites,
        } = day;
        BuyerDayV2 {
            consulted,
            late,
            late_so_far,
            replied,
            wrote,
            auto_invites,
        }
    }
}

impl From<BuyerDayV2> for BuyerDay {
    fn from(read: BuyerDayV2) -> BuyerDay {
        BuyerDay {
            consulted: read.consulted,
            late: read.late,
            late_so_far: read.late_so_far,
            replied: read.replied,
            wrote: read.wrote,
            auto_invites: read.auto_invites,
        }
    }
}

impl From<RoundDay> for RoundDayV2 {
    fn from(RoundDay { late, late_so_far }: RoundDay) -> RoundDayV2 {
        RoundDayV2 { late, late_so_far }
    }
}

impl From<RoundDayV2> for RoundDay {
    fn from(RoundDayV2 { late, late_so_far }: RoundDayV2) -> RoundDay {
        RoundDay { late, late_so_far }
    }
}

#[derive(Serialize, Deserialize)]
pub struct ScoresV2 {
    /// By week, in order.
    pub weeks: Vec<(i32, WeekBookV2)>,
    /// By month, in order.
    pub months: Vec<(i32, MonthBookV2)>,
}

#[derive(Serialize, Deserialize)]
pub struct WeekBookV2 {
    /// Satisfied, neutral, disappointed.
    pub levels: [u64; 3],
    pub of_bot: [u64; 3],
    pub judged: RateV2,
    pub alerted: bool,
}

#[derive(Serialize, Deserialize)]
pub struct RateV2 {
    pub over: u64,
    pub under: u64,
}

#[derive(Serialize, Deserialize)]
pub struct MonthBookV2 {
    pub unhappy: u64,
    pub attitude: u64,
    pub alerted: bool,
}

impl From<&Scores> for ScoresV2 {
    fn from(Scores { weeks, months }: &Scores) -> ScoresV2 {
        let week = |book: &WeekScores| {
            let WeekScores {
                levels,
                of_bot,
                judged: Rate { over, under },
                alerted,
            } = *book;
            WeekBookV2 {
                levels,
                of_bot,
                judged: RateV2 { over, under },
                alerted,
            }
        };
        let month = |book: &MonthScores| {
            let MonthScores {
                unhappy,
                attitude,
                alerted,
            } = *book;
            MonthBookV2 {
                unhappy,
                attitude,
                alerted,
            }
        };
        ScoresV2 {
            weeks: weeks.iter().map(|(of, book)| (of.0, week(book))).collect(),
            months: months
                .iter()
                .map(|(of, book)| (of.0, month(book)))
                .collect(),
        }
    }
}

impl From<ScoresV2> for Scores {
    fn from(read: ScoresV2) -> Scores {
        let week = |book: WeekBookV2| WeekScores {
            levels: book.levels,
            of_bot: book.of_bot,
            judged: Rate {
                over: book.judged.over,
                under: book.judged.under,
            },
            alerted: book.alerted,
        };
        let month = |book: MonthBookV2| MonthScores {
            unhappy: book.unhappy,
            attitude: book.attitude,
            alerted: book.alerted,
        };
        let (weeks, months) = (read.weeks.into_iter(), read.months.into_iter());
        Scores {
            weeks: weeks.map(|(of, book)| (Week(of), week(book))).collect(),
            months: months.map(|(of, book)| (Month(of), month(book))).collect(),
        }
    }
}
