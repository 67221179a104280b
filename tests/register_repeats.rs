//! Sending the same twice changes nothing, and says so: whatever was sent before. Nor does a call that
//! is refused.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod school;

use mnetd::register::{Author, Call, RegisterError, Reply, Status, apply};
use mnetd::store::{PeerId, StoreError, WriteTx};
use mnetd::xmlrpc::{Struct, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use school::School;

fn pick(words: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::sample::select(words).prop_map(|word| match word {
        "<false>" => Value::from(false),
        "<1>" => Value::from(1),
        "<list>" => vec![Value::from("U1"), Value::from("U2")].into(),
        word => Value::from(word),
    })
}

/// Some of the fields of a call, each with one of the values given for it.
fn fields(
    given: Vec<(&'static str, &'static [&'static str], f64)>,
) -> impl Strategy<Value = Value> {
    let members: Vec<_> = given
        .into_iter()
        .map(|(name, words, likely)| {
            prop::option::weighted(likely, pick(words)).prop_map(move |value| (name, value))
        })
        .collect();
    members.prop_map(|members| {
        let said = members
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)));
        said.collect::<Struct>().into()
    })
}

const USERS: &[&str] = &["U1", "U2", "<1>"];
const SECTIONS: &[&str] = &["S1", "S2"];
const ASSESSMENTS: &[&str] = &["A1", "A2"];
const NAMES: &[&str] = &["Quiz", "Test"];

fn call() -> impl Strategy<Value = (&'static str, Value)> {
    let user = || {
        fields(vec![
            ("idnumber", USERS, 0.9),
            ("username", &["uma", "ulf", "UMA"], 0.95),
            ("firstname", &["Uma", "Ulf"], 0.95),
            ("lastname", &["Berg", "Dal"], 0.95),
            ("email", &["uma@example.org"], 0.95),
            ("ircnick", &["", "um"], 0.3),
            ("city", &["Oslo", "<1>"], 0.3),
        ])
    };
    let section = || {
        fields(vec![
            ("idnumber", SECTIONS, 0.99),
            ("name", &["Biology", "Botany"], 0.95),
            ("teacheridnumber", &["U1", "", "<false>", "<list>"], 0.5),
            ("segment", &["2026", "", "<list>", "ongoing"], 0.5),
        ])
    };
    let enrolment = || {
        fields(vec![
            ("sectionid", SECTIONS, 0.99),
            ("userid", USERS, 0.99),
            ("role", &["student", "teacher"], 0.99),
            ("status", &["", "c", "Withdrawn"], 0.3),
            ("note", &["", "moved"], 0.3),
            (
                "effective_at",
                &["1799990000", "1800000003", "1800000500"],
                0.3,
            ),
        ])
    };
    let assessment = || {
        fields(vec![
            ("idnumber", ASSESSMENTS, 0.99),
            ("sectionid", SECTIONS, 0.99),
            ("name", NAMES, 0.95),
            ("pointval", &["10.0", "", "<1>"], 0.5),
            ("extra_credit", &["1", "", "<false>"], 0.5),
        ])
    };
    let grade = || {
        fields(vec![
            ("assessmentid", ASSESSMENTS, 0.99),
            ("userid", USERS, 0.99),
            ("points_earned", &["5.00000", "<1>", "0"], 0.9),
            ("excepted", &["1", "", "<false>"], 0.3),
            ("attempt_num", &["<1>", "2"], 0.3),
            ("feedback", &["good", "better"], 0.3),
        ])
    };
    prop_oneof![
        4 => user().prop_map(|argument| ("fetch_user", argument)),
        1 => user().prop_map(|argument| ("update_user", argument)),
        1 => user().prop_map(|argument| ("remove_user", argument)),
        3 => section().prop_map(|argument| ("new_section", argument)),
        1 => section().prop_map(|argument| ("update_section", argument)),
        1 => section().prop_map(|argument| ("remove_section", argument)),
        4 => enrolment().prop_map(|argument| ("new_enrolment", argument)),
        3 => enrolment().prop_map(|argument| ("drop_enrolment", argument)),
        3 => assessment().prop_map(|argument| ("new_assessment", argument)),
        1 => assessment().prop_map(|argument| ("update_assessment", argument)),
        1 => assessment().prop_map(|argument| ("remove_assessment", argument)),
        4 => grade().prop_map(|argument| ("new_grade", argument)),
        1 => grade().prop_map(|argument| ("remove_grade", argument)),
    ]
}

