//! Single sign-on in: a user of a Moodle comes over, and is known here without a password.

use mnetd::xmlrpc::Value;

use crate::moodle::Moodle;
use crate::office::Office;
use crate::school;

const ADA: [(&str, &str); 5] = [
    ("username", "ada"),
    ("firstname", "Ada"),
    ("lastname", "Lovelace"),
    ("email", "ada@moodle.example"),
    ("idnumber", "S-1001"),
];

/// An office with nobody signed in, and a Moodle where Ada is.
fn office_and_moodle() -> Option<(Office, Moodle)> {
    let office = Office::closed()?;
    let moodle = office.moodle("Moodle of the test");
    moodle.sign_in(&ADA);
    Some((office, moodle))
}

#[test]
fn a_student_without_the_right_reads_who_can_grant_it() {
    let Some((office, moodle)) = office_and_moodle() else {
        return;
    };
    let browser = &office.browser;
    browser.goto(&moodle.jump());
    browser.wait_for_path("/auth/mnet/land.php");
    browser.wait_for_text("Ada Lovelace");
    browser.wait_for_text("has no right to sign in");
    browser.wait_for_text("An administrator of this site can give it");
    browser.assert_lacks("Sign out");
    browser.assert_accessible("a landing without the right to sign in");
    assert_eq!(moodle.heard("user_authorise").len(), 1);
}

#[test]
fn a_student_with_the_right_is_in_and_goes_back_where_she_came_from() {
    let Some((office, moodle)) = office_and_moodle() else {
        return;
    };
    let browser = &office.browser;
    browser.goto(&moodle.jump());
    browser.wait_for_text("has no right to sign in");
    // She is in the register now, and the office gives her the right.
    office.sign_in("office");
    browser.click("People");
    browser.click("Lovelace, Ada");
    browser.choose("This person", "may sign in");
    browser.click("Save");
    browser.wait_for_text("May sign in here, coming from Moodle of the test");
    office.sign_out();

    browser.goto(&moodle.jump());
    browser.wait_for_text("Sign out");
    browser.wait_for_text("Ada Lovelace");
    browser.wait_for_text("You came from Moodle of the test – go back");
    browser.assert_accessible("the page of a student who came from a Moodle");
    browser.click("go back");
    browser.wait_for_heading("Moodle of the test");

    // Still signed in here, until she signs out: then everywhere, and back at her own site.
    office.goto("/");
    browser.click("Sign out");
    browser.wait_for_heading("Moodle of the test");
    assert!(browser.address().as_str().starts_with(moodle.wwwroot()));
    let killed = moodle.heard("kill_children");
    let [killed] = killed.as_slice() else {
        panic!("kill_children was called {} times", killed.len());
    };
    assert_eq!(killed[0], Value::from("ada"));
    let authorised = moodle.heard("user_authorise");
    assert_eq!(killed[1], authorised[0][1], "the same browser");
    office.goto("/");
    browser.assert_lacks("Ada Lovelace");
}

#[test]
fn a_link_from_a_moodle_works_once() {
    let Some((office, moodle)) = office_and_moodle() else {
        return;
    };
    let browser = &office.browser;
    browser.goto(&moodle.jump());
    browser.wait_for_text("has no right to sign in");
    let link = browser.address();
    office.program.done(&["signin", "allow", "--user", "ada"]);
    browser.goto(link.as_str());
    browser.wait_for_text("This link was used already");
    browser.assert_lacks("Sign out");
    browser.assert_accessible("a link that was used");
}

#[test]
fn whoever_was_signed_in_before_is_signed_out_first() {
    let Some((office, moodle)) = office_and_moodle() else {
        return;
    };
    let browser = &office.browser;
    office.sign_in("office");
    browser.goto(&moodle.jump());
    office.goto("/");
    browser.assert_lacks("Grace of office");
}

#[test]
fn a_student_whose_group_has_the_right_is_in_until_she_leaves_the_school() {
    let Some((office, moodle)) = office_and_moodle() else {
        return;
    };
    school::tell(&moodle);
    let browser = &office.browser;
    office.sign_in("office");
    office.goto("/sign-in-rights");
    browser.tick("Students, Moodle of the test", true);
    browser.click("Save");
    office.sign_out();
    browser.goto(&moodle.jump());
    browser.wait_for_path("/mine");
    browser.wait_for_text("Biology 7");

    for [section, ..] in school::SECTIONS {
        let dropped = [
            ("sectionid", section),
            ("userid", "S-1001"),
            ("role", "student"),
        ];
        moodle.tell("drop_enrolment", &dropped);
    }
    browser.goto(&moodle.jump());
    browser.wait_for_text("has no right to sign in");
}
