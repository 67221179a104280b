//! The whole server: whatever arrives is answered, and never with an error of ours; what nobody signed gets no further
//! than a keyswap.
//!
//! The database stands through a run, so that calls meet what earlier ones left; TMPDIR=/dev/shm makes it quick.

#![no_main]

#[path = "recording.rs"]
mod recording;
#[allow(dead_code, reason = "this target uses a part of it")]
#[path = "../../tests/support/site.rs"]
mod site;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mnetd::envelope::Outer;
use mnetd::rpc::Rejected;
use mnetd::xmlrpc::{Encoding, Limits, decode_response};
use recording::RECORDING;
use tokio::runtime::Runtime;

use site::{HERE, NOW, Site, Stranger};

/// Bytes with the layer they enter at. Random bytes do not get through RSA, so what lies above the layer is
/// sealed and signed as a peer would.
#[derive(Clone, Copy, Debug)]
enum Input<'a> {
    /// A whole message.
    Message(&'a [u8]),
    /// What is inside the seal: the first byte was `s`.
    Sealed(&'a [u8]),
    /// The payload inside signature and seal: the first byte was `p`.
    Payload(&'a [u8]),
}

impl<'a> Input<'a> {
    /// Reads the layer off the first byte. A message begins with `<`, so the two letters are free.
    fn read(bytes: &'a [u8]) -> Self {
        match bytes {
            [b's', rest @ ..] => Self::Sealed(rest),
            [b'p', rest @ ..] => Self::Payload(rest),
            _ => Self::Message(bytes),
        }
    }
}

/// The code of an error of ours.
const INTERNAL: i32 = -32603;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

static SITES: LazyLock<(Site, Stranger)> = LazyLock::new(|| {
    let site = Site::with_keys("http://127.0.0.1:8064", &RECORDING.ours);
    // Where it is asked back, it cannot be reached: nothing listens on the discard port.
    let stranger = Stranger::new("http://127.0.0.1:9");
    site.befriend(&stranger, &[("register", true, true)]);
    (site, stranger)
});

fuzz_target!(|bytes: &[u8]| {
    let (site, stranger) = &*SITES;
    let ours = site.certificate();
    let message = match Input::read(bytes) {
        Input::Message(message) => message.to_vec(),
        Input::Sealed(body) => stranger.seal_bytes(body.to_vec(), &ours),
        Input::Payload(payload) => stranger.seal_bytes(stranger.sign_payload(payload, NOW), &ours),
    };
    // An empty payload is a missing one.
    let is_signed = matches!(Input::read(bytes), Input::Payload(payload) if !payload.is_empty());
    let (answer, record) = RUNTIME.block_on(site.server.answer_with_record(message, HERE));
    assert_ne!(record.fault, Some(INTERNAL), "an error of ours");
    if !is_signed && answer.is_ok() && record.fault.is_none() {
        let method = record.method.as_deref();
        assert!(matches!(method, Some("system/keyswap" | "system.keyswap")));
    }
    match answer {
        Ok(answer) if is_signed && matches!(Outer::read(&answer), Ok(Outer::Encrypted(_))) => {
            assert!(stranger.open(&answer, &ours).signed);
        }
        Ok(answer) if matches!(Outer::read(&answer), Ok(Outer::Encrypted(_))) => {
            stranger.open(&answer, &ours);
        }
        Ok(answer) => {
            decode_response(&answer, Encoding::Utf8, &Limits::default()).unwrap();
        }
        Err(Rejected::Interrupted) => panic!("a thread of ours failed"),
        Err(Rejected::Malformed(_) | Rejected::TooLong(_)) => {}
    }
});
