//! Accounts of this site, sessions, and the page that leads to all that is an administrator's.

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::Value as Json;

use crate::clock::UnixTime;
use crate::sso::password::MIN_LENGTH;
use crate::sso::{
    AccountError, Ending, HashError, NewMember, Password, accounts as rules, session,
};
use crate::store::accounts::{self, Account, AccountRole};
use crate::store::lists::ROWS;
use crate::store::people;
use crate::store::sessions::{self, Session, SessionEnd, SessionFilter, SignedIn};
use crate::store::sign_on::{self, KeptLogEntry};
use crate::store::{AccountId, Page, PeerId, PersonId, ReadTx, SessionId, StoreError};
use crate::web::extract::{Path, Query};
use crate::web::hand::Hand;
use crate::web::page::{self, Layout, Place};
use crate::web::pager::Pager;
use crate::web::show::PeerNames;
use crate::web::{Administrator, Console, NoFields, Submitted, WebError};

/// How many of the entries that peers told of an account are shown: some days' worth on one page.
const TOLD_SHOWN: u32 = 50;

pub fn routes() -> Router<Console> {
    Router::new()
        .route("/administration", get(administration))
        .route("/accounts", get(list))
        .route("/accounts/new", get(new_form).post(make))
        .route("/accounts/{id}", get(account).post(change))
        .route("/accounts/{id}/password", post(set_password))
        .route("/accounts/{id}/disabled", post(set_disabled))
        .route("/sessions", get(list_sessions))
        .route("/sessions/{id}/end", post(end_session))
}

#[derive(Template)]
#[template(path = "pages/administration.html")]
struct AdministrationPage {
    layout: Layout,
}

#[derive(Deserialize)]
struct From {
    after: Option<i64>,
}

#[derive(Template)]
#[template(path = "pages/accounts.html")]
struct ListPage {
    layout: Layout,
    accounts: Vec<Account>,
    pager: Pager,
}

#[derive(Clone, Debug, Default, Deserialize)]
struct Fields {
    #[serde(default)]
    username: String,
    firstname: String,
    lastname: String,
    email: String,
    role: String,
    /// The row number of the person of the register whose account it is.
    #[serde(default)]
    person: String,
}

#[derive(Template)]
#[template(path = "pages/account_new.html")]
struct NewPage {
    layout: Layout,
    problem: Option<String>,
    form: Fields,
    roles: &'static [AccountRole],
    min_length: usize,
}

#[derive(Deserialize)]
struct Prefilled {
    person: Option<i64>,
}

#[derive(Deserialize)]
struct NewForm {
    #[serde(flatten)]
    fields: Fields,
    password: String,
    again: String,
}

#[derive(Template)]
#[template(path = "pages/account.html")]
struct AccountPage {
    layout: Layout,
    problem: Option<String>,
    account: Account,
    form: Fields,
    roles: &'static [AccountRole],
    min_length: usize,
    told: Vec<ToldRow>,
    peers: PeerNames,
}

/// What a peer told of an account in its log.
struct ToldRow {
    peer: Option<PeerId>,
    at: UnixTime,
    course: String,
    what: String,
}

#[derive(Deserialize)]
struct PasswordForm {
    password: String,
    again: String,
}

#[derive(Deserialize)]
struct DisabledForm {
    disabled: String,
}

#[derive(Template)]
#[template(path = "pages/sessions.html")]
struct SessionsPage {
    layout: Layout,
    rows: Vec<SessionRow>,
    peers: PeerNames,
    own: Option<SessionId>,
    pager: Pager,
}

struct SessionRow {
    session: Session,
    username: String,
    name: String,
    peer: Option<PeerId>,
}

async fn administration(
    State(console): State<Console>,
    administrator: Administrator,
) -> Response<Body> {
    let page = AdministrationPage {
        layout: Layout::new(
            &console,
            &administrator,
            Place::Administration,
            "Administration",
        ),
    };
    page::ok(&page, &page.layout)
}

