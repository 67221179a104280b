//! What reports are reckoned from: the histories of one person, or of one section, in as few reads as
//! there are tables. What held at a date is not decided here.

use rusqlite::{Row, params};

use super::enrolments::{EnrolmentChange, Role};
use super::error::StoreError;
use super::grades::{GradeChange, GradeValue};
use super::ids::{AssessmentId, EnrolmentId, GradeId, PeerId, PersonId, SectionId};
use super::sections::TeacherChange;
use super::statuses::{self, Status};
use super::transaction::ReadTx;
use crate::clock::UnixTime;

/// An enrolment that is not marked as added in error, with one row of its history.
#[derive(Clone, Debug, PartialEq)]
pub struct EnrolmentEvent {
    /// The enrolment.
    pub enrolment: EnrolmentId,
    /// The section.
    pub section: SectionId,
    /// The person.
    pub person: PersonId,
    /// The role.
    pub role: Role,
    /// What became of it.
    pub change: EnrolmentChange,
    /// The status it got, where that is what changed.
    pub status: Option<Status>,
    /// From when it holds.
    pub effective_at: UnixTime,
    /// Why.
    pub note: Option<String>,
}

/// A section as it stands in a report.
#[derive(Clone, Debug, PartialEq)]
pub struct SectionRow {
    /// The row.
    pub id: SectionId,
    /// The wwwroot of the peer whose row it is; `None`: made here.
    pub peer: Option<String>,
    /// The owner's id of the section.
    pub idnumber: Option<String>,
    /// Its name.
    pub name: String,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// A person as one stands in a report.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonRow {
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
    /// Since when the person is removed.
    pub removed_at: Option<UnixTime>,
}

/// A column of the gradebook as it stands in a report.
#[derive(Clone, Debug, PartialEq)]
pub struct AssessmentRow {
    /// The row.
    pub id: AssessmentId,
    /// The section.
    pub section: SectionId,
    /// The owner's id of the assessment.
    pub idnumber: Option<String>,
    /// Its name.
    pub name: String,
    /// Whether its points come on top.
    pub extra_credit: bool,
    /// The most points there are to earn.
    pub pointval: Option<f64>,
    /// When the row was made.
    pub created_at: UnixTime,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// A grade that is not marked as added in error, with one row of its history.
#[derive(Clone, Debug, PartialEq)]
pub struct GradeEvent {
    /// The grade.
    pub grade: GradeId,
    /// What it is in.
    pub assessment: AssessmentId,
    /// What became of it.
    pub change: GradeChange,
    /// The value after it.
    pub value: GradeValue,
    /// When it was written down.
    pub recorded_at: UnixTime,
}

/// The first or the last word about a teacher that a section was given.
#[derive(Clone, Debug, PartialEq)]
pub struct TeacherEvent {
    /// The section.
    pub section: SectionId,
    /// The teacher.
    pub person: PersonId,
    /// What happened.
    pub change: TeacherChange,
    /// When it was written down.
    pub recorded_at: UnixTime,
}

macro_rules! select_enrolment_event {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.section, e.person, e.role, h.change, h.effective_at, h.note, ",
            "status.id, status.scope, status.code, status.title, status.meaning, status.outcome ",
            "FROM enrolment AS e JOIN enrolment_history AS h ON h.enrolment = e.id ",
            "LEFT JOIN enrolment_status AS status ON status.id = h.status ",
            "WHERE e.in_error_at IS NULL AND ",
            $rest,
            " ORDER BY e.id, h.effective_at, h.id"
        )
    };
}

/// What became of a person's enrolments as a student: each enrolment's changes together, in the order
/// they take hold.
///
/// # Errors
/// When the database cannot be read.
pub fn enrolments_of_student(
    tx: &ReadTx<'_>,
    person: PersonId,
) -> Result<Vec<EnrolmentEvent>, StoreError> {
    tx.all(
        select_enrolment_event!("e.person = ?1 AND e.role = 'student'"),
        [person],
        enrolment_event,
    )
}

