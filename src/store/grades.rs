//! Grades: the entries of the gradebook, and every value they ever had.

use rusqlite::{Row, params};
use serde::Serialize;

use super::author::Author;
use super::error::StoreError;
use super::extra::Extra;
use super::ids::{AssessmentId, GradeId, PeerId, PersonId, SectionId, words};
use super::page::{Conditions, Page};
use super::people::{self, PersonRef};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

words! {
    /// What a row of a grade's history records.
    GradeChange {
        /// Another value, or another author for it.
        Value = "value",
        /// An administrator found that the grade never was.
        InError = "in error",
        /// That mark was lifted.
        NotInError = "not in error",
        /// Removed.
        Removed = "removed",
        /// Brought back.
        Restored = "restored",
    }
}

/// What somebody got.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct GradeValue {
    /// The points; `None` only where `excepted`.
    pub points_earned: Option<f64>,
    /// Whether the person need not do the assessment.
    pub excepted: bool,
    /// Which attempt it is for, from 1.
    pub attempt_num: i64,
}

/// A value as it is given.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The value.
    pub value: &'a GradeValue,
    /// What else is said with it.
    pub extra: &'a Extra,
    /// Who gives it.
    pub author: &'a Author,
    /// Why, for the history.
    pub note: Option<&'a str>,
}

/// A row of `grade`, as the rules need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Grade {
    /// The row.
    pub id: GradeId,
    /// Who gave the value that stands; `None`: by hand.
    pub peer: Option<PeerId>,
    /// The value that stands.
    pub value: GradeValue,
    /// What else was sent.
    pub extra: Extra,
    /// Since when it is marked as added in error.
    pub in_error_at: Option<UnixTime>,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// What a call about a grade points at.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The assessment, with whether it is removed.
    pub assessment: Option<(AssessmentId, bool)>,
    /// The person.
    pub person: Option<PersonRef>,
    /// The grade that stands there, removed or not.
    pub grade: Option<Grade>,
}

/// A grade in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedGrade {
    /// The row.
    pub id: GradeId,
    /// Who gave the value that stands; `None`: by hand.
    pub peer: Option<PeerId>,
    /// The assessment.
    pub assessment: AssessmentId,
    /// The owner's id of the assessment.
    pub assessmentid: Option<String>,
    /// The name of the assessment.
    pub assessment_name: String,
    /// The most points there are to earn in it.
    pub pointval: Option<f64>,
    /// The section.
    pub section: SectionId,
    /// The person.
    pub person: PersonId,
    /// The owner's id of the person.
    pub userid: Option<String>,
    /// The person's username here.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// The value that stands.
    #[serde(flatten)]
    pub value: GradeValue,
    /// What else was sent.
    pub extra: Extra,
    /// When the row was made.
    pub created_at: UnixTime,
    /// When something about it last changed.
    pub updated_at: UnixTime,
    /// Since when it is marked as added in error.
    pub in_error_at: Option<UnixTime>,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// Which grades to list.
#[derive(Clone, Debug, Default)]
pub struct GradeFilter {
    /// Only values of this peer.
    pub peer: Option<PeerId>,
    /// Only those of this section.
    pub section: Option<SectionId>,
    /// Only those of this assessment.
    pub assessment: Option<AssessmentId>,
    /// Only those of this person.
    pub person: Option<PersonId>,
    /// Those added in error, and those that are removed or whose assessment, section or person is,
    /// as well.
    pub all: bool,
}

/// A row of `grade_history`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GradeRecord {
    /// What became of the grade.
    pub change: GradeChange,
    /// The value after it.
    #[serde(flatten)]
    pub value: GradeValue,
    /// When it was written down.
    pub recorded_at: UnixTime,
    /// Who said so.
    pub author: Author,
    /// Why.
    pub note: Option<String>,
}

/// What `owner` means by `assessmentid` and `userid`, and the grade that stands there: one query, for
/// this is asked for every grade that comes in.
///
/// # Errors
/// When the database cannot be read.
pub fn place(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    assessmentid: &str,
    userid: &str,
) -> Result<Place, StoreError> {
    let place = tx.one(
        "SELECT a.id, a.removed_at IS NOT NULL, p.id, p.removed_at IS NOT NULL, \
         g.id, g.peer, g.points_earned, g.excepted, g.attempt_num, g.extra, g.in_error_at, \
         g.removed_at FROM (SELECT 1) \
         LEFT JOIN assessment AS a ON ifnull(a.peer, 0) = ?1 AND a.idnumber = ?2 \
         LEFT JOIN person AS p ON ifnull(p.peer, 0) = ?1 AND p.idnumber = ?3 \
         LEFT JOIN grade AS g ON g.person = p.id AND g.assessment = a.id",
        params![PeerId::or_none(owner), assessmentid, userid],
        place_from_row,
    )?;
    let mut place = place.unwrap_or(Place {
        assessment: None,
        person: None,
        grade: None,
    });
    if place.person.is_none() {
        place.person = people::refer_by_username(tx, owner, userid)?;
        if let (Some((assessment, _)), Some(person)) = (place.assessment, place.person) {
            place.grade = find(tx, assessment, person.id)?;
        }
    }
    Ok(place)
}

