//! A peer is asked for everything it has: what is new comes in, what stands so already is left alone, what is
//! gone is removed up to a limit.

mod support;

use mnetd::clock::UnixTime;
use mnetd::register::{self, Author, Call};
use mnetd::store::assessments::{self, AssessmentFilter};
use mnetd::store::enrolments::{self, EnrolmentFilter, Role};
use mnetd::store::grades::{self, GradeFilter};
use mnetd::store::people::{self, PeopleFilter};
use mnetd::store::sections::{self, SectionFilter};
use mnetd::store::statuses::Meaning;
use mnetd::store::syncs::{self, Kind, Run, RunState};
use mnetd::store::{EnrolmentId, Page, PeerId, StoreError};
use mnetd::sync::{Became, KeptBecause, ListReport, Order, Report, SyncError};
use mnetd::xmlrpc::Value;
use support::moodle::{self, Moodle, assessment, changed, enrolment, grade, order, section, user};
use support::site::{NOW, Site};

const DAY: i64 = 86_400;

async fn site_and_moodle() -> (Site, Moodle) {
    let site = Site::new("http://register.example");
    let moodle = Moodle::beside(&site).await;
    (site, moodle)
}

/// A day goes by.
fn next_day(site: &Site) {
    site.clock.set(site.clock.now().plus(DAY));
}

fn list(report: &Report, kind: Kind) -> &ListReport {
    report.lists.iter().find(|list| list.list == kind).unwrap()
}

/// Read, created, updated, unchanged, removed, refused.
fn counts(report: &Report, kind: Kind) -> [u64; 6] {
    let list = list(report, kind);
    [
        list.read,
        list.created,
        list.updated,
        list.unchanged,
        list.removed,
        list.refused,
    ]
}

/// How many rows of each kind are in use.
fn in_use(site: &Site) -> [usize; 5] {
    let now = site.clock.now();
    let page = Page {
        after: None,
        limit: 1_000,
    };
    site.store
        .read_blocking(|tx| -> Result<_, StoreError> {
            let active = EnrolmentFilter {
                meaning: Some(Meaning::Active),
                ..EnrolmentFilter::default()
            };
            Ok([
                people::list(tx, &PeopleFilter::default(), now, page)?.len(),
                sections::list(tx, &SectionFilter::default(), page)?.len(),
                enrolments::list(tx, &active, now, page)?.len(),
                assessments::list(tx, &AssessmentFilter::default(), page)?.len(),
                grades::list(tx, &GradeFilter::default(), page)?.len(),
            ])
        })
        .unwrap()
}

/// What the peer says by a call, now.
fn say(site: &Site, peer: PeerId, method: &str, argument: Value) {
    let call = Call::parse(method, &[argument]).unwrap().unwrap();
    let now = site.clock.now();
    site.store
        .write_blocking(move |tx| register::apply(tx, &Author::Peer { id: peer }, &call, now))
        .unwrap();
}

fn latest(site: &Site, moodle: &Moodle) -> Run {
    let mut runs = site
        .store
        .read_blocking(|tx| syncs::latest(tx, moodle.id, 10))
        .unwrap();
    runs.remove(0)
}

fn enrolment_of(site: &Site, moodle: &Moodle, sectionid: &str, userid: &str) -> EnrolmentId {
    site.store
        .read_blocking(|tx| -> Result<_, StoreError> {
            let owner = Some(moodle.id);
            let section = sections::by_idnumber(tx, owner, sectionid)?.unwrap().id;
            let person = people::by_idnumber(tx, owner, userid)?.unwrap().id;
            let found = enrolments::find(tx, owner, section, person, Role::Student)?;
            Ok(found.unwrap().id)
        })
        .unwrap()
}

/// What holds of an enrolment now, since when, and why.
fn standing(site: &Site, id: EnrolmentId) -> (Meaning, UnixTime, Option<String>) {
    let now = site.clock.now();
    let standing = site
        .store
        .read_blocking(|tx| enrolments::standing_at(tx, id, now))
        .unwrap()
        .unwrap();
    (standing.meaning, standing.effective_at, standing.note)
}

