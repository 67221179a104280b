//! From the bytes of a request to a call that may be carried out, in Moodle's order of work
//! (docs/protocol.md, A server's order of work).

use std::net::IpAddr;
use std::sync::Arc;

use tracing::error;

use super::answer::{self, Wrapping};
use super::fault::{self, Refusal, Rejected};
use super::record::CallRecord;
use super::replay::{Identity, Place};
use super::services::{self, Dispatched, Order};
use super::{State, respond};
use crate::envelope::{BadSignature, Opened, Outer, Sealed, SessionKeyDigest, Signed, Verified};
use crate::keys::KeyRing;
use crate::peer::{self, Peer, PeerError};
use crate::store::{PeerId, StoreError, WriteTx, peers, requests};
use crate::xmlrpc::{self, Encoding, Limits, MethodCall, Value};

/// Who calls.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A peer whose signature was verified.
    Peer(Box<Peer>),
    /// Somebody at an address that may call in the clear, without a signature.
    Unsigned,
}

/// What a first look at a message comes to.
#[derive(Debug)]
pub enum Step {
    /// The answer is ready.
    Done(Done),
    /// The signature does not verify with the certificate stored: the peer may have a new key.
    StaleKey(Box<Peer>),
    /// A call that writes.
    Waiting(Box<Received>),
}

/// An answer with what the log says of it.
#[derive(Debug)]
pub struct Done {
    /// The body of the response.
    pub body: Vec<u8>,
    /// What the log says.
    pub record: CallRecord,
}

/// A call that may be carried out.
#[derive(Debug)]
pub struct Received {
    /// Who calls.
    pub peer: Box<Peer>,
    /// What is asked for.
    pub order: Order,
    /// Its place among the calls under way; `None` for a call that was not sealed.
    pub place: Option<Place>,
    /// How to answer.
    pub wrapping: Wrapping,
    /// What the log says.
    pub record: CallRecord,
}

/// Why a look at a message ended early.
enum Stop {
    Refused(Refusal),
    Rejected(Rejected),
    StaleKey(Box<Peer>),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Opens, verifies and checks a message, and carries out what needs no writing. Runs on a worker: it
/// does RSA and reads the database.
pub fn first_step(
    state: &Arc<State>,
    message: &[u8],
    from: IpAddr,
    may_refresh: bool,
) -> Result<Step, Rejected> {
    let mut look = Look {
        state,
        from,
        may_refresh,
        wrapping: Wrapping::clear(state.keys.ring()),
        record: CallRecord::default(),
    };
    let refusal = match look.receive(message) {
        Ok((caller, call, place)) => return look.carry_out(&caller, call, place),
        Err(Stop::StaleKey(peer)) => return Ok(Step::StaleKey(peer)),
        Err(Stop::Rejected(rejected)) => return Err(rejected),
        Err(Stop::Refused(refusal)) => refusal,
    };
    look.done(Err(refusal))
}

/// One look at one message: what is known of it so far.
struct Look<'a> {
    state: &'a Arc<State>,
    from: IpAddr,
    may_refresh: bool,
    wrapping: Wrapping,
    record: CallRecord,
}

