//! Calls in and out, and what administrators did.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::get;
use serde::Deserialize;
use url::form_urlencoded;

use crate::store::audit::{self, Entry};
use crate::store::calls::{self, CallCounts, CallFilter, Direction, LoggedCall};
use crate::store::lists::ROWS;
use crate::store::{PeerId, StoreError};
use crate::web::extract::Query;
use crate::web::hand;
use crate::web::page::{self, Layout, Place};
use crate::web::pager::Pager;
use crate::web::show::PeerNames;
use crate::web::{Console, Staff, WebError};

/// The span of the counts over the list, in seconds: one day.
const COUNTED: i64 = 86_400;

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/activity", get(activity))
        .route("/audit", get(audit_log))
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    direction: String,
    #[serde(default)]
    peer: String,
    #[serde(default)]
    faults: String,
    #[serde(default)]
    method: String,
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "pages/activity.html")]
struct ActivityPage {
    layout: Layout,
    query: Wanted,
    counts: CallCounts,
    left_out: u64,
    peers: PeerNames,
    calls: Vec<LoggedCall>,
    pager: Pager,
}

#[derive(Deserialize)]
struct From {
    before: Option<i64>,
}

#[derive(Template)]
#[template(path = "pages/audit.html")]
struct AuditPage {
    layout: Layout,
    entries: Vec<Entry>,
    pager: Pager,
}

impl Wanted {
    fn filter(&self) -> CallFilter {
        CallFilter {
            direction: Direction::from_word(&self.direction),
            peer: self.peer.parse().ok().map(PeerId),
            faults: self.faults == "yes",
            method_prefix: hand::said(&self.method).map(str::to_owned),
            text: hand::said(&self.q).map(str::to_owned),
        }
    }

    /// The address of the page with what is older than the row `before`.
    fn older_than(&self, base: &str, before: i64) -> String {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("q", self.q.as_str()),
                ("direction", &self.direction),
                ("peer", &self.peer),
                ("faults", &self.faults),
                ("method", &self.method),
            ])
            .append_pair("before", &before.to_string())
            .finish();
        format!("{base}/activity?{query}")
    }
}

async fn activity(
    State(console): State<Console>,
    staff: Staff,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, WebError> {
    let (filter, before) = (wanted.filter(), wanted.before);
    let since = console.clock().now().plus(-COUNTED);
    let (calls, counts, peers) = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let calls = calls::list(tx, &filter, before, ROWS)?;
            let counts = calls::counts(tx, filter.peer, since)?;
            Ok((calls, counts, PeerNames::read(tx)?))
        })
        .await?;
    let pager = Pager {
        earlier: None,
        later: full(&calls).map(|last| wanted.older_than(&console.base(), last.id)),
    };
    let page = ActivityPage {
        layout: Layout::new(&console, &staff, Place::Activity, "Activity"),
        query: wanted,
        counts,
        left_out: console.store().calls_left_out(),
        peers,
        calls,
        pager,
    };
    Ok(page::ok(&page, &page.layout))
}

async fn audit_log(
    State(console): State<Console>,
    staff: Staff,
    Query(from): Query<From>,
) -> Result<Response<Body>, WebError> {
    let entries = console
        .store()
        .read(move |tx| audit::list(tx, from.before, ROWS))
        .await?;
    let base = console.base();
    let pager = Pager {
        earlier: None,
        later: full(&entries).map(|last| format!("{base}/audit?before={}", last.id)),
    };
    let page = AuditPage {
        layout: Layout::new(&console, &staff, Place::Administration, "Audit log"),
        entries,
        pager,
    };
    Ok(page::ok(&page, &page.layout))
}

/// The last row of a page that is full, behind which there may be more.
fn full<T>(rows: &[T]) -> Option<&T> {
    if rows.len() == ROWS as usize {
        rows.last()
    } else {
        None
    }
}
