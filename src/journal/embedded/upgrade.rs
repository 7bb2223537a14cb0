//! Upgrade: converts a folder of an older form to this program's form.
//!
//! The pairs of the old store are copied into a new store in the folder `upgrading`, where
//! [`legacy_deletions`](super::legacy_deletions) repairs what older releases left behind. The new store is opened and
//! verified. Then `VERSION` is raised, so that no older release opens the folder, and the new store replaces the old
//! one. After a crash before that step the conversion begins again; after it the next start finishes it. The old store
//! is unchanged until then.
//!
//! In place, the store itself is changed, and the file `CONVERTING` exists until that is done. It needs no room, but
//! it cannot be undone.

use std::fs::{self, File};
use std::sync::Arc;

use super::data_dir::DataDir;
use super::folder_id::FolderId;
use super::legacy_deletions::examine;
use super::settings::JournalSettings;
use super::store::{Changes, Store, Tree};
use super::store_switch::{STAGING, VERIFIED, failed, finish, remove_folder, sync_folder};
use super::watermark::Watermark;
use super::{recovery, shop_metadata, verify};
use crate::env::{FailStop, Stopwatch};
use crate::journal::{JournalError, MetadataEntry};

/// Exists while the store is converted in place.
const CONVERTING: &str = "CONVERTING";

/// Free bytes that are needed beside the size of the old store.
const SPARE_BYTES: u64 = 16 * 1024 * 1024;

/// Bytes of pairs that are written in one step.
const STEP_BYTES: usize = 1024 * 1024;

/// How often the progress is shown, in microseconds.
const SHOW_EVERY_US: u64 = 1_000_000;

/// Converts a metadata value: takes it and the number of its shop, and returns what is stored instead.
pub type ConvertMetadata<'a> = dyn FnMut(u64, &MetadataEntry) -> Result<Vec<u8>, JournalError> + 'a;

/// How an older folder is converted.
pub struct Upgrade<'a> {
    /// Whether the store itself is changed, without a copy.
    pub in_place: bool,
    /// Converts metadata of other modules. What it has stored elsewhere must be durable when it returns.
    pub metadata: Box<ConvertMetadata<'a>>,
    /// Shows the progress.
    pub show: Box<dyn FnMut(&str) + 'a>,
}

impl Upgrade<'_> {
    /// By a copy, without progress messages and with metadata as it is.
    pub fn plain() -> Upgrade<'static> {
        Upgrade {
            in_place: false,
            metadata: Box::new(|_, metadata| Ok(metadata.value.clone())),
            show: Box::new(|_| {}),
        }
    }
}

/// The options with which stores are opened.
type StoreOptions<'a> = (&'a JournalSettings, &'a Arc<dyn FailStop>);

/// Converts a folder to this program's form. Returns what was repaired, a sentence each.
pub fn upgrade_folder(
    folder: &DataDir,
    form: u32,
    at: StoreOptions<'_>,
    upgrade: &mut Upgrade<'_>,
) -> Result<Vec<String>, JournalError> {
    finish(folder, form)?;
    let converting = folder.path().join(CONVERTING);
    if form == super::data_dir::VERSION {
        return match converting.exists() {
            true => in_place(folder, at, upgrade),
            false => Ok(Vec::new()),
        };
    }
    if !upgrade.in_place {
        return by_copy(folder, at, upgrade);
    }
    File::create(&converting)
        .and_then(|file| file.sync_all())
        .map_err(failed("CONVERTING cannot be made"))?;
    folder.sync()?;
    folder.write_version()?;
    in_place(folder, at, upgrade)
}

fn by_copy(
    folder: &DataDir,
    at: StoreOptions<'_>,
    upgrade: &mut Upgrade<'_>,
) -> Result<Vec<String>, JournalError> {
    let staging = folder.path().join(STAGING);
    remove_folder(&staging)?;
    // A conversion in place that was interrupted before it changed anything.
    fs::remove_file(folder.path().join(CONVERTING)).ok();
    let old = recovery::read(&folder.store_path(), &folder.watermark_path(), at)?;
    let needed = old.store.bytes() + SPARE_BYTES;
    let free = folder.free_bytes();
    if free < needed {
        return Err(JournalError::Unusable(format!(
            "{} is of an older form and must be converted. The copy needs {needed} free bytes, and the disk has \
             {free}: \
             free some, or start once with --upgrade-in-place, which needs no copy but cannot be undone (take a \
             backup first)",
            folder.path().display()
        )));
    }
    fs::create_dir(&staging).map_err(failed("the folder `upgrading` cannot be made"))?;
    let new = Store::open(&staging.join("store"), at.0, at.1)?;
    new.opened();
    copy(&old.store, &new, upgrade)?;
    (upgrade.show)("converting: the copy is complete and is being verified");
    let (repairs, id) = convert(&new, upgrade, false)?;
    let watermark = Watermark::create(&staging.join("mark"), id, old.reach, old.metadata_commits);
    watermark.map_err(failed("the file `mark`"))?;
    sync_folder(&staging)?;
    drop((old, new));
    let (store, watermark) = (staging.join("store"), staging.join("mark"));
    verify::verify_store(&recovery::read(&store, &watermark, at)?)?;
    File::create(staging.join(VERIFIED))
        .and_then(|file| file.sync_all())
        .map_err(failed("VERIFIED cannot be made"))?;
    sync_folder(&staging)?;
    folder.write_version()?;
    finish(folder, super::data_dir::VERSION)?;
    Ok(repairs)
}

