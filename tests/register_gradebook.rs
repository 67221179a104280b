//! Assessments and grades: what peers send, what was entered by hand, and how the two meet.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod school;

use mnetd::register::{
    HandMadeAssessment, MAX_ATTEMPT, MAX_NOTE, MAX_POINTS, RegisterError, Status,
    change_assessment, enter_grade, make_assessment, mark_grade_in_error, remove_assessment,
};
use mnetd::store::assessments::{self, Assessment, AssessmentFilter};
use mnetd::store::grades::{self, GradeChange, GradeFilter, GradeRecord, GradeValue, ListedGrade};
use mnetd::store::{AssessmentId, Author, GradeId, Page, PersonId, SectionId};
use mnetd::xmlrpc::Value;
use school::{School, grade};

fn assessment(school: &School, id: i64) -> Assessment {
    school
        .read(|tx| assessments::get(tx, AssessmentId(id)))
        .unwrap()
}

fn grades(school: &School) -> Vec<ListedGrade> {
    school.read(|tx| grades::list(tx, &GradeFilter::default(), Page::default()))
}

fn history(school: &School, id: i64) -> Vec<GradeRecord> {
    school.read(|tx| grades::history(tx, GradeId(id)))
}

fn points(school: &School, id: i64) -> Vec<Option<f64>> {
    history(school, id)
        .iter()
        .map(|record| record.value.points_earned)
        .collect()
}

fn section(school: &School) -> SectionId {
    school
        .read(|tx| mnetd::store::sections::by_idnumber(tx, Some(school.peer), "S1"))
        .unwrap()
        .id
}

fn person(school: &School, idnumber: &str) -> PersonId {
    school
        .read(|tx| mnetd::store::people::by_idnumber(tx, Some(school.peer), idnumber))
        .unwrap()
        .id
}

fn make(school: &School, name: &str) -> AssessmentId {
    let new = HandMadeAssessment {
        section: section(school),
        name: name.to_owned(),
        pointval: Some(20.0),
    };
    let now = school.now;
    school.write(move |tx| make_assessment(tx, &new, now))
}

fn enter(school: &School, assessment: AssessmentId, userid: &str, points: f64) -> i64 {
    let (person, now) = (person(school, userid), school.now);
    let value = GradeValue {
        points_earned: Some(points),
        excepted: false,
        attempt_num: 1,
    };
    school
        .write(move |tx| enter_grade(tx, &School::admin(), assessment, person, &value, None, now))
        .id
}

