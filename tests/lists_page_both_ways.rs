//! The console's lists turn forward and back through every row once, in the order of names, and find what they are asked for.

mod school;

use std::collections::BTreeSet;

use mnetd::store::enrolments::{self, EnrolmentChange, NewChange, NewEnrolment, Role};
use mnetd::store::lists::{self, MemberFilter, PeopleQuery, SectionQuery, Slice, Turn};
use mnetd::store::people::{self, PersonFields};
use mnetd::store::sections::{self, SectionFields, SegmentFilter};
use mnetd::store::statuses::{self, Meaning, Scope};
use mnetd::store::{Author, Extra, PersonId, SectionId, StoreError, WriteTx};
use proptest::prelude::*;
use school::{DAY, School};

fn fields(username: &str, firstname: &str, lastname: &str) -> PersonFields {
    PersonFields {
        idnumber: Some(format!("id-{username}")),
        username: username.to_owned(),
        sent_username: username.to_owned(),
        firstname: firstname.to_owned(),
        lastname: lastname.to_owned(),
        email: format!("{username}@example.org"),
        ircnick: None,
        extra: Extra::default(),
    }
}

fn add_people(school: &School, names: &[(String, String)]) -> Vec<PersonId> {
    let all: Vec<PersonFields> = names
        .iter()
        .enumerate()
        .map(|(number, (first, last))| fields(&format!("u{number}"), first, last))
        .collect();
    let now = school.now;
    write(school, move |tx| {
        all.iter()
            .map(|fields| people::insert(tx, None, fields, now))
            .collect()
    })
}

fn add_section(school: &School, name: &str) -> SectionId {
    let fields = SectionFields {
        idnumber: Some(format!("id-{name}")),
        name: name.to_owned(),
        extra: Extra::default(),
    };
    let now = school.now;
    write(school, move |tx| sections::insert(tx, None, &fields, now))
}

/// Enrols as a student, with a status that holds at once.
fn enrol(school: &School, section: SectionId, person: PersonId, meaning: Meaning) {
    let now = school.now;
    write(school, move |tx| {
        let status = statuses::first(tx, Scope::Section, meaning)?.unwrap().id;
        let new = NewEnrolment {
            owner: None,
            section,
            person,
            role: Role::Student,
            status,
            extra: &Extra::default(),
        };
        let id = enrolments::insert(tx, &new, now)?;
        let change = NewChange {
            change: EnrolmentChange::Status,
            status: Some(status),
            effective_at: now,
            note: Some("because"),
        };
        let author = Author::Admin {
            name: "anna".to_owned(),
        };
        enrolments::add_change(tx, id, &change, &author, now)
    });
}

fn write<T: Send + 'static>(
    school: &School,
    job: impl FnOnce(&WriteTx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    school.store.write_blocking(job).unwrap()
}

/// Turns through a whole list with `read`, forward and then back from its end; both must give the same rows, and say truly
/// whether there are more.
fn both_ways<T: Clone, Id: Copy + Eq + std::fmt::Debug>(
    read: impl Fn(Turn<Id>) -> Slice<T>,
    id: impl Fn(&T) -> Id,
) -> Vec<T> {
    let mut forward: Vec<T> = Vec::new();
    let mut page = read(Turn::First);
    assert!(!page.earlier);
    while let Some(last) = page.rows.last().map(&id) {
        forward.extend(page.rows.iter().cloned());
        let more = page.later;
        page = read(Turn::After(last));
        assert_eq!(more, !page.rows.is_empty());
        assert!(page.earlier);
    }
    let mut back: Vec<T> = Vec::new();
    let mut page = read(Turn::Last);
    assert!(!page.later);
    while let Some(first) = page.rows.first().map(&id) {
        back.splice(0..0, page.rows.iter().cloned());
        let more = page.earlier;
        page = read(Turn::Before(first));
        assert_eq!(more, !page.rows.is_empty());
        assert!(page.later);
    }
    let ids = |rows: &[T]| rows.iter().map(&id).collect::<Vec<_>>();
    assert_eq!(ids(&forward), ids(&back));
    forward
}

