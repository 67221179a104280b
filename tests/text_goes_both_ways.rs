//! Names arrive as they were meant, in whole calls both ways, whatever a peer's hand is: and the hand is found out.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use mnetd::keys::Certificate;
use mnetd::peer::Dialect;
use mnetd::store::peers::{self, Application};
use mnetd::store::{Page, sections};
use mnetd::xmlrpc::{
    Encoding, Limits, MethodCall, MethodResponse, Struct, Value, decode_response, encode_call,
    encode_response,
};
use support::site::{NOW, Site, Stranger, fields};
use tokio::net::TcpListener;

/// Names as schools have them, and every character of ISO-8859-1 beyond ASCII.
fn texts() -> Vec<String> {
    ["Zoë", "Prøbe", "日本", "Ōta ø", "Ольга", "Ștefan", "plain"]
        .into_iter()
        .map(str::to_owned)
        .chain(('\u{80}'..='\u{FF}').map(|character| format!("a{character}b")))
        .collect()
}

/// How a peer puts characters into a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    /// UTF-8, declared: requests of Moodle 4.1 and later.
    Declared,
    /// References in ASCII under no declaration: its responses.
    References,
    /// The bytes of UTF-8 under a declaration of ISO-8859-1.
    Bytes,
    /// Each of those bytes as a reference: PHP's old extension.
    ByteReferences,
    /// The same under a declaration of UTF-8: what Mahara has the old extension write.
    DeclaredByteReferences,
}

impl Hand {
    fn call(self, call: &MethodCall) -> Vec<u8> {
        match self {
            Self::Declared => encode_call(call, Encoding::Utf8),
            Self::References => in_ascii(
                &utf8(encode_call(call, Encoding::Utf8)).replacen(" encoding=\"utf-8\" ", "", 1),
                |character| vec![u32::from(character)],
            ),
            Self::Bytes => encode_call(call, Encoding::BytesAsLatin1),
            Self::ByteReferences => {
                let document = utf8(encode_call(call, Encoding::BytesAsLatin1));
                in_ascii(&document, bytes_of)
            }
            Self::DeclaredByteReferences => {
                in_ascii(&utf8(encode_call(call, Encoding::Utf8)), bytes_of)
            }
        }
    }

    fn response(self, response: &MethodResponse) -> Vec<u8> {
        let latin1 = encode_response(response, Encoding::BytesAsLatin1);
        match self {
            Self::Declared => utf8(latin1).replacen("iso-8859-1", "utf-8", 1).into_bytes(),
            Self::References => encode_response(response, Encoding::Utf8),
            Self::Bytes => latin1,
            Self::ByteReferences => in_ascii(&utf8(latin1), bytes_of),
            Self::DeclaredByteReferences => {
                in_ascii(&utf8(latin1).replacen("iso-8859-1", "utf-8", 1), bytes_of)
            }
        }
    }
}

fn utf8(document: Vec<u8>) -> String {
    String::from_utf8(document).unwrap()
}

/// Every character beyond ASCII as one or more numeric references.
fn in_ascii(document: &str, numbers: impl Fn(char) -> Vec<u32>) -> Vec<u8> {
    let mut written = String::new();
    for character in document.chars() {
        if character.is_ascii() {
            written.push(character);
            continue;
        }
        for number in numbers(character) {
            write!(written, "&#{number};").unwrap();
        }
    }
    written.into_bytes()
}

/// The numbers of a character's bytes as PHP's old extension writes them: it drops the zero of 200 to
/// 209.
fn bytes_of(character: char) -> Vec<u32> {
    let mut buffer = [0; 4];
    let bytes = character.encode_utf8(&mut buffer).bytes();
    bytes
        .map(|byte| match u32::from(byte) {
            number @ 200..=209 => number - 180,
            number => number,
        })
        .collect()
}

/// A site with one peer.
struct Two {
    site: Site,
    stranger: Stranger,
}

impl Two {
    fn new(application: Application, dialect: Dialect, fixed: bool) -> Self {
        Self::with(
            Stranger::new("http://peer.example"),
            application,
            dialect,
            fixed,
        )
    }

    fn with(stranger: Stranger, application: Application, dialect: Dialect, fixed: bool) -> Self {
        let site = Site::new("http://register.example");
        let (name, pem) = (
            stranger.wwwroot.to_string(),
            stranger.pair.certificate().pem().to_owned(),
        );
        let added = site.store.write_blocking(move |tx| {
            let peer = peers::NewPeer {
                wwwroot: &name,
                name: &name,
                application,
                certificate: Some(&pem),
                text_dialect: dialect,
            };
            let id = peers::register(tx, &peer, NOW)?;
            peers::choose_dialect(tx, id, dialect, fixed)?;
            let register = peers::PeerService {
                service: "register".to_owned(),
                publish: true,
                subscribe: true,
            };
            peers::set_service(tx, id, &register)
        });
        added.unwrap();
        Self { site, stranger }
    }

