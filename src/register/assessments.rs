//! Columns of the gradebook as peers send them: `new_assessment`, `update_assessment`,
//! `remove_assessment`.

use super::error::RegisterError;
use super::fields::{Change, Fields, MAX_ID, MAX_NAME, MAX_POINTS};
use super::{Reply, Status, sections};
use crate::clock::UnixTime;
use crate::store::assessments::{self, Assessment, AssessmentFields};
use crate::store::{Author, Extra, PeerId, ReadTx, SectionId, WriteTx};
use crate::xmlrpc::Value;

/// `new_assessment`: an assessment, or what changes about a known one.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAssessment {
    /// The peer's id of the assessment.
    pub idnumber: String,
    /// The peer's id of the section.
    pub sectionid: String,
    /// Its name.
    pub name: String,
    /// What else is said about it.
    pub changes: AssessmentChanges,
}

/// `update_assessment`: what changes about a known assessment.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateAssessment {
    /// The peer's id of the assessment.
    pub idnumber: String,
    /// Another section it moves to.
    pub sectionid: Option<String>,
    /// A new name.
    pub name: Option<String>,
    /// What else is said about it.
    pub changes: AssessmentChanges,
}

/// What may be said about an assessment besides its name and section.
#[derive(Clone, Debug, PartialEq)]
pub struct AssessmentChanges {
    /// The chapter it goes with.
    pub chapternum: Change<String>,
    /// Whether honours students must do it.
    pub honors_required: Option<bool>,
    /// Whether the other students must do it.
    pub nonhonors_required: Option<bool>,
    /// Whether it only adds to the total.
    pub extra_credit: Option<bool>,
    /// The most points there are to earn.
    pub pointval: Change<f64>,
    /// Everything else.
    pub extra: Extra,
}

/// `remove_assessment`: marks an assessment as removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveAssessment {
    /// The peer's id of the assessment.
    pub idnumber: String,
}

impl NewAssessment {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            idnumber: fields.required_id(&["idnumber"])?,
            sectionid: fields.required_id(&["sectionid"])?,
            name: fields.required_text("name", MAX_NAME)?,
            changes: AssessmentChanges::parse(fields)?,
        })
    }
}

impl UpdateAssessment {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            idnumber: fields.required_id(&["idnumber", "assessmentid"])?,
            sectionid: fields.first_id(&["sectionid"])?,
            name: fields.text_if_said("name", MAX_NAME)?,
            changes: AssessmentChanges::parse(fields)?,
        })
    }
}

impl AssessmentChanges {
    fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            chapternum: fields.text("chapternum", MAX_ID)?,
            honors_required: fields.flag("honors_required")?,
            nonhonors_required: fields.flag("nonhonors_required")?,
            extra_credit: fields.flag("extra_credit")?,
            pointval: fields.number("pointval", 0.0, MAX_POINTS)?,
            extra: fields.rest()?,
        })
    }

    fn laid_over(&self, old: &AssessmentFields) -> Result<AssessmentFields, RegisterError> {
        Ok(AssessmentFields {
            chapternum: self.chapternum.clone().laid_over(old.chapternum.clone()),
            honors_required: self.honors_required.or(old.honors_required),
            nonhonors_required: self.nonhonors_required.or(old.nonhonors_required),
            extra_credit: self.extra_credit.or(old.extra_credit),
            pointval: self.pointval.clone().laid_over(old.pointval),
            extra: super::fields::overlay(&old.extra, &self.extra)?,
            ..old.clone()
        })
    }
}

impl RemoveAssessment {
    pub(super) fn parse(params: &[Value]) -> Result<Self, RegisterError> {
        let idnumber = match Fields::lone_id(params, "idnumber")? {
            Some(idnumber) => idnumber,
            None => Fields::of(params)?.required_id(&["idnumber", "assessmentid"])?,
        };
        Ok(Self { idnumber })
    }
}

