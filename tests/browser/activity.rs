//! Activity: what peers called and what became of it, and what administrators did.

use crate::office::Office;
use crate::school::{STUDENTS, day, enrolment, user};

#[test]
fn the_office_finds_the_call_that_failed_and_why() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    moodle.tell_all(&[("fetch_user", user(&STUDENTS[0]))]);
    let stray = enrolment("NO-SUCH", STUDENTS[0][0], day(2026, 9, 1));
    let answer = moodle.call("register/new_enrolment", vec![stray]);
    assert_eq!(answer.fault(), 8004);

    let browser = &office.browser;
    // Calls are noted behind their answers.
    office.goto("/activity");
    browser.reload_until_text("fault 8004");
    let failed = browser.row("fault 8004").join(" ");
    for part in [
        "in",
        "Moodle of the test",
        "register/new_enrolment",
        "NO-SUCH",
    ] {
        assert!(failed.contains(part), "{part}: {failed}");
    }
    let all = browser.texts("tbody tr").len();
    browser.tick("Only what failed", true);
    browser.click("Show");
    browser.wait_for_query("faults=yes");
    let rows = browser.texts("tbody tr");
    assert!(rows.len() < all && rows.len() == 1, "{rows:?}");
}

#[test]
fn what_administrators_did_is_written_down_with_who_and_from_where() {
    let Some(office) = Office::open() else {
        return;
    };
    let browser = &office.browser;
    office.goto("/people/new");
    browser.fill("First name", "Hedy");
    browser.fill("Last name", "Lamarr");
    browser.fill("Username", "hedy");
    browser.fill("E-mail address", "hedy@school.example");
    browser.click("Take up");
    browser.wait_for_heading("Hedy Lamarr");
    office.program.done(&["signin", "allow", "--user", "hedy"]);

    browser.click("Administration");
    browser.click("Audit log");
    let rows = browser.texts("tbody tr");
    let by_hand = rows.iter().find(|row| row.contains("127.0.0.1")).unwrap();
    assert!(
        by_hand.contains("office") && by_hand.contains("hedy"),
        "{rows:?}"
    );
    let typed = rows
        .iter()
        .find(|row| row.contains("command line"))
        .unwrap();
    assert!(typed.contains("hedy"), "{rows:?}");
}
