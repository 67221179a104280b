//! Single sign-on out: an account of ours goes over to a Moodle, which asks us who comes.

use mnetd::store::accounts::AccountRole;
use mnetd::xmlrpc::Value;

use crate::office::Office;

#[test]
fn an_account_of_ours_is_greeted_by_a_moodle_and_signed_out_there_with_us() {
    let Some(office) = Office::closed() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    let browser = &office.browser;
    office.add_account("grace", AccountRole::Member);
    office.sign_in("grace");
    browser.click("Network");
    browser.wait_for_text("Moodle of the test");
    browser.assert_accessible("links to other sites");
    browser.click("Moodle of the test");
    browser.wait_for_heading("Moodle of the test");
    browser.wait_for_text("Welcome, Grace of grace (grace, grace@school.example)");

    office.goto("/");
    office.sign_out();
    let killed = moodle.heard("kill_child");
    let [killed] = killed.as_slice() else {
        panic!("kill_child was called {} times", killed.len());
    };
    assert_eq!(killed[0], Value::from("grace"));
}

#[test]
fn who_is_not_signed_in_is_asked_to_and_then_goes_over() {
    let Some(office) = Office::closed() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    office.add_account("grace", AccountRole::Member);
    // As Moodle's own block of network servers links to it.
    let wwwroot: String =
        url::form_urlencoded::byte_serialize(moodle.wwwroot().as_bytes()).collect();
    office.goto(&format!("/auth/mnet/jump.php?hostwwwroot={wwwroot}"));
    office.browser.wait_for_heading("Sign in");
    office.try_to_sign_in("grace", crate::office::PASSWORD);
    office.browser.wait_for_heading("Moodle of the test");
    office
        .browser
        .wait_for_text("Welcome, Grace of grace (grace, grace@school.example)");
}
