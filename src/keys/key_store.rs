//! The keys of a folder: makes, checks and revokes them.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::error::KeyError;
use super::file::{FileStamp, KeyFile};
use super::key_text;
use super::record::{KEYS_MAX, KeyRecord, KeyRow, NAME_BYTES_MAX};
use super::scope::{Grant, Scope};
use crate::domain::base::id::Id;
use crate::domain::base::time::Instant;
use crate::keys::record::ShopNumbers;

/// All keys of a folder. Many threads may check keys while one changes them.
pub struct Keys {
    file: KeyFile,
    /// The valid keys; replaced as a whole, so that a check never waits for the disk.
    live: RwLock<Arc<ValidKeys>>,
    /// How often they were replaced.
    version: AtomicU64,
    /// What is known of the file. Locked while the file is read or written, so that an older reading never replaces a
    /// newer one.
    seen: Mutex<FileSeen>,
    /// Gives the number of a shop, in a server.
    pub(super) numbers: OnceLock<ShopNumbers>,
}

/// The latest reading of the file.
pub(super) struct FileSeen {
    stamp: Option<FileStamp>,
    pub(super) records: Vec<KeyRecord>,
    /// Keys that are refused for now, because their shop is being deleted.
    pub(super) blocked: HashSet<Id>,
    /// Keys that are refused although the file still has them, because their shop was deleted.
    pub(super) gone: HashSet<Id>,
}

/// Keys by their ids, and whether each is valid.
type ValidKeys = HashMap<Id, (KeyRecord, bool)>;

/// The fields of a new key.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The shop of the key; `None` for scope `admin`, and only for it.
    pub shop: Option<Id>,
    /// Its scope.
    pub scope: Scope,
    /// Its name: 1 to [`NAME_BYTES_MAX`] bytes without control characters.
    pub name: Option<String>,
    /// Whether its holder may send `at`; `owner` and `admin` always may.
    pub own_clock: bool,
    /// The shop's number, where the shop exists: the key is not valid for a later shop of that name. Without it the
    /// key is bound to the first shop that a server finds.
    pub number: Option<u64>,
    /// The current time.
    pub at: Instant,
}

impl Keys {
    /// The keys of a folder, which must exist; a folder without `keys.json` has no keys.
    ///
    /// # Errors
    ///
    /// The folder does not exist; the file cannot be read, is damaged, or is of a newer program.
    pub fn open(folder: &Path) -> Result<Keys, KeyError> {
        let file = KeyFile::of(folder)?;
        let (records, stamp) = file.read()?;
        Ok(Keys {
            file,
            live: RwLock::new(Arc::new(by_id(&records, |_| true))),
            version: AtomicU64::new(0),
            seen: Mutex::new(FileSeen {
                stamp,
                records,
                blocked: HashSet::new(),
                gone: HashSet::new(),
            }),
            numbers: OnceLock::new(),
        })
    }

    /// How often the valid keys have changed. A caller that has checked a key must check it again when this number is
    /// another one.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether there are no keys, as at a first start.
    pub fn is_empty(&self) -> bool {
        self.seen().records.is_empty()
    }

    /// What the holder of this key may do; `None` where the key is not valid. Does not use the disk.
    pub fn check(&self, key: &str) -> Option<Grant> {
        let parts = key_text::read(key)?;
        let hash = sha256(parts.secret);
        let live = self.live();
        let record = live.get(parts.id);
        let record = record.and_then(|(record, good)| good.then_some(record));
        // An unknown id is compared too, so that it takes as long.
        let kept = record.map_or([0; 32], |record| record.secret_sha256);
        let same = bool::from(kept.ct_eq(&hash));
        record.filter(|_| same).map(|record| Grant {
            id: record.row.id.clone(),
            scope: record.row.scope,
            shop: record.row.shop.clone(),
            own_clock: record.row.own_clock || record.row.scope.has_own_clock(),
        })
    }

    /// All keys, the oldest first.
    pub fn list(&self) -> Vec<KeyRow> {
        let live = self.live();
        let mut rows: Vec<KeyRow> = live
            .values()
            .map(|(record, _)| record.row.clone())
            .collect();
        rows.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        rows
    }

