//! Assessments: the columns of the gradebook.

use rusqlite::{Row, params};
use serde::Serialize;

use super::error::StoreError;
use super::extra::Extra;
use super::ids::{AssessmentId, PeerId, SectionId};
use super::page::{Conditions, Page};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// What is known of an assessment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AssessmentFields {
    /// The owner's id of the assessment.
    pub idnumber: Option<String>,
    /// The section whose gradebook it is in.
    pub section: SectionId,
    /// Its name.
    pub name: String,
    /// The chapter it goes with, in the owner's own counting.
    pub chapternum: Option<String>,
    /// Whether honours students must do it.
    pub honors_required: Option<bool>,
    /// Whether the other students must do it.
    pub nonhonors_required: Option<bool>,
    /// Whether it only adds to the total.
    pub extra_credit: Option<bool>,
    /// The most points there are to earn.
    pub pointval: Option<f64>,
    /// What else was sent.
    pub extra: Extra,
}

/// A row of `assessment`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment {
    /// The row.
    pub id: AssessmentId,
    /// Whose row it is; `None`: made by hand, and no peer has sent one of that name.
    pub peer: Option<PeerId>,
    /// What is known of it.
    #[serde(flatten)]
    pub fields: AssessmentFields,
    /// When a row made by hand and the peer's became one.
    pub linked_at: Option<UnixTime>,
    /// When the row was made.
    pub created_at: UnixTime,
    /// When a field last changed.
    pub updated_at: UnixTime,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

/// An assessment in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedAssessment {
    /// The assessment.
    #[serde(flatten)]
    pub assessment: Assessment,
    /// The owner's id of the section.
    pub sectionid: Option<String>,
    /// The name of the section.
    pub section_name: String,
}

/// Which assessments to list.
#[derive(Clone, Debug, Default)]
pub struct AssessmentFilter {
    /// Only rows of this peer.
    pub peer: Option<PeerId>,
    /// Only those of this section.
    pub section: Option<SectionId>,
    /// Only those with this text in the name or the id (ASCII case apart).
    pub search: Option<String>,
    /// Those that are removed, or whose section is, as well.
    pub removed: bool,
}

macro_rules! select_assessment {
    ($rest:literal) => {
        concat!(
            "SELECT a.id, a.peer, a.idnumber, a.section, a.name, a.chapternum, a.honors_required, ",
            "a.nonhonors_required, a.extra_credit, a.pointval, a.extra, a.linked_at, a.created_at, ",
            "a.updated_at, a.removed_at",
            $rest
        )
    };
}

pub(super) use select_assessment;

/// The assessment that `owner` calls `idnumber`, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn by_idnumber(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    idnumber: &str,
) -> Result<Option<Assessment>, StoreError> {
    tx.one(
        select_assessment!(
            " FROM assessment AS a WHERE ifnull(a.peer, 0) = ?1 AND a.idnumber = ?2"
        ),
        params![PeerId::or_none(owner), idnumber],
        assessment_from_row,
    )
}

/// The assessment in row `id`.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: AssessmentId) -> Result<Option<Assessment>, StoreError> {
    tx.one(
        select_assessment!(" FROM assessment AS a WHERE a.id = ?1"),
        [id],
        assessment_from_row,
    )
}

/// The oldest assessment in `section` that was made by hand, is in use, and has exactly this name.
///
/// # Errors
/// When the database cannot be read.
pub fn made_by_hand(
    tx: &ReadTx<'_>,
    section: SectionId,
    name: &str,
) -> Result<Option<Assessment>, StoreError> {
    tx.one(
        select_assessment!(
            " FROM assessment AS a WHERE a.section = ?1 AND a.name = ?2 AND a.peer IS NULL \
             AND a.removed_at IS NULL ORDER BY a.id LIMIT 1"
        ),
        params![section, name],
        assessment_from_row,
    )
}

