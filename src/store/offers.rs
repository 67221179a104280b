//! Remote enrolment, offered: sections that users of a peer may be enrolled in from there.

use rusqlite::{Row, params};
use serde::Serialize;

use super::error::StoreError;
use super::ids::{PeerId, SectionId};
use super::page::{Conditions, Page};
use super::sections::{self, Section, select_section};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// A section that is offered to a peer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Offer {
    /// The section.
    #[serde(flatten)]
    pub section: Section,
    /// The peer it is offered to.
    pub offered_to: PeerId,
    /// Since when.
    pub offered_at: UnixTime,
    /// The first segment (term) it runs over in the order of the alphabet; `None`: it is ongoing.
    pub segment: Option<Segment>,
}

/// A segment (term).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// The row.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// Offers a section to a peer; `false`: it was offered already.
///
/// # Errors
/// When the database cannot be written, or there is no such section or peer.
pub fn offer(
    tx: &WriteTx<'_>,
    section: SectionId,
    peer: PeerId,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let added = tx.execute(
        "INSERT INTO section_offer (section, peer, offered_at) VALUES (?1, ?2, ?3) \
         ON CONFLICT DO NOTHING",
        params![section, peer, now],
    )?;
    Ok(added > 0)
}

/// Offers a section to a peer no longer; `false`: it was not offered. Who was enrolled stays so.
///
/// # Errors
/// When the database cannot be written.
pub fn stop(tx: &WriteTx<'_>, section: SectionId, peer: PeerId) -> Result<bool, StoreError> {
    let dropped = tx.execute(
        "DELETE FROM section_offer WHERE section = ?1 AND peer = ?2",
        params![section, peer],
    )?;
    Ok(dropped > 0)
}

/// Whether a section in use is offered to a peer.
///
/// # Errors
/// When the database cannot be read.
pub fn is_offered(tx: &ReadTx<'_>, section: SectionId, peer: PeerId) -> Result<bool, StoreError> {
    let found = tx.one(
        "SELECT 1 FROM section_offer JOIN section ON section.id = section_offer.section \
         WHERE section_offer.section = ?1 AND section_offer.peer = ?2 AND section.removed_at IS NULL",
        params![section, peer],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// A page of the sections in use that are offered to a peer, by the section's row number.
///
/// # Errors
/// When the database cannot be read.
pub fn to_peer(tx: &ReadTx<'_>, peer: PeerId, page: Page) -> Result<Vec<Offer>, StoreError> {
    let select = select_section!(
        ", section_offer.peer, section_offer.offered_at, \
         (SELECT segment.id FROM section_segment JOIN segment ON segment.id = section_segment.segment \
         WHERE section_segment.section = section.id ORDER BY segment.name LIMIT 1), \
         (SELECT segment.name FROM section_segment JOIN segment ON segment.id = section_segment.segment \
         WHERE section_segment.section = section.id ORDER BY segment.name LIMIT 1) \
         FROM section_offer JOIN section ON section.id = section_offer.section"
    );
    let mut conditions = Conditions::new(select, "section.id", page);
    conditions
        .plain("section.removed_at IS NULL")
        .with("section_offer.peer = ?", Some(peer));
    conditions.list(tx, "section.id", page, from_row)
}

/// To which peers a section is offered, in the order of their row numbers.
///
/// # Errors
/// When the database cannot be read.
pub fn of_section(tx: &ReadTx<'_>, section: SectionId) -> Result<Vec<PeerId>, StoreError> {
    tx.all(
        "SELECT peer FROM section_offer WHERE section = ?1 ORDER BY peer",
        [section],
        |row| row.get(0),
    )
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Offer> {
    let segment: Option<i64> = row.get(10)?;
    Ok(Offer {
        section: sections::section_from_row(row)?,
        offered_to: row.get(8)?,
        offered_at: row.get(9)?,
        segment: match segment {
            Some(id) => Some(Segment {
                id,
                name: row.get(11)?,
            }),
            None => None,
        },
    })
}
