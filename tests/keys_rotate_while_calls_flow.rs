//! Key rotation on either side: no call is lost, and a new key is believed only where the old one
//! vouches for it.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use mnetd::clock::{Clock, UnixTime};
use mnetd::envelope::Outer;
use mnetd::keys::{Certificate, KeyPair};
use mnetd::peer::{CallError, Peer};
use mnetd::store::peers::{self, PeerService};
use mnetd::xmlrpc::{
    Encoding, Fault, Limits, MethodCall, MethodResponse, Value, decode_call, encode_call,
    encode_response,
};
use support::site::{NOW, Site, Stranger, fields};
use tokio::net::TcpListener;

const SERVICES: [(&str, bool, bool); 1] = [("register", true, true)];

/// What a played peer does with a sealed call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Answers 7025 to what was sealed to its old key, signed by the old key, as Moodle does.
    Moodle,
    /// Signs its 7025 with the new key, as Mahara does.
    NewKeySigns,
    /// Sends prose for a certificate.
    Prose,
    /// Asks for another key whatever comes.
    NeverContent,
    /// Sends another site's certificate, signed by its own old key.
    Foreign,
    /// Has thrown its old key away: 7023 in the clear, as after “delete key” in Moodle.
    OldKeyLost,
    /// Made two new keys at once and told the first, which is lost: Moodle, when two requests find
    /// its key expired.
    FirstNewKeyLost,
}

/// A peer that has rotated its key.
struct Rotated {
    /// Its name and new key.
    stranger: Stranger,
    old: KeyPair,
    lost: KeyPair,
    manner: Manner,
    ours: Certificate,
    clock: Clock,
    sealed_calls: AtomicUsize,
    keyswaps: AtomicUsize,
}

/// Plays a peer that we know by its old key.
async fn play(site: &Site, manner: Manner) -> Arc<Rotated> {
    let rotated = play_a_stranger(site, manner).await;
    site.befriend(&before(&rotated), &SERVICES);
    rotated
}

async fn play_a_stranger(site: &Site, manner: Manner) -> Arc<Rotated> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("http://{}", listener.local_addr().unwrap());
    let rotated = Arc::new(Rotated {
        stranger: Stranger::new(&name),
        old: Stranger::new(&name).pair,
        lost: Stranger::new(&name).pair,
        manner,
        ours: site.certificate(),
        clock: site.clock.clone(),
        sealed_calls: AtomicUsize::new(0),
        keyswaps: AtomicUsize::new(0),
    });
    let routes = Router::new()
        .route("/mnet/xmlrpc/server.php", post(answer))
        .with_state(Arc::clone(&rotated));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    rotated
}

/// The peer as it was with its old key.
fn before(peer: &Rotated) -> Stranger {
    Stranger {
        wwwroot: peer.stranger.wwwroot.clone(),
        pair: peer.old.clone(),
    }
}

async fn answer(State(peer): State<Arc<Rotated>>, body: Bytes) -> Vec<u8> {
    let Outer::Encrypted(sealed) = Outer::read(&body).unwrap() else {
        peer.keyswaps.fetch_add(1, Ordering::SeqCst);
        let call = decode_call(&body, Encoding::Utf8, &Limits::default()).unwrap();
        assert_eq!(call.message.method, "system/keyswap");
        let certificate = Value::from(peer.stranger.pair.certificate().pem());
        return encode_response(&MethodResponse::Success(certificate), Encoding::Utf8);
    };
    let sealed_calls = peer.sealed_calls.fetch_add(1, Ordering::SeqCst);
    let is_current = sealed.open(peer.stranger.pair.private_key()).is_ok();
    let is_lost = match peer.manner {
        Manner::OldKeyLost => !is_current,
        Manner::FirstNewKeyLost => sealed.open(peer.lost.private_key()).is_ok(),
        _ => false,
    };
    if is_lost {
        let fault = MethodResponse::Fault(Fault::new(7023, "mnet/encryption-invalid"));
        return encode_response(&fault, Encoding::Utf8);
    }
    let (response, key) = if is_current && peer.manner != Manner::NeverContent {
        let value = MethodResponse::Success(Value::from("content"));
        (value, peer.stranger.pair.private_key())
    } else {
        let foreign = Stranger::new("http://other.example").pair;
        let text = match peer.manner {
            Manner::FirstNewKeyLost if sealed_calls == 0 => peer.lost.certificate().pem(),
            Manner::Prose => "A nonrecoverable error has occurred",
            Manner::Foreign => foreign.certificate().pem(),
            _ => peer.stranger.pair.certificate().pem(),
        };
        let key = match peer.manner {
            Manner::NewKeySigns => peer.stranger.pair.private_key(),
            Manner::NeverContent if is_current => peer.stranger.pair.private_key(),
            _ => peer.old.private_key(),
        };
        (MethodResponse::Fault(Fault::new(7025, text)), key)
    };
    let payload = encode_response(&response, Encoding::Utf8);
    let name = peer.stranger.wwwroot.as_str();
    let signed = mnetd::envelope::sign(&payload, name, peer.clock.now(), key).unwrap();
    peer.stranger.seal_bytes(signed, &peer.ours)
}

