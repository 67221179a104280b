//! Synchronisation in the console and on the command line: it is started there, and what it did is told.

mod support;

use mnetd::clock::Clock;
use mnetd::store::accounts::AccountRole;
use mnetd::store::audit;
use mnetd::store::syncs::{self, RunState};
use mnetd::store::{Store, StoreError};
use mnetd::xmlrpc::Value;
use reqwest::StatusCode;
use support::moodle::{Moodle, changed};
use support::program::Program;
use support::site::{Served, Site};
use support::sso::{fault, until};
use support::visitor::{Visitor, add_account};

async fn served_with_moodle() -> (Served, Moodle, String) {
    let served = Site::served().await;
    add_account(&served.site, "admin", AccountRole::Administrator);
    add_account(&served.site, "reader", AccountRole::Reader);
    let moodle = Moodle::beside(&served.site).await;
    let page = format!("/peers/{}", moodle.id);
    (served, moodle, page)
}

fn last_state(store: &Store, moodle: &Moodle) -> Option<RunState> {
    let runs = store.read_blocking(|tx| syncs::latest(tx, moodle.id, 1));
    runs.unwrap().first().map(|run| run.state)
}

#[tokio::test]
async fn an_administrator_starts_one_and_sees_what_it_did() {
    let (served, moodle, page) = served_with_moodle().await;
    let store = &served.site.store;
    moodle.fill(3, 1);
    let base = served.site.wwwroot.to_string();
    let mut admin = Visitor::signed_in(&base, "admin").await;
    let shown = admin.get(&page).await.text;
    assert!(shown.contains("It was not synchronised yet."), "{shown}");
    assert!(shown.contains("Synchronise now"), "{shown}");

    let start = format!("{page}/synchronise");
    let answer = admin.post_from(&page, &start, &[]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    until("the run", || {
        last_state(store, &moodle) == Some(RunState::Done)
    })
    .await;
    let shown = admin.get(&page).await.text;
    assert!(
        shown.contains("asked for by admin: register and peer agree."),
        "{shown}"
    );
    let row =
        "<th scope=\"row\">enrolments</th>\n<td class=\"number\">4</td><td class=\"number\">4</td>";
    assert!(shown.contains(row), "{shown}");
    let deed = store
        .read_blocking(|tx| audit::list(tx, None, 1))
        .unwrap()
        .remove(0);
    assert_eq!(deed.action, "peer synchronisation started");
    assert_eq!(deed.actor, "admin");

    // What it could not do is told, and may then be done by force.
    served.site.clock.set(served.site.clock.now().plus(86_400));
    {
        let mut lists = moodle.lists();
        lists.grades.clear();
        lists.users[1] = changed(&lists.users[1], "email", "<b>@".repeat(100));
    }
    // Nobody stays signed in for a day.
    let mut admin = Visitor::signed_in(&base, "admin").await;
    admin.post_from(&page, &start, &[]).await;
    until("the run", || {
        last_state(store, &moodle) == Some(RunState::Done)
            && store
                .read_blocking(|tx| syncs::latest(tx, moodle.id, 5))
                .unwrap()
                .len()
                == 2
    })
    .await;
    let shown = admin.get(&page).await.text;
    for part in [
        "left something to look at",
        "grades: 3 of 3 are no longer there, and were kept: its list was empty",
        "users: u1: the field “email” is 400 characters long",
        "Remove what is gone there, however much it is",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test]
async fn a_failure_is_shown_and_a_running_one_keeps_others_away() {
    let (served, moodle, page) = served_with_moodle().await;
    moodle.before_a_page(|_, _| Some(fault(707, "not published")));
    let base = served.site.wwwroot.to_string();
    let mut admin = Visitor::signed_in(&base, "admin").await;
    let start = format!("{page}/synchronise");
    admin.post_from(&page, &start, &[]).await;
    until("the run", || {
        last_state(&served.site.store, &moodle) == Some(RunState::Failed)
    })
    .await;
    let shown = admin.get(&page).await.text;
    assert!(shown.contains("came to no end"), "{shown}");
    assert!(
        shown.contains("does not publish the service register"),
        "{shown}"
    );

    // As another process has one under way.
    let other = support::moodle::synchroniser(&served.site);
    let peer = moodle.peer(&served.site);
    let _claim = other.claim(&peer, support::moodle::order()).await.unwrap();
    let shown = admin.get(&page).await.text;
    assert!(shown.contains("Under way since"), "{shown}");
    assert!(!shown.contains("Synchronise now"), "{shown}");
    let csrf = admin.get(&page).await.csrf();
    admin.post(&start, &[("csrf", &csrf)]).await;
    let shown = admin.get(&page).await.text;
    assert!(shown.contains("is being synchronised already"), "{shown}");
}

#[tokio::test]
async fn a_reader_sees_it_and_starts_none() {
    let (served, moodle, page) = served_with_moodle().await;
    let base = served.site.wwwroot.to_string();
    let mut reader = Visitor::signed_in(&base, "reader").await;
    let shown = reader.get(&page).await;
    assert!(shown.text.contains("It was not synchronised yet."));
    assert!(!shown.text.contains("Synchronise now"));
    let csrf = reader.get("/account").await.csrf();
    let answer = reader
        .post(&format!("{page}/synchronise"), &[("csrf", &csrf)])
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(last_state(&served.site.store, &moodle), None);
    assert_eq!(moodle.played.methods(), Vec::<String>::new());
}

/// The program with a register, and a Moodle beside it that the register knows.
async fn program_and_moodle() -> (Program, Site, Moodle, String) {
    let program = tokio::task::spawn_blocking(Program::with_register)
        .await
        .unwrap();
    let now = Clock::System.now();
    let site = Site::beside(program.directory(), "http://register.example", now);
    let moodle = Moodle::beside(&site).await;
    let there = moodle.played.stranger.wwwroot.to_string();
    (program, site, moodle, there)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_tells_counts_and_changes_in_every_format() {
    let (program, site, moodle, there) = program_and_moodle().await;
    moodle.fill(2, 1);
    let ran = run(&program, &["sync", &there, "--dry-run"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in ["users  created  u1", "Nothing was changed", "10 rows in"] {
        let spaced = ran.out.split_whitespace().collect::<Vec<_>>().join("  ");
        let part = part.split_whitespace().collect::<Vec<_>>().join("  ");
        assert!(spaced.contains(&part), "{part}: {ran:?}");
    }
    let ran = run(
        &program,
        &[
            "sync",
            &there,
            "--dry-run",
            "--show",
            "1",
            "--format",
            "csv",
        ],
    );
    assert_eq!(
        ran.out,
        "list,change,id,reason\nusers,created,t1,\nsections,created,c1,\n\
         enrolments,created,t1 in c1 as teacher,\nassessments,created,a1,\ngrades,created,u1 in a1,\n"
    );
    assert_eq!(last_state(&site.store, &moodle), None);

    let ran = run(&program, &["sync", &there, "--format", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["peer"], there);
    assert_eq!(told["dry_run"], false);
    assert_eq!(told["lists"][2]["list"], "enrolments");
    assert_eq!(told["lists"][2]["created"], 3);
    let ran = run(&program, &["sync", &there, "--format", "csv"]);
    assert_eq!(
        ran.out.lines().nth(1),
        Some("users,3,0,0,3,0,0,0"),
        "{ran:?}"
    );
    let deeds = site
        .store
        .read_blocking(|tx| -> Result<_, StoreError> { audit::list(tx, None, 10) })
        .unwrap();
    let noted = deeds
        .iter()
        .filter(|deed| deed.action == "peer synchronised");
    assert_eq!(noted.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_ends_with_one_where_something_was_refused_or_kept() {
    let (program, _site, moodle, there) = program_and_moodle().await;
    moodle.fill(2, 1);
    moodle.lists().users.push(Value::from("rubbish"));
    let ran = run(&program, &["sync", &there]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("(no readable id)"), "{ran:?}");
    moodle.lists().users.pop();
    moodle.lists().hidden = vec!["list_users"];
    let ran = run(&program, &["sync", &there]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("does not offer"), "{ran:?}");
    let ran = run(&program, &["sync", "http://nobody.example"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("is not a registered peer"), "{ran:?}");
    // The doctor remembers.
    let ran = run(&program, &["doctor", &there]);
    assert!(
        ran.out.contains("the last synchronisation ended at"),
        "{ran:?}"
    );
    assert_eq!(ran.code, 1);
}

fn run(program: &Program, arguments: &[&str]) -> support::program::Ran {
    tokio::task::block_in_place(|| program.run(arguments))
}