#[tokio::test]
async fn everything_comes_in_at_first_and_nothing_is_written_a_second_time() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(30, 3);
    moodle.lists().rows_on_a_page = Some(7);
    let report = moodle.synchronise(&site).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    for (kind, rows) in [
        (Kind::Users, 31),
        (Kind::Sections, 3),
        (Kind::Enrolments, 93),
        (Kind::Assessments, 3),
        (Kind::Grades, 90),
    ] {
        assert_eq!(counts(&report, kind), [rows, rows, 0, 0, 0, 0], "{kind}");
    }
    assert_eq!(in_use(&site), [31, 3, 93, 3, 90]);
    // Since when somebody is enrolled is the peer's to say, and where it comes from is told.
    let id = enrolment_of(&site, &moodle, "c1", "u1");
    let day = "from the synchronisation of 2026-11-24".to_owned();
    assert_eq!(
        standing(&site, id),
        (Meaning::Active, UnixTime(1_700_000_000), Some(day))
    );
    let run = latest(&site, &moodle);
    assert_eq!(
        (run.state, run.asked_by.as_str()),
        (RunState::Done, "office")
    );
    assert_eq!(Report::from_json(&run.report), report);

    // In the same second and a day later: the same.
    for _ in 0..2 {
        let before = changed_rows(&site);
        let report = moodle.synchronise(&site).await.unwrap();
        for (kind, rows) in [
            (Kind::Users, 31),
            (Kind::Sections, 3),
            (Kind::Enrolments, 93),
            (Kind::Assessments, 3),
            (Kind::Grades, 90),
        ] {
            assert_eq!(counts(&report, kind), [rows, 0, 0, rows, 0, 0], "{kind}");
        }
        assert_eq!(changed_rows(&site), before);
        next_day(&site);
    }
}

/// Everything that would show a change: the moments rows last changed, and how long histories are.
fn changed_rows(site: &Site) -> Vec<String> {
    let now = site.clock.now();
    let page = Page {
        after: None,
        limit: 1_000,
    };
    site.store
        .read_blocking(|tx| -> Result<_, StoreError> {
            let mut rows = Vec::new();
            let all = EnrolmentFilter {
                all: true,
                ..EnrolmentFilter::default()
            };
            for row in people::list(tx, &PeopleFilter::default(), now, page)? {
                rows.push(format!("{:?}", row.person));
            }
            for row in enrolments::list(tx, &all, now, page)? {
                rows.push(format!("{:?}", enrolments::history(tx, row.id)?));
            }
            for row in grades::list(tx, &GradeFilter::default(), page)? {
                rows.push(format!(
                    "{:?} {:?}",
                    row.updated_at,
                    grades::history(tx, row.id)?
                ));
            }
            for row in sections::list(tx, &SectionFilter::default(), page)? {
                rows.push(format!("{row:?}"));
            }
            for row in assessments::list(tx, &AssessmentFilter::default(), page)? {
                rows.push(format!("{row:?}"));
            }
            Ok(rows)
        })
        .unwrap()
}

