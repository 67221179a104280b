//! The only place with SQL: one file a family of tables, typed rows in and out.
//!
//! The data model is read in `schema/`. Everything above works through three faces:
//!
//! - [`Store`] is the database of this process. Its [`write`](Store::write) takes a job, a closure
//!   over a [`WriteTx`], and comes back when what the job did is **on disk**, or undone.
//! - [`ReadTx`] and [`WriteTx`] are a transaction, for reading and for both. A write transaction is a
//!   read transaction as well.
//! - The functions of [`people`], [`sections`], [`enrolments`], [`assessments`], [`grades`] and
//!   [`peers`] take one of the two and speak in row structs. No rusqlite type passes them, so that
//!   another database can be put behind the same faces.
//!
//! One thread writes. Jobs that wait while it is busy are written together, each under its own
//! savepoint, and share one `fsync` (*group commit*): the more callers, the cheaper each. Other
//! processes, such as the command line, may use the same file at the same time.

mod author;
mod backup;
mod error;
mod extra;
mod ids;
mod migrations;
pub mod names;
mod page;
mod readers;
mod transaction;
mod writer;

pub mod accounts;
pub mod assessments;
pub mod audit;
pub mod calls;
pub mod enrolments;
pub mod grades;
pub mod imports;
pub mod lists;
pub mod offers;
pub mod peer_courses;
pub mod peers;
pub mod people;
pub mod reports;
pub mod requests;
pub mod sections;
pub mod sessions;
pub mod settings;
pub mod sign_on;
pub mod statuses;
pub mod syncs;

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

pub use author::Author;
pub use backup::back_up;
pub use error::{Reason, StoreError};
pub use extra::{Extra, MAX_EXTRA_BYTES};
pub use ids::{
    AccountId, AssessmentId, EnrolmentId, FeedId, GradeId, KeyId, MembershipId, PartId,
    PeerCourseId, PeerId, PersonId, SectionId, SessionId, SourceId, StatusId, SyncRunId,
};
pub use names::MAX_SEARCH_WORDS;
pub use page::{DEFAULT_PAGE, MAX_PAGE, Page};
pub use transaction::{ReadTx, WriteTx};
pub use writer::MAX_BEHIND;

use readers::Readers;
use writer::Writer;

/// How long to wait for another process that writes. A bulk import on the command line holds the
/// database for a second or two at a time; a peer waits 60 s for an answer (Moodle's MNet client).
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Nobody but the daemon's user: the register is personal data.
const FILE_MODE: u32 = 0o600;

/// Page cache of the writer, in KiB. The whole process is to stay below 48 MB.
const WRITER_CACHE_KIB: i64 = 8 * 1024;

/// Page cache of the writer while much is written in one go, in KiB: each enrolment of a new person goes to another page
/// of an index, and with less most of them would be read and written again and again.
const BULK_CACHE_KIB: i64 = 64 * 1024;

/// How far the log may grow then, in pages (80 MB): a page that is changed ten times is moved into the database once.
const BULK_CHECKPOINT_PAGES: i64 = 20_000;

/// Page cache of each reader, in KiB.
const READER_CACHE_KIB: i64 = 2 * 1024;

/// More than there are different statements in the program, lists with every filter apart.
const STATEMENTS_KEPT: usize = 256;

/// The log may grow to this many 4 KiB pages (16 MB) before it is moved into the database: with
/// SQLite's own 1000, a busy hour would move it every second.
const CHECKPOINT_PAGES: i64 = 4_000;

/// After a burst the log file is cut back to this size.
const LOG_KEPT_BYTES: i64 = 32 * 1024 * 1024;

/// The database of this process. Clones share it; the last one to go writes what is still waiting
/// and closes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    readers: Readers,
    /// Calls on their way into the log.
    calls: Arc<calls::Waiting>,
    path: PathBuf,
}

