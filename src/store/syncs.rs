//! Synchronisations: their runs, the rows a run was told of, and what of a peer's rows it was not told of.

use rusqlite::{Row, params};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::error::StoreError;
use super::ids::{PeerId, SyncRunId, words};
use super::page::MAX_PAGE;
use super::people;
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// Runs of a peer that are kept: a month and more of daily ones.
const RUNS_KEPT: u32 = 50;

words! {
    /// A list that a peer is asked for, in the order they are read: what follows refers to what came before.
    Kind {
        /// People.
        Users = "users",
        /// Sections.
        Sections = "sections",
        /// Who is in which.
        Enrolments = "enrolments",
        /// Columns of the gradebook.
        Assessments = "assessments",
        /// Its entries.
        Grades = "grades",
    }
}

words! {
    /// What became of a run.
    RunState {
        /// It is under way.
        Running = "running",
        /// It came to its end.
        Done = "done",
        /// It could not go on.
        Failed = "failed",
        /// It was stopped, or its process is gone.
        Interrupted = "interrupted",
    }
}

/// A row of `sync_run`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Run {
    /// The row.
    pub id: SyncRunId,
    /// Whose rows it is about.
    pub peer: PeerId,
    /// The peer's id of the only section it is about; `None`: everything.
    pub section: Option<String>,
    /// Who wanted it.
    pub asked_by: String,
    /// What became of it.
    pub state: RunState,
    /// What it is at, or was at last.
    pub phase: String,
    /// Rows of the present list that were read.
    pub read: i64,
    /// How many the peer says that list has.
    pub total: Option<i64>,
    /// When it began.
    pub started_at: UnixTime,
    /// When its process was last heard of.
    pub heartbeat_at: UnixTime,
    /// When it ended.
    pub finished_at: Option<UnixTime>,
    /// What it did, as JSON.
    pub report: String,
    /// Why it failed.
    pub error: Option<String>,
}

/// Where a run stands.
#[derive(Clone, Debug)]
pub struct Progress<'a> {
    /// What it is at.
    pub phase: &'a str,
    /// Rows of the present list that were read.
    pub read: i64,
    /// How many that list has.
    pub total: Option<i64>,
    /// What it did so far, as JSON.
    pub report: &'a str,
}

/// What points at a row on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A user, by id; by username where there is none.
    User {
        /// The id.
        idnumber: Option<String>,
        /// The peer's spelling.
        username: Option<String>,
    },
    /// A section, by its id.
    Section(String),
    /// An enrolment.
    Enrolment {
        /// The section's id.
        sectionid: String,
        /// The user's.
        userid: String,
        /// The word for the role.
        role: String,
    },
    /// An assessment, by its id.
    Assessment(String),
    /// A grade.
    Grade {
        /// The assessment's id.
        assessmentid: String,
        /// The user's.
        userid: String,
    },
}

/// A peer's row that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its number in the table of its kind.
    pub row: i64,
    /// When anything about it last changed, its removal included.
    pub changed_at: UnixTime,
}

/// A row that a run was not told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlisted {
    /// Its number.
    pub row: i64,
    /// What points at it on the wire.
    pub key: Key,
}

/// Which of a peer's rows a run is about.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The run.
    pub run: SyncRunId,
    /// Whose rows.
    pub peer: PeerId,
    /// The peer's id of the only section; `None`: everything.
    pub section: Option<String>,
    /// When the run began: rows that changed since are not judged by it.
    pub started_at: UnixTime,
}

const RUN: &str = "SELECT id, peer, section, asked_by, state, phase, read_rows, total_rows, started_at, \
     heartbeat_at, finished_at, report, error FROM sync_run";

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        Self::from_word(&word).ok_or_else(|| D::Error::custom("no list is called so"))
    }
}

impl Kind {
    /// Its place in the order, from 1.
    const fn number(self) -> i64 {
        match self {
            Self::Users => 1,
            Self::Sections => 2,
            Self::Enrolments => 3,
            Self::Assessments => 4,
            Self::Grades => 5,
        }
    }
}

/// Begins a run, or says which one is under way. One whose process was not heard of since
/// `silent_since` is taken for interrupted, and its marks are left to [`clear_up`].
///
/// # Errors
/// When the database cannot be written.
pub fn begin(
    tx: &WriteTx<'_>,
    peer: PeerId,
    section: Option<&str>,
    asked_by: &str,
    silent_since: UnixTime,
    now: UnixTime,
) -> Result<Result<SyncRunId, Run>, StoreError> {
    if let Some(run) = running(tx, peer)? {
        if run.heartbeat_at > silent_since {
            return Ok(Err(run));
        }
        finish(tx, run.id, RunState::Interrupted, None, None, now)?;
    }
    let id = tx.insert(
        "INSERT INTO sync_run (peer, section, asked_by, state, phase, started_at, heartbeat_at) \
         VALUES (?1, ?2, ?3, ?4, 'beginning', ?5, ?5)",
        params![peer, section, asked_by, RunState::Running, now],
    )?;
    Ok(Ok(SyncRunId(id)))
}

