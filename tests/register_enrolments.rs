//! Enrolments begin and end, with a dated history of who said so and why.

mod school;

use mnetd::register::{RegisterError, Status, mark_enrolment_in_error, set_enrolment_status};
use mnetd::store::enrolments::{self, EnrolmentChange, EnrolmentFilter, EnrolmentRecord, Role};
use mnetd::store::{Author, EnrolmentId, Page};
use mnetd::xmlrpc::Value;
use school::{DAY, School, enrolment};

fn dropped(userid: &str, status: &str, note: &str) -> Value {
    record! {"sectionid": "S1", "userid": userid, "role": "student", "status": status, "note": note}
}

/// The titles of the statuses that hold now, in the section's list.
fn standing(school: &School) -> Vec<String> {
    school
        .read(|tx| enrolments::list(tx, &EnrolmentFilter::default(), school.now, Page::default()))
        .into_iter()
        .map(|listed| listed.status.title)
        .collect()
}

fn history(school: &School, id: i64) -> Vec<EnrolmentRecord> {
    school.read(|tx| enrolments::history(tx, EnrolmentId(id)))
}

fn titles(school: &School, id: i64) -> Vec<String> {
    history(school, id)
        .into_iter()
        .filter_map(|record| record.status)
        .map(|status| status.title)
        .collect()
}

fn set(school: &School, id: i64, status: &'static str, at: Option<i64>) -> Status {
    let now = school.now;
    let at = at.map(|days| now.plus(days * DAY));
    school
        .write(move |tx| {
            set_enrolment_status(tx, &School::admin(), EnrolmentId(id), status, at, None, now)
        })
        .status
}

#[test]
fn somebody_is_enrolled_once_in_each_role() {
    let school = School::in_term();
    let id = school.enrol("U1", "student");
    assert_eq!(
        school.unchanged("new_enrolment", enrolment("U1", "student")),
        id
    );
    assert_ne!(school.enrol("U1", "teacher"), id);
    assert_eq!(standing(&school), ["Enrolled", "Enrolled"]);
    assert_eq!(history(&school, id).len(), 1);
}

#[test]
fn what_is_missing_is_named() {
    let school = School::in_term();
    assert!(
        school
            .fault("new_enrolment", enrolment("U9", "student"), 8003)
            .contains("U9")
    );
    let elsewhere = record! {"sectionid": "S9", "userid": "U1", "role": "student"};
    assert!(
        school
            .fault("new_enrolment", elsewhere, 8004)
            .contains("S9")
    );
    let error = school
        .call("new_enrolment", enrolment("U9", "student"))
        .unwrap_err();
    assert_eq!(error.wanted_user(), Some("U9"));
}

#[test]
fn only_students_and_teachers_are_known() {
    let school = School::in_term();
    for role in ["editingteacher", "Student", "guest"] {
        assert!(
            school
                .fault("new_enrolment", enrolment("U1", role), 8007)
                .contains(role)
        );
    }
    school.fault("new_enrolment", enrolment("U1", ""), 8001);
}

#[test]
fn dropping_keeps_the_row_and_the_history() {
    let school = School::in_term();
    let id = school.enrol("U1", "student");
    assert_eq!(
        school.updated("drop_enrolment", dropped("U1", "Withdrawn", "moved away")),
        id
    );
    school.unchanged("drop_enrolment", dropped("U1", "i", "moved away"));
    assert_eq!(standing(&school), ["Withdrawn"]);
    let history = history(&school, id);
    assert_eq!(history.len(), 2);
    assert_eq!(history[1].note.as_deref(), Some("moved away"));
    assert_eq!(history[1].author, Author::Peer { id: school.peer });
    assert_eq!(
        school.updated("new_enrolment", enrolment("U1", "student")),
        id
    );
    assert_eq!(titles(&school, id), ["Enrolled", "Withdrawn", "Enrolled"]);
}

#[test]
fn an_enrolment_ends_with_a_status_that_ends_it() {
    let school = School::in_term();
    school.enrol("U1", "student");
    for status in ["Enrolled", "p", "expelled"] {
        let text = school.fault("drop_enrolment", dropped("U1", status, ""), 8002);
        assert!(text.contains("c (Completed)"), "{text}");
    }
    for (status, title) in [
        ("", "Withdrawn"),
        ("C", "Completed"),
        ("withdrawn", "Withdrawn"),
    ] {
        school.updated("drop_enrolment", dropped("U1", status, ""));
        assert_eq!(standing(&school), [title]);
    }
}

