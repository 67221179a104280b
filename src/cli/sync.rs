//! `mnetd sync`: a peer is asked for everything it has, and the register made to agree.

use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::json;

use super::CliError;
use super::output::{self, Format, printable, say};
use super::site::Site;
use crate::peer::Peer;
use crate::sync::{self, Change, Order, Progress, Report, SyncError, Synchroniser};

/// Changes of a sort that are shown of each list where nothing else is asked for.
const SHOWN: usize = 20;

#[derive(Args, Debug)]
pub struct SyncArguments {
    /// The peer's wwwroot
    #[arg(value_name = "PEER")]
    peer: String,
    /// Only the enrolments, assessments and grades of this section (the peer's id of it)
    #[arg(long, value_name = "ID")]
    section: Option<String>,
    /// Only say what would change. It is done to a copy of the register, which is thrown away
    #[arg(long)]
    dry_run: bool,
    /// Remove what the peer has no longer, however much that is: without it, at most a tenth of each list,
    /// or five rows
    #[arg(long)]
    force: bool,
    /// With --dry-run: how many changes of each sort to show of each list
    #[arg(long, value_name = "N", default_value_t = SHOWN, requires = "dry_run")]
    show: usize,
    /// How to print. CSV has the counts; with --dry-run the changes
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const COUNT_COLUMNS: [&str; 8] = [
    "list",
    "read",
    "created",
    "updated",
    "unchanged",
    "left_alone",
    "removed",
    "refused",
];

const CHANGE_COLUMNS: [&str; 4] = ["list", "change", "id", "reason"];

/// The whole of it, for programs.
#[derive(Serialize)]
struct Told<'a> {
    peer: &'a str,
    section: Option<&'a str>,
    dry_run: bool,
    rows_a_second: u64,
    #[serde(flatten)]
    report: &'a Report,
}

pub fn run(site: &Site, arguments: &SyncArguments) -> Result<ExitCode, CliError> {
    let peer = site.peer(&arguments.peer)?;
    let order = Order {
        section: arguments.section.clone(),
        force: arguments.force,
        asked_by: format!("{}, on the command line", output::actor().name),
        told: if arguments.dry_run { arguments.show } else { 0 },
    };
    // Draws on a terminal only.
    let bar = ProgressBar::no_length().with_style(style());
    let watch = |progress: Progress<'_>| {
        bar.set_message(progress.phase.to_owned());
        if let Some(total) = progress.total {
            bar.set_length(u64::try_from(total).unwrap_or_default());
        } else {
            bar.unset_length();
        }
        bar.set_position(u64::try_from(progress.read).unwrap_or_default());
    };
    let done = site.block_on(async {
        if arguments.dry_run {
            rehearse(site, &peer, order, &watch).await
        } else {
            synchronise(site, &peer, order, &watch).await
        }
    });
    bar.finish_and_clear();
    let report = done?;
    if !arguments.dry_run {
        let object = peer.wwwroot.to_string();
        output::note(site, "peer synchronised", &object, &report.in_words())?;
    }
    tell(site, arguments, &peer, &report)?;
    Ok(if report.is_whole() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn synchronise(
    site: &Site,
    peer: &Peer,
    order: Order,
    watch: sync::Watch<'_>,
) -> Result<Report, SyncError> {
    let synchroniser =
        Synchroniser::new(site.store.clone(), site.client.clone(), site.clock.clone());
    let stopping = synchroniser.clone();
    let listening = tokio::spawn(async move {
        // Where signals cannot be had, the run is found dead after minutes instead.
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.stop();
        }
    });
    let done = synchroniser.run(peer, order, watch).await;
    listening.abort();
    done
}

/// What is left of the copy when somebody presses Ctrl-C would lie there until the next time.
async fn rehearse(
    site: &Site,
    peer: &Peer,
    order: Order,
    watch: sync::Watch<'_>,
) -> Result<Report, SyncError> {
    let rehearsal = sync::rehearse(&site.store, &site.client, &site.clock, peer, order, watch);
    tokio::select! {
        done = rehearsal => done,
        Ok(()) = tokio::signal::ctrl_c() => Err(SyncError::Stopped(peer.wwwroot.clone())),
    }
}

fn tell(
    site: &Site,
    arguments: &SyncArguments,
    peer: &Peer,
    report: &Report,
) -> Result<(), CliError> {
    match arguments.format {
        Format::Json => {
            let told = Told {
                peer: peer.wwwroot.as_str(),
                section: arguments.section.as_deref(),
                dry_run: arguments.dry_run,
                rows_a_second: rows_a_second(report),
                report,
            };
            let text = serde_json::to_string_pretty(&told)
                .map_err(|error| CliError::Output(error.into()))?;
            say!("{text}");
        }
        Format::Csv if arguments.dry_run => {
            output::print(Format::Csv, &CHANGE_COLUMNS, &changes(report))?;
        }
        Format::Csv => output::print(Format::Csv, &COUNT_COLUMNS, &report.lists)?,
        Format::Table => tell_people(arguments, report)?,
    }
    for list in &report.lists {
        if let Some(kept) = &list.kept {
            let text = kept.in_words(list.list);
            eprintln!("mnetd: {}", site.hints.runnable(&text));
        }
    }
    Ok(())
}

fn tell_people(arguments: &SyncArguments, report: &Report) -> Result<(), CliError> {
    if !report.changes.is_empty() {
        let changes = changes(report);
        output::print(Format::Table, &CHANGE_COLUMNS, &changes)?;
        let told = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        let all: u64 = report
            .lists
            .iter()
            .map(|list| {
                let changed = list.created + list.updated + list.left_alone + list.removed;
                list.refused + if arguments.dry_run { changed } else { 0 }
            })
            .sum();
        if all > told {
            say!("and {} more", all - told);
        }
        say!("");
    }
    output::print(Format::Table, &COUNT_COLUMNS, &report.lists)?;
    let would = if arguments.dry_run {
        " Nothing was changed: this is what would happen."
    } else {
        ""
    };
    say!(
        "\n{} rows in {:.1} s, {} a second.{would}",
        report.read(),
        report.seconds,
        rows_a_second(report)
    );
    Ok(())
}

fn changes(report: &Report) -> Vec<serde_json::Value> {
    let row = |change: &Change| {
        json!({
            "list": change.list,
            "change": change.change.as_str(),
            "id": change.id,
            "reason": change.reason.as_deref().map(printable),
        })
    };
    report.changes.iter().map(row).collect()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // a figure to look at
fn rows_a_second(report: &Report) -> u64 {
    (report.read() as f64 / report.seconds.max(0.001)) as u64
}

fn style() -> ProgressStyle {
    ProgressStyle::with_template("{msg} {wide_bar} {human_pos} {per_sec}, {eta} to go")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}
