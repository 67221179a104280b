//! Signing in by password, and signing out.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::peer::Peer;
use crate::sso::{Password, SignInError};
use crate::store::sessions::{self, SessionEnd};
use crate::web::cookies::Cookie;
use crate::web::page::{self, CameFrom, Layout, Place};
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
    let next = inside(&wanted.next);
    if visitor.live().is_some() {
        return Ok(page::see_other(&console, next, None));
    }
    let page = show(&console, &visitor, None, "", next).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn sign_in(
    State(console): State<Console>,
    visitor: Visitor,
    Submitted(given): Submitted<Credentials>,
) -> Result<Response<Body>, WebError> {
    let next = inside(&given.next);
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
            let response = page::see_other(&console, next, None);
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
    let page = show(&console, &visitor, Some(text), username, next).await?;
    Ok(page::respond(status, &page, &page.layout))
}

async fn sign_out(
    State(console): State<Console>,
    visitor: Visitor,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    if let Some(live) = visitor.live() {
        let (id, now) = (live.session.id, console.clock().now());
        console
            .store()
            .write(move |tx| sessions::end(tx, id, SessionEnd::SignOut, now))
            .await?;
    }
    let response = page::see_other(&console, "/", Some("You are signed out."));
    let cookie = Cookie::Session.clear(console.wwwroot());
    Ok(page::with_cookie(response, &cookie))
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
    Ok(Page {
        layout: Layout::new(console, visitor, Place::Elsewhere, "Sign in"),
        problem,
        username: username.to_owned(),
        next: next.to_owned(),
        peers: peers.collect(),
    })
}

/// A path of ours to go to after signing in; the first page for anything else.
fn inside(next: &str) -> &str {
    let leads_out =
        next.starts_with("//") || next.contains('\\') || next.chars().any(char::is_control);
    if next.starts_with('/') && !leads_out {
        next
    } else {
        "/"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_ours_is_gone_to() {
        assert_eq!(inside("/people?after=3"), "/people?after=3");
        for outside in [
            "",
            "people",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=y",
            "/\t/evil.example",
        ] {
            assert_eq!(inside(outside), "/", "{outside:?}");
        }
    }
}
