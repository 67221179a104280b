//! Nothing is lost where one of the two is away, or ends in the middle.

use std::time::Duration;

use serde_json::json;

use crate::case::{Case, Figure, Need, Outcome, Scene};
use crate::failure::{Held, expect, expect_so};
use crate::school::{Kind, School};
use crate::waiting::{Look, until};

/// The cases.
pub const CASES: &[Case] = &[
    Case {
        name: "changes-made-while-mnetd-is-down-arrive-in-order",
        shows: "What changes in Moodle while mnetd is down waits there; when mnetd is back everything arrives, each value in the order it was given.",
        needs: &[Need::LocalMnetd],
        run: down,
    },
    Case {
        name: "cron-killed-in-the-middle-loses-nothing",
        shows: "Moodle's cron is killed while it sends; the next run sends what is left, and both sides agree.",
        needs: &[Need::LocalMnetd],
        run: cron_killed,
    },
];

/// What is given to one student, one after another, while mnetd is down.
const POINTS: [f64; 5] = [10.0, 20.5, 15.0, 99.0, 42.25];

fn down(scene: &Scene) -> Held<Outcome> {
    let mut school = School::open(scene)?;
    let class = school.class()?;
    school.cron()?;
    school.mnetd.kill()?;
    for points in POINTS {
        let about = json!({"item": class.item, "user": class.student, "value": points});
        school.does("grade", &about)?;
    }
    for name in ["One", "Two"] {
        school.user("student", json!({"lastname": name}))?;
    }
    school.user("late", json!({"idnumber": "INTEROP-LATE"}))?;
    // Cron runs, cannot reach mnetd, and is none the worse for it.
    school.cron()?;
    let waiting = school.waiting()?;
    expect_so("jobs wait in Moodle", waiting >= 8, &waiting)?;
    let status = school.status()?;
    expect_so(
        "the failure is noted",
        status["failures"].as_i64().unwrap_or(0) > 0,
        &status,
    )?;

    school.mnetd.start()?;
    school.send()?;
    expect("jobs that still wait", &0, &school.waiting()?)?;
    let history = "SELECT h.points_earned FROM grade_history AS h JOIN grade AS g ON g.id = h.grade
                     JOIN assessment AS a ON a.id = g.assessment WHERE a.idnumber = ?1 ORDER BY h.id";
    let item = school.id(Kind::Item, class.item)?;
    expect(
        "the history of the grade",
        &POINTS.map(|points| json!([points])).to_vec(),
        &school.rows(history, &[&item])?,
    )?;
    let name = "SELECT lastname FROM person WHERE idnumber = ?1";
    expect(
        "the last name of the student",
        &json!(["Two"]),
        &school.row(name, &["INTEROP-S"])?,
    )?;
    expect_so(
        "the user who came meanwhile is there",
        !school.row(name, &["INTEROP-LATE"])?.is_null(),
        &"nobody",
    )?;
    Ok(Outcome::Measured(vec![Figure::count(
        "jobs that waited",
        usize::try_from(waiting).unwrap_or_default(),
    )]))
}

/// How many changes wait when cron begins: more than one message takes, so that there is a middle.
const CHANGES: usize = 800;

fn cron_killed(scene: &Scene) -> Held<Outcome> {
    let school = School::open(scene)?;
    let all = "local/mnetd/cli/sync.php";
    let peer = format!("--peer={}", school.mnetd.url());
    school.moodle.run_script(all, &["--full", &peer])?;
    let change = json!({
        "seed": 7,
        "count": CHANGES,
        "prefix": "interop-mix-",
        "category": school.category,
        "outside": school.outside,
        "users": 30,
        "courses": 4,
    });
    school.moodle.serve()?.ask("change", &change)?;
    let before = school.waiting()?;
    let mut cron = school
        .moodle
        .begin("admin/cli/cron.php", &["--keep-alive=0"])?;
    // As soon as the first message has left the queue.
    until("cron to send", Duration::from_mins(3), || {
        if cron.ended()?.is_some() {
            return Ok(Look::There(()));
        }
        let calls: i64 = school.mnetd.one(
            "SELECT count(*) FROM person WHERE sent_username LIKE 'interop-mix-%'",
            [],
        )?;
        Ok(if calls > 0 {
            Look::There(())
        } else {
            Look::NotYet("nothing has come".to_owned())
        })
    })?;
    cron.kill()?;
    let left = school.waiting()?;
    expect_so(
        "cron was killed in the middle: jobs are left",
        left > 0,
        &format!("{before} jobs before, {left} after"),
    )?;
    school.send()?;
    let agreement = school.agreement()?;
    agreement.expect_none()?;
    let jobs = |count: i64| usize::try_from(count).unwrap_or_default();
    Ok(Outcome::Measured(vec![
        Figure::count("jobs", jobs(before)),
        Figure::count("left when killed", jobs(left)),
        Figure::count("rows", agreement.rows()),
        Figure::count("differences", agreement.differences()),
    ]))
}
