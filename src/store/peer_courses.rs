//! Remote enrolment, used: courses of peers as far as they are known here, and our accounts in them.

use rusqlite::{Row, params};
use serde::Serialize;

use super::error::StoreError;
use super::ids::{AccountId, PeerCourseId, PeerId};
use super::page::{Conditions, Page};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// What a peer tells of a course.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerCourseFields {
    /// The peer's own id of the course.
    pub remote_id: String,
    /// Its full name.
    pub fullname: String,
    /// Its short name.
    pub shortname: String,
    /// The ID number it was given there.
    pub idnumber: String,
    /// What it is about; HTML, as a rule.
    pub summary: String,
    /// The name of the category it stands in there.
    pub category: String,
    /// When it starts.
    pub starts_at: Option<UnixTime>,
}

/// A row of `peer_course`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerCourse {
    /// The row.
    pub id: PeerCourseId,
    /// The peer.
    pub peer: PeerId,
    /// What the peer tells of it.
    #[serde(flatten)]
    pub fields: PeerCourseFields,
    /// Whether we may enrol in it; `false`: it is only known.
    pub offered: bool,
    /// When the peer last told of it.
    pub fetched_at: UnixTime,
}

/// Which courses of peers to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerCourseFilter {
    /// Only those of this peer.
    pub peer: Option<PeerId>,
    /// Those that are only known as well.
    pub all: bool,
}

/// One of our accounts in a course of a peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerCourseEnrolment {
    /// The account.
    pub account: AccountId,
    /// Its username.
    pub username: String,
    /// The course.
    pub course: PeerCourseId,
    /// The course's full name.
    pub fullname: String,
    /// The peer.
    pub peer: PeerId,
    /// The peer's own id of the course.
    pub remote_id: String,
    /// The role's name there, where it was told.
    pub role: String,
    /// Whether it was enrolled from here; `false`: the peer told of it.
    pub by_us: bool,
    /// Since when.
    pub enrolled_at: UnixTime,
    /// Since when no longer.
    pub ended_at: Option<UnixTime>,
}

/// Which enrolments in courses of peers to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct PeerCourseEnrolmentFilter {
    /// Only those at this peer.
    pub peer: Option<PeerId>,
    /// Only those in this course.
    pub course: Option<PeerCourseId>,
    /// Only those of this account.
    pub account: Option<AccountId>,
    /// Those that have ended as well.
    pub ended: bool,
}

const COURSE: &str = "SELECT peer_course.id, peer_course.peer, peer_course.remote_id, \
     peer_course.fullname, peer_course.shortname, peer_course.idnumber, peer_course.summary, \
     peer_course.category, peer_course.starts_at, peer_course.offered, peer_course.fetched_at \
     FROM peer_course";

const ENROLMENT: &str = "SELECT enrolment.account, account.username, enrolment.course, \
     peer_course.fullname, peer_course.peer, peer_course.remote_id, enrolment.role, \
     enrolment.by_us, enrolment.enrolled_at, enrolment.ended_at \
     FROM peer_course_enrolment AS enrolment \
     JOIN account ON account.id = enrolment.account \
     JOIN peer_course ON peer_course.id = enrolment.course";

/// Notes a course as the peer offers it.
///
/// # Errors
/// When the database cannot be written.
pub fn note_offered(
    tx: &WriteTx<'_>,
    peer: PeerId,
    course: &PeerCourseFields,
    now: UnixTime,
) -> Result<PeerCourseId, StoreError> {
    tx.execute(
        "INSERT INTO peer_course (peer, remote_id, fullname, shortname, idnumber, summary, category, \
         starts_at, offered, fetched_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9) \
         ON CONFLICT (peer, remote_id) DO UPDATE SET fullname = excluded.fullname, \
         shortname = excluded.shortname, idnumber = excluded.idnumber, summary = excluded.summary, \
         category = excluded.category, starts_at = excluded.starts_at, offered = 1, \
         fetched_at = excluded.fetched_at",
        params![
            peer,
            course.remote_id,
            course.fullname,
            course.shortname,
            course.idnumber,
            course.summary,
            course.category,
            course.starts_at,
            now
        ],
    )?;
    number(tx, peer, &course.remote_id)
}