#[test]
fn an_assessment_is_read_as_php_sends_it() {
    let school = School::in_term();
    let id = school.created(
        "new_assessment",
        record! {
            "sectionid": "S1", "name": "Quiz", "idnumber": 5, "chapternum": 3,
            "honors_required": "1", "nonhonors_required": "", "extra_credit": false,
            "pointval": "10.50000", "cmid": 77,
        },
    );
    let fields = assessment(&school, id).fields;
    assert_eq!(fields.chapternum.as_deref(), Some("3"));
    assert_eq!(fields.honors_required, Some(true));
    assert_eq!(fields.nonhonors_required, Some(false));
    assert_eq!(fields.extra_credit, Some(false));
    assert_eq!(fields.pointval, Some(10.5));
    assert_eq!(fields.extra.to_json(), r#"{"cmid":77}"#);
}

#[test]
fn update_assessment_changes_only_what_is_sent() {
    let school = School::with_gradebook();
    school.created(
        "new_section",
        record! {"idnumber": "S2", "name": "Chemistry"},
    );
    let id = school.updated(
        "update_assessment",
        record! {"assessmentid": "A1", "pointval": 12},
    );
    assert_eq!(assessment(&school, id).fields.name, "Quiz");
    school.unchanged(
        "update_assessment",
        record! {"idnumber": "A1", "pointval": "12"},
    );
    school.updated(
        "update_assessment",
        record! {"idnumber": "A1", "sectionid": "S2"},
    );
    assert_ne!(assessment(&school, id).fields.section, section(&school));
    school.updated(
        "update_assessment",
        record! {"idnumber": "A1", "pointval": ""},
    );
    assert_eq!(assessment(&school, id).fields.pointval, None);
    school.fault(
        "update_assessment",
        record! {"idnumber": "A9", "pointval": 1},
        8005,
    );
    school.fault(
        "update_assessment",
        record! {"idnumber": "A1", "sectionid": "S9"},
        8004,
    );
}

#[test]
fn an_assessment_needs_its_section() {
    let school = School::in_term();
    let sent = record! {"idnumber": "A1", "sectionid": "S9", "name": "Quiz"};
    assert!(school.fault("new_assessment", sent, 8004).contains("S9"));
}

#[test]
fn points_are_finite_and_within_reason() {
    let school = School::with_gradebook();
    let above = mnetd::register::MAX_POINTS + 1.0;
    for points in [
        Value::from(f64::NAN),
        Value::from(f64::INFINITY),
        Value::from("1e999"),
        Value::from("ten"),
        Value::from(above),
        Value::from(-above),
        Value::from(true),
    ] {
        school.fault("new_grade", grade("U1", points.clone()), 8002);
        let sent =
            record! {"idnumber": "A2", "sectionid": "S1", "name": "Test", "pointval": points};
        school.fault("new_assessment", sent, 8002);
    }
    school.fault(
        "new_assessment",
        record! {"idnumber": "A2", "sectionid": "S1", "name": "T", "pointval": -1},
        8002,
    );
    school.created("new_grade", grade("U1", "-2.5"));
}

#[test]
fn attempts_count_from_one() {
    let school = School::with_gradebook();
    let attempt = |number: Value| {
        record! {"assessmentid": "A1", "userid": "U1", "points_earned": 5, "attempt_num": number}
    };
    for wrong in [
        Value::from(0),
        Value::from("-1"),
        Value::from("1.5"),
        Value::from("two"),
    ] {
        school.fault("new_grade", attempt(wrong), 8002);
    }
    school.fault(
        "new_grade",
        attempt(Value::from(mnetd::register::MAX_ATTEMPT + 1)),
        8002,
    );
    school.created("new_grade", attempt(Value::from("2")));
    // Not said: the attempt the grade stands at.
    school.unchanged("new_grade", grade("U1", 5));
    assert_eq!(grades(&school)[0].value.attempt_num, 2);
}

#[test]
fn a_grade_needs_points_unless_the_user_is_excepted() {
    let school = School::with_gradebook();
    assert!(
        school
            .fault("new_grade", grade("U1", ""), 8001)
            .contains("points_earned")
    );
    let excepted =
        record! {"assessmentid": "A1", "userid": "U1", "points_earned": "", "excepted": "1"};
    let id = school.created("new_grade", excepted.clone());
    school.unchanged("new_grade", excepted);
    school.updated("new_grade", grade("U1", 0));
    assert_eq!(points(&school, id), [None, Some(0.0)]);
    assert!(!grades(&school)[0].value.excepted);
}

#[test]
fn what_a_grade_lacks_is_named() {
    let school = School::with_gradebook();
    assert!(
        school
            .fault("new_grade", grade("U9", 5), 8003)
            .contains("U9")
    );
    let sent = record! {"assessmentid": "A9", "userid": "U1", "points_earned": 5};
    assert!(school.fault("new_grade", sent, 8005).contains("A9"));
    school.fault(
        "remove_grade",
        record! {"assessmentid": "A1", "userid": "U1"},
        8005,
    );
}

#[test]
fn a_grade_keeps_the_history_of_its_values_and_attempts() {
    let school = School::with_gradebook();
    let id = school.created("new_grade", grade("U1", "4.00000"));
    school.unchanged("new_grade", grade("U1", 4));
    let second =
        record! {"assessmentid": "A1", "userid": "U1", "points_earned": 4, "attempt_num": 2};
    school.updated("new_grade", second);
    school.updated("new_grade", grade("U1", 9.5));
    let values: Vec<_> = history(&school, id)
        .iter()
        .map(|record| (record.value.points_earned, record.value.attempt_num))
        .collect();
    assert_eq!(values, [(Some(4.0), 1), (Some(4.0), 2), (Some(9.5), 2)]);
}

#[test]
fn a_removed_grade_comes_back_when_sent_again() {
    use GradeChange::{Removed, Restored, Value};
    let school = School::with_gradebook();
    let id = school.created("new_grade", grade("U1", 5));
    let removal = record! {"assessmentid": "A1", "userid": "U1"};
    school.updated("remove_grade", removal.clone());
    school.unchanged("remove_grade", removal);
    assert!(grades(&school).is_empty());
    assert_eq!(school.updated("new_grade", grade("U1", 5)), id);
    school.unchanged("new_grade", grade("U1", 5));
    let changes: Vec<_> = history(&school, id)
        .into_iter()
        .map(|record| record.change)
        .collect();
    assert_eq!(changes, [Value, Removed, Restored, Value]);
}

#[test]
fn a_removed_assessment_takes_its_grades_along_and_brings_them_back() {
    let school = School::with_gradebook();
    school.created("new_grade", grade("U1", 5));
    school.updated("remove_assessment", record! {"idnumber": "A1"});
    school.unchanged("remove_assessment", Value::from("A1"));
    assert!(grades(&school).is_empty());
    school.fault("new_grade", grade("U1", 6), 8005);
    school.fault(
        "update_assessment",
        record! {"idnumber": "A1", "name": "Q"},
        8005,
    );
    school.updated(
        "new_assessment",
        record! {"idnumber": "A1", "sectionid": "S1", "name": "Quiz"},
    );
    assert_eq!(grades(&school).len(), 1);
}

#[test]
fn an_assessment_made_by_hand_becomes_one_with_the_peers_of_the_same_name() {
    let school = School::in_term();
    let by_hand = make(&school, "Quiz");
    make(&school, "quiz");
    let sent = record! {"idnumber": "A1", "sectionid": "S1", "name": "Quiz"};
    assert_eq!(school.updated("new_assessment", sent.clone()), by_hand.0);
    school.unchanged("new_assessment", sent);
    let one = assessment(&school, by_hand.0);
    assert_eq!(one.peer, Some(school.peer));
    assert_eq!(one.linked_at, Some(school.now));
    // What the peer does not say stays as entered.
    assert_eq!(one.fields.pointval, Some(20.0));
    let all =
        school.read(|tx| assessments::list(tx, &AssessmentFilter::default(), Page::default()));
    assert_eq!(all.len(), 2);
}

#[test]
fn only_exactly_that_name_in_that_section_becomes_one() {
    let school = School::in_term();
    let by_hand = make(&school, "Quiz 1");
    school.created(
        "new_section",
        record! {"idnumber": "S2", "name": "Chemistry"},
    );
    for (idnumber, sectionid, name) in [
        ("A1", "S1", "Quiz"),
        ("A2", "S2", "Quiz 1"),
        ("A3", "S1", "quiz 1"),
        ("A4", "S1", "Quiz 1 "),
    ] {
        let sent = record! {"idnumber": idnumber, "sectionid": sectionid, "name": name};
        assert_ne!(school.created("new_assessment", sent), by_hand.0);
    }
}

#[test]
fn two_of_the_peers_never_become_one_with_the_same() {
    let school = School::in_term();
    let by_hand = make(&school, "Quiz").0;
    let sent = |idnumber: &str| record! {"idnumber": idnumber, "sectionid": "S1", "name": "Quiz"};
    assert_eq!(school.updated("new_assessment", sent("A1")), by_hand);
    assert_ne!(school.created("new_assessment", sent("A2")), by_hand);
}

#[test]
fn grades_entered_by_hand_stay_until_the_peer_sends_a_new_one() {
    let school = School::in_term();
    let by_hand = make(&school, "Quiz");
    let uma = enter(&school, by_hand, "U1", 11.0);
    let ulf = enter(&school, by_hand, "U2", 12.0);
    school.updated(
        "new_assessment",
        record! {"idnumber": "A1", "sectionid": "S1", "name": "Quiz"},
    );
    assert_eq!(school.updated("new_grade", grade("U1", 15)), uma);
    school.unchanged("new_grade", grade("U1", 15));
    // Both stand in the history, each with its author.
    let authors: Vec<_> = history(&school, uma)
        .into_iter()
        .map(|record| record.author)
        .collect();
    assert_eq!(authors, [School::admin(), Author::Peer { id: school.peer }]);
    assert_eq!(points(&school, uma), [Some(11.0), Some(15.0)]);
    assert_eq!(points(&school, ulf), [Some(12.0)]);
    assert_eq!(grades(&school)[1].peer, None);
}

#[test]
fn the_same_points_from_the_peer_become_the_peers() {
    let school = School::in_term();
    let by_hand = make(&school, "Quiz");
    let id = enter(&school, by_hand, "U1", 11.0);
    school.updated(
        "new_assessment",
        record! {"idnumber": "A1", "sectionid": "S1", "name": "Quiz"},
    );
    school.updated("new_grade", grade("U1", 11));
    school.unchanged("new_grade", grade("U1", 11));
    assert_eq!(points(&school, id), [Some(11.0), Some(11.0)]);
}

#[test]
fn a_peer_that_repeats_itself_does_not_undo_a_correction_by_hand() {
    let school = School::with_gradebook();
    let id = school.created("new_grade", grade("U1", 5));
    let quiz = AssessmentId(school.unchanged("update_assessment", record! {"idnumber": "A1"}));
    enter(&school, quiz, "U1", 8.0);
    school.unchanged("new_grade", grade("U1", 5));
    assert_eq!(grades(&school)[0].value.points_earned, Some(8.0));
    school.updated("new_grade", grade("U1", 6));
    // To an administrator what stands is what counts.
    enter(&school, quiz, "U1", 8.0);
    assert_eq!(
        points(&school, id),
        [Some(5.0), Some(8.0), Some(6.0), Some(8.0)]
    );
}

#[test]
fn a_grade_entered_by_hand_is_not_the_peers_to_remove() {
    let school = School::with_gradebook();
    school.created("new_grade", grade("U1", 5));
    let quiz = AssessmentId(school.unchanged("update_assessment", record! {"idnumber": "A1"}));
    enter(&school, quiz, "U1", 8.0);
    school.fault(
        "remove_grade",
        record! {"assessmentid": "A1", "userid": "U1"},
        8006,
    );
    assert_eq!(grades(&school).len(), 1);
}

#[test]
fn a_grade_added_in_error_is_in_no_report_until_a_new_value_comes() {
    use GradeChange::{InError, NotInError, Value};
    let school = School::with_gradebook();
    let id = school.created("new_grade", grade("U1", 5));
    let now = school.now;
    let mark = |in_error: bool| {
        school
            .write(move |tx| {
                mark_grade_in_error(
                    tx,
                    &School::admin(),
                    GradeId(id),
                    in_error,
                    Some("mix-up"),
                    now,
                )
            })
            .status
    };
    assert_eq!(mark(true), Status::Updated);
    assert_eq!(mark(true), Status::Unchanged);
    school.unchanged("new_grade", grade("U1", 5));
    assert!(grades(&school).is_empty());
    school.updated("new_grade", grade("U1", 6));
    assert_eq!(grades(&school).len(), 1);
    let changes: Vec<_> = history(&school, id)
        .into_iter()
        .map(|record| record.change)
        .collect();
    assert_eq!(changes, [Value, InError, NotInError, Value]);
}

#[test]
fn what_else_is_sent_with_a_grade_is_kept() {
    let school = School::with_gradebook();
    let sent = |feedback: &str| {
        record! {"assessmentid": "A1", "userid": "U1", "points_earned": 5, "feedback": feedback}
    };
    let id = school.created("new_grade", sent("well done"));
    school.unchanged("new_grade", sent("well done"));
    school.updated("new_grade", sent("very well done"));
    assert_eq!(
        grades(&school)[0].extra.to_json(),
        r#"{"feedback":"very well done"}"#
    );
    assert_eq!(points(&school, id), [Some(5.0)]);
}

#[test]
fn a_note_goes_into_the_history_with_the_grade_it_explains() {
    let school = School::with_gradebook();
    let (person, now) = (person(&school, "U1"), school.now);
    let entered = |points, note: &'static str| {
        let value = GradeValue {
            points_earned: Some(points),
            excepted: false,
            attempt_num: 1,
        };
        let assessment = AssessmentId(1);
        school.write(move |tx| {
            let note = Some(note);
            enter_grade(tx, &School::admin(), assessment, person, &value, note, now)
        })
    };
    let id = entered(7.0, "oral exam").id;
    entered(8.0, "miscounted");
    assert_eq!(entered(8.0, "again").status, Status::Unchanged);
    let notes: Vec<_> = history(&school, id)
        .into_iter()
        .map(|record| record.note)
        .collect();
    assert_eq!(
        notes,
        [Some("oral exam".to_owned()), Some("miscounted".to_owned())]
    );
}

