//! `webhook-secrets.json`: the secrets of all endpoints, in a file of mode 600 beside the keys. The store and a backup
//! of it hold none.
//!
//! A secret is durable in the file before its endpoint is stored, and is removed after its endpoint. So an endpoint
//! always has its secret, and the next start removes what a crash leaves behind.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::endpoint::Signing;
use crate::env::private_files;
use crate::journal::JournalError;
pub use crate::journal::SECRETS_FILE;

/// The lock of processes that write the file.
const LOCK: &str = "webhook-secrets.lock";

/// The name of a damaged file that was set aside.
const DAMAGED_FILE: &str = "webhook-secrets.json.damaged";

/// The version that this release writes; it reads every one up to it.
const VERSION: u32 = 1;

/// The most endpoints of a folder: every change writes the whole file.
pub const ENDPOINTS_MAX: usize = 100_000;

/// The secrets of all endpoints of a folder.
pub struct SecretsFile {
    folder: PathBuf,
    /// The content of the file; locked while the file is written.
    held: Mutex<HeldSecrets>,
}

/// Secrets by the number of the shop and the id of the endpoint.
type HeldSecrets = BTreeMap<(u64, String), Vec<Signing>>;

/// The secrets of one endpoint.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSecrets {
    /// The number of its shop.
    shop: u64,
    /// The id of the endpoint.
    endpoint: String,
    secrets: Vec<Signing>,
}

/// Shows no secret, since it may be logged.
impl fmt::Debug for EndpointSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointSecrets({} of {})", self.endpoint, self.shop)
    }
}

impl EndpointSecrets {
    /// Whether they belong to this endpoint.
    pub(super) fn is_of(&self, shop: u64, endpoint: &str) -> bool {
        (self.shop, self.endpoint.as_str()) == (shop, endpoint)
    }

    /// The secrets of an endpoint of the shop with this number.
    pub(super) fn new(shop: u64, endpoint: &str, secrets: Vec<Signing>) -> EndpointSecrets {
        EndpointSecrets {
            shop,
            endpoint: endpoint.to_owned(),
            secrets,
        }
    }
}

/// The field that every version has.
#[derive(Deserialize)]
struct SecretsHead {
    version: u32,
}

/// The file. Its names are added to, never renamed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretsForm {
    version: u32,
    /// The checksum of the secrets as JSON without blanks: 8 hexadecimal digits.
    crc32: String,
    endpoints: Vec<EndpointSecrets>,
}

/// Why a file was not read.
enum Unread {
    /// It is damaged; the text says how.
    Damaged(String),
    /// A newer program wrote it, in this version.
    Newer(u32),
}

fn decode(bytes: &[u8]) -> Result<HeldSecrets, Unread> {
    // The error names the position only: the text around it may be a secret.
    let damaged = |error: serde_json::Error| {
        Unread::Damaged(format!("line {}, column {}", error.line(), error.column()))
    };
    let head: SecretsHead = serde_json::from_slice(bytes).map_err(damaged)?;
    if head.version > VERSION {
        return Err(Unread::Newer(head.version));
    }
    let form: SecretsForm = serde_json::from_slice(bytes).map_err(damaged)?;
    let endpoints = form.endpoints.into_iter();
    let held: HeldSecrets = endpoints
        .map(|of| ((of.shop, of.endpoint), of.secrets))
        .collect();
    match encode(&held) == bytes {
        true => Ok(held),
        false => Err(Unread::Damaged("its checksum is wrong".to_owned())),
    }
}

