//! Statistics of days, weeks and months, in form 1.

use serde::{Deserialize, Serialize, Serializer};

use hashbrown::HashMap;

use crate::domain::base::calendar::{Day, Month, Week};
use crate::domain::base::ratio::Rate;
use crate::domain::snapshot::InvalidPart;
use crate::domain::snapshot::stream::{Via, sequence};
use crate::domain::state::daily_stats::{BuyerDay, DailyStats, DayStats, People};
use crate::domain::state::scores::{MonthScores, Scores, WeekScores};

/// The days of a shop with their statistics.
pub(super) struct DaysV1<'a>(pub(super) &'a DailyStats);

impl Serialize for DaysV1<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let days = self.0.iter();
        sequence(
            days.len(),
            days.map(|(day, book)| (day.0, DayBookV1::from(book))),
            to,
        )
    }
}

/// Converts the decoded days.
pub(super) fn days(read: Vec<(i32, Via<DayBookV1, DayStats>)>) -> DailyStats {
    let days = read.into_iter();
    days.map(|(day, book)| (Day(day), book.0)).collect()
}

#[derive(Serialize, Deserialize)]
pub(super) struct DayBookV1 {
    consulting: u64,
    late: u64,
    replied: u64,
    alerted: bool,
    people: Option<PeopleV1>,
}

#[derive(Serialize, Deserialize)]
struct PeopleV1 {
    /// By buyer, in order.
    buyers: Vec<(u32, BuyerDayV1)>,
    /// Buyer and agent, in order.
    wrote_to: Vec<(u32, u32)>,
    pending: u32,
}

#[derive(Serialize, Deserialize)]
struct BuyerDayV1 {
    consulted: bool,
    late: bool,
    replied: bool,
    wrote: bool,
    auto_invites: u32,
}

impl From<&DayStats> for DayBookV1 {
    fn from(book: &DayStats) -> DayBookV1 {
        let DayStats {
            consulting,
            late,
            replied,
            alerted,
            people,
            ..
        } = book;
        DayBookV1 {
            consulting: *consulting,
            late: *late,
            replied: *replied,
            alerted: *alerted,
            people: people.as_deref().map(PeopleV1::from),
        }
    }
}

impl TryFrom<DayBookV1> for DayStats {
    type Error = InvalidPart;
    fn try_from(read: DayBookV1) -> Result<DayStats, InvalidPart> {
        Ok(DayStats {
            consulting: read.consulting,
            late: read.late,
            replied: read.replied,
            alerted: read.alerted,
            people: read.people.map(|people| Box::new(people.into())),
            ..DayStats::default()
        })
    }
}

impl From<&People> for PeopleV1 {
    fn from(people: &People) -> PeopleV1 {
        let People {
            buyers,
            wrote_to,
            rounds: _,
            pending,
        } = people;
        let buyers = buyers.iter().map(|(&buyer, &day)| (buyer, day.into()));
        let mut buyers: Vec<(u32, BuyerDayV1)> = buyers.collect();
        buyers.sort_unstable_by_key(|&(buyer, _)| buyer);
        let mut wrote_to: Vec<(u32, u32)> = wrote_to.iter().copied().collect();
        wrote_to.sort_unstable();
        PeopleV1 {
            buyers,
            wrote_to,
            pending: *pending,
        }
    }
}

impl From<PeopleV1> for People {
    fn from(read: PeopleV1) -> People {
        let buyers = read.buyers.into_iter();
        People {
            buyers: buyers.map(|(buyer, day)| (buyer, day.into())).collect(),
            wrote_to: read.wrote_to.into_iter().collect(),
            rounds: HashMap::default(),
            pending: read.pending,
        }
    }
}

impl From<BuyerDay> for BuyerDayV1 {
    fn from(day: BuyerDay) -> BuyerDayV1 {
        let BuyerDay {
            consulted,
            late,
            late_so_far,
            replied,
            wrote,
            auto_invites,
        } = day;
        BuyerDayV1 {
            consulted,
            late: late || late_so_far > 0,
            replied,
            wrote,
            auto_invites,
        }
    }
}

impl From<BuyerDayV1> for BuyerDay {
    fn from(read: BuyerDayV1) -> BuyerDay {
        BuyerDay {
            consulted: read.consulted,
            late: read.late,
            late_so_far: 0,
            replied: read.replied,
            wrote: read.wrote,
            auto_invites: read.auto_invites,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ScoresV1 {
    /// By week, in order.
    weeks: Vec<(i32, WeekBookV1)>,
    /// By month, in order.
    months: Vec<(i32, MonthBookV1)>,
}

#[derive(Serialize, Deserialize)]
struct WeekBookV1 {
    /// Satisfied, neutral, disappointed.
    levels: [u64; 3],
    of_bot: [u64; 3],
    alerted: bool,
}

#[derive(Serialize, Deserialize)]
struct MonthBookV1 {
    unhappy: u64,
    attitude: u64,
    alerted: bool,
}

impl From<&Scores> for ScoresV1 {
    fn from(Scores { weeks, months }: &Scores) -> ScoresV1 {
        let week = |book: &WeekScores| {
            let WeekScores {
                levels,
                of_bot,
                judged: _,
                alerted,
            } = *book;
            WeekBookV1 {
                levels,
                of_bot,
                alerted,
            }
        };
        let month = |book: &MonthScores| {
            let MonthScores {
                unhappy,
                attitude,
                alerted,
            } = *book;
            MonthBookV1 {
                unhappy,
                attitude,
                alerted,
            }
        };
        ScoresV1 {
            weeks: weeks.iter().map(|(of, book)| (of.0, week(book))).collect(),
            months: months
                .iter()
                .map(|(of, book)| (of.0, month(book)))
                .collect(),
        }
    }
}

impl From<ScoresV1> for Scores {
    fn from(read: ScoresV1) -> Scores {
        let week = |book: WeekBookV1| WeekScores {
            levels: book.levels,
            of_bot: book.of_bot,
            judged: Rate {
                over: book.levels[0],
                under: book.levels.iter().sum(),
            },
            alerted: book.alerted,
        };
        let month = |book: MonthBookV1| MonthScores {
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
