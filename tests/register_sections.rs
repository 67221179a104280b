//! Sections arrive, change and leave as peers say; they have terms and teachers.

mod school;

use mnetd::store::sections::{self, ListedSection, SectionFilter, SegmentFilter, TeacherChange};
use mnetd::store::{Page, SectionId, people};
use mnetd::xmlrpc::Value;
use school::{School, enrolment};

fn listed(school: &School, filter: &SectionFilter) -> Vec<ListedSection> {
    school.read(|tx| sections::list(tx, filter, Page::default()))
}

fn only(school: &School) -> ListedSection {
    let mut page = listed(school, &SectionFilter::default());
    assert_eq!(page.len(), 1);
    page.remove(0)
}

fn list(items: &[&str]) -> Value {
    items.iter().map(|item| Value::from(*item)).collect()
}

#[test]
fn a_known_id_is_an_update() {
    let school = School::new();
    let id = school.created("new_section", record! {"idnumber": 101, "name": "Biology"});
    school.unchanged(
        "new_section",
        record! {"idnumber": "101", "name": "Biology"},
    );
    school.updated(
        "register/new_section",
        record! {"idnumber": "101", "name": "Botany"},
    );
    assert_eq!(
        school.updated("update_section", record! {"sectionid": 101, "name": "Bio"}),
        id
    );
    assert_eq!(only(&school).section.fields.name, "Bio");
}

#[test]
fn what_is_missing_is_named() {
    let school = School::new();
    assert!(
        school
            .fault("new_section", record! {"idnumber": "1"}, 8001)
            .contains("name")
    );
    assert!(
        school
            .fault("new_section", record! {"name": "Biology"}, 8001)
            .contains("idnumber")
    );
    school.fault("new_section", record! {"idnumber": "1", "name": ""}, 8001);
    school.fault("new_section", Value::from("Biology"), 8002);
    school.fault(
        "new_section",
        record! {"idnumber": list(&["1"]), "name": "Biology"},
        8002,
    );
    school.fault(
        "update_section",
        record! {"idnumber": "1", "name": "Biology"},
        8004,
    );
    school.fault("remove_section", record! {"idnumber": "1"}, 8004);
}

#[test]
fn a_section_may_run_over_several_segments() {
    let school = School::new();
    let sent = |segment: Value| record! {"idnumber": "S1", "name": "Biology", "segment": segment};
    school.created("new_section", sent(Value::from("2026 autumn")));
    assert_eq!(only(&school).segments, ["2026 autumn"]);
    school.updated("new_section", sent(list(&["2027 spring", "2026 autumn"])));
    school.unchanged(
        "new_section",
        sent(list(&["2026 autumn", "2027 spring", "2026 autumn"])),
    );
    assert_eq!(only(&school).segments, ["2026 autumn", "2027 spring"]);
    // Not said is not changed.
    school.unchanged("new_section", record! {"idnumber": "S1", "name": "Biology"});
    let spring = SegmentFilter::Named("2027 spring".to_owned());
    let filter = SectionFilter {
        segment: Some(spring),
        ..SectionFilter::default()
    };
    assert_eq!(listed(&school, &filter).len(), 1);
}

#[test]
fn a_section_that_fits_no_term_is_ongoing() {
    let school = School::new();
    let sent = |segment: Value| record! {"idnumber": "S1", "name": "Biology", "segment": segment};
    let ongoing = SectionFilter {
        segment: Some(SegmentFilter::Ongoing),
        ..SectionFilter::default()
    };
    school.created("new_section", record! {"idnumber": "S1", "name": "Biology"});
    assert_eq!(listed(&school, &ongoing).len(), 1);
    school.updated("new_section", sent(Value::from("2026 autumn")));
    assert!(listed(&school, &ongoing).is_empty());
    for none in [
        Value::from(""),
        Value::from(false),
        list(&[]),
        Value::Nil,
        Value::from("Ongoing"),
    ] {
        school.updated("new_section", sent(none.clone()));
        school.unchanged("new_section", sent(none));
        assert_eq!(listed(&school, &ongoing).len(), 1);
        school.updated("new_section", sent(Value::from("2026 autumn")));
    }
}

