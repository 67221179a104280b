//! Who is in which section, in which role, and how that came about.

use rusqlite::{Row, params};
use serde::Serialize;

use super::author::Author;
use super::error::StoreError;
use super::extra::Extra;
use super::ids::{EnrolmentId, PeerId, PersonId, SectionId, StatusId, words};
use super::page::{Conditions, Page};
use super::people::PersonRef;
use super::statuses::{self, Meaning, Status};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

words! {
    /// What somebody is in a section.
    Role {
        /// Learns there.
        Student = "student",
        /// Teaches there.
        Teacher = "teacher",
    }
}

words! {
    /// What a row of an enrolment's history records.
    EnrolmentChange {
        /// Another status.
        Status = "status",
        /// An administrator found that the enrolment never was.
        InError = "in error",
        /// That mark was lifted.
        NotInError = "not in error",
        /// Removed.
        Removed = "removed",
        /// Brought back.
        Restored = "restored",
    }
}

/// The number of the status that holds at `?1` for an enrolment called `e` in the query: the one kept
/// in the row, until a change that was dated ahead takes hold.
pub(super) const STATUS_NOW: &str = "CASE WHEN e.changes_at <= ?1 THEN \
     (SELECT h.status FROM enrolment_history AS h WHERE h.enrolment = e.id AND h.change = 'status' \
     AND h.effective_at <= ?1 ORDER BY h.effective_at DESC, h.id DESC LIMIT 1) \
     ELSE e.status END";

/// A row of `enrolment`, as the rules need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolment {
    /// The row.
    pub id: EnrolmentId,
    /// Whose row it is; `None`: made here.
    pub peer: Option<PeerId>,
    /// The section.
    pub section: SectionId,
    /// The person.
    pub person: PersonId,
    /// The role.
    pub role: Role,
    /// What else was sent.
    pub extra: Extra,
    /// Since when it is marked as added in error.
    pub in_error_at: Option<UnixTime>,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// A status out of an enrolment's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// The status.
    pub status: StatusId,
    /// What it means.
    pub meaning: Meaning,
    /// From when it holds.
    pub effective_at: UnixTime,
    /// Why.
    pub note: Option<String>,
}

/// Something to be added to an enrolment's history.
#[derive(Clone, Debug)]
pub struct NewChange<'a> {
    /// What became of it.
    pub change: EnrolmentChange,
    /// The status it got, where that is what changed.
    pub status: Option<StatusId>,
    /// From when it holds; may lie ahead, or behind.
    pub effective_at: UnixTime,
    /// Why.
    pub note: Option<&'a str>,
}

/// An enrolment in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedEnrolment {
    /// The row.
    pub id: EnrolmentId,
    /// Whose row it is; `None`: made here.
    pub peer: Option<PeerId>,
    /// The section.
    pub section: SectionId,
    /// The owner's id of the section.
    pub sectionid: Option<String>,
    /// The name of the section.
    pub section_name: String,
    /// The person.
    pub person: PersonId,
    /// The owner's id of the person.
    pub userid: Option<String>,
    /// The person's username here.
    pub username: String,
    /// The spelling the person's owner uses.
    pub sent_username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// The role.
    pub role: Role,
    /// The status that holds now.
    pub status: Status,
    /// When the row was made.
    pub created_at: UnixTime,
    /// When something about it last changed.
    pub updated_at: UnixTime,
    /// Since when it is marked as added in error.
    pub in_error_at: Option<UnixTime>,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// Which enrolments to list.
#[derive(Clone, Debug, Default)]
pub struct EnrolmentFilter {
    /// Only rows of this peer.
    pub peer: Option<PeerId>,
    /// Only those in this section.
    pub section: Option<SectionId>,
    /// Only those of this person.
    pub person: Option<PersonId>,
    /// Only those of people of this peer, whoever enrolled them.
    pub person_peer: Option<PeerId>,
    /// Only those in this role.
    pub role: Option<Role>,
    /// Only those whose status means this now.
    pub meaning: Option<Meaning>,
    /// Those added in error, and those that are removed or whose section or person is, as well.
    pub all: bool,
}

