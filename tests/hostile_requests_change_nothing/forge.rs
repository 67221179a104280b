//! What hostile messages are made with: good ones, taken apart.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mnetd::clock::UnixTime;
use mnetd::envelope;
use mnetd::keys::Certificate;
use mnetd::xmlrpc::{Encoding, MethodCall, Struct, Value, encode_call};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Padding;
use openssl::sign::Signer;
use openssl::x509::X509;
use rc4::{KeyInit, Rc4, StreamCipher};

use super::support::site::{NOW, Stranger, fields};

/// The peer; nothing listens there, so that it cannot be asked for a new key.
pub const PEER: &str = "http://127.0.0.1:1";

/// Another peer, whose calls are bound.
pub const COURIER: &str = "http://127.0.0.1:1/courier";

/// The session key of a call that was heard.
pub const HEARD_KEY: [u8; 16] = [7; 16];

/// The nonce of a call that was heard.
pub const HEARD_NONCE: &str = "00112233445566778899aabbccddeeff";

/// Everybody and everything a hostile message is made from.
pub struct Forge {
    /// Our site's name.
    pub here: String,
    /// Our certificate.
    pub ours: Certificate,
    /// Our certificate before.
    pub retired: Certificate,
    /// A peer.
    pub peer: Stranger,
    /// A peer that binds its calls.
    pub courier: Stranger,
    /// The peer's name, another key.
    pub forger: Stranger,
    /// No peer.
    pub unknown: Stranger,
}

/// What is sent.
pub enum Request {
    /// The body of a POST.
    Message(Vec<u8>),
    /// Everything, from the request line on.
    Raw(Vec<u8>),
}

/// What has to come back.
#[derive(Clone, Copy, Debug)]
pub enum Outcome {
    /// A fault signed and sealed to the peer.
    Fault(i32),
    /// A fault signed and sealed to the other peer.
    FaultToCourier(i32),
    /// A fault sealed to the peer, but not signed: the request was not.
    FaultUnsigned(i32),
    /// A fault in the clear: nobody knows whom to seal to.
    FaultInTheClear(i32),
    /// The present certificate as fault 7025, signed by the key it was sealed to.
    KeyChanged,
    /// A result of a multicall: each entry refused with its own fault.
    Entries(&'static [i32]),
    /// Taken for what it is: nothing new.
    Unchanged,
    /// Our certificate in the clear.
    OurCertificate,
    /// No XML-RPC at all.
    Status(u16),
}

pub struct Case {
    pub name: String,
    pub make: Box<dyn Fn(&Forge) -> Request>,
    pub outcome: Outcome,
}

/// A hostile message, sent as a POST.
pub fn case(
    name: impl Into<String>,
    outcome: Outcome,
    make: impl Fn(&Forge) -> Vec<u8> + 'static,
) -> Case {
    Case {
        name: name.into(),
        make: Box::new(move |forge| Request::Message(make(forge))),
        outcome,
    }
}

/// A signed and sealed payload.
pub fn payload(
    name: impl Into<String>,
    outcome: Outcome,
    make: impl Fn() -> Vec<u8> + 'static,
) -> Case {
    case(name, outcome, move |forge| forge.with_payload(&make()))
}

/// A signed and sealed call.
pub fn call(
    name: impl Into<String>,
    outcome: Outcome,
    method: impl Into<String>,
    params: Vec<Value>,
) -> Case {
    let call = MethodCall::new(method, params);
    case(name, outcome, move |forge| forge.with_call(&call))
}

/// A whole HTTP request.
pub fn raw(name: &str, outcome: Outcome, make: impl Fn(&Forge) -> Vec<u8> + 'static) -> Case {
    Case {
        name: name.to_owned(),
        make: Box::new(move |forge| Request::Raw(make(forge))),
        outcome,
    }
}

impl Forge {
    /// A good call, sealed anew.
    pub fn good(&self) -> Vec<u8> {
        self.seal(self.signed())
    }

    /// The same before it is sealed.
    pub fn signed(&self) -> Vec<u8> {
        self.peer.sign(&good_call(), NOW)
    }

