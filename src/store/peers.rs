//! The sites we exchange calls with, and what was agreed with each.

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
    /// When a call to it or from it last failed.
    pub last_fault_at: Option<UnixTime>,
    /// Why, in words.
    pub last_fault_text: Option<String>,
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
     text_dialect_fixed, binding_required, created_at, last_contact_at, clock_offset, \
     last_fault_at, last_fault_text, removed_at FROM peer";

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

/// Registers a peer as [`insert`] does, or takes back one that was removed: its rows in the register are
/// its own again, everything else is as for a new peer.
///
/// # Errors
/// [`StoreError::Refused`] where there is one of that wwwroot that is not removed.
pub fn register(tx: &WriteTx<'_>, peer: &NewPeer<'_>, now: UnixTime) -> Result<PeerId, StoreError> {
    let removed = find(tx, peer.wwwroot)?.filter(|found| found.removed_at.is_some());
    let Some(found) = removed else {
        return insert(tx, peer, now);
    };
    tx.execute(
        "UPDATE peer SET name = ?2, application = ?3, certificate = ?4, text_dialect = ?5, \
         text_dialect_fixed = 0, binding_required = 0, last_contact_at = NULL, clock_offset = NULL, \
         last_fault_at = NULL, last_fault_text = NULL, removed_at = NULL WHERE id = ?1",
        params![
            found.id,
            peer.name,
            peer.application,
            peer.certificate,
            peer.text_dialect
        ],
    )?;
    Ok(found.id)
}

/// The peer that calls itself `wwwroot`, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn find(tx: &ReadTx<'_>, wwwroot: &str) -> Result<Option<Peer>, StoreError> {
    let sql = format!("{PEER} WHERE wwwroot = ?1");
    tx.one(&sql, [wwwroot], peer_from_row)
}

/// The peer in row `id`, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: PeerId) -> Result<Option<Peer>, StoreError> {
    let sql = format!("{PEER} WHERE id = ?1");
    tx.one(&sql, [id], peer_from_row)
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

/// Ends the agreement with a peer: what it may do and where it calls from is forgotten, its rows in
/// the register stay.
///
/// # Errors
/// When the database cannot be written.
pub fn remove(tx: &WriteTx<'_>, peer: PeerId, now: UnixTime) -> Result<(), StoreError> {
    tx.execute("DELETE FROM peer_service WHERE peer_id = ?1", [peer])?;
    tx.execute(
        "DELETE FROM peer_trusted_address WHERE peer_id = ?1",
        [peer],
    )?;
    tx.execute(
        "UPDATE peer SET removed_at = ?2 WHERE id = ?1",
        params![peer, now],
    )?;
    Ok(())
}

/// Replaces a peer's certificate where `before` is the one stored, and says whether it was: of two that
/// replace it at once, the later must not put back what the other has done.
///
/// # Errors
/// When the database cannot be written.
pub fn set_certificate(
    tx: &WriteTx<'_>,
    peer: PeerId,
    before: &str,
    pem: &str,
) -> Result<bool, StoreError> {
    let changed = tx.execute(
        "UPDATE peer SET certificate = ?3 \
         WHERE id = ?1 AND certificate = ?2 AND removed_at IS NULL",
        params![peer, before, pem],
    )?;
    Ok(changed == 1)
}

/// Sets how text has to be written for a peer; `fixed`: by an administrator. What was found out does
/// not override what an administrator set.
///
/// # Errors
/// When the database cannot be written.
pub fn set_dialect(
    tx: &WriteTx<'_>,
    peer: PeerId,
    dialect: TextDialect,
    fixed: bool,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE peer SET text_dialect = ?2, text_dialect_fixed = ?3 \
         WHERE id = ?1 AND (?3 OR NOT text_dialect_fixed)",
        params![peer, dialect, fixed],
    )?;
    Ok(())
}

/// Sets what an administrator says of how text has to be written for a peer; where it is not `fixed`, what
/// is found out later may change it again.
///
/// # Errors
/// When the database cannot be written.
pub fn choose_dialect(
    tx: &WriteTx<'_>,
    peer: PeerId,
    dialect: TextDialect,
    fixed: bool,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE peer SET text_dialect = ?2, text_dialect_fixed = ?3 WHERE id = ?1",
        params![peer, dialect, fixed],
    )?;
    Ok(())
}

/// Notes a call that held, and how far the peer's clock is from ours where the call told.
///
/// # Errors
/// When the database cannot be written.
pub fn note_contact(
    tx: &WriteTx<'_>,
    peer: PeerId,
    now: UnixTime,
    clock_offset: Option<i64>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE peer SET last_contact_at = ?2, clock_offset = ifnull(?3, clock_offset) \
         WHERE id = ?1 AND (last_contact_at IS NOT ?2 OR ?3 IS NOT NULL)",
        params![peer, now, clock_offset],
    )?;
    Ok(())
}

/// How many characters of a failure are kept. They may be a peer's own words, megabytes of them, and are
/// read with each look-up of the peer; mnetd's own advice on a failure stays whole.
pub const MAX_FAULT_TEXT: usize = 1_000;

