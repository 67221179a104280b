//! `mnetd report` as an administrator types it.

#![allow(clippy::unwrap_used)] // a test fails by a panic

mod school;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use mnetd::register::{self, Author, Call, RegisterError};
use mnetd::store::Store;
use mnetd::store::peers::{self, Application, NewPeer, TextDialect};
use mnetd::xmlrpc::Value;
use school::{START, enrolment, grade, user};
use support::program::Program;

/// A day after all that the register holds was written down: 2027-01-15T08:00:00Z.
const THEN: &str = "2027-01-16";

/// A register with one student in one section, and a second peer that uses the same id for somebody else.
fn register() -> Program {
    let program = Program::new();
    let store = Store::open(&program.directory().join("mnetd.db")).unwrap();
    let peer = |wwwroot: &'static str| {
        let insert = move |tx: &mnetd::store::WriteTx<'_>| {
            let peer = NewPeer {
                wwwroot,
                name: "A Moodle",
                application: Application::Moodle,
                certificate: None,
                text_dialect: TextDialect::Utf8,
            };
            Ok::<_, RegisterError>(peers::insert(tx, &peer, START)?)
        };
        Author::Peer {
            id: store.write_blocking(insert).unwrap(),
        }
    };
    let call = |author: &Author, method: &str, argument: Value| {
        let (author, call) = (author.clone(), Call::parse(method, &[argument]).unwrap());
        let call = call.unwrap();
        let apply =
            move |tx: &mnetd::store::WriteTx<'_>| register::apply(tx, &author, &call, START);
        store.write_blocking(apply).unwrap();
    };
    let first = peer("https://moodle.example.org");
    call(&first, "fetch_user", user("U1", "uma"));
    call(
        &first,
        "new_section",
        record! {"idnumber": "S1", "name": "Biology"},
    );
    call(&first, "new_enrolment", enrolment("U1", "student"));
    let quiz = record! {"idnumber": "A1", "sectionid": "S1", "name": "Quiz", "pointval": 10};
    call(&first, "new_assessment", quiz);
    call(&first, "new_grade", grade("U1", 7.5));
    call(
        &peer("https://second.example.org"),
        "fetch_user",
        user("U1", "umberto"),
    );
    program
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn a_student_is_named_by_username_row_or_id_of_a_peer() {
    let program = register();
    for named in [
        &["uma"][..],
        &["#1"],
        &["U1", "--peer", "https://moodle.example.org"],
    ] {
        let arguments = [&["report", "progress", "--at", THEN], named].concat();
        let out = program.done(&arguments);
        let row = out.lines().find(|line| line.contains("Quiz")).unwrap();
        assert_eq!(words(row), ["Quiz", "7.5", "10", "75", "1"], "{out}");
    }
    let refused = program.run(&["report", "progress", "U1"]);
    assert_eq!(refused.code, 1);
    for peer in ["https://moodle.example.org", "https://second.example.org"] {
        assert!(refused.err.contains(peer), "{}", refused.err);
    }
}

#[test]
fn a_date_before_anything_was_written_down_finds_nothing() {
    let program = register();
    let out = program.done(&["report", "progress", "uma", "--at", "2026-12-31"]);
    assert!(out.contains("none at this date"), "{out}");
    let out = program.done(&["report", "class", "S1", "--at", "2027-01-15T07:59:59Z"]);
    assert!(!out.contains("uma"), "{out}");
    let out = program.done(&["report", "class", "S1", "--at", "2027-01-15T08:00:00Z"]);
    assert!(out.contains("uma"), "{out}");
}

#[test]
fn json_and_csv_are_for_programs() {
    let program = register();
    let out = program.done(&[
        "report",
        "transcript",
        "uma",
        "--at",
        THEN,
        "--format",
        "json",
    ]);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(json["person"]["idnumber"], "U1");
    assert_eq!(json["person"]["peer"], "https://moodle.example.org");
    let course = &json["terms"][0]["courses"][0];
    assert_eq!(json["terms"][0]["segment"], serde_json::Value::Null);
    assert_eq!(course["section"]["name"], "Biology");
    assert_eq!(course["enrolment"]["status"]["code"], "a");
    assert_eq!(course["enrolment"]["began"], START.0);
    assert_eq!(course["total"]["percent"], 75.0);

    let out = program.done(&["report", "class", "S1", "--at", THEN, "--format", "csv"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(
        lines[0].starts_with("sectionid,section,role,idnumber"),
        "{out}"
    );
    assert!(lines[1].starts_with("S1,Biology,student,U1,uma,Kari,Nordmann,kari@example.org"));
}

#[test]
fn a_file_is_its_owners_alone() {
    let program = register();
    let file = program.directory().join("uma.pdf");
    let path = file.to_str().unwrap();
    let out = program.done(&[
        "report", "progress", "uma", "--at", THEN, "--format", "pdf", "--output", path,
    ]);
    assert_eq!(out, "");
    assert!(fs::read(&file).unwrap().starts_with(b"%PDF-"));
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let nowhere = program.directory().join("no/such/folder.csv");
    let refused = program.run(&[
        "report",
        "class",
        "S1",
        "--format",
        "csv",
        "--output",
        nowhere.to_str().unwrap(),
    ]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("cannot be written"), "{}", refused.err);
}

#[test]
fn what_is_not_there_or_no_date_is_said_so() {
    let program = register();
    for (arguments, code, said) in [
        (["report", "progress", "nobody"].as_slice(), 1, "“nobody”"),
        (&["report", "transcript", "#99"], 1, "#99"),
        (&["report", "class", "S9"], 1, "“S9”"),
        (
            &["report", "class", "S1", "--at", "tomorrow"],
            2,
            "“tomorrow”",
        ),
        (
            &["report", "class", "S1", "--peer", "https://nobody.example"],
            1,
            "nobody.example",
        ),
    ] {
        let ran = program.run(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(said) && ran.out.is_empty(), "{ran:?}");
    }
}
