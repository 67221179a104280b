//! Who is in which section: `new_enrolment`, `drop_enrolment`.

use super::error::RegisterError;
use super::fields::{Fields, MAX_NAME, MAX_NOTE, shown};
use super::{Reply, Status, sections, users};
use crate::clock::UnixTime;
use crate::store::enrolments::{
    self, Enrolment, EnrolmentChange, FirstStatus, NewChange, NewEnrolment as NewRow, Role,
    Standing,
};
use crate::store::statuses::{self, Meaning, Scope};
use crate::store::{Author, EnrolmentId, Extra, PersonId, SectionId, StatusId, WriteTx};

/// `new_enrolment`: somebody is in a section.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEnrolment {
    /// The peer's id of the section.
    pub sectionid: String,
    /// The peer's id of the user.
    pub userid: String,
    /// As what.
    pub role: Role,
    /// From when; may lie ahead. `None`: from now.
    pub effective_at: Option<UnixTime>,
    /// Everything else.
    pub extra: Extra,
}

/// `drop_enrolment`: somebody is no longer in a section.
#[derive(Clone, Debug, PartialEq)]
pub struct DropEnrolment {
    /// The peer's id of the section.
    pub sectionid: String,
    /// The peer's id of the user.
    pub userid: String,
    /// As what the user was there.
    pub role: Role,
    /// The status it ends with: a code, a title or a meaning. `None`: withdrawn.
    pub status: Option<String>,
    /// Why.
    pub note: Option<String>,
    /// From when; may lie ahead. `None`: from now.
    pub effective_at: Option<UnixTime>,
    /// Everything else.
    pub extra: Extra,
}

impl NewEnrolment {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            sectionid: fields.required_id(&["sectionid"])?,
            userid: fields.required_id(&["userid"])?,
            role: parse_role(fields)?,
            effective_at: fields.moment("effective_at")?,
            extra: fields.rest()?,
        })
    }
}

impl DropEnrolment {
    pub(super) fn parse(fields: &mut Fields<'_>) -> Result<Self, RegisterError> {
        Ok(Self {
            sectionid: fields.required_id(&["sectionid"])?,
            userid: fields.required_id(&["userid"])?,
            role: parse_role(fields)?,
            status: fields.text("status", MAX_NAME)?.laid_over(None),
            note: fields.text("note", MAX_NOTE)?.laid_over(None),
            effective_at: fields.moment("effective_at")?,
            extra: fields.rest()?,
        })
    }
}

fn parse_role(fields: &mut Fields<'_>) -> Result<Role, RegisterError> {
    let word = fields.required_text("role", MAX_NAME)?;
    Role::from_word(&word).ok_or_else(|| RegisterError::Role {
        found: word.chars().take(super::fields::SHOWN).collect(),
    })
}

/// A status that somebody gives an enrolment.
pub(super) struct Said<'a> {
    pub(super) status: StatusId,
    pub(super) effective_at: Option<UnixTime>,
    pub(super) note: Option<&'a str>,
}

pub(super) fn new(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &NewEnrolment,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    let section = sections::in_use(tx, owner, "sectionid", &call.sectionid)?;
    let person = users::referred(tx, owner, "userid", &call.userid)?;
    let said = Said {
        status: first_status(tx, Meaning::Active)?,
        effective_at: call.effective_at,
        note: None,
    };
    let place = Place {
        section: section.id,
        person,
        role: call.role,
    };
    enrol(tx, author, place, &said, &call.extra, now)
}

/// An enrolment that a peer lists as going on, or about to: `effective_at` says since when, not that
/// something is to change. Where the peer's own words have it going on already, nothing is said; where they
/// have ended it, or never begun it, it is news.
pub(super) fn listed(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &NewEnrolment,
    note: &str,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    let found = enrolments::place(tx, owner, &call.sectionid, &call.userid, call.role)?;
    let (place, known) = match (found.section, found.person) {
        (Some((section, false)), Some(person)) if !person.removed => {
            let place = Place {
                section,
                person: person.id,
                role: call.role,
            };
            (place, found.enrolment)
        }
        // Something is missing; or the user has no id, and goes by the username.
        _ => {
            let place = Place {
                section: sections::in_use(tx, owner, "sectionid", &call.sectionid)?.id,
                person: users::referred(tx, owner, "userid", &call.userid)?,
                role: call.role,
            };
            let known = enrolments::find(tx, owner, place.section, place.person, place.role)?;
            (place, known)
        }
    };
    let Some(known) = known else {
        let said = Said {
            status: first_status(tx, Meaning::Active)?,
            effective_at: call.effective_at,
            note: Some(note),
        };
        return enrol(tx, author, place, &said, &call.extra, now);
    };
    let news = listed_anew(tx, author, known.id, call.effective_at, now)?;
    let status = match news {
        Some(_) => Some(first_status(tx, Meaning::Active)?),
        None => None,
    };
    let mut changed = bring_back(tx, author, &known, &call.extra, now)?;
    if let (Some(effective_at), Some(status)) = (news, status) {
        let said = Said {
            status,
            effective_at: Some(effective_at),
            note: Some(note),
        };
        add(tx, author, known.id, &said, effective_at, now)?;
        changed = true;
    }
    Ok(Reply::changed_if(changed, known.id.0))
}

