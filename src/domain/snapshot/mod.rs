//! Snapshots: the stored forms of a shop and of the ledger, which every later release can read.
//!
//! A snapshot contains everything that can affect a decision, so a restored shop decides exactly the same. Equal states
//! give equal bytes.
//!
//! A *form* is a module with its own types (`v1`, `v2`), which contain no live types: fields by position, arrays with
//! literal lengths, variants in the stored order. A form never changes. Live types may change: the newest form maps them
//! to its own, both ways, and does not compile while a live field is not covered. An older form is only read, and is
//! converted to the form after it: `v1` to `v2` to the live shop. So a live field changes one form, and what a form does
//! not know is decided once.
//!
//! # How a version is encoded
//!
//! - A shop starts with its version as a `u16` (bincode's standard configuration: one byte, below 251).
//! - The ledger's form 1 has no version: it starts with the length of a list, whose first byte is never 0xff (bincode
//!   writes 0 to 250 as that byte, and 251 to 253 before longer numbers). A later form of the ledger starts with 0xff
//!   and then its version as a big-endian `u16`.
//!
//! A version above the known ones is refused with a message that says to use the newer program.
//!
//! # How to add a field
//!
//! 1. Copy the newest form, `v2`, to `v3`, with other names, and add the field to the live type and to `v3`.
//! 2. In `v2`, remove the conversions from and to live types, and what only writes. Convert its types to those of `v3`
//!    instead, and state there which value a shop gets that was stored without the field. What that needs of the whole
//!    shop is computed in `v2/mod.rs`, as `v1/mod.rs` does it.
//! 3. Raise [`STORED_VERSION`] (or [`LEDGER_VERSION`]) and add the version to the `match` of `Forms` (or of
//!    [`read_ledger`]) and to the writer next to it.
//! 4. Write a golden file of the new form (`XIAOER_GOLDEN=write cargo test --test core stored_shops::`, under a new
//!    name), and keep the files of the old ones: they must stay readable.

mod rebuild;
mod stream;
mod v1;
mod v2;

use std::borrow::Cow;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::state::shared_invites::MemoryLedger;
use super::state::shop::Shop;

use rebuild::Parts;

/// The form in which shops are written. Earlier forms can be read.
pub const STORED_VERSION: u16 = 2;

/// The form in which the ledger is written. Earlier forms can be read.
pub const LEDGER_VERSION: u16 = 1;

/// The first byte of every ledger form except the first.
const LATER_LEDGER: u8 = 0xff;

/// Why a part of a snapshot is invalid.
type InvalidPart = Cow<'static, str>;

/// Why stored bytes are not a valid shop or ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SnapshotError {
    /// A later form that this program does not know. The text says what to do.
    Newer(String),
    /// Not a valid form. The text says why.
    Damaged(String),
}

/// The snapshot of a shop. Fails if it cannot be encoded.
pub fn shop_bytes(shop: &Shop) -> Result<Vec<u8>, String> {
    let written = bincode::serde::encode_to_vec(shop, bincode::config::standard());
    written.map_err(|error| error.to_string())
}

/// Decodes the snapshot of a shop. Trailing bytes are an error.
pub fn read_shop(bytes: &[u8]) -> Result<Shop, SnapshotError> {
    let (version, _): (u16, usize) = decode(bytes)?;
    if version > STORED_VERSION {
        return Err(SnapshotError::Newer(unknown(
            "shop",
            version,
            STORED_VERSION,
        )));
    }
    decode_all(bytes)
}

/// The stored form of the ledger. Fails if it cannot be encoded.
pub fn ledger_bytes(ledger: &MemoryLedger) -> Result<Vec<u8>, String> {
    let written = bincode::serde::encode_to_vec(ledger, bincode::config::standard());
    written.map_err(|error| error.to_string())
}

/// Decodes the stored form of the ledger. Trailing bytes are an error.
pub fn read_ledger(bytes: &[u8]) -> Result<MemoryLedger, SnapshotError> {
    match bytes {
        [LATER_LEDGER, high, low, ..] => {
            let version = u16::from_be_bytes([*high, *low]);
            let unknown = unknown("ledger", version, LEDGER_VERSION);
            Err(match version {
                0..=LEDGER_VERSION => SnapshotError::Damaged(unknown),
                _ => SnapshotError::Newer(unknown),
            })
        }
        _ => decode_all(bytes),
    }
}

fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<(T, usize), SnapshotError> {
    let read = bincode::serde::borrow_decode_from_slice(bytes, bincode::config::standard());
    read.map_err(|error| SnapshotError::Damaged(error.to_string()))
}

fn decode_all<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, SnapshotError> {
    let (read, length) = decode(bytes)?;
    match bytes.len() - length {
        0 => Ok(read),
        left => Err(SnapshotError::Damaged(format!(
            "{left} bytes are left over"
        ))),
    }
}

fn unknown(what: &str, version: u16, known: u16) -> String {
    if version > known {
        format!(
            "the {what} is stored in form {version}, which a newer version of xiaoer has written; this program reads \
             forms up to {known}: use the newer program"
        )
    } else {
        format!("the {what} is stored in form {version}, which no version of xiaoer writes")
    }
}

impl Serialize for Shop {
    /// Writes the version, then the form.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let form = v2::shop(self).map_err(S::Error::custom)?;
        (STORED_VERSION, form).serialize(to)
    }
}

impl<'de> Deserialize<'de> for Shop {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Shop, D::Error> {
        from.deserialize_tuple(2, Forms)
    }
}

/// Reads a version, then its form.
struct Forms;

impl<'de> Visitor<'de> for Forms {
    type Value = Shop;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a version and a shop of that form")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Shop, A::Error> {
        let missing = || A::Error::invalid_length(0, &self);
        let version: u16 = parts.next_element()?.ok_or_else(missing)?;
        let read = match version {
            1 => parts
                .next_element::<v1::ShopV1>()?
                .map(v2::ShopV2Read::try_from),
            2 => parts.next_element::<v2::ShopV2Read>()?.map(Ok),
            _ => return Err(A::Error::custom(unknown("shop", version, STORED_VERSION))),
        };
        let read = read.ok_or_else(missing)?.map_err(A::Error::custom)?;
        let shop = read.parts().and_then(Parts::shop);
        shop.map_err(A::Error::custom)
    }
}

impl Serialize for MemoryLedger {
    /// Writes form 1, which has no version.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        v1::ledger(self).serialize(to)
    }
}

impl<'de> Deserialize<'de> for MemoryLedger {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<MemoryLedger, D::Error> {
        let read = v1::LedgerRead::deserialize(from)?;
        read.ledger().map_err(D::Error::custom)
    }
}
