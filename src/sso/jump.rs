//! Jumps: somebody signed in here is sent to a peer with a token, by which the peer asks who that is.

use std::time::Duration;

use openssl::error::ErrorStack;
use thiserror::Error;
use tokio::time::timeout;

use super::service::{IDENTITY_PROVIDER, SERVICE_PROVIDER};
use super::session::{self, Browser, User};
use super::{Sso, Token, wantsurl};
use crate::peer::{PLUGIN_LAND_PATH, Peer};
use crate::store::StoreError;
use crate::store::sign_on::{self, NewJump};
use crate::wwwroot::Wwwroot;

/// For how many seconds the token of a jump is good (Moodle's `rpc_negotiation_timeout`).
pub const JUMP_LIFETIME: i64 = 30;

/// How long a jump waits for the peer's list of methods, which is asked for every ten minutes at most.
const LIST_TIMEOUT: Duration = Duration::from_secs(3);

/// The function of `sso_sp` that shows where a peer signs users of ours in, and its path in our plugin for Moodle.
const ENDED_BY_PLUGIN: (&str, &str) = ("kill_child", "auth/mnetd/auth.php/kill_child");

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
    /// (docs/protocol.md, SSO). What `wantsurl` says is passed on where it lies within that peer.
    ///
    /// The token holds for the User-Agent of the `browser` that jumps now: since the session was begun in it
    /// it may have been updated.
    ///
    /// # Errors
    /// As [`JumpError`] says.
    pub async fn jump(
        &self,
        live: &session::Live,
        browser: Browser,
        to: &Peer,
        wantsurl: &str,
    ) -> Result<String, JumpError> {
        if let User::Person(_) = &live.user {
            return Err(JumpError::NotLocal(to.wwwroot.clone()));
        }
        if let Some(missing) = missing_right(to) {
            return Err(JumpError::NotAllowed {
                peer: to.wwwroot.clone(),
                missing,
            });
        }
        let token = Token::generate_for_jump()?;
        let page = self.landing_page(to).await;
        self.keep(&token, live, browser, to).await?;
        Ok(self.landing_address(&token, to, &page, wantsurl))
    }

    /// The page of a peer to which a browser comes with a token. A Moodle that has our own plugin has it there, and from
    /// 5.0 on nowhere else; which it has shows in its list of methods. Where that cannot be had now, it is the one
    /// that the application usually has: whoever jumps does not wait long for it.
    async fn landing_page(&self, to: &Peer) -> String {
        let client = &self.shared.client;
        let ended_there = client.find_functions(to, ENDED_BY_PLUGIN.0);
        let paths = match timeout(LIST_TIMEOUT, ended_there).await {
            Ok(Ok(paths)) => paths,
            Ok(Err(_)) | Err(_) => Vec::new(),
        };
        let has_plugin = paths.iter().any(|path| path == ENDED_BY_PLUGIN.1);
        let path = if has_plugin {
            PLUGIN_LAND_PATH
        } else {
            to.application.land_path()
        };
        to.wwwroot.join(path)
    }

    async fn keep(
        &self,
        token: &Token,
        live: &session::Live,
        browser: Browser,
        to: &Peer,
    ) -> Result<(), StoreError> {
        let (token_hash, session, peer) = (token.hash(), live.session.id, to.id);
        let expires_at = self.shared.clock.now().plus(JUMP_LIFETIME);
        let store = &self.shared.store;
        store
            .write(move |tx| {
                let jump = NewJump {
                    token_hash: &token_hash,
                    session,
                    peer,
                    user_agent: &browser.user_agent,
                    expires_at,
                };
                sign_on::insert_jump(tx, &jump)
            })
            .await
    }

    fn landing_address(&self, token: &Token, to: &Peer, page: &str, wantsurl: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("token", token.reveal())
            .append_pair("idp", self.shared.wwwroot.as_str())
            .append_pair("wantsurl", &wantsurl::path_within(&to.wwwroot, wantsurl))
            .finish();
        format!("{page}?{query}")
    }
}

/// What is not agreed on yet so that accounts of ours can be signed in at a peer; `None`: nothing.
#[must_use]
pub fn missing_right(to: &Peer) -> Option<MissingRight> {
    if !to.may_call(IDENTITY_PROVIDER.name) {
        Some(MissingRight::PublishIdentity)
    } else if !to.we_may_call(SERVICE_PROVIDER.name) {
        Some(MissingRight::SubscribeLanding)
    } else {
        None
    }
}