/// Notes where a run stands; `false` where it is not running any more, because another process took it
/// for dead.
///
/// # Errors
/// When the database cannot be written.
pub fn note_progress(
    tx: &WriteTx<'_>,
    id: SyncRunId,
    progress: &Progress<'_>,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE sync_run SET phase = ?2, read_rows = ?3, total_rows = ?4, report = ?5, heartbeat_at = ?6 \
         WHERE id = ?1 AND state = 'running'",
        params![
            id,
            progress.phase,
            progress.read,
            progress.total,
            progress.report,
            now
        ],
    )?;
    Ok(changed == 1)
}

/// Notes that the process of a run lives; `false` as for [`note_progress`].
///
/// # Errors
/// When the database cannot be written.
pub fn beat(tx: &WriteTx<'_>, id: SyncRunId, now: UnixTime) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE sync_run SET heartbeat_at = ?2 WHERE id = ?1 AND state = 'running'",
        params![id, now],
    )?;
    Ok(changed == 1)
}

/// Ends a run; one that has ended already stays as it is. `report`: `None` leaves the last one noted.
///
/// # Errors
/// When the database cannot be written.
pub fn finish(
    tx: &WriteTx<'_>,
    id: SyncRunId,
    state: RunState,
    report: Option<&str>,
    error: Option<&str>,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE sync_run SET state = ?2, report = ifnull(?3, report), error = ?4, finished_at = ?5 \
         WHERE id = ?1 AND state = 'running'",
        params![id, state, report, error, now],
    )?;
    Ok(())
}

/// Notes that no run of a peer is under way any more.
///
/// # Errors
/// When the database cannot be written.
pub fn interrupt(tx: &WriteTx<'_>, peer: PeerId, now: UnixTime) -> Result<(), StoreError> {
    match running(tx, peer)? {
        Some(run) => finish(tx, run.id, RunState::Interrupted, None, None, now),
        None => Ok(()),
    }
}

/// The run of a peer that is under way.
///
/// # Errors
/// When the database cannot be read.
pub fn running(tx: &ReadTx<'_>, peer: PeerId) -> Result<Option<Run>, StoreError> {
    tx.one(
        &format!("{RUN} WHERE peer = ?1 AND state = 'running'"),
        [peer],
        run_from_row,
    )
}

/// The latest runs of a peer, the latest first.
///
/// # Errors
/// When the database cannot be read.
pub fn latest(tx: &ReadTx<'_>, peer: PeerId, limit: u32) -> Result<Vec<Run>, StoreError> {
    tx.all(
        &format!("{RUN} WHERE peer = ?1 ORDER BY id DESC LIMIT ?2"),
        params![peer, limit.min(MAX_PAGE)],
        run_from_row,
    )
}

/// Drops up to `limit` marks of runs that have ended, and the runs beyond those that are kept; how many
/// marks are gone. Less than `limit`: none is left.
///
/// # Errors
/// When the database cannot be written.
pub fn clear_up(tx: &WriteTx<'_>, peer: PeerId, limit: u32) -> Result<usize, StoreError> {
    let gone = tx.execute(
        "DELETE FROM sync_seen WHERE (run, kind, row_id) IN (SELECT s.run, s.kind, s.row_id \
         FROM sync_run AS r JOIN sync_seen AS s ON s.run = r.id \
         WHERE r.peer = ?1 AND r.state <> 'running' LIMIT ?2)",
        params![peer, limit],
    )?;
    tx.execute(
        "DELETE FROM sync_run WHERE peer = ?1 AND id < (SELECT id FROM sync_run WHERE peer = ?1 \
         ORDER BY id DESC LIMIT 1 OFFSET ?2) AND state <> 'running' \
         AND NOT EXISTS (SELECT 1 FROM sync_seen WHERE run = sync_run.id)",
        params![peer, RUNS_KEPT - 1],
    )?;
    Ok(gone)
}

/// Marks a row as told of in a run.
///
/// # Errors
/// When the database cannot be written.
pub fn mark_seen(tx: &WriteTx<'_>, run: SyncRunId, kind: Kind, row: i64) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO sync_seen (run, kind, row_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![run, kind.number(), row],
    )?;
    Ok(())
}