#[test]
fn nobody_can_be_dropped_who_is_not_there() {
    let school = School::in_term();
    school.enrol("U1", "teacher");
    let text = school.fault("drop_enrolment", dropped("U1", "", ""), 8003);
    assert!(
        text.contains("U1") && text.contains("S1") && text.contains("student"),
        "{text}"
    );
}

#[test]
fn a_change_may_be_dated_ahead() {
    let mut school = School::in_term();
    let id = school.enrol("U1", "student");
    let leaves = school.now.plus(10 * DAY);
    let drop = record! {
        "sectionid": "S1", "userid": "U1", "role": "student", "effective_at": leaves.0.to_string(),
    };
    school.updated("drop_enrolment", drop.clone());
    school.unchanged("drop_enrolment", drop);
    assert_eq!(standing(&school), ["Enrolled"]);
    assert_eq!(history(&school, id)[1].effective_at, leaves);
    assert_eq!(history(&school, id)[1].recorded_at, school.now);
    school.now = leaves.plus(-1);
    assert_eq!(standing(&school), ["Enrolled"]);
    school.now = leaves;
    assert_eq!(standing(&school), ["Withdrawn"]);
}

#[test]
fn an_enrolment_may_begin_later() {
    let mut school = School::in_term();
    let begins = school.now.plus(3 * DAY);
    let ahead = record! {
        "sectionid": "S1", "userid": "U1", "role": "student", "effective_at": begins.0.to_string(),
    };
    school.created("new_enrolment", ahead.clone());
    school.unchanged("new_enrolment", ahead);
    assert_eq!(standing(&school), ["Pending"]);
    school.now = begins;
    assert_eq!(standing(&school), ["Enrolled"]);
}

#[test]
fn a_word_without_a_date_overrules_what_the_same_side_had_planned() {
    let mut school = School::in_term();
    let id = school.enrol("U1", "student");
    let planned = school.now.plus(10 * DAY);
    let drop = record! {
        "sectionid": "S1", "userid": "U1", "role": "student", "effective_at": planned.0.to_string(),
    };
    school.updated("drop_enrolment", drop);
    school.now = school.now.plus(DAY);
    school.updated("new_enrolment", enrolment("U1", "student"));
    school.unchanged("new_enrolment", enrolment("U1", "student"));
    school.now = planned;
    assert_eq!(standing(&school), ["Enrolled"]);
    assert_eq!(
        titles(&school, id),
        ["Enrolled", "Withdrawn", "Enrolled", "Enrolled"]
    );
}

#[test]
fn leaving_now_is_news_where_leaving_later_was_said() {
    let school = School::in_term();
    school.enrol("U1", "student");
    let planned = school.now.plus(10 * DAY);
    let drop = record! {
        "sectionid": "S1", "userid": "U1", "role": "student", "effective_at": planned.0.to_string(),
    };
    school.updated("drop_enrolment", drop);
    school.updated("drop_enrolment", dropped("U1", "", ""));
    school.unchanged("drop_enrolment", dropped("U1", "", ""));
    assert_eq!(standing(&school), ["Withdrawn"]);
}

#[test]
fn a_peer_that_repeats_itself_does_not_undo_what_an_administrator_decided() {
    let mut school = School::in_term();
    let id = school.enrol("U1", "student");
    assert_eq!(set(&school, id, "Completed", None), Status::Updated);
    assert_eq!(set(&school, id, "c", None), Status::Unchanged);
    school.now = school.now.plus(DAY);
    school.unchanged("new_enrolment", enrolment("U1", "student"));
    assert_eq!(standing(&school), ["Completed"]);
    // What it has not said before is news.
    school.updated("drop_enrolment", dropped("U1", "", ""));
    assert_eq!(standing(&school), ["Withdrawn"]);
    assert_eq!(set(&school, id, "Completed", None), Status::Updated);
    assert_eq!(history(&school, id)[1].author, School::admin());
}

