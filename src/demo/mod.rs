//! A made-up school of a chosen size, for trying things out and for measuring: the same from the same seed, but for its
//! dates, which are reckoned back from today.
//!
//! One person in fifteen teaches. Students come in year groups of a hundred; each is in two courses a term and in one that
//! is ongoing, with about five assessments each: with the default of three years about fifty grades a person. One lecture
//! is far bigger than all courses. What is written goes through the store's own functions, as an import named "demo" that
//! no peer owns; a little is by hand.

mod calendar;
mod chance;
mod course;
mod names;
mod people;
mod year_group;

use std::sync::Arc;

use thiserror::Error;

use crate::clock::UnixTime;
use crate::store::statuses::{self, Meaning, Scope};
use crate::store::{Author, ReadTx, StatusId, Store, StoreError};

use calendar::Calendar;
use people::Staff;
use year_group::YearGroup;

/// The smallest school: two teachers.
pub const MIN_PEOPLE: u32 = 30;

/// The largest school: ten times what mnetd is made for.
pub const MAX_PEOPLE: u32 = 1_000_000;

/// The most years a school can look back on: more terms than a list of them is made for help nobody.
pub const MAX_YEARS: u32 = 20;

/// The name that histories give for everything made here.
pub const IMPORT_NAME: &str = "demo";

/// People that are written in one transaction: about a tenth of a second.
const PEOPLE_AT_ONCE: usize = 2_000;

/// Year groups that are written in one transaction: about 25,000 grades, half a second. Other processes wait
/// [`crate::store::BUSY_TIMEOUT`] for their turn.
const YEAR_GROUPS_AT_ONCE: usize = 5;

/// Which school to make.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// How many people, teachers included: [`MIN_PEOPLE`] to [`MAX_PEOPLE`].
    pub people: u32,
    /// From what the chances come.
    pub seed: u64,
    /// How many school years it looks back on, this one included: 1 to [`MAX_YEARS`].
    pub years: u32,
    /// Whether it may go beside people that are there already.
    pub add: bool,
}

/// How much was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Made {
    /// People.
    pub people: u64,
    /// Sections.
    pub sections: u64,
    /// Enrolments, teachers' included.
    pub enrolments: u64,
    /// Assessments.
    pub assessments: u64,
    /// Grades, each counted once whatever became of it.
    pub grades: u64,
}

/// Why no school was made.
#[derive(Debug, Error)]
pub enum DemoError {
    /// A register in use.
    #[error(
        "there are people in this register already, and a made-up school among real people is hard to get rid of. \
         Name another directory with --data DIR, or say --add if it is to go beside them"
    )]
    NotEmpty,
    /// The same school twice.
    #[error(
        "the school of seed {seed} is in this register already; choose another with --seed, such as {}",
        .seed.wrapping_add(1)
    )]
    ThereAlready {
        /// The seed.
        seed: u64,
    },
    /// A size out of bounds.
    #[error(
        "a school of {people} people over {years} years cannot be made; expected {MIN_PEOPLE} to {MAX_PEOPLE} people and 1 to {MAX_YEARS} years"
    )]
    Size {
        /// As asked for.
        people: u32,
        /// As asked for.
        years: u32,
    },
    /// A status the school has done away with.
    #[error(
        "the register has no enrolment status that means “{meaning}” for a {scope}; a made-up school needs one of each meaning"
    )]
    NoStatus {
        /// What it is for.
        scope: Scope,
        /// What it would mean.
        meaning: Meaning,
    },
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What everything in the school is made by.
#[derive(Debug)]
struct Plan {
    seed: u64,
    calendar: Calendar,
    now: UnixTime,
    import: Author,
    office: Author,
    section: Statuses,
    school: Statuses,
}

/// A status of each meaning.
#[derive(Clone, Copy, Debug)]
struct Statuses {
    pending: StatusId,
    active: StatusId,
    withdrawn: StatusId,
    completed: StatusId,
}

/// Makes the school, some thousands of rows a transaction. `progress` hears how many of how many steps are done, each about
/// one person; the first is always (0, of).
///
/// Cut off in the middle, what was made so far stays.
///
/// # Errors
/// [`DemoError`]; nothing was made, unless it is the database's.
pub fn fill(
    store: &Store,
    demo: &Demo,
    now: UnixTime,
    mut progress: impl FnMut(u64, u64),
) -> Result<Made, DemoError> {
    let plan = Arc::new(store.read_blocking(|tx| Plan::for_register(tx, demo, now))?);
    let people = demo.people as usize;
    let students = people - people / people::PEOPLE_A_TEACHER;
    let steps = (people + students) as u64;
    let mut made = Made::default();
    progress(0, steps);

    let mut staff = Staff::default();
    for first in (1..=people).step_by(PEOPLE_AT_ONCE) {
        let numbers = first..=people.min(first + PEOPLE_AT_ONCE - 1);
        let plan = Arc::clone(&plan);
        staff.join(store.write_blocking(move |tx| people::write(&plan, tx, numbers))?);
        made.people = staff.len() as u64;
        progress(made.people, steps);
    }

    let mut done = made.people;
    let year_groups = YearGroup::divide(&staff);
    for some in year_groups.chunks(YEAR_GROUPS_AT_ONCE) {
        let (plan, groups) = (Arc::clone(&plan), some.to_vec());
        made.add(store.write_blocking(move |tx| -> Result<Made, StoreError> {
            let mut made = Made::default();
            for group in &groups {
                made.add(group.write(&plan, tx)?);
            }
            Ok(made)
        })?);
        done += some.iter().map(|group| group.len() as u64).sum::<u64>();
        progress(done, steps);
    }
    made.add(store.write_blocking(move |tx| year_group::write_lecture(&plan, tx, &staff))?);
    Ok(made)
}

impl Plan {
    fn for_register(tx: &ReadTx<'_>, demo: &Demo, now: UnixTime) -> Result<Self, DemoError> {
        if !(MIN_PEOPLE..=MAX_PEOPLE).contains(&demo.people)
            || !(1..=MAX_YEARS).contains(&demo.years)
        {
            return Err(DemoError::Size {
                people: demo.people,
                years: demo.years,
            });
        }
        if !demo.add && people::is_anybody_there(tx)? {
            return Err(DemoError::NotEmpty);
        }
        if people::is_there(tx, demo.seed)? {
            return Err(DemoError::ThereAlready { seed: demo.seed });
        }
        Ok(Self {
            seed: demo.seed,
            calendar: Calendar::until(now, demo.years),
            now,
            import: Author::Import {
                name: IMPORT_NAME.to_owned(),
                peer: None,
            },
            office: Author::Admin {
                name: names::OFFICE.to_owned(),
            },
            section: Statuses::of(tx, Scope::Section)?,
            school: Statuses::of(tx, Scope::School)?,
        })
    }
}

impl Statuses {
    fn of(tx: &ReadTx<'_>, scope: Scope) -> Result<Self, DemoError> {
        let first = |meaning| {
            let status = statuses::first(tx, scope, meaning)?;
            status.map_or(Err(DemoError::NoStatus { scope, meaning }), |status| {
                Ok(status.id)
            })
        };
        Ok(Self {
            pending: first(Meaning::Pending)?,
            active: first(Meaning::Active)?,
            withdrawn: first(Meaning::Withdrawn)?,
            completed: first(Meaning::Completed)?,
        })
    }
}

impl Made {
    fn add(&mut self, more: Self) {
        self.people += more.people;
        self.sections += more.sections;
        self.enrolments += more.enrolments;
        self.assessments += more.assessments;
        self.grades += more.grades;
    }
}
