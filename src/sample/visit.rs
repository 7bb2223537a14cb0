//! The visit of a buyer: its topic and its entry.

use super::topic::Topic;

/// A visit of a buyer.
#[derive(Clone, Copy, Debug)]
pub struct BuyerVisit {
    /// The topic.
    pub topic: Topic,
    /// The entry.
    pub entry: SampleEntry,
    /// Whether the bot serves it first.
    pub bot: bool,
}

/// The entry of a buyer.
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
    /// From elsewhere, without an entry.
    Elsewhere,
}

impl SampleEntry {
    /// The name in the wire language, where it has one.
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
