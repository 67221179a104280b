//! What files of other systems say about the school: rows without a peer, in the name of an import.
//!
//! An import is believed where it says something new, and not where it repeats itself (`exchange` compares what it
//! says now with what it said last): what an administrator has decided since then stands.

use super::enrolments::{self, Place, Said, first_status};
use super::error::RegisterError;
use super::fields::{self, MAX_EMAIL, MAX_ID, MAX_NAME, MAX_USERNAME};
use super::{Change, Status, UserRecord, sections, users};
use crate::clock::UnixTime;
use crate::store::enrolments as store_enrolments;
use crate::store::people::{self, Person};
use crate::store::sections::{self as store_sections, Section, SectionFields};
use crate::store::statuses::Meaning;
use crate::store::{Author, EnrolmentId, Extra, PersonId, ReadTx, SectionId, StatusId, WriteTx};

/// Somebody in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedPerson {
    /// The other system's id, for people to read.
    pub idnumber: String,
    /// The name to sign in with.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address; may be empty.
    pub email: String,
    /// Everything else.
    pub extra: Extra,
}

/// A section in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedSection {
    /// The other system's id, for people to read.
    pub idnumber: String,
    /// Its name.
    pub name: String,
    /// The terms it runs over; none: it is ongoing.
    pub segments: Vec<String>,
    /// Everything else.
    pub extra: Extra,
}

/// How somebody is in a section, by a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportedEnrolment {
    /// Whether the enrolment is active; else it has ended.
    pub active: bool,
    /// From when; `None`: from now.
    pub begins: Option<UnixTime>,
    /// Until when; `None`: until something else is said.
    pub ends: Option<UnixTime>,
    /// Why it has ended.
    pub note: Option<String>,
    /// Everything else.
    pub extra: Extra,
}

/// Checks what can be checked without the register.
///
/// # Errors
/// [`RegisterError::Missing`] or [`RegisterError::Wrong`] names the field.
pub fn check_person(new: &ImportedPerson) -> Result<(), RegisterError> {
    within("idnumber", &new.idnumber, MAX_ID)?;
    within("username", &new.username, MAX_USERNAME)?;
    within("email", &new.email, MAX_EMAIL)?;
    for (field, value) in [("firstname", &new.firstname), ("lastname", &new.lastname)] {
        within(field, value, MAX_NAME)?;
    }
    if new.firstname.is_empty() && new.lastname.is_empty() {
        return Err(RegisterError::Missing {
            field: "lastname",
            expected: "a first or a last name",
        });
    }
    fields::overlay(&Extra::default(), &new.extra).map(drop)
}

/// Checks what can be checked without the register.
///
/// # Errors
/// [`RegisterError::Missing`] or [`RegisterError::Wrong`] names the field.
pub fn check_section(new: &ImportedSection) -> Result<(), RegisterError> {
    within("idnumber", &new.idnumber, MAX_ID)?;
    within("name", &new.name, MAX_NAME)?;
    for segment in &new.segments {
        within("segment", segment, MAX_NAME)?;
    }
    if new.name.is_empty() {
        return Err(RegisterError::Missing {
            field: "name",
            expected: "a name",
        });
    }
    fields::overlay(&Extra::default(), &new.extra).map(drop)
}

fn within(field: &'static str, value: &str, limit: usize) -> Result<(), RegisterError> {
    // Bytes are never fewer than characters: most values need no counting.
    if value.len() > limit && value.chars().count() > limit {
        return Err(RegisterError::Wrong {
            field,
            found: fields::shown(value),
            expected: format!("at most {limit} characters"),
        });
    }
    Ok(())
}

