//! PHP's own openssl functions open what we seal, and we open what they seal.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mnetd::clock::UnixTime;
use mnetd::envelope::{Outer, seal, sign};
use mnetd::keys::KeyPair;
use mnetd::wwwroot::Wwwroot;
use serde_json::{Value, json};
use support::php::Php;

const NOW: UnixTime = UnixTime(1_800_000_000);

struct Site {
    wwwroot: Wwwroot,
    pair: KeyPair,
}

impl Site {
    fn new(wwwroot: &str) -> Self {
        let wwwroot = Wwwroot::parse(wwwroot).unwrap();
        let pair = KeyPair::generate(&wwwroot, NOW, 28).unwrap();
        Self { wwwroot, pair }
    }

    fn key(&self) -> String {
        let pem = self.pair.to_pem().unwrap();
        pem[..pem.find("-----BEGIN CERTIFICATE").unwrap()].to_owned()
    }
}

/// Payloads of every length about the block sizes, all bytes among them, and a large one.
fn payloads() -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = (0..=255).collect();
    let mut payloads: Vec<Vec<u8>> = (0..20).map(|length| bytes[..length].to_vec()).collect();
    payloads.push(bytes.repeat(2_000));
    payloads
}

fn ask(php: &Php, order: &Value) -> Value {
    let answer = php.run("envelope.php", order.to_string().as_bytes());
    serde_json::from_slice(&answer).unwrap()
}

#[test]
fn php_opens_what_we_seal() {
    let Some(php) = Php::with(&["openssl", "dom"]) else {
        return;
    };
    let (ours, theirs) = (Site::new("http://a.example"), Site::new("http://b.example"));
    for payload in payloads() {
        let signed = sign(
            &payload,
            ours.wwwroot.as_str(),
            NOW,
            ours.pair.private_key(),
        )
        .unwrap();
        let sealed = seal(
            signed,
            ours.wwwroot.as_str(),
            theirs.pair.certificate().public_key(),
        )
        .unwrap();
        let answer = ask(
            &php,
            &json!({
                "do": "read",
                "message": String::from_utf8(sealed).unwrap(),
                "key": theirs.key(),
                "signer": ours.pair.certificate().pem(),
            }),
        );
        assert_eq!(
            answer,
            json!({
                "payload": STANDARD.encode(&payload),
                "outer": "http://a.example",
                "inner": "http://a.example",
                "timestamp": NOW.0,
                "digest": true,
            })
        );
    }
}

#[test]
fn we_open_what_php_seals() {
    let Some(php) = Php::with(&["openssl", "dom"]) else {
        return;
    };
    let (ours, theirs) = (Site::new("http://a.example"), Site::new("http://b.example"));
    // An empty `object` is a missing one.
    for payload in payloads().into_iter().skip(1) {
        let answer = ask(
            &php,
            &json!({
                "do": "make",
                "payload": STANDARD.encode(&payload),
                "wwwroot": theirs.wwwroot.as_str(),
                "timestamp": NOW.0,
                "key": theirs.key(),
                "recipient": ours.pair.certificate().pem(),
            }),
        );
        let message = answer["message"].as_str().unwrap();
        let Outer::Encrypted(sealed) = Outer::read(message.as_bytes()).unwrap() else {
            panic!("not an encryptedMessage");
        };
        let opened = sealed.open(ours.pair.private_key()).unwrap();
        let (signed, _) = opened.into_signed().unwrap();
        let verified = signed
            .verify(theirs.pair.certificate().public_key())
            .unwrap();
        assert_eq!(verified.payload(), payload);
        assert_eq!(verified.wwwroot(), "http://b.example");
        assert_eq!(verified.timestamp(), NOW);
    }
}
