//! Small stored values: a form, a checksum and the value in bincode.
//!
//! Each form that was ever written has types of its own. To add a field: write the value in the next form, keep the
//! types of the form before, and convert.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::journal::JournalError;
use crate::journal::error::damaged;

/// Bytes of the form and the checksum.
const HEAD_BYTES: usize = 5;

/// A value in its stored form.
pub fn encode(form: u8, value: &impl Serialize) -> Vec<u8> {
    let mut bytes = vec![form, 0, 0, 0, 0];
    let config = bincode::config::standard();
    let written = bincode::serde::encode_into_std_write(value, &mut bytes, config);
    // Writing into memory cannot fail.
    debug_assert!(written.is_ok());
    let sum = crc32fast::hash(&bytes[HEAD_BYTES..]);
    bytes[1..HEAD_BYTES].copy_from_slice(&sum.to_be_bytes());
    bytes
}

/// A stored value whose checksum is right.
pub struct ChecksummedValue<'a> {
    /// The form in which it is stored.
    pub form: u8,
    body: &'a [u8],
    what: &'a str,
}

/// Checks a stored value; `what` names it in errors.
pub fn decode<'a>(bytes: &'a [u8], what: &'a str) -> Result<ChecksummedValue<'a>, JournalError> {
    let wrong = || damaged(&format!("{what} fails its checksum"));
    let (head, body) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or_else(wrong)?;
    let [form, sum @ ..] = *head;
    if crc32fast::hash(body) != u32::from_be_bytes(sum) {
        return Err(wrong());
    }
    Ok(ChecksummedValue { form, body, what })
}

impl ChecksummedValue<'_> {
    /// The value, read with the types of its form.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, JournalError> {
        let config = bincode::config::standard();
        match bincode::serde::decode_from_slice(self.body, config) {
            Ok((value, length)) if length == self.body.len() => Ok(value),
            Ok(_) | Err(_) => Err(damaged(&format!("{} cannot be decoded", self.what))),
        }
    }

    /// The error for a form that this program does not read.
    pub fn newer(&self) -> JournalError {
        JournalError::Unusable(format!(
            "{} is stored in form {}, which this program does not read: use the newer program",
            self.what, self.form
        ))
    }

    /// The value, where only form 1 exists.
    pub fn read_form_1<T: DeserializeOwned>(&self) -> Result<T, JournalError> {
        match self.form {
            1 => self.read(),
            _ => Err(self.newer()),
        }
    }
}
