//! Scenario: lab grades entered by hand; later Moodle gets an assignment of the same name. The two become
//! one column, and what was entered stays.

use crate::office::Office;
use crate::school::{STUDENTS, assessment, day, enrolment, grade, section, user};

#[test]
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
    browser.click("New assessment");
    browser.fill("Name", "Lab 1");
    browser.fill("Most points", "20");
    browser.click("Make the assessment");
    browser.wait_for_heading("Lab 1 in Biology 7");
    for (student, points) in [("Ada Lovelace", "16.5"), ("Alan Turing", "13")] {
        browser.click("Gradebook of Biology 7");
        browser.click_in_row(student, "–no grade");
        browser.fill("Points", points);
        browser.click("Enter the grade");
        browser.wait_for_text("The grade is entered.");
    }
    browser.click("Gradebook of Biology 7");
    let before = browser.row("Ada Lovelace");
    assert_eq!(before.len(), 2, "{before:?}");
    assert!(before[1].starts_with("16.5"), "{before:?}");

    let lab = assessment("BIO-7", "L1", "Lab 1", 20);
    moodle.tell_all(&[("new_assessment", lab)]);
    browser.reload();
    assert_eq!(browser.row("Ada Lovelace"), before, "one column, as it was");
    browser.click("Lab 1");
    browser.wait_for_text("made by hand before, and taken over");

    // Moodle speaks of Alan: both values stand in the history. Of Ada it says nothing.
    moodle.tell_all(&[("new_grade", grade("L1", alan, "15"))]);
    browser.click("Gradebook of Biology 7");
    assert!(browser.row("Alan Turing")[1].starts_with("15"));
    assert_eq!(browser.row("Ada Lovelace"), before);
    browser.click_in_row("Alan Turing", "15");
    let history = browser.texts("tbody tr");
    assert_eq!(history.len(), 2, "{history:?}");
    assert!(
        history[0].contains("13") && history[0].contains("office"),
        "{history:?}"
    );
    assert!(
        history[1].contains("15") && history[1].contains("Moodle of the test"),
        "{history:?}"
    );
}
