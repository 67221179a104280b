//! What a history says held at a date. No reads: rules over rows.

use serde::Serialize;

use crate::clock::UnixTime;
use crate::store::PersonId;
use crate::store::enrolments::EnrolmentChange;
use crate::store::grades::{GradeChange, GradeValue};
use crate::store::reports::{EnrolmentEvent, GradeEvent, TeacherEvent};
use crate::store::sections::TeacherChange;
use crate::store::statuses::Status;

/// A status, as it held at the date of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The status.
    pub status: Status,
    /// From when it holds.
    pub since: UnixTime,
    /// Why.
    pub note: Option<String>,
}

/// How an enrolment stood at a date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enrolled {
    /// When its first status took hold.
    pub began: UnixTime,
    /// What it was then.
    #[serde(flatten)]
    pub standing: Standing,
}

impl Enrolled {
    /// Whether the student had left or finished.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.standing.status.meaning.ends()
    }
}

/// How an enrolment stood at `at`, from all that became of it in the order it takes hold; `None` where
/// it had not begun, was removed, or bore the mark "added in error" then.
pub(super) fn enrolled_at(events: &[EnrolmentEvent], at: UnixTime) -> Option<Enrolled> {
    let (mut enrolled, mut removed, mut in_error) = (None::<Enrolled>, false, false);
    for event in events.iter().filter(|event| event.effective_at <= at) {
        match event.change {
            EnrolmentChange::Status => {
                let Some(status) = event.status.clone() else {
                    continue;
                };
                enrolled = Some(Enrolled {
                    began: enrolled.map_or(event.effective_at, |before| before.began),
                    standing: Standing {
                        status,
                        since: event.effective_at,
                        note: event.note.clone(),
                    },
                });
            }
            EnrolmentChange::InError => in_error = true,
            EnrolmentChange::NotInError => in_error = false,
            EnrolmentChange::Removed => removed = true,
            EnrolmentChange::Restored => removed = false,
        }
    }
    enrolled.filter(|_| !removed && !in_error)
}

/// The value of a grade at `at`, from all that became of it in the order it was written down; `None`
/// where there was none yet, it was removed, or bore the mark "added in error" then.
///
/// A value that a later one replaced because it was in error never was, at no date.
pub(super) fn value_at(events: &[GradeEvent], at: UnixTime) -> Option<GradeValue> {
    let (mut value, mut removed, mut in_error) = (None, false, false);
    let valid = since_last_error(events);
    for event in valid.iter().filter(|event| event.recorded_at <= at) {
        match event.change {
            GradeChange::Value => value = Some(event.value),
            GradeChange::InError => in_error = true,
            GradeChange::NotInError => in_error = false,
            GradeChange::Removed => removed = true,
            GradeChange::Restored => removed = false,
        }
    }
    value.filter(|_| !removed && !in_error)
}

/// The events from the last value on that lifted the mark "added in error" by replacing the wrong one.
/// The register writes such a lifting and the value down at one moment, in this order.
fn since_last_error(events: &[GradeEvent]) -> &[GradeEvent] {
    let mut lifted_at = None;
    let mut first = 0;
    for (index, event) in events.iter().enumerate() {
        match event.change {
            GradeChange::NotInError => lifted_at = Some(event.recorded_at),
            GradeChange::Value if lifted_at == Some(event.recorded_at) => first = index,
            _ => {}
        }
    }
    &events[first..]
}

