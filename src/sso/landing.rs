//! Landings: a peer's user comes with a token, the peer says who that is, and a session begins.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tracing::error;

use super::service::IDENTITY_PROVIDER;
use super::session::{self, Browser, SessionError};
use super::{Sso, Token, courses, wantsurl};
use crate::clock::UnixTime;
use crate::peer::{CallError, Peer, PeerError};
use crate::register::{self, RegisterError, UserRecord};
use crate::store::people::{self, Person};
use crate::store::sessions::{self, SessionEnd, SignedIn};
use crate::store::{PeerId, SessionId, StoreError, WriteTx, sign_on};
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::{Struct, Value};

/// How many landings may be under way at once. Each asks a peer and takes a second at most; a class of
/// thirty that starts its lesson fits, and a flood of made-up tokens makes us no amplifier.
pub const MAX_LANDINGS: usize = 32;

/// How many of them may come from one peer, so that one that hangs leaves room for the others. More wait.
pub const MAX_LANDINGS_OF_A_PEER: usize = 8;

/// How long a landing waits for others of its peer. A class of thirty is done within four seconds where
/// each takes one.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a peer may take altogether to say where it has its functions and who came.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// For how many seconds a token that came is remembered. A peer's token is good for half a minute
/// there; Mahara looks at no time at all, so ours has to be long enough to tell every reload.
pub(super) const TOKENS_REMEMBERED: i64 = 3600;

/// The fewest and the most bytes of a token: Moodle's and Mahara's have 40, and `mnet_session.token`
/// holds no more; others may be longer.
const MIN_TOKEN: usize = 8;
const MAX_TOKEN: usize = 128;

/// The most characters of somebody else's text in a message.
const MAX_SHOWN: usize = 200;

/// What the register needs to know, and what it knows a user by.
const IDENTITY: [&str; 5] = ["idnumber", "username", "firstname", "lastname", "email"];

/// What is kept besides where the peer exports it. All else, pictures and descriptions, is nothing a
/// register needs.
const PROFILE: [&str; 6] = [
    "city",
    "country",
    "department",
    "institution",
    "lang",
    "timezone",
];

