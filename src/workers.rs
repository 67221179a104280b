//! A bounded pool for work that keeps a core busy: RSA above all.
//!
//! On the async threads a signature would hold up every other connection; without a bound, a burst
//! of calls would start a thread each.

use std::sync::Arc;
use std::thread;

use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::task;

/// Runs closures on blocking threads, at most as many at a time as there are cores.
#[derive(Clone, Debug)]
pub struct Workers {
    places: Arc<Semaphore>,
}

/// The work did not end: it panicked, or the program is shutting down.
#[derive(Debug, Error)]
#[error("an internal task ended early")]
pub struct Interrupted;

impl Workers {
    /// A pool with one place a core.
    #[must_use]
    pub fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            places: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Runs `work` when a place is free.
    ///
    /// # Errors
    /// [`Interrupted`] when it panicked or the runtime is shutting down.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Interrupted> {
        let place = Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| Interrupted)?;
        // The place goes with the work: a caller that hangs up does not end it.
        let work = move || {
            let _place = place;
            work()
        };
        task::spawn_blocking(work).await.map_err(|_| Interrupted)
    }
}

impl Default for Workers {
    fn default() -> Self {
        Self::new()
    }
}
