//! Synchronisation: a peer is asked for everything it has, and its rows in the register are made to agree
//! (docs/synchronising.md).
//!
//! Calls that a peer sends arrive one by one and may be lost: a queue was emptied, a backup restored, a
//! plugin switched off for a week. A synchronisation finds what they left. Its order:
//!
//! 1. A row in `sync_run` is claimed: one at a time for each peer, across processes.
//! 2. `lists`: each list is read page by page, users first, for what follows refers to them.
//! 3. `items`, `apply`: each page is one transaction, each row the call that would create it. Every row
//!    that is listed is marked.
//! 4. `gone`: once every list was read to its end, what is not marked is removed, up to a limit.
//!
//! What a peer said by a call after a page was asked for is newer than the page, and stays.

mod apply;
mod error;
mod gone;
mod items;
mod lists;
mod rehearsal;
mod report;
pub mod schedule;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tracing::{info, warn};

pub use error::SyncError;
pub use gone::{FEW_ROWS, ONE_IN};
pub use lists::{MAX_CURSOR, MAX_PAGES, PAGE_ROWS};
pub use rehearsal::rehearse;
pub use report::{Became, Change, Kept, KeptBecause, ListReport, REFUSALS_TOLD, Report};

use crate::clock::{Clock, UnixTime};
use crate::peer::{Client, Peer};
use crate::register::{Call, FetchUser, UserKey};
use crate::store::syncs::{self, Kind, RunState, Scope, Unlisted};
use crate::store::{ReadTx, Store, StoreError, SyncRunId, sections};
use crate::xmlrpc::{Struct, Value};

use apply::{Outcome, PageJob};
use gone::RemovalJob;
use items::Item;
use lists::List;

/// How often a run says that it lives, in seconds.
pub const HEARTBEAT: u64 = 30;

/// After so many seconds without a word a run is taken for dead: six heartbeats, for a transaction of
/// another process may keep some of them waiting.
pub const DEAD_AFTER: i64 = 180;

/// Users that are asked for one by one in a run: those made while it was under way, and in the run of a
/// single section those who are new. More come with the next whole one.
const MAX_QUESTIONS: usize = 200;

/// Marks dropped in one transaction once a run has ended.
const CLEARED_AT_ONCE: u32 = 20_000;

/// The lists of a run of one section.
const OF_SECTION: [Kind; 3] = [Kind::Enrolments, Kind::Assessments, Kind::Grades];

/// Synchronises peers. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Synchroniser {
    store: Store,
    client: Client,
    clock: Clock,
    /// Set when everything is to stop.
    stop: Arc<watch::Sender<bool>>,
    /// How many runs are under way.
    running: Arc<watch::Sender<usize>>,
}

/// What is to be done.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// The peer's id of the only section it is about; `None`: everything.
    pub section: Option<String>,
    /// Whether what is gone is removed however much it is.
    pub force: bool,
    /// Who wants it, for those who look at it later.
    pub asked_by: String,
    /// How many changes of a sort are told of each list; what is refused is told in any case.
    pub told: usize,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What it is at.
    pub phase: &'a str,
    /// Rows of the present list that were read.
    pub read: i64,
    /// How many there are, where the peer said so.
    pub total: Option<i64>,
}

/// A run that was begun, to be carried out.
#[derive(Debug)]
pub struct Claim {
    peer: Peer,
    order: Order,
    run: SyncRunId,
    started_at: UnixTime,
}

