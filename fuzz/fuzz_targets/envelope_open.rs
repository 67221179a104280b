//! Whatever was sealed to us, by whoever: opening it ends in a message or a refusal, and no payload is
//! believed but those that Moodle signed when its traffic was recorded.

#![no_main]

#[path = "recording.rs"]
mod recording;

use libfuzzer_sys::fuzz_target;
use mnetd::envelope::{Opened, Outer, Sealed, seal_with};
use recording::RECORDING;

/// Any will do: the body is what is fuzzed.
const SESSION_KEY: [u8; 16] = *b"session key here";

fuzz_target!(|bytes: &[u8]| {
    open_message(bytes);
    open_body(bytes);
});

/// The bytes as they come in over HTTP.
fn open_message(bytes: &[u8]) {
    if let Ok(Outer::Encrypted(sealed)) = Outer::read(bytes) {
        open(&sealed);
    }
}

/// The bytes as somebody sealed them who knows our public key, as everybody does.
fn open_body(bytes: &[u8]) {
    let ours = RECORDING.ours.certificate().public_key();
    let message = seal_with(&SESSION_KEY, bytes.to_vec(), "http://a.example", ours).unwrap();
    match Outer::read(&message) {
        Ok(Outer::Encrypted(sealed)) => {
            if let Some(opened) = open(&sealed) {
                assert_eq!(opened, bytes);
            }
        }
        // Too long, or nothing at all.
        Err(_) => {}
        Ok(other) => panic!("{other:?} was written"),
    }
}

/// Opens a message and, where it is signed, checks the signature; gives back what was sealed.
fn open(sealed: &Sealed) -> Option<Vec<u8>> {
    let opened: Opened = sealed.open(RECORDING.ours.private_key()).ok()?;
    let body = opened.body.clone();
    if let Ok((signed, _)) = opened.into_signed() {
        match signed.verify(RECORDING.moodle.public_key()) {
            Ok(verified) => assert!(RECORDING.signed.contains(verified.payload())),
            Err((signed, _)) => {
                // Another key is not easier to please.
                let ours = RECORDING.ours.certificate().public_key();
                if let Ok(verified) = signed.verify(ours) {
                    assert!(RECORDING.signed.contains(verified.payload()));
                }
            }
        }
    }
    Some(body)
}