async fn list(
    State(console): State<Console>,
    administrator: Administrator,
    Query(from): Query<From>,
) -> Result<Response<Body>, WebError> {
    let wanted = Page {
        after: from.after,
        limit: ROWS,
    };
    let accounts = console
        .store()
        .read(move |tx| accounts::list(tx, wanted))
        .await?;
    let later = accounts.last().filter(|_| accounts.len() == ROWS as usize);
    let pager = Pager {
        earlier: None,
        later: later.map(|last| format!("{}/accounts?after={}", console.base(), last.id.0)),
    };
    let page = ListPage {
        layout: Layout::new(&console, &administrator, Place::Administration, "Accounts"),
        accounts,
        pager,
    };
    Ok(page::ok(&page, &page.layout))
}

async fn new_form(
    State(console): State<Console>,
    administrator: Administrator,
    Query(prefilled): Query<Prefilled>,
) -> Result<Response<Body>, WebError> {
    let form = match prefilled.person {
        Some(id) => fields_of(&console, PersonId(id)).await?,
        None => Fields::default(),
    };
    let page = new_page(&console, &administrator, form, None);
    Ok(page::ok(&page, &page.layout))
}

/// What the register knows of a person who is to have an account.
async fn fields_of(console: &Console, id: PersonId) -> Result<Fields, WebError> {
    let person = console.store().read(move |tx| people::get(tx, id)).await?;
    let person = person.ok_or(WebError::NotFound)?;
    Ok(Fields {
        username: person.fields.username.to_lowercase(),
        firstname: person.fields.firstname,
        lastname: person.fields.lastname,
        email: person.fields.email,
        role: AccountRole::Member.as_str().to_owned(),
        person: id.0.to_string(),
    })
}

