//! Change notifiers: a subscriber is notified once decisions are durable, and reads them from the journal.
//!
//! A notice contains a position, not decisions. So a notice that is sent while there is no subscriber is not needed.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::watch;

use crate::domain::base::id::Id;

/// The latest notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeNotice {
    /// All decisions up to this `seq` are durable. 0 if none was taken since the first subscription.
    pub seq: u64,
    /// How often the shop was deleted since then. Its `seq` restarts after each deletion.
    pub gone: u64,
}

/// The change notifier of one shop.
pub(super) struct ChangeNotifier {
    sender: watch::Sender<ChangeNotice>,
}

impl ChangeNotifier {
    /// Whether there are subscribers.
    pub(super) fn is_followed(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Announces that all decisions up to this `seq` are durable.
    pub(super) fn notify(&self, seq: u64) {
        self.sender.send_if_modified(|notice| {
            let is_new = notice.seq < seq;
            notice.seq = notice.seq.max(seq);
            is_new
        });
    }

    /// Announces that the shop was deleted.
    pub(super) fn shop_is_gone(&self) {
        self.sender.send_modify(|notice| {
            notice.seq = 0;
            notice.gone += 1;
        });
    }

    /// Subscribes.
    pub(super) fn follow(self: &Arc<ChangeNotifier>) -> DecisionFeed {
        DecisionFeed {
            receiver: self.sender.subscribe(),
            _notifier: Arc::clone(self),
        }
    }
}

/// The change notifiers of the shops that are loaded or followed.
#[derive(Default)]
pub(super) struct ChangeNotifiers(Mutex<NotifierTable>);

#[derive(Default)]
struct NotifierTable {
    notifiers: HashMap<Id, Weak<ChangeNotifier>>,
    /// The number of entries that triggers the removal of unused ones.
    swept_at: usize,
}

impl ChangeNotifiers {
    fn table(&self) -> MutexGuard<'_, NotifierTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The change notifier of a shop.
    pub(super) fn of(&self, shop: &Id) -> Arc<ChangeNotifier> {
        let mut table = self.table();
        if let Some(notifier) = table.notifiers.get(shop).and_then(Weak::upgrade) {
            return notifier;
        }
        let notifier = Arc::new(ChangeNotifier {
            sender: watch::Sender::new(ChangeNotice::default()),
        });
        table
            .notifiers
            .insert(shop.clone(), Arc::downgrade(&notifier));
        if table.notifiers.len() > table.swept_at {
            table
                .notifiers
                .retain(|_, notifier| notifier.strong_count() > 0);
            table.swept_at = 2 * table.notifiers.len() + 64;
        }
        notifier
    }

    /// The shop's actor stops but still holds the notifier. The notifier is removed unless a subscriber holds it.
    pub(super) fn release(&self, shop: &Id) {
        let mut table = self.table();
        // The lock prevents a new subscriber meanwhile.
        let alone = table
            .notifiers
            .get(shop)
            .is_some_and(|notifier| notifier.strong_count() <= 1);
        if alone {
            table.notifiers.remove(shop);
        }
    }
}

/// Signalled once: the server is shutting down.
pub(super) struct ShutdownSignal {
    /// Checked by every request.
    begun: AtomicBool,
    /// Awaited by listeners.
    sender: watch::Sender<bool>,
}

impl Default for ShutdownSignal {
    fn default() -> ShutdownSignal {
        ShutdownSignal {
            begun: AtomicBool::new(false),
            sender: watch::Sender::new(false),
        }
    }
}

impl ShutdownSignal {
    /// Signals the shutdown.
    pub(super) fn signal(&self) {
        self.begun.store(true, Ordering::Relaxed);
        self.sender.send_replace(true);
    }

    /// Whether the shutdown was signalled.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.load(Ordering::Relaxed)
    }

    /// A listener for the shutdown.
    pub(super) fn listen(&self) -> ShutdownListener {
        ShutdownListener(self.sender.subscribe())
    }

    /// Whether there are listeners.
    pub(super) fn is_listened_to(&self) -> bool {
        self.sender.receiver_count() > 0
    }
}

/// Learns when the server shuts down. A task without an end of its own holds one until it ends.
pub struct ShutdownListener(watch::Receiver<bool>);

impl ShutdownListener {
    /// Whether the server is shutting down.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for the shutdown.
    pub async fn begun(&mut self) {
        // If the sender is gone, no signal can come.
        self.0.wait_for(|begun| *begun).await.ok();
    }
}

/// A subscription to a shop's decisions.
pub struct DecisionFeed {
    receiver: watch::Receiver<ChangeNotice>,
    /// Held so that the shop's next actor uses the same notifier.
    _notifier: Arc<ChangeNotifier>,
}

impl DecisionFeed {
    /// The latest notice.
    pub fn latest(&self) -> ChangeNotice {
        *self.receiver.borrow()
    }

    /// Waits for a notice that was not seen before.
    pub async fn changed(&mut self) -> ChangeNotice {
        // This subscription holds the notifier, so the sender always exists.
        self.receiver.changed().await.ok();
        *self.receiver.borrow_and_update()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notifier_is_the_same_as_long_as_anybody_holds_it() {
        let notifiers = ChangeNotifiers::default();
        let shop = Id::new("s").unwrap();
        let actor = notifiers.of(&shop);
        assert!(!actor.is_followed());
        let following = notifiers.of(&shop).follow();
        actor.notify(3);
        actor.notify(2);
        assert_eq!(following.latest(), ChangeNotice { seq: 3, gone: 0 });
        drop(actor);
        notifiers.of(&shop).shop_is_gone();
        assert_eq!(following.latest(), ChangeNotice { seq: 0, gone: 1 });
        let actor = notifiers.of(&shop);
        notifiers.release(&shop);
        assert!(notifiers.of(&shop).is_followed(), "somebody else holds it");
        drop(following);
        assert!(!actor.is_followed());
        notifiers.release(&shop);
        assert!(!notifiers.table().notifiers.contains_key(&shop));
        drop(actor);
        assert_eq!(
            notifiers.of(&shop).follow().latest(),
            ChangeNotice::default()
        );
        for other in 0..1000 {
            notifiers.of(&Id::new(&other.to_string()).unwrap());
        }
        assert!(notifiers.table().notifiers.len() < 200);
    }
}