async fn call(site: &Site, peer: &Rotated) -> Result<Value, CallError> {
    let known = site.peer(&peer.stranger.wwwroot);
    site.client
        .call(&known, "system/listServices", Vec::new())
        .await
}

#[tokio::test]
async fn a_peers_new_key_is_followed_and_the_call_sent_again() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::Moodle).await;
    let value = call(&site, &peer).await.unwrap();
    assert_eq!(value.as_str(), Some("content"));
    assert_eq!(peer.sealed_calls.load(Ordering::SeqCst), 2);
    let known = site.peer(&peer.stranger.wwwroot).certificate;
    assert_eq!(known, *peer.stranger.pair.certificate());
}

#[tokio::test]
async fn a_new_key_that_vouches_for_itself_is_not_believed() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::NewKeySigns).await;
    let error = call(&site, &peer).await.unwrap_err();
    assert!(matches!(error, CallError::UnprovenKey { .. }), "{error}");
    let known = site.peer(&peer.stranger.wwwroot).certificate;
    assert_eq!(known, *peer.old.certificate());
}

#[tokio::test]
async fn a_peer_that_lost_its_old_key_is_told_with_the_fingerprint_it_offers() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::OldKeyLost).await;
    let offered = peer.stranger.pair.certificate().fingerprint();
    let error = call(&site, &peer).await.unwrap_err();
    assert!(
        matches!(&error, CallError::UnprovenKey { fingerprint, .. } if *fingerprint == offered),
        "{error}"
    );
    let known = site.peer(&peer.stranger.wwwroot).certificate;
    assert_eq!(known, *peer.old.certificate());
}

#[tokio::test]
async fn the_old_key_vouches_again_where_the_first_new_one_is_lost() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::FirstNewKeyLost).await;
    let error = call(&site, &peer).await.unwrap_err();
    assert!(matches!(error, CallError::KeyReplacedTwice(_)), "{error}");
    // To the old key, to the lost one, and a question to the old one again; the call itself twice only.
    assert_eq!(peer.sealed_calls.load(Ordering::SeqCst), 3);
    let known = site.peer(&peer.stranger.wwwroot).certificate;
    assert_eq!(known, *peer.stranger.pair.certificate());
    let value = call(&site, &peer).await.unwrap();
    assert_eq!(value.as_str(), Some("content"));
    assert_eq!(peer.sealed_calls.load(Ordering::SeqCst), 4);
}

/// The peer tells us its first new key, the one that it then loses.
async fn replace_by_the_lost_key(site: &Site, peer: &Rotated) {
    let known = site.peer(&peer.stranger.wwwroot);
    let refreshed = site.client.refresh_key(&known).await.unwrap().unwrap();
    assert_eq!(refreshed.certificate, *peer.lost.certificate());
}

#[tokio::test]
async fn a_replaced_key_vouches_for_ten_minutes_only() {
    for (seconds, vouches) in [(600, true), (601, false)] {
        let site = Site::new("http://register.example");
        let peer = play(&site, Manner::FirstNewKeyLost).await;
        replace_by_the_lost_key(&site, &peer).await;
        site.clock.advance(seconds);
        let called = call(&site, &peer).await;
        assert_eq!(called.is_ok(), vouches, "{called:?}");
    }
}

#[tokio::test]
async fn a_key_replaced_by_hand_vouches_for_nothing() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::FirstNewKeyLost).await;
    let known = site.peer(&peer.stranger.wwwroot);
    let lost = peer.lost.certificate().clone();
    site.client.adopt(&known, lost.clone()).await.unwrap();
    let error = call(&site, &peer).await.unwrap_err();
    assert!(matches!(error, CallError::UnprovenKey { .. }), "{error}");
    assert_eq!(site.peer(&known.wwwroot).certificate, lost);
}

