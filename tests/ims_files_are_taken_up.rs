//! IMS Enterprise files change the register as they say, once, and no more than they say.

mod support;

use jiff::tz::TimeZone;
use mnetd::exchange::{DEFAULT_LIMIT, Kept, Mode};
use mnetd::ims::{Imported, Options, import};
use mnetd::store::enrolments::{self, EnrolmentFilter};
use mnetd::store::people::{self, PeopleFilter};
use mnetd::store::sections::{self, SectionFilter};
use mnetd::store::{Page, StoreError};
use support::ims_file::Plan;
use support::site::Site;

const SNAPSHOT: Mode = Mode::Snapshot {
    limit: DEFAULT_LIMIT,
    force: false,
};

fn site() -> Site {
    Site::new("https://register.example")
}

fn run(site: &Site, file: &[u8], mode: Mode, preview: bool) -> Imported {
    let options = Options {
        feed: None,
        mode,
        preview,
        zone: TimeZone::UTC,
    };
    let input = std::io::Cursor::new(file.to_vec());
    import(&site.store, &site.clock, input, &options, |_| ()).unwrap()
}

fn update(site: &Site, file: &str) -> Imported {
    run(site, file.as_bytes(), Mode::Update, false)
}

fn snapshot(site: &Site, file: &str) -> Imported {
    run(site, file.as_bytes(), SNAPSHOT, false)
}

/// Everything the register holds, a line a row.
fn told(site: &Site) -> Vec<String> {
    let now = site.clock.now();
    let page = Page::default();
    let read: Result<_, StoreError> = site.store.read_blocking(|tx| {
        Ok((
            people::list(tx, &PeopleFilter::default(), now, page)?,
            sections::list(tx, &SectionFilter::default(), page)?,
            enrolments::list(tx, &EnrolmentFilter::default(), now, page)?,
        ))
    });
    let (people, sections, enrolments) = read.unwrap();
    let people = people.into_iter().map(|listed| {
        let fields = listed.person.fields;
        format!(
            "{} {} {} {} <{}>",
            fields.idnumber.unwrap_or_default(),
            fields.username,
            fields.firstname,
            fields.lastname,
            fields.email
        )
    });
    let sections = sections.into_iter().map(|listed| {
        let id = listed.section.fields.idnumber.unwrap_or_default();
        format!(
            "{id} “{}” {:?}",
            listed.section.fields.name, listed.segments
        )
    });
    let enrolments = enrolments.into_iter().map(|listed| {
        format!(
            "{} in {} as {}: {}",
            listed.userid.unwrap_or_default(),
            listed.sectionid.unwrap_or_default(),
            listed.role.as_str(),
            listed.status.title
        )
    });
    people.chain(sections).chain(enrolments).collect()
}

fn enterprise(inner: &str) -> String {
    format!("<enterprise><properties><datasource>SIS</datasource></properties>{inner}</enterprise>")
}

fn person(id: &str, given: &str) -> String {
    format!(
        "<person><sourcedid><source>SIS</source><id>{id}</id></sourcedid><userid>{given}</userid>\
         <name><n><given>{given}</given><family>Fjord</family></n></name></person>"
    )
}

fn group(id: &str) -> String {
    format!(
        "<group><sourcedid><source>SIS</source><id>{id}</id></sourcedid>\
         <description><long>Course {id}</long></description></group>"
    )
}

fn member(group: &str, person: &str, status: u8) -> String {
    format!(
        "<membership><sourcedid><source>SIS</source><id>{group}</id></sourcedid>\
         <member><sourcedid><source>SIS</source><id>{person}</id></sourcedid><idtype>1</idtype>\
         <role roletype=\"01\"><status>{status}</status></role></member></membership>"
    )
}

#[test]
fn a_banner_file_becomes_people_sections_terms_and_enrolments() {
    let site = site();
    let imported = run(&site, include_bytes!("ims/banner.xml"), Mode::Update, false);
    let expected = [
        "24680 kfjord Kim Fjord <kim.fjord@northfield.example>",
        "10456.202610 “BIO-101-01 Biology & Ecology” [\"Autumn 2026\"]",
        "XLA1.202610 “Biology, all sections” []",
        "24680 in 10456.202610 as student: Enrolled",
        "24680 in 10456.202610 as teacher: Withdrawn",
    ];
    assert_eq!(told(&site), expected);
    let report = &imported.report;
    assert_eq!(report.feed, "Northfield College SCT Banner");
    assert_eq!((report.people.created, report.sections.created), (1, 2));
    assert_eq!((report.memberships.created, report.parts.created), (2, 1));
    assert_eq!(report.skipped_count, 0, "{:?}", report.skipped);
    assert!(imported.repairs.count() > 0);
}

