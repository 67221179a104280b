//! Random texts that open something: a session, a jump, the setup link. Stored only as a hash.

use std::fmt;

use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;

/// Bytes of a token where nothing else is said: 256 bits.
const BYTES: usize = 32;

/// Bytes of a token that a jump hands to a peer: 160 bits, 40 characters in hex, which is what Moodle's
/// `mnet_session.token` holds (docs/protocol.md, SSO).
const JUMP_BYTES: usize = 20;

/// A random text, in hex, that opens something to whoever has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// 256 random bits.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate() -> Result<Self, ErrorStack> {
        let mut bytes = [0; BYTES];
        rand_bytes(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// 160 random bits, for a jump to a peer.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn generate_for_jump() -> Result<Self, ErrorStack> {
        let mut bytes = [0; JUMP_BYTES];
        rand_bytes(&mut bytes)?;
        Ok(Self(hex::encode(bytes)))
    }

    /// A token that somebody handed in.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text itself, to be handed to the one it is for.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it: SHA-256. A token has so many random bits that nothing slower is needed, and
    /// looking up by the hash gives away nothing about the token by its time.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        sha256(self.0.as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_has_160_bits_and_a_session_256() {
        assert_eq!(Token::generate_for_jump().unwrap().reveal().len(), 40);
        assert_eq!(Token::generate().unwrap().reveal().len(), 64);
        assert_ne!(Token::generate().unwrap(), Token::generate().unwrap());
    }

    #[test]
    fn it_does_not_show_in_logs() {
        let token = Token::generate().unwrap();
        assert!(!format!("{token:?}").contains(token.reveal()));
    }
}
