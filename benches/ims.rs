//! IMS Enterprise files of three sizes into an empty register, and again: `cargo bench --bench ims`.
//!
//! Each import is a process of its own, so that the most memory it held is its own. What a file of the largest size takes
//! on the disk, with its register: about 1.5 GB in the folder for temporary files.
#![allow(missing_docs, clippy::unwrap_used, clippy::cast_precision_loss)]

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use jiff::tz::TimeZone;
use mnetd::clock::Clock;
use mnetd::exchange::{DEFAULT_LIMIT, Mode};
use mnetd::ims::{Options, import};
use mnetd::store::Store;

#[path = "../tests/support/ims_file.rs"]
mod ims_file;

use ims_file::Plan;

/// A quarter, a half and the whole: what grows with the size must grow with it alone.
const PARTS: [usize; 3] = [4, 2, 1];

const WHOLE: Plan = Plan {
    people: 200_000,
    groups: 5_000,
    memberships: 1_000_000,
    seed: 1,
};

/// To reach, records a second.
const EMPTY: f64 = 60_000.0;
const UNCHANGED: f64 = 120_000.0;

/// To stay below, in MB.
const MEMORY: f64 = 150.0;

/// What one import took.
struct Took {
    seconds: f64,
    processor: f64,
    memory: f64,
    created: u64,
    unchanged: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, file, database] = &arguments[..]
        && word == "--import"
    {
        import_here(Path::new(file), Path::new(database));
        return ExitCode::SUCCESS;
    }
    println!(
        "{:>9} {:<10} {:>8} {:>10} {:>10} {:>14} {:>9}",
        "records", "register", "seconds", "records/s", "processor", "records/cpu s", "memory"
    );
    let mut held = true;
    for part in PARTS {
        held &= one_size(&Plan {
            people: WHOLE.people / part,
            groups: WHOLE.groups / part,
            memberships: WHOLE.memberships / part,
            ..WHOLE
        });
    }
    println!(
        "to reach: {EMPTY} records/s into an empty register, {UNCHANGED} unchanged, below {MEMORY} MB"
    );
    if held {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether the targets were met.
fn one_size(plan: &Plan) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file.xml");
    plan.write(BufWriter::new(File::create(&file).unwrap()))
        .unwrap();
    let database = folder.path().join("mnetd.db");
    let first = in_child(&file, &database);
    let records = plan.records();
    assert_eq!(first.created, records as u64, "records taken up");
    let again = in_child(&file, &database);
    assert_eq!(again.unchanged, records as u64, "records left alone");
    let mut held = true;
    for (name, took, target) in [("empty", first, EMPTY), ("unchanged", again, UNCHANGED)] {
        let rate = records as f64 / took.seconds;
        println!(
            "{records:>9} {name:<10} {:>8.1} {rate:>10.0} {:>9.1}s {:>14.0} {:>6.0} MB",
            took.seconds,
            took.processor,
            records as f64 / took.processor,
            took.memory
        );
        held &= rate >= target && took.memory < MEMORY;
    }
    held
}

fn in_child(file: &Path, database: &Path) -> Took {
    let output = Command::new(std::env::current_exe().unwrap())
        .arg("--import")
        .args([file, database])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    Took {
        seconds: told["seconds"].as_f64().unwrap(),
        processor: told["processor"].as_f64().unwrap(),
        memory: told["memory"].as_f64().unwrap(),
        created: told["created"].as_u64().unwrap(),
        unchanged: told["unchanged"].as_u64().unwrap(),
    }
}

fn import_here(file: &Path, database: &Path) {
    let store = Store::open(database).unwrap();
    let options = Options {
        feed: None,
        mode: Mode::Snapshot {
            limit: DEFAULT_LIMIT,
            force: false,
        },
        preview: false,
        zone: TimeZone::UTC,
    };
    let started = Instant::now();
    let input = File::open(file).unwrap();
    let imported = import(&store, &Clock::System, input, &options, |_| ()).unwrap();
    let report = imported.report;
    assert_eq!(report.skipped_count, 0, "{:?}", report.skipped.first());
    let counts = [report.people, report.sections, report.memberships];
    let told = serde_json::json!({
        "seconds": started.elapsed().as_secs_f64(),
        "processor": processor_seconds(),
        "memory": peak_megabytes(),
        "created": counts.iter().map(|counts| counts.created).sum::<u64>(),
        "unchanged": counts.iter().map(|counts| counts.unchanged).sum::<u64>(),
    });
    std::io::stdout()
        .write_all(told.to_string().as_bytes())
        .unwrap();
}

/// User and system time of this process, all its threads.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, after) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = after.split_whitespace().collect();
    // Fields 14 and 15 of proc(5), counted in hundredths of a second.
    let ticks: f64 = fields[11..13]
        .iter()
        .map(|field| field.parse::<f64>().unwrap())
        .sum();
    ticks / 100.0
}

fn peak_megabytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1024.0
}
