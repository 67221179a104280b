//! How many there are, without looking at every row.

use serde::Serialize;

use super::super::error::StoreError;
use super::super::ids::PeerId;
use super::super::transaction::ReadTx;

/// How many of a kind are in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// People who are not removed.
    pub people: u32,
    /// Sections that are not removed.
    pub sections: u32,
    /// Peers that are not removed.
    pub peers: u32,
}

/// A term with its sections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentCount {
    /// Its name.
    pub name: String,
    /// How many sections run over it, removed ones apart.
    pub sections: u32,
}

/// The terms with their sections, removed ones apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentCounts {
    /// Each term; the one that came into the register last is the first.
    pub segments: Vec<SegmentCount>,
    /// How many sections fit no term.
    pub ongoing: u32,
}

/// How many there are of a table altogether, which SQLite reads off the pages of the smallest index, less those removed, which
/// lie together in the index for each peer.
macro_rules! in_use {
    ($table:literal, $index:literal) => {
        concat!(
            "(SELECT count(*) FROM ",
            $table,
            ") - (SELECT count(*) FROM \
             (SELECT NULL AS id UNION ALL SELECT id FROM peer) AS owner CROSS JOIN ",
            $table,
            " INDEXED BY ",
            $index,
            " ON ",
            $table,
            ".peer IS owner.id AND ",
            $table,
            ".removed_at IS NOT NULL)"
        )
    };
}

/// How many people, sections and peers there are: exact, from small indices.
///
/// # Errors
/// When the database cannot be read.
pub fn counts(tx: &ReadTx<'_>) -> Result<Counts, StoreError> {
    let counts = tx.one(
        concat!(
            "SELECT ",
            in_use!("person", "person_of_peer"),
            ", ",
            in_use!("section", "section_of_peer"),
            ", (SELECT count(*) FROM peer WHERE removed_at IS NULL)"
        ),
        [],
        |row| {
            Ok(Counts {
                people: row.get(0)?,
                sections: row.get(1)?,
                peers: row.get(2)?,
            })
        },
    )?;
    Ok(counts.unwrap_or_default())
}

/// How many people came from each peer, those made here under `None`; removed ones apart.
///
/// # Errors
/// When the database cannot be read.
pub fn people_of_peers(tx: &ReadTx<'_>) -> Result<Vec<(Option<PeerId>, u32)>, StoreError> {
    tx.all(
        "SELECT peer, count(*) FROM person INDEXED BY person_of_peer WHERE removed_at IS NULL \
         GROUP BY peer ORDER BY peer",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The terms, and how many sections each has.
///
/// # Errors
/// When the database cannot be read.
pub fn segments(tx: &ReadTx<'_>) -> Result<SegmentCounts, StoreError> {
    let segments = tx.all(
        "SELECT segment.name, (SELECT count(*) FROM section_segment AS s WHERE s.segment = segment.id) \
         - (SELECT count(*) FROM section INDEXED BY section_removed \
         CROSS JOIN section_segment AS s ON s.section = section.id AND s.segment = segment.id \
         WHERE section.removed_at IS NOT NULL) FROM segment ORDER BY segment.id DESC",
        [],
        |row| {
            Ok(SegmentCount {
                name: row.get(0)?,
                sections: row.get(1)?,
            })
        },
    )?;
    let ongoing = tx.one(
        "SELECT count(*) FROM section INDEXED BY section_of_peer WHERE removed_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM section_segment AS s WHERE s.section = section.id)",
        [],
        |row| row.get(0),
    )?;
    Ok(SegmentCounts {
        segments,
        ongoing: ongoing.unwrap_or_default(),
    })
}
