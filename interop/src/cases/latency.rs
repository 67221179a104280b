//! How long a grade takes from Moodle into the register.

use std::thread;
use std::time::{Duration, Instant, UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::json;

use crate::case::{Case, Figure, Need, Outcome, Scene};
use crate::failure::{Failure, Held};
use crate::school::{Class, Kind, School};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "a-grade-is-there-soon-where-cron-stays",
        shows: "How long it takes from a grade saved in Moodle to the row in the register, where cron runs on and on (keep-alive).",
        needs: &[Need::LocalMnetd],
        run: with_cron,
    },
    Case {
        name: "a-grade-is-there-soon-where-the-task-runs-at-once",
        shows: "How long it takes from a grade saved in Moodle to the row in the register, where its ad hoc task is run as soon as it is there.",
        needs: &[Need::LocalMnetd],
        run: at_once,
    },
];

/// How often it is measured.
const TIMES: u32 = 30;

/// Between two looks into the register: short against what is measured.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// The longest that a grade is waited for.
const PATIENCE: Duration = Duration::from_mins(2);

fn with_cron(scene: &Scene) -> Held<Outcome> {
    let (school, class, item) = ready(scene)?;
    let seconds = PATIENCE.as_secs() * 5;
    let keep_alive = format!("--keep-alive={seconds}");
    let mut cron = school.moodle.begin("admin/cli/cron.php", &[&keep_alive])?;
    let register = school.mnetd.database()?;
    // The first one finds cron at its start: it is not counted.
    save(&school, class, 0)?;
    row(&register, &item, points(0))?;
    let mut waits = Vec::new();
    for n in 1..=TIMES {
        let saved = save(&school, class, n)?;
        waits.push(row(&register, &item, points(n))? - saved);
        // At another moment of cron's round each time.
        thread::sleep(Duration::from_millis(u64::from(n * 37 % 1000)));
    }
    cron.kill()?;
    Ok(Outcome::Measured(figures(waits)))
}

fn at_once(scene: &Scene) -> Held<Outcome> {
    let (school, class, item) = ready(scene)?;
    let register = school.mnetd.database()?;
    let mut waits = Vec::new();
    for n in 1..=TIMES {
        let saved = save(&school, class, n)?;
        let mut task = school.moodle.begin(
            "admin/cli/adhoc_task.php",
            &["--execute", "--classname=\\local_mnetd\\task\\send_now"],
        )?;
        waits.push(row(&register, &item, points(n))? - saved);
        task.wait(PATIENCE)?;
    }
    Ok(Outcome::Measured(figures(waits)))
}

/// A class that stands in the register, with the id of its item there.
fn ready(scene: &Scene) -> Held<(School<'_>, Class, String)> {
    let school = School::open(scene)?;
    let class = school.class()?;
    school.cron()?;
    let item = school.id(Kind::Item, class.item)?;
    Ok((school, class, item))
}

/// The points of the n-th grade; no two are the same.
fn points(n: u32) -> f64 {
    10.0 + f64::from(n) / 2.0
}

/// Saves the n-th grade, in a process of its own as web requests are; the moment at which Moodle's call returned, in Unix
/// seconds.
fn save(school: &School<'_>, class: Class, n: u32) -> Held<f64> {
    let about = json!({"item": class.item, "user": class.student, "value": points(n)});
    let told = school.does("grade", &about)?;
    told["done_at"].as_f64().ok_or_else(|| Failure::Shape {
        what: "the moment at which a grade was saved".to_owned(),
        expected: "number",
        seen: told["done_at"].to_string(),
    })
}

/// Waits until the grade stands in the register; the moment at which it was seen, in Unix seconds.
fn row(register: &Connection, item: &str, points: f64) -> Held<f64> {
    let query = "SELECT count(*) FROM grade AS g JOIN assessment AS a ON a.id = g.assessment
                  WHERE a.idnumber = ?1 AND g.points_earned = ?2";
    let mut statement = register.prepare(query)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found: i64 = statement.query_row((item, points), |row| row.get(0))?;
        if found > 0 {
            return Ok(UNIX_EPOCH
                .elapsed()
                .map_or(0.0, |since| since.as_secs_f64()));
        }
        if Instant::now() >= deadline {
            return Err(Failure::NotInTime {
                what: format!("the grade {points} in the register"),
                within: PATIENCE,
                last: "another".to_owned(),
            });
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// Median, 95th percentile and the extremes of waits in seconds.
fn figures(mut waits: Vec<f64>) -> Vec<Figure> {
    waits.sort_by(f64::total_cmp);
    let at = |share: usize| {
        let place = (waits.len() * share).div_ceil(100).max(1) - 1;
        waits.get(place).map_or(0.0, |seconds| seconds * 1000.0)
    };
    vec![
        Figure::of("median", at(50), "ms"),
        Figure::of("p95", at(95), "ms"),
        Figure::of("shortest", at(0), "ms"),
        Figure::of("longest", at(100), "ms"),
        Figure::count("times", waits.len()),
    ]
}

#[cfg(test)]
mod tests {
    use super::figures;

    #[test]
    fn figures_are_taken_from_the_sorted_waits() {
        let waits = (1..=30).rev().map(|n| f64::from(n) / 1000.0).collect();
        let told: Vec<(String, i64)> = figures(waits)
            .into_iter()
            .map(|figure| {
                #[allow(clippy::cast_possible_truncation)]
                let value = figure.value.round() as i64;
                (figure.what, value)
            })
            .collect();
        let expected = [
            ("median", 15),
            ("p95", 29),
            ("shortest", 1),
            ("longest", 30),
            ("times", 30),
        ];
        assert_eq!(told, expected.map(|(what, value)| (what.to_owned(), value)));
    }
}
