//! A buyer comes in: what for, and where.

use super::topic::Topic;

/// A buyer comes in.
#[derive(Clone, Copy, Debug)]
pub struct BuyerVisit {
    /// What for.
    pub topic: Topic,
    /// Through which entry.
    pub entry: SampleEntry,
    /// Whether the bot serves it first.
    pub bot: bool,
}

/// Where a buyer comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SampleEntry {
    /// From a product.
    Product,
    /// From an order.
    Order,
    /// From the list of messages.
    Message,
    /// From the live stream, with a question of its menu or without.
    Live {
        /// Whether it chose from the menu.
        asks: bool,
    },
    /// From elsewhere: nothing is said of it.
    Elsewhere,
}

impl SampleEntry {
    /// As the wire language writes it, where it is written.
    pub fn name(self) -> Option<&'static str> {
        match self {
            SampleEntry::Product => Some("product_detail"),
            SampleEntry::Order => Some("order_detail"),
            SampleEntry::Message => Some("message"),
            SampleEntry::Live { .. } => Some("live"),
            SampleEntry::Elsewhere => None,
        }
    }
}
