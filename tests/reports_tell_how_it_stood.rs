//! Reports: how a student and a section stood at a date, whatever has come since.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod school;

use jiff::tz::TimeZone;
use lopdf::Document;
use mnetd::clock::UnixTime;
use mnetd::register::{
    RegisterError, enter_grade, mark_enrolment_in_error, mark_grade_in_error, set_enrolment_status,
    set_school_status,
};
use mnetd::reports::{
    self, Assessed, ClassList, Ended, Presentation, ProgressReport, Report, ReportError, Transcript,
};
use mnetd::store::enrolments::Role;
use mnetd::store::grades::GradeValue;
use mnetd::store::statuses::Meaning;
use mnetd::store::{EnrolmentId, GradeId, PersonId, SectionId, enrolments};
use mnetd::xmlrpc::Value;
use school::{DAY, START, School, enrolment, grade};

/// A day of the school year; day 0 is when every test begins.
fn day(number: i64) -> UnixTime {
    START.plus(number * DAY)
}

/// A school whose clock stands at day 10.
fn gradebook() -> School {
    let mut school = School::with_gradebook();
    school.enrol("T1", "teacher");
    school.enrol("U1", "student");
    school.now = day(10);
    school
}

fn person(school: &School, idnumber: &str) -> PersonId {
    school
        .store
        .read_blocking(|tx| reports::person_called(tx, idnumber, Some(school.peer)))
        .unwrap()
}

fn section(school: &School, idnumber: &str) -> SectionId {
    school
        .store
        .read_blocking(|tx| reports::section_called(tx, idnumber, Some(school.peer)))
        .unwrap()
}

