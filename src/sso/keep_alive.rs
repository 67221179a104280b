//! What single sign-on does by the clock.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::{debug, error, info};

use super::session::{self, ABSOLUTE_LIMIT};
use super::{Sso, landing};
use crate::store::sign_on::{self, ToTell};
use crate::store::{PeerId, SessionId, StoreError, sessions};
use crate::xmlrpc::Value;

/// How long to wait between two rounds of [`Sso::keep_alive`]: Moodle's own cron looks back 300 s for
/// those who are online (`auth_plugin_mnet::keepalive_client`), and its sessions live 1,440 s and more.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_mins(5);

/// How many users are named to a peer in one call: a few kilobytes.
pub const USERS_IN_ONE: usize = 200;

/// How long a peer may take for it; the next round comes soon.
const TELL_TIMEOUT: Duration = Duration::from_secs(30);

/// For how many seconds tokens are kept after nobody can use them any more, so that one that comes
/// again is told what it is. No user agent, proxy or mail scanner follows a link after an hour.
const TOKENS_KEPT: i64 = 3600;

/// For how many seconds a session that has ended is kept: a term, in which somebody may still ask who
/// was signed in.
pub const SESSIONS_KEPT: i64 = 90 * 24 * 3600;

/// How many of them are forgotten in one round at most: in a few milliseconds of the writer's, and yet
/// more in a day than any school begins.
pub const FORGOTTEN_IN_ONE: u32 = 500;

impl Sso {
    /// One round: ends what is over its time, tells peers that the sessions of their users live, tells
    /// again where the end of one was not confirmed, and forgets tokens nobody can use any more. What
    /// fails is logged and tried again in the next round.
    ///
    /// A session that is over because nobody used it here is not ended at the peer that vouched: its
    /// user may well be busy there. Nor is it told to live there, for the same reason.
    pub async fn keep_alive(&self) {
        for (step, outcome) in [
            ("end what is over its time", self.end_expired().await),
            ("end sessions at peers", self.end_left_over().await),
            ("tell peers who is here", self.tell().await),
        ] {
            if let Err(error) = outcome {
                error!(%error, step, "single sign-on could not do what is due");
            }
        }
    }

    async fn end_expired(&self) -> Result<(), StoreError> {
        let now = self.shared.clock.now();
        self.shared
            .store
            .write(move |tx| {
                session::end_expired(tx, now)?;
                sign_on::forget_jumps(tx, now.plus(-TOKENS_KEPT))?;
                sign_on::forget_landings(tx, now.plus(-landing::TOKENS_REMEMBERED))?;
                sessions::forget_ended(tx, now.plus(-SESSIONS_KEPT), FORGOTTEN_IN_ONE)?;
                Ok(())
            })
            .await
    }

    /// Ends at peers what is over here: by its time, by somebody else's sign-in, or because the peer
    /// could not be reached before. After as long as a session can last, it is over there as well.
    async fn end_left_over(&self) -> Result<(), StoreError> {
        let since = self.shared.clock.now().plus(-ABSOLUTE_LIMIT);
        let left = self
            .shared
            .store
            .read(move |tx| sign_on::left_at_peers(tx, since));
        let unreached = self.end_children(left.await?).await;
        if !unreached.is_empty() {
            info!(?unreached, "sessions are not yet ended at some peers");
        }
        Ok(())
    }

    async fn tell(&self) -> Result<(), StoreError> {
        let mut telling = JoinSet::new();
        for (peer, people) in self.to_tell().await? {
            let sso = self.clone();
            telling.spawn(async move {
                for people in people.chunks(USERS_IN_ONE) {
                    sso.tell_peer(peer, people).await;
                }
            });
        }
        telling.join_all().await;
        Ok(())
    }

    async fn to_tell(&self) -> Result<BTreeMap<PeerId, Vec<ToTell>>, StoreError> {
        let mut by_peer: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut after: Option<SessionId> = None;
        loop {
            let page = self
                .shared
                .store
                .read(move |tx| sign_on::to_tell(tx, after));
            let page = page.await?;
            let Some(last) = page.last() else {
                return Ok(by_peer);
            };
            after = Some(last.session);
            for person in page {
                by_peer.entry(person.peer).or_default().push(person);
            }
        }
    }

    /// Tells one peer that sessions live, and notes that it was told.
    async fn tell_peer(&self, peer: PeerId, people: &[ToTell]) {
        let peer = match self.registered(peer).await {
            Ok(Some(peer)) => peer,
            Ok(None) => return,
            Err(error) => {
                error!(%error, "a peer could not be told who is here");
                return;
            }
        };
        let usernames: Value = people
            .iter()
            .map(|person| Value::from(person.username.as_str()))
            .collect();
        let call = self.call(&peer, "keepalive_server", vec![usernames]);
        match timeout(TELL_TIMEOUT, call).await {
            Ok(Ok(answer)) => heed(&peer.wwwroot, &answer),
            // The call itself was logged.
            Ok(Err(_)) | Err(_) => return,
        }
        let now = self.shared.clock.now();
        let told: Vec<_> = people.iter().map(|person| person.session).collect();
        let noted = self.shared.store.write(move |tx| {
            told.iter()
                .try_for_each(|session| sessions::note_told(tx, *session, now))
        });
        if let Err(error) = noted.await {
            error!(%error, "it could not be noted that a peer was told who is here");
        }
    }
}

/// What Moodle does with the answer: names without a session there are worth a line in the log, and no
/// more, for a peer whose cron cleared its table does not mean to sign anybody out here.
fn heed(peer: &crate::wwwroot::Wwwroot, answer: &Value) {
    let code = answer.get("code").and_then(Value::to_integer);
    let message = answer.get("message").and_then(Value::to_text);
    if code != Some(0) {
        debug!(%peer, code, message = message.as_deref(), "the peer knows no session of some of its users");
    }
}
