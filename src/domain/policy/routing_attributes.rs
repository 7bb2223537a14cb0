//! The attributes by which a session is routed (R2).

use crate::domain::base::id::Id;

/// The entry of a session that names none.
pub const ENTRY_DEFAULT: &str = "other";

/// The attributes by which a session is routed (R2).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RoutingAttributes {
    /// The entry. `None` means [`ENTRY_DEFAULT`].
    pub entry: Option<Id>,
    /// The buyer's choice in the entry's menu.
    pub question: Option<Id>,
    /// The state of the buyer's order.
    pub order_status: Option<Id>,
}

impl RoutingAttributes {
    /// The name of the entry.
    pub fn entry(&self) -> &str {
        self.entry.as_deref().unwrap_or(ENTRY_DEFAULT)
    }

    /// The name of the entry as an id.
    pub fn entry_id(&self) -> Id {
        let entry = self.entry.clone();
        entry.unwrap_or_else(|| Id::known(ENTRY_DEFAULT))
    }
}
