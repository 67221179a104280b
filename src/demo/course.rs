//! One section: its teachers and students, its gradebook.

use super::calendar::Term;
use super::chance::{Chance, Subject};
use super::names::{ASSESSMENTS, WITHDRAWAL_NOTES};
use super::people::Pupil;
use super::{Made, Plan};
use crate::clock::UnixTime;
use crate::store::assessments::{self, AssessmentFields};
use crate::store::enrolments::{self, EnrolmentChange, NewChange, NewEnrolment, Role};
use crate::store::grades::{self, Given, Grade, GradeChange, GradeValue};
use crate::store::sections::{self, SectionFields, TeacherChange};
use crate::store::{
    AssessmentId, Author, EnrolmentId, Extra, PersonId, SectionId, StatusId, StoreError, WriteTx,
};

const DAY: i64 = 86_400;

/// Most points of an assessment.
const POINTS: &[f64] = &[10.0, 20.0, 50.0, 100.0];

/// What an average student gets of the points.
const USUAL_PART: f64 = 0.74;

/// When a course is taught.
#[derive(Clone, Debug)]
pub(super) enum When {
    /// In a term, and perhaps in the one after it.
    Term { term: Term, and: Option<Term> },
    /// Always.
    Ongoing,
}

/// A section to be made.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub idnumber: String,
    pub name: String,
    pub when: When,
    pub students: Vec<Pupil>,
    /// The one it begins with, and the one who may take over.
    pub teachers: [PersonId; 2],
    /// How many.
    pub assessments: usize,
}

/// A student with the time in the course.
struct Enrolled {
    student: Pupil,
    /// How good the student is, from about −1 to 1.
    ability: f64,
    left: Option<UnixTime>,
}

impl Course {
    pub(super) fn write(
        &self,
        plan: &Plan,
        tx: &WriteTx<'_>,
        chance: &mut Chance,
    ) -> Result<Made, StoreError> {
        let span = self.span(plan);
        let section = self.write_section(plan, tx, span.start)?;
        let mut made = Made {
            sections: 1,
            enrolments: self.write_teachers(plan, tx, section, &span, chance)?,
            ..Made::default()
        };
        let mut enrolled = Vec::with_capacity(self.students.len());
        for student in &self.students {
            enrolled.push(write_student(plan, tx, section, *student, &span, chance)?);
        }
        made.enrolments += enrolled.len() as u64;
        if span.start <= plan.now {
            for number in 0..self.assessments {
                made.assessments += 1;
                made.grades +=
                    self.write_column(plan, tx, section, number, &span, &enrolled, chance)?;
            }
        }
        if chance.one_in(200) {
            sections::remove(tx, section, plan.now.plus(-DAY))?;
        }
        Ok(made)
    }

    fn span(&self, plan: &Plan) -> Term {
        match &self.when {
            When::Term { term, and } => Term {
                end: and.as_ref().map_or(term.end, |next| next.end),
                ..term.clone()
            },
            When::Ongoing => Term {
                name: String::new(),
                start: plan.calendar.start(),
                end: plan.now.plus(200 * DAY),
            },
        }
    }

    fn write_section(
        &self,
        plan: &Plan,
        tx: &WriteTx<'_>,
        start: UnixTime,
    ) -> Result<SectionId, StoreError> {
        let fields = SectionFields {
            idnumber: Some(self.idnumber.clone()),
            name: self.name.clone(),
            extra: Extra::default(),
        };
        let made_at = start.plus(-20 * DAY).min(plan.now);
        let section = sections::insert(tx, None, &fields, made_at)?;
        if let When::Term { term, and } = &self.when {
            for term in [Some(term), and.as_ref()].into_iter().flatten() {
                sections::add_segment(tx, section, &term.name, made_at)?;
            }
        }
        Ok(section)
    }

    /// Gives the section to its teacher as a whole, enrols the teacher in it, or both. How many enrolments that made.
    fn write_teachers(
        &self,
        plan: &Plan,
        tx: &WriteTx<'_>,
        section: SectionId,
        span: &Term,
        chance: &mut Chance,
    ) -> Result<u64, StoreError> {
        let [teacher, other] = self.teachers;
        let change = |person, change, at: UnixTime| {
            sections::change_teacher(tx, section, person, change, &plan.import, at.min(plan.now))
        };
        let as_a_whole = chance.below(3) != 0;
        if as_a_whole {
            change(teacher, TeacherChange::Came, span.start)?;
            let middle = span.at(1, 2);
            if teacher != other && middle < plan.now && chance.one_in(15) {
                change(teacher, TeacherChange::Left, middle)?;
                change(other, TeacherChange::Came, middle)?;
            }
        }
        if as_a_whole && chance.one_in(3) {
            return Ok(0);
        }
        let enrolment = enrol(plan, tx, section, teacher, Role::Teacher, span.start)?;
        if span.start <= plan.now {
            add_status(plan, tx, enrolment, plan.section.active, span.start, None)?;
        } else {
            add_status(plan, tx, enrolment, plan.section.pending, plan.now, None)?;
        }
        if span.end <= plan.now {
            add_status(plan, tx, enrolment, plan.section.completed, span.end, None)?;
        }
        Ok(1)
    }

