//! Points, percent and what a section comes to.

use serde::Serialize;

use super::standing::value_at;
use crate::clock::UnixTime;
use crate::store::AssessmentId;
use crate::store::reports::{AssessmentRow, GradeEvent};

/// One assessment and what the student had in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessed {
    /// The row.
    pub id: AssessmentId,
    /// The owner's id of the assessment.
    pub assessmentid: Option<String>,
    /// Its name.
    pub name: String,
    /// The most points there are to earn.
    pub pointval: Option<f64>,
    /// Whether its points come on top.
    pub extra_credit: bool,
    /// The points; `None`: no grade then, or excepted.
    pub points: Option<f64>,
    /// The points as a percentage of the most there are to earn.
    pub percent: Option<f64>,
    /// Whether the student need not do it.
    pub excepted: bool,
    /// Which attempt the points are for, from 1; `None`: no grade then.
    pub attempt: Option<i64>,
}

/// What a section comes to. Counted is what has a grade that is not excepted, and either a `pointval`
/// or the mark "extra credit".
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Total {
    /// The points earned.
    pub points: f64,
    /// The most points there were to earn, extra credit apart.
    pub out_of: f64,
    /// The one as a percentage of the other; `None` where there was nothing to earn.
    pub percent: Option<f64>,
    /// How many assessments were counted.
    pub counted: usize,
}

/// The assessments there were in a section at `at`, with what `grades` (a person's, by assessment and in
/// the order they were written down) says of each.
pub(super) fn assessed_at(
    assessments: &[AssessmentRow],
    grades: &[GradeEvent],
    at: UnixTime,
) -> Vec<Assessed> {
    assessments
        .iter()
        .filter(|row| row.created_at <= at && row.removed_at.is_none_or(|removed| removed > at))
        .map(|row| assessed(row, grades, at))
        .collect()
}

fn assessed(row: &AssessmentRow, grades: &[GradeEvent], at: UnixTime) -> Assessed {
    // A person has at most one grade in an assessment.
    let of_row = grades
        .chunk_by(|one, next| one.grade == next.grade)
        .find(|of_one| of_one[0].assessment == row.id);
    let value = of_row.and_then(|of_row| value_at(of_row, at));
    let points = value
        .filter(|value| !value.excepted)
        .and_then(|value| value.points_earned);
    Assessed {
        id: row.id,
        assessmentid: row.idnumber.clone(),
        name: row.name.clone(),
        pointval: row.pointval,
        extra_credit: row.extra_credit,
        points,
        percent: points
            .zip(row.pointval)
            .and_then(|(points, most)| percent(points, most)),
        excepted: value.is_some_and(|value| value.excepted),
        attempt: value.map(|value| value.attempt_num),
    }
}

/// What these come to.
pub(super) fn total(assessed: &[Assessed]) -> Total {
    let mut total = Total::default();
    for one in assessed {
        let (Some(points), true) = (one.points, one.extra_credit || one.pointval.is_some()) else {
            continue;
        };
        total.points += points;
        total.counted += 1;
        if !one.extra_credit {
            total.out_of += one.pointval.unwrap_or_default();
        }
    }
    total.percent = percent(total.points, total.out_of);
    total
}

fn percent(points: f64, most: f64) -> Option<f64> {
    (most > 0.0).then(|| points / most * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(points: Option<f64>, pointval: Option<f64>, extra_credit: bool) -> Assessed {
        Assessed {
            id: AssessmentId(1),
            assessmentid: None,
            name: "Quiz".to_owned(),
            pointval,
            extra_credit,
            points,
            percent: None,
            excepted: false,
            attempt: None,
        }
    }

    #[test]
    fn extra_credit_adds_to_the_points_alone() {
        let total = total(&[
            one(Some(7.0), Some(10.0), false),
            one(Some(2.0), Some(5.0), true),
            one(None, Some(10.0), false),
        ]);
        assert_eq!((total.points, total.out_of, total.counted), (9.0, 10.0, 2));
        assert_eq!(total.percent, Some(90.0));
    }

    #[test]
    fn points_without_a_maximum_have_no_percent() {
        assert_eq!(total(&[one(Some(7.0), None, false)]), Total::default());
        let extra = total(&[one(Some(7.0), None, true)]);
        assert_eq!((extra.points, extra.percent), (7.0, None));
        assert_eq!(total(&[one(Some(7.0), Some(0.0), false)]).percent, None);
    }
}
