//! Scenario: a dropped course stands on the transcript with the school's code for it, and why.

use crate::office::Office;
use crate::school::{STUDENTS, day, enrolment, section, user, withdrawal};

#[test]
fn a_dropped_course_is_on_the_transcript_with_code_and_note() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    let ada = STUDENTS[0][0];
    let mut calls = vec![("fetch_user", user(&STUDENTS[0]))];
    for (id, name) in [
        ("BIO-7", "Biology 7"),
        ("MAT-7", "Mathematics 7"),
        ("ART-7", "Art 7"),
    ] {
        calls.push(("new_section", section(id, name, "Autumn 2026")));
        calls.push(("new_enrolment", enrolment(id, ada, day(2026, 9, 1))));
    }
    moodle.told_at(day(2026, 9, 1), &calls);
    // One is dropped in Moodle,
    moodle.told_at(
        day(2026, 10, 2),
        &[(
            "drop_enrolment",
            withdrawal("BIO-7", ada, "Moved to another group"),
        )],
    );

    // one by the office.
    let browser = &office.browser;
    browser.click("Sections");
    browser.click("Art 7");
    browser.click_in_row("Lovelace, Ada", "Enrolled");
    browser.choose("Status", "Withdrawn (i)");
    browser.fill("Note", "Clash with the timetable");
    browser.click("Set status");
    let change = browser.row("Clash with the timetable").join(" ");
    assert!(
        change.contains("Withdrawn (i)") && change.contains("office"),
        "{change}"
    );
    browser.click("Art 7");
    let row = browser.row("Lovelace, Ada").join(" ");
    assert!(row.contains("Withdrawn"), "{row}");

    browser.click("Lovelace, Ada");
    browser.click("Transcript");
    browser.wait_for_heading("Transcript of Ada Lovelace");
    browser.wait_for_text("Autumn 2026");
    let biology = browser.row("Biology 7");
    assert_eq!(biology[1..3], ["Withdrawn", "i"]);
    assert_eq!(biology[4], "2026-10-02");
    assert_eq!(biology.last().unwrap(), "Moved to another group");
    let art = browser.row("Art 7");
    assert_eq!(art[1..3], ["Withdrawn", "i"]);
    assert_eq!(art.last().unwrap(), "Clash with the timetable");
    let mathematics = browser.row("Mathematics 7");
    assert_eq!(mathematics[1..3], ["Enrolled", "a"]);
    assert_eq!(mathematics.last().unwrap(), "");
}
