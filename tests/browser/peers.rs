//! Peers: another mnetd becomes a peer, and both sides agree on what each may do.

use crate::office::Office;
use crate::school::{self, STUDENTS};
use crate::support::program::Program;

#[test]
fn a_peer_is_added_after_its_fingerprint_was_shown_and_then_answers() {
    let Some(office) = Office::open() else {
        return;
    };
    let neighbour = Program::new();
    let there = neighbour.serve();
    let browser = &office.browser;
    browser.click("Peers");
    browser.wait_for_text("No peer is registered yet.");
    browser.click("Add a peer");
    browser.fill("Address of the other site", &there.wwwroot());
    browser.click("Ask the site");
    browser.wait_for_text("Compare the fingerprint before you agree.");
    browser.wait_for_text(&there.certificate().fingerprint().to_string());
    browser.assert_accessible("a peer's fingerprint");
    // Nothing is stored yet.
    let list = office.program.done(&["peer", "list", "--format", "json"]);
    assert!(!list.contains(&there.wwwroot()), "{list}");
    browser.click("The fingerprint is right: add this peer");
    browser.wait_for_text("The peer is added.");

    // A call before the other side knows us tells what to do.
    browser.click("Check now");
    browser.wait_for_text("The check failed; below is why.");
    browser.assert_accessible("a peer that does not answer");
    neighbour.done(&["peer", "add", &office.running.wwwroot(), "--yes"]);
    browser.click("Check now");
    browser.wait_for_text("The peer answered, signed and sealed.");
    browser.wait_for_text("it answered, signed and sealed with the key known here");

    // The matrix: what is ticked here and there, and what does not fit.
    let register = browser.row("School register").join(" ");
    assert!(register.contains("published to us"), "{register}");
    let identity = browser.row("SSO (Identity Provider)").join(" ");
    assert!(identity.contains("not published to us"), "{identity}");
    neighbour.done(&[
        "peer",
        "allow",
        &office.running.wwwroot(),
        "sso_idp",
        "--publish",
    ]);
    browser.click("Check now");
    browser.wait_for_text("The peer answered, signed and sealed.");
    let identity = browser.row("SSO (Identity Provider)").join(" ");
    assert!(!identity.contains("not published to us"), "{identity}");

    browser.click("Peers");
    let listed = browser.row(&there.wwwroot()).join(" ");
    assert!(listed.contains("register"), "{listed}");
}

#[test]
fn boxes_that_are_ticked_hold_at_once() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    let browser = &office.browser;
    browser.click("Peers");
    browser.click("Moodle of the test");
    browser.tick("Publish register: the peer may call us", false);
    browser.click("Save the services");
    browser.wait_for_text("The services are saved, and hold from now on.");
    let answer = moodle.call("register/fetch_user", vec![school::user(&STUDENTS[0])]);
    assert_eq!(answer.fault(), 707);
    // Who did it is written down.
    browser.click("Administration");
    browser.click("Audit log");
    let deed = browser.row("peer services set").join(" ");
    assert!(deed.contains("office"), "{deed}");
}

#[test]
fn an_address_where_nobody_answers_is_told_in_words() {
    let Some(office) = Office::open() else {
        return;
    };
    let browser = &office.browser;
    office.goto("/peers/add");
    // The discard port, where nothing listens.
    browser.fill("Address of the other site", "http://127.0.0.1:9");
    browser.click("Ask the site");
    browser.wait_for_text("127.0.0.1:9");
    assert_eq!(browser.texts("[role=alert]").len(), 1);
    assert_eq!(
        browser.value("Address of the other site"),
        "http://127.0.0.1:9"
    );
    browser.assert_accessible("a peer that cannot be reached");
}

#[test]
fn a_removed_peer_may_do_nothing_more_and_what_it_sent_stays() {
    let Some(office) = Office::open() else {
        return;
    };
    let moodle = office.moodle("Moodle of the test");
    school::tell(&moodle);
    let browser = &office.browser;
    browser.click("Peers");
    browser.click("Moodle of the test");
    browser.click("Remove this peer …");
    browser.wait_for_text("What it sent stays in the register.");
    browser.click_within("//main", "Remove this peer");
    browser.wait_for_heading("Peers");
    browser.wait_for_text("No peer is registered yet.");
    browser.click("People");
    browser.wait_for_text("Lovelace, Ada");
}
