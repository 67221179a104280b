//! People arrive, change and leave as peers say.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod school;

use mnetd::register::{Call, FetchUser, Status, UserKey};
use mnetd::store::people;
use mnetd::store::{Page, PersonId, StoreError};
use mnetd::xmlrpc::Value;
use school::{School, is_complete, user};

fn person(school: &School, id: i64) -> people::Person {
    school.read(|tx| people::get(tx, PersonId(id))).unwrap()
}

#[test]
fn a_user_with_everything_is_stored() {
    let school = School::new();
    let id = school.user("U1", "uma");
    let uma = person(&school, id);
    assert_eq!(uma.fields.username, "uma");
    assert_eq!(uma.fields.idnumber.as_deref(), Some("U1"));
    assert_eq!(uma.peer, Some(school.peer));
}

#[test]
fn a_user_with_less_has_to_be_asked_for() {
    let ask = |argument: Value| match Call::parse("register/fetch_user", &[argument]).unwrap() {
        Some(Call::FetchUser(FetchUser::Ask(key))) => key,
        other => panic!("{other:?}"),
    };
    let by_id = ask(record! {"idnumber": 7});
    assert_eq!(by_id.as_str(), "7");
    assert_eq!(
        ask(record! {"username": "uma", "email": ""}),
        UserKey::Username("uma".to_owned())
    );
    let school = School::new();
    assert!(
        school
            .fault("fetch_user", record! {"email": "a@b"}, 8001)
            .contains("idnumber")
    );
    assert!(
        school
            .fault("fetch_user", record! {"idnumber": "7"}, 8001)
            .contains("username")
    );
}

#[test]
fn the_answer_when_asked_back_must_be_about_the_same_user() {
    let key = UserKey::Id {
        idnumber: "U1".to_owned(),
        username: None,
    };
    let answer = key.answer(&user("U1", "uma")).unwrap();
    assert_eq!(answer.username, "uma");
    // A Moodle that does not export the ID number answers without it.
    let silent = key.answer(&user("", "uma")).unwrap();
    assert_eq!(silent.idnumber.as_deref(), Some("U1"));
    assert_eq!(
        key.answer(&user("U2", "ulf")).unwrap_err().code(),
        Some(8002)
    );
    let by_name = UserKey::Username("uma".to_owned());
    assert!(by_name.answer(&user("U1", "Uma")).is_ok());
    assert!(by_name.answer(&user("U2", "ulf")).is_err());
    assert_eq!(
        by_name.answer(&Value::Boolean(false)).unwrap_err().code(),
        Some(8001)
    );
}

#[test]
fn a_known_id_is_an_update() {
    let school = School::new();
    let id = school.user("U1", "uma");
    school.unchanged("fetch_user", user("U1", "uma"));
    assert_eq!(school.updated("fetch_user", user("U1", "uma.berg")), id);
    assert_eq!(person(&school, id).fields.username, "uma.berg");
}