/// A row of `enrolment_history`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnrolmentRecord {
    /// What became of the enrolment.
    pub change: EnrolmentChange,
    /// The status it got, where that is what changed.
    pub status: Option<Status>,
    /// From when it holds.
    pub effective_at: UnixTime,
    /// When it was written down.
    pub recorded_at: UnixTime,
    /// Who said so.
    pub author: Author,
    /// Why.
    pub note: Option<String>,
}

/// The enrolment of a person in a section in a role, among the rows of `owner`; removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn find(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    section: SectionId,
    person: PersonId,
    role: Role,
) -> Result<Option<Enrolment>, StoreError> {
    tx.one(
        "SELECT id, peer, section, person, role, extra, in_error_at, removed_at FROM enrolment \
         WHERE person = ?1 AND section = ?2 AND role = ?3 AND ifnull(peer, 0) = ?4",
        params![person, section, role, PeerId::or_none(owner)],
        enrolment_from_row,
    )
}

/// What a call about an enrolment points at.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The section, with whether it is removed.
    pub section: Option<(SectionId, bool)>,
    /// The person.
    pub person: Option<PersonRef>,
    /// The owner's enrolment that is there, removed or not.
    pub enrolment: Option<Enrolment>,
}

/// What `owner` means by `sectionid` and `userid`, and the enrolment in that role: one query, for this is
/// asked for every enrolment of a list. A person without an id is not found.
///
/// # Errors
/// When the database cannot be read.
pub fn place(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    sectionid: &str,
    userid: &str,
    role: Role,
) -> Result<Place, StoreError> {
    let place = tx.one(
        "SELECT e.id, e.peer, e.section, e.person, e.role, e.extra, e.in_error_at, e.removed_at, \
         s.id, s.removed_at IS NOT NULL, p.id, p.removed_at IS NOT NULL FROM (SELECT 1) \
         LEFT JOIN section AS s ON ifnull(s.peer, 0) = ?1 AND s.idnumber = ?2 \
         LEFT JOIN person AS p ON ifnull(p.peer, 0) = ?1 AND p.idnumber = ?3 \
         LEFT JOIN enrolment AS e ON e.person = p.id AND e.section = s.id AND e.role = ?4 \
         AND ifnull(e.peer, 0) = ?1",
        params![PeerId::or_none(owner), sectionid, userid, role],
        |row| {
            let section: Option<SectionId> = row.get(8)?;
            let person: Option<PersonId> = row.get(10)?;
            let enrolment: Option<EnrolmentId> = row.get(0)?;
            let section_removed: bool = row.get(9)?;
            let person_removed: bool = row.get(11)?;
            Ok(Place {
                section: section.map(|id| (id, section_removed)),
                person: person.map(|id| PersonRef {
                    id,
                    removed: person_removed,
                }),
                enrolment: enrolment.map(|_| enrolment_from_row(row)).transpose()?,
            })
        },
    )?;
    Ok(place.unwrap_or(Place {
        section: None,
        person: None,
        enrolment: None,
    }))
}

/// The enrolment in row `id`.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: EnrolmentId) -> Result<Option<Enrolment>, StoreError> {
    tx.one(
        "SELECT id, peer, section, person, role, extra, in_error_at, removed_at FROM enrolment \
         WHERE id = ?1",
        [id],
        enrolment_from_row,
    )
}

/// The changes of status in the history of the enrolment `?1`, as [`standing_from_row`] reads them.
macro_rules! select_standing {
    ($rest:literal) => {
        concat!(
            "SELECT h.status, status.meaning, h.effective_at, h.note FROM enrolment_history AS h ",
            "JOIN enrolment_status AS status ON status.id = h.status ",
            "WHERE h.enrolment = ?1 AND h.change = 'status'",
            $rest
        )
    };
}

