//! The gradebook of a section: students × assessments.

use std::collections::BTreeMap;

use rusqlite::params;
use serde::Serialize;

use super::super::assessments::{Assessment, assessment_from_row, select_assessment};
use super::super::enrolments::STATUS_NOW;
use super::super::error::StoreError;
use super::super::grades::{GradeValue, value_from_row};
use super::super::ids::{AssessmentId, GradeId, PeerId, PersonId, SectionId};
use super::super::page::MAX_PAGE;
use super::super::statuses::{self, Status};
use super::super::transaction::ReadTx;
use super::people::anchored;
use super::{Slice, Turn, Walk, numbers};
use crate::clock::UnixTime;

/// How many bands of ten percent there are; the last holds what is above a hundred, too.
pub const BANDS: usize = 10;

/// A part of a section's gradebook.
#[derive(Clone, Debug, PartialEq)]
pub struct GradebookPage {
    /// The columns, in the order they came; the first [`MAX_PAGE`] at most.
    pub assessments: Vec<Assessment>,
    /// The rows, by name.
    pub students: Slice<GradebookStudent>,
    /// What these students got, in no order.
    pub grades: Vec<Cell>,
}

/// A row of the gradebook: somebody who is or was a student of the section.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GradebookStudent {
    /// The person.
    pub person: PersonId,
    /// The person's username here.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// How the person is enrolled now; where that was said more than once, what is furthest from having left.
    pub status: Status,
}

/// What a student got.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// The row.
    pub grade: GradeId,
    /// In which assessment.
    pub assessment: AssessmentId,
    /// Who.
    pub person: PersonId,
    /// Who gave the value that stands; `None`: by hand.
    pub peer: Option<PeerId>,
    /// The value that stands.
    #[serde(flatten)]
    pub value: GradeValue,
    /// When it last changed.
    pub updated_at: UnixTime,
}

/// How a class did in an assessment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Distribution {
    /// The assessment.
    pub assessment: AssessmentId,
    /// How many students got 0 to below 10 percent of the points, 10 to below 20, and so on.
    pub bands: [u32; BANDS],
}

/// A page of a section's gradebook: `limit` students with their grades, and every assessment.
///
/// Students are those enrolled in the section, whatever their status; not those who are removed, or whose enrolment is, or
/// was added in error. So a grade of somebody who never was a student of the section is not here, but is with the person.
///
/// # Errors
/// When the database cannot be read.
pub fn gradebook(
    tx: &ReadTx<'_>,
    section: SectionId,
    now: UnixTime,
    turn: Turn<PersonId>,
    limit: u32,
) -> Result<GradebookPage, StoreError> {
    let students = students(tx, section, now, turn, limit)?;
    let people: Vec<i64> = students.rows.iter().map(|row| row.person.0).collect();
    Ok(GradebookPage {
        assessments: assessments(tx, section)?,
        grades: cells(tx, section, &people)?,
        students,
    })
}

/// How the students of a section who have not left did in each of its assessments that has points, in the order of the
/// assessments. Excepted ones do not count.
///
/// # Errors
/// When the database cannot be read.
pub fn distribution(
    tx: &ReadTx<'_>,
    section: SectionId,
    now: UnixTime,
) -> Result<Vec<Distribution>, StoreError> {
    // Counted here: SQLite would sort a hundred thousand rows to group them, for twice the time.
    let sql = format!(
        "SELECT a.id, max(0, min({BANDS} - 1, CAST(g.points_earned * {BANDS} / a.pointval AS INTEGER))) \
         FROM assessment AS a INDEXED BY assessment_of_section \
         CROSS JOIN grade AS g INDEXED BY grade_of_assessment ON g.assessment = a.id \
         WHERE a.section = ?2 AND a.removed_at IS NULL AND a.pointval > 0 \
         AND g.points_earned IS NOT NULL AND g.excepted = 0 AND g.removed_at IS NULL \
         AND g.in_error_at IS NULL AND g.person IN (SELECT e.person FROM enrolment AS e \
         JOIN person ON person.id = e.person JOIN enrolment_status AS status ON status.id = {STATUS_NOW} \
         WHERE e.section = ?2 AND e.role = 'student' AND e.removed_at IS NULL AND e.in_error_at IS NULL \
         AND person.removed_at IS NULL AND status.meaning <> 'withdrawn')"
    );
    let mut counted: BTreeMap<AssessmentId, [u32; BANDS]> = BTreeMap::new();
    tx.all(&sql, params![now, section], |row| {
        let bands = counted.entry(row.get(0)?).or_default();
        if let Some(band) = bands.get_mut(row.get::<_, u32>(1)? as usize) {
            *band += 1;
        }
        Ok(())
    })?;
    Ok(counted
        .into_iter()
        .map(|(assessment, bands)| Distribution { assessment, bands })
        .collect())
}

