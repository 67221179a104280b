//! Who is heard, how far a broken message gets, and in which wrapping the answer comes: Moodle's order
//! of work and fault codes.

mod support;

use mnetd::envelope;
use mnetd::peer::Dialect;
use mnetd::rpc::Rejected;
use mnetd::store::peers::{self, Application};
use mnetd::xmlrpc::{Encoding, MethodCall, encode_call};
use support::site::{Answer, HERE, NOW, Site, Stranger, fields};

const REGISTER: [(&str, bool, bool); 1] = [("register", true, false)];

fn list_services() -> MethodCall {
    MethodCall::new("system/listServices", Vec::new())
}

async fn answered(site: &Site, stranger: &Stranger, message: Vec<u8>) -> Answer {
    let answer = site.answer(message).await.unwrap();
    stranger.open(&answer, &site.certificate())
}

fn two() -> (Site, Stranger) {
    let site = Site::new("http://register.example");
    let stranger = Stranger::new("http://moodle.example");
    site.befriend(&stranger, &REGISTER);
    (site, stranger)
}

#[tokio::test]
async fn a_site_that_is_no_peer_is_told_its_own_name() {
    let (site, _) = two();
    let unknown = Stranger::new("http://unknown.example");
    let message = unknown.seal(&list_services(), &site.certificate(), NOW);
    let answer = answered(&site, &unknown, message).await;
    assert_eq!(answer.fault(), 7020);
    assert!(answer.message().contains("http://unknown.example"));
    assert!(!answer.sealed);
}

#[tokio::test]
async fn a_removed_peer_is_a_stranger() {
    let (site, stranger) = two();
    let id = site.peer(&stranger.wwwroot).id;
    site.store
        .write(move |tx| peers::remove(tx, id, NOW))
        .await
        .unwrap();
    let message = stranger.seal(&list_services(), &site.certificate(), NOW);
    assert_eq!(answered(&site, &stranger, message).await.fault(), 7020);
}

#[tokio::test]
async fn a_message_to_another_key_cannot_be_opened() {
    let (site, stranger) = two();
    let other = Stranger::new("http://other.example");
    let message = stranger.seal(&list_services(), other.pair.certificate(), NOW);
    let answer = answered(&site, &stranger, message).await;
    assert_eq!(answer.fault(), 7023);
    assert!(!answer.sealed);
}

#[tokio::test]
async fn an_old_key_brings_the_present_certificate_signed_by_the_old_one() {
    let (site, stranger) = two();
    let mut past = Vec::new();
    for turn in 0..4 {
        past.push(site.certificate());
        site.keys.rotate(NOW.plus(turn)).unwrap();
    }
    for (age, certificate) in past.iter().rev().enumerate() {
        let message = stranger.seal(&list_services(), certificate, NOW);
        let answer = site.answer(message).await.unwrap();
        if age < 3 {
            // Opening checks the signature: it must be the old key's.
            let answer = stranger.open(&answer, certificate);
            assert_eq!(answer.fault(), 7025);
            assert_eq!(answer.message(), site.certificate().pem());
            assert!(answer.sealed && answer.signed);
        } else {
            assert_eq!(stranger.open(&answer, certificate).fault(), 7023);
        }
    }
}

#[tokio::test]
async fn sealed_but_not_signed_is_refused_sealed_and_unsigned() {
    let (site, stranger) = two();
    let payload = encode_call(&list_services(), Encoding::Utf8);
    let message = stranger.seal_bytes(payload, &site.certificate());
    let answer = answered(&site, &stranger, message).await;
    assert_eq!(answer.fault(), 711);
    assert!(answer.sealed && !answer.signed);
}

#[tokio::test]
async fn a_foreign_signature_is_refused() {
    let (site, stranger) = two();
    // The same name, another key.
    let forger = Stranger::new("http://moodle.example");
    let message = stranger.seal_bytes(forger.sign(&list_services(), NOW), &site.certificate());
    let answer = answered(&site, &stranger, message).await;
    assert_eq!(answer.fault(), 710);
    assert!(answer.sealed && answer.signed);
}

#[tokio::test]
async fn a_call_passed_on_by_another_peer_is_refused() {
    let (site, stranger) = two();
    let courier = Stranger::new("http://courier.example");
    site.befriend(&courier, &REGISTER);
    // The courier has received this, signed by the other, and seals it again for us.
    let signed = stranger.sign(&list_services(), NOW);
    let message = courier.seal_bytes(signed, &site.certificate());
    let answer = answered(&site, &courier, message).await;
    assert_eq!(answer.fault(), 710);
}

