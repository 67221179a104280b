//! Sections as peers send them: `new_section`, `update_section`, `remove_section`.

use super::error::RegisterError;
use super::fields::{Change, Fields, MAX_NAME};
use super::{Reply, Status, users};
use crate::clock::UnixTime;
use crate::store::lists;
use crate::store::sections::{self, Section, SectionFields, TeacherChange};
use crate::store::statuses::Meaning;
use crate::store::{Author, Extra, PeerId, PersonId, ReadTx, SectionId, StoreError, WriteTx};
use crate::xmlrpc::Value;

/// Where sections stand that fit no term. Sent as a segment, it means the same as none.
pub const ONGOING: &str = "ongoing";

/// `new_section`: a section, or what changes about a known one.
#[derive(Clone, Debug, PartialEq)]
pub struct NewSection {
    /// The peer's id of the section.
    pub idnumber: String,
    /// Its name.
    pub name: String,
    /// What else is said about it.
    pub changes: SectionChanges,
}

/// `update_section`: what changes about a known section.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateSection {
    /// The peer's id of the section.
    pub idnumber: String,
    /// A new name.
    pub name: Option<String>,
    /// What else is said about it.
    pub changes: SectionChanges,
}

/// What may be said about a section besides its name.
#[derive(Clone, Debug, PartialEq)]
pub struct SectionChanges {
    /// The ids of its teachers (`teacheridnumber`).
    pub teachers: Change<Vec<String>>,
    /// The segments it runs over.
    pub segments: Change<Vec<String>>,
    /// Everything else.
    pub extra: Extra,
}

/// `remove_section`: marks a section as removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveSection {
    /// The peer's id of the section.
    pub idnumber: String,
}

impl NewSection {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            idnumber: fields.required_id(&["idnumber"])?,
            name: fields.required_text("name", MAX_NAME)?,
            changes: SectionChanges::parse(fields)?,
        })
    }
}

impl UpdateSection {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            idnumber: fields.required_id(&["idnumber", "sectionid"])?,
            name: fields.text_if_said("name", MAX_NAME)?,
            changes: SectionChanges::parse(fields)?,
        })
    }
}

impl SectionChanges {
    fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            teachers: fields.ids("teacheridnumber")?,
            segments: fields
                .texts("segment", MAX_NAME)?
                .map(|given| segment_names(&given)),
            extra: fields.rest()?,
        })
    }
}

/// The segments in the order of the alphabet, each once, "ongoing" left out.
fn segment_names(given: &[String]) -> Vec<String> {
    let mut names: Vec<String> = given
        .iter()
        .map(|name| name.trim())
        .filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case(ONGOING))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

impl RemoveSection {
    pub(super) fn parse(params: &[Value]) -> Result<Self, RegisterError> {
        let idnumber = match Fields::lone_id(params, "idnumber")? {
            Some(idnumber) => idnumber,
            None => Fields::of(params)?.required_id(&["idnumber", "sectionid"])?,
        };
        Ok(Self { idnumber })
    }
}

/// Whether a person teaches a section at `now`: it was given to them, or they are enrolled in it as a
/// teacher and the enrolment is active. Of a removed section nobody is a teacher.
///
/// # Errors
/// When the database cannot be read.
pub fn teaches(
    tx: &ReadTx<'_>,
    section: SectionId,
    person: PersonId,
    now: UnixTime,
) -> Result<bool, StoreError> {
    let in_use = sections::get(tx, section)?.is_some_and(|row| row.removed_at.is_none());
    let teachers = lists::teachers(tx, section, now)?;
    Ok(in_use
        && teachers.iter().any(|teacher| {
            let status = teacher.status.as_ref();
            teacher.person == person
                && (teacher.given || status.is_some_and(|held| held.meaning == Meaning::Active))
        }))
}

pub(super) fn new(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &NewSection,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    if let Some(section) = sections::by_idnumber(tx, owner, &call.idnumber)? {
        return change(tx, author, &section, Some(&call.name), &call.changes, now);
    }
    let teachers = resolve_teachers(tx, owner, &call.changes.teachers)?;
    let fields = SectionFields {
        idnumber: Some(call.idnumber.clone()),
        name: call.name.clone(),
        extra: call.changes.extra.clone(),
    };
    let id = sections::insert(tx, owner, &fields, now)?;
    set_segments(tx, id, &call.changes.segments, now)?;
    set_teachers(tx, author, id, teachers.as_deref(), now)?;
    Ok(Reply {
        status: Status::Created,
        id: id.0,
    })
}

