//! Single sign-on between sites: tokens handed out, where sessions of ours are used, tokens that came.

use rusqlite::{Row, params};
use serde::Serialize;

use super::enrolments::STATUS_NOW;
use super::error::StoreError;
use super::ids::{AccountId, PeerId, PersonId, SectionId, SessionId};
use super::offers::Segment;
use super::page::MAX_PAGE;
use super::sections::SectionFields;
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// A token to be handed to a browser that jumps.
#[derive(Clone, Debug)]
pub struct NewJump<'a> {
    /// SHA-256 of the token.
    pub token_hash: &'a [u8; 32],
    /// Whose right it carries.
    pub session: SessionId,
    /// The only peer that may ask by it.
    pub peer: PeerId,
    /// SHA-1 of the User-Agent of the browser that jumps, in hex.
    pub user_agent: &'a str,
    /// Until when.
    pub expires_at: UnixTime,
}

/// A row of `jump`, without its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Whose right it carries.
    pub session: SessionId,
    /// The only peer that may ask by it.
    pub peer: PeerId,
    /// SHA-1 of the User-Agent of the browser that jumps, in hex.
    pub user_agent: String,
    /// Until when.
    pub expires_at: UnixTime,
    /// When the peer asked by it.
    pub used_at: Option<UnixTime>,
}

/// A row of `session_at_peer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionAtPeer {
    /// The session.
    pub session: SessionId,
    /// Where it is used.
    pub peer: PeerId,
    /// Whose it is.
    pub account: AccountId,
    /// The account's username.
    pub username: String,
    /// SHA-1 of the User-Agent it was begun there with, in hex.
    pub user_agent: String,
    /// When the peer confirmed it.
    pub began_at: UnixTime,
    /// When the peer last said that it lives.
    pub heard_at: UnixTime,
}

/// A live session of a person for whom a peer vouched, to be told to that peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToTell {
    /// The session.
    pub session: SessionId,
    /// The peer.
    pub peer: PeerId,
    /// The username in the peer's spelling.
    pub username: String,
}

/// A section a person is in at present, or about to be.
#[derive(Clone, Debug, PartialEq)]
pub struct CourseOfPerson {
    /// The section.
    pub section: SectionId,
    /// What is known of it.
    pub fields: SectionFields,
    /// The first segment (term) it runs over in the order of the alphabet; `None`: it is ongoing.
    pub segment: Option<Segment>,
}

/// A row of `peer_log_entry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLogEntry {
    /// The peer that sent it.
    pub peer: PeerId,
    /// When the peer says it happened.
    pub at: UnixTime,
    /// The whole of it, as JSON.
    pub entry: String,
}

const HAS_BEEN_HERE: &str = "SELECT EXISTS (SELECT 1 FROM session WHERE person = ?1 AND id < ?2)";

const AT_PEER: &str = "SELECT at_peer.session, at_peer.peer, session.account, account.username, \
     at_peer.user_agent, at_peer.began_at, at_peer.heard_at FROM session_at_peer AS at_peer \
     JOIN session ON session.id = at_peer.session JOIN account ON account.id = session.account";

/// Notes a token that is handed out.
///
/// # Errors
/// When the database cannot be written.
pub fn insert_jump(tx: &WriteTx<'_>, jump: &NewJump<'_>) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO jump (token_hash, session, peer, user_agent, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            jump.token_hash,
            jump.session,
            jump.peer,
            jump.user_agent,
            jump.expires_at
        ],
    )?;
    Ok(())
}

/// The jump of a token, used or not.
///
/// # Errors
/// When the database cannot be read.
pub fn find_jump(tx: &ReadTx<'_>, token_hash: &[u8; 32]) -> Result<Option<Jump>, StoreError> {
    tx.one(
        "SELECT session, peer, user_agent, expires_at, used_at FROM jump WHERE token_hash = ?1",
        [token_hash],
        |row| {
            Ok(Jump {
                session: row.get(0)?,
                peer: row.get(1)?,
                user_agent: row.get(2)?,
                expires_at: row.get(3)?,
                used_at: row.get(4)?,
            })
        },
    )
}

