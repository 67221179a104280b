//! What an enrolment can be: the school's own words, each with a meaning the program goes by.

use rusqlite::{Row, params};
use serde::Serialize;

use super::error::StoreError;
use super::ids::{StatusId, words};
use super::transaction::ReadTx;

words! {
    /// What an enrolment status belongs to.
    Scope {
        /// Somebody in a section.
        Section = "section",
        /// A person in the school.
        School = "school",
    }
}

words! {
    /// What a status means to the program.
    Meaning {
        /// To come, not counted yet.
        Pending = "pending",
        /// Enrolled.
        Active = "active",
        /// Left before the end.
        Withdrawn = "withdrawn",
        /// Came to the end.
        Completed = "completed",
    }
}

words! {
    /// How an enrolment ended, where its status says so.
    Outcome {
        /// Passed.
        Passed = "passed",
        /// Did not pass.
        Failing = "failing",
        /// Ended without a grade.
        NoGrade = "no grade",
    }
}

impl Meaning {
    /// Whether an enrolment with this meaning is over.
    #[must_use]
    pub const fn ends(self) -> bool {
        matches!(self, Self::Withdrawn | Self::Completed)
    }
}

/// A row of `enrolment_status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The row.
    pub id: StatusId,
    /// What it belongs to.
    pub scope: Scope,
    /// The school's code.
    pub code: String,
    /// The school's title.
    pub title: String,
    /// What it means to the program.
    pub meaning: Meaning,
    /// How an enrolment with it ended.
    pub outcome: Option<Outcome>,
}

/// The columns that [`from_row`] reads, of a table called `status` in the query.
pub(super) const COLUMNS: &str =
    "status.id, status.scope, status.code, status.title, status.meaning, status.outcome";

/// The status that `word` names among those of `scope`: by its code, else its title, else by its
/// meaning (the first in order). Upper and lower case of ASCII letters are the same.
///
/// # Errors
/// When the database cannot be read.
pub fn find(tx: &ReadTx<'_>, scope: Scope, word: &str) -> Result<Option<Status>, StoreError> {
    tx.one(
        "SELECT id, scope, code, title, meaning, outcome FROM enrolment_status \
         WHERE scope = ?1 AND removed_at IS NULL AND (code = ?2 OR title = ?2 OR meaning = lower(?2)) \
         ORDER BY code = ?2 DESC, title = ?2 DESC, position LIMIT 1",
        params![scope, word],
        |row| from_row(row, 0),
    )
}

/// The first status of `scope` with that meaning.
///
/// # Errors
/// [`StoreError`] when the database cannot be read. `None` where the school removed them all.
pub fn first(
    tx: &ReadTx<'_>,
    scope: Scope,
    meaning: Meaning,
) -> Result<Option<Status>, StoreError> {
    tx.one(
        "SELECT id, scope, code, title, meaning, outcome FROM enrolment_status \
         WHERE scope = ?1 AND removed_at IS NULL AND meaning = ?2 ORDER BY position LIMIT 1",
        params![scope, meaning],
        |row| from_row(row, 0),
    )
}

/// Every status on offer for `scope`, in order.
///
/// # Errors
/// When the database cannot be read.
pub fn list(tx: &ReadTx<'_>, scope: Scope) -> Result<Vec<Status>, StoreError> {
    tx.all(
        "SELECT id, scope, code, title, meaning, outcome FROM enrolment_status \
         WHERE scope = ?1 AND removed_at IS NULL ORDER BY position, id",
        [scope],
        |row| from_row(row, 0),
    )
}

pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Status> {
    Ok(Status {
        id: row.get(first)?,
        scope: row.get(first + 1)?,
        code: row.get(first + 2)?,
        title: row.get(first + 3)?,
        meaning: row.get(first + 4)?,
        outcome: row.get(first + 5)?,
    })
}
