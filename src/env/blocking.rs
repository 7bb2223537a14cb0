//! Work that may wait for the disk, on threads that serve no requests.
//!
//! The runtime's own pool panics where the system cannot start a thread. This pool starts a few threads at the
//! beginning and keeps them, so that work is always done. Where no more threads can be started, work waits for those.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

/// Threads that are kept.
const THREADS_KEPT: usize = 4;

/// The most threads.
const THREADS_MAX: usize = 512;

/// The most tasks that wait for a thread.
const WAITING_MAX: usize = 65_536;

/// How long a thread that is not kept waits for more work.
const IDLE: Duration = Duration::from_secs(10);

/// Why work was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockingError {
    /// The task was not begun: too many tasks wait, or the system cannot start a thread.
    Busy,
    /// The task panicked, which is a bug.
    Panicked,
}

impl fmt::Display for BlockingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BlockingError::Busy => {
                "too many tasks wait for a thread, or the system cannot start one"
            }
            BlockingError::Panicked => {
                "the task panicked; please report this with the server's log"
            }
        })
    }
}

type BlockingWork = Box<dyn FnOnce() + Send>;

struct ThreadPool {
    state: Mutex<PoolState>,
    work_added: Condvar,
    kept: usize,
    max: usize,
}

#[derive(Default)]
struct PoolState {
    waiting: VecDeque<BlockingWork>,
    threads: usize,
    idle: usize,
}

static POOL: LazyLock<Arc<ThreadPool>> =
    LazyLock::new(|| ThreadPool::new(THREADS_KEPT, THREADS_MAX));

/// Starts the threads that are kept.
///
/// # Errors
///
/// The system cannot start a thread.
pub fn begin_blocking() -> io::Result<()> {
    POOL.begin()
}

/// Runs a task on a thread that may wait. The task also runs where its caller no longer waits for it.
pub fn blocking<T, F>(work: F) -> impl Future<Output = Result<T, BlockingError>> + use<T, F>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    POOL.run(work)
}

impl ThreadPool {
    fn new(kept: usize, max: usize) -> Arc<ThreadPool> {
        Arc::new(ThreadPool {
            state: Mutex::default(),
            work_added: Condvar::new(),
            kept,
            max,
        })
    }

    fn state(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(self: &Arc<Self>) -> io::Result<()> {
        let mut state = self.state();
        while state.threads < self.kept {
            self.add_thread(&mut state)?;
        }
        Ok(())
    }

    fn add_thread(self: &Arc<Self>, state: &mut PoolState) -> io::Result<()> {
        let pool = Arc::clone(self);
        let thread = thread::Builder::new().name("blocking".to_owned());
        thread.spawn(move || pool.work())?;
        state.threads += 1;
        Ok(())
    }

    fn run<T, F>(
        self: &Arc<Self>,
        work: F,
    ) -> impl Future<Output = Result<T, BlockingError>> + use<T, F>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let given = self.enqueue(Box::new(move || drop(sender.send(work()))));
        async move {
            given?;
            // The sender goes without a word where the work panics.
            receiver.await.map_err(|_| BlockingError::Panicked)
        }
    }

    fn enqueue(self: &Arc<Self>, work: BlockingWork) -> Result<(), BlockingError> {
        let mut state = self.state();
        if state.waiting.len() >= WAITING_MAX {
            return Err(BlockingError::Busy);
        }
        if state.waiting.len() >= state.idle && state.threads < self.max {
            let added = self.add_thread(&mut state);
            if added.is_err() && state.threads == 0 {
                return Err(BlockingError::Busy);
            }
        }
        state.waiting.push_back(work);
        self.work_added.notify_one();
        Ok(())
    }

    fn work(&self) {
        let mut state = self.state();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                drop(state);
                // What it left half done is its own: nothing of the pool is touched.
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).ok();
                state = self.state();
                continue;
            }
            state.idle += 1;
            let waited = self.work_added.wait_timeout(state, IDLE);
            let (back, time) = waited.unwrap_or_else(PoisonError::into_inner);
            state = back;
            state.idle -= 1;
            if time.timed_out() && state.waiting.is_empty() && state.threads > self.kept {
                state.threads -= 1;
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;

    #[actix_rt::test]
    async fn work_is_done_and_a_panic_stops_nothing() {
        let pool = ThreadPool::new(1, 1);
        pool.begin().unwrap();
        for number in 0..3 {
            let fails = pool.run(move || assert!(number > 9, "planted"));
            let works = pool.run(move || number);
            assert_eq!(fails.await, Err(BlockingError::Panicked));
            assert_eq!(works.await, Ok(number));
        }
        assert_eq!(pool.state().threads, 1);
    }

    #[actix_rt::test]
    async fn work_waits_where_there_are_no_more_threads_and_is_refused_where_too_much_waits() {
        let pool = ThreadPool::new(0, 2);
        let (go, gone) = sync_channel::<()>(0);
        let gone = Arc::new(Mutex::new(gone));
        let held: Vec<_> = (0..2)
            .map(|_| {
                let gone = Arc::clone(&gone);
                pool.run(move || gone.lock().unwrap().recv().is_err())
            })
            .collect();
        // The two threads are busy from here on, or will be with what stands before.
        let waiting: Vec<_> = (0..WAITING_MAX)
            .map(|_| pool.enqueue(Box::new(|| {})))
            .collect();
        let refused = waiting.iter().filter(|given| given.is_err()).count();
        assert!(refused <= 2, "{refused}");
        assert_eq!(pool.run(|| ()).await, Err(BlockingError::Busy));
        drop(go);
        for done in held {
            assert_eq!(done.await, Ok(true));
        }
        let after = async {
            loop {
                if let Ok(()) = pool.run(|| ()).await {
                    return;
                }
                actix_rt::task::yield_now().await;
            }
        };
        after.await;
    }
}
