//! Single sign-on: who may sign in and is signed in, jumps out to peers, landings from them, log-out.
//!
//! No SQL and no HTML: what is signed in stands in [`crate::store::sessions`], pages in
//! [`crate::web`]. Rules about time take the moment as an argument.

pub mod accounts;
mod courses;
pub mod identity_provider;
mod jump;
mod keep_alive;
mod landing;
mod log_out;
pub mod password;
pub mod service;
pub mod service_provider;
pub mod session;
pub mod sign_in;
pub mod throttle;
pub mod token;
pub mod wantsurl;

pub use accounts::{AccountError, NewMember};
pub use identity_provider::AuthoriseError;
pub use jump::{JUMP_LIFETIME, JumpError, MissingRight, missing_right};
pub use keep_alive::{FORGOTTEN_IN_ONE, KEEP_ALIVE_INTERVAL, SESSIONS_KEPT, USERS_IN_ONE};
pub use landing::{LandError, Landed, Landing, MAX_LANDINGS, MAX_LANDINGS_OF_A_PEER};
pub use log_out::{Ending, LOG_OUT_TIMEOUT, SignedOut};
pub use password::{Password, PasswordError};
pub use sign_in::{HashError, SignIn, SignInError};
pub use token::Token;

use std::sync::Arc;

use openssl::sha::sha1;

use landing::Landings;

use crate::clock::Clock;
use crate::peer::{CallError, Client, Peer};
use crate::store::Store;
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::Value;

/// Where Moodle ≤ 4.5 and Mahara have the functions of single sign-on.
const MOODLES_PLUGIN: &str = "auth/mnet/auth.php";

/// How many plugins of a peer are asked: Moodle's, ours, and one more. What a peer lists must not make us
/// call it without end.
const MAX_PLUGINS: usize = 3;

/// The function that says whose token it is.
const USER_AUTHORISE: &str = "user_authorise";

/// Its faults about a token that the plugin has made, so that no other needs to be asked: timed out, and another
/// user agent.
const KNOWN_TOKEN: [i32; 2] = [2, 3];

/// Signs users of peers in, sends ours to peers, and signs both out again. Cheap to clone; every clone
/// is the same.
#[derive(Clone, Debug)]
pub struct Sso {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    wwwroot: Wwwroot,
    store: Store,
    client: Client,
    clock: Clock,
    /// Places for landings under way.
    landings: Landings,
}

impl Sso {
    /// Single sign-on in the name of `wwwroot`.
    #[must_use]
    pub fn new(wwwroot: Wwwroot, store: Store, client: Client, clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                wwwroot,
                store,
                client,
                clock,
                landings: Landings::default(),
            }),
        }
    }

    /// Calls a function of single sign-on, wherever the peer has it: a Moodle may have it in a plugin that
    /// is not Moodle's own, or in two (docs/protocol.md, Where MNet stands in Moodle). Each plugin knows the
    /// sessions that began with it, and nobody tells us which that was: so all are called, but for
    /// `user_authorise`, where one that confirms is enough. The answer is the first that is no fault.
    async fn call(
        &self,
        peer: &Peer,
        function: &'static str,
        params: Vec<Value>,
    ) -> Result<Value, CallError> {
        let paths = self.paths(peer, function).await?;
        let client = &self.shared.client;
        let mut outcome = client.call(peer, &paths.first, params.clone()).await;
        for path in &paths.others {
            if is_last_word(function, &outcome) {
                break;
            }
            let answer = client.call(peer, path, params.clone()).await;
            if outcome.is_err() && (answer.is_ok() || is_last_word(function, &answer)) {
                outcome = answer;
            }
        }
        outcome
    }

    /// Where a peer has a function.
    async fn paths(&self, peer: &Peer, function: &'static str) -> Result<Paths, CallError> {
        let found = match self.shared.client.find_functions(peer, function).await {
            Ok(found) => found,
            // It may hide its list; what it does not offer it refuses itself.
            Err(CallError::Fault { .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut found = found.into_iter().take(MAX_PLUGINS);
        Ok(Paths {
            first: found
                .next()
                .unwrap_or_else(|| format!("{MOODLES_PLUGIN}/{function}")),
            others: found.collect(),
        })
    }
}

/// The paths of a function that a peer may have in several plugins.
struct Paths {
    first: String,
    others: Vec<String>,
}

/// Whether no other plugin of the peer needs to be asked: the peer cannot be talked with, or the plugin has
/// said all there is to say about a token.
fn is_last_word(function: &str, answer: &Result<Value, CallError>) -> bool {
    match answer {
        Ok(_) => function == USER_AUTHORISE,
        Err(CallError::Fault { code, .. }) => {
            function == USER_AUTHORISE && KNOWN_TOKEN.contains(code)
        }
        Err(_) => true,
    }
}

/// SHA-1 of a raw User-Agent header in hex, as MNet names a browser (docs/protocol.md, SSO). A browser
/// that sends none counts as one with an empty header.
#[must_use]
pub fn user_agent_hash(user_agent: &[u8]) -> String {
    hex::encode(sha1(user_agent))
}
