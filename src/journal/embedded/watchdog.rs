//! The watchdog ends the process where the disk neither answers nor fails.
//!
//! A thread that opens the folder, commits, compacts or closes names its task ([`Watchdog::begin`]), and every
//! completed call into the store counts as progress. A call outside of these tasks is a task of its own
//! ([`Watchdog::call`]), so no call into sled is unwatched. Opening is mostly one call into sled, and a single call can
//! be long, so for both the bytes count that the process reads and writes. Time is counted in ticks of the watchdog's
//! own thread, so that a machine that was suspended, or a process that was stopped, is not taken for a disk that hangs.
//!
//! sled can wait for ever for a write that has failed already: where its own thread fails to write a buffer that the
//! last writer of a batch has handed over, it stores the error but does not wake the threads that wait for the buffer.
//! So the error is checked with every tick, whether a task is in progress or not.

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

/// Ticks after which an error of the store's own threads ends the process. A thread that meets the error in a call has
/// so long to report it itself.
const ERROR_TICKS: u64 = 1;

/// How long the disk may give no answer; zero: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiskTimeouts {
    /// While the folder is opened.
    pub open: Duration,
    /// During a commit, a checkpoint, the closing of the store, and any other call into it.
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

/// A task that is progress.
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
    /// A call into the store that is of no other task.
    Call,
}

impl Task {
    const ALL: [Task; 5] = [
        Task::Open,
        Task::Commit,
        Task::Compaction,
        Task::Close,
        Task::Call,
    ];

    fn name(self) -> &'static str {
        match self {
            Task::Open => "the folder could not be opened",
            Task::Commit => "a commit could not be made durable, so the server stops",
            Task::Compaction => "a checkpoint could not be finished, so the server stops",
            Task::Close => "the store could not be closed",
            Task::Call => "the data folder cannot be used any more",
        }
    }

    fn setting(self) -> &'static str {
        match self {
            Task::Open => "journal.open_timeout",
            Task::Commit | Task::Compaction | Task::Close | Task::Call => "journal.commit_timeout",
        }
    }

    /// What is safe, and what to do.
    fn advice(self) -> &'static str {
        match self {
            Task::Open | Task::Commit | Task::Compaction | Task::Close => {
                "Everything that was answered is stored. Check the disk, then start again"
            }
            // It may be of a command that has answered nothing yet.
            Task::Call => "Check the disk, then run the command again",
        }
    }

    /// Whether the bytes that the process moves are progress too: one call may take long.
    fn counts_bytes(self) -> bool {
        match self {
            Task::Open | Task::Call => true,
            Task::Commit | Task::Compaction | Task::Close => false,
        }
    }
}

/// The progress of one task. Only calls are in progress on several threads at once.
#[derive(Default)]
struct TaskCounters {
    /// How often it was begun.
    begun: AtomicU64,
    /// How often it has ended.
    ended: AtomicU64,
    /// Grows with every completed call.
    steps: AtomicU64,
    /// Ticks since it was begun.
    age: AtomicU64,
}

impl TaskCounters {
    fn begin(&self) {
        self.age.store(0, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::Release);
    }

    fn end(&self) {
        self.ended.fetch_add(1, Ordering::Release);
    }

    /// How often it has ended, and whether it is in progress.
    fn state(&self) -> (u64, bool) {
        let ended = self.ended.load(Ordering::Acquire);
        (ended, self.begun.load(Ordering::Acquire) != ended)
    }
}

/// Ends a call, also where it panics.
struct Ending<'a>(&'a TaskCounters);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
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
        self.0.work(task).begin();
        AT.set(Some((Arc::clone(&self.0), task)));
    }

    /// This thread has ended what it was at.
    pub fn end(&self, task: Task) {
        self.0.work(task).end();
        AT.set(None);
    }

    /// Makes a call into the store: a step of this thread's task, or a task of its own where the thread has none.
    pub fn call<T>(&self, call: impl FnOnce() -> T) -> T {
        let task = AT.with_borrow(|at| {
            let of_this = |(shared, _): &&(Arc<Shared>, Task)| Arc::ptr_eq(shared, &self.0);
            at.as_ref().filter(of_this).map(|(_, task)| *task)
        });
        if let Some(task) = task {
            let done = call();
            self.0.work(task).steps.fetch_add(1, Ordering::Relaxed);
            return done;
        }
        let work = self.0.work(Task::Call);
        work.begin();
        let _ending = Ending(work);
        call()
    }

    /// The error that the store's own threads have met.
    pub fn error(&self) -> Option<JournalError> {
        (self.0.error)()
    }

    /// Records that the disk has failed.
    pub fn fail(&self) {
        self.0.failed.store(true, Ordering::Release);
    }

    /// Whether commits make progress: the disk has not failed, and no commit is too slow.
    pub fn is_committing(&self) -> bool {
        let commit = self.0.work(Task::Commit);
        let (_, in_progress) = commit.state();
        let slow = in_progress && commit.age.load(Ordering::Relaxed) >= SLOW_TICKS;
        !slow && !self.0.failed.load(Ordering::Acquire) && self.error().is_none()
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        *self.0.over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.ends.notify_all();
    }
}

