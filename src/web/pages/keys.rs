//! Our key pairs: the present one to be compared and copied, the old ones, and making a new one.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::get;

use crate::clock::UnixTime;
use crate::keys::{Certificate, KeyRing, OLD_PAIRS_KEPT, RetiredPair};
use crate::peer::Peer;
use crate::store::StoreError;
use crate::store::audit::{self, Actor, Deed};
use crate::web::page::{self, Layout, Place};
use crate::web::show::{moment, time_left};
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, NoFields, Staff, Submitted, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/keys", get(keys))
        .route("/keys/rotate", get(confirm).post(rotate))
}

#[derive(Template)]
#[template(path = "pages/keys.html")]
struct KeysPage {
    layout: Layout,
    may_change: bool,
    problem: Option<String>,
    wwwroot: String,
    present: Pair,
    next_rotation: String,
    lifetime_days: u32,
    old: Vec<OldPair>,
    old_kept: usize,
}

#[derive(Template)]
#[template(path = "pages/keys_rotate.html")]
struct RotatePage {
    layout: Layout,
    fingerprint: String,
    /// The old pair that the new one pushes out.
    pushed_out: Option<String>,
    old_kept: usize,
    peers: Vec<String>,
}

struct Pair {
    fingerprint: String,
    valid_from: String,
    expires: String,
    left: String,
    pem: String,
}

struct OldPair {
    fingerprint: String,
    replaced: String,
    expires: String,
    vouches: String,
}

async fn keys(State(console): State<Console>, staff: Staff) -> Response<Body> {
    let ring = console.keys().ring();
    let now = console.clock().now();
    let page = KeysPage {
        layout: layout(&console, &staff, "Keys"),
        may_change: staff.access() >= Access::Administrator,
        problem: console
            .keys()
            .check_site()
            .err()
            .map(|error| page::sentence(&error)),
        wwwroot: console.wwwroot().to_string(),
        present: present(ring.current().certificate(), now),
        next_rotation: moment(&console.keys().next_rotation()),
        lifetime_days: console.keys().lifetime_days(),
        old: ring
            .old()
            .iter()
            .enumerate()
            .map(|(place, old)| old_pair(place, old))
            .collect(),
        old_kept: OLD_PAIRS_KEPT,
    };
    page::ok(&page, &page.layout)
}

fn present(certificate: &Certificate, now: UnixTime) -> Pair {
    Pair {
        fingerprint: certificate.fingerprint().to_string(),
        valid_from: moment(&certificate.not_before()),
        expires: moment(&certificate.not_after()),
        left: time_left(certificate.not_after(), now),
        pem: certificate.pem().to_owned(),
    }
}

/// `place` counts from the youngest: as many more new pairs as there is room behind it, and it is gone.
fn old_pair(place: usize, old: &RetiredPair) -> OldPair {
    let certificate = old.pair.certificate();
    let vouches = match OLD_PAIRS_KEPT.saturating_sub(place) {
        0 | 1 => "until the next new pair".to_owned(),
        pairs => format!("until the {pairs} next new pairs are made"),
    };
    OldPair {
        fingerprint: certificate.fingerprint().to_string(),
        replaced: moment(&old.retired_at),
        expires: moment(&certificate.not_after()),
        vouches,
    }
}

async fn confirm(
    State(console): State<Console>,
    administrator: Administrator,
) -> Result<Response<Body>, WebError> {
    let peers = console
        .store()
        .read(Peer::all)
        .await
        .map_err(|error| WebError::internal(&error))?;
    let ring = console.keys().ring();
    let pushed_out = ring.old().get(OLD_PAIRS_KEPT - 1);
    let page = RotatePage {
        layout: layout(&console, &administrator, "Make a new key pair"),
        fingerprint: ring.current().certificate().fingerprint().to_string(),
        pushed_out: pushed_out.map(|old| old.pair.certificate().fingerprint().to_string()),
        old_kept: OLD_PAIRS_KEPT,
        peers: peers.into_iter().map(|peer| peer.name).collect(),
    };
    Ok(page::ok(&page, &page.layout))
}

async fn rotate(
    State(console): State<Console>,
    administrator: Administrator,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let (site, actor) = (console.clone(), administrator.actor());
    // A browser that hangs up meanwhile does not keep it from being noted.
    let rotating = tokio::spawn(async move { rotate_and_note(&site, actor).await });
    rotating
        .await
        .map_err(|error| WebError::internal(&error))??;
    let notice =
        "A new key pair is in force. Peers learn of it by themselves with their next call.";
    Ok(page::see_other(&console, "/keys", Some(notice)))
}

async fn rotate_and_note(console: &Console, actor: Actor) -> Result<(), WebError> {
    let now = console.clock().now();
    let ring = new_pair(console, now).await?;
    let fingerprint = ring.current().certificate().fingerprint().to_string();
    // Keys are files: noting it comes after, for it cannot be taken back.
    console
        .store()
        .write(move |tx| -> Result<(), StoreError> {
            let deed = Deed {
                action: "key rotated",
                object: "this site",
                details: &format!("the new fingerprint is {fingerprint}"),
            };
            audit::note(tx, &actor, &deed, now)
        })
        .await?;
    Ok(())
}

/// Making an RSA key takes a moment, and waits for another process that makes one.
async fn new_pair(console: &Console, now: UnixTime) -> Result<Arc<KeyRing>, WebError> {
    let keys = Arc::clone(console.keys());
    let made = tokio::task::spawn_blocking(move || keys.rotate(now)).await;
    match made {
        Ok(Ok(ring)) => Ok(ring),
        Ok(Err(error)) => Err(WebError::internal(&error)),
        Err(error) => Err(WebError::internal(&error)),
    }
}

fn layout(console: &Console, visitor: &Visitor, title: &str) -> Layout {
    Layout::new(console, visitor, Place::Administration, title)
}
