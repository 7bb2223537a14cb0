//! The rules, one file each.

pub mod apply_event;
pub mod arrival;
pub mod assignment;
pub mod closing;
pub mod invite;
pub mod lookup;
pub mod presence;
pub mod queueing;
pub mod rating;
pub mod reply;
pub mod retention;
pub mod routing;
pub mod score;
