//! Idempotency records, in form 2.

use serde::{Deserialize, Serialize, Serializer};

use super::instant;
use super::name::NameV2;
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::domain::snapshot::InvalidPart;
use crate::domain::snapshot::stream::sequence;
use crate::domain::state::idempotency::{IdempotencyIndex, IdempotencyRecord};

/// The idempotency records of a shop, the oldest first.
pub struct ReceiptsV2<'a>(pub &'a IdempotencyIndex);

impl Serialize for ReceiptsV2<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        sequence(self.0.len(), self.0.iter().map(KeptV2::from), to)
    }
}

#[derive(Serialize, Deserialize)]
pub struct KeptV2<'a> {
    pub accepted_ms: i64,
    pub id: NameV2<'a>,
    pub receipt: ReceiptV2,
}

#[derive(Serialize, Deserialize)]
pub struct ReceiptV2 {
    pub print: u64,
    pub first: u64,
    pub count: u32,
}

/// The time, the id and the idempotency record of an accepted event.
pub struct Accepted(pub Instant, pub Id, pub IdempotencyRecord);

impl<'a> From<(Instant, &'a Id, IdempotencyRecord)> for KeptV2<'a> {
    fn from((accepted, id, receipt): (Instant, &'a Id, IdempotencyRecord)) -> KeptV2<'a> {
        let IdempotencyRecord {
            print,
            first,
            count,
        } = receipt;
        KeptV2 {
            accepted_ms: accepted.ms(),
            id: id.into(),
            receipt: ReceiptV2 {
                print,
                first,
                count,
            },
        }
    }
}

impl TryFrom<KeptV2<'_>> for Accepted {
    type Error = InvalidPart;
    fn try_from(read: KeptV2<'_>) -> Result<Accepted, InvalidPart> {
        let receipt = IdempotencyRecord {
            print: read.receipt.print,
            first: read.receipt.first,
            count: read.receipt.count,
        };
        Ok(Accepted(instant(read.accepted_ms)?, read.id.id(), receipt))
    }
}
