//! Backup and restore: a consistent copy of the journal as one stream, made while the journal is in use.
//!
//! The stream begins with a line that names its form. Frames follow: each pair of a tree with a checksum, then files
//! of other modules. The last frame counts all others and says how far the copy reaches; a stream without it is
//! incomplete. Form 1, of release 0.1, has no files, and its pairs are of the older form.

use std::io::{self, Read, Write};

use super::append;
use super::data_dir::DataDir;
use super::engine::Embedded;
use super::settings::JournalSettings;
use super::store::{Changes, Store, Tree};
use super::upgrade::{self, Upgrade};
use super::watermark::{CommitEnd, HighWaterMark, Watermark};
use super::{block, recovery, shop_metadata};
use crate::domain::base::time::Instant;
use crate::env::Env;
use crate::journal::JournalError;

const FORM: &[u8] = b"xiaoer backup, form 2\n";

/// The forms that are read.
const FORMS: [&[u8]; 2] = [b"xiaoer backup, form 1\n", FORM];

/// The tree of the last frame.
const END: u8 = 0xff;

/// The tree of a file: the key is its name, the value its content.
const FILE: u8 = 0xfe;

/// The secrets of webhooks.
pub const SECRETS_FILE: &str = "webhook-secrets.json";

/// The files that a backup may hold.
const FILES: [&str; 1] = [SECRETS_FILE];

/// The longest file that a frame may announce.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The longest key and value that a frame may announce.
const PAIR_BYTES_MAX: usize = 1024 * 1024;

/// Pairs that are restored in one step.
const PAIRS_AT_ONCE: usize = 256;

fn failed(what: &str, error: &io::Error) -> JournalError {
    JournalError::Failed(format!("the backup could not be {what}: {error}"))
}

fn frame(to: &mut dyn Write, tree: u8, key: &[u8], value: &[u8]) -> Result<(), JournalError> {
    let mut head = vec![tree];
    head.extend_from_slice(&(key.len() as u32).to_be_bytes());
    head.extend_from_slice(&(value.len() as u32).to_be_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&head);
    sum.update(key);
    sum.update(value);
    head.extend_from_slice(&sum.finalize().to_be_bytes());
    let written = [&head, key, value]
        .into_iter()
        .try_for_each(|part| to.write_all(part));
    written.map_err(|error| failed("written", &error))
}

/// Reads the files of other modules that go into a backup: names and bytes. Called once the pairs are copied.
pub type ExtraFiles<'a> = dyn FnMut() -> io::Result<Vec<(String, Vec<u8>)>> + 'a;

/// A backup without files.
pub fn no_files() -> io::Result<Vec<(String, Vec<u8>)>> {
    Ok(Vec::new())
}

/// Writes a copy of the journal as it is now. Snapshots and compaction wait for it; records are committed meanwhile.
pub fn backup(
    journal: &Embedded,
    files: &mut ExtraFiles<'_>,
    to: &mut dyn Write,
) -> Result<HighWaterMark, JournalError> {
    let core = &journal.core;
    let maintenance = core.maintenance.lock();
    *core.deferred_snapshots.lock() = Some(Vec::new());
    let settled = append::wait_for_commit(core);
    let last = || {
        let last = *core.last_commit.lock();
        (last, core.clock.now())
    };
    let copied = copy(&core.store, settled, last, files, to);
    // Deferred snapshots go into the next commit.
    append::requeue_deferred(core);
    drop(maintenance);
    copied
}

/// Writes a copy of a folder that no server uses, in the form that it has.
pub fn backup_folder(
    settings: &JournalSettings,
    files: &mut ExtraFiles<'_>,
    to: &mut dyn Write,
) -> Result<HighWaterMark, JournalError> {
    let (_folder, found) = recovery::inspect(settings)?;
    let last = CommitEnd {
        order: found.reach.order,
        block: found.last_block,
    };
    let last = || (last, found.reach.at);
    copy(&found.store, found.next_block, last, files, to)
}

