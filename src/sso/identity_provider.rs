//! What peers ask and tell about our own accounts, whom we sent to them.
//!
//! A peer speaks only about sessions that are used there: every function looks those up by the calling
//! peer, so that nothing it says touches another peer's or an account that never went there.

use std::collections::HashSet;

use thiserror::Error;

use super::Token;
use super::session;
use crate::clock::UnixTime;
use crate::store::accounts::{self, Account};
use crate::store::peer_courses::{self, PeerCourseEnrolmentFilter, PeerCourseFields};
use crate::store::sessions::{self, SessionEnd, SignedIn};
use crate::store::{
    AccountId, MAX_PAGE, PeerCourseId, PeerId, ReadTx, SessionId, StoreError, WriteTx, people,
    sign_on,
};

/// The most log entries that are kept of one peer, the latest to come: some weeks of what a school's
/// users do at one site, and at 4 KiB each no more than 40 MiB.
pub const MAX_KEPT_ENTRIES: u32 = 10_000;

/// The most courses of one peer that are known without being offered: as many as a peer may offer
/// ([`crate::enrol::MAX_COURSES`]).
pub const MAX_KNOWN_COURSES: u32 = 5_000;

/// Why a peer is not told who came with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AuthoriseError {
    /// Not handed out, not to this peer, or used.
    #[error(
        "Authorisation failed: the mnet session does not exist. A token is good once, at the site it was made for; follow the link again"
    )]
    NoSession,
    /// Another browser than the one that jumped.
    #[error(
        "Authorisation failed: the mnet session does not exist in this browser. The token was made for another User-Agent; follow the link again"
    )]
    OtherBrowser,
    /// Too late.
    #[error(
        "Authorisation failed: the mnet session has timed out. A token is good for 30 seconds; follow the link again, and set the clocks of both servers by NTP"
    )]
    TimedOut,
    /// The user signed out, or the account was taken out of use.
    #[error(
        "Authorisation failed: the user mismatch. Whoever the token was made for is not signed in any more"
    )]
    NoUser,
}

impl AuthoriseError {
    /// Moodle's number for it (`auth_plugin_mnet::user_authorise`).
    #[must_use]
    pub const fn code(self) -> i32 {
        match self {
            // Moodle looks for token and User-Agent at once, and does not tell the two apart.
            Self::NoSession | Self::OtherBrowser => 1,
            Self::TimedOut => 2,
            Self::NoUser => 3,
        }
    }
}

/// Who an account is, for a peer.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The account.
    pub account: Account,
    /// The id of the person it belongs to, where the peer may know it ([`people::Person::idnumber_for`]).
    pub idnumber: Option<String>,
    /// In how many sections that person is here.
    pub courses: i32,
}

/// A log entry of a peer's about one of our accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// The peer's number of it.
    pub remote_id: String,
    /// Whom it is about.
    pub username: String,
    /// When it happened.
    pub at: UnixTime,
    /// The whole of it, as JSON.
    pub entry: String,
}

/// Who came to `peer` with `token`, in the browser of this User-Agent (SHA-1 in hex). The token is used
/// up by the first question of the peer it was made for, whatever comes of it; a question of another
/// peer leaves it untouched. From then on the session counts as used at the peer.
///
/// # Errors
/// The outer where the database fails.
pub fn authorise(
    tx: &WriteTx<'_>,
    peer: PeerId,
    token: &Token,
    user_agent: &str,
    now: UnixTime,
) -> Result<Result<Identity, AuthoriseError>, StoreError> {
    let hash = token.hash();
    let jump = sign_on::find_jump(tx, &hash)?.filter(|jump| jump.peer == peer);
    let Some(jump) = jump.filter(|jump| jump.used_at.is_none()) else {
        return Ok(Err(AuthoriseError::NoSession));
    };
    sign_on::use_jump(tx, &hash, now)?;
    if !jump.user_agent.eq_ignore_ascii_case(user_agent) {
        return Ok(Err(AuthoriseError::OtherBrowser));
    }
    if jump.expires_at < now {
        return Ok(Err(AuthoriseError::TimedOut));
    }
    let Some(identity) = identity(tx, jump.session, peer, now)? else {
        return Ok(Err(AuthoriseError::NoUser));
    };
    sign_on::begin_at_peer(tx, jump.session, peer, &jump.user_agent, now)?;
    Ok(Ok(identity))
}

fn identity(
    tx: &ReadTx<'_>,
    session: SessionId,
    peer: PeerId,
    now: UnixTime,
) -> Result<Option<Identity>, StoreError> {
    let Some(session) = sessions::get(tx, session)? else {
        return Ok(None);
    };
    let SignedIn::Account { account } = session.who else {
        return Ok(None);
    };
    let account = accounts::get(tx, account)?.filter(|account| account.disabled_at.is_none());
    let Some(account) = account.filter(|_| session::is_alive(&session, now)) else {
        return Ok(None);
    };
    let (person, courses) = match account.person {
        Some(person) => (
            people::get(tx, person)?,
            sign_on::courses_of(tx, person, now)?.len(),
        ),
        None => (None, 0),
    };
    Ok(Some(Identity {
        idnumber: person.and_then(|person| person.idnumber_for(peer).map(str::to_owned)),
        courses: i32::try_from(courses).unwrap_or(i32::MAX),
        account,
    }))
}

