//! Applies a page of a list, in one transaction, through the register's own rules.

use std::collections::BTreeSet;

use super::error::SyncError;
use super::items::Item;
use super::report::{Became, Change};
use crate::clock::UnixTime;
use crate::register::{self, Author, Call, RegisterError, Reply, Status};
use crate::store::syncs::{self, Held, Kind, Progress};
use crate::store::{PeerId, StoreError, SyncRunId, WriteTx};
use crate::wwwroot::Wwwroot;

/// A page to be applied.
pub struct PageJob {
    /// Whose.
    pub peer: PeerId,
    /// Its name, for messages.
    pub wwwroot: Wwwroot,
    /// For which run.
    pub run: SyncRunId,
    /// Of which list.
    pub kind: Kind,
    /// Its rows.
    pub items: Vec<Item>,
    /// When it was asked for.
    pub asked_at: UnixTime,
    /// For the histories.
    pub note: String,
    /// Whether rows that name users who are not there are given back, so that these can be asked for.
    pub ask_for_users: bool,
    /// Whether every change is told, or only what is refused.
    pub tell_all: bool,
    /// What the run stands at once this page is done.
    pub phase: String,
    /// Rows of the list read so far, this page included.
    pub read: i64,
    /// How many there are.
    pub total: Option<i64>,
    /// The report up to this page.
    pub report: String,
}

/// What came of a page.
#[derive(Default)]
pub struct Outcome {
    /// What became of each row that did not stand so already.
    pub became: Vec<Became>,
    /// Rows that stood so already.
    pub unchanged: u64,
    /// Rows without a readable id.
    pub nameless: u64,
    /// Changes in words.
    pub changes: Vec<Change>,
    /// Rows that name users who are not there.
    pub incomplete: Vec<Item>,
    /// Those users.
    pub wanted_users: BTreeSet<String>,
}

/// What became of one row.
enum Ending {
    Done(Reply),
    /// It changed here after the page was asked for.
    Stale,
    Refused(RegisterError),
}

/// Applies a page. A row that is refused keeps no other from being applied.
///
/// # Errors
/// When the database fails, or the run is no longer ours. Nothing of the page is then kept.
pub fn page(tx: &WriteTx<'_>, job: PageJob, now: UnixTime) -> Result<Outcome, SyncError> {
    let progress = Progress {
        phase: &job.phase,
        read: job.read,
        total: job.total,
        report: &job.report,
    };
    if !syncs::note_progress(tx, job.run, &progress, now)? {
        return Err(SyncError::TakenOver(job.wwwroot));
    }
    let mut outcome = Outcome::default();
    let PageJob { items, .. } = job;
    let frame = Frame {
        author: Author::Peer { id: job.peer },
        peer: job.peer,
        run: job.run,
        kind: job.kind,
        asked_at: job.asked_at,
        note: &job.note,
        now,
    };
    for item in items {
        let ending = frame.item(tx, &item)?;
        let wanted = match &ending {
            Ending::Refused(error) if job.ask_for_users => error.wanted_user().map(str::to_owned),
            _ => None,
        };
        if let Some(userid) = wanted {
            outcome.wanted_users.insert(userid);
            outcome.incomplete.push(item);
            continue;
        }
        if item.key.is_none() {
            outcome.nameless += 1;
        }
        let (became, reason) = match ending {
            Ending::Done(Reply {
                status: Status::Unchanged,
                ..
            }) => {
                outcome.unchanged += 1;
                continue;
            }
            Ending::Done(Reply {
                status: Status::Created,
                ..
            }) => (Became::Created, None),
            Ending::Done(_) => (Became::Updated, None),
            Ending::Stale => (Became::LeftAlone, None),
            Ending::Refused(error) => (Became::Refused, Some(error.to_string())),
        };
        outcome.became.push(became);
        if job.tell_all || became == Became::Refused {
            outcome.changes.push(Change {
                list: job.kind,
                id: item.label(),
                change: became,
                reason,
            });
        }
    }
    Ok(outcome)
}

/// What the rows of a page have in common.
struct Frame<'a> {
    author: Author,
    peer: PeerId,
    run: SyncRunId,
    kind: Kind,
    asked_at: UnixTime,
    note: &'a str,
    now: UnixTime,
}

impl Frame<'_> {
    fn item(&self, tx: &WriteTx<'_>, item: &Item) -> Result<Ending, StoreError> {
        let ending = match &item.call {
            Ok(call) => self.apply(tx, call, item)?,
            Err(error) => Ending::Refused(error.clone()),
        };
        let row = match &ending {
            Ending::Done(reply) => Some(reply.id),
            // It is listed, whatever is wrong with it.
            Ending::Stale | Ending::Refused(_) => self.find(tx, item)?.map(|held| held.row),
        };
        if let Some(row) = row {
            syncs::mark_seen(tx, self.run, self.kind, row)?;
        }
        Ok(ending)
    }

    fn find(&self, tx: &WriteTx<'_>, item: &Item) -> Result<Option<Held>, StoreError> {
        match &item.key {
            Some(key) => syncs::find(tx, self.peer, key),
            None => Ok(None),
        }
    }

    /// The page tells how it stood when it was asked for, at the latest. A row that changed since, by a
    /// call of the peer's or by hand, knows better; unless they agree. Most rows stand so already: only
    /// for the others it is looked when they last changed.
    fn apply(&self, tx: &WriteTx<'_>, call: &Call, item: &Item) -> Result<Ending, StoreError> {
        let tried = tx.savepoint(|tx| match self.do_it(tx, call)? {
            reply if reply.status == Status::Updated => Err(Undone::MayBeStale),
            reply => Ok(reply),
        });
        let done = match tried {
            Err(Undone::MayBeStale) => {
                let held = self.find(tx, item)?;
                if held.is_some_and(|held| held.changed_at >= self.asked_at) {
                    return Ok(Ending::Stale);
                }
                tx.savepoint(|tx| self.do_it(tx, call))
            }
            tried => tried,
        };
        match done {
            Ok(reply) => Ok(Ending::Done(reply)),
            Err(Undone::MayBeStale) => Ok(Ending::Stale),
            Err(Undone::Refused(RegisterError::Store(error))) => Err(error),
            Err(Undone::Refused(error)) => Ok(Ending::Refused(error)),
        }
    }

    fn do_it(&self, tx: &WriteTx<'_>, call: &Call) -> Result<Reply, Undone> {
        register::apply_listed(tx, &self.author, call, self.note, self.now).map_err(Undone::Refused)
    }
}

/// Why what was begun for a row is undone.
enum Undone {
    MayBeStale,
    Refused(RegisterError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}