#[test]
fn update_user_changes_only_what_is_sent() {
    let school = School::new();
    let id = school.user("U1", "uma");
    school.updated(
        "update_user",
        record! {"idnumber": "U1", "lastname": "Berg", "city": "Oslo"},
    );
    let uma = person(&school, id);
    assert_eq!(uma.fields.lastname, "Berg");
    assert_eq!(uma.fields.firstname, "Kari");
    assert_eq!(uma.fields.extra.to_json(), r#"{"city":"Oslo"}"#);
    school.unchanged("update_user", record! {"userid": "U1", "lastname": "Berg"});
    school.fault(
        "update_user",
        record! {"idnumber": "U1", "lastname": ""},
        8001,
    );
    school.fault(
        "update_user",
        record! {"idnumber": "U9", "lastname": "Berg"},
        8003,
    );
}

#[test]
fn a_username_that_is_taken_becomes_the_first_free_variant() {
    let school = School::new();
    school.user("U1", "uma");
    let second = school.user("U2", "uma");
    let third = school.user("U3", "UMA");
    let (second, third) = (person(&school, second), person(&school, third));
    assert_eq!(second.fields.username, "uma1");
    assert_eq!(second.fields.sent_username, "uma");
    assert_eq!(third.fields.username, "UMA2");
    assert_eq!(third.fields.sent_username, "UMA");
}

#[test]
fn a_variant_stays_when_the_plain_name_becomes_free() {
    let school = School::new();
    school.user("U1", "uma");
    let second = school.user("U2", "uma");
    school.updated(
        "update_user",
        record! {"idnumber": "U1", "username": "uma.berg"},
    );
    school.unchanged("fetch_user", user("U2", "uma"));
    assert_eq!(person(&school, second).fields.username, "uma1");
}

#[test]
fn a_thousand_namesakes_are_too_many() {
    let school = School::new();
    for number in 0..1000 {
        school.user(&format!("U{number}"), "student");
    }
    let text = school.fault("fetch_user", user("one more", "student"), 8002);
    assert!(text.contains("student"), "{text}");
}

#[test]
fn users_without_ids_go_by_their_username() {
    let school = School::new();
    let id = school.created("fetch_user", user("", "uma"));
    assert_eq!(school.unchanged("fetch_user", user("", "uma")), id);
    school.created("new_section", record! {"idnumber": "S1", "name": "Biology"});
    school.created(
        "new_enrolment",
        record! {"sectionid": "S1", "userid": "uma", "role": "student"},
    );
    // The Moodle begins to fill in ids: the same person gets one.
    assert_eq!(school.updated("fetch_user", user("U1", "uma")), id);
    assert_eq!(person(&school, id).fields.idnumber.as_deref(), Some("U1"));
    // From then on another id is another person.
    assert_ne!(school.created("fetch_user", user("U2", "uma")), id);
}

#[test]
fn of_several_with_one_username_the_latest_is_meant() {
    let school = School::new();
    school.user("U1", "uma");
    let latest = school.user("U2", "uma");
    let removal = record! {"username": "uma"};
    assert_eq!(school.updated("remove_user", removal.clone()), latest);
    assert_eq!(school.unchanged("remove_user", removal), latest);
}

#[test]
fn an_id_is_the_same_as_a_string_and_as_an_int() {
    let school = School::new();
    let id = school.user("7", "uma");
    let same = record! {
        "idnumber": 7, "username": "uma", "firstname": "Kari", "lastname": "Nordmann",
        "email": "kari@example.org",
    };
    assert_eq!(school.unchanged("fetch_user", same), id);
    // An opaque text is not a number: these are others.
    school.user("07", "ulf");
    school.user("7.0", "ulla");
}

#[test]
fn a_removed_user_comes_back_when_sent_again() {
    let school = School::new();
    let id = school.user("U1", "uma");
    assert_eq!(
        school.updated("remove_user", record! {"idnumber": "U1"}),
        id
    );
    school.unchanged("remove_user", Value::from("U1"));
    assert!(person(&school, id).removed_at.is_some());
    let listed = school.read(|tx| {
        people::list(
            tx,
            &people::PeopleFilter::default(),
            school.now,
            Page::default(),
        )
    });
    assert!(listed.is_empty());
    school.fault(
        "update_user",
        record! {"idnumber": "U1", "lastname": "Berg"},
        8003,
    );
    assert_eq!(school.updated("fetch_user", user("U1", "uma")), id);
    assert!(person(&school, id).removed_at.is_none());
}

#[test]
fn unknown_fields_are_kept_and_passwords_are_not() {
    let school = School::new();
    let secret = "5f4dcc3b5aa765d61d8327deb882cf99";
    let sent = record! {
        "idnumber": "U1", "username": "uma", "firstname": "Kari", "lastname": "Nordmann",
        "email": "kari@example.org", "password_hash": secret, "password_hash_algorithm": "md5",
        "profile": record! {"shoe_size": 38, "oldPassword": secret},
        "languages": vec![Value::from("nn"), Value::from("en")],
    };
    let id = school.created("fetch_user", sent.clone());
    school.unchanged("fetch_user", sent);
    assert_eq!(
        person(&school, id).fields.extra.to_json(),
        r#"{"profile":{"shoe_size":38},"languages":["nn","en"]}"#
    );
    school
        .store
        .write_blocking::<_, StoreError, _>(|_| Ok(()))
        .unwrap();
    for file in ["mnetd.db", "mnetd.db-wal"] {
        let bytes = std::fs::read(school.database().with_file_name(file)).unwrap();
        assert!(
            !bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes()),
            "{file}"
        );
    }
}