/// The longest of those, in bytes (Moodle's `user.institution` and `.department` hold 255 characters).
const MAX_PROFILE_FIELD: usize = 1_020;

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
    NotSubscribed(Wwwroot),
    /// No token at all.
    #[error(
        "the link holds no sign-in token; go back to the site you came from and follow its link to this site again"
    )]
    Token,
    /// A token that was used.
    #[error(
        "this link was used already, and each is good once; go back to {0} and follow its link to this site again"
    )]
    Used(Wwwroot),
    /// Too many at once.
    #[error("too many people are being signed in at this moment; try again in some seconds")]
    Busy,
    /// The peer does not vouch.
    #[error(
        "{peer} does not confirm this sign-in ({message}; fault {code}). The link is good once, in the browser it was made for, and for half a minute: go back to {peer} and follow it again"
    )]
    NotConfirmed {
        /// The peer.
        peer: Wwwroot,
        /// Its fault: 1 no such session, 2 timed out, 3 user mismatch.
        code: i32,
        /// Its words.
        message: String,
    },
    /// The peer could not be asked.
    #[error("the site you came from could not be asked who you are: {0}")]
    Call(CallError),
    /// The peer takes too long.
    #[error(
        "{0} did not say within {seconds} seconds who you are; try again in a while, by its link to this site", seconds = ANSWER_TIMEOUT.as_secs()
    )]
    Silent(Wwwroot),
    /// The answer lacks something.
    #[error(
        "{peer} sent no usable account: {reason}. An administrator there opens Networking › Manage peers › this site › Profile fields and exports username, firstname, lastname and email, each filled in and of usual length"
    )]
    Account {
        /// The peer.
        peer: Wwwroot,
        /// What is wrong.
        reason: RegisterError,
    },
    /// The register takes the user for somebody else.
    #[error(
        "you are not signed in, and nothing was changed here: {reason}. People from {peer} are known here by their username. If the ID number there is wrong, an administrator of {peer} sets it right and locks that field; if the user got a new username or ID number there, the register has to be told from there, and an administrator of this site finds both on the page People"
    )]
    NotTheSame {
        /// The peer.
        peer: Wwwroot,
        /// What does not fit.
        reason: RegisterError,
    },
    /// A person who was removed.
    #[error(
        "{peer} has removed the user {username} from the register here, so this user is not signed in. If that was a mistake, an administrator of {peer} sends the user again (fetch_user), and an administrator of this site gives the right to sign in anew"
    )]
    Removed {
        /// The peer.
        peer: Wwwroot,
        /// The username in the peer's spelling.
        username: String,
    },
    /// The answer is no struct.
    #[error("{0} answered with something that is no account")]
    NoAccount(Wwwroot),
    /// The answer speaks for another site.
    #[error("{peer} vouched for a user of {named}; a site speaks for its own users only")]
    OtherSite {
        /// The peer.
        peer: Wwwroot,
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

/// The places for landings under way.
#[derive(Debug)]
pub(super) struct Landings {
    all: Semaphore,
    /// As many as there are peers: others come nowhere near.
    of_peers: Mutex<HashMap<PeerId, Arc<Semaphore>>>,
}

impl Default for Landings {
    fn default() -> Self {
        Self {
            all: Semaphore::new(MAX_LANDINGS),
            of_peers: Mutex::default(),
        }
    }
}

impl Landings {
    fn of_peer(&self, peer: PeerId) -> Arc<Semaphore> {
        let mut of_peers = self.of_peers.lock().unwrap_or_else(PoisonError::into_inner);
        let places = of_peers
            .entry(peer)
            .or_insert_with(|| Arc::new(Semaphore::new(MAX_LANDINGS_OF_A_PEER)));
        Arc::clone(places)
    }
}

impl Sso {
    /// Signs a peer's user in (docs/protocol.md, SSO). The person becomes, or stays, a row of that peer
    /// in the register even where the right to sign in is lacking.
    ///
    /// # Errors
    /// As [`LandError`] says.
    pub async fn land(&self, landing: Landing) -> Result<Landed, LandError> {
        let peer = self.vouching_peer(&landing.idp).await?;
        check_token(&landing.token)?;
        let places = self.shared.landings.of_peer(peer.id);
        let Ok(Ok(_place_of_peer)) = timeout(PATIENCE, places.acquire()).await else {
            return Err(LandError::Busy);
        };
        let _place = self
            .shared
            .landings
            .all
            .try_acquire()
            .map_err(|_| LandError::Busy)?;
        self.use_up(&peer, &landing.token).await?;
        let answer = self.ask(&peer, &landing).await?;
        let user = read_account(&peer, &answer)?;
        let arrived = self.arrive(&peer, user, &landing).await;
        // Otherwise nothing was written, and whoever was signed in before still is.
        let is_over = matches!(arrived, Ok(_) | Err(LandError::NotPermitted { .. }));
        if let Some(before) = landing.before.filter(|_| is_over) {
            self.end_at_peers_later(vec![before]);
        }
        let arrived = arrived?;
        if arrived.is_back {
            self.tell_enrolments_later(peer.clone(), arrived.person);
        }
        let site = if landing.remoteurl {
            &peer.wwwroot
        } else {
            &self.shared.wwwroot
        };
        Ok(Landed {
            token: arrived.token,
            session: arrived.session,
            go_to: wantsurl::within(site, &landing.wantsurl),
            peer,
        })
    }

    /// The peer that `idp` names, letter by letter but for one slash at the end, if its users are taken.
    async fn vouching_peer(&self, idp: &str) -> Result<Peer, LandError> {
        let wwwroot = idp.strip_suffix('/').unwrap_or(idp).to_owned();
        let found = self
            .shared
            .store
            .read(move |tx| Peer::find(tx, &wwwroot))
            .await?;
        let peer = found.ok_or_else(|| LandError::UnknownPeer(shown(idp)))?;
        if peer.we_may_call(IDENTITY_PROVIDER.name) {
            Ok(peer)
        } else {
            Err(LandError::NotSubscribed(peer.wwwroot))
        }
    }

    /// Marks a token as used before anybody is asked about it: whatever the peer does, and however often
    /// the browser loads the page, it is asked once.
    async fn use_up(&self, peer: &Peer, token: &Token) -> Result<(), LandError> {
        let (id, hash, now) = (peer.id, token.hash(), self.shared.clock.now());
        let is_new = self
            .shared
            .store
            .write(move |tx| sign_on::mark_landing(tx, id, &hash, now))
            .await?;
        if is_new {
            Ok(())
        } else {
            Err(LandError::Used(peer.wwwroot.clone()))
        }
    }

    async fn ask(&self, peer: &Peer, landing: &Landing) -> Result<Value, LandError> {
        let params = vec![
            landing.token.reveal().into(),
            landing.browser.user_agent.as_str().into(),
        ];
        let answer = timeout(ANSWER_TIMEOUT, self.call(peer, "user_authorise", params))
            .await
            .map_err(|_| LandError::Silent(peer.wwwroot.clone()))?;
        answer.map_err(|error| match error {
            CallError::Fault {
                peer,
                code: code @ 1..=3,
                message,
            } => LandError::NotConfirmed {
                peer,
                code,
                message: shown(&message),
            },
            error => LandError::Call(error),
        })
    }

    /// Takes the person up, and begins a session where the right to sign in is there: in one
    /// transaction, so that the right holds at the moment the session begins.
    async fn arrive(
        &self,
        peer: &Peer,
        user: UserRecord,
        landing: &Landing,
    ) -> Result<Box<Arrived>, LandError> {
        let now = self.shared.clock.now();
        let (id, browser, before) = (peer.id, landing.browser.clone(), landing.before);
        let arrival = self.shared.store.write(move |tx| {
            let person = match take_up(tx, id, &user, now) {
                Ok(person) => person,
                Err(RegisterError::Store(error)) => return Err(ArrivalError::Store(error)),
                Err(error) => return Err(ArrivalError::Register(error)),
            };
            if !people::may_sign_in(tx, person.id, now)? {
                // Whoever sits there now is not the one who was signed in before.
                if let Some(before) = before {
                    sessions::end(tx, before, SessionEnd::AnotherSignIn, now)?;
                }
                return Ok(Arrival::NotPermitted(Box::new(person)));
            }
            let who = SignedIn::Person {
                person: person.id,
                peer: id,
            };
            let (token, session) = session::begin(tx, who, &browser, before, now)?;
            let is_back = sign_on::has_been_here(tx, person.id, session)?;
            Ok(Arrival::Arrived(Box::new(Arrived {
                token,
                session,
                is_back,
                person,
            })))
        });
        match arrival.await {
            Ok(Arrival::Arrived(arrived)) => Ok(arrived),
            Ok(Arrival::NotPermitted(person)) => Err(LandError::NotPermitted {
                person,
                peer: Box::new(peer.clone()),
            }),
            Err(ArrivalError::Register(reason)) => Err(refusal(peer, reason)),
            Err(ArrivalError::Store(error)) => Err(error.into()),
            Err(ArrivalError::Session(error)) => Err(error.into()),
        }
    }

    /// Tells the peer where its user is enrolled here, in the background: the user does not wait for it.
    fn tell_enrolments_later(&self, peer: Peer, person: Person) {
        let sso = self.clone();
        tokio::spawn(async move {
            let (id, now) = (person.id, sso.shared.clock.now());
            let courses = sso
                .shared
                .store
                .read(move |tx| sign_on::courses_of(tx, id, now))
                .await;
            let courses = match courses {
                Ok(courses) => courses,
                Err(error) => {
                    error!(%error, "the enrolments of a user who came back could not be read");
                    return;
                }
            };
            let username = person.fields.sent_username.into();
            // A failure was logged with the call; the next sign-in tells again.
            let _ = sso
                .call(
                    &peer,
                    "update_enrolments",
                    vec![username, courses::told(&courses)],
                )
                .await;
        });
    }
}

/// What came of a landing in the register.
enum Arrival {
    Arrived(Box<Arrived>),
    NotPermitted(Box<Person>),
}

struct Arrived {
    token: Token,
    session: SessionId,
    /// Whether the person has signed in here before.
    is_back: bool,
    person: Person,
}

#[derive(Debug, Error)]
enum ArrivalError {
    #[error(transparent)]
    Register(RegisterError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Makes, or brings up to date, the row of a peer's person: only ever a row of that peer, whatever name
/// it sends.
fn take_up(
    tx: &WriteTx<'_>,
    peer: PeerId,
    user: &UserRecord,
    now: UnixTime,
) -> Result<Person, RegisterError> {
    let person = register::take_up_visitor(tx, peer, user, now)?;
    Ok(people::get(tx, person)?.ok_or(StoreError::Undone)?)
}

/// Why the register does not take a user up, for the user.
fn refusal(peer: &Peer, reason: RegisterError) -> LandError {
    let peer = peer.wwwroot.clone();
    match reason {
        RegisterError::RemovedUser { userid, .. } => LandError::Removed {
            peer,
            username: userid,
        },
        reason @ (RegisterError::IdOfAnother { .. } | RegisterError::OtherId { .. }) => {
            LandError::NotTheSame { peer, reason }
        }
        reason => LandError::Account { peer, reason },
    }
}

/// Refuses what no peer hands out: Moodle's and Mahara's tokens have 40 hexadecimal digits, others may
/// have any base64.
fn check_token(token: &Token) -> Result<(), LandError> {
    let in_alphabet =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_' | '=');
    let text = token.reveal();
    if (MIN_TOKEN..=MAX_TOKEN).contains(&text.len()) && text.chars().all(in_alphabet) {
        Ok(())
    } else {
        Err(LandError::Token)
    }
}

/// Reads a peer's answer to `user_authorise`.
fn read_account(peer: &Peer, answer: &Value) -> Result<UserRecord, LandError> {
    let Value::Struct(members) = answer else {
        return Err(LandError::NoAccount(peer.wwwroot.clone()));
    };
    let named = members.get("wwwroot").and_then(Value::to_text);
    if let Some(named) = named.filter(|named| !named.is_empty())
        && named.trim_end_matches('/') != peer.wwwroot.as_str()
    {
        return Err(LandError::OtherSite {
            peer: peer.wwwroot.clone(),
            named: shown(&named),
        });
    }
    let fields: Struct = IDENTITY
        .iter()
        .chain(PROFILE.iter().filter(|name| is_short(members.get(name))))
        .filter_map(|name| Some((*name, members.get(name)?.clone())))
        .collect();
    UserRecord::from_value(&fields.into()).map_err(|reason| LandError::Account {
        peer: peer.wwwroot.clone(),
        reason,
    })
}

/// Whether a field that nobody needs is a text, and short.
fn is_short(value: Option<&Value>) -> bool {
    let text = value.and_then(Value::to_text);
    text.is_some_and(|text| text.len() <= MAX_PROFILE_FIELD)
}

/// A text of somebody else's, as it may stand in a message.
fn shown(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(MAX_SHOWN)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_short_and_of_a_known_alphabet() {
        let taken = |text: &str| check_token(&Token::presented(text)).is_ok();
        for token in [
            "3641aaca182eaa7c3cdd74935267447af5d0de7b",
            "tok0aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "abc+/=-_",
            &"a".repeat(MAX_TOKEN),
            &"a".repeat(MIN_TOKEN),
        ] {
            assert!(taken(token), "{token}");
        }
        for token in [
            "",
            "short",
            "a token with spaces",
            "tokentoken\0",
            "tøkentøken",
            "token%00token",
            &"a".repeat(MAX_TOKEN + 1),
        ] {
            assert!(!taken(token), "{token}");
        }
    }
}
