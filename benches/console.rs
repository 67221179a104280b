//! The pages of the console on a big school: `cargo bench --bench console`.
//!
//! Makes a school of 100,000 people and five million grades under `target/console/` once, and reads each page's lists from it
//! as the console does, over one of the store's reading connections. A page has to be there within [`WITHIN`], in 99 of 100
//! readings; the slowest that can well be asked for are among them.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mnetd::clock::{Clock, UnixTime};
use mnetd::demo::{self, Demo};
use mnetd::store::enrolments::Role;
use mnetd::store::lists::{
    self, MemberFilter, PeopleQuery, ROWS, SectionQuery, Slice, Turn, people, sections,
};
use mnetd::store::sections::SegmentFilter;
use mnetd::store::statuses::Meaning;
use mnetd::store::{
    AssessmentId, EnrolmentId, PeerId, PersonId, ReadTx, SectionId, Store, StoreError,
};

/// What is promised for a page, from the store.
const WITHIN: Duration = Duration::from_millis(100);

const READINGS: usize = 200;

const SCHOOL: Demo = Demo {
    people: 100_000,
    seed: 1,
    years: 3,
    add: false,
};

type Reading<'a> = Box<dyn Fn(&ReadTx<'_>) -> Result<usize, StoreError> + 'a>;

