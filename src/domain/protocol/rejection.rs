//! Why an event is rejected.

use super::codes::ErrorCode;
use crate::domain::base::id::Id;

/// Why an event is rejected.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The contract's code.
    pub error: ErrorCode,
    /// One English sentence that says what to change.
    pub message: String,
    /// The other session that caused the rejection.
    pub session: Option<Id>,
}

impl Rejection {
    /// A rejection without another session.
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Rejection {
        Rejection {
            error,
            message: message.into(),
            session: None,
        }
    }
}