async fn make(
    State(console): State<Console>,
    administrator: Administrator,
    Submitted(form): Submitted<NewForm>,
) -> Result<Response<Body>, WebError> {
    match attempt(&console, &administrator, &form).await {
        Ok(id) => {
            let path = format!("/accounts/{}", id.0);
            Ok(page::see_other(
                &console,
                &path,
                Some("The account is made."),
            ))
        }
        Err(AccountError::Store(error)) => Err(error.into()),
        Err(problem) => {
            let problem = Some(page::sentence(&problem));
            let page = new_page(&console, &administrator, form.fields, problem);
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}

async fn attempt(
    console: &Console,
    administrator: &Administrator,
    form: &NewForm,
) -> Result<AccountId, AccountError> {
    let member = NewMember {
        username: form.fields.username.trim().to_owned(),
        firstname: form.fields.firstname.trim().to_owned(),
        lastname: form.fields.lastname.trim().to_owned(),
        email: form.fields.email.trim().to_owned(),
        role: AccountRole::from_word(&form.fields.role).unwrap_or(AccountRole::Member),
        person: form.fields.person.parse().ok().map(PersonId),
    };
    let hash = hash(console, &form.password, &form.again, &member.username).await?;
    let hand = Hand::of(administrator, console);
    console
        .store()
        .write(move |tx| {
            let id = rules::add(tx, &member, &hash, hand.now)?;
            hand.note(tx, "account added", &member.username, member.role.as_str())?;
            Ok(id)
        })
        .await
}

async fn account(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
) -> Result<Response<Body>, WebError> {
    let account = find(&console, id).await?;
    let page = account_page(&console, &administrator, account, None).await?;
    Ok(page::ok(&page, &page.layout))
}

async fn change(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<Fields>,
) -> Result<Response<Body>, WebError> {
    let account = find(&console, id).await?;
    let role = AccountRole::from_word(&form.role)
        .ok_or_else(|| WebError::Unusable("A role was expected.".to_owned()))?;
    let hand = Hand::of(&administrator, &console);
    let changed = account.clone();
    let done = console
        .store()
        .write(move |tx| -> Result<(), AccountError> {
            let before = accounts::get(tx, changed.id)?.unwrap_or(changed);
            let (first, last, email) = (
                form.firstname.trim(),
                form.lastname.trim(),
                form.email.trim(),
            );
            rules::change(tx, &before, first, last, email, role)?;
            let details = changes(&before, first, last, email, role);
            hand.note(tx, "account changed", &before.username, &details)?;
            Ok(())
        })
        .await;
    answer(&console, &administrator, account, done, "Saved.").await
}

/// What changes in an account, each as it was and as it is; empty: nothing.
fn changes(
    before: &Account,
    firstname: &str,
    lastname: &str,
    email: &str,
    role: AccountRole,
) -> String {
    let name_before = format!("{} {}", before.firstname, before.lastname);
    let name = format!("{firstname} {lastname}");
    [
        ("role", before.role.as_str(), role.as_str()),
        ("e-mail", &before.email, email),
        ("name", &name_before, &name),
    ]
    .into_iter()
    .filter(|(_, was, is)| was != is)
    .map(|(what, was, is)| format!("{what}: {was} → {is}"))
    .collect::<Vec<_>>()
    .join("; ")
}

async fn set_password(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<PasswordForm>,
) -> Result<Response<Body>, WebError> {
    let account = find(&console, id).await?;
    let hash = hash(&console, &form.password, &form.again, &account.username).await;
    let done = match hash {
        Err(problem) => Err(problem),
        Ok(hash) => {
            let (hand, changed) = (Hand::of(&administrator, &console), account.clone());
            let kept = administrator.live().map(|live| live.session.id);
            console
                .store()
                .write(move |tx| -> Result<_, AccountError> {
                    let ended = rules::set_password(tx, changed.id, &hash, kept, hand.now)?;
                    hand.note(tx, "password set", &changed.username, "")?;
                    Ok(ended)
                })
                .await
        }
    };
    let done = done.map(|ended| console.sso().end_at_peers_later(ended));
    let notice = "The password is set; sessions begun by the old one are ended.";
    answer(&console, &administrator, account, done, notice).await
}

async fn set_disabled(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(form): Submitted<DisabledForm>,
) -> Result<Response<Body>, WebError> {
    let account = find(&console, id).await?;
    let disabled = form.disabled == "yes";
    let (hand, changed) = (Hand::of(&administrator, &console), account.clone());
    let done = console
        .store()
        .write(move |tx| -> Result<_, AccountError> {
            let ended = rules::set_disabled(tx, &changed, disabled, hand.now)?;
            let action = if disabled {
                "account disabled"
            } else {
                "account enabled"
            };
            hand.note(tx, action, &changed.username, "")?;
            Ok(ended)
        })
        .await;
    let done = done.map(|ended| console.sso().end_at_peers_later(ended));
    let notice = if disabled {
        "Nobody can sign in by it any more; its sessions are ended."
    } else {
        "It can be signed in to again."
    };
    answer(&console, &administrator, account, done, notice).await
}

async fn list_sessions(
    State(console): State<Console>,
    administrator: Administrator,
    Query(from): Query<From>,
) -> Result<Response<Body>, WebError> {
    let now = console.clock().now();
    let wanted = Page {
        after: from.after,
        limit: ROWS,
    };
    let (rows, peers, last) = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let found = sessions::list(tx, &SessionFilter::default(), wanted)?;
            let last = found.last().filter(|_| found.len() == ROWS as usize);
            let last = last.map(|session| session.id.0);
            let live = found
                .into_iter()
                .filter(|found| session::is_alive(found, now));
            let rows = live
                .map(|session| session_row(tx, session))
                .collect::<Result<Vec<_>, _>>()?;
            Ok((rows, PeerNames::read(tx)?, last))
        })
        .await?;
    let pager = Pager {
        earlier: None,
        later: last.map(|last| format!("{}/sessions?after={last}", console.base())),
    };
    let page = SessionsPage {
        layout: Layout::new(&console, &administrator, Place::Administration, "Sessions"),
        rows,
        peers,
        own: administrator.live().map(|live| live.session.id),
        pager,
    };
    Ok(page::ok(&page, &page.layout))
}

fn session_row(tx: &ReadTx<'_>, session: Session) -> Result<SessionRow, StoreError> {
    let (named, peer) = match session.who {
        SignedIn::Account { account } => {
            let account = accounts::get(tx, account)?;
            let named = account.map(|account| {
                let name = format!("{} {}", account.firstname, account.lastname);
                (account.username, name)
            });
            (named, None)
        }
        SignedIn::Person { person, peer } => {
            let person = people::get(tx, person)?.map(|person| person.fields);
            let named = person.map(|person| {
                let name = format!("{} {}", person.firstname, person.lastname);
                (person.username, name)
            });
            (named, Some(peer))
        }
    };
    let (username, name) = named.unwrap_or_default();
    Ok(SessionRow {
        session,
        username,
        name,
        peer,
    })
}

