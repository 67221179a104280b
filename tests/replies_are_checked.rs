//! What we call answers with something else than it should.

mod support;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use mnetd::clock::UnixTime;
use mnetd::keys::Certificate;
use mnetd::peer::{
    CallError, Introduction, IntroductionError, KEY_CHANGE_MAX_AGE, TransportError, introduce,
};
use mnetd::store::peers;
use mnetd::wwwroot::Wwwroot;
use mnetd::xmlrpc::{Encoding, Fault, MethodResponse, Value, encode_response};
use support::site::{NOW, Site, Stranger};
use tokio::net::TcpListener;

/// A peer that answers what it is told to.
struct Parrot {
    stranger: Stranger,
    ours: Certificate,
    answer: Mutex<Answer>,
    home_leads_to: Mutex<String>,
}

#[derive(Clone)]
struct Answer {
    status: u16,
    location: Option<String>,
    body: Vec<u8>,
}

async fn parrot(site: &Site) -> Arc<Parrot> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("http://{}", listener.local_addr().unwrap());
    let stranger = Stranger::new(&name);
    site.befriend(&stranger, &[("register", true, true)]);
    let parrot = Arc::new(Parrot {
        stranger,
        ours: site.certificate(),
        answer: Mutex::new(Answer {
            status: 200,
            location: None,
            body: Vec::new(),
        }),
        home_leads_to: Mutex::new("/login/index.php".to_owned()),
    });
    let routes = Router::new()
        .route("/mnet/xmlrpc/server.php", post(say))
        .route("/api/xmlrpc/server.php", post(mahara_is_broken))
        .route("/", get(home))
        .route(
            "/login/index.php",
            get(|| async { "<title>Parrot: Log in</title>" }),
        )
        .with_state(Arc::clone(&parrot));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    parrot
}

async fn say(State(parrot): State<Arc<Parrot>>, _request: Bytes) -> Response<Body> {
    let answer = parrot.answer.lock().unwrap().clone();
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).unwrap());
    if let Some(location) = answer.location {
        response = response.header("location", location);
    }
    response.body(Body::from(answer.body)).unwrap()
}

/// A Mahara's answer to anything, when its configuration is broken.
async fn mahara_is_broken() -> Vec<u8> {
    let fault = Fault::new(6000, "A nonrecoverable error occurred.");
    encode_response(&MethodResponse::Fault(fault), Encoding::Utf8)
}

/// A Moodle's home page leads to its login.
async fn home(State(parrot): State<Arc<Parrot>>) -> Response<Body> {
    let location = parrot.home_leads_to.lock().unwrap().clone();
    Response::builder()
        .status(303)
        .header("location", location)
        .body(Body::empty())
        .unwrap()
}

impl Parrot {
    fn sealed(&self, at: UnixTime) -> Vec<u8> {
        let signed = self.stranger.sign_payload(&content(), at);
        self.stranger.seal_bytes(signed, &self.ours)
    }

    /// Fault 7025 with the certificate of a new key, signed by the old one.
    fn names(&self, new: &Certificate, at: UnixTime) -> Vec<u8> {
        let fault = MethodResponse::Fault(Fault::new(7025, new.pem()));
        let payload = encode_response(&fault, Encoding::Utf8);
        let signed = self.stranger.sign_payload(&payload, at);
        self.stranger.seal_bytes(signed, &self.ours)
    }

    fn will_say(&self, body: Vec<u8>) {
        self.will_answer(200, None, body);
    }

    fn will_answer(&self, status: u16, location: Option<&str>, body: Vec<u8>) {
        *self.answer.lock().unwrap() = Answer {
            status,
            location: location.map(str::to_owned),
            body,
        };
    }
}

fn content() -> Vec<u8> {
    let response = MethodResponse::Success(Value::from("content"));
    encode_response(&response, Encoding::Utf8)
}

async fn ask(site: &Site, parrot: &Parrot) -> Result<Value, CallError> {
    let peer = site.peer(&parrot.stranger.wwwroot);
    site.client
        .call(&peer, "system/listServices", Vec::new())
        .await
}

#[tokio::test]
async fn a_whole_reply_is_believed_once() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    parrot.will_say(parrot.sealed(NOW));
    assert_eq!(ask(&site, &parrot).await.unwrap().as_str(), Some("content"));
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::Replayed(_)), "{error}");
}

#[tokio::test]
async fn a_reply_from_the_future_is_refused() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    parrot.will_say(parrot.sealed(NOW.plus(15)));
    ask(&site, &parrot).await.unwrap();
    // Half the round trip is allowed for: a second at most on this machine.
    parrot.will_say(parrot.sealed(NOW.plus(20)));
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::FromTheFuture { .. }), "{error}");
}

