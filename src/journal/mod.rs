//! The journal: what happened, durable.