/// The grade of a person in an assessment, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn find(
    tx: &ReadTx<'_>,
    assessment: AssessmentId,
    person: PersonId,
) -> Result<Option<Grade>, StoreError> {
    tx.one(
        "SELECT id, peer, points_earned, excepted, attempt_num, extra, in_error_at, removed_at \
         FROM grade WHERE person = ?1 AND assessment = ?2",
        params![person, assessment],
        |row| grade_from_row(row, 0),
    )
}

/// The grade in row `id`.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: GradeId) -> Result<Option<Grade>, StoreError> {
    tx.one(
        "SELECT id, peer, points_earned, excepted, attempt_num, extra, in_error_at, removed_at \
         FROM grade WHERE id = ?1",
        [id],
        |row| grade_from_row(row, 0),
    )
}

/// The value this author gave last. A peer is one author, and so are all imports for one owner, and all
/// administrators together. `None` also where the last that the author did was to remove the grade.
///
/// # Errors
/// When the database cannot be read.
pub fn last_word(
    tx: &ReadTx<'_>,
    id: GradeId,
    author: &Author,
) -> Result<Option<GradeValue>, StoreError> {
    let last = tx.one(
        "SELECT points_earned, excepted, attempt_num, change FROM grade_history \
         WHERE grade = ?1 AND ifnull(author_peer, 0) = ?2 AND author_kind = ?3 \
         AND change IN ('value', 'removed') \
         ORDER BY id DESC LIMIT 1",
        params![id, PeerId::or_none(author.owner()), author.kind()],
        |row| Ok((value_from_row(row, 0)?, row.get::<_, GradeChange>(3)?)),
    )?;
    Ok(last.and_then(|(value, change)| (change == GradeChange::Value).then_some(value)))
}

/// Adds a grade, and begins its history.
///
/// # Errors
/// [`StoreError::Refused`] where the person has a grade in that assessment.
pub fn insert(
    tx: &WriteTx<'_>,
    assessment: AssessmentId,
    person: PersonId,
    given: &Given<'_>,
    now: UnixTime,
) -> Result<GradeId, StoreError> {
    let value = given.value;
    let id = tx.insert(
        "INSERT INTO grade (assessment, person, peer, points_earned, excepted, attempt_num, extra, \
         created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        params![
            assessment,
            person,
            given.author.owner(),
            value.points_earned,
            value.excepted,
            value.attempt_num,
            given.extra,
            now
        ],
    )?;
    record(
        tx,
        GradeId(id),
        GradeChange::Value,
        value,
        given.author,
        given.note,
        now,
    )?;
    Ok(GradeId(id))
}

/// Gives a grade another value, which is then its author's; lifts the marks "removed" and "added in
/// error", and writes that down.
///
/// # Errors
/// When the database cannot be written.
pub fn set_value(
    tx: &WriteTx<'_>,
    grade: &Grade,
    given: &Given<'_>,
    now: UnixTime,
) -> Result<(), StoreError> {
    let Given { value, author, .. } = given;
    tx.execute(
        "UPDATE grade SET peer = ?2, points_earned = ?3, excepted = ?4, attempt_num = ?5, extra = ?6, \
         updated_at = ?7, in_error_at = NULL, removed_at = NULL WHERE id = ?1",
        params![
            grade.id,
            author.owner(),
            value.points_earned,
            value.excepted,
            value.attempt_num,
            given.extra,
            now
        ],
    )?;
    let write_down = |change, note| record(tx, grade.id, change, value, author, note, now);
    if grade.in_error_at.is_some() {
        write_down(GradeChange::NotInError, None)?;
    }
    if grade.removed_at.is_some() {
        write_down(GradeChange::Restored, None)?;
    }
    write_down(GradeChange::Value, given.note)
}

/// Replaces what else was sent with a grade.
///
/// # Errors
/// When the database cannot be written.
pub fn set_extra(
    tx: &WriteTx<'_>,
    id: GradeId,
    extra: &Extra,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE grade SET extra = ?2, updated_at = ?3 WHERE id = ?1",
        params![id, extra, now],
    )?;
    Ok(())
}