/// Notes that the sessions of `usernames` live at `peer`, which keeps them alive here; which of the
/// names have none there.
///
/// # Errors
/// When the database fails.
pub fn keep_alive<'n>(
    tx: &WriteTx<'_>,
    peer: PeerId,
    usernames: &'n [String],
    now: UnixTime,
) -> Result<Vec<&'n str>, StoreError> {
    let mut unknown = Vec::new();
    for username in usernames {
        let mut is_known = false;
        for there in sign_on::sessions_at_peer(tx, peer, username, None)? {
            let session = sessions::get(tx, there.session)?;
            if session.is_some_and(|session| session::is_alive(&session, now)) {
                is_known = true;
                sign_on::note_heard(tx, there.session, peer, now)?;
                sessions::note_seen(tx, there.session, now)?;
            }
        }
        if !is_known {
            unknown.push(username.as_str());
        }
    }
    Ok(unknown)
}

/// Ends the sessions of an account that are used at `peer` in a browser of this User-Agent; which
/// those were. They are over here, and at `peer`, whose user signed out there; at other peers they have
/// still to be ended.
///
/// # Errors
/// When the database fails.
pub fn end_sessions(
    tx: &WriteTx<'_>,
    peer: PeerId,
    username: &str,
    user_agent: &str,
    now: UnixTime,
) -> Result<Vec<SessionId>, StoreError> {
    let mut ended = Vec::new();
    for there in sign_on::sessions_at_peer(tx, peer, username, Some(user_agent))? {
        sign_on::end_at_peer(tx, there.session, peer, now)?;
        sessions::end(tx, there.session, SessionEnd::Peer, now)?;
        ended.push(there.session);
    }
    Ok(ended)
}

/// Notes in which courses of `peer` an account is, and that it is in no others there; `false`: no
/// session of such an account was used there of late, so the peer has nothing to tell about it. Of
/// courses that were not known before, no more are taken than [`MAX_KNOWN_COURSES`] leaves room for.
///
/// # Errors
/// When the database fails.
pub fn update_enrolments(
    tx: &WriteTx<'_>,
    peer: PeerId,
    username: &str,
    courses: &[(PeerCourseFields, String)],
    now: UnixTime,
) -> Result<bool, StoreError> {
    let Some(account) = account_at_peer(tx, peer, username, now)? else {
        return Ok(false);
    };
    let standing = standing(tx, peer, account)?;
    let mut room = MAX_KNOWN_COURSES.saturating_sub(peer_courses::count_known(tx, peer)?);
    let mut named = HashSet::new();
    for (course, role) in courses {
        if peer_courses::find(tx, peer, &course.remote_id)?.is_none() {
            if room == 0 {
                continue;
            }
            room -= 1;
        }
        let id = peer_courses::note_known(tx, peer, course, now)?;
        // One that is known already was told more fully: by our own enrolment, or by the peer's list.
        if !standing.contains(&id) && named.insert(id) {
            peer_courses::note_enrolment(tx, account, id, role, false, now)?;
        }
        named.insert(id);
    }
    for course in standing.difference(&named) {
        peer_courses::end_enrolment(tx, account, *course, now)?;
    }
    Ok(true)
}

/// The courses of a peer that an account is in as far as is known.
fn standing(
    tx: &ReadTx<'_>,
    peer: PeerId,
    account: AccountId,
) -> Result<HashSet<PeerCourseId>, StoreError> {
    let filter = PeerCourseEnrolmentFilter {
        peer: Some(peer),
        account: Some(account),
        ..PeerCourseEnrolmentFilter::default()
    };
    let mut courses = HashSet::new();
    let mut after = None;
    loop {
        let page = peer_courses::enrolments(tx, &filter, after, MAX_PAGE)?;
        let Some(last) = page.last() else {
            return Ok(courses);
        };
        after = Some((last.account, last.course));
        courses.extend(page.iter().map(|enrolment| enrolment.course));
    }
}

/// Keeps the log entries of `peer` about accounts that had a session there of late, as far as they were
/// not kept already, and no more than [`MAX_KEPT_ENTRIES`], the latest to come; how many entries are
/// about nobody whom it may speak of.
///
/// # Errors
/// When the database fails.
pub fn keep_log(
    tx: &WriteTx<'_>,
    peer: PeerId,
    entries: &[LogEntry],
    now: UnixTime,
) -> Result<usize, StoreError> {
    let mut strangers = 0;
    for entry in entries {
        match account_at_peer(tx, peer, &entry.username, now)? {
            Some(account) => {
                sign_on::keep_log_entry(
                    tx,
                    peer,
                    account,
                    &entry.remote_id,
                    entry.at,
                    &entry.entry,
                )?;
            }
            None => strangers += 1,
        }
    }
    let too_many = sign_on::log_entries(tx, peer)?.saturating_sub(MAX_KEPT_ENTRIES);
    if too_many > 0 {
        sign_on::drop_oldest_log_entries(tx, peer, too_many)?;
    }
    Ok(strangers)
}

/// The account called `username`, where a session of it is used at `peer`. However little the peer says
/// of its end, no session lasts longer than [`session::ABSOLUTE_LIMIT`], and with it ends the right to
/// speak about the account.
fn account_at_peer(
    tx: &ReadTx<'_>,
    peer: PeerId,
    username: &str,
    now: UnixTime,
) -> Result<Option<AccountId>, StoreError> {
    let since = now.plus(-session::ABSOLUTE_LIMIT);
    let there = sign_on::sessions_at_peer(tx, peer, username, None)?;
    let late = there.iter().find(|session| session.began_at > since);
    Ok(late.map(|session| session.account))
}
