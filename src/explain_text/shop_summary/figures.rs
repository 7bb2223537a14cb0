//! How a summary writes rates, lengths, names and periods.

use crate::domain::base::time::Duration;
use crate::domain::read::report::Decimal;
use crate::explain_text::phrase::{Locale, chinese_period, percent};

/// How many agents have a row of their own.
pub(super) const AGENTS_MAX: usize = 20;

/// A rate as exact as in the report, so that no rate seems to reach a threshold that it misses.
pub(super) fn rate(rate: Decimal) -> String {
    percent(rate.scaled)
}

/// Whole seconds from ten seconds on.
pub(super) fn length_of(seconds: Decimal) -> Duration {
    let ms = milliseconds(seconds);
    rounded(ms, if ms >= 10_000 { 1000 } else { 100 })
}

/// Whole minutes.
pub(super) fn minutes_of(seconds: Decimal) -> Duration {
    rounded(milliseconds(seconds), 60_000)
}

fn milliseconds(seconds: Decimal) -> u64 {
    seconds.scaled * 1000 / u64::from(seconds.scale).max(1)
}

fn rounded(ms: u64, step: u64) -> Duration {
    Duration::from_ms(((ms + step / 2) / step * step) as i64)
}

/// An agent's name in a row.
pub(super) fn agent_name(locale: Locale, id: &str) -> &str {
    if id == "bot" {
        locale.say("机器人", "the bot")
    } else {
        id
    }
}

/// The line about agents without a row, if there are any.
pub(super) fn more_agents(locale: Locale, agents: usize) -> Option<String> {
    let more = agents.checked_sub(AGENTS_MAX).filter(|&more| more > 0)?;
    Some(locale.say(format!("……另有 {more} 位"), format!("... and {more} more")))
}

/// A day, a week or a month.
pub(super) fn when_of(locale: Locale, when: &str) -> String {
    locale.say(chinese_period(when), when.to_owned())
}
