//! Schemas of the resources (contract, section 6), of request bodies, and of problems.

use utoipa::ToSchema;

use super::decision::DecisionSchema;
use super::event::Event;
use crate::domain::protocol::rating::{Level, Source};
use crate::domain::read::views::SessionView;

/// Generates types of objects.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $field:ident: $type:ty,)+ })+) => { $(
        $(#[$doc])*
        #[derive(ToSchema)]
        pub struct $name { $($(#[$note])* pub $field: $type,)+ }
    )+ };
}

/// One event, or an array of up to 10,000.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum EventsBody {
    One(Event),
    Many(Vec<Event>),
}

/// A session with its timeline.
#[derive(ToSchema)]
pub struct SessionWithTimeline {
    /// The session.
    #[serde(flatten)]
    pub session: SessionView,
    /// The session's events and the decisions about it.
    pub timeline: Vec<TimelineEntry>,
}

objects! {
    /// An error (RFC 9457): what was wrong, and what to do next.
    Problem {
        /// `urn:xiaoer:error:` followed by the code.
        #[schema(example = "urn:xiaoer:error:shop_unknown")]
        r#type: String,
        title: String,
        status: u16,
        /// What to do next.
        detail: String,
        /// The stable error code. Programs should test this field.
        code: String,
        /// If the only event of a request was rejected: its result.
        #[schema(nullable = false, no_recursion)]
        results: Option<Vec<EventResult>>,
    }
    /// The results of a request's events, in their order.
    Results { results: Vec<EventResult>, }
    /// The result of one event.
    EventResult {
        /// The event's id, if it has one.
        #[schema(nullable = false)]
        id: Option<String>,
        decisions: Vec<DecisionSchema>,
        /// True if the event was accepted before, but its decisions are no longer kept. Nothing was done again.
        #[schema(nullable = false)]
        forgotten: Option<bool>,
        /// Why the event was not sent to the shop.
        #[schema(nullable = false)]
        problem: Option<Problem>,
    }
    /// `ok` is always true.
    Ok { ok: bool, }
    /// The configuration of an agent. Omitted fields get their defaults.
    AgentBody {
        name: Option<String>,
        roles: Option<Vec<String>>,
        #[schema(minimum = 1, maximum = 1000)]
        capacity: Option<u32>,
        #[schema(minimum = 1, maximum = 100)]
        weight: Option<u32>,
    }
    /// Either an event of the session with its time, or a decision about the session.
    TimelineEntry {
        #[schema(nullable = false)]
        at: Option<String>,
        #[schema(nullable = false)]
        event: Option<Event>,
        #[schema(nullable = false)]
        decision: Option<DecisionSchema>,
    }
    /// A rating that counts: the decision, and the buyer's reasons and comment.
    Rating {
        /// `rating.recorded`.
        r#type: String,
        at: String,
        shop: String,
        seq: u64,
        card: String,
        session: String,
        buyer: String,
        agent: String,
        level: Level,
        stars: u8,
        source: Source,
        reasons: Vec<String>,
        #[schema(nullable = false)]
        comment: Option<String>,
    }
}
