//! Whatever bytes come in, reading them as an envelope ends in one or in a refusal; and the name it gives
//! its sender survives being written and read again.

#![no_main]

#[path = "recording.rs"]
mod recording;

use libfuzzer_sys::fuzz_target;
use mnetd::envelope::{EnvelopeError, MAX_BYTES, Outer, seal};
use recording::RECORDING;

fuzz_target!(|message: &[u8]| {
    match Outer::read(message) {
        Ok(Outer::Encrypted(sealed)) => check_name(sealed.wwwroot()),
        Ok(Outer::Signed(signed)) => {
            // Base64 only shrinks, so nobody gets a large payload out of a small message.
            assert!(signed.unverified_payload().len() < message.len());
            check_name(signed.wwwroot());
        }
        Ok(Outer::Plain) => assert!(!message.is_empty()),
        Err(EnvelopeError::TooLong(length)) => assert!(length > MAX_BYTES),
        Err(_) => {}
    }
});

fn check_name(wwwroot: &str) {
    assert!(!wwwroot.is_empty());
    let anybody = RECORDING.ours.certificate().public_key();
    let written = seal(b"x".to_vec(), wwwroot, anybody).unwrap();
    match Outer::read(&written) {
        Ok(Outer::Encrypted(sealed)) => assert_eq!(sealed.wwwroot(), wwwroot),
        // Escaping lengthens it.
        Err(EnvelopeError::TooLong(_)) => {}
        other => panic!("what was written is {other:?}"),
    }
}
