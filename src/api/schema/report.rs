//! The report of a shop (contract, section 5).

use std::collections::HashMap;

use utoipa::ToSchema;

/// Makes an object all of whose keys are there.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty,)+ })+) => { $(
        $(#[$doc])*
        #[derive(ToSchema)]
        pub struct $name { $(#[schema(required)] pub $field: $type,)+ }
    )+ };
}

/// The report by the shop's id.
#[derive(ToSchema)]
pub struct ReportOfShops(HashMap<String, Report>);

objects! {
    /// How a shop stands, as of its clock.
    Report {
        sessions: SessionCounts,
        waits: Waits,
        days: HashMap<String, DayReport>,
        weeks: HashMap<String, WeekReport>,
        months: HashMap<String, MonthReport>,
        agents: HashMap<String, AgentReport>,
        invites: InviteCounts,
    }
    /// Sessions, each counted once.
    SessionCounts { opened: u64, assigned: u64, queued: u64, closed: u64, bot_only: u64, }
    /// Seconds of each session's first assignment.
    Waits { count: u64, mean: f64, p50: f64, p95: f64, max: f64, }
    /// A natural day.
    DayReport {
        consulting: u64,
        late: u64,
        reply_rate: Option<f64>,
        replied: u64,
        effective_rate: Option<f64>,
        penalty_risk: bool,
    }
    /// A natural week.
    WeekReport {
        satisfied: u64,
        neutral: u64,
        disappointed: u64,
        good_rate: Option<f64>,
        human_good_rate: Option<f64>,
        good_needed: Option<u64>,
    }
    /// A natural month.
    MonthReport { unhappy: u64, attitude: u64, attitude_rate: Option<f64>, }
    /// An agent that was assigned or rated, or the bot.
    AgentReport {
        assigned: u64,
        satisfied: u64,
        neutral: u64,
        disappointed: u64,
        mean_stars: Option<f64>,
        good_rate: Option<f64>,
        reasons: HashMap<String, u64>,
    }
    /// Invites, and what kept others back.
    InviteCounts { auto_sent: u64, manual_sent: u64, blocked: HashMap<String, u64>, }
}
