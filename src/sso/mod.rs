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

    /// Calls a function of single sign-on, wherever the peer has it: a Moodle 5 may have it in a plugin
    /// that is not Moodle's own (docs/protocol.md, Where MNet stands in Moodle).
    async fn call(
        &self,
        peer: &Peer,
        function: &'static str,
        params: Vec<Value>,
    ) -> Result<Value, CallError> {
        let client = &self.shared.client;
        let path = match client.find_function(peer, function).await {
            Ok(Some(path)) => path,
            // It may hide its list; what it does not offer it refuses itself.
            Ok(None) | Err(CallError::Fault { .. }) => format!("{MOODLES_PLUGIN}/{function}"),
            Err(error) => return Err(error),
        };
        client.call(peer, &path, params).await
    }
}

/// SHA-1 of a raw User-Agent header in hex, as MNet names a browser (docs/protocol.md, SSO). A browser
/// that sends none counts as one with an empty header.
#[must_use]
pub fn user_agent_hash(user_agent: &[u8]) -> String {
    hex::encode(sha1(user_agent))
}
