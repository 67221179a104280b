//! The one thread that writes, with group commit.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::error::StoreError;
use super::transaction::WriteTx;

/// Jobs written with one `fsync` at most, so that the first of a group does not wait too long for
/// its answer.
const MAX_GROUP: usize = 256;

/// A group takes in no further job after this long, so that other processes get their turn.
const MAX_GROUP_TIME: Duration = Duration::from_millis(200);

/// Jobs of [`write_behind`](super::Store::write_behind) that may wait. They are small marks; beyond
/// this many the disk does not keep up, and real writes come first.
pub const MAX_BEHIND: usize = 1024;

/// How long a mark waits for a real write to travel with.
const BEHIND_WAIT: Duration = Duration::from_millis(500);

pub(super) struct Writer {
    inbox: Sender<Message>,
    behind: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Write(Box<dyn Job>),
    Behind(Box<dyn Job>),
    Stop,
}

impl Message {
    fn job(self) -> Option<Box<dyn Job>> {
        match self {
            Self::Write(job) | Self::Behind(job) => Some(job),
            Self::Stop => None,
        }
    }
}

/// Something to be written, that wants an answer.
trait Job: Send {
    /// Does it; `false` where what it did is to be undone.
    fn run(&mut self, tx: &WriteTx<'_>) -> bool;

    /// Tells the one who waits how it went, once the group is on disk or has failed.
    fn answer(self: Box<Self>, written: Result<(), StoreError>);
}

struct Pending<T, E, F, A> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    answer: A,
}

impl Writer {
    pub(super) fn start(conn: Connection) -> Result<Self, StoreError> {
        let (inbox, messages) = channel();
        let behind = Arc::new(AtomicUsize::new(0));
        let thread = thread::Builder::new()
            .name("mnetd-writer".to_owned())
            .spawn(move || WriterThread::new(conn, messages).run())
            .map_err(|error| {
                tracing::error!(%error, "the database's writer could not be started");
                StoreError::Closed
            })?;
        Ok(Self {
            inbox,
            behind,
            thread: Some(thread),
        })
    }

    pub(super) fn submit<T, E, F, A>(&self, work: F, answer: A) -> Result<(), StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send + 'static,
        A: FnOnce(Result<T, E>) + Send + 'static,
    {
        self.send(Message::Write(Box::new(Pending {
            work: Some(work),
            result: None,
            answer,
        })))
    }

    pub(super) fn submit_behind<T, F>(&self, work: F) -> bool
    where
        T: Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        if self.behind.fetch_add(1, Ordering::AcqRel) >= MAX_BEHIND {
            self.behind.fetch_sub(1, Ordering::AcqRel);
            return false;
        }
        let behind = Arc::clone(&self.behind);
        let answer = move |result: Result<T, StoreError>| {
            behind.fetch_sub(1, Ordering::AcqRel);
            if let Err(error) = result {
                tracing::warn!(%error, "a mark could not be written to the database");
            }
        };
        self.send(Message::Behind(Box::new(Pending {
            work: Some(work),
            result: None,
            answer,
        })))
        .is_ok()
    }

    fn send(&self, message: Message) -> Result<(), StoreError> {
        self.inbox.send(message).map_err(|_| StoreError::Closed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Fails only where the thread is gone already.
        let _ = self.send(Message::Stop);
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A job that owned the last handle drops it on the writer's own thread.
        if thread.thread().id() != thread::current().id() {
            let _ = thread.join();
        }
    }
}

impl<T, E, F, A> Job for Pending<T, E, F, A>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send,
    A: FnOnce(Result<T, E>) + Send,
{
    fn run(&mut self, tx: &WriteTx<'_>) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        // What the job changed in the database is rolled back; what it holds besides goes with it.
        let result = catch_unwind(AssertUnwindSafe(|| work(tx)))
            .unwrap_or_else(|_| Err(StoreError::Panicked.into()));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn answer(self: Box<Self>, written: Result<(), StoreError>) {
        let result = match (self.result, written) {
            // A job's own error is true whatever became of the group.
            (Some(Err(error)), _) => Err(error),
            (_, Err(error)) => Err(error.into()),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Undone.into()),
        };
        (self.answer)(result);
    }
}

