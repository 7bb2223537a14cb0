//! The ledger of I12 over all shops of this server: asked and booked in one step, whichever threads the shops live on.
//!
//! A [`LedgerTransaction`] holds the ledger from an event's first claim until the event is in the journal, so that the order of the
//! journal is the order of the claims: a replay of all shops in that order answers the same.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::base::id::Id;
use crate::domain::snapshot::{Unreadable, ledger_bytes, read_ledger};
use crate::domain::state::shared_invites::{Claim, Ledger, MemoryLedger};
use crate::journal::{Booked, JournalError};

/// The ledger that all shops of this server share.
#[derive(Default)]
pub struct SharedLedger(Mutex<MemoryLedger>);

impl SharedLedger {
    /// The ledger that a journal holds: its latest stored form, and what was booked since.
    pub fn kept(
        stored: Option<&[u8]>,
        booked: Vec<(Id, Booked)>,
    ) -> Result<SharedLedger, JournalError> {
        let mut ledger = match stored {
            None => MemoryLedger::default(),
            Some(bytes) => {
                read_ledger(bytes).map_err(|error| match error {
                    Unreadable::Newer(what) => JournalError::Unusable(what),
                    Unreadable::Damaged(what) => JournalError::Damaged(format!(
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

    fn hold(&self) -> MutexGuard<'_, MemoryLedger> {
        // A shop that panicked has claimed or it has not: a claim is one step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its stored form.
    pub fn stored(&self) -> Vec<u8> {
        // Writing into memory cannot fail.
        ledger_bytes(&self.hold()).unwrap_or_default()
    }

    /// The turn of one event.
    pub fn turn(&self) -> LedgerTransaction<'_> {
        LedgerTransaction {
            shared: self,
            held: None,
            claims: Vec::new(),
            booked: Vec::new(),
        }
    }
}

/// One event's turn with the ledger: takes it with the first claim, and holds it until it is dropped.
pub struct LedgerTransaction<'a> {
    shared: &'a SharedLedger,
    held: Option<MutexGuard<'a, MemoryLedger>>,
    /// What was answered, in order.
    pub claims: Vec<u32>,
    /// What was booked.
    pub booked: Vec<Booked>,
}

impl Ledger for LedgerTransaction<'_> {
    fn claim(&mut self, claim: &Claim<'_>) -> u32 {
        let ledger = self.held.get_or_insert_with(|| self.shared.hold());
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

/// What the ledger answered when an event was first decided: so a shop comes back from its journal alone.
pub struct RecordedInvites<'a>(std::slice::Iter<'a, u32>);

impl<'a> RecordedInvites<'a> {
    /// The answers of one event, in order.
    pub fn new(claims: &'a [u32]) -> RecordedInvites<'a> {
        RecordedInvites(claims.iter())
    }
}

impl Ledger for RecordedInvites<'_> {
    fn claim(&mut self, _claim: &Claim<'_>) -> u32 {
        self.0.next().copied().unwrap_or_default()
    }
}
