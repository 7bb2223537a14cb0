//! The ratings of weeks and months (M4, M5).

use std::collections::BTreeMap;

use crate::domain::base::calendar::{Month, Week};
use crate::domain::protocol::decision::Rate;
use crate::domain::protocol::rating::Level;

/// The reason that M5 counts: 服务态度差.
pub const ATTITUDE: &str = "attitude";

/// The ratings of a natural week.
#[derive(Clone, Debug)]
pub struct WeekScores {
    /// All ratings, by [`Level`].
    pub levels: [u64; Level::COUNT],
    /// Those of them for the bot.
    pub of_bot: [u64; Level::COUNT],
    /// The ratings that are judged (M4), and the satisfied ones of them.
    pub judged: Rate,
    /// Whether the latest decision about the week's good rate was an alert.
    pub alerted: bool,
}

impl Default for WeekScores {
    fn default() -> WeekScores {
        WeekScores {
            levels: [0; Level::COUNT],
            of_bot: [0; Level::COUNT],
            judged: Rate { over: 0, under: 0 },
            alerted: false,
        }
    }
}

impl WeekScores {
    /// Satisfied ratings divided by all ratings (M4).
    pub fn good_rate(&self) -> Rate {
        Rate {
            over: self.levels[Level::Satisfied as usize],
            under: self.levels.iter().sum(),
        }
    }

    /// The good rate without the bot's ratings.
    pub fn human_good_rate(&self) -> Rate {
        let all = self.good_rate();
        Rate {
            over: all.over - self.of_bot[Level::Satisfied as usize],
            under: all.under - self.of_bot.iter().sum::<u64>(),
        }
    }
}

/// The neutral and disappointed ratings of a natural month.
#[derive(Clone, Debug, Default)]
pub struct MonthScores {
    /// The number of neutral and disappointed ratings.
    pub unhappy: u64,
    /// Those of them with the reason [`ATTITUDE`].
    pub attitude: u64,
    /// Whether the latest decision about the month's attitude rate was an alert.
    pub alerted: bool,
}

impl MonthScores {
    /// Ratings with the reason `attitude`, divided by all neutral and disappointed ones (M5).
    pub fn attitude_rate(&self) -> Rate {
        Rate {
            over: self.attitude,
            under: self.unhappy,
        }
    }
}

/// The weeks and months with ratings.
#[derive(Default)]
pub struct Scores {
    /// By week.
    pub weeks: BTreeMap<Week, WeekScores>,
    /// By month.
    pub months: BTreeMap<Month, MonthScores>,
}
