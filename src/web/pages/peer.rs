//! A peer's page: how it does, what it may do, and the changes an administrator makes.

use std::collections::BTreeSet;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio::time::timeout;

use super::boxes;
use super::peers::{standing_failure, title};
use super::synchronisation::{self, SyncShown};
use crate::keys::Fingerprint;
use crate::peer::services::{
    MAX_SERVICE_NAME, MissingBox, ServiceThere, Travellers, lists_what_is_agreed, missing_boxes,
    missing_for_sign_in,
};
use crate::peer::{AcceptError, Peer, PeerError, parse_network};
use crate::rpc::CATALOGUE;
use crate::sso::session;
use crate::store::audit::{self, Deed};
use crate::store::peers::{self, PeerService};
use crate::store::sessions::SessionFilter;
use crate::store::{PeerId, StoreError, WriteTx};
use crate::web::checks::{self, PEER_WAIT};
use crate::web::extract::Path;
use crate::web::page::{self, Layout, Place};
use crate::web::show::{clock_offset, moment, time_left};
use crate::web::visitor::Access;
use crate::web::{Administrator, Console, NoFields, Staff, Submitted, Visitor, WebError};

/// The most networks a peer's calls may be held to: every one is looked at with every call.
const MAX_NETWORKS: usize = 50;

/// The services that have a row of boxes whatever was agreed on: those mnetd calls or is called by.
const USUAL_SERVICES: [&str; 4] = ["register", "sso_idp", "sso_sp", "mnet_enrol"];

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/peers/{id}", get(look))
        .route("/peers/{id}/check", post(check))
        .route("/peers/{id}/services", post(set_services))
        .route("/peers/{id}/dialect", post(set_dialect))
        .route("/peers/{id}/addresses", post(set_addresses))
        .route("/peers/{id}/key", post(accept_key))
        .route("/peers/{id}/unbind", post(unbind))
        .route("/peers/{id}/remove", get(confirm_removal).post(remove))
}

#[derive(Template)]
#[template(path = "pages/peer.html")]
struct PeerPage {
    layout: Layout,
    may_change: bool,
    id: i64,
    facts: Facts,
    check: Option<CheckShown>,
    failure: Option<(String, String)>,
    services: Vec<ServiceRow>,
    is_comparable: bool,
    outward: Vec<String>,
    inward: Vec<String>,
    dialect: &'static str,
    /// What an administrator chose: a dialect, or `auto`.
    dialect_chosen: &'static str,
    addresses: String,
    most_addresses: usize,
    binding_required: bool,
    sync: SyncShown,
    typed_fingerprint: String,
    problem: Option<Problem>,
}

struct Facts {
    wwwroot: String,
    application: &'static str,
    fingerprint: String,
    certificate: String,
    added: String,
    last_contact: Option<String>,
    clock: Option<String>,
}

struct CheckShown {
    at: String,
    problem: Option<String>,
}

/// One service with its boxes on both sides.
struct ServiceRow {
    name: String,
    title: Option<&'static str>,
    publish: bool,
    subscribe: bool,
    /// What the peer ticked: publish, subscribe; `None` where it is not known.
    there: Option<(bool, bool)>,
    remarks: Vec<&'static str>,
}

/// What a form said that cannot be used, shown at its form.
struct Problem {
    form: Form,
    text: String,
}

/// The forms that can be filled in wrongly.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Addresses,
    Key,
}

/// What was typed into a form, to be shown again.
#[derive(Default)]
struct Typed {
    problem: Option<Problem>,
    addresses: Option<String>,
    fingerprint: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/peer_remove.html")]
struct RemovePage {
    layout: Layout,
    id: i64,
    name: String,
    wwwroot: String,
}

impl PeerPage {
    fn problem_with_addresses(&self) -> Option<&str> {
        self.problem_with(Form::Addresses)
    }

    fn problem_with_key(&self) -> Option<&str> {
        self.problem_with(Form::Key)
    }

