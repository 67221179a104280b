//! `encryptedMessage`: an RC4 body, its session key sealed with RSA PKCS#1 v1.5.

use std::borrow::Cow;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::pkey_ctx::PkeyCtx;
use openssl::rand::rand_bytes;
use openssl::rsa::Padding;
use openssl::sha::Sha256;
use rc4::{KeyInit, Rc4, StreamCipher};
use thiserror::Error;

use super::outer::Outer;
use super::{EnvelopeError, SealError, Signed};
use crate::keys::{PrivateKey, PublicKey};

/// The session keys we make, as PHP's `openssl_seal` has them.
const SESSION_KEY_BYTES: usize = 16;

/// The session keys we take (docs/protocol.md, Envelopes).
const SESSION_KEY_RANGE: std::ops::RangeInclusive<usize> = 5..=256;

/// An `encryptedMessage` that nobody has opened yet.
pub struct Sealed {
    pub(super) body: Vec<u8>,
    pub(super) session_key: Vec<u8>,
    pub(super) wwwroot: String,
}

/// What was in a [`Sealed`].
#[derive(Debug)]
pub struct Opened {
    /// The body after the seal is taken off.
    pub inner: Outer,
    /// The decrypted bytes themselves, for a body that is a bare XML-RPC document.
    pub body: Vec<u8>,
    /// What the message was sealed with.
    pub session_key: SessionKeyDigest,
}

/// The identity of a sealed message: a digest of its session key, which nobody but the sender can
/// choose (docs/protocol.md, What the envelope does not protect). 64 of SHA-256's bits: among the
/// 28 million calls of a busy key's life, the odds that any two share one are 1 in 50,000, and the call
/// it would hit is refused once and sent again with another key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionKeyDigest(pub i64);

/// No key fits: what comes out is not an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the message was not sealed to this key")]
pub struct WrongKey;

/// Wraps `message` in an `encryptedMessage` for the holder of `recipient`, under a fresh session key.
///
/// # Errors
/// When OpenSSL has no randomness or cannot seal.
pub fn seal(message: Vec<u8>, wwwroot: &str, recipient: &PublicKey) -> Result<Vec<u8>, SealError> {
    let mut session_key = [0; SESSION_KEY_BYTES];
    rand_bytes(&mut session_key)?;
    seal_with(&session_key, message, wwwroot, recipient)
}

/// As [`seal`], under a session key of the caller's choosing, 5 to 256 bytes: for tests and tools.
///
/// # Errors
/// When the session key has another length, does not fit the RSA key, or OpenSSL cannot seal.
pub fn seal_with(
    session_key: &[u8],
    mut message: Vec<u8>,
    wwwroot: &str,
    recipient: &PublicKey,
) -> Result<Vec<u8>, SealError> {
    if !SESSION_KEY_RANGE.contains(&session_key.len()) {
        return Err(SealError::SessionKey(session_key.len()));
    }
    let mut context = PkeyCtx::new(&recipient.0)?;
    context.encrypt_init()?;
    context.set_rsa_padding(Padding::PKCS1)?;
    let mut sealed_key = Vec::new();
    context.encrypt_to_vec(session_key, &mut sealed_key)?;
    apply_rc4(session_key, &mut message)
        .map_err(|WrongKey| SealError::SessionKey(session_key.len()))?;

    let mut text = String::with_capacity(message.len() * 4 / 3 + sealed_key.len() * 4 / 3 + 1600);
    text.push_str(concat!(
        r#"<?xml version="1.0" encoding="iso-8859-1"?>"#,
        "\n    <encryptedMessage>\n",
        r#"        <EncryptedData Id="ED" xmlns="http://www.w3.org/2001/04/xmlenc#">"#,
        "\n",
        r#"            <EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#arcfour"/>"#,
        "\n",
        r#"            <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">"#,
        "\n",
        r##"                <ds:RetrievalMethod URI="#EK" Type="http://www.w3.org/2001/04/xmlenc#EncryptedKey"/>"##,
        "\n                <ds:KeyName>XMLENC</ds:KeyName>\n            </ds:KeyInfo>\n",
        "            <CipherData>\n                <CipherValue>",
    ));
    STANDARD.encode_string(&message, &mut text);
    text.push_str(concat!(
        "</CipherValue>\n            </CipherData>\n        </EncryptedData>\n",
        r#"        <EncryptedKey Id="EK" xmlns="http://www.w3.org/2001/04/xmlenc#">"#,
        "\n",
        r#"            <EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#rsa-1_5"/>"#,
        "\n",
        r#"            <ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">"#,
        "\n                <ds:KeyName>SSLKEY</ds:KeyName>\n            </ds:KeyInfo>\n",
        "            <CipherData>\n                <CipherValue>",
    ));
    STANDARD.encode_string(&sealed_key, &mut text);
    text.push_str(concat!(
        "</CipherValue>\n            </CipherData>\n            <ReferenceList>\n",
        r##"                <DataReference URI="#ED"/>"##,
        "\n            </ReferenceList>\n            <CarriedKeyName>XMLENC</CarriedKeyName>\n",
        "        </EncryptedKey>\n        <wwwroot>",
    ));
    text.push_str(&escape(wwwroot));
    text.push_str("</wwwroot>\n    </encryptedMessage>");
    Ok(text.into_bytes())
}

