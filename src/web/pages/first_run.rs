//! What this peer is, and how a Moodle is connected to it.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::get;

use crate::web::page::{self, Layout, Place};
use crate::web::show::moment;
use crate::web::visitor::Access;
use crate::web::{Console, Staff};

pub fn routes() -> Router<Console> {
    Router::new().route("/first-run", get(first_run))
}

#[derive(Template)]
#[template(path = "pages/first_run.html")]
struct FirstRunPage {
    layout: Layout,
    may_change: bool,
    wwwroot: String,
    is_https: bool,
    certificate_url: String,
    fingerprint: String,
    expires: String,
    pem: String,
}

async fn first_run(State(console): State<Console>, staff: Staff) -> Response<Body> {
    let ring = console.keys().ring();
    let certificate = ring.current().certificate();
    let page = FirstRunPage {
        layout: Layout::new(&console, &staff, Place::Peers, "Connect a Moodle"),
        may_change: staff.access() >= Access::Administrator,
        wwwroot: console.wwwroot().to_string(),
        is_https: console.wwwroot().is_https(),
        certificate_url: console.wwwroot().join("/mnet/publickey.php"),
        fingerprint: certificate.fingerprint().to_string(),
        expires: moment(&certificate.not_after()),
        pem: certificate.pem().to_owned(),
    };
    page::ok(&page, &page.layout)
}
