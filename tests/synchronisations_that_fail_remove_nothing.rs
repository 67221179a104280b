//! A synchronisation that breaks off, is disturbed, or is answered with rubbish takes nothing away; of two at
//! once one is told to wait; what a peer says by a call while one runs has the word.

mod support;

use std::sync::Arc;

use mnetd::clock::UnixTime;
use mnetd::register::{self, Author, Call};
use mnetd::store::enrolments::{self, EnrolmentFilter};
use mnetd::store::people::{self, PeopleFilter};
use mnetd::store::syncs::{self, Kind, Run, RunState};
use mnetd::store::{Page, PeerId, Store};
use mnetd::sync::{
    self, Became, DEAD_AFTER, MAX_CURSOR, Order, PAGE_ROWS, Report, SyncError, Synchroniser,
};
use mnetd::xmlrpc::{MethodResponse, Struct, Value};
use support::moodle::{Moodle, changed, order, page, synchroniser, user};
use support::site::{NOW, Site};
use support::sso::{fault, success, until};

const DAY: i64 = 86_400;

/// A site that knows everything a Moodle had; of that the Moodle has lost some since.
async fn site_and_moodle_with_less() -> (Site, Moodle) {
    let site = Site::new("http://register.example");
    let moodle = Moodle::beside(&site).await;
    moodle.fill(20, 1);
    moodle.synchronise(&site).await.unwrap();
    site.clock.set(NOW.plus(DAY));
    {
        let mut lists = moodle.lists();
        lists.users.truncate(20);
        lists.enrolments.truncate(20);
        lists.grades.truncate(19);
    }
    (site, moodle)
}

fn people_in_use(site: &Site) -> usize {
    let page = Page {
        after: None,
        limit: 1_000,
    };
    let now = site.clock.now();
    site.store
        .read_blocking(|tx| people::list(tx, &PeopleFilter::default(), now, page))
        .unwrap()
        .len()
}

fn runs(store: &Store, peer: PeerId) -> Vec<Run> {
    store
        .read_blocking(|tx| syncs::latest(tx, peer, 10))
        .unwrap()
}

fn has_marks(site: &Site, peer: PeerId) -> bool {
    let gone: usize = site
        .store
        .write_blocking(move |tx| syncs::clear_up(tx, peer, 1))
        .unwrap();
    gone > 0
}

/// What the peer says by a call.
fn say(store: &Store, peer: PeerId, method: &str, argument: Value, now: UnixTime) {
    let call = Call::parse(method, &[argument]).unwrap().unwrap();
    store
        .write_blocking(move |tx| register::apply(tx, &Author::Peer { id: peer }, &call, now))
        .unwrap();
}

/// Every way in which an answer is no page, with what is said of it.
fn rubbish() -> Vec<(MethodResponse, &'static str)> {
    let many = vec![user("u1", 1); PAGE_ROWS + 1];
    vec![
        (success("text"), "answered list_grades with a string"),
        (success(Vec::new()), "expected a struct with items and next"),
        (success(Struct::new().with("next", "")), "no “items”"),
        (
            success(Struct::new().with("items", "x").with("next", "")),
            "“items” of type string",
        ),
        (
            success(Struct::new().with("items", Vec::new())),
            "no “next”",
        ),
        (
            success(
                Struct::new()
                    .with("items", Vec::new())
                    .with("next", "c".repeat(MAX_CURSOR + 1)),
            ),
            "a “next” of 1001 bytes",
        ),
        (success(page(many, None, 1)), "2001 rows on a page"),
        (fault(8002, "limit is wrong"), "limit is wrong"),
        (fault(707, "Method not published"), "tick Publish for it"),
    ]
}

