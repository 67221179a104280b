//! CSV that a spreadsheet opens without taking a name for a formula.

use std::borrow::Cow;
use std::io::{self, Write};

use super::sheet::Cell;
use crate::register::spreadsheet::harmless;

/// A line of a report's CSV.
pub type CsvRow = Vec<Cell>;

/// Writes a header and rows as CSV (RFC 4180, but with bare line feeds), in UTF-8.
///
/// A text that a spreadsheet would take for a formula gets an apostrophe in front; numbers are left
/// alone.
///
/// # Errors
/// When `out` cannot be written to.
pub(super) fn write(out: impl Write, columns: &[&str], rows: &[CsvRow]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(row.iter().map(|cell| written(cell).into_owned()))?;
    }
    writer.flush()
}

fn written(cell: &Cell) -> Cow<'_, str> {
    match cell {
        Cell::Text(text) => harmless(text),
        cell => Cow::Borrowed(cell.as_str()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test fails by a panic
mod tests {
    use super::*;
    use crate::register::spreadsheet::FORMULA_STARTS;

    #[test]
    fn a_text_is_never_a_formula() {
        for start in FORMULA_STARTS {
            let text = format!("{start}1+1");
            assert_eq!(written(&Cell::text(&text)), format!("'{text}"));
        }
        assert_eq!(written(&Cell::text("a=1")), "a=1");
        assert_eq!(written(&Cell::points(Some(-2.5))), "-2.5");
    }

    #[test]
    fn what_csv_needs_quoted_is_quoted() {
        let mut out = Vec::new();
        let row = vec![Cell::text("a\"b,c\nd"), Cell::Empty];
        write(&mut out, &["x", "y"], &[row]).unwrap();
        assert_eq!(out, b"x,y\n\"a\"\"b,c\nd\",\n");
    }
}