async fn end_session(
    State(console): State<Console>,
    administrator: Administrator,
    Path(id): Path<i64>,
    Submitted(NoFields {}): Submitted<NoFields>,
) -> Result<Response<Body>, WebError> {
    let id = SessionId(id);
    let row = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let session = sessions::get(tx, id)?;
            session.map(|session| session_row(tx, session)).transpose()
        })
        .await?;
    let row = row.ok_or(WebError::NotFound)?;
    let noted = Ending {
        by: administrator.actor(),
        username: row.username,
        details: format!("begun from {}", row.session.address),
    };
    console
        .sso()
        .end_session(id, SessionEnd::Administrator, Some(noted))
        .await?;
    let notice = Some("The session is ended.");
    Ok(page::see_other(&console, "/sessions", notice))
}

async fn find(console: &Console, id: i64) -> Result<Account, WebError> {
    let account = console
        .store()
        .read(move |tx| accounts::get(tx, AccountId(id)))
        .await?;
    account.ok_or(WebError::NotFound)
}

async fn hash(
    console: &Console,
    password: &str,
    again: &str,
    username: &str,
) -> Result<String, AccountError> {
    let chosen = Password::chosen(password, username)?;
    if password != again {
        return Err(AccountError::Passwords);
    }
    match console.sign_in().hash(chosen).await {
        Ok(hash) => Ok(hash),
        Err(HashError::Password(error)) => Err(error.into()),
        Err(HashError::Stopped) => Err(StoreError::Closed.into()),
    }
}

/// Back to the account with what was done, or with what could not be.
async fn answer(
    console: &Console,
    administrator: &Administrator,
    account: Account,
    done: Result<(), AccountError>,
    notice: &str,
) -> Result<Response<Body>, WebError> {
    match done {
        Ok(()) => {
            let path = format!("/accounts/{}", account.id.0);
            Ok(page::see_other(console, &path, Some(notice)))
        }
        Err(AccountError::Store(error)) => Err(error.into()),
        Err(problem) => {
            let problem = Some(page::sentence(&problem));
            let page = account_page(console, administrator, account, problem).await?;
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page::respond(status, &page, &page.layout))
        }
    }
}

fn new_page(
    console: &Console,
    administrator: &Administrator,
    form: Fields,
    problem: Option<String>,
) -> NewPage {
    NewPage {
        layout: Layout::new(
            console,
            administrator,
            Place::Administration,
            "Make an account",
        ),
        problem,
        form,
        roles: AccountRole::ALL,
        min_length: MIN_LENGTH,
    }
}

async fn account_page(
    console: &Console,
    administrator: &Administrator,
    account: Account,
    problem: Option<String>,
) -> Result<AccountPage, WebError> {
    let id = account.id;
    let (told, peers) = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let told = sign_on::latest_log_entries(tx, id, TOLD_SHOWN)?;
            Ok((told, PeerNames::read(tx)?))
        })
        .await?;
    let title = format!("Account {}", account.username);
    Ok(AccountPage {
        layout: Layout::new(console, administrator, Place::Administration, title),
        told: told.into_iter().map(ToldRow::from).collect(),
        peers,
        problem,
        form: Fields {
            username: account.username.clone(),
            firstname: account.firstname.clone(),
            lastname: account.lastname.clone(),
            email: account.email.clone(),
            role: account.role.as_str().to_owned(),
            person: String::new(),
        },
        account,
        roles: AccountRole::ALL,
        min_length: MIN_LENGTH,
    })
}

impl std::convert::From<KeptLogEntry> for ToldRow {
    fn from(kept: KeptLogEntry) -> Self {
        let entry: Json = serde_json::from_str(&kept.entry).unwrap_or_default();
        let text = |name: &str| match &entry[name] {
            Json::String(text) => text.clone(),
            _ => String::new(),
        };
        Self {
            peer: Some(kept.peer),
            at: kept.at,
            course: text("coursename"),
            what: format!("{} {} {}", text("module"), text("action"), text("info")),
        }
    }
}