#[tokio::test]
async fn what_changed_is_changed_and_what_is_gone_is_removed() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(30, 2);
    moodle.synchronise(&site).await.unwrap();
    next_day(&site);
    {
        let mut lists = moodle.lists();
        lists.users[1] = changed(&lists.users[1], "firstname", "Ada");
        lists.grades[0] = changed(&lists.grades[0], "points_earned", 9.0);
        // u30 is gone altogether, u29 from the second section.
        lists.users.pop();
        lists.enrolments.retain(|row| {
            let is = |member, text| row.get(member) == Some(&Value::from(text));
            !(is("userid", "u30") || is("userid", "u29") && is("sectionid", "c2"))
        });
        lists.grades.retain(|row| {
            let is = |member, text| row.get(member) == Some(&Value::from(text));
            !(is("userid", "u30") || is("userid", "u29") && is("assessmentid", "a2"))
        });
    }
    let report = moodle.synchronise(&site).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(counts(&report, Kind::Users), [30, 0, 1, 29, 1, 0]);
    // What hangs on u30 goes with u30, and is not counted once more.
    assert_eq!(counts(&report, Kind::Enrolments), [59, 0, 0, 59, 1, 0]);
    assert_eq!(counts(&report, Kind::Grades), [57, 0, 1, 56, 1, 0]);
    assert_eq!(in_use(&site), [30, 2, 59, 2, 57]);
    let dropped = enrolment_of(&site, &moodle, "c2", "u29");
    let note = "no longer there in the synchronisation of 2026-11-25".to_owned();
    assert_eq!(
        standing(&site, dropped),
        (Meaning::Withdrawn, NOW.plus(DAY), Some(note))
    );
    // And it does not say so again.
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Enrolments), [59, 0, 0, 59, 0, 0]);
    assert_eq!(counts(&report, Kind::Users), [30, 0, 0, 30, 0, 0]);
}

#[tokio::test]
async fn more_than_a_tenth_is_removed_by_force_alone() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(39, 1);
    moodle.synchronise(&site).await.unwrap();
    next_day(&site);
    moodle.lists().grades.truncate(33);
    let report = moodle.synchronise(&site).await.unwrap();
    let kept = list(&report, Kind::Grades).kept.clone().unwrap();
    assert_eq!(
        (kept.rows, kept.of, kept.why),
        (6, 39, KeptBecause::OverTheLimit)
    );
    assert!(!report.is_whole());
    assert_eq!(in_use(&site)[4], 39);
    // Five are few in any school.
    let sixth = grade("a1", "u34", 7.5);
    moodle.lists().grades.push(sixth);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(list(&report, Kind::Grades).removed, 5);
    assert_eq!(in_use(&site)[4], 34);
    // By force, everything.
    moodle.lists().grades.truncate(3);
    next_day(&site);
    let force = Order {
        force: true,
        ..order()
    };
    let report = moodle.synchronise_as(&site, force).await.unwrap();
    assert_eq!(list(&report, Kind::Grades).removed, 31);
    assert!(report.is_whole());
    assert_eq!(in_use(&site)[4], 3);
}

#[tokio::test]
async fn an_empty_list_removes_nothing_however_little_there_is() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(2, 1);
    moodle.synchronise(&site).await.unwrap();
    next_day(&site);
    moodle.lists().enrolments.clear();
    let report = moodle.synchronise(&site).await.unwrap();
    let kept = list(&report, Kind::Enrolments).kept.clone().unwrap();
    assert_eq!((kept.rows, kept.why), (3, KeptBecause::EmptyList));
    assert_eq!(in_use(&site)[2], 3);
    // A list that breaks off is not whole, though it says so itself.
    moodle.lists().rows_on_a_page = Some(3);
    moodle.lists().enrolments = (1..=40)
        .map(|n| enrolment("c1", &format!("u{n}"), "student", 1))
        .collect();
    moodle.before_a_page(|function, _| {
        (function == "list_enrolments").then(|| {
            let items = vec![enrolment("c1", "u1", "student", 1)];
            support::sso::success(moodle::page(items, None, 40))
        })
    });
    let report = moodle.synchronise(&site).await.unwrap();
    let kept = list(&report, Kind::Enrolments).kept.clone().unwrap();
    assert_eq!((kept.rows, kept.why), (2, KeptBecause::ListNotWhole));
    assert_eq!(in_use(&site)[2], 3);
}

