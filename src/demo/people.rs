//! Who is in the school.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::Plan;
use super::chance::{Chance, Subject};
use super::names::{CITIES, FIRST_NAMES, LAST_NAMES};
use crate::store::people::{self, PeopleFilter, PersonFields};
use crate::store::{Extra, Page, PersonId, ReadTx, StoreError, WriteTx};

/// One person in so many teaches.
pub(super) const PEOPLE_A_TEACHER: usize = 15;

const DAY: i64 = 86_400;

/// A student.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pupil {
    /// Which of the school's people, from 1.
    pub number: usize,
    /// The row.
    pub id: PersonId,
}

/// Everybody in the school.
#[derive(Clone, Debug, Default)]
pub(super) struct Staff {
    pub pupils: Vec<Pupil>,
    pub teachers: Vec<PersonId>,
}

impl Staff {
    pub(super) fn len(&self) -> usize {
        self.pupils.len() + self.teachers.len()
    }

    pub(super) fn join(&mut self, more: Self) {
        self.pupils.extend(more.pupils);
        self.teachers.extend(more.teachers);
    }
}

/// Whether the register has people, removed ones included.
pub(super) fn is_anybody_there(tx: &ReadTx<'_>) -> Result<bool, StoreError> {
    let filter = PeopleFilter {
        removed: true,
        ..PeopleFilter::default()
    };
    let first = Page {
        after: None,
        limit: 1,
    };
    Ok(!people::list(tx, &filter, crate::clock::UnixTime(0), first)?.is_empty())
}

/// Whether the school of `seed` has been made here before.
pub(super) fn is_there(tx: &ReadTx<'_>, seed: u64) -> Result<bool, StoreError> {
    Ok(people::by_idnumber(tx, None, &idnumber(seed, 1))?.is_some())
}

/// Adds the people of these numbers.
pub(super) fn write(
    plan: &Plan,
    tx: &WriteTx<'_>,
    numbers: RangeInclusive<usize>,
) -> Result<Staff, StoreError> {
    let mut staff = Staff::default();
    for number in numbers {
        let mut chance = Chance::about(plan.seed, Subject::Person, number as u64);
        let came = plan.calendar.start().plus(-30 * DAY);
        let fields = fields(plan.seed, number, &mut chance);
        let id = people::insert(tx, None, &fields, came)?;
        if is_teacher(number) {
            staff.teachers.push(id);
        } else {
            add_school_changes(plan, tx, id, &mut chance)?;
            staff.pupils.push(Pupil { number, id });
        }
        if chance.one_in(200) {
            people::remove(tx, id, plan.now.plus(-DAY))?;
        }
    }
    Ok(staff)
}

fn is_teacher(number: usize) -> bool {
    number.is_multiple_of(PEOPLE_A_TEACHER)
}

fn fields(seed: u64, number: usize, chance: &mut Chance) -> PersonFields {
    let (firstname, first) = *chance.pick(FIRST_NAMES);
    let (lastname, last) = *chance.pick(LAST_NAMES);
    let lastname = if chance.one_in(8) {
        format!("{lastname} {}", chance.pick(LAST_NAMES).0)
    } else {
        lastname.to_owned()
    };
    // The number makes it unique within the school, the seed among schools.
    let username = match seed {
        1 => format!("{first}.{last}{number}"),
        _ => format!("{first}.{last}{number}.{seed}"),
    };
    let host = if is_teacher(number) {
        "staff"
    } else {
        "students"
    };
    let mut extra = Map::new();
    if chance.one_in(4) {
        extra.insert("city".to_owned(), Value::from(*chance.pick(CITIES)));
    }
    PersonFields {
        idnumber: Some(idnumber(seed, number)),
        sent_username: username.clone(),
        firstname: firstname.to_owned(),
        lastname,
        email: format!("{username}@{host}.example.org"),
        ircnick: None,
        extra: Extra::new(extra),
        username,
    }
}

fn idnumber(seed: u64, number: usize) -> String {
    format!("D{seed}-{number:06}")
}

/// The student's own enrolment in the school: most are there, some are still to come, some have left.
fn add_school_changes(
    plan: &Plan,
    tx: &WriteTx<'_>,
    id: PersonId,
    chance: &mut Chance,
) -> Result<(), StoreError> {
    let start = plan.calendar.start();
    let add = |status, at, note| {
        let recorded = if at < plan.now { at } else { plan.now };
        people::add_school_change(tx, id, status, at, &plan.import, note, recorded)
    };
    match chance.below(20) {
        0 => {
            add(plan.school.pending, start, None)?;
            add(plan.school.active, plan.calendar.coming.start, None)
        }
        1 => {
            add(plan.school.active, start, None)?;
            add(
                plan.school.withdrawn,
                plan.now.plus(-40 * DAY),
                Some("Moved away"),
            )
        }
        2 => {
            add(plan.school.active, start, None)?;
            add(plan.school.completed, plan.now.plus(-20 * DAY), None)
        }
        _ => add(plan.school.active, start, None),
    }
}
