//! Envelopes: what stands between the wire and an XML-RPC payload.
//!
//! A message is a `signedMessage` inside an `encryptedMessage` (docs/protocol.md, Envelopes). Here are
//! functions over bytes and keys: no network, no files, no clock but the moment they are given.
//!
//! Outwards: [`sign`], then [`seal`]. Inwards, each step a type of its own, so that none can be left out:
//!
//! ```text
//! bytes ─ Outer::read ─▶ Sealed ─ open ─▶ Opened ─ Signed ─ verify ─▶ Verified
//! ```
//!
//! Only a [`Verified`] has a payload that may be believed, and only [`Signed::verify`] makes one.

mod outer;
mod seal;
mod sign;

use thiserror::Error;

pub use outer::{MAX_BYTES, MAX_DEPTH, MAX_ELEMENTS, Outer};
pub use seal::{Opened, Sealed, SessionKeyDigest, WrongKey, seal, seal_with};
pub use sign::{BadSignature, Signed, Verified, sign};

/// Why bytes are no envelope. Always the sender's fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EnvelopeError {
    /// Too many bytes.
    #[error("the message is {0} bytes long; at most {MAX_BYTES} are taken")]
    TooLong(usize),
    /// No well-formed XML.
    #[error("the message is not well-formed XML (at byte {position}): {reason}")]
    NotXml {
        /// Bytes from the beginning.
        position: u64,
        /// What the parser found.
        reason: String,
    },
    /// A document type or an entity: no peer sends them, and they are how XML bombs are built.
    #[error("the message holds a document type or an entity of its own; neither is taken")]
    DocumentType,
    /// Elements nested too deep.
    #[error("the envelope's elements are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// Too many elements.
    #[error("the envelope has more than {MAX_ELEMENTS} elements")]
    TooManyElements,
    /// Something an envelope must have is not there.
    #[error("the envelope has no <{0}>")]
    Missing(&'static str),
    /// A value that should be base64 is not.
    #[error("the envelope's <{0}> is not base64")]
    NotBase64(&'static str),
    /// A timestamp that is no number.
    #[error("the envelope's <timestamp> is not a number of seconds")]
    NotATime,
}

/// Why an envelope could not be made.
#[derive(Debug, Error)]
pub enum SealError {
    /// OpenSSL would not do it.
    #[error("OpenSSL could not seal or sign: {0}")]
    OpenSsl(#[from] openssl::error::ErrorStack),
    /// The session key cannot be used for RC4.
    #[error("a session key has 5 to 256 bytes, this one {0}")]
    SessionKey(usize),
}
