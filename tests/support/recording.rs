//! A recording of all disk changes (tests/shim/record.c), and the folder as a power cut at any time would leave it.
//!
//! Nothing depends on a disk, a file system or root: unsynced data is gone because it is not built.
//!
//! The model is a file system with a journal in ordered mode (ext4, XFS). A sync of a file makes durable the data
//! written to it before the sync started, and its existence under the name with which it was created. A sync of a
//! folder makes durable the names in it. Changes of names keep their order: one that is durable makes all earlier ones
//! durable. Nothing else is durable: no rename without a sync of its folder, and no byte by `sync_file_range`.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::http::Ended;
use super::served::argument;
use super::shim::build;

/// What a disk writes as a whole.
const SECTOR: u64 = 512;

/// What the kernel writes to the disk as a whole, when it is well.
const PAGE: u64 = 4096;

/// Where the numbers stand in the file that the shim's processes share.
const CHANGES: u64 = 8;
const KILL_AT: u64 = 16;
const KILLED: u64 = 24;
const LOG_BYTES: u64 = 32;

/// Writes down what programs do to a folder, or takes their lives in the middle of it.
#[derive(Clone)]
pub struct Recorder {
    shim: PathBuf,
    control: PathBuf,
    log: Option<PathBuf>,
    /// The folder; it is there, and has no links in its path.
    pub root: PathBuf,
    sync_us: u64,
}

impl Recorder {
    /// In a place of its own; a sync takes so long. Without a log it only counts and kills.
    pub fn new(place: &Path, sync_us: u64, log: bool) -> Result<Recorder, String> {
        let shim = build("record", place)?;
        let place = place.canonicalize().map_err(|error| error.to_string())?;
        let root = place.join("disk");
        fs::create_dir_all(&root).map_err(|error| error.to_string())?;
        Ok(Recorder {
            shim,
            control: place.join("record.control"),
            log: log.then(|| place.join("record.log")),
            root,
            sync_us,
        })
    }

    /// One for other programs on the same disk, whose changes are counted apart; their lives are taken apart too.
    pub fn apart(&self) -> Recorder {
        Recorder {
            control: self.control.with_extension("apart"),
            log: None,
            ..self.clone()
        }
    }

    /// One for programs on another folder, whose syncs take no time.
    pub fn elsewhere(&self, root: &Path) -> Recorder {
        Recorder {
            root: root.to_owned(),
            sync_us: 0,
            ..self.apart()
        }
    }

    /// Puts the shim before a program.
    pub fn before(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", argument(&self.shim))
            .env("RECORD_UNDER", argument(&self.root))
            .env("RECORD_CONTROL", argument(&self.control))
            .env("RECORD_SYNC_US", self.sync_us.to_string());
        if let Some(log) = &self.log {
            command.env("RECORD_LOG", argument(log));
        }
    }

    fn number(&self, at: u64) -> u64 {
        let mut bytes = [0; 8];
        let file = fs::File::open(&self.control);
        let read = file.and_then(|file| file.read_exact_at(&mut bytes, at));
        read.map_or(0, |()| u64::from_ne_bytes(bytes))
    }

    /// How many changes there were.
    pub fn changes(&self) -> u64 {
        self.number(CHANGES)
    }

    /// How far the log reaches: a place in the order of what was done.
    pub fn now(&self) -> u64 {
        self.number(LOG_BYTES)
    }

    /// Whoever is about to make the change with this number dies before it; 0 for nobody.
    pub fn kill_at(&self, change: u64) {
        let file = fs::File::options().write(true).open(&self.control);
        let write = |at, number: u64| {
            file.as_ref()
                .map(|f| f.write_all_at(&number.to_ne_bytes(), at))
        };
        let written = [write(KILLED, 0), write(KILL_AT, change)];
        assert!(
            written.iter().all(|done| matches!(done, Ok(Ok(())))),
            "the file that the shim's processes share"
        );
    }

    /// Whether somebody has died so.
    pub fn has_killed(&self) -> bool {
        self.number(KILLED) > 0
    }

    /// What was written down so far.
    pub fn recording(&self) -> Result<Recording, String> {
        let log = self.log.as_ref().ok_or("there is no log")?;
        let mut log = fs::read(log).map_err(|error| format!("the log: {error}"))?;
        log.truncate(self.now() as usize);
        Recording::read(log, &self.root)
    }
}

/// How much of what was not made durable is there after the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsynced {
    /// All of it, as after `kill -9`.
    Stays,
    /// Nothing.
    Gone,
    /// Some, by luck: of every page what it was at some instant since its last sync, now and then with sectors of
    /// different instants; and some of the names that came last.
    Torn(u64),
}

/// What changed a file.
enum Change {
    Write { at: u64, log: usize, bytes: usize },
    Size(u64),
}