/// Who had been given a section as its teacher at `at`, from all who came and left in the order it was
/// written down.
pub(super) fn teachers_at(events: &[TeacherEvent], at: UnixTime) -> Vec<PersonId> {
    let mut teachers = Vec::new();
    for event in events.iter().filter(|event| event.recorded_at <= at) {
        teachers.retain(|person| *person != event.person);
        if event.change == TeacherChange::Came {
            teachers.push(event.person);
        }
    }
    teachers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::enrolments::Role;
    use crate::store::statuses::{Meaning, Scope};
    use crate::store::{AssessmentId, EnrolmentId, GradeId, SectionId, StatusId};

    fn grade(change: GradeChange, points: f64, recorded_at: i64) -> GradeEvent {
        GradeEvent {
            grade: GradeId(1),
            assessment: AssessmentId(1),
            change,
            value: GradeValue {
                points_earned: Some(points),
                excepted: false,
                attempt_num: 1,
            },
            recorded_at: UnixTime(recorded_at),
        }
    }

    fn points(events: &[GradeEvent], at: i64) -> Option<f64> {
        value_at(events, UnixTime(at)).and_then(|value| value.points_earned)
    }

    fn enrolment(change: EnrolmentChange, code: &str, effective_at: i64) -> EnrolmentEvent {
        EnrolmentEvent {
            enrolment: EnrolmentId(1),
            section: SectionId(1),
            person: PersonId(1),
            role: Role::Student,
            change,
            status: (change == EnrolmentChange::Status).then(|| Status {
                id: StatusId(1),
                scope: Scope::Section,
                code: code.to_owned(),
                title: code.to_owned(),
                meaning: Meaning::Active,
                outcome: None,
            }),
            effective_at: UnixTime(effective_at),
            note: None,
        }
    }

    fn code(events: &[EnrolmentEvent], at: i64) -> Option<String> {
        enrolled_at(events, UnixTime(at)).map(|enrolled| enrolled.standing.status.code)
    }

    #[test]
    fn a_grade_is_what_was_written_down_last() {
        use GradeChange::{Removed, Restored, Value};
        let events = [
            grade(Value, 5.0, 10),
            grade(Value, 7.0, 20),
            grade(Removed, 7.0, 30),
            grade(Restored, 8.0, 40),
            grade(Value, 8.0, 40),
        ];
        let seen = [9, 10, 19, 20, 30, 40].map(|at| points(&events, at));
        assert_eq!(
            seen,
            [None, Some(5.0), Some(5.0), Some(7.0), None, Some(8.0)]
        );
    }

    #[test]
    fn a_mark_lifted_by_hand_leaves_the_value_as_it_was() {
        use GradeChange::{InError, NotInError, Value};
        let events = [
            grade(Value, 5.0, 10),
            grade(InError, 5.0, 20),
            grade(NotInError, 5.0, 30),
        ];
        let seen = [10, 20, 30].map(|at| points(&events, at));
        assert_eq!(seen, [Some(5.0), None, Some(5.0)]);
    }

    #[test]
    fn a_value_that_replaced_one_in_error_leaves_none_before_it() {
        use GradeChange::{InError, NotInError, Removed, Restored, Value};
        let events = [
            grade(Value, 5.0, 10),
            grade(InError, 5.0, 20),
            grade(Removed, 5.0, 25),
            grade(NotInError, 7.0, 30),
            grade(Restored, 7.0, 30),
            grade(Value, 7.0, 30),
            grade(Value, 8.0, 40),
        ];
        let seen = [10, 20, 30, 40].map(|at| points(&events, at));
        assert_eq!(seen, [None, None, Some(7.0), Some(8.0)]);
    }

    #[test]
    fn an_enrolment_is_what_takes_hold_last() {
        use EnrolmentChange::{InError, NotInError, Removed, Restored, Status};
        let events = [
            enrolment(Status, "a", 10),
            enrolment(Removed, "", 20),
            enrolment(Restored, "", 30),
            enrolment(InError, "", 40),
            enrolment(NotInError, "", 50),
            enrolment(Status, "i", 60),
        ];
        let seen = [9, 10, 20, 30, 40, 50, 60].map(|at| code(&events, at).unwrap_or_default());
        assert_eq!(seen, ["", "a", "", "a", "", "a", "i"]);
        let last = enrolled_at(&events, UnixTime(99)).map(|last| (last.began, last.standing.since));
        assert_eq!(last, Some((UnixTime(10), UnixTime(60))));
    }

    #[test]
    fn a_teacher_who_left_may_come_back() {
        use TeacherChange::{Came, Left};
        let event = |person, change, recorded_at| TeacherEvent {
            section: SectionId(1),
            person: PersonId(person),
            change,
            recorded_at: UnixTime(recorded_at),
        };
        let events = [
            event(1, Came, 10),
            event(2, Came, 20),
            event(1, Left, 30),
            event(1, Came, 40),
        ];
        let seen = [9, 10, 20, 30, 40].map(|at| teachers_at(&events, UnixTime(at)).len());
        assert_eq!(seen, [0, 1, 2, 1, 2]);
    }
}
