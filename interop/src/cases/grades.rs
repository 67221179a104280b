//! What happens in Moodle's gradebook stands in the register after one run of cron.

use serde_json::{Value as Json, json};

use crate::case::{Case, Need, Outcome, Scene};
use crate::failure::{Held, expect};
use crate::school::{Class, Kind, School, number};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "an-assignment-and-its-grade-appear",
        shows: "An assignment made and graded in Moodle is an assessment with a grade after one cron run, and keeps up when it is graded anew.",
        needs: &[Need::LocalMnetd],
        run: assignment,
    },
    Case {
        name: "the-grade-of-a-quiz-appears",
        shows: "A quiz with questions, sat and handed in by a student, has its grade in the register after one cron run.",
        needs: &[Need::LocalMnetd],
        run: quiz,
    },
    Case {
        name: "a-new-grade-stands-and-the-history-holds-both",
        shows: "A grade given anew in Moodle stands in the register after one cron run; the history holds the old one and the new one.",
        needs: &[Need::LocalMnetd],
        run: regraded,
    },
    Case {
        name: "a-grade-overridden-in-the-gradebook-appears",
        shows: "A grade given in the gradebook against the assignment's stands in the register after one cron run, and the assignment's own does not come back.",
        needs: &[Need::LocalMnetd],
        run: overridden,
    },
    Case {
        name: "an-excluded-grade-is-excepted",
        shows: "A grade excluded in Moodle is excepted in the register after one cron run, and counts again when it does in Moodle.",
        needs: &[Need::LocalMnetd],
        run: excluded,
    },
    Case {
        name: "a-grade-taken-away-in-moodle-is-removed",
        shows: "A grade cleared, and one deleted, are removed in the register after one cron run; the history keeps them.",
        needs: &[Need::LocalMnetd],
        run: removed,
    },
    Case {
        name: "other-points-for-an-item-reach-its-grades",
        shows: "Where an item's most points are doubled and its grades with them, both stand so in the register after one cron run.",
        needs: &[Need::LocalMnetd],
        run: rescaled,
    },
    Case {
        name: "an-item-deleted-in-moodle-is-removed",
        shows: "A grade item deleted in Moodle is removed in the register after one cron run.",
        needs: &[Need::LocalMnetd],
        run: item_deleted,
    },
];

/// A student's grade in an assessment: points, excepted, there.
const GRADE: &str = "SELECT g.points_earned, g.excepted, g.removed_at IS NULL
                       FROM grade AS g JOIN assessment AS a ON a.id = g.assessment JOIN person AS u ON u.id = g.person
                      WHERE a.idnumber = ?1 AND u.idnumber = 'INTEROP-S'";

/// What became of the grades of an assessment.
const HISTORY: &str = "SELECT h.change, h.points_earned
                         FROM grade_history AS h JOIN grade AS g ON g.id = h.grade JOIN assessment AS a ON a.id = g.assessment
                        WHERE a.idnumber = ?1 ORDER BY h.id";

/// An assessment: name, most points, there.
const ASSESSMENT: &str =
    "SELECT name, pointval, removed_at IS NULL FROM assessment WHERE idnumber = ?1";

fn assignment(scene: &Scene) -> Held<Outcome> {
    let (school, class) = class(scene)?;
    let made = school.does(
        "assignment-create",
        &json!({"course": class.course, "name": "Essay", "grade": 50}),
    )?;
    let item = number(&made, "item")?;
    for points in [42.5, 45.25] {
        school.does(
            "grade",
            &json!({"item": item, "user": class.student, "value": points}),
        )?;
        school.cron()?;
        let id = school.id(Kind::Item, item)?;
        expect_grade(&school, &id, &json!([points, 0, 1]))?;
    }
    let id = school.id(Kind::Item, item)?;
    expect(
        "name, most points, there",
        &json!(["Essay", 50.0, 1]),
        &school.row(ASSESSMENT, &[&id])?,
    )?;
    Ok(Outcome::Held)
}

fn quiz(scene: &Scene) -> Held<Outcome> {
    let (school, class) = class(scene)?;
    let quiz = school.does(
        "quiz-create",
        &json!({"course": class.course, "name": "Quiz 1", "grade": 10, "questions": 4}),
    )?;
    let sat = school.does(
        "quiz-attempt",
        &json!({"quiz": quiz["instance"], "user": class.student, "correct": 3}),
    )?;
    expect("the grade that Moodle gives", &json!(7.5), &sat["grade"])?;
    school.cron()?;
    let id = school.id(Kind::Item, number(&quiz, "item")?)?;
    expect_grade(&school, &id, &json!([7.5, 0, 1]))?;
    Ok(Outcome::Held)
}