fn copy(
    store: &Store,
    settled: u64,
    last: impl Fn() -> (CommitEnd, Instant),
    files: &mut ExtraFiles<'_>,
    to: &mut dyn Write,
) -> Result<HighWaterMark, JournalError> {
    to.write_all(FORM)
        .map_err(|error| failed("written", &error))?;
    let mut pairs = 0u64;
    // Metadata comes first, because it refers to records that the copy must hold too.
    for tree in [
        Tree::Metadata,
        Tree::Notes,
        Tree::Names,
        Tree::Headers,
        Tree::Index,
        Tree::Ledger,
    ] {
        store.scan(tree, b"", |key, value| {
            pairs += 1;
            frame(to, tree as u8, key, value).map(|()| true)
        })?;
    }
    // All snapshots are in blocks before `settled`; records are copied up to the last durable one.
    let (last, at) = last();
    let until = settled.max(last.block + 1);
    store.scan(Tree::Journal, b"", |key, value| {
        let within = key < &block::key(until, 0)[..];
        if within && !value.is_empty() {
            pairs += 1;
            frame(to, Tree::Journal as u8, key, value)?;
        }
        Ok(within)
    })?;
    for (name, bytes) in files().map_err(|error| failed("written", &error))? {
        pairs += 1;
        frame(to, FILE, name.as_bytes(), &bytes)?;
    }
    let reach = HighWaterMark {
        order: last.order,
        at,
    };
    let end = [
        pairs.to_be_bytes(),
        reach.order.to_be_bytes(),
        reach.at.ms().to_be_bytes(),
    ]
    .concat();
    frame(to, END, &[], &end)?;
    to.flush().map_err(|error| failed("written", &error))?;
    Ok(reach)
}

/// A pair of a stream, or its end.
enum Frame {
    Pair(Tree, Vec<u8>, Vec<u8>),
    File(String, Vec<u8>),
    End(u64, HighWaterMark),
}

fn read_frame(from: &mut dyn Read) -> Result<Frame, JournalError> {
    let cut = |error: io::Error| {
        if error.kind() != io::ErrorKind::UnexpectedEof {
            return failed("read", &error);
        }
        JournalError::Damaged(
            "the backup is incomplete and cannot be restored: use another one".to_owned(),
        )
    };
    let wrong = || {
        JournalError::Damaged(
            "a part of the backup has a wrong checksum, so it cannot be restored: use another one"
                .to_owned(),
        )
    };
    let mut head = [0; 13];
    from.read_exact(&mut head).map_err(cut)?;
    let number = |from: usize| {
        head[from..from + 4]
            .iter()
            .fold(0u32, |n, &byte| (n << 8) | u32::from(byte))
    };
    let (key, value) = (number(1) as usize, number(5) as usize);
    let most = match head[0] {
        FILE => FILE_BYTES_MAX,
        _ => PAIR_BYTES_MAX,
    };
    if key + value > most {
        return Err(wrong());
    }
    let mut body = vec![0; key + value];
    from.read_exact(&mut body).map_err(cut)?;
    let mut sum = crc32fast::Hasher::new();
    sum.update(&head[..9]);
    sum.update(&body);
    if sum.finalize() != number(9) {
        return Err(wrong());
    }
    let value = body.split_off(key);
    if head[0] == END {
        let number = |place: usize| {
            let bytes = value
                .get(place * 8..)
                .and_then(|rest| rest.first_chunk::<8>());
            bytes
                .map(|bytes| u64::from_be_bytes(*bytes))
                .ok_or_else(wrong)
        };
        let at = Instant::from_ms(number(2)? as i64);
        let order = number(1)?;
        return Ok(Frame::End(number(0)?, HighWaterMark { order, at }));
    }
    if head[0] == FILE {
        let name = String::from_utf8(body).map_err(|_| wrong())?;
        return Ok(Frame::File(name, value));
    }
    let tree = Tree::ALL.get(head[0] as usize).copied().ok_or_else(wrong)?;
    Ok(Frame::Pair(tree, body, value))
}