    pub fn seal(&self, bytes: Vec<u8>) -> Vec<u8> {
        self.peer.seal_bytes(bytes, &self.ours)
    }

    pub fn with_call(&self, call: &MethodCall) -> Vec<u8> {
        self.with_payload(&encode_call(call, Encoding::Utf8))
    }

    pub fn with_payload(&self, payload: &[u8]) -> Vec<u8> {
        self.seal(self.peer.sign_payload(payload, NOW))
    }

    /// The call that was heard; with another date as whoever cannot read it would change it.
    pub fn heard_message(&self, at: UnixTime) -> Vec<u8> {
        let signed = self.peer.sign(&good_call(), at);
        envelope::seal_with(&HEARD_KEY, signed, PEER, self.ours.public_key()).unwrap()
    }

    /// A call of the courier's, bound.
    pub fn bound(&self, to: &str, at: i64, nonce: &str) -> Vec<u8> {
        let binding = Struct::new()
            .with("mnetd_to", to)
            .with("mnetd_at", at.to_string())
            .with("mnetd_nonce", nonce);
        let mut call = new_section("c1");
        call.params.push(binding.into());
        self.courier.seal(&call, &self.ours, NOW)
    }

    /// Seals under any session key at all.
    pub fn seal_by_hand(&self, session_key: &[u8], body: &[u8]) -> Vec<u8> {
        let mut body = body.to_vec();
        if let Ok(mut cipher) = Rc4::new_from_slice(session_key) {
            cipher.apply_keystream(&mut body);
        }
        let sealed_key = self.rsa(session_key, Padding::PKCS1);
        let message = edit(&self.good(), "CipherValue", 0, |_| STANDARD.encode(body));
        edit(&message, "CipherValue", 1, |_| STANDARD.encode(sealed_key))
    }

    /// A message whose session key opens to `block`, padding and all.
    pub fn with_rsa_block(&self, block: &[u8]) -> Vec<u8> {
        let sealed_key = self.rsa(block, Padding::NONE);
        edit(&self.good(), "CipherValue", 1, |_| {
            STANDARD.encode(sealed_key)
        })
    }

    fn rsa(&self, block: &[u8], padding: Padding) -> Vec<u8> {
        let certificate = X509::from_pem(self.ours.pem().as_bytes()).unwrap();
        let key = certificate.public_key().unwrap().rsa().unwrap();
        let mut sealed = vec![0; 256];
        key.public_encrypt(block, &mut sealed, padding).unwrap();
        sealed
    }

