//! What a file would change in a section, and doing it.

use std::collections::HashMap;
use std::fmt;

use openssl::sha::sha256;
use serde::Serialize;

use super::SpreadsheetError;
use super::file::{FileColumn, FileLine, Spreadsheet, most_points};
use crate::clock::UnixTime;
use crate::register::fields::{MAX_POINTS, shown};
use crate::register::{
    Author, HandMadeAssessment, RegisterError, Status, enter_grade, make_assessment, typed_number,
};
use crate::store::assessments::Assessment;
use crate::store::grades::{self, GradeValue};
use crate::store::lists::{self, Turn};
use crate::store::{
    AssessmentId, MAX_PAGE, PersonId, ReadTx, SectionId, StoreError, WriteTx, people,
};

/// How many problems are told one by one: who has more has given the wrong file.
const MAX_PROBLEMS: usize = 500;

/// What is written for a student who need not do an assessment.
const EXCEPTED: [&str; 4] = ["ex", "exc", "excepted", "excused"];

/// What is written where there is no grade, besides nothing: Moodle's exports have a hyphen there.
const NOTHING: [&str; 3] = ["-", "–", "—"];

/// What a file would change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Plan {
    /// The section.
    pub section: SectionId,
    /// The assessments the file has, in its order.
    pub columns: Vec<PlannedColumn>,
    /// The students whose grades would change, in the file's order.
    pub rows: Vec<PlannedRow>,
    /// What is left out, and why.
    pub problems: Vec<Problem>,
    /// How many more problems there are than are told.
    pub more_problems: usize,
    /// How many grades of the file stand so already.
    pub same: usize,
}

/// An assessment of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedColumn {
    /// The assessment; `None`: it would be made.
    pub assessment: Option<AssessmentId>,
    /// Its name.
    pub name: String,
    /// The most points there are to earn.
    pub pointval: Option<f64>,
}

/// A student whose grades would change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedRow {
    /// The line in the file, from 1.
    pub line: u64,
    /// Who.
    pub person: PersonId,
    /// The username here.
    pub username: String,
    /// First and last name, as the register has them.
    pub name: String,
    /// What would change.
    pub cells: Vec<PlannedCell>,
}

/// A grade that would change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedCell {
    /// The index in [`Plan::columns`].
    pub column: usize,
    /// What stands now.
    pub old: Option<GradeValue>,
    /// What would stand.
    pub new: GradeValue,
}

/// Something in a file that is left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The line in the file, from 1.
    pub line: u64,
    /// The column, by what stands in its header; `None`: the line as a whole.
    pub column: Option<String>,
    /// What is wrong, and what was expected.
    pub text: String,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many assessments were made.
    pub assessments: usize,
    /// How many grades were entered or changed.
    pub grades: usize,
}

impl Plan {
    /// Whether nothing would change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.new_columns().next().is_none()
    }

    /// The assessments that would be made.
    pub fn new_columns(&self) -> impl Iterator<Item = &PlannedColumn> {
        self.columns
            .iter()
            .filter(|column| column.assessment.is_none())
    }

    /// How many grades would change.
    #[must_use]
    pub fn grades(&self) -> usize {
        self.rows.iter().map(|row| row.cells.len()).sum()
    }

    /// How many things are left out.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.problems.len() + self.more_problems
    }

    /// What tells this plan from any other: SHA-256 over all that it says, in hex.
    #[must_use]
    pub fn digest(&self) -> String {
        // A struct of numbers and texts always becomes JSON.
        let json = serde_json::to_vec(self).unwrap_or_default();
        hex::encode(sha256(&json))
    }

    fn problem(&mut self, line: u64, column: Option<&str>, text: String) {
        if self.problems.len() >= MAX_PROBLEMS {
            self.more_problems += 1;
            return;
        }
        self.problems.push(Problem {
            line,
            column: column.map(shown),
            text,
        });
    }
}

impl PlannedCell {
    /// The most points there are in `plan`, where these are more.
    #[must_use]
    pub fn beyond(&self, plan: &Plan) -> Option<f64> {
        let most = plan.columns.get(self.column)?.pointval?;
        self.new
            .points_earned
            .filter(|points| *points > most)
            .map(|_| most)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            Some(column) => write!(f, "line {}, column {column}: {}", self.line, self.text),
            None => write!(f, "line {}: {}", self.line, self.text),
        }
    }
}

/// What the register has of a section.
pub(super) struct Known {
    pub(super) assessments: Vec<Assessment>,
    pub(super) students: Vec<Student>,
    grades: HashMap<(PersonId, AssessmentId), GradeValue>,
}