struct WriterThread {
    conn: Connection,
    messages: Receiver<Message>,
    stopping: bool,
}

impl WriterThread {
    fn new(conn: Connection, messages: Receiver<Message>) -> Self {
        Self {
            conn,
            messages,
            stopping: false,
        }
    }

    fn run(mut self) {
        let mut marks: Vec<Box<dyn Job>> = Vec::new();
        let mut marks_due = Instant::now();
        while !self.stopping {
            let message = if marks.is_empty() {
                self.messages
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                let wait = marks_due.saturating_duration_since(Instant::now());
                self.messages.recv_timeout(wait)
            };
            match message {
                Ok(Message::Write(job)) => {
                    marks.push(job);
                    self.write_group(std::mem::take(&mut marks));
                }
                Ok(Message::Behind(job)) => {
                    if marks.is_empty() {
                        marks_due = Instant::now() + BEHIND_WAIT;
                    }
                    marks.push(job);
                    if marks.len() >= MAX_GROUP {
                        self.write_group(std::mem::take(&mut marks));
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.write_group(std::mem::take(&mut marks)),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => self.stopping = true,
            }
        }
        if !marks.is_empty() {
            self.write_group(marks);
        }
    }

    /// Writes `jobs` and those that come in meanwhile, then answers them all.
    fn write_group(&mut self, jobs: Vec<Box<dyn Job>>) {
        let mut group = Vec::with_capacity(jobs.len());
        let written = self.write_jobs(jobs, &mut group);
        if let Err(error) = &written {
            tracing::error!(%error, jobs = group.len(), "a group of changes could not be written");
            if !self.conn.is_autocommit() {
                // Fails only where SQLite has rolled back by itself.
                let _ = self.control("ROLLBACK");
            }
        }
        for job in group {
            job.answer(written.clone());
        }
    }

    /// Runs each job under its own savepoint and commits; every job taken is moved to `group`.
    fn write_jobs(
        &mut self,
        jobs: Vec<Box<dyn Job>>,
        group: &mut Vec<Box<dyn Job>>,
    ) -> Result<(), StoreError> {
        let started = Instant::now();
        let mut jobs = VecDeque::from(jobs);
        let mut outcome = self.control("BEGIN IMMEDIATE");
        if outcome.is_err() {
            // Those that came meanwhile have waited as long.
            jobs.extend(
                std::iter::from_fn(|| self.next_waiting(0, Instant::now())).take(MAX_GROUP),
            );
        }
        while outcome.is_ok() {
            let next = jobs.pop_front();
            let Some(mut job) = next.or_else(|| self.next_waiting(group.len(), started)) else {
                return self.control("COMMIT");
            };
            outcome = self.run_job(job.as_mut());
            group.push(job);
        }
        group.extend(jobs);
        outcome
    }

    fn next_waiting(&mut self, taken: usize, started: Instant) -> Option<Box<dyn Job>> {
        if self.stopping || taken >= MAX_GROUP || started.elapsed() > MAX_GROUP_TIME {
            return None;
        }
        let job = self.messages.try_recv().ok()?.job();
        self.stopping = job.is_none();
        job
    }

    /// # Errors
    /// Where the whole transaction is lost, not where the job alone failed.
    fn run_job(&self, job: &mut dyn Job) -> Result<(), StoreError> {
        self.control("SAVEPOINT job")?;
        let keep = job.run(&WriteTx::new(&self.conn));
        // A full disk and the like make SQLite roll back everything by itself.
        if self.conn.is_autocommit() {
            return Err(StoreError::Undone);
        }
        if !keep {
            self.control("ROLLBACK TO job")?;
        }
        self.control("RELEASE job")
    }

    fn control(&self, statement: &str) -> Result<(), StoreError> {
        self.conn.prepare_cached(statement)?.execute([])?;
        Ok(())
    }
}