#[test]
fn the_same_file_again_changes_nothing() {
    let site = site();
    let file = include_bytes!("ims/banner.xml");
    run(&site, file, Mode::Update, false);
    let before = told(&site);
    let again = run(&site, file, Mode::Update, false).report;
    assert!(!again.is_news(), "{again:?}");
    assert_eq!(again.memberships.unchanged, 2);
    let whole = run(&site, file, SNAPSHOT, false).report;
    assert!(!whole.is_news(), "{whole:?}");
    assert_eq!(told(&site), before);
}

#[test]
fn a_preview_counts_what_will_be_done_and_does_none_of_it() {
    let site = site();
    let file = include_bytes!("ims/banner.xml");
    let preview = run(&site, file, Mode::Update, true).report;
    assert!(told(&site).is_empty());
    let mut done = run(&site, file, Mode::Update, false).report;
    done.preview = true;
    assert_eq!(preview, done);
}

#[test]
fn members_may_stand_before_those_they_name() {
    let site = site();
    let file = enterprise(&(member("C1", "1", 1) + &person("1", "kim") + &group("C1")));
    let report = update(&site, &file).report;
    assert_eq!((report.memberships.created, report.skipped_count), (1, 0));
}

#[test]
fn a_member_that_names_nobody_is_skipped_with_its_line_and_the_rest_is_done() {
    let site = site();
    let file = enterprise(&format!(
        "{}\n{}\n{}",
        person("1", "kim"),
        group("C1"),
        member("C1", "2", 1)
    ));
    let report = update(&site, &file).report;
    assert_eq!((report.people.created, report.sections.created), (1, 1));
    let [skipped] = &report.skipped[..] else {
        panic!("{:?}", report.skipped);
    };
    assert_eq!((skipped.line, skipped.id.as_str()), (3, "2 in C1"));
    assert!(
        skipped.reason.contains("the person 2"),
        "{}",
        skipped.reason
    );
}

#[test]
fn what_is_absent_from_a_whole_picture_is_taken_out_with_a_note() {
    let site = site();
    let all: Vec<String> = (1..=20).map(|n| n.to_string()).collect();
    let file = |ids: &[String]| {
        let people: String = ids
            .iter()
            .map(|id| person(id, &format!("kim{id}")))
            .collect();
        let members: String = ids.iter().map(|id| member("C1", id, 1)).collect();
        enterprise(&(people + &group("C1") + &members))
    };
    snapshot(&site, &file(&all));
    site.clock.advance(60);
    let report = snapshot(&site, &file(&all[1..])).report;
    let people = report.absent_people.clone().unwrap();
    assert_eq!((people.found, people.of, people.dropped), (1, 20, 1));
    assert_eq!(report.absent_memberships.unwrap().dropped, 1);
    let told = told(&site);
    assert!(
        !told.iter().any(|row| row.starts_with("1 kim1")),
        "{told:?}"
    );
    assert!(
        told.contains(&"2 in C1 as student: Enrolled".to_owned()),
        "{told:?}"
    );
    // Who comes back is there again.
    site.clock.advance(60);
    let back = snapshot(&site, &file(&all)).report;
    assert_eq!((back.people.updated, back.memberships.updated), (1, 1));
    let rows = self::told(&site);
    assert!(
        rows.contains(&"1 in C1 as student: Enrolled".to_owned()),
        "{rows:?}"
    );
}

#[test]
fn an_update_takes_nobody_out() {
    let site = site();
    update(
        &site,
        &enterprise(&(person("1", "kim") + &person("2", "jo"))),
    );
    let report = update(&site, &enterprise(&person("1", "kim"))).report;
    assert_eq!(report.absent_people, None);
    assert_eq!(told(&site).len(), 2);
}