impl Store {
    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// The file gets mode 0600; SQLite gives the same to the `-wal` and `-shm` files beside it.
    ///
    /// # Errors
    /// When it cannot be opened or made, belongs to another program or to a newer mnetd, or a
    /// migration fails. The database is then as it was.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let unopened = |reason: Reason| StoreError::Open {
            path: path.to_owned(),
            reason,
        };
        // One opener at a time: SQLite's own locks do not cover the turn to WAL and several migrations.
        let _opening = lock_folder(path).map_err(|error| unopened(error.into()))?;
        create_private(path).map_err(|error| unopened(error.into()))?;
        let mut conn = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(|error| unopened(error.into()))?;
        conn.busy_timeout(BUSY_TIMEOUT)?;
        migrations::bring_up_to_date(&mut conn, path)?;
        set_up_writer(&conn)?;
        names::complete(&mut conn)?;
        Ok(Self {
            inner: Arc::new(Inner {
                readers: Readers::new(path),
                writer: Writer::start(conn)?,
                calls: Arc::default(),
                path: path.to_owned(),
            }),
        })
    }

    /// Where the database lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Runs `job` in the writer and waits until its changes are on disk.
    ///
    /// All or nothing: where the job fails or panics, what it did is undone, and the jobs beside it
    /// do not notice. Dropping the future does not take the job back: it runs, and its answer is lost.
    ///
    /// # Errors
    /// The job's own, or a [`StoreError`] where the changes could not be written.
    pub async fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.inner.writer.submit(job, move |result| {
            // Nobody listens any more: the job is done all the same.
            let _ = answer.send(result);
        })?;
        match answered.await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Closed.into()),
        }
    }

    /// [`Store::write`] for the command line and for threads that may wait.
    ///
    /// # Errors
    /// As [`Store::write`].
    pub fn write_blocking<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (answer, answered) = std::sync::mpsc::sync_channel(1);
        self.inner.writer.submit(job, move |result| {
            let _ = answer.send(result);
        })?;
        match answered.recv() {
            Ok(result) => result,
            Err(_) => Err(StoreError::Closed.into()),
        }
    }

    /// Leaves `job` to be written with the next group, or on its own after half a second; for marks
    /// that may be lost in a crash, such as the moment of the last contact.
    ///
    /// `false`: [`MAX_BEHIND`] of them are waiting already, and this one was dropped. A job that fails
    /// is logged.
    ///
    /// What the job returns is dropped once the group is on disk: a guard that has to outlive the write.
    pub fn write_behind<T, F>(&self, job: F) -> bool
    where
        T: Send + 'static,
        F: FnOnce(&WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.inner.writer.submit_behind(job)
    }

    /// Waits until everything handed in so far is on disk, [`write_behind`](Store::write_behind)
    /// included.
    ///
    /// # Errors
    /// When the writer cannot write.
    pub async fn flush(&self) -> Result<(), StoreError> {
        self.write(|_| Ok(())).await
    }

    /// Runs `job` on one of a few reading connections, off the async threads. It sees one moment of
    /// the database throughout, and everything acknowledged before it began.
    ///
    /// # Errors
    /// The job's own, or a [`StoreError`].
    pub async fn read<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&ReadTx<'_>) -> Result<T, E> + Send + 'static,
    {
        let permit = self.inner.readers.permit().await?;
        let inner = Arc::clone(&self.inner);
        let reading = tokio::task::spawn_blocking(move || {
            let result = inner.readers.run(job);
            drop(permit);
            result
        });
        match reading.await {
            Ok(result) => result,
            Err(_) => Err(StoreError::Panicked.into()),
        }
    }

    /// Gives the writer more memory, as long as what this returns is kept: for imports.
    ///
    /// # Errors
    /// When the writer is gone.
    pub fn bulk(&self) -> Result<Bulk, StoreError> {
        self.write_blocking(|tx| set_room(tx, BULK_CACHE_KIB, BULK_CHECKPOINT_PAGES))?;
        Ok(Bulk {
            store: self.clone(),
        })
    }

    /// [`Store::read`] for the command line and for threads that may wait.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn read_blocking<T, E, F>(&self, job: F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: FnOnce(&ReadTx<'_>) -> Result<T, E>,
    {
        self.inner.readers.run(job)
    }
}

/// The writer has more memory than it otherwise has.
#[derive(Debug)]
#[must_use = "the writer gives the memory back when this is dropped"]
pub struct Bulk {
    store: Store,
}

impl Drop for Bulk {
    fn drop(&mut self) {
        // Where the writer is gone, so is its memory.
        let _ = self
            .store
            .write_blocking(|tx| set_room(tx, WRITER_CACHE_KIB, CHECKPOINT_PAGES));
    }
}

fn set_room(tx: &WriteTx<'_>, cache_kib: i64, checkpoint_pages: i64) -> Result<(), StoreError> {
    // SQLite takes no parameters in a PRAGMA; both are numbers of ours.
    tx.one(&format!("PRAGMA cache_size = -{cache_kib}"), [], |_| Ok(()))?;
    let sql = format!("PRAGMA wal_autocheckpoint = {checkpoint_pages}");
    tx.one(&sql, [], |_| Ok(()))?;
    Ok(())
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.inner.path.display())
    }
}

/// Locks the folder the database lies in until the handle is dropped.
fn lock_folder(path: &Path) -> io::Result<File> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = File::open(folder.unwrap_or(Path::new(".")))?;
    folder.lock()?;
    Ok(folder)
}

/// Makes the file for its owner alone, or takes everybody else's rights from one that is there.
///
/// A file that is there is never opened here: closing it would drop the locks that SQLite holds on it
/// for another [`Store`] of this process (POSIX locks; SQLite, "How To Corrupt", 2.2).
fn create_private(path: &Path) -> io::Result<()> {
    let created = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(path);
    match created {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mode = std::fs::metadata(path)?.permissions().mode();
            if mode & 0o077 == 0 {
                return Ok(());
            }
            std::fs::set_permissions(path, Permissions::from_mode(FILE_MODE))
        }
        Err(error) => Err(error),
    }
}

fn set_up_writer(conn: &Connection) -> Result<(), StoreError> {
    conn.pragma_update(None, "journal_mode", "WAL")?;
    // With NORMAL an acknowledged write could be lost with the power (SQLite, PRAGMA synchronous).
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "foreign_keys", true)?;
    // So that REPLACE cannot get round the triggers that keep the histories append-only.
    conn.pragma_update(None, "recursive_triggers", true)?;
    // What savepoints need to undo themselves stays off the disk.
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    conn.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    conn.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    conn.pragma_update(None, "journal_size_limit", LOG_KEPT_BYTES)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(conn)
}
