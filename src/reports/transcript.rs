//! The transcript: every section a student was ever in, term by term, and how each ended.

use std::collections::BTreeMap;

use serde::Serialize;

use super::csv::CsvRow;
use super::points::{Total, assessed_at, total};
use super::progress::school;
use super::sheet::{Cell, Column, Presentation, Sheet, SheetTable};
use super::standing::{Enrolled, Standing};
use super::{Report, ReportError, ReportPerson, ReportSection, read};
use crate::clock::UnixTime;
use crate::register::ONGOING;
use crate::store::reports as rows;
use crate::store::statuses::{Meaning, Outcome};
use crate::store::{PersonId, ReadTx, SectionId};

/// What a student took at the school by a date.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Transcript {
    /// The date.
    pub at: UnixTime,
    /// Who.
    pub person: ReportPerson,
    /// The person's own enrolment in the school; `None`: nothing had been said.
    pub school: Option<Standing>,
    /// The terms, in the order the student entered them; what fits no term comes last.
    pub terms: Vec<TranscriptTerm>,
}

/// A term of a transcript.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TranscriptTerm {
    /// The segment; `None`: ongoing, fits no term.
    pub segment: Option<String>,
    /// Its sections, by name. One that runs over several terms stands in each.
    pub courses: Vec<TranscriptCourse>,
}

/// A section on a transcript.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TranscriptCourse {
    /// The section.
    pub section: ReportSection,
    /// How the student was enrolled at the date: for what was over by then, how it ended, when, and why.
    pub enrolment: Enrolled,
    /// When the student withdrew; `None`: did not.
    pub withdrawn_at: Option<UnixTime>,
    /// What the assessments came to by the date.
    pub total: Total,
}

/// The transcript of a person at a date.
///
/// A section that was removed by then stays on it where the student's enrolment was over before: clearing
/// away an old course does not undo that it was taken.
///
/// # Errors
/// [`ReportError::NoSuchPerson`]; [`ReportError::Store`].
pub fn transcript(
    tx: &ReadTx<'_>,
    person: PersonId,
    at: UnixTime,
) -> Result<Transcript, ReportError> {
    let described = read::person(tx, person)?;
    let enrolments = read::sections_of_student(tx, person, at)?;
    let grades = rows::grades_of_person(tx, person)?;
    let mut courses = Vec::with_capacity(enrolments.len());
    for (id, enrolment) in enrolments {
        courses.extend(course(tx, id, enrolment, &grades, at)?);
    }
    Ok(Transcript {
        at,
        person: described,
        school: school(tx, person, at)?,
        terms: terms(courses),
    })
}

fn course(
    tx: &ReadTx<'_>,
    id: SectionId,
    enrolment: Enrolled,
    grades: &[rows::GradeEvent],
    at: UnixTime,
) -> Result<Option<TranscriptCourse>, ReportError> {
    let (section, row) = read::section(tx, id)?;
    if read::gone(row.removed_at, at) && !enrolment.is_over() {
        return Ok(None);
    }
    let assessed = assessed_at(&rows::assessments_of_section(tx, id)?, grades, at);
    let standing = &enrolment.standing;
    let withdrawn = standing.status.meaning == Meaning::Withdrawn;
    Ok(Some(TranscriptCourse {
        section,
        withdrawn_at: withdrawn.then_some(standing.since),
        enrolment,
        total: total(&assessed),
    }))
}

/// The courses by term. Segments have no dates: the one the student entered first comes first, going by
/// the courses of that term alone where there are any, for others may have begun in the term before.
fn terms(courses: Vec<TranscriptCourse>) -> Vec<TranscriptTerm> {
    let mut by_segment: BTreeMap<Option<String>, Vec<TranscriptCourse>> = BTreeMap::new();
    for course in courses {
        if course.section.segments.is_empty() {
            by_segment.entry(None).or_default().push(course);
            continue;
        }
        for segment in course.section.segments.clone() {
            let courses = by_segment.entry(Some(segment)).or_default();
            courses.push(course.clone());
        }
    }
    let mut terms: Vec<TranscriptTerm> = by_segment
        .into_iter()
        .map(|(segment, mut courses)| {
            courses.sort_by_cached_key(|one| (one.section.name.to_lowercase(), one.section.id));
            TranscriptTerm { segment, courses }
        })
        .collect();
    terms.sort_by_key(|term| {
        let entered = |course: &TranscriptCourse| course.enrolment.began;
        let of_this_alone = term.courses.iter();
        let of_this_alone = of_this_alone.filter(|one| one.section.segments.len() == 1);
        let earliest = of_this_alone.map(entered).min();
        (
            term.segment.is_none(),
            earliest.or_else(|| term.courses.iter().map(entered).min()),
        )
    });
    terms
}