#[test]
fn an_administrator_may_plan_in_any_order() {
    let mut school = School::in_term();
    let id = school.enrol("U1", "student");
    set(&school, id, "Completed", Some(20));
    set(&school, id, "Pending", Some(5));
    let start = school.now;
    for (day, title) in [
        (0, "Enrolled"),
        (5, "Pending"),
        (19, "Pending"),
        (20, "Completed"),
    ] {
        school.now = start.plus(day * DAY);
        assert_eq!(standing(&school), [title], "day {day}");
    }
}

#[test]
fn an_unknown_status_is_refused_with_those_on_offer() {
    let school = School::in_term();
    let id = EnrolmentId(school.enrol("U1", "student"));
    let now = school.now;
    let refused = school.store.write_blocking(move |tx| {
        set_enrolment_status(tx, &School::admin(), id, "Graduated", None, None, now)
    });
    match refused.unwrap_err() {
        RegisterError::Wrong { expected, .. } => assert!(expected.contains("a (Enrolled)")),
        other => panic!("{other}"),
    }
}

#[test]
fn added_in_error_is_in_no_report_and_stays_written_down() {
    use EnrolmentChange::{InError, NotInError};
    let school = School::in_term();
    let id = school.enrol("U1", "student");
    let now = school.now;
    let mark = |in_error: bool| {
        school
            .write(move |tx| {
                mark_enrolment_in_error(tx, &School::admin(), EnrolmentId(id), in_error, None, now)
            })
            .status
    };
    assert_eq!(mark(true), Status::Updated);
    assert_eq!(mark(true), Status::Unchanged);
    assert!(standing(&school).is_empty());
    // The peer saying it again does not make it right.
    school.unchanged("new_enrolment", enrolment("U1", "student"));
    assert!(standing(&school).is_empty());
    let everything = EnrolmentFilter {
        all: true,
        ..EnrolmentFilter::default()
    };
    let listed = school.read(|tx| enrolments::list(tx, &everything, now, Page::default()));
    assert_eq!(listed[0].in_error_at, Some(now));
    assert_eq!(mark(false), Status::Updated);
    assert_eq!(standing(&school), ["Enrolled"]);
    let changes: Vec<_> = history(&school, id)
        .into_iter()
        .map(|record| record.change)
        .collect();
    assert_eq!(changes, [EnrolmentChange::Status, InError, NotInError]);
}

#[test]
fn enrolments_of_removed_people_and_sections_are_in_no_report() {
    let school = School::in_term();
    school.enrol("U1", "student");
    school.updated("remove_user", record! {"idnumber": "U1"});
    assert!(standing(&school).is_empty());
    school.fault("new_enrolment", enrolment("U1", "student"), 8003);
    school.updated("fetch_user", school::user("U1", "uma"));
    assert_eq!(standing(&school), ["Enrolled"]);
    school.updated("remove_section", record! {"idnumber": "S1"});
    assert!(standing(&school).is_empty());
}

#[test]
fn an_enrolment_made_by_hand_is_not_the_peers() {
    let school = School::in_term();
    let (section, person) = school.read(|tx| {
        let section = mnetd::store::sections::by_idnumber(tx, Some(school.peer), "S1")?;
        let person = mnetd::store::people::by_idnumber(tx, Some(school.peer), "U1")?;
        Ok((section.unwrap().id, person.unwrap().id))
    });
    let now = school.now;
    let by_hand = school.write(move |tx| {
        let status = mnetd::store::statuses::find(tx, mnetd::store::statuses::Scope::Section, "a")?;
        let row = enrolments::NewEnrolment {
            owner: None,
            section,
            person,
            role: Role::Student,
            status: status.unwrap().id,
            extra: &mnetd::store::Extra::default(),
        };
        Ok(enrolments::insert(tx, &row, now)?)
    });
    school.fault("drop_enrolment", dropped("U1", "", ""), 8006);
    assert_ne!(school.enrol("U1", "student"), by_hand.0);
    school.updated("drop_enrolment", dropped("U1", "", ""));
    assert_eq!(standing(&school), ["Enrolled", "Withdrawn"]);
}

#[test]
fn dates_lie_within_the_calendar() {
    let school = School::in_term();
    for at in ["-1", "253402300800", "tomorrow"] {
        let sent =
            record! {"sectionid": "S1", "userid": "U1", "role": "student", "effective_at": at};
        school.fault("new_enrolment", sent, 8002);
    }
}
