//! A hundred students who are taught together, through all their terms.
//!
//! They are written one group after the other, for then the rows of a person and those of an assessment lie near each other
//! in both indexes of the grades, and the writer's small page cache holds them.

use super::chance::{Chance, Subject};
use super::course::{Course, When};
use super::names::{COURSES, ONGOING};
use super::people::{Pupil, Staff};
use super::{Made, Plan};
use crate::store::{PersonId, StoreError, WriteTx};

/// Students of a year group.
const STUDENTS: usize = 100;

/// Students of a course.
const CLASS: usize = 25;

/// Students of an ongoing course.
const ONGOING_CLASS: usize = 50;

/// Courses a student has each term.
const COURSES_A_TERM: usize = 2;

/// Teachers a year group has.
const TEACHERS: usize = 8;

/// Sections a year group can have: room in their numbers.
const SECTIONS: usize = 10_000;

/// The lecture has a quarter of the students, at most so many.
const MAX_LECTURE: usize = 1_000;

/// The lecture has one assessment more for every so many students, at most [`MAX_LECTURE_ASSESSMENTS`].
const STUDENTS_AN_ASSESSMENT: usize = 800;

const MIN_LECTURE_ASSESSMENTS: usize = 10;

const MAX_LECTURE_ASSESSMENTS: usize = 100;

/// Students who are taught together.
#[derive(Clone, Debug)]
pub(super) struct YearGroup {
    number: usize,
    students: Vec<Pupil>,
    teachers: Vec<PersonId>,
}

impl YearGroup {
    /// Everybody in the school, in groups.
    pub(super) fn divide(staff: &Staff) -> Vec<Self> {
        staff
            .pupils
            .chunks(STUDENTS)
            .enumerate()
            .map(|(number, students)| Self {
                number,
                students: students.to_vec(),
                teachers: staff
                    .teachers
                    .iter()
                    .cycle()
                    .skip(number * TEACHERS % staff.teachers.len().max(1))
                    .take(TEACHERS)
                    .copied()
                    .collect(),
            })
            .collect()
    }

    pub(super) fn len(&self) -> usize {
        self.students.len()
    }

    /// Everything the group has been taught, and what is to come next term.
    pub(super) fn write(&self, plan: &Plan, tx: &WriteTx<'_>) -> Result<Made, StoreError> {
        let mut chance = Chance::about(plan.seed, Subject::YearGroup, self.number as u64);
        let mut made = Made::default();
        for course in self.courses(plan, &mut chance) {
            made.add(course.write(plan, tx, &mut chance)?);
        }
        Ok(made)
    }

    fn courses(&self, plan: &Plan, chance: &mut Chance) -> Vec<Course> {
        let mut courses = Vec::new();
        let terms = plan.calendar.terms.iter();
        let mut students = self.students.clone();
        for (index, term) in terms.chain([&plan.calendar.coming]).enumerate() {
            // The seventh to the thirteenth year of school.
            let level = 7 + (self.number + index / 2) % 7;
            for _ in 0..COURSES_A_TERM {
                let name = *chance.pick(COURSES);
                for (class, letter) in students.chunks(CLASS).zip('A'..) {
                    let next = plan.calendar.terms.get(index + 1);
                    let when = When::Term {
                        term: term.clone(),
                        // Some courses run over a whole school year.
                        and: next.filter(|_| chance.one_in(12)).cloned(),
                    };
                    let title = format!("{name} {level} {letter}");
                    courses.push(self.course(plan, courses.len(), title, when, class, chance));
                }
                chance.shuffle(&mut students);
            }
        }
        for class in self.students.chunks(ONGOING_CLASS) {
            let title = format!("{} {}", chance.pick(ONGOING), self.number + 1);
            courses.push(self.course(plan, courses.len(), title, When::Ongoing, class, chance));
        }
        courses
    }

    fn course(
        &self,
        plan: &Plan,
        number: usize,
        name: String,
        when: When,
        class: &[Pupil],
        chance: &mut Chance,
    ) -> Course {
        Course {
            idnumber: format!("D{}-S{:07}", plan.seed, self.number * SECTIONS + number),
            name,
            when,
            students: class.to_vec(),
            teachers: [*chance.pick(&self.teachers), *chance.pick(&self.teachers)],
            assessments: chance.between(3, 7),
        }
    }
}

/// The biggest section of the school, in the last term but one.
pub(super) fn write_lecture(
    plan: &Plan,
    tx: &WriteTx<'_>,
    staff: &Staff,
) -> Result<Made, StoreError> {
    let mut chance = Chance::about(plan.seed, Subject::Lecture, 0);
    let students = (staff.pupils.len() / 4).min(MAX_LECTURE);
    let assessments = MIN_LECTURE_ASSESSMENTS + staff.pupils.len() / STUDENTS_AN_ASSESSMENT;
    let term = plan.calendar.terms.iter().rev().nth(1);
    let lecture = Course {
        idnumber: format!("D{}-LECTURE", plan.seed),
        name: "Lecture: How to learn".to_owned(),
        when: When::Term {
            term: term.unwrap_or(&plan.calendar.coming).clone(),
            and: None,
        },
        students: staff.pupils.iter().take(students).copied().collect(),
        teachers: [*chance.pick(&staff.teachers), *chance.pick(&staff.teachers)],
        assessments: assessments.min(MAX_LECTURE_ASSESSMENTS),
    };
    lecture.write(plan, tx, &mut chance)
}
