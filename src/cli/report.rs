//! `mnetd report`: how the school stood at a date.

use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::CliError;
use super::output::{printable, told};
use super::site::Site;
use crate::clock::UnixTime;
use crate::reports::{self, Align, Ended, Presentation, Report, ReportError, Sheet, SheetTable};
use crate::store::{PeerId, ReadTx, peers};
use crate::wwwroot::Wwwroot;

/// Reports are personal data: a file made for one is its owner's alone.
const FILE_MODE: u32 = 0o600;

#[derive(Debug, Subcommand)]
pub enum ReportCommand {
    /// What a student had earned by a date, section by section
    #[command(after_help = PERSON_HELP)]
    Progress {
        /// The student: id (idnumber), username, or row number as '#12'
        #[arg(value_name = "USERID")]
        user: String,
        /// What had ended by then as well
        #[arg(long)]
        ended: bool,
        #[command(flatten)]
        given: GivenArguments,
    },
    /// Every section a student was ever in, by term, and how each ended
    #[command(after_help = PERSON_HELP)]
    Transcript {
        /// The student: id (idnumber), username, or row number as '#12'
        #[arg(value_name = "USERID")]
        user: String,
        #[command(flatten)]
        given: GivenArguments,
    },
    /// The students and teachers of a section at a date
    Class {
        /// The section: its id (idnumber), or row number as '#12'
        #[arg(value_name = "SECTIONID")]
        section: String,
        /// Who had left or finished by then as well
        #[arg(long)]
        ended: bool,
        #[command(flatten)]
        given: GivenArguments,
    },
}

const PERSON_HELP: &str = "mnetd register users lists everybody with id, username and row number.";

#[derive(Args, Debug)]
pub struct GivenArguments {
    /// As things stood at this date: 2026-07-01 (the end of that day here) or 2026-07-01T12:00:00Z [default: now]
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// How to give it
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
    /// Write it to this file
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Whose id it is (a peer's wwwroot), where several use the same
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
}

/// How a report is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON object.
    Json,
    /// For a spreadsheet.
    Csv,
    /// For paper, A4.
    Pdf,
}

pub fn run(site: &Site, command: &ReportCommand) -> Result<ExitCode, CliError> {
    match command {
        ReportCommand::Progress { user, ended, given } => give(site, given, |tx, peer, at| {
            let person = reports::person_called(tx, user, peer)?;
            reports::progress(tx, person, at, listed_if(*ended))
        }),
        ReportCommand::Transcript { user, given } => give(site, given, |tx, peer, at| {
            let person = reports::person_called(tx, user, peer)?;
            reports::transcript(tx, person, at)
        }),
        ReportCommand::Class {
            section,
            ended,
            given,
        } => give(site, given, |tx, peer, at| {
            let section = reports::section_called(tx, section, peer)?;
            reports::class_list(tx, section, at, listed_if(*ended))
        }),
    }
}

fn listed_if(ended: bool) -> Ended {
    if ended {
        Ended::Included
    } else {
        Ended::LeftOut
    }
}