fn all_people(school: &School, query: &PeopleQuery, limit: u32) -> Vec<lists::PersonRow> {
    both_ways(
        |turn| school.read(|tx| lists::people(tx, query, school.now, turn, limit)),
        |row| row.person.id,
    )
}

fn found(school: &School, search: &str) -> Vec<String> {
    let query = PeopleQuery {
        search: Some(search.to_owned()),
        ..PeopleQuery::default()
    };
    all_people(school, &query, 2)
        .into_iter()
        .map(|row| row.person.fields.username)
        .collect()
}

/// Few names, so that many are equal; of one letter and of several, beyond ASCII too.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("A".to_owned()),
        Just("a".to_owned()),
        Just("Á".to_owned()),
        Just("Ab".to_owned()),
        Just("Ødegård".to_owned()),
        Just("日本".to_owned()),
        Just(String::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_person_comes_once_in_order(
        names in prop::collection::vec((name(), name()), 0..40),
        limit in 1..12_u32,
    ) {
        let school = School::new();
        let ids = add_people(&school, &names);
        let listed = all_people(&school, &PeopleQuery::default(), limit);
        let seen: BTreeSet<PersonId> = listed.iter().map(|row| row.person.id).collect();
        prop_assert_eq!(listed.len(), ids.len());
        prop_assert_eq!(seen, ids.into_iter().collect::<BTreeSet<_>>());
        let order: Vec<_> = listed
            .iter()
            .map(|row| {
                let bare = |name: &str| name.to_lowercase().replace('á', "a").replace('å', "a");
                let fields = &row.person.fields;
                (bare(&fields.lastname), bare(&fields.firstname), row.person.id)
            })
            .collect();
        prop_assert!(order.is_sorted(), "{:?}", order);
    }

    #[test]
    fn every_student_comes_once_in_order(
        names in prop::collection::vec((name(), name()), 1..30),
        limit in 1..9_u32,
    ) {
        let school = School::new();
        let ids = add_people(&school, &names);
        let section = add_section(&school, "Biology");
        let other = add_section(&school, "Chemistry");
        for (number, id) in ids.iter().enumerate() {
            enrol(&school, section, *id, Meaning::ALL[number % Meaning::ALL.len()]);
            enrol(&school, other, *id, Meaning::Active);
        }
        let filter = MemberFilter::default();
        let members = both_ways(
            |turn| school.read(|tx| lists::members(tx, section, &filter, school.now, turn, limit)),
            |row| row.enrolment,
        );
        let students = both_ways(
            |turn| {
                school
                    .read(|tx| lists::gradebook(tx, section, school.now, turn, limit))
                    .students
            },
            |row| row.person,
        );
        let in_order: Vec<PersonId> = all_people(&school, &PeopleQuery::default(), 100)
            .iter()
            .map(|row| row.person.id)
            .collect();
        prop_assert_eq!(members.iter().map(|row| row.person).collect::<Vec<_>>(), in_order.clone());
        prop_assert_eq!(students.iter().map(|row| row.person).collect::<Vec<_>>(), in_order);
    }

    #[test]
    fn every_section_comes_once_in_order(
        names in prop::collection::vec(name(), 0..30),
        limit in 1..9_u32,
    ) {
        let school = School::new();
        let now = school.now;
        let made = names.clone();
        write(&school, move |tx| {
            for name in made {
                let fields = SectionFields { idnumber: None, name, extra: Extra::default() };
                sections::insert(tx, None, &fields, now)?;
            }
            Ok(())
        });
        let query = SectionQuery::default();
        let listed = both_ways(
            |turn| school.read(|tx| lists::sections(tx, &query, now, turn, limit)),
            |row| row.section.id,
        );
        let order: Vec<_> = listed
            .iter()
            .map(|row| (row.section.fields.name.to_lowercase().replace('á', "a").replace('å', "a"), row.section.id))
            .collect();
        prop_assert_eq!(listed.len(), names.len());
        prop_assert!(order.is_sorted(), "{:?}", order);
    }
}

