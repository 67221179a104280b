//! The first page: a word to whoever passes by, the way to their own page for members, an overview for the
//! office.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::get;

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

async fn home(
    State(console): State<Console>,
    visitor: Visitor,
) -> Result<Response<Body>, WebError> {
    match visitor.access() {
        Access::Member => Ok(page::see_other(&console, "/mine", visitor.notice())),
        _ => welcome(&console, &visitor).await,
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