/// From when an enrolment that is listed is active, where that is news.
fn listed_anew(
    tx: &WriteTx<'_>,
    author: &Author,
    id: EnrolmentId,
    begins: Option<UnixTime>,
    now: UnixTime,
) -> Result<Option<UnixTime>, RegisterError> {
    let own = enrolments::own_word_at(tx, id, author, now)?;
    if own.is_some_and(|own| !own.meaning.ends()) {
        return Ok(None);
    }
    let begins = begins.unwrap_or(now);
    if begins > now {
        let planned = enrolments::word_for(tx, id, author, begins)?;
        let is_planned = planned.is_some_and(|planned| !planned.meaning.ends());
        return Ok((!is_planned).then_some(begins));
    }
    let standing = enrolments::standing_at(tx, id, now)?;
    // Whatever was said since it is said to have begun would still have the word.
    let is_overruled = standing.is_some_and(|standing| standing.effective_at >= begins);
    Ok(Some(if is_overruled { now } else { begins }))
}

/// Who is to be in which section, as what.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The section.
    pub section: SectionId,
    /// The person.
    pub person: PersonId,
    /// As what.
    pub role: Role,
}

/// Makes an enrolment of the author's active from now on, whether there was one or not.
pub(super) fn enrol_actively(
    tx: &WriteTx<'_>,
    author: &Author,
    place: Place,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let said = Said {
        status: first_status(tx, Meaning::Active)?,
        effective_at: None,
        note: None,
    };
    enrol(tx, author, place, &said, &Extra::default(), now)
}

/// Enrols somebody, or says something new of an enrolment that is there.
pub(super) fn enrol(
    tx: &WriteTx<'_>,
    author: &Author,
    place: Place,
    said: &Said<'_>,
    extra: &Extra,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    let Place {
        section,
        person,
        role,
    } = place;
    if let Some(enrolment) = enrolments::find(tx, owner, section, person, role)? {
        return change(tx, author, &enrolment, said, extra, now);
    }
    let begins = said.effective_at.unwrap_or(now);
    let row = NewRow {
        owner,
        section,
        person,
        role,
        status: if begins > now {
            first_status(tx, Meaning::Pending)?
        } else {
            said.status
        },
        extra,
    };
    let first = FirstStatus {
        status: said.status,
        effective_at: begins,
        note: said.note,
    };
    let id = enrolments::insert_with_status(tx, &row, &first, author, now)?;
    Ok(Reply {
        status: Status::Created,
        id: id.0,
    })
}

pub(super) fn drop(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &DropEnrolment,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let owner = author.owner();
    let section = sections::in_use(tx, owner, "sectionid", &call.sectionid)?;
    let person = users::referred(tx, owner, "userid", &call.userid)?;
    let Some(enrolment) = enrolments::find(tx, owner, section.id, person, call.role)? else {
        let by_hand = enrolments::find(tx, None, section.id, person, call.role)?;
        return Err(not_there(call, by_hand.is_some()));
    };
    let said = Said {
        status: ending_status(tx, call.status.as_deref())?,
        effective_at: call.effective_at,
        note: call.note.as_deref(),
    };
    change(tx, author, &enrolment, &said, &call.extra, now)
}

fn not_there(call: &DropEnrolment, by_hand: bool) -> RegisterError {
    if by_hand {
        RegisterError::NotYours {
            row: "enrolment",
            field: "userid",
            id: call.userid.clone(),
        }
    } else {
        RegisterError::NotEnrolled {
            userid: call.userid.clone(),
            sectionid: call.sectionid.clone(),
            role: call.role.as_str(),
        }
    }
}

pub(super) fn change(
    tx: &WriteTx<'_>,
    author: &Author,
    enrolment: &Enrolment,
    said: &Said<'_>,
    extra: &Extra,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    let mut changed = bring_back(tx, author, enrolment, extra, now)?;
    changed |= say(tx, author, enrolment.id, said, now)?;
    Ok(Reply::changed_if(changed, enrolment.id.0))
}