/// Whether taking a person up would change anything.
///
/// # Errors
/// [`RegisterError::Store`].
pub fn person_differs(
    tx: &ReadTx<'_>,
    id: PersonId,
    new: &ImportedPerson,
) -> Result<bool, RegisterError> {
    let Some(person) = people::get(tx, id)? else {
        return Ok(true);
    };
    let record = record(tx, new, Some(&person))?;
    let old = &person.fields;
    Ok(person.removed_at.is_some()
        || record.idnumber.is_some() && record.idnumber != old.idnumber
        || !record.username.eq_ignore_ascii_case(&old.sent_username)
        || record.firstname != old.firstname
        || record.lastname != old.lastname
        || record.email != old.email
        || fields::overlay(&old.extra, &record.extra)? != old.extra)
}

/// Takes somebody up: the person in row `known`, or somebody new. A username that somebody has gets a number behind
/// it. An id that another person without a peer has is left out: two systems may give the same id to two people.
///
/// # Errors
/// Where a field cannot be used, or the database fails.
pub fn take_person(
    tx: &WriteTx<'_>,
    known: Option<PersonId>,
    new: &ImportedPerson,
    now: UnixTime,
) -> Result<(PersonId, Status), RegisterError> {
    check_person(new)?;
    let person = match known {
        Some(id) => people::get(tx, id)?,
        None => None,
    };
    let record = record(tx, new, person.as_ref())?;
    let reply = match &person {
        Some(person) => users::change(tx, person, &record, now)?,
        None => users::create(tx, None, &record, now)?,
    };
    Ok((PersonId(reply.id), reply.status))
}

fn record(
    tx: &ReadTx<'_>,
    new: &ImportedPerson,
    known: Option<&Person>,
) -> Result<UserRecord, RegisterError> {
    let is_own = known.is_some_and(|known| known.fields.idnumber.as_ref() == Some(&new.idnumber));
    let is_free = is_own || people::by_idnumber(tx, None, &new.idnumber)?.is_none();
    Ok(UserRecord {
        idnumber: Some(new.idnumber.clone()).filter(|_| is_free),
        username: new.username.clone(),
        firstname: new.firstname.clone(),
        lastname: new.lastname.clone(),
        email: new.email.clone(),
        ircnick: Change::Keep,
        extra: new.extra.clone(),
    })
}

/// Marks somebody as removed; whether that changed anything.
///
/// # Errors
/// [`RegisterError::Store`].
pub fn remove_person(tx: &WriteTx<'_>, id: PersonId, now: UnixTime) -> Result<bool, RegisterError> {
    let present = people::get(tx, id)?.is_some_and(|person| person.removed_at.is_none());
    if present {
        people::remove(tx, id, now)?;
    }
    Ok(present)
}

/// Whether taking a section up would change anything.
///
/// # Errors
/// [`RegisterError::Store`].
pub fn section_differs(
    tx: &ReadTx<'_>,
    id: SectionId,
    new: &ImportedSection,
) -> Result<bool, RegisterError> {
    let Some(section) = store_sections::get(tx, id)? else {
        return Ok(true);
    };
    Ok(section.removed_at.is_some()
        || new.name != section.fields.name
        || fields::overlay(&section.fields.extra, &new.extra)? != section.fields.extra
        || sorted(&store_sections::segments(tx, id)?) != sorted(&new.segments))
}

fn sorted(names: &[String]) -> Vec<&String> {
    let mut names: Vec<&String> = names.iter().collect();
    names.sort_unstable();
    names
}

/// Takes a section up: the one in row `known`, or a new one.
///
/// # Errors
/// Where a field cannot be used, or the database fails.
pub fn take_section(
    tx: &WriteTx<'_>,
    known: Option<SectionId>,
    new: &ImportedSection,
    now: UnixTime,
) -> Result<(SectionId, Status), RegisterError> {
    check_section(new)?;
    let section = match known {
        Some(id) => store_sections::get(tx, id)?,
        None => None,
    };
    let (id, status) = match &section {
        Some(section) => change_section(tx, section, new, now)?,
        None => (make_section(tx, new, now)?, Status::Created),
    };
    let segments = Change::Set(new.segments.clone());
    let terms_changed = sections::set_segments(tx, id, &segments, now)?;
    let status = match status {
        Status::Unchanged if terms_changed => Status::Updated,
        status => status,
    };
    Ok((id, status))
}

