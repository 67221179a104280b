//! `mnetd demo` makes the same school from the same seed, and keeps away from real people.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use mnetd::clock::UnixTime;
use mnetd::demo::{self, Demo, DemoError, MAX_PEOPLE, MAX_YEARS, MIN_PEOPLE, Made};
use mnetd::store::enrolments;
use mnetd::store::grades;
use mnetd::store::lists::{self, MemberFilter, PeopleQuery, SectionQuery, SectionRow, Slice, Turn};
use mnetd::store::people;
use mnetd::store::sections::SegmentFilter;
use mnetd::store::statuses::Meaning;
use mnetd::store::{Author, ReadTx, Store, StoreError};
use tempfile::TempDir;

/// 2026-11-24T12:00:00Z, in the middle of a term.
const NOW: UnixTime = UnixTime(1_795_521_600);

const SMALL: Demo = Demo {
    people: 120,
    seed: 7,
    years: 1,
    add: false,
};

struct Register {
    store: Store,
    _folder: TempDir,
}

impl Register {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            store: Store::open(&folder.path().join("mnetd.db")).unwrap(),
            _folder: folder,
        }
    }

    fn fill(&self, demo: Demo) -> Result<Made, DemoError> {
        demo::fill(&self.store, &demo, NOW, |_, _| ())
    }

    fn read<T>(&self, read: impl FnOnce(&ReadTx<'_>) -> Result<T, StoreError>) -> T {
        self.store.read_blocking(read).unwrap()
    }

    fn people(&self) -> Vec<lists::PersonRow> {
        let query = PeopleQuery {
            removed: true,
            ..PeopleQuery::default()
        };
        self.read(|tx| lists::people(tx, &query, NOW, Turn::First, 1_000))
            .rows
    }

    fn sections(&self, query: &SectionQuery) -> Slice<SectionRow> {
        self.read(|tx| lists::sections(tx, query, NOW, Turn::First, 1_000))
    }
}

#[test]
fn one_seed_makes_one_school() {
    let [first, second] = [(); 2].map(|()| Register::new());
    assert_eq!(first.fill(SMALL).unwrap(), second.fill(SMALL).unwrap());
    assert_eq!(first.people(), second.people());
    let all = SectionQuery::default();
    assert_eq!(first.sections(&all), second.sections(&all));
    let other = Register::new();
    other.fill(Demo { seed: 8, ..SMALL }).unwrap();
    assert_ne!(first.people(), other.people());
}

#[test]
fn the_school_has_what_was_asked_for() {
    let register = Register::new();
    let mut steps = Vec::new();
    let made = demo::fill(&register.store, &SMALL, NOW, |done, of| {
        steps.push((done, of));
    })
    .unwrap();
    assert_eq!(made.people, 120);
    assert_eq!(register.people().len(), 120);
    let staff = register
        .people()
        .iter()
        .filter(|row| row.person.fields.email.ends_with("@staff.example.org"))
        .count();
    assert_eq!(staff, 8, "one in fifteen");
    assert_eq!(steps.first().unwrap().0, 0);
    let (done, of) = *steps.last().unwrap();
    assert_eq!(done, of);
    assert!(steps.is_sorted());

    let terms = register.read(lists::segments);
    let mut names: Vec<_> = terms.segments.into_iter().map(|term| term.name).collect();
    names.sort();
    assert_eq!(names, ["Autumn 2026", "Spring 2026", "Spring 2027"]);
    assert!(terms.ongoing > 0);
}

#[test]
fn every_status_and_some_of_everything_is_there() {
    let register = Register::new();
    register.fill(SMALL).unwrap();
    let mut statuses = std::collections::BTreeSet::new();
    let (mut excepted, mut attempts, mut by_hand, mut notes) = (0, 0, 0, 0);
    for section in register.sections(&SectionQuery::default()).rows {
        let id = section.section.id;
        let all = MemberFilter::default();
        let members = register.read(|tx| lists::members(tx, id, &all, NOW, Turn::First, 1_000));
        for member in members.rows {
            statuses.insert(member.status.meaning.as_str());
            notes +=
                usize::from(member.status.meaning == Meaning::Withdrawn && member.note.is_some());
        }
        let book = register.read(|tx| lists::gradebook(tx, id, NOW, Turn::First, 1_000));
        by_hand += book
            .assessments
            .iter()
            .filter(|assessment| assessment.fields.idnumber.is_none())
            .count();
        excepted += book
            .grades
            .iter()
            .filter(|cell| cell.value.excepted)
            .count();
        attempts += book
            .grades
            .iter()
            .filter(|cell| cell.value.attempt_num > 1)
            .count();
    }
    assert_eq!(statuses.len(), Meaning::ALL.len(), "{statuses:?}");
    assert!(excepted > 0 && attempts > 0 && by_hand > 0 && notes > 0);
}

#[test]
fn the_histories_name_the_import_and_nothing_lies_ahead_of_its_time() {
    let register = Register::new();
    register.fill(SMALL).unwrap();
    let past = SectionQuery {
        segment: Some(SegmentFilter::Named("Spring 2026".to_owned())),
        ..SectionQuery::default()
    };
    let section = register.sections(&past).rows[0].section.id;
    let all = MemberFilter::default();
    let import = Author::Import {
        name: demo::IMPORT_NAME.to_owned(),
        peer: None,
    };
    let members = register.read(|tx| lists::members(tx, section, &all, NOW, Turn::First, 1_000));
    for member in &members.rows {
        let history = register.read(|tx| enrolments::history(tx, member.enrolment));
        assert!(history.iter().all(|change| change.author == import));
        assert!(history.iter().all(|change| change.recorded_at <= NOW));
    }
    let book = register.read(|tx| lists::gradebook(tx, section, NOW, Turn::First, 1_000));
    assert!(!book.grades.is_empty());
    for cell in &book.grades {
        let history = register.read(|tx| grades::history(tx, cell.grade));
        assert!(history.iter().all(|change| change.recorded_at <= NOW));
    }
    let person = register
        .read(|tx| people::get(tx, members.rows[0].person))
        .unwrap();
    assert_eq!(person.peer, None);
}

#[test]
fn a_register_in_use_is_left_alone() {
    let register = Register::new();
    register.fill(SMALL).unwrap();
    let before = register.people();
    let refused = register.fill(Demo { seed: 8, ..SMALL }).unwrap_err();
    assert!(matches!(refused, DemoError::NotEmpty));
    assert!(refused.to_string().contains("--data DIR"), "{refused}");
    assert_eq!(register.people(), before);

    let again = register.fill(Demo { add: true, ..SMALL }).unwrap_err();
    assert!(matches!(again, DemoError::ThereAlready { seed: 7 }));
    let beside = Demo {
        seed: 8,
        add: true,
        ..SMALL
    };
    register.fill(beside).unwrap();
    assert_eq!(register.people().len(), 240);
}

#[test]
fn a_size_has_bounds() {
    let register = Register::new();
    for (people, years) in [
        (MIN_PEOPLE - 1, 1),
        (MAX_PEOPLE + 1, 1),
        (MIN_PEOPLE, 0),
        (MIN_PEOPLE, MAX_YEARS + 1),
    ] {
        let demo = Demo {
            people,
            years,
            ..SMALL
        };
        assert!(matches!(register.fill(demo), Err(DemoError::Size { .. })));
    }
    let smallest = Demo {
        people: MIN_PEOPLE,
        years: MAX_YEARS,
        ..SMALL
    };
    assert_eq!(
        register.fill(smallest).unwrap().people,
        u64::from(MIN_PEOPLE)
    );
}
