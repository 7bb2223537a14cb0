//! The policy of a shop (contract section 4), merged onto its preset and checked.

mod node;
mod preset;
mod reading;

pub use reading::read;

use crate::model::value::Ms;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// The entries that every shop has; others come from `routing.entries`.
pub const ENTRIES: [&str; 5] = ["product_detail", "order_detail", "message", "live", "other"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    LeastSaturated,
    FewestToday,
    Random,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    Continue,
    RandomOnline,
    RandomIfUngrouped,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum OnAgentOffline {
    Keep,
    Close,
    Reroute,
}

/// M12: what the reply rate counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Buyer,
    Round,
    Session,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Per {
    Agent,
    Shop,
}

#[derive(Clone)]
pub enum Member {
    Agent(String),
    Group(String),
    Role(String),
}

/// Empty lists are left out already: they are as if they were not there.
#[derive(Clone, Default)]
pub struct Entry {
    pub questions: BTreeMap<String, Vec<Member>>,
    pub members: Option<Vec<Member>>,
}

#[derive(Clone)]
pub struct Policy {
    pub zone: TimeZone,
    pub buyer_space: String,
    pub routing: Routing,
    pub hours: Hours,
    pub session: SessionPolicy,
    pub offline_reply: AutoReply,
    pub queued_reply: AutoReply,
    pub closed_reply: AutoReply,
    pub invite: Invite,
    pub rating: Rating,
    pub service: Service,
}

#[derive(Clone)]
pub struct Routing {
    pub strategy: Strategy,
    pub recent_window: Ms,
    pub recent_over_capacity: bool,
    pub recent_away_window: Ms,
    pub recent_otherwise: Otherwise,
    pub groups: BTreeMap<String, Vec<Member>>,
    pub entries: BTreeMap<String, Entry>,
    pub order_status: BTreeMap<String, Vec<Member>>,
    pub overflow: bool,
    pub any_online_when_scope_offline: bool,
    /// Some with mode `rota`.
    pub rota: Option<Vec<Member>>,
    /// R5b.
    pub hand_over: bool,
    pub queue: Queue,
    pub take_back: TakeBack,
    pub priority_age: Ms,
}

#[derive(Clone)]
pub struct Queue {
    /// R14: mode `none`.
    pub nobody_waits_for_room: bool,
    pub limit: u64,
    pub max_wait: Ms,
    pub leave_grace: Ms,
    pub show_position_below: u64,
    pub prompt: String,
    pub next_prompt: String,
    pub busy_prompt: String,
}

/// R10.
#[derive(Clone)]
pub struct TakeBack {
    pub after: Ms,
    pub each: bool,
    pub max: u64,
    /// `otherwise` is `queue`.
    pub otherwise_queue: bool,
    pub away_after: u64,
}

/// Minutes of a day, the end left out, in milliseconds since 00:00 on the wall.
pub type Interval = (Ms, Ms);

/// H1, H2.
#[derive(Clone)]
pub struct Hours {
    /// By `mon` to `sun`; a day left out is closed, no day at all is always open.
    pub week: BTreeMap<String, Vec<Interval>>,
    /// By `YYYY-MM-DD`; wins over the week.
    pub days: BTreeMap<String, Vec<Interval>>,
    /// `outside` is `offline`.
    pub offline_outside: bool,
    pub prompt: String,
}

#[derive(Clone)]
pub struct SessionPolicy {
    pub close_after_buyer_silence: Ms,
    pub requires_agent_reply: bool,
    pub on_agent_offline: OnAgentOffline,
    pub wrap_up: Ms,
    pub late_reply: Ms,
    pub lateness: Ms,
}

#[derive(Clone)]
pub struct AutoReply {
    pub enabled: bool,
    pub text: String,
}

/// Month, day of the month, time of day.
pub type TimeOfYear = (i8, i8, Ms);

#[derive(Clone)]
pub struct Invite {
    pub auto: bool,
    /// In hundredths of a percent.
    pub auto_percent_hundredths: u64,
    pub after: Vec<String>,
    pub agent_spoke_last: bool,
    pub longer_than: Ms,
    pub bots: bool,
    pub suspended: Vec<(TimeOfYear, TimeOfYear)>,
    pub auto_quiet: Ms,
    pub auto_per_shop_day: u64,
    pub shops_per_buyer_day: u64,
    pub quiet_after_rating: Ms,
    pub quiet_after_opening: bool,
    pub manual: bool,
    pub manual_quiet: Ms,
    pub manual_needs_contact: bool,
}

#[derive(Clone)]
pub struct Rating {
    pub per: Per,
    pub window: Ms,
    pub contact: Per,
    pub card_valid: Ms,
}

/// Rates are in ten-thousandths.
#[derive(Clone)]
pub struct Service {
    pub within: Ms,
    pub remind_after: Ms,
    pub from: Ms,
    pub to: Ms,
    pub min_rate: u64,
    /// `service.min_sample` where `service.reply.min_sample` is not given.
    pub reply_min_sample: u64,
    pub count_bot: bool,
    pub effective_bot: bool,
    pub penalty_above: u64,
    pub unit: Unit,
    pub in_hours: bool,
    pub good_rate_min: u64,
    pub good_rate_human: bool,
    pub good_rate_from: Ms,
    pub good_rate_to: Ms,
    pub attitude_max: u64,
    pub min_sample: u64,
    pub daily: bool,
}

impl Policy {
    pub fn has_entry(&self, name: &str) -> bool {
        ENTRIES.contains(&name) || self.routing.entries.contains_key(name)
    }
}