/// What the history says holds at `at`; `None` before its first change.
///
/// # Errors
/// When the database cannot be read.
pub fn standing_at(
    tx: &ReadTx<'_>,
    id: EnrolmentId,
    at: UnixTime,
) -> Result<Option<Standing>, StoreError> {
    tx.one(
        select_standing!(
            " AND h.effective_at <= ?2 \
         ORDER BY h.effective_at DESC, h.id DESC LIMIT 1"
        ),
        params![id, at],
        standing_from_row,
    )
}

/// What this author said last about the status. A peer is one author, and so are all imports for one
/// owner, and all administrators together.
///
/// # Errors
/// When the database cannot be read.
pub fn last_word(
    tx: &ReadTx<'_>,
    id: EnrolmentId,
    author: &Author,
) -> Result<Option<Standing>, StoreError> {
    tx.one(
        select_standing!(
            " AND ifnull(h.author_peer, 0) = ?2 \
         AND h.author_kind = ?3 ORDER BY h.id DESC LIMIT 1"
        ),
        params![id, PeerId::or_none(author.owner()), author.kind()],
        standing_from_row,
    )
}

/// What holds at `at` by this author's words alone, as in [`last_word`]; `None` before the first of them.
///
/// # Errors
/// When the database cannot be read.
pub fn own_word_at(
    tx: &ReadTx<'_>,
    id: EnrolmentId,
    author: &Author,
    at: UnixTime,
) -> Result<Option<Standing>, StoreError> {
    tx.one(
        select_standing!(
            " AND ifnull(h.author_peer, 0) = ?2 \
         AND h.author_kind = ?3 AND h.effective_at <= ?4 \
         ORDER BY h.effective_at DESC, h.id DESC LIMIT 1"
        ),
        params![id, PeerId::or_none(author.owner()), author.kind(), at],
        standing_from_row,
    )
}

/// The last status that `author`'s side said holds from `at`.
///
/// # Errors
/// When the database cannot be read.
pub fn word_for(
    tx: &ReadTx<'_>,
    id: EnrolmentId,
    author: &Author,
    at: UnixTime,
) -> Result<Option<Standing>, StoreError> {
    tx.one(
        select_standing!(
            " AND ifnull(h.author_peer, 0) = ?2 \
         AND h.author_kind = ?3 AND h.effective_at = ?4 ORDER BY h.id DESC LIMIT 1"
        ),
        params![id, PeerId::or_none(author.owner()), author.kind(), at],
        standing_from_row,
    )
}

/// The moments after `after` for which the same author, as in [`last_word`], has dated changes.
///
/// # Errors
/// When the database cannot be read.
pub fn dated_after(
    tx: &ReadTx<'_>,
    id: EnrolmentId,
    author: &Author,
    after: UnixTime,
) -> Result<Vec<UnixTime>, StoreError> {
    tx.all(
        "SELECT DISTINCT effective_at FROM enrolment_history \
         WHERE enrolment = ?1 AND change = 'status' AND ifnull(author_peer, 0) = ?2 \
         AND author_kind = ?3 AND effective_at > ?4 ORDER BY effective_at",
        params![id, PeerId::or_none(author.owner()), author.kind(), after],
        |row| row.get(0),
    )
}

/// What a new enrolment is made of.
#[derive(Clone, Debug)]
pub struct NewEnrolment<'a> {
    /// Whose row it will be.
    pub owner: Option<PeerId>,
    /// The section.
    pub section: SectionId,
    /// The person.
    pub person: PersonId,
    /// The role.
    pub role: Role,
    /// The status until its first change takes hold.
    pub status: StatusId,
    /// What else was sent.
    pub extra: &'a Extra,
}

/// Adds an enrolment. Its first change is to be added to the history in the same transaction.
///
/// # Errors
/// [`StoreError::Refused`] where the owner has that enrolment already.
pub fn insert(
    tx: &WriteTx<'_>,
    new: &NewEnrolment<'_>,
    now: UnixTime,
) -> Result<EnrolmentId, StoreError> {
    let id = tx.insert(
        "INSERT INTO enrolment (peer, section, person, role, status, extra, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        params![
            new.owner,
            new.section,
            new.person,
            new.role,
            new.status,
            new.extra,
            now
        ],
    )?;
    Ok(EnrolmentId(id))
}