impl Sealed {
    /// Who the envelope says has sealed: to find the peer by, proves nothing.
    #[must_use]
    pub fn wwwroot(&self) -> &str {
        &self.wwwroot
    }

    /// Opens the message with `key`.
    ///
    /// OpenSSL never says "wrong key": it hands out made-up bytes of a made-up length (implicit
    /// rejection). So what comes out decides, and every failure is the same [`WrongKey`].
    ///
    /// # Errors
    /// [`WrongKey`] when what comes out is no XML document.
    pub fn open(&self, key: &PrivateKey) -> Result<Opened, WrongKey> {
        let session_key = unseal_key(&self.session_key, key).map_err(|_| WrongKey)?;
        let mut body = self.body.clone();
        apply_rc4(&session_key, &mut body)?;
        let inner = read_inner(&body)?;
        Ok(Opened {
            inner,
            body,
            session_key: SessionKeyDigest::of(&session_key),
        })
    }
}

impl Opened {
    /// The signed message inside.
    ///
    /// # Errors
    /// When the body is not signed; it is handed back.
    pub fn into_signed(self) -> Result<(Signed, SessionKeyDigest), Vec<u8>> {
        match self.inner {
            Outer::Signed(signed) => Ok((signed, self.session_key)),
            Outer::Encrypted(_) | Outer::Plain => Err(self.body),
        }
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({}, {} bytes)", self.wwwroot, self.body.len())
    }
}

impl SessionKeyDigest {
    fn of(session_key: &[u8]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(b"mnetd session key");
        hasher.update(session_key);
        let digest = hasher.finish();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self(i64::from_be_bytes(first))
    }
}

impl fmt::Debug for SessionKeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionKeyDigest({:016x})", self.0)
    }
}

/// Text as it stands in an element or a quoted attribute.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    quick_xml::escape::escape(text)
}

fn unseal_key(sealed: &[u8], key: &PrivateKey) -> Result<Vec<u8>, ErrorStack> {
    let mut context = PkeyCtx::new(&key.0)?;
    context.decrypt_init()?;
    context.set_rsa_padding(Padding::PKCS1)?;
    let mut session_key = Vec::new();
    context.decrypt_to_vec(sealed, &mut session_key)?;
    Ok(session_key)
}

