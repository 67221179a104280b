//! `mnetd import`: files of other systems.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use indicatif::ProgressBar;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::CliError;
use super::output::{self, printable, say};
use super::site::Site;
use crate::exchange::{Absent, Counts, DEFAULT_LIMIT, Mode, Report};
use crate::ims::{self, Imported, Options};

#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// People, groups and memberships as IMS Enterprise 1.1 or 1.0 (XML)
    Ims(ImsArguments),
}

#[derive(Args, Debug)]
pub struct ImsArguments {
    /// The file; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The kind of file, by a name of your choice: files of one feed replace each other [default: the datasource
    /// that the file names]
    #[arg(long, value_name = "NAME")]
    feed: Option<String>,
    /// The file is the whole picture: what the feed had brought and the file no longer holds is taken out
    #[arg(long)]
    snapshot: bool,
    /// With --snapshot: take nothing out where more than so many of a hundred are missing
    #[arg(long, value_name = "PERCENT", default_value_t = DEFAULT_LIMIT, value_parser = clap::value_parser!(u8).range(0..=100))]
    limit: u8,
    /// With --snapshot: take them out however many there are
    #[arg(long, requires = "snapshot")]
    force: bool,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

/// How a report is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

pub fn run(site: &Site, command: &ImportCommand) -> Result<ExitCode, CliError> {
    let ImportCommand::Ims(arguments) = command;
    let options = Options {
        feed: arguments.feed.clone(),
        mode: if arguments.snapshot {
            Mode::Snapshot {
                limit: arguments.limit,
                force: arguments.force,
            }
        } else {
            Mode::Update
        },
        preview: arguments.dry_run,
        zone: TimeZone::system(),
    };
    let (input, bar) = open(&arguments.file)?;
    let imported = ims::import(&site.store, &site.clock, input, &options, |_| ());
    bar.finish_and_clear();
    let imported = imported?;
    if !arguments.dry_run {
        let details = format!(
            "feed {}, {} things",
            imported.report.feed,
            imported.report.read()
        );
        output::note(site, "import", &arguments.file.to_string_lossy(), &details)?;
    }
    match arguments.format {
        ReportFormat::Text => tell(&imported)?,
        ReportFormat::Json => tell_json(&imported)?,
    }
    let is_done = imported.report.skipped_count == 0 && imported.report.kept().is_none();
    Ok(if is_done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The file, and a bar that goes along as it is read; it draws on a terminal only.
fn open(path: &Path) -> Result<(Box<dyn Read + Send>, ProgressBar), CliError> {
    if path == Path::new("-") {
        return Ok((Box::new(io::stdin()), ProgressBar::hidden()));
    }
    let unreadable = |source| CliError::File {
        option: "FILE",
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if metadata.is_dir() {
        return Err(unreadable(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    let bar = ProgressBar::new(metadata.len()).with_style(output::progress_style());
    Ok((Box::new(bar.wrap_read(file)), bar))
}

/// Everything, for programs.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    report: &'a Report,
    encoding: &'a str,
    cut_off: bool,
    repairs: Vec<ToldRepair>,
}

#[derive(Serialize)]
struct ToldRepair {
    what: String,
    count: u64,
    lines: Vec<u64>,
}

fn tell_json(imported: &Imported) -> Result<(), CliError> {
    let repairs = imported.repairs.iter().map(|(repair, lines)| ToldRepair {
        what: repair.to_string(),
        count: lines.count,
        lines: lines.lines.clone(),
    });
    let told = Told {
        report: &imported.report,
        encoding: imported.encoding,
        cut_off: imported.cut_off,
        repairs: repairs.collect(),
    };
    let text =
        serde_json::to_string_pretty(&told).map_err(|error| CliError::Output(error.into()))?;
    say!("{text}");
    Ok(())
}

fn tell(imported: &Imported) -> Result<(), CliError> {
    let report = &imported.report;
    for (repair, lines) in imported.repairs.iter() {
        eprintln!(
            "mnetd: {} {}",
            lines_of(lines),
            printable(&repair.to_string())
        );
    }
    if imported.repairs.others() > 0 {
        eprintln!(
            "mnetd: and {} things of other kinds were put right",
            imported.repairs.others()
        );
    }
    for item in &report.skipped {
        eprintln!(
            "mnetd: line {}: the {} {} was left out: {}",
            item.line,
            item.what,
            printable(&item.id),
            printable(&item.reason)
        );
    }
    let more = report
        .skipped_count
        .saturating_sub(report.skipped.len() as u64);
    if more > 0 {
        eprintln!("mnetd: and {more} more were left out");
    }
    if report.preview {
        for item in &report.changes {
            say!(
                "line {}: {} {} would be {}",
                item.line,
                item.what,
                printable(&item.id),
                item.change
            );
        }
    }
    let would = if report.preview {
        "Nothing was changed. It would be"
    } else {
        "Done"
    };
    say!("{would}, for the feed “{}”:", printable(&report.feed));
    for (name, counts, absent) in kinds(report) {
        say!("{}", line(name, counts, absent));
    }
    if let Some(kept) = report.kept() {
        eprintln!("mnetd: {kept}");
    }
    Ok(())
}

fn kinds(report: &Report) -> [(&'static str, Counts, Option<&Absent>); 4] {
    [
        ("people", report.people, report.absent_people.as_ref()),
        ("sections", report.sections, report.absent_sections.as_ref()),
        (
            "memberships",
            report.memberships,
            report.absent_memberships.as_ref(),
        ),
        (
            "sections in sections",
            report.parts,
            report.absent_parts.as_ref(),
        ),
    ]
}

fn line(name: &str, counts: Counts, absent: Option<&Absent>) -> String {
    let line = format!(
        "  {name}: {} read, {} new, {} changed, {} as they were, {} taken out, {} left out",
        counts.read,
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.removed,
        counts.skipped
    );
    let missing = absent.filter(|absent| absent.found > 0).map(|absent| {
        format!(
            "; {} of {} missing from the file, {} of them taken out",
            absent.found, absent.of, absent.dropped
        )
    });
    line + &missing.unwrap_or_default()
}

fn lines_of(lines: &ims::Lines) -> String {
    let first: Vec<String> = lines.lines.iter().take(5).map(u64::to_string).collect();
    let more = lines.count.saturating_sub(first.len() as u64);
    let word = if lines.count == 1 { "line" } else { "lines" };
    match more {
        0 => format!("{word} {}:", first.join(", ")),
        more => format!("{word} {} and {more} more:", first.join(", ")),
    }
}
