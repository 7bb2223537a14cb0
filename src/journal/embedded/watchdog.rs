//! The watchdog ends the process where the disk neither answers nor fails.
//!
//! A thread that opens the folder, commits, compacts or closes names its task ([`Watchdog::begin`]), and every
//! completed call into the store counts as progress ([`beat`]). Opening is mostly one call into sled, so there the
//! bytes count that the process reads and writes. Time is counted in ticks of the watchdog's own thread, so that a
//! machine that was suspended, or a process that was stopped, is not taken for a disk that hangs.
//!
//! sled can wait for ever for a write that has failed already, because it does not wake the waiting thread. Its error
//! is checked with every tick.

use std::cell::RefCell;
use std::fs::File;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::env::FailStop;
use crate::journal::JournalError;

/// How often it checks.
const TICK: Duration = Duration::from_secs(1);

/// Ticks after which a commit in progress is too slow: the server is then not ready.
const SLOW_TICKS: u64 = 5;

/// Ticks without progress after which an error of the store's own threads ends the process.
const ERROR_TICKS: u64 = 1;

/// How long the disk may give no answer; zero: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskTimeouts {
    /// While the folder is opened.
    pub open: Duration,
    /// During a commit, a checkpoint and the closing of the store.
    pub commit: Duration,
}

impl Default for DiskTimeouts {
    fn default() -> DiskTimeouts {
        DiskTimeouts {
            open: Duration::from_secs(60),
            commit: Duration::from_secs(30),
        }
    }
}

/// The counters of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// The folder is opened.
    Open,
    /// What was appended is made durable.
    Commit,
    /// A checkpoint is taken.
    Compaction,
    /// The store is closed.
    Close,
}

impl Task {
    const ALL: [Task; 4] = [Task::Open, Task::Commit, Task::Compaction, Task::Close];

    fn name(self) -> &'static str {
        match self {
            Task::Open => "the folder could not be opened",
            Task::Commit => "a commit could not be made durable, so the server stops",
            Task::Compaction => "a checkpoint could not be finished, so the server stops",
            Task::Close => "the store could not be closed",
        }
    }

    fn setting(self) -> &'static str {
        match self {
            Task::Open => "journal.open_timeout",
            Task::Commit | Task::Compaction | Task::Close => "journal.commit_timeout",
        }
    }
}

/// The progress of one task.
#[derive(Default)]
struct TaskCounters {
    /// How often it was begun and ended: odd while it is in progress.
    turns: AtomicU64,
    /// Grows with every completed call.
    steps: AtomicU64,
    /// Ticks since it was begun.
    age: AtomicU64,
}

/// The error that the store's own threads have met.
pub type StoreError = Box<dyn Fn() -> Option<JournalError> + Send + Sync>;

struct Shared {
    tasks: [TaskCounters; Task::ALL.len()],
    timeouts: DiskTimeouts,
    fail_stop: Arc<dyn FailStop>,
    error: StoreError,
    /// The disk has failed.
    failed: AtomicBool,
    over: Mutex<bool>,
    ends: Condvar,
}

/// The watchdog of one store. It stops when it is dropped.
pub struct Watchdog(Arc<Shared>);

thread_local! {
    /// The task of this thread.
    static AT: RefCell<Option<(Arc<Shared>, Task)>> = const { RefCell::new(None) };
}

/// Records progress of this thread's task.
pub fn heartbeat() {
    AT.with_borrow(|at| {
        if let Some((shared, task)) = at {
            shared.tasks[*task as usize]
                .steps
                .fetch_add(1, Ordering::Relaxed);
        }
    });
}

impl Watchdog {
    /// Starts a watchdog. It stops the process by `fail_stop`; `error` gives the error of the store's own threads.
    pub fn start(
        timeouts: DiskTimeouts,
        fail_stop: &Arc<dyn FailStop>,
        error: StoreError,
    ) -> Result<Watchdog, JournalError> {
        let shared = Arc::new(Shared {
            tasks: Default::default(),
            timeouts,
            fail_stop: Arc::clone(fail_stop),
            error,
            failed: AtomicBool::new(false),
            over: Mutex::new(false),
            ends: Condvar::new(),
        });
        let watching = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("watchdog".to_owned());
        let spawned = thread.spawn(move || watching.watch());
        spawned.map_err(|error| {
            JournalError::Failed(format!("a thread cannot be started: {error}"))
        })?;
        Ok(Watchdog(shared))
    }

    /// This thread begins a task.
    pub fn begin(&self, task: Task) {
        let work = &self.0.tasks[task as usize];
        work.age.store(0, Ordering::Relaxed);
        let turns = work.turns.load(Ordering::Relaxed);
        work.turns
            .store((turns | 1) + 2 * (turns & 1), Ordering::Release);
        AT.set(Some((Arc::clone(&self.0), task)));
    }

    /// This thread has ended what it was at.
    pub fn end(&self, task: Task) {
        let work = &self.0.tasks[task as usize];
        let turns = work.turns.load(Ordering::Relaxed);
        work.turns.store((turns | 1) + 1, Ordering::Release);
        AT.set(None);
    }

    /// Records that the disk has failed.
    pub fn fail(&self) {
        self.0.failed.store(true, Ordering::Release);
    }

    /// Whether commits make progress: the disk has not failed, and no commit is too slow.
    pub fn is_committing(&self) -> bool {
        let commit = &self.0.tasks[Task::Commit as usize];
        let slow = commit.turns.load(Ordering::Acquire) % 2 == 1
            && commit.age.load(Ordering::Relaxed) >= SLOW_TICKS;
        !slow && !self.0.failed.load(Ordering::Acquire) && (self.0.error)().is_none()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        *self.0.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.ends.notify_all();
    }
}

