//! The rules, one file each.

pub mod after_work;
pub mod apply_event;
pub mod arrival;
pub mod assignment;
pub mod buyer;
pub mod closing;
pub mod hours;
pub mod invite;
pub mod lookup;
pub mod presence;
pub mod queueing;
pub mod rating;
pub mod reply;
pub mod retention;
pub mod routing;
pub mod score;
pub mod sheets;
pub mod take_back;
