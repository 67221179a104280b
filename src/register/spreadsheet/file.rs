//! The file by itself.

use std::collections::HashMap;

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::SpreadsheetError;
use crate::register::fields::{MAX_NAME, shown};
use crate::register::typed_number;

/// The most bytes of a file: a thousand students and a hundred assessments have about one mebibyte.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The most lines of students: no section has more.
pub const MAX_LINES: usize = 5_000;

/// The most columns.
pub const MAX_COLUMNS: usize = 300;

/// What the line below the header begins with that has the most points of each assessment.
const OUT_OF: &str = "out of";

/// How a workbook begins: a ZIP archive (those of today), or a compound file (old Excel).
const WORKBOOKS: [&[u8]; 2] = [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];

/// A file taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Spreadsheet {
    /// The columns with assessments.
    pub(super) columns: Vec<FileColumn>,
    /// The lines with students.
    pub(super) lines: Vec<FileLine>,
}

/// A column with an assessment.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FileColumn {
    /// Its place in the file, from 0.
    pub(super) place: usize,
    /// What stands in the header.
    pub(super) header: String,
    /// The most points, where a line of their own gives them.
    pub(super) out_of: Option<f64>,
}

/// A line with a student.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FileLine {
    /// Its number in the file, from 1.
    pub(super) number: u64,
    /// The id number; empty: not said.
    pub(super) idnumber: String,
    /// The username; empty: not said.
    pub(super) username: String,
    /// The other cells that say who it is.
    pub(super) names: String,
    /// What stands in the columns, each by its index in [`Spreadsheet::columns`]; without the empty ones.
    pub(super) cells: Vec<(usize, String)>,
    /// What stands behind the last column.
    pub(super) beyond: Option<String>,
}

/// What a column of the header is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    IdNumber,
    Username,
    /// Says who it is, and is not looked at.
    Name,
    Assessment,
    /// Has no header.
    Nameless,
}

impl Spreadsheet {
    /// Takes a file apart.
    ///
    /// # Errors
    /// Where it is too long, no CSV, or its header says too little.
    pub fn read(bytes: &[u8]) -> Result<Self, SpreadsheetError> {
        if bytes.len() > MAX_BYTES {
            return Err(SpreadsheetError::TooLong(bytes.len()));
        }
        let text = decode(bytes)?;
        let mut records = records(&text)?.into_iter();
        let (_, header) = records.next().ok_or(SpreadsheetError::Empty)?;
        if header.len() > MAX_COLUMNS {
            return Err(SpreadsheetError::TooManyColumns(header.len()));
        }
        let kinds: Vec<Kind> = header.iter().map(|name| kind(name)).collect();
        if !kinds.contains(&Kind::IdNumber) && !kinds.contains(&Kind::Username) {
            let line = text.lines().next().unwrap_or_default();
            return Err(SpreadsheetError::NoStudents(shown(line)));
        }
        check_headers(&header, &kinds)?;
        let mut records = records.peekable();
        let out_of = records.next_if(|(_, record)| is_out_of(record, &kinds));
        let columns = columns(&header, &kinds, out_of.as_ref().map(|(_, record)| record))?;
        let lines: Vec<FileLine> = records
            .filter(|(_, record)| record.iter().any(|cell| !cell.is_empty()))
            .take(MAX_LINES + 1)
            .map(|(number, record)| line(number, &record, &kinds))
            .collect();
        if lines.len() > MAX_LINES {
            return Err(SpreadsheetError::TooManyLines);
        }
        Ok(Self { columns, lines })
    }
}

/// UTF-8, with a byte order mark or not; UTF-16 with one; else Windows-1252, as Excel writes in the west.
/// Every line then ends with a line feed.
fn decode(bytes: &[u8]) -> Result<String, SpreadsheetError> {
    if WORKBOOKS.iter().any(|start| bytes.starts_with(start)) {
        return Err(SpreadsheetError::Workbook);
    }
    let text = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding.decode(bytes).0,
        None => match UTF_8.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(text) => text,
            None => WINDOWS_1252.decode_without_bom_handling(bytes).0,
        },
    };
    if text.contains('\0') {
        return Err(SpreadsheetError::NoText);
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

/// The lines with their numbers; every cell without the space round it, and without the apostrophe that
/// keeps a spreadsheet from taking it for a formula. Lines end with a line feed.
fn records(text: &str) -> Result<Vec<(u64, Vec<String>)>, SpreadsheetError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter(text))
        .from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        // Text in memory, of any number of fields: nothing is left that can fail.
        let record = record.map_err(|_| SpreadsheetError::NoText)?;
        let number = record
            .position()
            .map_or(0, |before| line_number(text, before));
        records.push((number, record.iter().map(cell).collect()));
        // Some are blank, one is the header, one may be the most points.
        if records.len() > 2 * MAX_LINES {
            return Err(SpreadsheetError::TooManyLines);
        }
    }
    Ok(records)
}