fn give<R: Report>(
    site: &Site,
    given: &GivenArguments,
    reckon: impl FnOnce(&ReadTx<'_>, Option<PeerId>, UnixTime) -> Result<R, ReportError>,
) -> Result<ExitCode, CliError> {
    let to_terminal = given.output.is_none() && io::stdout().is_terminal();
    if given.format == ReportFormat::Pdf && to_terminal {
        return Err(CliError::PdfToTerminal);
    }
    let presentation = Presentation {
        site: site.wwwroot.to_string(),
        zone: TimeZone::system(),
        printed_at: site.clock.now(),
    };
    let at = match &given.at {
        Some(text) => moment(text, &presentation.zone)?,
        None => presentation.printed_at,
    };
    let peer = match &given.peer {
        Some(url) => Some(peer_called(site, url)?),
        None => None,
    };
    let report = site.store.read_blocking(|tx| reckon(tx, peer, at))?;
    write_out(given, &in_format(given.format, &report, &presentation)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The end of a day in `zone`, or a moment with its own.
fn moment(text: &str, zone: &TimeZone) -> Result<UnixTime, CliError> {
    let moment = match text.parse::<Date>() {
        // A date alone: RFC 3339 asks for a time and an offset, which a date would swallow.
        Ok(date) if text.len() == "2026-07-01".len() => date
            .to_zoned_datetime(zone.clone())
            .and_then(|morning| morning.end_of_day())
            .map(|night| night.timestamp()),
        _ => text.parse::<Timestamp>(),
    };
    moment
        .map(|moment| UnixTime(moment.as_second()))
        .map_err(|_| CliError::Date(text.to_owned()))
}

/// A peer that is registered or was: its rows stay in the register.
fn peer_called(site: &Site, url: &str) -> Result<PeerId, CliError> {
    let wwwroot = Wwwroot::parse(url)?;
    site.store
        .read_blocking(|tx| peers::find(tx, wwwroot.as_str()))?
        .map(|peer| peer.id)
        .ok_or_else(|| CliError::UnknownPeer(wwwroot.to_string()))
}

fn in_format(
    format: ReportFormat,
    report: &impl Report,
    presentation: &Presentation,
) -> Result<Vec<u8>, CliError> {
    match format {
        ReportFormat::Table => Ok(as_text(&report.to_sheet(presentation)).into_bytes()),
        ReportFormat::Pdf => Ok(report.to_sheet(presentation).to_pdf()?),
        ReportFormat::Csv => {
            let mut bytes = Vec::new();
            report
                .write_csv(&mut bytes, presentation)
                .map_err(CliError::Output)?;
            Ok(bytes)
        }
        ReportFormat::Json => {
            let mut bytes = serde_json::to_vec_pretty(report)
                .map_err(|error| CliError::Output(error.into()))?;
            bytes.push(b'\n');
            Ok(bytes)
        }
    }
}

fn write_out(given: &GivenArguments, bytes: &[u8]) -> Result<(), CliError> {
    let Some(path) = &given.output else {
        return told(io::stdout().write_all(bytes));
    };
    let failed = |source| CliError::Unwritable {
        path: path.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE)
        .open(path)
        .map_err(failed)?;
    file.write_all(bytes).map_err(failed)
}

/// The sheet for a terminal.
fn as_text(sheet: &Sheet) -> String {
    let mut text = format!("{}\n", sheet.title);
    let names = sheet.facts.iter().map(|(name, _)| name.len());
    let width = names.max().unwrap_or_default() + 2;
    for (name, value) in &sheet.facts {
        let name = format!("{name}:");
        text.extend([&format!("{name:width$}"), &printable(value), "\n"]);
    }
    for table in &sheet.tables {
        text.push('\n');
        table_as_text(table, &mut text);
    }
    text
}

fn table_as_text(table: &SheetTable, text: &mut String) {
    let heading = (!table.heading.is_empty()).then_some(&table.heading);
    for line in heading.into_iter().chain(&table.notes) {
        text.push_str(&printable(line));
        text.push('\n');
    }
    let mut drawn = Table::new();
    drawn
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(table.columns.iter().map(|column| column.name));
    for row in table.rows.iter().chain(&table.total) {
        // Names come from other sites: what could drive a terminal is taken out.
        drawn.add_row(row.iter().map(|cell| printable(cell.as_str())));
    }
    for (index, column) in table.columns.iter().enumerate() {
        if let (Align::Right, Some(drawn)) = (column.align, drawn.column_mut(index)) {
            drawn.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in drawn.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by a panic
mod tests {
    use super::*;

    fn at(text: &str) -> Option<i64> {
        let zone = TimeZone::get("Europe/Oslo").unwrap();
        moment(text, &zone).ok().map(|moment| moment.0)
    }

    #[test]
    fn a_date_is_the_end_of_that_day_here() {
        // 2026-07-01T23:59:59+02:00
        assert_eq!(at("2026-07-01"), Some(1_782_943_199));
        assert_eq!(at("2026-07-01T23:59:59+02:00"), Some(1_782_943_199));
        assert_eq!(at("2026-07-01T21:59:59Z"), Some(1_782_943_199));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "yesterday",
            "2026-13-01",
            "01.07.2026",
            "2026-07-01T12:00:00",
            "2026",
        ] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