#[test]
fn too_many_absent_are_left_alone_unless_forced() {
    let site = site();
    let people: String = (1..=10)
        .map(|n| person(&n.to_string(), &format!("kim{n}")))
        .collect();
    snapshot(&site, &enterprise(&people));
    for almost_empty in [enterprise(&person("1", "kim1")), enterprise("")] {
        let report = snapshot(&site, &almost_empty).report;
        assert_eq!(report.kept(), Some(Kept::OverTheLimit(10)));
        assert_eq!(told(&site).len(), 10);
    }
    let forced = Mode::Snapshot {
        limit: 10,
        force: true,
    };
    let report = run(
        &site,
        enterprise(&person("1", "kim1")).as_bytes(),
        forced,
        false,
    )
    .report;
    assert_eq!(report.absent_people.unwrap().dropped, 9);
    assert_eq!(told(&site).len(), 1);
}

#[test]
fn a_file_that_is_cut_off_takes_nobody_out_even_if_forced() {
    let site = site();
    let people: String = (1..=20)
        .map(|n| person(&n.to_string(), &format!("kim{n}")))
        .collect();
    let whole = enterprise(&people);
    snapshot(&site, &whole);
    let cut = &whole[..whole.len() - 100];
    let forced = Mode::Snapshot {
        limit: 10,
        force: true,
    };
    let report = run(&site, cut.as_bytes(), forced, false).report;
    assert_eq!(report.kept(), Some(Kept::CutOff));
    assert_eq!(told(&site).len(), 20);
}

#[test]
fn a_record_that_cannot_be_used_keeps_its_kind_from_being_taken_out() {
    let site = site();
    let ids = 1..=20;
    let file = |name: &dyn Fn(i32) -> String| {
        let people: String = ids
            .clone()
            .map(|n| person(&n.to_string(), &name(n)))
            .collect();
        enterprise(&people)
    };
    snapshot(&site, &file(&|n| format!("kim{n}")));
    let long = "x".repeat(2_000);
    let report = snapshot(
        &site,
        &file(&|n| {
            if n == 7 {
                long.clone()
            } else {
                format!("kim{n}")
            }
        }),
    )
    .report;
    assert_eq!(report.people.skipped, 1);
    // The seventh was in the file: nothing is absent, though it could not be used.
    assert_eq!(report.absent_people.unwrap().found, 0);
    let nameless = file(&|n| format!("kim{n}")).replace("<id>7</id>", "");
    let report = snapshot(&site, &nameless).report;
    assert_eq!(report.kept(), Some(Kept::Skipped));
    assert_eq!(told(&site).len(), 20);
}

#[test]
fn another_feed_and_another_source_are_not_touched() {
    let site = site();
    update(&site, &enterprise(&person("1", "kim")));
    let other = enterprise(&person("1", "jo")).replace("SIS", "Alumni");
    let report = snapshot(&site, &other).report;
    assert_eq!(
        report.people.created, 1,
        "the same id of another source is somebody else"
    );
    assert_eq!(told(&site).len(), 2);
}

#[test]
fn what_an_administrator_changed_stands_until_the_file_says_something_new() {
    use mnetd::register::{Author, set_enrolment_status};
    let site = site();
    let file = enterprise(&(person("1", "kim") + &group("C1") + &member("C1", "1", 1)));
    update(&site, &file);
    site.clock.advance(60);
    let now = site.clock.now();
    let filter = EnrolmentFilter::default();
    let listed: Result<_, StoreError> = site
        .store
        .read_blocking(|tx| enrolments::list(tx, &filter, now, Page::default()));
    let id = listed.unwrap()[0].id;
    site.store
        .write_blocking(move |tx| {
            let office = Author::Admin {
                name: "office".to_owned(),
            };
            set_enrolment_status(tx, &office, id, "i", None, Some("left"), now)
        })
        .unwrap();
    let withdrawn = "1 in C1 as student: Withdrawn".to_owned();
    assert!(told(&site).contains(&withdrawn));
    snapshot(&site, &file);
    assert!(told(&site).contains(&withdrawn));
}