/// A student of the section, whatever the status.
pub(super) struct Student {
    pub(super) person: PersonId,
    pub(super) idnumber: Option<String>,
    pub(super) username: String,
    pub(super) firstname: String,
    pub(super) lastname: String,
}

impl Known {
    /// The assessments that the header of a column may mean: those called so, and those called so without
    /// the points in brackets at its end.
    pub(super) fn called(&self, header: &str) -> Vec<&Assessment> {
        let (bare, _) = split(header);
        let is_called = |assessment: &Assessment, name: &str| {
            assessment.fields.name.trim().to_lowercase() == name.trim().to_lowercase()
        };
        self.assessments
            .iter()
            .filter(|assessment| is_called(assessment, header) || is_called(assessment, bare))
            .collect()
    }
}

/// What the register has of a section's gradebook.
pub(super) fn read_section(
    tx: &ReadTx<'_>,
    section: SectionId,
    now: UnixTime,
) -> Result<Known, StoreError> {
    let mut known = Known {
        assessments: Vec::new(),
        students: Vec::new(),
        grades: HashMap::new(),
    };
    let mut turn = Turn::First;
    loop {
        let book = lists::gradebook(tx, section, now, turn, MAX_PAGE)?;
        known.assessments = book.assessments;
        for cell in book.grades {
            known
                .grades
                .insert((cell.person, cell.assessment), cell.value);
        }
        let last = book.students.rows.last().map(|student| student.person);
        for student in book.students.rows {
            let idnumber = people::get(tx, student.person)?.and_then(|row| row.fields.idnumber);
            known.students.push(Student {
                person: student.person,
                idnumber,
                username: student.username,
                firstname: student.firstname,
                lastname: student.lastname,
            });
        }
        match last.filter(|_| book.students.later) {
            Some(last) => turn = Turn::After(last),
            None => return Ok(known),
        }
    }
}

/// What `file` would change in `section`.
///
/// # Errors
/// Where a column cannot be told, or the database cannot be read.
pub fn plan(
    tx: &ReadTx<'_>,
    section: SectionId,
    file: &Spreadsheet,
    now: UnixTime,
) -> Result<Plan, SpreadsheetError> {
    let known = read_section(tx, section, now)?;
    let mut plan = Plan {
        section,
        columns: plan_columns(&known, &file.columns)?,
        rows: Vec::new(),
        problems: Vec::new(),
        more_problems: 0,
        same: 0,
    };
    let mut lines: HashMap<PersonId, u64> = HashMap::new();
    for line in &file.lines {
        if let Some(beyond) = &line.beyond {
            let text = format!(
                "{} stands in a column without a name; name it in the first line",
                shown(beyond)
            );
            plan.problem(line.number, None, text);
        }
        let student = match find(&known, line) {
            Ok(student) => student,
            Err(text) => {
                plan.problem(line.number, None, text);
                continue;
            }
        };
        if let Some(first) = lines.insert(student.person, line.number) {
            let text = format!(
                "{} stands in line {first} already; expected each student once. This line is left out",
                student.username
            );
            plan.problem(line.number, None, text);
            continue;
        }
        plan_line(tx, &mut plan, &known, file, line, student)?;
    }
    Ok(plan)
}

fn plan_columns(
    known: &Known,
    columns: &[FileColumn],
) -> Result<Vec<PlannedColumn>, SpreadsheetError> {
    let mut planned: Vec<PlannedColumn> = Vec::new();
    for column in columns {
        let next = plan_column(known, column)?;
        let is_same = |other: &PlannedColumn| match (other.assessment, next.assessment) {
            (Some(one), Some(other)) => one == other,
            (None, None) => other.name.to_lowercase() == next.name.to_lowercase(),
            _ => false,
        };
        if let Some(index) = planned.iter().position(is_same) {
            return Err(SpreadsheetError::TwoColumns {
                name: shown(&next.name),
                first: columns.get(index).map_or(0, |first| first.place + 1),
                second: column.place + 1,
            });
        }
        planned.push(next);
    }
    Ok(planned)
}

