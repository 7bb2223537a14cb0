//! Sample traces: a made-up day of a small shop, for a stranger to replay.
