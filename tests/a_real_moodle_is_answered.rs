//! Every recorded message is replayed whole: Moodle's requests through our server, with the clock set
//! to the recording; its responses opened, verified and decoded.

mod support;

use mnetd::clock::UnixTime;
use mnetd::envelope::Outer;
use mnetd::sso::Token;
use mnetd::sso::session::Live;
use mnetd::store::peer_courses::{self, PeerCourseEnrolmentFilter};
use mnetd::store::sign_on::{self, NewJump};
use mnetd::wwwroot::Wwwroot;
use mnetd::xmlrpc::{
    Encoding, Limits, MethodCall, MethodResponse, decode_call, decode_response, encode_call,
};
use serde_json::{Value as Json, json};
use support::site::{NOW, Site, Stranger};
use support::sso::{account, signed_in, stored};
use support::{RecordedKeys, Vector};

/// The site that was recorded: its keys, and Moodle as its peer.
fn recorded_site(keys: &RecordedKeys) -> Site {
    let site = Site::with_keys(&keys.peer_wwwroot, &keys.peer);
    site.register_peer(
        &keys.moodle_wwwroot,
        &keys.moodle,
        &[
            ("register", true, true),
            ("sso_idp", true, true),
            ("sso_sp", true, true),
            ("mnet_enrol", true, false),
        ],
    );
    site
}

/// A site that knows nothing of the recording: no token, no course.
fn expected_fault(method: &str) -> Option<i32> {
    match method.rsplit('/').next() {
        Some("user_authorise") => Some(1),
        Some("enrol_user" | "unenrol_user") => Some(5012),
        _ => None,
    }
}

#[tokio::test]
async fn every_request_of_moodle_is_opened_verified_and_dispatched() {
    let keys = RecordedKeys::read();
    let site = recorded_site(&keys);
    let mut replayed = 0;
    for vector in Vector::all() {
        if vector.direction() != "from_moodle" {
            continue;
        }
        let name = &vector.name;
        let method = vector.json["method"].as_str().unwrap();
        if let Some(timestamp) = vector.json["request"]["timestamp"].as_i64() {
            site.clock.set(UnixTime(timestamp));
        }
        // What Moodle says can be read as it was recorded.
        let payload = vector.text("request", "payload").unwrap();
        let call = decode_call(payload.as_bytes(), Encoding::Utf8, &Limits::default())
            .unwrap()
            .message;
        assert_eq!(call.method, method, "{name}");
        let params: Vec<Json> = call.params.iter().map(Json::from).collect();
        assert_eq!(json!(params), vector.json["params"], "{name}");

        let body = vector.text("request", "body").unwrap();
        let (answer, record) = site
            .server
            .answer_with_record(body.as_bytes().to_vec(), support::site::HERE)
            .await;
        let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(record.method.as_deref(), Some(method), "{name}");
        assert_eq!(record.fault, expected_fault(method), "{name}");
        let is_sealed = matches!(Outer::read(&answer), Ok(Outer::Encrypted(_)));
        assert_eq!(is_sealed, vector.is_encrypted("request"), "{name}");
        if !is_sealed {
            // 02: a keyswap in the clear brings our certificate.
            let decoded = decode_response(&answer, Encoding::Utf8, &Limits::default());
            let MethodResponse::Success(value) = decoded.unwrap().message else {
                panic!("{name}: a fault");
            };
            assert_eq!(value.as_str(), Some(keys.peer.certificate().pem()));
        }
        replayed += 1;
    }
    assert_eq!(replayed, 13);
}

/// Tokens as they were in the recording, for a session of the account `probeuser`.
fn with_recorded_tokens(site: &Site) -> Live {
    let account = account(site, "probeuser", None);
    let live = signed_in(site, account);
    let (session, peer) = (live.session.id, site.peer(&moodle()).id);
    site.store
        .write_blocking(move |tx| {
            ["24", "25", "27"].iter().try_for_each(|number| {
                let params = &Vector::number(number).json["params"];
                let jump = NewJump {
                    token_hash: &Token::presented(params[0].as_str().unwrap()).hash(),
                    session,
                    peer,
                    user_agent: params[1].as_str().unwrap(),
                    expires_at: UnixTime(i64::MAX),
                };
                sign_on::insert_jump(tx, &jump)
            })
        })
        .unwrap();
    live
}

fn moodle() -> Wwwroot {
    Wwwroot::parse(&RecordedKeys::read().moodle_wwwroot).unwrap()
}

#[tokio::test]
async fn a_visit_to_moodle_goes_as_it_was_recorded() {
    let keys = RecordedKeys::read();
    let site = recorded_site(&keys);
    let live = with_recorded_tokens(&site);
    let courses = || {
        let filter = PeerCourseEnrolmentFilter::default();
        let found = site
            .store
            .read_blocking(|tx| peer_courses::enrolments(tx, &filter, None, 10))
            .unwrap();
        found.into_iter().map(|found| found.fullname).collect()
    };
    let mut seen: Vec<Vec<String>> = Vec::new();
    for number in ["24", "25", "26", "27", "28", "29"] {
        let vector = Vector::number(number);
        let timestamp = vector.json["request"]["timestamp"].as_i64().unwrap();
        site.clock.set(UnixTime(timestamp));
        let body = vector.text("request", "body").unwrap().as_bytes().to_vec();
        let answered = site.server.answer_with_record(body, support::site::HERE);
        let (answer, record) = answered.await;
        answer.unwrap();
        assert_eq!(record.fault, None, "{number}");
        seen.push(courses());
    }
    let algebra = "Algebra 1 V1 Mrs. Smith: Cats and their Affectations";
    assert!(seen[..4].iter().all(Vec::is_empty));
    assert_eq!(seen[4], [algebra]);
    // 29: the user signed out there.
    assert!(stored(&site, live.session.id).ended_at.is_some());
}

