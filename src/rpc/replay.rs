//! Remembering what was heard: a request's identity is its session key under our key pair
//! (docs/protocol.md, What the envelope does not protect).
//!
//! The database has the last word and outlives restarts. What is under way, or queued to be written,
//! stands here, so that two copies arriving together are not both let through.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use crate::envelope::SessionKeyDigest;
use crate::keys::Fingerprint;

/// A request by its session key and the key pair that opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// The certificate of our key pair.
    pub key_pair: Fingerprint,
    /// The digest of the session key.
    pub session_key: SessionKeyDigest,
}

/// The requests under way.
#[derive(Clone, Debug, Default)]
pub struct UnderWay {
    identities: Arc<Mutex<HashSet<Identity>>>,
}

/// A place among the requests under way, given back when dropped: once the request is written down
/// or has failed.
#[derive(Debug)]
pub struct Place {
    under_way: UnderWay,
    identity: Identity,
}

impl UnderWay {
    /// Takes a place for `identity`; `None` where it is under way already.
    #[must_use]
    pub fn enter(&self, identity: Identity) -> Option<Place> {
        self.lock().insert(identity).then(|| Place {
            under_way: self.clone(),
            identity,
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<Identity>> {
        self.identities
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Whose place it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.identity);
    }
}
