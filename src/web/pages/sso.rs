//! The doors of single sign-on: landing from a peer, jumping to one. Both under the addresses of a Moodle,
//! of a Mahara, and of a Moodle with our plugin (docs/protocol.md, Addresses).

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ALLOW, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::routing::get;
use serde::Deserialize;

use crate::peer::{Application, PLUGIN_JUMP_PATH, PLUGIN_LAND_PATH, Peer};
use crate::sso::{JumpError, LandError, Landing, Token};
use crate::store::PeerId;
use crate::web::cookies::Cookie;
use crate::web::extract::Query;
use crate::web::page::{self, Layout, Place};
use crate::web::{Console, Member, Visitor, WebError};

pub fn routes() -> Router<Console> {
    let mut routes = Router::new();
    for (land_path, jump_path) in DOORS {
        routes = routes
            .route(land_path, get(land).head(only_get))
            .route(jump_path, get(jump).head(only_get));
    }
    routes
}

/// Where others look for the two pages.
const DOORS: [(&str, &str); 3] = [
    (
        Application::Moodle.land_path(),
        Application::Moodle.jump_path(),
    ),
    (
        Application::Mahara.land_path(),
        Application::Mahara.jump_path(),
    ),
    (PLUGIN_LAND_PATH, PLUGIN_JUMP_PATH),
];

#[derive(Template)]
#[template(path = "pages/not_signed_in.html")]
struct NotSignedIn {
    layout: Layout,
    text: String,
    /// The peer that was come from or gone to.
    peer: Option<Peer>,
}

/// What a peer's jump page sends along.
#[derive(Deserialize)]
struct Arrival {
    #[serde(default)]
    token: String,
    #[serde(default)]
    idp: String,
    #[serde(default)]
    wantsurl: String,
    #[serde(default)]
    remoteurl: String,
}

/// Where to jump: Moodle's own links name one of the first two.
#[derive(Deserialize)]
pub struct Departure {
    #[serde(default)]
    hostid: String,
    #[serde(default)]
    hostwwwroot: String,
    #[serde(default)]
    wantsurl: String,
}

/// A token is good once: who only looks whether an address answers must not use it up, nor make one.
async fn only_get() -> Response<Body> {
    let text = Vec::new();
    let mut response = page::content(
        StatusCode::METHOD_NOT_ALLOWED,
        "text/plain; charset=utf-8",
        text,
    );
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static("GET"));
    response
}

async fn land(
    State(console): State<Console>,
    visitor: Visitor,
    Query(arrival): Query<Arrival>,
) -> Result<Response<Body>, WebError> {
    let landing = Landing {
        token: Token::presented(&arrival.token),
        idp: arrival.idp.clone(),
        wantsurl: arrival.wantsurl,
        remoteurl: arrival.remoteurl == "1",
        browser: visitor.browser(),
        before: visitor.live().map(|live| live.session.id),
    };
    let error = match console.sso().land(landing).await {
        Ok(landed) => {
            let cookie = Cookie::Session.set(landed.token.reveal(), console.wwwroot());
            let response = page::with_cookie(page::redirect(&landed.go_to), &cookie);
            let visit = Cookie::Visit.clear(console.wwwroot());
            return Ok(page::with_cookie(response, &visit));
        }
        Err(error @ (LandError::Store(_) | LandError::Peer(_) | LandError::Session(_))) => {
            return Err(WebError::internal(&error));
        }
        Err(error) => error,
    };
    let status = match error {
        LandError::NotPermitted { .. } => StatusCode::FORBIDDEN,
        LandError::Busy => StatusCode::SERVICE_UNAVAILABLE,
        LandError::Call(_) | LandError::Silent(_) => StatusCode::BAD_GATEWAY,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    let peer = find(&console, &arrival.idp).await?;
    let page = NotSignedIn {
        layout: Layout::new(
            &console,
            &visitor,
            Place::Elsewhere,
            "You are not signed in",
        ),
        text: page::sentence(&error),
        peer,
    };
    Ok(page::respond(status, &page, &page.layout))
}

async fn jump(
    State(console): State<Console>,
    member: Member,
    Query(departure): Query<Departure>,
) -> Result<Response<Body>, WebError> {
    let Some(to) = target(&console, &departure).await? else {
        return Err(WebError::Unusable(
            "There is no such site among the peers of this one. The links under Network lead to those that are."
                .to_owned(),
        ));
    };
    let error = match console
        .sso()
        .jump(
            member.session()?,
            member.browser(),
            &to,
            &departure.wantsurl,
        )
        .await
    {
        Ok(address) => return Ok(page::redirect(&address)),
        Err(error @ (JumpError::Store(_) | JumpError::Random(_))) => {
            return Err(WebError::internal(&error));
        }
        Err(error) => error,
    };
    let page = NotSignedIn {
        layout: Layout::new(&console, &member, Place::Network, "Not signed in there"),
        text: page::sentence(&error),
        peer: Some(to),
    };
    Ok(page::respond(StatusCode::FORBIDDEN, &page, &page.layout))
}

/// The peer that a path of ours, with its query, would jump to.
pub async fn target_of(console: &Console, path: &str) -> Result<Option<Peer>, WebError> {
    let Some((path, query)) = path.split_once('?') else {
        return Ok(None);
    };
    let is_jump = DOORS.iter().any(|(_, jump_path)| *jump_path == path);
    match serde_urlencoded::from_str(query) {
        Ok(departure) if is_jump => target(console, &departure).await,
        _ => Ok(None),
    }
}

async fn target(console: &Console, departure: &Departure) -> Result<Option<Peer>, WebError> {
    let Ok(id) = departure.hostid.parse() else {
        return find(console, departure.hostwwwroot.trim()).await;
    };
    let found = console
        .store()
        .read(move |tx| Peer::get(tx, PeerId(id)))
        .await;
    found.map_err(|error| WebError::internal(&error))
}

async fn find(console: &Console, wwwroot: &str) -> Result<Option<Peer>, WebError> {
    let wwwroot = wwwroot.trim_end_matches('/').to_owned();
    let found = console
        .store()
        .read(move |tx| Peer::find(tx, &wwwroot))
        .await;
    found.map_err(|error| WebError::internal(&error))
}
