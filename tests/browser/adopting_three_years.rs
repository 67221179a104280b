//! Scenario: a school takes up the register when its Moodle holds three years already. The first
//! synchronisation brings everything at once, and terms and histories are right.

use mnetd::xmlrpc::Value;

use crate::office::Office;
use crate::school::{self, STUDENTS, assessment, day, enrolment, grade, section, user};
use crate::support::site::fields;

/// The school years, by the autumn they begin in.
const YEARS: [i16; 3] = [2023, 2024, 2025];

const SUBJECTS: [&str; 4] = ["Biology", "Mathematics", "Art", "History"];

/// The assessments of each section, with 10 points each.
const ASSESSMENTS: [&str; 4] = ["First test", "Essay", "Project", "Last test"];

#[test]
fn three_years_arrive_at_once_and_stand_in_their_terms() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    let calls = three_years();
    assert!(calls.len() > 700, "{}", calls.len());
    moodle.tell_all(&calls);

    let browser = &office.browser;
    browser.click("Sections");
    for year in YEARS {
        browser.wait_for_text(&term(year));
    }
    browser.click(&format!("{} ({})", term(2023), SUBJECTS.len()));
    assert_eq!(browser.texts("tbody tr").len(), SUBJECTS.len());
    browser.click("Biology of 2023");
    assert_eq!(browser.texts("tbody tr").len(), STUDENTS.len());
    let row = browser.row("Lovelace, Ada").join(" ");
    assert!(
        row.contains("Completed") && row.contains("30 Jun 2024"),
        "{row}"
    );

    browser.click("Lovelace, Ada");
    browser.click_in_row("Biology of 2023", "Completed");
    browser.wait_for_text("nothing in it is ever changed or erased");
    assert_eq!(browser.texts("tbody tr").len(), 2, "came, and completed");
    browser.click("People");
    browser.click("Lovelace, Ada");
    browser.click("Transcript");
    for year in YEARS {
        browser.wait_for_text(&term(year));
        for subject in SUBJECTS {
            let row = browser.row(&format!("{subject} of {year}"));
            assert_eq!(row[1..3], ["Completed", "c"], "{row:?}");
            assert_eq!(row[4], format!("{}-06-30", year + 1), "{row:?}");
            assert_eq!(row[5..8], ["32", "40", "80"], "{row:?}");
        }
    }
    // Sent once more, the transcript is the same.
    moodle.tell_all(&calls);
    let before = browser.texts("tbody tr");
    browser.reload();
    assert_eq!(browser.texts("tbody tr"), before);
}

fn three_years() -> Vec<(&'static str, Value)> {
    let mut calls: Vec<_> = STUDENTS
        .iter()
        .map(|student| ("fetch_user", user(student)))
        .collect();
    for year in YEARS {
        for subject in SUBJECTS {
            let id = format!("{subject}-{year}");
            calls.push((
                "new_section",
                section(&id, &format!("{subject} of {year}"), &term(year)),
            ));
            for [student, ..] in &STUDENTS {
                calls.push(("new_enrolment", enrolment(&id, student, day(year, 8, 20))));
            }
            for name in ASSESSMENTS {
                calls.push((
                    "new_assessment",
                    assessment(&id, &format!("{id}-{name}"), name, 10),
                ));
                for [student, ..] in &STUDENTS {
                    calls.push(("new_grade", grade(&format!("{id}-{name}"), student, "8")));
                }
            }
            for [student, ..] in &STUDENTS {
                calls.push(("drop_enrolment", completed(&id, student, year + 1)));
            }
        }
    }
    calls
}

fn completed(section: &str, student: &str, year: i16) -> Value {
    fields(&[
        ("sectionid", section),
        ("userid", student),
        ("role", "student"),
        ("status", "completed"),
        ("effective_at", &school::day(year, 6, 30).0.to_string()),
    ])
}

fn term(year: i16) -> String {
    format!("{year}/{}", (year + 1) % 100)
}
