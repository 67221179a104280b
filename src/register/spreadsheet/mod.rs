//! Grades from a spreadsheet: CSV with a line for each student and a column for each assessment.
//!
//! Three steps, so that what is done is what was looked at: [`Spreadsheet::read`] takes the file apart
//! without looking at the register; [`plan`] holds it against a section and says what would change, and what
//! is left out and why; [`apply`] does exactly that. A [`Plan`] has a [`Plan::digest`]: where a plan made
//! anew has the same one, nothing that matters has changed in between.
//!
//! What a file looks like is in docs/register.md, Grades from a spreadsheet.

mod file;
mod plan;
mod template;

use thiserror::Error;

use crate::store::StoreError;

pub use file::{MAX_BYTES, MAX_COLUMNS, MAX_LINES, Spreadsheet};
pub use plan::{Applied, Plan, PlannedCell, PlannedColumn, PlannedRow, Problem, apply, plan};
pub use template::{FORMULA_STARTS, harmless, template};

/// Why a file cannot be used at all. What is wrong with single lines and cells is a [`Problem`].
#[derive(Debug, Clone, Error)]
pub enum SpreadsheetError {
    /// More than there may be.
    #[error(
        "the file has {} KiB, more than the {} KiB that are taken; give it fewer columns, or the students in several files",
        .0.div_ceil(1024), MAX_BYTES / 1024
    )]
    TooLong(usize),
    /// More lines than there may be.
    #[error("the file has more than {MAX_LINES} lines; give it in several files")]
    TooManyLines,
    /// More columns than there may be.
    #[error(
        "the file has {0} columns, more than the {MAX_COLUMNS} that are taken; give it in several files"
    )]
    TooManyColumns(usize),
    /// A workbook, not CSV.
    #[error(
        "this is a workbook of a spreadsheet program; save the sheet as CSV there (“CSV UTF-8” where it is offered), and give that"
    )]
    Workbook,
    /// Not text.
    #[error("the file is no text; expected CSV, as a spreadsheet program saves it")]
    NoText,
    /// No header, or nothing at all.
    #[error("the file is empty; expected a first line with the names of the columns")]
    Empty,
    /// Nothing that names students.
    #[error(
        "no column names the students; expected one in the first line called “ID number” or “Username”, with commas, semicolons or tabs between the columns. The first line begins: {0}"
    )]
    NoStudents(String),
    /// Nothing to grade.
    #[error(
        "there is no column with an assessment; after those that name the student, each column is one, with its name in the first line"
    )]
    NoAssessments,
    /// Two columns of one name.
    #[error("columns {first} and {second} are both called “{name}”; expected each name once")]
    TwoColumns {
        /// The name.
        name: String,
        /// The number of the one, from 1.
        first: usize,
        /// The number of the other.
        second: usize,
    },
    /// Points that cannot be read.
    #[error("column {column}, “{name}”: it is out of {found}; expected a number such as 20")]
    Points {
        /// The number of the column, from 1.
        column: usize,
        /// Its name.
        name: String,
        /// What stands there.
        found: String,
    },
    /// A name that is too long for an assessment.
    #[error(
        "column {column}: the name is too long for an assessment; expected at most {} characters",
        super::MAX_NAME
    )]
    LongName {
        /// The number of the column, from 1.
        column: usize,
    },
    /// A name that several assessments have.
    #[error(
        "column {column}: the section has {count} assessments called “{name}”, which a spreadsheet cannot tell apart; take the column out, and enter those grades one by one"
    )]
    Ambiguous {
        /// The number of the column, from 1.
        column: usize,
        /// The name.
        name: String,
        /// How many have it.
        count: usize,
    },
    /// Other points than the register has.
    #[error(
        "column {column}: “{name}” is out of {found} in the file, but {known} in the register; correct the file, or the assessment"
    )]
    OtherPoints {
        /// The number of the column, from 1.
        column: usize,
        /// The name.
        name: String,
        /// As the file has it.
        found: f64,
        /// As the register has it, in words.
        known: String,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}
