//! A few connections that only read, opened when first needed.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::StoreError;
use super::open_reader;
use super::transaction::ReadTx;

/// Reading connections at most: twice the cores of the small machine a school runs this on. Each
/// costs up to 2 MiB of page cache.
pub(super) const MAX_READERS: usize = 4;

pub(super) struct Readers {
    path: PathBuf,
    pool: Mutex<Pool>,
    returned: Condvar,
    /// Callers on async threads queue here, so that no blocking thread is spent on waiting.
    permits: Arc<Semaphore>,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    open: usize,
}

/// A connection that goes back to the pool however its use ends.
struct Lent<'p> {
    readers: &'p Readers,
    conn: Option<Connection>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            pool: Mutex::default(),
            returned: Condvar::new(),
            permits: Arc::new(Semaphore::new(MAX_READERS)),
        }
    }

    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Closed)
    }

    pub(super) fn run<T, E>(&self, job: impl FnOnce(&ReadTx<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        let mut lent = self.lend()?;
        let Some(conn) = lent.conn.as_mut() else {
            return Err(StoreError::Closed.into());
        };
        // Ends with a rollback when dropped: there is nothing to commit.
        let transaction = conn
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(StoreError::from)?;
        job(&ReadTx::new(&transaction))
    }

    fn lend(&self) -> Result<Lent<'_>, StoreError> {
        let mut pool = self.lock();
        loop {
            if let Some(conn) = pool.idle.pop() {
                return Ok(self.lent(conn));
            }
            if pool.open < MAX_READERS {
                let conn = open_reader(&self.path)?;
                pool.open += 1;
                return Ok(self.lent(conn));
            }
            pool = self
                .returned
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lent(&self, conn: Connection) -> Lent<'_> {
        Lent {
            readers: self,
            conn: Some(conn),
        }
    }

    /// A poisoned pool is still a sound one: nothing inside it can be half done.
    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.lock();
        pool.idle.extend(self.conn.take());
        self.readers.returned.notify_one();
    }
}
