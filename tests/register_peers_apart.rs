//! What one peer says never touches the rows of another, nor those made by hand.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod school;

use mnetd::register::Author;
use mnetd::store::Page;
use mnetd::store::people::{self, PeopleFilter};
use mnetd::xmlrpc::Value;
use school::{School, enrolment, grade, user};

fn code(school: &School, author: Author, method: &str, argument: Value) -> Option<i32> {
    school.call_as(author, method, argument).unwrap_err().code()
}

#[test]
fn the_same_id_from_another_peer_is_another_row() {
    let mut school = School::with_gradebook();
    school.enrol("U1", "student");
    school.created("new_grade", grade("U1", 5));
    let before = school.count("SELECT count(*) FROM grade_history");
    let first = school.peer;
    school.peer = school.new_peer_once();
    for (method, argument) in [
        ("fetch_user", user("U1", "uma")),
        ("new_section", record! {"idnumber": "S1", "name": "Theirs"}),
        ("new_enrolment", enrolment("U1", "student")),
        (
            "new_assessment",
            record! {"idnumber": "A1", "sectionid": "S1", "name": "Quiz"},
        ),
        ("new_grade", grade("U1", 5)),
    ] {
        school.created(method, argument);
    }
    assert_eq!(
        school.count("SELECT count(*) FROM grade_history"),
        before + 1
    );
    let filter = PeopleFilter {
        peer: Some(school.peer),
        ..PeopleFilter::default()
    };
    let theirs = school.read(|tx| people::list(tx, &filter, school.now, Page::default()));
    assert_eq!(theirs.len(), 1);
    assert_eq!(theirs[0].person.fields.username, "uma1");
    school.peer = first;
    school.unchanged("new_section", record! {"idnumber": "S1", "name": "Biology"});
}

#[test]
fn what_another_peer_sent_is_unknown() {
    let school = School::with_gradebook();
    school.enrol("U1", "student");
    school.created("new_grade", grade("U1", 5));
    let other = || Author::Peer {
        id: school.new_peer_once(),
    };
    for (method, argument, expected) in [
        (
            "update_user",
            record! {"idnumber": "U1", "lastname": "X"},
            8003,
        ),
        ("remove_user", record! {"idnumber": "U1"}, 8003),
        ("remove_user", record! {"username": "uma"}, 8003),
        (
            "update_section",
            record! {"idnumber": "S1", "name": "X"},
            8004,
        ),
        ("remove_section", record! {"idnumber": "S1"}, 8004),
        ("new_enrolment", enrolment("U1", "student"), 8004),
        ("drop_enrolment", enrolment("U1", "student"), 8004),
        (
            "new_assessment",
            record! {"idnumber": "A2", "sectionid": "S1", "name": "X"},
            8004,
        ),
        (
            "update_assessment",
            record! {"idnumber": "A1", "name": "X"},
            8005,
        ),
        ("remove_assessment", record! {"idnumber": "A1"}, 8005),
        ("new_grade", grade("U1", 9), 8005),
        (
            "remove_grade",
            record! {"assessmentid": "A1", "userid": "U1"},
            8005,
        ),
    ] {
        assert_eq!(
            code(&school, other(), method, argument),
            Some(expected),
            "{method}"
        );
    }
    school.unchanged("new_grade", grade("U1", 5));
}

#[test]
fn a_row_made_by_hand_is_not_the_callers() {
    let school = School::new();
    for (method, argument) in [
        ("fetch_user", user("H1", "hanne")),
        ("new_section", record! {"idnumber": "H1", "name": "Choir"}),
        (
            "new_assessment",
            record! {"idnumber": "H1", "sectionid": "H1", "name": "Concert"},
        ),
    ] {
        school.call_as(School::admin(), method, argument).unwrap();
    }
    school.user("U1", "uma");
    for (method, argument) in [
        ("update_user", record! {"idnumber": "H1", "lastname": "X"}),
        ("remove_user", record! {"idnumber": "H1"}),
        ("update_section", record! {"idnumber": "H1", "name": "X"}),
        ("remove_section", record! {"idnumber": "H1"}),
        (
            "new_enrolment",
            record! {"sectionid": "H1", "userid": "U1", "role": "student"},
        ),
        (
            "new_assessment",
            record! {"idnumber": "A1", "sectionid": "H1", "name": "Concert"},
        ),
        ("update_assessment", record! {"idnumber": "H1", "name": "X"}),
        ("remove_assessment", record! {"idnumber": "H1"}),
        (
            "new_grade",
            record! {"assessmentid": "H1", "userid": "U1", "points_earned": 1},
        ),
    ] {
        let text = school.fault(method, argument, 8006);
        assert!(text.contains("H1"), "{method}: {text}");
    }
    // A user the peer refers to can be sent, so it is merely unknown; and a section of that id may
    // be its own.
    school.created("new_section", record! {"idnumber": "H1", "name": "Theirs"});
    school.fault(
        "new_enrolment",
        record! {"sectionid": "H1", "userid": "H1", "role": "student"},
        8003,
    );
}
