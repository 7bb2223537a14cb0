//! Keys: who may do what, in which shop.
//!
//! A key is shown once, when it is made. The file holds the SHA-256 of its secret, which is enough for a random secret
//! of 178 bits. All keys of a folder are in `keys.json`, which a running server and `xiaoer key new` both write, one
//! after the other. This module knows no HTTP and no clock.
//!
//! Invariants: a key of one shop is not valid for another, nor for a later shop of the same name. A revoked key is
//! refused at once by the process that revoked it, and by another process at its next [`Keys::reload_if_changed`]. A
//! damaged file makes no key valid.

mod error;
mod file;
mod key_store;
mod key_text;
mod record;
mod scope;
mod shop_binding;

pub use error::KeyError;
pub use key_store::{Keys, NewKey};
pub use key_text::KEY_PATTERN;
pub use record::{KEYS_MAX, KeyRow, NAME_BYTES_MAX, ShopNumbers};
pub use scope::{Grant, Scope};