#[tokio::test]
async fn a_new_key_is_named_in_time() {
    for (at, is_in_time) in [
        (NOW.plus(-KEY_CHANGE_MAX_AGE), true),
        // Half the round trip is allowed for: a second at most on this machine.
        (NOW.plus(-KEY_CHANGE_MAX_AGE - 5), false),
        (NOW.plus(15), true),
        (NOW.plus(20), false),
    ] {
        let site = Site::new("http://register.example");
        let parrot = parrot(&site).await;
        let new = Stranger::new(parrot.stranger.wwwroot.as_str()).pair;
        parrot.will_say(parrot.names(new.certificate(), at));
        // Also where it is believed, for it says the same again.
        let error = ask(&site, &parrot).await.unwrap_err();
        let known = site.peer(&parrot.stranger.wwwroot).certificate;
        assert_eq!(known == *new.certificate(), is_in_time, "{at}: {error}");
        let is_told = matches!(
            error,
            CallError::KeyChangeTooOld { .. } | CallError::FromTheFuture { .. }
        );
        assert_ne!(is_told, is_in_time, "{at}: {error}");
    }
}

#[tokio::test]
async fn a_new_key_is_named_once() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    let new = Stranger::new(parrot.stranger.wwwroot.as_str()).pair;
    let recorded = parrot.names(new.certificate(), NOW);
    parrot.will_say(recorded.clone());
    ask(&site, &parrot).await.unwrap_err();
    // An administrator goes back to the key before.
    let known = site.peer(&parrot.stranger.wwwroot);
    assert_eq!(known.certificate, *new.certificate());
    let old = parrot.stranger.pair.certificate();
    site.client.adopt(&known, old.clone()).await.unwrap();
    parrot.will_say(recorded);
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::Replayed(_)), "{error}");
    assert_eq!(site.peer(&known.wwwroot).certificate, *old);
}

#[tokio::test]
async fn what_nobody_signed_and_sealed_is_not_believed() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    let sealed_only = parrot.stranger.seal_bytes(content(), &parrot.ours);
    let signed_only = parrot.stranger.sign_payload(&content(), NOW);
    for body in [content(), sealed_only, signed_only] {
        parrot.will_say(body);
        let error = ask(&site, &parrot).await.unwrap_err();
        assert!(matches!(error, CallError::NotSealed(_)), "{error}");
    }
    let forger = Stranger::new(parrot.stranger.wwwroot.as_str());
    let forged = forger.seal_bytes(forger.sign_payload(&content(), NOW), &parrot.ours);
    parrot.will_say(forged);
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::BadSignature(_)), "{error}");
}

#[tokio::test]
async fn an_answer_in_another_name_or_to_another_key_is_refused() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    let other = Stranger::new("http://other.example");
    parrot.will_say(other.seal_bytes(other.sign_payload(&content(), NOW), &parrot.ours));
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::WrongSender { .. }), "{error}");

    let signed = parrot.stranger.sign_payload(&content(), NOW);
    parrot.will_say(parrot.stranger.seal_bytes(signed, other.pair.certificate()));
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::NotForUs(_)), "{error}");
}

#[tokio::test]
async fn an_empty_page_and_a_page_for_people_are_told_apart() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    parrot.will_say(b" \n".to_vec());
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::Empty(_)), "{error}");
    assert!(error.to_string().contains("RC4"), "{error}");

    parrot.will_say(b"<!DOCTYPE html>\n<html><body>Error\x1b[31m".to_vec());
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::NotMnet { .. }), "{error}");
    assert!(!error.to_string().contains('\x1b'));

    parrot.will_answer(500, None, b"oops".to_vec());
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(error.to_string().contains("500"), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    parrot.will_answer(
        302,
        Some("http://169.254.169.254/latest/meta-data"),
        Vec::new(),
    );
    let error = ask(&site, &parrot).await.unwrap_err();
    let CallError::Transport(TransportError::Redirected { location, .. }) = &error else {
        panic!("{error}");
    };
    assert_eq!(location, "http://169.254.169.254/latest/meta-data");
}

#[tokio::test]
async fn of_a_long_fault_the_beginning_is_kept() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    let fault = Fault::new(7, "é".repeat(1 << 16));
    let payload = encode_response(&MethodResponse::Fault(fault), Encoding::Utf8);
    parrot.will_say(payload);
    ask(&site, &parrot).await.unwrap_err();
    site.store.flush().await.unwrap();
    let name = parrot.stranger.wwwroot.to_string();
    let row = site.store.read_blocking(|tx| peers::find(tx, &name));
    let kept = row.unwrap().unwrap().last_fault_text.unwrap();
    assert_eq!(kept.chars().count(), peers::MAX_FAULT_TEXT);
    assert!(kept.contains("fault 7: éé"), "{kept}");
}