/// The row of `peer`'s that `key` points at, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn find(tx: &ReadTx<'_>, peer: PeerId, key: &Key) -> Result<Option<Held>, StoreError> {
    match key {
        Key::User { idnumber, username } => {
            find_user(tx, peer, idnumber.as_deref(), username.as_deref())
        }
        Key::Section(idnumber) => tx.one(
            "SELECT id, max(updated_at, ifnull(removed_at, 0)) FROM section \
             WHERE ifnull(peer, 0) = ?1 AND idnumber = ?2",
            params![peer, idnumber],
            held_from_row,
        ),
        Key::Enrolment {
            sectionid,
            userid,
            role,
        } => find_enrolment(tx, peer, sectionid, userid, role),
        Key::Assessment(idnumber) => tx.one(
            "SELECT id, max(updated_at, ifnull(removed_at, 0)) FROM assessment \
             WHERE ifnull(peer, 0) = ?1 AND idnumber = ?2",
            params![peer, idnumber],
            held_from_row,
        ),
        Key::Grade {
            assessmentid,
            userid,
        } => find_grade(tx, peer, assessmentid, userid),
    }
}

fn find_user(
    tx: &ReadTx<'_>,
    peer: PeerId,
    idnumber: Option<&str>,
    username: Option<&str>,
) -> Result<Option<Held>, StoreError> {
    if let Some(idnumber) = idnumber {
        let found = tx.one(
            "SELECT id, max(updated_at, ifnull(removed_at, 0)) FROM person \
             WHERE ifnull(peer, 0) = ?1 AND idnumber = ?2",
            params![peer, idnumber],
            held_from_row,
        )?;
        if found.is_some() {
            return Ok(found);
        }
    }
    let Some(username) = username else {
        return Ok(None);
    };
    // One with an id of its own is somebody else, unless the username is all that was said.
    tx.one(
        "SELECT id, max(updated_at, ifnull(removed_at, 0)) FROM person \
         WHERE ifnull(peer, 0) = ?1 AND sent_username = ?2 AND (idnumber IS NULL OR ?3) \
         ORDER BY id DESC LIMIT 1",
        params![peer, username, idnumber.is_none()],
        held_from_row,
    )
}

fn find_enrolment(
    tx: &ReadTx<'_>,
    peer: PeerId,
    sectionid: &str,
    userid: &str,
    role: &str,
) -> Result<Option<Held>, StoreError> {
    let Some(person) = people::refer(tx, Some(peer), userid)? else {
        return Ok(None);
    };
    tx.one(
        "SELECT id, max(updated_at, ifnull(removed_at, 0)) FROM enrolment \
         WHERE person = ?1 AND role = ?2 AND ifnull(peer, 0) = ?3 \
         AND section = (SELECT id FROM section WHERE ifnull(peer, 0) = ?3 AND idnumber = ?4)",
        params![person.id, role, peer, sectionid],
        held_from_row,
    )
}

fn find_grade(
    tx: &ReadTx<'_>,
    peer: PeerId,
    assessmentid: &str,
    userid: &str,
) -> Result<Option<Held>, StoreError> {
    let Some(person) = people::refer(tx, Some(peer), userid)? else {
        return Ok(None);
    };
    tx.one(
        "SELECT id, max(updated_at, ifnull(removed_at, 0)) FROM grade WHERE person = ?1 \
         AND assessment = (SELECT id FROM assessment WHERE ifnull(peer, 0) = ?2 AND idnumber = ?3)",
        params![person.id, peer, assessmentid],
        held_from_row,
    )
}

/// How many rows of a kind the peer has in use, as far as the run is about them.
///
/// # Errors
/// When the database cannot be read.
pub fn count_held(
    tx: &ReadTx<'_>,
    scope: &Scope,
    kind: Kind,
    now: UnixTime,
) -> Result<i64, StoreError> {
    let sql = format!("SELECT count(*) {} AND ?7 NOTNULL", held(scope, kind));
    let count = tx.one(&sql, bound(scope, now, 0, 1), |row| row.get(0))?;
    Ok(count.unwrap_or(0))
}

/// How many of them the run was not told of, and did not change since it began.
///
/// # Errors
/// When the database cannot be read.
pub fn count_unlisted(
    tx: &ReadTx<'_>,
    scope: &Scope,
    kind: Kind,
    now: UnixTime,
) -> Result<i64, StoreError> {
    let sql = format!(
        "SELECT count(*) {} AND {} AND ?7 NOTNULL",
        held(scope, kind),
        unlisted_condition(kind)
    );
    let count = tx.one(&sql, bound(scope, now, 0, 1), |row| row.get(0))?;
    Ok(count.unwrap_or(0))
}

