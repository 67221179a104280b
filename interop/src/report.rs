//! The table at the end.

use std::time::Duration;

use comfy_table::{ContentArrangement, Table, TableStyle, presets};

use serde_json::{Value as Json, json};

use crate::case::{Figure, Outcome};
use crate::failure::Failure;

/// How one case ended.
#[derive(Debug)]
pub struct Ended {
    /// Its name.
    pub name: &'static str,
    /// What came of it.
    pub result: Result<Outcome, Failure>,
    /// How long it took.
    pub took: Duration,
}

/// How a run ended.
#[derive(Debug, Default)]
pub struct Report {
    /// Its cases, in order.
    pub cases: Vec<Ended>,
}

impl Report {
    /// Whether any case failed.
    #[must_use]
    pub fn anything_failed(&self) -> bool {
        self.cases.iter().any(|case| case.result.is_err())
    }

    /// The table for a terminal.
    #[must_use]
    pub fn table(&self) -> String {
        self.drawn(presets::UTF8_FULL_CONDENSED)
    }

    /// The table as Markdown.
    #[must_use]
    pub fn markdown(&self) -> String {
        self.drawn(presets::ASCII_MARKDOWN)
    }

    /// How many held, failed and were skipped, in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let count =
            |wanted: fn(&Ended) -> bool| self.cases.iter().filter(|case| wanted(case)).count();
        let failed = count(|case| case.result.is_err());
        let skipped = count(|case| matches!(case.result, Ok(Outcome::Skipped(_))));
        let passed = self.cases.len() - failed - skipped;
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }

    /// Everything for programs: the versions, and for each case how it ended, with its figures.
    #[must_use]
    pub fn json(&self, versions: &[String]) -> Json {
        let cases: Vec<Json> = self.cases.iter().map(Ended::json).collect();
        json!({"versions": versions, "cases": cases})
    }

    fn drawn(&self, style: TableStyle) -> String {
        let mut table = Table::new();
        table
            .load_style(style)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(["case", "result", "time", "note"]);
        for case in &self.cases {
            let (result, note) = case.told();
            let note = beginning(&note);
            table.add_row([case.name, result, &seconds(case.took), &note]);
        }
        table.to_string()
    }
}

impl Ended {
    fn json(&self) -> Json {
        let (result, note) = self.told();
        let figures: &[Figure] = match &self.result {
            Ok(Outcome::Measured(figures)) => figures,
            _ => &[],
        };
        json!({
            "case": self.name,
            "result": result.to_lowercase(),
            "seconds": self.took.as_secs_f64(),
            "note": note,
            "measured": figures,
        })
    }

    /// The result in a word, and what there is to add.
    #[must_use]
    pub fn told(&self) -> (&'static str, String) {
        match &self.result {
            Ok(Outcome::Held) => ("pass", String::new()),
            Ok(Outcome::HeldWith(note)) => ("pass", one_line(note)),
            Ok(Outcome::Measured(figures)) => {
                let figures: Vec<String> = figures.iter().map(Figure::to_string).collect();
                ("pass", one_line(&figures.join(", ")))
            }
            Ok(Outcome::Skipped(why)) => ("skipped", one_line(why)),
            Err(failure) => ("FAIL", one_line(&failure.to_string())),
        }
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "/")
}

/// As much of a note as a table can bear; the whole of it was printed where the case ended.
fn beginning(note: &str) -> String {
    const WIDTH: usize = 100;
    match note.char_indices().nth(WIDTH) {
        None => note.to_owned(),
        Some((cut, _)) => format!("{}…", &note[..cut]),
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let case = |name, result| Ended {
            name,
            result,
            took: Duration::from_millis(1_250),
        };
        Report {
            cases: vec![
                case("a-holds", Ok(Outcome::Held)),
                case("b-holds", Ok(Outcome::HeldWith("2 | rows".to_owned()))),
                case(
                    "c-is-skipped",
                    Ok(Outcome::Skipped("no second Moodle".to_owned())),
                ),
                case("d-fails", Err(Failure::NoPort { first: 1, last: 2 })),
            ],
        }
    }

    #[test]
    fn the_table_tells_case_result_and_time() {
        let table = report().markdown();
        assert!(
            table.contains("| a-holds      | pass    | 1.2 s |"),
            "{table}"
        );
        assert!(table.contains("2 / rows"), "{table}");
        assert!(table.contains("| d-fails      | FAIL    |"), "{table}");
        assert!(table.lines().count() == 6, "{table}");
    }

    #[test]
    fn figures_are_told_to_people_and_programs() {
        let figures = vec![
            Figure::of("rate", 1234.567, "rows/s"),
            Figure::of("median", 41.25, "ms"),
            Figure::count("differences", 0),
        ];
        let ended = Ended {
            name: "a-measures",
            result: Ok(Outcome::Measured(figures)),
            took: Duration::from_secs(1),
        };
        let report = Report { cases: vec![ended] };
        let table = report.markdown();
        assert!(
            table.contains("rate 1235 rows/s, median 41.2 ms, differences 0"),
            "{table}"
        );
        let told = report.json(&["Moodle 4.5".to_owned()]);
        assert_eq!(told["cases"][0]["measured"][1]["value"], json!(41.25));
        assert_eq!(told["cases"][0]["result"], json!("pass"));
        assert_eq!(told["versions"], json!(["Moodle 4.5"]));
    }

    #[test]
    fn one_failure_is_enough() {
        let mut report = report();
        assert!(report.anything_failed());
        assert_eq!(report.summary(), "2 passed, 1 failed, 1 skipped");
        report.cases.pop();
        assert!(!report.anything_failed());
    }
}