/// Adds an enrolment together with the first word on its status, in one step: the row is written as it stands after it.
/// Before that moment, where it lies ahead, it has the status in `new`.
///
/// # Errors
/// [`StoreError::Refused`] where the owner has that enrolment already.
pub fn insert_with_status(
    tx: &WriteTx<'_>,
    new: &NewEnrolment<'_>,
    first: &FirstStatus<'_>,
    author: &Author,
    now: UnixTime,
) -> Result<EnrolmentId, StoreError> {
    let is_ahead = first.effective_at > now;
    let status = if is_ahead { new.status } else { first.status };
    let id = tx.insert(
        "INSERT INTO enrolment (peer, section, person, role, status, changes_at, extra, created_at, \
         updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        params![
            new.owner,
            new.section,
            new.person,
            new.role,
            status,
            Some(first.effective_at).filter(|_| is_ahead),
            new.extra,
            now
        ],
    )?;
    let id = EnrolmentId(id);
    let change = NewChange {
        change: EnrolmentChange::Status,
        status: Some(first.status),
        effective_at: first.effective_at,
        note: first.note,
    };
    write_down(tx, id, &change, author, now)?;
    Ok(id)
}

/// The first status that an enrolment is given.
#[derive(Clone, Copy, Debug)]
pub struct FirstStatus<'a> {
    /// Which.
    pub status: StatusId,
    /// From when it holds; may lie ahead, or behind.
    pub effective_at: UnixTime,
    /// Why.
    pub note: Option<&'a str>,
}

/// Replaces what else was sent with an enrolment.
///
/// # Errors
/// When the database cannot be written.
pub fn set_extra(
    tx: &WriteTx<'_>,
    id: EnrolmentId,
    extra: &Extra,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE enrolment SET extra = ?2, updated_at = ?3 WHERE id = ?1",
        params![id, extra, now],
    )?;
    Ok(())
}

/// Adds a change to an enrolment's history, and brings the row in line with it.
///
/// # Errors
/// When the database cannot be written.
pub fn add_change(
    tx: &WriteTx<'_>,
    id: EnrolmentId,
    change: &NewChange<'_>,
    author: &Author,
    now: UnixTime,
) -> Result<(), StoreError> {
    write_down(tx, id, change, author, now)?;
    let sql = match change.change {
        EnrolmentChange::Status => {
            "UPDATE enrolment SET updated_at = ?2, status = ifnull((SELECT h.status \
             FROM enrolment_history AS h WHERE h.enrolment = ?1 AND h.change = 'status' \
             AND h.effective_at <= ?2 ORDER BY h.effective_at DESC, h.id DESC LIMIT 1), status), \
             changes_at = (SELECT min(h.effective_at) FROM enrolment_history AS h \
             WHERE h.enrolment = ?1 AND h.change = 'status' AND h.effective_at > ?2) WHERE id = ?1"
        }
        EnrolmentChange::InError => {
            "UPDATE enrolment SET updated_at = ?2, in_error_at = ?2 WHERE id = ?1"
        }
        EnrolmentChange::NotInError => {
            "UPDATE enrolment SET updated_at = ?2, in_error_at = NULL WHERE id = ?1"
        }
        EnrolmentChange::Removed => {
            "UPDATE enrolment SET updated_at = ?2, removed_at = ?2 WHERE id = ?1"
        }
        EnrolmentChange::Restored => {
            "UPDATE enrolment SET updated_at = ?2, removed_at = NULL WHERE id = ?1"
        }
    };
    tx.execute(sql, params![id, now])?;
    Ok(())
}

fn write_down(
    tx: &WriteTx<'_>,
    id: EnrolmentId,
    change: &NewChange<'_>,
    author: &Author,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.insert(
        "INSERT INTO enrolment_history (enrolment, change, status, effective_at, recorded_at, \
         author_kind, author_peer, author_name, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            id,
            change.change,
            change.status,
            change.effective_at,
            now,
            author.kind(),
            author.owner(),
            author.name(),
            change.note
        ],
    )?;
    Ok(())
}

