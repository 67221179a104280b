//! Accounts, sessions and the right to sign in, on the command line beside the running server.

mod support;

use mnetd::store::{Store, audit};
use nix::unistd::{Uid, User};
use reqwest::StatusCode;
use support::program::Program;
use support::site::{NOW, Site, Stranger, user};
use support::sso::{SSO, person_signed_in, stored, take_up};
use support::visitor::{PASSWORD, Visitor};

fn add(program: &Program, name: &str) {
    let arguments = ["admin", "add", name, "--password-stdin"];
    let ran = program.run_with_input(&arguments, &format!("{PASSWORD}\n"));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn an_account_made_beside_the_server_can_be_signed_in_to_at_once() {
    let program = Program::new();
    let server = program.serve();
    add(&program, "head");
    let mut visitor = Visitor::signed_in(&server.wwwroot(), "head").await;
    let sessions = program.run(&["session", "list", "--format", "json"]).json();
    assert_eq!(sessions[0]["username"], "head");
    assert_eq!(sessions[0]["address"], "127.0.0.1");

    program.done(&["session", "end", "--user", "head"]);
    assert!(visitor.get("/").await.text.contains("Sign in"));
    let ran = program.run(&["session", "end", "--user", "head"]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("no live session of head"), "{}", ran.err);
}

#[tokio::test]
async fn another_password_ends_the_sessions_begun_by_the_old_one() {
    let program = Program::new();
    let server = program.serve();
    add(&program, "head");
    let mut visitor = Visitor::signed_in(&server.wwwroot(), "head").await;
    let arguments = ["admin", "password", "head", "--password-stdin"];
    let ran = program.run_with_input(&arguments, "another long password\n");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(visitor.get("/").await.text.contains("Sign in"));
    let old = visitor.sign_in("head", PASSWORD).await;
    assert_eq!(old.status, StatusCode::FORBIDDEN);
    let new = visitor.sign_in("head", "another long password").await;
    assert_eq!(new.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let program = Program::new();
    let server = program.serve();
    add(&program, "head");
    let ran = program.run(&["admin", "disable", "head"]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("last administrator"), "{}", ran.err);

    add(&program, "deputy");
    program.done(&["admin", "disable", "head"]);
    let mut visitor = Visitor::new(&server.wwwroot());
    let page = visitor.sign_in("head", PASSWORD).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    program.done(&["admin", "enable", "head"]);
    Visitor::signed_in(&server.wwwroot(), "head").await;
}

#[test]
fn what_cannot_be_an_account_is_told_in_words() {
    let program = Program::with_register();
    let refused = |name: &str, password: &str, words: &str| {
        let arguments = ["admin", "add", name, "--password-stdin"];
        let ran = program.run_with_input(&arguments, &format!("{password}\n"));
        assert_ne!(ran.code, 0, "{name}");
        assert!(ran.err.contains(words), "{name}: {}", ran.err);
    };
    refused("Head Teacher", PASSWORD, "small letters");
    refused("head", "short", "at least 12");
    refused("head", "", "at least 12");
    add(&program, "head");
    refused("head", PASSWORD, "already");
    let ran = program.run(&["admin", "add", "other"]);
    assert_eq!(ran.code, 2, "a password is never taken from the arguments");
}

#[test]
fn the_right_to_sign_in_is_given_by_group_and_by_person() {
    let program = Program::new();
    program.serve();
    let groups = || program.run(&["signin", "list", "--format", "json"]).json();
    assert_eq!(groups().as_array().unwrap().len(), 0);
    program.done(&["signin", "allow", "--group", "teacher"]);
    assert_eq!(groups()[0]["group"], "teacher");
    assert_eq!(groups()[0]["peer"], "every");
    program.done(&["signin", "deny", "--group", "teacher"]);
    assert_eq!(groups().as_array().unwrap().len(), 0);

    let ran = program.run(&["signin", "allow", "--user", "nobody"]);
    assert_ne!(ran.code, 0);
    assert!(ran.err.contains("nobody in the register"), "{}", ran.err);
    assert_eq!(program.run(&["signin", "allow"]).code, 2);
    let both = ["signin", "allow", "--group", "student", "--user", "x"];
    assert_eq!(program.run(&both).code, 2);
}

#[tokio::test]
async fn what_is_taken_away_on_the_command_line_ends_sessions() {
    let program = Program::new();
    let server = program.serve();
    let site = Site::beside(program.directory(), &server.wwwroot(), NOW);
    let moodle = "https://moodle.example";
    let peer = site.befriend(&Stranger::new(moodle), &SSO);
    let person = take_up(&site, Some(peer), user("tom"));
    let allow = ["signin", "allow", "--user", "tom"];
    for deed in [
        &["signin", "deny", "--user", "tom"][..],
        &["peer", "allow", moodle, "sso_idp", "--subscribe=false"][..],
        &["peer", "remove", moodle, "--yes"][..],
    ] {
        program.done(&allow);
        let session = person_signed_in(&site, person, peer).session.id;
        program.done(&allow);
        program.done(&["signin", "deny", "--group", "teacher"]);
        assert_eq!(stored(&site, session).ended_at, None);
        program.done(deed);
        assert!(stored(&site, session).ended_at.is_some(), "{deed:?}");
        if deed[1] == "allow" {
            program.done(&["peer", "allow", moodle, "sso_idp", "--subscribe"]);
        }
    }
}

#[test]
fn what_is_done_to_keys_and_addresses_is_noted_in_the_name_the_system_knows() {
    let program = Program::with_register();
    let rotate = program.run_under("USER", "somebody else", &["key", "rotate"]);
    assert_eq!(rotate.code, 0, "{rotate:?}");
    let address = ["peer", "clear-text", "192.0.2.7"];
    let allowed = program.run_under("SUDO_USER", "anna", &address);
    assert_eq!(allowed.code, 0, "{allowed:?}");

    let user = User::from_uid(Uid::current()).unwrap().unwrap().name;
    let deeds = deeds(&program);
    let expected = [
        (format!("{user} (sudo: anna)"), "calls in the clear allowed"),
        (user, "key rotated"),
    ];
    let noted: Vec<_> = deeds
        .iter()
        .map(|deed| (deed.actor.clone(), deed.action.as_str()))
        .collect();
    assert_eq!(noted, expected);
    assert!(deeds[1].details.contains("fingerprint"));
}

fn deeds(program: &Program) -> Vec<audit::Entry> {
    let store = Store::open(&program.directory().join("mnetd.db")).unwrap();
    store.read_blocking(|tx| audit::list(tx, None, 9)).unwrap()
}
