//! Scenario: a student enrols herself in Moodle in the middle of July, and the principal sees it.

use mnetd::store::accounts::AccountRole;

use crate::office::Office;
use crate::school::{STUDENTS, day, enrolment, section, user};

#[test]
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
    let row = browser.row("Lovelace, Ada").join(" ");
    for part in ["Enrolled", "14 Jul 2026", "Moodle of the test"] {
        assert!(row.contains(part), "{part}: {row}");
    }
    let row = browser.row("Turing, Alan").join(" ");
    assert!(row.contains("1 Jul 2026"), "{row}");
    // A principal looks, and changes nothing.
    browser.assert_lacks("by hand");

    browser.click_in_row("Lovelace, Ada", "Enrolled");
    browser.wait_for_text("nothing in it is ever changed or erased");
    browser.wait_for_text("14 Jul 2026");
    browser.assert_lacks("Change the status");
    browser.click("Ada Lovelace");
    browser.wait_for_heading("Ada Lovelace");
    browser.wait_for_text("Moodle of the test");
    let row = browser.row("Mathematics 7").join(" ");
    assert!(
        row.contains("Autumn 2026") && row.contains("Enrolled"),
        "{row}"
    );
}
