//! The resources of the API, one file each: reads and changes.

pub(super) mod agents;
pub(super) mod decisions;
pub(super) mod deliveries;
pub(super) mod keys;
pub(super) mod policies;
pub(super) mod ratings;
pub(super) mod sessions;
pub(super) mod shops;
pub(super) mod webhooks;
