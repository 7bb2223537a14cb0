//! Checks that the system gives a server enough files and threads before it starts. Otherwise the server refuses to
//! start, since the libraries below panic without them.

use std::sync::Mutex;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::ServeError;
use crate::env;

/// Open files of a server without connections, except those of its threads: three of the process, the folder's, the
/// sockets', and those of the threads that commit, call webhooks and read signals.
const FILES_OF_SERVER: u64 = 40;

/// Files of each thread that serves.
const FILES_OF_WORKER: u64 = 4;

/// The fewest connections with which a server is useful.
const CONNECTIONS_MIN: u64 = 16;

/// Threads beside those that serve: commit, compaction, log, webhooks, the control socket, and a reserve.
const THREADS_OF_SERVER: usize = 20;

/// Raises the limit of files to as many connections as the machine allows.
pub(super) fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Where it cannot be raised, fewer connections are possible.
    setrlimit(Resource::Nofile, all).ok();
}

/// Checks that the system has enough for a server with so many threads.
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

/// Starts so many threads at once, and ends them.
fn try_threads(count: usize) -> std::io::Result<()> {
    let gate = Mutex::new(());
    std::thread::scope(|scope| {
        let _closed = gate.lock();
        let begin = || std::thread::Builder::new().spawn_scoped(scope, || drop(gate.lock()));
        (0..count).try_for_each(|_| begin().map(drop))
    })
}
