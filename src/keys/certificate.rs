//! Certificates: ours and our peers'.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::{LazyLock, Mutex, PoisonError};

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::x509::X509;
use thiserror::Error;

use crate::clock::UnixTime;
use crate::wwwroot::Wwwroot;

/// The largest certificate read. Moodle's take about 1,600 bytes; with an 8192-bit key 4,000.
pub const MAX_PEM_BYTES: usize = 16 * 1024;

/// Smallest key taken from a peer: sites installed before 2010 made 1024-bit ones.
pub const MIN_KEY_BITS: u32 = 1024;

/// Largest key taken from a peer: beyond it one forged message would keep a core busy.
pub const MAX_KEY_BITS: u32 = 8192;

/// A certificate with an RSA key, kept as the PEM text it came in.
#[derive(Clone)]
pub struct Certificate {
    x509: X509,
    pem: String,
    key: PublicKey,
    fingerprint: Fingerprint,
}

/// How many certificates are kept ready ([`Certificate::parse_stored`]): more peers than any school has,
/// at 4 KiB each.
const MAX_READY: usize = 256;

/// Certificates parsed before, by the text they were parsed from.
static READY: LazyLock<Mutex<HashMap<String, Certificate>>> = LazyLock::new(Mutex::default);

/// The RSA public key of a [`Certificate`].
#[derive(Clone)]
pub struct PublicKey(pub(crate) PKey<Public>);

/// SHA-256 over a certificate's DER form: what two administrators compare by eye.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 32]);

/// Why a text is no certificate we can use.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateError {
    /// Not PEM, or not X.509 inside.
    #[error(
        "this is not a certificate: expected text that begins with -----BEGIN CERTIFICATE-----"
    )]
    NotACertificate,
    /// More than [`MAX_PEM_BYTES`].
    #[error("the certificate is {0} bytes long; at most {MAX_PEM_BYTES} are taken")]
    TooLong(usize),
    /// A key of another kind than RSA.
    #[error("the certificate holds a key that is not RSA; MNet knows RSA keys only")]
    NotRsa,
    /// A key outside [`MIN_KEY_BITS`]..=[`MAX_KEY_BITS`].
    #[error(
        "the certificate's RSA key has {0} bits; between {MIN_KEY_BITS} and {MAX_KEY_BITS} are taken, 2048 is usual"
    )]
    KeySize(u32),
}

/// A certificate that does not belong to the site it came from.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the certificate is made out for {named}, but the site is {expected}: the two must agree to the letter. \
     Usual causes: http against https, “www.” or a path missing, or a copied site that kept the keys of the original"
)]
pub struct Mismatch {
    /// What the certificate names.
    pub named: String,
    /// What it should name.
    pub expected: String,
}

impl Certificate {
    /// Reads the first certificate in a PEM text; white space around it does not matter.
    ///
    /// # Errors
    /// When the text is too long, no certificate, or its key is not RSA of a usable size.
    pub fn parse(pem: &str) -> Result<Self, CertificateError> {
        if pem.len() > MAX_PEM_BYTES {
            return Err(CertificateError::TooLong(pem.len()));
        }
        let x509 =
            X509::from_pem(pem.trim().as_bytes()).map_err(|_| CertificateError::NotACertificate)?;
        Self::from_x509(x509)
    }

    /// As [`Certificate::parse`], for a text that is read again and again, such as a peer's row: what it
    /// came to is kept. OpenSSL takes longer to decode a key, and to prepare it for its first use, than
    /// to verify a signature with it.
    ///
    /// # Errors
    /// As [`Certificate::parse`].
    pub fn parse_stored(pem: &str) -> Result<Self, CertificateError> {
        let ready = || READY.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = ready().get(pem) {
            return Ok(certificate.clone());
        }
        let certificate = Self::parse(pem)?;
        let mut ready = ready();
        if ready.len() >= MAX_READY {
            ready.clear();
        }
        ready.insert(pem.to_owned(), certificate.clone());
        Ok(certificate)
    }

