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
    heard: watch::Sender<ChangeNotice>,
}

impl ChangeNotifier {
    /// Whether there are subscribers.
    pub(super) fn is_followed(&self) -> bool {
        self.heard.receiver_count() > 0
    }

    /// Announces that all decisions up to this `seq` are durable.
    pub(super) fn ring(&self, seq: u64) {
        self.heard.send_if_modified(|heard| {
            let news = heard.seq < seq;
            heard.seq = heard.seq.max(seq);
            news
        });
    }

    /// Announces that the shop was deleted.
    pub(super) fn shop_is_gone(&self) {
        self.heard.send_modify(|heard| {
            heard.seq = 0;
            heard.gone += 1;
        });
    }

    /// Subscribes.
    pub(super) fn follow(self: &Arc<ChangeNotifier>) -> DecisionFeed {
        DecisionFeed {
            heard: self.heard.subscribe(),
            _bell: Arc::clone(self),
        }
    }
}

/// The change notifiers of the shops that are loaded or followed.
#[derive(Default)]
pub(super) struct ChangeNotifiers(Mutex<Hung>);

#[derive(Default)]
struct Hung {
    notifiers: HashMap<Id, Weak<ChangeNotifier>>,
    /// The number of entries that triggers the removal of unused ones.
    swept_at: usize,
}

impl ChangeNotifiers {
    fn hung(&self) -> MutexGuard<'_, Hung> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The change notifier of a shop.
    pub(super) fn of(&self, shop: &Id) -> Arc<ChangeNotifier> {
        let mut hung = self.hung();
        if let Some(notifier) = hung.notifiers.get(shop).and_then(Weak::upgrade) {
            return notifier;
        }
        let notifier = Arc::new(ChangeNotifier {
            heard: watch::Sender::new(ChangeNotice::default()),
        });
        hung.notifiers
            .insert(shop.clone(), Arc::downgrade(&notifier));
        if hung.notifiers.len() > hung.swept_at {
            hung.notifiers
                .retain(|_, notifier| notifier.strong_count() > 0);
            hung.swept_at = 2 * hung.notifiers.len() + 64;
        }
        notifier
    }

    /// The shop's actor stops but still holds the notifier. The notifier is removed unless a subscriber holds it.
    pub(super) fn let_go(&self, shop: &Id) {
        let mut hung = self.hung();
        // The lock prevents a new subscriber meanwhile.
        let alone = hung
            .notifiers
            .get(shop)
            .is_some_and(|notifier| notifier.strong_count() <= 1);
        if alone {
            hung.notifiers.remove(shop);
        }
    }
}

/// Signalled once: the server is shutting down.
pub(super) struct ShutdownSignal {
    /// Checked by every request.
    rung: AtomicBool,
    /// Awaited by listeners.
    heard: watch::Sender<bool>,
}

impl Default for ShutdownSignal {
    fn default() -> ShutdownSignal {
        ShutdownSignal {
            rung: AtomicBool::new(false),
            heard: watch::Sender::new(false),
        }
    }
}

impl ShutdownSignal {
    /// Signals the shutdown.
    pub(super) fn ring(&self) {
        self.rung.store(true, Ordering::Relaxed);
        self.heard.send_replace(true);
    }

    /// Whether the shutdown was signalled.
    pub(super) fn has_rung(&self) -> bool {
        self.rung.load(Ordering::Relaxed)
    }

    /// A listener for the shutdown.
    pub(super) fn listen(&self) -> ShutdownListener {
        ShutdownListener(self.heard.subscribe())
    }

    /// Whether there are listeners.
    pub(super) fn is_listened_to(&self) -> bool {
        self.heard.receiver_count() > 0
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
        self.0.wait_for(|rung| *rung).await.ok();
    }
}

/// A subscription to a shop's decisions.
pub struct DecisionFeed {
    heard: watch::Receiver<ChangeNotice>,
    /// Held so that the shop's next actor uses the same notifier.
    _bell: Arc<ChangeNotifier>,
}

impl DecisionFeed {
    /// The latest notice.
    pub fn heard(&self) -> ChangeNotice {
        *self.heard.borrow()
    }

    /// Waits for a notice that was not seen before.
    pub async fn changed(&mut self) -> ChangeNotice {
        // This subscription holds the notifier, so the sender always exists.
        self.heard.changed().await.ok();
        *self.heard.borrow_and_update()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bell_is_the_same_as_long_as_anybody_holds_it() {
        let notifiers = ChangeNotifiers::default();
        let shop = Id::new("s").unwrap();
        let actor = notifiers.of(&shop);
        assert!(!actor.is_followed());
        let following = notifiers.of(&shop).follow();
        actor.ring(3);
        actor.ring(2);
        assert_eq!(following.heard(), ChangeNotice { seq: 3, gone: 0 });
        drop(actor);
        notifiers.of(&shop).shop_is_gone();
        assert_eq!(following.heard(), ChangeNotice { seq: 0, gone: 1 });
        let actor = notifiers.of(&shop);
        notifiers.let_go(&shop);
        assert!(notifiers.of(&shop).is_followed(), "somebody else holds it");
        drop(following);
        assert!(!actor.is_followed());
        notifiers.let_go(&shop);
        assert!(!notifiers.hung().notifiers.contains_key(&shop));
        drop(actor);
        assert_eq!(
            notifiers.of(&shop).follow().heard(),
            ChangeNotice::default()
        );
        for other in 0..1000 {
            notifiers.of(&Id::new(&other.to_string()).unwrap());
        }
        assert!(notifiers.hung().notifiers.len() < 200);
    }
}
