//! Synchronisation on a peer's page: what the last one did, and the button that starts one.

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::post;
use serde::Deserialize;

use super::peer::{back, change, find};
use crate::peer::Peer;
use crate::store::syncs::{self, Run, RunState};
use crate::sync::{Became, DEAD_AFTER, Order, Report, SyncError};
use crate::web::extract::Path;
use crate::web::page;
use crate::web::show::moment;
use crate::web::{Administrator, Console, Submitted, WebError};

/// Refused rows that are shown: what they have in common shows in the first.
const REFUSED_SHOWN: usize = 10;

pub fn routes() -> Router<Console> {
    Router::new().route("/peers/{id}/synchronise", post(start))
}

/// What a peer's page says of synchronisation.
pub struct SyncShown {
    /// Whether we may ask the peer for its lists at all.
    pub may_ask: bool,
    /// The last run.
    pub last: Option<LastSync>,
}

/// The last run of a peer.
pub struct LastSync {
    /// When it began.
    pub began: String,
    /// By whom, and whether it is about one section.
    pub about: String,
    /// How far it is, where it is under way.
    pub progress: Option<String>,
    /// Why it came to no end.
    pub failure: Option<String>,
    /// Whether it went well and left nothing to do.
    pub went_well: bool,
    /// What it did.
    pub lists: Vec<ListRow>,
    /// What was gone at the peer, and kept.
    pub kept: Vec<String>,
    /// The first rows that were refused, with the reason.
    pub refused: Vec<(String, String)>,
}

/// What it did with one list.
pub struct ListRow {
    /// Its name.
    pub name: &'static str,
    /// Rows read, created, updated, unchanged, left alone, removed, refused.
    pub counts: [u64; 7],
}

/// Reads it.
pub async fn shown(console: &Console, peer: &Peer) -> Result<SyncShown, WebError> {
    let id = peer.id;
    let runs = console
        .store()
        .read(move |tx| syncs::latest(tx, id, 1))
        .await?;
    let now = console.clock().now();
    let last = runs.into_iter().next().map(|run| {
        let is_silent = now.since(run.heartbeat_at) >= DEAD_AFTER;
        LastSync::of(&run, is_silent)
    });
    Ok(SyncShown {
        may_ask: peer.we_may_call("register"),
        last,
    })
}

impl SyncShown {
    /// Whether one is under way.
    pub fn is_running(&self) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|last| last.progress.is_some())
    }

    /// Whether the last one kept rows that are gone at the peer.
    pub fn has_kept(&self) -> bool {
        let last = self.last.as_ref();
        last.is_some_and(|last| !last.kept.is_empty())
    }
}

impl LastSync {
    fn of(run: &Run, is_silent: bool) -> Self {
        let report = Report::from_json(&run.report);
        let is_running = run.state == RunState::Running && !is_silent;
        let section = match &run.section {
            Some(section) => format!("; only section {section}"),
            None => String::new(),
        };
        Self {
            began: moment(&run.started_at),
            about: format!("asked for by {}{section}", run.asked_by),
            progress: is_running.then(|| progress(run)),
            failure: failure(run, is_running),
            went_well: run.state == RunState::Done && report.is_whole(),
            lists: report
                .lists
                .iter()
                .map(|list| ListRow {
                    name: list.list.as_str(),
                    counts: [
                        list.read,
                        list.created,
                        list.updated,
                        list.unchanged,
                        list.left_alone,
                        list.removed,
                        list.refused,
                    ],
                })
                .collect(),
            kept: report
                .lists
                .iter()
                .filter_map(|list| Some(list.kept.as_ref()?.reason(list.list)))
                .collect(),
            refused: report
                .changes
                .into_iter()
                .filter(|change| change.change == Became::Refused)
                .take(REFUSED_SHOWN)
                .map(|change| {
                    let row = format!("{}: {}", change.list, change.id);
                    (row, change.reason.unwrap_or_default())
                })
                .collect(),
        }
    }
}

fn progress(run: &Run) -> String {
    match run.total {
        Some(total) if total > 0 => format!("{}: {} of {total} rows", run.phase, run.read),
        _ => format!("{}: {} rows", run.phase, run.read),
    }
}

fn failure(run: &Run, is_running: bool) -> Option<String> {
    match run.state {
        RunState::Done => None,
        RunState::Running if is_running => None,
        _ => Some(run.error.clone().unwrap_or_else(|| {
            "the process that did it ended before it was done; what was read until then is in the register".to_owned()
        })),
    }
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    force: String,
}

async fn start(
    State(console): State<Console>,
    Path(id): Path<String>,
    administrator: Administrator,
    Submitted(wanted): Submitted<Wanted>,
) -> Result<Response<Body>, WebError> {
    let peer = find(&console, &id).await?;
    let force = wanted.force == "yes";
    let order = Order {
        force,
        asked_by: administrator.actor().name,
        ..Order::default()
    };
    let synchroniser = console.synchroniser().clone();
    let claim = match synchroniser.claim(&peer, order).await {
        Ok(claim) => claim,
        Err(SyncError::Store(error)) => return Err(error.into()),
        Err(error) => return Ok(back(&console, peer.id, &page::sentence(&error))),
    };
    change(
        &console,
        &administrator,
        peer.id,
        "peer synchronisation started",
        move |_, _| {
            let details = if force {
                "what is gone there is removed, however much it is"
            } else {
                ""
            };
            Ok(Some(details.to_owned()))
        },
    )
    .await?;
    // It has noted and logged what went wrong.
    tokio::spawn(async move { synchroniser.carry_out(&claim, &|_| {}).await });
    let notice = "The synchronisation has begun. Reload this page to see how far it is.";
    Ok(back(&console, peer.id, notice))
}
