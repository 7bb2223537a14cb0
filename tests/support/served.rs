//! The built program as users run it: started, waited for, killed, and started again on the same folder.
//!
//! `XIAOER_BIN=FILE` uses another build, for example a release build.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::net::SocketAddr;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::deadline::Deadline;
use super::http::Client;
use super::recording::Recorder;

/// What has not started or ended by then hangs: far longer than any machine is busy.
const HANG_S: u64 = 120;

/// Settings that keep a folder small.
pub const SMALL: [&str; 2] = [
    "journal.ballast_bytes=1048576",
    "journal.reserve_bytes=1048576",
];

/// The program.
pub fn program() -> Command {
    let built = env!("CARGO_BIN_EXE_xiaoer");
    let mut command = Command::new(std::env::var("XIAOER_BIN").unwrap_or(built.to_owned()));
    command.env("LC_ALL", "en_US.UTF-8").stdin(Stdio::null());
    clear_variables(&mut command);
    command
}

/// Removes inherited variables that begin with `XIAOER_`. The program refuses those that are not settings, and the tests
/// have such variables of their own, for example `XIAOER_KILLS`.
pub fn clear_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("XIAOER_"))
        {
            command.env_remove(name);
        }
    }
}

/// What the program said, and how it ended.
#[derive(Debug, Clone)]
pub struct Said {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// How it ended.
    pub status: ExitStatus,
    /// Whether it did not end and was killed.
    pub hung: bool,
}

impl Said {
    /// The exit status; none where a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Whether it ended as a program that knows what it does: not by a signal, not by a panic, and where it failed,
    /// with a message.
    pub fn is_orderly(&self) -> bool {
        let said = self.status.success() || !self.err.trim().is_empty();
        let panicked = self.code() == Some(101) || self.err.contains("panicked at");
        said && !panicked && self.status.signal().is_none() && !self.hung
    }
}

/// Runs a command to its end.
pub fn run(arguments: &[&str]) -> Said {
    let mut command = program();
    command.args(arguments);
    run_to_end(command)
}

/// Runs a command to its end, which must come.
pub fn run_to_end(command: Command) -> Said {
    run_for(command, Duration::from_secs(HANG_S))
}

/// Runs a command to its end, or kills it after so long.
pub fn run_for(mut command: Command, life: Duration) -> Said {
    let [mut out, mut err] = [(); 2].map(|()| tempfile::tempfile().expect("a file"));
    let theirs = [&out, &err].map(|file| file.try_clone().expect("the same file"));
    let [their_out, their_err] = theirs;
    let child = command.stdout(their_out).stderr(their_err).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let ended = Deadline::after(life).poll(|| child.try_wait().ok().flatten());
    if ended.is_none() {
        let _ = child.kill();
    }
    let status = child.wait().expect("its exit status");
    Said {
        out: all_of(&mut out),
        err: all_of(&mut err),
        status,
        hung: ended.is_none(),
    }
}

/// What was written to a file.
fn all_of(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let _ = file.rewind();
    let _ = file.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path as an argument.
pub fn argument(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

/// How a server is to be started.
pub struct Launch {
    command: Command,
    /// Its standard error, where that is not a file that is read once it has ended.
    stderr: Option<Stdio>,
}

impl Launch {
    /// On a folder, at a free port, without keys.
    pub fn on(data: &Path) -> Launch {
        Launch::by(program(), data)
    }

    /// The same by another command, which runs the program with what follows.
    pub fn by(command: Command, data: &Path) -> Launch {
        Launch::of(command, data, "127.0.0.1:0", &["--insecure"])
    }

    /// On a folder, at a free port, with keys.
    pub fn with_keys(data: &Path) -> Launch {
        Launch::with_keys_at(data, "127.0.0.1:0")
    }

    /// On a folder, at this address, with keys.
    pub fn with_keys_at(data: &Path, listen: &str) -> Launch {
        Launch::of(program(), data, listen, &[])
    }

    fn of(mut command: Command, data: &Path, listen: &str, flags: &[&str]) -> Launch {
        command.args(["serve", "--listen", listen]);
        command.args(flags).arg("--data").arg(data);
        Launch {
            command,
            stderr: None,
        }
    }

    /// With this as its standard error: nothing of it is read.
    pub fn stderr(mut self, to: impl Into<Stdio>) -> Launch {
        self.stderr = Some(to.into());
        self
    }

    /// With a flag.
    pub fn flag(mut self, flag: &str) -> Launch {
        self.command.arg(flag);
        self
    }

    /// Written down.
    pub fn recorded(mut self, recorder: &Recorder) -> Launch {
        recorder.before(&mut self.command);
        self
    }

    /// With settings `name=value`.
    pub fn set(mut self, settings: &[&str]) -> Launch {
        for setting in settings {
            self.command.args(["--set", setting]);
        }
        self
    }

    /// With a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Launch {
        self.command.env(name, value);
        self
    }

    /// Starts it and does not wait.
    pub fn begin(mut self) -> Starting {
        let mut log = tempfile::tempfile().expect("a file for what the server says");
        let theirs = log.try_clone().expect("the same file");
        let stderr = self.stderr.take().unwrap_or_else(|| theirs.into());
        self.command.stdout(Stdio::piped()).stderr(stderr);
        let mut child = self.command.spawn().expect("the server's process");
        log.rewind().expect("its beginning");
        let out = child.stdout.take().expect("its output");
        let (tell, told) = sync_channel(1);
        let said = Arc::new(Mutex::new(String::new()));
        let theirs = Arc::clone(&said);
        // It is read to its end, so that the server never waits for a reader.
        let reader = std::thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut line = String::new();
            while out.read_line(&mut line).is_ok_and(|read| read > 0) {
                locked(&theirs).push_str(&line);
                let _ = tell.try_send(std::mem::take(&mut line));
            }
        });
        Starting {
            process: Process {
                child,
                log,
                out: said,
                reader: Some(reader),
            },
            told,
        }
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Served {
        match self.begin().ready() {
            Ok(served) => served,
            Err(said) => panic!("the server did not start: {said:?}"),
        }
    }
}