#[tokio::test]
async fn what_is_taken_by_hand_ends_the_vouching_of_keys_replaced_before() {
    // In the server itself, and at the command line beside it.
    for beside in [false, true] {
        let site = Site::new("http://register.example");
        let peer = play(&site, Manner::FirstNewKeyLost).await;
        replace_by_the_lost_key(&site, &peer).await;
        let known = site.peer(&peer.stranger.wwwroot);
        let by_hand = Stranger::new(known.wwwroot.as_str()).pair;
        if beside {
            store_certificate(&site, &known, by_hand.certificate());
        } else {
            let certificate = by_hand.certificate().clone();
            site.client.adopt(&known, certificate).await.unwrap();
        }
        let error = call(&site, &peer).await.unwrap_err();
        assert!(matches!(error, CallError::UnprovenKey { .. }), "{error}");
        let known = site.peer(&known.wwwroot);
        assert_eq!(known.certificate, *by_hand.certificate(), "{beside}");
    }
}

#[tokio::test]
async fn what_was_learnt_late_does_not_put_back_what_was_stored_meanwhile() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::Moodle).await;
    let known = site.peer(&peer.stranger.wwwroot);
    let meanwhile = Stranger::new(known.wwwroot.as_str()).pair;
    store_certificate(&site, &known, meanwhile.certificate());
    // A call that began before.
    let called = site
        .client
        .call(&known, "system/listServices", Vec::new())
        .await;
    called.unwrap_err();
    let new = peer.stranger.pair.certificate().clone();
    let error = site.client.adopt(&known, new).await.unwrap_err();
    assert!(matches!(error, CallError::ChangedMeanwhile(_)), "{error}");
    let known = site.peer(&known.wwwroot);
    assert_eq!(known.certificate, *meanwhile.certificate());
}

fn store_certificate(site: &Site, peer: &Peer, certificate: &Certificate) {
    let (id, before) = (peer.id, peer.certificate.pem().to_owned());
    let pem = certificate.pem().to_owned();
    let stored = site
        .store
        .write_blocking(move |tx| peers::set_certificate(tx, id, &before, &pem));
    assert!(stored.unwrap());
}

#[tokio::test]
async fn neither_prose_nor_another_sites_certificate_is_stored() {
    for manner in [Manner::Prose, Manner::Foreign] {
        let site = Site::new("http://register.example");
        let peer = play(&site, manner).await;
        let error = call(&site, &peer).await.unwrap_err();
        assert!(matches!(error, CallError::NewCertificate { .. }), "{error}");
        let known = site.peer(&peer.stranger.wwwroot).certificate;
        assert_eq!(known, *peer.old.certificate());
    }
}

#[tokio::test]
async fn a_peer_that_is_never_content_is_given_up() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::NeverContent).await;
    let error = call(&site, &peer).await.unwrap_err();
    assert!(matches!(error, CallError::KeyLoop(_)), "{error}");
    assert_eq!(peer.sealed_calls.load(Ordering::SeqCst), 2);
}

async fn incoming(site: &Site, stranger: &Stranger, id: &str) -> support::site::Answer {
    let section = fields(&[("idnumber", id), ("name", "Algebra")]);
    site.call(stranger, "register/new_section", vec![section])
        .await
}

