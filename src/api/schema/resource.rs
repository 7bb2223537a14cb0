//! The resources (contract, section 6), what is sent to them, and problems.

use utoipa::ToSchema;

use super::decision::Decision;
use super::event::Event;
use crate::domain::protocol::rating::{Level, Source};
use crate::domain::read::views::SessionView;

/// Makes an object.
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
    /// Its events, and what was decided about it.
    pub timeline: Vec<TimelineEntry>,
}

objects! {
    /// What was wrong (RFC 9457), and what to do next.
    Problem {
        /// `urn:xiaoer:error:` and the code.
        #[schema(example = "urn:xiaoer:error:shop_unknown")]
        r#type: String,
        title: String,
        status: u16,
        /// What to do next, in one sentence or two.
        detail: String,
        /// Stable: what programs look at.
        code: String,
        /// Where the only event of a request was rejected: its result.
        #[schema(nullable = false, no_recursion)]
        results: Option<Vec<EventResult>>,
    }
    /// What became of the events of a request, in their order.
    Results { results: Vec<EventResult>, }
    /// What became of one event.
    EventResult {
        /// The event's own id.
        #[schema(nullable = false)]
        id: Option<String>,
        decisions: Vec<Decision>,
        /// True where the event was accepted before, and its decisions are no longer kept: nothing was done again.
        #[schema(nullable = false)]
        forgotten: Option<bool>,
        /// Why it was not handed to the shop.
        #[schema(nullable = false)]
        problem: Option<Problem>,
    }
    /// It is so.
    Ok { ok: bool, }
    /// What an agent is configured with; what is left out takes its default.
    AgentBody {
        name: Option<String>,
        roles: Option<Vec<String>>,
        #[schema(minimum = 1, maximum = 1000)]
        capacity: Option<u32>,
        #[schema(minimum = 1, maximum = 100)]
        weight: Option<u32>,
    }
    /// An event of the session, as it was sent, and when; or a decision about it.
    TimelineEntry {
        #[schema(nullable = false)]
        at: Option<String>,
        #[schema(nullable = false)]
        event: Option<Event>,
        #[schema(nullable = false)]
        decision: Option<Decision>,
    }
    /// A rating that counts: the decision, and what the buyer said.
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
