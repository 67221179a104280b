//! Browsers that are signed in.

use rusqlite::{Row, params};
use serde::Serialize;

use super::error::StoreError;
use super::ids::{AccountId, PeerId, PersonId, SessionId, words};
use super::page::{Conditions, Page};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

words! {
    /// How a session ended.
    SessionEnd {
        /// Its user signed out.
        SignOut = "sign-out",
        /// The peer that vouched for its user ended it.
        Peer = "peer",
        /// An administrator ended it.
        Administrator = "administrator",
        /// It was idle for too long, or its time was over.
        Expiry = "expiry",
        /// Somebody signed in in the same browser.
        AnotherSignIn = "another sign-in",
        /// The account's password was changed, or the account or the right to sign in was taken away.
        Account = "account",
    }
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum SignedIn {
    /// By an account of this site.
    Account {
        /// The account.
        account: AccountId,
    },
    /// A person for whom a peer vouched.
    Person {
        /// The person.
        person: PersonId,
        /// The peer.
        peer: PeerId,
    },
}

/// A row of `session`, without what its cookie holds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Session {
    /// The row.
    pub id: SessionId,
    /// Who is signed in.
    pub who: SignedIn,
    /// SHA-1 of the browser's User-Agent, in hex.
    pub user_agent: String,
    /// The address it was begun from.
    pub address: String,
    /// When it was begun.
    pub started_at: UnixTime,
    /// The last request, to the minute.
    pub seen_at: UnixTime,
    /// When it ends whatever is heard.
    pub expires_at: UnixTime,
    /// When it was last told to the peer that vouched.
    pub told_at: Option<UnixTime>,
    /// Since when it is over.
    pub ended_at: Option<UnixTime>,
}

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// SHA-256 of what the cookie holds.
    pub token_hash: &'a [u8; 32],
    /// Who is signed in.
    pub who: SignedIn,
    /// SHA-1 of the browser's User-Agent, in hex.
    pub user_agent: &'a str,
    /// The address it is begun from.
    pub address: &'a str,
    /// When it ends whatever is heard.
    pub expires_at: UnixTime,
}

/// Which sessions to list or end. All conditions must hold; the default is every one that is alive.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter<'a> {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of this person.
    pub person: Option<PersonId>,
    /// For whose users this peer vouched.
    pub peer: Option<PeerId>,
    /// Begun by a browser with this User-Agent (SHA-1 in hex).
    pub user_agent: Option<&'a str>,
}

impl SessionFilter<'_> {
    /// The sessions of a person.
    #[must_use]
    pub fn of_person(person: PersonId) -> Self {
        Self {
            person: Some(person),
            ..Self::default()
        }
    }

    /// The sessions of those for whom a peer vouched.
    #[must_use]
    pub fn of_peer(peer: PeerId) -> Self {
        Self {
            peer: Some(peer),
            ..Self::default()
        }
    }
}

macro_rules! select_session {
    ($rest:literal) => {
        concat!(
            "SELECT session.id, session.account, session.person, session.peer, session.user_agent, ",
            "session.address, session.started_at, session.seen_at, session.expires_at, ",
            "session.told_at, session.ended_at",
            $rest
        )
    };
}

/// Begins a session.
///
/// # Errors
/// When the database cannot be written.
pub fn insert(
    tx: &WriteTx<'_>,
    new: &NewSession<'_>,
    now: UnixTime,
) -> Result<SessionId, StoreError> {
    let (account, person, peer) = columns(new.who);
    let id = tx.insert(
        "INSERT INTO session (token_hash, account, person, peer, user_agent, address, started_at, \
         seen_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
        params![
            new.token_hash,
            account,
            person,
            peer,
            new.user_agent,
            new.address,
            now,
            new.expires_at
        ],
    )?;
    Ok(SessionId(id))
}

/// The session whose cookie has this hash, alive or not.
///
/// # Errors
/// When the database cannot be read.
pub fn find(tx: &ReadTx<'_>, token_hash: &[u8; 32]) -> Result<Option<Session>, StoreError> {
    tx.one(
        select_session!(" FROM session WHERE token_hash = ?1"),
        [token_hash],
        from_row,
    )
}