/// The result of a restore.
#[derive(Debug)]
pub struct Restored {
    /// How far the records reach.
    pub reach: HighWaterMark,
    /// The files that were in the backup, by name.
    pub files: Vec<String>,
    /// What was repaired, a sentence each.
    pub repairs: Vec<String>,
}

/// Makes a new folder from a backup. A server refuses the folder until the restore is finished; an unfinished restore
/// can be repeated.
///
/// # Errors
///
/// The folder holds data, or the stream is incomplete or damaged.
pub fn restore(
    from: &mut dyn Read,
    settings: &JournalSettings,
    upgrade: &mut Upgrade<'_>,
) -> Result<Restored, JournalError> {
    read_form(from)?;
    let folder = DataDir::take(&settings.data, settings.ballast_bytes)?;
    folder.begin_restore()?;
    let store = Store::open(&folder.store_path(), settings, &Env::real().fail_stop)?;
    // From here on only calls into the store are watched: reading the backup may be slow.
    store.opened();
    let (mut pairs, mut waiting, mut files) = (0u64, 0, Vec::new());
    let mut changes = Tree::ALL.map(|_| Changes::default());
    let reach = loop {
        match read_frame(from)? {
            Frame::Pair(tree, key, value) => {
                changes[tree as usize].set(&key, value);
                pairs += 1;
                waiting += 1;
                if waiting == PAIRS_AT_ONCE {
                    waiting = 0;
                    apply(&store, &mut changes)?;
                }
            }
            Frame::File(name, bytes) => {
                pairs += 1;
                folder.write_whole(known_file(&name)?, &bytes)?;
                files.push(name);
            }
            Frame::End(counted, reach) if counted == pairs => break reach,
            Frame::End(..) => return Err(incomplete()),
        }
    };
    apply(&store, &mut changes)?;
    let (repairs, id) = upgrade::convert_restored(&store, upgrade)?;
    let kept = shop_metadata::count(&store)?;
    let watermark = Watermark::create(&folder.watermark_path(), id, reach, kept);
    watermark.map_err(|error| failed("restored", &error))?;
    drop(store);
    folder.restored()?;
    folder.create_ballast();
    Ok(Restored {
        reach,
        files,
        repairs,
    })
}

/// The file of a backup with this name; an unknown one is an error.
fn known_file(name: &str) -> Result<&'static str, JournalError> {
    let known = FILES.iter().find(|known| **known == name);
    known.copied().ok_or_else(|| {
        JournalError::Unusable(format!(
            "the backup holds a file {name:?}, which this program does not know: use the newer program"
        ))
    })
}

/// Reads a backup to its end and checks it. Returns how far it reaches.
pub fn check(from: &mut dyn Read) -> Result<HighWaterMark, JournalError> {
    read_form(from)?;
    let mut pairs = 0u64;
    loop {
        match read_frame(from)? {
            Frame::Pair(..) | Frame::File(..) => pairs += 1,
            Frame::End(counted, reach) if counted == pairs => return Ok(reach),
            Frame::End(..) => return Err(incomplete()),
        }
    }
}

fn read_form(from: &mut dyn Read) -> Result<(), JournalError> {
    let mut form = [0; FORM.len()];
    let read = from.read_exact(&mut form);
    if read.is_err() || !FORMS.contains(&&form[..]) {
        return Err(JournalError::Unusable(
            "this file is not a backup that this xiaoer can read: its first line must be \"xiaoer backup, form 1\" or \
             \"… \
             form 2\""
                .to_owned(),
        ));
    }
    Ok(())
}

fn incomplete() -> JournalError {
    JournalError::Damaged("the backup lacks some of its parts: use another one".to_owned())
}

fn apply(store: &Store, changes: &mut [Changes]) -> Result<(), JournalError> {
    let mut trees = Tree::ALL.into_iter().zip(changes);
    trees.try_for_each(|(tree, changes)| store.apply(tree, std::mem::take(changes)))
}
