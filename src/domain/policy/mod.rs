//! A shop's policy: every switch of the rules, with the values in force.
//!
//! The wire form is JSON (TOML in a file) laid over a preset; [`Policy::parse`] reads it and names the
//! path of a key that is wrong. Nothing here decides anything: the rooms of the rules read these fields.

pub mod group_plan;
mod parse;
mod preset;
mod reader;
mod render;
pub mod routing_attributes;

use std::collections::BTreeMap;

use crate::domain::base::ratio::Share;

pub use parse::PolicyError;
pub use preset::{PolicyFileError, Preset};

use super::base::calendar::{LocalTime, Zone};
use super::base::id::Id;
use super::base::time::Duration;

/// The largest count that a policy takes; 0 means that there is no such cap.
pub const COUNT_MAX: u32 = 1_000_000;

/// The whole policy of a shop (contract, section 4).
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// The platform whose values hold where nothing else is said.
    pub preset: Preset,
    /// The zone in which natural days begin.
    pub timezone: Zone,
    /// Shops with the same one know a buyer by the same id (I12).
    pub buyer_space: Id,
    /// Who gets a buyer (R1 to R9).
    pub routing: Routing,
    /// When a session ends by itself (S3, R9).
    pub session: SessionPolicy,
    /// What the shop says by itself.
    pub auto_reply: AutoReplies,
    /// Who may be asked for a rating (I1 to I13).
    pub invite: InvitePolicy,
    /// Which ratings count (Q1 to Q3).
    pub rating: RatingPolicy,
    /// The scores and their lines (M1 to M6).
    pub service: ServicePolicy,
}

/// `routing`: who gets a buyer.
#[derive(Clone, Debug, PartialEq)]
pub struct Routing {
    /// How one of several free agents is picked (P1 to P3).
    pub strategy: Strategy,
    /// The agent a buyer knows (R1).
    pub recent: Recent,
    /// Named groups of agents and roles.
    pub groups: BTreeMap<Id, Vec<Member>>,
    /// Who serves which entry (R2).
    pub entries: BTreeMap<Id, Entry>,
    /// Who serves which order status (R2).
    pub order_status: BTreeMap<Id, Vec<Member>>,
    /// Whether a question whose agents are all busy goes to any free agent (R4b, R7).
    pub overflow: bool,
    /// What happens where nobody of a scope is online (R4c, R7).
    pub when_scope_offline: WhenScopeOffline,
    /// What happens where nobody at all is online (R5).
    pub offline: Offline,
    /// Limits and words of waiting (R6).
    pub queue: QueuePolicy,
}

/// `routing.strategy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The smallest load by capacity (P1, 接待量不饱和优先).
    LeastSaturated,
    /// The smallest count of today by weight (P2, 平均分配).
    FewestToday,
    /// Drawn by the session's id (P3).
    Random,
}

/// `routing.recent`: the agent a buyer knows (R1).
#[derive(Clone, Debug, PartialEq)]
pub struct Recent {
    /// How long an agent stays a buyer's recent one; `0s` switches R1 off.
    pub window: Duration,
    /// Whether it gets its buyer although it is full.
    pub over_capacity: bool,
    /// For how long it gets its buyer while it is away (R1b).
    pub away_window: Duration,
    /// What happens where it is not to be had (R1d).
    pub otherwise: RecentOtherwise,
}

/// `routing.recent.otherwise`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecentOtherwise {
    /// On to the scope (R2).
    Continue,
    /// At random among all free agents.
    RandomOnline,
    /// The same, where the policy routes by no order status.
    RandomIfUngrouped,
}

/// A member of a group, an entry, a question, a status or the rota.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Member {
    /// An agent by its id.
    Agent(Id),
    /// Everybody of a group of the policy. A group holds none of these.
    Group(Id),
    /// The routable agents with a role.
    Role(Id),
}

/// `routing.entries.NAME`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Entry {
    /// Who serves which question of the entry's menu.
    pub questions: BTreeMap<Id, Vec<Member>>,
    /// Who serves the rest of the entry.
    pub members: Vec<Member>,
}

/// `routing.when_scope_offline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenScopeOffline {
    /// Wait for the scope's own agents.
    Wait,
    /// Any free agent of the shop will do.
    AnyOnline,
}

/// `routing.offline`: nobody is online (R5).
#[derive(Clone, Debug, PartialEq)]
pub struct Offline {
    /// Whether somebody of a rota gets the buyer.
    pub mode: OfflineMode,
    /// The rota.
    pub members: Vec<Member>,
}

/// `routing.offline.mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineMode {
    /// The buyer waits.
    Wait,
    /// A member of the rota gets the buyer.
    Rota,
}