#[tokio::test]
async fn a_call_signed_with_a_new_key_is_served_once_the_old_key_vouches() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::Moodle).await;
    incoming(&site, &peer.stranger, "s1").await.value();
    assert_eq!(peer.keyswaps.load(Ordering::SeqCst), 1);
    let known = site.peer(&peer.stranger.wwwroot).certificate;
    assert_eq!(known, *peer.stranger.pair.certificate());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_signed_with_a_new_key_that_arrive_together_are_all_served() {
    let site = Arc::new(Site::new("http://register.example"));
    let peer = play(&site, Manner::Moodle).await;
    let calls: Vec<_> = (0..8)
        .map(|number| {
            let (site, peer) = (Arc::clone(&site), Arc::clone(&peer));
            tokio::spawn(async move {
                let id = format!("s{number}");
                let section = fields(&[("idnumber", &id), ("name", "Algebra")]);
                let call = MethodCall::new("register/new_section", vec![section]);
                let message = peer.stranger.seal(&call, &site.certificate(), NOW);
                let (answer, record) = site
                    .server
                    .answer_with_record(message, support::site::HERE)
                    .await;
                answer.unwrap();
                record.fault
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap(), None);
    }
    // And one question was enough for all.
    assert_eq!(peer.keyswaps.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_call_signed_with_an_unproven_key_is_refused_and_asked_about_once() {
    let site = Site::new("http://register.example");
    let peer = play(&site, Manner::NewKeySigns).await;
    for id in ["s1", "s2", "s3"] {
        assert_eq!(refused(&site, &peer, id).await, 710);
    }
    let known = site.peer(&peer.stranger.wwwroot).certificate;
    assert_eq!(known, *peer.old.certificate());
    assert_eq!(peer.keyswaps.load(Ordering::SeqCst), 1);
    // After a while it may be asked again; a clock that is put right is no while.
    site.clock.set(NOW.plus(11));
    assert_eq!(refused(&site, &peer, "s4").await, 710);
    assert_eq!(peer.keyswaps.load(Ordering::SeqCst), 1);
    site.clock.set(NOW.plus(-1_000));
    site.clock.advance(11);
    assert_eq!(refused(&site, &peer, "s5").await, 710);
    assert_eq!(peer.keyswaps.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_site_that_registered_itself_does_not_make_us_call_it() {
    let site = Site::new("http://register.example").open_to_all();
    let peer = play_a_stranger(&site, Manner::Moodle).await;
    let name = peer.stranger.wwwroot.as_str();
    let params = vec![
        name.into(),
        peer.old.certificate().pem().into(),
        "moodle".into(),
    ];
    let keyswap = MethodCall::new("system/keyswap", params);
    site.answer(encode_call(&keyswap, Encoding::Utf8))
        .await
        .unwrap();
    assert_eq!(refused(&site, &peer, "s1").await, 710);
    assert_eq!(peer.keyswaps.load(Ordering::SeqCst), 0);
    assert_eq!(peer.sealed_calls.load(Ordering::SeqCst), 0);
    // Once an administrator has allowed it something, it is a peer like others.
    let id = site.peer(&peer.stranger.wwwroot).id;
    let right = PeerService {
        service: "register".to_owned(),
        publish: true,
        subscribe: false,
    };
    site.store
        .write_blocking(move |tx| peers::set_service(tx, id, &right))
        .unwrap();
    incoming(&site, &peer.stranger, "s2").await.value();
    assert_eq!(peer.keyswaps.load(Ordering::SeqCst), 1);
}

/// The fault of a call signed with the new key; it is sealed to the old one, which is the one known.
async fn refused(site: &Site, peer: &Rotated, id: &str) -> i32 {
    let section = fields(&[("idnumber", id), ("name", "Algebra")]);
    let call = MethodCall::new("register/new_section", vec![section]);
    let message = peer.stranger.seal(&call, &site.certificate(), at(site));
    let answer = site.answer(message).await.unwrap();
    before(peer).open(&answer, &site.certificate()).fault()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_rotation_interrupts_no_call() {
    let site = Arc::new(Site::new("http://register.example"));
    let stranger = Arc::new(Stranger::new("http://moodle.example"));
    site.befriend(&stranger, &SERVICES);
    let served = Arc::new(AtomicUsize::new(0));
    let callers: Vec<_> = (0..4)
        .map(|caller| {
            let (site, stranger, served) = (
                Arc::clone(&site),
                Arc::clone(&stranger),
                Arc::clone(&served),
            );
            tokio::spawn(async move {
                for number in 0..40 {
                    call_until_served(&site, &stranger, &format!("{caller}-{number}")).await;
                    served.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for turn in 1..=3 {
        while served.load(Ordering::SeqCst) < turn * 40 {
            tokio::task::yield_now().await;
        }
        let seconds = i64::try_from(turn).unwrap();
        site.keys.rotate(NOW.plus(seconds)).unwrap();
    }
    for caller in callers {
        caller.await.unwrap();
    }
    assert_eq!(served.load(Ordering::SeqCst), 160);
}

/// A peer that, while it hands out its new certificate, calls with the new key.
struct Eager {
    peer: Arc<Rotated>,
    ours: Arc<Site>,
    called_back: AtomicUsize,
}

async fn answer_eagerly(State(eager): State<Arc<Eager>>, body: Bytes) -> Vec<u8> {
    let is_keyswap = !matches!(Outer::read(&body), Ok(Outer::Encrypted(_)));
    if is_keyswap {
        let call = MethodCall::new("system/listServices", Vec::new());
        let message = eager.peer.stranger.seal(&call, &eager.peer.ours, NOW);
        eager.ours.answer(message).await.unwrap();
        eager.called_back.fetch_add(1, Ordering::SeqCst);
    }
    answer(State(Arc::clone(&eager.peer)), body).await
}

#[tokio::test]
async fn a_peer_that_calls_while_we_ask_for_its_key_does_not_wait_for_us_as_we_for_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = format!("http://{}", listener.local_addr().unwrap());
    let site = Arc::new(Site::new("http://register.example"));
    let before = Stranger::new(&name);
    site.befriend(&before, &SERVICES);
    let eager = Arc::new(Eager {
        peer: Arc::new(Rotated {
            stranger: Stranger::new(&name),
            old: before.pair,
            lost: Stranger::new(&name).pair,
            manner: Manner::Moodle,
            ours: site.certificate(),
            clock: site.clock.clone(),
            sealed_calls: AtomicUsize::new(0),
            keyswaps: AtomicUsize::new(0),
        }),
        ours: Arc::clone(&site),
        called_back: AtomicUsize::new(0),
    });
    let routes = Router::new()
        .route("/mnet/xmlrpc/server.php", post(answer_eagerly))
        .with_state(Arc::clone(&eager));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    incoming(&site, &eager.peer.stranger, "s1").await.value();
    assert_eq!(eager.called_back.load(Ordering::SeqCst), 1);
}

/// A peer that takes its time: it answers once it is let.
struct Slow {
    stranger: Stranger,
    heard: tokio::sync::Semaphore,
    may_answer: tokio::sync::Semaphore,
}

async fn answer_slowly(
    State((peer, ours)): State<(Arc<Slow>, Certificate)>,
    body: Bytes,
) -> Vec<u8> {
    let request = peer.stranger.open_payload(&body, &ours);
    let call = decode_call(&request, Encoding::Utf8, &Limits::default());
    assert_eq!(call.unwrap().message.method, "system/listServices");
    peer.heard.add_permits(1);
    peer.may_answer.acquire().await.unwrap().forget();
    let value = MethodResponse::Success(Value::from("content"));
    let payload = encode_response(&value, Encoding::Utf8);
    peer.stranger
        .seal_bytes(peer.stranger.sign_payload(&payload, NOW), &ours)
}

#[tokio::test]
async fn a_reply_sealed_to_the_key_we_had_when_we_asked_is_opened() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Arc::new(Slow {
        stranger: Stranger::new(&format!("http://{}", listener.local_addr().unwrap())),
        heard: tokio::sync::Semaphore::new(0),
        may_answer: tokio::sync::Semaphore::new(0),
    });
    let site = Site::new("http://register.example");
    site.befriend(&peer.stranger, &SERVICES);
    let routes = Router::new()
        .route("/mnet/xmlrpc/server.php", post(answer_slowly))
        .with_state((Arc::clone(&peer), site.certificate()));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });

    let known = site.peer(&peer.stranger.wwwroot);
    let client = site.client.clone();
    let asking =
        tokio::spawn(async move { client.call(&known, "system/listServices", Vec::new()).await });
    peer.heard.acquire().await.unwrap().forget();
    for seconds in 1..=2 {
        site.keys.rotate(NOW.plus(seconds)).unwrap();
    }
    peer.may_answer.add_permits(1);
    let value = asking.await.unwrap().unwrap();
    assert_eq!(value.as_str(), Some("content"));
}

/// As a peer does it: a 7025 is followed, the call sent again, at most once for each rotation.
async fn call_until_served(site: &Site, stranger: &Stranger, id: &str) {
    let mut certificate = site.certificate();
    for _ in 0..4 {
        let section = fields(&[("idnumber", id), ("name", "Algebra")]);
        let call = MethodCall::new("register/new_section", vec![section]);
        let message = stranger.seal(&call, &certificate, at(site));
        let answer = site.answer(message).await.unwrap();
        // Whatever key was in force, the answer is signed by the one we sealed to.
        match stranger.open(&answer, &certificate).response {
            MethodResponse::Success(_) => return,
            MethodResponse::Fault(fault) if fault.code == 7025 => {
                certificate = Certificate::parse(&fault.message).unwrap();
            }
            MethodResponse::Fault(fault) => panic!("{fault:?}"),
        }
    }
    panic!("{id} was never served");
}

fn at(site: &Site) -> UnixTime {
    site.clock.now()
}