#[tokio::test]
async fn rows_made_by_hand_or_by_other_peers_are_nobodys_to_remove() {
    let (site, moodle) = site_and_moodle().await;
    let other = Moodle::beside(&site).await;
    moodle.fill(2, 1);
    moodle.synchronise(&site).await.unwrap();
    say(&site, other.id, "fetch_user", user("x", 9));
    let by_hand = Call::parse("fetch_user", &[user("h", 10)])
        .unwrap()
        .unwrap();
    let office = Author::Admin {
        name: "office".to_owned(),
    };
    site.store
        .write_blocking(move |tx| register::apply(tx, &office, &by_hand, NOW))
        .unwrap();
    // Somebody who only ever came in person is on no list, and may come again.
    let visitor = support::site::user("visitor");
    support::sso::take_up(&site, Some(moodle.id), visitor);
    assert_eq!(in_use(&site)[0], 6);
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(in_use(&site)[0], 6);
}

#[tokio::test]
async fn a_row_that_cannot_be_used_is_told_and_keeps_no_other_out() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(3, 1);
    moodle.synchronise(&site).await.unwrap();
    next_day(&site);
    {
        let mut lists = moodle.lists();
        lists.users[1] = changed(&lists.users[1], "email", "");
        lists.users[2] = changed(&lists.users[2], "firstname", Vec::new());
        lists.users.push(user("u4", 5));
        lists.grades[0] = changed(&lists.grades[0], "points_earned", "many");
        lists.enrolments[1] = changed(&lists.enrolments[1], "role", "guest");
    }
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Users), [5, 1, 0, 2, 0, 2]);
    assert_eq!(counts(&report, Kind::Grades), [3, 0, 0, 2, 0, 1]);
    let told: Vec<(&str, &str)> = report
        .changes
        .iter()
        .filter(|change| change.change == Became::Refused)
        .map(|change| (change.id.as_str(), change.reason.as_deref().unwrap()))
        .collect();
    for (id, reason) in [
        ("u1", "the field “email” is missing or empty"),
        ("u2", "“firstname”"),
        ("u1 in a1", "“points_earned” is “many”"),
        ("(no readable id)", "role “guest” is not supported"),
    ] {
        let found = told.iter().find(|(told, _)| *told == id);
        assert!(
            found.is_some_and(|(_, told)| told.contains(reason)),
            "{id}: {told:?}"
        );
    }
    // What was refused is there all the same, and is not taken for gone.
    assert_eq!(list(&report, Kind::Users).removed, 0);
    assert_eq!(list(&report, Kind::Grades).removed, 0);
    let kept = list(&report, Kind::Enrolments).kept.clone().unwrap();
    assert_eq!((kept.rows, kept.why), (1, KeptBecause::RowsWithoutId));
    assert_eq!(in_use(&site), [5, 1, 4, 1, 3]);

    // A row without any id may be any of ours.
    moodle.lists().users[1] = Value::from("rubbish");
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    let kept = list(&report, Kind::Users).kept.clone().unwrap();
    assert_eq!((kept.rows, kept.why), (1, KeptBecause::RowsWithoutId));
    assert_eq!(in_use(&site)[0], 5);
}

#[tokio::test]
async fn who_was_withdrawn_by_hand_stays_so_until_the_peer_says_something_new() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(3, 1);
    moodle.synchronise(&site).await.unwrap();
    let id = enrolment_of(&site, &moodle, "c1", "u1");
    let by_hand = |status| {
        let now = site.clock.now();
        let office = Author::Admin {
            name: "office".to_owned(),
        };
        site.store
            .write_blocking(move |tx| {
                register::set_enrolment_status(tx, &office, id, status, None, None, now)
            })
            .unwrap();
    };
    next_day(&site);
    by_hand("withdrawn");
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Enrolments), [4, 0, 0, 4, 0, 0]);
    assert_eq!(standing(&site, id).0, Meaning::Withdrawn);

    // It is gone there too, and that is news; when it comes again, that is news as well.
    let row = moodle.lists().enrolments.remove(1);
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(list(&report, Kind::Enrolments).removed, 1);
    moodle.lists().enrolments.push(row);
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Enrolments), [4, 0, 1, 3, 0, 0]);
    let now = site.clock.now();
    assert_eq!(
        (standing(&site, id).0, standing(&site, id).1),
        (Meaning::Active, now)
    );

    // Who was put back by hand after the peer dropped them is the office's.
    moodle.lists().enrolments.pop();
    next_day(&site);
    moodle.synchronise(&site).await.unwrap();
    assert_eq!(standing(&site, id).0, Meaning::Withdrawn);
    next_day(&site);
    by_hand("active");
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(list(&report, Kind::Enrolments).removed, 0);
    assert_eq!(standing(&site, id).0, Meaning::Active);
}

