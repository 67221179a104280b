//! Who is in a section, by name.

use rusqlite::params;
use serde::Serialize;

use super::super::enrolments::{Role, STATUS_NOW};
use super::super::error::StoreError;
use super::super::ids::{EnrolmentId, PeerId, PersonId, SectionId};
use super::super::statuses::{self, Meaning, Status};
use super::super::transaction::ReadTx;
use super::{Slice, Turn, Walk, numbers};
use crate::clock::UnixTime;

/// Which enrolments of a section to list.
#[derive(Clone, Debug, Default)]
pub struct MemberFilter {
    /// Only those in this role.
    pub role: Option<Role>,
    /// Only those whose status means this now.
    pub meaning: Option<Meaning>,
    /// Only people with each of these words, as in [`super::PeopleQuery`].
    pub search: Option<String>,
    /// Those added in error, and those that are removed or whose person is, as well.
    pub all: bool,
}

/// Somebody enrolled in a section. A person whom a peer enrolled and who was enrolled by hand as well is there twice.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// The row.
    pub enrolment: EnrolmentId,
    /// Whose row it is; `None`: made here.
    pub peer: Option<PeerId>,
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
    /// The role.
    pub role: Role,
    /// The status that holds now.
    pub status: Status,
    /// Since when it holds; `None`: the history has no status yet.
    pub since: Option<UnixTime>,
    /// Why it holds, where that was said.
    pub note: Option<String>,
    /// When the next change that is dated ahead takes hold.
    pub changes_at: Option<UnixTime>,
    /// Since when the enrolment is marked as added in error.
    pub in_error_at: Option<UnixTime>,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// Somebody who teaches a section, or did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SectionTeacher {
    /// The person.
    pub person: PersonId,
    /// The person's username here.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// Whether the section was given to this teacher as a whole.
    pub given: bool,
    /// The status of the teacher's own enrolment in it, the latest where there are several; `None`: not enrolled.
    pub status: Option<Status>,
}

/// A page of those enrolled in a section, each with the status that holds at `now`.
///
/// # Errors
/// When the database cannot be read.
pub fn members(
    tx: &ReadTx<'_>,
    section: SectionId,
    filter: &MemberFilter,
    now: UnixTime,
    turn: Turn<EnrolmentId>,
    limit: u32,
) -> Result<Slice<Member>, StoreError> {
    // From the section's few enrolments to their people, whatever the planner thinks.
    let mut walk = Walk::new(
        "person.sort_name",
        "e.id",
        "enrolment AS e INDEXED BY enrolment_of_section CROSS JOIN person ON person.id = e.person",
        now,
    );
    walk.with("e.section = ??", Some(section))
        .with("e.role = ??", filter.role)
        .with(
            &format!("(SELECT meaning FROM enrolment_status WHERE id = {STATUS_NOW}) = ??"),
            filter.meaning,
        )
        .search("person.search_text", filter.search.as_deref());
    if !filter.all {
        walk.plain("e.removed_at IS NULL")
            .plain("e.in_error_at IS NULL")
            .plain("person.removed_at IS NULL");
    }
    let (turn, anchor) = anchored(tx, turn)?;
    walk.page(tx, turn, anchor, limit)?
        .map(|ids| rows(tx, &ids, now))
}

/// Everybody who teaches a section or is enrolled in it as a teacher, by name; removed people apart. Who gave it up is in
/// [`super::super::sections::teacher_history`].
///
/// # Errors
/// When the database cannot be read.
pub fn teachers(
    tx: &ReadTx<'_>,
    section: SectionId,
    now: UnixTime,
) -> Result<Vec<SectionTeacher>, StoreError> {
    let sql = format!(
        "SELECT {}, person.id, person.username, person.firstname, person.lastname, max(teacher.given), \
         max(teacher.enrolment) FROM (SELECT t.person, 1 AS given, NULL AS enrolment, NULL AS status \
         FROM section_teacher AS t WHERE t.section = ?2 \
         UNION ALL SELECT e.person, 0, e.id, {STATUS_NOW} FROM enrolment AS e \
         WHERE e.section = ?2 AND e.role = 'teacher' AND e.removed_at IS NULL \
         AND e.in_error_at IS NULL) AS teacher CROSS JOIN person ON person.id = teacher.person \
         LEFT JOIN enrolment_status AS status ON status.id = teacher.status \
         WHERE person.removed_at IS NULL GROUP BY person.id ORDER BY person.sort_name, person.id",
        statuses::COLUMNS
    );
    tx.all(&sql, params![now, section], |row| {
        let enrolment: Option<EnrolmentId> = row.get(11)?;
        Ok(SectionTeacher {
            status: enrolment.map(|_| statuses::from_row(row, 0)).transpose()?,
            person: row.get(6)?,
            username: row.get(7)?,
            firstname: row.get(8)?,
            lastname: row.get(9)?,
            given: row.get(10)?,
        })
    })
}

fn anchored(
    tx: &ReadTx<'_>,
    turn: Turn<EnrolmentId>,
) -> Result<(Turn<i64>, Option<String>), StoreError> {
    let (turn, id) = match turn {
        Turn::First => return Ok((Turn::First, None)),
        Turn::Last => return Ok((Turn::Last, None)),
        Turn::After(id) => (Turn::After(id.0), id),
        Turn::Before(id) => (Turn::Before(id.0), id),
    };
    let name = tx.one(
        "SELECT person.sort_name FROM enrolment JOIN person ON person.id = enrolment.person \
         WHERE enrolment.id = ?1 AND person.sort_name IS NOT NULL",
        [id],
        |row| row.get(0),
    )?;
    Ok((turn, name))
}

fn rows(tx: &ReadTx<'_>, ids: &[i64], now: UnixTime) -> Result<Vec<Member>, StoreError> {
    let sql = format!(
        "SELECT {}, e.id, e.peer, e.person, person.idnumber, person.username, person.firstname, \
         person.lastname, e.role, held.effective_at, held.note, \
         (SELECT min(h.effective_at) FROM enrolment_history AS h WHERE h.enrolment = e.id \
         AND h.change = 'status' AND h.effective_at > ?1), e.in_error_at, e.removed_at \
         FROM json_each(?2) AS page CROSS JOIN enrolment AS e ON e.id = page.value \
         CROSS JOIN person ON person.id = e.person \
         CROSS JOIN enrolment_status AS status ON status.id = {STATUS_NOW} \
         LEFT JOIN enrolment_history AS held ON held.id = (SELECT h.id FROM enrolment_history AS h \
         WHERE h.enrolment = e.id AND h.change = 'status' AND h.effective_at <= ?1 \
         ORDER BY h.effective_at DESC, h.id DESC LIMIT 1) ORDER BY page.key",
        statuses::COLUMNS
    );
    tx.all(&sql, params![now, numbers(ids)], |row| {
        Ok(Member {
            status: statuses::from_row(row, 0)?,
            enrolment: row.get(6)?,
            peer: row.get(7)?,
            person: row.get(8)?,
            userid: row.get(9)?,
            username: row.get(10)?,
            firstname: row.get(11)?,
            lastname: row.get(12)?,
            role: row.get(13)?,
            since: row.get(14)?,
            note: row.get(15)?,
            changes_at: row.get(16)?,
            in_error_at: row.get(17)?,
            removed_at: row.get(18)?,
        })
    })
}