/// What became of everybody's enrolment in a section in one role: each enrolment's changes together,
/// in the order they take hold.
///
/// # Errors
/// When the database cannot be read.
pub fn enrolments_in_section(
    tx: &ReadTx<'_>,
    section: SectionId,
    role: Role,
) -> Result<Vec<EnrolmentEvent>, StoreError> {
    tx.all(
        select_enrolment_event!("e.section = ?1 AND e.role = ?2"),
        params![section, role],
        enrolment_event,
    )
}

/// Who was given a section as its teacher and who gave it up, in the order it was written down.
///
/// # Errors
/// When the database cannot be read.
pub fn teachers_of_section(
    tx: &ReadTx<'_>,
    section: SectionId,
) -> Result<Vec<TeacherEvent>, StoreError> {
    tx.all(
        "SELECT section, person, change, recorded_at FROM section_teacher_history \
         WHERE section = ?1 ORDER BY id",
        [section],
        |row| {
            Ok(TeacherEvent {
                section: row.get(0)?,
                person: row.get(1)?,
                change: row.get(2)?,
                recorded_at: row.get(3)?,
            })
        },
    )
}

/// A section, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn section(tx: &ReadTx<'_>, id: SectionId) -> Result<Option<SectionRow>, StoreError> {
    tx.one(
        "SELECT section.id, peer.wwwroot, idnumber, section.name, section.removed_at FROM section \
         LEFT JOIN peer ON peer.id = section.peer WHERE section.id = ?1",
        [id],
        |row| {
            Ok(SectionRow {
                id: row.get(0)?,
                peer: row.get(1)?,
                idnumber: row.get(2)?,
                name: row.get(3)?,
                removed_at: row.get(4)?,
            })
        },
    )
}

/// A person, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn person(tx: &ReadTx<'_>, id: PersonId) -> Result<Option<PersonRow>, StoreError> {
    tx.one(
        "SELECT person.id, peer.wwwroot, idnumber, username, firstname, lastname, email, \
         person.removed_at FROM person LEFT JOIN peer ON peer.id = person.peer \
         WHERE person.id = ?1",
        [id],
        |row| {
            Ok(PersonRow {
                id: row.get(0)?,
                peer: row.get(1)?,
                idnumber: row.get(2)?,
                username: row.get(3)?,
                firstname: row.get(4)?,
                lastname: row.get(5)?,
                email: row.get(6)?,
                removed_at: row.get(7)?,
            })
        },
    )
}

/// The assessments of a section, removed or not, in the order they came.
///
/// # Errors
/// When the database cannot be read.
pub fn assessments_of_section(
    tx: &ReadTx<'_>,
    section: SectionId,
) -> Result<Vec<AssessmentRow>, StoreError> {
    tx.all(
        "SELECT id, section, idnumber, name, ifnull(extra_credit, 0), pointval, created_at, \
         removed_at FROM assessment WHERE section = ?1 ORDER BY id",
        [section],
        |row| {
            Ok(AssessmentRow {
                id: row.get(0)?,
                section: row.get(1)?,
                idnumber: row.get(2)?,
                name: row.get(3)?,
                extra_credit: row.get(4)?,
                pointval: row.get(5)?,
                created_at: row.get(6)?,
                removed_at: row.get(7)?,
            })
        },
    )
}

/// What became of every grade of a person in every section: each grade's changes together, in the
/// order they were written down.
///
/// # Errors
/// When the database cannot be read.
pub fn grades_of_person(tx: &ReadTx<'_>, person: PersonId) -> Result<Vec<GradeEvent>, StoreError> {
    tx.all(
        "SELECT g.id, g.assessment, h.change, h.points_earned, h.excepted, h.attempt_num, \
         h.recorded_at FROM grade AS g JOIN grade_history AS h ON h.grade = g.id \
         WHERE g.person = ?1 AND g.in_error_at IS NULL ORDER BY g.id, h.id",
        [person],
        |row| {
            Ok(GradeEvent {
                grade: row.get(0)?,
                assessment: row.get(1)?,
                change: row.get(2)?,
                value: GradeValue {
                    points_earned: row.get(3)?,
                    excepted: row.get(4)?,
                    attempt_num: row.get(5)?,
                },
                recorded_at: row.get(6)?,
            })
        },
    )
}