/// Notes a call that failed; of `text` the first [`MAX_FAULT_TEXT`] characters.
///
/// # Errors
/// When the database cannot be written.
pub fn note_failure(
    tx: &WriteTx<'_>,
    peer: PeerId,
    now: UnixTime,
    text: &str,
) -> Result<(), StoreError> {
    let text: String = text.chars().take(MAX_FAULT_TEXT).collect();
    tx.execute(
        "UPDATE peer SET last_fault_at = ?2, last_fault_text = ?3 WHERE id = ?1",
        params![peer, now, text],
    )?;
    Ok(())
}

/// Whether every register call of a peer has to be bound.
///
/// # Errors
/// When the database cannot be read.
pub fn is_binding_required(tx: &ReadTx<'_>, peer: PeerId) -> Result<bool, StoreError> {
    let sql = "SELECT binding_required FROM peer WHERE id = ?1";
    let required = tx.one(sql, [peer], |row| row.get(0))?;
    Ok(required.unwrap_or(false))
}

/// Sets whether every register call of a peer has to be bound.
///
/// # Errors
/// When the database cannot be written.
pub fn set_binding_required(
    tx: &WriteTx<'_>,
    peer: PeerId,
    required: bool,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE peer SET binding_required = ?2 WHERE id = ?1 AND binding_required <> ?2",
        params![peer, required],
    )?;
    Ok(())
}

/// A row of `peer_service`: one service between us and a peer, as we see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerService {
    /// The service's name on the wire.
    pub service: String,
    /// The peer may call our methods of it.
    pub publish: bool,
    /// We may call the peer's methods of it.
    pub subscribe: bool,
}

/// The services agreed on with a peer, by name.
///
/// # Errors
/// When the database cannot be read.
pub fn services(tx: &ReadTx<'_>, peer: PeerId) -> Result<Vec<PeerService>, StoreError> {
    tx.all(
        "SELECT service, publish, subscribe FROM peer_service WHERE peer_id = ?1 ORDER BY service",
        [peer],
        |row| {
            Ok(PeerService {
                service: row.get(0)?,
                publish: row.get(1)?,
                subscribe: row.get(2)?,
            })
        },
    )
}

/// Sets what holds for one service; a service with neither right is forgotten.
///
/// # Errors
/// When the database cannot be written.
pub fn set_service(
    tx: &WriteTx<'_>,
    peer: PeerId,
    service: &PeerService,
) -> Result<(), StoreError> {
    if !service.publish && !service.subscribe {
        tx.execute(
            "DELETE FROM peer_service WHERE peer_id = ?1 AND service = ?2",
            params![peer, service.service],
        )?;
        return Ok(());
    }
    tx.execute(
        "INSERT INTO peer_service (peer_id, service, publish, subscribe) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT DO UPDATE SET publish = excluded.publish, subscribe = excluded.subscribe",
        params![peer, service.service, service.publish, service.subscribe],
    )?;
    Ok(())
}

/// The networks a peer has to call from, in CIDR notation; none: it may call from anywhere.
///
/// # Errors
/// When the database cannot be read.
pub fn source_addresses(tx: &ReadTx<'_>, peer: PeerId) -> Result<Vec<String>, StoreError> {
    tx.all(
        "SELECT cidr FROM peer_trusted_address WHERE peer_id = ?1",
        [peer],
        |row| row.get(0),
    )
}

/// Replaces the networks a peer has to call from.
///
/// # Errors
/// When the database cannot be written.
pub fn set_source_addresses(
    tx: &WriteTx<'_>,
    peer: PeerId,
    networks: &[String],
) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM peer_trusted_address WHERE peer_id = ?1",
        [peer],
    )?;
    for network in networks {
        tx.execute(
            "INSERT OR IGNORE INTO peer_trusted_address (peer_id, cidr) VALUES (?1, ?2)",
            params![peer, network],
        )?;
    }
    Ok(())
}

/// The networks that may call in the clear, in CIDR notation.
///
/// # Errors
/// When the database cannot be read.
pub fn clear_text_addresses(tx: &ReadTx<'_>) -> Result<Vec<String>, StoreError> {
    tx.all(
        "SELECT cidr FROM clear_text_address ORDER BY cidr",
        [],
        |row| row.get(0),
    )
}

/// Lets a network call in the clear, or no longer.
///
/// # Errors
/// When the database cannot be written.
pub fn set_clear_text_address(
    tx: &WriteTx<'_>,
    network: &str,
    allowed: bool,
) -> Result<(), StoreError> {
    let sql = if allowed {
        "INSERT OR IGNORE INTO clear_text_address (cidr) VALUES (?1)"
    } else {
        "DELETE FROM clear_text_address WHERE cidr = ?1"
    };
    tx.execute(sql, [network])?;
    Ok(())
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
        last_fault_at: row.get(11)?,
        last_fault_text: row.get(12)?,
        removed_at: row.get(13)?,
    })
}