impl Look<'_> {
    fn receive(&mut self, message: &[u8]) -> Result<(Caller, MethodCall, Option<Place>), Stop> {
        match Outer::read(message) {
            Ok(Outer::Encrypted(sealed)) => self.receive_sealed(&sealed),
            Ok(Outer::Signed(signed)) => self.receive_signed(signed),
            Ok(Outer::Plain) => self.receive_plain(message),
            Err(error) => Err(match fault::defective(error) {
                Ok(refusal) => Stop::Refused(refusal),
                Err(rejected) => Stop::Rejected(rejected),
            }),
        }
    }

    fn receive_sealed(
        &mut self,
        sealed: &Sealed,
    ) -> Result<(Caller, MethodCall, Option<Place>), Stop> {
        let peer = self.find_peer(sealed.wwwroot())?;
        let (opened, old_pair) = open(sealed, &self.wrapping.ring).ok_or(Refusal::NotForUs)?;
        self.wrapping.recipient = Some(peer.certificate.public_key().clone());
        self.wrapping.encoding = peer.dialect.response();
        self.wrapping.old_pair = old_pair;
        if old_pair.is_some() {
            // Signed with that old key, which is how the peer knows that it is us.
            self.wrapping.signed = true;
            let certificate = self.wrapping.ring.current().certificate();
            return Err(Refusal::KeyChanged(certificate.pem().to_owned()).into());
        }
        let (signed, session_key) = opened.into_signed().map_err(|_| Refusal::NotSigned)?;
        self.wrapping.signed = true;
        if signed.wwwroot() != sealed.wwwroot() {
            return Err(Refusal::TwoSenders {
                outer: fault::named(sealed.wwwroot()),
                inner: fault::named(signed.wwwroot()),
            }
            .into());
        }
        let verified = self.verify(signed, &peer)?;
        let place = self.enter(session_key)?;
        self.record.is_proven = true;
        let call = self
            .check_date(&verified)
            .map_err(Stop::from)
            .and_then(|()| self.read_call(&verified, &peer));
        match call {
            Ok(call) => Ok((Caller::Peer(Box::new(peer)), call, Some(place))),
            Err(stop) => {
                // Heard is heard: its date can be changed unread, and it must not count as new then.
                self.state.remember(place, peer.id);
                Err(stop)
            }
        }
    }

    /// Signed, but not sealed: only from an address that may call in the clear.
    fn receive_signed(
        &mut self,
        signed: Signed,
    ) -> Result<(Caller, MethodCall, Option<Place>), Stop> {
        self.check_may_call_in_the_clear()?;
        let peer = self.find_peer(signed.wwwroot())?;
        self.wrapping.signed = true;
        self.wrapping.encoding = peer.dialect.response();
        let verified = self.verify(signed, &peer)?;
        self.record.is_proven = true;
        self.check_date(&verified)?;
        let call = self.read_call(&verified, &peer)?;
        Ok((Caller::Peer(Box::new(peer)), call, None))
    }

    /// Neither signed nor sealed: `system/keyswap` from anybody, the other system methods from an
    /// address that may call in the clear.
    fn receive_plain(
        &mut self,
        message: &[u8],
    ) -> Result<(Caller, MethodCall, Option<Place>), Stop> {
        let decoded = xmlrpc::decode_call(message, Encoding::Utf8, &Limits::default());
        let call = match decoded {
            Ok(decoded) => decoded.message,
            Err(error) => {
                self.check_may_call_in_the_clear()?;
                return Err(Refusal::Payload(error).into());
            }
        };
        self.record.method = Some(call.method.clone());
        match services::system::Method::named(&call.method) {
            Some(services::system::Method::Keyswap) => {}
            Some(_) => self.check_may_call_in_the_clear()?,
            None => {
                self.check_may_call_in_the_clear()?;
                return Err(Refusal::NotSigned.into());
            }
        }
        Ok((Caller::Unsigned, call, None))
    }

    /// Finds the peer a message names, and checks that it may call from where it does.
    fn find_peer(&mut self, wwwroot: &str) -> Result<Peer, Stop> {
        let found = self
            .state
            .store
            .read_blocking(|tx| Peer::find(tx, wwwroot))
            .map_err(|error: PeerError| internal(&error))?;
        let Some(peer) = found else {
            let named = fault::named(wwwroot);
            self.record.stranger = Some(named.clone());
            return Err(Refusal::UnknownPeer(named).into());
        };
        self.record.peer = Some(peer.wwwroot.to_string());
        self.record.peer_id = Some(peer.id);
        if !peer.may_call_from(self.from) {
            return Err(Refusal::Address {
                wwwroot: peer.wwwroot.to_string(),
                address: self.from,
            }
            .into());
        }
        Ok(peer)
    }

    fn verify(&self, signed: Signed, peer: &Peer) -> Result<Verified, Stop> {
        match signed.verify(peer.certificate.public_key()) {
            Ok(verified) => Ok(verified),
            // Not for one that registered itself: it would name the address that we call.
            Err((_, BadSignature)) if self.may_refresh && peer.is_agreed_with() => {
                Err(Stop::StaleKey(Box::new(peer.clone())))
            }
            Err((_, BadSignature)) => Err(Refusal::BadSignature.into()),
        }
    }

    fn check_date(&self, verified: &Verified) -> Result<(), Refusal> {
        let now = self.state.clock.now();
        self.state.window.check(verified.timestamp(), now)
    }

    /// Takes the call's place among those under way, and looks whether it was heard before.
    fn enter(&self, session_key: SessionKeyDigest) -> Result<Place, Stop> {
        let identity = Identity {
            key_pair: self.wrapping.ring.current().certificate().fingerprint(),
            session_key,
        };
        let place = self
            .state
            .under_way
            .enter(identity)
            .ok_or(Refusal::Replayed)?;
        let seen = self
            .state
            .store
            .read_blocking(|tx| requests::was_seen(tx, identity.key_pair.as_bytes(), session_key.0))
            .map_err(|error: StoreError| internal(&error))?;
        if seen {
            return Err(Refusal::Replayed.into());
        }
        Ok(place)
    }

    fn read_call(&mut self, verified: &Verified, peer: &Peer) -> Result<MethodCall, Stop> {
        let limits = Limits::default();
        let read = peer.read(|encoding| xmlrpc::decode_call(verified.payload(), encoding, &limits));
        let (call, dialect) = read.map_err(Refusal::Payload)?;
        self.record.method = Some(call.method.clone());
        if let Some(dialect) = dialect {
            peer.note_dialect(&self.state.store, dialect);
            self.wrapping.encoding = dialect.response();
        }
        Ok(call)
    }

    fn check_may_call_in_the_clear(&self) -> Result<(), Stop> {
        let trusted = self
            .state
            .store
            .read_blocking(peers::clear_text_addresses)
            .map_err(|error: StoreError| internal(&error))?;
        let networks: Vec<_> = trusted
            .iter()
            .filter_map(|text| peer::parse_network(text).ok())
            .collect();
        if peer::contains(&networks, self.from) {
            Ok(())
        } else {
            Err(Refusal::InTheClear.into())
        }
    }

    /// Carries a call out, or hands it on where it writes.
    fn carry_out(
        self,
        caller: &Caller,
        call: MethodCall,
        place: Option<Place>,
    ) -> Result<Step, Rejected> {
        let outcome = match services::dispatch(self.state, caller, call) {
            Ok(Dispatched::Answered(value)) => Ok(value),
            Ok(Dispatched::Waits(peer, order)) => {
                return Ok(Step::Waiting(Box::new(Received {
                    peer,
                    order,
                    place,
                    wrapping: self.wrapping,
                    record: self.record,
                })));
            }
            Err(refusal) => Err(refusal),
        };
        // Heard is heard: refused today, it must not count as new when more is allowed tomorrow.
        if let (Some(place), Caller::Peer(peer)) = (place, caller) {
            self.state.remember(place, peer.id);
        }
        self.done(outcome)
    }

    fn done(mut self, outcome: Result<Value, Refusal>) -> Result<Step, Rejected> {
        self.record.note_outcome(&outcome);
        let response = respond(outcome);
        let now = self.state.clock.now();
        let wrapped = self.wrapping.wrap(&response, &self.state.wwwroot, now);
        Ok(Step::Done(Done {
            body: answer::finish(Ok(wrapped))?,
            record: self.record,
        }))
    }
}