/// Notes a course of which the peer told without offering it. One that is known already keeps what
/// was told when it was offered.
///
/// # Errors
/// When the database cannot be written.
pub fn note_known(
    tx: &WriteTx<'_>,
    peer: PeerId,
    course: &PeerCourseFields,
    now: UnixTime,
) -> Result<PeerCourseId, StoreError> {
    tx.execute(
        "INSERT INTO peer_course (peer, remote_id, fullname, shortname, idnumber, summary, category, \
         starts_at, offered, fetched_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9) \
         ON CONFLICT (peer, remote_id) DO UPDATE SET fullname = excluded.fullname, \
         shortname = excluded.shortname, idnumber = excluded.idnumber, summary = excluded.summary, \
         category = excluded.category, starts_at = excluded.starts_at, \
         fetched_at = excluded.fetched_at WHERE peer_course.offered = 0",
        params![
            peer,
            course.remote_id,
            course.fullname,
            course.shortname,
            course.idnumber,
            course.summary,
            course.category,
            course.starts_at,
            now
        ],
    )?;
    number(tx, peer, &course.remote_id)
}

/// Marks as merely known the courses of a peer that are not among those it offers now; how many.
///
/// # Errors
/// When the database cannot be written.
pub fn withdraw_others(
    tx: &WriteTx<'_>,
    peer: PeerId,
    offered: &[PeerCourseId],
) -> Result<usize, StoreError> {
    let mut withdrawn = 0;
    let stored: Vec<PeerCourseId> = tx.all(
        "SELECT id FROM peer_course WHERE peer = ?1 AND offered = 1",
        [peer],
        |row| row.get(0),
    )?;
    let offered: std::collections::HashSet<_> = offered.iter().collect();
    for id in stored.iter().filter(|id| !offered.contains(id)) {
        withdrawn += tx.execute("UPDATE peer_course SET offered = 0 WHERE id = ?1", [id])?;
    }
    Ok(withdrawn)
}

/// How many courses of a peer are known without being offered.
///
/// # Errors
/// When the database cannot be read.
pub fn count_known(tx: &ReadTx<'_>, peer: PeerId) -> Result<u32, StoreError> {
    let count = tx.one(
        "SELECT count(*) FROM peer_course WHERE peer = ?1 AND offered = 0",
        [peer],
        |row| row.get(0),
    )?;
    Ok(count.unwrap_or(0))
}

/// The course that a peer calls `remote_id`.
///
/// # Errors
/// When the database cannot be read.
pub fn find(
    tx: &ReadTx<'_>,
    peer: PeerId,
    remote_id: &str,
) -> Result<Option<PeerCourse>, StoreError> {
    let sql = format!("{COURSE} WHERE peer = ?1 AND remote_id = ?2");
    tx.one(&sql, params![peer, remote_id], course_from_row)
}

/// The course in row `id`.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: PeerCourseId) -> Result<Option<PeerCourse>, StoreError> {
    tx.one(&format!("{COURSE} WHERE id = ?1"), [id], course_from_row)
}

/// A page of courses.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    tx: &ReadTx<'_>,
    filter: &PeerCourseFilter,
    page: Page,
) -> Result<Vec<PeerCourse>, StoreError> {
    let mut conditions = Conditions::new(COURSE, "peer_course.id", page);
    conditions.with("peer_course.peer = ?", filter.peer);
    if !filter.all {
        conditions.plain("peer_course.offered = 1");
    }
    conditions.list(tx, "peer_course.id", page, course_from_row)
}

/// Notes that an account is in a course. What was noted of the two before is replaced; `by_us` once
/// set stays while the enrolment lasts.
///
/// # Errors
/// When the database cannot be written, or there is no such account or course.
pub fn note_enrolment(
    tx: &WriteTx<'_>,
    account: AccountId,
    course: PeerCourseId,
    role: &str,
    by_us: bool,
    enrolled_at: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO peer_course_enrolment (account, course, role, by_us, enrolled_at) \
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (account, course) DO UPDATE SET \
         role = excluded.role, \
         by_us = CASE WHEN ended_at IS NULL THEN max(by_us, excluded.by_us) ELSE excluded.by_us END, \
         enrolled_at = excluded.enrolled_at, ended_at = NULL",
        params![account, course, role, by_us, enrolled_at],
    )?;
    Ok(())
}

