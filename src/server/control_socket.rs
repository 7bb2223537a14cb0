//! The control socket: a file in the data folder through which commands on this machine ask a running server.
//!
//! A process that may open the file may read the folder, so there is no other check. A request is one line: `backup`
//! is answered with the stream of a backup, `backup with-secrets` with one that also holds the secrets of webhooks,
//! and `shop ID` with the shop's number or `none`. A server whose socket cannot be made runs without it, and can be
//! backed up while it is stopped.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::domain::base::id::Id;
use crate::journal::{Embedded, Journal, SECRETS_FILE, backup};

/// The socket's name in the data folder.
pub const SOCKET: &str = "control.sock";

/// How long a client may take to send a request, or to read the next piece of the answer.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(30);

/// The requests.
const BACKUP: &str = "backup";
const BACKUP_WITH_SECRETS: &str = "backup with-secrets";

/// The longest request.
const REQUEST_BYTES_MAX: u64 = 256;

/// How long a command waits for the answer to a short request: a backup may be in progress before it.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Calls `call` with the socket's path; where that is too long for a socket, with a short path that this system may
/// know.
fn at<T>(folder: &Path, call: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    match call(&folder.join(SOCKET)) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            // The path goes through this process's own list of open files.
            let open = File::open(folder)?;
            let short = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
            call(&short.join(SOCKET)).map_err(|_| error)
        }
        called => called,
    }
}

/// Listens until the process ends. Where the socket cannot be made, the log says what that means.
pub(super) fn listen(folder: &Path, journal: &Arc<Embedded>) {
    if let Err(error) = try_to_listen(folder, journal) {
        tracing::warn!(
            %error,
            "the control socket {} cannot be made, so `xiaoer backup` can copy this folder only while the server is \
             stopped",
            folder.join(SOCKET).display()
        );
    }
}

fn try_to_listen(folder: &Path, journal: &Arc<Embedded>) -> io::Result<()> {
    let path = folder.join(SOCKET);
    // A socket of a killed server; the folder's lock shows that no process listens on it.
    std::fs::remove_file(&path).ok();
    let listener = at(folder, |path| UnixListener::bind(path))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let journal = Arc::downgrade(journal);
    let folder = folder.to_owned();
    let thread = std::thread::Builder::new().name("control".to_owned());
    let run = move || {
        for stream in listener.incoming().flatten() {
            let Some(journal) = journal.upgrade() else {
                return;
            };
            if let Err(error) = answer(&stream, &folder, &journal) {
                tracing::warn!(%error, "a question on the control socket was not answered");
            }
        }
    };
    thread.spawn(run).map(drop)
}

fn answer(stream: &UnixStream, folder: &Path, journal: &Embedded) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    stream
        .set_read_timeout(Some(CLIENT_TIMEOUT))
        .map_err(text)?;
    stream
        .set_write_timeout(Some(CLIENT_TIMEOUT))
        .map_err(text)?;
    let mut question = String::new();
    let mut limited = std::io::Read::take(stream, REQUEST_BYTES_MAX);
    BufReader::new(&mut limited)
        .read_line(&mut question)
        .map_err(text)?;
    let with_secrets = match question.trim() {
        BACKUP => false,
        BACKUP_WITH_SECRETS => true,
        question => {
            let shop = question.strip_prefix("shop ").and_then(Id::new);
            let shop = shop.ok_or_else(|| format!("unknown question {question:?}"))?;
            let number = journal.number(&shop).map_err(|error| error.to_string())?;
            let number = number.map_or("none".to_owned(), |number| number.to_string());
            let mut to = stream;
            return writeln!(to, "{number}").map_err(text);
        }
    };
    let mut to = BufWriter::with_capacity(256 * 1024, stream);
    let mut files = || secrets(folder, with_secrets);
    backup(journal, &mut files, &mut to).map_err(|error| error.to_string())?;
    to.flush().map_err(text)
}

/// The file of webhook secrets, where it is to be included and exists.
pub fn secrets(folder: &Path, included: bool) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    if !included {
        return Ok(Vec::new());
    }
    match std::fs::read(folder.join(SECRETS_FILE)) {
        Ok(bytes) => Ok(vec![(SECRETS_FILE.to_owned(), bytes)]),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Removes the socket.
pub(super) fn remove_socket(folder: &Path) {
    std::fs::remove_file(folder.join(SOCKET)).ok();
}

/// Asks the server of a folder for the number of a shop; `None` where no server runs.
///
/// # Errors
///
/// The server gave no valid answer within 3 s.
pub fn ask_number(folder: &Path, shop: &Id) -> Option<std::io::Result<Option<u64>>> {
    let mut stream = at(folder, |path| UnixStream::connect(path)).ok()?;
    let mut ask = || {
        stream.set_read_timeout(Some(ANSWER_WITHIN))?;
        stream.set_write_timeout(Some(ANSWER_WITHIN))?;
        writeln!(stream, "shop {shop}")?;
        let mut answer = String::new();
        let mut limited = io::Read::take(&stream, REQUEST_BYTES_MAX);
        BufReader::new(&mut limited).read_line(&mut answer)?;
        match answer.trim() {
            "none" => Ok(None),
            number => number.parse().map(Some).map_err(io::Error::other),
        }
    };
    Some(ask())
}

/// Asks the server of a folder for a backup; `None` where no server runs.
pub fn ask_backup(folder: &Path, with_secrets: bool) -> Option<std::io::Result<UnixStream>> {
    let mut stream = at(folder, |path| UnixStream::connect(path)).ok()?;
    let question = match with_secrets {
        false => BACKUP,
        true => BACKUP_WITH_SECRETS,
    };
    let asked = stream.write_all(format!("{question}\n").as_bytes());
    Some(asked.map(|()| stream))
}
