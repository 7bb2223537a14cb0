//! Why an event may not happen.

use super::codes::ErrorCode;
use crate::domain::base::id::Id;

/// Why an event may not happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The contract's code.
    pub error: ErrorCode,
    /// One English sentence that says what to change.
    pub message: String,
    /// Another session that stands in the way.
    pub session: Option<Id>,
}

impl Rejection {
    /// A rejection that names no session.
    pub fn new(error: ErrorCode, message: impl Into<String>) -> Rejection {
        Rejection {
            error,
            message: message.into(),
            session: None,
        }
    }
}
