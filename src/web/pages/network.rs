//! Links to the peers that somebody signed in here may go on to.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::Response;
use axum::routing::get;

use crate::peer::Peer;
use crate::peer::services::{Travellers, missing_for_sign_in};
use crate::sso::session::User;
use crate::web::page::{self, CameFrom, Layout, Place};
use crate::web::pages::boxes::in_words;
use crate::web::visitor::Access;
use crate::web::{Console, Member, WebError};

pub fn routes() -> Router<Console> {
    Router::new().route("/network", get(network))
}

#[derive(Template)]
#[template(path = "pages/network.html")]
struct NetworkPage {
    layout: Layout,
    /// For somebody a peer vouched for: only the way back.
    home: Option<CameFrom>,
    links: Vec<Destination>,
    /// For administrators: what is set up with each peer.
    setups: Option<Vec<Setup>>,
}

/// A peer that accounts of this site may go on to.
struct Destination {
    id: i64,
    name: String,
    wwwroot: String,
}

/// What single sign-on with a peer lacks.
struct Setup {
    id: i64,
    name: String,
    /// For the way there, and for the way here.
    missing: [Vec<String>; 2],
    /// Whether the peer's own boxes are known.
    is_checked: bool,
}

async fn network(
    State(console): State<Console>,
    member: Member,
) -> Result<Response<Body>, WebError> {
    let layout = Layout::new(&console, &member, Place::Network, "Network");
    let page = match &member.session()?.user {
        User::Person(_) => NetworkPage {
            layout,
            home: member.came_from().cloned(),
            links: Vec::new(),
            setups: None,
        },
        User::Account(_) => {
            let peers = console
                .store()
                .read(Peer::all)
                .await
                .map_err(|error| WebError::internal(&error))?;
            let may_change = member.access() >= Access::Administrator;
            NetworkPage {
                layout,
                home: None,
                links: peers.iter().filter_map(destination).collect(),
                setups: may_change
                    .then(|| peers.iter().map(|peer| setup(&console, peer)).collect()),
            }
        }
    };
    Ok(page::ok(&page, &page.layout))
}

fn destination(peer: &Peer) -> Option<Destination> {
    // The peer's own boxes are its affair: it says so itself where they lack.
    missing_for_sign_in(peer, None, Travellers::Ours)
        .is_empty()
        .then(|| Destination {
            id: peer.id.0,
            name: peer.name.clone(),
            wwwroot: peer.wwwroot.to_string(),
        })
}

fn setup(console: &Console, peer: &Peer) -> Setup {
    let there = console.checks().services(peer.id);
    let missing = |travellers| -> Vec<String> {
        let missing = missing_for_sign_in(peer, there.as_deref(), travellers);
        missing.iter().map(in_words).collect()
    };
    Setup {
        id: peer.id.0,
        name: peer.name.clone(),
        missing: [missing(Travellers::Ours), missing(Travellers::Theirs)],
        is_checked: there.is_some(),
    }
}
