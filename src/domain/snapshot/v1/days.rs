//! Statistics of days, weeks and months, in form 1.

use serde::Deserialize;

use crate::domain::snapshot::v2::days::{
    BuyerDayV2, DayBookV2, MonthBookV2, PeopleV2, RateV2, RoundCountsV2, ScoresV2, WeekBookV2,
};
use crate::domain::snapshot::v2::sheets::DeskSheetV2;

#[derive(Deserialize)]
pub(super) struct DayBookV1 {
    consulting: u64,
    late: u64,
    replied: u64,
    alerted: bool,
    people: Option<PeopleV1>,
}

#[derive(Deserialize)]
struct PeopleV1 {
    /// By buyer, in order.
    buyers: Vec<(u32, BuyerDayV1)>,
    /// Buyer and agent, in order.
    wrote_to: Vec<(u32, u32)>,
    pending: u32,
}

#[derive(Deserialize)]
struct BuyerDayV1 {
    consulted: bool,
    late: bool,
    replied: bool,
    wrote: bool,
    auto_invites: u32,
}

impl From<DayBookV1> for DayBookV2 {
    /// Counts of rounds and the desk's sheet begin with form 2.
    fn from(book: DayBookV1) -> DayBookV2 {
        DayBookV2 {
            consulting: book.consulting,
            late: book.late,
            replied: book.replied,
            rounds: RoundCountsV2::default(),
            first_rounds: RoundCountsV2::default(),
            desk: DeskSheetV2::default(),
            alerted: book.alerted,
            people: book.people.map(PeopleV2::from),
        }
    }
}

impl From<PeopleV1> for PeopleV2 {
    fn from(people: PeopleV1) -> PeopleV2 {
        let buyers = people.buyers.into_iter();
        PeopleV2 {
            buyers: buyers.map(|(buyer, day)| (buyer, day.into())).collect(),
            wrote_to: people.wrote_to,
            rounds: Vec::new(),
            pending: people.pending,
        }
    }
}

impl From<BuyerDayV1> for BuyerDayV2 {
    /// Whoever was late was late for good.
    fn from(day: BuyerDayV1) -> BuyerDayV2 {
        BuyerDayV2 {
            consulted: day.consulted,
            late: day.late,
            late_so_far: 0,
            replied: day.replied,
            wrote: day.wrote,
            auto_invites: day.auto_invites,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ScoresV1 {
    /// By week, in order.
    weeks: Vec<(i32, WeekBookV1)>,
    /// By month, in order.
    months: Vec<(i32, MonthBookV1)>,
}

#[derive(Deserialize)]
struct WeekBookV1 {
    /// Satisfied, neutral, disappointed.
    levels: [u64; 3],
    of_bot: [u64; 3],
    alerted: bool,
}

#[derive(Deserialize)]
struct MonthBookV1 {
    unhappy: u64,
    attitude: u64,
    alerted: bool,
}

impl From<ScoresV1> for ScoresV2 {
    fn from(scores: ScoresV1) -> ScoresV2 {
        let (weeks, months) = (scores.weeks.into_iter(), scores.months.into_iter());
        ScoresV2 {
            weeks: weeks.map(|(of, book)| (of, book.into())).collect(),
            months: months.map(|(of, book)| (of, book.into())).collect(),
        }
    }
}

impl From<WeekBookV1> for WeekBookV2 {
    /// The first edition judged all ratings.
    fn from(book: WeekBookV1) -> WeekBookV2 {
        let [satisfied, ..] = book.levels;
        let all = book
            .levels
            .iter()
            .fold(0, |sum: u64, n| sum.saturating_add(*n));
        WeekBookV2 {
            levels: book.levels,
            of_bot: book.of_bot,
            judged: RateV2 {
                over: satisfied,
                under: all,
            },
            alerted: book.alerted,
        }
    }
}

impl From<MonthBookV1> for MonthBookV2 {
    fn from(book: MonthBookV1) -> MonthBookV2 {
        MonthBookV2 {
            unhappy: book.unhappy,
            attitude: book.attitude,
            alerted: book.alerted,
        }
    }
}
