//! Scenario: a student enrols herself in Moodle in the middle of July, and the principal sees it.

use mnetd::store::accounts::AccountRole;

use crate::office::Office;
use crate::school::{STUDENTS, day, enrolment, section, user};

#[test]
#[ignore = "the page is not there yet"]
fn a_student_who_enrols_herself_is_seen_by_the_principal() {
    let Some(office) = Office::closed() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    moodle.told_at(
        day(2026, 7, 1),
        &[
            (
                "new_section",
                section("MAT-7", "Mathematics 7", "Autumn 2026"),
            ),
            ("fetch_user", user(&STUDENTS[1])),
            (
                "new_enrolment",
                enrolment("MAT-7", STUDENTS[1][0], day(2026, 7, 1)),
            ),
        ],
    );
    let july = day(2026, 7, 14);
    moodle.told_at(
        july,
        &[
            ("fetch_user", user(&STUDENTS[0])),
            ("new_enrolment", enrolment("MAT-7", STUDENTS[0][0], july)),
        ],
    );

    office.add_account("principal", AccountRole::Reader);
    office.sign_in("principal");
    let browser = &office.browser;
    browser.click("Sections");
    browser.click("Mathematics 7");
    browser.wait_for_heading("Mathematics 7");
    let row = browser.row("Ada Lovelace").join(" ");
    assert!(row.contains("Enrolled"), "{row}");
    assert!(row.contains("2026-07-14"), "{row}");
    // A principal looks, and changes nothing.
    browser.assert_lacks("Withdraw");

    browser.click("Ada Lovelace");
    browser.wait_for_heading("Ada Lovelace");
    browser.wait_for_text("Moodle of the test");
    browser.wait_for_text("Mathematics 7");
}
