//! Sections, the segments (terms) they run over, and the teachers they were given.

use rusqlite::{Row, params};
use serde::Serialize;

use super::author::Author;
use super::error::StoreError;
use super::extra::Extra;
use super::ids::{PeerId, PersonId, SectionId, words};
use super::names::Folded;
use super::page::{Conditions, Page};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// What is known of a section itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SectionFields {
    /// The owner's id of the section.
    pub idnumber: Option<String>,
    /// Its name.
    pub name: String,
    /// What else was sent.
    pub extra: Extra,
}

/// A row of `section`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// The row.
    pub id: SectionId,
    /// Whose row it is; `None`: made here.
    pub peer: Option<PeerId>,
    /// What is known of it.
    #[serde(flatten)]
    pub fields: SectionFields,
    /// When the row was made.
    pub created_at: UnixTime,
    /// When something about it last changed.
    pub updated_at: UnixTime,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// A section in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedSection {
    /// The section.
    #[serde(flatten)]
    pub section: Section,
    /// The segments it runs over, by name; empty: it is ongoing.
    pub segments: Vec<String>,
    /// The usernames of the teachers it was given as a whole.
    pub teachers: Vec<String>,
}

/// Which term a list of sections is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentFilter {
    /// Sections that run over the segment of this name.
    Named(String),
    /// Sections that fit no segment.
    Ongoing,
}

/// Which sections to list.
#[derive(Clone, Debug, Default)]
pub struct SectionFilter {
    /// Only rows of this peer.
    pub peer: Option<PeerId>,
    /// Only those of this term.
    pub segment: Option<SegmentFilter>,
    /// Only those this person was given to teach.
    pub teacher: Option<PersonId>,
    /// Only those with this text in the name or the id (ASCII case apart).
    pub search: Option<String>,
    /// Removed ones as well.
    pub removed: bool,
}

words! {
    /// What happened between a teacher and a section.
    TeacherChange {
        /// Took the section.
        Came = "came",
        /// Gave it up.
        Left = "left",
    }
}

/// A row of `section_teacher_history`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TeacherRecord {
    /// The teacher.
    pub person: PersonId,
    /// What happened.
    pub change: TeacherChange,
    /// When it was written down.
    pub recorded_at: UnixTime,
    /// Who said so.
    pub author: Author,
}

/// A SELECT of the columns that [`section_from_row`] reads.
macro_rules! select_section {
    ($rest:literal) => {
        concat!(
            "SELECT section.id, section.peer, section.idnumber, section.name, section.extra, ",
            "section.created_at, section.updated_at, section.removed_at",
            $rest
        )
    };
}

pub(super) use select_section;

/// The section that `owner` calls `idnumber`, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn by_idnumber(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    idnumber: &str,
) -> Result<Option<Section>, StoreError> {
    tx.one(
        select_section!(" FROM section WHERE ifnull(peer, 0) = ?1 AND idnumber = ?2"),
        params![PeerId::or_none(owner), idnumber],
        section_from_row,
    )
}

/// The section in row `id`.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: SectionId) -> Result<Option<Section>, StoreError> {
    tx.one(
        select_section!(" FROM section WHERE id = ?1"),
        [id],
        section_from_row,
    )
}

/// Adds a section.
///
/// # Errors
/// [`StoreError::Refused`] where the owner's id is taken.
pub fn insert(
    tx: &WriteTx<'_>,
    owner: Option<PeerId>,
    fields: &SectionFields,
    now: UnixTime,
) -> Result<SectionId, StoreError> {
    let folded = Folded::section(&fields.name, fields.idnumber.as_deref());
    let id = tx.insert(
        "INSERT INTO section (peer, idnumber, name, extra, created_at, updated_at, sort_name, \
         search_text) VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7)",
        params![
            owner,
            fields.idnumber,
            fields.name,
            fields.extra,
            now,
            folded.sort_name,
            folded.search_text
        ],
    )?;
    Ok(SectionId(id))
}

/// Replaces the fields of a section, and brings the row back where it was removed.
///
/// # Errors
/// [`StoreError::Refused`] where the owner's id is taken.
pub fn update(
    tx: &WriteTx<'_>,
    id: SectionId,
    fields: &SectionFields,
    now: UnixTime,
) -> Result<(), StoreError> {
    let folded = Folded::section(&fields.name, fields.idnumber.as_deref());
    tx.execute(
        "UPDATE section SET idnumber = ?2, name = ?3, extra = ?4, updated_at = ?5, \
         removed_at = NULL, sort_name = ?6, search_text = ?7 WHERE id = ?1",
        params![
            id,
            fields.idnumber,
            fields.name,
            fields.extra,
            now,
            folded.sort_name,
            folded.search_text
        ],
    )?;
    Ok(())
}

/// Marks a section as removed.
///
/// # Errors
/// When the database cannot be written.
pub fn remove(tx: &WriteTx<'_>, id: SectionId, now: UnixTime) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE section SET removed_at = ?2 WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

/// The names of the segments a section runs over, in the order of the alphabet.
///
/// # Errors
/// When the database cannot be read.
pub fn segments(tx: &ReadTx<'_>, id: SectionId) -> Result<Vec<String>, StoreError> {
    tx.all(
        "SELECT segment.name FROM section_segment JOIN segment ON segment.id = section_segment.segment \
         WHERE section_segment.section = ?1 ORDER BY segment.name",
        [id],
        |row| row.get(0),
    )
}

/// Lets a section run over one more segment, which is made where there is none of that name.
///
/// # Errors
/// When the database cannot be written.
pub fn add_segment(
    tx: &WriteTx<'_>,
    id: SectionId,
    name: &str,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO segment (name, created_at) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING",
        params![name, now],
    )?;
    tx.execute(
        "INSERT INTO section_segment (section, segment) SELECT ?1, id FROM segment WHERE name = ?2 \
         ON CONFLICT DO NOTHING",
        params![id, name],
    )?;
    Ok(())
}