fn school_of_names() -> School {
    let school = School::new();
    let now = school.now;
    write(&school, move |tx| {
        for (username, first, last) in [
            ("hanako", "花子", "日本"),
            ("inigo", "Íñigo", "ÑÍGUEZ"),
            ("nils", "Nils", "Nansen"),
            ("oda", "Oda", "ØDEGÅRD"),
            ("per.cent", "100%", "Under_score"),
            ("quo.te", "\"Quo\"", "O'Brien"),
        ] {
            people::insert(tx, None, &fields(username, first, last), now)?;
        }
        Ok(())
    });
    school
}

#[test]
fn a_search_finds_beyond_ascii_whatever_the_case() {
    let school = school_of_names();
    assert_eq!(found(&school, "ødegård"), ["oda"]);
    assert_eq!(found(&school, "Ø"), ["oda"]);
    assert_eq!(found(&school, "ñ"), ["inigo"]);
    assert_eq!(found(&school, "Ñ"), ["inigo"]);
    assert_eq!(found(&school, "日本"), ["hanako"]);
    assert_eq!(found(&school, "日"), ["hanako"]);
    // As it comes from a keyboard that sends the letter and its accent apart.
    assert_eq!(found(&school, "N\u{303}i\u{301}guez"), ["inigo"]);
}

#[test]
fn a_word_without_accents_finds_the_name_with_them() {
    let school = school_of_names();
    assert_eq!(found(&school, "niguez"), ["inigo"]);
    assert_eq!(found(&school, "øDEGard"), ["oda"]);
}

#[test]
fn a_search_takes_signs_as_they_are() {
    let school = school_of_names();
    assert_eq!(found(&school, "%"), ["per.cent"]);
    assert_eq!(found(&school, "_"), ["per.cent"]);
    assert_eq!(found(&school, "\""), ["quo.te"]);
    assert_eq!(found(&school, "'"), ["quo.te"]);
    assert_eq!(found(&school, "o%a"), [] as [&str; 0]);
    assert_eq!(found(&school, "*"), [] as [&str; 0]);
}

#[test]
fn every_word_has_to_be_there_in_any_field() {
    let school = school_of_names();
    assert_eq!(found(&school, "nansen nils"), ["nils"]);
    assert_eq!(found(&school, "nils id-nils nils@example.org"), ["nils"]);
    assert_eq!(found(&school, "nils oda"), [] as [&str; 0]);
    assert_eq!(found(&school, "   ").len(), 6);
}

#[test]
fn a_change_of_name_is_found_and_moves_the_row() {
    let school = school_of_names();
    let now = school.now;
    write(&school, move |tx| {
        let nils = people::by_idnumber(tx, None, "id-nils")?.unwrap();
        let mut changed = nils.fields;
        changed.lastname = "Aasen".to_owned();
        people::update(tx, nils.id, &changed, now)
    });
    assert_eq!(found(&school, "nansen"), [] as [&str; 0]);
    let first = all_people(&school, &PeopleQuery::default(), 100);
    assert_eq!(first[0].person.fields.username, "nils");
}