#[tokio::test]
async fn an_enrolment_that_came_again_begins_when_the_peer_says() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(3, 1);
    moodle.synchronise(&site).await.unwrap();
    let id = enrolment_of(&site, &moodle, "c1", "u1");
    next_day(&site);
    let dropped_at = site.clock.now();
    say(
        &site,
        moodle.id,
        "drop_enrolment",
        enrolment_without_date("c1", "u1"),
    );
    for _ in 0..3 {
        next_day(&site);
    }
    // The call that told of it was lost.
    let again = dropped_at.plus(DAY);
    moodle.lists().enrolments[1] = enrolment("c1", "u1", "student", again.0);
    // And one that only begins next week.
    let next_week = site.clock.now().plus(7 * DAY);
    moodle.lists().enrolments[2] = enrolment("c1", "u2", "student", next_week.0);
    moodle.lists().users.push(user("u4", 5));
    moodle
        .lists()
        .enrolments
        .push(enrolment("c1", "u4", "student", next_week.0));
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Enrolments), [5, 1, 1, 3, 0, 0]);
    assert_eq!(
        (standing(&site, id).0, standing(&site, id).1),
        (Meaning::Active, again)
    );
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Enrolments), [5, 0, 0, 5, 0, 0]);
    let ahead = enrolment_of(&site, &moodle, "c1", "u4");
    site.clock.set(next_week);
    assert_eq!(standing(&site, ahead).0, Meaning::Active);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Enrolments), [5, 0, 0, 5, 0, 0]);
}

fn enrolment_without_date(section: &str, user: &str) -> Value {
    support::site::fields(&[
        ("sectionid", section),
        ("userid", user),
        ("role", "student"),
    ])
}

#[tokio::test]
async fn users_who_came_while_it_ran_are_asked_for() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(2, 1);
    let listed = moodle.lists().users.clone();
    // The list of users was made before u2 was; the others know u2.
    moodle.before_a_page(move |function, _| {
        (function == "list_users")
            .then(|| support::sso::success(moodle::page(listed[..2].to_vec(), None, 2)))
    });
    let report = moodle.synchronise(&site).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(in_use(&site), [3, 1, 3, 1, 2]);
    assert_eq!(moodle.played.asked("get_user").len(), 1);
    // Where even the peer knows nobody of that id, the row is refused.
    moodle
        .lists()
        .enrolments
        .push(enrolment("c1", "nobody", "student", 1));
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(list(&report, Kind::Enrolments).refused, 1);
    assert!(
        report.changes[0]
            .reason
            .as_deref()
            .unwrap()
            .contains("nobody")
    );
}