/// What changed names.
enum Name {
    Made(String, usize),
    Folder(String),
    Renamed(String, String),
    Linked(String, String),
    Gone(String),
}

/// One file, whatever it is called.
#[derive(Default)]
struct Contents {
    changes: Vec<(u64, Change)>,
    /// When it was made.
    made: u64,
    /// Syncs that were over at the second place cover what was before the first.
    syncs: Vec<(u64, u64)>,
}

/// A connection of the server's.
struct Connection {
    taken: u64,
    sent: Vec<(u64, u64)>,
}

/// All that was done to a folder, in order. Places are how far the log reached.
pub struct Recording {
    log: Vec<u8>,
    files: Vec<Contents>,
    names: Vec<(u64, Name)>,
    /// Syncs of folders that were over at the second place make the names durable up to the first.
    name_syncs: Vec<(u64, u64)>,
    /// Of each peer's port: its connections, when each was taken, and how many bytes were sent on it up to a place.
    sent: HashMap<u16, Vec<Connection>>,
    /// Every place.
    places: Vec<u64>,
}

struct Head {
    kind: u32,
    path: usize,
    bytes: usize,
    a: u64,
    b: u64,
}

const HEAD_BYTES: usize = 32;

fn head(log: &[u8]) -> Option<Head> {
    let word = |at: usize| {
        log.get(at..)?
            .first_chunk()
            .copied()
            .map(u32::from_ne_bytes)
    };
    let long = |at: usize| {
        log.get(at..)?
            .first_chunk()
            .copied()
            .map(u64::from_ne_bytes)
    };
    let [kind, path, bytes, check] = [word(0)?, word(4)?, word(8)?, word(12)?];
    let (a, b) = (long(16)?, long(24)?);
    let sum = u64::from(kind) + u64::from(path) + u64::from(bytes);
    let sum = sum.wrapping_add(a).wrapping_add(b) as u32;
    (sum == check).then_some(Head {
        kind,
        path: path as usize,
        bytes: bytes as usize,
        a,
        b,
    })
}

impl Recording {
    fn read(log: Vec<u8>, root: &Path) -> Result<Recording, String> {
        let mut all = Recording {
            log: Vec::new(),
            files: Vec::new(),
            names: Vec::new(),
            name_syncs: Vec::new(),
            sent: HashMap::new(),
            places: Vec::new(),
        };
        let mut reading = Reading {
            root,
            numbers: HashMap::new(),
            syncs: HashMap::new(),
        };
        let mut at = 0;
        while at < log.len() {
            let head = head(&log[at..]).ok_or("the log is damaged")?;
            let path = at + HEAD_BYTES;
            let body = path + head.path;
            let end = body + head.bytes;
            let text = log.get(path..body).ok_or("the log is cut off")?;
            let text = std::str::from_utf8(text).map_err(|error| error.to_string())?;
            reading.take(&mut all, &head, text, body, end as u64)?;
            all.places.push(end as u64);
            at = end;
        }
        all.log = log;
        Ok(all)
    }

    /// The places between two, at each of which the power can go.
    pub fn places(&self, from: u64, to: u64) -> &[u64] {
        let first = self.places.partition_point(|place| *place <= from);
        let last = self.places.partition_point(|place| *place <= to);
        &self.places[first..last]
    }

    /// The place at which the server had sent all of an answer.
    pub fn said(&self, ended: Ended) -> Option<u64> {
        // Ports are used again.
        let connections = self.sent.get(&ended.port)?;
        let of = connections.iter().find(|of| of.taken > ended.since)?;
        let at = of.sent.partition_point(|(_, total)| *total < ended.bytes);
        of.sent.get(at).map(|(place, _)| *place)
    }

    /// Builds the folder in `to` as it is after a cut at a place.
    pub fn build(&self, to: &Path, place: u64, unsynced: Unsynced) -> io::Result<()> {
        fs::create_dir_all(to)?;
        let durable = self.durable_names(place);
        let until = match unsynced {
            Unsynced::Stays => place,
            Unsynced::Gone => durable,
            Unsynced::Torn(seed) => match luck(&[seed, place]) % 3 {
                0 => durable,
                1 => place,
                _ => durable + luck(&[seed, place, 1]) % (place - durable + 1),
            },
        };
        for (name, node) in self.tree(until) {
            let path = to.join(&name);
            match node {
                None => fs::create_dir_all(path)?,
                Some(file) => fs::write(path, self.contents(file, place, unsynced))?,
            }
        }
        Ok(())
    }

    /// Up to where changes of names are durable.
    fn durable_names(&self, place: u64) -> u64 {
        let over = self.name_syncs.iter().filter(|(_, over)| *over <= place);
        let made = self.files.iter().filter(|file| file.durable(place) > 0);
        let made = made.map(|file| file.made);
        over.map(|(begun, _)| *begun).chain(made).max().unwrap_or(0)
    }