#[test]
fn removed_people_and_sections_come_only_when_asked_for() {
    let school = school_of_names();
    let now = school.now;
    let section = add_section(&school, "Biology");
    let nils = school
        .read(|tx| people::by_idnumber(tx, None, "id-nils"))
        .unwrap();
    enrol(&school, section, nils.id, Meaning::Active);
    write(&school, move |tx| {
        people::remove(tx, nils.id, now)?;
        sections::remove(tx, section, now)
    });
    assert_eq!(found(&school, "nils"), [] as [&str; 0]);
    let removed = PeopleQuery {
        search: Some("nils".to_owned()),
        removed: true,
        ..PeopleQuery::default()
    };
    assert_eq!(all_people(&school, &removed, 3).len(), 1);
    let sections = |removed| {
        let query = SectionQuery {
            removed,
            ..SectionQuery::default()
        };
        school
            .read(|tx| lists::sections(tx, &query, now, Turn::First, 9))
            .rows
            .len()
    };
    assert_eq!((sections(false), sections(true)), (0, 1));
    let members = |all| {
        let filter = MemberFilter {
            all,
            ..MemberFilter::default()
        };
        school
            .read(|tx| lists::members(tx, section, &filter, now, Turn::First, 9))
            .rows
            .len()
    };
    assert_eq!((members(false), members(true)), (0, 1));
    let counts = school.read(lists::counts);
    assert_eq!((counts.people, counts.sections, counts.peers), (5, 0, 1));
    assert_eq!(school.read(lists::people_of_peers), [(None, 5)]);
}

#[test]
fn people_are_narrowed_by_role_and_peer() {
    let school = school_of_names();
    school.user("U1", "uma");
    let section = add_section(&school, "Biology");
    let of = |school: &School, query: PeopleQuery| -> Vec<String> {
        all_people(school, &query, 3)
            .into_iter()
            .map(|row| row.person.fields.username)
            .collect()
    };
    let students = PeopleQuery {
        role: Some(Role::Student),
        ..PeopleQuery::default()
    };
    let teachers = PeopleQuery {
        role: Some(Role::Teacher),
        ..PeopleQuery::default()
    };
    let (nils, oda) = school.read(|tx| -> Result<_, StoreError> {
        let id = |name| people::by_idnumber(tx, None, name).map(|person| person.unwrap().id);
        Ok((id("id-nils")?, id("id-oda")?))
    });
    enrol(&school, section, nils, Meaning::Active);
    enrol(&school, section, oda, Meaning::Withdrawn);
    assert_eq!(of(&school, students), ["nils"]);
    assert_eq!(of(&school, teachers), [] as [&str; 0]);
    let from = |peer| PeopleQuery {
        peer: Some(peer),
        ..PeopleQuery::default()
    };
    assert_eq!(of(&school, from(Some(school.peer))), ["uma"]);
    assert_eq!(of(&school, from(None)).len(), 6);
    let marked: Vec<_> = all_people(&school, &PeopleQuery::default(), 3)
        .into_iter()
        .filter(|row| row.student || row.teacher)
        .map(|row| (row.person.fields.username, row.teacher))
        .collect();
    assert_eq!(marked, [("nils".to_owned(), false)]);
}

