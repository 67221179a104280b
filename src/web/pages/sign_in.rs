//! Signing in by password, and signing out.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::peer::Peer;
use crate::sso::{Password, SignInError, SignedOut, wantsurl};
use crate::web::cookies::Cookie;
use crate::web::extract::Query;
use crate::web::page::{self, CameFrom, Layout, Place};
use crate::web::pages::sso;
use crate::web::{Console, NoFields, Submitted, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-out", post(sign_out))
}

#[derive(Template)]
#[template(path = "pages/sign_in.html")]
struct Page {
    layout: Layout,
    problem: Option<String>,
    username: String,
    next: String,
    peers: Vec<CameFrom>,
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn form(
    State(console): State<Console>,
    visitor: Visitor,
    Query(wanted): Query<Wanted>,
) -> Result<Response<Body>, WebError> {
    let next = inside(&console, &wanted.next);
    if visitor.live().is_some() {
        return Ok(page::see_other(&console, &next, None));
    }
    let page = show(&console, &visitor, None, "", &next).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn sign_in(
    State(console): State<Console>,
    visitor: Visitor,
    Submitted(given): Submitted<Credentials>,
) -> Result<Response<Body>, WebError> {
    let next = inside(&console, &given.next);
    let username = given.username.trim();
    let before = visitor.live().map(|live| live.session.id);
    let signed_in = console
        .sign_in()
        .by_password(
            username,
            Password::typed(&given.password),
            visitor.browser(),
            visitor.address(),
            before,
        )
        .await;
    let problem = match signed_in {
        Ok((token, _)) => {
            console
                .sso()
                .end_at_peers_later(before.into_iter().collect());
            let response = page::see_other(&console, &next, None);
            let cookie = Cookie::Session.set(token.reveal(), console.wwwroot());
            let response = page::with_cookie(response, &cookie);
            // The forms of whoever was here before are none of this user's.
            let visit = Cookie::Visit.clear(console.wwwroot());
            return Ok(page::with_cookie(response, &visit));
        }
        Err(problem @ (SignInError::Wrong | SignInError::TooMany(_))) => problem,
        Err(failure) => return Err(WebError::internal(&failure)),
    };
    let status = match problem {
        SignInError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::FORBIDDEN,
    };
    let text = page::sentence(&problem);
    let page = show(&console, &visitor, Some(text), username, &next).await?;
    Ok(page::respond(status, &page, &page.layout))
}

async fn sign_out(
    State(console): State<Console>,
    visitor: Visitor,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let signed_out = match visitor.live() {
        Some(live) => console.sso().sign_out(live).await?,
        None => SignedOut::default(),
    };
    let response = match &signed_out.return_to {
        Some(home) => page::redirect(home),
        None => page::see_other(&console, "/", Some(&farewell(&signed_out))),
    };
    let cookie = Cookie::Session.clear(console.wwwroot());
    Ok(page::with_cookie(response, &cookie))
}

fn farewell(signed_out: &SignedOut) -> String {
    if signed_out.unreached.is_empty() {
        return "You are signed out.".to_owned();
    }
    let unreached = signed_out.unreached.join(", ");
    format!(
        "You are signed out here. {unreached} did not confirm it: close the browser, or sign out there too."
    )
}

async fn show(
    console: &Console,
    visitor: &Visitor,
    problem: Option<String>,
    username: &str,
    next: &str,
) -> Result<Page, WebError> {
    let peers = console
        .store()
        .read(Peer::all)
        .await
        .map_err(|error| WebError::internal(&error))?;
    let peers = peers
        .into_iter()
        .filter(|peer| peer.we_may_call("sso_idp"))
        .map(|peer| CameFrom {
            name: peer.name,
            url: peer.wwwroot.to_string(),
        });
    let layout = Layout::new(console, visitor, Place::Elsewhere, "Sign in");
    Ok(Page {
        layout: match sso::target_of(console, next).await? {
            Some(peer) => layout.leading_to(&peer.wwwroot),
            None => layout,
        },
        problem,
        username: username.to_owned(),
        next: next.to_owned(),
        peers: peers.collect(),
    })
}

/// A path of ours to go to after signing in; the first page for anything else.
fn inside(console: &Console, next: &str) -> String {
    let path = wantsurl::path_within(console.wwwroot(), next);
    if path.starts_with('/') {
        path
    } else {
        "/".to_owned()
    }
}
