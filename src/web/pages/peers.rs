//! The list of peers, and meeting a new one.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::time::timeout;

use crate::clock::UnixTime;
use crate::keys::{Certificate, Fingerprint};
use crate::peer::{Application, Introduction, IntroductionError, introduce};
use crate::store::audit::{self, Deed};
use crate::store::peers::{self, PeerService};
use crate::store::{MAX_PAGE, Page, PeerId, ReadTx, StoreError};
use crate::web::checks::{self, PEER_WAIT};
use crate::web::page::{self, Layout, Place};
use crate::web::show::{clock_offset, moment, time_left};
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, Staff, Submitted, Visitor, WebError};
use crate::wwwroot::Wwwroot;

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/peers", get(list))
        .route("/peers/add", get(ask).post(meet))
        .route("/peers/add/confirm", post(add))
}

#[derive(Template)]
#[template(path = "pages/peers.html")]
struct PeersPage {
    layout: Layout,
    may_change: bool,
    peers: Vec<Row>,
}

struct Row {
    id: i64,
    name: String,
    wwwroot: String,
    application: &'static str,
    last_contact: Option<String>,
    clock: Option<String>,
    certificate: String,
    services: Vec<String>,
    /// The last failure, where no call has held since.
    failure: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "pages/peers_add.html")]
struct AskPage {
    layout: Layout,
    problem: Option<String>,
    url: String,
    application: String,
}

#[derive(Template)]
#[template(path = "pages/peers_add_confirm.html")]
struct ConfirmPage {
    layout: Layout,
    problem: Option<String>,
    name: String,
    wwwroot: String,
    is_https: bool,
    application: &'static str,
    certificate_url: String,
    fingerprint: String,
    expires: String,
}

#[derive(Deserialize)]
struct Wanted {
    url: String,
    #[serde(default)]
    application: String,
}

/// What was shown, and agreed to.
#[derive(Deserialize)]
struct Agreed {
    url: String,
    application: String,
    fingerprint: String,
}

async fn list(State(console): State<Console>, staff: Staff) -> Result<Response<Body>, WebError> {
    let now = console.clock().now();
    let peers = console.store().read(move |tx| rows(tx, now)).await?;
    let page = PeersPage {
        layout: Layout::new(&console, &staff, Place::Peers, "Peers"),
        may_change: staff.access() >= Access::Administrator,
        peers,
    };
    Ok(page::ok(&page, &page.layout))
}

fn rows(tx: &ReadTx<'_>, now: UnixTime) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    let mut page = Page {
        after: None,
        limit: MAX_PAGE,
    };
    loop {
        let peers = peers::list(tx, page)?;
        let Some(last) = peers.last().map(|peer| peer.id.0) else {
            return Ok(rows);
        };
        for peer in peers {
            let services = peers::services(tx, peer.id)?;
            rows.push(row(peer, &services, now));
        }
        page = page.following(last);
    }
}

fn row(peer: peers::Peer, services: &[PeerService], now: UnixTime) -> Row {
    let certificate = peer.certificate.as_deref().unwrap_or_default();
    let certificate = match Certificate::parse_stored(certificate) {
        Ok(certificate) => {
            let until = certificate.not_after();
            format!("{} ({})", moment(&until), time_left(until, now))
        }
        Err(_) => "none that can be used".to_owned(),
    };
    Row {
        id: peer.id.0,
        failure: standing_failure(&peer),
        name: peer.name,
        wwwroot: peer.wwwroot,
        application: title(peer.application),
        last_contact: peer.last_contact_at.as_ref().map(moment),
        clock: peer.clock_offset.map(clock_offset),
        certificate,
        services: services.iter().map(in_short).collect(),
    }
}

/// The last failure with its moment, where no call has held since.
pub fn standing_failure(peer: &peers::Peer) -> Option<(String, String)> {
    let at = peer.last_fault_at?;
    let text = peer.last_fault_text.clone()?;
    let held_since = peer.last_contact_at.is_some_and(|contact| contact > at);
    (!held_since).then(|| (moment(&at), text))
}

fn in_short(right: &PeerService) -> String {
    let directions = match (right.publish, right.subscribe) {
        (true, true) => "published, subscribed",
        (true, false) => "published",
        (false, true) => "subscribed",
        (false, false) => "off",
    };
    format!("{} ({directions})", right.service)
}

/// An application by its proper name.
pub fn title(application: Application) -> &'static str {
    match application {
        Application::Moodle => "Moodle",
        Application::Mahara => "Mahara",
    }
}

async fn ask(State(console): State<Console>, administrator: Administrator) -> Response<Body> {
    let page = AskPage {
        layout: adding(&console, &administrator),
        problem: None,
        url: String::new(),
        application: String::new(),
    };
    page::ok(&page, &page.layout)
}

/// Fetches what the site tells of itself. Nothing is stored yet, so this is answered by a page.
async fn meet(
    State(console): State<Console>,
    administrator: Administrator,
    Submitted(wanted): Submitted<Wanted>,
) -> Result<Response<Body>, WebError> {
    let application = Application::from_word(&wanted.application);
    let problem = match introduction(&console, &wanted.url, application).await? {
        Ok(introduction) => {
            let page = confirmation(&console, &administrator, &introduction, None);
            return Ok(page::ok(&page, &page.layout));
        }
        Err(problem) => problem,
    };
    Ok(asked_again(&console, &administrator, problem, wanted))
}

