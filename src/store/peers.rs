//! The sites we exchange calls with.

use rusqlite::{Row, params};
use serde::Serialize;

use super::error::StoreError;
use super::ids::{PeerId, words};
use super::page::{Conditions, Page};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

words! {
    /// The software of a peer, which decides the paths of its addresses.
    Application {
        /// Moodle, and whatever answers under Moodle's paths.
        Moodle = "moodle",
        /// Mahara.
        Mahara = "mahara",
    }
}

words! {
    /// How text beyond ASCII has to be written so that it arrives (docs/protocol.md).
    TextDialect {
        /// True UTF-8 both ways: Moodle 4.1 and later.
        Utf8 = "utf8",
        /// True UTF-8 in requests, UTF-8 bytes declared as ISO-8859-1 in responses.
        Mahara = "mahara",
        /// UTF-8 bytes declared as ISO-8859-1 both ways: Moodle up to 4.0.
        OldPhp = "old-php",
    }
}

/// A row of `peer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Peer {
    /// The row.
    pub id: PeerId,
    /// The address it calls itself by.
    pub wwwroot: String,
    /// The name people know it by.
    pub name: String,
    /// Its software.
    pub application: Application,
    /// Its certificate as PEM; `None`: not met yet.
    pub certificate: Option<String>,
    /// How text has to be written for it.
    pub text_dialect: TextDialect,
    /// Whether an administrator set the dialect, so that nothing found out later changes it.
    pub text_dialect_fixed: bool,
    /// Whether every register call of its has to be bound.
    pub binding_required: bool,
    /// When it was registered.
    pub created_at: UnixTime,
    /// The last call in either direction that held.
    pub last_contact_at: Option<UnixTime>,
    /// Its clock minus ours, in seconds.
    pub clock_offset: Option<i64>,
    /// Since when it is no longer a peer.
    pub removed_at: Option<UnixTime>,
}

/// What a new peer is registered with.
#[derive(Clone, Debug)]
pub struct NewPeer<'a> {
    /// The address it calls itself by.
    pub wwwroot: &'a str,
    /// The name people know it by.
    pub name: &'a str,
    /// Its software.
    pub application: Application,
    /// Its certificate as PEM.
    pub certificate: Option<&'a str>,
    /// How text has to be written for it.
    pub text_dialect: TextDialect,
}

const PEER: &str = "SELECT id, wwwroot, name, application, certificate, text_dialect, \
     text_dialect_fixed, binding_required, created_at, last_contact_at, clock_offset, removed_at \
     FROM peer";

/// Registers a peer.
///
/// # Errors
/// [`StoreError::Refused`] where there is one of that wwwroot, removed ones included.
pub fn insert(tx: &WriteTx<'_>, peer: &NewPeer<'_>, now: UnixTime) -> Result<PeerId, StoreError> {
    let id = tx.insert(
        "INSERT INTO peer (wwwroot, name, application, certificate, text_dialect, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            peer.wwwroot,
            peer.name,
            peer.application,
            peer.certificate,
            peer.text_dialect,
            now
        ],
    )?;
    Ok(PeerId(id))
}

/// The peer that calls itself `wwwroot`, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn find(tx: &ReadTx<'_>, wwwroot: &str) -> Result<Option<Peer>, StoreError> {
    let sql = format!("{PEER} WHERE wwwroot = ?1");
    tx.one(&sql, [wwwroot], peer_from_row)
}

/// The peers that are not removed, by row number.
///
/// # Errors
/// When the database cannot be read.
pub fn list(tx: &ReadTx<'_>, page: Page) -> Result<Vec<Peer>, StoreError> {
    let mut conditions = Conditions::new(PEER, "id", page);
    conditions.plain("removed_at IS NULL");
    conditions.list(tx, "id", page, peer_from_row)
}

fn peer_from_row(row: &Row<'_>) -> rusqlite::Result<Peer> {
    Ok(Peer {
        id: row.get(0)?,
        wwwroot: row.get(1)?,
        name: row.get(2)?,
        application: row.get(3)?,
        certificate: row.get(4)?,
        text_dialect: row.get(5)?,
        text_dialect_fixed: row.get(6)?,
        binding_required: row.get(7)?,
        created_at: row.get(8)?,
        last_contact_at: row.get(9)?,
        clock_offset: row.get(10)?,
        removed_at: row.get(11)?,
    })
}