    /// The last change of a name in a folder.
    fn last_name_in(&self, folder: &str) -> u64 {
        let within = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder) == folder;
        let last = self.names.iter().rev().find(|(_, name)| match name {
            Name::Made(path, _) | Name::Folder(path) | Name::Gone(path) => within(path),
            Name::Renamed(from, to) | Name::Linked(from, to) => within(from) || within(to),
        });
        last.map_or(0, |(place, _)| *place)
    }

    /// What there is by name: folders, and files by number.
    fn tree(&self, until: u64) -> BTreeMap<String, Option<usize>> {
        let mut tree = BTreeMap::new();
        for (_, name) in self.names.iter().take_while(|(place, _)| *place <= until) {
            match name {
                Name::Made(path, file) => _ = tree.insert(path.clone(), Some(*file)),
                Name::Folder(path) => _ = tree.insert(path.clone(), None),
                Name::Gone(path) => _ = tree.remove(path),
                Name::Linked(from, to) => {
                    if let Some(node) = tree.get(from).copied() {
                        tree.insert(to.clone(), node);
                    }
                }
                Name::Renamed(from, to) => {
                    let below = format!("{from}/");
                    let moved: Vec<String> = tree
                        .keys()
                        .filter(|path| *path == from || path.starts_with(&below))
                        .cloned()
                        .collect();
                    for path in moved {
                        let node = tree.remove(&path).flatten();
                        tree.insert(path.replacen(from, to, 1), node);
                    }
                }
            }
        }
        tree
    }

    fn contents(&self, file: usize, place: u64, unsynced: Unsynced) -> Vec<u8> {
        let number = file as u64;
        let file = &self.files[file];
        let durable = file.durable(place);
        let mut bytes = Vec::new();
        for (at, change) in file.changes.iter().take_while(|(at, _)| *at <= place) {
            let sure = *at <= durable || unsynced == Unsynced::Stays;
            let is_there = |page: u64, sector: u64| match unsynced {
                _ if sure => true,
                Unsynced::Stays => true,
                Unsynced::Gone => false,
                Unsynced::Torn(seed) => {
                    *at <= instant(&[seed, number, page], sector, durable, place)
                }
            };
            match change {
                Change::Size(size) if is_there(u64::MAX, 0) => bytes.resize(*size as usize, 0),
                Change::Size(_) => {}
                Change::Write {
                    at,
                    log,
                    bytes: length,
                } => {
                    let end = at + *length as u64;
                    let mut from = *at;
                    while from < end {
                        let sector = from / SECTOR;
                        let to = if sure {
                            end
                        } else {
                            end.min((sector + 1) * SECTOR)
                        };
                        if is_there(from / PAGE, sector) {
                            let source = log + (from - at) as usize;
                            let source = &self.log[source..source + (to - from) as usize];
                            let to = to as usize;
                            if bytes.len() < to {
                                bytes.resize(to, 0);
                            }
                            bytes[from as usize..to].copy_from_slice(source);
                        }
                        from = to;
                    }
                }
            }
        }
        bytes
    }

    /// The log followed to its end gives the folder that there is: else what is built is not what was done.
    pub fn hold(&self, root: &Path, place: &Path) -> Result<(), String> {
        let end = self.places.last().copied().unwrap_or(0);
        let built = self.build(place, end, Unsynced::Stays);
        built.map_err(|error| format!("the folder cannot be built: {error}"))?;
        let (mut is, mut was) = (BTreeMap::new(), BTreeMap::new());
        collect(root, root, &mut is).map_err(|error| error.to_string())?;
        collect(place, place, &mut was).map_err(|error| error.to_string())?;
        fs::remove_dir_all(place).map_err(|error| error.to_string())?;
        let names = is.keys().chain(was.keys());
        let wrong: Vec<&String> = names
            .filter(|name| is.get(*name) != was.get(*name))
            .collect();
        if wrong.is_empty() {
            return Ok(());
        }
        let size = |files: &BTreeMap<String, Option<Vec<u8>>>, name: &String| {
            files.get(name).map(|bytes| bytes.as_ref().map(Vec::len))
        };
        let say = |name: &&String| {
            format!(
                "{name}: {:?}, built {:?}",
                size(&is, name),
                size(&was, name)
            )
        };
        let wrong: Vec<String> = wrong.iter().map(say).collect();
        Err(format!(
            "the log does not give the folder: {}",
            wrong.join("; ")
        ))
    }
}

