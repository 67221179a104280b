//! A report as people read it: a title, facts, and tables. What makes text or a PDF of it knows no
//! report, and a report knows neither.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::standing::{Enrolled, Standing};
use super::{ReportPerson, ReportSection};
use crate::clock::UnixTime;
use crate::register::ONGOING;

/// How many digits behind the point people are shown. More are in the JSON.
const DECIMALS: usize = 2;

/// Where and when a report is given.
#[derive(Clone, Debug)]
pub struct Presentation {
    /// The name of the school or the site.
    pub site: String,
    /// The time zone that dates are shown in.
    pub zone: TimeZone,
    /// When it is given.
    pub printed_at: UnixTime,
}

/// A report as people read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// What it is.
    pub title: String,
    /// The school or the site.
    pub site: String,
    /// When it was given, for people.
    pub printed: String,
    /// When it was given.
    pub printed_at: UnixTime,
    /// What stands above the tables: what, and the value.
    pub facts: Vec<(&'static str, String)>,
    /// The tables.
    pub tables: Vec<SheetTable>,
}

/// A table of a sheet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SheetTable {
    /// What stands above it; may be empty.
    pub heading: String,
    /// Lines between heading and table.
    pub notes: Vec<String>,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, each with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
    /// The last row, set apart.
    pub total: Option<Vec<Cell>>,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// What stands at its head.
    pub name: &'static str,
    /// To which side its cells stand.
    pub align: Align,
    /// Its share of the page's width, relative to the others.
    pub share: f32,
}

/// To which side the cells of a column stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Words, which may come from another site.
    Text(String),
    /// A number as it is shown; what stands here was reckoned here.
    Number(String),
}

impl Presentation {
    /// The day of a moment, as 2026-07-01.
    #[must_use]
    pub fn date(&self, at: UnixTime) -> String {
        self.format(at, "%Y-%m-%d")
    }

    /// A moment to the minute with its time zone, as 2026-07-01 23:59 +02:00.
    #[must_use]
    pub fn moment(&self, at: UnixTime) -> String {
        self.format(at, "%Y-%m-%d %H:%M %:z")
    }

    fn format(&self, at: UnixTime, format: &str) -> String {
        match Timestamp::from_second(at.0) {
            Ok(timestamp) => timestamp
                .to_zoned_datetime(self.zone.clone())
                .strftime(format)
                .to_string(),
            Err(_) => at.to_string(),
        }
    }
}

impl Sheet {
    pub(super) fn new(title: &str, at: UnixTime, presentation: &Presentation) -> Self {
        Self {
            title: title.to_owned(),
            site: presentation.site.clone(),
            printed: presentation.moment(presentation.printed_at),
            printed_at: presentation.printed_at,
            facts: vec![("As of", presentation.moment(at))],
            tables: Vec::new(),
        }
    }

    pub(super) fn fact(&mut self, what: &'static str, value: impl Into<String>) {
        self.facts.push((what, value.into()));
    }

    pub(super) fn about_person(
        &mut self,
        person: &ReportPerson,
        school: Option<&Standing>,
        presentation: &Presentation,
    ) {
        self.fact("Name", person.name());
        if let Some(id) = &person.idnumber {
            self.fact("Id", id.as_str());
        }
        self.fact("Username", person.username.as_str());
        if let Some(standing) = school {
            self.fact("School", standing.line(presentation));
        }
    }
}

impl SheetTable {
    pub(super) fn new(heading: String) -> Self {
        Self {
            heading,
            ..Self::default()
        }
    }
}

impl Column {
    pub(super) const fn text(name: &'static str, share: f32) -> Self {
        Self {
            name,
            align: Align::Left,
            share,
        }
    }

    pub(super) const fn number(name: &'static str, share: f32) -> Self {
        Self {
            name,
            align: Align::Right,
            share,
        }
    }
}

impl Cell {
    /// The text to show.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Empty => "",
            Self::Text(text) | Self::Number(text) => text,
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn some_text(text: Option<&str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    pub(super) fn truth(truth: bool) -> Self {
        Self::text(if truth { "yes" } else { "no" })
    }

    pub(super) fn whole(number: Option<i64>) -> Self {
        number.map_or(Self::Empty, |number| Self::Number(number.to_string()))
    }

    pub(super) fn points(points: Option<f64>) -> Self {
        points.map_or(Self::Empty, |points| Self::Number(decimal(points)))
    }

    pub(super) fn percent(percent: Option<f64>) -> Self {
        Self::points(percent)
    }
}

impl Standing {
    pub(super) fn line(&self, presentation: &Presentation) -> String {
        let mut line = format!(
            "{} since {}",
            self.status.title,
            presentation.date(self.since)
        );
        if let Some(note) = &self.note {
            line.push_str(": ");
            line.push_str(note);
        }
        line
    }
}

impl Enrolled {
    pub(super) fn line(&self, presentation: &Presentation) -> String {
        format!("Status: {}", self.standing.line(presentation))
    }
}

impl ReportPerson {
    /// What says in a spreadsheet who it is: id, username, first and last name.
    pub(super) fn csv_cells(&self) -> Vec<Cell> {
        vec![
            Cell::some_text(self.idnumber.as_deref()),
            Cell::text(&self.username),
            Cell::text(&self.firstname),
            Cell::text(&self.lastname),
        ]
    }
}

impl ReportSection {
    /// The name with the terms, or “ongoing”.
    pub(super) fn heading(&self) -> String {
        if self.segments.is_empty() {
            format!("{} ({ONGOING})", self.name)
        } else {
            format!("{} ({})", self.name, self.segments.join(", "))
        }
    }
}

/// A number with as many digits behind the point as it needs, and no more than [`DECIMALS`].
fn decimal(number: f64) -> String {
    let rounded = format!("{number:.DECIMALS$}");
    let short = rounded.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0" } else { short }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_long_as_they_need() {
        let shown = [7.0, 7.5, 200.0 / 3.0, 100.0, 0.0, -0.001, -2.5].map(decimal);
        assert_eq!(shown, ["7", "7.5", "66.67", "100", "0", "0", "-2.5"]);
    }
}
