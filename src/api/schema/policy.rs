//! The policy of a shop (contract, section 4): everything may be left out, what is answered is whole.

use std::collections::HashMap;

use utoipa::ToSchema;

use super::words::{
    InviteAfter, OfflineMode, OnAgentOffline, Preset, RecentOtherwise, Strategy, WhenScopeOffline,
    Whom,
};

/// Makes an object of which everything may be left out.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $type:ty,)+ })+) => { $(
        $(#[$doc])*
        #[derive(ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$note])* pub $field: Option<$type>,)+ }
    )+ };
}

/// `"48h"`, `"1h 30m"`, `"0s"`: digits and a unit of `ms s m h d w`, one or more.
#[derive(ToSchema)]
#[schema(example = "48h")]
pub struct Duration(String);

/// An agent's id, `group:NAME` or `role:NAME`.
#[derive(ToSchema)]
#[schema(example = "group:presale")]
pub struct Member(String);

objects! {
    /// What a shop has switched; what is left out comes from the preset.
    Policy {
        preset: Preset,
        /// An IANA name.
        #[schema(example = "Asia/Shanghai")]
        timezone: String,
        /// Shops with the same one know a buyer by the same id; the preset's name where left out.
        buyer_space: String,
        routing: RoutingPolicy,
        session: SessionPolicy,
        auto_reply: AutoReplies,
        invite: InvitePolicy,
        rating: RatingPolicy,
        service: ServicePolicy,
    }
    /// Who gets a buyer.
    RoutingPolicy {
        strategy: Strategy,
        recent: RecentPolicy,
        groups: HashMap<String, Vec<Member>>,
        entries: HashMap<String, EntryPolicy>,
        order_status: HashMap<String, Vec<Member>>,
        overflow: bool,
        when_scope_offline: WhenScopeOffline,
        offline: OfflinePolicy,
        queue: QueuePolicy,
    }
    /// The agent that a buyer knows.
    RecentPolicy {
        window: Duration,
        over_capacity: bool,
        away_window: Duration,
        otherwise: RecentOtherwise,
    }
    /// Who serves an entry, and the questions of its menu.
    EntryPolicy { questions: HashMap<String, Vec<Member>>, members: Vec<Member>, }
    /// What happens where nobody is online.
    OfflinePolicy { mode: OfflineMode, members: Vec<Member>, }
    /// Limits and words of waiting.
    QueuePolicy {
        #[schema(maximum = 1000000)]
        limit: u32,
        max_wait: Duration,
        #[schema(maximum = 1000000)]
        show_position_below: u32,
        prompt: String,
        busy_prompt: String,
    }
    /// When a session ends by itself.
    SessionPolicy {
        close_after_buyer_silence: Duration,
        requires_agent_reply: bool,
        on_agent_offline: OnAgentOffline,
    }
    /// What the shop says by itself.
    AutoReplies { offline: AutoReply, queued: AutoReply, }
    /// One thing that the shop says by itself.
    AutoReply { enabled: bool, text: String, }
    /// Who may be asked for a rating.
    InvitePolicy {
        auto: bool,
        #[schema(minimum = 0, maximum = 100)]
        auto_percent: f64,
        after: Vec<InviteAfter>,
        agent_spoke_last: bool,
        longer_than: Duration,
        bots: bool,
        suspended: Vec<SuspendedWindow>,
        auto_quiet: Duration,
        #[schema(maximum = 1000000)]
        auto_per_shop_day: u32,
        #[schema(maximum = 1000000)]
        shops_per_buyer_day: u32,
        quiet_after_rating: Duration,
        manual: bool,
        manual_quiet: Duration,
        manual_needs_contact: bool,
    }
    /// A time of every year, in the shop's zone.
    SuspendedWindow {
        #[schema(example = "10-31T22:00")]
        from: String,
        #[schema(example = "11-01T02:00")]
        to: String,
    }
    /// Which ratings count.
    RatingPolicy { per: Whom, window: Duration, contact: Whom, card_valid: Duration, }
    /// The scores and their lines.
    ServicePolicy {
        reply: ReplyPolicy,
        good_rate: GoodRatePolicy,
        attitude: AttitudePolicy,
        #[schema(maximum = 1000000)]
        min_sample: u32,
    }
    /// Which messages are late.
    ReplyPolicy {
        within: Duration,
        remind_after: Duration,
        #[schema(example = "08:00")]
        from: String,
        #[schema(example = "23:00")]
        to: String,
        #[schema(minimum = 0, maximum = 1)]
        min_rate: f64,
        count_bot: bool,
        #[schema(maximum = 1000000)]
        penalty_above: u32,
    }
    /// The line of the good rate.
    GoodRatePolicy {
        #[schema(minimum = 0, maximum = 1)]
        min: f64,
    }
    /// The line of the attitude rate.
    AttitudePolicy {
        #[schema(minimum = 0, maximum = 1)]
        max: f64,
    }
}