#[tokio::test]
async fn an_answer_that_is_no_page_ends_it_before_anything_is_removed() {
    let (site, moodle) = site_and_moodle_with_less().await;
    for (answer, told) in rubbish() {
        let answer = Arc::new(answer);
        moodle.before_a_page(move |function, _| {
            (function == "list_grades").then(|| (*answer).clone())
        });
        let error = moodle.synchronise(&site).await.unwrap_err().to_string();
        assert!(error.contains(told), "{told}: {error}");
        let run = runs(&site.store, moodle.id).remove(0);
        assert_eq!(run.state, RunState::Failed);
        assert_eq!(run.error, Some(error));
        // How far it came is told: the users were all read.
        let report = Report::from_json(&run.report);
        assert_eq!(report.lists[0].unchanged, 20);
        assert_eq!(people_in_use(&site), 21);
        assert!(!has_marks(&site, moodle.id));
    }
    // Undisturbed it does what it should.
    moodle.undisturbed();
    let report = moodle.synchronise(&site).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(people_in_use(&site), 20);
    assert!(!has_marks(&site, moodle.id));
}

#[tokio::test]
async fn a_list_that_goes_in_a_circle_has_no_end() {
    let (site, moodle) = site_and_moodle_with_less().await;
    moodle.before_a_page(|function, _| {
        (function == "list_users").then(|| success(page(vec![user("u1", 2)], Some(0), -1)))
    });
    let error = moodle.synchronise(&site).await.unwrap_err();
    assert!(matches!(error, SyncError::Circle { .. }), "{error}");
    assert_eq!(moodle.played.asked("list_users").len(), 3);
    assert_eq!(people_in_use(&site), 21);
}

#[tokio::test]
async fn a_page_that_is_too_much_is_asked_for_in_a_smaller_size() {
    let (site, moodle) = site_and_moodle_with_less().await;
    moodle.lists().rows_on_a_page = None;
    // More than a message may have.
    moodle.before_a_page({
        let mut tries = 0;
        move |function, _| {
            if function != "list_users" || tries == 2 {
                return None;
            }
            tries += 1;
            Some(success(page(
                vec![Value::from("x".repeat(5 * 1024 * 1024))],
                None,
                1,
            )))
        }
    });
    let report = moodle.synchronise(&site).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    let limits: Vec<i64> = moodle
        .played
        .asked("list_users")
        .iter()
        .skip(1)
        .map(|params| params[0].get("limit").unwrap().to_integer().unwrap())
        .collect();
    assert_eq!(limits, [2_000, 500, 125]);
}

#[tokio::test]
async fn what_is_not_offered_or_not_allowed_is_told_in_words() {
    let site = Site::new("http://register.example");
    let moodle = Moodle::beside(&site).await;
    moodle.lists().hidden = vec!["list_users", "list_grades"];
    let error = moodle.synchronise(&site).await.unwrap_err().to_string();
    for part in [
        "list_users, list_grades",
        "local_mnetd is not installed",
        "tick Publish",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    moodle.subscribe(&site, false);
    let error = moodle.synchronise(&site).await.unwrap_err().to_string();
    let command = format!(
        "mnetd peer allow {} register --subscribe",
        moodle.played.stranger.wwwroot
    );
    assert!(error.contains(&command), "{error}");
    assert_eq!(moodle.played.methods(), ["system/listMethods"]);
}

#[tokio::test]
async fn a_call_that_came_after_the_page_was_asked_for_has_the_word() {
    let (site, moodle) = site_and_moodle_with_less().await;
    // Back to all, and three rows are about to change there: as the pages of before do not know.
    let users = moodle.lists().users.clone();
    {
        let mut lists = moodle.lists();
        lists.users.push(user("u20", 21));
        lists.users[1] = changed(&users[1], "firstname", "Stale");
        lists.users[4] = changed(&users[4], "firstname", "Fresh");
    }
    let (store, id, now) = (site.store.clone(), moodle.id, site.clock.now());
    let newer = changed(&users[1], "firstname", "Newer");
    let same = users[3].clone();
    moodle.before_a_page(move |function, _| {
        if function == "list_users" {
            // While the page is under way: one changed, one gone, one said again as it is, one new.
            say(&store, id, "fetch_user", newer.clone(), now);
            say(&store, id, "remove_user", Value::from("u2"), now);
            say(&store, id, "fetch_user", same.clone(), now);
            say(&store, id, "fetch_user", user("u21", 22), now);
        }
        None
    });
    let report = moodle
        .synchronise_as(
            &site,
            Order {
                told: 10,
                ..order()
            },
        )
        .await
        .unwrap();
    let left: Vec<&str> = report
        .changes
        .iter()
        .filter(|change| change.change == Became::LeftAlone)
        .map(|change| change.id.as_str())
        .collect();
    assert_eq!(left, ["u1", "u2"]);
    let users = report.lists[0].clone();
    assert_eq!((users.left_alone, users.updated, users.removed), (2, 1, 0));
    let firstname = |userid: &'static str| {
        let person = site
            .store
            .read_blocking(|tx| people::by_idnumber(tx, Some(id), userid))
            .unwrap()
            .unwrap();
        (person.fields.firstname, person.removed_at.is_some())
    };
    assert_eq!(firstname("u1"), ("Newer".to_owned(), false));
    assert!(firstname("u2").1);
    assert_eq!(firstname("u4"), ("Fresh".to_owned(), false));
    // On no list, but younger than it.
    assert!(!firstname("u21").1);
}