/// The first `limit` of those rows whose number is greater than `after`.
///
/// # Errors
/// When the database cannot be read.
pub fn unlisted(
    tx: &ReadTx<'_>,
    scope: &Scope,
    kind: Kind,
    after: i64,
    limit: u32,
    now: UnixTime,
) -> Result<Vec<Unlisted>, StoreError> {
    let columns = match kind {
        Kind::Users => "x.idnumber, x.sent_username, NULL",
        Kind::Sections | Kind::Assessments => "x.idnumber, NULL, NULL",
        Kind::Enrolments => {
            "section.idnumber, ifnull(person.idnumber, person.sent_username), x.role"
        }
        Kind::Grades => "assessment.idnumber, ifnull(person.idnumber, person.sent_username), NULL",
    };
    let number = if scope.section.is_some() {
        // So that the few rows of the section are sorted, rather than the whole table gone through.
        "+x.id"
    } else {
        "x.id"
    };
    let sql = format!(
        "SELECT x.id, {columns} {} AND {} AND {number} > ?6 ORDER BY {number} LIMIT ?7",
        held(scope, kind),
        unlisted_condition(kind)
    );
    tx.all(&sql, bound(scope, now, after, limit), |row| {
        Ok(Unlisted {
            row: row.get(0)?,
            key: key_from_row(kind, row)?,
        })
    })
}

/// When a row last changed, its removal included; `None`: there is no such row.
///
/// # Errors
/// When the database cannot be read.
pub fn changed_at(tx: &ReadTx<'_>, kind: Kind, row: i64) -> Result<Option<UnixTime>, StoreError> {
    let table = match kind {
        Kind::Users => "person",
        Kind::Sections => "section",
        Kind::Enrolments => "enrolment",
        Kind::Assessments => "assessment",
        Kind::Grades => "grade",
    };
    let sql = format!("SELECT max(updated_at, ifnull(removed_at, 0)) FROM {table} WHERE id = ?1");
    tx.one(&sql, [row], |row| row.get(0))
}

/// The values that [`held`] and [`unlisted_condition`] speak of: `?1` the peer, `?2` the run, `?3` the
/// moment, `?4` when the run began, `?5` the section, `?6` and `?7` the part of the list.
fn bound(scope: &Scope, now: UnixTime, after: i64, limit: u32) -> impl rusqlite::Params + '_ {
    (
        scope.peer,
        scope.run,
        now,
        scope.started_at,
        scope.section.as_deref(),
        after,
        limit,
    )
}

/// The rows `x` of a kind that the peer has in use: what hangs on something removed is out of use with
/// it, and what was found to be an error never was.
fn held(scope: &Scope, kind: Kind) -> String {
    match (kind, &scope.section) {
        (Kind::Users | Kind::Sections, _) => held_of_peer(kind).to_owned(),
        // Row by row of the table, so that a part of it is read in its order and nothing is sorted.
        (_, None) => held_of_peer(kind).replace(" JOIN ", " CROSS JOIN "),
        (_, Some(_)) => {
            let rows = held_of_peer(kind);
            format!("{rows} AND ifnull(section.peer, 0) = ?1 AND section.idnumber = ?5")
        }
    }
}

