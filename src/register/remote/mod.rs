//! Remote enrolment, served: what a peer sees of the sections offered to it, and how it enrols its
//! users there (docs/protocol.md, Remote enrolment). Courses go by our row number of the section.
//!
//! A peer sees and changes people and enrolments of its own alone. A user it enrols is one of its people,
//! by the same rules as if it had sent `fetch_user`; the enrolment is the peer's, as student.

mod service;

use thiserror::Error;

pub use service::SERVICE;

use super::enrolments::{Place, change, enrol_actively, first_status};
use super::error::RegisterError;
use super::fields::{MAX_USERNAME, shown};
use super::users::UserRecord;
use super::{Reply, Status, enrolments::Said, users};
use crate::clock::UnixTime;
use crate::store::enrolments::{self, EnrolmentFilter, ListedEnrolment, Role};
use crate::store::offers::{self, Offer};
use crate::store::people::{self, Person};
use crate::store::statuses::Meaning;
use crate::store::{
    Author, Extra, MAX_PAGE, Page, PeerId, PersonId, ReadTx, SectionId, StoreError, WriteTx,
    sections,
};
use crate::xmlrpc::Value;

/// Entries in one answer, courses or enrolments: some 5 MB of XML, which is more than any school
/// offers, and what a peer's own limits still let through.
pub const MAX_ENTRIES: usize = 10_000;

/// Why a peer's call about remote enrolment is refused, with Moodle's own codes
/// (enrol/mnet/enrol.php) where it has one.
#[derive(Debug, Clone, Error)]
pub enum RemoteEnrolmentError {
    /// No username, or none that can be one.
    #[error(
        "the user has no username; expected a struct with username, firstname, lastname and email"
    )]
    NoUsername,
    /// The user cannot be taken up.
    #[error("the user cannot be taken up: {0}")]
    User(RegisterError),
    /// No such section.
    #[error(
        "the mnetd that was called has no course {0}; available_courses names those that it offers to the caller"
    )]
    UnknownCourse(String),
    /// A section that is not offered to the peer.
    #[error(
        "the mnetd that was called does not offer the course {0} to the caller; its administrator can offer it with: mnetd section offer {0} --peer URL"
    )]
    NotOffered(SectionId),
    /// A user the peer has not sent.
    #[error("the mnetd that was called knows no user {0} of the caller")]
    UnknownUser(String),
    /// An administrator has decided otherwise.
    #[error(
        "{username} was taken out of the course {section} by an administrator of the mnetd that was called; only one can bring {username} back"
    )]
    Overruled {
        /// Who, in the peer's spelling.
        username: String,
        /// Where.
        section: SectionId,
    },
    /// An enrolment that could not be changed.
    #[error("the enrolment could not be changed: {0}")]
    Enrolment(RegisterError),
    /// More than one answer holds.
    #[error("there are more than {MAX_ENTRIES} entries; ask for one course with course_enrolments")]
    TooMany,
    /// Ours: nothing the peer can put right.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RemoteEnrolmentError {
    /// The fault code on the wire; `None` where the fault is not in the call but ours.
    #[must_use]
    pub const fn code(&self) -> Option<i32> {
        match self {
            Self::User(RegisterError::Store(_))
            | Self::Enrolment(RegisterError::Store(_))
            | Self::Store(_) => None,
            Self::User(_) => Some(5011),
            Self::UnknownCourse(_) => Some(5012),
            Self::NotOffered(_) => Some(5013),
            Self::UnknownUser(_) => Some(5014),
            Self::Overruled { .. } | Self::Enrolment(_) => Some(5019),
            Self::NoUsername => Some(5021),
            // The register's own, for Moodle has none.
            Self::TooMany => Some(8002),
        }
    }
}

/// A user as a peer hands one over to be enrolled.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteUser {
    username: String,
    /// All that the register needs; else what is missing or wrong.
    record: Result<UserRecord, Lack>,
}