#[tokio::test]
async fn an_enrolment_or_a_grade_that_changed_meanwhile_is_left_alone() {
    let (site, moodle) = site_and_moodle_with_less().await;
    let (store, id, now) = (site.store.clone(), moodle.id, site.clock.now());
    let grades = moodle.lists().grades.clone();
    moodle.lists().grades[0] = changed(&grades[0], "points_earned", 1.0);
    let newer = changed(&grades[0], "points_earned", 10.0);
    moodle.before_a_page(move |function, _| {
        match function {
            "list_enrolments" => {
                let dropped = support::site::fields(&[
                    ("sectionid", "c1"),
                    ("userid", "u2"),
                    ("role", "student"),
                ]);
                say(&store, id, "drop_enrolment", dropped, now);
            }
            "list_grades" => say(&store, id, "new_grade", newer.clone(), now),
            _ => {}
        }
        None
    });
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(report.lists[2].left_alone, 1);
    assert_eq!(report.lists[4].left_alone, 1);
    let active = EnrolmentFilter {
        peer: Some(id),
        meaning: Some(mnetd::store::statuses::Meaning::Active),
        ..EnrolmentFilter::default()
    };
    let enrolled = site
        .store
        .read_blocking(|tx| enrolments::list(tx, &active, now, Page::default()))
        .unwrap();
    assert!(
        enrolled
            .iter()
            .all(|row| row.userid.as_deref() != Some("u2"))
    );
}

