//! Keys: who may do what, over which shop.
//!
//! A key is shown once, when it is made; what is kept of it is the SHA-256 of its secret, which is as long as a hash
//! needs to be when nobody can guess what went in (178 bits). All keys of a folder live in its `keys.json`, which a
//! running server and `xiaoer key new` both write, one after the other. The room knows no HTTP and no clock.
//!
//! What it keeps: a key of one shop is of no use for another, nor for a later shop of the same name; a key that was revoked is refused, here at once, and by
//! the other process at its next [`Keys::reload_if_changed`]; a file that is damaged grants nothing.

mod binding;
mod error;
mod file;
mod key_store;
mod key_text;
mod record;
mod scope;

pub use error::KeyError;
pub use key_store::{Keys, NewKey};
pub use key_text::KEY_PATTERN;
pub use record::{KEYS_MAX, KeyRow, NAME_BYTES_MAX, Numbers};
pub use scope::{Grant, Scope};
