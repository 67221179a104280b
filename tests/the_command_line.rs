//! The program as an administrator types it: what it prints, what it exits with, and how commands and
//! a running server work on one directory.

mod support;

use std::os::unix::fs::PermissionsExt;

use mnetd::keys::Certificate;
use serde_json::json;
use support::program::{Program, Running, word_after};

/// Two servers that know each other.
struct Two {
    here: Program,
    there: Program,
    here_running: Running,
    there_running: Running,
}

impl Two {
    fn new() -> Self {
        let (here, there) = (Program::new(), Program::new());
        let (here_running, there_running) = (here.serve(), there.serve());
        let added = here.done(&["peer", "add", &there_running.wwwroot(), "--yes"]);
        assert_eq!(word_after(&added, "wwwroot:"), there_running.wwwroot());
        assert_eq!(
            word_after(&added, "fingerprint:"),
            there_running.certificate().fingerprint().to_string()
        );
        there.done(&["peer", "add", &here_running.wwwroot(), "--yes"]);
        Self {
            here,
            there,
            here_running,
            there_running,
        }
    }
}

#[test]
fn what_was_typed_wrongly_exits_with_2_and_what_failed_with_1() {
    let program = Program::with_register();
    let nobody = "http://nobody.example";
    let wrongly: [&[&str]; 15] = [
        &[],
        &["sing"],
        &["peer"],
        &["serve", "--listen", "everywhere"],
        &["serve", "--key-lifetime-days", "0"],
        &["key", "show", "--config", "no-such.toml"],
        &["key", "show", "--log", "=&="],
        &["key", "show", "--log", "loud"],
        &["key", "show", "--wwwroot", "http://0.0.0.0:8080"],
        &["peer", "show", "no address"],
        &["peer", "add", "https://user@moodle.example"],
        &["peer", "add", "moodle.example"],
        &["peer", "add", "https://moodle.example/admin"],
        &["peer", "list", "--format", "verse"],
        &["peer", "allow", nobody, "--publish"],
    ];
    for arguments in wrongly {
        let ran = program.run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(!ran.err.is_empty() && ran.out.is_empty(), "{ran:?}");
    }
    let failing: [&[&str]; 5] = [
        &["peer", "show", nobody],
        &["peer", "remove", nobody, "--yes"],
        &["peer", "allow", nobody, "register", "--publish"],
        &["call", nobody, "system/listServices"],
        &["doctor", nobody],
    ];
    for arguments in failing {
        let ran = program.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {ran:?}");
        assert!(ran.err.starts_with("mnetd: "), "{ran:?}");
        assert!(ran.err.contains(nobody), "{ran:?}");
    }
    assert!(program.done(&["--version"]).starts_with("mnetd "));
    assert!(program.done(&["--help"]).contains("doctor"));
}

#[test]
fn a_mistake_in_the_file_is_told_with_its_place() {
    let program = Program::with_register();
    let file = program.directory().join("mnetd.toml");
    std::fs::write(&file, "wwwroot = \"https://register.example\"\n").unwrap();
    let shown = program.done(&["key", "show"]);
    assert_eq!(word_after(&shown, "wwwroot:"), "https://register.example");
    // What is typed stands over the file.
    let shown = program.done(&["key", "show", "--wwwroot", "https://other.example"]);
    assert_eq!(word_after(&shown, "wwwroot:"), "https://other.example");

    std::fs::write(&file, "wwwrot = \"https://register.example\"\n").unwrap();
    let ran = program.run(&["key", "show"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.err.contains("wwwrot") && ran.err.contains("mnetd.toml"),
        "{ran:?}"
    );
}

#[test]
fn keys_are_shown_listed_and_rotated() {
    let program = Program::with_register();
    let shown = program.done(&["key", "show"]);
    let first = Certificate::parse(&shown[shown.find("-----BEGIN").unwrap()..]).unwrap();
    let fingerprint = first.fingerprint().to_string();
    assert_eq!(word_after(&shown, "fingerprint:"), fingerprint);

    let rotated = program.done(&["key", "rotate"]);
    let present = word_after(&rotated, "fingerprint:");
    assert_ne!(present, fingerprint);

    let list = program.run(&["key", "list", "--format", "json"]).json();
    let of = |place: usize, name: &str| list[place][name].as_str();
    assert_eq!(list.as_array().unwrap().len(), 2);
    assert_eq!(of(0, "state"), Some("present"));
    assert_eq!(of(0, "fingerprint"), Some(present));
    assert_eq!(of(0, "replaced"), None);
    assert_eq!(of(1, "state"), Some("old"));
    assert_eq!(of(1, "fingerprint"), Some(&*fingerprint));
    assert!(of(1, "replaced").is_some());

    let csv = program.done(&["key", "list", "--format", "csv"]);
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "{csv}");
    assert_eq!(lines[0], "state,fingerprint,valid_from,expires,replaced");
    assert!(
        lines[1].starts_with(&format!("present,{present},")),
        "{csv}"
    );
    // Private keys stay in their files.
    for printed in [&shown, &rotated, &csv] {
        assert!(!printed.contains("PRIVATE"), "{printed}");
    }
}

