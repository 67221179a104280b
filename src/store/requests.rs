//! What keeps a message from being heard twice: session keys under our key pairs, and nonces.

use rusqlite::params;

use super::error::StoreError;
use super::ids::PeerId;
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// SHA-256 of the certificate of one of our key pairs.
pub type KeyPairFingerprint = [u8; 32];

/// Whether a message with this session key (its digest) was marked under this key pair.
///
/// # Errors
/// When the database cannot be read.
pub fn was_seen(
    tx: &ReadTx<'_>,
    key_pair: &KeyPairFingerprint,
    session_key: i64,
) -> Result<bool, StoreError> {
    let found = tx.one(
        "SELECT 1 FROM seen_request JOIN key_pair ON key_pair.id = seen_request.key_pair \
         WHERE fingerprint = ?1 AND digest = ?2",
        params![key_pair, session_key],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Marks a message as heard; `false` where it was marked before.
///
/// # Errors
/// When the database cannot be written.
pub fn mark_seen(
    tx: &WriteTx<'_>,
    key_pair: &KeyPairFingerprint,
    session_key: i64,
) -> Result<bool, StoreError> {
    let known = tx.one(
        "SELECT id FROM key_pair WHERE fingerprint = ?1",
        [key_pair],
        |row| row.get::<_, i64>(0),
    )?;
    let id = match known {
        Some(id) => id,
        None => tx.insert("INSERT INTO key_pair (fingerprint) VALUES (?1)", [key_pair])?,
    };
    let marked = tx.execute(
        "INSERT OR IGNORE INTO seen_request (key_pair, digest) VALUES (?1, ?2)",
        [id, session_key],
    )?;
    Ok(marked == 1)
}

/// Forgets what was heard under every key pair but these: messages sealed to the others open no more.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_key_pairs_but(
    tx: &WriteTx<'_>,
    kept: &[KeyPairFingerprint],
) -> Result<(), StoreError> {
    let all = tx.all("SELECT id, fingerprint FROM key_pair", [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, KeyPairFingerprint>(1)?))
    })?;
    for (id, _) in all.iter().filter(|(_, pair)| !kept.contains(pair)) {
        tx.execute("DELETE FROM seen_request WHERE key_pair = ?1", [id])?;
        tx.execute("DELETE FROM key_pair WHERE id = ?1", [id])?;
    }
    Ok(())
}

/// Marks a nonce as used by a peer, and forgets those marked before `forget_before`; `false` where it
/// was used before.
///
/// # Errors
/// When the database cannot be written.
pub fn mark_nonce(
    tx: &WriteTx<'_>,
    peer: PeerId,
    nonce: &[u8],
    now: UnixTime,
    forget_before: UnixTime,
) -> Result<bool, StoreError> {
    tx.execute("DELETE FROM seen_nonce WHERE at < ?1", [forget_before])?;
    let marked = tx.execute(
        "INSERT OR IGNORE INTO seen_nonce (peer_id, nonce, at) VALUES (?1, ?2, ?3)",
        params![peer, nonce, now],
    )?;
    Ok(marked == 1)
}

/// Whether a peer has used a nonce.
///
/// # Errors
/// When the database cannot be read.
pub fn was_nonce_used(tx: &ReadTx<'_>, peer: PeerId, nonce: &[u8]) -> Result<bool, StoreError> {
    let found = tx.one(
        "SELECT 1 FROM seen_nonce WHERE peer_id = ?1 AND nonce = ?2",
        params![peer, nonce],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Whether the database answers.
///
/// # Errors
/// When it does not.
pub fn check(tx: &ReadTx<'_>) -> Result<(), StoreError> {
    tx.one("SELECT count(*) FROM key_pair", [], |_| Ok(()))?;
    Ok(())
}
