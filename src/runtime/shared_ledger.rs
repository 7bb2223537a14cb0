//! The ledger of I12 over all shops of this server. Each claim is checked and booked in one step, from any thread.
//!
//! A [`LedgerTransaction`] locks the ledger from an event's first claim until the event is in the journal. So the order
//! of the journal is the order of the claims, and a replay of all shops in that order gives the same results.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::base::id::Id;
use crate::domain::snapshot::{SnapshotError, ledger_bytes, read_ledger};
use crate::domain::state::shared_invites::{Claim, Ledger, MemoryLedger};
use crate::journal::{Booked, JournalError};

/// The ledger that all shops of this server share.
#[derive(Default)]
pub struct SharedLedger(Mutex<MemoryLedger>);

impl SharedLedger {
    /// Loads the ledger from a journal: its latest stored form and the later bookings.
    pub fn load(
        stored: Option<&[u8]>,
        booked: Vec<(Id, Booked)>,
    ) -> Result<SharedLedger, JournalError> {
        let mut ledger = match stored {
            None => MemoryLedger::default(),
            Some(bytes) => {
                read_ledger(bytes).map_err(|error| match error {
                    SnapshotError::Newer(what) => JournalError::Unusable(what),
                    SnapshotError::Damaged(what) => JournalError::Damaged(format!(
                        "the stored ledger does not read: {what}. Run `xiaoer verify`; `xiaoer restore` goes back to \
                         a backup"
                    )),
                })?
            }
        };
        for (shop, place) in booked {
            ledger.book(&shop, &place.space, &place.buyer, place.at);
        }
        Ok(SharedLedger(Mutex::new(ledger)))
    }

    fn lock(&self) -> MutexGuard<'_, MemoryLedger> {
        // A claim is one step, so a panic leaves the ledger consistent.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stored form of the ledger.
    pub fn bytes(&self) -> Vec<u8> {
        // Writing to memory cannot fail.
        ledger_bytes(&self.lock()).unwrap_or_default()
    }

    /// Starts the transaction of one event.
    pub fn begin(&self) -> LedgerTransaction<'_> {
        LedgerTransaction {
            shared: self,
            held: None,
            claims: Vec::new(),
            booked: Vec::new(),
        }
    }
}

/// The ledger transaction of one event. It locks the ledger at the first claim, until it is dropped.
pub struct LedgerTransaction<'a> {
    shared: &'a SharedLedger,
    held: Option<MutexGuard<'a, MemoryLedger>>,
    /// The results of the claims, in order.
    pub claims: Vec<u32>,
    /// The bookings.
    pub booked: Vec<Booked>,
}

impl Ledger for LedgerTransaction<'_> {
    fn claim(&mut self, claim: &Claim<'_>) -> u32 {
        let ledger = self.held.get_or_insert_with(|| self.shared.lock());
        let others = ledger.claim(claim);
        self.claims.push(others);
        if claim.send && (claim.cap == 0 || others < claim.cap) {
            self.booked.push(Booked {
                space: claim.space.clone(),
                buyer: claim.buyer.clone(),
                at: claim.at,
            });
        }
        others
    }
}

/// The recorded results of the claims of an event. A recovery uses them, so a shop is recovered from its own journal
/// alone.
pub struct RecordedInvites<'a>(std::slice::Iter<'a, u32>);

impl<'a> RecordedInvites<'a> {
    /// The results of one event, in order.
    pub fn new(claims: &'a [u32]) -> RecordedInvites<'a> {
        RecordedInvites(claims.iter())
    }
}

impl Ledger for RecordedInvites<'_> {
    fn claim(&mut self, _claim: &Claim<'_>) -> u32 {
        self.0.next().copied().unwrap_or_default()
    }
}
