//! A page of the gradebook comes whole, and a class is counted by tens of percent.

mod school;

use mnetd::store::enrolments::{self, EnrolmentChange, NewChange, Role};
use mnetd::store::lists::{self, BANDS, Turn};
use mnetd::store::statuses::{self, Meaning, Scope};
use mnetd::store::{Author, PersonId, ReadTx, StoreError, people, sections};
use school::School;

/// Section S1 with assessment A1 of ten points, and a student for each of `points`, who got them.
fn class(points: &[&str]) -> School {
    let school = School::with_gradebook();
    for (number, points) in points.iter().enumerate() {
        let id = format!("P{number:02}");
        school.user(&id, &format!("pupil{number:02}"));
        school.created(
            "new_enrolment",
            record! {"userid": id.as_str(), "sectionid": "S1", "role": "student"},
        );
        school.created(
            "new_grade",
            record! {"assessmentid": "A1", "userid": id.as_str(), "points_earned": *points, "attempt_num": "1"},
        );
    }
    school
}

fn section(school: &School) -> mnetd::store::SectionId {
    let found = school.read(|tx| sections::by_idnumber(tx, Some(school.peer), "S1"));
    found.unwrap().id
}

fn person(tx: &ReadTx<'_>, school: &School, id: &str) -> Result<PersonId, StoreError> {
    people::by_idnumber(tx, Some(school.peer), id).map(|person| person.unwrap().id)
}

fn bands(school: &School) -> [u32; BANDS] {
    let all = school.read(|tx| lists::distribution(tx, section(school), school.now));
    all.first().map_or([0; BANDS], |first| first.bands)
}

#[test]
fn a_class_is_counted_by_tens_of_percent() {
    let school = class(&["0", "0.9", "1", "5.5", "8.99", "9", "10", "12"]);
    assert_eq!(bands(&school), [2, 1, 0, 0, 0, 1, 0, 0, 1, 3]);
}

#[test]
fn who_left_is_not_counted_and_stays_in_the_gradebook() {
    let school = class(&["5", "7"]);
    let id = section(&school);
    let now = school.now;
    let (enrolment, withdrawn) = school.read(|tx| -> Result<_, StoreError> {
        let pupil = person(tx, &school, "P00")?;
        let found = enrolments::find(tx, Some(school.peer), id, pupil, Role::Student)?;
        let status = statuses::first(tx, Scope::Section, Meaning::Withdrawn)?;
        Ok((found.unwrap().id, status.unwrap().id))
    });
    school
        .store
        .write_blocking::<_, StoreError, _>(move |tx| {
            let change = NewChange {
                change: EnrolmentChange::Status,
                status: Some(withdrawn),
                effective_at: now,
                note: None,
            };
            let author = Author::Admin {
                name: "anna".to_owned(),
            };
            enrolments::add_change(tx, enrolment, &change, &author, now)
        })
        .unwrap();
    assert_eq!(bands(&school), [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    let book = school.read(|tx| lists::gradebook(tx, id, now, Turn::First, 10));
    let meanings: Vec<_> = book
        .students
        .rows
        .iter()
        .map(|student| student.status.meaning)
        .collect();
    assert_eq!(meanings, [Meaning::Withdrawn, Meaning::Active]);
    assert_eq!(book.grades.len(), 2);
}

#[test]
fn a_page_has_the_grades_of_its_students_alone() {
    let school = class(&["1", "2", "3", "4", "5"]);
    let id = section(&school);
    let page = |turn| school.read(|tx| lists::gradebook(tx, id, school.now, turn, 2));
    let first = page(Turn::First);
    assert_eq!(first.assessments.len(), 1);
    assert_eq!(first.grades.len(), 2);
    let last = first.students.rows[1].person;
    let second = page(Turn::After(last));
    let mut points: Vec<_> = second
        .grades
        .iter()
        .map(|cell| cell.value.points_earned)
        .collect();
    points.sort_by(|a, b| a.partial_cmp(b).unwrap());
    assert_eq!(points, [Some(3.0), Some(4.0)]);
    assert!(second.students.earlier && second.students.later);
}

#[test]
fn a_persons_grades_turn_both_ways() {
    let school = class(&["1"]);
    for number in 2..8 {
        let id = format!("A{number}");
        school.created(
            "new_assessment",
            record! {"idnumber": id.as_str(), "sectionid": "S1", "name": id.as_str(), "pointval": "10"},
        );
        school.created(
            "new_grade",
            record! {"assessmentid": id.as_str(), "userid": "P00", "points_earned": "7", "attempt_num": "1"},
        );
    }
    let pupil = school.read(|tx| person(tx, &school, "P00"));
    let page = |turn| school.read(|tx| lists::grades_of_person(tx, pupil, turn, 3));
    let names = |page: &lists::Slice<lists::PersonGrade>| -> Vec<String> {
        page.rows.iter().map(|grade| grade.name.clone()).collect()
    };
    let first = page(Turn::First);
    assert_eq!(names(&first), ["Quiz", "A2", "A3"]);
    assert_eq!((first.earlier, first.later), (false, true));
    let second = page(Turn::After(first.rows[2].assessment));
    assert_eq!(names(&second), ["A4", "A5", "A6"]);
    let third = page(Turn::After(second.rows[2].assessment));
    assert_eq!(names(&third), ["A7"]);
    assert_eq!((third.earlier, third.later), (true, false));
    assert_eq!(
        page(Turn::Before(third.rows[0].assessment)).rows,
        second.rows
    );
    assert_eq!(names(&page(Turn::Last)), ["A5", "A6", "A7"]);
}

#[test]
fn teachers_are_those_given_and_those_enrolled() {
    let school = School::new();
    for (id, username) in [("T1", "thora"), ("T2", "tove")] {
        school.user(id, username);
    }
    school.created(
        "new_section",
        record! {"idnumber": "S1", "name": "Biology", "teacheridnumber": "T1"},
    );
    for id in ["T1", "T2"] {
        school.created(
            "new_enrolment",
            record! {"userid": id, "sectionid": "S1", "role": "teacher"},
        );
    }
    let teachers = school.read(|tx| lists::teachers(tx, section(&school), school.now));
    let seen: Vec<_> = teachers
        .iter()
        .map(|teacher| {
            let status = teacher.status.as_ref().map(|status| status.meaning);
            (teacher.username.as_str(), teacher.given, status)
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("thora", true, Some(Meaning::Active)),
            ("tove", false, Some(Meaning::Active))
        ]
    );
    let row = school.read(|tx| {
        lists::sections(
            tx,
            &lists::SectionQuery::default(),
            school.now,
            Turn::First,
            9,
        )
    });
    assert_eq!(row.rows[0].teachers.len(), 2);
    let pupil = school.read(|tx| person(tx, &school, "T2"));
    let of = school.read(|tx| lists::sections_of_person(tx, pupil, school.now));
    assert_eq!(
        (of[0].name.as_str(), of[0].role),
        ("Biology", Role::Teacher)
    );
}