fn make_section(
    tx: &WriteTx<'_>,
    new: &ImportedSection,
    now: UnixTime,
) -> Result<SectionId, RegisterError> {
    let is_free = store_sections::by_idnumber(tx, None, &new.idnumber)?.is_none();
    let fields = SectionFields {
        idnumber: Some(new.idnumber.clone()).filter(|_| is_free),
        name: new.name.clone(),
        extra: new.extra.clone(),
    };
    Ok(store_sections::insert(tx, None, &fields, now)?)
}

fn change_section(
    tx: &WriteTx<'_>,
    section: &Section,
    new: &ImportedSection,
    now: UnixTime,
) -> Result<(SectionId, Status), RegisterError> {
    let old = &section.fields;
    let fields = SectionFields {
        idnumber: old.idnumber.clone(),
        name: new.name.clone(),
        extra: fields::overlay(&old.extra, &new.extra)?,
    };
    if fields == *old && section.removed_at.is_none() {
        return Ok((section.id, Status::Unchanged));
    }
    store_sections::update(tx, section.id, &fields, now)?;
    Ok((section.id, Status::Updated))
}

/// Marks a section as removed; whether that changed anything.
///
/// # Errors
/// [`RegisterError::Store`].
pub fn remove_section(
    tx: &WriteTx<'_>,
    id: SectionId,
    now: UnixTime,
) -> Result<bool, RegisterError> {
    let present = store_sections::get(tx, id)?.is_some_and(|section| section.removed_at.is_none());
    if present {
        store_sections::remove(tx, id, now)?;
    }
    Ok(present)
}

/// The statuses that imports give, looked up once for many enrolments. They hold for one transaction.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    active: StatusId,
    withdrawn: StatusId,
}

impl Words {
    /// The school's first of either meaning.
    ///
    /// # Errors
    /// Where the school has none of a meaning, or the database fails.
    pub fn read(tx: &WriteTx<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            active: first_status(tx, Meaning::Active)?,
            withdrawn: first_status(tx, Meaning::Withdrawn)?,
        })
    }
}

/// Puts somebody into a section, or out of it. An end that is given is written down with it, dated then.
///
/// # Errors
/// Where a field cannot be used, or the database fails.
pub fn take_enrolment(
    tx: &WriteTx<'_>,
    author: &Author,
    words: Words,
    place: Place,
    new: &ImportedEnrolment,
    now: UnixTime,
) -> Result<(EnrolmentId, Status), RegisterError> {
    let said = Said {
        status: if new.active {
            words.active
        } else {
            words.withdrawn
        },
        effective_at: new.begins.filter(|_| new.active),
        note: new.note.as_deref(),
    };
    let reply = enrolments::enrol(tx, author, place, &said, &new.extra, now)?;
    let id = EnrolmentId(reply.id);
    let mut status = reply.status;
    if let Some(ends) = new.ends.filter(|_| new.active) {
        let end = Said {
            status: words.withdrawn,
            effective_at: Some(ends),
            note: None,
        };
        if enrolments::say(tx, author, id, &end, now)? && status == Status::Unchanged {
            status = Status::Updated;
        }
    }
    Ok((id, status))
}

/// Ends an enrolment that an import made; whether that changed anything.
///
/// # Errors
/// Where the database fails.
pub fn end_enrolment(
    tx: &WriteTx<'_>,
    author: &Author,
    id: EnrolmentId,
    note: &str,
    now: UnixTime,
) -> Result<bool, RegisterError> {
    let standing = store_enrolments::standing_at(tx, id, now)?;
    if standing.is_some_and(|standing| standing.meaning.ends()) {
        return Ok(false);
    }
    let said = Said {
        status: first_status(tx, Meaning::Withdrawn)?,
        effective_at: None,
        note: Some(note),
    };
    enrolments::say(tx, author, id, &said, now)
}
