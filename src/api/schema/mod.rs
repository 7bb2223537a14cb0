//! The types that the description shows.
//!
//! They are for the description alone: the core, which knows no HTTP, cannot be described where it stands. The tests hold
//! real answers against them.

#![expect(
    dead_code,
    clippy::large_enum_variant,
    clippy::enum_variant_names,
    reason = "what only describes is never made, and has the names of what it describes"
)]

mod decision;
mod event;
mod policy;
mod report;
mod resource;
mod words;

pub use decision::Decision;
pub use event::Event;
pub use policy::Policy;
pub use report::ReportOfShops;
pub use resource::{
    Agent, AgentBody, AgentPage, DecisionPage, DeliveryPage, EventsBody, KeyBody, KeyMade, KeyPage,
    Ok, PoolPage, PresenceAnswer, PresenceBody, Problem, QuestionPage, RatingPage, Resend, Results,
    SessionPage, SessionWithTimeline, ShopAnswer, ShopBody, ShopPage, Tested, Webhook, WebhookBody,
    WebhookChange, WebhookMade, WebhookPage, WebhookSecret, WhyAnswer,
};
