//! Every recorded envelope is opened and verified, and ours have the form of Moodle's.

mod support;

use mnetd::clock::UnixTime;
use mnetd::envelope::{Outer, seal, sign};
use mnetd::keys::PublicKey;
use support::{RecordedKeys, Vector};

/// The element names and attributes of a document, in order, without its text.
fn form(document: &str) -> Vec<String> {
    let mut reader = quick_xml::Reader::from_str(document);
    let mut form = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                form.push((*tag).to_owned());
            }
            quick_xml::events::Event::End(tag) => form.push(format!("/{}", &*tag)),
            quick_xml::events::Event::Decl(declaration) => form.push((*declaration).to_owned()),
            quick_xml::events::Event::Eof => return form,
            _ => {}
        }
    }
}

/// Opens one side of an exchange; `None` where it is not sealed to the peer.
fn open(vector: &Vector, part: &str, keys: &RecordedKeys, signer: &PublicKey) -> Option<()> {
    if !vector.is_encrypted(part) {
        return None;
    }
    let name = &vector.name;
    let body = vector.text(part, "body").unwrap();
    let Outer::Encrypted(sealed) = Outer::read(body.as_bytes()).unwrap() else {
        panic!("{name}: not an encryptedMessage");
    };
    assert_eq!(sealed.wwwroot(), keys.moodle_wwwroot, "{name}");
    let opened = sealed
        .open(keys.peer.private_key())
        .unwrap_or_else(|_| panic!("{name}: does not open"));
    let Ok((signed, _)) = opened.into_signed() else {
        // What Moodle answers to an unsigned message is not signed either.
        assert!(name.starts_with("38"), "{name}: not signed");
        return Some(());
    };
    let verified = signed
        .verify(signer)
        .unwrap_or_else(|_| panic!("{name}: does not verify"));
    if let Some(payload) = vector.text(part, "payload") {
        assert_eq!(
            String::from_utf8_lossy(verified.payload()),
            payload,
            "{name}"
        );
        let timestamp = vector.json[part]["timestamp"].as_i64().unwrap();
        assert_eq!(verified.timestamp(), UnixTime(timestamp), "{name}");
    }
    Some(())
}

#[test]
fn every_recorded_envelope_opens_and_verifies() {
    let keys = RecordedKeys::read();
    let mut opened = 0;
    for vector in Vector::all() {
        let part = match vector.direction() {
            "from_moodle" => "request",
            "to_moodle" => "response",
            _ => continue,
        };
        let rotated = vector.name.as_str() >= "35";
        let signer = if rotated {
            keys.moodle_rotated.public_key()
        } else {
            keys.moodle.public_key()
        };
        opened += usize::from(open(&vector, part, &keys, signer).is_some());
    }
    // The other eight are in the clear, one of them a browser’s.
    assert_eq!(opened, 35);
}

#[test]
fn ours_have_the_elements_of_moodles_in_the_same_order() {
    let keys = RecordedKeys::read();
    let vector = Vector::number("24");
    let payload = vector.text("request", "payload").unwrap();
    let now = UnixTime(vector.json["request"]["timestamp"].as_i64().unwrap());
    let signed = sign(
        payload.as_bytes(),
        &keys.peer_wwwroot,
        now,
        keys.peer.private_key(),
    )
    .unwrap();
    let text = String::from_utf8(signed.clone()).unwrap();
    let theirs = vector
        .text("request", "signed")
        .unwrap()
        .replace(&keys.moodle_wwwroot, &keys.peer_wwwroot)
        // The files of the site that was recorded had DOS line ends; Moodle's own have not.
        .replace("\r\n", "\n");
    assert_eq!(form(&text), form(&theirs));
    // Signatures of another key apart, nothing differs at all.
    let blank = |text: &str| {
        let start = text.find("<SignatureValue>").unwrap();
        let end = text.find("</SignatureValue>").unwrap();
        format!("{}{}", &text[..start], &text[end..])
    };
    assert_eq!(blank(&text), blank(&theirs));

    let sealed = seal(signed, &keys.peer_wwwroot, keys.moodle.public_key()).unwrap();
    let text = String::from_utf8(sealed).unwrap();
    assert_eq!(form(&text), form(vector.text("request", "body").unwrap()));
}

#[test]
fn the_client_of_moodle_finds_its_signed_message() {
    let keys = RecordedKeys::read();
    let signed = sign(
        b"<methodCall/>",
        &keys.peer_wwwroot,
        UnixTime(1),
        keys.peer.private_key(),
    )
    .unwrap();
    let place = String::from_utf8(signed)
        .unwrap()
        .find("<signedMessage>")
        .unwrap();
    assert!((1..100).contains(&place), "{place}");
}

#[test]
fn a_changed_payload_does_not_verify() {
    let keys = RecordedKeys::read();
    let vector = Vector::number("24");
    let signed = vector.text("request", "signed").unwrap();
    // One letter of the payload's base64.
    let changed = signed.replacen("PD94bWwg", "PD94bWwh", 1);
    assert_ne!(signed, changed);
    let Outer::Signed(signed) = Outer::read(changed.as_bytes()).unwrap() else {
        panic!("not a signedMessage");
    };
    assert!(signed.verify(keys.moodle.public_key()).is_err());
}

#[test]
fn a_message_to_another_key_does_not_open() {
    let keys = RecordedKeys::read();
    let sealed = seal(
        b"<?xml version=\"1.0\"?><methodCall/>".to_vec(),
        "http://a.example",
        keys.moodle.public_key(),
    )
    .unwrap();
    let Outer::Encrypted(sealed) = Outer::read(&sealed).unwrap() else {
        panic!("not an encryptedMessage");
    };
    assert!(sealed.open(keys.peer.private_key()).is_err());
}
