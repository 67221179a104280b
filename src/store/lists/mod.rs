//! Lists as people read them: in the order of names, searched, and turned a page at a time both ways.
//!
//! [`super::people::list`] and its like go by row number, which suits a program that reads everything. Here each list is a
//! walk along an index that has all that decides whether a row is on the page; the rows themselves are read for the page
//! alone. So a page costs the same wherever it lies, and one that finds nothing costs one reading of that index.
//!
//! Where a page begins is said by a row: its number is all that has to stand in a link. Rows that come and go meanwhile
//! shift nothing.

mod counts;
mod gradebook;
mod members;
mod of_person;
mod people;
mod sections;

use rusqlite::types::ToSql;

use super::error::StoreError;
use super::page::MAX_PAGE;
use super::transaction::ReadTx;
use crate::clock::UnixTime;

pub use counts::{Counts, SegmentCount, SegmentCounts, counts, people_of_peers, segments};
pub use gradebook::{
    BANDS, Cell, Distribution, GradebookPage, GradebookStudent, distribution, gradebook,
};
pub use members::{Member, MemberFilter, SectionTeacher, members, teachers};
pub use of_person::{
    GivenSection, PersonGrade, PersonSection, grades_of_person, sections_given_to,
    sections_of_person,
};
pub use people::{PeopleQuery, PersonRow, people};
pub use sections::{SectionQuery, SectionRow, sections};

/// Rows on a page of the console, unless it asks for another number.
pub const ROWS: u32 = 50;

/// Which page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn<Id> {
    /// The first.
    First,
    /// The last.
    Last,
    /// The one that follows this row, which need not be in the list any more.
    After(Id),
    /// The one that ends before this row.
    Before(Id),
}

/// A page of a list, in the list's order.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Whether there are rows before these. After turning on from a row it counts as being there.
    pub earlier: bool,
    /// Whether there are rows behind these. After turning back from a row it counts as being there.
    pub later: bool,
}

impl<T> Slice<T> {
    fn map<U>(
        self,
        rows: impl FnOnce(Vec<T>) -> Result<Vec<U>, StoreError>,
    ) -> Result<Slice<U>, StoreError> {
        Ok(Slice {
            rows: rows(self.rows)?,
            earlier: self.earlier,
            later: self.later,
        })
    }
}

/// A list's order, and the conditions that a row has to meet to be in it.
struct Walk {
    /// The column with the name, and the one with the number that parts equal names.
    name: &'static str,
    id: &'static str,
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Walk {
    /// `from` is the FROM clause; it and the conditions may use `?1`, which is `now`, and what is bound next as `?2`.
    fn new(name: &'static str, id: &'static str, from: &str, now: UnixTime) -> Self {
        Self {
            name,
            id,
            sql: format!("SELECT {id} FROM {from} WHERE 1"),
            values: vec![Box::new(now)],
        }
    }

    /// A condition that binds nothing.
    fn plain(&mut self, condition: &str) -> &mut Self {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self
    }

    /// A condition with one `??` in it, where there is a value for it.
    fn with<V: ToSql + 'static>(&mut self, condition: &str, value: Option<V>) -> &mut Self {
        if let Some(value) = value {
            let bound = self.bind(value);
            self.plain(&condition.replacen("??", &bound, 1));
        }
        self
    }

    /// Binds a value; how the statement calls it. By number, for `?1` need not be used.
    fn bind<V: ToSql + 'static>(&mut self, value: V) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }

    /// Only rows whose `column` has every word of `search`.
    fn search(&mut self, column: &str, search: Option<&str>) -> &mut Self {
        for word in search.map(super::names::words).unwrap_or_default() {
            self.with(&format!("instr({column}, ??) > 0"), Some(word));
        }
        self
    }

    /// The numbers of the rows on the page. `anchor` is the name in the row that `turn` speaks of, `None` where there is no
    /// such row: then the list begins, or ends, where it does.
    fn page(
        mut self,
        tx: &ReadTx<'_>,
        turn: Turn<i64>,
        anchor: Option<String>,
        limit: u32,
    ) -> Result<Slice<i64>, StoreError> {
        let (back, from) = match turn {
            Turn::First => (false, None),
            Turn::Last => (true, None),
            Turn::After(id) => (false, anchor.map(|name| (name, id))),
            Turn::Before(id) => (true, anchor.map(|name| (name, id))),
        };
        let (beyond, order) = if back { ("<", "DESC") } else { (">", "ASC") };
        let turned = from.is_some();
        let Self { name, id, .. } = self;
        if let Some((anchor, number)) = from {
            let (anchor, number) = (self.bind(anchor), self.bind(number));
            self.plain(&format!("({name}, {id}) {beyond} ({anchor}, {number})"));
        }
        let limit = limit.clamp(1, MAX_PAGE);
        let most = self.bind(limit + 1);
        let sql = format!(
            "{} ORDER BY {name} {order}, {id} {order} LIMIT {most}",
            self.sql
        );
        let mut rows = tx.all(&sql, rusqlite::params_from_iter(&self.values), |row| {
            row.get::<_, i64>(0)
        })?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        if back {
            rows.reverse();
        }
        Ok(Slice {
            rows,
            earlier: if back { more } else { turned },
            later: if back { turned } else { more },
        })
    }
}

/// Row numbers as the JSON array that `json_each` takes apart.
fn numbers(ids: &[i64]) -> String {
    serde_json::Value::from(ids).to_string()
}
