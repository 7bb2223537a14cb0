//! Ratings of buyers: how well they rate a chat, and why.

use super::chat_state::Chat;
use super::seeded_rng::SeededRng;

/// Stars of a buyer who was served well.
const SATISFIED: [(u64, u64); 5] = [(75, 5), (18, 4), (4, 3), (1, 2), (2, 1)];

/// Stars of a buyer who had to wait.
const KEPT_WAITING: [(u64, u64); 5] = [(36, 5), (20, 4), (18, 3), (10, 2), (16, 1)];

/// Stars of a buyer to whom an agent was rude.
const TREATED_RUDELY: [(u64, u64); 5] = [(10, 5), (10, 4), (22, 3), (24, 2), (34, 1)];

const PRAISE: [&str; 4] = ["很耐心", "回复快", "专业", "客服小姐姐很好"];

/// A rating that a buyer submits.
pub(super) struct SampleRating {
    pub(super) stars: u64,
    /// The level instead of the stars, if the buyer names it.
    pub(super) level: Option<&'static str>,
    pub(super) reasons: &'static [&'static str],
    pub(super) comment: Option<&'static str>,
}

impl SampleRating {
    /// Draws how the buyer of this chat rates it.
    pub(super) fn draw(rng: &mut SeededRng, chat: &Chat) -> SampleRating {
        let stars = rng.weighted(stars_of(chat));
        let (treated_rudely, waited_long) = (chat.treated_rudely, chat.waited_long);
        let reasons: &[&str] = match stars {
            4.. if rng.chance(25) => &["professional"],
            4.. => &[],
            _ if treated_rudely && waited_long => &["attitude", "slow"],
            _ if treated_rudely => &["attitude"],
            _ if waited_long => &["slow"],
            _ if rng.chance(50) => &["unsolved"],
            _ => &[],
        };
        let comment = match stars {
            5 if rng.chance(20) => Some(rng.pick(&PRAISE)),
            ..=2 if treated_rudely => Some("态度太差了"),
            ..=2 if waited_long => Some("半天不回"),
            _ => None,
        };
        SampleRating {
            stars,
            level: level(stars).filter(|_| rng.chance(20)),
            reasons,
            comment,
        }
    }
}

fn stars_of(chat: &Chat) -> &'static [(u64, u64)] {
    if chat.treated_rudely {
        &TREATED_RUDELY
    } else if chat.waited_long {
        &KEPT_WAITING
    } else {
        &SATISFIED
    }
}

/// The level that matches these stars, where there is one.
fn level(stars: u64) -> Option<&'static str> {
    match stars {
        5 => Some("satisfied"),
        3 => Some("neutral"),
        1 => Some("disappointed"),
        _ => None,
    }
}