/// A server that may not listen yet.
pub struct Starting {
    process: Process,
    told: Receiver<String>,
}

impl Starting {
    /// Waits until it listens; where it ends instead, how.
    pub fn ready(mut self) -> Result<Served, Said> {
        match self.told.recv_timeout(Duration::from_secs(HANG_S)) {
            Ok(line) => {
                let address = line.trim().split_once("://").map(|(_, address)| address);
                let address = address.and_then(|address| address.parse().ok());
                let address = address.unwrap_or_else(|| panic!("it first said {line:?}"));
                Ok(Served {
                    process: self.process,
                    address,
                })
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.process.ended()),
            Err(RecvTimeoutError::Timeout) => {
                self.process.kill();
                let mut said = self.process.ended();
                said.hung = true;
                Err(said)
            }
        }
    }

    /// Takes its life at once (SIGKILL).
    pub fn kill(mut self) -> Said {
        self.process.kill();
        self.process.ended()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let ended = self.process.child.try_wait();
        ended.is_ok_and(|ended| ended.is_some())
    }
}

/// A server that listens. Dropped, it is killed.
pub struct Served {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Served {
    /// A new connection to it.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// What it has written to its log so far.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Takes its life at once (SIGKILL).
    pub fn kill(mut self) -> Said {
        self.process.kill();
        self.process.ended()
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub fn stop(mut self) -> Said {
        self.process.signal(Signal::TERM);
        self.process.ended()
    }

    /// Asks it to end (SIGTERM) and does not wait.
    pub fn ask_to_stop(&self) {
        self.process.signal(Signal::TERM);
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        locked(&self.process.out).clone()
    }

    /// Freezes it (SIGSTOP) and waits until none of its threads is in a call any more.
    pub fn freeze(&self) {
        self.process.signal(Signal::STOP);
        let stopped = Deadline::seconds(HANG_S).poll(|| all_stopped(self.pid()).then_some(()));
        assert!(stopped.is_some(), "a server that does not stop");
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        self.process
            .child
            .try_wait()
            .is_ok_and(|ended| ended.is_some())
    }

    /// Waits until it has ended by itself.
    pub fn ended(mut self) -> Said {
        self.process.ended()
    }

    /// Bytes of memory that it has resident.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid()));
        let status = status.unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
        kilobytes.unwrap_or_default() * 1024
    }
}

fn all_stopped(pid: u32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    tasks.flatten().all(|task| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes()[0]);
        matches!(state, Some(b'T' | b't' | b'Z'))
    })
}

fn locked(text: &Mutex<String>) -> MutexGuard<'_, String> {
    text.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Process {
    child: Child,
    log: File,
    out: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Process {
    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let _ = kill_process(pid.expect("its process"), signal);
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
    }

    /// All that it wrote to standard error. The file is read by its place, which the process shares.
    fn log(&self) -> String {
        let mut bytes = Vec::new();
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = self.log.read_at(&mut piece, bytes.len() as u64) {
            bytes.extend_from_slice(&piece[..read]);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for its end, which must come.
    fn ended(&mut self) -> Said {
        let ended = Deadline::seconds(HANG_S).poll(|| self.child.try_wait().ok().flatten());
        let hung = ended.is_none();
        if hung {
            self.kill();
        }
        let status = self.child.wait().expect("its exit status");
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        Said {
            out: locked(&self.out).clone(),
            err: all_of(&mut self.log),
            status,
            hung,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

/// A folder for one test; it goes with it.
pub fn folder() -> (tempfile::TempDir, PathBuf) {
    // Where the builds are there is room; who names another place is heard.
    let place =
        std::env::var_os("TMPDIR").map_or(env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let folder = tempfile::Builder::new()
        .prefix("xiaoer-")
        .tempdir_in(place)
        .expect("a folder");
    let data = folder.path().join("data");
    (folder, data)
}