/// Sets or lifts a mark on a grade, and writes that down. [`GradeChange::Value`] sets no mark: it is
/// [`set_value`]'s.
///
/// # Errors
/// When the database cannot be written.
pub fn mark(
    tx: &WriteTx<'_>,
    grade: &Grade,
    change: GradeChange,
    author: &Author,
    note: Option<&str>,
    now: UnixTime,
) -> Result<(), StoreError> {
    let sql = match change {
        GradeChange::Value => return Ok(()),
        GradeChange::InError => "UPDATE grade SET updated_at = ?2, in_error_at = ?2 WHERE id = ?1",
        GradeChange::NotInError => {
            "UPDATE grade SET updated_at = ?2, in_error_at = NULL WHERE id = ?1"
        }
        GradeChange::Removed => "UPDATE grade SET updated_at = ?2, removed_at = ?2 WHERE id = ?1",
        GradeChange::Restored => {
            "UPDATE grade SET updated_at = ?2, removed_at = NULL WHERE id = ?1"
        }
    };
    tx.execute(sql, params![grade.id, now])?;
    record(tx, grade.id, change, &grade.value, author, note, now)
}

/// Everything that became of a grade, in the order it was written down.
///
/// # Errors
/// When the database cannot be read.
pub fn history(tx: &ReadTx<'_>, id: GradeId) -> Result<Vec<GradeRecord>, StoreError> {
    tx.all(
        "SELECT change, points_earned, excepted, attempt_num, recorded_at, author_kind, author_peer, \
         author_name, note FROM grade_history WHERE grade = ?1 ORDER BY id",
        [id],
        |row| {
            Ok(GradeRecord {
                change: row.get(0)?,
                value: value_from_row(row, 1)?,
                recorded_at: row.get(4)?,
                author: Author::from_row(row, 5)?,
                note: row.get(8)?,
            })
        },
    )
}

/// A page of grades.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    tx: &ReadTx<'_>,
    filter: &GradeFilter,
    page: Page,
) -> Result<Vec<ListedGrade>, StoreError> {
    let select = "SELECT g.id, g.peer, g.assessment, a.idnumber, a.name, a.pointval, a.section, \
         g.person, person.idnumber, person.username, person.firstname, person.lastname, \
         g.points_earned, g.excepted, g.attempt_num, g.extra, g.created_at, g.updated_at, \
         g.in_error_at, g.removed_at FROM grade AS g JOIN assessment AS a ON a.id = g.assessment \
         JOIN section ON section.id = a.section JOIN person ON person.id = g.person";
    let mut conditions = Conditions::new(select, "g.id", page);
    conditions
        .with("g.peer = ?", filter.peer)
        .with("a.section = ?", filter.section)
        .with("g.assessment = ?", filter.assessment)
        .with("g.person = ?", filter.person);
    if !filter.all {
        conditions
            .plain("g.removed_at IS NULL")
            .plain("g.in_error_at IS NULL")
            .plain("a.removed_at IS NULL")
            .plain("section.removed_at IS NULL")
            .plain("person.removed_at IS NULL");
    }
    conditions.list(tx, "g.id", page, |row| {
        Ok(ListedGrade {
            id: row.get(0)?,
            peer: row.get(1)?,
            assessment: row.get(2)?,
            assessmentid: row.get(3)?,
            assessment_name: row.get(4)?,
            pointval: row.get(5)?,
            section: row.get(6)?,
            person: row.get(7)?,
            userid: row.get(8)?,
            username: row.get(9)?,
            firstname: row.get(10)?,
            lastname: row.get(11)?,
            value: value_from_row(row, 12)?,
            extra: row.get(15)?,
            created_at: row.get(16)?,
            updated_at: row.get(17)?,
            in_error_at: row.get(18)?,
            removed_at: row.get(19)?,
        })
    })
}

fn record(
    tx: &WriteTx<'_>,
    id: GradeId,
    change: GradeChange,
    value: &GradeValue,
    author: &Author,
    note: Option<&str>,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.insert(
        "INSERT INTO grade_history (grade, change, points_earned, excepted, attempt_num, recorded_at, \
         author_kind, author_peer, author_name, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            id,
            change,
            value.points_earned,
            value.excepted,
            value.attempt_num,
            now,
            author.kind(),
            author.owner(),
            author.name(),
            note
        ],
    )?;
    Ok(())
}

fn place_from_row(row: &Row<'_>) -> rusqlite::Result<Place> {
    let assessment: Option<AssessmentId> = row.get(0)?;
    let person: Option<PersonId> = row.get(2)?;
    let grade: Option<GradeId> = row.get(4)?;
    Ok(Place {
        assessment: match assessment {
            Some(id) => Some((id, row.get(1)?)),
            None => None,
        },
        person: match person {
            Some(id) => Some(PersonRef {
                id,
                removed: row.get(3)?,
            }),
            None => None,
        },
        grade: grade.map(|_| grade_from_row(row, 4)).transpose()?,
    })
}

fn grade_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Grade> {
    Ok(Grade {
        id: row.get(first)?,
        peer: row.get(first + 1)?,
        value: value_from_row(row, first + 2)?,
        extra: row.get(first + 5)?,
        in_error_at: row.get(first + 6)?,
        removed_at: row.get(first + 7)?,
    })
}

pub(super) fn value_from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<GradeValue> {
    Ok(GradeValue {
        points_earned: row.get(first)?,
        excepted: row.get(first + 1)?,
        attempt_num: row.get(first + 2)?,
    })
}
