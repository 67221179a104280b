//! The whole line: sealed calls in, rows in the register, sealed answers out; and asking back.

mod support;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use mnetd::store::{Page, enrolments, grades, people, sections};
use mnetd::xmlrpc::{
    Encoding, Limits, MethodCall, MethodResponse, Struct, Value, decode_call, encode_response,
};
use support::site::{NOW, Served, Site, Stranger, fields, user};
use tokio::net::TcpListener;

fn two() -> (Site, Stranger) {
    let site = Site::new("http://register.example");
    let stranger = Stranger::new("http://moodle.example");
    site.befriend(&stranger, &[("register", true, false)]);
    (site, stranger)
}

fn status(value: &Value) -> &str {
    value.get("status").unwrap().as_str().unwrap()
}

fn usernames(site: &Site) -> Vec<String> {
    let filter = people::PeopleFilter::default();
    let people = site
        .store
        .read_blocking(|tx| people::list(tx, &filter, NOW, Page::default()));
    let people = people.unwrap().into_iter();
    people.map(|listed| listed.person.fields.username).collect()
}

fn section(id: &str) -> Value {
    fields(&[("idnumber", id), ("name", "Algebra")])
}

fn enrolment(section: &str, user: &str) -> Value {
    fields(&[
        ("sectionid", section),
        ("userid", user),
        ("role", "student"),
    ])
}

fn assessment(id: &str) -> Value {
    fields(&[
        ("sectionid", "s1"),
        ("idnumber", id),
        ("name", "Test 1"),
        ("pointval", "100"),
    ])
}

fn grade(points: &str) -> Value {
    fields(&[
        ("assessmentid", "a1"),
        ("userid", "zoe"),
        ("points_earned", points),
    ])
}

#[tokio::test]
async fn a_school_arrives_call_by_call() {
    let (site, stranger) = two();
    let calls = [
        ("register/fetch_user", user("zoe")),
        ("new_section", section("s1")),
        ("register/new_enrolment", enrolment("s1", "zoe")),
        ("new_assessment", assessment("a1")),
        ("register/new_grade", grade("87.5")),
    ];
    for (method, argument) in &calls {
        let answer = site.call(&stranger, method, vec![argument.clone()]).await;
        assert_eq!(status(answer.value()), "created", "{method}");
        assert!(answer.value().get("id").unwrap().as_integer().unwrap() > 0);
    }
    for (method, argument) in &calls {
        let answer = site.call(&stranger, method, vec![argument.clone()]).await;
        assert_eq!(status(answer.value()), "unchanged", "{method}");
    }
    let answer = site.call(&stranger, "new_grade", vec![grade("90")]).await;
    assert_eq!(status(answer.value()), "updated");

    let site = site.restarted();
    assert_eq!(usernames(&site), ["zoe"]);
    let grades = site
        .store
        .read_blocking(|tx| grades::list(tx, &grades::GradeFilter::default(), Page::default()));
    let grades = grades.unwrap();
    assert_eq!(grades.len(), 1);
    assert_eq!(grades[0].value.points_earned, Some(90.0));
    let history = site
        .store
        .read_blocking(|tx| grades::history(tx, grades[0].id))
        .unwrap();
    assert_eq!(history.len(), 2);
}

