//! Why a synchronisation cannot be done, in words for the administrator here.

use thiserror::Error;

use crate::clock::UnixTime;
use crate::peer::{CallError, Peer, PeerError};
use crate::store::StoreError;
use crate::store::syncs::Run;
use crate::wwwroot::Wwwroot;

/// Fault by which a peer says that a method is not published to us.
const FAULT_NOT_PUBLISHED: i32 = 707;

/// Why a synchronisation was not begun, or came to no end.
#[derive(Debug, Error)]
pub enum SyncError {
    /// The peer lists no such functions: Moodle lists what it publishes to us, and nothing else.
    #[error(
        "{peer} does not offer what a synchronisation asks for ({}): either the plugin local_mnetd is not installed there, or is too old; or it does not publish the service register to us: in Moodle, Site administration > Networking > Manage peers > this site > Services, tick Publish for it. After that, try again",
        .missing.join(", ")
    )]
    NotOffered {
        /// Who.
        peer: Wwwroot,
        /// The functions that are not listed.
        missing: Vec<&'static str>,
    },
    /// Fault 707.
    #[error(
        "{peer} does not publish the service register to us (fault {FAULT_NOT_PUBLISHED}): in Moodle, Site administration > Networking > Manage peers > this site > Services, tick Publish for it"
    )]
    NotPublished {
        /// Who.
        peer: Wwwroot,
    },
    /// A call that failed.
    #[error(transparent)]
    Call(CallError),
    /// An answer that is no page of a list.
    #[error(
        "{peer} answered {function} with {problem}. The plugin there and this mnetd do not fit together: update the older of the two"
    )]
    Answer {
        /// Who.
        peer: Wwwroot,
        /// To what.
        function: &'static str,
        /// What is wrong with it, and what was expected.
        problem: String,
    },
    /// A list without an end.
    #[error(
        "{peer} answered {function} with a page that was there before: its list has no end. Nothing was removed here; tell the makers of the plugin there"
    )]
    Circle {
        /// Who.
        peer: Wwwroot,
        /// Which list.
        function: &'static str,
    },
    /// More pages than any school needs.
    #[error(
        "{peer} answered {function} with more than {most} pages: this is no list of a school. Nothing was removed here"
    )]
    Endless {
        /// Who.
        peer: Wwwroot,
        /// Which list.
        function: &'static str,
        /// The limit.
        most: usize,
    },
    /// Another run is under way.
    #[error(
        "{peer} is being synchronised already, since {started_at}, as {asked_by} asked for ({phase}, {read} rows read). Wait for it to end"
    )]
    Running {
        /// Who.
        peer: Wwwroot,
        /// Since when.
        started_at: UnixTime,
        /// Who wanted it.
        asked_by: String,
        /// What it is at.
        phase: String,
        /// How far it is.
        read: i64,
    },
    /// Another process took this run for dead.
    #[error(
        "the synchronisation of {0} was given up: it was not heard of for minutes, so that another process took it for dead. Was this machine asleep? Start it again"
    )]
    TakenOver(Wwwroot),
    /// It was told to stop.
    #[error(
        "the synchronisation of {0} was stopped before its end. What was read until then is in the register, nothing was removed; the next one does the rest"
    )]
    Stopped(Wwwroot),
    /// A section that is not in the register, or removed.
    #[error(
        "{peer} has sent no section {section} that is in use here. mnetd register sections lists them with their ids; a whole synchronisation brings new ones: mnetd sync {peer}"
    )]
    UnknownSection {
        /// Whose.
        peer: Wwwroot,
        /// As given.
        section: String,
    },
    /// The place for a rehearsal.
    #[error(
        "{path} could not be made or used: {source}. --dry-run works on a copy of the register, for which there has to be room in the data directory"
    )]
    Rehearsal {
        /// Where.
        path: std::path::PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A stored peer is damaged.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SyncError {
    pub(super) fn from_call(error: CallError) -> Self {
        match error {
            CallError::Fault {
                peer,
                code: FAULT_NOT_PUBLISHED,
                ..
            } => Self::NotPublished { peer },
            CallError::Store(error) => Self::Store(error),
            error => Self::Call(error),
        }
    }

    pub(super) fn running(peer: &Peer, run: Run) -> Self {
        Self::Running {
            peer: peer.wwwroot.clone(),
            started_at: run.started_at,
            asked_by: run.asked_by,
            phase: run.phase,
            read: run.read,
        }
    }
}