fn encode(held: &HeldSecrets) -> Vec<u8> {
    let endpoints: Vec<EndpointSecrets> = held
        .iter()
        .map(|((shop, endpoint), secrets)| EndpointSecrets::new(*shop, endpoint, secrets.clone()))
        .collect();
    let plain = serde_json::to_vec(&endpoints).unwrap_or_default();
    let form = SecretsForm {
        version: VERSION,
        crc32: format!("{:08x}", crc32fast::hash(&plain)),
        endpoints,
    };
    let mut bytes = serde_json::to_vec_pretty(&form).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

impl SecretsFile {
    /// Opens the secrets of a folder, which must exist; a missing file holds no secrets. A damaged file is set aside
    /// with a line in the log: its endpoints need new secrets, and the server starts.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or a newer program wrote it.
    pub fn open(folder: &Path) -> Result<SecretsFile, JournalError> {
        let held = match read(folder)? {
            Ok(held) => held,
            Err(Unread::Newer(version)) => return Err(newer(folder, version)),
            Err(Unread::Damaged(how)) => {
                tracing::error!(
                    how,
                    "{SECRETS_FILE} is damaged and was moved to {DAMAGED_FILE}: its webhooks are switched off until their \
                     secrets are rotated, or until the file is put back from a backup"
                );
                std::fs::rename(folder.join(SECRETS_FILE), folder.join(DAMAGED_FILE))
                    .map_err(|error| failed(folder, "move", &error))?;
                HeldSecrets::new()
            }
        };
        Ok(SecretsFile {
            folder: folder.to_owned(),
            held: Mutex::new(held),
        })
    }

    /// Writes the file as a backup holds it.
    ///
    /// # Errors
    ///
    /// The bytes are not such a file, or it cannot be written.
    pub fn restore(folder: &Path, bytes: &[u8]) -> Result<(), JournalError> {
        match decode(bytes) {
            Ok(_) => {}
            Err(Unread::Newer(version)) => return Err(newer(folder, version)),
            Err(Unread::Damaged(how)) => {
                let what = format!("the secrets of webhooks in the backup are damaged ({how})");
                return Err(JournalError::Damaged(what));
            }
        }
        private_files::write_whole(folder, SECRETS_FILE, bytes)
            .map(drop)
            .map_err(|error| failed(folder, "write", &error))
    }

    /// The bytes of the file, for a backup.
    pub fn bytes(&self) -> Vec<u8> {
        encode(&self.held())
    }

    /// The number of endpoints with secrets.
    pub fn len(&self) -> usize {
        self.held().len()
    }

    /// Whether there are no secrets.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The secrets of an endpoint, the newest first; empty where there are none.
    pub(super) fn of(&self, shop: u64, endpoint: &str) -> Vec<Signing> {
        let key = (shop, endpoint.to_owned());
        self.held().get(&key).cloned().unwrap_or_default()
    }

    /// Replaces the secrets of endpoints. They are durable when this returns; it waits for the disk.
    ///
    /// # Errors
    ///
    /// The file cannot be locked or written.
    pub fn put(&self, all: Vec<EndpointSecrets>) -> Result<(), JournalError> {
        self.change(|held| {
            for of in all {
                held.insert((of.shop, of.endpoint), of.secrets);
            }
        })
    }

    /// Removes the secrets of all endpoints but those that `keep` accepts, and returns how many it removed. Does not
    /// use the disk where there are none.
    ///
    /// # Errors
    ///
    /// The file cannot be locked or written.
    pub fn retain(&self, keep: impl Fn(u64, &str) -> bool) -> Result<usize, JournalError> {
        let gone = |held: &HeldSecrets| {
            let keys = held.keys();
            keys.filter(|(shop, endpoint)| !keep(*shop, endpoint))
                .count()
        };
        let count = gone(&self.held());
        if count > 0 {
            self.change(|held| held.retain(|(shop, endpoint), _| keep(*shop, endpoint)))?;
        }
        Ok(count)
    }

    fn change(&self, edit: impl FnOnce(&mut HeldSecrets)) -> Result<(), JournalError> {
        let mut held = self.held();
        let lock = private_files::lock(&self.folder, LOCK);
        let lock = lock.map_err(|error| failed(&self.folder, "lock", &error))?;
        let _lock = lock.ok_or_else(|| {
            JournalError::Failed(format!(
                "another process has held {LOCK} for 5 s: wait for it to end, or stop it, and try again"
            ))
        })?;
        let mut changed = held.clone();
        edit(&mut changed);
        if changed != *held {
            private_files::write_whole(&self.folder, SECRETS_FILE, &encode(&changed))
                .map_err(|error| failed(&self.folder, "write", &error))?;
            *held = changed;
        }
        Ok(())
    }

    fn held(&self) -> MutexGuard<'_, HeldSecrets> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(folder: &Path) -> Result<Result<HeldSecrets, Unread>, JournalError> {
    match std::fs::read(folder.join(SECRETS_FILE)) {
        Ok(bytes) => Ok(decode(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Ok(HeldSecrets::new())),
        Err(error) => Err(failed(folder, "read", &error)),
    }
}

fn newer(folder: &Path, version: u32) -> JournalError {
    JournalError::Unusable(format!(
        "{} is in form {version}, which a newer xiaoer has written: use that version",
        folder.join(SECRETS_FILE).display()
    ))
}

fn failed(folder: &Path, doing: &str, error: &io::Error) -> JournalError {
    JournalError::Unusable(format!(
        "could not {doing} {}: {error}; the folder and its files must belong to the user who runs xiaoer, and the disk \
         must have room",
        folder.join(SECRETS_FILE).display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhooks::Secret;

    /// As this release writes it; it must be read for ever.
    const FIRST_FORM: &str = r#"{
  "version": 1,
  "crc32": "452b21eb",
  "endpoints": [
    {
      "shop": 7,
      "endpoint": "wh1",
      "secrets": [
        {
          "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "until": null
        }
      ]
    }
  ]
}
"#;

    fn secrets(shop: u64, endpoint: &str) -> EndpointSecrets {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        EndpointSecrets::new(shop, endpoint, vec![Signing::first(secret)])
    }

    #[test]
    fn what_is_put_is_there_again_and_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = SecretsFile::open(folder.path()).unwrap();
        assert!(file.is_empty());
        file.put(vec![
            secrets(7, "wh1"),
            secrets(7, "wh2"),
            secrets(8, "wh1"),
        ])
        .unwrap();
        assert_eq!(
            file.retain(|shop, endpoint| (shop, endpoint) == (7, "wh1")),
            Ok(2)
        );
        assert_eq!(file.retain(|_, _| true), Ok(0));
        let path = folder.path().join(SECRETS_FILE);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), FIRST_FORM);
        let again = SecretsFile::open(folder.path()).unwrap();
        assert!(again.of(7, "wh1") == secrets(7, "wh1").secrets);
        assert!(again.of(8, "wh1").is_empty());
        // As in a backup.
        let other = tempfile::tempdir().unwrap();
        SecretsFile::restore(other.path(), &again.bytes()).unwrap();
        assert_eq!(SecretsFile::open(other.path()).unwrap().len(), 1);
        assert!(SecretsFile::restore(other.path(), b"{}").is_err());
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed_and_none_stops_a_start() {
        for bit in 0..FIRST_FORM.len() * 8 {
            let mut bytes = FIRST_FORM.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&bytes).is_err(), "bit {bit}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(SECRETS_FILE), &FIRST_FORM[1..]).unwrap();
        let file = SecretsFile::open(folder.path()).unwrap();
        assert!(file.is_empty());
        let aside = std::fs::read_to_string(folder.path().join(DAMAGED_FILE)).unwrap();
        assert_eq!(aside, FIRST_FORM[1..], "what is left of it is kept");
        let newer = FIRST_FORM.replace("\"version\": 1", "\"version\": 2");
        std::fs::write(folder.path().join(SECRETS_FILE), newer).unwrap();
        assert!(SecretsFile::open(folder.path()).is_err());
    }

    #[test]
    fn no_secret_is_shown() {
        let shown = format!("{:?}", secrets(7, "wh1"));
        assert_eq!(shown, "EndpointSecrets(wh1 of 7)");
    }
}
