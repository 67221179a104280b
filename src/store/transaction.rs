//! A transaction, as the families of tables and the rules above them see it.

use std::ops::Deref;

use rusqlite::{Connection, Params, Row};

use super::error::StoreError;

/// One moment of the database, for reading.
pub struct ReadTx<'c> {
    conn: &'c Connection,
}

/// A transaction that may change the database. It reads as well: it is a [`ReadTx`].
pub struct WriteTx<'c> {
    read: ReadTx<'c>,
}

impl<'c> ReadTx<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self { conn }
    }

    /// The only row that `sql` finds, or none.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        match rows.next()? {
            Some(row) => Ok(Some(read(row)?)),
            None => Ok(None),
        }
    }

    /// Every row that `sql` finds.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let rows = statement.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl<'c> WriteTx<'c> {
    pub(super) fn new(conn: &'c Connection) -> Self {
        Self {
            read: ReadTx::new(conn),
        }
    }

    /// Runs `work` so that where it fails, only what it did is undone. May be nested.
    ///
    /// # Errors
    /// The error of `work`, or a [`StoreError`] where the savepoint could not be set or released.
    pub fn savepoint<T, E>(&self, work: impl FnOnce(&Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<StoreError>,
    {
        // Savepoints of one name nest: the latest is meant.
        self.execute("SAVEPOINT step", [])?;
        let result = work(self);
        if result.is_err() {
            self.execute("ROLLBACK TO step", [])?;
        }
        self.execute("RELEASE step", [])?;
        result
    }

    /// Runs a statement that returns no rows; how many it changed.
    pub(super) fn execute(&self, sql: &str, params: impl Params) -> Result<usize, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }

    /// Runs an INSERT; the number of the new row.
    pub(super) fn insert(&self, sql: &str, params: impl Params) -> Result<i64, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.insert(params)?)
    }
}

impl<'c> Deref for WriteTx<'c> {
    type Target = ReadTx<'c>;

    fn deref(&self) -> &Self::Target {
        &self.read
    }
}