fn regraded(scene: &Scene) -> Held<Outcome> {
    let (school, class, id) = graded(scene, 60.0)?;
    grade(&school, class, 70.5)?;
    school.cron()?;
    expect_grade(&school, &id, &json!([70.5, 0, 1]))?;
    expect(
        "the history of the grade",
        &vec![json!(["value", 60.0]), json!(["value", 70.5])],
        &school.rows(HISTORY, &[&id])?,
    )?;
    Ok(Outcome::Held)
}

fn overridden(scene: &Scene) -> Held<Outcome> {
    let (school, class) = class(scene)?;
    let made = school.does(
        "assignment-create",
        &json!({"course": class.course, "name": "Essay", "grade": 100}),
    )?;
    let item = number(&made, "item")?;
    let about = |points: f64| json!({"item": item, "user": class.student, "value": points});
    // What is done in Moodle, and what has to stand in the register then.
    let steps = [
        ("grade", 40.0, 40.0),
        ("grade-override", 55.0, 55.0),
        ("grade", 41.0, 55.0),
    ];
    for (what, given, stands) in steps {
        school.does(what, &about(given))?;
        school.cron()?;
        let id = school.id(Kind::Item, item)?;
        expect_grade(&school, &id, &json!([stands, 0, 1]))?;
    }
    Ok(Outcome::Held)
}

fn excluded(scene: &Scene) -> Held<Outcome> {
    let (school, class, id) = graded(scene, 60.0)?;
    for excluded in [true, false] {
        let about = json!({"item": class.item, "user": class.student, "excluded": excluded});
        school.does("grade-exclude", &about)?;
        school.cron()?;
        expect_grade(&school, &id, &json!([60.0, i32::from(excluded), 1]))?;
    }
    Ok(Outcome::Held)
}

fn removed(scene: &Scene) -> Held<Outcome> {
    let (school, class, id) = graded(scene, 60.0)?;
    for (how, points) in [("empty", 60.0), ("delete", 65.0)] {
        grade(&school, class, points)?;
        school.cron()?;
        expect_grade(&school, &id, &json!([points, 0, 1]))?;
        let about = json!({"item": class.item, "user": class.student, "how": how});
        school.does("grade-remove", &about)?;
        school.cron()?;
        expect_grade(&school, &id, &json!([points, 0, 0]))?;
    }
    Ok(Outcome::Held)
}

fn rescaled(scene: &Scene) -> Held<Outcome> {
    let (school, class, id) = graded(scene, 60.0)?;
    school.does("item-update", &json!({"item": class.item, "grademax": 200}))?;
    school.cron()?;
    expect(
        "name, most points, there",
        &json!(["Oral", 200.0, 1]),
        &school.row(ASSESSMENT, &[&id])?,
    )?;
    expect_grade(&school, &id, &json!([120.0, 0, 1]))?;
    Ok(Outcome::Held)
}

fn item_deleted(scene: &Scene) -> Held<Outcome> {
    let (school, class, id) = graded(scene, 60.0)?;
    school.does("item-delete", &json!({"item": class.item}))?;
    school.cron()?;
    expect(
        "name, most points, there",
        &json!(["Oral", 100.0, 0]),
        &school.row(ASSESSMENT, &[&id])?,
    )?;
    Ok(Outcome::Held)
}

/// A class in Moodle; nothing of it is sent yet.
fn class(scene: &Scene) -> Held<(School<'_>, Class)> {
    let school = School::open(scene)?;
    let class = school.class()?;
    Ok((school, class))
}

/// A class whose student has a grade, all of which stands in the register, and the item's id there.
fn graded(scene: &Scene, points: f64) -> Held<(School<'_>, Class, String)> {
    let (school, class) = class(scene)?;
    grade(&school, class, points)?;
    school.cron()?;
    let id = school.id(Kind::Item, class.item)?;
    expect_grade(&school, &id, &json!([points, 0, 1]))?;
    Ok((school, class, id))
}

fn grade(school: &School<'_>, class: Class, points: f64) -> Held {
    let about = json!({"item": class.item, "user": class.student, "value": points});
    school.does("grade", &about).map(drop)
}

fn expect_grade(school: &School<'_>, assessment: &str, expected: &Json) -> Held {
    expect(
        "points, excepted, there",
        expected,
        &school.row(GRADE, &[assessment])?,
    )
}
