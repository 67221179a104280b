//! Accounts with a password here: made by the office for people of the register, and taken out of use.

use mnetd::store::accounts::AccountRole;

use crate::office::{Office, PASSWORD};
use crate::pages;
use crate::school;

#[test]
fn a_student_with_an_account_sees_her_own_and_nothing_else() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    let browser = &office.browser;
    browser.click("People");
    browser.click("Lovelace, Ada");
    browser.click("Give this person an account with a password here");
    assert_eq!(browser.value("First name"), "Ada");
    assert_eq!(browser.value("May"), "member");
    browser.fill("Password", PASSWORD);
    browser.fill("Password once more", PASSWORD);
    browser.click("Make the account");
    browser.wait_for_text("The account is made.");
    office.sign_out();

    office.sign_in("ada");
    browser.wait_for_path("/mine");
    let biology = browser.row("Biology 7").join(" ");
    assert!(biology.contains("Enrolled"), "{biology}");
    browser.click("My progress report");
    browser.wait_for_heading("Progress report of Ada Lovelace");
    assert_eq!(browser.row("Cell quiz")[..3], ["Cell quiz", "5", "10"]);
    for path in [
        "/people",
        "/sections/1",
        "/sections/1/gradebook",
        "/accounts",
    ] {
        office.goto(path);
        browser.wait_for_heading("Not for you");
        browser.assert_lacks("Turing");
    }
    let own = [
        "/mine",
        "/mine/progress",
        "/mine/transcript",
        "/mine/password",
        "/network",
    ];
    pages::judge(&office, own.into_iter());
}

#[test]
fn an_account_out_of_use_is_signed_out_at_once_and_not_let_in_again() {
    let Some(office) = Office::open() else {
        return;
    };
    office.add_account("grace", AccountRole::Reader);
    let Some(second) = crate::browser::Browser::start() else {
        return;
    };
    let start = office.running.wwwroot();
    second.goto(&format!("{start}/sign-in"));
    second.fill("Username", "grace");
    second.fill("Password", PASSWORD);
    second.click_within("//main", "Sign in");
    second.wait_for_text("Grace of grace");

    let browser = &office.browser;
    browser.click("Administration");
    browser.click("Accounts");
    browser.click("grace");
    browser.click("Let nobody sign in by it any more");
    browser.wait_for_text("Disabled");

    second.goto(&format!("{start}/people"));
    second.wait_for_heading("Sign in");
    second.fill("Username", "grace");
    second.fill("Password", PASSWORD);
    second.click_within("//main", "Sign in");
    second.wait_for_text("Username and password do not fit");
}

#[test]
fn the_office_ends_a_session_somebody_forgot() {
    let Some(office) = Office::open() else {
        return;
    };
    office.add_account("grace", AccountRole::Reader);
    let Some(second) = crate::browser::Browser::start() else {
        return;
    };
    let start = office.running.wwwroot();
    second.goto(&format!("{start}/sign-in"));
    second.fill("Username", "grace");
    second.fill("Password", PASSWORD);
    second.click_within("//main", "Sign in");
    second.wait_for_text("Grace of grace");

    let browser = &office.browser;
    office.goto("/sessions");
    browser.click_in_row("Grace of grace", "End");
    assert_eq!(browser.texts("tbody tr").len(), 1, "the office's own stays");
    second.goto(&format!("{start}/people"));
    second.wait_for_heading("Sign in");
}
