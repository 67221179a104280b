//! Scenario: new assignments in Moodle become columns of the gradebook.

use crate::office::Office;
use crate::school::{STUDENTS, assessment, day, enrolment, grade, section, user};

#[test]
fn new_assignments_become_columns() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    let (ada, alan) = (STUDENTS[0][0], STUDENTS[1][0]);
    moodle.tell_all(&[
        ("new_section", section("BIO-7", "Biology 7", "Autumn 2026")),
        ("fetch_user", user(&STUDENTS[0])),
        ("fetch_user", user(&STUDENTS[1])),
        ("new_enrolment", enrolment("BIO-7", ada, day(2026, 9, 1))),
        ("new_enrolment", enrolment("BIO-7", alan, day(2026, 9, 1))),
        ("new_assessment", assessment("BIO-7", "B1", "Cell quiz", 10)),
        ("new_grade", grade("B1", ada, "8")),
    ]);
    let browser = &office.browser;
    browser.click("Sections");
    browser.click("Biology 7");
    browser.click("Gradebook");
    browser.wait_for_heading("Gradebook of Biology 7");
    browser.wait_for_text("Cell quiz");
    browser.assert_lacks("Herbarium");
    let width = browser.row("Ada Lovelace").len();

    moodle.tell_all(&[
        ("new_assessment", assessment("BIO-7", "B2", "Herbarium", 30)),
        ("new_grade", grade("B2", alan, "27")),
    ]);
    browser.reload();
    browser.wait_for_text("Herbarium");
    let alan = browser.row("Alan Turing");
    assert_eq!(alan.len(), width + 1, "{alan:?}");
    assert!(alan[1].contains("no grade"), "{alan:?}");
    assert_eq!(alan[2], "27 90 %");
    let ada = browser.row("Ada Lovelace");
    assert_eq!(ada[1], "8 80 %");
    assert!(ada[2].contains("no grade"), "{ada:?}");
}
