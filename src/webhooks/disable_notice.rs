//! Notices: the shop's other endpoints learn that the server has disabled one.

use std::sync::Arc;

use super::delivery::payload::{self};
use super::delivery::retry_policy::wait_after;
use super::dispatcher::Webhooks;
use super::endpoint_state::Subscription;
use super::send::call;
use crate::domain::base::time::Duration;
use crate::webhooks::endpoint::DISABLED;

/// How many attempts a notice gets.
const NOTICE_TRIES: u32 = 3;

impl Webhooks {
    /// Sends the notice to those other endpoints of the shop that ask for it. A notice is not in the journal, so it
    /// gets a few attempts only.
    pub(super) fn send_notice(&self, of: &Subscription, why: &str) {
        let now = self.context.shops.now();
        for subscription in self.list(&of.shop) {
            let endpoint = subscription.inner().endpoint.clone();
            if subscription.id == of.id
                || !endpoint.is_on()
                || !endpoint.subscribes_to_notice(DISABLED)
            {
                continue;
            }
            let message = payload::disabled(&of.id, &of.shop, why, now);
            let (context, shop) = (Arc::clone(&self.context), of.shop.clone());
            self.runtime.spawn(async move {
                for tries in 1..=NOTICE_TRIES {
                    let now = context.shops.now();
                    if call(&context.client, &shop, &endpoint, &message, now)
                        .await
                        .delivered()
                    {
                        break;
                    }
                    let wait_ms = wait_after(tries, &message.id).map_or(0, Duration::ms);
                    tokio::time::sleep(std::time::Duration::from_millis(wait_ms as u64)).await;
                }
            });
        }
    }
}
