//! The crates rsa and sha1, which share nothing with OpenSSL, verify what we sign and open what we seal.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mnetd::clock::UnixTime;
use mnetd::envelope::{Outer, seal, sign};
use mnetd::keys::{KeyPair, PublicKey};
use mnetd::wwwroot::Wwwroot;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Encrypt, PrivateKey};
use sha1::{Digest, Sha1};

const NOW: UnixTime = UnixTime(1_800_000_000);
const PAYLOAD: &[u8] =
    b"<?xml version=\"1.0\"?><methodCall><methodName>system/listServices</methodName></methodCall>";

struct Both {
    ours: KeyPair,
    theirs: PrivateKey,
}

fn both() -> Both {
    let wwwroot = Wwwroot::parse("http://a.example").unwrap();
    let ours = KeyPair::generate(&wwwroot, NOW, 28).unwrap();
    let pem = ours.to_pem().unwrap();
    let key = &pem[..pem.find("-----BEGIN CERTIFICATE").unwrap()];
    Both {
        theirs: PrivateKey::from_pkcs8_pem(key).unwrap(),
        ours,
    }
}

fn element<'a>(text: &'a str, name: &str, nth: usize) -> &'a str {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let start = text.match_indices(&open).nth(nth).unwrap().0 + open.len();
    &text[start..start + text[start..].find(&close).unwrap()]
}

#[test]
fn our_signature_verifies() {
    let keys = both();
    let signed = sign(PAYLOAD, "http://a.example", NOW, keys.ours.private_key()).unwrap();
    let text = String::from_utf8(signed).unwrap();
    let digest = Sha1::digest(PAYLOAD);
    assert_eq!(element(&text, "DigestValue", 0), hex::encode(digest));
    let signature = STANDARD
        .decode(element(&text, "SignatureValue", 0))
        .unwrap();
    keys.theirs
        .to_public_key()
        .verify(Pkcs1v15Sign::new::<Sha1>(), &digest, &signature)
        .unwrap();
}

#[test]
fn their_signature_is_ours_to_the_byte() {
    // PKCS#1 v1.5 signatures have no randomness.
    let keys = both();
    let signed = sign(PAYLOAD, "http://a.example", NOW, keys.ours.private_key()).unwrap();
    let text = String::from_utf8(signed).unwrap();
    let theirs = keys
        .theirs
        .sign(Pkcs1v15Sign::new::<Sha1>(), &Sha1::digest(PAYLOAD))
        .unwrap();
    assert_eq!(element(&text, "SignatureValue", 0), STANDARD.encode(theirs));
}

#[test]
fn our_seal_opens() {
    let keys = both();
    let recipient: &PublicKey = keys.ours.certificate().public_key();
    let sealed = seal(PAYLOAD.to_vec(), "http://a.example", recipient).unwrap();
    let text = String::from_utf8(sealed).unwrap();
    let session_key = keys
        .theirs
        .decrypt(
            Pkcs1v15Encrypt,
            &STANDARD.decode(element(&text, "CipherValue", 1)).unwrap(),
        )
        .unwrap();
    assert_eq!(session_key.len(), 16);
    let mut body = STANDARD.decode(element(&text, "CipherValue", 0)).unwrap();
    rc4_by_the_book(&session_key, &mut body);
    assert_eq!(body, PAYLOAD);
}

#[test]
fn their_seal_opens_here() {
    let keys = both();
    let session_key = [9; 16];
    let mut body = PAYLOAD.to_vec();
    rc4_by_the_book(&session_key, &mut body);
    let sealed_key = keys
        .theirs
        .to_public_key()
        .encrypt(&mut rand_core(), Pkcs1v15Encrypt, &session_key)
        .unwrap();
    let message = format!(
        "<ENCRYPTEDMESSAGE><CipherValue>{}</CipherValue><x:ciphervalue xmlns:x='y'>{}</x:ciphervalue><WWWROOT>http://a.example</WWWROOT></ENCRYPTEDMESSAGE>",
        STANDARD.encode(body),
        STANDARD.encode(sealed_key)
    );
    let Outer::Encrypted(sealed) = Outer::read(message.as_bytes()).unwrap() else {
        panic!("not an encryptedMessage");
    };
    assert_eq!(sealed.wwwroot(), "http://a.example");
    assert_eq!(sealed.open(keys.ours.private_key()).unwrap().body, PAYLOAD);
}

/// RC4 as it was published: its own few lines, so that the crate is checked as well.
fn rc4_by_the_book(key: &[u8], text: &mut [u8]) {
    let mut state: Vec<u8> = (0..=255).collect();
    let mut j = 0usize;
    for i in 0..256 {
        j = (j + usize::from(state[i]) + usize::from(key[i % key.len()])) % 256;
        state.swap(i, j);
    }
    let (mut i, mut j) = (0usize, 0usize);
    for byte in text {
        i = (i + 1) % 256;
        j = (j + usize::from(state[i])) % 256;
        state.swap(i, j);
        *byte ^= state[(usize::from(state[i]) + usize::from(state[j])) % 256];
    }
}

fn rand_core() -> impl rsa::rand_core::CryptoRng {
    rand::rng()
}