/// Who is told how far a run is.
pub type Watch<'a> = &'a (dyn Fn(Progress<'_>) + Send + Sync);

impl Synchroniser {
    /// One that works on `store`.
    #[must_use]
    pub fn new(store: Store, client: Client, clock: Clock) -> Self {
        Self {
            store,
            client,
            clock,
            stop: Arc::new(watch::Sender::new(false)),
            running: Arc::new(watch::Sender::new(0)),
        }
    }

    /// Makes every run of this synchroniser stop, those that begin later too; each is noted as interrupted.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Ends when no run of this synchroniser is under way.
    pub async fn ended(&self) {
        // The sender is here, so it does not fail.
        let _ = self
            .running
            .subscribe()
            .wait_for(|running| *running == 0)
            .await;
    }

    /// Begins a run and carries it out.
    ///
    /// # Errors
    /// As [`SyncError`] says. What was applied until then stays, and nothing was removed.
    pub async fn run(
        &self,
        peer: &Peer,
        order: Order,
        watch: Watch<'_>,
    ) -> Result<Report, SyncError> {
        let claim = self.claim(peer, order).await?;
        self.carry_out(&claim, watch).await
    }

    /// Begins a run, for [`Synchroniser::carry_out`].
    ///
    /// # Errors
    /// [`SyncError::Running`], or when the database fails.
    pub async fn claim(&self, peer: &Peer, order: Order) -> Result<Claim, SyncError> {
        let started_at = self.clock.now();
        let (id, section, asked_by) = (peer.id, order.section.clone(), order.asked_by.clone());
        let begun = self.store.write(move |tx| {
            let silent_since = started_at.plus(-DEAD_AFTER);
            syncs::begin(
                tx,
                id,
                section.as_deref(),
                &asked_by,
                silent_since,
                started_at,
            )
        });
        match begun.await? {
            Ok(run) => Ok(Claim {
                peer: peer.clone(),
                order,
                run,
                started_at,
            }),
            Err(run) => Err(SyncError::running(peer, run)),
        }
    }

    /// Carries out a run to its end, and notes how it ended.
    ///
    /// # Errors
    /// As [`Synchroniser::run`].
    pub async fn carry_out(&self, claim: &Claim, watch: Watch<'_>) -> Result<Report, SyncError> {
        let began = Instant::now();
        let _running = Running::one_more(&self.running);
        let mut stopped = self.stop.subscribe();
        let mut work = Work {
            site: self,
            claim,
            watch,
            report: Report::default(),
            totals: Vec::new(),
            questions: MAX_QUESTIONS,
        };
        let outcome = tokio::select! {
            outcome = work.all() => outcome,
            _ = stopped.wait_for(|stopped| *stopped) => {
                Err(SyncError::Stopped(claim.peer.wwwroot.clone()))
            }
            error = self.keep_alive(claim) => Err(error),
        };
        let mut report = work.report;
        report.seconds = began.elapsed().as_secs_f64();
        self.note_end(claim, &report, outcome.as_ref().err())
            .await?;
        outcome.map(|()| report)
    }

    /// Says again and again that the run lives; ends only where it cannot.
    async fn keep_alive(&self, claim: &Claim) -> SyncError {
        let mut beats = tokio::time::interval(Duration::from_secs(HEARTBEAT));
        beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beats.tick().await;
            let (run, now) = (claim.run, self.clock.now());
            match self.store.write(move |tx| syncs::beat(tx, run, now)).await {
                Ok(true) => {}
                Ok(false) => return SyncError::TakenOver(claim.peer.wwwroot.clone()),
                // The work itself will meet it, if it lasts.
                Err(error) => warn!(%error, "a synchronisation could not note that it lives"),
            }
        }
    }

    async fn note_end(
        &self,
        claim: &Claim,
        report: &Report,
        error: Option<&SyncError>,
    ) -> Result<(), StoreError> {
        let peer = &claim.peer.wwwroot;
        let state = match error {
            None => RunState::Done,
            Some(SyncError::Stopped(_) | SyncError::TakenOver(_)) => RunState::Interrupted,
            Some(_) => RunState::Failed,
        };
        match error {
            None => info!(%peer, seconds = report.seconds, "synchronised: {}", report.in_words()),
            Some(error) => warn!(%peer, %error, "a synchronisation came to no end"),
        }
        let (run, now) = (claim.run, self.clock.now());
        let (report, error) = (report.to_json(), error.map(ToString::to_string));
        self.store
            .write(move |tx| syncs::finish(tx, run, state, Some(&report), error.as_deref(), now))
            .await?;
        if state == RunState::Interrupted {
            // There is no time for it; the next run does it.
            return Ok(());
        }
        self.clear_up(claim).await
    }

    /// Drops the marks of runs of this peer that have ended.
    async fn clear_up(&self, claim: &Claim) -> Result<(), StoreError> {
        let id = claim.peer.id;
        loop {
            let clearing = self
                .store
                .write(move |tx| syncs::clear_up(tx, id, CLEARED_AT_ONCE));
            if clearing.await? < CLEARED_AT_ONCE as usize {
                return Ok(());
            }
        }
    }
}

/// Counts a run as under way until it is dropped.
struct Running<'a>(&'a watch::Sender<usize>);

impl<'a> Running<'a> {
    fn one_more(count: &'a watch::Sender<usize>) -> Self {
        count.send_modify(|running| *running += 1);
        Self(count)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|running| *running -= 1);
    }
}

