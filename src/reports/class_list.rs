//! The class list: the students of a section at a date, and its teachers.

use serde::Serialize;

use super::csv::CsvRow;
use super::progress::teachers_line;
use super::sheet::{Cell, Column, Presentation, Sheet, SheetTable};
use super::standing::Enrolled;
use super::{Ended, Report, ReportError, ReportPerson, ReportSection, read};
use crate::clock::UnixTime;
use crate::store::enrolments::Role;
use crate::store::reports as rows;
use crate::store::{ReadTx, SectionId};

/// Who was in a section at a date.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassList {
    /// The date.
    pub at: UnixTime,
    /// The section.
    pub section: ReportSection,
    /// Who taught it then, by name.
    pub teachers: Vec<ReportPerson>,
    /// The students, by name.
    pub students: Vec<Student>,
    /// How many had left or finished by then and are not listed.
    pub ended_left_out: usize,
}

/// A student on a class list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Student {
    /// Who.
    #[serde(flatten)]
    pub person: ReportPerson,
    /// How the student was enrolled.
    pub enrolment: Enrolled,
}

/// The class list of a section at a date, removed or not. People who were removed by then are not in it.
///
/// # Errors
/// [`ReportError::NoSuchSection`]; [`ReportError::Store`].
pub fn class_list(
    tx: &ReadTx<'_>,
    section: SectionId,
    at: UnixTime,
    ended: Ended,
) -> Result<ClassList, ReportError> {
    let (described, _) = read::section(tx, section)?;
    let mut list = ClassList {
        at,
        section: described,
        teachers: read::teachers(tx, section, at)?,
        students: Vec::new(),
        ended_left_out: 0,
    };
    for (id, enrolment) in read::people_in_section(tx, section, Role::Student, at)? {
        if ended == Ended::LeftOut && enrolment.is_over() {
            list.ended_left_out += 1;
            continue;
        }
        let row = rows::person(tx, id)?.filter(|row| !read::gone(row.removed_at, at));
        list.students.extend(row.map(|row| Student {
            person: row.into(),
            enrolment,
        }));
    }
    read::by_name(&mut list.students, |student| &student.person);
    Ok(list)
}

/// The names of the columns of the CSV.
const CSV_COLUMNS: &[&str] = &[
    "sectionid",
    "section",
    "role",
    "idnumber",
    "username",
    "firstname",
    "lastname",
    "email",
    "status_code",
    "status",
    "since",
    "note",
];

impl Report for ClassList {
    fn to_sheet(&self, presentation: &Presentation) -> Sheet {
        let mut sheet = Sheet::new("Class list", self.at, presentation);
        sheet.fact("Section", self.section.heading());
        if let Some(id) = &self.section.sectionid {
            sheet.fact("Id", id.as_str());
        }
        sheet.fact("Students", self.students.len().to_string());
        if self.ended_left_out > 0 {
            sheet.fact(
                "Ended by then",
                format!("{}, not shown", self.ended_left_out),
            );
        }
        let mut table = SheetTable::new(String::new());
        table.notes.push(teachers_line(&self.teachers));
        table.columns = vec![
            Column::text("Last name", 2.2),
            Column::text("First name", 2.1),
            Column::text("Id", 1.9),
            Column::text("Username", 2.4),
            Column::text("E-mail", 3.9),
            Column::text("Status", 1.9),
            Column::text("Since", 2.0),
        ];
        table.rows = self
            .students
            .iter()
            .map(|student| student.cells(presentation))
            .collect();
        sheet.tables.push(table);
        sheet
    }

    fn csv_columns(&self) -> &'static [&'static str] {
        CSV_COLUMNS
    }

    /// One line a teacher, then one a student.
    fn csv_rows(&self, presentation: &Presentation) -> Vec<CsvRow> {
        let lead = |role: &str, person: &ReportPerson| {
            let mut cells = vec![
                Cell::some_text(self.section.sectionid.as_deref()),
                Cell::text(&self.section.name),
                Cell::text(role),
            ];
            cells.extend(person.csv_cells());
            cells.push(Cell::text(&person.email));
            cells
        };
        let teachers = self.teachers.iter().map(|teacher| {
            let mut row = lead("teacher", teacher);
            row.resize(CSV_COLUMNS.len(), Cell::Empty);
            row
        });
        let students = self.students.iter().map(|student| {
            let mut row = lead("student", &student.person);
            let standing = &student.enrolment.standing;
            row.extend([
                Cell::text(&standing.status.code),
                Cell::text(&standing.status.title),
                Cell::text(presentation.date(standing.since)),
                Cell::some_text(standing.note.as_deref()),
            ]);
            row
        });
        teachers.chain(students).collect()
    }
}

impl Student {
    fn cells(&self, presentation: &Presentation) -> Vec<Cell> {
        let standing = &self.enrolment.standing;
        vec![
            Cell::text(&self.person.lastname),
            Cell::text(&self.person.firstname),
            Cell::some_text(self.person.idnumber.as_deref()),
            Cell::text(&self.person.username),
            Cell::text(&self.person.email),
            Cell::text(&standing.status.title),
            Cell::text(presentation.date(standing.since)),
        ]
    }
}
