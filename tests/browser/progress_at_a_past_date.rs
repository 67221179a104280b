//! Scenario: a new student's grades flow in, and a progress report at a past date says what was known then.

use crate::browser::Browser;
use crate::office::Office;
use crate::school::{STUDENTS, assessment, day, enrolment, grade, section, user};

#[test]
fn a_progress_report_at_a_past_date_says_what_was_known_then() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    let ada = STUDENTS[0][0];
    moodle.told_at(
        day(2026, 9, 1),
        &[
            ("new_section", section("BIO-7", "Biology 7", "Autumn 2026")),
            ("fetch_user", user(&STUDENTS[0])),
            ("new_enrolment", enrolment("BIO-7", ada, day(2026, 9, 1))),
            ("new_assessment", assessment("BIO-7", "B1", "Cell quiz", 10)),
        ],
    );
    moodle.told_at(day(2026, 9, 15), &[("new_grade", grade("B1", ada, "5"))]);
    moodle.told_at(
        day(2026, 10, 15),
        &[
            ("new_grade", grade("B1", ada, "9")),
            (
                "new_assessment",
                assessment("BIO-7", "B2", "Lab report", 20),
            ),
            ("new_grade", grade("B2", ada, "17")),
        ],
    );

    let browser = &office.browser;
    browser.click("People");
    browser.click("Lovelace, Ada");
    browser.click("Progress report");
    browser.wait_for_heading("Progress report of Ada Lovelace");
    browser.wait_for_text("Biology 7 (Autumn 2026)");
    assert_eq!(
        browser.row("Cell quiz")[..4],
        ["Cell quiz", "9", "10", "90"]
    );
    assert_eq!(
        browser.row("Lab report")[..4],
        ["Lab report", "17", "20", "85"]
    );
    assert_eq!(browser.row("Total")[..3], ["Total", "26", "30"]);

    show_at(browser, "2026-09-30");
    assert_eq!(
        browser.row("Cell quiz")[..4],
        ["Cell quiz", "5", "10", "50"]
    );
    browser.assert_lacks("Lab report");

    show_at(browser, "2026-08-15");
    browser.wait_for_text("none at this date");
    browser.assert_lacks("Biology 7");
}

fn show_at(browser: &Browser, date: &str) {
    browser.fill("As things stood at the end of", date);
    browser.click("Show");
    browser.wait_for_query(&format!("at={date}"));
}
