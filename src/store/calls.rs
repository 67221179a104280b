//! The log of calls, in and out, for the administrator's eyes.
//!
//! Rows are handed in by [`Store::note_call`], which waits for nothing: they are gathered in memory and
//! written with the next group of changes. Who gets no answer from the log loses nothing but the view:
//! under a load the disk cannot follow, rows are left out rather than calls held up.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Row, params};
use serde::Serialize;

use super::Store;
use super::error::StoreError;
use super::ids::{PeerId, words};
use super::page::MAX_PAGE;
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// Characters of a message that are kept: a fault with its advice takes some 400.
pub const MAX_MESSAGE: usize = 600;

/// Characters of a method's name that are kept: a stranger may send any text for one; Moodle's column
/// for the name (`mnet_rpc.xmlrpcpath`) holds 80.
pub const MAX_METHOD: usize = 80;

/// Characters of an origin that are kept: as long as a wwwroot may be.
pub const MAX_ORIGIN: usize = crate::wwwroot::MAX_LENGTH;

/// Rows that are kept, some 15 MB where few calls go wrong: weeks of a school's calls, and few enough to
/// be searched through in a tenth of a second.
pub const MAX_ROWS: i64 = 200_000;

/// After how many new rows the oldest are dropped, so that not each insertion looks for them.
const PRUNE_EVERY: i64 = 500;

/// How many rows are dropped at once: more than come in meanwhile, and a matter of milliseconds.
const PRUNE_BATCH: u32 = 1_000;

/// Calls that may wait in memory to be written: two seconds of a load that fills both processors.
pub const MAX_WAITING: usize = 4_096;

words! {
    /// Which way a call went.
    Direction {
        /// A peer, or somebody, called us.
        In = "in",
        /// We called a peer.
        Out = "out",
    }
}

/// A call to be noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCall {
    /// When it came to its end.
    pub at: UnixTime,
    /// Which way it went.
    pub direction: Direction,
    /// The peer; `None`: nobody we know.
    pub peer: Option<PeerId>,
    /// Who it said it was, where that is no peer; else the address it came from. `None` for calls out.
    pub origin: Option<String>,
    /// The method, or `unread`.
    pub method: String,
    /// The fault it ended with.
    pub fault_code: Option<i32>,
    /// What went wrong, in words.
    pub message: Option<String>,
    /// How often it was sent: 2 where a key had changed.
    pub attempts: u32,
    /// How long it took.
    pub microseconds: i64,
}

/// A row of `call_log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedCall {
    /// The row.
    pub id: i64,
    /// When it came to its end.
    pub at: UnixTime,
    /// Which way it went.
    pub direction: Direction,
    /// The peer; `None`: nobody we know.
    pub peer: Option<PeerId>,
    /// Who it said it was, where that is no peer; else the address it came from.
    pub origin: Option<String>,
    /// The method, or `unread`.
    pub method: String,
    /// The fault it ended with.
    pub fault_code: Option<i32>,
    /// What went wrong, in words, cut to [`MAX_MESSAGE`].
    pub message: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// How long it took.
    pub microseconds: i64,
}

/// Which calls to list.
#[derive(Clone, Debug, Default)]
pub struct CallFilter {
    /// Only those that went this way.
    pub direction: Option<Direction>,
    /// Only those with this peer.
    pub peer: Option<PeerId>,
    /// Only those that ended with a fault or without an answer.
    pub faults: bool,
    /// Only methods that begin so, such as `register/`.
    pub method_prefix: Option<String>,
    /// Only those with this text in the method, the message or the origin (ASCII case apart).
    pub text: Option<String>,
}

/// How many calls there were, and how many of them went wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallCounts {
    /// Calls in.
    pub calls_in: u32,
    /// Calls in that ended with a fault.
    pub faults_in: u32,
    /// Calls out.
    pub calls_out: u32,
    /// Calls out that ended with a fault or without an answer.
    pub faults_out: u32,
}

/// Calls that wait to be written.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queue: Mutex<Queue>,
    left_out: AtomicU64,
}

#[derive(Debug, Default)]
struct Queue {
    calls: Vec<NewCall>,
    /// Whether a job that writes them is on its way.
    is_on_its_way: bool,
}

impl Waiting {
    /// Takes a call in; whether a job has to be sent for it.
    fn add(&self, call: NewCall) -> bool {
        let mut queue = self.queue();
        if queue.calls.len() >= MAX_WAITING {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        } else {
            queue.calls.push(call);
        }
        !std::mem::replace(&mut queue.is_on_its_way, true)
    }

