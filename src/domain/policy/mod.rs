//! A shop's policy: every switch of the rules, with the values in force.
//!
//! The wire form is JSON (TOML in a file) laid over a preset; [`Policy::parse`] reads it and names the path of every key
//! that is wrong. Nothing here decides anything: the rooms of the rules read these fields.
//!
//! A key stands once, as a row of `table`: what reads it, writes it and describes it follows of that. A choice is a row
//! of `choice`, a preset a row of `preset` and its file.

mod problem;
mod shape;

mod reader;

mod choice;
mod member;
mod value;

mod preset;
mod table;

mod parse;

pub mod group_plan;
pub mod routing_attributes;

pub use choice::{
    InvitedClose, OfflineMode, OnAgentOffline, RecentOtherwise, Strategy, WhenScopeOffline, Whom,
};
pub use member::Member;
pub use parse::PolicyFileError;
pub use preset::Preset;
pub use problem::{MESSAGE_BYTES_MAX, PROBLEMS_MAX, PolicyError, PolicyProblem, Wording};
pub use shape::{ChoiceTable, ObjectTable, PolicyKey, Shape};
pub use table::{
    AttitudePolicy, AutoReplies, AutoReply, Entry, GoodRatePolicy, InvitePolicy, Offline, Policy,
    QueuePolicy, RatingPolicy, Recent, ReplyPolicy, Routing, ServicePolicy, SessionPolicy,
    Suspension,
};
pub use value::InviteAfter;

use super::base::time::Duration;

/// The largest count that a policy takes; 0 means that there is no such cap.
pub const COUNT_MAX: u32 = 1_000_000;

impl Policy {
    /// The longest window in which a rule looks back at what a buyer did.
    pub fn longest_window(&self) -> Duration {
        let windows = [
            self.routing.recent.window,
            self.routing.recent.away_window,
            self.invite.auto_quiet,
            self.invite.manual_quiet,
            self.invite.quiet_after_rating,
            self.rating.window,
        ];
        windows.into_iter().max().unwrap_or_default()
    }
}

/// How far back the longest window of any preset looks: a shop that changes to another platform's rules sees as far
/// as those do.
pub const PRESET_WINDOW_MAX: Duration = Duration::days(30);

#[cfg(test)]
mod tests {
    use super::{PRESET_WINDOW_MAX, Policy, Preset};

    #[test]
    fn no_preset_looks_further_back_than_is_remembered() {
        for &preset in Preset::ALL {
            assert!(Policy::preset(preset).longest_window() <= PRESET_WINDOW_MAX);
        }
    }
}