/// Stores the peer, where the site still hands out the certificate that was shown.
async fn add(
    State(console): State<Console>,
    administrator: Administrator,
    Submitted(agreed): Submitted<Agreed>,
) -> Result<Response<Body>, WebError> {
    let fingerprint: Fingerprint = agreed
        .fingerprint
        .parse()
        .map_err(|error| WebError::Unusable(page::sentence(&error)))?;
    let application = Application::from_word(&agreed.application);
    let introduction = match introduction(&console, &agreed.url, application).await? {
        Ok(introduction) => introduction,
        Err(problem) => {
            let wanted = Wanted {
                url: agreed.url,
                application: agreed.application,
            };
            return Ok(asked_again(&console, &administrator, problem, wanted));
        }
    };
    if let Err(other) = introduction.check(fingerprint) {
        let problem = format!(
            "{} It is not the one that was shown to you before ({fingerprint}). Below is what the site hands out now: compare anew.",
            page::sentence(&other)
        );
        let page = confirmation(&console, &administrator, &introduction, Some(problem));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(page::respond(status, &page, &page.layout));
    }
    let id = store(&console, &administrator, introduction).await?;
    let notice = "The peer is added. It may send to the register, and vouch for its users. Add this site there as well, then check the peer.";
    Ok(page::see_other(
        &console,
        &format!("/peers/{}", id.0),
        Some(notice),
    ))
}

/// What a site tells of itself, or in words why it cannot become a peer.
async fn introduction(
    console: &Console,
    url: &str,
    application: Option<Application>,
) -> Result<Result<Introduction, String>, WebError> {
    let wwwroot = match Wwwroot::parse(url.trim()) {
        Ok(wwwroot) => wwwroot,
        Err(error) => return Ok(Err(page::sentence(&error))),
    };
    let name = wwwroot.clone();
    let known = console
        .store()
        .read(move |tx| peers::find(tx, name.as_str()))
        .await?;
    if known.is_some_and(|peer| peer.removed_at.is_none()) {
        return Ok(Err(format!(
            "{wwwroot} is a peer already. Find it in the list of peers; a new key of its is accepted on its page."
        )));
    }
    let ring = console.keys().ring();
    let meeting = introduce(
        console.client().transport(),
        console.wwwroot(),
        ring.current().certificate(),
        &wwwroot,
        application,
        None,
    );
    Ok(match timeout(PEER_WAIT, meeting).await {
        Ok(Ok(introduction)) => Ok(introduction),
        Ok(Err(IntroductionError::Call(error))) => Err(checks::in_words(&error)),
        Ok(Err(error)) => Err(page::sentence(&error)),
        Err(_) => Err(checks::too_slow(wwwroot.as_str())),
    })
}

async fn store(
    console: &Console,
    administrator: &Administrator,
    introduction: Introduction,
) -> Result<PeerId, WebError> {
    let (actor, now) = (administrator.actor(), console.clock().now());
    let stored = console
        .store()
        .write(move |tx| -> Result<PeerId, StoreError> {
            let id = introduction.register(tx, now)?;
            let fingerprint = introduction.certificate.fingerprint();
            let deed = Deed {
                action: "peer added",
                object: introduction.wwwroot.as_str(),
                details: &format!("fingerprint {fingerprint}"),
            };
            audit::note(tx, &actor, &deed, now)?;
            Ok(id)
        })
        .await;
    stored.map_err(|error| match error {
        StoreError::Refused(_) => WebError::Unusable(
            "Somebody else added this peer meanwhile. Find it in the list of peers.".to_owned(),
        ),
        error => error.into(),
    })
}

fn asked_again(
    console: &Console,
    administrator: &Administrator,
    problem: String,
    wanted: Wanted,
) -> Response<Body> {
    let page = AskPage {
        layout: adding(console, administrator),
        problem: Some(problem),
        url: wanted.url,
        application: wanted.application,
    };
    page::respond(StatusCode::UNPROCESSABLE_ENTITY, &page, &page.layout)
}

fn confirmation(
    console: &Console,
    administrator: &Administrator,
    introduction: &Introduction,
    problem: Option<String>,
) -> ConfirmPage {
    let Introduction {
        wwwroot,
        name,
        application,
        certificate,
    } = introduction;
    ConfirmPage {
        layout: adding(console, administrator),
        problem,
        name: name.clone(),
        is_https: wwwroot.is_https(),
        application: application.as_str(),
        certificate_url: wwwroot.join("/mnet/publickey.php"),
        fingerprint: certificate.fingerprint().to_string(),
        expires: moment(&certificate.not_after()),
        wwwroot: wwwroot.to_string(),
    }
}

fn adding(console: &Console, visitor: &Visitor) -> Layout {
    Layout::new(console, visitor, Place::Peers, "Add a peer")
}