fn main() -> ExitCode {
    let store = school();
    let now = Clock::System.now();
    let landmarks = store.read_blocking(|tx| Landmarks::find(tx, now)).unwrap();
    println!(
        "{:<58} {:>6} {:>9} {:>9} {:>9} {:>9}",
        "page", "rows", "processor", "first", "p50", "p99"
    );
    let mut held = true;
    for (name, reading) in readings(&landmarks, now) {
        held &= measure(&store, name, &reading);
    }
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The school, made where it is not there yet. A file beside it says that it is whole.
fn school() -> Store {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/console");
    let whole = folder.join("whole");
    if !whole.exists() {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        let store = Store::open(&folder.join("mnetd.db")).unwrap();
        let started = Instant::now();
        let made = demo::fill(&store, &SCHOOL, Clock::System.now(), |_, _| ()).unwrap();
        println!("made in {:.0?}: {made:?}", started.elapsed());
        std::fs::write(&whole, format!("{made:?}\n")).unwrap();
    }
    let opened = Instant::now();
    let store = Store::open(&folder.join("mnetd.db")).unwrap();
    println!("opened in {:.1?}; {}", opened.elapsed(), size(&folder));
    store
}

fn size(folder: &Path) -> String {
    let bytes = std::fs::metadata(folder.join("mnetd.db")).unwrap().len();
    format!("{} MB", bytes / 1_000_000)
}

/// Rows that pages are about.
struct Landmarks {
    lecture: SectionId,
    /// A student of the lecture: nobody has more grades.
    student: PersonId,
    teacher: PersonId,
    middle_person: PersonId,
    middle_section: SectionId,
    last_assessment: AssessmentId,
    last_member: EnrolmentId,
    last_student: PersonId,
    term: String,
}

impl Landmarks {
    fn find(tx: &ReadTx<'_>, now: UnixTime) -> Result<Self, StoreError> {
        let lecture = lists::sections(tx, &section("lecture"), now, Turn::First, 1)?;
        let lecture = lecture.rows[0].section.id;
        let book = lists::gradebook(tx, lecture, now, Turn::Last, ROWS)?;
        let student = book.students.rows[0].person;
        let members = lists::members(tx, lecture, &MemberFilter::default(), now, Turn::Last, 1)?;
        let grades = lists::grades_of_person(tx, student, Turn::Last, 1)?;
        let middle = lists::people(tx, &person("müller"), now, Turn::First, 1)?;
        let history = lists::sections(tx, &section("history"), now, Turn::First, 1)?;
        let counts = lists::counts(tx)?;
        let terms = lists::segments(tx)?;
        println!("{counts:?}, {} terms", terms.segments.len());
        Ok(Self {
            lecture,
            student,
            teacher: lists::teachers(tx, lecture, now)?[0].person,
            middle_person: middle.rows[0].person.id,
            middle_section: history.rows[0].section.id,
            last_assessment: grades.rows[0].assessment,
            last_member: members.rows[0].enrolment,
            last_student: book.students.rows[book.students.rows.len() - 1].person,
            term: terms.segments[1].name.clone(),
        })
    }
}

fn person(search: &str) -> PeopleQuery {
    PeopleQuery {
        search: Some(search.to_owned()),
        ..PeopleQuery::default()
    }
}

fn section(search: &str) -> SectionQuery {
    SectionQuery {
        search: Some(search.to_owned()),
        ..SectionQuery::default()
    }
}

fn readings(marks: &Landmarks, now: UnixTime) -> Vec<(&'static str, Reading<'_>)> {
    let mut readings = people_pages(marks, now);
    readings.extend(section_pages(marks, now));
    readings.extend(gradebook_pages(marks, now));
    readings
}

fn people_pages(marks: &Landmarks, now: UnixTime) -> Vec<(&'static str, Reading<'_>)> {
    let page = move |query: PeopleQuery, turn| -> Reading<'_> {
        Box::new(move |tx| people(tx, &query, now, turn, ROWS).map(|page| rows(&page)))
    };
    let all = PeopleQuery::default;
    let role = |role, search: &str| PeopleQuery {
        role: Some(role),
        search: Some(search.to_owned()),
        ..PeopleQuery::default()
    };
    vec![
        ("people, first page", page(all(), Turn::First)),
        ("people, last page", page(all(), Turn::Last)),
        (
            "people, from the middle on",
            page(all(), Turn::After(marks.middle_person)),
        ),
        (
            "people, from the middle back",
            page(all(), Turn::Before(marks.middle_person)),
        ),
        (
            "people, search with many hits",
            page(person("an"), Turn::First),
        ),
        (
            "people, the same, last page",
            page(person("an"), Turn::Last),
        ),
        (
            "people, search for one letter",
            page(person("é"), Turn::First),
        ),
        ("people, search for 日本", page(person("日本"), Turn::First)),
        (
            "people, search for one person",
            page(person("D1-099999"), Turn::First),
        ),
        (
            "people, search with no hit",
            page(person("no such name"), Turn::First),
        ),
        (
            "people, eight words, no hit",
            page(person("a e i o u n r zz"), Turn::First),
        ),
        (
            "teachers, first page",
            page(role(Role::Teacher, ""), Turn::First),
        ),
        (
            "teachers, last page",
            page(role(Role::Teacher, ""), Turn::Last),
        ),
        (
            "teachers, search that hits every student and no teacher",
            page(role(Role::Teacher, "@students"), Turn::First),
        ),
        (
            "students, search that hits every teacher and no student",
            page(role(Role::Student, "@staff"), Turn::First),
        ),
        (
            "people of a peer that sent none",
            page(
                PeopleQuery {
                    peer: Some(Some(PeerId(1))),
                    ..all()
                },
                Turn::First,
            ),
        ),
        (
            "people of each peer",
            Box::new(|tx| lists::people_of_peers(tx).map(|peers| peers.len())),
        ),
        ("counts", Box::new(|tx| lists::counts(tx).map(|_| 1))),
        (
            "a person's sections",
            Box::new(move |tx| {
                lists::sections_of_person(tx, marks.student, now).map(|all| all.len())
            }),
        ),
        (
            "a person's grades, first page",
            Box::new(move |tx| {
                lists::grades_of_person(tx, marks.student, Turn::First, ROWS)
                    .map(|page| rows(&page))
            }),
        ),
        (
            "a person's grades, all of them",
            Box::new(move |tx| {
                let turn = Turn::Before(AssessmentId(marks.last_assessment.0 + 1));
                lists::grades_of_person(tx, marks.student, turn, 1_000).map(|page| rows(&page))
            }),
        ),
    ]
}

