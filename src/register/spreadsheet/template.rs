//! The file to fill in.

use std::borrow::Cow;

use super::SpreadsheetError;
use super::plan::{Student, read_section};
use crate::clock::UnixTime;
use crate::store::{ReadTx, SectionId};

/// What makes a spreadsheet take a cell for a formula (OWASP, CSV injection).
pub const FORMULA_STARTS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A spreadsheet for a section: its students, and an empty column for each assessment that a name tells
/// apart. UTF-8 with a byte order mark, by which spreadsheet programs know it.
///
/// # Errors
/// When the database cannot be read.
pub fn template(
    tx: &ReadTx<'_>,
    section: SectionId,
    now: UnixTime,
) -> Result<Vec<u8>, SpreadsheetError> {
    let known = read_section(tx, section, now)?;
    let columns: Vec<String> = known
        .assessments
        .iter()
        .map(|assessment| match assessment.fields.pointval {
            Some(points) => format!("{} ({points})", assessment.fields.name),
            None => assessment.fields.name.clone(),
        })
        .filter(|header| known.called(header).len() == 1)
        .collect();
    let mut writer = csv::Writer::from_writer("\u{feff}".as_bytes().to_vec());
    let names = ["ID number", "Username", "First name", "Last name"].map(str::to_owned);
    let header = names.into_iter().chain(columns.iter().cloned());
    // Written to memory: nothing is left that can fail.
    let written = writer
        .write_record(header.map(|cell| harmless(&cell).into_owned()))
        .and_then(|()| {
            let mut lines = known.students.iter();
            lines.try_for_each(|student| writer.write_record(line(student, columns.len())))
        });
    written.map_err(|_| SpreadsheetError::NoText)?;
    writer.into_inner().map_err(|_| SpreadsheetError::NoText)
}

fn line(student: &Student, columns: usize) -> Vec<String> {
    let who = [
        student.idnumber.as_deref().unwrap_or_default(),
        &student.username,
        &student.firstname,
        &student.lastname,
    ];
    let mut line: Vec<String> = who
        .into_iter()
        .map(|cell| harmless(cell).into_owned())
        .collect();
    line.resize(line.len() + columns, String::new());
    line
}

/// A text as a cell that no spreadsheet takes for a formula: with an apostrophe in front where it would.
#[must_use]
pub fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}
