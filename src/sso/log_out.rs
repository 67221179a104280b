//! Log-out: here first, then at every peer the session reached.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{error, info};

use super::{Sso, session};
use crate::peer::{Peer, PeerError};
use crate::store::audit::{self, Actor, Deed};
use crate::store::people;
use crate::store::sessions::{self, SessionEnd, SignedIn};
use crate::store::sign_on::{self, SessionAtPeer};
use crate::store::{PeerId, PersonId, SessionId, StoreError};
use crate::wwwroot::Wwwroot;

/// How long a peer may take to end a session: somebody waits for the page that says "signed out". A
/// session that was not ended in time is ended again by the next round of [`Sso::keep_alive`].
pub const LOG_OUT_TIMEOUT: Duration = Duration::from_secs(5);

/// What became of a log-out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedOut {
    /// The wwwroot of the peer that vouched, to which the browser returns.
    pub return_to: Option<String>,
    /// The wwwroots of peers that did not confirm that the session is over there.
    pub unreached: Vec<String>,
}

/// What is to stand in the audit log of the end of somebody else's session.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Who ends it.
    pub by: Actor,
    /// Whose it is.
    pub username: String,
    /// More, in words.
    pub details: String,
}

impl Sso {
    /// Ends a session: here at once, whatever peers answer; then at the peer that vouched
    /// (`kill_children`), or at every peer it was used at (`kill_child`).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn sign_out(&self, live: &session::Live) -> Result<SignedOut, StoreError> {
        self.end_session(live.session.id, SessionEnd::SignOut, None)
            .await
    }

    /// [`Sso::sign_out`] for somebody else's session, with what is to be noted of it. One that is over
    /// already, or does not exist, is nothing to end, and nothing is noted of it.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn end_session(
        &self,
        id: SessionId,
        how: SessionEnd,
        noted: Option<Ending>,
    ) -> Result<SignedOut, StoreError> {
        let sso = self.clone();
        // A browser that hangs up meanwhile does not keep the peers from being told.
        let ending = tokio::spawn(async move { sso.end_everywhere(id, how, noted).await });
        ending.await.unwrap_or(Err(StoreError::Panicked))
    }

    async fn end_everywhere(
        &self,
        id: SessionId,
        how: SessionEnd,
        noted: Option<Ending>,
    ) -> Result<SignedOut, StoreError> {
        let now = self.shared.clock.now();
        let ended = self.shared.store.write(move |tx| {
            let session = sessions::get(tx, id)?;
            let is_ended = sessions::end(tx, id, how, now)?;
            if let Some(noted) = noted.filter(|_| is_ended) {
                let deed = Deed {
                    action: "session ended",
                    object: &noted.username,
                    details: &noted.details,
                };
                audit::note(tx, &noted.by, &deed, now)?;
            }
            Ok::<_, StoreError>(session.filter(|_| is_ended))
        });
        let Some(session) = ended.await? else {
            return Ok(SignedOut::default());
        };
        match session.who {
            SignedIn::Account { .. } => Ok(SignedOut {
                return_to: None,
                unreached: self.end_at_peers(id).await?,
            }),
            SignedIn::Person { person, peer } => {
                self.end_at_home(person, peer, session.user_agent).await
            }
        }
    }

    /// Ends a session of ours at every peer it is used at; at which that was not confirmed.
    pub(super) async fn end_at_peers(&self, id: SessionId) -> Result<Vec<String>, StoreError> {
        let children = self
            .shared
            .store
            .read(move |tx| sign_on::peers_of_session(tx, id))
            .await?;
        Ok(self.end_children(children).await)
    }

    /// Ends sessions of ours that are over here at every peer they are used at, in the background: nobody
    /// waits for it. What a peer does not confirm is told it again by [`Sso::keep_alive`].
    pub fn end_at_peers_later(&self, ids: Vec<SessionId>) {
        let sso = self.clone();
        tokio::spawn(async move {
            for id in ids {
                if let Err(error) = sso.end_at_peers(id).await {
                    error!(%error, "a session could not be ended at the peers it was used at");
                }
            }
        });
    }

    /// Ends sessions at the peers they are used at, all at once; the peers that did not confirm it.
    pub(super) async fn end_children(&self, children: Vec<SessionAtPeer>) -> Vec<String> {
        let mut ending = JoinSet::new();
        for child in children {
            let sso = self.clone();
            ending.spawn(async move { sso.end_child(child).await });
        }
        let mut unreached: Vec<String> = ending.join_all().await.into_iter().flatten().collect();
        unreached.sort_unstable();
        unreached.dedup();
        unreached
    }

    /// Ends one session at one peer; the peer, where it did not confirm it.
    async fn end_child(&self, child: SessionAtPeer) -> Option<String> {
        let peer = match self.registered(child.peer).await {
            Ok(peer) => peer,
            Err(error) => {
                error!(%error, "the peer a session was used at could not be looked up");
                return None;
            }
        };
        // With a peer that was removed there is nothing agreed any more.
        if let Some(peer) = &peer {
            let params = vec![child.username.into(), child.user_agent.into()];
            if !self.confirms(peer, "kill_child", params).await {
                return Some(peer.wwwroot.to_string());
            }
        }
        let now = self.shared.clock.now();
        let noted = self
            .shared
            .store
            .write(move |tx| sign_on::end_at_peer(tx, child.session, child.peer, now))
            .await;
        if let Err(error) = noted {
            error!(%error, "it could not be noted that a session is over at a peer");
        }
        None
    }

    /// Ends the session of a peer's person at that peer.
    async fn end_at_home(
        &self,
        person: PersonId,
        peer: PeerId,
        user_agent: String,
    ) -> Result<SignedOut, StoreError> {
        let person = self.shared.store.read(move |tx| people::get(tx, person));
        let person = person.await?;
        let peer = match self.registered(peer).await {
            Ok(peer) => peer,
            Err(PeerError::Store(error)) => return Err(error),
            Err(error) => {
                error!(%error, "the peer that vouched for a session could not be looked up");
                None
            }
        };
        let (Some(person), Some(peer)) = (person, peer) else {
            return Ok(SignedOut::default());
        };
        let params = vec![person.fields.sent_username.into(), user_agent.into()];
        let is_confirmed = self.confirms(&peer, "kill_children", params).await;
        let wwwroot = peer.wwwroot.to_string();
        Ok(SignedOut {
            unreached: if is_confirmed {
                Vec::new()
            } else {
                vec![wwwroot.clone()]
            },
            return_to: Some(wwwroot),
        })
    }

    /// Whether a peer answers a call about the end of a session in time.
    async fn confirms(
        &self,
        peer: &Peer,
        function: &'static str,
        params: Vec<crate::xmlrpc::Value>,
    ) -> bool {
        let wwwroot: &Wwwroot = &peer.wwwroot;
        match timeout(LOG_OUT_TIMEOUT, self.call(peer, function, params)).await {
            Ok(Ok(_)) => return true,
            Ok(Err(error)) => {
                info!(peer = %wwwroot, function, %error, "a session was not ended at the peer");
            }
            Err(_) => {
                info!(peer = %wwwroot, function, "the peer did not answer in time whether a session is over there");
            }
        }
        false
    }

    pub(super) async fn registered(&self, peer: PeerId) -> Result<Option<Peer>, PeerError> {
        self.shared.store.read(move |tx| Peer::get(tx, peer)).await
    }
}
