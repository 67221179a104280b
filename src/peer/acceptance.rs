//! Taking a certificate on an administrator's word: where nothing else proves it, somebody compared its
//! fingerprint.

use thiserror::Error;

use super::{CallError, Client, Introduction, Peer};
use crate::keys::{Certificate, Fingerprint, Mismatch};
use crate::wwwroot::Wwwroot;

/// A certificate with another fingerprint than the one that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{peer} hands out a certificate with another fingerprint: {offered}. Nothing was changed")]
pub struct OtherFingerprint {
    /// Which site.
    pub peer: Wwwroot,
    /// What it hands out.
    pub offered: Fingerprint,
}

/// Why a certificate is not taken.
#[derive(Debug, Error)]
pub enum AcceptError {
    /// The peer hands out none.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It is made out for another site.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// It is not the one that was compared.
    #[error(transparent)]
    OtherFingerprint(#[from] OtherFingerprint),
}

impl Client {
    /// The certificate a peer hands out now, where it is made out for the peer and has the fingerprint
    /// that an administrator compared.
    ///
    /// # Errors
    /// As [`AcceptError`] says.
    pub async fn compared_certificate(
        &self,
        peer: &Peer,
        fingerprint: Fingerprint,
    ) -> Result<Certificate, AcceptError> {
        let offered = self.offered_certificate(peer).await?;
        offered.matches(&peer.wwwroot)?;
        compare(&peer.wwwroot, &offered, fingerprint)?;
        Ok(offered)
    }
}

impl Introduction {
    /// Checks that the certificate is the one that an administrator compared.
    ///
    /// # Errors
    /// Where it has another fingerprint.
    pub fn check(&self, fingerprint: Fingerprint) -> Result<(), OtherFingerprint> {
        compare(&self.wwwroot, &self.certificate, fingerprint)
    }
}

fn compare(
    peer: &Wwwroot,
    offered: &Certificate,
    fingerprint: Fingerprint,
) -> Result<(), OtherFingerprint> {
    let offered = offered.fingerprint();
    if offered == fingerprint {
        Ok(())
    } else {
        let peer = peer.clone();
        Err(OtherFingerprint { peer, offered })
    }
}
