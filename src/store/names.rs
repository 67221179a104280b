//! Names as lists are ordered and searched by: in small letters, and without accents.
//!
//! `SQLite` folds ASCII alone, so folded text is kept beside the names. Whatever writes a name writes it too; rows from
//! before there was such text get it when the database is opened.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use rusqlite::{Connection, params};

use super::error::StoreError;

/// Comes before every other character in a name, so that "Li Wei" stands before "Lia Ada".
const BETWEEN_NAMES: char = '\u{1}';

/// Words of a search that are looked for; what is beyond them narrows nothing.
pub const MAX_SEARCH_WORDS: usize = 8;

/// The accents of Latin, Greek and Cyrillic letters: Unicode's block Combining Diacritical Marks. The marks of other scripts
/// make other letters and stay.
const ACCENTS: std::ops::RangeInclusive<char> = '\u{300}'..='\u{36f}';

/// The folded text of a row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Folded {
    pub sort_name: String,
    pub search_text: String,
}

impl Folded {
    /// For a person: `others` are usernames, the e-mail address, the id.
    pub(super) fn person(firstname: &str, lastname: &str, others: &[&str]) -> Self {
        let sort_name = format!(
            "{}{BETWEEN_NAMES}{}",
            bare(&small(lastname)),
            bare(&small(firstname))
        );
        Self {
            sort_name,
            search_text: searchable([firstname, lastname].iter().chain(others)),
        }
    }

    pub(super) fn section(name: &str, idnumber: Option<&str>) -> Self {
        Self {
            sort_name: bare(&small(name)),
            search_text: searchable([name].iter().chain(idnumber.as_slice())),
        }
    }
}

/// What a list goes by where people are put in the order of their names: last name, then first, without case
/// and accents.
#[must_use]
pub fn order_of(firstname: &str, lastname: &str) -> String {
    Folded::person(firstname, lastname, &[]).sort_name
}

/// What to look for in `search_text`: a row is found where it has every word. The longest comes first, for the fewest rows
/// have it, and the others need not be looked for in the rest.
pub(super) fn words(search: &str) -> Vec<String> {
    let words = search.split_whitespace().take(MAX_SEARCH_WORDS);
    let mut words: Vec<String> = words.map(small).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

/// Folds the names of rows that have no folded text yet.
pub(super) fn complete(conn: &mut Connection) -> Result<(), StoreError> {
    let waiting: bool = conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM person WHERE sort_name IS NULL) \
         OR EXISTS (SELECT 1 FROM section WHERE sort_name IS NULL)",
        [],
        |row| row.get(0),
    )?;
    if !waiting {
        return Ok(());
    }
    let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    complete_people(&transaction)?;
    complete_sections(&transaction)?;
    Ok(transaction.commit()?)
}