    /// Sends a call in `hand`, and returns the payload of the answer.
    async fn send(&self, hand: Hand, method: &str, params: Vec<Value>) -> Vec<u8> {
        let payload = hand.call(&MethodCall::new(method, params));
        let ours = self.site.certificate();
        let signed = self.stranger.sign_payload(&payload, NOW);
        let message = self.stranger.seal_bytes(signed, &ours);
        let answer = self.site.answer(message).await.unwrap();
        self.stranger.open_payload(&answer, &ours)
    }

    /// Sends sections of these names in one call, which has to be served.
    async fn send_sections(&self, hand: Hand, names: &[String]) {
        let calls = names.iter().enumerate().map(|(number, name)| {
            let section = fields(&[("idnumber", &number.to_string()), ("name", name)]);
            Struct::new()
                .with("methodName", "register/new_section")
                .with("params", vec![section])
                .into()
        });
        let calls = Value::Array(calls.collect());
        let answer = self.send(hand, "system/multicall", vec![calls]).await;
        let decoded = decode_response(&answer, Encoding::Utf8, &Limits::default()).unwrap();
        let MethodResponse::Success(Value::Array(results)) = decoded.message else {
            panic!("{:?}", decoded.message);
        };
        assert_eq!(results.len(), names.len());
        for (result, name) in results.iter().zip(names) {
            assert!(result.as_array().is_some(), "{name:?}: {result:?}");
        }
    }

    fn section_names(&self) -> BTreeSet<String> {
        let filter = sections::SectionFilter::default();
        let page = Page {
            after: None,
            limit: mnetd::store::MAX_PAGE,
        };
        let listed = self
            .site
            .store
            .read_blocking(|tx| sections::list(tx, &filter, page));
        let names = listed.unwrap().into_iter();
        names.map(|listed| listed.section.fields.name).collect()
    }

    /// The dialect remembered of the peer.
    async fn dialect(&self) -> Dialect {
        // What is found out is noted behind the call.
        self.site.store.flush().await.unwrap();
        self.site.peer(&self.stranger.wwwroot).dialect
    }
}

/// Which peers write in which hands, once their dialect is known.
const HANDS: [(Application, Dialect, &[Hand]); 3] = [
    (
        Application::Moodle,
        Dialect::Utf8,
        &[Hand::Declared, Hand::References],
    ),
    (
        Application::Mahara,
        Dialect::Mahara,
        &[
            Hand::Bytes,
            Hand::ByteReferences,
            Hand::DeclaredByteReferences,
        ],
    ),
    (
        Application::Moodle,
        Dialect::OldPhp,
        &[
            Hand::Bytes,
            Hand::ByteReferences,
            Hand::DeclaredByteReferences,
        ],
    ),
];

#[tokio::test]
async fn what_peers_write_is_stored_as_it_was_meant() {
    for (application, dialect, hands) in HANDS {
        for hand in hands {
            let two = Two::new(application, dialect, false);
            two.send_sections(*hand, &texts()).await;
            let meant: BTreeSet<_> = texts().into_iter().collect();
            assert_eq!(two.section_names(), meant, "{dialect:?} {hand:?}");
            assert_eq!(two.dialect().await, dialect, "{hand:?}");
        }
    }
}

#[tokio::test]
async fn what_is_answered_stands_in_the_peers_dialect() {
    for (application, dialect, hands) in HANDS {
        let two = Two::new(application, dialect, false);
        for text in texts() {
            // The fault names what it was asked about.
            let params = vec![Value::from(&*text)];
            let answer = two.send(hands[0], "system/methodHelp", params).await;
            let (reading, form) = match dialect {
                Dialect::Utf8 => (
                    Encoding::Utf8,
                    in_ascii(&text, |character| vec![u32::from(character)]),
                ),
                _ => (Encoding::BytesAsLatin1, text.clone().into_bytes()),
            };
            let stands = answer.windows(form.len()).any(|window| window == form);
            assert!(stands, "{dialect:?} {text:?}: {}", utf8(answer));
            let declares_latin1 =
                answer.starts_with(b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"");
            assert_eq!(declares_latin1, dialect != Dialect::Utf8, "{dialect:?}");
            let decoded = decode_response(&answer, reading, &Limits::default()).unwrap();
            let MethodResponse::Fault(fault) = decoded.message else {
                panic!("no fault");
            };
            assert_eq!(fault.code, 7019);
            assert!(fault.message.contains(&text), "{}", fault.message);
        }
    }
}

