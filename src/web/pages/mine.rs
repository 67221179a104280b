//! What belongs to the one who is signed in.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::get;
use serde::Deserialize;

use crate::clock::UnixTime;
use crate::register;
use crate::sso::password::MIN_LENGTH;
use crate::sso::session::User;
use crate::sso::{AccountError, HashError, Password, SignInError, accounts};
use crate::store::accounts::Account;
use crate::store::audit::{self, Actor, Deed};
use crate::store::enrolments::Role;
use crate::store::lists;
use crate::store::people::{self, Person};
use crate::store::{PersonId, ReadTx, SectionId, StoreError};
use crate::web::page::{self, Layout, Place};
use crate::web::{Console, Member, Submitted, WebError};

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/mine", get(mine))
        .route("/mine/password", get(password_form).post(set_password))
}

#[derive(Template)]
#[template(path = "pages/mine.html")]
struct Page {
    layout: Layout,
    account: Option<Account>,
    person: Option<Person>,
    sections: Vec<MySection>,
}

struct MySection {
    section: SectionId,
    name: String,
    segments: Vec<String>,
    role: Role,
    status: String,
    /// Whether they may see its gradebook.
    teaches: bool,
}

#[derive(Template)]
#[template(path = "pages/my_password.html")]
struct PasswordPage {
    layout: Layout,
    problem: Option<String>,
    min_length: usize,
}

#[derive(Deserialize)]
struct PasswordForm {
    old: String,
    password: String,
    again: String,
}

async fn mine(State(console): State<Console>, member: Member) -> Result<Response<Body>, WebError> {
    let user = &member.session()?.user;
    let account = match user {
        User::Account(account) => Some(account.clone()),
        User::Person(_) => None,
    };
    let now = console.clock().now();
    let (person, sections) = match member.person() {
        Some(id) => {
            let read = console.store().read(move |tx| -> Result<_, StoreError> {
                Ok((people::get(tx, id)?, my_sections(tx, id, now)?))
            });
            read.await?
        }
        None => (None, Vec::new()),
    };
    let page = Page {
        layout: Layout::new(&console, &member, Place::Mine, user.full_name()),
        account,
        person,
        sections,
    };
    Ok(page::ok(&page, &page.layout))
}

/// The sections somebody is or was enrolled in, and those that were only given to them.
fn my_sections(
    tx: &ReadTx<'_>,
    person: PersonId,
    now: UnixTime,
) -> Result<Vec<MySection>, StoreError> {
    let mut mine = Vec::new();
    for row in lists::sections_of_person(tx, person, now)? {
        let teaches = row.role == Role::Teacher && register::teaches(tx, row.section, person, now)?;
        mine.push(MySection {
            section: row.section,
            name: row.name,
            segments: row.segments,
            role: row.role,
            status: row.status.title,
            teaches,
        });
    }
    for given in lists::sections_given_to(tx, person)? {
        let is_enrolled =
            |row: &MySection| row.section == given.section && row.role == Role::Teacher;
        if mine.iter().any(is_enrolled) {
            continue;
        }
        mine.push(MySection {
            teaches: register::teaches(tx, given.section, person, now)?,
            section: given.section,
            name: given.name,
            segments: given.segments,
            role: Role::Teacher,
            status: "given".to_owned(),
        });
    }
    mine.sort_by_key(|row| std::cmp::Reverse(row.section));
    Ok(mine)
}

async fn password_form(
    State(console): State<Console>,
    member: Member,
) -> Result<Response<Body>, WebError> {
    own_account(&member)?;
    let page = password_page(&console, &member, None);
    Ok(page::ok(&page, &page.layout))
}

async fn set_password(
    State(console): State<Console>,
    member: Member,
    Submitted(form): Submitted<PasswordForm>,
) -> Result<Response<Body>, WebError> {
    let account = own_account(&member)?;
    let problem = match change(&console, &member, account, &form).await {
        Ok(()) => {
            let notice = Some("Your password is changed; your other sessions are ended.");
            return Ok(page::see_other(&console, "/mine", notice));
        }
        Err(Change::Account(AccountError::Store(error))) => return Err(error.into()),
        Err(Change::Account(problem)) => page::sentence(&problem),
        Err(Change::Old(problem @ (SignInError::Wrong | SignInError::TooMany(_)))) => {
            format!("The present password: {problem}.")
        }
        Err(Change::Old(error)) => return Err(WebError::internal(&error)),
    };
    let page = password_page(&console, &member, Some(problem));
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Ok(page::respond(status, &page, &page.layout))
}

/// Why a password stays as it is.
enum Change {
    Old(SignInError),
    Account(AccountError),
}

async fn change(
    console: &Console,
    member: &Member,
    account: &Account,
    form: &PasswordForm,
) -> Result<(), Change> {
    let chosen = Password::chosen(&form.password, &account.username)
        .map_err(|error| Change::Account(error.into()))?;
    if form.password != form.again {
        return Err(Change::Account(AccountError::Passwords));
    }
    // Whoever finds a browser signed in must not be able to keep its owner out.
    let old = Password::typed(&form.old);
    console
        .sign_in()
        .check(&account.username, old, member.address())
        .await
        .map_err(Change::Old)?;
    let hash = console.sign_in().hash(chosen).await;
    let hash = hash.map_err(|error| match error {
        HashError::Password(error) => Change::Account(error.into()),
        HashError::Stopped => Change::Old(SignInError::Stopped),
    })?;
    let (id, name, now) = (account.id, account.username.clone(), console.clock().now());
    let kept = member.live().map(|live| live.session.id);
    let actor = Actor {
        name: name.clone(),
        origin: member.address().to_string(),
    };
    let written = console
        .store()
        .write(move |tx| -> Result<_, StoreError> {
            let ended = accounts::set_password(tx, id, &hash, kept, now)?;
            let deed = Deed {
                action: "password changed",
                object: &name,
                details: "by its owner",
            };
            audit::note(tx, &actor, &deed, now)?;
            Ok(ended)
        })
        .await;
    let ended = written.map_err(|error| Change::Account(error.into()))?;
    console.sso().end_at_peers_later(ended);
    Ok(())
}

fn own_account(member: &Member) -> Result<&Account, WebError> {
    match &member.session()?.user {
        User::Account(account) => Ok(account),
        User::Person(_) => Err(WebError::Forbidden("people with a password here")),
    }
}

fn password_page(console: &Console, member: &Member, problem: Option<String>) -> PasswordPage {
    PasswordPage {
        layout: Layout::new(console, member, Place::Mine, "Change your password"),
        problem,
        min_length: MIN_LENGTH,
    }
}