#[test]
fn the_server_says_where_it_listens_and_stops_when_told() {
    let program = Program::new();
    let running = program.serve();
    assert_ne!(running.address.port(), 0);
    assert_eq!(running.get("/healthz"), "ok");
    // Nobody named a wwwroot: it is the address, and the certificate bears it.
    assert_eq!(running.certificate().common_name(), running.wwwroot());

    let taken = Program::new().run(&["serve", "--listen", &running.address.to_string()]);
    assert_eq!(taken.code, 1, "{taken:?}");
    assert!(taken.err.starts_with("mnetd: --listen: "), "{taken:?}");
    assert!(
        taken.err.contains("Another program listens there"),
        "{taken:?}"
    );
    // 192.0.2.0/24 is for examples (RFC 5737): no machine has it.
    let nowhere = Program::new().run(&["serve", "--listen", "192.0.2.1:8080"]);
    assert!(nowhere.err.contains("no such address"), "{nowhere:?}");

    // A command typed beside it needs no --wwwroot.
    let shown = program.done(&["key", "show"]);
    assert_eq!(word_after(&shown, "wwwroot:"), running.wwwroot());

    let (address, certificate) = (running.address, running.certificate());
    assert_eq!(running.stop(), Some(0));
    let again = program.serve_at(&address.to_string());
    assert_eq!(again.certificate(), certificate);
}

