//! What can go wrong between us and a peer's courses, by what an administrator can do about it.

use thiserror::Error;

use crate::peer::{CallError, Peer};
use crate::store::StoreError;
use crate::store::peer_courses::PeerCourse;
use crate::wwwroot::Wwwroot;

/// Fault of a peer that does not publish the service to us: MNet's own.
const NOT_PUBLISHED: i32 = 707;

/// Fault of a peer that has no such method for us, or none at all: MNet's own.
const NO_SUCH_METHOD: i32 = 7012;

/// Fault of a peer that has no such course (enrol/mnet/enrol.php).
const NO_SUCH_COURSE: i32 = 5012;

/// Fault of a peer that does not offer the course to us (enrol/mnet/enrol.php).
const NOT_AVAILABLE: i32 = 5013;

/// Fault of a peer that does not know the user (enrol/mnet/enrol.php).
const NO_SUCH_USER: i32 = 5014;

/// Why a peer's courses could not be read, or nobody enrolled there.
#[derive(Debug, Error)]
pub enum EnrolError {
    /// The service is not agreed on, seen from the peer.
    #[error(
        "{0} does not publish remote enrolment (mnet_enrol) to this site. In Moodle: Site administration > Networking > Manage peers > this site > Services, tick Publish at Remote enrolment service; and Site administration > Plugins > Enrolments, enable MNet remote enrolments"
    )]
    NotPublished(Wwwroot),
    /// The peer does not offer the course, or no longer.
    #[error(
        "{peer} does not offer the course “{course}” for remote enrolment. In Moodle: that course > Participants > Enrolment methods, add MNet remote enrolments for this site; then, here: mnetd enrol courses {peer}"
    )]
    NotOffered {
        /// Whose course.
        peer: Wwwroot,
        /// Its name.
        course: String,
    },
    /// A course that is not known here.
    #[error(
        "{peer} has no course {remote_id} as far as is known here; ask for its courses with: mnetd enrol courses {peer}"
    )]
    UnknownCourse {
        /// Whose course.
        peer: Wwwroot,
        /// The id that was given.
        remote_id: String,
    },
    /// The peer has nobody of that name of ours.
    #[error("{0} knows no such user of this site, so there is no enrolment to end")]
    UnknownThere(Wwwroot),
    /// An account that is not in use.
    #[error("the account {0} is disabled; enable it before enrolling it anywhere")]
    Disabled(String),
    /// An enrolment the peer made itself.
    #[error(
        "{username} was enrolled in “{course}” by {peer} itself; only an administrator or teacher there can end that"
    )]
    TheirOwn {
        /// Whose course.
        peer: Wwwroot,
        /// Who.
        username: String,
        /// The course's name.
        course: String,
    },
    /// An answer that is none.
    #[error("{peer} answered {function} with {problem}")]
    Answer {
        /// Who.
        peer: Wwwroot,
        /// What was called.
        function: &'static str,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
    /// The call itself.
    #[error(transparent)]
    Call(CallError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl EnrolError {
    pub(super) fn not_offered(peer: &Peer, course: &PeerCourse) -> Self {
        Self::NotOffered {
            peer: peer.wwwroot.clone(),
            course: course.fields.fullname.clone(),
        }
    }

    pub(super) fn from_call(error: CallError) -> Self {
        match error {
            CallError::Fault {
                peer,
                code: NOT_PUBLISHED | NO_SUCH_METHOD,
                ..
            } => Self::NotPublished(peer),
            error => Self::Call(error),
        }
    }

    /// What a fault means that came of a call about `course`.
    pub(super) fn about(self, course: &PeerCourse) -> Self {
        match self {
            Self::Call(CallError::Fault {
                peer,
                code: NO_SUCH_COURSE | NOT_AVAILABLE,
                ..
            }) => Self::NotOffered {
                peer,
                course: course.fields.fullname.clone(),
            },
            Self::Call(CallError::Fault {
                peer,
                code: NO_SUCH_USER,
                ..
            }) => Self::UnknownThere(peer),
            error => error,
        }
    }
}
