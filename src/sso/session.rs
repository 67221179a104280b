//! Sessions: begun at sign-in with a fresh token, found by it, ended by limits or by somebody.

use openssl::error::ErrorStack;
use thiserror::Error;

use super::service::IDENTITY_PROVIDER;
use super::token::Token;
use crate::clock::UnixTime;
use crate::store::accounts::{self, Account};
use crate::store::peers;
use crate::store::people::{self, Person};
use crate::store::sessions::{self, NewSession, Session, SessionEnd, SessionFilter, SignedIn};
use crate::store::{MAX_PAGE, Page, PeerId, ReadTx, SessionId, StoreError, WriteTx};

/// After how many seconds without a request a session ends: a school day's longest pause.
pub const IDLE_LIMIT: i64 = 2 * 3600;

/// After how many seconds a session ends whatever happens: a working day.
pub const ABSOLUTE_LIMIT: i64 = 12 * 3600;

/// How many seconds may pass before another request is noted as the last one: not each page has to
/// wait for the disk.
const SEEN_STEP: i64 = 60;

/// The browser a session is begun in.
#[derive(Clone, Debug)]
pub struct Browser {
    /// SHA-1 of its User-Agent in hex ([`super::user_agent_hash`]).
    pub user_agent: String,
    /// The address it comes from.
    pub address: String,
}

/// A session that is alive, with the one who is signed in.
#[derive(Clone, Debug)]
pub struct Live {
    /// The session.
    pub session: Session,
    /// Whose it is.
    pub user: User,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub enum User {
    /// By an account of this site.
    Account(Account),
    /// A person for whom a peer vouched.
    Person(Person),
}

/// Why no session could be begun.
#[derive(Debug, Error)]
pub enum SessionError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] ErrorStack),
}

/// Begins a session, and ends the one that was alive in the same browser. The token is always a new
/// one, so that nobody can plant a known one beforehand.
///
/// # Errors
/// When the database or the system's random numbers fail.
pub fn begin(
    tx: &WriteTx<'_>,
    who: SignedIn,
    browser: &Browser,
    before: Option<SessionId>,
    now: UnixTime,
) -> Result<(Token, SessionId), SessionError> {
    if let Some(before) = before {
        sessions::end(tx, before, SessionEnd::AnotherSignIn, now)?;
    }
    let token = Token::generate()?;
    let new = NewSession {
        token_hash: &token.hash(),
        who,
        user_agent: &browser.user_agent,
        address: &browser.address,
        expires_at: now.plus(ABSOLUTE_LIMIT),
    };
    let id = sessions::insert(tx, &new, now)?;
    if let SignedIn::Account { account } = who {
        accounts::note_sign_in(tx, account, now)?;
    }
    Ok((token, id))
}

/// The session that `token` opens, if it is alive and its user may still be signed in.
///
/// # Errors
/// When the database cannot be read.
pub fn find(tx: &ReadTx<'_>, token: &Token, now: UnixTime) -> Result<Option<Live>, StoreError> {
    let Some(session) = sessions::find(tx, &token.hash())? else {
        return Ok(None);
    };
    if !is_alive(&session, now) {
        return Ok(None);
    }
    let user = user(tx, session.who, now)?;
    Ok(user.map(|user| Live { session, user }))
}

/// The user of a session, if they may still be signed in: an account that is in use; a person with the
/// right to sign in, whose peer we still let vouch for its users.
fn user(tx: &ReadTx<'_>, who: SignedIn, now: UnixTime) -> Result<Option<User>, StoreError> {
    match who {
        SignedIn::Account { account } => Ok(accounts::get(tx, account)?
            .filter(|account| account.disabled_at.is_none())
            .map(User::Account)),
        SignedIn::Person { person, peer } => {
            if may_vouch(tx, peer)? && people::may_sign_in(tx, person, now)? {
                Ok(people::get(tx, person)?.map(User::Person))
            } else {
                Ok(None)
            }
        }
    }
}

/// Whether a peer is one still, and we take its word for who its users are.
fn may_vouch(tx: &ReadTx<'_>, peer: PeerId) -> Result<bool, StoreError> {
    let is_peer = peers::get(tx, peer)?.is_some_and(|peer| peer.removed_at.is_none());
    let agreed = peers::services(tx, peer)?;
    Ok(is_peer
        && agreed
            .iter()
            .any(|right| right.service == IDENTITY_PROVIDER.name && right.subscribe))
}

/// Ends those of the sessions that `filter` picks whose user may not be signed in any more, so that none
/// of them comes back with a right that is given again later; how many those were.
///
/// # Errors
/// When the database fails.
pub fn end_those_without_right(
    tx: &WriteTx<'_>,
    filter: &SessionFilter<'_>,
    now: UnixTime,
) -> Result<usize, StoreError> {
    let mut page = Page {
        after: None,
        limit: MAX_PAGE,
    };
    let mut ended = 0;
    loop {
        let sessions = sessions::list(tx, filter, page)?;
        let Some(last) = sessions.last() else {
            return Ok(ended);
        };
        page = page.following(last.id.0);
        for session in &sessions {
            if user(tx, session.who, now)?.is_none() {
                sessions::end(tx, session.id, SessionEnd::Account, now)?;
                ended += 1;
            }
        }
    }
}

/// Whether a session is alive: not ended, not idle for too long, not over its time.
#[must_use]
pub fn is_alive(session: &Session, now: UnixTime) -> bool {
    session.ended_at.is_none()
        && now < session.expires_at
        && now.since(session.seen_at) < IDLE_LIMIT
}

/// Whether a request at `now` is to be noted as the session's last.
#[must_use]
pub fn is_worth_noting(session: &Session, now: UnixTime) -> bool {
    now.since(session.seen_at) >= SEEN_STEP
}

/// Ends what is over its time; how many sessions those were.
///
/// # Errors
/// When the database cannot be written.
pub fn end_expired(tx: &WriteTx<'_>, now: UnixTime) -> Result<usize, StoreError> {
    sessions::end_expired(tx, now.plus(-IDLE_LIMIT), now)
}

impl User {
    /// The name others know them by.
    #[must_use]
    pub fn full_name(&self) -> String {
        match self {
            Self::Account(account) => format!("{} {}", account.firstname, account.lastname),
            Self::Person(person) => {
                format!("{} {}", person.fields.firstname, person.fields.lastname)
            }
        }
    }

    /// The username.
    #[must_use]
    pub fn username(&self) -> &str {
        match self {
            Self::Account(account) => &account.username,
            Self::Person(person) => &person.fields.username,
        }
    }
}