#[test]
fn a_grade_by_hand_keeps_to_its_bounds() {
    let school = School::with_gradebook();
    let (person, now) = (person(&school, "U1"), school.now);
    let field = |points_earned, attempt_num, note: &str| {
        let value = GradeValue {
            points_earned,
            excepted: false,
            attempt_num,
        };
        let note = note.to_owned();
        let refused = school.store.write_blocking(move |tx| {
            let assessment = AssessmentId(1);
            enter_grade(
                tx,
                &School::admin(),
                assessment,
                person,
                &value,
                Some(&note),
                now,
            )
        });
        match refused.unwrap_err() {
            RegisterError::Wrong { field, .. } | RegisterError::Missing { field, .. } => field,
            other => panic!("{other}"),
        }
    };
    assert_eq!(field(None, 1, ""), "points_earned");
    assert_eq!(field(Some(MAX_POINTS + 1.0), 1, ""), "points_earned");
    assert_eq!(field(Some(f64::NAN), 1, ""), "points_earned");
    assert_eq!(field(Some(1.0), 0, ""), "attempt_num");
    assert_eq!(field(Some(1.0), MAX_ATTEMPT + 1, ""), "attempt_num");
    assert_eq!(field(Some(1.0), 1, &"x".repeat(MAX_NOTE + 1)), "note");
    assert!(grades(&school).is_empty());
}