/// Notes that a token was used.
///
/// # Errors
/// When the database cannot be written.
pub fn use_jump(tx: &WriteTx<'_>, token_hash: &[u8; 32], now: UnixTime) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE jump SET used_at = ?2 WHERE token_hash = ?1",
        params![token_hash, now],
    )?;
    Ok(())
}

/// Forgets tokens handed out that were good until before `before`; how many.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_jumps(tx: &WriteTx<'_>, before: UnixTime) -> Result<usize, StoreError> {
    tx.execute("DELETE FROM jump WHERE expires_at < ?1", [before])
}

/// Notes that a session is used at a peer, from now on or again.
///
/// # Errors
/// When the database cannot be written.
pub fn begin_at_peer(
    tx: &WriteTx<'_>,
    session: SessionId,
    peer: PeerId,
    user_agent: &str,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO session_at_peer (session, peer, user_agent, began_at, heard_at) \
         VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT (session, peer) DO UPDATE SET \
         user_agent = excluded.user_agent, heard_at = excluded.heard_at, ended_at = NULL",
        params![session, peer, user_agent, now],
    )?;
    Ok(())
}

/// Where a session is used.
///
/// # Errors
/// When the database cannot be read.
pub fn peers_of_session(
    tx: &ReadTx<'_>,
    session: SessionId,
) -> Result<Vec<SessionAtPeer>, StoreError> {
    let sql =
        format!("{AT_PEER} WHERE at_peer.session = ?1 AND at_peer.ended_at IS NULL ORDER BY 2");
    tx.all(&sql, [session], at_peer_from_row)
}

/// The sessions of the account called `username` that are used at a peer, whether they are over here or
/// not; only those begun there with one User-Agent (SHA-1 in hex), where it is given.
///
/// # Errors
/// When the database cannot be read.
pub fn sessions_at_peer(
    tx: &ReadTx<'_>,
    peer: PeerId,
    username: &str,
    user_agent: Option<&str>,
) -> Result<Vec<SessionAtPeer>, StoreError> {
    let sql = format!(
        "{AT_PEER} WHERE account.username = ?2 AND at_peer.peer = ?1 AND at_peer.ended_at IS NULL \
         AND (?3 IS NULL OR at_peer.user_agent = ?3) ORDER BY 1"
    );
    tx.all(&sql, params![peer, username, user_agent], at_peer_from_row)
}

/// Sessions that are over here since `since` or later and not yet ended at the peers they were used
/// at; of each peer at most a page of them, so that one which never confirms holds back no other.
///
/// # Errors
/// When the database cannot be read.
pub fn left_at_peers(tx: &ReadTx<'_>, since: UnixTime) -> Result<Vec<SessionAtPeer>, StoreError> {
    let peers: Vec<PeerId> = tx.all(
        "SELECT DISTINCT peer FROM session_at_peer WHERE ended_at IS NULL ORDER BY peer",
        [],
        |row| row.get(0),
    )?;
    let sql = format!(
        "{AT_PEER} WHERE at_peer.peer = ?1 AND at_peer.ended_at IS NULL \
         AND session.ended_at >= ?2 ORDER BY 1 LIMIT ?3"
    );
    let mut left = Vec::new();
    for peer in peers {
        left.extend(tx.all(&sql, params![peer, since, MAX_PAGE], at_peer_from_row)?);
    }
    Ok(left)
}

/// Notes that a peer said that a session lives there.
///
/// # Errors
/// When the database cannot be written.
pub fn note_heard(
    tx: &WriteTx<'_>,
    session: SessionId,
    peer: PeerId,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE session_at_peer SET heard_at = ?3 WHERE session = ?1 AND peer = ?2",
        params![session, peer, now],
    )?;
    Ok(())
}

