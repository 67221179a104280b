//! A bounded pool for work that keeps a core busy: RSA above all.
//!
//! On the async threads a signature would hold up every other connection; without a bound, a burst
//! of calls would start a thread each. The threads are the pool's own, and take the next piece of work
//! from its queue themselves: no core stands idle while an async thread is woken to hand it over.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use rayon_core::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use thiserror::Error;
use tokio::sync::oneshot;

/// Runs closures on threads of its own, one a core, in the order they come.
#[derive(Clone, Debug)]
pub struct Workers {
    pool: Arc<ThreadPool>,
}

/// The work did not end: it panicked.
#[derive(Debug, Error)]
#[error("an internal task ended early")]
pub struct Interrupted;

/// The threads could not be started.
#[derive(Debug, Error)]
#[error("the worker threads could not be started: {0}")]
pub struct NoThreads(#[from] ThreadPoolBuildError);

impl Workers {
    /// Starts one thread a core.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn new() -> Result<Self, NoThreads> {
        let pool = ThreadPoolBuilder::new()
            .thread_name(|number| format!("mnetd-worker-{number}"))
            .build()?;
        Ok(Self {
            pool: Arc::new(pool),
        })
    }

    /// Runs `work` when a thread is free. Once begun it is carried out, whether anybody still waits for
    /// it or not; it is not begun for a caller that has gone.
    ///
    /// # Errors
    /// [`Interrupted`] when it panicked.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Interrupted> {
        let (answer, answered) = oneshot::channel();
        self.pool.spawn_fifo(move || {
            if answer.is_closed() {
                return;
            }
            // A panic ends this piece of work, not the program; its message is on standard error.
            if let Ok(result) = catch_unwind(AssertUnwindSafe(work)) {
                let _ = answer.send(result);
            }
        });
        answered.await.map_err(|_| Interrupted)
    }
}