#[test]
fn records_that_delete_take_out_and_unknown_ones_are_not_made() {
    let site = site();
    update(&site, &enterprise(&(person("1", "kim") + &group("C1"))));
    let deleting = |record: String| {
        record
            .replace("<person>", "<person recstatus=\"3\">")
            .replace("<group>", "<group recstatus=\"3\">")
    };
    let file = enterprise(&deleting(
        person("1", "kim") + &group("C1") + &group("C2") + &person("9", "no"),
    ));
    let report = update(&site, &file).report;
    assert_eq!((report.people.removed, report.people.unchanged), (1, 1));
    assert_eq!((report.sections.removed, report.sections.unchanged), (1, 1));
    assert!(told(&site).is_empty());
}

#[test]
fn restricted_times_are_dates_of_the_enrolment_and_others_are_not() {
    let site = site();
    let framed = |begin: &str, end: &str| {
        member("C1", "1", 1).replace(
            "</role>",
            &format!("<timeframe><begin {begin}</begin><end {end}</end></timeframe></role>"),
        )
    };
    let base = person("1", "kim") + &group("C1");
    // The clock of these tests stands in 2026.
    let over = framed("restrict=\"1\">2020-01-01", "restrict=\"1\">2020-06-30");
    update(&site, &enterprise(&(base.clone() + &over)));
    assert!(
        told(&site).contains(&"1 in C1 as student: Withdrawn".to_owned()),
        "{:?}",
        told(&site)
    );
    let open = self::site();
    let loose = framed("restrict=\"0\">2020-01-01", "restrict=\"0\">2020-06-30");
    update(&open, &enterprise(&(base + &loose)));
    assert!(
        told(&open).contains(&"1 in C1 as student: Enrolled".to_owned()),
        "{:?}",
        told(&open)
    );
}

#[test]
fn an_import_that_breaks_off_goes_on_where_it_stopped() {
    let site = site();
    let many: String = (1..=3_000)
        .map(|n| person(&n.to_string(), &format!("kim{n}")))
        .collect();
    let broken =
        enterprise(&many).replace("</enterprise>", "<!-- ") + &"x".repeat(40 * 1024 * 1024);
    let options = Options {
        feed: None,
        mode: SNAPSHOT,
        preview: false,
        zone: TimeZone::UTC,
    };
    let input = std::io::Cursor::new(broken.into_bytes());
    import(&site.store, &site.clock, input, &options, |_| ()).unwrap_err();
    let report = snapshot(&site, &enterprise(&many)).report;
    assert_eq!(report.people.created + report.people.unchanged, 3_000);
    assert!(report.people.unchanged >= 2_000, "{report:?}");
}

#[test]
fn every_record_of_a_large_file_is_taken_up_once() {
    let site = site();
    let plan = Plan {
        people: 1_500,
        groups: 7,
        memberships: 4_000,
        seed: 1,
    };
    let mut file = Vec::new();
    plan.write(&mut file).unwrap();
    let counts = |report: &mnetd::exchange::Report| {
        [report.people, report.sections, report.memberships]
            .map(|counts| (counts.created, counts.unchanged))
    };
    let first = run(&site, &file, SNAPSHOT, false);
    assert_eq!(counts(&first.report), [(1_500, 0), (7, 0), (4_000, 0)]);
    assert_eq!(first.repairs.count(), 0);
    let again = run(&site, &file, SNAPSHOT, false).report;
    assert_eq!(counts(&again), [(0, 1_500), (0, 7), (0, 4_000)]);
}

#[test]
fn who_begins_later_is_pending_until_then() {
    let site = site();
    let begin = "<timeframe><begin restrict=\"1\">2090-01-01</begin></timeframe></role>";
    let later = member("C1", "1", 1).replace("</role>", begin);
    update(
        &site,
        &enterprise(&(person("1", "kim") + &group("C1") + &later)),
    );
    let rows = told(&site);
    assert!(
        rows.contains(&"1 in C1 as student: Pending".to_owned()),
        "{rows:?}"
    );
    let begins = jiff::civil::date(2090, 1, 1).in_tz("UTC").unwrap();
    let wait = begins.timestamp().as_second() - site.clock.now().0;
    site.clock.advance(u32::try_from(wait).unwrap());
    let rows = told(&site);
    assert!(
        rows.contains(&"1 in C1 as student: Enrolled".to_owned()),
        "{rows:?}"
    );
}
