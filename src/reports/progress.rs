//! The progress report: a student's sections at a date, and every point earned by then.

use std::collections::BTreeMap;

use serde::Serialize;

use super::csv::CsvRow;
use super::points::{Assessed, Total, assessed_at, total};
use super::sheet::{Cell, Column, Presentation, Sheet, SheetTable};
use super::standing::{Enrolled, Standing};
use super::{Ended, Report, ReportError, ReportPerson, ReportSection, read};
use crate::clock::UnixTime;
use crate::store::reports as rows;
use crate::store::{PersonId, ReadTx, SectionId};

/// How a student did by a date.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgressReport {
    /// The date.
    pub at: UnixTime,
    /// Who.
    pub person: ReportPerson,
    /// The person's own enrolment in the school; `None`: nothing had been said.
    pub school: Option<Standing>,
    /// The sections, by name.
    pub sections: Vec<ProgressSection>,
    /// How many sections were over by then and are not listed.
    pub ended_left_out: usize,
}

/// A section in a progress report.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProgressSection {
    /// The section.
    pub section: ReportSection,
    /// How the student was enrolled.
    pub enrolment: Enrolled,
    /// Who taught it then, by name.
    pub teachers: Vec<ReportPerson>,
    /// The assessments there were, in the order they came.
    pub assessments: Vec<Assessed>,
    /// What they came to.
    pub total: Total,
}

/// The progress report of a person at a date. Sections that were removed by then are not in it.
///
/// # Errors
/// [`ReportError::NoSuchPerson`]; [`ReportError::Store`].
pub fn progress(
    tx: &ReadTx<'_>,
    person: PersonId,
    at: UnixTime,
    ended: Ended,
) -> Result<ProgressReport, ReportError> {
    let mut report = ProgressReport {
        at,
        person: read::person(tx, person)?,
        school: school(tx, person, at)?,
        sections: Vec::new(),
        ended_left_out: 0,
    };
    let enrolments = read::sections_of_student(tx, person, at)?;
    let (over, listed): (BTreeMap<_, _>, BTreeMap<_, _>) = enrolments
        .into_iter()
        .partition(|(_, enrolled)| ended == Ended::LeftOut && enrolled.is_over());
    report.ended_left_out = over.len();
    let grades = rows::grades_of_person(tx, person)?;
    for (id, enrolment) in listed {
        report
            .sections
            .extend(section(tx, id, enrolment, &grades, at)?);
    }
    report
        .sections
        .sort_by_cached_key(|one| (one.section.name.to_lowercase(), one.section.id));
    Ok(report)
}

/// The person's own enrolment in the school at `at`.
pub(super) fn school(
    tx: &ReadTx<'_>,
    person: PersonId,
    at: UnixTime,
) -> Result<Option<Standing>, ReportError> {
    let standing = rows::school_standing(tx, person, at)?;
    Ok(standing.map(|(status, since, note)| Standing {
        status,
        since,
        note,
    }))
}

fn section(
    tx: &ReadTx<'_>,
    id: SectionId,
    enrolment: Enrolled,
    grades: &[rows::GradeEvent],
    at: UnixTime,
) -> Result<Option<ProgressSection>, ReportError> {
    let (section, row) = read::section(tx, id)?;
    if read::gone(row.removed_at, at) {
        return Ok(None);
    }
    let assessments = assessed_at(&rows::assessments_of_section(tx, id)?, grades, at);
    Ok(Some(ProgressSection {
        section,
        enrolment,
        teachers: read::teachers(tx, id, at)?,
        total: total(&assessments),
        assessments,
    }))
}

/// The names of the columns of the CSV.
const CSV_COLUMNS: &[&str] = &[
    "idnumber",
    "username",
    "firstname",
    "lastname",
    "sectionid",
    "section",
    "segments",
    "status_code",
    "status",
    "teachers",
    "line",
    "assessmentid",
    "assessment",
    "points",
    "pointval",
    "percent",
    "extra_credit",
    "excepted",
    "attempt",
];

