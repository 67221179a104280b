//! Binding our own calls: the recipient, the time and a nonce inside the signed payload
//! (docs/register.md, Binding).

use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;

use crate::clock::UnixTime;
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::{Struct, Value};

/// The member that names the recipient by its wwwroot.
pub const TO: &str = "mnetd_to";

/// The member with the time, in unix seconds.
pub const AT: &str = "mnetd_at";

/// The member with the nonce, in hexadecimal digits.
pub const NONCE: &str = "mnetd_nonce";

/// How many bytes a nonce has: 32 hexadecimal digits.
pub const NONCE_BYTES: usize = 16;

/// The parameter that binds a call to `recipient`, with a fresh nonce.
///
/// # Errors
/// When OpenSSL has no randomness.
pub fn bind(recipient: &Wwwroot, now: UnixTime) -> Result<Value, ErrorStack> {
    let mut nonce = [0; NONCE_BYTES];
    rand_bytes(&mut nonce)?;
    let binding = Struct::new()
        .with(TO, recipient.as_str())
        .with(AT, now.0)
        .with(NONCE, hex::encode(nonce));
    Ok(binding.into())
}