fn plan_column(known: &Known, column: &FileColumn) -> Result<PlannedColumn, SpreadsheetError> {
    let number = column.place + 1;
    let (bare, in_header) = split(&column.header);
    match known.called(&column.header).as_slice() {
        [] => Ok(PlannedColumn {
            assessment: None,
            name: bare.to_owned(),
            pointval: column.out_of.or(in_header),
        }),
        [assessment] => {
            let fields = &assessment.fields;
            let is_whole_name = fields.name.trim().to_lowercase() == column.header.to_lowercase();
            let said = column.out_of.or(in_header.filter(|_| !is_whole_name));
            match said.filter(|said| Some(*said) != fields.pointval) {
                Some(found) => Err(SpreadsheetError::OtherPoints {
                    column: number,
                    name: shown(&fields.name),
                    found,
                    known: fields
                        .pointval
                        .map_or_else(|| "without a maximum".to_owned(), |most| most.to_string()),
                }),
                None => Ok(PlannedColumn {
                    assessment: Some(assessment.id),
                    name: fields.name.clone(),
                    pointval: fields.pointval,
                }),
            }
        }
        several => Err(SpreadsheetError::Ambiguous {
            column: number,
            name: shown(&column.header),
            count: several.len(),
        }),
    }
}

/// A header without the points in brackets at its end, and these.
fn split(header: &str) -> (&str, Option<f64>) {
    let points = header
        .strip_suffix(')')
        .and_then(|start| start.rsplit_once('('))
        .and_then(|(name, points)| Some((name.trim_end(), most_points(points)?)));
    match points {
        Some((name, points)) if !name.is_empty() => (name, Some(points)),
        _ => (header, None),
    }
}

/// The student a line is about, or why there is none.
fn find<'k>(known: &'k Known, line: &FileLine) -> Result<&'k Student, String> {
    let is_named = |student: &&Student| student.username.eq_ignore_ascii_case(&line.username);
    if line.idnumber.is_empty() {
        if line.username.is_empty() {
            return Err("neither id number nor username; expected one of them".to_owned());
        }
        return known.students.iter().find(is_named).ok_or_else(|| {
            format!(
                "no student of this section has the username {}{}",
                shown(&line.username),
                names(line)
            )
        });
    }
    let mut with_id: Vec<&Student> = known
        .students
        .iter()
        .filter(|student| student.idnumber.as_ref() == Some(&line.idnumber))
        .collect();
    if with_id.is_empty() {
        return Err(format!(
            "no student of this section has the id number {}{}",
            shown(&line.idnumber),
            names(line)
        ));
    }
    if !line.username.is_empty() {
        with_id.retain(is_named);
    }
    match with_id.as_slice() {
        [student] => Ok(student),
        [] => Err(format!(
            "the id number {} is not that of {}; correct one of them",
            shown(&line.idnumber),
            shown(&line.username)
        )),
        _ => Err(format!(
            "several students have the id number {}; add a column “Username”",
            shown(&line.idnumber)
        )),
    }
}

fn names(line: &FileLine) -> String {
    match line.names.trim() {
        "" => String::new(),
        names => format!(" ({})", shown(names)),
    }
}

fn plan_line(
    tx: &ReadTx<'_>,
    plan: &mut Plan,
    known: &Known,
    file: &Spreadsheet,
    line: &FileLine,
    student: &Student,
) -> Result<(), StoreError> {
    let mut cells = Vec::new();
    for (column, text) in &line.cells {
        let header = file
            .columns
            .get(*column)
            .map(|column| column.header.as_str());
        let (points_earned, excepted) = match typed(text) {
            Ok(Some(value)) => value,
            Ok(None) => continue,
            Err(problem) => {
                plan.problem(line.number, header, problem);
                continue;
            }
        };
        let assessment = plan
            .columns
            .get(*column)
            .and_then(|planned| planned.assessment);
        let old = match assessment {
            Some(assessment) => match standing(tx, known, student, assessment)? {
                Ok(old) => old,
                Err(problem) => {
                    plan.problem(line.number, header, problem);
                    continue;
                }
            },
            None => None,
        };
        let new = GradeValue {
            points_earned,
            excepted,
            attempt_num: old.map_or(1, |old| old.attempt_num),
        };
        if old.is_some_and(|old| is_same(&old, &new)) {
            plan.same += 1;
            continue;
        }
        cells.push(PlannedCell {
            column: *column,
            old,
            new,
        });
    }
    if !cells.is_empty() {
        plan.rows.push(PlannedRow {
            line: line.number,
            person: student.person,
            username: student.username.clone(),
            name: format!("{} {}", student.firstname, student.lastname),
            cells,
        });
    }
    Ok(())
}

/// What is typed in a cell: the points, and whether the student is excepted; `None` for nothing.
type Typed = Option<(Option<f64>, bool)>;