/// Without a savepoint, so that what a refused call had written would stay.
fn carry_out(school: &School, author: Author, call: Call) -> Result<Reply, RegisterError> {
    let now = school.now;
    let job = move |tx: &WriteTx<'_>| Ok::<_, StoreError>(apply(tx, &author, &call, now));
    school.store.write_blocking(job).unwrap()
}

/// Makes each call twice, a second apart.
fn twice(school: &mut School, calls: &[(&'static str, Value, PeerId)]) {
    let onlooker = rusqlite::Connection::open(school.database()).unwrap();
    // Changes whenever somebody else has written (SQLite, PRAGMA data_version).
    let version = || -> i64 {
        onlooker
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .unwrap()
    };
    for (method, argument, peer) in calls {
        let Ok(Some(call)) = Call::parse(method, std::slice::from_ref(argument)) else {
            continue;
        };
        let author = Author::Peer { id: *peer };
        let first = carry_out(school, author.clone(), call.clone());
        let before = version();
        school.now = school.now.plus(1);
        let second = carry_out(school, author, call);
        assert_eq!(version(), before, "{method} {argument:?} wrote something");
        match (first, second) {
            (Ok(first), Ok(second)) => {
                assert_eq!(second.status, Status::Unchanged, "{method} {argument:?}");
                assert_eq!(second.id, first.id, "{method} {argument:?}");
            }
            (Err(first), Err(second)) => {
                assert_eq!(first.code(), second.code());
                assert!(first.code().is_some(), "{method} {argument:?}: {first}");
            }
            (first, second) => panic!("{method} {argument:?}: {first:?}, then {second:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_call_after_any_others(calls in vec((call(), any::<bool>()), 1..60)) {
        let mut school = School::in_term();
        let peers = [school.peer, school.new_peer_once()];
        let calls: Vec<_> = calls
            .into_iter()
            .map(|((method, argument), second)| (method, argument, peers[usize::from(second)]))
            .collect();
        twice(&mut school, &calls);
    }
}

#[test]
fn a_whole_multicall_sent_again_writes_nothing() {
    let school = School::with_gradebook();
    let calls: Vec<Call> = ["U1", "U2", "T1"]
        .iter()
        .flat_map(|userid| {
            [
                Call::parse("new_enrolment", &[school::enrolment(userid, "student")]),
                Call::parse("new_grade", &[school::grade(userid, "7.5")]),
            ]
        })
        .map(|call| call.unwrap().unwrap())
        .collect();
    let (author, now) = (school.peer_author(), school.now);
    let multicall = || {
        let (author, calls) = (author.clone(), calls.clone());
        school.store.write_blocking(move |tx| {
            let replies = calls
                .iter()
                .map(|call| tx.savepoint(|tx| apply(tx, &author, call, now)));
            Ok::<_, StoreError>(
                replies
                    .map(|reply| reply.unwrap().status)
                    .collect::<Vec<_>>(),
            )
        })
    };
    assert_eq!(multicall().unwrap(), [Status::Created; 6]);
    assert_eq!(multicall().unwrap(), [Status::Unchanged; 6]);
}

#[test]
fn a_history_with_dates_sent_again_writes_nothing() {
    let school = School::in_term();
    let dated = |date: &str, more: &[(&'static str, &'static str)]| {
        let mut call = match school::enrolment("U1", "student") {
            Value::Struct(call) => call,
            other => panic!("{other:?}"),
        };
        call.insert("effective_at".to_owned(), Value::from(date));
        for (name, value) in more {
            call.insert((*name).to_owned(), Value::from(*value));
        }
        Value::Struct(call)
    };
    let began = || dated("1790000000", &[]);
    let ended = || dated("1794000000", &[("status", "c")]);
    school.created("new_enrolment", began());
    school.updated("drop_enrolment", ended());
    let rows = || school.count("SELECT count(*) FROM enrolment_history");
    assert_eq!(rows(), 2);
    school.unchanged("new_enrolment", began());
    school.unchanged("drop_enrolment", ended());
    assert_eq!(rows(), 2);
    // Another word for the same date is news.
    school.updated("drop_enrolment", dated("1794000000", &[("status", "i")]));
    assert_eq!(rows(), 3);
}