#[test]
fn sections_are_narrowed_by_term_and_counted() {
    let school = school_of_names();
    let now = school.now;
    let [biology, chemistry, choir] =
        ["Biology", "Chemistry", "Ñandú choir"].map(|name| add_section(&school, name));
    write(&school, move |tx| {
        sections::add_segment(tx, biology, "Autumn 2025", now)?;
        sections::add_segment(tx, biology, "Spring 2026", now)?;
        sections::add_segment(tx, chemistry, "Spring 2026", now)
    });
    let oda = school
        .read(|tx| people::by_idnumber(tx, None, "id-oda"))
        .unwrap();
    let nils = school
        .read(|tx| people::by_idnumber(tx, None, "id-nils"))
        .unwrap();
    enrol(&school, biology, oda.id, Meaning::Completed);
    enrol(&school, biology, nils.id, Meaning::Withdrawn);
    let teacher = Author::Admin {
        name: "anna".to_owned(),
    };
    write(&school, move |tx| {
        sections::change_teacher(
            tx,
            biology,
            nils.id,
            sections::TeacherChange::Came,
            &teacher,
            now,
        )
    });
    let listed = |query: SectionQuery| {
        both_ways(
            |turn| school.read(|tx| lists::sections(tx, &query, now, turn, 2)),
            |row| row.section.id,
        )
    };
    let names = |query| -> Vec<String> {
        listed(query)
            .into_iter()
            .map(|row| row.section.fields.name)
            .collect()
    };
    let term = |segment| SectionQuery {
        segment: Some(segment),
        ..SectionQuery::default()
    };
    let named = |name: &str| term(SegmentFilter::Named(name.to_owned()));
    assert_eq!(names(named("Spring 2026")), ["Biology", "Chemistry"]);
    assert_eq!(names(named("Autumn 2025")), ["Biology"]);
    assert_eq!(names(term(SegmentFilter::Ongoing)), ["Ñandú choir"]);
    assert_eq!(
        names(SectionQuery::default()),
        ["Biology", "Chemistry", "Ñandú choir"]
    );
    let search = |text: &str| SectionQuery {
        search: Some(text.to_owned()),
        ..SectionQuery::default()
    };
    assert_eq!(names(search("ñandú")), ["Ñandú choir"]);
    assert_eq!(names(search("id-chem")), ["Chemistry"]);
    let taught = SectionQuery {
        teacher: Some(nils.id),
        ..SectionQuery::default()
    };
    let rows = listed(taught);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].segments, ["Autumn 2025", "Spring 2026"]);
    assert_eq!(rows[0].teachers, ["Nils Nansen"]);
    assert_eq!(rows[0].students, 1, "the one who withdrew does not count");
    let _ = choir;
    let terms = school.read(lists::segments);
    let counted: Vec<_> = terms
        .segments
        .iter()
        .map(|term| (term.name.as_str(), term.sections))
        .collect();
    assert_eq!(counted, [("Spring 2026", 2), ("Autumn 2025", 1)]);
    assert_eq!(terms.ongoing, 1);
}

#[test]
fn members_show_the_status_of_the_day_and_why() {
    let school = school_of_names();
    let section = add_section(&school, "Biology");
    let oda = school
        .read(|tx| people::by_idnumber(tx, None, "id-oda"))
        .unwrap();
    enrol(&school, section, oda.id, Meaning::Active);
    let filter = MemberFilter::default();
    let soon = school.now.plus(2 * DAY);
    let author = Author::Admin {
        name: "anna".to_owned(),
    };
    let first = school.read(|tx| lists::members(tx, section, &filter, school.now, Turn::First, 9));
    let (id, now) = (first.rows[0].enrolment, school.now);
    write(&school, move |tx| {
        let withdrawn = statuses::first(tx, Scope::Section, Meaning::Withdrawn)?.unwrap();
        let change = NewChange {
            change: EnrolmentChange::Status,
            status: Some(withdrawn.id),
            effective_at: soon,
            note: Some("moves away"),
        };
        enrolments::add_change(tx, id, &change, &author, now)
    });
    let member = |at| {
        school
            .read(|tx| lists::members(tx, section, &filter, at, Turn::First, 9))
            .rows
            .remove(0)
    };
    let today = member(school.now);
    assert_eq!(today.status.meaning, Meaning::Active);
    assert_eq!(
        (today.since, today.changes_at),
        (Some(school.now), Some(soon))
    );
    assert_eq!(today.note.as_deref(), Some("because"));
    let later = member(soon.plus(1));
    assert_eq!(later.status.meaning, Meaning::Withdrawn);
    assert_eq!((later.since, later.changes_at), (Some(soon), None));
    assert_eq!(later.note.as_deref(), Some("moves away"));
    let withdrawn = MemberFilter {
        meaning: Some(Meaning::Withdrawn),
        ..MemberFilter::default()
    };
    let at = |now| {
        school
            .read(|tx| lists::members(tx, section, &withdrawn, now, Turn::First, 9))
            .rows
            .len()
    };
    assert_eq!((at(school.now), at(soon)), (0, 1));
}

#[test]
fn a_page_has_at_least_one_row_and_its_most() {
    let school = school_of_names();
    let page = |limit| {
        school
            .read(|tx| lists::people(tx, &PeopleQuery::default(), school.now, Turn::First, limit))
            .rows
            .len()
    };
    assert_eq!(page(0), 1);
    assert_eq!(page(u32::MAX), 6);
}
