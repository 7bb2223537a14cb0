//! A shop's policy: all settings of the rules with their current values.
//!
//! The wire form is JSON (TOML in a file) merged with a preset. [`Policy::parse`] reads it and reports the path of
//! every invalid key. Nothing here decides anything: the rules read these fields.
//!
//! Each key is defined once, as a row of `table`; its reader, writer and documentation are generated from the row. A
//! choice is a row of `choice`, and a preset is a row of `preset` with its file.

mod problem;
mod shape;

mod reader;

mod choice;
mod hours_kinds;
mod member;
mod value_kinds;

mod preset;
mod table;

mod parse;

#[cfg(test)]
mod rules_pages_test;

pub mod group_plan;
pub mod routing_attributes;

pub use choice::{
    HandOver, InvitedClose, OfflineMode, OnAgentOffline, OutsideHours, QueueMode, RecentOtherwise,
    ReplyUnit, Strategy, TakeBackOtherwise, WhenScopeOffline, Whom,
};
pub use hours_kinds::{Interval, Weekday};
pub use member::Member;
pub use parse::PolicyFileError;
pub use preset::Preset;
pub use problem::{MESSAGE_BYTES_MAX, PROBLEMS_MAX, PolicyError, PolicyProblem, Wording};
pub use shape::{ChoiceTable, ObjectTable, PolicyKey, Shape};
pub use table::{
    AttitudePolicy, AutoReplies, AutoReply, Entry, GoodRatePolicy, HoursPolicy, InvitePolicy,
    Offline, Policy, PriorityPolicy, QueuePolicy, RatingPolicy, Recent, ReplyPolicy, Routing,
    ServicePolicy, SessionPolicy, Suspension, TakeBackPolicy,
};
pub use value_kinds::InviteAfter;

use super::base::time::Duration;

/// The maximum value of a count. 0 means no cap.
pub const COUNT_MAX: u32 = 1_000_000;

impl Policy {
    /// The longest window in which a rule looks at past activity of a buyer.
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

/// The longest window of any preset. A shop that changes to another preset has the history that its windows need.
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