/// Everything that became of an enrolment, in the order it was written down.
///
/// # Errors
/// When the database cannot be read.
pub fn history(tx: &ReadTx<'_>, id: EnrolmentId) -> Result<Vec<EnrolmentRecord>, StoreError> {
    tx.all(
        &format!(
            "SELECT {}, h.change, h.effective_at, h.recorded_at, h.author_kind, h.author_peer, \
             h.author_name, h.note FROM enrolment_history AS h \
             LEFT JOIN enrolment_status AS status ON status.id = h.status \
             WHERE h.enrolment = ?1 ORDER BY h.id",
            statuses::COLUMNS
        ),
        [id],
        |row| {
            let status: Option<StatusId> = row.get(0)?;
            Ok(EnrolmentRecord {
                status: status.map(|_| statuses::from_row(row, 0)).transpose()?,
                change: row.get(6)?,
                effective_at: row.get(7)?,
                recorded_at: row.get(8)?,
                author: Author::from_row(row, 9)?,
                note: row.get(12)?,
            })
        },
    )
}

/// A page of enrolments, each with the status that holds at `now`.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    tx: &ReadTx<'_>,
    filter: &EnrolmentFilter,
    now: UnixTime,
    page: Page,
) -> Result<Vec<ListedEnrolment>, StoreError> {
    let select = format!(
        "SELECT {}, e.id, e.peer, e.section, section.idnumber, section.name, e.person, \
         person.idnumber, person.username, person.firstname, person.lastname, e.role, e.created_at, \
         e.updated_at, e.in_error_at, e.removed_at, person.sent_username FROM enrolment AS e \
         JOIN section ON section.id = e.section JOIN person ON person.id = e.person \
         JOIN enrolment_status AS status ON status.id = {STATUS_NOW}",
        statuses::COLUMNS
    );
    let mut conditions = Conditions::with_first(&select, now, "e.id", page);
    conditions
        .with("e.peer = ?", filter.peer)
        .with("e.section = ?", filter.section)
        .with("e.person = ?", filter.person)
        .with("person.peer = ?", filter.person_peer)
        .with("e.role = ?", filter.role)
        .with("status.meaning = ?", filter.meaning);
    if !filter.all {
        conditions
            .plain("e.removed_at IS NULL")
            .plain("e.in_error_at IS NULL")
            .plain("section.removed_at IS NULL")
            .plain("person.removed_at IS NULL");
    }
    conditions.list(tx, "e.id", page, |row| {
        Ok(ListedEnrolment {
            status: statuses::from_row(row, 0)?,
            id: row.get(6)?,
            peer: row.get(7)?,
            section: row.get(8)?,
            sectionid: row.get(9)?,
            section_name: row.get(10)?,
            person: row.get(11)?,
            userid: row.get(12)?,
            username: row.get(13)?,
            firstname: row.get(14)?,
            lastname: row.get(15)?,
            role: row.get(16)?,
            created_at: row.get(17)?,
            updated_at: row.get(18)?,
            in_error_at: row.get(19)?,
            removed_at: row.get(20)?,
            sent_username: row.get(21)?,
        })
    })
}

fn enrolment_from_row(row: &Row<'_>) -> rusqlite::Result<Enrolment> {
    Ok(Enrolment {
        id: row.get(0)?,
        peer: row.get(1)?,
        section: row.get(2)?,
        person: row.get(3)?,
        role: row.get(4)?,
        extra: row.get(5)?,
        in_error_at: row.get(6)?,
        removed_at: row.get(7)?,
    })
}

fn standing_from_row(row: &Row<'_>) -> rusqlite::Result<Standing> {
    Ok(Standing {
        status: row.get(0)?,
        meaning: row.get(1)?,
        effective_at: row.get(2)?,
        note: row.get(3)?,
    })
}