/// Notes that a session is over at a peer.
///
/// # Errors
/// When the database cannot be written.
pub fn end_at_peer(
    tx: &WriteTx<'_>,
    session: SessionId,
    peer: PeerId,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE session_at_peer SET ended_at = ?3 \
         WHERE session = ?1 AND peer = ?2 AND ended_at IS NULL",
        params![session, peer, now],
    )?;
    Ok(())
}

/// Takes a token that a peer's user came with; `false`: it came before.
///
/// # Errors
/// When the database cannot be written.
pub fn mark_landing(
    tx: &WriteTx<'_>,
    peer: PeerId,
    token_hash: &[u8; 32],
    now: UnixTime,
) -> Result<bool, StoreError> {
    let new = tx.execute(
        "INSERT INTO landing (peer, token_hash, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        params![peer, token_hash, now],
    )?;
    Ok(new > 0)
}

/// Forgets tokens that came before `before`; how many.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_landings(tx: &WriteTx<'_>, before: UnixTime) -> Result<usize, StoreError> {
    tx.execute("DELETE FROM landing WHERE at < ?1", [before])
}

/// The live sessions of a peer's person whose browser has this User-Agent (SHA-1 in hex), by the
/// username in the peer's spelling.
///
/// # Errors
/// When the database cannot be read.
pub fn sessions_of_peers_person(
    tx: &ReadTx<'_>,
    peer: PeerId,
    username: &str,
    user_agent: &str,
) -> Result<Vec<SessionId>, StoreError> {
    tx.all(
        "SELECT session.id FROM session JOIN person ON person.id = session.person \
         WHERE session.ended_at IS NULL AND session.peer = ?1 AND person.peer = ?1 \
         AND person.sent_username = ?2 AND session.user_agent = ?3",
        params![peer, username, user_agent],
        |row| row.get(0),
    )
}

/// Sessions of peers' people that were used since they were last told to the peer, behind the one
/// numbered `after`; at most a page of them.
///
/// # Errors
/// When the database cannot be read.
pub fn to_tell(tx: &ReadTx<'_>, after: Option<SessionId>) -> Result<Vec<ToTell>, StoreError> {
    tx.all(
        "SELECT session.id, session.peer, person.sent_username FROM session \
         JOIN person ON person.id = session.person WHERE session.id > ?1 \
         AND session.ended_at IS NULL \
         AND (session.told_at IS NULL OR session.seen_at > session.told_at) \
         ORDER BY session.id LIMIT ?2",
        params![after.unwrap_or(SessionId(0)), MAX_PAGE],
        |row| {
            Ok(ToTell {
                session: row.get(0)?,
                peer: row.get(1)?,
                username: row.get(2)?,
            })
        },
    )
}

/// Whether a person has signed in here before the session `this`.
///
/// # Errors
/// When the database cannot be read.
pub fn has_been_here(
    tx: &ReadTx<'_>,
    person: PersonId,
    this: SessionId,
) -> Result<bool, StoreError> {
    let earlier = tx.one(HAS_BEEN_HERE, params![person, this], |row| row.get(0))?;
    Ok(earlier.unwrap_or(false))
}

/// The sections a person is in at `now`, or about to be; at most a page of them.
///
/// # Errors
/// When the database cannot be read.
pub fn courses_of(
    tx: &ReadTx<'_>,
    person: PersonId,
    now: UnixTime,
) -> Result<Vec<CourseOfPerson>, StoreError> {
    let sql = format!(
        "SELECT DISTINCT section.id, section.idnumber, section.name, section.extra, segment.id, \
         segment.name FROM enrolment AS e \
         JOIN enrolment_status AS standing ON standing.id = {STATUS_NOW} \
         JOIN section ON section.id = e.section \
         LEFT JOIN segment ON segment.id = \
         (SELECT s.id FROM section_segment JOIN segment AS s ON s.id = section_segment.segment \
         WHERE section_segment.section = section.id ORDER BY s.name LIMIT 1) \
         WHERE e.person = ?2 AND e.removed_at IS NULL AND e.in_error_at IS NULL \
         AND section.removed_at IS NULL AND standing.meaning IN ('pending', 'active') \
         ORDER BY section.id LIMIT ?3"
    );
    tx.all(&sql, params![now, person, MAX_PAGE], |row| {
        let segment: Option<i64> = row.get(4)?;
        Ok(CourseOfPerson {
            section: row.get(0)?,
            fields: SectionFields {
                idnumber: row.get(1)?,
                name: row.get(2)?,
                extra: row.get(3)?,
            },
            segment: match segment {
                Some(id) => Some(Segment {
                    id,
                    name: row.get(5)?,
                }),
                None => None,
            },
        })
    })
}

