//! The first administrator's account, made by the link in the log.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::get;
use serde::Deserialize;

use crate::sso::accounts;
use crate::sso::password::MIN_LENGTH;
use crate::sso::session;
use crate::sso::{AccountError, HashError, NewMember, Password, Token};
use crate::store::accounts::AccountRole;
use crate::store::audit::{self, Actor, Deed};
use crate::store::sessions::SignedIn;
use crate::web::cookies::Cookie;
use crate::web::extract::Query;
use crate::web::page::{self, Layout, Place};
use crate::web::{Console, Submitted, Visitor, WebError};

pub fn routes() -> Router<Console> {
    Router::new().route("/setup", get(form).post(make))
}

#[derive(Template)]
#[template(path = "pages/setup.html")]
struct Page {
    layout: Layout,
    problem: Option<String>,
    token: String,
    form: Fields,
    min_length: usize,
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    token: String,
}

#[derive(Clone, Default, Deserialize)]
struct Fields {
    username: String,
    firstname: String,
    lastname: String,
    email: String,
}

#[derive(Deserialize)]
struct Submission {
    token: String,
    #[serde(flatten)]
    fields: Fields,
    password: String,
    again: String,
}

async fn form(
    State(console): State<Console>,
    visitor: Visitor,
    Query(link): Query<Link>,
) -> Result<Response<Body>, WebError> {
    let (token, now) = (Token::presented(&link.token), console.clock().now());
    console
        .store()
        .read(move |tx| accounts::check_setup_link(tx, &token, now))
        .await
        .map_err(|error| refused(&error))?;
    let page = show(&console, &visitor, None, link.token, Fields::default());
    Ok(page::ok(&page, &page.layout))
}

async fn make(
    State(console): State<Console>,
    visitor: Visitor,
    Submitted(given): Submitted<Submission>,
) -> Result<Response<Body>, WebError> {
    let fields = given.fields.clone();
    let problem = match attempt(&console, &visitor, &given).await {
        Ok(session) => {
            let notice = "Your account is made, and you are signed in.";
            let response = page::see_other(&console, "/", Some(notice));
            let cookie = Cookie::Session.set(session.reveal(), console.wwwroot());
            return Ok(page::with_cookie(response, &cookie));
        }
        Err(AccountError::Store(error)) => return Err(error.into()),
        Err(error @ AccountError::SetupLink) => return Err(refused(&error)),
        Err(problem) => page::sentence(&problem),
    };
    let page = show(&console, &visitor, Some(problem), given.token, fields);
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page::respond(status, &page, &page.layout))
}

async fn attempt(
    console: &Console,
    visitor: &Visitor,
    given: &Submission,
) -> Result<Token, AccountError> {
    let (link, now) = (Token::presented(&given.token), console.clock().now());
    // Looked at first: whoever has no link makes no work of hashing passwords.
    let presented = link.clone();
    console
        .store()
        .read(move |tx| accounts::check_setup_link(tx, &presented, now))
        .await?;
    let password = Password::chosen(&given.password, &given.fields.username)?;
    if given.password != given.again {
        return Err(AccountError::Passwords);
    }
    let hash = match console.sign_in().hash(password).await {
        Ok(hash) => hash,
        Err(HashError::Password(error)) => return Err(error.into()),
        Err(HashError::Stopped) => return Err(crate::store::StoreError::Closed.into()),
    };
    let member = NewMember {
        username: given.fields.username.trim().to_owned(),
        firstname: given.fields.firstname.trim().to_owned(),
        lastname: given.fields.lastname.trim().to_owned(),
        email: given.fields.email.trim().to_owned(),
        role: AccountRole::Administrator,
        person: None,
    };
    let browser = visitor.browser();
    let before = visitor.live().map(|live| live.session.id);
    let begun = console
        .store()
        .write(move |tx| -> Result<_, AccountError> {
            let account = accounts::add_first(tx, &link, &member, &hash, now)?;
            let actor = Actor {
                name: member.username.clone(),
                origin: browser.address.clone(),
            };
            let deed = Deed {
                action: "first administrator made",
                object: &member.username,
                details: "by the link in the log",
            };
            audit::note(tx, &actor, &deed, now)?;
            let who = SignedIn::Account { account };
            let (token, _) = session::begin(tx, who, &browser, before, now)?;
            Ok(token)
        })
        .await?;
    console
        .sso()
        .end_at_peers_later(before.into_iter().collect());
    Ok(begun)
}

fn show(
    console: &Console,
    visitor: &Visitor,
    problem: Option<String>,
    token: String,
    form: Fields,
) -> Page {
    Page {
        layout: Layout::new(console, visitor, Place::Elsewhere, "Set up this site"),
        problem,
        token,
        form,
        min_length: MIN_LENGTH,
    }
}

fn refused(error: &AccountError) -> WebError {
    match error {
        AccountError::SetupLink => WebError::Unusable(page::sentence(error)),
        error => WebError::internal(error),
    }
}
