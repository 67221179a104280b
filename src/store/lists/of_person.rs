//! What there is of one person.

use rusqlite::params;
use serde::Serialize;

use super::super::enrolments::{Role, STATUS_NOW};
use super::super::error::StoreError;
use super::super::grades::{GradeValue, value_from_row};
use super::super::ids::{AssessmentId, EnrolmentId, GradeId, PeerId, PersonId, SectionId};
use super::super::page::MAX_PAGE;
use super::super::sections::names;
use super::super::statuses::{self, Status};
use super::super::transaction::ReadTx;
use super::{Slice, Turn};
use crate::clock::UnixTime;

/// A section that somebody is or was in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonSection {
    /// The row.
    pub enrolment: EnrolmentId,
    /// Whose row it is; `None`: made here.
    pub peer: Option<PeerId>,
    /// The section.
    pub section: SectionId,
    /// Its name.
    pub name: String,
    /// The segments it runs over, by name; empty: it is ongoing.
    pub segments: Vec<String>,
    /// The role.
    pub role: Role,
    /// The status that holds now.
    pub status: Status,
}

/// A section that was given to somebody to teach.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GivenSection {
    /// The section.
    pub section: SectionId,
    /// Its name.
    pub name: String,
    /// The segments it runs over, by name; empty: it is ongoing.
    pub segments: Vec<String>,
}

/// A grade of somebody.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonGrade {
    /// The row.
    pub grade: GradeId,
    /// The assessment.
    pub assessment: AssessmentId,
    /// Its name.
    pub name: String,
    /// The most points there are to earn in it.
    pub pointval: Option<f64>,
    /// The section.
    pub section: SectionId,
    /// Its name.
    pub section_name: String,
    /// Who gave the value that stands; `None`: by hand.
    pub peer: Option<PeerId>,
    /// The value that stands.
    #[serde(flatten)]
    pub value: GradeValue,
    /// When it last changed.
    pub updated_at: UnixTime,
}

/// The sections somebody is or was in, the latest to come first, [`MAX_PAGE`] at most; without enrolments that were added in
/// error, or are removed or whose section is.
///
/// # Errors
/// When the database cannot be read.
pub fn sections_of_person(
    tx: &ReadTx<'_>,
    person: PersonId,
    now: UnixTime,
) -> Result<Vec<PersonSection>, StoreError> {
    let sql = format!(
        "SELECT {}, e.id, e.peer, section.id, section.name, \
         (SELECT json_group_array(segment.name ORDER BY segment.name) FROM section_segment AS s \
         JOIN segment ON segment.id = s.segment WHERE s.section = section.id), e.role \
         FROM enrolment AS e INDEXED BY enrolment_of_person \
         CROSS JOIN section ON section.id = e.section \
         CROSS JOIN enrolment_status AS status ON status.id = {STATUS_NOW} \
         WHERE e.person = ?2 AND e.removed_at IS NULL AND e.in_error_at IS NULL \
         AND section.removed_at IS NULL ORDER BY section.id DESC, e.id LIMIT ?3",
        statuses::COLUMNS
    );
    tx.all(&sql, params![now, person, MAX_PAGE], |row| {
        Ok(PersonSection {
            status: statuses::from_row(row, 0)?,
            enrolment: row.get(6)?,
            peer: row.get(7)?,
            section: row.get(8)?,
            name: row.get(9)?,
            segments: names(row, 10)?,
            role: row.get(11)?,
        })
    })
}

/// The sections that are given to somebody to teach, the latest to come first, [`MAX_PAGE`] at most;
/// without removed ones.
///
/// # Errors
/// When the database cannot be read.
pub fn sections_given_to(
    tx: &ReadTx<'_>,
    person: PersonId,
) -> Result<Vec<GivenSection>, StoreError> {
    tx.all(
        "SELECT section.id, section.name, \
         (SELECT json_group_array(segment.name ORDER BY segment.name) FROM section_segment AS s \
         JOIN segment ON segment.id = s.segment WHERE s.section = section.id) \
         FROM section_teacher AS t JOIN section ON section.id = t.section \
         WHERE t.person = ?1 AND section.removed_at IS NULL ORDER BY section.id DESC LIMIT ?2",
        params![person, MAX_PAGE],
        |row| {
            Ok(GivenSection {
                section: row.get(0)?,
                name: row.get(1)?,
                segments: names(row, 2)?,
            })
        },
    )
}

/// A page of somebody's grades, in the order their assessments came; without those that were added in error, or are removed
/// or whose assessment or section is.
///
/// # Errors
/// When the database cannot be read.
pub fn grades_of_person(
    tx: &ReadTx<'_>,
    person: PersonId,
    turn: Turn<AssessmentId>,
    limit: u32,
) -> Result<Slice<PersonGrade>, StoreError> {
    let (beyond, order, from) = match turn {
        Turn::First => (">", "ASC", i64::MIN),
        Turn::After(id) => (">", "ASC", id.0),
        Turn::Last => ("<", "DESC", i64::MAX),
        Turn::Before(id) => ("<", "DESC", id.0),
    };
    let back = order == "DESC";
    let turned = matches!(turn, Turn::After(_) | Turn::Before(_));
    let limit = limit.clamp(1, MAX_PAGE);
    let sql = format!(
        "SELECT g.id, g.assessment, a.name, a.pointval, section.id, section.name, g.peer, \
         g.points_earned, g.excepted, g.attempt_num, g.updated_at \
         FROM grade AS g INDEXED BY grade_of_person CROSS JOIN assessment AS a ON a.id = g.assessment \
         CROSS JOIN section ON section.id = a.section \
         WHERE g.person = ?1 AND g.assessment {beyond} ?2 AND g.removed_at IS NULL \
         AND g.in_error_at IS NULL AND a.removed_at IS NULL AND section.removed_at IS NULL \
         ORDER BY g.assessment {order} LIMIT ?3"
    );
    let mut rows = tx.all(&sql, params![person, from, limit + 1], |row| {
        Ok(PersonGrade {
            grade: row.get(0)?,
            assessment: row.get(1)?,
            name: row.get(2)?,
            pointval: row.get(3)?,
            section: row.get(4)?,
            section_name: row.get(5)?,
            peer: row.get(6)?,
            value: value_from_row(row, 7)?,
            updated_at: row.get(10)?,
        })
    })?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    if back {
        rows.reverse();
    }
    Ok(Slice {
        rows,
        earlier: if back { more } else { turned },
        later: if back { turned } else { more },
    })
}
