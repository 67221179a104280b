//! Scenario: lab grades entered by hand; later Moodle gets an assignment of the same name. The two become
//! one column, and what was entered stays.

use crate::office::Office;
use crate::school::{STUDENTS, assessment, day, enrolment, grade, section, user};

#[test]
#[ignore = "the page is not there yet"]
fn grades_by_hand_stay_when_moodle_gets_a_twin_of_the_assessment() {
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
    ]);
    let browser = &office.browser;
    browser.click("Sections");
    browser.click("Biology 7");
    browser.click("Gradebook");
    browser.click("New assessment");
    browser.fill("Name", "Lab 1");
    browser.fill("Points", "20");
    browser.click("Make the assessment");
    for (student, points) in [("Ada Lovelace", "16.5"), ("Alan Turing", "13")] {
        browser.click_in_row(student, "Grade");
        browser.fill("Points", points);
        browser.click("Save");
        browser.wait_for_text(points);
    }
    let width = browser.row("Ada Lovelace").len();

    moodle.tell_all(&[("new_assessment", assessment("BIO-7", "L1", "Lab 1", 20))]);
    browser.reload();
    let row = browser.row("Ada Lovelace");
    assert_eq!(row.len(), width, "one column, not two: {row:?}");
    assert!(row.join(" ").contains("16.5"), "{row:?}");

    // Moodle speaks of Alan: both values stand in the history. Of Ada it says nothing.
    moodle.tell_all(&[("new_grade", grade("L1", alan, "15"))]);
    browser.reload();
    let row = browser.row("Alan Turing").join(" ");
    assert!(row.contains("15"), "{row}");
    let row = browser.row("Ada Lovelace").join(" ");
    assert!(row.contains("16.5"), "{row}");
    browser.click_in_row("Alan Turing", "15");
    browser.wait_for_text("Moodle of the test");
    browser.wait_for_text("13");
    browser.wait_for_text("office");
    browser.assert_accessible("the history of a grade");
}