fn assessments(tx: &ReadTx<'_>, section: SectionId) -> Result<Vec<Assessment>, StoreError> {
    tx.all(
        select_assessment!(
            " FROM assessment AS a INDEXED BY assessment_of_section \
             WHERE a.section = ?1 AND a.removed_at IS NULL ORDER BY a.id LIMIT ?2"
        ),
        params![section, MAX_PAGE],
        assessment_from_row,
    )
}

fn students(
    tx: &ReadTx<'_>,
    section: SectionId,
    now: UnixTime,
    turn: Turn<PersonId>,
    limit: u32,
) -> Result<Slice<GradebookStudent>, StoreError> {
    let mut walk = Walk::new(
        "person.sort_name",
        "person.id",
        "(SELECT DISTINCT e.person FROM enrolment AS e INDEXED BY enrolment_of_section \
         WHERE e.section = ?2 AND e.role = 'student' AND e.removed_at IS NULL \
         AND e.in_error_at IS NULL) AS student CROSS JOIN person ON person.id = student.person",
        now,
    );
    walk.bind(section);
    walk.plain("person.removed_at IS NULL");
    let (turn, anchor) = anchored(tx, turn)?;
    walk.page(tx, turn, anchor, limit)?
        .map(|ids| rows(tx, section, &ids, now))
}

fn rows(
    tx: &ReadTx<'_>,
    section: SectionId,
    ids: &[i64],
    now: UnixTime,
) -> Result<Vec<GradebookStudent>, StoreError> {
    let sql = format!(
        "SELECT {}, person.id, person.username, person.firstname, person.lastname \
         FROM json_each(?2) AS page CROSS JOIN person ON person.id = page.value \
         CROSS JOIN enrolment_status AS status ON status.id = (SELECT standing.id FROM enrolment AS e \
         JOIN enrolment_status AS standing ON standing.id = {STATUS_NOW} \
         WHERE e.person = person.id AND e.section = ?3 AND e.role = 'student' \
         AND e.removed_at IS NULL AND e.in_error_at IS NULL \
         ORDER BY standing.meaning = 'active' DESC, standing.meaning = 'pending' DESC, \
         standing.meaning = 'completed' DESC, e.id LIMIT 1) ORDER BY page.key",
        statuses::COLUMNS
    );
    tx.all(&sql, params![now, numbers(ids), section], |row| {
        Ok(GradebookStudent {
            status: statuses::from_row(row, 0)?,
            person: row.get(6)?,
            username: row.get(7)?,
            firstname: row.get(8)?,
            lastname: row.get(9)?,
        })
    })
}

fn cells(tx: &ReadTx<'_>, section: SectionId, people: &[i64]) -> Result<Vec<Cell>, StoreError> {
    tx.all(
        "SELECT g.id, g.assessment, g.person, g.peer, g.points_earned, g.excepted, g.attempt_num, \
         g.updated_at FROM json_each(?1) AS page \
         CROSS JOIN assessment AS a INDEXED BY assessment_of_section ON a.section = ?2 \
         CROSS JOIN grade AS g INDEXED BY grade_of_person \
         ON g.person = page.value AND g.assessment = a.id \
         WHERE a.removed_at IS NULL AND g.removed_at IS NULL AND g.in_error_at IS NULL",
        params![numbers(people), section],
        |row| {
            Ok(Cell {
                grade: row.get(0)?,
                assessment: row.get(1)?,
                person: row.get(2)?,
                peer: row.get(3)?,
                value: value_from_row(row, 4)?,
                updated_at: row.get(7)?,
            })
        },
    )
}
