//! Calls to peers that somebody waits for at a page, and what the last check of each brought.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use super::Console;
use super::page::sentence;
use crate::clock::UnixTime;
use crate::peer::services::ServiceThere;
use crate::peer::{CallError, Peer};
use crate::store::PeerId;

/// How long a page waits for a peer: longer than one exchange may take, so that a dead peer is told apart
/// from a slow one, and shorter than a reverse proxy waits (nginx: 60 s).
pub const PEER_WAIT: Duration = Duration::from_secs(45);

/// The last check of each peer, kept until the server ends: it is old soon anyway, and asked for again at
/// the press of a button.
#[derive(Debug, Default)]
pub struct Checks {
    last: Mutex<HashMap<PeerId, Check>>,
}

/// What a check brought.
#[derive(Clone, Debug)]
pub struct Check {
    /// When.
    pub at: UnixTime,
    /// What the peer lists, or why it did not, in words.
    pub outcome: Result<Vec<ServiceThere>, String>,
}

impl Checks {
    /// The last check of a peer.
    pub fn last(&self, peer: PeerId) -> Option<Check> {
        self.lock().get(&peer).cloned()
    }

    /// What a peer listed at its last check, where that held.
    pub fn services(&self, peer: PeerId) -> Option<Vec<ServiceThere>> {
        self.lock().get(&peer)?.outcome.clone().ok()
    }

    /// Forgets a peer.
    pub fn forget(&self, peer: PeerId) {
        self.lock().remove(&peer);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, Check>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a peer for its services, signed and sealed, which shows whether calls get through, and keeps what
/// came of it.
pub async fn check(console: &Console, peer: &Peer) -> Check {
    let call = console
        .client()
        .call(peer, "system/listServices", Vec::new());
    let outcome = match timeout(PEER_WAIT, call).await {
        Ok(Ok(answer)) => Ok(ServiceThere::read_all(&answer)),
        Ok(Err(error)) => Err(in_words(&error)),
        Err(_) => Err(too_slow(peer.wwwroot.as_str())),
    };
    let check = Check {
        at: console.clock().now(),
        outcome,
    };
    console.checks().lock().insert(peer.id, check.clone());
    check
}

/// That a peer did not answer within [`PEER_WAIT`].
pub fn too_slow(wwwroot: &str) -> String {
    let seconds = PEER_WAIT.as_secs();
    format!(
        "{wwwroot} did not answer within {seconds} seconds. See whether its home page opens, then try again."
    )
}

/// Why a call failed, with what can be done about it on these pages.
pub fn in_words(error: &CallError) -> String {
    match error {
        CallError::UnprovenKey { peer, fingerprint } => format!(
            "{peer} has a new key, with the fingerprint {fingerprint}, and does not prove it with the one known here: its key was deleted and made anew, the site was restored or copied, or another site stands at its address. Ask the administrator there for the fingerprint (Moodle shows the certificate under Networking › Settings), and enter it under “Accept a new key” on the page of this peer."
        ),
        CallError::BadSignature(peer) => format!(
            "{peer} signed its answer with a key we do not know. If the site was restored or copied, ask the administrator there for the fingerprint, and enter it under “Accept a new key” on the page of this peer."
        ),
        CallError::NotForUs(peer) => format!(
            "{peer} sealed its answer to a key that is not ours: it knows an old certificate of this site. In Moodle, open Networking › Manage peers, this site, Review host details, replace Public key by the certificate on the page Keys, and save."
        ),
        CallError::KeyLoop(peer) => format!(
            "{peer} keeps asking for another key: its stored certificate of this site may be damaged. In Moodle, open Networking › Manage peers, this site, Review host details, replace Public key by the certificate on the page Keys, and save."
        ),
        CallError::ChangedMeanwhile(peer) => format!(
            "The stored peer {peer} was changed by somebody else meanwhile, so its new certificate was not stored. Look at its page, then try again."
        ),
        error => sentence(error),
    }
}
