//! Buyers that a shop does not serve (B1).

use crate::model::shop::Shop;
use crate::model::value::Ms;

impl Shop {
    /// B1: a later one takes the place of the one before.
    pub fn block_buyer(&mut self, buyer: &str, blocked: bool, until: Option<Ms>) {
        if !blocked {
            self.blocks.remove(buyer);
            return;
        }
        self.blocks.insert(buyer.to_owned(), until);
        // The `until` of a late event may be over by the clock.
        if let (true, Some(session)) = (self.is_blocked(buyer), self.open_session_of(buyer)) {
            self.close(session, "blocked");
        }
    }

    /// Until exactly `until`.
    pub fn is_blocked(&self, buyer: &str) -> bool {
        let block = self.blocks.get(buyer);
        block.is_some_and(|until| until.is_none_or(|until| self.clock < until))
    }
}
