//! The state of a shop: agents, sessions, buyers, timers and counters.

pub mod agent;
pub mod agent_directory;
pub mod agent_group;
pub mod buyer;
pub mod card;
pub mod daily_stats;
pub mod idempotency;
pub mod pending_reply;
pub mod queues;
pub mod scores;
pub mod session;
pub mod shared_invites;
pub mod sheets;
pub mod shop;
pub mod timers;
pub mod totals;