#[tokio::test]
async fn one_section_alone_can_be_synchronised() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(20, 2);
    moodle.synchronise(&site).await.unwrap();
    next_day(&site);
    {
        let mut lists = moodle.lists();
        lists.users.push(user("new", 50));
        lists.enrolments.push(enrolment("c1", "new", "student", 1));
        let goes = |row: &Value| row.get("userid") == Some(&Value::from("u1"));
        lists.enrolments.retain(|row| !goes(row));
        lists.grades.retain(|row| !goes(row));
        // No concern of a run of c1.
        lists.assessments.pop();
        lists.sections.pop();
    }
    let only = Order {
        section: Some("c1".to_owned()),
        ..order()
    };
    let report = moodle.synchronise_as(&site, only).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(counts(&report, Kind::Enrolments), [21, 1, 0, 20, 1, 0]);
    assert_eq!(counts(&report, Kind::Grades), [19, 0, 0, 19, 1, 0]);
    assert_eq!(in_use(&site), [22, 2, 42, 2, 39]);
    assert!(moodle.played.asked("list_users").len() == 1);

    let unknown = Order {
        section: Some("c9".to_owned()),
        ..order()
    };
    let error = moodle.synchronise_as(&site, unknown).await.unwrap_err();
    assert!(matches!(error, SyncError::UnknownSection { .. }), "{error}");
}

#[tokio::test]
async fn a_section_that_is_gone_takes_what_hangs_on_it_with_it_and_brings_it_back() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(20, 2);
    moodle.synchronise(&site).await.unwrap();
    next_day(&site);
    let (section, columns) = {
        let mut lists = moodle.lists();
        let of_c2 = |row: &Value| row.get("sectionid") == Some(&Value::from("c2"));
        let kept = lists.enrolments.clone();
        lists.enrolments.retain(|row| !of_c2(row));
        let grades = lists.grades.clone();
        lists.grades.truncate(20);
        (
            (
                lists.sections.pop().unwrap(),
                lists.assessments.pop().unwrap(),
            ),
            (kept, grades),
        )
    };
    let report = moodle.synchronise(&site).await.unwrap();
    assert!(report.is_whole(), "{report:?}");
    assert_eq!(list(&report, Kind::Sections).removed, 1);
    assert_eq!(list(&report, Kind::Enrolments).removed, 0);
    assert_eq!(in_use(&site), [21, 1, 21, 1, 20]);
    {
        let mut lists = moodle.lists();
        lists.sections.push(section.0);
        lists.assessments.push(section.1);
        (lists.enrolments, lists.grades) = columns;
    }
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Sections), [2, 0, 1, 1, 0, 0]);
    assert_eq!(in_use(&site), [21, 2, 42, 2, 40]);
}

#[tokio::test]
async fn assessments_and_sections_that_are_new_do_not_disturb_hand_made_grades() {
    let (site, moodle) = site_and_moodle().await;
    moodle.fill(2, 1);
    moodle.synchronise(&site).await.unwrap();
    // The office corrects u1's grade; the peer still has its own last word, and no news.
    let office = Author::Admin {
        name: "office".to_owned(),
    };
    let now = site.clock.now();
    let (column, person) = site
        .store
        .read_blocking(|tx| -> Result<_, StoreError> {
            let column = assessments::by_idnumber(tx, Some(moodle.id), "a1")?.unwrap();
            let person = people::by_idnumber(tx, Some(moodle.id), "u1")?.unwrap();
            Ok((column.id, person.id))
        })
        .unwrap();
    site.store
        .write_blocking(move |tx| {
            let value = grades::GradeValue {
                points_earned: Some(10.0),
                excepted: false,
                attempt_num: 1,
            };
            register::enter_grade(tx, &office, column, person, &value, None, now)
        })
        .unwrap();
    next_day(&site);
    moodle.lists().assessments.push(assessment("a2", "c1"));
    moodle.lists().sections.push(section("c2", &[]));
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(counts(&report, Kind::Grades), [2, 0, 0, 2, 0, 0]);
    let points = || {
        let grade = site
            .store
            .read_blocking(|tx| grades::find(tx, column, person))
            .unwrap();
        grade.unwrap().value.points_earned
    };
    assert_eq!(points(), Some(10.0));
    // Nor is it removed with the peer's own.
    moodle.lists().grades.remove(0);
    next_day(&site);
    let report = moodle.synchronise(&site).await.unwrap();
    assert_eq!(list(&report, Kind::Grades).removed, 0);
    assert_eq!(points(), Some(10.0));
}