fn apply_rc4(session_key: &[u8], text: &mut [u8]) -> Result<(), WrongKey> {
    if !SESSION_KEY_RANGE.contains(&session_key.len()) {
        return Err(WrongKey);
    }
    let mut cipher = Rc4::new_from_slice(session_key).map_err(|_| WrongKey)?;
    cipher.apply_keystream(text);
    Ok(())
}

/// Judges a decrypted body: only an envelope or a bare XML-RPC document was sealed. A first `<` alone
/// would let one wrong key in 256 through.
fn read_inner(body: &[u8]) -> Result<Outer, WrongKey> {
    const BEGINNINGS: [&[u8]; 4] = [
        b"<?xml",
        b"<signedMessage",
        b"<methodCall",
        b"<methodResponse",
    ];
    let text = body.trim_ascii_start();
    if !BEGINNINGS
        .iter()
        .any(|beginning| text.starts_with(beginning))
    {
        return Err(WrongKey);
    }
    match Outer::read(body) {
        Ok(inner) => Ok(inner),
        // The right key, a defective sender: nothing in there is signed.
        Err(EnvelopeError::Missing(_) | EnvelopeError::NotBase64(_) | EnvelopeError::NotATime) => {
            Ok(Outer::Plain)
        }
        Err(_) => Err(WrongKey),
    }
}

#[cfg(test)]
mod tests {
    use openssl::pkey::PKey;
    use openssl::rsa::Rsa;

    use super::*;

    fn key() -> PrivateKey {
        PrivateKey(PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
    }

    /// RSA without padding: what decrypts to a block that is no PKCS#1 at all.
    fn without_padding(key: &PrivateKey, block: &[u8]) -> Vec<u8> {
        let rsa = key.0.rsa().unwrap();
        let mut sealed = vec![0; 256];
        rsa.public_encrypt(block, &mut sealed, Padding::NONE)
            .unwrap();
        sealed
    }

    #[test]
    fn a_bad_padding_is_not_told_apart() {
        let key = key();
        for seed in 0..20u8 {
            let mut block = vec![seed.wrapping_add(1); 256];
            block[0] = 0; // Below the modulus.
            let sealed = without_padding(&key, &block);
            // OpenSSL before 3.2 answers with an error here, which is a padding oracle.
            let made_up = unseal_key(&sealed, &key).expect("OpenSSL told of a bad padding");
            assert_eq!(made_up, unseal_key(&sealed, &key).unwrap());
            assert_ne!(made_up, block);
        }
    }

    #[test]
    fn a_made_up_session_key_opens_nothing() {
        let key = key();
        for seed in 0..200u8 {
            let mut block = vec![seed; 256];
            block[0] = 0;
            let sealed = Sealed {
                body: b"<?xml version=\"1.0\"?><signedMessage/>".repeat(3),
                session_key: without_padding(&key, &block),
                wwwroot: "http://a.example".to_owned(),
            };
            assert!(sealed.open(&key).is_err(), "{seed}");
        }
    }

    #[test]
    fn session_keys_of_every_length_are_taken() {
        let key = key();
        let public =
            PublicKey(PKey::public_key_from_pem(&key.0.public_key_to_pem().unwrap()).unwrap());
        let message = b"<?xml version=\"1.0\"?><methodCall/>".to_vec();
        // 245 bytes are the most that fit a 2048-bit key under PKCS#1 v1.5.
        for length in [5, 16, 32, 128, 245] {
            let session_key = vec![7; length];
            let sealed = seal_with(&session_key, message.clone(), "http://a.example", &public);
            let Ok(Outer::Encrypted(sealed)) = Outer::read(&sealed.unwrap()) else {
                panic!("not an encryptedMessage");
            };
            assert_eq!(sealed.open(&key).unwrap().body, message);
        }
        for length in [0, 1, 4, 257] {
            let sealed = seal_with(&vec![7; length], message.clone(), "http://a", &public);
            assert!(
                matches!(sealed, Err(SealError::SessionKey(_))),
                "{length} bytes"
            );
        }
    }
}
