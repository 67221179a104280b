//! What administrators did: written once, never changed.

use rusqlite::{Row, params};
use serde::Serialize;

use super::error::StoreError;
use super::page::MAX_PAGE;
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// Who does something, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// An account's username; on the command line the name of the system's user.
    pub name: String,
    /// An address, or `command line`.
    pub origin: String,
}

/// Something to be noted.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// What was done, as a short word such as `peer added`.
    pub action: &'a str,
    /// To what, as people name it.
    pub object: &'a str,
    /// More, in words; never a secret.
    pub details: &'a str,
}

/// A row of `audit_history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The row.
    pub id: i64,
    /// When.
    pub at: UnixTime,
    /// Who.
    pub actor: String,
    /// From where.
    pub origin: String,
    /// What.
    pub action: String,
    /// To what.
    pub object: String,
    /// More, in words.
    pub details: String,
}

/// Notes what somebody did. Belongs into the transaction that does it.
///
/// # Errors
/// When the database cannot be written.
pub fn note(
    tx: &WriteTx<'_>,
    actor: &Actor,
    deed: &Deed<'_>,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.insert(
        "INSERT INTO audit_history (at, actor, origin, action, object, details) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            now,
            actor.name,
            actor.origin,
            deed.action,
            deed.object,
            deed.details
        ],
    )?;
    Ok(())
}

/// The `limit` latest entries before the one numbered `before` (`None`: the latest of all), the
/// latest first.
///
/// # Errors
/// When the database cannot be read.
pub fn list(tx: &ReadTx<'_>, before: Option<i64>, limit: u32) -> Result<Vec<Entry>, StoreError> {
    tx.all(
        "SELECT id, at, actor, origin, action, object, details FROM audit_history \
         WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        params![before.unwrap_or(i64::MAX), limit.min(MAX_PAGE)],
        from_row,
    )
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: row.get(0)?,
        at: row.get(1)?,
        actor: row.get(2)?,
        origin: row.get(3)?,
        action: row.get(4)?,
        object: row.get(5)?,
        details: row.get(6)?,
    })
}
