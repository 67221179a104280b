//! Keys and certificates: what a peer is recognised by.
//!
//! A peer's identity is a self-signed X.509 certificate over an RSA key (docs/protocol.md,
//! Identity). [`Certificate`] reads anybody's, [`KeyPair`] makes and holds our own, [`KeyRing`] is the
//! present pair with the last few old ones, [`KeyStore`] the directory they live in.
//!
//! Private-key operations belong to OpenSSL alone: the `rsa` crate has an open timing advisory
//! (RUSTSEC-2023-0071), and OpenSSL 3.2 or later answers a bad PKCS#1 v1.5 padding with a made-up
//! plaintext, so that a caller cannot tell it from a wrong key (implicit rejection).

mod certificate;
mod directory;
mod pair;

pub use certificate::{
    Certificate, CertificateError, Fingerprint, FingerprintError, MAX_KEY_BITS, MAX_PEM_BYTES,
    MIN_KEY_BITS, Mismatch, PublicKey,
};
pub use directory::{KeyRing, KeyStore, KeyStoreError, OLD_PAIRS_KEPT, RetiredPair, copy};
pub use pair::{DEFAULT_LIFETIME_DAYS, KeyError, KeyPair, PrivateKey};