/// The session in row `id`, alive or not.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: SessionId) -> Result<Option<Session>, StoreError> {
    tx.one(
        select_session!(" FROM session WHERE id = ?1"),
        [id],
        from_row,
    )
}

/// A page of sessions that have not been ended; some may be over their time.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    tx: &ReadTx<'_>,
    filter: &SessionFilter<'_>,
    page: Page,
) -> Result<Vec<Session>, StoreError> {
    let mut conditions = Conditions::new(select_session!(" FROM session"), "session.id", page);
    conditions
        .plain("session.ended_at IS NULL")
        .with("session.account = ?", filter.account)
        .with("session.person = ?", filter.person)
        .with("session.peer = ?", filter.peer)
        .with(
            "session.user_agent = ?",
            filter.user_agent.map(str::to_owned),
        );
    conditions.list(tx, "session.id", page, from_row)
}

/// Notes that a session was heard of.
///
/// # Errors
/// When the database cannot be written.
pub fn note_seen(tx: &WriteTx<'_>, id: SessionId, now: UnixTime) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE session SET seen_at = max(seen_at, ?2) WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

/// Notes that the peer that vouched was told that a session lives.
///
/// # Errors
/// When the database cannot be written.
pub fn note_told(tx: &WriteTx<'_>, id: SessionId, now: UnixTime) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE session SET told_at = ?2 WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

/// Ends a session; `false`: it was over already.
///
/// # Errors
/// When the database cannot be written.
pub fn end(
    tx: &WriteTx<'_>,
    id: SessionId,
    how: SessionEnd,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE session SET ended_at = ?2, ended_by = ?3 WHERE id = ?1 AND ended_at IS NULL",
        params![id, now, how],
    )?;
    Ok(changed > 0)
}

/// Ends every session of a person.
///
/// # Errors
/// When the database cannot be written.
pub fn end_all_of_person(
    tx: &WriteTx<'_>,
    person: PersonId,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE session SET ended_at = ?2, ended_by = ?3 WHERE person = ?1 AND ended_at IS NULL",
        params![person, now, SessionEnd::Account],
    )?;
    Ok(())
}

/// Ends every session that was idle since `idle_since` or is over its time; how many those were.
///
/// # Errors
/// When the database cannot be written.
pub fn end_expired(
    tx: &WriteTx<'_>,
    idle_since: UnixTime,
    now: UnixTime,
) -> Result<usize, StoreError> {
    tx.execute(
        "UPDATE session SET ended_at = ?2, ended_by = 'expiry' \
         WHERE ended_at IS NULL AND (seen_at < ?1 OR expires_at <= ?2)",
        params![idle_since, now],
    )
}

/// Forgets sessions that ended before `before`, and where they were used; how many. At most `number` of
/// the oldest rows are looked at: no session lasts long, so that those that began first end first.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_ended(tx: &WriteTx<'_>, before: UnixTime, number: u32) -> Result<usize, StoreError> {
    let old: Vec<SessionId> = tx.all(
        "SELECT id FROM (SELECT id, ended_at FROM session ORDER BY id LIMIT ?2) \
         WHERE ended_at < ?1",
        params![before, number],
        |row| row.get(0),
    )?;
    for id in &old {
        tx.execute("DELETE FROM jump WHERE session = ?1", [id])?;
        tx.execute("DELETE FROM session_at_peer WHERE session = ?1", [id])?;
        tx.execute("DELETE FROM session WHERE id = ?1", [id])?;
    }
    Ok(old.len())
}

fn columns(who: SignedIn) -> (Option<AccountId>, Option<PersonId>, Option<PeerId>) {
    match who {
        SignedIn::Account { account } => (Some(account), None, None),
        SignedIn::Person { person, peer } => (None, Some(person), Some(peer)),
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    let account: Option<AccountId> = row.get(1)?;
    let who = match account {
        Some(account) => SignedIn::Account { account },
        None => SignedIn::Person {
            person: row.get(2)?,
            peer: row.get(3)?,
        },
    };
    Ok(Session {
        id: row.get(0)?,
        who,
        user_agent: row.get(4)?,
        address: row.get(5)?,
        started_at: row.get(6)?,
        seen_at: row.get(7)?,
        expires_at: row.get(8)?,
        told_at: row.get(9)?,
        ended_at: row.get(10)?,
    })
}