/// The number of the line that a record begins in: the position is before the blank lines above it.
fn line_number(text: &str, before: &csv::Position) -> u64 {
    let rest = usize::try_from(before.byte())
        .ok()
        .and_then(|byte| text.get(byte..))
        .unwrap_or_default();
    let blank = rest.bytes().take_while(|byte| *byte == b'\n').count();
    before.line() + blank as u64
}

fn cell(text: &str) -> String {
    let text = text.trim();
    let bare = text
        .strip_prefix('\'')
        .filter(|bare| bare.starts_with(['=', '+', '-', '@']));
    bare.unwrap_or(text).to_owned()
}

/// What stands most often between the columns of the first line.
fn delimiter(text: &str) -> u8 {
    let mut counts: HashMap<u8, usize> = HashMap::new();
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            b',' | b';' | b'\t' if !quoted => *counts.entry(byte).or_default() += 1,
            _ => {}
        }
    }
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|candidate| counts.get(candidate).copied().unwrap_or_default())
        .unwrap_or(b',')
}

fn kind(header: &str) -> Kind {
    let plain: String = header
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    match plain.as_str() {
        "" if header.is_empty() => Kind::Nameless,
        "id" | "idnumber" | "userid" | "studentid" | "studentnumber" => Kind::IdNumber,
        "username" | "user" | "login" => Kind::Username,
        "name" | "fullname" | "firstname" | "forename" | "givenname" | "lastname" | "surname"
        | "familyname" | "email" | "emailaddress" => Kind::Name,
        _ => Kind::Assessment,
    }
}

fn check_headers(header: &[String], kinds: &[Kind]) -> Result<(), SpreadsheetError> {
    if !kinds.contains(&Kind::Assessment) {
        return Err(SpreadsheetError::NoAssessments);
    }
    let mut seen: HashMap<(Kind, String), usize> = HashMap::new();
    for (place, (name, kind)) in header.iter().zip(kinds).enumerate() {
        let key = match kind {
            Kind::Nameless | Kind::Name => continue,
            Kind::IdNumber | Kind::Username => (*kind, String::new()),
            Kind::Assessment => (*kind, name.to_lowercase()),
        };
        if let Some(first) = seen.insert(key, place) {
            return Err(SpreadsheetError::TwoColumns {
                name: shown(name),
                first: first + 1,
                second: place + 1,
            });
        }
    }
    Ok(())
}

fn is_out_of(record: &[String], kinds: &[Kind]) -> bool {
    record
        .iter()
        .zip(kinds)
        .any(|(cell, kind)| *kind != Kind::Assessment && cell.eq_ignore_ascii_case(OUT_OF))
}

fn columns(
    header: &[String],
    kinds: &[Kind],
    out_of: Option<&Vec<String>>,
) -> Result<Vec<FileColumn>, SpreadsheetError> {
    let of_assessments = header.iter().zip(kinds).enumerate();
    of_assessments
        .filter(|(_, (_, kind))| **kind == Kind::Assessment)
        .map(|(place, (name, _))| {
            if name.chars().count() > MAX_NAME {
                return Err(SpreadsheetError::LongName { column: place + 1 });
            }
            let text = out_of.and_then(|record| record.get(place));
            let out_of = match text.map(String::as_str).unwrap_or_default() {
                "" => None,
                text => Some(most_points(text).ok_or_else(|| SpreadsheetError::Points {
                    column: place + 1,
                    name: shown(name),
                    found: shown(text),
                })?),
            };
            Ok(FileColumn {
                place,
                header: name.clone(),
                out_of,
            })
        })
        .collect()
}

/// The most points of an assessment, as they stand in a header or below it.
pub(super) fn most_points(text: &str) -> Option<f64> {
    typed_number("points", text)
        .ok()
        .filter(|points| (0.0..=crate::register::MAX_POINTS).contains(points))
}

fn line(number: u64, record: &[String], kinds: &[Kind]) -> FileLine {
    let mut line = FileLine {
        number,
        idnumber: String::new(),
        username: String::new(),
        names: String::new(),
        cells: Vec::new(),
        beyond: None,
    };
    let mut column = 0;
    for (cell, kind) in record.iter().zip(kinds) {
        match kind {
            Kind::IdNumber => line.idnumber.clone_from(cell),
            Kind::Username => line.username.clone_from(cell),
            Kind::Name => {
                line.names.push_str(cell);
                line.names.push(' ');
            }
            Kind::Assessment => {
                if !cell.is_empty() {
                    line.cells.push((column, cell.clone()));
                }
                column += 1;
            }
            Kind::Nameless if cell.is_empty() => {}
            Kind::Nameless => line.beyond = Some(cell.clone()),
        }
    }
    let rest = record.get(kinds.len()..).unwrap_or_default();
    if let Some(cell) = rest.iter().find(|cell| !cell.is_empty()) {
        line.beyond = Some(cell.clone());
    }
    line
}