/// Notes that an account is no longer in a course; `false`: it was not.
///
/// # Errors
/// When the database cannot be written.
pub fn end_enrolment(
    tx: &WriteTx<'_>,
    account: AccountId,
    course: PeerCourseId,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let ended = tx.execute(
        "UPDATE peer_course_enrolment SET ended_at = ?3 \
         WHERE account = ?1 AND course = ?2 AND ended_at IS NULL",
        params![account, course, now],
    )?;
    Ok(ended > 0)
}

/// Whether, and how, an account is or was in a course.
///
/// # Errors
/// When the database cannot be read.
pub fn find_enrolment(
    tx: &ReadTx<'_>,
    account: AccountId,
    course: PeerCourseId,
) -> Result<Option<PeerCourseEnrolment>, StoreError> {
    let sql = format!("{ENROLMENT} WHERE enrolment.account = ?1 AND enrolment.course = ?2");
    tx.one(&sql, params![account, course], enrolment_from_row)
}

/// Our accounts in courses of peers, by account, then by course: those behind the two numbers `after`,
/// at most `limit`.
///
/// # Errors
/// When the database cannot be read.
pub fn enrolments(
    tx: &ReadTx<'_>,
    filter: &PeerCourseEnrolmentFilter,
    after: Option<(AccountId, PeerCourseId)>,
    limit: u32,
) -> Result<Vec<PeerCourseEnrolment>, StoreError> {
    let (account, course) = after.unwrap_or((AccountId(0), PeerCourseId(0)));
    let sql = format!(
        "{ENROLMENT} WHERE (enrolment.account, enrolment.course) > (?1, ?2) \
         AND (?3 IS NULL OR peer_course.peer = ?3) AND (?4 IS NULL OR enrolment.course = ?4) \
         AND (?5 IS NULL OR enrolment.account = ?5) AND (?6 OR enrolment.ended_at IS NULL) \
         ORDER BY enrolment.account, enrolment.course LIMIT ?7"
    );
    tx.all(
        &sql,
        params![
            account,
            course,
            filter.peer,
            filter.course,
            filter.account,
            filter.ended,
            limit.min(super::MAX_PAGE)
        ],
        enrolment_from_row,
    )
}

fn number(tx: &ReadTx<'_>, peer: PeerId, remote_id: &str) -> Result<PeerCourseId, StoreError> {
    tx.one(
        "SELECT id FROM peer_course WHERE peer = ?1 AND remote_id = ?2",
        params![peer, remote_id],
        |row| row.get(0),
    )?
    .ok_or(StoreError::Undone)
}

fn course_from_row(row: &Row<'_>) -> rusqlite::Result<PeerCourse> {
    Ok(PeerCourse {
        id: row.get(0)?,
        peer: row.get(1)?,
        fields: PeerCourseFields {
            remote_id: row.get(2)?,
            fullname: row.get(3)?,
            shortname: row.get(4)?,
            idnumber: row.get(5)?,
            summary: row.get(6)?,
            category: row.get(7)?,
            starts_at: row.get(8)?,
        },
        offered: row.get(9)?,
        fetched_at: row.get(10)?,
    })
}

fn enrolment_from_row(row: &Row<'_>) -> rusqlite::Result<PeerCourseEnrolment> {
    Ok(PeerCourseEnrolment {
        account: row.get(0)?,
        username: row.get(1)?,
        course: row.get(2)?,
        fullname: row.get(3)?,
        peer: row.get(4)?,
        remote_id: row.get(5)?,
        role: row.get(6)?,
        by_us: row.get(7)?,
        enrolled_at: row.get(8)?,
        ended_at: row.get(9)?,
    })
}
