//! Two thousand changes, while the register is killed again and again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::agreement::Agreement;
use crate::case::{Case, Figure, Need, Outcome, Scene};
use crate::failure::{Failure, Held, expect};
use crate::moodle::Moodle;
use crate::school::School;
use crate::waiting::{Look, until};

/// The cases.
pub const CASES: &[Case] = &[Case {
    name: "two-thousand-changes-arrive-though-mnetd-is-killed-ten-times",
    shows: "2,000 changes of all kinds in Moodle, with mnetd killed and started again ten times meanwhile and cron running: at the end both databases say the same, row by row.",
    needs: &[Need::LocalMnetd],
    run: delivered,
}];

/// How many changes are made.
const CHANGES: usize = 2_000;

/// How often mnetd is killed.
const KILLS: usize = 10;

/// After how many changes there is word of how far it is.
const EVERY: usize = 20;

/// How many changes are made while mnetd is away each time.
const AWAY: usize = 40;

/// Between two changes: slow enough that cron sends meanwhile, and the kills hit messages on their way.
const PAUSE: Duration = Duration::from_millis(20);

/// How long cron may take to send what is left, on a slow machine.
const AFTERWARDS: Duration = Duration::from_mins(10);

fn delivered(scene: &Scene) -> Held<Outcome> {
    let mut school = School::open(scene)?;
    let peer = format!("--peer={}", school.mnetd.url());
    // Everything that stands in Moodle before, so that all of it can be compared afterwards.
    school
        .moodle
        .run_script("local/mnetd/cli/sync.php", &["--full", &peer])?;
    school.agreement()?.expect_none()?;

    let began = Instant::now();
    let stop = AtomicBool::new(false);
    let moodle = school.moodle;
    let (kills, told) = thread::scope(|scope| {
        let sending = scope.spawn(|| keep_sending(moodle, &peer, &stop));
        let changed = change(&mut school);
        let drained = changed.and_then(|changed| {
            if !school.mnetd.runs() {
                school.mnetd.start()?;
            }
            drained(&school).map(|()| changed)
        });
        stop.store(true, Ordering::Relaxed);
        let sent = sending.join().map_err(|_| Failure::Otherwise {
            what: "the thread that runs cron".to_owned(),
            expected: "its end".to_owned(),
            seen: "a panic".to_owned(),
        })?;
        let changed = drained?;
        sent?;
        Ok::<_, Failure>(changed)
    })?;
    let took = began.elapsed();

    expect("kills", &KILLS, &kills)?;
    expect("refused jobs", &json!([]), &refused(&school)?)?;
    let agreement = school.agreement()?;
    agreement.expect_none()?;
    Ok(Outcome::Measured(figures(&told, kills, took, &agreement)))
}

/// Makes the changes, and kills mnetd as it goes. How often it did, and what was done.
fn change(school: &mut School<'_>) -> Held<(usize, Json)> {
    let mut serving = school.moodle.serve()?;
    let input = json!({
        "seed": 2026,
        "count": CHANGES,
        "prefix": "interop-mix-",
        "category": school.category,
        "outside": school.outside,
        "users": 40,
        "courses": 6,
        "every": EVERY,
        "pause_ms": u64::try_from(PAUSE.as_millis()).unwrap_or_default(),
    });
    let mut kills = 0;
    let told = serving.ask_with_progress("change", &input, |progress| {
        let done =
            usize::try_from(progress["done"].as_u64().unwrap_or_default()).unwrap_or_default();
        match done % (CHANGES / KILLS) {
            // In the first half of each tenth, so that it is back long before the next.
            60 if school.mnetd.runs() => {
                school.mnetd.kill()?;
                kills += 1;
            }
            rest if rest >= 60 + AWAY && !school.mnetd.runs() => school.mnetd.start()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((kills, told))
}

/// Runs cron again and again, as a crontab does every minute, and the plugin's own command besides, which does not keep the
/// pause after calls that failed: a minute and more each time, which nobody wants to wait for here.
fn keep_sending(moodle: &Moodle, peer: &str, stop: &AtomicBool) -> Held {
    while !stop.load(Ordering::Relaxed) {
        moodle.cron()?;
        // Told by its exit code that something is left: there is, while mnetd is down.
        let _ = moodle.run_script("local/mnetd/cli/send.php", &[peer]);
    }
    Ok(())
}

/// Waits until nothing is left in Moodle's queue.
fn drained(school: &School<'_>) -> Held {
    until("an empty queue in Moodle", AFTERWARDS, || {
        let waiting = school.waiting()?;
        Ok(if waiting == 0 {
            Look::There(())
        } else {
            Look::NotYet(format!("{waiting} jobs"))
        })
    })
}

/// What the register refused, with its faults.
fn refused(school: &School<'_>) -> Held<Json> {
    let sql =
        "SELECT q.id, q.objectkey, q.method, q.faultcode, q.faulttext FROM {local_mnetd_queue} q
                 JOIN {mnet_host} h ON h.id = q.hostid WHERE h.wwwroot = ? AND q.state = 'refused'";
    school.does(
        "select",
        &json!({"sql": sql, "params": [school.mnetd.url()]}),
    )
}

fn figures(told: &Json, kills: usize, took: Duration, agreement: &Agreement) -> Vec<Figure> {
    let mut figures = vec![
        Figure::count("changes", CHANGES),
        Figure::count("kills", kills),
        Figure::of("took", took.as_secs_f64(), "s"),
        Figure::count("rows", agreement.rows()),
        Figure::count("differences", agreement.differences()),
    ];
    figures.extend(agreement.figures());
    let kinds = told["kinds"].as_object().map_or(0, serde_json::Map::len);
    figures.push(Figure::count("kinds of changes", kinds));
    figures
}