impl Shared {
    fn watch(&self) {
        let mut progress = Task::ALL.map(TaskProgress::new);
        loop {
            let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self.ends.wait_timeout_while(over, TICK, |over| !*over);
            let (over, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if *over {
                return;
            }
            drop(over);
            for progress in &mut progress {
                self.check(progress);
            }
        }
    }

    fn check(&self, progress: &mut TaskProgress) {
        let task = progress.task;
        let stalled = progress.update(&self.tasks[task as usize]);
        if stalled >= ERROR_TICKS
            && let Some(error) = (self.error)()
        {
            self.failed.store(true, Ordering::Release);
            self.fail_stop.stop(&format!(
                "{}: {error}. Everything that was answered is stored. Check the disk, then start again",
                task.name()
            ));
        }
        let timeout = match task {
            Task::Open => self.timeouts.open,
            Task::Commit | Task::Compaction | Task::Close => self.timeouts.commit,
        };
        if !timeout.is_zero() && TICK * u32::try_from(stalled).unwrap_or(u32::MAX) >= timeout {
            self.failed.store(true, Ordering::Release);
            self.fail_stop.stop(&format!(
                "{}: the disk has not answered for {timeout:?}. Everything that was answered is stored. Check the \
                 disk, then start again. Where it is only slow, set `{}` higher",
                task.name(),
                task.setting()
            ));
        }
    }
}

/// A task as it was at the last tick.
struct TaskProgress {
    task: Task,
    turn: u64,
    steps: u64,
    /// Ticks without a step.
    stalled: u64,
    /// The bytes that the process has read and written, where they count and can be read.
    io: Option<ProcessIo>,
}

impl TaskProgress {
    fn new(task: Task) -> TaskProgress {
        TaskProgress {
            task,
            turn: 0,
            steps: 0,
            stalled: 0,
            io: (task == Task::Open).then(ProcessIo::default),
        }
    }

    /// The number of ticks without progress; 0 where the task is not in progress.
    fn update(&mut self, work: &TaskCounters) -> u64 {
        let turn = work.turns.load(Ordering::Acquire);
        let mut steps = work.steps.load(Ordering::Relaxed);
        let new = turn != self.turn;
        if turn.is_multiple_of(2) || new {
            (self.turn, self.steps, self.stalled) = (turn, steps, 0);
            return 0;
        }
        work.age.fetch_add(1, Ordering::Relaxed);
        if let Some(io) = &mut self.io {
            match io.bytes() {
                Some(bytes) => steps = steps.wrapping_add(bytes),
                // Where the progress of a long call cannot be seen, only an error ends it.
                None => return ERROR_TICKS.min(self.stalled + 1),
            }
        }
        if steps == self.steps {
            self.stalled += 1;
        } else {
            (self.steps, self.stalled) = (steps, 0);
        }
        self.stalled
    }
}

/// The bytes that the process has read and written since its start, as the kernel counts them.
#[derive(Default)]
struct ProcessIo {
    /// The bytes that were read to find this out.
    own: u64,
}

impl ProcessIo {
    fn bytes(&mut self) -> Option<u64> {
        let mut text = [0; 512];
        let length = File::open("/proc/self/io").ok()?.read(&mut text).ok()?;
        let own = self.own;
        self.own += length as u64;
        let text = std::str::from_utf8(&text[..length]).ok()?;
        let of = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse::<u64>().ok()
        };
        Some(
            of("rchar:")?.wrapping_sub(own)
                + of("wchar:")?
                + of("read_bytes:")?
                + of("write_bytes:")?,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the number of stalled ticks after so many steps, and perhaps a new run.
    fn check(rows: &[(bool, u64, u64)]) {
        let work = TaskCounters::default();
        let mut progress = TaskProgress::new(Task::Commit);
        for (number, &(turn, steps, stalled)) in rows.iter().enumerate() {
            work.turns.fetch_add(u64::from(turn), Ordering::Relaxed);
            work.steps.fetch_add(steps, Ordering::Relaxed);
            assert_eq!(progress.update(&work), stalled, "look {number}");
        }
    }

    #[test]
    fn silence_is_counted_from_the_last_step() {
        const NEW: bool = true;
        const SAME: bool = false;
        // Nothing is under way.
        check(&[(SAME, 0, 0), (SAME, 0, 0), (SAME, 7, 0)]);
        check(&[
            (NEW, 0, 0),
            (SAME, 0, 1),
            (SAME, 0, 2),
            (SAME, 1, 0),
            (SAME, 0, 1),
        ]);
        // One run ended and the next began between two checks.
        let work = TaskCounters::default();
        let mut progress = TaskProgress::new(Task::Commit);
        for _ in 0..3 {
            work.turns.fetch_add(1, Ordering::Relaxed);
            assert_eq!(progress.update(&work), 0);
            assert_eq!(progress.update(&work), 1);
            work.turns.fetch_add(1, Ordering::Relaxed);
        }
        // Ended.
        check(&[(NEW, 0, 0), (SAME, 0, 1), (NEW, 0, 0), (SAME, 0, 0)]);
    }

    #[test]
    fn looking_is_no_progress_and_reading_is() {
        let mut io = ProcessIo::default();
        if io.bytes().is_none() {
            println!("the kernel's books of this process cannot be read");
            return;
        }
        // Other tests read and write meanwhile, so only a lower bound can be checked.
        let before = io.bytes().unwrap();
        let length = std::fs::read(std::env::current_exe().unwrap())
            .unwrap()
            .len();
        assert!(io.bytes().unwrap() - before >= length as u64);
        assert!(io.own > 100);
    }
}