/// The names of the columns of the CSV.
const CSV_COLUMNS: &[&str] = &[
    "idnumber",
    "username",
    "firstname",
    "lastname",
    "segment",
    "sectionid",
    "section",
    "began",
    "status_code",
    "status",
    "meaning",
    "outcome",
    "since",
    "withdrawn",
    "note",
    "points",
    "out_of",
    "percent",
];

impl Report for Transcript {
    fn to_sheet(&self, presentation: &Presentation) -> Sheet {
        let mut sheet = Sheet::new("Transcript", self.at, presentation);
        sheet.about_person(&self.person, self.school.as_ref(), presentation);
        for term in &self.terms {
            let mut table = SheetTable::new(term.name().to_owned());
            table.columns = vec![
                Column::text("Section", 4.2),
                Column::text("Status", 2.2),
                Column::text("Code", 1.0),
                Column::text("Outcome", 1.5),
                Column::text("Since", 2.4),
                Column::number("Points", 1.4),
                Column::number("Out of", 1.4),
                Column::number("Percent", 1.6),
                Column::text("Note", 3.0),
            ];
            table.rows = term
                .courses
                .iter()
                .map(|course| course.cells(presentation))
                .collect();
            sheet.tables.push(table);
        }
        if self.terms.is_empty() {
            sheet.fact("Sections", "none by this date");
        }
        sheet
    }

    fn csv_columns(&self) -> &'static [&'static str] {
        CSV_COLUMNS
    }

    /// One line a section and term.
    fn csv_rows(&self, presentation: &Presentation) -> Vec<CsvRow> {
        let mut rows = Vec::new();
        for term in &self.terms {
            for course in &term.courses {
                let mut row = self.person.csv_cells();
                row.push(Cell::text(term.name()));
                row.extend(course.csv_cells(presentation));
                rows.push(row);
            }
        }
        rows
    }
}

impl TranscriptTerm {
    /// The segment's name, or “ongoing”.
    #[must_use]
    pub fn name(&self) -> &str {
        self.segment.as_deref().unwrap_or(ONGOING)
    }
}

impl TranscriptCourse {
    fn cells(&self, presentation: &Presentation) -> Vec<Cell> {
        let standing = &self.enrolment.standing;
        let counted = self.total.counted > 0;
        vec![
            Cell::text(&self.section.name),
            Cell::text(&standing.status.title),
            Cell::text(&standing.status.code),
            Cell::some_text(standing.status.outcome.map(Outcome::as_str)),
            Cell::text(presentation.date(standing.since)),
            Cell::points(Some(self.total.points).filter(|_| counted)),
            Cell::points(Some(self.total.out_of).filter(|_| counted)),
            Cell::percent(self.total.percent),
            Cell::some_text(standing.note.as_deref()),
        ]
    }

    fn csv_cells(&self, presentation: &Presentation) -> CsvRow {
        let standing = &self.enrolment.standing;
        let status = &standing.status;
        let counted = self.total.counted > 0;
        let withdrawn = self.withdrawn_at.map(|at| presentation.date(at));
        vec![
            Cell::some_text(self.section.sectionid.as_deref()),
            Cell::text(&self.section.name),
            Cell::text(presentation.date(self.enrolment.began)),
            Cell::text(&status.code),
            Cell::text(&status.title),
            Cell::text(status.meaning.as_str()),
            Cell::some_text(status.outcome.map(Outcome::as_str)),
            Cell::text(presentation.date(standing.since)),
            Cell::some_text(withdrawn.as_deref()),
            Cell::some_text(standing.note.as_deref()),
            Cell::points(Some(self.total.points).filter(|_| counted)),
            Cell::points(Some(self.total.out_of).filter(|_| counted)),
            Cell::percent(self.total.percent),
        ]
    }
}