#[tokio::test]
async fn nothing_but_a_keyswap_is_heard_in_the_clear() {
    let (site, stranger) = two();
    let plain = encode_call(&list_services(), Encoding::Utf8);
    let signed = stranger.sign(&list_services(), NOW);
    for message in [plain.clone(), signed.clone()] {
        let answer = answered(&site, &stranger, message).await;
        assert_eq!(answer.fault(), 7021);
        assert!(!answer.sealed && !answer.signed);
    }
    site.store
        .write(|tx| peers::set_clear_text_address(tx, "127.0.0.0/8", true))
        .await
        .unwrap();
    // Then the system methods are, and the signed call gets a signed answer.
    let answer = answered(&site, &stranger, plain).await;
    assert_eq!(answer.value().as_array().map(<[_]>::len), Some(0));
    let answer = answered(&site, &stranger, signed).await;
    assert_eq!(answer.value().as_array().map(<[_]>::len), Some(1));
    assert!(answer.signed && !answer.sealed);
    // A register call still has to be signed.
    let call = MethodCall::new("register/new_section", vec![fields(&[("idnumber", "1")])]);
    let answer = answered(&site, &stranger, encode_call(&call, Encoding::Utf8)).await;
    assert_eq!(answer.fault(), 711);
}

#[tokio::test]
async fn a_keyswap_brings_our_certificate_and_changes_nothing() {
    let (site, stranger) = two();
    let forger = Stranger::new("http://moodle.example");
    for caller in [&stranger, &forger, &Stranger::new("http://new.example")] {
        let call = MethodCall::new(
            "system/keyswap",
            vec![
                caller.wwwroot.as_str().into(),
                caller.pair.certificate().pem().into(),
                "moodle".into(),
            ],
        );
        let answer = answered(&site, caller, encode_call(&call, Encoding::Utf8)).await;
        assert_eq!(answer.value().as_str(), Some(site.certificate().pem()));
    }
    let known = site.peer(&stranger.wwwroot).certificate;
    assert_eq!(known, *stranger.pair.certificate());
    let all = site.store.read(mnetd::peer::Peer::all).await.unwrap();
    assert_eq!(all.len(), 1);
}

#[tokio::test]
async fn where_all_may_register_a_stranger_becomes_a_peer_without_rights() {
    let site = Site::new("http://register.example").open_to_all();
    let stranger = Stranger::new("http://new.example");
    let forger = Stranger::new("http://new.example");
    let keyswap = |name: &str, certificate: &str| {
        let params = vec![name.into(), certificate.into(), "moodle".into()];
        encode_call(&MethodCall::new("system/keyswap", params), Encoding::Utf8)
    };
    // Somebody else's certificate, or none, registers nobody.
    for certificate in [site.certificate().pem(), "junk"] {
        let message = keyswap("http://new.example", certificate);
        assert_eq!(answered(&site, &stranger, message).await.fault(), 8002);
    }
    let certificate = stranger.pair.certificate().pem();
    let message = keyswap("http://new.example", certificate);
    answered(&site, &stranger, message).await.value();
    assert_eq!(
        site.peer(&stranger.wwwroot).certificate,
        *stranger.pair.certificate()
    );
    let section = vec![fields(&[("idnumber", "s1"), ("name", "Algebra")])];
    let answer = site.call(&stranger, "new_section", section).await;
    assert_eq!(answer.fault(), 707);
    assert_eq!(
        site.peer(&stranger.wwwroot).application,
        Application::Moodle
    );
    // A Mahara does not say what it takes us for.
    let mahara = Stranger::new("http://mahara.example");
    let certificate = mahara.pair.certificate().pem();
    let params = vec!["http://mahara.example".into(), certificate.into()];
    let message = encode_call(&MethodCall::new("system/keyswap", params), Encoding::Utf8);
    answered(&site, &mahara, message).await.value();
    let peer = site.peer(&mahara.wwwroot);
    assert_eq!(peer.application, Application::Mahara);
    assert_eq!(peer.dialect, Dialect::Mahara);
    // Who is known keeps the certificate that is known.
    let message = keyswap("http://new.example", forger.pair.certificate().pem());
    answered(&site, &forger, message).await.value();
    assert_eq!(
        site.peer(&stranger.wwwroot).certificate,
        *stranger.pair.certificate()
    );
}

