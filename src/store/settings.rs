//! Settings that change while the server runs.

use rusqlite::params;

use super::error::StoreError;
use super::transaction::{ReadTx, WriteTx};

/// The value of a setting; `None` where it was never set.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, key: &str) -> Result<Option<String>, StoreError> {
    tx.one("SELECT value FROM setting WHERE key = ?1", [key], |row| {
        row.get(0)
    })
}

/// Sets a setting.
///
/// # Errors
/// When the database cannot be written.
pub fn set(tx: &WriteTx<'_>, key: &str, value: &str) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO setting (key, value) VALUES (?1, ?2) \
         ON CONFLICT DO UPDATE SET value = excluded.value",
        params![key, value],
    )?;
    Ok(())
}