impl State {
    /// Notes a call that changed nothing, answered or refused, without waiting for the disk: heard again
    /// after a crash, it would again change nothing.
    pub(super) fn remember(&self, place: Place, peer: PeerId) {
        let now = self.clock.now();
        let place = Arc::new(place);
        let mark = {
            let place = Arc::clone(&place);
            move |tx: &WriteTx<'_>| -> Result<Arc<Place>, StoreError> {
                let identity = place.identity();
                requests::mark_seen(tx, identity.key_pair.as_bytes(), identity.session_key.0)?;
                peers::note_contact(tx, peer, now, None)?;
                // Handed back, so that the place is held until the mark is on disk.
                Ok(place)
            }
        };
        // With too many marks waiting already, this call waits for its own.
        if !self.store.write_behind(mark.clone())
            && let Err(error) = self.store.write_blocking(mark)
        {
            error!(%error, "a call could not be noted");
        }
    }
}

/// Opens a message with the present pair, else with each old one; says which old one it was.
fn open(sealed: &Sealed, ring: &KeyRing) -> Option<(Opened, Option<usize>)> {
    if let Ok(opened) = sealed.open(ring.current().private_key()) {
        return Some((opened, None));
    }
    ring.old().iter().enumerate().find_map(|(place, old)| {
        let opened = sealed.open(old.pair.private_key()).ok()?;
        Some((opened, Some(place)))
    })
}

/// Notes an error of ours in the log; the caller learns only that there was one.
pub(super) fn internal(error: &dyn std::error::Error) -> Refusal {
    error!(%error, "a call could not be carried out");
    Refusal::Internal
}
