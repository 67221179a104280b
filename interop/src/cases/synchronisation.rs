//! A whole Moodle is brought into a register, from either side, and what events did not tell is found at night.

use std::time::Instant;

use serde_json::json;

use crate::case::{Case, Figure, Need, Outcome, Scene};
use crate::failure::{Held, expect, expect_so};
use crate::school::School;

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "a-full-synchronisation-from-moodle-brings-everything",
        shows: "A Moodle with 200 users, 30 courses and 10,000 grades, started from Moodle, stands in an empty register row by row.",
        needs: &[Need::LocalMnetd],
        run: from_moodle,
    },
    Case {
        name: "a-full-synchronisation-from-mnetd-brings-everything",
        shows: "The same, started from mnetd: it reads Moodle's lists page by page.",
        needs: &[Need::LocalMnetd],
        run: from_mnetd,
    },
    Case {
        name: "the-nightly-comparison-repairs-what-no-event-told",
        shows: "Rows changed, added and taken away in Moodle's database itself, behind its events' back, stand in the register after the nightly task.",
        needs: &[Need::LocalMnetd],
        run: nightly,
    },
];

/// The school that is brought over.
const USERS: usize = 200;
const COURSES: usize = 30;
const GRADES: usize = 10_000;

fn from_moodle(scene: &Scene) -> Held<Outcome> {
    let school = filled(scene, USERS, COURSES, GRADES)?;
    let began = Instant::now();
    full(&school)?;
    measured(&school, began)
}

fn from_mnetd(scene: &Scene) -> Held<Outcome> {
    let school = filled(scene, USERS, COURSES, GRADES)?;
    let began = Instant::now();
    school.mnetd.run(&["sync", school.moodle.url()])?;
    measured(&school, began)
}

/// Holds both sides against each other, and tells how fast it went.
fn measured(school: &School<'_>, began: Instant) -> Held<Outcome> {
    let seconds = began.elapsed().as_secs_f64();
    let agreement = school.agreement()?;
    agreement.expect_none()?;
    let count = |kind: &str| {
        let compared = agreement
            .kinds
            .iter()
            .find(|compared| compared.kind == kind);
        compared.map_or(0, |compared| compared.rows)
    };
    // The Moodle has others besides those that were made for this.
    expect_so(
        "at least 200 users came",
        count("users") >= USERS,
        &agreement,
    )?;
    expect("sections that came", &COURSES, &count("sections"))?;
    expect("grades that came", &GRADES, &count("grades"))?;
    let rows = Figure::count("rows", agreement.rows());
    let rate = Figure::of("rate", rows.value / seconds, "rows/s");
    let took = Figure::of("took", seconds, "s");
    let mut figures = vec![rate, took, rows];
    figures.extend(agreement.figures());
    Ok(Outcome::Measured(figures))
}

fn nightly(scene: &Scene) -> Held<Outcome> {
    let school = filled(scene, 20, 4, 200)?;
    full(&school)?;
    school.agreement()?.expect_none()?;
    for (sql, params) in BEHIND {
        school.does("execute", &json!({"sql": sql, "params": params}))?;
    }
    let before = school.agreement()?;
    for compared in &before.kinds {
        expect_so(
            "each kind of rows differs before the task",
            !compared.differences.is_empty(),
            &before.to_string(),
        )?;
    }
    school.moodle.run_task("local_mnetd\\task\\reconcile")?;
    school.cron()?;
    let after = school.agreement()?;
    after.expect_none()?;
    Ok(Outcome::Measured(vec![
        Figure::count("differences before", before.differences()),
        Figure::count("differences after", after.differences()),
        Figure::count("rows", after.rows()),
    ]))
}

/// What is done behind the events' back: something of each kind changed, and something taken away.
const BEHIND: [(&str, &[&str]); 7] = [
    (
        "UPDATE {user} SET lastname = 'Changed' WHERE username = ?",
        &["interop-full-00003"],
    ),
    // The name is set free for the next run; Moodle's own deletion does so as well.
    (
        "UPDATE {user} SET deleted = 1, username = CONCAT('gone-', id) WHERE username = ?",
        &["interop-full-00004"],
    ),
    (
        "UPDATE {course} SET fullname = 'Changed' WHERE shortname = ?",
        &["interop-full-000"],
    ),
    (
        "UPDATE {user_enrolments} SET status = 1 WHERE userid IN (SELECT id FROM {user} WHERE username = ?)",
        &["interop-full-00005"],
    ),
    (
        "UPDATE {grade_items} SET itemname = 'Changed' WHERE itemname = 'Test 01' AND courseid IN (SELECT id FROM {course} WHERE shortname = ?)",
        &["interop-full-001"],
    ),
    (
        "UPDATE {grade_grades} SET finalgrade = 99.5 WHERE userid IN (SELECT id FROM {user} WHERE username = ?)",
        &["interop-full-00006"],
    ),
    (
        "DELETE FROM {grade_grades} WHERE userid IN (SELECT id FROM {user} WHERE username = ?)",
        &["interop-full-00007"],
    ),
];

/// A school that was there before anybody listened, and an empty register.
fn filled(scene: &Scene, users: usize, courses: usize, grades: usize) -> Held<School<'_>> {
    let school = School::open(scene)?;
    let fill = json!({
        "users": users,
        "courses": courses,
        "grades": grades,
        "prefix": "interop-full-",
        "category": school.category,
    });
    school.does("fill", &fill)?;
    Ok(school)
}

/// A full synchronisation, started in Moodle.
fn full(school: &School<'_>) -> Held {
    let peer = format!("--peer={}", school.mnetd.url());
    school
        .moodle
        .run_script("local/mnetd/cli/sync.php", &["--full", &peer])
        .map(drop)
}