fn held_of_peer(kind: Kind) -> &'static str {
    match kind {
        // Somebody who only came in person, or was enrolled from there in a section of ours, was never on
        // its list: nothing is to be learnt from not being on it. Nor is somebody removed who is needed here.
        Kind::Users => {
            "FROM person AS x WHERE x.peer = ?1 AND x.removed_at IS NULL AND ?5 IS NULL \
             AND (json_extract(x.extra, '$.moodle_id') NOTNULL OR EXISTS (SELECT 1 FROM enrolment AS e \
             JOIN section ON section.id = e.section WHERE e.person = x.id AND section.peer = x.peer)) \
             AND NOT EXISTS (SELECT 1 FROM account WHERE account.person = x.id) \
             AND NOT EXISTS (SELECT 1 FROM enrolment AS e JOIN section ON section.id = e.section \
             JOIN enrolment_status AS status ON status.id = e.status \
             WHERE e.person = x.id AND section.peer IS NOT x.peer AND e.removed_at IS NULL \
             AND status.meaning IN ('pending', 'active'))"
        }
        Kind::Sections => {
            "FROM section AS x WHERE x.peer = ?1 AND x.removed_at IS NULL AND ?5 IS NULL"
        }
        // Only those that the peer's own last word has going on: an administrator's word is not its own.
        Kind::Enrolments => {
            "FROM enrolment AS x JOIN section ON section.id = x.section \
             JOIN person ON person.id = x.person \
             WHERE x.peer = ?1 AND section.peer = ?1 AND x.removed_at IS NULL AND x.in_error_at IS NULL \
             AND section.removed_at IS NULL AND person.removed_at IS NULL \
             AND ifnull((SELECT status.meaning FROM enrolment_history AS h \
             JOIN enrolment_status AS status ON status.id = h.status WHERE h.enrolment = x.id \
             AND h.change = 'status' AND h.author_kind = 'peer' AND h.author_peer = ?1 \
             AND h.effective_at <= ?3 ORDER BY h.effective_at DESC, h.id DESC LIMIT 1), \
             (SELECT status.meaning FROM enrolment_history AS h \
             JOIN enrolment_status AS status ON status.id = h.status WHERE h.enrolment = x.id \
             AND h.change = 'status' AND h.author_kind = 'peer' AND h.author_peer = ?1 \
             ORDER BY h.id DESC LIMIT 1)) IN ('pending', 'active')"
        }
        Kind::Assessments => {
            "FROM assessment AS x JOIN section ON section.id = x.section \
             WHERE x.peer = ?1 AND x.removed_at IS NULL AND section.removed_at IS NULL"
        }
        Kind::Grades => {
            "FROM grade AS x JOIN assessment ON assessment.id = x.assessment \
             JOIN section ON section.id = assessment.section JOIN person ON person.id = x.person \
             WHERE x.peer = ?1 AND assessment.peer = ?1 AND x.removed_at IS NULL \
             AND x.in_error_at IS NULL AND assessment.removed_at IS NULL \
             AND section.removed_at IS NULL AND person.removed_at IS NULL"
        }
    }
}

/// That a run was not told of a row `x`, though of what it hangs on: a course that is gone takes its
/// enrolments and grades out of use with it, and they count once.
fn unlisted_condition(kind: Kind) -> &'static str {
    match kind {
        Kind::Users => {
            "NOT EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 1 AND row_id = x.id) \
             AND x.updated_at < ?4"
        }
        Kind::Sections => {
            "NOT EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 2 AND row_id = x.id) \
             AND x.updated_at < ?4"
        }
        Kind::Enrolments => {
            "NOT EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 3 AND row_id = x.id) \
             AND x.updated_at < ?4 AND (?5 NOTNULL OR \
             (EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 2 AND row_id = x.section) \
             AND EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 1 AND row_id = x.person)))"
        }
        Kind::Assessments => {
            "NOT EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 4 AND row_id = x.id) \
             AND x.updated_at < ?4 AND (?5 NOTNULL OR \
             EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 2 AND row_id = x.section))"
        }
        Kind::Grades => {
            "NOT EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 5 AND row_id = x.id) \
             AND x.updated_at < ?4 \
             AND EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 4 AND row_id = x.assessment) \
             AND (?5 NOTNULL OR \
             EXISTS (SELECT 1 FROM sync_seen WHERE run = ?2 AND kind = 1 AND row_id = x.person))"
        }
    }
}

fn key_from_row(kind: Kind, row: &Row<'_>) -> rusqlite::Result<Key> {
    let text = |column| {
        row.get::<_, Option<String>>(column)
            .map(Option::unwrap_or_default)
    };
    Ok(match kind {
        Kind::Users => Key::User {
            idnumber: row.get(1)?,
            username: row.get(2)?,
        },
        Kind::Sections => Key::Section(text(1)?),
        Kind::Enrolments => Key::Enrolment {
            sectionid: text(1)?,
            userid: text(2)?,
            role: text(3)?,
        },
        Kind::Assessments => Key::Assessment(text(1)?),
        Kind::Grades => Key::Grade {
            assessmentid: text(1)?,
            userid: text(2)?,
        },
    })
}

fn held_from_row(row: &Row<'_>) -> rusqlite::Result<Held> {
    Ok(Held {
        row: row.get(0)?,
        changed_at: row.get(1)?,
    })
}

fn run_from_row(row: &Row<'_>) -> rusqlite::Result<Run> {
    Ok(Run {
        id: row.get(0)?,
        peer: row.get(1)?,
        section: row.get(2)?,
        asked_by: row.get(3)?,
        state: row.get(4)?,
        phase: row.get(5)?,
        read: row.get(6)?,
        total: row.get(7)?,
        started_at: row.get(8)?,
        heartbeat_at: row.get(9)?,
        finished_at: row.get(10)?,
        report: row.get(11)?,
        error: row.get(12)?,
    })
}
