//! The school: people, sections, enrolments, assessments and grades. The rules live here; no SQL, no HTML.
//!
//! A call goes two steps. [`Call::parse`] takes the parameters apart without looking at the register;
//! [`apply`] holds it against the register and changes it, within a transaction that the caller gives.
//! One file a concern: each has the structs of its methods, their `parse` and their rule.
//!
//! What holds throughout:
//!
//! - A peer sees and changes its own rows alone. Ids are looked up among them, so the same id from
//!   another peer is another row.
//! - A call that says nothing new writes nothing and answers `unchanged`. A peer that merely repeats
//!   its last word says nothing new: what an administrator has decided since then stands.
//! - Nothing is erased. What was removed comes back when it is sent again.

mod assessments;
mod by_hand;
mod call;
mod enrolments;
mod error;
mod fields;
mod grades;
pub mod imports;
pub mod remote;
mod sections;
mod service;
pub mod spreadsheet;
mod users;

pub use assessments::{AssessmentChanges, NewAssessment, RemoveAssessment, UpdateAssessment};
pub use by_hand::{
    HandMadeAssessment, HandMadePerson, HandMadeSection, change_assessment, change_person,
    change_section, enrol, enter_grade, make_assessment, make_person, make_section,
    mark_enrolment_in_error, mark_grade_in_error, remove_assessment, remove_person, remove_section,
    set_enrolment_status, set_school_status, set_teacher, typed_number,
};
pub use call::Call;
pub use enrolments::{DropEnrolment, NewEnrolment, Place};
pub use error::RegisterError;
pub use fields::{
    Change, MAX_ATTEMPT, MAX_EMAIL, MAX_ID, MAX_LIST, MAX_NAME, MAX_NOTE, MAX_POINTS, MAX_USERNAME,
};
pub use grades::{NewGrade, RemoveGrade};
pub use sections::{NewSection, ONGOING, RemoveSection, SectionChanges, UpdateSection, teaches};
pub use service::SERVICE;
pub use users::{FetchUser, RemoveUser, UpdateUser, UserKey, UserRecord, take_up_visitor};

pub use crate::store::Author;

use crate::clock::UnixTime;
use crate::store::WriteTx;
use crate::xmlrpc::{Struct, Value};

/// What a call did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// A new row.
    Created,
    /// A row that was there changed.
    Updated,
    /// The register said the same already; nothing was written.
    Unchanged,
}

impl Status {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The answer to every call: struct {status, id}.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What the call did.
    pub status: Status,
    /// Our row number of what it was about.
    pub id: i64,
}

impl Reply {
    /// The answer about a row that was there.
    fn changed_if(changed: bool, id: i64) -> Self {
        let status = if changed {
            Status::Updated
        } else {
            Status::Unchanged
        };
        Self { status, id }
    }
}

impl From<Reply> for Value {
    fn from(reply: Reply) -> Self {
        Struct::with_capacity(2)
            .with("status", reply.status.as_str())
            .with("id", reply.id)
            .into()
    }
}

/// Does what `call` says, in the name of `author`.
///
/// A call that is refused ([`RegisterError::code`] has its fault) has written nothing, so the others of
/// a multicall go on without a savepoint for each. After a [`RegisterError::Store`] the transaction
/// may hold a part of it, and has to be given up.
///
/// # Errors
/// Where the call cannot be done ([`RegisterError::code`] has the fault), or the database fails.
pub fn apply(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &Call,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    match call {
        Call::FetchUser(call) => users::fetch(tx, author, call, now),
        Call::UpdateUser(call) => users::update(tx, author, call, now),
        Call::RemoveUser(call) => users::remove(tx, author, call, now),
        Call::NewSection(call) => sections::new(tx, author, call, now),
        Call::UpdateSection(call) => sections::update(tx, author, call, now),
        Call::RemoveSection(call) => sections::remove(tx, author, call, now),
        Call::NewEnrolment(call) => enrolments::new(tx, author, call, now),
        Call::DropEnrolment(call) => enrolments::drop(tx, author, call, now),
        Call::NewAssessment(call) => assessments::new(tx, author, call, now),
        Call::UpdateAssessment(call) => assessments::update(tx, author, call, now),
        Call::RemoveAssessment(call) => assessments::remove(tx, author, call, now),
        Call::NewGrade(call) => grades::new(tx, author, call, None, now),
        Call::RemoveGrade(call) => grades::remove(tx, author, call, None, now),
    }
}

/// Does what `call` says where it comes of a list of what a peer has, and not of something that happened
/// there. That an enrolment is on the list again is no news, whatever its date; `note` says where a change
/// comes from, in the histories that have room for it.
///
/// # Errors
/// As [`apply`].
pub fn apply_listed(
    tx: &WriteTx<'_>,
    author: &Author,
    call: &Call,
    note: &str,
    now: UnixTime,
) -> Result<Reply, RegisterError> {
    match call {
        Call::NewEnrolment(call) => enrolments::listed(tx, author, call, note, now),
        Call::NewGrade(call) => grades::new(tx, author, call, Some(note), now),
        Call::RemoveGrade(call) => grades::remove(tx, author, call, Some(note), now),
        call => apply(tx, author, call, now),
    }
}