    /// One assessment with its grades; how many those are.
    #[allow(clippy::too_many_arguments)] // the column, and what it stands between
    fn write_column(
        &self,
        plan: &Plan,
        tx: &WriteTx<'_>,
        section: SectionId,
        number: usize,
        span: &Term,
        enrolled: &[Enrolled],
        chance: &mut Chance,
    ) -> Result<u64, StoreError> {
        let by_hand = chance.one_in(12);
        let author = if by_hand { &plan.office } else { &plan.import };
        let at = span.at(number + 1, self.assessments + 1);
        let pointval = *chance.pick(POINTS);
        let fields = AssessmentFields {
            idnumber: (!by_hand).then(|| format!("{}-A{number}", self.idnumber)),
            section,
            name: format!("{} {}", chance.pick(ASSESSMENTS), number + 1),
            chapternum: Some((number / 2 + 1).to_string()),
            honors_required: chance.one_in(3).then_some(true),
            nonhonors_required: chance.one_in(3).then_some(true),
            extra_credit: chance.one_in(20).then_some(true),
            pointval: Some(pointval),
            extra: Extra::default(),
        };
        let assessment = assessments::insert(tx, None, &fields, span.start)?;
        if at > plan.now {
            return Ok(0);
        }
        let column = Column {
            assessment,
            pointval,
            author,
            at,
        };
        // Some are harder than others.
        let ease = USUAL_PART + 0.1 * chance.around_nothing();
        let mut count = 0;
        for who in enrolled {
            let there = who.left.is_none_or(|left| at < left);
            if there && !chance.one_in(14) {
                column.write(plan, tx, who, ease, chance)?;
                count += 1;
            }
        }
        Ok(count)
    }
}

/// An assessment that grades are given in.
struct Column<'p> {
    assessment: AssessmentId,
    pointval: f64,
    author: &'p Author,
    at: UnixTime,
}

impl Column<'_> {
    fn write(
        &self,
        plan: &Plan,
        tx: &WriteTx<'_>,
        who: &Enrolled,
        ease: f64,
        chance: &mut Chance,
    ) -> Result<(), StoreError> {
        let part = ease + 0.13 * who.ability + 0.1 * chance.around_nothing();
        let excepted = chance.one_in(50);
        let value = GradeValue {
            points_earned: (!excepted).then(|| self.points(part)),
            excepted,
            attempt_num: 1,
        };
        let extra = Extra::default();
        let at = self.at.plus(3 * DAY).min(plan.now);
        let given = Given {
            value: &value,
            extra: &extra,
            author: self.author,
            note: None,
        };
        let id = grades::insert(tx, self.assessment, who.student.id, &given, at)?;
        let mut grade = Grade {
            id,
            peer: None,
            value,
            extra: extra.clone(),
            in_error_at: None,
            removed_at: None,
        };
        if !excepted && chance.one_in(20) {
            let better = GradeValue {
                points_earned: Some(self.points(part + 0.1)),
                excepted: false,
                attempt_num: 2,
            };
            let again = at.plus(7 * DAY).min(plan.now);
            let given = Given {
                value: &better,
                ..given
            };
            grades::set_value(tx, &grade, &given, again)?;
            grade.value = better;
        }
        match chance.below(1_000) {
            0 => grades::mark(
                tx,
                &grade,
                GradeChange::InError,
                &plan.office,
                Some("Another student's work"),
                plan.now,
            ),
            1 => grades::mark(
                tx,
                &grade,
                GradeChange::Removed,
                &plan.office,
                None,
                plan.now,
            ),
            _ => Ok(()),
        }
    }

    /// To the half point, as teachers give them.
    fn points(&self, part: f64) -> f64 {
        (part.clamp(0.0, 1.0) * self.pointval * 2.0).round() / 2.0
    }
}

fn write_student(
    plan: &Plan,
    tx: &WriteTx<'_>,
    section: SectionId,
    student: Pupil,
    span: &Term,
    chance: &mut Chance,
) -> Result<Enrolled, StoreError> {
    let ability =
        Chance::about(plan.seed, Subject::Ability, student.number as u64).around_nothing();
    let id = enrol(plan, tx, section, student.id, Role::Student, span.start)?;
    let mut enrolled = Enrolled {
        student,
        ability,
        left: None,
    };
    let status = &plan.section;
    if span.start > plan.now {
        add_status(plan, tx, id, status.pending, plan.now, None)?;
        return Ok(enrolled);
    }
    let fate = chance.below(100);
    if fate < 4 {
        add_status(
            plan,
            tx,
            id,
            status.pending,
            span.start.plus(-10 * DAY),
            None,
        )?;
    }
    add_status(plan, tx, id, status.active, span.start, None)?;
    let part = span.at(chance.between(1, 9), 10);
    if fate >= 93 && part < plan.now {
        let note = *chance.pick(WITHDRAWAL_NOTES);
        add_status(plan, tx, id, status.withdrawn, part, Some(note))?;
        enrolled.left = Some(part);
    } else if span.end <= plan.now {
        add_status(plan, tx, id, status.completed, span.end, None)?;
    }
    let mark = match chance.below(500) {
        0 => EnrolmentChange::InError,
        1 => EnrolmentChange::Removed,
        _ => return Ok(enrolled),
    };
    let change = NewChange {
        change: mark,
        status: None,
        effective_at: plan.now,
        note: None,
    };
    enrolments::add_change(tx, id, &change, &plan.office, plan.now)?;
    Ok(enrolled)
}

fn enrol(
    plan: &Plan,
    tx: &WriteTx<'_>,
    section: SectionId,
    person: PersonId,
    role: Role,
    at: UnixTime,
) -> Result<EnrolmentId, StoreError> {
    let new = NewEnrolment {
        owner: None,
        section,
        person,
        role,
        status: plan.section.pending,
        extra: &Extra::default(),
    };
    enrolments::insert(tx, &new, at.min(plan.now))
}

fn add_status(
    plan: &Plan,
    tx: &WriteTx<'_>,
    id: EnrolmentId,
    status: StatusId,
    at: UnixTime,
    note: Option<&str>,
) -> Result<(), StoreError> {
    let change = NewChange {
        change: EnrolmentChange::Status,
        status: Some(status),
        effective_at: at,
        note,
    };
    enrolments::add_change(tx, id, &change, &plan.import, at)
}