#[test]
fn peers_are_added_listed_allowed_and_removed() {
    let two = Two::new();
    let (here, there) = (&two.here, two.there_running.wwwroot());

    let ran = here.run(&["peer", "add", &there, "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("is a peer already"), "{ran:?}");
    let ours = two.here_running.wwwroot();
    assert_eq!(here.run(&["peer", "add", &ours, "--yes"]).code, 1);

    let list = here.run(&["peer", "list", "--format", "json"]).json();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["wwwroot"], json!(there));
    assert_eq!(list[0]["application"], json!("moodle"));
    let services = json!([
        "register (published, subscribed)",
        "sso_idp (subscribed)",
        "sso_sp (published)"
    ]);
    assert_eq!(list[0]["services"], services);

    let csv = here.done(&["peer", "list", "--format", "csv"]);
    let lines: Vec<_> = csv.lines().collect();
    assert_eq!(lines.len(), 2, "{csv}");
    assert_eq!(
        lines[0],
        "wwwroot,name,application,services,certificate_expires,last_contact"
    );
    assert!(lines[1].starts_with(&there), "{csv}");

    let shown = here.done(&["peer", "allow", &there, "mnet_enrol", "--publish"]);
    assert!(shown.contains("mnet_enrol (published)"), "{shown}");
    let shown = here.done(&["peer", "allow", &there, "register", "--publish", "false"]);
    assert!(shown.contains("register (subscribed)"), "{shown}");
    let shown = here.done(&[
        "peer",
        "allow",
        &there,
        "--from",
        "192.0.2.0/24",
        "--dialect",
        "old-php",
    ]);
    assert!(shown.contains("192.0.2.0/24"), "{shown}");
    assert!(shown.contains("old-php (set by hand)"), "{shown}");
    let shown = here.done(&[
        "peer",
        "allow",
        &there,
        "--from",
        "any",
        "--dialect",
        "auto",
    ]);
    assert!(!shown.contains("192.0.2.0/24"), "{shown}");
    assert!(shown.contains("utf8 (found out)"), "{shown}");
    let ran = here.run(&["peer", "allow", &there, "regster", "--publish"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.err.contains("register") && ran.err.contains("--force"),
        "{ran:?}"
    );
    let shown = here.done(&[
        "peer",
        "allow",
        &there,
        "plugins_own",
        "--publish",
        "--force",
    ]);
    assert!(shown.contains("plugins_own (published)"), "{shown}");
    // What it has can be taken back as it stands.
    here.done(&["peer", "allow", &there, "plugins_own", "--publish", "false"]);
    for (option, word) in [("--from", "here"), ("--dialect", "klingon")] {
        let ran = here.run(&["peer", "allow", &there, option, word]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains(word), "{ran:?}");
    }

    // With nobody to ask, nothing is done.
    assert_eq!(here.run(&["peer", "remove", &there]).code, 2);
    here.done(&["peer", "show", &there]);
    here.done(&["peer", "remove", &there, "--yes"]);
    assert_eq!(here.run(&["peer", "show", &there]).code, 1);
    assert_eq!(here.done(&["peer", "list"]).trim(), "none");
    here.done(&["peer", "add", &there, "--yes"]);
}

#[test]
fn with_nobody_to_ask_no_peer_is_added() {
    let (here, there) = (Program::with_register(), Program::new());
    let there = there.serve();
    let ran = here.run(&["peer", "add", &there.wwwroot()]);
    assert_eq!(ran.code, 2, "{ran:?}");
    // The fingerprint was shown, so that it can be compared.
    let fingerprint = there.certificate().fingerprint().to_string();
    assert_eq!(word_after(&ran.out, "fingerprint:"), fingerprint);
    assert_eq!(here.done(&["peer", "list"]).trim(), "none");
}

#[test]
fn addresses_that_may_call_in_the_clear_are_listed() {
    let program = Program::with_register();
    assert!(program.done(&["peer", "clear-text"]).contains("No address"));
    let listed = program.done(&["peer", "clear-text", "192.0.2.7"]);
    assert_eq!(listed.trim(), "192.0.2.7/32");
    let listed = program.done(&["peer", "clear-text", "192.0.2.7", "--remove"]);
    assert!(listed.contains("No address"), "{listed}");
    assert_eq!(program.run(&["peer", "clear-text", "anywhere"]).code, 2);
}

#[test]
fn a_peer_is_called_and_its_answer_printed() {
    let two = Two::new();
    let there = two.there_running.wwwroot();
    let services = two.here.run(&["call", &there, "system/listServices"]);
    assert_eq!(services.code, 0, "{services:?}");
    let service = |name, publish, subscribe| json!({"name": name, "apiversion": "1", "publish": publish, "subscribe": subscribe});
    assert_eq!(
        services.json(),
        json!([
            service("register", "1", "1"),
            service("sso_idp", "0", "1"),
            service("sso_sp", "1", "0")
        ])
    );

    let section = r#"{"idnumber": "s1", "name": "Zoës Ōta 日本"}"#;
    let created = two
        .here
        .run(&["call", &there, "register/new_section", section]);
    assert_eq!(created.json()["status"], json!("created"), "{created:?}");
    let sections = two.there.run(&["register", "sections", "--format", "json"]);
    let sections = sections.json();
    assert_eq!(sections[0]["name"], json!("Zoës Ōta 日本"), "{sections}");
    assert_eq!(sections[0]["peer"], json!(two.here_running.wwwroot()));

    let ran = two
        .here
        .run(&["call", &there, "local/none/lib.php/nothing"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("7012"), "{ran:?}");
    let ran = two
        .here
        .run(&["call", &there, "register/new_section", "no json"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let ran = two
        .here
        .run(&["call", &there, "enrol/mnet/enrol.php/available_courses"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("--subscribe"), "{ran:?}");
}

#[test]
fn the_doctor_finds_nothing_and_then_what_is_wrong() {
    let two = Two::new();
    let there = two.there_running.wwwroot();
    let ran = two.here.run(&["doctor", "--format", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let findings = ran.json();
    let verdicts = |of: &str| {
        let findings = findings.as_array().unwrap().iter();
        findings
            .filter(|finding| finding["about"] == json!(of))
            .count()
    };
    assert!(verdicts("this site") >= 3, "{findings}");
    assert!(verdicts(&there) >= 5, "{findings}");

    // The other side no longer knows us.
    let ours = two.here_running.wwwroot();
    two.there.done(&["peer", "remove", &ours, "--yes"]);
    let ran = two.here.run(&["doctor", &there]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("7020"), "{ran:?}");

    // Then it is not there at all.
    assert_eq!(two.there_running.stop(), Some(0));
    let ran = two.here.run(&["doctor", &there]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("could not be reached"), "{ran:?}");

    // Nor are we.
    assert_eq!(two.here_running.stop(), Some(0));
    let ran = two.here.run(&["doctor"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    // As it has to be typed to start this server again.
    let directory = two.here.directory().display();
    let serve = format!("mnetd --data {directory} serve");
    assert!(ran.out.contains(&serve), "{ran:?}");
}

#[test]
fn a_key_rotated_by_a_command_is_taken_up_by_the_server_and_followed_by_the_peer() {
    let two = Two::new();
    let (ours, theirs) = (two.here_running.wwwroot(), two.there_running.wwwroot());
    let before = two.here_running.certificate();
    let rotated = two.here.done(&["key", "rotate"]);
    let fingerprint = word_after(&rotated, "fingerprint:");
    // The command waits for the server.
    let after = two.here_running.certificate();
    assert_eq!(after.fingerprint().to_string(), fingerprint);
    assert_ne!(after, before);

    // The peer knows the old key. A call of ours is signed with the new one: it asks, and is shown the
    // proof.
    let ran = two.here.run(&["call", &theirs, "system/listServices"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let known = two.there.done(&["peer", "show", &ours]);
    assert_eq!(word_after(&known, "fingerprint:"), fingerprint);

    // And the other way round: a call of ours meets a new key.
    let rotated = two.there.done(&["key", "rotate"]);
    let fingerprint = word_after(&rotated, "fingerprint:");
    let ran = two.here.run(&["peer", "check", &theirs]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(word_after(&ran.out, "fingerprint:"), fingerprint);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let program = Program::with_register();
    for arguments in [&["key", "show"][..], &["key", "list"], &["doctor"]] {
        let ran = program.run_unread(arguments);
        assert!(ran.err.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn a_lost_key_is_taken_only_by_its_fingerprint() {
    let two = Two::new();
    let theirs = two.there_running.wwwroot();
    let address = two.there_running.address.to_string();
    assert_eq!(two.there_running.stop(), Some(0));
    std::fs::remove_dir_all(two.there.directory().join("keys")).unwrap();
    let there = two.there.serve_at(&address);
    let new = there.certificate().fingerprint().to_string();

    let ran = two.here.run(&["peer", "check", &theirs]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let other = "00".repeat(32);
    let ran = two
        .here
        .run(&["peer", "check", &theirs, "--accept-key", &other]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains(&new) && ran.err.contains("Nothing was changed"),
        "{ran:?}"
    );
    let known = two.here.done(&["peer", "show", &theirs]);
    assert_ne!(word_after(&known, "fingerprint:"), new);

    let checked = two
        .here
        .done(&["peer", "check", &theirs, "--accept-key", &new]);
    assert_eq!(word_after(&checked, "fingerprint:"), new);
}

#[test]
fn no_misprint_begins_a_register() {
    let program = Program::new();
    let nobody = "http://nobody.example";
    let commands: [&[&str]; 6] = [
        &["key", "show"],
        &["key", "rotate"],
        &["peer", "list"],
        &["peer", "add", nobody, "--yes"],
        &["register", "users"],
        &["doctor"],
    ];
    for arguments in commands {
        let ran = program.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {ran:?}");
        let directory = program.directory().display();
        let expected = format!("there is no register in {directory}");
        assert!(ran.err.contains(&expected), "{arguments:?}: {ran:?}");
    }
    let left = std::fs::read_dir(program.directory()).unwrap().count();
    assert_eq!(left, 0);
    let misprint = program.directory().join("misprint");
    let ran = program.run(&["peer", "list", "--data", &misprint.to_string_lossy()]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(!misprint.exists());
}

#[test]
fn a_register_of_another_user_is_left_alone() {
    // `nobody` on most systems; any user but root does.
    const OTHER_USER: u32 = 65_534;
    let program = Program::with_register();
    let files = || {
        let files = std::fs::read_dir(program.directory()).unwrap();
        let mut names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = files();
    for name in [".", "mnetd.db", "keys", "keys/current.pem"] {
        let path = program.directory().join(name);
        if std::os::unix::fs::chown(&path, Some(OTHER_USER), None).is_err() {
            eprintln!("skipped: only root can give files away");
            return;
        }
    }
    for arguments in [&["peer", "list"][..], &["key", "rotate"], &["serve"]] {
        let ran = program.run(arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {ran:?}");
        assert!(ran.err.contains("sudo -u "), "{ran:?}");
    }
    assert_eq!(files(), before);
}

#[test]
fn one_server_works_on_a_directory() {
    let program = Program::new();
    let running = program.serve();
    let second = program.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 1, "{second:?}");
    assert!(second.err.contains("serves from"), "{second:?}");
    assert_eq!(running.get("/healthz"), "ok");
    // Killed, it leaves nothing behind that would have to be cleared away.
    drop(running);
    program.serve();
}

#[test]
fn every_address_is_no_name() {
    let ran = Program::new().run(&["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("--wwwroot https://"), "{ran:?}");
}

#[test]
fn a_misspelt_variable_is_refused_and_an_unknown_one_told() {
    let program = Program::with_register();
    let ran = program.run_under("MNETD_WWWROT", "https://a.example", &["key", "show"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("MNETD_WWWROOT"), "{ran:?}");
    let ran = program.run_under("MNETD_PORT_8080_TCP", "tcp://10.0.0.1", &["key", "show"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("MNETD_PORT_8080_TCP"), "{ran:?}");
}

#[test]
fn what_is_named_and_cannot_be_used_is_told_with_its_option() {
    let program = Program::with_register();
    let file = program.directory().join("a-file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_string_lossy();
    let missing = program.directory().join("none.pem");
    let missing = missing.to_string_lossy();
    for (arguments, told) in [
        (["peer", "list", "--data", &file], "--data: "),
        (
            ["doctor", "--ca-file", &missing, "--format=csv"],
            "--ca-file: ",
        ),
    ] {
        let ran = program.run(&arguments);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(told), "{ran:?}");
    }
}

#[test]
fn commands_that_are_shown_can_be_run_as_they_stand() {
    let program = Program::new();
    let running = program.serve();
    let line = running.wait_for_line("next: 1.");
    let shown = &line[line.find("shown: ").unwrap() + "shown: ".len()..];
    let command = shown.replace("peer add https://YOUR-MOODLE", "peer list");
    let ran = std::process::Command::new("sh")
        .args(["-c", &command])
        .current_dir("/")
        .output()
        .unwrap();
    assert!(ran.status.success(), "{command}: {ran:?}");
    assert_eq!(String::from_utf8(ran.stdout).unwrap().trim(), "none");
}

#[test]
fn a_site_moves_to_another_name_by_one_command() {
    const NEW: &str = "https://new.example";
    let two = Two::new();
    let (old, theirs) = (two.here_running.wwwroot(), two.there_running.wwwroot());
    let before = two.here_running.certificate();
    // A running server keeps its name.
    for arguments in [
        &["key", "rotate", "--wwwroot", NEW][..],
        &[
            "peer",
            "add",
            "http://nobody.example",
            "--yes",
            "--wwwroot",
            NEW,
        ],
    ] {
        let ran = two.here.run(arguments);
        assert_eq!(ran.code, 1, "{ran:?}");
    }
    let ran = two.here.run(&["key", "rotate", "--wwwroot", NEW]);
    assert!(ran.err.contains("stop the server"), "{ran:?}");
    assert_eq!(two.here_running.certificate(), before);
    assert_eq!(two.here_running.stop(), Some(0));

    // A new name alone is refused, for there is a peer; what to do is said, and it is what works.
    let listen = ["serve", "--listen", "127.0.0.1:0"];
    let ran = two.here.run(&[&listen[..], &["--wwwroot", NEW]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    let advice = format!("key rotate --wwwroot {NEW}");
    assert!(
        ran.err.contains(&advice) && ran.err.contains(&old),
        "{ran:?}"
    );
    let rotated = two.here.done(&["key", "rotate", "--wwwroot", NEW]);
    assert!(rotated.contains(NEW), "{rotated}");
    let running = two.here.serve();
    assert_eq!(running.certificate().common_name(), NEW);
    let shown = two.here.run(&["key", "show"]);
    assert_eq!(word_after(&shown.out, "wwwroot:"), NEW);
    assert!(shown.err.is_empty(), "{shown:?}");
    two.here.done(&["peer", "show", &theirs]);
    assert_eq!(running.stop(), Some(0));

    // The old name is refused now, as the new one was before.
    let ran = two.here.run(&[&listen[..], &["--wwwroot", &old]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn a_backup_beside_the_server_is_a_register_of_its_own() {
    let two = Two::new();
    let there = two.there_running.wwwroot();
    two.here.done(&["key", "rotate"]);
    let backups = Program::new();
    let into = backups.directory().join("first");
    let target = into.to_string_lossy();
    two.here.done(&["backup", &target]);
    for (name, mode) in [
        ("", 0o700),
        ("mnetd.db", 0o600),
        ("keys", 0o700),
        ("keys/current.pem", 0o600),
    ] {
        let metadata = std::fs::metadata(into.join(name)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
    }
    let ran = two.here.run(&["backup", &target]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.err.contains("not empty"), "{ran:?}");
    let ran = two.here.run(&["backup", "/no/such/place"]);
    assert_eq!(ran.code, 1, "{ran:?}");

    // What is in it: the peer, every key pair, and the name.
    let from_backup =
        |arguments: &[&str]| backups.done(&[arguments, &["--data", &target]].concat());
    assert!(from_backup(&["peer", "list"]).contains(&there));
    for command in [&["key", "list", "--format", "json"][..], &["key", "show"]] {
        assert_eq!(from_backup(command), two.here.done(command));
    }
}