/// What a user's record lacks.
#[derive(Clone, Debug)]
struct Lack(RegisterError);

impl PartialEq for Lack {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

impl RemoteUser {
    /// Reads the first parameter of `enrol_user`.
    ///
    /// # Errors
    /// [`RemoteEnrolmentError::NoUsername`]; [`RemoteEnrolmentError::User`] where a field is of the
    /// wrong type or beyond its bounds. That one is missing may not matter, for the user may be known.
    pub fn parse(value: &Value) -> Result<Self, RemoteEnrolmentError> {
        let username = value
            .get("username")
            .and_then(Value::to_text)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
            .ok_or(RemoteEnrolmentError::NoUsername)?;
        let record = match UserRecord::from_value(value) {
            Ok(record) => Ok(record),
            Err(error @ RegisterError::Missing { .. }) => Err(Lack(error)),
            Err(error) => return Err(RemoteEnrolmentError::User(error)),
        };
        Ok(Self { username, record })
    }
}

/// The sections offered to a peer.
///
/// # Errors
/// [`RemoteEnrolmentError::TooMany`], or when the database fails.
pub fn available(tx: &ReadTx<'_>, peer: PeerId) -> Result<Vec<Offer>, RemoteEnrolmentError> {
    whole(
        |page| offers::to_peer(tx, peer, page),
        |offer| offer.section.id.0,
    )
}

/// The people of a peer who are in a section at present, by whomever they were enrolled; none where the
/// section is not offered to the peer.
///
/// # Errors
/// [`RemoteEnrolmentError::TooMany`], or when the database fails.
pub fn enrolled_in(
    tx: &ReadTx<'_>,
    peer: PeerId,
    section: SectionId,
    now: UnixTime,
) -> Result<Vec<ListedEnrolment>, RemoteEnrolmentError> {
    if !offers::is_offered(tx, section, peer)? {
        return Ok(Vec::new());
    }
    let filter = EnrolmentFilter {
        section: Some(section),
        person_peer: Some(peer),
        meaning: Some(Meaning::Active),
        ..EnrolmentFilter::default()
    };
    whole(
        |page| enrolments::list(tx, &filter, now, page),
        |row| row.id.0,
    )
}

/// The people of a peer in every section that is offered to it.
///
/// # Errors
/// [`RemoteEnrolmentError::TooMany`], or when the database fails.
pub fn enrolled(
    tx: &ReadTx<'_>,
    peer: PeerId,
    now: UnixTime,
) -> Result<Vec<ListedEnrolment>, RemoteEnrolmentError> {
    let mut found = Vec::new();
    for offer in available(tx, peer)? {
        found.extend(enrolled_in(tx, peer, offer.section.id, now)?);
        if found.len() > MAX_ENTRIES {
            return Err(RemoteEnrolmentError::TooMany);
        }
    }
    Ok(found)
}

/// `enrol_user`: the user is one of the peer's people, and a student in the section.
///
/// # Errors
/// Where the section is not offered to the peer or the user cannot be taken up. Nothing is then kept,
/// provided the transaction is undone to where this began.
pub fn enrol_user(
    tx: &WriteTx<'_>,
    peer: PeerId,
    user: &RemoteUser,
    courseid: &Value,
    now: UnixTime,
) -> Result<Reply, RemoteEnrolmentError> {
    let section = offered(tx, peer, courseid)?;
    let author = Author::Peer { id: peer };
    let person = take_up(tx, peer, user, now)?;
    let place = Place {
        section,
        person,
        role: Role::Student,
    };
    let reply = enrol_actively(tx, &author, place, now).map_err(RemoteEnrolmentError::Enrolment)?;
    let id = crate::store::EnrolmentId(reply.id);
    let standing = enrolments::standing_at(tx, id, now)?;
    let in_error = enrolments::get(tx, id)?.is_some_and(|row| row.in_error_at.is_some());
    if in_error || standing.is_some_and(|standing| standing.meaning.ends()) {
        return Err(RemoteEnrolmentError::Overruled {
            username: user.username.clone(),
            section,
        });
    }
    Ok(reply)
}

/// `unenrol_user`: ends the peer's own enrolment of one of its people as student, where there is one.
/// What was entered here by hand stays.
///
/// # Errors
/// Where the section is not offered to the peer, or it has no such user.
pub fn unenrol_user(
    tx: &WriteTx<'_>,
    peer: PeerId,
    username: &str,
    courseid: &Value,
    now: UnixTime,
) -> Result<Status, RemoteEnrolmentError> {
    let person = known(tx, peer, username)?
        .ok_or_else(|| RemoteEnrolmentError::UnknownUser(shown(username)))?;
    let section = offered(tx, peer, courseid)?;
    let own = enrolments::find(tx, Some(peer), section, person.id, Role::Student)?;
    let Some(enrolment) = own.filter(|row| row.removed_at.is_none()) else {
        return Ok(Status::Unchanged);
    };
    let said = first_status(tx, Meaning::Withdrawn).map(|status| Said {
        status,
        effective_at: None,
        note: None,
    });
    let author = Author::Peer { id: peer };
    let reply =
        said.and_then(|said| change(tx, &author, &enrolment, &said, &Extra::default(), now));
    Ok(reply.map_err(RemoteEnrolmentError::Enrolment)?.status)
}

/// The section that a peer means, where it is offered to the peer.
fn offered(
    tx: &ReadTx<'_>,
    peer: PeerId,
    courseid: &Value,
) -> Result<SectionId, RemoteEnrolmentError> {
    let unknown = || {
        let text = courseid.to_text().unwrap_or_default();
        RemoteEnrolmentError::UnknownCourse(shown(&text))
    };
    let section = SectionId(courseid.to_integer().ok_or_else(unknown)?);
    if offers::is_offered(tx, section, peer)? {
        return Ok(section);
    }
    match sections::get(tx, section)? {
        Some(row) if row.removed_at.is_none() => Err(RemoteEnrolmentError::NotOffered(section)),
        _ => Err(unknown()),
    }
}

/// The peer's person that a user is: taken up or brought up to date where all of the record is there,
/// else the one of that username.
fn take_up(
    tx: &WriteTx<'_>,
    peer: PeerId,
    user: &RemoteUser,
    now: UnixTime,
) -> Result<PersonId, RemoteEnrolmentError> {
    match &user.record {
        Ok(record) => {
            users::take_up_visitor(tx, peer, record, now).map_err(RemoteEnrolmentError::User)
        }
        Err(lack) => match known(tx, peer, &user.username)? {
            Some(person) => Ok(person.id),
            None => Err(RemoteEnrolmentError::User(lack.0.clone())),
        },
    }
}

/// The peer's person of that username, in the peer's spelling.
fn known(
    tx: &ReadTx<'_>,
    peer: PeerId,
    username: &str,
) -> Result<Option<Person>, RemoteEnrolmentError> {
    if username.chars().count() > MAX_USERNAME {
        return Ok(None);
    }
    let person = people::by_sent_username(tx, Some(peer), username)?;
    Ok(person.filter(|person| person.removed_at.is_none()))
}

/// Every row of a list.
fn whole<T>(
    read: impl Fn(Page) -> Result<Vec<T>, StoreError>,
    number: impl Fn(&T) -> i64,
) -> Result<Vec<T>, RemoteEnrolmentError> {
    let mut page = Page {
        after: None,
        limit: MAX_PAGE,
    };
    let mut rows = Vec::new();
    loop {
        let read = read(page)?;
        let Some(last) = read.last().map(&number) else {
            return Ok(rows);
        };
        rows.extend(read);
        if rows.len() > MAX_ENTRIES {
            return Err(RemoteEnrolmentError::TooMany);
        }
        page = page.following(last);
    }
}
