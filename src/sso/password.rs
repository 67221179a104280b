//! Passwords of accounts: argon2id, and the little that is asked of them.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use thiserror::Error;

/// The fewest characters of a password (NIST SP 800-63B-4, 3.1.1.2, asks for 15 where nothing else is
/// needed to sign in, 8 beside a second factor; sign-in here is throttled besides).
pub const MIN_LENGTH: usize = 12;

/// The most bytes of a password: hashing takes time by length.
pub const MAX_BYTES: usize = 1024;

/// Bytes of salt (RFC 9106, 3.1).
const SALT_BYTES: usize = 16;

/// A hash that no password has, to be checked where there is no account: both take the same time then.
/// Its parameters are those of [`Password::hash`].
const NOBODYS_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A password as somebody typed it.
#[derive(Clone)]
pub struct Password(String);

/// What is wrong with a password, or with a stored hash.
#[derive(Debug, Error)]
pub enum PasswordError {
    /// Too short.
    #[error(
        "the password has {0} characters; at least {MIN_LENGTH} are needed. A sentence of four words is easy to remember and hard to guess"
    )]
    TooShort(usize),
    /// Too long.
    #[error("the password is longer than {MAX_BYTES} bytes")]
    TooLong,
    /// The same as the username.
    #[error("the password is the username; choose another")]
    Username,
    /// No random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(#[from] ErrorStack),
    /// Hashing failed.
    #[error("the password could not be hashed: {0}")]
    Hash(argon2::password_hash::Error),
}

impl Password {
    /// A password as it was typed, to be checked.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// A password for an account called `username`.
    ///
    /// # Errors
    /// Where it is too short, too long or the username.
    pub fn chosen(text: &str, username: &str) -> Result<Self, PasswordError> {
        let length = text.chars().count();
        if length < MIN_LENGTH {
            return Err(PasswordError::TooShort(length));
        }
        if text.len() > MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        if text.to_lowercase() == username.to_lowercase() {
            return Err(PasswordError::Username);
        }
        Ok(Self(text.to_owned()))
    }

    /// Its argon2id hash with a fresh salt, as a PHC string: 19 MiB, two passes, one lane (OWASP,
    /// Password Storage Cheat Sheet; the crate's own choice). Takes about 20 ms.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn hash(&self) -> Result<String, PasswordError> {
        let mut salt = [0; SALT_BYTES];
        rand_bytes(&mut salt)?;
        let hash = Argon2::default()
            .hash_password_with_salt(self.0.as_bytes(), &salt)
            .map_err(PasswordError::Hash)?;
        Ok(hash.to_string())
    }

    /// Whether it is the password that was hashed. `None`: there is no such account, which takes as long
    /// to find out. A password too long to be one, and a stored hash that is none, are no match.
    #[must_use]
    pub fn matches(&self, hash: Option<&str>) -> bool {
        let Ok(stored) = PasswordHash::new(hash.unwrap_or(NOBODYS_HASH)) else {
            return false;
        };
        self.0.len() <= MAX_BYTES
            && Argon2::default()
                .verify_password(self.0.as_bytes(), &stored)
                .is_ok()
            && hash.is_some()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_matches() {
        let password = Password::chosen("correct horse battery", "admin").unwrap();
        let hash = password.hash().unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(password.matches(Some(&hash)));
        assert!(!Password::typed("correct horse batterz").matches(Some(&hash)));
        assert!(!password.matches(Some("")));
        assert!(!password.matches(None));
        assert_ne!(hash, password.hash().unwrap());
    }

    #[test]
    fn nobody_takes_as_long_as_somebody() {
        let hash = Password::typed("x").hash().unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(&hash), parameters(NOBODYS_HASH));
        assert!(PasswordHash::new(NOBODYS_HASH).is_ok());
    }

    #[test]
    fn what_is_asked_of_a_password() {
        assert!(matches!(
            Password::chosen("elevenchars", "a"),
            Err(PasswordError::TooShort(11))
        ));
        assert!(Password::chosen("twelve chars", "a").is_ok());
        assert!(matches!(
            Password::chosen("Administrator", "administrator"),
            Err(PasswordError::Username)
        ));
        assert!(matches!(
            Password::chosen(&"a".repeat(MAX_BYTES + 1), "a"),
            Err(PasswordError::TooLong)
        ));
    }

    #[test]
    fn it_does_not_show_in_logs() {
        assert!(!format!("{:?}", Password::typed("secret")).contains("secret"));
    }
}
