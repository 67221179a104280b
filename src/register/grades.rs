//! Entries of the gradebook as peers send them: `new_grade`, `remove_grade`.

use super::error::RegisterError;
use super::fields::{Change, Fields, MAX_ATTEMPT, MAX_POINTS};
use super::{Reply, Status, assessments, users};
use crate::clock::UnixTime;
use crate::store::grades::{self, Given, Grade, GradeChange, GradeValue, Place};
use crate::store::{AssessmentId, Author, Extra, PeerId, PersonId, ReadTx, WriteTx};

/// The attempt a grade is for where nothing is said and there was none before.
const FIRST_ATTEMPT: i64 = 1;

/// `new_grade`: what somebody got in an assessment.
#[derive(Clone, Debug, PartialEq)]
pub struct NewGrade {
    /// The peer's id of the assessment.
    pub assessmentid: String,
    /// The peer's id of the user.
    pub userid: String,
    /// The points; `None` only where `excepted`.
    pub points_earned: Option<f64>,
    /// Whether the user need not do the assessment.
    pub excepted: bool,
    /// Which attempt it is for, from 1. `None`: the one the grade stands at.
    pub attempt_num: Option<i64>,
    /// Everything else.
    pub extra: Extra,
}

/// `remove_grade`: marks a grade as removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveGrade {
    /// The peer's id of the assessment.
    pub assessmentid: String,
    /// The peer's id of the user.
    pub userid: String,
}

impl NewGrade {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        let assessmentid = fields.required_id(&["assessmentid"])?;
        let userid = fields.required_id(&["userid"])?;
        let excepted = fields.flag("excepted")?.unwrap_or(false);
        let points_earned = match fields.number("points_earned", -MAX_POINTS, MAX_POINTS)? {
            Change::Set(points) => Some(points),
            Change::Keep | Change::Clear if excepted => None,
            Change::Keep | Change::Clear => {
                return Err(RegisterError::Missing {
                    field: "points_earned",
                    expected: "a number, or “excepted” set to true",
                });
            }
        };
        Ok(Self {
            assessmentid,
            userid,
            points_earned,
            excepted,
            attempt_num: fields.whole("attempt_num", FIRST_ATTEMPT, MAX_ATTEMPT)?,
            extra: fields.rest()?,
        })
    }
}

impl RemoveGrade {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            assessmentid: fields.required_id(&["assessmentid"])?,
            userid: fields.required_id(&["userid"])?,
        })
    }
}

/// `note`: why, for the history, where the value is news.
pub(super) fn new(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &NewGrade,
    note: Option<&str>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    let place = grades::place(tx, owner, &call.assessmentid, &call.userid)?;
    let assessment = assessment_in_use(tx, owner, &place, &call.assessmentid)?;
    let person = users::usable(place.person, "userid", &call.userid)?;
    let said = Said {
        points_earned: call.points_earned,
        excepted: call.excepted,
        attempt_num: call.attempt_num,
        extra: &call.extra,
        note,
    };
    give(tx, author, assessment, person, place.grade, &said, now)
}

fn assessment_in_use(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    place: &Place,
    assessmentid: &str,
) -> Result<AssessmentId, RegisterError> {
    match place.assessment {
        Some((id, false)) => Ok(id),
        Some((_, true)) => Err(RegisterError::RemovedAssessment {
            field: "assessmentid",
            assessmentid: assessmentid.to_owned(),
        }),
        None => Err(assessments::missing(
            tx,
            owner,
            "assessmentid",
            assessmentid,
        )?),
    }
}

/// A grade that somebody gives.
pub(super) struct Said<'a> {
    pub(super) points_earned: Option<f64>,
    pub(super) excepted: bool,
    pub(super) attempt_num: Option<i64>,
    pub(super) extra: &'a Extra,
    pub(super) note: Option<&'a str>,
}

impl Said<'_> {
    fn value(&self, standing: Option<&Grade>) -> GradeValue {
        let attempt = standing.map_or(FIRST_ATTEMPT, |grade| grade.value.attempt_num);
        GradeValue {
            points_earned: self.points_earned,
            excepted: self.excepted,
            attempt_num: self.attempt_num.unwrap_or(attempt),
        }
    }
}

/// Gives a grade where `standing` stands now.
pub(super) fn give(
    tx: &WriteTx<'_>,
    author: &Author,
    assessment: AssessmentId,
    person: PersonId,
    standing: Option<Grade>,
    said: &Said<'_>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let value = said.value(standing.as_ref());
    let given = Given {
        value: &value,
        extra: said.extra,
        author,
        note: said.note,
    };
    let Some(grade) = standing else {
        let id = grades::insert(tx, assessment, person, &given, now)?;
        return Ok(Reply {
            status: Status::Created,
            id: id.0,
        });
    };
    let extra = super::fields::overlay(&grade.extra, said.extra)?;
    let news = says_news(tx, author, &grade, said, &value)?;
    if news {
        let given = Given {
            extra: &extra,
            ..given
        };
        grades::set_value(tx, &grade, &given, now)?;
    } else if extra != grade.extra {
        grades::set_extra(tx, grade.id, &extra, now)?;
    }
    Ok(Reply::changed_if(news || extra != grade.extra, grade.id.0))
}

/// Whether a value is news: for a peer or an import, where it differs from its own last word, which
/// the history has where another's value stands; for an administrator, where it is not what stands.
fn says_news(
    tx: &ReadTx<'_>,
    author: &Author,
    grade: &Grade,
    said: &Said<'_>,
    value: &GradeValue,
) -> Result<bool, RegisterError> {
    if grade.removed_at.is_some() {
        return Ok(true);
    }
    let own_value_stands = grade.peer.is_some() && grade.peer == author.owner();
    if own_value_stands || matches!(author, Author::Admin { .. }) {
        return Ok(grade.value != *value || grade.peer != author.owner());
    }
    let last = grades::last_word(tx, grade.id, author)?;
    Ok(last.is_none_or(|last| {
        last.points_earned != said.points_earned
            || last.excepted != said.excepted
            || said
                .attempt_num
                .is_some_and(|attempt| attempt != last.attempt_num)
    }))
}

/// `note`: why, for the history.
pub(super) fn remove(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &RemoveGrade,
    note: Option<&str>,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    let place = grades::place(tx, owner, &call.assessmentid, &call.userid)?;
    assessment_in_use(tx, owner, &place, &call.assessmentid)?;
    users::usable(place.person, "userid", &call.userid)?;
    let Some(grade) = place.grade else {
        return Err(RegisterError::UnknownGrade {
            userid: call.userid.clone(),
            assessmentid: call.assessmentid.clone(),
        });
    };
    let changed = grade.removed_at.is_none();
    if changed && grade.peer != owner {
        return Err(RegisterError::NotYours {
            row: "grade",
            field: "userid",
            id: call.userid.clone(),
        });
    }
    if changed {
        grades::mark(tx, &grade, GradeChange::Removed, author, note, now)?;
    }
    Ok(Reply::changed_if(changed, grade.id.0))
}
