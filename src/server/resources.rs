//! What the system must give a server before it starts: files and threads. Where it does not, the server says so and does
//! not start, since the libraries below panic where they find none.

use std::sync::Mutex;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ServeError;
use crate::env;

/// Files that a server without connections has open, but for those of its threads: three of the process, the folder's,
/// the sockets', and those of the threads that commit, call webhooks and read signals.
const FILES_OF_SERVER: u64 = 40;

/// Files of each thread that serves.
const FILES_OF_WORKER: u64 = 4;

/// Connections that must be possible for a server to be of use.
const CONNECTIONS_MIN: u64 = 16;

/// Threads beside those that serve: those that commit, look after the journal, the log, webhooks, the control socket, and
/// some room.
const THREADS_OF_SERVER: usize = 20;

/// As many connections as the machine allows.
pub(super) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it may not be raised, there are fewer connections.
    setrlimit(Resource::Nofile, all).ok();
}

/// Whether the system gives what a server with so many threads needs.
pub(super) fn check(workers: usize) -> Result<(), ServeError> {
    let needed = files_needed(workers);
    let files = getrlimit(Resource::Nofile).current;
    if let Some(files) = files.filter(|files| *files < needed) {
        return Err(ServeError::Unusable(format!(
            "the system lets this process open {files} files, and a server with {workers} threads needs at least \
             {needed}, and one more for each connection: raise the limit (`ulimit -n`, or `LimitNOFILE=` of its unit), \
             or lower `workers`"
        )));
    }
    let refused = |error: std::io::Error| {
        ServeError::Unusable(format!(
            "the system gives this process too few threads ({error}), and a server with {workers} needs \
             {}: raise the limit (`ulimit -u`, or `TasksMax=` of its unit), or lower `workers`",
            workers + THREADS_OF_SERVER
        ))
    };
    try_threads(workers + THREADS_OF_SERVER).map_err(refused)?;
    env::begin_blocking().map_err(refused)
}

fn files_needed(workers: usize) -> u64 {
    FILES_OF_SERVER + workers as u64 * FILES_OF_WORKER + CONNECTIONS_MIN
}

/// Has so many threads at once, and lets them go.
fn try_threads(count: usize) -> std::io::Result<()> {
    let gate = Mutex::new(());
    std::thread::scope(|scope| {
        let _closed = gate.lock();
        let begin = || std::thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()));
        (0..count).try_for_each(|_| begin().map(drop))
    })
}
