//! The response in the same wrapping as the request.

use std::sync::Arc;

use tracing::error;

use super::fault::Rejected;
use crate::clock::UnixTime;
use crate::envelope::{self, SealError};
use crate::keys::{KeyPair, KeyRing, PublicKey};
use crate::workers::Interrupted;
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::{self, Encoding, MethodResponse};

/// How a request came wrapped, and so how its response goes out: signed if it was signed, sealed
/// if it was sealed (docs/protocol.md, A server's order of work).
#[derive(Clone, Debug)]
pub struct Wrapping {
    /// The ring the request was opened with: a rotation meanwhile does not touch this call.
    pub ring: Arc<KeyRing>,
    /// The old pair it was sealed to, by its place in the ring, where it was not the present one.
    pub old_pair: Option<usize>,
    /// Whether the request was signed.
    pub signed: bool,
    /// Whose key to seal to; `None` where the request came in the clear.
    pub recipient: Option<PublicKey>,
    /// How text stands in a response to the caller.
    pub encoding: Encoding,
}

impl Wrapping {
    /// No wrapping at all.
    #[must_use]
    pub fn clear(ring: Arc<KeyRing>) -> Self {
        Self {
            ring,
            old_pair: None,
            signed: false,
            recipient: None,
            encoding: Encoding::Utf8,
        }
    }

    /// Encodes, signs and seals.
    ///
    /// # Errors
    /// When OpenSSL fails.
    pub fn wrap(
        &self,
        response: &MethodResponse,
        wwwroot: &Wwwroot,
        now: UnixTime,
    ) -> Result<Vec<u8>, SealError> {
        let mut message = xmlrpc::encode_response(response, self.encoding);
        if self.signed {
            let key = self.signing_pair().private_key();
            message = envelope::sign(&message, wwwroot.as_str(), now, key)?;
        }
        match &self.recipient {
            Some(recipient) => envelope::seal(message, wwwroot.as_str(), recipient),
            None => Ok(message),
        }
    }

    fn signing_pair(&self) -> &KeyPair {
        self.old_pair
            .and_then(|place| self.ring.old().get(place))
            .map_or_else(|| self.ring.current(), |old| &old.pair)
    }
}

/// What the workers brought, as an HTTP body.
pub fn finish(
    wrapped: Result<Result<Vec<u8>, SealError>, Interrupted>,
) -> Result<Vec<u8>, Rejected> {
    match wrapped {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) => {
            error!(%error, "a response could not be sealed");
            Err(Rejected::Interrupted)
        }
        Err(Interrupted) => Err(Rejected::Interrupted),
    }
}