#[test]
fn more_unknown_fields_than_a_row_holds_are_refused() {
    let school = School::new();
    let mut sent = user("U1", "uma");
    if let Value::Struct(members) = &mut sent {
        members.insert("biography", "x".repeat(mnetd::store::MAX_EXTRA_BYTES));
    }
    school.fault("fetch_user", sent, 8002);
}

#[test]
fn each_text_has_its_longest() {
    let school = School::new();
    let long = |field: &str, length: usize| {
        let mut sent = user("U1", "uma");
        if let Value::Struct(members) = &mut sent {
            members.insert(field, "ø".repeat(length));
        }
        sent
    };
    for (field, most) in [
        ("idnumber", mnetd::register::MAX_ID),
        ("username", mnetd::register::MAX_USERNAME),
        ("firstname", mnetd::register::MAX_NAME),
        ("lastname", mnetd::register::MAX_NAME),
        ("email", mnetd::register::MAX_EMAIL),
    ] {
        let text = school.fault("fetch_user", long(field, most + 1), 8002);
        assert!(
            text.contains(field) && text.contains(&most.to_string()),
            "{text}"
        );
        assert!(is_complete(
            &Call::parse("fetch_user", &[long(field, most)])
                .unwrap()
                .unwrap()
        ));
    }
}

#[test]
fn ids_and_usernames_hold_no_control_characters() {
    let school = School::new();
    school.fault("fetch_user", user("U\n1", "uma"), 8002);
    school.fault("fetch_user", user("U1", "uma\u{1b}[2J"), 8002);
}

#[test]
fn nobody_may_sign_in_until_they_or_their_group_were_given_the_right() {
    let school = School::in_term();
    let uma = PersonId(school.updated(
        "update_user",
        record! {"idnumber": "U1", "lastname": "Berg"},
    ));
    let may = || school.read(|tx| people::may_sign_in(tx, uma, school.now));
    school.enrol("U1", "student");
    assert!(!may());
    school.write(move |tx| Ok(people::set_group_may_sign_in(tx, student(), None, true)?));
    assert!(may());
    // A group's right is not for those who have left it, nor for those it was taken from.
    school.updated("drop_enrolment", school::enrolment("U1", "student"));
    assert!(!may());
    school.write(move |tx| Ok(people::set_may_sign_in(tx, uma, Some(true))?));
    assert!(may());
    school.updated("remove_user", record! {"idnumber": "U1"});
    assert!(!may());
    school.updated("fetch_user", user("U1", "uma"));
    school.write(move |tx| Ok(people::set_may_sign_in(tx, uma, Some(false))?));
    assert!(!may());
}

fn student() -> mnetd::store::enrolments::Role {
    mnetd::store::enrolments::Role::Student
}

#[test]
fn the_enrolment_in_the_school_has_a_dated_history() {
    let mut school = School::new();
    let uma = PersonId(school.user("U1", "uma"));
    let set = |school: &School, status: &'static str, at| {
        let now = school.now;
        school.write(move |tx| {
            mnetd::register::set_school_status(
                tx,
                &School::admin(),
                uma,
                status,
                at,
                Some("letter"),
                now,
            )
        })
    };
    let listed = |school: &School| {
        let filter = people::PeopleFilter::default();
        let mut page = school.read(|tx| people::list(tx, &filter, school.now, Page::default()));
        page.remove(0).school_status
    };
    assert_eq!(listed(&school), None);
    assert_eq!(set(&school, "Enrolled", None).status, Status::Updated);
    assert_eq!(set(&school, "a", None).status, Status::Unchanged);
    set(
        &school,
        "Graduated",
        Some(school.now.plus(30 * school::DAY)),
    );
    assert_eq!(listed(&school).as_deref(), Some("Enrolled"));
    school.now = school.now.plus(30 * school::DAY);
    assert_eq!(listed(&school).as_deref(), Some("Graduated"));
    let history = school.read(|tx| people::school_history(tx, uma));
    let titles: Vec<_> = history
        .iter()
        .map(|change| change.status.title.as_str())
        .collect();
    assert_eq!(titles, ["Enrolled", "Graduated"]);
    assert_eq!(history[1].recorded_at, school::START);
}