impl Shared {
    fn work(&self, task: Task) -> &TaskCounters {
        &self.tasks[task as usize]
    }

    fn watch(&self) {
        let mut progress = Task::ALL.map(TaskProgress::new);
        let mut failed_ticks = 0;
        loop {
            let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self.ends.wait_timeout_while(over, TICK, |over| !*over);
            let (over, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if *over {
                return;
            }
            drop(over);
            if let Some(error) = (self.error)() {
                if failed_ticks >= ERROR_TICKS {
                    self.stop(self.in_progress(), &error.to_string(), "");
                }
                failed_ticks += 1;
            }
            for progress in &mut progress {
                self.check(progress);
            }
        }
    }

    /// A task that is in progress.
    fn in_progress(&self) -> Task {
        let mut tasks = Task::ALL.into_iter();
        let in_progress = tasks.find(|task| self.work(*task).state().1);
        in_progress.unwrap_or(Task::Call)
    }

    fn check(&self, progress: &mut TaskProgress) {
        let task = progress.task;
        let stalled = progress.update(self.work(task));
        let timeout = match task {
            Task::Open => self.timeouts.open,
            Task::Commit | Task::Compaction | Task::Close | Task::Call => self.timeouts.commit,
        };
        if !timeout.is_zero() && TICK * u32::try_from(stalled).unwrap_or(u32::MAX) >= timeout {
            self.stop(
                task,
                &format!("the disk has not answered for {timeout:?}"),
                &format!(". Where it is only slow, set `{}` higher", task.setting()),
            );
        }
    }

    fn stop(&self, task: Task, why: &str, more: &str) -> ! {
        self.failed.store(true, Ordering::Release);
        let (name, advice) = (task.name(), task.advice());
        self.fail_stop
            .stop(&format!("{name}: {why}. {advice}{more}"))
    }
}

/// A task as it was at the last tick.
struct TaskProgress {
    task: Task,
    in_progress: bool,
    ended: u64,
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
            in_progress: false,
            ended: 0,
            steps: 0,
            stalled: 0,
            io: task.counts_bytes().then(ProcessIo::default),
        }
    }

    /// The number of ticks without progress; 0 where the task is not in progress.
    fn update(&mut self, work: &TaskCounters) -> u64 {
        let (ended, in_progress) = work.state();
        let mut steps = work.steps.load(Ordering::Relaxed);
        let same = self.in_progress && in_progress && ended == self.ended;
        (self.in_progress, self.ended) = (in_progress, ended);
        if !same {
            (self.steps, self.stalled) = (steps, 0);
            return 0;
        }
        work.age.fetch_add(1, Ordering::Relaxed);
        if let Some(io) = &mut self.io {
            match io.bytes() {
                Some(bytes) => steps = steps.wrapping_add(bytes),
                // Where the progress of a long call cannot be seen, only an error ends it.
                None => return 0,
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
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Begins a task, or ends it where it is in progress.
    fn turn(work: &TaskCounters) {
        match work.state() {
            (_, true) => work.end(),
            (_, false) => work.begin(),
        }
    }

    /// Checks the number of stalled ticks after so many steps, and perhaps a begin or an end.
    fn check(rows: &[(bool, u64, u64)]) {
        let work = TaskCounters::default();
        let mut progress = TaskProgress::new(Task::Commit);
        for (number, &(turns, steps, stalled)) in rows.iter().enumerate() {
            if turns {
                turn(&work);
            }
            work.steps.fetch_add(steps, Ordering::Relaxed);
            assert_eq!(progress.update(&work), stalled, "look {number}");
        }
    }

    #[test]
    fn silence_is_counted_from_the_last_step() {
        const TURN: bool = true;
        const SAME: bool = false;
        // Nothing is in progress.
        check(&[(SAME, 0, 0), (SAME, 0, 0), (SAME, 7, 0)]);
        check(&[
            (TURN, 0, 0),
            (SAME, 0, 1),
            (SAME, 0, 2),
            (SAME, 1, 0),
            (SAME, 0, 1),
        ]);
        // One run ended and the next began between two checks.
        let work = TaskCounters::default();
        let mut progress = TaskProgress::new(Task::Commit);
        for _ in 0..3 {
            turn(&work);
            assert_eq!(progress.update(&work), 0);
            assert_eq!(progress.update(&work), 1);
            turn(&work);
        }
        // Ended.
        check(&[(TURN, 0, 0), (SAME, 0, 1), (TURN, 0, 0), (SAME, 0, 0)]);
    }

    #[test]
    fn a_call_that_ends_is_progress_of_the_others() {
        let work = TaskCounters::default();
        // Without the bytes that other tests move.
        let mut progress = TaskProgress::new(Task::Commit);
        work.begin();
        assert_eq!([progress.update(&work), progress.update(&work)], [0, 1]);
        work.begin();
        assert_eq!(
            progress.update(&work),
            2,
            "a call that begins is no progress"
        );
        work.end();
        assert_eq!([progress.update(&work), progress.update(&work)], [0, 1]);
        work.end();
        assert_eq!([progress.update(&work), progress.update(&work)], [0, 0]);
    }

    /// Says why it was stopped.
    struct Told(SyncSender<String>);

    impl FailStop for Told {
        fn stop(&self, why: &str) -> ! {
            self.0.send(why.to_owned()).ok();
            panic!("stopped: {why}")
        }
    }

    /// Starts a watchdog over a store whose own threads have met this error, and gives what it says.
    fn watchdog(commit: Duration, error: Option<JournalError>) -> (Watchdog, Receiver<String>) {
        let (tell, told) = sync_channel(1);
        let fail_stop: Arc<dyn FailStop> = Arc::new(Told(tell));
        let timeouts = DiskTimeouts {
            open: Duration::ZERO,
            commit,
        };
        let watchdog = Watchdog::start(timeouts, &fail_stop, Box::new(move || error.clone()));
        (watchdog.unwrap(), told)
    }

    #[test]
    fn an_error_of_the_stores_own_threads_ends_the_process_in_any_task_and_in_none() {
        let started: Vec<_> = Task::ALL
            .map(Some)
            .into_iter()
            .chain([None])
            .map(|task| {
                let error = JournalError::Failed("the disk".to_owned());
                let (watchdog, told) = watchdog(Duration::ZERO, Some(error));
                if let Some(task) = task {
                    watchdog.begin(task);
                }
                (task, watchdog, told)
            })
            .collect();
        for (task, _watchdog, told) in started {
            let said = told.recv_timeout(Duration::from_secs(60)).unwrap();
            let of = task.unwrap_or(Task::Call);
            assert!(said.starts_with(of.name()), "{task:?}: {said}");
            assert!(said.contains("the disk"), "{task:?}: {said}");
        }
    }

    #[test]
    fn a_call_of_no_task_is_watched_and_one_of_a_task_is_a_step_of_it() {
        let (watchdog, _told) = watchdog(Duration::ZERO, None);
        let calls = |task| {
            let work = watchdog.0.work(task);
            (
                work.begun.load(Ordering::Relaxed),
                work.steps.load(Ordering::Relaxed),
            )
        };
        let in_progress = watchdog.call(|| watchdog.0.in_progress());
        assert_eq!(in_progress, Task::Call);
        assert_eq!(watchdog.0.work(Task::Call).state(), (1, false));
        watchdog.begin(Task::Commit);
        watchdog.call(|| ());
        assert_eq!([calls(Task::Call), calls(Task::Commit)], [(1, 0), (1, 1)]);
        // A task of another store is none of this one.
        let (other, _told) = self::watchdog(Duration::ZERO, None);
        other.call(|| ());
        assert_eq!(other.0.work(Task::Call).state(), (1, false));
        watchdog.end(Task::Commit);
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
