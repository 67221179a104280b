//! Takes out of use what a peer has no longer: what its whole list did not have, up to a limit.

use super::error::SyncError;
use super::items::{label, removal};
use super::report::{Became, Change, Kept, KeptBecause, ListReport};
use crate::clock::UnixTime;
use crate::register::{self, Author, RegisterError, Status};
use crate::store::syncs::{self, Kind, Scope, Unlisted};
use crate::store::{StoreError, WriteTx};
use crate::wwwroot::Wwwroot;

/// So many rows of a list may be gone whatever their share: a small school changes as well.
pub const FEW_ROWS: i64 = 5;

/// One in so many rows may be gone: more is a course year that ended, or a Moodle that was emptied, and
/// somebody is to look at it.
pub const ONE_IN: i64 = 10;

/// Rows removed in one transaction.
pub const REMOVED_AT_ONCE: u32 = 500;

/// Why `unlisted` of `held` rows are not to be removed by what a list said; `None`: they may be.
pub fn objection(
    list: &ListReport,
    total: Option<i64>,
    unlisted: i64,
    held: i64,
) -> Option<KeptBecause> {
    let read = i64::try_from(list.read).unwrap_or(i64::MAX);
    if read == 0 {
        return Some(KeptBecause::EmptyList);
    }
    if list.nameless > 0 {
        return Some(KeptBecause::RowsWithoutId);
    }
    // Rows that came or went while it was read make a small difference.
    if total.is_some_and(|total| read < total - few_of(total)) {
        return Some(KeptBecause::ListNotWhole);
    }
    (unlisted > few_of(held)).then_some(KeptBecause::OverTheLimit)
}

fn few_of(rows: i64) -> i64 {
    (rows / ONE_IN).max(FEW_ROWS)
}

/// That rows were kept.
pub fn kept(why: KeptBecause, rows: i64, of: i64) -> Kept {
    Kept { rows, of, why }
}

/// Rows to be removed together.
pub struct RemovalJob {
    /// What the run is about.
    pub scope: Scope,
    /// Its peer's name, for messages.
    pub wwwroot: Wwwroot,
    /// Of which list.
    pub kind: Kind,
    /// The rows.
    pub rows: Vec<Unlisted>,
    /// For the histories.
    pub note: String,
}

/// Removes them, or drops them where they are enrolments. One that changed meanwhile is passed over.
///
/// # Errors
/// When the database fails, or the run is no longer ours. Nothing is then changed.
pub fn remove(tx: &WriteTx<'_>, job: RemovalJob, now: UnixTime) -> Result<Vec<Change>, SyncError> {
    if !syncs::beat(tx, job.scope.run, now)? {
        return Err(SyncError::TakenOver(job.wwwroot));
    }
    let author = Author::Peer { id: job.scope.peer };
    let mut changes = Vec::with_capacity(job.rows.len());
    for unlisted in job.rows {
        let found = syncs::find(tx, job.scope.peer, &unlisted.key)?;
        let is_it = found
            .is_some_and(|held| held.row == unlisted.row && held.changed_at < job.scope.started_at);
        let id = label(&unlisted.key);
        let Some(call) = removal(unlisted.key, &job.note).filter(|_| is_it) else {
            continue;
        };
        let applied = tx.savepoint(|tx| register::apply_listed(tx, &author, &call, &job.note, now));
        let (change, reason) = match applied {
            Ok(reply) if reply.status == Status::Unchanged => continue,
            Ok(_) => (Became::Removed, None),
            Err(RegisterError::Store(error)) => return Err(StoreError::into(error)),
            Err(error) => (Became::Refused, Some(error.to_string())),
        };
        changes.push(Change {
            list: job.kind,
            id,
            change,
            reason,
        });
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::super::report::Report;
    use super::*;

    fn objection_to(
        read: u64,
        total: Option<i64>,
        unlisted: i64,
        held: i64,
    ) -> Option<KeptBecause> {
        let mut report = Report::default();
        report.list(Kind::Users).read = read;
        objection(&report.lists[0], total, unlisted, held)
    }

    #[test]
    fn a_tenth_may_go_and_five_rows_in_any_case() {
        assert_eq!(objection_to(90, None, 10, 100), None);
        let over = Some(KeptBecause::OverTheLimit);
        assert_eq!(objection_to(89, None, 11, 100), over);
        assert_eq!(objection_to(1, None, 5, 6), None);
        assert_eq!(objection_to(1, None, 6, 7), over);
    }

    #[test]
    fn a_list_that_is_empty_or_not_whole_removes_nothing() {
        assert_eq!(objection_to(0, Some(0), 1, 1), Some(KeptBecause::EmptyList));
        assert_eq!(
            objection_to(80, Some(100), 1, 100),
            Some(KeptBecause::ListNotWhole)
        );
        assert_eq!(objection_to(95, Some(100), 1, 100), None);
    }
}
