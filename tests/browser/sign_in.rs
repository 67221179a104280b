//! Signing in by password, and out again.

use crate::browser::Browser;
use crate::office::{Office, PASSWORD};

/// Wrong passwords for one account before it has to wait.
const ATTEMPTS: usize = 5;

#[test]
fn a_wrong_password_is_told_and_the_right_one_lets_in() {
    let Some(office) = Office::closed() else {
        return;
    };
    let browser = &office.browser;
    office.goto("/");
    browser.click_within("//main", "Sign in");
    browser.wait_for_heading("Sign in");
    browser.assert_accessible("sign-in");
    browser.screenshot("sign-in");

    office.try_to_sign_in("office", "four words are lost");
    browser.wait_for_text("Username and password do not fit");
    assert_eq!(browser.value("Username"), "office");
    assert_eq!(browser.value("Password"), "");
    browser.assert_accessible("sign-in, with a problem");

    office.try_to_sign_in("office", PASSWORD);
    browser.wait_for_text("Grace of office");
}

#[test]
fn somebody_signed_out_is_led_to_the_page_asked_for() {
    let Some(office) = Office::closed() else {
        return;
    };
    office.goto("/people?q=Ada");
    office.browser.wait_for_heading("Sign in");
    office.try_to_sign_in("office", PASSWORD);
    office.browser.wait_for_path("/people");
    assert_eq!(office.browser.address().query(), Some("q=Ada"));
}

#[test]
fn after_signing_out_nothing_of_the_school_can_be_called_back() {
    let Some(office) = Office::open() else {
        return;
    };
    let browser = &office.browser;
    office.goto("/people");
    browser.wait_for_heading("People");
    office.sign_out();
    browser.assert_lacks("Grace of office");
    browser.back();
    browser.wait_for_heading("Sign in");
    office.goto("/people");
    browser.wait_for_heading("Sign in");
}

#[test]
fn who_guesses_passwords_has_to_wait_even_with_the_right_one() {
    let Some(office) = Office::closed() else {
        return;
    };
    let browser = &office.browser;
    office.goto("/sign-in");
    for _ in 0..ATTEMPTS {
        office.try_to_sign_in("office", "four words are lost");
        browser.wait_for_text("Username and password do not fit");
        office.goto("/sign-in");
    }
    office.try_to_sign_in("office", PASSWORD);
    browser.wait_for_text("There were too many attempts; try again in");
    browser.assert_accessible("sign-in, throttled");
    browser.assert_lacks("Sign out");
}

#[test]
fn signing_in_and_out_needs_no_script() {
    let Some(browser) = Browser::without_scripts() else {
        return;
    };
    let office = Office::with(browser);
    office.sign_in("office");
    office.goto("/people");
    office.browser.wait_for_heading("People");
    office.sign_out();
}