    pub(super) fn from_x509(x509: X509) -> Result<Self, CertificateError> {
        let key = x509
            .public_key()
            .map_err(|_| CertificateError::NotACertificate)?;
        if key.id() != Id::RSA {
            return Err(CertificateError::NotRsa);
        }
        if !(MIN_KEY_BITS..=MAX_KEY_BITS).contains(&key.bits()) {
            return Err(CertificateError::KeySize(key.bits()));
        }
        let pem = x509
            .to_pem()
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or(CertificateError::NotACertificate)?;
        let mut fingerprint = Fingerprint([0; 32]);
        let digest = x509
            .digest(MessageDigest::sha256())
            .map_err(|_| CertificateError::NotACertificate)?;
        fingerprint.0.copy_from_slice(&digest);
        Ok(Self {
            x509,
            pem,
            key: PublicKey(key),
            fingerprint,
        })
    }

    /// The certificate as PEM, 64 characters a line, with a newline at the end.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// The key inside.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// SHA-256 over the DER form.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// The moment after which the certificate no longer holds.
    #[must_use]
    pub fn not_after(&self) -> UnixTime {
        to_unix(self.x509.not_after())
    }

    /// The moment from which the certificate holds.
    #[must_use]
    pub fn not_before(&self) -> UnixTime {
        to_unix(self.x509.not_before())
    }

    /// The subject's common name, empty where there is none.
    #[must_use]
    pub fn common_name(&self) -> String {
        self.subject_entry(Nid::COMMONNAME).unwrap_or_default()
    }

    /// Checks that the certificate is made out for `wwwroot`, by Moodle's rule: the *subject attribute*
    /// subjectAltName where there is one, else the common name against the first 64 characters
    /// (docs/protocol.md, Identity).
    ///
    /// # Errors
    /// [`Mismatch`] with both names.
    pub fn matches(&self, wwwroot: &Wwwroot) -> Result<(), Mismatch> {
        let (named, expected) = match self.subject_entry(Nid::SUBJECT_ALT_NAME) {
            Some(name) => (name, wwwroot.as_str().to_owned()),
            None => (self.common_name(), wwwroot.common_name()),
        };
        if named == expected {
            Ok(())
        } else {
            Err(Mismatch { named, expected })
        }
    }

    fn subject_entry(&self, nid: Nid) -> Option<String> {
        let entry = self.x509.subject_name().entries_by_nid(nid).next()?;
        entry.data().to_string().ok()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Certificate({}, {})",
            self.common_name(),
            self.fingerprint()
        )
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.pem == other.pem
    }
}

impl Eq for Certificate {}

impl PublicKey {
    /// How many bytes a signature or a sealed session key of this key has (256 for 2048 bits).
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.size()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey(RSA {})", self.0.bits())
    }
}

impl Fingerprint {
    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Upper-case hex in pairs, `AB:CD:…`, as openssl and browsers print it.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a fingerprint is 64 hexadecimal digits, with or without colons")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        let bytes = hex::decode(digits).map_err(|_| FingerprintError)?;
        Ok(Self(bytes.try_into().map_err(|_| FingerprintError)?))
    }
}

fn to_unix(time: &Asn1TimeRef) -> UnixTime {
    let seconds = Asn1Time::from_unix(0)
        .and_then(|epoch| epoch.diff(time))
        .map(|diff| i64::from(diff.days) * 86_400 + i64::from(diff.secs))
        .unwrap_or_default();
    UnixTime(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KeyPair;

    #[test]
    fn a_long_wwwroot_is_told_by_the_subject_attribute_alone() {
        let long = format!("https://example.org/{}", "a".repeat(100));
        let wwwroot = Wwwroot::parse(&long).unwrap();
        let pair = KeyPair::generate(&wwwroot, UnixTime(1_800_000_000), 28).unwrap();
        assert!(pair.certificate().matches(&wwwroot).is_ok());
        // The first 64 characters agree, the whole does not.
        let other = Wwwroot::parse(&format!("{long}b")).unwrap();
        assert_eq!(other.common_name(), wwwroot.common_name());
        let mismatch = pair.certificate().matches(&other).unwrap_err();
        assert_eq!(mismatch.named, long);
    }

    #[test]
    fn what_is_no_certificate_says_so() {
        assert_eq!(
            Certificate::parse("A nonrecoverable error…").unwrap_err(),
            CertificateError::NotACertificate
        );
        assert!(matches!(
            Certificate::parse(&"x".repeat(MAX_PEM_BYTES + 1)),
            Err(CertificateError::TooLong(_))
        ));
    }

    #[test]
    fn a_fingerprint_reads_back_from_its_text() {
        let fingerprint = Fingerprint([0xA5; 32]);
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!("a5".repeat(32).parse(), Ok(fingerprint));
        assert!("a5".repeat(31).parse::<Fingerprint>().is_err());
    }
}
