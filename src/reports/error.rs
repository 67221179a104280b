//! Why a report cannot be given.

use thiserror::Error;

use crate::store::{PersonId, SectionId, StoreError};

/// Why a report cannot be given.
#[derive(Debug, Error)]
pub enum ReportError {
    /// Nobody in that row.
    #[error("there is no person #{}; mnetd register users lists everybody", .0.0)]
    NoSuchPerson(PersonId),
    /// No section in that row.
    #[error("there is no section #{}; mnetd register sections lists them all", .0.0)]
    NoSuchSection(SectionId),
    /// Nobody of that id or username.
    #[error(
        "nobody has the id or username “{0}”; mnetd register users lists everybody, and '#12' means the person in row 12"
    )]
    UnknownPerson(String),
    /// No section of that id.
    #[error(
        "no section has the id “{0}”; mnetd register sections lists them all, and '#12' means the section in row 12"
    )]
    UnknownSection(String),
    /// A word that may mean several.
    #[error(
        "“{word}” may mean {}; say which by its row ('#12'), or name the peer with --peer",
        .meant.join(", or ")
    )]
    Ambiguous {
        /// What was asked for.
        word: String,
        /// Everybody or everything it may mean, for people to read.
        meant: Vec<String>,
    },
    /// A PDF that could not be made: a fault of ours.
    #[error(
        "the PDF could not be made: {0}. The report itself is sound: take it as CSV, and tell whoever looks after mnetd"
    )]
    Pdf(&'static str),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
