//! What a session is routed by (R2).

use crate::domain::base::id::Id;

/// The entry of a session that names none.
pub const ENTRY_DEFAULT: &str = "other";

/// What a session came with, and what it is routed by (R2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ask {
    /// Where it came in; nothing is [`ENTRY_DEFAULT`].
    pub entry: Option<Id>,
    /// What it chose from the entry's menu.
    pub question: Option<Id>,
    /// The state of its order.
    pub order_status: Option<Id>,
}

impl Ask {
    /// The entry's name.
    pub fn entry(&self) -> &str {
        self.entry.as_deref().unwrap_or(ENTRY_DEFAULT)
    }

    /// The entry's name as an id.
    pub fn entry_id(&self) -> Id {
        let entry = self.entry.clone();
        entry.unwrap_or_else(|| Id::known(ENTRY_DEFAULT))
    }
}