fn in_place(
    folder: &DataDir,
    at: StoreOptions<'_>,
    upgrade: &mut Upgrade<'_>,
) -> Result<Vec<String>, JournalError> {
    (upgrade.show)("converting in place");
    let found = recovery::read(&folder.store_path(), &folder.watermark_path(), at)?;
    // The watermark gets the new id first, so that an interrupted conversion goes on with it.
    let id = found.watermark.folder.unwrap_or_else(FolderId::new);
    let watermark = Watermark::create(
        &folder.watermark_path(),
        id,
        found.reach,
        found.metadata_commits,
    );
    watermark.map_err(failed("the file `mark`"))?;
    folder.sync()?;
    let repairs = convert_to(&found.store, upgrade, true, id)?;
    verify::verify_store(&found)?;
    drop(found);
    let gone = fs::remove_file(folder.path().join(CONVERTING));
    gone.map_err(failed("CONVERTING cannot be removed"))?;
    folder.sync()?;
    Ok(repairs)
}

/// Converts a store that was read from a backup, and gives it a new id.
pub fn convert_restored(
    store: &Store,
    upgrade: &mut Upgrade<'_>,
) -> Result<(Vec<String>, FolderId), JournalError> {
    let known = FolderId::of_store(store)?.is_some();
    convert(store, upgrade, !known)
}

fn convert(
    store: &Store,
    upgrade: &mut Upgrade<'_>,
    metadata: bool,
) -> Result<(Vec<String>, FolderId), JournalError> {
    let id = FolderId::new();
    let repairs = convert_to(store, upgrade, metadata, id)?;
    Ok((repairs, id))
}

/// Repairs a store, converts its metadata where asked, and gives it an id.
fn convert_to(
    store: &Store,
    upgrade: &mut Upgrade<'_>,
    with_metadata: bool,
    id: FolderId,
) -> Result<Vec<String>, JournalError> {
    if with_metadata {
        let mut changes = Changes::default();
        shop_metadata::scan(store, &mut |shop, metadata| {
            let value = (upgrade.metadata)(shop, &metadata)?;
            if value != metadata.value {
                changes.set(
                    &shop_metadata::key(shop, &metadata.name),
                    shop_metadata::write(&metadata.shop, value),
                );
            }
            Ok(())
        })?;
        store.apply(Tree::Metadata, changes)?;
    }
    let repairs = examine(store)?.repair(store)?;
    id.write(store)?;
    store.sync()?;
    Ok(repairs)
}

/// Copies all pairs of a store into a new one, without preallocated keys.
fn copy(from: &Store, to: &Store, upgrade: &mut Upgrade<'_>) -> Result<(), JournalError> {
    let (total, mut done) = (from.bytes(), 0u64);
    let mut shown = Stopwatch::start();
    for tree in Tree::ALL {
        let (mut changes, mut waiting) = (Changes::default(), 0);
        from.scan(tree, b"", |key, value| {
            if tree == Tree::Journal && value.is_empty() {
                return Ok(true);
            }
            match shop_metadata::read_of(tree, key, value)? {
                Some((shop, metadata)) => {
                    let value = (upgrade.metadata)(shop, &metadata)?;
                    changes.set(key, shop_metadata::write(&metadata.shop, value));
                }
                None => changes.set(key, value),
            }
            waiting += key.len() + value.len();
            done += (key.len() + value.len()) as u64;
            if waiting >= STEP_BYTES {
                waiting = 0;
                to.apply(tree, std::mem::take(&mut changes))?;
            }
            if shown.micros() >= SHOW_EVERY_US {
                shown = Stopwatch::start();
                let (done, total) = (done >> 20, total >> 20);
                (upgrade.show)(&format!(
                    "converting: {done} MiB of at most {total} MiB are copied"
                ));
            }
            Ok(true)
        })?;
        to.apply(tree, changes)?;
    }
    to.sync()
}