#[tokio::test]
async fn the_dialect_is_found_out_by_the_first_call_and_remembered() {
    for (application, thought, hand, found) in [
        (
            Application::Moodle,
            Dialect::Utf8,
            Hand::Bytes,
            Dialect::OldPhp,
        ),
        (
            Application::Moodle,
            Dialect::Utf8,
            Hand::ByteReferences,
            Dialect::OldPhp,
        ),
        (
            Application::Mahara,
            Dialect::Utf8,
            Hand::ByteReferences,
            Dialect::Mahara,
        ),
        (
            Application::Mahara,
            Dialect::Utf8,
            Hand::DeclaredByteReferences,
            Dialect::Mahara,
        ),
        (
            Application::Moodle,
            Dialect::Utf8,
            Hand::DeclaredByteReferences,
            Dialect::OldPhp,
        ),
        // A Moodle that was brought up to date.
        (
            Application::Moodle,
            Dialect::OldPhp,
            Hand::Declared,
            Dialect::Utf8,
        ),
        (
            Application::Moodle,
            Dialect::OldPhp,
            Hand::References,
            Dialect::Utf8,
        ),
    ] {
        let two = Two::new(application, thought, false);
        let name = "Zoë Ōta 日本".to_owned();
        // Already this call is understood, and answered in the dialect found.
        let params = vec![Value::from(&*name)];
        let answer = two.send(hand, "system/methodHelp", params).await;
        let declares_latin1 = utf8(answer).contains("iso-8859-1");
        assert_eq!(declares_latin1, found != Dialect::Utf8, "{hand:?}");
        assert_eq!(two.dialect().await, found, "{hand:?}");
        two.send_sections(hand, std::slice::from_ref(&name)).await;
        assert_eq!(two.section_names(), BTreeSet::from([name]), "{hand:?}");
        // Plain ASCII under UTF-8 shows nothing, so nothing changes.
        two.send(Hand::Declared, "system/listServices", Vec::new())
            .await;
        assert_eq!(two.dialect().await, found, "{hand:?}");
        let Two { site, stranger } = two;
        let site = site.restarted();
        assert_eq!(site.peer(&stranger.wwwroot).dialect, found);
    }
}

#[tokio::test]
async fn the_first_names_are_understood_already() {
    let two = Two::new(Application::Moodle, Dialect::Utf8, false);
    two.send_sections(Hand::ByteReferences, &texts()).await;
    assert_eq!(two.section_names(), texts().into_iter().collect());
}

#[tokio::test]
async fn a_dialect_set_by_hand_stays() {
    let garbled = utf8_as_latin1("Zoë");
    for (dialect, hand, name, read) in [
        (Dialect::Utf8, Hand::ByteReferences, "Zoë", &*garbled),
        (Dialect::OldPhp, Hand::Declared, "Zoë", "Zoë"),
        (Dialect::Mahara, Hand::Declared, "Zoë", "Zoë"),
    ] {
        let two = Two::new(Application::Moodle, dialect, true);
        two.send_sections(hand, &[name.to_owned()]).await;
        assert_eq!(two.section_names(), BTreeSet::from([read.to_owned()]));
        assert_eq!(two.dialect().await, dialect);
    }
}

