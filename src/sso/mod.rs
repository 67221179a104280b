//! Single sign-on: who may sign in and is signed in, jumps out to peers, landings from them, log-out.
//!
//! No SQL and no HTML: what is signed in stands in [`crate::store::sessions`], pages in
//! [`crate::web`]. Rules about time take the moment as an argument.

pub mod accounts;
mod jump;
mod keep_alive;
mod landing;
mod log_out;
pub mod password;
pub mod session;
pub mod sign_in;
pub mod throttle;
pub mod token;
pub mod wantsurl;

pub use accounts::{AccountError, NewMember};
pub use jump::{JumpError, MissingRight};
pub use keep_alive::KEEP_ALIVE_INTERVAL;
pub use landing::{LandError, Landed, Landing};
pub use log_out::SignedOut;
pub use password::{Password, PasswordError};
pub use sign_in::{HashError, SignIn, SignInError};
pub use token::Token;

use std::sync::Arc;

use openssl::sha::sha1;

use crate::clock::Clock;
use crate::peer::Client;
use crate::store::Store;
use crate::wwwroot::Wwwroot;

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
            }),
        }
    }
}

/// SHA-1 of a raw User-Agent header in hex, as MNet names a browser (docs/protocol.md, SSO). A browser
/// that sends none counts as one with an empty header.
#[must_use]
pub fn user_agent_hash(user_agent: &[u8]) -> String {
    hex::encode(sha1(user_agent))
}