    fn problem_with(&self, form: Form) -> Option<&str> {
        let problem = self.problem.as_ref().filter(|problem| problem.form == form);
        problem.map(|problem| problem.text.as_str())
    }
}

async fn look(
    State(console): State<Console>,
    Path(id): Path<String>,
    staff: Staff,
) -> Result<Response<Body>, WebError> {
    let page = show(&console, &staff, &id, Typed::default()).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn check(
    State(console): State<Console>,
    Path(id): Path<String>,
    _administrator: Administrator,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let peer = find(&console, &id).await?;
    let checked = checks::check(&console, &peer).await;
    // What the call showed of its clock and its key is noted behind it.
    console.store().flush().await?;
    let notice = match checked.outcome {
        Ok(_) => "The peer answered, signed and sealed.",
        Err(_) => "The check failed; below is why.",
    };
    Ok(back(&console, peer.id, notice))
}

/// The boxes that were shown (`service`), and those of them that are ticked (`publish`, `subscribe`).
async fn set_services(
    State(console): State<Console>,
    Path(id): Path<String>,
    administrator: Administrator,
    Submitted(fields): Submitted<Vec<(String, String)>>,
) -> Result<Response<Body>, WebError> {
    let (peer, now) = (find(&console, &id).await?.id, console.clock().now());
    let wanted = wanted_services(&fields)?;
    let is_changed = change(
        &console,
        &administrator,
        peer,
        "peer services set",
        move |tx, _| {
            let before = peers::services(tx, peer)?;
            let mut changes = Vec::new();
            for right in wanted {
                if !is_in_force(&before, &right) {
                    peers::set_service(tx, peer, &right)?;
                    changes.push(right_in_words(&right));
                }
            }
            session::end_those_without_right(tx, &SessionFilter::of_peer(peer), now)?;
            Ok((!changes.is_empty()).then(|| changes.join("; ")))
        },
    )
    .await?;
    let notice = if is_changed {
        "The services are saved, and hold from now on."
    } else {
        "Nothing was changed: the boxes stand as before."
    };
    Ok(back(&console, peer, notice))
}

fn wanted_services(fields: &[(String, String)]) -> Result<Vec<PeerService>, WebError> {
    let has = |name: &str, service: &str| {
        fields
            .iter()
            .any(|(key, value)| key == name && value == service)
    };
    let shown = fields.iter().filter(|(key, _)| key == "service");
    shown
        .map(|(_, service)| {
            let is_name = !service.is_empty()
                && service.chars().count() <= MAX_SERVICE_NAME
                && !service.contains(|c: char| c.is_control() || c.is_whitespace());
            if !is_name {
                return Err(WebError::Unusable(format!(
                    "“{service}” is no name of a service: at most {MAX_SERVICE_NAME} characters without spaces."
                )));
            }
            Ok(PeerService {
                service: service.clone(),
                publish: has("publish", service),
                subscribe: has("subscribe", service),
            })
        })
        .collect()
}

fn is_in_force(before: &[PeerService], wanted: &PeerService) -> bool {
    let found = before.iter().find(|right| right.service == wanted.service);
    match found {
        Some(right) => right == wanted,
        None => !wanted.publish && !wanted.subscribe,
    }
}

fn right_in_words(right: &PeerService) -> String {
    let yes_or_no = |on| if on { "yes" } else { "no" };
    format!(
        "{}: publish {}, subscribe {}",
        right.service,
        yes_or_no(right.publish),
        yes_or_no(right.subscribe)
    )
}

#[derive(Deserialize)]
struct DialectChosen {
    dialect: String,
}

async fn set_dialect(
    State(console): State<Console>,
    Path(id): Path<String>,
    administrator: Administrator,
    Submitted(chosen): Submitted<DialectChosen>,
) -> Result<Response<Body>, WebError> {
    let peer = find(&console, &id).await?;
    let (dialect, fixed) = peer.chosen_dialect(&chosen.dialect).ok_or_else(|| {
        WebError::Unusable("Choose one of the ways to write text that are listed.".to_owned())
    })?;
    let id = peer.id;
    change(
        &console,
        &administrator,
        id,
        "peer text dialect set",
        move |tx, _| {
            peers::choose_dialect(tx, id, dialect, fixed)?;
            Ok(Some(chosen.dialect))
        },
    )
    .await?;
    Ok(back(
        &console,
        id,
        "The way to write text for this peer is saved.",
    ))
}

#[derive(Deserialize)]
struct Addresses {
    addresses: String,
}

async fn set_addresses(
    State(console): State<Console>,
    Path(id): Path<String>,
    administrator: Administrator,
    Submitted(typed): Submitted<Addresses>,
) -> Result<Response<Body>, WebError> {
    let peer = find(&console, &id).await?.id;
    let networks = match networks(&typed.addresses) {
        Ok(networks) => networks,
        Err(text) => {
            let problem = Problem {
                form: Form::Addresses,
                text,
            };
            let typed = Typed {
                problem: Some(problem),
                addresses: Some(typed.addresses),
                ..Typed::default()
            };
            return again(&console, &administrator, &id, typed).await;
        }
    };
    change(
        &console,
        &administrator,
        peer,
        "peer source addresses set",
        move |tx, _| {
            peers::set_source_addresses(tx, peer, &networks)?;
            Ok(Some(if networks.is_empty() {
                "any".to_owned()
            } else {
                networks.join(", ")
            }))
        },
    )
    .await?;
    Ok(back(
        &console,
        peer,
        "The addresses this peer may call from are saved.",
    ))
}

/// One a line; none: any.
fn networks(typed: &str) -> Result<Vec<String>, String> {
    let lines = typed
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| parse_network(line).map(|network| network.to_string()));
    let networks: BTreeSet<String> = lines
        .collect::<Result<_, _>>()
        .map_err(|error| page::sentence(&error))?;
    if networks.len() > MAX_NETWORKS {
        return Err(format!(
            "These are {} networks; at most {MAX_NETWORKS} are taken. Put neighbouring ones together, such as 192.0.2.0/24.",
            networks.len()
        ));
    }
    Ok(networks.into_iter().collect())
}

#[derive(Deserialize)]
struct KeyCompared {
    fingerprint: String,
}

async fn accept_key(
    State(console): State<Console>,
    Path(id): Path<String>,
    administrator: Administrator,
    Submitted(typed): Submitted<KeyCompared>,
) -> Result<Response<Body>, WebError> {
    let peer = find(&console, &id).await?;
    let text = match take_key(&console, &administrator, &peer, &typed.fingerprint).await? {
        Ok(()) => {
            let notice = "The key with that fingerprint is the one known of this peer from now on. Check the peer to see whether calls get through.";
            return Ok(back(&console, peer.id, notice));
        }
        Err(text) => text,
    };
    let problem = Problem {
        form: Form::Key,
        text,
    };
    let typed = Typed {
        problem: Some(problem),
        fingerprint: Some(typed.fingerprint),
        ..Typed::default()
    };
    again(&console, &administrator, &id, typed).await
}

/// Stores the certificate the peer hands out, where it has the fingerprint typed; else says in words why
/// not.
async fn take_key(
    console: &Console,
    administrator: &Administrator,
    peer: &Peer,
    typed: &str,
) -> Result<Result<(), String>, WebError> {
    let fingerprint: Fingerprint = match typed.trim().parse() {
        Ok(fingerprint) => fingerprint,
        Err(error) => return Ok(Err(page::sentence(&error))),
    };
    if fingerprint == peer.certificate.fingerprint() {
        return Ok(Err(
            "This is the fingerprint of the key that is known already.".to_owned(),
        ));
    }
    let asking = console.client().compared_certificate(peer, fingerprint);
    let certificate = match timeout(PEER_WAIT, asking).await {
        Ok(Ok(certificate)) => certificate,
        Ok(Err(AcceptError::Call(error))) => return Ok(Err(checks::in_words(&error))),
        Ok(Err(error)) => return Ok(Err(page::sentence(&error))),
        Err(_) => return Ok(Err(checks::too_slow(peer.wwwroot.as_str()))),
    };
    let (id, before) = (peer.id, peer.certificate.pem().to_owned());
    let is_stored = change(
        console,
        administrator,
        id,
        "peer key accepted",
        move |tx, _| {
            let is_stored = peers::set_certificate(tx, id, &before, certificate.pem())?;
            Ok(is_stored.then(|| format!("fingerprint {fingerprint}, compared by hand")))
        },
    )
    .await?;
    Ok(if is_stored {
        Ok(())
    } else {
        Err("The peer’s key was changed by somebody else meanwhile. Look at its fingerprint above, then try again.".to_owned())
    })
}

async fn unbind(
    State(console): State<Console>,
    Path(id): Path<String>,
    administrator: Administrator,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let peer = find(&console, &id).await?.id;
    change(
        &console,
        &administrator,
        peer,
        "peer binding lifted",
        move |tx, stored| {
            peers::set_binding_required(tx, peer, false)?;
            let was_required = stored.binding_required;
            Ok(was_required.then(|| "unbound register calls are taken again".to_owned()))
        },
    )
    .await?;
    let notice = "Unbound register calls are taken from it again, until it sends a bound one.";
    Ok(back(&console, peer, notice))
}

async fn confirm_removal(
    State(console): State<Console>,
    Path(id): Path<String>,
    administrator: Administrator,
) -> Result<Response<Body>, WebError> {
    let stored = row(&console, &id).await?;
    let page = RemovePage {
        layout: Layout::new(
            &console,
            &administrator,
            Place::Peers,
            format!("Remove {}", stored.name),
        ),
        id: stored.id.0,
        name: stored.name,
        wwwroot: stored.wwwroot,
    };
    Ok(page::ok(&page, &page.layout))
}

async fn remove(
    State(console): State<Console>,
    Path(id): Path<String>,
    administrator: Administrator,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let stored = row(&console, &id).await?;
    let (peer, now) = (stored.id, console.clock().now());
    change(
        &console,
        &administrator,
        peer,
        "peer removed",
        move |tx, _| {
            peers::remove(tx, peer, now)?;
            session::end_those_without_right(tx, &SessionFilter::of_peer(peer), now)?;
            Ok(Some("what it sent stays in the register".to_owned()))
        },
    )
    .await?;
    console.checks().forget(peer);
    let notice = format!(
        "{} is no longer a peer. What it sent stays in the register.",
        stored.wwwroot
    );
    Ok(page::see_other(&console, "/peers", Some(&notice)))
}

/// Makes a change to a peer that is one, and notes it with the details that `work` returns; `None`:
/// nothing was changed. Returns whether anything was.
pub(super) async fn change<F>(
    console: &Console,
    administrator: &Administrator,
    peer: PeerId,
    action: &'static str,
    work: F,
) -> Result<bool, WebError>
where
    F: FnOnce(&WriteTx<'_>, &peers::Peer) -> Result<Option<String>, StoreError> + Send + 'static,
{
    let (actor, now) = (administrator.actor(), console.clock().now());
    console
        .store()
        .write(move |tx| -> Result<bool, WebError> {
            let stored = peers::get(tx, peer)?
                .filter(|peer| peer.removed_at.is_none())
                .ok_or(WebError::NotFound)?;
            let Some(details) = work(tx, &stored)? else {
                return Ok(false);
            };
            let deed = Deed {
                action,
                object: &stored.wwwroot,
                details: &details,
            };
            audit::note(tx, &actor, &deed, now)?;
            Ok(true)
        })
        .await
}

/// The row of a peer that is not removed.
async fn row(console: &Console, id: &str) -> Result<peers::Peer, WebError> {
    let id = PeerId(id.parse().map_err(|_| WebError::NotFound)?);
    let stored = console.store().read(move |tx| peers::get(tx, id)).await?;
    stored
        .filter(|peer| peer.removed_at.is_none())
        .ok_or(WebError::NotFound)
}

/// The peer whose row is `id`.
pub(super) async fn find(console: &Console, id: &str) -> Result<Peer, WebError> {
    let wwwroot = row(console, id).await?.wwwroot;
    let found = console
        .store()
        .read(move |tx| Peer::find(tx, &wwwroot))
        .await;
    match found {
        Ok(peer) => peer.ok_or(WebError::NotFound),
        Err(error @ PeerError::Damaged { .. }) => Err(WebError::Unusable(page::sentence(&error))),
        Err(PeerError::Store(error)) => Err(error.into()),
    }
}

pub(super) fn back(console: &Console, peer: PeerId, notice: &str) -> Response<Body> {
    page::see_other(console, &format!("/peers/{}", peer.0), Some(notice))
}

async fn again(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    typed: Typed,
) -> Result<Response<Body>, WebError> {
    let page = show(console, visitor, id, typed).await?;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page::respond(status, &page, &page.layout))
}

async fn show(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    typed: Typed,
) -> Result<PeerPage, WebError> {
    let peer = find(console, id).await?;
    let stored = row(console, id).await?;
    let check = console.checks().last(peer.id);
    let there = console.checks().services(peer.id);
    let has_failed = check.as_ref().is_some_and(|check| check.outcome.is_err());
    let networks: Vec<String> = peer
        .source_addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let travel = |travellers| {
        let missing = missing_for_sign_in(&peer, there.as_deref(), travellers);
        missing.iter().map(boxes::in_words).collect()
    };
    Ok(PeerPage {
        layout: Layout::new(console, visitor, Place::Peers, peer.name.clone()),
        may_change: visitor.access() >= Access::Administrator,
        id: peer.id.0,
        facts: facts(console, &peer, &stored),
        check: check.map(|check| CheckShown {
            at: moment(&check.at),
            problem: check.outcome.err(),
        }),
        // A check that failed has told it already, with what to do on this page.
        failure: standing_failure(&stored).filter(|_| !has_failed),
        services: service_rows(&peer, there.as_deref()),
        is_comparable: lists_what_is_agreed(peer.application),
        outward: travel(Travellers::Ours),
        inward: travel(Travellers::Theirs),
        dialect: peer.dialect.as_str(),
        dialect_chosen: if peer.dialect_fixed {
            peer.dialect.as_str()
        } else {
            "auto"
        },
        addresses: typed.addresses.unwrap_or_else(|| networks.join("\n")),
        most_addresses: MAX_NETWORKS,
        binding_required: peer.binding_required,
        sync: synchronisation::shown(console, &peer).await?,
        typed_fingerprint: typed.fingerprint.unwrap_or_default(),
        problem: typed.problem,
    })
}

fn facts(console: &Console, peer: &Peer, stored: &peers::Peer) -> Facts {
    let until = peer.certificate.not_after();
    let left = time_left(until, console.clock().now());
    Facts {
        wwwroot: peer.wwwroot.to_string(),
        application: title(peer.application),
        fingerprint: peer.certificate.fingerprint().to_string(),
        certificate: format!("{} ({left})", moment(&until)),
        added: moment(&stored.created_at),
        last_contact: stored.last_contact_at.as_ref().map(moment),
        clock: stored.clock_offset.map(clock_offset),
    }
}

fn service_rows(peer: &Peer, there: Option<&[ServiceThere]>) -> Vec<ServiceRow> {
    let there = there.filter(|_| lists_what_is_agreed(peer.application));
    let is_ours = |name: &str| CATALOGUE.iter().any(|service| service.name == name);
    let missing = there
        .map(|there| missing_boxes(peer, there, is_ours))
        .unwrap_or_default();
    let agreed = peer.rights.iter().map(|right| right.service.as_str());
    let listed = there.unwrap_or_default().iter();
    let further: BTreeSet<&str> = agreed
        .chain(listed.map(|service| service.name.as_str()))
        .filter(|name| !USUAL_SERVICES.contains(name))
        .collect();
    USUAL_SERVICES
        .into_iter()
        .chain(further)
        .map(|name| service_row(peer, name, there, &missing))
        .collect()
}

fn service_row(
    peer: &Peer,
    name: &str,
    there: Option<&[ServiceThere]>,
    missing: &[MissingBox],
) -> ServiceRow {
    let ticked = there.map(|there| {
        let found = there.iter().find(|service| service.name == name);
        found.map_or((false, false), |service| {
            (service.publish, service.subscribe)
        })
    });
    ServiceRow {
        title: boxes::title(name),
        publish: peer.may_call(name),
        subscribe: peer.we_may_call(name),
        there: ticked,
        remarks: missing
            .iter()
            .filter(|missing| missing.service == name)
            .map(boxes::reason)
            .collect(),
        name: name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_one_a_line_and_not_too_many() {
        assert_eq!(networks(" \n").unwrap(), Vec::<String>::new());
        assert_eq!(
            networks("192.0.2.7\r\n2001:db8::/32\r\n192.0.2.7").unwrap(),
            ["192.0.2.7/32", "2001:db8::/32"]
        );
        assert!(
            networks("not an address")
                .unwrap_err()
                .contains("not an address")
        );
        let many = |count: usize| {
            let lines: Vec<_> = (0..count).map(|n| format!("192.0.2.{n}")).collect();
            networks(&lines.join("\n"))
        };
        assert_eq!(many(MAX_NETWORKS).unwrap().len(), MAX_NETWORKS);
        assert!(many(MAX_NETWORKS + 1).unwrap_err().contains("at most 50"));
    }

    #[test]
    fn only_what_was_shown_is_changed() {
        let fields = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            pairs.iter().map(owned).collect()
        };
        let wanted = wanted_services(&fields(&[
            ("service", "register"),
            ("publish", "register"),
            ("publish", "not_shown"),
        ]))
        .unwrap();
        let register = PeerService {
            service: "register".to_owned(),
            publish: true,
            subscribe: false,
        };
        assert_eq!(wanted, [register]);
        for name in ["", "two words", &"a".repeat(MAX_SERVICE_NAME + 1)] {
            assert!(wanted_services(&fields(&[("service", name)])).is_err());
        }
    }
}
