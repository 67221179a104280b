//! Lists, a page at a time.

use rusqlite::Row;
use rusqlite::types::ToSql;

use super::error::StoreError;
use super::transaction::ReadTx;

/// Rows on a page where nothing else is asked for.
pub const DEFAULT_PAGE: u32 = 100;

/// Rows on a page at most: a page is held in memory as a whole.
pub const MAX_PAGE: u32 = 1_000;

/// Which part of a list: the first `limit` rows whose number is greater than `after`.
///
/// Lists go by row number, so a page costs the same wherever it lies, and rows that come meanwhile
/// shift nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The number of the last row of the page before; `None` for the first page.
    pub after: Option<i64>,
    /// How many rows, at most [`MAX_PAGE`].
    pub limit: u32,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            after: None,
            limit: DEFAULT_PAGE,
        }
    }
}

impl Page {
    /// The page of the same size that follows the row numbered `last`.
    #[must_use]
    pub fn following(self, last: i64) -> Self {
        Self {
            after: Some(last),
            ..self
        }
    }
}

/// A list's conditions, put together from fixed texts and bound values.
pub(super) struct Conditions {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// `select` up to where a WHERE clause would begin; `id` is the column the list goes by.
    pub(super) fn new(select: &str, id: &str, page: Page) -> Self {
        Self::continued(select, Vec::new(), id, page)
    }

    /// [`Conditions::new`] for a `select` that binds `?1` to a value of its own.
    pub(super) fn with_first<V: ToSql + 'static>(
        select: &str,
        first: V,
        id: &str,
        page: Page,
    ) -> Self {
        Self::continued(select, vec![Box::new(first)], id, page)
    }

    fn continued(select: &str, mut values: Vec<Box<dyn ToSql>>, id: &str, page: Page) -> Self {
        values.push(Box::new(page.after.unwrap_or(0)));
        Self {
            sql: format!("{select} WHERE {id} > ?"),
            values,
        }
    }

    /// A condition that binds nothing.
    pub(super) fn plain(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self
    }

    /// A condition with one `?` in it, where there is a value for it.
    pub(super) fn with<V: ToSql + 'static>(&mut self, sql: &str, value: Option<V>) -> &mut Self {
        if let Some(value) = value {
            self.plain(sql);
            self.values.push(Box::new(value));
        }
        self
    }

    /// The page's rows.
    pub(super) fn list<T>(
        mut self,
        tx: &ReadTx<'_>,
        id: &str,
        page: Page,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.sql.push_str(" ORDER BY ");
        self.sql.push_str(id);
        self.sql.push_str(" LIMIT ?");
        self.values.push(Box::new(page.limit.min(MAX_PAGE)));
        tx.all(&self.sql, rusqlite::params_from_iter(&self.values), read)
    }
}