#[tokio::test]
async fn a_recorded_request_is_not_heard_a_second_time() {
    let keys = RecordedKeys::read();
    let site = recorded_site(&keys);
    let vector = Vector::number("03");
    site.clock.set(UnixTime(
        vector.json["request"]["timestamp"].as_i64().unwrap(),
    ));
    let body = vector.text("request", "body").unwrap().as_bytes();
    let mut faults = Vec::new();
    for _ in 0..2 {
        let (answer, record) = site
            .server
            .answer_with_record(body.to_vec(), support::site::HERE)
            .await;
        answer.unwrap();
        faults.push(record.fault);
    }
    assert_eq!(faults, [None, Some(8010)]);
}

#[test]
fn every_response_of_moodle_is_read_as_it_was_recorded() {
    let keys = RecordedKeys::read();
    let mut read = 0;
    for vector in Vector::all() {
        let name = &vector.name;
        // 17 is a browser's, 42 a page for people.
        if vector.direction() != "to_moodle" || name.starts_with("42") {
            continue;
        }
        let body = vector.text("response", "body").unwrap().as_bytes();
        let payload = match Outer::read(body).unwrap() {
            Outer::Plain => body.to_vec(),
            Outer::Signed(signed) => signed.unverified_payload().to_vec(),
            Outer::Encrypted(sealed) => {
                let opened = sealed.open(keys.peer.private_key()).unwrap();
                match opened.into_signed() {
                    Err(body) => body,
                    Ok((signed, _)) => {
                        let rotated = name.as_str() >= "35";
                        let signer = if rotated {
                            &keys.moodle_rotated
                        } else {
                            &keys.moodle
                        };
                        let verified = signed.verify(signer.public_key());
                        verified
                            .unwrap_or_else(|_| panic!("{name}: does not verify"))
                            .payload()
                            .to_vec()
                    }
                }
            }
        };
        let decoded = decode_response(&payload, Encoding::Utf8, &Limits::default())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        match decoded.message {
            MethodResponse::Success(value) => {
                // 43 was recorded without its result.
                if let Some(result) = vector.json.get("result").filter(|r| !r.is_null()) {
                    assert_eq!(&Json::from(&value), result, "{name}");
                }
            }
            MethodResponse::Fault(fault) => {
                let fault = json!({"faultCode": fault.code, "faultString": fault.message});
                assert_eq!(fault, vector.json["fault"], "{name}");
            }
        }
        read += 1;
    }
    assert_eq!(read, 28);
}

/// Requests as broken as the recorded ones, whose bodies only Moodle's key would open.
fn broken_requests(site: &Site, peer: &Stranger) -> [(&'static str, Vec<u8>); 6] {
    let ours = site.certificate();
    let call = MethodCall::new("system/listServices", Vec::new());
    let plain = encode_call(&call, Encoding::Utf8);
    // 39 names a site that is nobody's peer; 40 and 41 use a key that is nobody's.
    let unknown = Stranger::new("http://127.0.0.1:9999");
    let other_key = Stranger::new(peer.wwwroot.as_str());
    [
        ("36", plain.clone()),
        ("37", peer.sign(&call, NOW)),
        ("38", peer.seal_bytes(plain, &ours)),
        ("39", unknown.seal(&call, &ours, NOW)),
        ("40", peer.seal_bytes(other_key.sign(&call, NOW), &ours)),
        ("41", peer.seal(&call, other_key.pair.certificate(), NOW)),
    ]
}

#[tokio::test]
async fn the_faults_we_give_are_moodles_to_the_letter() {
    let site = Site::new("http://register.example");
    let peer = Stranger::new("http://moodle.example");
    site.befriend(&peer, &[("register", true, true)]);
    let unknown_address = "http://127.0.0.1:9999 ";
    for (number, message) in broken_requests(&site, &peer) {
        let answer = site.answer(message).await.unwrap();
        let answer = peer.open(&answer, &site.certificate());
        let given = json!({"faultCode": answer.fault(), "faultString": answer.message()});
        let vector = Vector::number(number);
        if number == "39" {
            // Moodle's text is the address with an untranslated word behind it; ours says what to do.
            assert_eq!(answer.fault(), 7020);
            assert!(answer.message().starts_with(unknown_address), "{given}");
        } else {
            assert_eq!(given, vector.json["fault"], "{number}");
        }
        let was_sealed = vector.is_encrypted("response");
        assert_eq!(answer.sealed, was_sealed, "{number}");
    }
}