    fn take(&self) -> Vec<NewCall> {
        let mut queue = self.queue();
        queue.is_on_its_way = false;
        std::mem::take(&mut queue.calls)
    }

    /// The job could not be sent: the next call tries again.
    fn give_up(&self) {
        self.queue().is_on_its_way = false;
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Notes a call, half a second or so from now; waits for nothing. With [`MAX_WAITING`] of them
    /// waiting already, it is left out.
    pub fn note_call(&self, call: NewCall) {
        let waiting = &self.inner.calls;
        if !waiting.add(call) {
            return;
        }
        let job = {
            let waiting = Arc::clone(waiting);
            move |tx: &WriteTx<'_>| -> Result<(), StoreError> { write(tx, &waiting.take()) }
        };
        if !self.write_behind(job) {
            waiting.give_up();
        }
    }

    /// How many calls were left out of the log since the program started.
    #[must_use]
    pub fn calls_left_out(&self) -> u64 {
        self.inner.calls.left_out.load(Ordering::Relaxed)
    }
}

fn write(tx: &WriteTx<'_>, calls: &[NewCall]) -> Result<(), StoreError> {
    for call in calls {
        let id = insert(tx, call)?;
        if id % PRUNE_EVERY == 0 {
            prune(tx, MAX_ROWS, PRUNE_BATCH)?;
        }
    }
    Ok(())
}

/// Adds a call to the log; texts are cut to their bounds.
///
/// # Errors
/// When the database cannot be written.
pub fn insert(tx: &WriteTx<'_>, call: &NewCall) -> Result<i64, StoreError> {
    tx.insert(
        "INSERT INTO call_log (at, direction, peer, origin, method, fault_code, message, attempts, \
         microseconds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            call.at,
            call.direction,
            call.peer,
            call.origin.as_deref().map(|text| cut(text, MAX_ORIGIN)),
            cut(&call.method, MAX_METHOD),
            call.fault_code,
            call.message.as_deref().map(|text| cut(text, MAX_MESSAGE)),
            call.attempts,
            call.microseconds
        ],
    )
}

/// The first characters of a text, control characters as spaces: what strangers send is shown later.
fn cut(text: &str, most: usize) -> String {
    text.chars()
        .take(most)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

/// Drops the oldest rows beyond the `keep` latest, at most `batch` of them; how many those were.
///
/// # Errors
/// When the database cannot be written.
pub fn prune(tx: &WriteTx<'_>, keep: i64, batch: u32) -> Result<usize, StoreError> {
    // Numbers are given one after the other and only the oldest are dropped, so they count the rows.
    tx.execute(
        "DELETE FROM call_log WHERE id IN (SELECT id FROM call_log \
         WHERE id <= (SELECT max(id) FROM call_log) - ?1 ORDER BY id LIMIT ?2)",
        params![keep, batch],
    )
}

/// The `limit` latest calls before the row numbered `before` (`None`: the latest of all), the latest
/// first.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    tx: &ReadTx<'_>,
    filter: &CallFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<LoggedCall>, StoreError> {
    let mut sql = String::from(
        "SELECT id, at, direction, peer, origin, method, fault_code, message, attempts, microseconds \
         FROM call_log WHERE id < ?1",
    );
    // What is given is spelt as the indexes are, so that they are used.
    if filter.peer.is_some() {
        sql.push_str(" AND peer = ?2");
    }
    if filter.faults {
        sql.push_str(" AND (fault_code IS NOT NULL OR message IS NOT NULL)");
    }
    sql.push_str(
        " AND (?2 IS NULL OR ?2 = peer) AND (?3 IS NULL OR direction = ?3) \
         AND (?4 IS NULL OR substr(method, 1, length(?4)) = ?4) \
         AND (?5 IS NULL OR instr(lower(concat_ws(char(10), method, message, origin)), lower(?5)) > 0) \
         ORDER BY id DESC LIMIT ?6",
    );
    tx.all(
        &sql,
        params![
            before.unwrap_or(i64::MAX),
            filter.peer,
            filter.direction,
            filter.method_prefix,
            filter.text,
            limit.min(MAX_PAGE)
        ],
        from_row,
    )
}

/// How many calls there were since `since`, with one peer or with all and with nobody we know.
///
/// # Errors
/// When the database cannot be read.
pub fn counts(
    tx: &ReadTx<'_>,
    peer: Option<PeerId>,
    since: UnixTime,
) -> Result<CallCounts, StoreError> {
    let first = first_since(tx, since)?;
    let sql = if peer.is_some() {
        "SELECT direction, count(*), count(*) FILTER (WHERE fault_code IS NOT NULL \
         OR message IS NOT NULL) FROM call_log WHERE id >= ?1 AND peer = ?2 GROUP BY direction"
    } else {
        "SELECT direction, count(*), count(*) FILTER (WHERE fault_code IS NOT NULL \
         OR message IS NOT NULL) FROM call_log WHERE id >= ?1 AND ?2 IS NULL GROUP BY direction"
    };
    let rows: Vec<(Direction, u32, u32)> = tx.all(sql, params![first, peer], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?))
    })?;
    let mut counts = CallCounts::default();
    for (direction, calls, faults) in rows {
        match direction {
            Direction::In => (counts.calls_in, counts.faults_in) = (calls, faults),
            Direction::Out => (counts.calls_out, counts.faults_out) = (calls, faults),
        }
    }
    Ok(counts)
}

