//! What can go wrong with the database, by what an administrator has to do about it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why something could not be stored or read. Cheap to clone: every call of a failed group gets one.
#[derive(Debug, Clone, Error)]
pub enum StoreError {
    /// The file is not there and cannot be made, or cannot be opened.
    #[error(
        "the database {path} cannot be opened: {reason}. Check that its folder exists and belongs to the user mnetd runs as"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or SQLite said.
        reason: Reason,
    },
    /// A copy that could not be made.
    #[error("the backup {copy} could not be written: {reason}")]
    Backup {
        /// The copy.
        copy: PathBuf,
        /// What the system or SQLite said.
        reason: Reason,
    },
    /// A database of some other program.
    #[error(
        "{path} is a database, but not one of mnetd. Check the path in the configuration; nothing was changed"
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Made by a newer mnetd.
    #[error(
        "the database {path} was made by a newer mnetd (its schema is {found}, this program knows up to {known}): \
         start that version, or restore the backup taken before the upgrade"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema version found.
        found: i64,
        /// The latest that this program knows.
        known: i64,
    },
    /// A migration did not go through; the database is as it was before.
    #[error(
        "the database {path} could not be brought up to date: {reason}. It is as it was before"
    )]
    Migration {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        reason: Reason,
    },
    /// Another process held the database for too long.
    #[error(
        "another process kept the database locked for more than {} seconds; nothing was stored, try again",
        super::BUSY_TIMEOUT.as_secs()
    )]
    Busy,
    /// No room.
    #[error("the disk that holds the database is full; nothing was stored")]
    Full,
    /// No right to write.
    #[error(
        "the database cannot be written to: check that the file and its folder belong to the user mnetd runs as"
    )]
    ReadOnly,
    /// The file is damaged.
    #[error("the database is damaged ({0}): stop mnetd and restore a backup")]
    Damaged(Reason),
    /// A rule of the schema was broken: a fault of ours, for the rules above should have refused it.
    #[error("a rule of the database refused the change: {0}")]
    Refused(Reason),
    /// Something else that SQLite reported.
    #[error("the database reported: {0}")]
    Database(Reason),
    /// A step ended the transaction that this change was to be written in.
    #[error("the change was undone together with others that were written with it; try again")]
    Undone,
    /// A step panicked: a fault of ours.
    #[error("a step failed inside mnetd and was undone; the log has the details")]
    Panicked,
    /// The writer has stopped, or could not be started.
    #[error("the database is closed; mnetd is shutting down or could not start its writer")]
    Closed,
}

/// What the layer below said, as text: its types stay inside the store.
#[derive(Clone)]
pub struct Reason(Arc<dyn std::error::Error + Send + Sync>);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<rusqlite::Error> for Reason {
    fn from(error: rusqlite::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<rusqlite_migration::Error> for Reason {
    fn from(error: rusqlite_migration::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<io::Error> for Reason {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged(error.into())
            }
            Some(ErrorCode::ConstraintViolation) => Self::Refused(error.into()),
            _ => Self::Database(error.into()),
        }
    }
}
