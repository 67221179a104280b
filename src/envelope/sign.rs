//! `signedMessage`: an RSA PKCS#1 v1.5 SHA-1 signature over the bytes of the payload.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::hash::{MessageDigest, hash};
use openssl::md::Md;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rsa::Padding;
use thiserror::Error;

use super::SealError;
use crate::clock::UnixTime;
use crate::keys::{PrivateKey, PublicKey};

/// A `signedMessage` whose signature nobody has checked yet.
#[derive(Debug)]
pub struct Signed {
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
    pub(super) wwwroot: String,
    pub(super) timestamp: UnixTime,
}

/// A payload whose signature was made by the key it was checked against.
///
/// What the signature covers is the payload alone: wwwroot and timestamp are what the envelope
/// says (docs/security.md).
#[derive(Debug)]
pub struct Verified {
    payload: Vec<u8>,
    wwwroot: String,
    timestamp: UnixTime,
}

/// The signature does not belong to the payload and the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the signature was not made by the key known for this peer")]
pub struct BadSignature;

/// Wraps `payload` in a `signedMessage`, with the elements in the order Moodle has them.
///
/// # Errors
/// When OpenSSL cannot sign.
pub fn sign(
    payload: &[u8],
    wwwroot: &str,
    now: UnixTime,
    key: &PrivateKey,
) -> Result<Vec<u8>, SealError> {
    let digest = sha1(payload)?;
    let mut signature = Vec::new();
    let mut context = PkeyCtx::new(&key.0)?;
    context.sign_init()?;
    context.set_rsa_padding(Padding::PKCS1)?;
    context.set_signature_md(Md::sha1())?;
    context.sign_to_vec(&digest, &mut signature)?;

    // Moodle's client looks for the bare `<signedMessage>` behind an XML declaration and within the
    // first 100 characters, and for nothing before it (docs/protocol.md, Envelopes).
    let mut text = String::with_capacity(payload.len() * 4 / 3 + signature.len() * 4 / 3 + 1100);
    text.push_str(concat!(
        r#"<?xml version="1.0" encoding="iso-8859-1"?>"#,
        "\n    <signedMessage>\n",
        r#"        <Signature Id="MoodleSignature" xmlns="http://www.w3.org/2000/09/xmldsig#">"#,
        "\n            <SignedInfo>\n",
        r#"                <CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>"#,
        "\n",
        r#"                <SignatureMethod Algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"/>"#,
        "\n",
        r##"                <Reference URI="#XMLRPC-MSG">"##,
        "\n",
        r#"                    <DigestMethod Algorithm="http://www.w3.org/2000/09/xmldsig#sha1"/>"#,
        "\n                    <DigestValue>",
    ));
    text.push_str(&hex::encode(&*digest));
    text.push_str(
        "</DigestValue>\n                </Reference>\n            </SignedInfo>\n            <SignatureValue>",
    );
    STANDARD.encode_string(&signature, &mut text);
    let site = super::seal::escape(wwwroot);
    let _ = write!(
        text,
        "</SignatureValue>\n            <KeyInfo>\n                <RetrievalMethod URI=\"{site}/mnet/publickey.php\"/>\n            </KeyInfo>\n        </Signature>\n        <object ID=\"XMLRPC-MSG\">",
    );
    STANDARD.encode_string(payload, &mut text);
    let _ = write!(
        text,
        "</object>\n        <wwwroot>{site}</wwwroot>\n        <timestamp>{}</timestamp>\n    </signedMessage>",
        now.0
    );
    Ok(text.into_bytes())
}

impl Signed {
    /// Who the envelope says has signed: to find the key by, not to be believed yet.
    #[must_use]
    pub fn wwwroot(&self) -> &str {
        &self.wwwroot
    }

    /// The payload before anybody checked it: for the one message that carries the key to check it
    /// with, fault 7025.
    #[must_use]
    pub fn unverified_payload(&self) -> &[u8] {
        &self.payload
    }

    /// Checks the signature against `key`.
    ///
    /// The `DigestValue` is not looked at: the signature covers the payload itself, and Moodle does not
    /// look either.
    ///
    /// # Errors
    /// [`BadSignature`] with the message handed back, so that another key can be tried.
    pub fn verify(self, key: &PublicKey) -> Result<Verified, (Self, BadSignature)> {
        if !is_signed_by(&self, key).unwrap_or(false) {
            return Err((self, BadSignature));
        }
        Ok(Verified {
            payload: self.payload,
            wwwroot: self.wwwroot,
            timestamp: self.timestamp,
        })
    }
}

impl Verified {
    /// The XML-RPC document.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The inner wwwroot, whose key was used; not covered by the signature.
    #[must_use]
    pub fn wwwroot(&self) -> &str {
        &self.wwwroot
    }

    /// When the sender says it signed; not covered by the signature.
    #[must_use]
    pub fn timestamp(&self) -> UnixTime {
        self.timestamp
    }
}

fn is_signed_by(message: &Signed, key: &PublicKey) -> Result<bool, ErrorStack> {
    let mut context = PkeyCtx::new(&key.0)?;
    context.verify_init()?;
    context.set_rsa_padding(Padding::PKCS1)?;
    context.set_signature_md(Md::sha1())?;
    context.verify(&sha1(&message.payload)?, &message.signature)
}

fn sha1(bytes: &[u8]) -> Result<openssl::hash::DigestBytes, ErrorStack> {
    hash(MessageDigest::sha1(), bytes)
}
