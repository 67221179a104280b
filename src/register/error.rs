//! Why the register refuses a call.

use thiserror::Error;

use crate::store::StoreError;

/// What is wrong with a call, each with the fault code that the peer gets (docs/register.md). The text is for
/// the peer's administrator: it names the field, what came and what was expected.
#[derive(Debug, Clone, Error)]
pub enum RegisterError {
    /// The call has no argument, or a field that must be there is not, or is empty.
    #[error("the field “{field}” is missing or empty; expected {expected}")]
    Missing {
        /// The field, by its name on the wire.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// A field holds something of another kind, or beyond its bounds.
    #[error("the field “{field}” is {found}; expected {expected}")]
    Wrong {
        /// The field, by its name on the wire.
        field: &'static str,
        /// What came, shortened.
        found: String,
        /// What belongs there.
        expected: String,
    },
    /// A user the peer has not sent.
    #[error("unknown user: “{field}” names {userid}, who has not been sent; send fetch_user first")]
    UnknownUser {
        /// The field that names the user.
        field: &'static str,
        /// The id it holds.
        userid: String,
    },
    /// A user who was removed.
    #[error("unknown user: “{field}” names {userid}, who was removed; send fetch_user again first")]
    RemovedUser {
        /// The field that names the user.
        field: &'static str,
        /// The id it holds.
        userid: String,
    },
    /// A visitor with the id of another user of the same peer.
    #[error(
        "the ID number {idnumber} belongs to another user of that site here; expected the user's own ID number, or none"
    )]
    IdOfAnother {
        /// The id.
        idnumber: String,
    },
    /// A visitor known by the username with another id.
    #[error(
        "the user of that name has the ID number {known} here, not {found}; if the user was given a new one, it first has to arrive with update_user or fetch_user"
    )]
    OtherId {
        /// The id that came.
        found: String,
        /// The id the register knows.
        known: String,
    },
    /// A user who is not in that section, in that role.
    #[error("user {userid} is not in section {sectionid} as a {role}; send new_enrolment first")]
    NotEnrolled {
        /// The user.
        userid: String,
        /// The section.
        sectionid: String,
        /// The role.
        role: &'static str,
    },
    /// A section the peer has not sent.
    #[error(
        "unknown section: “{field}” names {sectionid}, which has not been sent; send new_section first"
    )]
    UnknownSection {
        /// The field that names the section.
        field: &'static str,
        /// The id it holds.
        sectionid: String,
    },
    /// A section that was removed.
    #[error(
        "unknown section: “{field}” names {sectionid}, which was removed; send new_section again first"
    )]
    RemovedSection {
        /// The field that names the section.
        field: &'static str,
        /// The id it holds.
        sectionid: String,
    },
    /// An assessment the peer has not sent.
    #[error(
        "unknown assessment: “{field}” names {assessmentid}, which has not been sent; send new_assessment first"
    )]
    UnknownAssessment {
        /// The field that names the assessment.
        field: &'static str,
        /// The id it holds.
        assessmentid: String,
    },
    /// An assessment that was removed.
    #[error(
        "unknown assessment: “{field}” names {assessmentid}, which was removed; send new_assessment again first"
    )]
    RemovedAssessment {
        /// The field that names the assessment.
        field: &'static str,
        /// The id it holds.
        assessmentid: String,
    },
    /// A grade that never was.
    #[error("user {userid} has no grade in assessment {assessmentid}; there is nothing to remove")]
    UnknownGrade {
        /// The user.
        userid: String,
        /// The assessment.
        assessmentid: String,
    },
    /// A row that was made here by hand or by an import. Rows of other peers are never seen at all: their
    /// ids are other ids.
    #[error(
        "the {row} “{field}” names, {id}, was made by hand in the register and is not the caller's; only an administrator there can change it"
    )]
    NotYours {
        /// What it is: a user, a section and so on.
        row: &'static str,
        /// The field that names it.
        field: &'static str,
        /// The id it holds.
        id: String,
    },
    /// A row that a peer has sent, and that follows it.
    #[error(
        "the {row} “{id}” was sent by a peer and follows it: change it there, and it changes here"
    )]
    PeersOwn {
        /// What it is.
        row: &'static str,
        /// Its name.
        id: String,
    },
    /// A role other than student and teacher.
    #[error("the role “{found}” is not supported; expected student or teacher")]
    Role {
        /// What came, shortened.
        found: String,
    },
    /// Ours: nothing the peer can put right.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegisterError {
    /// The fault code on the wire; `None` where the fault is not in the call but ours.
    #[must_use]
    pub const fn code(&self) -> Option<i32> {
        match self {
            Self::Missing { .. } => Some(8001),
            Self::Wrong { .. } | Self::IdOfAnother { .. } | Self::OtherId { .. } => Some(8002),
            Self::UnknownUser { .. } | Self::RemovedUser { .. } | Self::NotEnrolled { .. } => {
                Some(8003)
            }
            Self::UnknownSection { .. } | Self::RemovedSection { .. } => Some(8004),
            Self::UnknownAssessment { .. }
            | Self::RemovedAssessment { .. }
            | Self::UnknownGrade { .. } => Some(8005),
            Self::NotYours { .. } | Self::PeersOwn { .. } => Some(8006),
            Self::Role { .. } => Some(8007),
            Self::Store(_) => None,
        }
    }

    /// The id of a user who would have to be sent first, where that is all that is wrong.
    #[must_use]
    pub fn wanted_user(&self) -> Option<&str> {
        match self {
            Self::UnknownUser { userid, .. } => Some(userid),
            _ => None,
        }
    }
}
