//! Who asks.
//!
//! A request is looked at once; handlers say by the type of an argument whom they let in.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::Method;
use axum::http::header::{HeaderMap, HeaderValue, USER_AGENT};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use openssl::sha::sha256;

use super::Console;
use super::cookies::Cookie;
use super::error::WebError;
use super::page::{self, CameFrom};
use crate::rpc::client_address;
use crate::sso::session::{self, Browser, Live, User};
use crate::sso::{Token, user_agent_hash};
use crate::store::accounts::AccountRole;
use crate::store::audit::Actor;
use crate::store::sessions::{self, SignedIn};
use crate::store::{Author, PersonId, ReadTx, StoreError, peers};

/// What a visitor may see, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nobody is signed in.
    Nobody,
    /// What is their own.
    Member,
    /// Everything.
    Reader,
    /// Everything, and may change it.
    Administrator,
}

/// Somebody who asks, signed in or not.
#[derive(Clone, Debug)]
pub struct Visitor {
    look: Arc<Look>,
}

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Member(Visitor);

/// Somebody who may see the register: an administrator or a reader.
#[derive(Clone, Debug)]
pub struct Staff(Visitor);

/// Somebody who may change things.
#[derive(Clone, Debug)]
pub struct Administrator(Visitor);

/// What a first look at a request shows.
#[derive(Debug)]
struct Look {
    address: IpAddr,
    user_agent: String,
    live: Option<Live>,
    came_from: Option<CameFrom>,
    notice: Option<String>,
    csrf: String,
    new_visit: Option<String>,
}

impl Visitor {
    /// The session, where somebody is signed in.
    #[must_use]
    pub fn live(&self) -> Option<&Live> {
        self.look.live.as_ref()
    }

    /// What the visitor may see.
    #[must_use]
    pub fn access(&self) -> Access {
        match self.live().map(|live| &live.user) {
            None => Access::Nobody,
            Some(User::Person(_)) => Access::Member,
            Some(User::Account(account)) => match account.role {
                AccountRole::Member => Access::Member,
                AccountRole::Reader => Access::Reader,
                AccountRole::Administrator => Access::Administrator,
            },
        }
    }

    /// Whom the visitor stands for in the register: the person a peer vouches for, or the one an account
    /// was made for.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        match &self.live()?.user {
            User::Person(person) => Some(person.id),
            User::Account(account) => account.person,
        }
    }

    /// Where the request comes from.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.look.address
    }

    /// The browser, as a session is begun in it.
    #[must_use]
    pub fn browser(&self) -> Browser {
        Browser {
            user_agent: self.look.user_agent.clone(),
            address: self.look.address.to_string(),
        }
    }

    /// The peer the visitor came from by single sign-on.
    #[must_use]
    pub fn came_from(&self) -> Option<&CameFrom> {
        self.look.came_from.as_ref()
    }

    /// What the last form did.
    #[must_use]
    pub fn notice(&self) -> Option<&str> {
        self.look.notice.as_deref()
    }

    /// The token that every form of this visitor's carries.
    #[must_use]
    pub fn csrf(&self) -> &str {
        &self.look.csrf
    }

    /// The cookie to be set so that forms of somebody not signed in can be recognised.
    #[must_use]
    pub fn new_visit(&self) -> Option<&str> {
        self.look.new_visit.as_deref()
    }
}

impl Administrator {
    /// Who this is, for the audit log.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor {
            name: self.username().to_owned(),
            origin: self.0.address().to_string(),
        }
    }

    /// Who this is, for the histories of the register.
    #[must_use]
    pub fn author(&self) -> Author {
        Author::Admin {
            name: self.username().to_owned(),
        }
    }

    fn username(&self) -> &str {
        self.0
            .live()
            .map(|live| live.user.username())
            .unwrap_or_default()
    }
}

impl Member {
    /// The session.
    ///
    /// # Errors
    /// Never: a member is signed in. The type has no room for that.
    pub fn session(&self) -> Result<&Live, WebError> {
        self.0.live().ok_or(WebError::Internal)
    }
}

impl FromRequestParts<Console> for Visitor {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, console: &Console) -> Result<Self, WebError> {
        // Looked at before, on the way in.
        if let Some(visitor) = parts.extensions.get::<Self>() {
            return Ok(visitor.clone());
        }
        let visitor = Self {
            look: Arc::new(look(parts, console).await?),
        };
        parts.extensions.insert(visitor.clone());
        Ok(visitor)
    }
}

