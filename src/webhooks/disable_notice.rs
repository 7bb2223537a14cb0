//! Notices: the shop's other endpoints are told of one that the server has switched off.

use std::sync::Arc;

use super::delivery::payload::{self};
use super::delivery::retry_policy::wait_after;
use super::dispatcher::Webhooks;
use super::send::call;
use super::subscription::Subscription;
use crate::domain::base::time::Duration;
use crate::webhooks::endpoint::DISABLED;

/// How often a notice is tried.
const NOTICE_TRIES: u32 = 3;

impl Webhooks {
    /// Tells the shop's other endpoints that ask for it that one was switched off. Not in the journal, so tried a few
    /// times and no more.
    pub(super) fn notify(&self, of: &Subscription, why: &str) {
        let now = self.office.desk.now();
        for post in self.list(&of.shop) {
            let endpoint = post.inner().endpoint.clone();
            if post.id == of.id || !endpoint.is_on() || !endpoint.wants_notice(DISABLED) {
                continue;
            }
            let message = payload::disabled(&of.id, &of.shop, why, now);
            let (office, shop) = (Arc::clone(&self.office), of.shop.clone());
            self.runtime.spawn(async move {
                for tries in 1..=NOTICE_TRIES {
                    let now = office.desk.now();
                    if call(&office.caller, &shop, &endpoint, &message, now)
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