#[test]
fn a_section_keeps_the_history_of_its_teachers() {
    use TeacherChange::{Came, Left};
    let school = School::new();
    let thora = school.user("T1", "thora");
    let tor = school.user("T2", "tor");
    let sent =
        |teacher: Value| record! {"idnumber": "S1", "name": "Biology", "teacheridnumber": teacher};
    let id = school.created("new_section", sent(Value::from("T1")));
    school.unchanged("new_section", sent(Value::from("T1")));
    school.updated("new_section", sent(Value::from("T2")));
    assert_eq!(only(&school).teachers, ["tor"]);
    school.updated("update_section", sent(list(&["T1", "T2"])));
    school.updated("update_section", sent(Value::from(false)));
    assert!(only(&school).teachers.is_empty());
    let history: Vec<_> = school
        .read(|tx| sections::teacher_history(tx, SectionId(id)))
        .into_iter()
        .map(|record| (record.person.0, record.change))
        .collect();
    assert_eq!(
        history,
        [
            (thora, Came),
            (thora, Left),
            (tor, Came),
            (thora, Came),
            (thora, Left),
            (tor, Left)
        ]
    );
}

#[test]
fn an_unknown_teacher_is_named_and_nothing_is_stored() {
    let school = School::new();
    let sent =
        record! {"idnumber": "S1", "name": "Biology", "segment": "2026", "teacheridnumber": "T9"};
    assert!(school.fault("new_section", sent, 8003).contains("T9"));
    assert!(listed(&school, &SectionFilter::default()).is_empty());
    assert_eq!(school.count("SELECT count(*) FROM segment"), 0);
}

#[test]
fn a_removed_section_comes_back_when_sent_again() {
    let school = School::in_term();
    let id = school.updated("remove_section", record! {"idnumber": "S1"});
    school.unchanged("remove_section", Value::from("S1"));
    assert!(listed(&school, &SectionFilter::default()).is_empty());
    assert!(
        school
            .fault("update_section", record! {"idnumber": "S1"}, 8004)
            .contains("removed")
    );
    school.fault("new_enrolment", school::enrolment("U1", "student"), 8004);
    let back = record! {"idnumber": "S1", "name": "Biology"};
    assert_eq!(school.updated("new_section", back), id);
    assert_eq!(only(&school).section.id.0, id);
}

#[test]
fn lists_of_teachers_and_segments_have_their_longest() {
    let school = School::new();
    let many =
        |count: usize| -> Value { (0..count).map(|n| Value::from(format!("{n}"))).collect() };
    let sent = |count| record! {"idnumber": "S1", "name": "Biology", "segment": many(count)};
    school.fault("new_section", sent(mnetd::register::MAX_LIST + 1), 8002);
    school.created("new_section", sent(mnetd::register::MAX_LIST));
}

#[test]
fn who_teaches_a_section_now_is_given_it_or_enrolled_and_has_not_left() {
    let school = School::in_term();
    let person = |idnumber: &str| {
        school
            .read(|tx| people::by_idnumber(tx, Some(school.peer), idnumber))
            .unwrap()
            .id
    };
    let (thora, uma) = (person("T1"), person("U1"));
    let teaches =
        |who| school.read(|tx| mnetd::register::teaches(tx, SectionId(1), who, school.now));
    assert!(!teaches(thora));
    school.enrol("T1", "teacher");
    school.enrol("U1", "student");
    assert!(teaches(thora));
    assert!(!teaches(uma), "a student is no teacher");
    school.updated("drop_enrolment", enrolment("T1", "teacher"));
    assert!(!teaches(thora), "left");
    let given = record! {"idnumber": "S1", "teacheridnumber": "U2"};
    school.updated("update_section", given);
    assert!(teaches(person("U2")), "it was given");
    school.updated("remove_section", record! {"idnumber": "S1"});
    assert!(!teaches(person("U2")), "of a removed section nobody is");
}
