//! Remote enrolment: accounts of ours in a course of a peer, and sections of ours offered to a peer.

use mnetd::store::accounts::AccountRole;
use mnetd::xmlrpc::Value;

use crate::office::Office;
use crate::school;

#[test]
fn the_office_enrols_an_account_in_a_course_of_a_peer_and_takes_it_out_again() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    office.add_account("grace", AccountRole::Member);
    let browser = &office.browser;
    office.goto("/peers/1/courses");
    browser.click("Ask Moodle of the test again");
    let course = browser.row("Latin for beginners").join(" ");
    assert!(course.contains("Languages"), "{course}");
    browser.assert_accessible("a peer's courses");
    browser.click("Latin for beginners");
    browser.fill("Account", "grace");
    browser.click("Enrol");
    let row = browser.row("grace").join(" ");
    assert!(row.contains("from here"), "{row}");
    browser.assert_accessible("a peer's course");
    let enrolled = moodle.heard("enrol_user");
    assert_eq!(enrolled[0][0].get("username"), Some(&Value::from("grace")));

    browser.click("Ask Moodle of the test who is in it");
    browser.row("grace");
    browser.click_in_row("grace", "Unenrol");
    browser.wait_for_text("None, as far as is known here.");
    assert_eq!(moodle.heard("unenrol_user").len(), 1);
}

#[test]
fn a_section_is_offered_to_a_peer_until_the_tick_is_taken_away() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    let offered = || {
        let answer = moodle.call("enrol/mnet/enrol.php/available_courses", Vec::new());
        answer.value().to_list().unwrap().len()
    };
    assert_eq!(offered(), 0);
    let browser = &office.browser;
    for (on, count) in [(true, 1), (false, 0)] {
        office.goto("/sections/1");
        browser.click("Offer to peers");
        browser.tick("Moodle of the test", on);
        browser.click("Save");
        browser.wait_for_text("Saved.");
        assert_eq!(offered(), count);
    }
}