async fn meet(site: &Site, parrot: &Parrot) -> Result<Introduction, IntroductionError> {
    let certificate = parrot.stranger.pair.certificate().clone();
    introduce(
        site.client.transport(),
        &site.wwwroot,
        &site.certificate(),
        &parrot.stranger.wwwroot,
        None,
        Some(certificate),
    )
    .await
}

#[tokio::test]
async fn a_home_page_may_lead_on_within_its_own_site_only() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    let met = meet(&site, &parrot).await.unwrap();
    assert_eq!(met.name, "Parrot: Log in");
    // In a circle, to another port, to another host.
    for elsewhere in [
        "/",
        "http://127.0.0.1:1/",
        "http://169.254.169.254/latest/meta-data",
    ] {
        elsewhere.clone_into(&mut parrot.home_leads_to.lock().unwrap());
        let error = meet(&site, &parrot).await.unwrap_err();
        let IntroductionError::Transport(TransportError::Redirected { .. }) = &error else {
            panic!("{elsewhere}: {error}");
        };
    }
}

#[tokio::test]
async fn a_certificate_of_another_site_makes_no_peer() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    let other = Stranger::new("http://other.example");
    let certificate = Value::from(other.pair.certificate().pem());
    parrot.will_say(encode_response(
        &MethodResponse::Success(certificate),
        Encoding::Utf8,
    ));
    let met = introduce(
        site.client.transport(),
        &site.wwwroot,
        &site.certificate(),
        &parrot.stranger.wwwroot,
        None,
        None,
    )
    .await;
    let error = met.unwrap_err();
    assert!(matches!(error, IntroductionError::Mismatch(_)), "{error}");
}

#[tokio::test]
async fn the_fault_of_the_application_that_is_there_is_told() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    parrot.will_answer(404, None, b"no such page".to_vec());
    let met = introduce(
        site.client.transport(),
        &site.wwwroot,
        &site.certificate(),
        &parrot.stranger.wwwroot,
        None,
        None,
    )
    .await;
    let error = met.unwrap_err();
    assert!(
        matches!(
            error,
            IntroductionError::Call(CallError::Fault { code: 6000, .. })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn an_envelope_with_nothing_in_it_names_the_missing_cipher() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    let empty = format!(
        "<encryptedMessage><CipherValue></CipherValue><CipherValue></CipherValue><wwwroot>{}</wwwroot></encryptedMessage>",
        parrot.stranger.wwwroot
    );
    parrot.will_say(empty.clone().into_bytes());
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(matches!(error, CallError::NothingSealed(_)), "{error}");
    assert!(error.to_string().contains("RC4"), "{error}");
    // The same as a request.
    let answer = site.answer(empty.into_bytes()).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    assert!(
        answer.contains("7023") && answer.contains("RC4"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    parrot.will_say(vec![b' '; mnetd::envelope::MAX_BYTES + 1]);
    let error = ask(&site, &parrot).await.unwrap_err();
    assert!(
        matches!(error, CallError::Transport(TransportError::TooLong { .. })),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_is_sent_where_no_peer_can_live() {
    let site = Site::new("http://register.example");
    for address in [
        "http://169.254.169.254",
        "http://[fe80::1]",
        "http://[::ffff:169.254.169.254]",
        "http://2852039166", // 169.254.169.254 in one number
        "http://0xa9.0xfe.0xa9.0xfe",
        "http://224.0.0.1",
        "http://0.0.0.0:8080",
        "http://100.100.100.200",
        "http://[fd00:ec2::254]",
    ] {
        let wwwroot = Wwwroot::parse(address).unwrap();
        let met = introduce(
            site.client.transport(),
            &site.wwwroot,
            &site.certificate(),
            &wwwroot,
            None,
            None,
        )
        .await;
        let error = met.unwrap_err();
        assert!(
            matches!(
                error,
                IntroductionError::Call(CallError::Transport(TransportError::Forbidden { .. }))
            ),
            "{address}: {error}"
        );
    }
}

#[tokio::test]
async fn a_service_we_do_not_subscribe_to_is_not_called() {
    let site = Site::new("http://register.example");
    let parrot = parrot(&site).await;
    let peer = site.peer(&parrot.stranger.wwwroot);
    let error = site
        .client
        .call(&peer, "enrol/mnet/enrol.php/available_courses", Vec::new())
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::NotSubscribed { .. }), "{error}");
}