#[tokio::test]
async fn every_method_is_heard_by_both_its_names() {
    let person = |member: &str, value: &str| fields(&[("idnumber", "zoe"), (member, value)]);
    let calls = [
        ("fetch_user", user("zoe"), "created"),
        ("update_user", person("firstname", "Zo"), "updated"),
        ("new_section", section("s1"), "created"),
        (
            "update_section",
            fields(&[("idnumber", "s1"), ("name", "Geometry")]),
            "updated",
        ),
        ("new_enrolment", enrolment("s1", "zoe"), "created"),
        ("new_assessment", assessment("a1"), "created"),
        (
            "update_assessment",
            fields(&[("idnumber", "a1"), ("name", "Test 2")]),
            "updated",
        ),
        ("new_grade", grade("87.5"), "created"),
        (
            "remove_grade",
            fields(&[("assessmentid", "a1"), ("userid", "zoe")]),
            "updated",
        ),
        (
            "remove_assessment",
            fields(&[("idnumber", "a1")]),
            "updated",
        ),
        ("drop_enrolment", enrolment("s1", "zoe"), "updated"),
        ("remove_section", fields(&[("idnumber", "s1")]), "updated"),
        ("remove_user", fields(&[("idnumber", "zoe")]), "updated"),
    ];
    assert_eq!(calls.len(), mnetd::register::SERVICE.methods.len());
    let (site, _) = two();
    for (prefix, name) in [
        ("register/", "http://one.example"),
        ("", "http://two.example"),
    ] {
        let stranger = Stranger::new(name);
        site.befriend(&stranger, &[("register", true, false)]);
        for (method, argument, expected) in &calls {
            let method = format!("{prefix}{method}");
            let answer = site.call(&stranger, &method, vec![argument.clone()]).await;
            assert_eq!(status(answer.value()), *expected, "{method}");
            // What was done already is not done again.
            let answer = site.call(&stranger, &method, vec![argument.clone()]).await;
            assert_eq!(status(answer.value()), "unchanged", "{method} again");
        }
    }
}

#[tokio::test]
async fn what_is_missing_is_named_in_a_fault() {
    let (site, stranger) = two();
    for (method, argument, code, named) in [
        ("new_section", fields(&[("name", "x")]), 8001, "idnumber"),
        ("new_grade", grade("1"), 8005, "a1"),
        ("new_assessment", assessment("a1"), 8004, "s1"),
    ] {
        let answer = site.call(&stranger, method, vec![argument]).await;
        assert_eq!(answer.fault(), code, "{method}");
        assert!(answer.message().contains(named), "{}", answer.message());
    }
}

fn entry(method: &str, argument: Value) -> Value {
    Struct::new()
        .with("methodName", method)
        .with("params", vec![argument])
        .into()
}

#[tokio::test]
async fn a_php_list_with_gaps_is_as_good_a_multicall() {
    let (site, stranger) = two();
    // What array_filter leaves keeps its keys, and so travels as a struct.
    let params = Struct::new().with("1", section("s1"));
    let call = Struct::new()
        .with("methodName", "register/new_section")
        .with("params", params);
    let calls = Struct::new()
        .with("3", call)
        .with("7", entry("new_section", section("s2")));
    let answer = site
        .call(&stranger, "system/multicall", vec![calls.into()])
        .await;
    let results = answer.value().as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        assert_eq!(status(&result.as_array().unwrap()[0]), "created");
    }
}

#[tokio::test]
async fn one_bad_call_in_many_leaves_the_others_standing() {
    let (site, stranger) = two();
    let calls = Value::Array(vec![
        entry("register/new_section", section("s1")),
        entry("register/fetch_user", user("zoe")),
        entry("register/new_enrolment", enrolment("s1", "nobody")),
        entry("register/nothing", section("s2")),
        entry("system/listMethods", section("s2")),
        Value::from("no struct"),
        entry("new_enrolment", enrolment("s1", "zoe")),
    ]);
    let answer = site.call(&stranger, "system/multicall", vec![calls]).await;
    let results = answer.value().as_array().unwrap();
    let codes: Vec<_> = results.iter().map(code_of).collect();
    assert_eq!(codes, [0, 0, 8003, 7012, 8002, 8002, 0]);
    let filter = enrolments::EnrolmentFilter::default();
    let enrolled = site
        .store
        .read_blocking(|tx| enrolments::list(tx, &filter, NOW, Page::default()));
    assert_eq!(enrolled.unwrap().len(), 1);
}

