//! The resources of the API, a file each: what may be asked of them, and changed.

pub(super) mod agents;
pub(super) mod decisions;
pub(super) mod deliveries;
pub(super) mod keys;
pub(super) mod policies;
pub(super) mod ratings;
pub(super) mod sessions;
pub(super) mod shops;
pub(super) mod webhooks;