    /// Makes a key, stores it, and returns its text, which cannot be read again. Waits for the disk, and up to 5 s for
    /// another process, so it must not run on a thread that serves.
    ///
    /// # Errors
    ///
    /// The shop does not go with the scope; the name is malformed; the clock is wrong; there are [`KEYS_MAX`] keys;
    /// the file cannot be locked, read or written.
    pub fn new_key(&self, new: NewKey) -> Result<(KeyRow, String), KeyError> {
        let scope = new.scope;
        match (&new.shop, scope.is_of_a_shop()) {
            (None, true) => return Err(KeyError::ShopMissing { scope }),
            (Some(_), false) => return Err(KeyError::ShopNamed { scope }),
            (Some(_), true) | (None, false) => {}
        }
        if new.name.as_deref().is_some_and(|name| !is_name(name)) {
            return Err(KeyError::NameMalformed);
        }
        // The file holds instants in the form of the wire, which has these years only.
        if Instant::parse(&new.at.at_offset(0).to_string()).is_none() {
            return Err(KeyError::ClockWrong);
        }
        let secret = self.draw(key_text::SECRET_CHARS)?;
        self.change(|records| {
            if records.len() >= KEYS_MAX {
                return Err(KeyError::TooMany);
            }
            let id = self.free_id(records)?;
            let shown = key_text::write(&id, &secret);
            let row = KeyRow {
                id,
                scope,
                shop: new.shop,
                name: new.name,
                created: new.at,
                own_clock: new.own_clock,
            };
            records.push(KeyRecord {
                row: row.clone(),
                secret_sha256: sha256(&secret),
                number: new.number,
            });
            Ok((row, shown))
        })
    }

    /// Revokes a key. Waits like [`Keys::new_key`].
    ///
    /// # Errors
    ///
    /// There is no key with this id; the file cannot be locked, read or written.
    pub fn revoke(&self, id: &str) -> Result<KeyRow, KeyError> {
        self.change(|records| {
            let at = records
                .iter()
                .position(|record| record.row.id.as_str() == id);
            let at = at.ok_or_else(|| KeyError::Unknown { id: id.to_owned() })?;
            Ok(records.remove(at).row)
        })
    }

    /// Reads the file again where it has changed, and returns whether it had. Called about once a second; an unchanged
    /// file costs one system call.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is damaged or of a newer program, or was removed. The earlier keys stay valid, and the
    /// next call returns the same error.
    pub fn reload_if_changed(&self) -> Result<bool, KeyError> {
        let mut seen = self.seen();
        let stamp = self.file.stamp()?;
        if stamp == seen.stamp {
            return Ok(false);
        }
        let (records, stamp) = self.read(seen.stamp)?;
        (seen.records, seen.stamp) = (records, stamp);
        self.publish(&seen);
        Ok(true)
    }

    /// Changes the file under its lock, starting from its current content. Keys of deleted shops are removed, and keys
    /// without a number get that of their shop. Does not write where nothing changes.
    pub(super) fn change<T>(
        &self,
        edit: impl FnOnce(&mut Vec<KeyRecord>) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        let mut seen = self.seen();
        let lock = self.file.lock()?;
        let (before, mut stamp) = self.read(seen.stamp)?;
        let mut records = before.clone();
        let answer = edit(&mut records)?;
        records.retain(|record| !seen.gone.contains(&record.row.id));
        for record in &mut records {
            if self.binds(record) {
                record.number = self.number_of(record);
            }
        }
        if records != before {
            stamp = self.file.write(&records, &lock)?;
        }
        seen.gone.clear();
        (seen.records, seen.stamp) = (records, stamp);
        self.publish(&seen);
        Ok(answer)
    }

    /// A file that existed must still exist: otherwise `rm` and one new key would lose a shop's keys.
    fn read(
        &self,
        seen: Option<FileStamp>,
    ) -> Result<(Vec<KeyRecord>, Option<FileStamp>), KeyError> {
        let (records, stamp) = self.file.read()?;
        match (seen, stamp) {
            (Some(_), None) => Err(KeyError::Gone {
                path: self.file.path(),
            }),
            (Some(_), Some(_)) | (None, _) => Ok((records, stamp)),
        }
    }

    fn free_id(&self, records: &[KeyRecord]) -> Result<Id, KeyError> {
        loop {
            let drawn = self.draw(key_text::ID_CHARS)?;
            let taken = records.iter().any(|record| *record.row.id == *drawn);
            if let (false, Some(id)) = (taken, Id::new(&drawn)) {
                return Ok(id);
            }
        }
    }

    fn draw(&self, chars: usize) -> Result<String, KeyError> {
        key_text::draw(chars).map_err(|source| KeyError::Io {
            doing: "read",
            path: "/dev/urandom".into(),
            source,
        })
    }