/// The status of a person's own enrolment in the school that holds at `at`, since when, and why.
///
/// # Errors
/// When the database cannot be read.
pub fn school_standing(
    tx: &ReadTx<'_>,
    person: PersonId,
    at: UnixTime,
) -> Result<Option<(Status, UnixTime, Option<String>)>, StoreError> {
    tx.one(
        &format!(
            "SELECT {}, h.effective_at, h.note FROM school_enrolment_history AS h \
             JOIN enrolment_status AS status ON status.id = h.status \
             WHERE h.person = ?1 AND h.effective_at <= ?2 \
             ORDER BY h.effective_at DESC, h.id DESC LIMIT 1",
            statuses::COLUMNS
        ),
        params![person, at],
        |row| Ok((statuses::from_row(row, 0)?, row.get(6)?, row.get(7)?)),
    )
}

/// Everybody who may be meant by `word`: by an owner's id, by the username here, or by the spelling an
/// owner uses. `owner` narrows it to the rows of one peer.
///
/// # Errors
/// When the database cannot be read.
pub fn people_called(
    tx: &ReadTx<'_>,
    word: &str,
    owner: Option<PeerId>,
) -> Result<Vec<PersonRow>, StoreError> {
    // Both indexes begin with the owner: each owner is looked up in turn.
    let found = tx.all(
        "SELECT id FROM person WHERE username = ?1 AND ifnull(?2, ifnull(peer, 0)) = ifnull(peer, 0) \
         UNION SELECT person.id FROM (SELECT 0 AS id UNION ALL SELECT id FROM peer) AS owner \
         CROSS JOIN person ON ifnull(person.peer, 0) = owner.id AND person.idnumber = ?1 \
         WHERE ifnull(?2, owner.id) = owner.id \
         UNION SELECT person.id FROM (SELECT 0 AS id UNION ALL SELECT id FROM peer) AS owner \
         CROSS JOIN person ON ifnull(person.peer, 0) = owner.id AND person.sent_username = ?1 \
         WHERE owner.id = ?2 \
         ORDER BY 1",
        params![word, owner],
        |row| row.get::<_, PersonId>(0),
    )?;
    let people = found.into_iter().map(|id| person(tx, id));
    people.filter_map(Result::transpose).collect()
}

/// Every section that some owner calls `idnumber`. `owner` narrows it to the rows of one peer.
///
/// # Errors
/// When the database cannot be read.
pub fn sections_called(
    tx: &ReadTx<'_>,
    idnumber: &str,
    owner: Option<PeerId>,
) -> Result<Vec<SectionRow>, StoreError> {
    let found = tx.all(
        "SELECT section.id FROM (SELECT 0 AS id UNION ALL SELECT id FROM peer) AS owner \
         CROSS JOIN section ON ifnull(section.peer, 0) = owner.id AND section.idnumber = ?1 \
         WHERE ifnull(?2, owner.id) = owner.id ORDER BY 1",
        params![idnumber, owner],
        |row| row.get::<_, SectionId>(0),
    )?;
    let sections = found.into_iter().map(|id| section(tx, id));
    sections.filter_map(Result::transpose).collect()
}

fn enrolment_event(row: &Row<'_>) -> rusqlite::Result<EnrolmentEvent> {
    let change: EnrolmentChange = row.get(4)?;
    Ok(EnrolmentEvent {
        enrolment: row.get(0)?,
        section: row.get(1)?,
        person: row.get(2)?,
        role: row.get(3)?,
        change,
        status: match change {
            EnrolmentChange::Status => Some(statuses::from_row(row, 7)?),
            _ => None,
        },
        effective_at: row.get(5)?,
        note: row.get(6)?,
    })
}