/// `routing.queue`: limits and words of waiting (R6).
#[derive(Clone, Debug, PartialEq)]
pub struct QueuePolicy {
    /// How many sessions of the shop may wait; 0: no limit.
    pub limit: u32,
    /// How long one may wait; `0s`: for ever.
    pub max_wait: Duration,
    /// From this position on the prompt is the busy one; 0: never.
    pub show_position_below: u32,
    /// Told to who waits; `{ahead}` and `{position}` are filled in.
    pub prompt: String,
    /// Told to who waits far behind.
    pub busy_prompt: String,
}

/// `session`: when a session ends by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionPolicy {
    /// S3; `0s` is off.
    pub close_after_buyer_silence: Duration,
    /// Whether the silence counts only after the shop spoke last (S3).
    pub requires_agent_reply: bool,
    /// R9.
    pub on_agent_offline: OnAgentOffline,
}

/// `session.on_agent_offline`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnAgentOffline {
    /// The sessions stay with their agent.
    Keep,
    /// They close.
    Close,
    /// They are routed anew.
    Reroute,
}

/// `auto_reply`.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoReplies {
    /// Said once a session when nobody is there (R5, R9).
    pub offline: AutoReply,
    /// Said to who begins to wait (R6).
    pub queued: AutoReply,
}

/// One reply that the shop gives by itself.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoReply {
    /// Whether it is given.
    pub enabled: bool,
    /// Its words; not empty where it is enabled.
    pub text: String,
}

/// `invite`: who may be asked for a rating.
#[derive(Clone, Debug, PartialEq)]
pub struct InvitePolicy {
    /// I1 for automatic invites.
    pub auto: bool,
    /// I8 in hundredths of a percent: 0 to 10,000.
    pub auto_per_myriad: u16,
    /// I3: the reasons of a close that may be followed by an invite.
    pub after: InviteAfter,
    /// I4.
    pub agent_spoke_last: bool,
    /// I5; `0s` is off.
    pub longer_than: Duration,
    /// I2: whether a session that only the bot served is asked about.
    pub bots: bool,
    /// I6, every year, in the shop's zone.
    pub suspended: Vec<Suspension>,
    /// I10.
    pub auto_quiet: Duration,
    /// I11; 0: no cap.
    pub auto_per_shop_day: u32,
    /// I12; 0: no cap.
    pub shops_per_buyer_day: u32,
    /// I9.
    pub quiet_after_rating: Duration,
    /// I1 for the agent's button.
    pub manual: bool,
    /// I10.
    pub manual_quiet: Duration,
    /// I13.
    pub manual_needs_contact: bool,
}

/// `invite.after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct InviteAfter {
    /// Closed by the silence or by the longest wait.
    pub timeout: bool,
    /// Closed by the agent.
    pub agent: bool,
    /// Closed by the buyer.
    pub buyer: bool,
}

/// One window of `invite.suspended`: `from` ≤ local now < `to`; `from` after `to` spans the new year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// Its first minute.
    pub from: LocalTime,
    /// The first minute after it.
    pub to: LocalTime,
}

/// `rating`: which ratings count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatingPolicy {
    /// Of whom a buyer may not rate again within `window`.
    pub per: Whom,
    /// How long a submitted rating keeps the next away (Q1, Q3).
    pub window: Duration,
    /// To whom the buyer must have written today (Q1).
    pub contact: Whom,
    /// How long a card can be used (Q2).
    pub card_valid: Duration,
}

/// `rating.per` and `rating.contact`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// The agent of the card or session.
    Agent,
    /// Anybody of the shop.
    Shop,
}

/// `service`: the scores and their lines.
#[derive(Clone, Debug, PartialEq)]
pub struct ServicePolicy {
    /// M1 to M3.
    pub reply: ReplyPolicy,
    /// M4: the line of the good rate (`good_rate.min`); 0: no alert.
    pub good_rate_min: Share,
    /// M5: the line of the attitude rate (`attitude.max`); 1: no alert.
    pub attitude_max: Share,
    /// M6: how many a rate needs under it before it is judged.
    pub min_sample: u32,
}

/// `service.reply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyPolicy {
    /// M1: a reply at exactly this is late.
    pub within: Duration,
    /// M3: when the reminder comes.
    pub remind_after: Duration,
    /// M1: messages count from this time of day, in milliseconds since 00:00.
    pub from_ms: u32,
    /// M1: until before this time of day; 24:00 is 86,400,000.
    pub to_ms: u32,
    /// M6: the line of the reply rate; 0: no alert.
    pub min_rate: Share,
    /// M1: whether messages to the bot count.
    pub count_bot: bool,
    /// M2: above how many consulting buyers a day is at risk; 0: off.
    pub penalty_above: u32,
}

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
        for preset in Preset::ALL {
            assert!(Policy::preset(preset).longest_window() <= PRESET_WINDOW_MAX);
        }
    }
}