#[tokio::test]
async fn names_that_lead_nowhere_have_moodles_faults() {
    let (site, stranger) = two();
    for (method, code) in [
        ("nothing", 713),
        ("local/none/lib.php/nothing", 7012),
        ("system/nothing", 7018),
        ("register/nothing", 7012),
    ] {
        let answer = site.call(&stranger, method, Vec::new()).await;
        assert_eq!(answer.fault(), code, "{method}");
        assert!(answer.sealed && answer.signed);
    }
    for method in ["system/methodHelp", "system/methodSignature"] {
        let answer = site.call(&stranger, method, vec!["no/such".into()]).await;
        assert_eq!(answer.fault(), 7019);
    }
}

#[tokio::test]
async fn a_service_that_is_not_published_is_neither_called_nor_listed() {
    let site = Site::new("http://register.example");
    let stranger = Stranger::new("http://moodle.example");
    site.befriend(&stranger, &[]);
    let section = fields(&[("idnumber", "s1"), ("name", "Algebra")]);
    let answer = site
        .call(&stranger, "register/new_section", vec![section])
        .await;
    assert_eq!(answer.fault(), 707);
    for method in ["system/listMethods", "system/listServices"] {
        let answer = site.call(&stranger, method, Vec::new()).await;
        assert_eq!(
            answer.value().as_array().map(<[_]>::len),
            Some(0),
            "{method}"
        );
    }
    let help = vec!["register/new_section".into()];
    let answer = site.call(&stranger, "system/methodHelp", help).await;
    assert_eq!(answer.fault(), 7019);
}

#[tokio::test]
async fn a_published_service_describes_itself() {
    let (site, stranger) = two();
    let services = site
        .call(&stranger, "system.listServices", Vec::new())
        .await;
    let service = &services.value().as_array().unwrap()[0];
    for (name, value) in [
        ("name", "register"),
        ("apiversion", "1"),
        ("publish", "1"),
        ("subscribe", "0"),
    ] {
        assert_eq!(service.get(name).unwrap().as_str(), Some(value), "{name}");
    }
    let methods = site
        .call(&stranger, "system/listMethods", vec!["register".into()])
        .await;
    let methods = methods.value().as_array().unwrap().to_vec();
    assert!(methods.len() >= 13, "{methods:?}");
    for method in methods {
        let help = site
            .call(&stranger, "system/methodHelp", vec![method.clone()])
            .await;
        assert!(!help.value().as_str().unwrap().is_empty());
        let signature = site
            .call(&stranger, "system/methodSignature", vec![method.clone()])
            .await;
        let parameters = signature.value().get("parameters").unwrap();
        assert!(!parameters.as_array().unwrap().is_empty(), "{method:?}");
        assert!(
            signature
                .value()
                .get("return")
                .unwrap()
                .get("type")
                .is_some()
        );
    }
}

#[tokio::test]
async fn a_peer_may_be_held_to_its_addresses() {
    let (site, stranger) = two();
    let id = site.peer(&stranger.wwwroot).id;
    site.store
        .write(move |tx| peers::set_source_addresses(tx, id, &["192.0.2.0/24".to_owned()]))
        .await
        .unwrap();
    let message = || stranger.seal(&list_services(), &site.certificate(), NOW);
    assert_eq!(answered(&site, &stranger, message()).await.fault(), 7020);
    let from_there = "192.0.2.7".parse().unwrap();
    assert_ne!(from_there, HERE);
    let answer = site.server.answer(message(), from_there).await.unwrap();
    stranger.open(&answer, &site.certificate()).value();
}

#[tokio::test]
async fn what_is_no_message_at_all_is_rejected() {
    let (site, _) = two();
    for message in [&b"hello"[..], b"", b"<!DOCTYPE a><signedMessage/>"] {
        let rejected = site.answer(message.to_vec()).await.unwrap_err();
        assert!(matches!(rejected, Rejected::Malformed(_)), "{rejected:?}");
    }
    let long = vec![b'<'; envelope::MAX_BYTES + 1];
    let rejected = site.answer(long).await.unwrap_err();
    assert!(matches!(rejected, Rejected::TooLong(_)), "{rejected:?}");
}