fn report<R>(
    school: &School,
    read: impl FnOnce(&mnetd::store::ReadTx<'_>) -> Result<R, ReportError>,
) -> R {
    school.store.read_blocking(read).unwrap()
}

fn progress(school: &School, idnumber: &str, at: UnixTime) -> ProgressReport {
    let person = person(school, idnumber);
    report(school, |tx| {
        reports::progress(tx, person, at, Ended::LeftOut)
    })
}

fn transcript(school: &School, idnumber: &str, at: UnixTime) -> Transcript {
    let person = person(school, idnumber);
    report(school, |tx| reports::transcript(tx, person, at))
}

fn class(school: &School, at: UnixTime, ended: Ended) -> ClassList {
    let section = section(school, "S1");
    report(school, |tx| reports::class_list(tx, section, at, ended))
}

/// What U1 had in the one assessment of S1.
fn quiz(school: &School, at: UnixTime) -> Assessed {
    progress(school, "U1", at).sections[0].assessments[0].clone()
}

fn enrolment_of(school: &School, idnumber: &str) -> EnrolmentId {
    let (person, section) = (person(school, idnumber), section(school, "S1"));
    school
        .read(|tx| enrolments::find(tx, Some(school.peer), section, person, Role::Student))
        .unwrap()
        .id
}

fn set_status(
    school: &School,
    idnumber: &str,
    status: &'static str,
    at: UnixTime,
    note: &'static str,
) {
    let (id, now) = (enrolment_of(school, idnumber), school.now);
    school.write(move |tx| {
        set_enrolment_status(tx, &School::admin(), id, status, Some(at), Some(note), now)
    });
}

fn names(students: &[reports::Student]) -> Vec<&str> {
    students
        .iter()
        .map(|student| student.person.username.as_str())
        .collect()
}

fn presentation() -> Presentation {
    Presentation {
        site: "Ødegård skole".to_owned(),
        zone: TimeZone::UTC,
        printed_at: day(100),
    }
}

/// The lines of a report's CSV, apart.
fn csv(report: &impl Report) -> Vec<Vec<String>> {
    let mut bytes = Vec::new();
    report.write_csv(&mut bytes, &presentation()).unwrap();
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes.as_slice())
        .records()
        .map(|record| record.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

fn pdf(report: &impl Report) -> Document {
    let bytes = report.to_sheet(&presentation()).to_pdf().unwrap();
    Document::load_mem(&bytes).unwrap()
}

/// The text of all pages without spaces: where a line is broken does not matter.
fn text_of(document: &Document) -> String {
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    let text = document.extract_text(&pages).unwrap();
    text.split_whitespace().collect()
}

#[test]
fn a_grade_changed_since_is_what_it_was_at_the_date() {
    let mut school = gradebook();
    school.created("new_grade", grade("U1", 4));
    school.now = day(20);
    let again =
        record! {"assessmentid": "A1", "userid": "U1", "points_earned": 9, "attempt_num": 2};
    school.updated("new_grade", again);

    assert_eq!(quiz(&school, day(9)).points, None);
    assert_eq!(quiz(&school, day(9)).attempt, None);
    let then = quiz(&school, day(15));
    assert_eq!((then.points, then.percent), (Some(4.0), Some(40.0)));
    assert_eq!(then.attempt, Some(1));
    let since = quiz(&school, day(20));
    assert_eq!((since.points, since.attempt), (Some(9.0), Some(2)));
}

#[test]
fn a_section_comes_to_what_was_graded_and_not_excepted() {
    let school = gradebook();
    let more = [
        record! {"idnumber": "A2", "sectionid": "S1", "name": "Essay", "pointval": 20},
        record! {"idnumber": "A3", "sectionid": "S1", "name": "Bonus", "pointval": 5, "extra_credit": 1},
        record! {"idnumber": "A4", "sectionid": "S1", "name": "Sports", "pointval": 50},
        record! {"idnumber": "A5", "sectionid": "S1", "name": "Not yet", "pointval": 50},
    ];
    for assessment in more {
        school.created("new_assessment", assessment);
    }
    let given = |id: &str, points: i32| {
        record! {"assessmentid": id, "userid": "U1", "points_earned": points}
    };
    school.created("new_grade", given("A1", 8));
    school.created("new_grade", given("A2", 10));
    school.created("new_grade", given("A3", 3));
    let excepted =
        record! {"assessmentid": "A4", "userid": "U1", "excepted": true, "points_earned": 7};
    school.created("new_grade", excepted);

    let report = progress(&school, "U1", day(10));
    let section = &report.sections[0];
    assert_eq!(section.assessments.len(), 5);
    assert_eq!((section.total.points, section.total.out_of), (21.0, 30.0));
    assert_eq!(
        (section.total.percent, section.total.counted),
        (Some(70.0), 3)
    );
    let sports = &section.assessments[3];
    assert_eq!((sports.excepted, sports.points), (true, None));
    let names: Vec<_> = section.teachers.iter().map(|one| &one.username).collect();
    assert_eq!(names, ["thora"]);
}

#[test]
fn what_was_added_in_error_never_was() {
    let mut school = gradebook();
    let id = GradeId(school.created("new_grade", grade("U1", 4)));
    school.now = day(20);
    let now = school.now;
    let mark = move |school: &School, in_error: bool| {
        school.write(move |tx| mark_grade_in_error(tx, &School::admin(), id, in_error, None, now));
    };
    mark(&school, true);
    assert_eq!(quiz(&school, day(15)).points, None);
    mark(&school, false);
    assert_eq!(quiz(&school, day(15)).points, Some(4.0));

    let enrolment = enrolment_of(&school, "U1");
    school
        .write(move |tx| mark_enrolment_in_error(tx, &School::admin(), enrolment, true, None, now));
    assert!(progress(&school, "U1", day(15)).sections.is_empty());
    assert!(transcript(&school, "U1", day(15)).terms.is_empty());
    assert!(class(&school, day(15), Ended::Included).students.is_empty());
}

#[test]
fn a_value_that_replaced_one_in_error_does_not_bring_it_back() {
    let mut school = gradebook();
    let id = GradeId(school.created("new_grade", grade("U1", 4)));
    school.now = day(20);
    let now = school.now;
    school.write(move |tx| mark_grade_in_error(tx, &School::admin(), id, true, None, now));
    school.now = day(30);
    school.updated("new_grade", grade("U1", 7));
    assert_eq!(quiz(&school, day(15)).points, None);
    assert_eq!(quiz(&school, day(30)).points, Some(7.0));
}

#[test]
fn what_was_removed_by_the_date_is_left_out() {
    let mut school = gradebook();
    school.created("new_grade", grade("U1", 4));
    school.now = day(20);
    school.updated(
        "remove_grade",
        record! {"assessmentid": "A1", "userid": "U1"},
    );
    assert_eq!(quiz(&school, day(19)).points, Some(4.0));
    assert_eq!(quiz(&school, day(20)).points, None);
    school.now = day(30);
    school.updated("remove_assessment", record! {"assessmentid": "A1"});
    assert_eq!(quiz(&school, day(29)).name, "Quiz");
    assert!(
        progress(&school, "U1", day(30)).sections[0]
            .assessments
            .is_empty()
    );
    school.now = day(40);
    school.updated("remove_section", record! {"sectionid": "S1"});
    assert_eq!(progress(&school, "U1", day(39)).sections.len(), 1);
    assert!(progress(&school, "U1", day(40)).sections.is_empty());
}

#[test]
fn a_change_counts_from_when_it_takes_hold() {
    let school = gradebook();
    set_status(&school, "U1", "withdrawn", day(5), "moved away");
    assert_eq!(progress(&school, "U1", day(4)).sections.len(), 1);
    let after = progress(&school, "U1", day(5));
    assert_eq!((after.sections.len(), after.ended_left_out), (0, 1));
    let person = person(&school, "U1");
    let with_ended = report(&school, |tx| {
        reports::progress(tx, person, day(5), Ended::Included)
    });
    let standing = &with_ended.sections[0].enrolment.standing;
    assert_eq!(standing.status.meaning, Meaning::Withdrawn);
    assert_eq!(with_ended.ended_left_out, 0);
}

#[test]
fn a_withdrawal_stands_on_the_transcript_with_code_date_and_note() {
    let mut school = gradebook();
    school.created("new_grade", grade("U1", 4));
    school.now = day(20);
    let dropped = record! {
        "sectionid": "S1", "userid": "U1", "role": "student", "status": "i", "note": "illness",
    };
    school.updated("drop_enrolment", dropped);

    let before = transcript(&school, "U1", day(19));
    assert_eq!(before.terms[0].courses[0].withdrawn_at, None);
    let after = transcript(&school, "U1", day(21));
    let course = &after.terms[0].courses[0];
    let standing = &course.enrolment.standing;
    assert_eq!(
        (
            standing.status.code.as_str(),
            standing.status.title.as_str()
        ),
        ("i", "Withdrawn")
    );
    assert_eq!(standing.note.as_deref(), Some("illness"));
    assert_eq!(course.withdrawn_at, Some(day(20)));
    assert_eq!(
        (course.total.points, course.total.percent),
        (4.0, Some(40.0))
    );

    let lines = csv(&after);
    let value = |column: &str| {
        let index = lines[0].iter().position(|name| name == column).unwrap();
        lines[1][index].as_str()
    };
    // Day 20 after 2027-01-15.
    assert_eq!(value("withdrawn"), "2027-02-04");
    assert_eq!((value("status_code"), value("note")), ("i", "illness"));
    assert_eq!(
        (value("points"), value("out_of"), value("percent")),
        ("4", "10", "40")
    );
}

#[test]
fn a_course_taken_stays_on_the_transcript_when_it_is_cleared_away() {
    let mut school = gradebook();
    school.created("new_enrolment", enrolment("U2", "student"));
    school.now = day(20);
    set_status(&school, "U1", "completed", day(20), "");
    school.now = day(30);
    school.updated("remove_section", record! {"sectionid": "S1"});
    assert_eq!(transcript(&school, "U1", day(31)).terms.len(), 1);
    assert!(transcript(&school, "U2", day(31)).terms.is_empty());
}

#[test]
fn a_transcript_goes_term_by_term_and_ends_with_what_is_ongoing() {
    let mut school = gradebook();
    let in_terms = |id: &str, name: &str, segments: &[&str]| {
        let segments: Vec<Value> = segments.iter().map(|name| Value::from(*name)).collect();
        record! {"idnumber": id, "name": name, "segment": Value::Array(segments)}
    };
    let chemistry = in_terms("S2", "Chemistry", &["Spring 2027"]);
    school.created("new_section", chemistry);
    let physics = in_terms("S3", "Physics", &["Autumn 2027", "Spring 2027"]);
    school.created("new_section", physics);
    let enrol = |school: &School, id: &str| {
        let sent = record! {"sectionid": id, "userid": "U1", "role": "student"};
        school.created("new_enrolment", sent)
    };
    enrol(&school, "S2");
    enrol(&school, "S3");
    let history = in_terms("S4", "History", &["Autumn 2027"]);
    school.created("new_section", history);
    school.now = day(20);
    enrol(&school, "S4");

    let transcript = transcript(&school, "U1", day(20));
    let terms: Vec<(&str, Vec<&str>)> = transcript
        .terms
        .iter()
        .map(|term| {
            let courses = term.courses.iter();
            (
                term.name(),
                courses.map(|one| one.section.name.as_str()).collect(),
            )
        })
        .collect();
    assert_eq!(
        terms,
        [
            ("Spring 2027", vec!["Chemistry", "Physics"]),
            ("Autumn 2027", vec!["History", "Physics"]),
            ("ongoing", vec!["Biology"]),
        ]
    );
    assert_eq!(transcript.terms[2].segment, None);
}

#[test]
fn the_persons_own_enrolment_is_that_of_the_date() {
    let mut school = gradebook();
    let (person, now) = (person(&school, "U1"), day(20));
    school.now = now;
    let set = move |tx: &mnetd::store::WriteTx<'_>, status: &str, at: i64| {
        set_school_status(
            tx,
            &School::admin(),
            person,
            status,
            Some(day(at)),
            Some("why"),
            now,
        )
    };
    school.write(move |tx| {
        set(tx, "active", 2)?;
        set(tx, "c", 15)?;
        Ok::<_, RegisterError>(())
    });
    let title = |at: i64| {
        let school_status = progress(&school, "U1", day(at)).school;
        school_status.map(|standing| standing.status.title)
    };
    assert_eq!(title(1), None);
    assert_eq!(title(2).as_deref(), Some("Enrolled"));
    assert_eq!(title(15).as_deref(), Some("Graduated"));
}

#[test]
fn a_class_list_has_who_was_there_then() {
    let mut school = gradebook();
    school.created("new_enrolment", enrolment("U2", "student"));
    school.now = day(20);
    let left = record! {"sectionid": "S1", "userid": "U1", "role": "student"};
    school.updated("drop_enrolment", left);
    let gone = record! {"sectionid": "S1", "userid": "T1", "role": "teacher"};
    school.updated("drop_enrolment", gone);
    let given = record! {"idnumber": "S1", "name": "Biology", "teacheridnumber": "U2"};
    school.updated("new_section", given);

    let first = class(&school, day(9), Ended::LeftOut);
    assert_eq!(names(&first.students), ["uma"]);
    assert_eq!(first.teachers[0].username, "thora");
    let then = class(&school, day(10), Ended::LeftOut);
    assert_eq!(names(&then.students), ["uma", "ulf"]);
    let now = class(&school, day(20), Ended::LeftOut);
    assert_eq!((names(&now.students), now.ended_left_out), (vec!["ulf"], 1));
    assert_eq!(now.teachers.len(), 1);
    assert_eq!(now.teachers[0].username, "ulf");
    let all = class(&school, day(20), Ended::Included);
    assert_eq!(all.students.len(), 2);

    school.now = day(30);
    school.updated("remove_user", record! {"idnumber": "U2"});
    assert_eq!(class(&school, day(29), Ended::LeftOut).students.len(), 1);
    assert!(class(&school, day(30), Ended::LeftOut).students.is_empty());
}

#[test]
fn what_a_peer_says_and_what_was_entered_by_hand_are_one_line() {
    let school = gradebook();
    let (person, section, now) = (person(&school, "U1"), section(&school, "S1"), day(10));
    school.write(move |tx| {
        let status = mnetd::store::statuses::first(
            tx,
            mnetd::store::statuses::Scope::Section,
            Meaning::Completed,
        )?
        .unwrap()
        .id;
        let new = enrolments::NewEnrolment {
            owner: None,
            section,
            person,
            role: Role::Student,
            status,
            extra: &mnetd::store::Extra::default(),
        };
        let id = enrolments::insert(tx, &new, now)?;
        let change = enrolments::NewChange {
            change: enrolments::EnrolmentChange::Status,
            status: Some(status),
            effective_at: now,
            note: None,
        };
        enrolments::add_change(tx, id, &change, &School::admin(), now)?;
        Ok::<_, RegisterError>(())
    });
    let list = class(&school, day(10), Ended::Included);
    assert_eq!(list.students.len(), 1);
    let enrolled = &list.students[0].enrolment;
    assert_eq!(enrolled.standing.status.meaning, Meaning::Completed);
    assert_eq!(enrolled.began, START);
}

#[test]
fn grades_by_hand_and_of_a_peer_are_in_one_report() {
    let mut school = gradebook();
    let (person, now) = (person(&school, "U1"), school.now);
    let assessment = mnetd::store::AssessmentId(1);
    let value = GradeValue {
        points_earned: Some(6.0),
        excepted: false,
        attempt_num: 1,
    };
    school
        .write(move |tx| enter_grade(tx, &School::admin(), assessment, person, &value, None, now));
    school.now = day(20);
    school.updated("new_grade", grade("U1", 8));
    assert_eq!(quiz(&school, day(19)).points, Some(6.0));
    assert_eq!(quiz(&school, day(20)).points, Some(8.0));
}

#[test]
fn nobody_is_reported_on_who_is_not_there() {
    let school = gradebook();
    let asked = |word: &str| {
        school
            .store
            .read_blocking(|tx| reports::person_called(tx, word, None))
    };
    assert!(matches!(asked("U9"), Err(ReportError::UnknownPerson(word)) if word == "U9"));
    assert!(matches!(
        asked("#99"),
        Err(ReportError::NoSuchPerson(PersonId(99)))
    ));
    let unknown = school
        .store
        .read_blocking(|tx| reports::progress(tx, PersonId(99), day(1), Ended::LeftOut));
    assert!(matches!(unknown, Err(ReportError::NoSuchPerson(_))));
    let unknown = school
        .store
        .read_blocking(|tx| reports::class_list(tx, SectionId(99), day(1), Ended::LeftOut));
    assert!(matches!(unknown, Err(ReportError::NoSuchSection(_))));
}

#[test]
fn an_id_that_two_peers_use_has_to_be_told_apart() {
    let school = gradebook();
    let other = mnetd::store::Author::Peer {
        id: school.new_peer_once(),
    };
    let newcomer = school.call_as(other, "fetch_user", school::user("U1", "umberto"));
    let newcomer = PersonId(newcomer.unwrap().id);
    let asked = |word: &str, owner| {
        school
            .store
            .read_blocking(|tx| reports::person_called(tx, word, owner))
    };
    let refused = asked("U1", None).unwrap_err().to_string();
    for named in [
        "https://moodle.example.org",
        "https://second.example.org",
        "--peer",
    ] {
        assert!(refused.contains(named), "{refused}");
    }
    assert_eq!(asked("U1", Some(school.new_peer_once())).unwrap(), newcomer);
    assert_eq!(asked("umberto", None).unwrap(), newcomer);
    assert_eq!(asked(&format!("#{}", newcomer.0), None).unwrap(), newcomer);
}

#[test]
fn a_formula_in_a_name_stays_a_name() {
    let school = gradebook();
    let renamed = record! {"idnumber": "U1", "firstname": "=cmd()", "lastname": "@SUM(A1)"};
    school.updated("update_user", renamed);
    school.created("new_grade", grade("U1", -2));
    let lines = csv(&progress(&school, "U1", day(10)));
    assert_eq!(lines[1][2..4], ["'=cmd()", "'@SUM(A1)"]);
    let points = lines[0].iter().position(|name| name == "points").unwrap();
    assert_eq!(lines[1][points], "-2");
    let width = lines[0].len();
    assert!(lines.iter().all(|line| line.len() == width), "{lines:?}");
}

#[test]
fn a_pdf_has_the_names_as_they_are_written() {
    let school = gradebook();
    let renamed = record! {
        "idnumber": "U1", "firstname": "Ængus Łukasz", "lastname": "Παπαδοπούλου-Шевченко",
    };
    school.updated("update_user", renamed);
    school.created("new_grade", grade("U1", 7.5));
    let list = class(&school, day(10), Ended::LeftOut);
    for document in [
        pdf(&progress(&school, "U1", day(10))),
        pdf(&transcript(&school, "U1", day(10))),
        pdf(&list),
    ] {
        assert_eq!(document.get_pages().len(), 1);
        let text = text_of(&document);
        for expected in [
            // A narrow column breaks names between and within words.
            "Ængus",
            "Łukasz",
            "Παπαδοπούλο",
            "Шевченко",
            "Biology",
            "Ødegårdskole",
            "Page1of1",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
    }
    let text = text_of(&pdf(&progress(&school, "U1", day(10))));
    assert!(
        text.contains("Progressreport") && text.contains("7.5"),
        "{text}"
    );
}

#[test]
fn characters_that_no_font_has_do_not_break_a_pdf() {
    let school = gradebook();
    let renamed = record! {
        "idnumber": "U1", "firstname": "李\u{10FFFD}\u{202E}x\u{0}", "lastname": "\u{1F9D1}\u{200D}\u{1F52C}\u{E000}",
    };
    school.updated("update_user", renamed);
    let document = pdf(&progress(&school, "U1", day(10)));
    assert!(text_of(&document).contains("Biology"));
}

#[test]
fn a_long_table_goes_over_pages_and_repeats_its_header() {
    const STUDENTS: usize = 200;
    let school = gradebook();
    for number in 0..STUDENTS {
        let id = format!("N{number}");
        school.user(&id, &format!("name{number}"));
        school.created("new_enrolment", enrolment(&id, "student"));
    }
    let document = pdf(&class(&school, day(10), Ended::LeftOut));
    let pages: Vec<u32> = document.get_pages().into_keys().collect();
    assert!(pages.len() >= 4, "{} pages", pages.len());
    for page in &pages {
        let text = document.extract_text(&[*page]).unwrap();
        let text: String = text.split_whitespace().collect();
        assert!(text.contains("Username"), "page {page}: {text}");
        assert!(
            text.contains(&format!("Page{page}of{}", pages.len())),
            "{text}"
        );
    }
    let text = text_of(&document);
    assert!((0..STUDENTS).all(|number| text.contains(&format!("name{number}"))));
}

#[test]
fn a_note_longer_than_a_page_is_parted() {
    let mut school = gradebook();
    school.now = day(20);
    let note = "because ".repeat(mnetd::register::MAX_NOTE / "because ".len());
    let dropped = record! {
        "sectionid": "S1", "userid": "U1", "role": "student", "note": note.trim(),
    };
    school.updated("drop_enrolment", dropped);
    let document = pdf(&transcript(&school, "U1", day(20)));
    assert!(document.get_pages().len() > 1);
    let words = text_of(&document).matches("because").count();
    assert_eq!(words, mnetd::register::MAX_NOTE / "because ".len());
}