/// Takes up an enrolment again that was removed, and what else is said about it; whether anything changed.
fn bring_back(
    tx: &WriteTx<'_>,
    author: &Author,
    enrolment: &Enrolment,
    extra: &Extra,
    now: UnixTime,
) -> Result<bool, RegisterError> {
    let merged = super::fields::overlay(&enrolment.extra, extra)?;
    let mut changed = false;
    if enrolment.removed_at.is_some() {
        let restored = NewChange {
            change: EnrolmentChange::Restored,
            status: None,
            effective_at: now,
            note: None,
        };
        enrolments::add_change(tx, enrolment.id, &restored, author, now)?;
        changed = true;
    }
    if merged != enrolment.extra {
        enrolments::set_extra(tx, enrolment.id, &merged, now)?;
        changed = true;
    }
    Ok(changed)
}

/// Gives an enrolment a status; whether that was news.
///
/// It is none where a peer or an import repeats its own last word, or its own word for that date, or an
/// administrator says what holds already. Without a date it holds from now on
/// for good, so changes that the same author had dated ahead are overruled.
pub(super) fn say(
    tx: &WriteTx<'_>,
    author: &Author,
    id: EnrolmentId,
    said: &Said<'_>,
    now: UnixTime,
) -> Result<bool, RegisterError> {
    let last = match (author, said.effective_at) {
        (Author::Admin { .. }, at) => enrolments::standing_at(tx, id, at.unwrap_or(now))?,
        // A whole history sent again: each of its dated words is known, though not the last.
        (_, Some(at)) => enrolments::word_for(tx, id, author, at)?,
        (_, None) => enrolments::last_word(tx, id, author)?,
    };
    if last.is_some_and(|last| repeats(said, &last, now)) {
        return Ok(false);
    }
    if said.effective_at.is_none() {
        overrule_plans(tx, author, id, said, now)?;
    }
    add(tx, author, id, said, said.effective_at.unwrap_or(now), now)?;
    Ok(true)
}

fn repeats(said: &Said<'_>, last: &Standing, now: UnixTime) -> bool {
    let same_time = match said.effective_at {
        Some(at) => at == last.effective_at,
        None => last.effective_at <= now,
    };
    same_time
        && said.status == last.status
        && said
            .note
            .is_none_or(|note| last.note.as_deref() == Some(note))
}

/// Writes the new status over each moment ahead for which the author had planned another.
fn overrule_plans(
    tx: &WriteTx<'_>,
    author: &Author,
    id: EnrolmentId,
    said: &Said<'_>,
    now: UnixTime,
) -> Result<(), RegisterError> {
    for ahead in enrolments::dated_after(tx, id, author, now)? {
        let planned = enrolments::standing_at(tx, id, ahead)?;
        if planned.is_none_or(|planned| planned.status != said.status) {
            add(tx, author, id, said, ahead, now)?;
        }
    }
    Ok(())
}

fn add(
    tx: &WriteTx<'_>,
    author: &Author,
    id: EnrolmentId,
    said: &Said<'_>,
    effective_at: UnixTime,
    now: UnixTime,
) -> Result<(), RegisterError> {
    let change = NewChange {
        change: EnrolmentChange::Status,
        status: Some(said.status),
        effective_at,
        note: said.note,
    };
    Ok(enrolments::add_change(tx, id, &change, author, now)?)
}

/// The school's first status of that meaning.
pub(super) fn first_status(tx: &WriteTx<'_>, meaning: Meaning) -> Result<StatusId, RegisterError> {
    statuses::first(tx, Scope::Section, meaning)?
        .map(|status| status.id)
        .ok_or_else(|| RegisterError::Wrong {
            field: "status",
            found: format!("“{meaning}”"),
            expected: "a meaning that the school has a status for".to_owned(),
        })
}

fn ending_status(tx: &WriteTx<'_>, word: Option<&str>) -> Result<StatusId, RegisterError> {
    let Some(word) = word else {
        return first_status(tx, Meaning::Withdrawn);
    };
    match statuses::find(tx, Scope::Section, word)? {
        Some(status) if status.meaning.ends() => Ok(status.id),
        _ => {
            let ending: Vec<String> = statuses::list(tx, Scope::Section)?
                .into_iter()
                .filter(|status| status.meaning.ends())
                .map(|status| format!("{} ({})", status.code, status.title))
                .collect();
            Err(RegisterError::Wrong {
                field: "status",
                found: shown(word),
                expected: format!("a status that ends an enrolment: {}", ending.join(", ")),
            })
        }
    }
}
