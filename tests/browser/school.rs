//! A small school as its Moodle tells of it: the same people and grades each time, for pages to have
//! something to show.

use jiff::tz::Offset;
use mnetd::clock::UnixTime;
use mnetd::xmlrpc::Value;

use crate::moodle::Moodle;
use crate::support::site::fields;

/// The teacher of every section here: id, username, first and last name.
pub const TEACHER: [&str; 4] = ["T-7", "m.curie", "Marie", "Curie"];

/// The students: id, username, first and last name.
pub const STUDENTS: [[&str; 4]; 12] = [
    ["S-1001", "ada", "Ada", "Lovelace"],
    ["S-1002", "alan", "Alan", "Turing"],
    ["S-1003", "zoe", "Zoë", "Ångström"],
    ["S-1004", "bjorn", "Bjørn", "Ødegård"],
    ["S-1005", "chien", "Chien-Shiung", "Wu"],
    ["S-1006", "edsger", "Edsger", "Dijkstra"],
    ["S-1007", "emmy", "Emmy", "Noether"],
    ["S-1008", "katherine", "Katherine", "Johnson"],
    ["S-1009", "lise", "Lise", "Meitner"],
    ["S-1010", "muhammad", "Muhammad", "al-Khwārizmī"],
    ["S-1011", "rosalind", "Rosalind", "Franklin"],
    ["S-1012", "srinivasa", "Srinivasa", "Ramanujan"],
];

/// The sections: id, name, term ("" for ongoing).
pub const SECTIONS: [[&str; 3]; 3] = [
    ["BIO-7", "Biology 7", "Autumn 2026"],
    ["MAT-7", "Mathematics 7", "Autumn 2026"],
    ["CHOIR", "School choir", ""],
];

/// The assessments of Biology: id, name, points.
pub const ASSESSMENTS: [(&str, &str, u32); 4] = [
    ("BIO-7-1", "Cell quiz", 10),
    ("BIO-7-2", "Lab report", 20),
    ("BIO-7-3", "Herbarium", 30),
    ("BIO-7-4", "Term test", 100),
];

/// The start of a day in UTC.
pub fn day(year: i16, month: i8, day: i8) -> UnixTime {
    let midnight = jiff::civil::date(year, month, day).at(0, 0, 0, 0);
    UnixTime(Offset::UTC.to_timestamp(midnight).unwrap().as_second())
}

/// A user as Moodle sends one.
pub fn user([id, username, firstname, lastname]: &[&str; 4]) -> Value {
    fields(&[
        ("idnumber", id),
        ("username", username),
        ("firstname", firstname),
        ("lastname", lastname),
        ("email", &format!("{username}@school.example")),
    ])
}

/// An enrolment as Moodle sends one.
pub fn enrolment(section: &str, user: &str, from: UnixTime) -> Value {
    fields(&[
        ("sectionid", section),
        ("userid", user),
        ("role", "student"),
        ("effective_at", &from.0.to_string()),
    ])
}

/// The end of an enrolment as Moodle sends one, with the code of a new school's Withdrawn.
pub fn withdrawal(section: &str, user: &str, note: &str) -> Value {
    fields(&[
        ("sectionid", section),
        ("userid", user),
        ("role", "student"),
        ("status", "i"),
        ("note", note),
    ])
}

/// A section as Moodle sends one.
pub fn section(id: &str, name: &str, term: &str) -> Value {
    fields(&[("idnumber", id), ("name", name), ("segment", term)])
}

/// An assessment as Moodle sends one.
pub fn assessment(section: &str, id: &str, name: &str, points: u32) -> Value {
    fields(&[
        ("sectionid", section),
        ("idnumber", id),
        ("name", name),
        ("pointval", &points.to_string()),
    ])
}

/// A grade as Moodle sends one.
pub fn grade(assessment: &str, user: &str, points: &str) -> Value {
    fields(&[
        ("assessmentid", assessment),
        ("userid", user),
        ("points_earned", points),
    ])
}

/// Tells the register of the whole school.
pub fn tell(moodle: &Moodle) {
    moodle.tell_all(&whole());
}

/// All that [`tell`] tells.
pub fn whole() -> Vec<(&'static str, Value)> {
    let mut calls = vec![("fetch_user", user(&TEACHER))];
    calls.extend(STUDENTS.iter().map(|student| ("fetch_user", user(student))));
    for [id, name, term] in SECTIONS {
        let section = fields(&[
            ("idnumber", id),
            ("name", name),
            ("segment", term),
            ("teacheridnumber", TEACHER[0]),
        ]);
        calls.push(("new_section", section));
        let teaches = fields(&[
            ("sectionid", id),
            ("userid", TEACHER[0]),
            ("role", "teacher"),
        ]);
        calls.push(("new_enrolment", teaches));
        let enrolled = STUDENTS.iter().map(|[student, ..]| {
            let from = day(2026, 8, 24);
            ("new_enrolment", enrolment(id, student, from))
        });
        calls.extend(enrolled);
    }
    for (number, (id, name, points)) in (0..).zip(ASSESSMENTS) {
        let column = assessment("BIO-7", id, name, points);
        calls.push(("new_assessment", column));
        for (row, [student, ..]) in (0..).zip(&STUDENTS) {
            // Between half and all of the points, spread without chance; the last one has no grade yet.
            let part: u32 = 50 + (row * 17 + number * 29) % 51;
            let earned = f64::from(points * part) / 100.0;
            if student != &STUDENTS[STUDENTS.len() - 1][0] {
                calls.push(("new_grade", grade(id, student, &format!("{earned:.1}"))));
            }
        }
    }
    calls
}
