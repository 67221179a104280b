//! The first page: a word to whoever passes by, the way to their own page for members, an overview for the
//! office.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::get;

use crate::store::calls::{self, CallCounts};
use crate::store::lists::{self, Counts, SegmentCounts};
use crate::store::{StoreError, accounts};
use crate::web::page::{self, Layout, Place};
use crate::web::visitor::Access;
use crate::web::{Console, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new().route("/", get(home))
}

/// What a peer reads as well: Moodle takes our name from the title (docs/protocol.md, Addresses).
#[derive(Template)]
#[template(path = "pages/welcome.html")]
struct Welcome {
    layout: Layout,
    wwwroot: String,
    needs_setup: bool,
}

/// What the office sees first.
#[derive(Template)]
#[template(path = "pages/overview.html")]
struct Overview {
    layout: Layout,
    counts: Counts,
    calls: CallCounts,
    terms: SegmentCounts,
}

async fn home(
    State(console): State<Console>,
    visitor: Visitor,
) -> Result<Response<Body>, WebError> {
    match visitor.access() {
        Access::Member => Ok(page::see_other(&console, "/mine", visitor.notice())),
        Access::Nobody => welcome(&console, &visitor).await,
        Access::Reader | Access::Administrator => overview(&console, &visitor).await,
    }
}

async fn welcome(console: &Console, visitor: &Visitor) -> Result<Response<Body>, WebError> {
    let administrators = console
        .store()
        .read(|tx| -> Result<_, StoreError> { accounts::administrators(tx) })
        .await?;
    let mut layout = Layout::new(console, visitor, Place::Home, "");
    layout.title.clone_from(&layout.site);
    let page = Welcome {
        layout,
        wwwroot: console.wwwroot().to_string(),
        needs_setup: administrators == 0,
    };
    Ok(page::ok(&page, &page.layout))
}

async fn overview(console: &Console, visitor: &Visitor) -> Result<Response<Body>, WebError> {
    let since = console.clock().now().plus(-86_400);
    let (counts, calls, terms) = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let calls = calls::counts(tx, None, since)?;
            Ok((lists::counts(tx)?, calls, lists::segments(tx)?))
        })
        .await?;
    let mut layout = Layout::new(console, visitor, Place::Home, "");
    layout.title.clone_from(&layout.site);
    let page = Overview {
        layout,
        counts,
        calls,
        terms,
    };
    Ok(page::ok(&page, &page.layout))
}