/// The number of the first row of that moment or later. Rows come in the order of time, so it is
/// found by halving rather than by an index that every insertion would pay for.
fn first_since(tx: &ReadTx<'_>, since: UnixTime) -> Result<i64, StoreError> {
    let ends: Option<(i64, i64)> = tx.one(
        "SELECT ifnull(min(id), 0), ifnull(max(id), 0) FROM call_log",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (mut low, last) = ends.unwrap_or_default();
    let mut high = last + 1;
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<UnixTime> = tx.one(
            "SELECT at FROM call_log WHERE id >= ?1 ORDER BY id LIMIT 1",
            [middle],
            |row| row.get(0),
        )?;
        if at.is_some_and(|at| at < since) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(low)
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<LoggedCall> {
    Ok(LoggedCall {
        id: row.get(0)?,
        at: row.get(1)?,
        direction: row.get(2)?,
        peer: row.get(3)?,
        origin: row.get(4)?,
        method: row.get(5)?,
        fault_code: row.get(6)?,
        message: row.get(7)?,
        attempts: row.get(8)?,
        microseconds: row.get(9)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn call(method: &str) -> NewCall {
        NewCall {
            at: NOW,
            direction: Direction::In,
            peer: None,
            origin: Some("192.0.2.7".to_owned()),
            method: method.to_owned(),
            fault_code: None,
            message: None,
            attempts: 1,
            microseconds: 900,
        }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("mnetd.db")).unwrap();
        (directory, store)
    }

    fn add(store: &Store, calls: Vec<NewCall>) {
        store.write_blocking(move |tx| write(tx, &calls)).unwrap();
    }

    fn listed(store: &Store, filter: &CallFilter) -> Vec<LoggedCall> {
        store
            .read_blocking(|tx| list(tx, filter, None, MAX_PAGE))
            .unwrap()
    }

    fn methods(store: &Store, filter: &CallFilter) -> Vec<String> {
        listed(store, filter)
            .into_iter()
            .map(|row| row.method)
            .collect()
    }

    #[test]
    fn texts_are_cut_and_made_harmless() {
        let (_directory, store) = store();
        let long = "é\u{1b}".repeat(1_000);
        add(
            &store,
            vec![NewCall {
                origin: Some(long.clone()),
                message: Some(long.clone()),
                ..call(&long)
            }],
        );
        let row = listed(&store, &CallFilter::default()).remove(0);
        assert_eq!(row.method.chars().count(), MAX_METHOD);
        assert_eq!(row.message.unwrap().chars().count(), MAX_MESSAGE);
        let origin = row.origin.unwrap();
        assert_eq!(origin.chars().count(), MAX_ORIGIN);
        assert!(!origin.contains('\u{1b}'));
    }

    #[test]
    fn every_filter_leaves_what_it_names() {
        let (_directory, store) = store();
        let faulty = NewCall {
            fault_code: Some(8004),
            message: Some("unknown section: S1".to_owned()),
            ..call("register/new_enrolment")
        };
        let unanswered = NewCall {
            direction: Direction::Out,
            message: Some("no answer".to_owned()),
            ..call("system/listServices")
        };
        add(&store, vec![call("register/new_grade"), faulty, unanswered]);
        let named = |filter: CallFilter| methods(&store, &filter);
        assert_eq!(
            named(CallFilter::default()),
            [
                "system/listServices",
                "register/new_enrolment",
                "register/new_grade"
            ]
        );
        assert_eq!(
            named(CallFilter {
                faults: true,
                direction: Some(Direction::In),
                ..CallFilter::default()
            }),
            ["register/new_enrolment"]
        );
        assert_eq!(
            named(CallFilter {
                method_prefix: Some("register/".to_owned()),
                ..CallFilter::default()
            }),
            ["register/new_enrolment", "register/new_grade"]
        );
        assert_eq!(
            named(CallFilter {
                text: Some("SECTION: s1".to_owned()),
                ..CallFilter::default()
            }),
            ["register/new_enrolment"]
        );
        assert!(
            named(CallFilter {
                peer: Some(PeerId(7)),
                ..CallFilter::default()
            })
            .is_empty()
        );
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let (_directory, store) = store();
        add(&store, (0..7).map(|n| call(&n.to_string())).collect());
        let mut before = None;
        let mut seen = Vec::new();
        loop {
            let page = store
                .read_blocking(|tx| list(tx, &CallFilter::default(), before, 3))
                .unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            seen.extend(page.into_iter().map(|row| row.method));
        }
        assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"]);
    }

    #[test]
    fn the_last_day_is_counted_to_the_second() {
        let (_directory, store) = store();
        let since = NOW.plus(-86_400);
        let at = |at| NewCall { at, ..call("x") };
        add(
            &store,
            vec![
                at(since.plus(-1)),
                at(since),
                NewCall {
                    fault_code: Some(707),
                    ..at(NOW)
                },
                NewCall {
                    direction: Direction::Out,
                    message: Some("no answer".to_owned()),
                    ..at(NOW)
                },
            ],
        );
        let counted = |since| store.read_blocking(|tx| counts(tx, None, since)).unwrap();
        assert_eq!(
            counted(since),
            CallCounts {
                calls_in: 2,
                faults_in: 1,
                calls_out: 1,
                faults_out: 1
            }
        );
        assert_eq!(counted(NOW.plus(1)), CallCounts::default());
        assert_eq!(counted(UnixTime(0)).calls_in, 3);
    }

    #[test]
    fn the_oldest_are_dropped_a_batch_at_a_time() {
        let (_directory, store) = store();
        add(&store, (0..10).map(|n| call(&n.to_string())).collect());
        let prune = |batch| store.write_blocking(move |tx| prune(tx, 4, batch)).unwrap();
        assert_eq!(prune(5), 5);
        assert_eq!(prune(5), 1);
        assert_eq!(prune(5), 0);
        assert_eq!(
            methods(&store, &CallFilter::default()),
            ["9", "8", "7", "6"]
        );
    }

    #[test]
    fn more_rows_come_and_go_than_are_kept() {
        let (_directory, store) = store();
        // As if the log had been full before.
        let full = |tx: &WriteTx<'_>| -> Result<(), StoreError> {
            tx.execute(
                "INSERT INTO call_log (id, at, direction, method, microseconds) \
                 VALUES (1, 0, 'in', 'first', 0), (?1, 0, 'in', 'last', 0)",
                [MAX_ROWS],
            )?;
            Ok(())
        };
        store.write_blocking(full).unwrap();
        let few = usize::try_from(PRUNE_EVERY).unwrap();
        add(&store, vec![call("new"); few]);
        let rest = methods(&store, &CallFilter::default());
        assert_eq!(rest.len(), few + 1);
        assert!(!rest.contains(&"first".to_owned()));
    }

    #[test]
    fn a_call_is_left_out_rather_than_waited_for() {
        let (_directory, store) = store();
        // The writer is busy until the gate opens.
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let (busy, is_busy) = std::sync::mpsc::channel::<()>();
        let writer = {
            let store = store.clone();
            std::thread::spawn(move || {
                store.write_blocking(move |_| -> Result<(), StoreError> {
                    busy.send(()).unwrap();
                    gate.recv().unwrap();
                    Ok(())
                })
            })
        };
        is_busy.recv().unwrap();
        for _ in 0..MAX_WAITING + 3 {
            store.note_call(call("x"));
        }
        assert_eq!(store.calls_left_out(), 3);
        open.send(()).unwrap();
        writer.join().unwrap().unwrap();
        store
            .write_blocking(|_| -> Result<(), StoreError> { Ok(()) })
            .unwrap();
        let counted = store
            .read_blocking(|tx| counts(tx, None, UnixTime(0)))
            .unwrap();
        assert_eq!(usize::try_from(counted.calls_in).unwrap(), MAX_WAITING);
    }
}