pub(super) fn update(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &UpdateSection,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let section = in_use(tx, author.owner(), "idnumber", &call.idnumber)?;
    change(tx, author, &section, call.name.as_ref(), &call.changes, now)
}

fn change(
    tx: &WriteTx<'_>,
    author: &Author,
    section: &Section,
    name: Option<&String>,
    changes: &SectionChanges,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let old = &section.fields;
    let fields = SectionFields {
        idnumber: old.idnumber.clone(),
        name: name.unwrap_or(&old.name).clone(),
        extra: super::fields::overlay(&old.extra, &changes.extra)?,
    };
    let teachers = resolve_teachers(tx, author.owner(), &changes.teachers)?;
    let terms_changed = set_segments(tx, section.id, &changes.segments, now)?;
    let teachers_changed = set_teachers(tx, author, section.id, teachers.as_deref(), now)?;
    let changed =
        terms_changed || teachers_changed || fields != *old || section.removed_at.is_some();
    if changed {
        sections::update(tx, section.id, &fields, now)?;
    }
    Ok(Reply::changed_if(changed, section.id.0))
}

/// Brings a section's segments in line with what is said about them; whether anything changed.
pub(super) fn set_segments(
    tx: &WriteTx<'_>,
    id: SectionId,
    said: &Change<Vec<String>>,
    now: UnixTime,
) -> Result<bool, RegisterError> {
    let Some(wanted) = said.said() else {
        return Ok(false);
    };
    let present = sections::segments(tx, id)?;
    for name in wanted.iter().filter(|name| !present.contains(name)) {
        sections::add_segment(tx, id, name, now)?;
    }
    for name in present.iter().filter(|name| !wanted.contains(name)) {
        sections::drop_segment(tx, id, name)?;
    }
    Ok(present != wanted)
}

/// The teachers that are said, by row number, each once; `None` where nothing is said.
fn resolve_teachers(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    said: &Change<Vec<String>>,
) -> Result<Option<Vec<PersonId>>, RegisterError> {
    let Some(ids) = said.said() else {
        return Ok(None);
    };
    let mut teachers = ids
        .iter()
        .map(|userid| users::referred(tx, owner, "teacheridnumber", userid))
        .collect::<Result<Vec<PersonId>, _>>()?;
    teachers.sort_unstable();
    teachers.dedup();
    Ok(Some(teachers))
}

/// Brings a section's teachers in line with what is said about them; whether anything changed.
fn set_teachers(
    tx: &WriteTx<'_>,
    author: &Author,
    id: SectionId,
    wanted: Option<&[PersonId]>,
    now: UnixTime,
) -> Result<bool, RegisterError> {
    let Some(wanted) = wanted else {
        return Ok(false);
    };
    let present = sections::teachers(tx, id)?;
    let came = wanted.iter().filter(|person| !present.contains(person));
    let left = present.iter().filter(|person| !wanted.contains(person));
    for (person, what) in left
        .map(|person| (person, TeacherChange::Left))
        .chain(came.map(|person| (person, TeacherChange::Came)))
    {
        sections::change_teacher(tx, id, *person, what, author, now)?;
    }
    Ok(present != wanted)
}

pub(super) fn remove(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &RemoveSection,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let section = own(tx, author.owner(), "idnumber", &call.idnumber)?;
    let changed = section.removed_at.is_none();
    if changed {
        sections::remove(tx, section.id, now)?;
    }
    Ok(Reply::changed_if(changed, section.id.0))
}

/// The section that `owner` calls `sectionid`, unless it is removed.
pub(super) fn in_use(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    field: &'static str,
    sectionid: &str,
) -> Result<Section, RegisterError> {
    let section = own(tx, owner, field, sectionid)?;
    if section.removed_at.is_some() {
        return Err(RegisterError::RemovedSection {
            field,
            sectionid: sectionid.to_owned(),
        });
    }
    Ok(section)
}

fn own(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    field: &'static str,
    sectionid: &str,
) -> Result<Section, RegisterError> {
    if let Some(section) = sections::by_idnumber(tx, owner, sectionid)? {
        return Ok(section);
    }
    if owner.is_some() && sections::by_idnumber(tx, None, sectionid)?.is_some() {
        return Err(RegisterError::NotYours {
            row: "section",
            field,
            id: sectionid.to_owned(),
        });
    }
    Err(RegisterError::UnknownSection {
        field,
        sectionid: sectionid.to_owned(),
    })
}