/// The fault's code in a result of a multicall; 0 for a row that was created.
fn code_of(result: &Value) -> i64 {
    if let Some(code) = result.get("faultCode") {
        return code.as_integer().unwrap();
    }
    let values = result.as_array().unwrap();
    assert_eq!(values.len(), 1);
    assert_eq!(status(&values[0]), "created");
    0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_calls_in_one_are_seen_all_at_once() {
    let (site, stranger) = two();
    let calls = (0..500)
        .map(|number| entry("new_section", section(&format!("s{number}"))))
        .collect();
    let store = site.store.clone();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let reader = std::thread::spawn(move || {
        let filter = sections::SectionFilter::default();
        let page = Page {
            after: None,
            limit: mnetd::store::MAX_PAGE,
        };
        let mut seen = std::collections::BTreeSet::new();
        loop {
            let is_last = stopped.try_recv().is_ok();
            let listed = store.read_blocking(|tx| sections::list(tx, &filter, page));
            seen.insert(listed.unwrap().len());
            if is_last {
                return seen;
            }
        }
    });
    let params = vec![Value::Array(calls)];
    let answer = site.call(&stranger, "system/multicall", params).await;
    assert_eq!(answer.value().as_array().map(<[_]>::len), Some(500));
    stop.send(()).unwrap();
    let seen = reader.join().unwrap();
    assert!(
        seen.iter().all(|count| [0, 500].contains(count)),
        "{seen:?}"
    );
    assert!(seen.contains(&500));
}

#[tokio::test]
async fn too_many_calls_in_one_are_refused_as_a_whole() {
    let (site, stranger) = two();
    let calls = vec![entry("new_section", section("s1")); mnetd::rpc::MAX_CALLS_IN_ONE + 1];
    let params = vec![Value::Array(calls)];
    let answer = site.call(&stranger, "system/multicall", params).await;
    assert_eq!(answer.fault(), 8002);
    let filter = sections::SectionFilter::default();
    let sections = site
        .store
        .read_blocking(|tx| sections::list(tx, &filter, Page::default()));
    assert_eq!(sections.unwrap().len(), 0);
}

/// A Moodle with a plugin: it answers sealed calls, and while it does, it calls us.
struct School {
    us: Served,
    moodle: Arc<Moodle>,
}

struct Moodle {
    stranger: Stranger,
    /// Set once both are there: where to call, and the key to seal to.
    ours: Mutex<Option<(String, mnetd::keys::Certificate)>>,
    users: HashMap<String, Value>,
    heard: Mutex<Vec<String>>,
    called_back: Mutex<Vec<MethodResponse>>,
}

impl School {
    async fn open(users: &[(&str, Value)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let us = Site::served().await;
        let moodle = Arc::new(Moodle {
            stranger: Stranger::new(&format!("http://{address}")),
            ours: Mutex::new(Some((
                format!("http://{}/mnet/xmlrpc/server.php", us.address),
                us.site.certificate(),
            ))),
            users: users
                .iter()
                .map(|(id, user)| ((*id).to_owned(), user.clone()))
                .collect(),
            heard: Mutex::default(),
            called_back: Mutex::default(),
        });
        us.site
            .befriend(&moodle.stranger, &[("register", true, true)]);
        let routes = Router::new()
            .route("/mnet/xmlrpc/server.php", post(moodle_answers))
            .with_state(Arc::clone(&moodle));
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { us, moodle }
    }

    async fn call(&self, method: &str, argument: Value) -> support::site::Answer {
        let site = &self.us.site;
        site.call(&self.moodle.stranger, method, vec![argument])
            .await
    }

    fn heard(&self) -> Vec<String> {
        self.moodle.heard.lock().unwrap().clone()
    }
}

async fn moodle_answers(State(moodle): State<Arc<Moodle>>, body: axum::body::Bytes) -> Vec<u8> {
    let (url, certificate) = moodle.ours.lock().unwrap().clone().unwrap();
    // A peer may call while it is being called.
    let list = MethodCall::new("system/listServices", Vec::new());
    let message = moodle.stranger.seal(&list, &certificate, NOW);
    let answer = reqwest::Client::new()
        .post(url)
        .body(message)
        .send()
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let answer = moodle.stranger.open(&answer, &certificate);
    moodle.called_back.lock().unwrap().push(answer.response);

    let mnetd::envelope::Outer::Encrypted(sealed) = mnetd::envelope::Outer::read(&body).unwrap()
    else {
        panic!("not sealed");
    };
    let opened = sealed.open(moodle.stranger.pair.private_key()).unwrap();
    let (signed, _) = opened.into_signed().unwrap();
    let verified = signed.verify(certificate.public_key()).unwrap();
    let call = decode_call(verified.payload(), Encoding::Utf8, &Limits::default())
        .unwrap()
        .message;
    moodle.heard.lock().unwrap().push(call.method.clone());
    let value = match call.method.as_str() {
        "system/listMethods" => Value::Array(vec!["local/mnetd/register.php/get_user".into()]),
        "local/mnetd/register.php/get_user" => {
            // A call of ours cannot be passed on either.
            let binding = call.params.last().unwrap();
            let bound_to = binding.get("mnetd_to").unwrap().as_str();
            assert_eq!(bound_to, Some(moodle.stranger.wwwroot.as_str()));
            assert_eq!(
                binding.get("mnetd_nonce").unwrap().as_str().unwrap().len(),
                32
            );
            let id = call.params[0].get("idnumber").unwrap().to_text().unwrap();
            let nobody = Value::Boolean(false);
            moodle.users.get(id.as_ref()).cloned().unwrap_or(nobody)
        }
        other => panic!("{other}"),
    };
    let payload = encode_response(&MethodResponse::Success(value), Encoding::Utf8);
    let signed = moodle.stranger.sign_payload(&payload, NOW);
    moodle.stranger.seal_bytes(signed, &certificate)
}

#[tokio::test]
async fn a_user_told_by_id_alone_is_asked_for() {
    let school = School::open(&[("zoe", user("zoe"))]).await;
    let answer = school
        .call("fetch_user", fields(&[("idnumber", "zoe")]))
        .await;
    assert_eq!(status(answer.value()), "created");
    assert_eq!(usernames(&school.us.site), ["zoe"]);
    assert_eq!(
        school.heard(),
        ["system/listMethods", "local/mnetd/register.php/get_user"]
    );
    // While it answered us, its own calls were served.
    for response in school.moodle.called_back.lock().unwrap().iter() {
        assert!(
            matches!(response, MethodResponse::Success(_)),
            "{response:?}"
        );
    }
    assert_eq!(school.moodle.called_back.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_missing_user_of_an_enrolment_is_asked_for() {
    let school = School::open(&[("zoe", user("zoe"))]).await;
    school.call("new_section", section("s1")).await.value();
    let answer = school.call("new_enrolment", enrolment("s1", "zoe")).await;
    assert_eq!(status(answer.value()), "created");
    let answer = school
        .call("new_enrolment", enrolment("s1", "nobody"))
        .await;
    assert_eq!(answer.fault(), 8003);
    assert_eq!(usernames(&school.us.site), ["zoe"]);
}

#[tokio::test]
async fn a_user_the_peer_does_not_know_either_is_told_as_unknown() {
    let school = School::open(&[]).await;
    let answer = school
        .call("fetch_user", fields(&[("idnumber", "nobody")]))
        .await;
    assert_eq!(answer.fault(), 8003);
}

#[tokio::test]
async fn an_answer_about_somebody_else_is_refused() {
    let school = School::open(&[("zoe", user("other"))]).await;
    let answer = school
        .call("fetch_user", fields(&[("idnumber", "zoe")]))
        .await;
    assert_eq!(answer.fault(), 8002);
    assert_eq!(usernames(&school.us.site).len(), 0);
}

#[tokio::test]
async fn a_peer_we_may_not_ask_is_not_asked() {
    let school = School::open(&[("zoe", user("zoe"))]).await;
    let id = school.us.site.peer(&school.moodle.stranger.wwwroot).id;
    let right = mnetd::store::peers::PeerService {
        service: "register".to_owned(),
        publish: true,
        subscribe: false,
    };
    school
        .us
        .site
        .store
        .write(move |tx| mnetd::store::peers::set_service(tx, id, &right))
        .await
        .unwrap();
    let answer = school
        .call("fetch_user", fields(&[("idnumber", "zoe")]))
        .await;
    assert_eq!(answer.fault(), 8003);
    assert_eq!(usernames(&school.us.site).len(), 0);
}