pub(super) fn new(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &NewAssessment,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    let section = sections::in_use(tx, owner, "sectionid", &call.sectionid)?;
    if let Some(known) = assessments::by_idnumber(tx, owner, &call.idnumber)? {
        return change(
            tx,
            &known,
            Some(section.id),
            Some(&call.name),
            &call.changes,
            now,
        );
    }
    if let Some(peer) = owner
        && let Some(twin) = assessments::made_by_hand(tx, section.id, &call.name)?
    {
        return become_one(tx, peer, &twin, call, now);
    }
    let blank = AssessmentFields {
        idnumber: Some(call.idnumber.clone()),
        ..blank(section.id, call.name.clone())
    };
    let id = assessments::insert(tx, owner, &call.changes.laid_over(&blank)?, now)?;
    Ok(Reply {
        status: Status::Created,
        id: id.0,
    })
}

/// An assessment of which nothing but section and name is known.
pub(super) fn blank(section: SectionId, name: String) -> AssessmentFields {
    AssessmentFields {
        idnumber: None,
        section,
        name,
        chapternum: None,
        honors_required: None,
        nonhonors_required: None,
        extra_credit: None,
        pointval: None,
        extra: Extra::default(),
    }
}

/// Gives a row that was made by hand to the peer that sent one of the same name. Its grades stay as
/// they are; what the peer does not say about it stays too.
fn become_one(
    tx: &WriteTx<'_>,
    peer: PeerId,
    twin: &Assessment,
    call: &NewAssessment,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let fields = AssessmentFields {
        idnumber: Some(call.idnumber.clone()),
        ..call.changes.laid_over(&twin.fields)?
    };
    assessments::link(tx, twin.id, peer, now)?;
    assessments::update(tx, twin.id, &fields, now)?;
    Ok(Reply {
        status: Status::Updated,
        id: twin.id.0,
    })
}

pub(super) fn update(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &UpdateAssessment,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    let known = own(tx, owner, "idnumber", &call.idnumber)?;
    if known.removed_at.is_some() {
        return Err(RegisterError::RemovedAssessment {
            field: "idnumber",
            assessmentid: call.idnumber.clone(),
        });
    }
    let section = match &call.sectionid {
        Some(sectionid) => Some(sections::in_use(tx, owner, "sectionid", sectionid)?.id),
        None => None,
    };
    change(tx, &known, section, call.name.as_ref(), &call.changes, now)
}

fn change(
    tx: &WriteTx<'_>,
    known: &Assessment,
    section: Option<SectionId>,
    name: Option<&String>,
    changes: &AssessmentChanges,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let old = &known.fields;
    let fields = AssessmentFields {
        section: section.unwrap_or(old.section),
        name: name.unwrap_or(&old.name).clone(),
        ..changes.laid_over(old)?
    };
    let changed = fields != *old || known.removed_at.is_some();
    if changed {
        assessments::update(tx, known.id, &fields, now)?;
    }
    Ok(Reply::changed_if(changed, known.id.0))
}

pub(super) fn remove(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &RemoveAssessment,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let known = own(tx, author.owner(), "idnumber", &call.idnumber)?;
    let changed = known.removed_at.is_none();
    if changed {
        assessments::remove(tx, known.id, now)?;
    }
    Ok(Reply::changed_if(changed, known.id.0))
}

fn own(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    field: &'static str,
    idnumber: &str,
) -> Result<Assessment, RegisterError> {
    match assessments::by_idnumber(tx, owner, idnumber)? {
        Some(known) => Ok(known),
        None => Err(missing(tx, owner, field, idnumber)?),
    }
}

/// Why `owner` has no assessment of that id.
pub(super) fn missing(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    field: &'static str,
    idnumber: &str,
) -> Result<RegisterError, RegisterError> {
    let by_hand = owner.is_some() && assessments::by_idnumber(tx, None, idnumber)?.is_some();
    Ok(if by_hand {
        RegisterError::NotYours {
            row: "assessment",
            field,
            id: idnumber.to_owned(),
        }
    } else {
        RegisterError::UnknownAssessment {
            field,
            assessmentid: idnumber.to_owned(),
        }
    })
}
