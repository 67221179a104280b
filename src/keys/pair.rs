//! Our own key pairs.

use std::fmt;

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, SubjectKeyIdentifier};
use openssl::x509::{X509, X509NameBuilder};
use thiserror::Error;

use super::certificate::{Certificate, CertificateError};
use crate::clock::UnixTime;
use crate::wwwroot::Wwwroot;

/// The size of the keys we make, as Moodle's `mnet_generate_keypair` has it.
const KEY_BITS: u32 = 2048;

/// How long a certificate holds where nothing else is configured: Moodle's `$CFG->mnetkeylifetime`.
pub const DEFAULT_LIFETIME_DAYS: u32 = 28;

const SECONDS_A_DAY: i64 = 86_400;

/// An RSA private key. It has no text form but PEM, and no `Debug` form at all.
#[derive(Clone)]
pub struct PrivateKey(pub(crate) PKey<Private>);

/// A private key with the certificate over it.
#[derive(Clone)]
pub struct KeyPair {
    key: PrivateKey,
    certificate: Certificate,
}

/// Why a key pair could not be made or read.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The text holds no private key in PEM.
    #[error("no private key found: expected text that begins with -----BEGIN PRIVATE KEY-----")]
    NoPrivateKey,
    /// The certificate beside the key cannot be used.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// Key and certificate belong to two different pairs.
    #[error(
        "the certificate does not belong to the private key beside it: restore both from one backup"
    )]
    NotAPair,
    /// OpenSSL would not do it.
    #[error("OpenSSL could not make the key: {0}")]
    OpenSsl(#[from] ErrorStack),
}

impl KeyPair {
    /// Makes a new pair: RSA 2048, CN and *subject attribute* subjectAltName as Moodle makes them
    /// (docs/protocol.md, Identity), self-signed with SHA-256, valid from an hour before `now` (a
    /// peer's clock may lag) for `lifetime_days`.
    ///
    /// # Errors
    /// When OpenSSL has no randomness or memory.
    pub fn generate(
        wwwroot: &Wwwroot,
        now: UnixTime,
        lifetime_days: u32,
    ) -> Result<Self, KeyError> {
        let key = PKey::from_rsa(Rsa::generate(KEY_BITS)?)?;
        let certificate = certify(&key, wwwroot, now, lifetime_days)?;
        Ok(Self {
            key: PrivateKey(key),
            certificate: Certificate::from_x509(certificate)?,
        })
    }

    /// Reads a private key and the certificate over it from one PEM text, in either order.
    ///
    /// # Errors
    /// When one of the two is missing, or they do not belong together.
    pub fn parse(pem: &str) -> Result<Self, KeyError> {
        let key = PKey::private_key_from_pem(pem.as_bytes()).map_err(|_| KeyError::NoPrivateKey)?;
        let start = pem
            .find("-----BEGIN CERTIFICATE-----")
            .ok_or(CertificateError::NotACertificate)?;
        let certificate = Certificate::parse(&pem[start..])?;
        if !certificate.public_key().0.public_eq(&key) {
            return Err(KeyError::NotAPair);
        }
        Ok(Self {
            key: PrivateKey(key),
            certificate,
        })
    }

    /// Both halves as one PEM text: the private key (PKCS#8), then the certificate.
    ///
    /// # Errors
    /// When OpenSSL cannot encode the key.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let key = self.key.0.private_key_to_pem_pkcs8()?;
        Ok(format!(
            "{}{}",
            String::from_utf8_lossy(&key),
            self.certificate.pem()
        ))
    }

    /// The private half.
    #[must_use]
    pub fn private_key(&self) -> &PrivateKey {
        &self.key
    }

    /// The public half.
    #[must_use]
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyPair({:?})", self.certificate)
    }
}

fn certify(
    key: &PKey<Private>,
    wwwroot: &Wwwroot,
    now: UnixTime,
    lifetime_days: u32,
) -> Result<X509, ErrorStack> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::ORGANIZATIONALUNITNAME, "mnetd")?;
    name.append_entry_by_nid(Nid::COMMONNAME, &wwwroot.common_name())?;
    name.append_entry_by_nid(Nid::SUBJECT_ALT_NAME, wwwroot.as_str())?;
    let name = name.build();

    // RFC 5280, 4.1.2.2: positive, at most 20 octets.
    let mut serial = BigNum::new()?;
    serial.rand(128, MsbOption::MAYBE_ZERO, false)?;
    let not_before = Asn1Time::from_unix(now.plus(-3600).0)?;
    let not_after = Asn1Time::from_unix(now.plus(i64::from(lifetime_days) * SECONDS_A_DAY).0)?;

    let mut builder = X509::builder()?;
    builder.set_version(2)?; // X.509 v3 counts from zero.
    builder.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(&not_before)?;
    builder.set_not_after(&not_after)?;
    builder.set_pubkey(key)?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    let identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(identifier)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> KeyPair {
        let wwwroot = Wwwroot::parse("https://register.example.org").unwrap();
        KeyPair::generate(&wwwroot, UnixTime(1_800_000_000), 28).unwrap()
    }

    #[test]
    fn a_new_certificate_names_the_site_and_its_term() {
        let pair = pair();
        let certificate = pair.certificate();
        assert_eq!(certificate.common_name(), "https://register.example.org");
        assert_eq!(certificate.not_before(), UnixTime(1_800_000_000 - 3600));
        assert_eq!(
            certificate.not_after(),
            UnixTime(1_800_000_000 + 28 * 86_400)
        );
        assert_eq!(certificate.public_key().size() * 8, KEY_BITS as usize);
    }

    #[test]
    fn a_pair_reads_back_from_its_text() {
        let pair = pair();
        let again = KeyPair::parse(&pair.to_pem().unwrap()).unwrap();
        assert_eq!(again.certificate(), pair.certificate());
    }

    #[test]
    fn halves_of_two_pairs_are_refused() {
        let (one, other) = (pair(), pair());
        let key = String::from_utf8(one.key.0.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let mixed = format!("{key}{}", other.certificate().pem());
        assert!(matches!(KeyPair::parse(&mixed), Err(KeyError::NotAPair)));
    }

    #[test]
    fn debug_shows_no_key() {
        let text = format!("{:?}", pair());
        assert!(!text.contains("PRIVATE"));
        assert!(text.starts_with("KeyPair(Certificate(https://register.example.org"));
    }
}
