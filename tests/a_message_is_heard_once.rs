//! What the envelope does not protect: replays, dates, and calls addressed to somebody else.

mod support;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mnetd::clock::UnixTime;
use mnetd::store::{Page, peers, sections};
use mnetd::xmlrpc::{MethodCall, Struct, Value};
use support::site::{NOW, Site, Stranger, fields};

fn two() -> (Site, Stranger) {
    let site = Site::new("http://register.example");
    let stranger = Stranger::new("http://moodle.example");
    site.befriend(&stranger, &[("register", true, false)]);
    (site, stranger)
}

fn section(name: &str) -> MethodCall {
    let section = fields(&[("idnumber", name), ("name", name)]);
    MethodCall::new("register/new_section", vec![section])
}

fn list_services() -> MethodCall {
    MethodCall::new("system/listServices", Vec::new())
}

/// The codes of two answers to the same bytes; 0 for no fault.
async fn twice(site: &Site, stranger: &Stranger, message: &[u8]) -> [i32; 2] {
    let mut codes = [0; 2];
    for code in &mut codes {
        *code = code_of(site, stranger, message).await;
    }
    codes
}

async fn code_of(site: &Site, stranger: &Stranger, message: &[u8]) -> i32 {
    let answer = site.answer(message.to_vec()).await.unwrap();
    match stranger.open(&answer, &site.certificate()).response {
        mnetd::xmlrpc::MethodResponse::Success(_) => 0,
        mnetd::xmlrpc::MethodResponse::Fault(fault) => fault.code,
    }
}

fn section_count(site: &Site) -> usize {
    let filter = sections::SectionFilter::default();
    site.store
        .read_blocking(|tx| sections::list(tx, &filter, Page::default()))
        .unwrap()
        .len()
}

#[tokio::test]
async fn a_copy_is_refused_also_after_a_restart() {
    let (site, stranger) = two();
    let to = site.certificate();
    let register = stranger.seal(&section("s1"), &to, NOW);
    let list = stranger.seal(&list_services(), &to, NOW);
    assert_eq!(twice(&site, &stranger, &register).await, [0, 8010]);
    assert_eq!(twice(&site, &stranger, &list).await, [0, 8010]);
    // Marks of calls that changed nothing travel with later ones, or when the server stops.
    site.store.flush().await.unwrap();
    let site = site.restarted();
    assert_eq!(code_of(&site, &stranger, &register).await, 8010);
    assert_eq!(code_of(&site, &stranger, &list).await, 8010);
}

#[tokio::test]
async fn of_copies_that_arrive_together_one_is_served() {
    let (site, stranger) = two();
    let message = stranger.seal(&section("s1"), &site.certificate(), NOW);
    let copies = (0..16).map(|_| code_of(&site, &stranger, &message));
    let codes = futures_join(copies.collect()).await;
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1);
    assert_eq!(codes.iter().filter(|code| **code == 8010).count(), 15);
}

async fn futures_join<F: Future<Output = i32>>(futures: Vec<F>) -> Vec<i32> {
    let mut pending: Vec<_> = futures.into_iter().map(|f| (Box::pin(f), None)).collect();
    std::future::poll_fn(|context| {
        let mut is_done = true;
        for (future, code) in &mut pending {
            if code.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(ready) => *code = Some(ready),
                    std::task::Poll::Pending => is_done = false,
                }
            }
        }
        if is_done {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, code)| code).collect()
}

#[tokio::test]
async fn the_same_call_twice_in_a_second_is_served_twice() {
    let (site, stranger) = two();
    for _ in 0..2 {
        let message = stranger.seal(&section("s1"), &site.certificate(), NOW);
        assert_eq!(code_of(&site, &stranger, &message).await, 0);
    }
    assert_eq!(section_count(&site), 1);
}

#[tokio::test]
async fn a_copy_sealed_to_an_old_key_is_not_carried_out() {
    let (site, stranger) = two();
    let old = site.certificate();
    let message = stranger.seal(&section("s1"), &old, NOW);
    assert_eq!(code_of(&site, &stranger, &message).await, 0);
    site.keys.rotate(NOW).unwrap();
    let answer = site.answer(message).await.unwrap();
    assert_eq!(stranger.open(&answer, &old).fault(), 7025);
}

#[tokio::test]
async fn re_dating_a_copy_does_not_make_it_new() {
    let (site, stranger) = two();
    let message = stranger.seal(&section("s1"), &site.certificate(), NOW);
    assert_eq!(code_of(&site, &stranger, &message).await, 0);
    // RC4 without a MAC: whoever knows where the timestamp stands can change its digits unread.
    let text = String::from_utf8(message).unwrap();
    let start = text.find("<CipherValue>").unwrap() + "<CipherValue>".len();
    let end = start + text[start..].find('<').unwrap();
    let mut body = STANDARD.decode(&text[start..end]).unwrap();
    let plain = String::from_utf8(stranger.sign(&section("s1"), NOW)).unwrap();
    assert_eq!(plain.len(), body.len());
    let place = plain.find("<timestamp>").unwrap() + "<timestamp>".len();
    let later = NOW.plus(200);
    for (offset, (now, then)) in NOW
        .0
        .to_string()
        .bytes()
        .zip(later.0.to_string().bytes())
        .enumerate()
    {
        body[place + offset] ^= now ^ then;
    }
    let redated = format!(
        "{}{}{}",
        &text[..start],
        STANDARD.encode(body),
        &text[end..]
    );
    site.clock.set(later);
    assert_eq!(code_of(&site, &stranger, redated.as_bytes()).await, 8010);
    // Proof that the date was changed: under a key that has not heard the original it is in time.
    site.clock.set(NOW);
    let fresh = Site::with_keys("http://register.example", site.keys.ring().current());
    fresh.befriend(&stranger, &[("register", true, false)]);
    fresh.clock.set(later.plus(290));
    assert_eq!(code_of(&fresh, &stranger, redated.as_bytes()).await, 0);
}