#[test]
fn only_an_assessment_made_by_hand_is_changed_by_hand() {
    let school = School::with_gradebook();
    let now = school.now;
    let id = make(&school, "Essay");
    let (essay, quiz) = (assessment(&school, id.0), assessment(&school, 1));
    let removed = essay.clone();
    let reply = school.write(move |tx| change_assessment(tx, &essay, "Long essay", None, now));
    assert_eq!(reply.status, Status::Updated);
    let fields = assessment(&school, id.0).fields;
    assert_eq!(
        (fields.name.as_str(), fields.pointval),
        ("Long essay", None)
    );
    school.write(move |tx| remove_assessment(tx, &removed, now));
    assert!(assessment(&school, id.0).removed_at.is_some());
    let removed = assessment(&school, id.0);
    let reply = school.write(move |tx| change_assessment(tx, &removed, "Long essay", None, now));
    assert_eq!(reply.status, Status::Updated);
    assert!(assessment(&school, id.0).removed_at.is_none());

    let refused = school
        .store
        .write_blocking(move |tx| change_assessment(tx, &quiz, "Mine", None, now));
    assert!(
        matches!(refused, Err(RegisterError::PeersOwn { .. })),
        "{refused:?}"
    );
    assert_eq!(assessment(&school, 1).fields.name, "Quiz");
}