impl Report for ProgressReport {
    fn to_sheet(&self, presentation: &Presentation) -> Sheet {
        let mut sheet = Sheet::new("Progress report", self.at, presentation);
        sheet.about_person(&self.person, self.school.as_ref(), presentation);
        if self.ended_left_out > 0 {
            sheet.fact(
                "Ended by then",
                format!("{}, not shown", self.ended_left_out),
            );
        }
        for section in &self.sections {
            sheet.tables.push(section.table(presentation));
        }
        if self.sections.is_empty() {
            sheet.fact("Sections", "none at this date");
        }
        sheet
    }

    fn csv_columns(&self) -> &'static [&'static str] {
        CSV_COLUMNS
    }

    /// One line an assessment and, behind those of each section, one for its total.
    fn csv_rows(&self, _: &Presentation) -> Vec<CsvRow> {
        let mut rows = Vec::new();
        for section in &self.sections {
            let lead = || {
                let mut lead = self.person.csv_cells();
                lead.extend(section.csv_cells());
                lead
            };
            for assessed in &section.assessments {
                let mut row = lead();
                row.extend(assessed.csv_cells());
                rows.push(row);
            }
            let mut row = lead();
            row.extend(section.total.csv_cells());
            rows.push(row);
        }
        rows
    }
}

impl ProgressSection {
    fn table(&self, presentation: &Presentation) -> SheetTable {
        let mut table = SheetTable::new(self.section.heading());
        table.notes.push(self.enrolment.line(presentation));
        table.notes.push(teachers_line(&self.teachers));
        table.columns = vec![
            Column::text("Assessment", 6.0),
            Column::number("Points", 1.6),
            Column::number("Out of", 1.6),
            Column::number("Percent", 1.7),
            Column::number("Attempt", 1.6),
            Column::text("Remark", 3.0),
        ];
        table.rows = self.assessments.iter().map(Assessed::cells).collect();
        table.total = Some(vec![
            Cell::text("Total"),
            Cell::points(Some(self.total.points).filter(|_| self.total.counted > 0)),
            Cell::points(Some(self.total.out_of).filter(|_| self.total.counted > 0)),
            Cell::percent(self.total.percent),
            Cell::Empty,
            Cell::Empty,
        ]);
        table
    }

    fn csv_cells(&self) -> CsvRow {
        let status = &self.enrolment.standing.status;
        vec![
            Cell::some_text(self.section.sectionid.as_deref()),
            Cell::text(&self.section.name),
            Cell::text(self.section.segments.join("; ")),
            Cell::text(&status.code),
            Cell::text(&status.title),
            Cell::text(names(&self.teachers)),
        ]
    }
}

impl Assessed {
    fn cells(&self) -> Vec<Cell> {
        let remark = match (self.excepted, self.extra_credit) {
            (true, _) => "excepted",
            (false, true) => "extra credit",
            (false, false) => "",
        };
        vec![
            Cell::text(&self.name),
            Cell::points(self.points),
            Cell::points(self.pointval),
            Cell::percent(self.percent),
            Cell::whole(self.attempt),
            Cell::text(remark),
        ]
    }

    fn csv_cells(&self) -> CsvRow {
        vec![
            Cell::text("assessment"),
            Cell::some_text(self.assessmentid.as_deref()),
            Cell::text(&self.name),
            Cell::points(self.points),
            Cell::points(self.pointval),
            Cell::percent(self.percent),
            Cell::truth(self.extra_credit),
            Cell::truth(self.excepted),
            Cell::whole(self.attempt),
        ]
    }
}

impl Total {
    fn csv_cells(&self) -> CsvRow {
        vec![
            Cell::text("total"),
            Cell::Empty,
            Cell::Empty,
            Cell::points(Some(self.points)),
            Cell::points(Some(self.out_of)),
            Cell::percent(self.percent),
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
        ]
    }
}

/// The teachers as a line above a table.
pub(super) fn teachers_line(teachers: &[ReportPerson]) -> String {
    match teachers.len() {
        0 => "Teacher: none".to_owned(),
        1 => format!("Teacher: {}", names(teachers)),
        _ => format!("Teachers: {}", names(teachers)),
    }
}

fn names(people: &[ReportPerson]) -> String {
    let names: Vec<String> = people.iter().map(ReportPerson::name).collect();
    names.join(", ")
}