/// What `text` looks like to whoever takes each of its bytes for a character.
fn utf8_as_latin1(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

#[tokio::test]
async fn a_name_that_some_import_garbled_long_ago_is_no_sign_of_an_old_extension() {
    let garbled = utf8_as_latin1("Zoë");
    for hand in [Hand::Declared, Hand::References] {
        let two = Two::new(Application::Moodle, Dialect::Utf8, false);
        two.send_sections(hand, std::slice::from_ref(&garbled))
            .await;
        assert_eq!(
            two.section_names(),
            BTreeSet::from([garbled.clone()]),
            "{hand:?}"
        );
        assert_eq!(two.dialect().await, Dialect::Utf8, "{hand:?}");
    }
}

/// A peer that answers every call with the same value, in its own hand, and keeps what it was sent.
struct Echo {
    stranger: Stranger,
    ours: Certificate,
    hand: Hand,
    says: Value,
    heard: Mutex<Vec<String>>,
}

async fn echo(State(echo): State<Arc<Echo>>, body: Bytes) -> Vec<u8> {
    let request = echo.stranger.open_payload(&body, &echo.ours);
    echo.heard.lock().unwrap().push(utf8(request));
    let payload = echo
        .hand
        .response(&MethodResponse::Success(echo.says.clone()));
    let signed = echo.stranger.sign_payload(&payload, NOW);
    echo.stranger.seal_bytes(signed, &echo.ours)
}

/// A site, and a peer that listens.
async fn played(
    application: Application,
    dialect: Dialect,
    fixed: bool,
    hand: Hand,
    says: Value,
) -> (Two, Arc<Echo>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("http://{}", listener.local_addr().unwrap());
    let stranger = Stranger::new(&name);
    let copy = Stranger {
        wwwroot: stranger.wwwroot.clone(),
        pair: stranger.pair.clone(),
    };
    let two = Two::with(copy, application, dialect, fixed);
    let state = Arc::new(Echo {
        stranger,
        ours: two.site.certificate(),
        hand,
        says,
        heard: Mutex::default(),
    });
    let routes = Router::new()
        .route("/mnet/xmlrpc/server.php", post(echo))
        .route("/api/xmlrpc/server.php", post(echo))
        .with_state(Arc::clone(&state));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (two, state)
}

async fn ask(two: &Two, params: Vec<Value>) -> Value {
    let peer = two.site.peer(&two.stranger.wwwroot);
    let called = two.site.client.call(&peer, "system/methodHelp", params);
    called.await.unwrap()
}

fn list(texts: &[String]) -> Value {
    Value::Array(texts.iter().map(|text| Value::from(&**text)).collect())
}

#[tokio::test]
async fn what_we_ask_stands_in_the_peers_dialect_and_the_reply_is_read_in_it() {
    for (application, dialect, hands) in HANDS {
        for hand in hands {
            let says = list(&texts());
            let (two, echo) = played(application, dialect, false, *hand, says.clone()).await;
            assert_eq!(
                ask(&two, vec![says.clone()]).await,
                says,
                "{dialect:?} {hand:?}"
            );
            assert_eq!(two.dialect().await, dialect, "{hand:?}");
            let heard = echo.heard.lock().unwrap();
            // The text itself is the same bytes in every dialect: what is declared over it differs.
            let declared = match dialect {
                Dialect::Utf8 | Dialect::Mahara => "utf-8",
                Dialect::OldPhp => "iso-8859-1",
            };
            let declaration = heard[0].lines().next().unwrap();
            assert!(declaration.contains(declared), "{dialect:?}: {declaration}");
            for text in texts() {
                assert!(heard[0].contains(&text), "{dialect:?} {text:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_dialect_is_found_out_by_the_first_reply_too() {
    for (thought, hand, found) in [
        (Dialect::Utf8, Hand::Bytes, Dialect::OldPhp),
        (Dialect::Utf8, Hand::ByteReferences, Dialect::OldPhp),
        (Dialect::Utf8, Hand::DeclaredByteReferences, Dialect::OldPhp),
        (Dialect::OldPhp, Hand::References, Dialect::Utf8),
    ] {
        let says = list(&texts());
        let (two, echo) = played(Application::Moodle, thought, false, hand, says.clone()).await;
        assert_eq!(ask(&two, Vec::new()).await, says, "{hand:?}");
        assert_eq!(two.dialect().await, found, "{hand:?}");
        ask(&two, vec![Value::from("Zoë")]).await;
        let heard = echo.heard.lock().unwrap();
        let is_latin1 = heard[1].contains("iso-8859-1");
        assert_eq!(is_latin1, found == Dialect::OldPhp, "{}", heard[1]);
    }
}

#[tokio::test]
async fn no_reply_changes_a_dialect_set_by_hand() {
    let garbled = Value::from(utf8_as_latin1("Zoë"));
    for (dialect, hand, read) in [
        (Dialect::Utf8, Hand::ByteReferences, garbled),
        (Dialect::OldPhp, Hand::References, Value::from("Zoë")),
    ] {
        let (two, _echo) =
            played(Application::Moodle, dialect, true, hand, Value::from("Zoë")).await;
        assert_eq!(ask(&two, Vec::new()).await, read, "{hand:?}");
        assert_eq!(two.dialect().await, dialect, "{hand:?}");
    }
}

#[tokio::test]
async fn a_garbled_name_in_a_reply_changes_no_dialect() {
    let garbled = Value::from(utf8_as_latin1("Zoë"));
    for hand in [Hand::Declared, Hand::References] {
        let (two, _echo) = played(
            Application::Moodle,
            Dialect::Utf8,
            false,
            hand,
            garbled.clone(),
        )
        .await;
        assert_eq!(ask(&two, Vec::new()).await, garbled, "{hand:?}");
        assert_eq!(two.dialect().await, Dialect::Utf8, "{hand:?}");
    }
}
