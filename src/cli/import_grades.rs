//! `mnetd register import-grades`: grades from a spreadsheet.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::CliError;
use super::output::{self, printable, say};
use super::site::Site;
use crate::register::RegisterError;
use crate::register::spreadsheet::{self, Applied, Plan, Spreadsheet, SpreadsheetError};
use crate::reports;
use crate::store::audit::{self, Actor, Deed};
use crate::store::grades::GradeValue;
use crate::store::{Author, SectionId, WriteTx, sections};

#[derive(Args, Debug)]
pub struct ImportArguments {
    /// The section: its id (idnumber), or row number as '#12'
    #[arg(value_name = "SECTIONID")]
    section: String,
    /// The spreadsheet as CSV; docs/register.md says what it looks like
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    dry_run: bool,
    /// Go on without the lines and cells that cannot be used; else they are told, and nothing is changed
    #[arg(long)]
    skip_problems: bool,
    /// Whose id it is (a peer's wwwroot), where several use the same
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
}

pub fn run(site: &Site, arguments: &ImportArguments) -> Result<ExitCode, CliError> {
    let bytes = std::fs::read(&arguments.file).map_err(|source| CliError::File {
        option: "FILE",
        path: arguments.file.clone(),
        source,
    })?;
    let file = Spreadsheet::read(&bytes)?;
    let section = section_in_use(site, arguments)?;
    let now = site.clock.now();
    let plan = site
        .store
        .read_blocking(|tx| spreadsheet::plan(tx, section, &file, now))?;
    for problem in &plan.problems {
        eprintln!("mnetd: {}", printable(&problem.to_string()));
    }
    if plan.more_problems > 0 {
        eprintln!("mnetd: and {} problems more", plan.more_problems);
    }
    if arguments.dry_run {
        show(&plan)?;
    }
    // As it would end without --dry-run.
    if plan.left_out() > 0 && !arguments.skip_problems {
        return Err(CliError::LeftOut(plan.left_out()));
    }
    if arguments.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let applied = apply(site, section, file, arguments)?;
    say!(
        "Grades entered or changed: {}. Assessments made: {}. Grades that stood so already: {}",
        applied.grades,
        applied.assessments,
        plan.same
    );
    Ok(ExitCode::SUCCESS)
}

fn section_in_use(site: &Site, arguments: &ImportArguments) -> Result<SectionId, CliError> {
    let peer = match &arguments.peer {
        Some(url) => Some(site.peer(url)?.id),
        None => None,
    };
    let id = site
        .store
        .read_blocking(|tx| reports::section_called(tx, &arguments.section, peer))?;
    site.store
        .read_blocking(|tx| sections::get(tx, id))?
        .filter(|section| section.removed_at.is_none())
        .map(|section| section.id)
        .ok_or(CliError::UnknownSection(id))
}

fn show(plan: &Plan) -> Result<(), CliError> {
    for column in plan.new_columns() {
        say!("assessment {} would be made", printable(&column.name));
    }
    for row in &plan.rows {
        for cell in &row.cells {
            let column = plan.columns.get(cell.column);
            let old = cell.old.as_ref().map_or_else(|| "none".to_owned(), value);
            say!(
                "line {}: {}, {}: {old} becomes {}",
                row.line,
                printable(&row.username),
                printable(column.map_or("", |column| &column.name)),
                value(&cell.new)
            );
        }
    }
    say!(
        "Grades that would change: {}. Grades that stand so already: {}",
        plan.grades(),
        plan.same
    );
    Ok(())
}

fn value(value: &GradeValue) -> String {
    match value.points_earned {
        Some(points) if !value.excepted => points.to_string(),
        _ => "excepted".to_owned(),
    }
}

/// Plans anew in the transaction: what stood there may have changed meanwhile.
fn apply(
    site: &Site,
    section: SectionId,
    file: Spreadsheet,
    arguments: &ImportArguments,
) -> Result<Applied, CliError> {
    let (actor, now) = (output::actor(), site.clock.now());
    let name = arguments.file.file_name().unwrap_or_default();
    let note = format!("from {}", name.to_string_lossy());
    site.store
        .write_blocking(move |tx| write(tx, section, &file, &note, &actor, now))
}

fn write(
    tx: &WriteTx<'_>,
    section: SectionId,
    file: &Spreadsheet,
    note: &str,
    actor: &Actor,
    now: crate::clock::UnixTime,
) -> Result<Applied, CliError> {
    let plan = spreadsheet::plan(tx, section, file, now)?;
    let author = Author::Admin {
        name: actor.name.clone(),
    };
    let applied =
        spreadsheet::apply(tx, &author, &plan, note, now).map_err(|error| match error {
            RegisterError::Store(error) => CliError::Store(error),
            error => CliError::Register(error),
        })?;
    if applied != Applied::default() {
        let deed = Deed {
            action: "grades entered from a spreadsheet",
            object: &format!("section {}", section.0),
            details: &format!("{note}: {} grades", applied.grades),
        };
        audit::note(tx, actor, &deed, now)?;
    }
    Ok(applied)
}

impl From<SpreadsheetError> for CliError {
    fn from(error: SpreadsheetError) -> Self {
        match error {
            SpreadsheetError::Store(error) => Self::Store(error),
            error => Self::Spreadsheet(error),
        }
    }
}