    /// The peer's signature over anything, by any hash.
    pub fn signature(&self, digest: MessageDigest, bytes: &[u8]) -> Vec<u8> {
        let pem = self.peer.pair.to_pem().unwrap();
        let key: PKey<Private> = PKey::private_key_from_pem(pem.as_bytes()).unwrap();
        let mut signer = Signer::new(digest, &key).unwrap();
        signer.sign_oneshot_to_vec(bytes).unwrap()
    }
}

pub fn section(id: &str) -> Value {
    fields(&[("idnumber", id), ("name", "Algebra")])
}

pub fn enrolment() -> Value {
    fields(&[("sectionid", "s1"), ("userid", "zoe"), ("role", "student")])
}

pub fn assessment() -> Value {
    fields(&[
        ("sectionid", "s1"),
        ("idnumber", "a1"),
        ("name", "Test 1"),
        ("pointval", "100"),
    ])
}

pub fn grade(points: &str) -> Value {
    fields(&[
        ("assessmentid", "a1"),
        ("userid", "zoe"),
        ("points_earned", points),
    ])
}

pub fn new_section(id: &str) -> MethodCall {
    MethodCall::new("register/new_section", vec![section(id)])
}

/// A call that says nothing new.
pub fn good_call() -> MethodCall {
    new_section("s1")
}

pub fn good_payload() -> Vec<u8> {
    encode_call(&good_call(), Encoding::Utf8)
}

pub fn plain(method: &str, params: Vec<Value>) -> Vec<u8> {
    encode_call(&MethodCall::new(method, params), Encoding::Utf8)
}

/// A call for another section, one field of which holds `xml`.
pub fn with_value(xml: &str) -> Vec<u8> {
    raw_value(xml.as_bytes())
}

pub fn raw_value(bytes: &[u8]) -> Vec<u8> {
    [
        &b"<?xml version=\"1.0\"?><methodCall><methodName>register/new_section</methodName><params><param><value><struct>\
           <member><name>idnumber</name><value>s9</value></member>\
           <member><name>name</name><value>Algebra</value></member>\
           <member><name>other</name><value>"[..],
        bytes,
        b"</value></member></struct></value></param></params></methodCall>",
    ]
    .concat()
}

pub fn declared(encoding: &str) -> Vec<u8> {
    let call = encode_call(&new_section("s9"), Encoding::Utf8);
    let root = find(&call, b"<methodCall>");
    let declaration = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>");
    [declaration.as_bytes(), &call[root..]].concat()
}

pub fn arrays(depth: usize) -> String {
    "<array><data><value>".repeat(depth) + &"</value></data></array>".repeat(depth)
}

pub fn nested(depth: usize) -> String {
    "<a>".repeat(depth) + &"</a>".repeat(depth)
}

/// A thousand million texts out of ten lines.
pub fn entity_bomb() -> String {
    let mut bomb = String::from("<!DOCTYPE bomb [<!ENTITY e0 \"ha\">");
    for level in 1..10 {
        let inner = format!("&e{};", level - 1).repeat(10);
        let _ = write!(bomb, "<!ENTITY e{level} \"{inner}\">");
    }
    bomb + "]>"
}

/// A good envelope with more elements in it.
pub fn inserted(forge: &Forge, elements: &str) -> Vec<u8> {
    replace_once(&forge.good(), "<wwwroot>", &format!("{elements}<wwwroot>"))
}

/// `document` with a document type after its declaration.
pub fn doctype(document: &[u8], doctype: &str) -> Vec<u8> {
    replace_once(document, "?>", &format!("?>{doctype}"))
}

pub fn utf16(document: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(document).unwrap();
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_be_bytes).collect()
}

/// What stands in the `nth` element called `name`.
pub fn part(document: &[u8], name: &str, nth: usize) -> String {
    let mut found = String::new();
    edit(document, name, nth, |text| {
        text.clone_into(&mut found);
        String::new()
    });
    found
}

/// `document` with other content in the `nth` element called `name`.
pub fn edit(
    document: &[u8],
    name: &str,
    nth: usize,
    change: impl FnOnce(&str) -> String,
) -> Vec<u8> {
    let text = std::str::from_utf8(document).unwrap();
    let (tag, end_tag) = (format!("<{name}"), format!("</{name}>"));
    let (tag_at, _) = text
        .match_indices(&tag)
        .filter(|(at, _)| text[at + tag.len()..].starts_with([' ', '>']))
        .nth(nth)
        .unwrap();
    let start = tag_at + text[tag_at..].find('>').unwrap() + 1;
    let end = start + text[start..].find(&end_tag).unwrap();
    let changed = change(&text[start..end]);
    [&text[..start], &changed, &text[end..]]
        .concat()
        .into_bytes()
}

/// `document` without the first element called `name`.
pub fn without(document: &[u8], name: &str) -> Vec<u8> {
    let emptied = edit(document, name, 0, |_| String::new());
    let text = String::from_utf8(emptied).unwrap();
    let end_tag = format!("</{name}>");
    let start = text.find(&format!("<{name}")).unwrap();
    let end = start + text[start..].find(&end_tag).unwrap() + end_tag.len();
    [&text[..start], &text[end..]].concat().into_bytes()
}

pub fn replace(document: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(document).unwrap();
    assert!(text.contains(from), "nothing to replace");
    text.replace(from, to).into_bytes()
}

pub fn replace_once(document: &[u8], from: &str, to: &str) -> Vec<u8> {
    let text = std::str::from_utf8(document).unwrap();
    assert!(text.contains(from), "nothing to replace");
    text.replacen(from, to, 1).into_bytes()
}

pub fn find(haystack: &[u8], needle: &[u8]) -> usize {
    haystack
        .windows(needle.len())
        .position(|part| part == needle)
        .unwrap()
}