#[tokio::test]
async fn a_dry_run_tells_what_would_happen_and_changes_nothing() {
    let (site, moodle) = site_and_moodle_with_less().await;
    {
        let mut lists = moodle.lists();
        lists.users[1] = changed(&lists.users[1], "firstname", "Ada");
        lists.users.push(user("u30", 31));
        lists.users.push(user("u31", 32));
    }
    let before = runs(&site.store, moodle.id);
    let wanted = Order { told: 1, ..order() };
    let peer = moodle.peer(&site);
    let rehearsal = sync::rehearse(
        &site.store,
        &site.client,
        &site.clock,
        &peer,
        wanted.clone(),
        &|_| {},
    );
    let would = rehearsal.await.unwrap();
    assert_eq!(runs(&site.store, moodle.id), before);
    assert_eq!(people_in_use(&site), 21);
    let told: Vec<(Became, &str)> = would
        .changes
        .iter()
        .filter(|change| change.list == Kind::Users)
        .map(|change| (change.change, change.id.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (Became::Updated, "u1"),
            (Became::Created, "u30"),
            (Became::Removed, "u20")
        ]
    );
    // The copy is gone.
    let beside = site.store.path().parent().unwrap();
    let left: Vec<_> = std::fs::read_dir(beside)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("rehearsal"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    // And it is what happens.
    let mut does = moodle.synchronise_as(&site, wanted).await.unwrap();
    does.seconds = would.seconds;
    assert_eq!(does, would);
    assert_eq!(people_in_use(&site), 22);
}

#[tokio::test]
async fn of_two_at_once_one_waits_and_one_that_is_dead_is_taken_over() {
    let (site, moodle) = site_and_moodle_with_less().await;
    let (first, second) = (synchroniser(&site), synchroniser(&site));
    let peer = moodle.peer(&site);
    let claim = first.claim(&peer, order()).await.unwrap();
    let error = second.claim(&peer, order()).await.unwrap_err();
    assert!(matches!(error, SyncError::Running { .. }));
    assert!(error.to_string().contains("as office asked for"), "{error}");
    // Nothing is heard of the first for minutes.
    site.clock.set(site.clock.now().plus(DEAD_AFTER));
    let report = second.run(&peer, order(), &|_| {}).await.unwrap();
    assert!(report.is_whole());
    let states: Vec<RunState> = runs(&site.store, moodle.id)
        .iter()
        .map(|run| run.state)
        .collect();
    assert_eq!(
        states,
        [RunState::Done, RunState::Interrupted, RunState::Done]
    );
    // When it wakes up it finds that, and does nothing any more.
    moodle.lists().users.truncate(15);
    let error = first.carry_out(&claim, &|_| {}).await.unwrap_err();
    assert!(matches!(error, SyncError::TakenOver(_)), "{error}");
    assert_eq!(people_in_use(&site), 20);
    // Another peer is another matter.
    let other = Moodle::beside(&site).await;
    let _claim = second.claim(&peer, order()).await.unwrap();
    assert!(other.synchronise(&site).await.unwrap().is_whole());
}

#[tokio::test]
async fn one_that_is_stopped_is_noted_as_interrupted() {
    let (site, moodle) = site_and_moodle_with_less().await;
    moodle.lists().rows_on_a_page = Some(5);
    let running = synchroniser(&site);
    let stopping = running.clone();
    moodle.before_a_page(move |function, page| {
        if function == "list_enrolments" && page == 1 {
            stopping.stop();
        }
        None
    });
    let error = running
        .run(&moodle.peer(&site), order(), &|_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, SyncError::Stopped(_)), "{error}");
    let run = runs(&site.store, moodle.id).remove(0);
    assert_eq!(run.state, RunState::Interrupted);
    assert_eq!(run.phase, "reading enrolments");
    assert_eq!(people_in_use(&site), 21);
    // The next one, which nobody stops, begins from the start, and leaves no marks of either.
    moodle.undisturbed();
    assert!(moodle.synchronise(&site).await.unwrap().is_whole());
    assert_eq!(people_in_use(&site), 20);
    assert!(!has_marks(&site, moodle.id));
}

#[tokio::test]
async fn the_timer_synchronises_a_peer_some_minutes_after_it_was_seen() {
    let site = Site::new("http://register.example");
    let moodle = Moodle::beside(&site).await;
    moodle.fill(2, 1);
    let keeper: Synchroniser = synchroniser(&site);
    let every = std::time::Duration::from_hours(24);
    let look = |keeper: &Synchroniser| {
        let keeper = keeper.clone();
        tokio::spawn(async move { keeper.keep(every).await })
    };
    // Seen, and nothing more.
    let first = look(&keeper);
    until("asking", || !moodle.played.methods().is_empty()).await;
    first.abort();
    let _ = first.await;
    assert_eq!(runs(&site.store, moodle.id), []);
    // Another that has known it for a while does it without being asked.
    moodle.synchronise(&site).await.unwrap();
    site.clock.set(NOW.plus(DAY));
    let second = look(&keeper);
    until("a run of the timer", || {
        let run = runs(&site.store, moodle.id).remove(0);
        run.asked_by == sync::schedule::TIMER && run.state == RunState::Done
    })
    .await;
    second.abort();
}