/// Keeps a log entry that a peer sent about an account; `false`: it was kept already.
///
/// # Errors
/// When the database cannot be written, or `entry` is no JSON.
pub fn keep_log_entry(
    tx: &WriteTx<'_>,
    peer: PeerId,
    account: AccountId,
    remote_id: &str,
    at: UnixTime,
    entry: &str,
) -> Result<bool, StoreError> {
    let new = tx.execute(
        "INSERT INTO peer_log_entry (peer, account, remote_id, at, entry) \
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (peer, remote_id) DO NOTHING",
        params![peer, account, remote_id, at, entry],
    )?;
    Ok(new > 0)
}

/// How many log entries a peer has sent.
///
/// # Errors
/// When the database cannot be read.
pub fn log_entries(tx: &ReadTx<'_>, peer: PeerId) -> Result<u32, StoreError> {
    let count = tx.one(
        "SELECT count(*) FROM peer_log_entry WHERE peer = ?1",
        [peer],
        |row| row.get(0),
    )?;
    Ok(count.unwrap_or(0))
}

/// Drops the `number` log entries of a peer that came first; how many those were.
///
/// # Errors
/// When the database cannot be written.
pub fn drop_oldest_log_entries(
    tx: &WriteTx<'_>,
    peer: PeerId,
    number: u32,
) -> Result<usize, StoreError> {
    tx.execute(
        "DELETE FROM peer_log_entry WHERE id IN \
         (SELECT id FROM peer_log_entry WHERE peer = ?1 ORDER BY id LIMIT ?2)",
        params![peer, number],
    )
}

/// The `limit` latest log entries that peers sent about an account, the latest to come first.
///
/// # Errors
/// When the database cannot be read.
pub fn latest_log_entries(
    tx: &ReadTx<'_>,
    account: AccountId,
    limit: u32,
) -> Result<Vec<KeptLogEntry>, StoreError> {
    tx.all(
        "SELECT peer, at, entry FROM peer_log_entry WHERE account = ?1 ORDER BY id DESC LIMIT ?2",
        params![account, limit.min(MAX_PAGE)],
        |row| {
            Ok(KeptLogEntry {
                peer: row.get(0)?,
                at: row.get(1)?,
                entry: row.get(2)?,
            })
        },
    )
}

fn at_peer_from_row(row: &Row<'_>) -> rusqlite::Result<SessionAtPeer> {
    Ok(SessionAtPeer {
        session: row.get(0)?,
        peer: row.get(1)?,
        account: row.get(2)?,
        username: row.get(3)?,
        user_agent: row.get(4)?,
        began_at: row.get(5)?,
        heard_at: row.get(6)?,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::Connection;

    use super::*;
    use crate::store::migrations::bring_up_to_date;

    #[test]
    fn who_was_here_before_is_looked_up_in_an_index() {
        let mut conn = Connection::open_in_memory().unwrap();
        bring_up_to_date(&mut conn, Path::new("of this test")).unwrap();
        let mut explained = conn
            .prepare(&format!("EXPLAIN QUERY PLAN {HAS_BEEN_HERE}"))
            .unwrap();
        let steps = explained.query_map([1, 2], |row| row.get::<_, String>(3));
        let plan: Vec<String> = steps.unwrap().map(Result::unwrap).collect();
        let is_looked_up = |step: &String| step.contains("session_of_person (person=?");
        assert!(plan.iter().any(is_looked_up), "{plan:?}");
    }
}