/// A guard: lets a visitor in who has at least a certain access.
macro_rules! guards {
    ($($guard:ident: $access:expr, $whom:literal;)+) => {$(
        impl std::ops::Deref for $guard {
            type Target = Visitor;

            fn deref(&self) -> &Visitor {
                &self.0
            }
        }

        impl FromRequestParts<Console> for $guard {
            type Rejection = Response;

            async fn from_request_parts(
                parts: &mut Parts,
                console: &Console,
            ) -> Result<Self, Response> {
                let visitor = admit(parts, console, $access, $whom).await?;
                Ok(Self(visitor))
            }
        }
    )+};
}

guards! {
    Member: Access::Member, "people who are signed in";
    Staff: Access::Reader, "the school’s office: administrators and readers";
    Administrator: Access::Administrator, "administrators";
}

async fn admit(
    parts: &mut Parts,
    console: &Console,
    needed: Access,
    whom: &'static str,
) -> Result<Visitor, Response> {
    let visitor = Visitor::from_request_parts(parts, console)
        .await
        .map_err(IntoResponse::into_response)?;
    if visitor.access() >= needed {
        return Ok(visitor);
    }
    if visitor.access() > Access::Nobody {
        return Err(WebError::Forbidden(whom).into_response());
    }
    // Back to the page afterwards, unless it was a form: that has to be filled in again. The path of the
    // wwwroot was taken off on the way in.
    let wanted = match parts.method {
        Method::GET => parts.uri.path_and_query().map_or("/", |path| path.as_str()),
        _ => "/",
    };
    let next: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    Err(page::see_other(
        console,
        &format!("/sign-in?next={next}"),
        None,
    ))
}

async fn look(parts: &Parts, console: &Console) -> Result<Look, WebError> {
    let headers = &parts.headers;
    let connected = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::from([0, 0, 0, 0]), |info| info.0.ip());
    let token = Cookie::Session
        .read(headers, console.wwwroot())
        .map(|text| Token::presented(&text));
    let signed_in = match &token {
        Some(token) => find_session(console, token.clone()).await?,
        None => None,
    };
    let (live, came_from) = match signed_in {
        Some((live, came_from)) => (Some(live), came_from),
        None => (None, None),
    };
    let visit = Cookie::Visit.read(headers, console.wwwroot());
    let (secret, new_visit) = match (&live, token, visit) {
        (Some(_), Some(token), _) => (token.reveal().to_owned(), None),
        (_, _, Some(visit)) => (visit, None),
        _ => {
            let visit = Token::generate().map_err(|error| WebError::internal(&error))?;
            (visit.reveal().to_owned(), Some(visit.reveal().to_owned()))
        }
    };
    Ok(Look {
        address: client_address(connected, headers, console.trusted_proxies()),
        user_agent: user_agent(headers),
        live,
        came_from,
        notice: notice(headers, console),
        csrf: csrf(&secret),
        new_visit,
    })
}

async fn find_session(
    console: &Console,
    token: Token,
) -> Result<Option<(Live, Option<CameFrom>)>, WebError> {
    let now = console.clock().now();
    let found = console
        .store()
        .read(move |tx| -> Result<_, StoreError> {
            let Some(live) = session::find(tx, &token, now)? else {
                return Ok(None);
            };
            let came_from = came_from(tx, &live)?;
            Ok(Some((live, came_from)))
        })
        .await?;
    if let Some((live, _)) = &found
        && session::is_worth_noting(&live.session, now)
    {
        let id = live.session.id;
        console
            .store()
            .write_behind(move |tx| sessions::note_seen(tx, id, now));
    }
    Ok(found)
}

fn came_from(tx: &ReadTx<'_>, live: &Live) -> Result<Option<CameFrom>, StoreError> {
    let SignedIn::Person { peer, .. } = live.session.who else {
        return Ok(None);
    };
    let peer = peers::get(tx, peer)?;
    Ok(peer.map(|peer| CameFrom {
        name: peer.name,
        url: peer.wwwroot,
    }))
}

fn user_agent(headers: &HeaderMap) -> String {
    let raw = headers.get(USER_AGENT).map(HeaderValue::as_bytes);
    user_agent_hash(raw.unwrap_or_default())
}

fn notice(headers: &HeaderMap, console: &Console) -> Option<String> {
    let value = Cookie::Notice.read(headers, console.wwwroot())?;
    let (text, _) = url::form_urlencoded::parse(value.as_bytes()).next()?;
    Some(text.into_owned()).filter(|text| !text.is_empty())
}

/// Made from the secret in the cookie, so that nothing has to be stored, and another site, which cannot
/// read the cookie, cannot make it.
fn csrf(secret: &str) -> String {
    hex::encode(sha256(format!("mnetd form {secret}").as_bytes()))
}
