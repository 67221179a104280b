//! Lists come a page at a time, and can be narrowed.

mod school;

use mnetd::store::assessments::{self, AssessmentFilter};
use mnetd::store::enrolments::{self, EnrolmentFilter, Role};
use mnetd::store::grades::{self, GradeFilter};
use mnetd::store::people::{self, PeopleFilter};
use mnetd::store::sections::{self, SectionFilter};
use mnetd::store::statuses::Meaning;
use mnetd::store::{AssessmentId, MAX_PAGE, Page, PersonId, SectionId};
use school::School;

fn usernames(school: &School, filter: &PeopleFilter, page: Page) -> Vec<String> {
    school
        .read(|tx| people::list(tx, filter, school.now, page))
        .into_iter()
        .map(|listed| listed.person.fields.username)
        .collect()
}

fn searched(school: &School, text: &str) -> Vec<String> {
    let filter = PeopleFilter {
        search: Some(text.to_owned()),
        ..PeopleFilter::default()
    };
    usernames(school, &filter, Page::default())
}

#[test]
fn pages_follow_one_another_without_gap_or_repeat() {
    let school = School::new();
    for number in 0..25 {
        school.user(&format!("U{number}"), &format!("user{number:02}"));
    }
    let mut page = Page {
        after: None,
        limit: 10,
    };
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    loop {
        let rows = school.read(|tx| people::list(tx, &PeopleFilter::default(), school.now, page));
        let Some(last) = rows.last() else { break };
        page = page.following(last.person.id.0);
        sizes.push(rows.len());
        seen.extend(rows.into_iter().map(|row| row.person.fields.username));
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(
        seen,
        (0..25).map(|n| format!("user{n:02}")).collect::<Vec<_>>()
    );
}

#[test]
fn a_page_has_its_longest() {
    let school = School::new();
    for number in 0..=MAX_PAGE {
        school.user(&format!("U{number}"), &format!("user{number}"));
    }
    let page = Page {
        after: None,
        limit: u32::MAX,
    };
    let rows = usernames(&school, &PeopleFilter::default(), page);
    assert_eq!(rows.len(), usize::try_from(MAX_PAGE).unwrap());
}

#[test]
fn people_are_found_by_any_of_their_names() {
    let school = School::in_term();
    assert_eq!(searched(&school, "UMA"), ["uma"]);
    assert_eq!(searched(&school, "u1"), ["uma"]);
    assert_eq!(searched(&school, "kari nord").len(), 3);
    assert!(searched(&school, "%").is_empty());
}

/// Two sections; Uma is a student of the first, Ulf has left it, Thora teaches there.
fn in_the_middle_of_term() -> School {
    let school = School::with_gradebook();
    school.created(
        "new_section",
        record! {"idnumber": "S2", "name": "Chemistry", "teacheridnumber": "T1"},
    );
    school.enrol("U1", "student");
    school.enrol("U2", "student");
    school.enrol("T1", "teacher");
    school.updated("drop_enrolment", school::enrolment("U2", "student"));
    school.created("new_grade", school::grade("U1", 5));
    school.created("new_grade", school::grade("U2", 6));
    school
}

#[test]
fn people_and_enrolments_can_be_narrowed() {
    let school = in_the_middle_of_term();
    let students = PeopleFilter {
        role: Some(Role::Student),
        ..PeopleFilter::default()
    };
    assert_eq!(usernames(&school, &students, Page::default()), ["uma"]);

    let enrolled = |filter: EnrolmentFilter| -> Vec<String> {
        school
            .read(|tx| enrolments::list(tx, &filter, school.now, Page::default()))
            .into_iter()
            .map(|listed| listed.username)
            .collect()
    };
    let all = EnrolmentFilter::default();
    assert_eq!(enrolled(all.clone()), ["uma", "ulf", "thora"]);
    assert_eq!(
        enrolled(EnrolmentFilter {
            meaning: Some(Meaning::Active),
            ..all.clone()
        }),
        ["uma", "thora"]
    );
    assert_eq!(
        enrolled(EnrolmentFilter {
            role: Some(Role::Teacher),
            ..all.clone()
        }),
        ["thora"]
    );
    assert!(
        enrolled(EnrolmentFilter {
            section: Some(SectionId(2)),
            ..all.clone()
        })
        .is_empty()
    );
    assert_eq!(
        enrolled(EnrolmentFilter {
            person: Some(PersonId(2)),
            ..all
        }),
        ["uma"]
    );
}

#[test]
fn sections_and_assessments_can_be_narrowed() {
    let school = in_the_middle_of_term();
    let thora = SectionFilter {
        teacher: Some(PersonId(1)),
        ..SectionFilter::default()
    };
    let taught = school.read(|tx| sections::list(tx, &thora, Page::default()));
    assert_eq!(taught[0].section.fields.name, "Chemistry");
    let chem = SectionFilter {
        search: Some("CHEM".to_owned()),
        ..SectionFilter::default()
    };
    assert_eq!(
        school
            .read(|tx| sections::list(tx, &chem, Page::default()))
            .len(),
        1
    );

    let quiz = AssessmentFilter {
        section: Some(SectionId(1)),
        search: Some("qui".to_owned()),
        ..AssessmentFilter::default()
    };
    assert_eq!(
        school
            .read(|tx| assessments::list(tx, &quiz, Page::default()))
            .len(),
        1
    );
}

#[test]
fn grades_can_be_narrowed() {
    let school = in_the_middle_of_term();
    let graded = |filter: GradeFilter| {
        let rows = school.read(|tx| grades::list(tx, &filter, Page::default()));
        rows.into_iter().map(|row| row.username).collect::<Vec<_>>()
    };
    let all = GradeFilter::default();
    assert_eq!(
        graded(GradeFilter {
            section: Some(SectionId(1)),
            ..all.clone()
        }),
        ["uma", "ulf"]
    );
    assert_eq!(
        graded(GradeFilter {
            person: Some(PersonId(3)),
            ..all.clone()
        }),
        ["ulf"]
    );
    assert_eq!(
        graded(GradeFilter {
            assessment: Some(AssessmentId(1)),
            ..all
        })
        .len(),
        2
    );
}

#[test]
fn rows_can_be_printed_as_json() {
    let school = School::with_gradebook();
    school.created("new_grade", school::grade("U1", "7.5"));
    let rows = school.read(|tx| grades::list(tx, &GradeFilter::default(), Page::default()));
    let json = serde_json::to_value(&rows[0]).unwrap();
    assert_eq!(json["points_earned"], 7.5);
    assert_eq!(json["assessmentid"], "A1");
    let history = school.read(|tx| grades::history(tx, rows[0].id));
    let json = serde_json::to_value(&history[0]).unwrap();
    assert_eq!(json["change"], "value");
    assert_eq!(json["author"]["kind"], "peer");
}
