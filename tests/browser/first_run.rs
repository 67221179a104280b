//! The first hour: the link in the log makes the first administrator.

use crate::browser::Browser;
use crate::office::PASSWORD;
use crate::support::program::Program;

/// What the log says before the link.
const OFFER: &str = "there is no administrator yet";

#[test]
fn whoever_reads_the_log_becomes_the_first_administrator_once() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let program = Program::new();
    let running = program.serve();
    let line = running.wait_for_line(OFFER);
    let link = &line[line.find("http").unwrap()..];
    let link = link.split([' ', '"']).next().unwrap();

    browser.goto(&running.wwwroot());
    browser.wait_for_text("This site has no administrator yet");

    browser.goto(link);
    browser.wait_for_heading("Set up this site");
    browser.assert_accessible("the first account");
    browser.fill("Username", "office");
    browser.fill("First name", "Grace");
    browser.fill("Last name", "Hopper");
    browser.fill("E-mail address", "office@school.example");
    browser.fill("Password", PASSWORD);
    browser.fill("Password once more", "four words are lost");
    browser.click("Make the account");
    browser.wait_for_text("The two passwords are not the same");
    assert_eq!(browser.value("First name"), "Grace", "what was typed stays");
    assert_eq!(browser.value("Password"), "", "but for the passwords");
    browser.assert_accessible("the first account, with a problem");

    browser.fill("Password", PASSWORD);
    browser.fill("Password once more", PASSWORD);
    browser.click("Make the account");
    browser.wait_for_text("Your account is made, and you are signed in.");
    browser.wait_for_text("Grace Hopper");

    browser.goto(link);
    browser.wait_for_heading("That cannot be used");
    browser.assert_accessible("a link that was used");
}

#[test]
fn a_new_administrator_reads_what_to_do_in_moodle() {
    let Some(office) = crate::office::Office::open() else {
        return;
    };
    let browser = &office.browser;
    office.goto("/");
    browser.click("The first steps");
    browser.wait_for_heading("Connect a Moodle");
    browser.wait_for_text(&office.running.wwwroot());
    browser.wait_for_text(&office.running.certificate().fingerprint().to_string());
    // The menus of Moodle, word for word.
    browser.wait_for_text("Site administration › Networking › Manage peers");
    for label in ["Hostname", "Application type", "Public key"] {
        browser.wait_for_text(label);
    }
    browser.screenshot("first-run");
}

#[test]
fn a_guessed_link_makes_nobody_an_administrator() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let program = Program::new();
    let running = program.serve();
    browser.goto(&format!(
        "{}/setup?token={}",
        running.wwwroot(),
        "0".repeat(64)
    ));
    browser.wait_for_heading("That cannot be used");
    browser.assert_lacks("Make the account");
}