/// Files with their bytes, and folders, by name.
fn collect(
    root: &Path,
    folder: &Path,
    into: &mut BTreeMap<String, Option<Vec<u8>>>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
        let name = path.strip_prefix(root).map_err(io::Error::other)?;
        let name = name.to_string_lossy().into_owned();
        let kind = entry?;
        if kind.is_dir() {
            into.insert(name, None);
            collect(root, &path, into)?;
        } else if kind.is_file() {
            into.insert(name, Some(fs::read(&path)?));
        }
    }
    Ok(())
}

impl Contents {
    /// Up to which place what was written is durable at another.
    fn durable(&self, place: u64) -> u64 {
        let over = self.syncs.iter().filter(|(_, over)| *over <= place);
        over.map(|(begun, _)| *begun).max().unwrap_or(0)
    }
}

/// The instant whose contents a page has after the cut.
fn instant(page: &[u64; 3], sector: u64, durable: u64, place: u64) -> u64 {
    // One page in eight is torn: each of its sectors has an instant of its own.
    let torn = luck(page).is_multiple_of(8);
    let lot = luck(&[
        page[0],
        page[1],
        page[2],
        if torn { sector } else { u64::MAX },
    ]);
    match lot % 3 {
        0 => durable,
        1 => place,
        _ => durable + (lot >> 8) % (place - durable + 1),
    }
}

/// A number that goes by these alone.
fn luck(of: &[u64]) -> u64 {
    of.iter().fold(0x9e37_79b9_7f4a_7c15, |sum, part| {
        let mut mixed = (sum ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^= mixed >> 31;
        mixed = mixed.wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 29)
    })
}

/// What is known while a log is read.
struct Reading<'a> {
    root: &'a Path,
    /// Files by the number that the file system gave them, which is given again when they are gone.
    numbers: HashMap<u64, usize>,
    /// Syncs that have begun: up to where they will make durable what, a file or (none) names.
    syncs: HashMap<u64, (u64, Option<usize>)>,
}

impl Reading<'_> {
    fn name(&self, path: &str) -> Result<String, String> {
        let name = Path::new(path).strip_prefix(self.root);
        let name = name.map_err(|_| format!("{path} is not under the folder"))?;
        Ok(name.to_string_lossy().into_owned())
    }

    fn two(&self, paths: &str) -> Result<(String, String), String> {
        let (from, to) = paths.split_once('\0').ok_or("one path of two")?;
        Ok((self.name(from)?, self.name(to)?))
    }

    fn take(
        &mut self,
        all: &mut Recording,
        head: &Head,
        text: &str,
        body: usize,
        end: u64,
    ) -> Result<(), String> {
        let unknown = || format!("a file that nobody made: {}", head.a);
        let file = self.numbers.get(&head.a).copied();
        let mut change = |change| match file {
            Some(file) => {
                all.files[file].changes.push((end, change));
                Ok(())
            }
            None => Err(unknown()),
        };
        let name = match head.kind {
            1 => {
                all.files.push(Contents {
                    made: end,
                    ..Contents::default()
                });
                self.numbers.insert(head.a, all.files.len() - 1);
                Name::Made(self.name(text)?, all.files.len() - 1)
            }
            2 => {
                return change(Change::Write {
                    at: head.b,
                    log: body,
                    bytes: head.bytes,
                });
            }
            3 => return change(Change::Size(head.b)),
            4 => {
                let (from, to) = self.two(text)?;
                Name::Renamed(from, to)
            }
            5 => Name::Gone(self.name(text)?),
            6 => Name::Folder(self.name(text)?),
            7 => {
                let (from, to) = self.two(text)?;
                Name::Linked(from, to)
            }
            8 => {
                let sync = match text {
                    "" => (end, Some(file.ok_or_else(unknown)?)),
                    folder => (all.last_name_in(&self.name(folder)?), None),
                };
                self.syncs.insert(head.b, sync);
                return Ok(());
            }
            9 => {
                let (begun, of) = self
                    .syncs
                    .remove(&head.b)
                    .ok_or("a sync that did not begin")?;
                match of {
                    Some(file) => all.files[file].syncs.push((begun, end)),
                    None => all.name_syncs.push((begun, end)),
                }
                return Ok(());
            }
            10 => {
                let sent = all
                    .sent
                    .get_mut(&(head.a as u16))
                    .and_then(|of| of.last_mut());
                // To others than those who were taken, as to receivers of webhooks, nothing is acknowledged.
                if let Some(Connection { sent, .. }) = sent {
                    let before = sent.last().map_or(0, |(_, total)| *total);
                    sent.push((end, before + head.b));
                }
                return Ok(());
            }
            12 => {
                let taken = Connection {
                    taken: end,
                    sent: Vec::new(),
                };
                all.sent.entry(head.a as u16).or_default().push(taken);
                return Ok(());
            }
            11 => return Err(format!("what cannot be written down: {text}")),
            other => return Err(format!("the log has something of kind {other}")),
        };
        all.names.push((end, name));
        Ok(())
    }
}
