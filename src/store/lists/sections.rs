//! Sections, by name.

use rusqlite::params;
use serde::Serialize;

use super::super::enrolments::STATUS_NOW;
use super::super::error::StoreError;
use super::super::ids::{PeerId, PersonId, SectionId};
use super::super::sections::{Section, SegmentFilter, names, section_from_row, select_section};
use super::super::transaction::ReadTx;
use super::{Slice, Turn, Walk, numbers};
use crate::clock::UnixTime;

/// Which sections to list.
#[derive(Clone, Debug, Default)]
pub struct SectionQuery {
    /// Only those with each of these words in the name or the id; case apart, and accents too where the word has none.
    pub search: Option<String>,
    /// Only those of this term.
    pub segment: Option<SegmentFilter>,
    /// Only those this person was given to teach, or is or was enrolled in as a teacher.
    pub teacher: Option<PersonId>,
    /// Only rows of this peer; `Some(None)`: only those made here.
    pub peer: Option<Option<PeerId>>,
    /// Removed ones as well.
    pub removed: bool,
}

/// A section in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SectionRow {
    /// The section.
    #[serde(flatten)]
    pub section: Section,
    /// The segments it runs over, by name; empty: it is ongoing.
    pub segments: Vec<String>,
    /// The names of its teachers, by last name: those it was given to, and those enrolled in it who have not left.
    pub teachers: Vec<String>,
    /// How many students are in it who have not left: to come, enrolled, or through with it.
    pub students: u32,
}

/// A page of sections.
///
/// # Errors
/// When the database cannot be read.
pub fn sections(
    tx: &ReadTx<'_>,
    query: &SectionQuery,
    now: UnixTime,
    turn: Turn<SectionId>,
    limit: u32,
) -> Result<Slice<SectionRow>, StoreError> {
    let mut walk = Walk::new(
        "section.sort_name",
        "section.id",
        "section INDEXED BY section_by_name",
        now,
    );
    walk.search("section.search_text", query.search.as_deref())
        .with(
            "ifnull(section.peer, 0) = ??",
            query.peer.map(PeerId::or_none),
        )
        .with(
            "section.id IN (SELECT taught.section FROM (SELECT ?? AS person) AS teacher \
             JOIN (SELECT section, person FROM section_teacher UNION ALL \
             SELECT section, person FROM enrolment WHERE role = 'teacher' AND removed_at IS NULL \
             AND in_error_at IS NULL) AS taught ON taught.person = teacher.person)",
            query.teacher,
        );
    match &query.segment {
        Some(SegmentFilter::Named(name)) => walk.with(
            "EXISTS (SELECT 1 FROM section_segment AS s WHERE s.section = section.id \
             AND s.segment = (SELECT id FROM segment WHERE name = ??))",
            Some(name.clone()),
        ),
        Some(SegmentFilter::Ongoing) => walk
            .plain("NOT EXISTS (SELECT 1 FROM section_segment AS s WHERE s.section = section.id)"),
        None => &mut walk,
    };
    if !query.removed {
        walk.plain("section.removed_at IS NULL");
    }
    let (turn, anchor) = anchored(tx, turn)?;
    walk.page(tx, turn, anchor, limit)?
        .map(|ids| rows(tx, &ids, now))
}

fn anchored(
    tx: &ReadTx<'_>,
    turn: Turn<SectionId>,
) -> Result<(Turn<i64>, Option<String>), StoreError> {
    let (turn, id) = match turn {
        Turn::First => return Ok((Turn::First, None)),
        Turn::Last => return Ok((Turn::Last, None)),
        Turn::After(id) => (Turn::After(id.0), id),
        Turn::Before(id) => (Turn::Before(id.0), id),
    };
    let name = tx.one(
        "SELECT sort_name FROM section WHERE id = ?1 AND sort_name IS NOT NULL",
        [id],
        |row| row.get(0),
    )?;
    Ok((turn, name))
}

fn rows(tx: &ReadTx<'_>, ids: &[i64], now: UnixTime) -> Result<Vec<SectionRow>, StoreError> {
    let there = format!(
        "e.section = section.id AND e.removed_at IS NULL AND e.in_error_at IS NULL \
         AND (SELECT meaning FROM enrolment_status WHERE id = {STATUS_NOW}) <> 'withdrawn'"
    );
    let sql = format!(
        "{}, (SELECT json_group_array(segment.name ORDER BY segment.name) FROM section_segment AS s \
         JOIN segment ON segment.id = s.segment WHERE s.section = section.id), \
         (SELECT json_group_array(person.firstname || ' ' || person.lastname \
         ORDER BY person.sort_name, person.id) FROM person WHERE person.removed_at IS NULL \
         AND person.id IN (SELECT t.person FROM section_teacher AS t WHERE t.section = section.id \
         UNION SELECT e.person FROM enrolment AS e WHERE {there} AND e.role = 'teacher')), \
         (SELECT count(DISTINCT e.person) FROM enrolment AS e JOIN person ON person.id = e.person \
         WHERE {there} AND e.role = 'student' AND person.removed_at IS NULL) \
         FROM json_each(?2) AS page CROSS JOIN section ON section.id = page.value ORDER BY page.key",
        select_section!("")
    );
    tx.all(&sql, params![now, numbers(ids)], |row| {
        Ok(SectionRow {
            section: section_from_row(row)?,
            segments: names(row, 8)?,
            teachers: names(row, 9)?,
            students: row.get(10)?,
        })
    })
}