    fn live(&self) -> Arc<ValidKeys> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&live)
    }

    /// Makes the keys that were read valid, except those that are refused here and those of an earlier shop.
    pub(super) fn publish(&self, seen: &FileSeen) {
        let known = self.numbers.get().is_some();
        let good = |record: &KeyRecord| {
            let id = &record.row.id;
            let its_own = match record.number {
                Some(number) if known => self.number_of(record) == Some(number),
                Some(_) | None => true,
            };
            its_own && !seen.blocked.contains(id) && !seen.gone.contains(id)
        };
        let by_id = Arc::new(by_id(&seen.records, good));
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = by_id;
        self.version.fetch_add(1, Ordering::Release);
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, FileSeen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_id(records: &[KeyRecord], good: impl Fn(&KeyRecord) -> bool) -> ValidKeys {
    let live = records.iter().map(|record| (record.clone(), good(record)));
    live.map(|held| (held.0.row.id.clone(), held)).collect()
}

fn sha256(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn is_name(name: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&name.len()) && !name.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const AT: Instant = Instant::from_ms(1_794_362_400_000);

    fn new(scope: Scope, shop: Option<&str>) -> NewKey {
        NewKey {
            shop: shop.and_then(Id::new),
            scope,
            name: None,
            own_clock: false,
            number: None,
            at: AT,
        }
    }

    fn keys() -> (tempfile::TempDir, Keys) {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::open(folder.path()).unwrap();
        (folder, keys)
    }

    #[test]
    fn a_key_grants_what_it_was_made_for() {
        let (_folder, keys) = keys();
        assert!(keys.is_empty());
        for (scope, shop, own_clock, granted) in [
            (Scope::Events, Some("a"), false, false),
            (Scope::Events, Some("a"), true, true),
            (Scope::Read, Some("b"), false, false),
            (Scope::Owner, Some("a"), false, true),
            (Scope::Admin, None, false, true),
        ] {
            let asked = NewKey {
                own_clock,
                ..new(scope, shop)
            };
            let (row, text) = keys.new_key(asked).unwrap();
            assert_eq!((row.scope, row.own_clock), (scope, own_clock));
            let grant = keys.check(&text).unwrap();
            assert_eq!(grant.id, row.id);
            assert_eq!((grant.scope, grant.own_clock), (scope, granted));
            assert_eq!(grant.shop.as_deref(), shop);
        }
        assert!(!keys.is_empty());
        assert_eq!(keys.list().len(), 5);
    }

    #[test]
    fn the_id_of_one_key_does_not_go_with_the_secret_of_another() {
        let (_folder, keys) = keys();
        let (one, _) = keys.new_key(new(Scope::Admin, None)).unwrap();
        let (_, other) = keys.new_key(new(Scope::Events, Some("a"))).unwrap();
        let secret = key_text::read(&other).unwrap().secret;
        assert_eq!(keys.check(&key_text::write(&one.id, secret)), None);
        assert_eq!(keys.check(&key_text::write("zzzzzzzz", secret)), None);
        assert!(keys.check(&other).is_some());
    }

    #[test]
    fn a_revoked_key_is_refused() {
        let (folder, keys) = keys();
        let (row, text) = keys.new_key(new(Scope::Events, Some("a"))).unwrap();
        let (_, same_shop) = keys.new_key(new(Scope::Read, Some("a"))).unwrap();
        let (_, other_shop) = keys.new_key(new(Scope::Read, Some("b"))).unwrap();
        assert_eq!(keys.revoke(&row.id).unwrap(), row);
        assert_eq!(keys.check(&text), None);
        assert!(keys.check(&same_shop).is_some());
        let shop = Id::new("a").unwrap();
        assert_eq!(keys.revoke_shop(&shop, None).unwrap(), 1);
        assert_eq!(keys.revoke_shop(&shop, None).unwrap(), 0);
        for keys in [keys, Keys::open(folder.path()).unwrap()] {
            assert_eq!(keys.check(&same_shop), None);
            assert!(keys.check(&other_shop).is_some());
        }
    }

    #[test]
    fn what_cannot_be_made_says_what_can() {
        let (_folder, keys) = keys();
        let named = |name: &str| NewKey {
            name: Some(name.to_owned()),
            ..new(Scope::Admin, None)
        };
        let early = NewKey {
            at: Instant::from_ms(0),
            ..new(Scope::Admin, None)
        };
        for (asked, error) in [
            (
                new(Scope::Events, None),
                expect![
                    "a key of scope `events` is for one shop: name it with --shop (`shop` over HTTP)"
                ],
            ),
            (
                new(Scope::Read, None),
                expect![
                    "a key of scope `read` is for one shop: name it with --shop (`shop` over HTTP)"
                ],
            ),
            (
                new(Scope::Owner, None),
                expect![
                    "a key of scope `owner` is for one shop: name it with --shop (`shop` over HTTP)"
                ],
            ),
            (
                new(Scope::Admin, Some("a")),
                expect![
                    "a key of scope `admin` is for all shops: leave the shop out, or ask for scope `owner`"
                ],
            ),
            (
                named("a\nb"),
                expect![
                    "a key's name has 1 to 128 bytes and no control characters: choose another, or leave it out"
                ],
            ),
            (
                named(&"x".repeat(129)),
                expect![
                    "a key's name has 1 to 128 bytes and no control characters: choose another, or leave it out"
                ],
            ),
            (
                early,
                expect![
                    "the clock of this machine is not in the years 2000 to 2099: set it, and make the key again"
                ],
            ),
        ] {
            error.assert_eq(&keys.new_key(asked).unwrap_err().to_string());
        }
        expect!["there is no key `nobody`: `xiaoer key list` shows all ids (the 8 characters after `xek_`)"]
            .assert_eq(&keys.revoke("nobody").unwrap_err().to_string());
        assert!(keys.is_empty());
    }

    #[test]
    fn two_processes_on_one_folder_see_each_others_keys() {
        let (folder, server) = keys();
        let command = Keys::open(folder.path()).unwrap();
        assert!(!server.reload_if_changed().unwrap());
        let (row, first) = command.new_key(new(Scope::Admin, None)).unwrap();
        assert_eq!(server.check(&first), None);
        assert!(server.reload_if_changed().unwrap() && !server.reload_if_changed().unwrap());
        assert!(server.check(&first).is_some());
        // A writer keeps what another process has written since.
        let (_, second) = server.new_key(new(Scope::Read, Some("a"))).unwrap();
        command.revoke(&row.id).unwrap();
        assert!(server.check(&first).is_some(), "not read again yet");
        server.reload_if_changed().unwrap();
        assert_eq!(server.check(&first), None);
        assert!(server.check(&second).is_some() && command.check(&second).is_some());
    }

    #[test]
    fn nobody_loses_a_key_to_somebody_who_writes_at_once() {
        let (folder, keys) = keys();
        let others: Vec<Keys> = (0..3).map(|_| Keys::open(folder.path()).unwrap()).collect();
        std::thread::scope(|scope| {
            for keys in others.iter().chain([&keys]) {
                scope.spawn(|| {
                    for _ in 0..5 {
                        keys.new_key(new(Scope::Admin, None)).unwrap();
                    }
                });
            }
        });
        keys.reload_if_changed().unwrap();
        assert_eq!(keys.list().len(), 20);
    }

    #[test]
    fn a_file_that_cannot_be_used_grants_nothing_new_and_says_what_to_do() {
        let (folder, keys) = keys();
        let (_, text) = keys.new_key(new(Scope::Admin, None)).unwrap();
        let path = folder.path().join("keys.json");
        let whole = std::fs::read_to_string(&path).unwrap();
        let shown = |error: KeyError| {
            let text = error.to_string();
            text.replace(&folder.path().display().to_string(), "DATA")
        };
        let mut errors = Vec::new();
        for content in [
            "",
            &whole.replace("admin", "owner"),
            &whole.replace("false", "true"),
            "{\"version\": 2}",
        ] {
            std::fs::write(&path, content).unwrap();
            let error = shown(Keys::open(folder.path()).err().unwrap());
            assert_eq!(error, shown(keys.reload_if_changed().unwrap_err()));
            let changing = keys.new_key(new(Scope::Admin, None));
            assert_eq!(error, shown(changing.unwrap_err()));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
            assert!(keys.check(&text).is_some(), "what was granted stays so");
            errors.push(error);
        }
        std::fs::remove_file(&path).unwrap();
        errors.push(shown(keys.new_key(new(Scope::Admin, None)).unwrap_err()));
        errors.push(shown(Keys::open(&path).err().unwrap()));
        expect![[r#"
            DATA/keys.json is damaged (EOF while parsing a value at line 1 column 0): restore it from a backup; or move it away, restart, and make new keys with `xiaoer key new`: the old ones are then refused
            DATA/keys.json is damaged (a key is not of the form of keys): restore it from a backup; or move it away, restart, and make new keys with `xiaoer key new`: the old ones are then refused
            DATA/keys.json is damaged (its checksum is that of another content): restore it from a backup; or move it away, restart, and make new keys with `xiaoer key new`: the old ones are then refused
            DATA/keys.json is in form 2, which a newer xiaoer has written: run that version, or restore this version's file from a backup
            DATA/keys.json was removed while it was in use: put it back, or restart to begin without keys
            there is no folder DATA/keys.json: make it, or name the server's folder with --data"#]].assert_eq(&errors.join("\n"));
    }

    #[test]
    fn what_is_shown_of_a_key_has_no_secret() {
        let (_folder, keys) = keys();
        let asked = NewKey {
            name: Some("till".to_owned()),
            ..new(Scope::Read, Some("a"))
        };
        let (row, _) = keys.new_key(asked).unwrap();
        let shown = serde_json::to_string(&row).unwrap();
        expect![[r#"{"id":"ID","scope":"read","shop":"a","name":"till","created":"2026-11-11T02:00:00+00:00","own_clock":false}"#]]
            .assert_eq(&shown.replace(row.id.as_str(), "ID"));
    }
}
