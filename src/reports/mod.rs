//! The school's reports: how things stood at a date, as data, as CSV and as PDF. No SQL, no HTML.
//!
//! - [`progress`]: a student's running sections and every point earned by then.
//! - [`transcript`]: every section a student was ever in, term by term, and how each ended.
//! - [`class_list`]: the students of a section, and its teachers.
//!
//! Each is a struct that serialises to JSON, and a [`Report`]: it makes CSV for a spreadsheet and a
//! [`Sheet`], the tables that people read, which becomes a PDF by [`Sheet::to_pdf`].
//!
//! What "at a date" means: an enrolment stands as its history says by the moments its changes take
//! hold, so what was dated back counts from then on; a grade stands as it was written down by then.
//! Rows that are marked as added in error today are in no report, not even in one about the past.
//! Names, ids and the maximum of points have no history: they are shown as they are today.

mod class_list;
mod csv;
mod document;
mod error;
mod find;
mod fonts;
mod pdf;
mod points;
mod progress;
mod read;
mod sheet;
mod standing;
mod transcript;

pub use class_list::{ClassList, Student, class_list};
pub use csv::CsvRow;
pub use error::ReportError;
pub use find::{person_called, section_called};
pub use points::{Assessed, Total};
pub use progress::{ProgressReport, ProgressSection, progress};
pub use sheet::{Align, Cell, Column, Presentation, Sheet, SheetTable};
pub use standing::{Enrolled, Standing};
pub use transcript::{Transcript, TranscriptCourse, TranscriptTerm, transcript};

use std::io::{self, Write};

use serde::Serialize;

use crate::store::reports::{PersonRow, SectionRow};
use crate::store::{PersonId, SectionId};

/// What can be done with each report, besides serialising it.
pub trait Report: Serialize {
    /// The report as people read it, on screen or on paper.
    fn to_sheet(&self, presentation: &Presentation) -> Sheet;

    /// The names of the columns of its CSV: stable, for programs.
    fn csv_columns(&self) -> &'static [&'static str];

    /// The lines of its CSV, each with as many cells as there are columns.
    fn csv_rows(&self, presentation: &Presentation) -> Vec<CsvRow>;

    /// Writes the report as CSV in UTF-8, a header first. No text in it is taken for a formula by a
    /// spreadsheet.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    fn write_csv(&self, out: impl Write, presentation: &Presentation) -> io::Result<()> {
        csv::write(out, self.csv_columns(), &self.csv_rows(presentation))
    }
}

/// Whether a report has the enrolments that were over at its date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ended {
    /// Counted, but not listed.
    #[default]
    LeftOut,
    /// Listed like the others.
    Included,
}

/// A person in a report. Serialised, it says nothing that is not printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportPerson {
    /// The row.
    pub id: PersonId,
    /// The wwwroot of the peer whose row it is; `None`: made here.
    pub peer: Option<String>,
    /// The owner's id of the person.
    pub idnumber: Option<String>,
    /// The username here.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address.
    pub email: String,
}

/// A section in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReportSection {
    /// The row.
    pub id: SectionId,
    /// The wwwroot of the peer whose row it is; `None`: made here.
    pub peer: Option<String>,
    /// The owner's id of the section.
    pub sectionid: Option<String>,
    /// Its name.
    pub name: String,
    /// The segments it runs over, by name; empty: it is ongoing.
    pub segments: Vec<String>,
}

impl ReportPerson {
    /// First name and last name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.firstname, self.lastname)
            .trim()
            .to_owned()
    }
}

impl From<PersonRow> for ReportPerson {
    fn from(row: PersonRow) -> Self {
        Self {
            id: row.id,
            peer: row.peer,
            idnumber: row.idnumber,
            username: row.username,
            firstname: row.firstname,
            lastname: row.lastname,
            email: row.email,
        }
    }
}

impl ReportSection {
    fn new(row: SectionRow, segments: Vec<String>) -> Self {
        Self {
            id: row.id,
            peer: row.peer,
            sectionid: row.idnumber,
            name: row.name,
            segments,
        }
    }
}