/// Takes a section out of a segment.
///
/// # Errors
/// When the database cannot be written.
pub fn drop_segment(tx: &WriteTx<'_>, id: SectionId, name: &str) -> Result<(), StoreError> {
    tx.execute(
        "DELETE FROM section_segment WHERE section = ?1 \
         AND segment = (SELECT id FROM segment WHERE name = ?2)",
        params![id, name],
    )?;
    Ok(())
}

/// The teachers a section was given as a whole, by row number.
///
/// # Errors
/// When the database cannot be read.
pub fn teachers(tx: &ReadTx<'_>, id: SectionId) -> Result<Vec<PersonId>, StoreError> {
    tx.all(
        "SELECT person FROM section_teacher WHERE section = ?1 ORDER BY person",
        [id],
        |row| row.get(0),
    )
}

/// Gives a section to a teacher, or takes it away, and writes that down.
///
/// # Errors
/// When the database cannot be written.
pub fn change_teacher(
    tx: &WriteTx<'_>,
    id: SectionId,
    person: PersonId,
    change: TeacherChange,
    author: &Author,
    now: UnixTime,
) -> Result<(), StoreError> {
    let sql = match change {
        TeacherChange::Came => "INSERT INTO section_teacher (section, person) VALUES (?1, ?2)",
        TeacherChange::Left => "DELETE FROM section_teacher WHERE section = ?1 AND person = ?2",
    };
    tx.execute(sql, params![id, person])?;
    tx.insert(
        "INSERT INTO section_teacher_history \
         (section, person, change, recorded_at, author_kind, author_peer, author_name) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            id,
            person,
            change,
            now,
            author.kind(),
            author.owner(),
            author.name()
        ],
    )?;
    Ok(())
}

/// Who was given the section and when, in the order it was written down.
///
/// # Errors
/// When the database cannot be read.
pub fn teacher_history(tx: &ReadTx<'_>, id: SectionId) -> Result<Vec<TeacherRecord>, StoreError> {
    tx.all(
        "SELECT person, change, recorded_at, author_kind, author_peer, author_name \
         FROM section_teacher_history WHERE section = ?1 ORDER BY id",
        [id],
        |row| {
            Ok(TeacherRecord {
                person: row.get(0)?,
                change: row.get(1)?,
                recorded_at: row.get(2)?,
                author: Author::from_row(row, 3)?,
            })
        },
    )
}

/// A page of sections.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    tx: &ReadTx<'_>,
    filter: &SectionFilter,
    page: Page,
) -> Result<Vec<ListedSection>, StoreError> {
    let select = select_section!(
        ", (SELECT json_group_array(segment.name ORDER BY segment.name) FROM section_segment \
         JOIN segment ON segment.id = section_segment.segment WHERE section_segment.section = section.id), \
         (SELECT json_group_array(person.username ORDER BY person.username) FROM section_teacher \
         JOIN person ON person.id = section_teacher.person WHERE section_teacher.section = section.id) \
         FROM section"
    );
    let mut conditions = Conditions::new(select, "section.id", page);
    conditions
        .with("section.peer = ?", filter.peer)
        .with(
            "section.id IN (SELECT section FROM section_teacher WHERE person = ?)",
            filter.teacher,
        )
        .with(
            "instr(lower(concat_ws(char(10), section.name, section.idnumber)), lower(?)) > 0",
            filter.search.clone(),
        );
    match &filter.segment {
        Some(SegmentFilter::Named(name)) => conditions.with(
            "section.id IN (SELECT section_segment.section FROM section_segment \
             JOIN segment ON segment.id = section_segment.segment WHERE segment.name = ?)",
            Some(name.clone()),
        ),
        Some(SegmentFilter::Ongoing) => conditions
            .plain("NOT EXISTS (SELECT 1 FROM section_segment AS s WHERE s.section = section.id)"),
        None => &mut conditions,
    };
    if !filter.removed {
        conditions.plain("section.removed_at IS NULL");
    }
    conditions.list(tx, "section.id", page, |row| {
        Ok(ListedSection {
            section: section_from_row(row)?,
            segments: names(row, 8)?,
            teachers: names(row, 9)?,
        })
    })
}

pub(super) fn section_from_row(row: &Row<'_>) -> rusqlite::Result<Section> {
    Ok(Section {
        id: row.get(0)?,
        peer: row.get(1)?,
        fields: SectionFields {
            idnumber: row.get(2)?,
            name: row.get(3)?,
            extra: row.get(4)?,
        },
        created_at: row.get(5)?,
        updated_at: row.get(6)?,
        removed_at: row.get(7)?,
    })
}

/// A JSON array of texts, as `json_group_array` makes it.
pub(super) fn names(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<String>> {
    let json: String = row.get(column)?;
    serde_json::from_str(&json).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
