//! Single sign-on: who may sign in and is signed in, jumps out to peers, landings from them, log-out.
//!
//! No SQL and no HTML: what is signed in stands in [`crate::store::sessions`], pages in
//! [`crate::web`]. Rules about time take the moment as an argument.

pub mod accounts;
pub mod password;
pub mod session;
pub mod sign_in;
pub mod throttle;
pub mod token;

pub use accounts::{AccountError, NewMember};
pub use password::{Password, PasswordError};
pub use sign_in::{HashError, SignIn, SignInError};
pub use token::Token;

use openssl::sha::sha1;

/// SHA-1 of a raw User-Agent header in hex, as MNet names a browser (docs/protocol.md, SSO). A browser
/// that sends none counts as one with an empty header.
#[must_use]
pub fn user_agent_hash(user_agent: &[u8]) -> String {
    hex::encode(sha1(user_agent))
}