/// Adds an assessment.
///
/// # Errors
/// [`StoreError::Refused`] where the owner's id is taken.
pub fn insert(
    tx: &WriteTx<'_>,
    owner: Option<PeerId>,
    fields: &AssessmentFields,
    now: UnixTime,
) -> Result<AssessmentId, StoreError> {
    let id = tx.insert(
        "INSERT INTO assessment (peer, idnumber, section, name, chapternum, honors_required, \
         nonhonors_required, extra_credit, pointval, extra, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)",
        params![
            owner,
            fields.idnumber,
            fields.section,
            fields.name,
            fields.chapternum,
            fields.honors_required,
            fields.nonhonors_required,
            fields.extra_credit,
            fields.pointval,
            fields.extra,
            now
        ],
    )?;
    Ok(AssessmentId(id))
}

/// Replaces the fields of an assessment, and brings the row back where it was removed.
///
/// # Errors
/// [`StoreError::Refused`] where the owner's id is taken.
pub fn update(
    tx: &WriteTx<'_>,
    id: AssessmentId,
    fields: &AssessmentFields,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE assessment SET idnumber = ?2, section = ?3, name = ?4, chapternum = ?5, \
         honors_required = ?6, nonhonors_required = ?7, extra_credit = ?8, pointval = ?9, \
         extra = ?10, updated_at = ?11, removed_at = NULL WHERE id = ?1",
        params![
            id,
            fields.idnumber,
            fields.section,
            fields.name,
            fields.chapternum,
            fields.honors_required,
            fields.nonhonors_required,
            fields.extra_credit,
            fields.pointval,
            fields.extra,
            now
        ],
    )?;
    Ok(())
}

/// Makes a row that was made by hand the peer's as well.
///
/// # Errors
/// When the database cannot be written.
pub fn link(
    tx: &WriteTx<'_>,
    id: AssessmentId,
    peer: PeerId,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE assessment SET peer = ?2, linked_at = ?3 WHERE id = ?1",
        params![id, peer, now],
    )?;
    Ok(())
}

/// Marks an assessment as removed.
///
/// # Errors
/// When the database cannot be written.
pub fn remove(tx: &WriteTx<'_>, id: AssessmentId, now: UnixTime) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE assessment SET removed_at = ?2 WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

/// A page of assessments.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    tx: &ReadTx<'_>,
    filter: &AssessmentFilter,
    page: Page,
) -> Result<Vec<ListedAssessment>, StoreError> {
    let select = select_assessment!(
        ", section.idnumber, section.name FROM assessment AS a JOIN section ON section.id = a.section"
    );
    let mut conditions = Conditions::new(select, "a.id", page);
    conditions
        .with("a.peer = ?", filter.peer)
        .with("a.section = ?", filter.section)
        .with(
            "instr(lower(concat_ws(char(10), a.name, a.idnumber)), lower(?)) > 0",
            filter.search.clone(),
        );
    if !filter.removed {
        conditions
            .plain("a.removed_at IS NULL")
            .plain("section.removed_at IS NULL");
    }
    conditions.list(tx, "a.id", page, |row| {
        Ok(ListedAssessment {
            assessment: assessment_from_row(row)?,
            sectionid: row.get(15)?,
            section_name: row.get(16)?,
        })
    })
}

pub(super) fn assessment_from_row(row: &Row<'_>) -> rusqlite::Result<Assessment> {
    Ok(Assessment {
        id: row.get(0)?,
        peer: row.get(1)?,
        fields: AssessmentFields {
            idnumber: row.get(2)?,
            section: row.get(3)?,
            name: row.get(4)?,
            chapternum: row.get(5)?,
            honors_required: row.get(6)?,
            nonhonors_required: row.get(7)?,
            extra_credit: row.get(8)?,
            pointval: row.get(9)?,
            extra: row.get(10)?,
        },
        linked_at: row.get(11)?,
        created_at: row.get(12)?,
        updated_at: row.get(13)?,
        removed_at: row.get(14)?,
    })
}
