//! The record of a key, what may be shown of it, and how many keys there may be.

use super::scope::Scope;
use crate::domain::base::id::Id;
use crate::domain::base::time::{Instant, OffsetTimestamp};

/// The most keys of a folder: every change writes the whole file.
pub const KEYS_MAX: usize = 100_000;

/// The longest name of a key, in bytes of UTF-8.
pub const NAME_BYTES_MAX: usize = 128;

/// What may be shown of a key: everything but its secret.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = Key)]
pub struct KeyRow {
    /// 8 letters and digits.
    pub id: Id,
    /// Its scope.
    pub scope: Scope,
    /// Its shop; `None` for every shop.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shop: Option<Id>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<String>,
    /// When it was made; written in UTC.
    #[serde(serialize_with = "in_utc")]
    #[schema(value_type = OffsetTimestamp)]
    pub created: Instant,
    /// Whether its holder may send `at`.
    pub own_clock: bool,
}

/// A stored key. It has no `Debug`, so that no hash is logged.
#[derive(Clone, PartialEq)]
pub(super) struct KeyRecord {
    pub row: KeyRow,
    pub secret_sha256: [u8; 32],
    /// The number of the shop that it is bound to.
    pub number: Option<u64>,
}

/// Gives the number of a shop that exists.
pub type ShopNumbers = Box<dyn Fn(&Id) -> Option<u64> + Send + Sync>;

fn in_utc<S: serde::Serializer>(instant: &Instant, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&instant.at_offset(0))
}
