//! Events and decisions, their codes, and rejections.

pub mod codes;
pub mod decision;
pub mod event;
pub mod rating;
pub mod rejection;