fn complete_people(conn: &Connection) -> Result<(), StoreError> {
    let mut set =
        conn.prepare("UPDATE person SET sort_name = ?2, search_text = ?3 WHERE id = ?1")?;
    // By number, for a row that is changed leaves the ones with NULL.
    let mut after = 0_i64;
    let mut next = conn.prepare(
        "SELECT id, firstname, lastname, username, sent_username, email, ifnull(idnumber, '') \
         FROM person WHERE id > ?1 AND +sort_name IS NULL ORDER BY id LIMIT 1000",
    )?;
    loop {
        let rows = next
            .query_map([after], |row| {
                let text = |column| row.get::<_, String>(column);
                let others = [text(3)?, text(4)?, text(5)?, text(6)?];
                let others: Vec<&str> = others.iter().map(String::as_str).collect();
                Ok((
                    row.get::<_, i64>(0)?,
                    Folded::person(&text(1)?, &text(2)?, &others),
                ))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        for (id, folded) in &rows {
            set.execute(params![id, folded.sort_name, folded.search_text])?;
            after = *id;
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

fn complete_sections(conn: &Connection) -> Result<(), StoreError> {
    let mut set =
        conn.prepare("UPDATE section SET sort_name = ?2, search_text = ?3 WHERE id = ?1")?;
    let mut after = 0_i64;
    let mut next = conn.prepare(
        "SELECT id, name, idnumber FROM section WHERE id > ?1 AND +sort_name IS NULL \
         ORDER BY id LIMIT 1000",
    )?;
    loop {
        let rows = next
            .query_map([after], |row| {
                let idnumber: Option<String> = row.get(2)?;
                let name: String = row.get(1)?;
                let folded = Folded::section(&name, idnumber.as_deref());
                Ok((row.get::<_, i64>(0)?, folded))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        for (id, folded) in &rows {
            set.execute(params![id, folded.sort_name, folded.search_text])?;
            after = *id;
        }
        if rows.is_empty() {
            return Ok(());
        }
    }
}

/// A line for each text; those with accents once more without them, so that "nunez" finds "Núñez", and "Ñ" no N.
fn searchable<'t>(texts: impl Iterator<Item = &'t &'t str>) -> String {
    let mut lines: Vec<String> = Vec::new();
    for text in texts.filter(|text| !text.is_empty()) {
        let folded = small(text);
        let bare = bare(&folded);
        for line in [folded, bare] {
            // Most usernames are sent as they are used here.
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    lines.join("\n")
}

/// In small letters, each written in the one way (NFC).
fn small(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(&text.to_lowercase())
        .into_owned()
}

/// Without accents.
fn bare(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let apart = DecomposingNormalizerBorrowed::new_nfd().normalize(text);
    let without: String = apart
        .chars()
        .filter(|letter| !ACCENTS.contains(letter))
        .collect();
    ComposingNormalizerBorrowed::new_nfc()
        .normalize(&without)
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_beyond_ascii() {
        let folded = Folded::person("Íñigo", "ØDEGÅRD", &["inigo", "inigo", ""]);
        assert_eq!(folded.sort_name, "ødegard\u{1}inigo");
        assert_eq!(folded.search_text, "íñigo\ninigo\nødegård\nødegard");
    }

    #[test]
    fn one_letter_has_one_way_to_be_written() {
        assert_eq!(small("N\u{303}"), small("Ñ"));
        assert_eq!(words("  Ñ  N\u{303}andu "), ["ñandu", "ñ"]);
    }

    #[test]
    fn marks_that_make_another_letter_stay() {
        assert_eq!(bare("が"), "が");
        assert_eq!(bare("김민준"), "김민준");
    }

    #[test]
    fn shorter_names_come_first() {
        let li = Folded::person("Wei", "Li", &[]);
        let lia = Folded::person("Ada", "Li A", &[]);
        assert!(li.sort_name < lia.sort_name);
    }

    #[test]
    fn rows_from_before_are_folded_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("mnetd.db");
        let mut conn = Connection::open(&path).unwrap();
        super::super::migrations::bring_up_to_date(&mut conn, &path).unwrap();
        conn.execute_batch(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) \
             INSERT INTO person (username, sent_username, firstname, lastname, email, created_at, \
             updated_at) SELECT 'u' || i, 'u' || i, 'Óla', 'Ñu' || i, '', 0, 0 FROM n; \
             INSERT INTO section (name, created_at, updated_at) VALUES ('Ñandú', 0, 0);",
        )
        .unwrap();
        complete(&mut conn).unwrap();
        let folded = |table: &str| -> (i64, String, String) {
            let sql =
                format!("SELECT count(sort_name), min(sort_name), min(search_text) FROM {table}");
            conn.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .unwrap()
        };
        let of_section = (1, "nandu".to_owned(), "ñandú\nnandu".to_owned());
        assert_eq!(folded("section"), of_section);
        let (count, first, _) = folded("person");
        assert_eq!((count, first.as_str()), (2_500, "nu1\u{1}ola"));
    }
}