#[tokio::test]
async fn what_was_refused_is_heard_as_well() {
    let site = Site::new("http://register.example");
    let stranger = Stranger::new("http://moodle.example");
    site.befriend(&stranger, &[]);
    let to = site.certificate();
    let unpublished = stranger.seal(&section("s1"), &to, NOW);
    let early = stranger.seal(&section("s2"), &to, NOW.plus(100));
    assert_eq!(code_of(&site, &stranger, &unpublished).await, 707);
    assert_eq!(code_of(&site, &stranger, &early).await, 8011);
    // Then the service is published, and the time comes.
    let id = site.peer(&stranger.wwwroot).id;
    let right = peers::PeerService {
        service: "register".to_owned(),
        publish: true,
        subscribe: false,
    };
    site.store
        .write(move |tx| peers::set_service(tx, id, &right))
        .await
        .unwrap();
    site.clock.set(NOW.plus(100));
    for message in [&unpublished, &early] {
        assert_eq!(code_of(&site, &stranger, message).await, 8010);
    }
    assert_eq!(section_count(&site), 0);
}

#[tokio::test]
async fn dates_have_a_window() {
    let (site, stranger) = two();
    for (offset, code) in [(-301, 8011), (-300, 0), (0, 0), (15, 0), (16, 8011)] {
        let message = stranger.seal(&list_services(), &site.certificate(), NOW.plus(offset));
        assert_eq!(code_of(&site, &stranger, &message).await, code, "{offset}");
    }
}

fn binding(to: &str, at: UnixTime, nonce: u8) -> Value {
    Struct::new()
        .with("mnetd_to", to)
        .with("mnetd_at", at.0.to_string())
        .with("mnetd_nonce", hex::encode([nonce; 16]))
        .into()
}

#[tokio::test]
async fn a_bound_call_is_for_us_in_time_and_once() {
    let (site, stranger) = two();
    let ours = site.wwwroot.to_string();
    let bound = |binding: Value| {
        let section = fields(&[("idnumber", "s1"), ("name", "s1")]);
        site.call(&stranger, "new_section", vec![section, binding])
    };
    bound(binding(&ours, NOW, 1)).await.value();
    for (binding, code) in [
        (binding(&ours, NOW, 1), 8010),
        (binding("http://other.example", NOW, 2), 8013),
        (binding(&ours, NOW.plus(-301), 3), 8011),
        (binding(&ours, NOW.plus(16), 4), 8011),
        (Struct::new().with("mnetd_to", ours.as_str()).into(), 8002),
    ] {
        assert_eq!(bound(binding).await.fault(), code);
    }
    bound(binding(&ours, NOW, 5)).await.value();
}

#[tokio::test]
async fn who_has_bound_once_must_bind_until_it_is_reset() {
    let (site, stranger) = two();
    let ours = site.wwwroot.to_string();
    let section = fields(&[("idnumber", "s1"), ("name", "s1")]);
    let unbound = || site.call(&stranger, "new_section", vec![section.clone()]);
    unbound().await.value();
    let with_binding = vec![section.clone(), binding(&ours, NOW, 1)];
    site.call(&stranger, "new_section", with_binding)
        .await
        .value();
    assert_eq!(unbound().await.fault(), 8012);
    // What is no register call needs no binding.
    site.call(&stranger, "system/listServices", Vec::new())
        .await
        .value();
    let id = site.peer(&stranger.wwwroot).id;
    site.store
        .write(move |tx| peers::set_binding_required(tx, id, false))
        .await
        .unwrap();
    unbound().await.value();
}

#[tokio::test]
async fn a_multicall_is_bound_once_for_the_whole() {
    let (site, stranger) = two();
    let ours = site.wwwroot.to_string();
    let call = |name: &str| -> Value {
        let section = fields(&[("idnumber", name), ("name", name)]);
        Struct::new()
            .with("methodName", "register/new_section")
            .with("params", vec![section])
            .into()
    };
    let calls = Value::Array(vec![call("s1"), call("s2")]);
    let params = vec![calls.clone(), binding(&ours, NOW, 1)];
    let answer = site.call(&stranger, "system/multicall", params).await;
    assert_eq!(answer.value().as_array().map(<[_]>::len), Some(2));
    assert_eq!(section_count(&site), 2);
    let again = vec![calls.clone(), binding(&ours, NOW, 1)];
    let answer = site.call(&stranger, "system/multicall", again).await;
    assert_eq!(answer.fault(), 8010);
    let answer = site.call(&stranger, "system/multicall", vec![calls]).await;
    assert_eq!(answer.fault(), 8012);
}