fn typed(text: &str) -> Result<Typed, String> {
    let word = text.to_lowercase();
    if NOTHING.contains(&word.as_str()) {
        return Ok(None);
    }
    if EXCEPTED.contains(&word.as_str()) {
        return Ok(Some((None, true)));
    }
    typed_number("points", text)
        .ok()
        .filter(|points| (-MAX_POINTS..=MAX_POINTS).contains(points))
        .map(|points| Some((Some(points), false)))
        .ok_or_else(|| {
            format!(
                "{} is no grade; expected points such as 7 or 7.5, “ex” for excepted, or nothing",
                shown(text)
            )
        })
}

/// The grade that stands, or why it is not to be changed from here.
fn standing(
    tx: &ReadTx<'_>,
    known: &Known,
    student: &Student,
    assessment: AssessmentId,
) -> Result<Result<Option<GradeValue>, String>, StoreError> {
    if let Some(value) = known.grades.get(&(student.person, assessment)) {
        return Ok(Ok(Some(*value)));
    }
    // Not in the lists: never was, removed, or marked.
    let row = grades::find(tx, assessment, student.person)?;
    Ok(match row {
        Some(row) if row.in_error_at.is_some() && row.removed_at.is_none() => Err(format!(
            "the grade of {} is marked as added in error; lift the mark first",
            student.username
        )),
        _ => Ok(None),
    })
}

fn is_same(old: &GradeValue, new: &GradeValue) -> bool {
    if new.excepted {
        old.excepted
    } else {
        !old.excepted && old.points_earned == new.points_earned
    }
}

/// Does what `plan` says, in the name of `author`; `note` goes into the history of each grade. Belongs into
/// the transaction in which the plan was made.
///
/// # Errors
/// [`RegisterError::Store`]; nothing else where the plan is [`plan`]'s. The transaction has to be given up
/// then.
pub fn apply(
    tx: &WriteTx<'_>,
    author: &Author,
    plan: &Plan,
    note: &str,
    now: UnixTime,
) -> Result<Applied, RegisterError> {
    let mut applied = Applied::default();
    let mut assessments = Vec::with_capacity(plan.columns.len());
    for column in &plan.columns {
        let id = if let Some(id) = column.assessment {
            id
        } else {
            let new = HandMadeAssessment {
                section: plan.section,
                name: column.name.clone(),
                pointval: column.pointval,
            };
            applied.assessments += 1;
            make_assessment(tx, &new, now)?
        };
        assessments.push(id);
    }
    for row in &plan.rows {
        for cell in &row.cells {
            let Some(assessment) = assessments.get(cell.column) else {
                continue;
            };
            let value = &cell.new;
            let note = Some(note);
            let reply = enter_grade(tx, author, *assessment, row.person, value, note, now)?;
            applied.grades += usize::from(reply.status != Status::Unchanged);
        }
    }
    Ok(applied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_in_brackets_are_no_part_of_the_name() {
        assert_eq!(split("Quiz (20)"), ("Quiz", Some(20.0)));
        assert_eq!(split("Quiz(7,5)"), ("Quiz", Some(7.5)));
        assert_eq!(
            split("Quiz (chapter 3) (20)"),
            ("Quiz (chapter 3)", Some(20.0))
        );
        for whole in [
            "Quiz",
            "Quiz (late)",
            "Quiz (20",
            "(20)",
            "Quiz ()",
            "Quiz (-1)",
        ] {
            assert_eq!(split(whole), (whole, None));
        }
    }

    #[test]
    fn a_cell_is_points_an_exception_or_nothing() {
        let points = |points| Ok(Some((Some(points), false)));
        assert_eq!(typed("7"), points(7.0));
        assert_eq!(typed("7.5"), points(7.5));
        assert_eq!(typed("7,5"), points(7.5));
        assert_eq!(typed("-1"), points(-1.0));
        for excepted in ["ex", "EX", "Excepted", "excused"] {
            assert_eq!(typed(excepted), Ok(Some((None, true))));
        }
        assert_eq!(typed("-"), Ok(None));
    }

    #[test]
    fn what_is_no_grade_is_said_so() {
        for text in [
            "seven", "1,234.5", "1.234,5", "7 %", "=1+1", "+-7", "1e3", "inf", "NaN", "7/10",
            "1000001", ".5", "0x10",
        ] {
            let problem = typed(text).unwrap_err();
            assert!(problem.contains("is no grade"), "{text}: {problem}");
        }
    }
}