fn section_pages(marks: &Landmarks, now: UnixTime) -> Vec<(&'static str, Reading<'_>)> {
    let page = move |query: SectionQuery, turn| -> Reading<'_> {
        Box::new(move |tx| sections(tx, &query, now, turn, ROWS).map(|page| rows(&page)))
    };
    let all = SectionQuery::default;
    let term = |segment| SectionQuery {
        segment: Some(segment),
        ..SectionQuery::default()
    };
    let named = SegmentFilter::Named(marks.term.clone());
    let none = SegmentFilter::Named("Autumn 1066".to_owned());
    vec![
        ("sections, first page", page(all(), Turn::First)),
        ("sections, last page", page(all(), Turn::Last)),
        (
            "sections, from the middle on",
            page(all(), Turn::After(marks.middle_section)),
        ),
        (
            "sections of a term, first page",
            page(term(named.clone()), Turn::First),
        ),
        (
            "sections of a term, last page",
            page(term(named), Turn::Last),
        ),
        (
            "sections of a term without any",
            page(term(none), Turn::First),
        ),
        (
            "ongoing sections",
            page(term(SegmentFilter::Ongoing), Turn::First),
        ),
        (
            "sections, search with many hits",
            page(section("o"), Turn::First),
        ),
        (
            "the page with the biggest section",
            page(section("lecture"), Turn::First),
        ),
        (
            "sections, search with no hit",
            page(section("no such course"), Turn::First),
        ),
        (
            "sections of a teacher",
            page(
                SectionQuery {
                    teacher: Some(marks.teacher),
                    ..all()
                },
                Turn::First,
            ),
        ),
        (
            "terms with counts",
            Box::new(|tx| lists::segments(tx).map(|terms| terms.segments.len())),
        ),
    ]
}

fn gradebook_pages(marks: &Landmarks, now: UnixTime) -> Vec<(&'static str, Reading<'_>)> {
    let members = move |filter: MemberFilter, turn| -> Reading<'_> {
        Box::new(move |tx| {
            lists::members(tx, marks.lecture, &filter, now, turn, ROWS).map(|page| rows(&page))
        })
    };
    let gradebook = move |turn| -> Reading<'_> {
        Box::new(move |tx| {
            lists::gradebook(tx, marks.lecture, now, turn, ROWS).map(|page| page.grades.len())
        })
    };
    let students = MemberFilter {
        role: Some(Role::Student),
        ..MemberFilter::default()
    };
    let withdrawn = MemberFilter {
        meaning: Some(Meaning::Withdrawn),
        ..students.clone()
    };
    let nobody = MemberFilter {
        search: Some("no such name".to_owned()),
        ..students.clone()
    };
    vec![
        (
            "the biggest section's students, first page",
            members(students.clone(), Turn::First),
        ),
        (
            "the same, before the last",
            members(students, Turn::Before(marks.last_member)),
        ),
        ("the same, who withdrew", members(withdrawn, Turn::First)),
        ("the same, search with no hit", members(nobody, Turn::First)),
        (
            "the biggest section's teachers",
            Box::new(move |tx| lists::teachers(tx, marks.lecture, now).map(|all| all.len())),
        ),
        (
            "the biggest gradebook, first page (rows: grades)",
            gradebook(Turn::First),
        ),
        (
            "the same, before the last",
            gradebook(Turn::Before(marks.last_student)),
        ),
        (
            "the biggest gradebook, distribution",
            Box::new(move |tx| lists::distribution(tx, marks.lecture, now).map(|all| all.len())),
        ),
    ]
}

fn rows<T>(page: &Slice<T>) -> usize {
    page.rows.len()
}

/// Reads the page, prints how long that took, and says whether it held.
fn measure(store: &Store, name: &str, reading: &Reading<'_>) -> bool {
    let mut times = Vec::with_capacity(READINGS);
    let mut found = 0;
    let before = on_the_processor();
    for _ in 0..READINGS {
        let started = Instant::now();
        found = store.read_blocking(|tx| reading(tx)).unwrap();
        times.push(started.elapsed());
    }
    let processor = on_the_processor().saturating_sub(before) / u32::try_from(READINGS).unwrap();
    let first = times[0];
    times.sort_unstable();
    let (median, high) = (times[READINGS / 2], times[READINGS * 99 / 100]);
    let held = high <= WITHIN;
    println!(
        "{name:<58} {found:>6} {:>9} {:>9} {:>9} {:>9}  {}",
        milliseconds(processor),
        milliseconds(first),
        milliseconds(median),
        milliseconds(high),
        if held { "PASS" } else { "FAIL" }
    );
    held
}

/// How long this thread has run, waiting apart: on a machine that others use, what a page costs. The first number in Linux's
/// `schedstat`, in nanoseconds (`proc_pid_schedstat(5)`).
fn on_the_processor() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split(' ').next().unwrap().parse().unwrap())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1_000.0)
}
