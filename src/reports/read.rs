//! What the reports have in common: the enrolments of somebody, the teachers of a section.

use std::collections::BTreeMap;

use super::standing::{Enrolled, enrolled_at, teachers_at};
use super::{ReportError, ReportPerson, ReportSection};
use crate::clock::UnixTime;
use crate::store::enrolments::Role;
use crate::store::reports::{self as rows, EnrolmentEvent, SectionRow};
use crate::store::statuses::Meaning;
use crate::store::{PersonId, ReadTx, SectionId, names, sections};

/// The person in row `id`.
pub(super) fn person(tx: &ReadTx<'_>, id: PersonId) -> Result<ReportPerson, ReportError> {
    let row = rows::person(tx, id)?.ok_or(ReportError::NoSuchPerson(id))?;
    Ok(row.into())
}

/// How each of a student's sections stood at `at`, by the section's row.
pub(super) fn sections_of_student(
    tx: &ReadTx<'_>,
    person: PersonId,
    at: UnixTime,
) -> Result<BTreeMap<SectionId, Enrolled>, ReportError> {
    let events = rows::enrolments_of_student(tx, person)?;
    Ok(latest(&events, at, |event| event.section))
}

/// How everybody's enrolment in a section in a role stood at `at`, by the person's row.
pub(super) fn people_in_section(
    tx: &ReadTx<'_>,
    section: SectionId,
    role: Role,
    at: UnixTime,
) -> Result<BTreeMap<PersonId, Enrolled>, ReportError> {
    let events = rows::enrolments_in_section(tx, section, role)?;
    Ok(latest(&events, at, |event| event.person))
}

/// Each enrolment as it stood at `at`. What a peer says and what was entered by hand are two rows about
/// one enrolment: the one that changed last has the word.
fn latest<K: Ord>(
    events: &[EnrolmentEvent],
    at: UnixTime,
    key: impl Fn(&EnrolmentEvent) -> K,
) -> BTreeMap<K, Enrolled> {
    let mut standing: BTreeMap<K, Enrolled> = BTreeMap::new();
    for of_one in events.chunk_by(|one, next| one.enrolment == next.enrolment) {
        let (Some(first), Some(enrolled)) = (of_one.first(), enrolled_at(of_one, at)) else {
            continue;
        };
        match standing.entry(key(first)) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(enrolled);
            }
            std::collections::btree_map::Entry::Occupied(mut other) => {
                let began = other.get().began.min(enrolled.began);
                if enrolled.standing.since >= other.get().standing.since {
                    other.insert(enrolled);
                }
                other.get_mut().began = began;
            }
        }
    }
    standing
}

/// A section with the segments it runs over, and the row it comes from.
pub(super) fn section(
    tx: &ReadTx<'_>,
    id: SectionId,
) -> Result<(ReportSection, SectionRow), ReportError> {
    let row = rows::section(tx, id)?.ok_or(ReportError::NoSuchSection(id))?;
    let segments = sections::segments(tx, id)?;
    Ok((ReportSection::new(row.clone(), segments), row))
}

/// Who taught a section at `at`: those it was given, and those enrolled as teachers with a status that
/// means active, or completed: who came to the end of it taught it. By name.
pub(super) fn teachers(
    tx: &ReadTx<'_>,
    section: SectionId,
    at: UnixTime,
) -> Result<Vec<ReportPerson>, ReportError> {
    let mut teachers = teachers_at(&rows::teachers_of_section(tx, section)?, at);
    for (person, enrolled) in people_in_section(tx, section, Role::Teacher, at)? {
        let meaning = enrolled.standing.status.meaning;
        if matches!(meaning, Meaning::Active | Meaning::Completed) {
            teachers.push(person);
        }
    }
    teachers.sort_unstable();
    teachers.dedup();
    let mut people = Vec::with_capacity(teachers.len());
    for teacher in teachers {
        if let Some(row) = rows::person(tx, teacher)?
            && !gone(row.removed_at, at)
        {
            people.push(row.into());
        }
    }
    by_name(&mut people, |person| person);
    Ok(people)
}

/// Whether a row removed at `removed_at` was out of use at `at`.
pub(super) fn gone(removed_at: Option<UnixTime>, at: UnixTime) -> bool {
    removed_at.is_some_and(|removed| removed <= at)
}

/// Sorts by last name, first name and row, as the console's lists do: case and accents apart.
pub(super) fn by_name<T>(people: &mut [T], person: impl Fn(&T) -> &ReportPerson) {
    people.sort_by_cached_key(|one| {
        let person = person(one);
        (
            names::order_of(&person.firstname, &person.lastname),
            person.id,
        )
    });
}
