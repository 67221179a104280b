//! What a peer tells about its own people who are signed in here.

use crate::clock::UnixTime;
use crate::store::sessions::{self, SessionEnd};
use crate::store::{PeerId, StoreError, WriteTx, sign_on};

/// Ends the sessions of a person of `peer`'s in browsers of this User-Agent (SHA-1 in hex); whether
/// there were any. MNet names a session no closer: where one user is signed in twice in browsers of the
/// same kind, both sessions end.
///
/// # Errors
/// When the database fails.
pub fn end_sessions(
    tx: &WriteTx<'_>,
    peer: PeerId,
    username: &str,
    user_agent: &str,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let found = sign_on::sessions_of_peers_person(tx, peer, username, user_agent)?;
    for session in &found {
        sessions::end(tx, *session, SessionEnd::Peer, now)?;
    }
    Ok(!found.is_empty())
}
