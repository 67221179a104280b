//! Lists as a table for people, as JSON or CSV for programs.

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::ProgressStyle;
use nix::unistd::{Uid, User};
use serde::Serialize;
use serde_json::Value;

use super::CliError;
use super::site::Site;
use crate::clock::UnixTime;
use crate::register::spreadsheet::harmless;
use crate::store::audit::{self, Actor, Deed};
use crate::store::{StoreError, WriteTx};

/// Prints a line as `println!` does, but a reader that has seen enough (`head`) is no error, and a full
/// disk is one that is told.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::output::write(format_args!("{}\n", format_args!($($text)*)))?
    };
}
pub(super) use say;

/// Writes to the terminal, or wherever the output goes.
pub fn write(text: std::fmt::Arguments<'_>) -> Result<(), CliError> {
    told(io::stdout().write_fmt(text))
}

/// The outcome of printing; who stopped reading is content.
pub fn told(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(CliError::Output),
    }
}

/// Who runs this command, for the audit log: the user the system knows. Whom sudo names is added, but
/// anybody can write that into the environment.
pub fn actor() -> Actor {
    let id = Uid::current();
    let user = User::from_uid(id).ok().flatten();
    let name = user.map_or_else(|| format!("uid {id}"), |user| user.name);
    let sudo = std::env::var("SUDO_USER").ok();
    Actor {
        name: match sudo.filter(|sudo| !sudo.is_empty() && *sudo != name) {
            Some(sudo) => format!("{name} (sudo: {})", printable(&sudo)),
            None => name,
        },
        origin: "command line".to_owned(),
    }
}

/// Notes what this command did, in a transaction of its own: for what is done to files or by way of
/// other sites, and for what another transaction has done.
pub fn note(site: &Site, action: &str, object: &str, details: &str) -> Result<(), CliError> {
    let (action, object, details) = (action.to_owned(), object.to_owned(), details.to_owned());
    let now = site.clock.now();
    site.store
        .write_blocking(move |tx| note_in(tx, &action, &object, &details, now))?;
    Ok(())
}

/// [`note`] in the transaction that does it.
pub fn note_in(
    tx: &WriteTx<'_>,
    action: &str,
    object: &str,
    details: &str,
    now: UnixTime,
) -> Result<(), StoreError> {
    let deed = Deed {
        action,
        object,
        details,
    };
    audit::note(tx, &actor(), &deed, now)
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON array.
    Json,
    /// One line a row, a header first.
    Csv,
}

/// Prints rows; `columns` are the names of the members that table and CSV show, in order, while JSON
/// has every member.
pub fn print<T: Serialize>(format: Format, columns: &[&str], rows: &[T]) -> Result<(), CliError> {
    let rows = rows
        .iter()
        .map(serde_json::to_value)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| CliError::Output(error.into()))?;
    let written = match format {
        Format::Json => print_json(&rows),
        Format::Csv => write_csv(io::stdout().lock(), columns, &rows),
        Format::Table => print_table(columns, &rows),
    };
    told(written)
}

fn print_json(rows: &[Value]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, rows)?;
    writeln!(out)
}

/// Names come from other sites: none becomes a formula in a spreadsheet. Numbers are left alone.
fn write_csv(out: impl Write, columns: &[&str], rows: &[Value]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(columns.iter().map(|column| {
            let value = member(row, column);
            let text = cell(value);
            match value {
                Some(Value::Number(_)) => text,
                _ => harmless(&text).into_owned(),
            }
        }))?;
    }
    writer.flush()
}

fn print_table(columns: &[&str], rows: &[Value]) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(io::stdout(), "none");
    }
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(columns);
    for row in rows {
        // Names come from other sites: what could drive a terminal is taken out.
        table.add_row(
            columns
                .iter()
                .map(|column| printable(&cell(member(row, column)))),
        );
    }
    for line in table.lines() {
        writeln!(io::stdout(), "{}", line.trim_end())?;
    }
    Ok(())
}

/// The member a column names; `status.title` is the title inside the status.
fn member<'a>(row: &'a Value, column: &str) -> Option<&'a Value> {
    column
        .split('.')
        .try_fold(row, |value, name| value.get(name))
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(truth)) => if *truth { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| cell(Some(item)))
            .collect::<Vec<_>>()
            .join(", "),
        Some(other) => other.to_string(),
    }
}

/// How a bar looks while something known to have an end goes on.
pub fn progress_style() -> ProgressStyle {
    ProgressStyle::with_template("{wide_bar} {percent:>3} %, {eta} to go")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// Text for a terminal: control characters as spaces.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by a panic
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_for_people() {
        assert_eq!(cell(Some(&json!(true))), "yes");
        assert_eq!(cell(Some(&json!(["a", 1]))), "a, 1");
        assert_eq!(cell(Some(&Value::Null)), "");
        assert_eq!(printable("a\u{1b}[31mb\nc"), "a [31mb c");
    }

    #[test]
    fn no_cell_of_a_csv_is_a_formula() {
        let row = json!({"name": "=1+1", "list": ["@a", "b"], "number": -2, "plain": "a=1"});
        let mut out = Vec::new();
        write_csv(&mut out, &["name", "list", "number", "plain"], &[row]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "name,list,number,plain\n'=1+1,\"'@a, b\",-2,a=1\n");
    }
}