/// A run under way.
struct Work<'a> {
    site: &'a Synchroniser,
    claim: &'a Claim,
    watch: Watch<'a>,
    report: Report,
    /// How many rows the peer said each list has.
    totals: Vec<(Kind, Option<i64>)>,
    /// Users that may still be asked for.
    questions: usize,
}

impl Work<'_> {
    async fn all(&mut self) -> Result<(), SyncError> {
        let kinds: &[Kind] = match &self.claim.order.section {
            None => Kind::ALL,
            Some(section) => {
                self.check_section(section).await?;
                &OF_SECTION
            }
        };
        let peer = &self.claim.peer;
        let paths = lists::paths(&self.site.client, peer, kinds).await?;
        for (kind, path) in kinds.iter().zip(paths) {
            self.read_list(*kind, path).await?;
        }
        // Backwards: what hangs on something goes before it.
        for kind in kinds.iter().rev() {
            self.remove_unlisted(*kind).await?;
        }
        Ok(())
    }

    async fn check_section(&self, section: &str) -> Result<(), SyncError> {
        let (peer, id) = (self.claim.peer.id, section.to_owned());
        let found = self
            .site
            .store
            .read(move |tx| sections::by_idnumber(tx, Some(peer), &id))
            .await?;
        match found {
            Some(found) if found.removed_at.is_none() => Ok(()),
            _ => Err(SyncError::UnknownSection {
                peer: self.claim.peer.wwwroot.clone(),
                section: section.to_owned(),
            }),
        }
    }

    async fn read_list(&mut self, kind: Kind, path: String) -> Result<(), SyncError> {
        let site = self.site;
        let section = self.claim.order.section.as_deref();
        let mut list = List::new(
            &site.client,
            &site.clock,
            &self.claim.peer,
            kind,
            path,
            section,
        );
        self.report.list(kind);
        self.tell_progress(kind, None);
        while let Some(page) = list.next().await? {
            let read = u64::try_from(page.items.len()).unwrap_or(u64::MAX);
            self.report.list(kind).read += read;
            let raw = page.items;
            let reading = tokio::task::spawn_blocking(move || -> Vec<Item> {
                raw.iter().map(|value| Item::read(kind, value)).collect()
            });
            let items = reading.await.map_err(|_| StoreError::Panicked)?;
            self.apply(kind, items, page.asked_at, list.total).await?;
            self.tell_progress(kind, list.total);
        }
        self.totals.push((kind, list.total));
        Ok(())
    }

    /// Applies rows; those that name users who are not there once more, when these were asked for.
    async fn apply(
        &mut self,
        kind: Kind,
        items: Vec<Item>,
        asked_at: UnixTime,
        total: Option<i64>,
    ) -> Result<(), SyncError> {
        let may_ask = kind != Kind::Users && self.questions > 0;
        let outcome = self.write(kind, items, asked_at, total, may_ask).await?;
        if outcome.incomplete.is_empty() {
            return Ok(());
        }
        let asked_users_at = self.site.clock.now();
        let users = self.ask_for_users(outcome.wanted_users).await?;
        if !users.is_empty() {
            self.report.list(Kind::Users).read += u64::try_from(users.len()).unwrap_or(u64::MAX);
            self.write(Kind::Users, users, asked_users_at, None, false)
                .await?;
        }
        self.write(kind, outcome.incomplete, asked_at, total, false)
            .await?;
        Ok(())
    }

    async fn write(
        &mut self,
        kind: Kind,
        items: Vec<Item>,
        asked_at: UnixTime,
        total: Option<i64>,
        ask_for_users: bool,
    ) -> Result<Outcome, SyncError> {
        let read = i64::try_from(self.report.list(kind).read).unwrap_or(i64::MAX);
        let job = PageJob {
            peer: self.claim.peer.id,
            wwwroot: self.claim.peer.wwwroot.clone(),
            run: self.claim.run,
            kind,
            items,
            asked_at,
            note: format!("from the synchronisation of {}", self.day()),
            ask_for_users,
            tell_all: self.claim.order.told > 0,
            phase: phase_of_reading(kind),
            read,
            total,
            report: self.report.to_json(),
        };
        let now = self.site.clock.now();
        let mut outcome = self
            .site
            .store
            .write(move |tx| apply::page(tx, job, now))
            .await?;
        let list = self.report.list(kind);
        list.unchanged += outcome.unchanged;
        list.nameless += outcome.nameless;
        for became in &outcome.became {
            list.count(*became);
        }
        let changes = std::mem::take(&mut outcome.changes);
        self.report.tell(changes, self.claim.order.told);
        Ok(outcome)
    }

    /// The users of those ids, as far as the peer knows them and tells.
    async fn ask_for_users(
        &mut self,
        wanted: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Item>, SyncError> {
        let (client, peer) = (&self.site.client, &self.claim.peer);
        let found = client.find_function(peer, "get_user").await;
        let Some(path) = found.map_err(SyncError::from_call)? else {
            return Ok(Vec::new());
        };
        let mut users = Vec::new();
        for idnumber in wanted {
            if self.questions == 0 {
                break;
            }
            self.questions -= 1;
            let question = Struct::new().with("idnumber", idnumber.as_str());
            let answer = client.call(peer, &path, vec![question.into()]).await;
            let answer = answer.map_err(SyncError::from_call)?;
            users.extend(user(idnumber, &answer));
        }
        Ok(users)
    }

    /// Removes what the peer has no longer, or notes why not.
    async fn remove_unlisted(&mut self, kind: Kind) -> Result<(), SyncError> {
        let store = &self.site.store;
        let (scope, now) = (self.scope(), self.site.clock.now());
        let counting = scope.clone();
        let (unlisted, held) = store
            .read(move |tx: &ReadTx<'_>| -> Result<_, StoreError> {
                let unlisted = syncs::count_unlisted(tx, &counting, kind, now)?;
                Ok((unlisted, syncs::count_held(tx, &counting, kind, now)?))
            })
            .await?;
        if unlisted == 0 {
            return Ok(());
        }
        let total = self.totals.iter().find(|(listed, _)| *listed == kind);
        let total = total.and_then(|(_, total)| *total);
        let objection = gone::objection(self.report.list(kind), total, unlisted, held);
        if let Some(why) = objection.filter(|_| !self.claim.order.force) {
            self.report.list(kind).kept = Some(gone::kept(why, unlisted, held));
            return Ok(());
        }
        (self.watch)(Progress {
            phase: &format!("removing {kind}"),
            read: 0,
            total: Some(unlisted),
        });
        let mut after = 0;
        loop {
            let reading = scope.clone();
            let rows: Vec<Unlisted> = store
                .read(move |tx| {
                    syncs::unlisted(tx, &reading, kind, after, gone::REMOVED_AT_ONCE, now)
                })
                .await?;
            let Some(last) = rows.last().map(|row| row.row) else {
                return Ok(());
            };
            after = last;
            let job = RemovalJob {
                scope: scope.clone(),
                wwwroot: self.claim.peer.wwwroot.clone(),
                kind,
                rows,
                note: format!("no longer there in the synchronisation of {}", self.day()),
            };
            let at = self.site.clock.now();
            let changes = store.write(move |tx| gone::remove(tx, job, at)).await?;
            let list = self.report.list(kind);
            for change in &changes {
                list.count(change.change);
            }
            self.report.tell(changes, self.claim.order.told);
        }
    }

    fn scope(&self) -> Scope {
        Scope {
            run: self.claim.run,
            peer: self.claim.peer.id,
            section: self.claim.order.section.clone(),
            started_at: self.claim.started_at,
        }
    }

    fn tell_progress(&self, kind: Kind, total: Option<i64>) {
        let list = self.report.lists.iter().find(|list| list.list == kind);
        let read = list.map_or(0, |list| list.read);
        (self.watch)(Progress {
            phase: &phase_of_reading(kind),
            read: i64::try_from(read).unwrap_or(i64::MAX),
            total,
        });
    }

    /// The day of the run, for notes.
    fn day(&self) -> String {
        let moment = self.claim.started_at.to_string();
        let day = moment.split('T').next().unwrap_or_default();
        day.to_owned()
    }
}

fn phase_of_reading(kind: Kind) -> String {
    format!("reading {kind}")
}

/// The user that was asked for; `None`: the peer knows no such user, or answered about another.
fn user(idnumber: String, answer: &Value) -> Option<Item> {
    if answer.to_list().is_some_and(|items| items.is_empty()) {
        return None;
    }
    let key = UserKey::Id {
        idnumber,
        username: None,
    };
    let record = key.answer(answer).ok()?;
    Some(Item {
        key: Some(syncs::Key::User {
            idnumber: record.idnumber.clone(),
            username: Some(record.username.clone()),
        }),
        call: Ok(Call::FetchUser(FetchUser::Complete(record))),
    })
}
