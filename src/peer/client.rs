//! Calling a peer: sign, seal, send, open, verify, and follow its key rotations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, histogram};
use thiserror::Error;
use tokio::time::timeout;
use tracing::{info, warn};

use super::binding;
use super::methods::Methods;
use super::{Application, Dialect, Peer, PeerError, Transport, TransportError, service_of};
use crate::clock::{Clock, UnixTime};
use crate::envelope::{
    self, EnvelopeError, Outer, SealError, Sealed, SessionKeyDigest, Signed, Verified,
};
use crate::keys::{Certificate, CertificateError, Fingerprint, KeyRing, KeyStore, Mismatch};
use crate::store::calls::{Direction, NewCall};
use crate::store::{PeerId, Store, StoreError, peers, requests};
use crate::workers::{Interrupted, Workers};
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::{self, DecodeError, Fault, Limits, MethodCall, MethodResponse, Value};

/// Fault by which a peer says that it has a new key (docs/protocol.md, A server's order of work).
pub const FAULT_KEY_CHANGED: i32 = 7025;

/// The service whose calls are bound, by us as by our peers (docs/register.md, Binding).
const BOUND_SERVICE: &str = "register";

/// How old a 7025 may be, in seconds: as old as a request ([`max_age`](crate::rpc::ServerSettings)'s
/// default). How old other replies are does not matter, but a database restored from a backup does not
/// remember which were heard since, and a recorded 7025 would bring back the key it names.
pub const KEY_CHANGE_MAX_AGE: i64 = 300;

/// How often one call is sent at most: once more where the peer turns out to have another key.
const MAX_SENDINGS: usize = 2;

/// Fault by which a peer says that none of its keys opens what was sent to it.
pub const FAULT_CANNOT_OPEN: i32 = 7023;

/// How long after one key refresh of a peer the next may begin: a stranger who sends badly signed
/// messages in a peer's name must not make us call that peer each time.
const REFRESH_PAUSE: Duration = Duration::from_secs(10);

/// How long a call waits for a refresh that another call has begun: two round trips. No longer, for
/// the peer may call while it answers us, and would wait for us as we for it.
const REFRESH_WAIT: Duration = Duration::from_secs(3);

/// How long after a key replacement the replaced key may vouch for yet another: requests that began
/// before the first new key was told are long over then.
const REPLACED_KEY_VOUCHES: Duration = Duration::from_mins(10);

/// Calls peers.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

/// What a [`Client`] works with.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// The address our site calls itself by.
    pub wwwroot: Wwwroot,
    /// How far ahead a reply may be dated, in seconds.
    pub max_ahead: i64,
}

#[derive(Debug)]
struct Shared {
    settings: ClientSettings,
    store: Store,
    keys: Arc<KeyStore>,
    clock: Clock,
    transport: Transport,
    workers: Workers,
    refreshes: Mutex<HashMap<PeerId, LastRefresh>>,
    /// By peer: what its last 7025 replaced.
    replaced: Mutex<HashMap<PeerId, Replaced>>,
    methods: Methods,
}

/// A certificate that a peer replaced by a 7025.
#[derive(Debug)]
struct Replaced {
    certificate: Certificate,
    by: Certificate,
    at: Instant,
}

/// When a peer's key was last refreshed; locked while that is under way.
type LastRefresh = Arc<tokio::sync::Mutex<Option<Instant>>>;

/// Why a call brought no result.
#[derive(Debug, Error)]
pub enum CallError {
    /// The peer answered with a fault.
    #[error("{peer} answered with fault {code}: {}", with_hint(message, *.code))]
    Fault {
        /// Who.
        peer: Wwwroot,
        /// MNet's or the service's number.
        code: i32,
        /// The peer's words.
        message: String,
    },
    /// We do not subscribe to the service.
    #[error(
        "mnetd does not subscribe to the service {service} of {peer}; allow it with: mnetd peer allow {peer} {service} --subscribe"
    )]
    NotSubscribed {
        /// Whose.
        peer: Wwwroot,
        /// Which.
        service: &'static str,
    },
    /// No answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An empty body: what Moodle sends when PHP dies while sealing.
    #[error(
        "{0} answered with an empty page. With Moodle the usual cause is PHP's OpenSSL 3 without RC4: in openssl.cnf activate both the default and the legacy provider for the PHP process, then restart it"
    )]
    Empty(Wwwroot),
    /// An envelope with empty ciphers: what Mahara sends when PHP fails at sealing.
    #[error(
        "{0} answered with an envelope that holds nothing: PHP could not seal it. Almost surely its OpenSSL 3 lacks the legacy provider (RC4): in openssl.cnf activate both the default and the legacy provider for the PHP process, then restart it"
    )]
    NothingSealed(Wwwroot),
    /// The answer is no XML.
    #[error(
        "{peer} answered with something that is no MNet message, beginning “{beginning}”. Usual causes: the site shows an error or maintenance page, PHP's OpenSSL 3 there lacks its legacy provider (RC4), or the address belongs to another site"
    )]
    NotMnet {
        /// Who.
        peer: Wwwroot,
        /// The first characters, made harmless.
        beginning: String,
    },
    /// An envelope with something wrong in it.
    #[error("{peer} answered with a defective envelope: {reason}")]
    Envelope {
        /// Who.
        peer: Wwwroot,
        /// What is wrong.
        reason: EnvelopeError,
    },
    /// A success that nobody signed.
    #[error("{0} answered without signing and sealing; such an answer is not believed")]
    NotSealed(Wwwroot),
    /// Sealed to a key we do not have.
    #[error(
        "{0} sealed its answer to a key that is not ours: it knows an old certificate of this site. In Moodle, open Networking > Manage peers > this site > Review host details, replace Public key by the one that mnetd key show prints, and save"
    )]
    NotForUs(Wwwroot),
    /// Signed by another key than the one we know.
    #[error(
        "{0} signed its answer with a key we do not know. If the site was restored or copied, compare fingerprints with its administrator and run: mnetd peer check {0} --accept-key FINGERPRINT"
    )]
    BadSignature(Wwwroot),
    /// The envelope names somebody else.
    #[error("{peer} answered in the name of {named}: its wwwroot is not the one registered here")]
    WrongSender {
        /// Who was called.
        peer: Wwwroot,
        /// Who the answer names.
        named: String,
    },
    /// Dated ahead.
    #[error(
        "{peer} dates its answer {seconds} s ahead; at most {allowed} s are allowed. Set the clocks of both servers by NTP"
    )]
    FromTheFuture {
        /// Who.
        peer: Wwwroot,
        /// How far.
        seconds: i64,
        /// The limit.
        allowed: i64,
    },
    /// A 7025 dated back.
    #[error(
        "{peer} says that it has a new key, but dates that {seconds} s back; at most {allowed} s are allowed. It may have been recorded and sent again; or the clocks differ: set those of both servers by NTP"
    )]
    KeyChangeTooOld {
        /// Who.
        peer: Wwwroot,
        /// How far.
        seconds: i64,
        /// The limit.
        allowed: i64,
    },
    /// An answer seen before.
    #[error(
        "{0} answered with a message that was seen before; it may have been recorded and sent again"
    )]
    Replayed(Wwwroot),
    /// A new certificate that nothing proves.
    #[error(
        "{peer} has a new key (fingerprint {fingerprint}) and does not prove it with the one known here: its key was deleted and made anew, the site was restored or copied, or another site stands at its address. Compare the fingerprint with the site's administrator (Moodle shows the certificate under Networking › Settings), then run: mnetd peer check {peer} --accept-key {fingerprint}"
    )]
    UnprovenKey {
        /// Who.
        peer: Wwwroot,
        /// The new certificate's.
        fingerprint: Fingerprint,
    },
    /// Fault 7025 twice in a row.
    #[error(
        "{0} keeps asking for another key; its stored certificate of this site may be damaged. In Moodle, open Networking > Manage peers > this site > Review host details, replace Public key by the one that mnetd key show prints, and save"
    )]
    KeyLoop(Wwwroot),
    /// The key that replaced the one known here is lost, and a third is in force.
    #[error(
        "{0} replaced its key twice in a row. The present one is stored now, but the call was not sent a third time: call again"
    )]
    KeyReplacedTwice(Wwwroot),
    /// The peer was removed, or its certificate replaced by another, while a new one was asked for.
    #[error(
        "the stored peer {0} was changed by somebody else meanwhile, so its new certificate was not stored: look at it with mnetd peer show {0}, then try again"
    )]
    ChangedMeanwhile(Wwwroot),
    /// The new certificate is none, or another site's.
    #[error("{peer} says it has a new key, but sent no usable certificate: {reason}")]
    NewCertificate {
        /// Who.
        peer: Wwwroot,
        /// What is wrong.
        reason: String,
    },
    /// The payload is no XML-RPC.
    #[error("{peer} answered with something that is no XML-RPC response: {reason}")]
    Payload {
        /// Who.
        peer: Wwwroot,
        /// What is wrong.
        reason: DecodeError,
    },
    /// The envelope could not be made.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored peer is damaged.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// Our own work was cut off.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl CallError {
    fn fault(peer: &Peer, fault: Fault) -> Self {
        Self::Fault {
            peer: peer.wwwroot.clone(),
            code: fault.code,
            message: fault.message,
        }
    }

    fn unproven(peer: &Peer, certificate: &Certificate) -> Self {
        Self::UnprovenKey {
            peer: peer.wwwroot.clone(),
            fingerprint: certificate.fingerprint(),
        }
    }

    /// Whether the cause may be that the peer has another key than the one known here.
    fn may_mean_another_key(&self) -> bool {
        matches!(
            self,
            Self::Fault {
                code: FAULT_CANNOT_OPEN,
                ..
            } | Self::BadSignature(_)
        )
    }
}

/// What a peer answered.
struct Reply {
    response: MethodResponse,
    /// The dialect it shows, where that is another than was thought.
    dialect: Option<Dialect>,
}

/// What a reply turned out to be.
enum Outcome {
    Reply(Reply),
    NewKey(Box<Certificate>),
}

impl Client {
    /// A client in the name of `settings.wwwroot`.
    #[must_use]
    pub fn new(
        settings: ClientSettings,
        store: Store,
        keys: Arc<KeyStore>,
        clock: Clock,
        transport: Transport,
        workers: Workers,
    ) -> Self {
        Self {
            shared: Arc::new(Shared {
                settings,
                store,
                keys,
                clock,
                transport,
                workers,
                refreshes: Mutex::default(),
                replaced: Mutex::default(),
                methods: Methods::default(),
            }),
        }
    }

    /// The transport, for requests that are no calls.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.shared.transport
    }

    /// Calls `method` of a peer, signed and sealed. A peer that proves a new key with its old one
    /// (fault 7025) is believed, its certificate stored, and the call sent once more.
    ///
    /// # Errors
    /// As [`CallError`] says; a fault of the peer's is one of them.
    pub async fn call(
        &self,
        peer: &Peer,
        method: &str,
        params: Vec<Value>,
    ) -> Result<Value, CallError> {
        let started = Instant::now();
        let mut attempts = 0;
        let outcome = self
            .call_unlogged(peer, method, params, &mut attempts)
            .await;
        let duration = started.elapsed();
        log(peer, method, duration, &outcome);
        if attempts > 0 {
            self.note_call(peer, method, attempts, duration, &outcome);
        }
        outcome
    }

    /// The path under which a peer has `function`, such as `get_user`: plugins may stand anywhere, so it
    /// is looked for by its name in the peer's `system/listMethods`. `None`: it is not listed.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn find_function(
        &self,
        peer: &Peer,
        function: &str,
    ) -> Result<Option<String>, CallError> {
        let found = self.find_functions(peer, function).await?;
        Ok(found.into_iter().next())
    }

    /// All paths under which a peer has `function`, the most likely first: a Moodle may have two plugins for
    /// single sign-on.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn find_functions(
        &self,
        peer: &Peer,
        function: &str,
    ) -> Result<Vec<String>, CallError> {
        let methods = &self.shared.methods;
        let now = self.shared.clock.instant();
        let found = if let Ok(found) = methods.recall(peer.id, function, now) {
            found
        } else {
            let listed = self.call(peer, "system/listMethods", Vec::new()).await?;
            methods.note(peer.id, &listed, function, now)
        };
        let Some(hidden) = methods.hidden(peer.id, function) else {
            return Ok(found);
        };
        let params = vec![Value::from(hidden.as_str())];
        let is_there = match self.call(peer, "system/methodHelp", params).await {
            // What Moodle says of a path that is not there; other sites answer with a fault.
            Ok(Value::Boolean(false)) | Err(CallError::Fault { .. }) => false,
            Ok(_) => true,
            Err(error) => return Err(error),
        };
        methods.note_hidden(peer.id, hidden, is_there);
        Ok(methods.recall(peer.id, function, now).unwrap_or(found))
    }

    async fn call_unlogged(
        &self,
        peer: &Peer,
        method: &str,
        mut params: Vec<Value>,
        attempts: &mut u32,
    ) -> Result<Value, CallError> {
        let service = service_of(method);
        if let Some(service) = service.filter(|service| !peer.we_may_call(service)) {
            return Err(CallError::NotSubscribed {
                peer: peer.wwwroot.clone(),
                service,
            });
        }
        if service == Some(BOUND_SERVICE) {
            let binding = binding::bind(&peer.wwwroot, self.shared.clock.now());
            params.push(binding.map_err(SealError::from)?);
        }
        let call = Arc::new(MethodCall {
            method: method.to_owned(),
            params,
        });
        let reply = self.exchange_following_keys(peer, &call, attempts).await?;
        if let Some(dialect) = reply.dialect {
            peer.note_dialect(&self.shared.store, dialect);
        }
        match reply.response {
            MethodResponse::Success(value) => Ok(value),
            MethodResponse::Fault(fault) => Err(CallError::fault(peer, fault)),
        }
    }

    /// An exchange that follows the peer to a new key, and sends the call once more where it may. Counts
    /// how often the call is sent.
    async fn exchange_following_keys(
        &self,
        peer: &Peer,
        call: &Arc<MethodCall>,
        attempts: &mut u32,
    ) -> Result<Reply, CallError> {
        let mut peer = peer.clone();
        for sending in 1..=MAX_SENDINGS {
            *attempts += 1;
            let outcome = match self.exchange(&peer, call).await {
                // It asks for another key again, though it was called with the one it asked for.
                Ok(Outcome::NewKey(_)) if sending > 1 => {
                    Err(CallError::KeyLoop(peer.wwwroot.clone()))
                }
                Ok(outcome) => Ok(outcome),
                Err(error) => match self.by_replaced_key(&peer, &error).await {
                    Some(certificate) => Ok(Outcome::NewKey(certificate)),
                    None => Err(self.explain(&peer, error).await),
                },
            };
            if let Err(error) = &outcome {
                self.note_failure(&peer, error);
            }
            match outcome? {
                Outcome::Reply(reply) => return Ok(reply),
                Outcome::NewKey(certificate) => peer = self.follow(&peer, *certificate).await?,
            }
        }
        Err(CallError::KeyReplacedTwice(peer.wwwroot))
    }

    /// The certificate that a peer proves with the key it had before the one known here.
    ///
    /// Where two requests find a Moodle's key expired at once, each makes a new one; the later stays,
    /// and the earlier may have been told to us already. The key before both still opens messages
    /// there and vouches for the one that stayed.
    async fn by_replaced_key(&self, peer: &Peer, error: &CallError) -> Option<Box<Certificate>> {
        if !error.may_mean_another_key() {
            return None;
        }
        let replaced = self.replaced().remove(&peer.id)?;
        let gone_by = self.shared.clock.instant().duration_since(replaced.at);
        // An administrator, here or at the command line, may have taken another certificate since.
        if gone_by > REPLACED_KEY_VOUCHES || replaced.by != peer.certificate {
            return None;
        }
        let before = peer.with_certificate(replaced.certificate);
        match self.exchange(&before, &list_services()).await {
            Ok(Outcome::NewKey(certificate)) => Some(certificate),
            _ => None,
        }
    }

    fn replaced(&self) -> MutexGuard<'_, HashMap<PeerId, Replaced>> {
        self.shared
            .replaced
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the peer cannot open what is sealed to the key known here, or signs with another: looks
    /// whether it hands out a new certificate, and if so says that instead, with what to do.
    async fn explain(&self, peer: &Peer, error: CallError) -> CallError {
        if !error.may_mean_another_key() {
            return error;
        }
        match self.offered_certificate(peer).await {
            Ok(offered)
                if offered != peer.certificate && offered.matches(&peer.wwwroot).is_ok() =>
            {
                CallError::unproven(peer, &offered)
            }
            _ => error,
        }
    }

    /// Asks a peer whose signature no longer verifies for its new certificate, by the authenticated
    /// path: the clear keyswap only tells whether anything changed, and only an answer to a sealed
    /// `system/listServices` that the old key signed is believed (docs/protocol.md, Key refresh).
    ///
    /// Returns the peer with its new certificate, or `None` where nothing changed, nothing was
    /// proven, or the last refresh of this peer was a moment ago or takes long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refresh_key(&self, peer: &Peer) -> Result<Option<Peer>, CallError> {
        // Calls that arrive together wait for one refresh, which serves them all.
        let last_refresh = self.last_refresh(peer.id);
        let Ok(mut last_refresh) = timeout(REFRESH_WAIT, last_refresh.lock()).await else {
            return Ok(None);
        };
        match self.stored(peer).await? {
            // Another call has brought the new key meanwhile.
            Some(stored) if stored.certificate != peer.certificate => return Ok(Some(stored)),
            _ => {}
        }
        let now = self.shared.clock.instant();
        if last_refresh.is_some_and(|last| now.duration_since(last) < REFRESH_PAUSE) {
            return Ok(None);
        }
        *last_refresh = Some(now);
        let offered = match self.offered_certificate(peer).await {
            Ok(offered) if offered == peer.certificate => return Ok(None),
            Ok(offered) => offered,
            Err(error) => {
                warn!(peer = %peer.wwwroot, %error, "the peer's present certificate could not be fetched");
                return Ok(None);
            }
        };
        let proven = match self.exchange(peer, &list_services()).await {
            Ok(Outcome::NewKey(certificate)) => Ok(certificate),
            Ok(Outcome::Reply(_)) => return Ok(None),
            Err(error) => self.by_replaced_key(peer, &error).await.ok_or(error),
        };
        match proven {
            Ok(certificate) => {
                // A stranger cannot bring this about, so the next refresh need not wait.
                *last_refresh = None;
                self.follow(peer, *certificate).await.map(Some)
            }
            Err(error) => {
                let error = if error.may_mean_another_key() {
                    CallError::unproven(peer, &offered)
                } else {
                    error
                };
                warn!(%error, "the peer's signature does not verify");
                Ok(None)
            }
        }
    }

    /// The certificate a peer hands out in the clear. Proves nothing.
    ///
    /// # Errors
    /// When the peer does not answer with a certificate.
    pub async fn offered_certificate(&self, peer: &Peer) -> Result<Certificate, CallError> {
        let ring = self.shared.keys.ring();
        super::introduction::keyswap(
            &self.shared.transport,
            &self.shared.settings.wwwroot,
            ring.current().certificate(),
            &peer.wwwroot,
            peer.application,
        )
        .await
    }

    /// Stores the certificate that an administrator takes for a peer's, in the place of the one `peer`
    /// has, and returns the peer with it. What it replaces vouches for nothing any more.
    ///
    /// # Errors
    /// [`CallError::ChangedMeanwhile`] where another certificate is stored by now; or when the database
    /// fails.
    pub async fn adopt(&self, peer: &Peer, certificate: Certificate) -> Result<Peer, CallError> {
        self.replaced().remove(&peer.id);
        if self.replace(peer, &certificate).await? {
            Ok(peer.with_certificate(certificate))
        } else {
            Err(CallError::ChangedMeanwhile(peer.wwwroot.clone()))
        }
    }

    /// Stores the certificate that a peer proved by a 7025, and returns the peer with it; or with the one
    /// that another call has stored meanwhile. The one before may vouch for yet another for a while.
    async fn follow(&self, peer: &Peer, certificate: Certificate) -> Result<Peer, CallError> {
        if self.replace(peer, &certificate).await? {
            let replaced = Replaced {
                certificate: peer.certificate.clone(),
                by: certificate.clone(),
                at: self.shared.clock.instant(),
            };
            self.replaced().insert(peer.id, replaced);
            return Ok(peer.with_certificate(certificate));
        }
        let stored = self.stored(peer).await?;
        stored.ok_or_else(|| CallError::ChangedMeanwhile(peer.wwwroot.clone()))
    }

    /// Replaces the certificate `peer` has, where it is still the one stored; says whether it was.
    async fn replace(&self, peer: &Peer, certificate: &Certificate) -> Result<bool, CallError> {
        let (id, before) = (peer.id, peer.certificate.pem().to_owned());
        let pem = certificate.pem().to_owned();
        let is_replaced = self
            .shared
            .store
            .write(move |tx| peers::set_certificate(tx, id, &before, &pem))
            .await?;
        if is_replaced {
            info!(peer = %peer.wwwroot, fingerprint = %certificate.fingerprint(), "the peer has a new key");
        }
        Ok(is_replaced)
    }

    /// The peer as it is stored now.
    async fn stored(&self, peer: &Peer) -> Result<Option<Peer>, CallError> {
        let wwwroot = peer.wwwroot.clone();
        let stored = self
            .shared
            .store
            .read(move |tx| Peer::find(tx, wwwroot.as_str()))
            .await?;
        Ok(stored)
    }

    /// One request and its answer.
    async fn exchange(&self, peer: &Peer, call: &Arc<MethodCall>) -> Result<Outcome, CallError> {
        let ring = self.shared.keys.ring();
        let request = self.seal(peer, call, Arc::clone(&ring)).await?;
        let sent = Instant::now();
        let body = self
            .shared
            .transport
            .post_xml(&peer.rpc_url(), request)
            .await?;
        let half_round_trip = i64::try_from(sent.elapsed().as_secs().div_ceil(2)).unwrap_or(0);

        let opening = {
            let (peer, ring) = (peer.clone(), Arc::clone(&ring));
            self.shared
                .workers
                .run(move || open_reply(&peer, &ring, &body))
                .await??
        };
        self.check_date(peer, &opening, half_round_trip)?;
        self.check_unseen(peer, opening.key_pair, opening.session_key)
            .await?;
        if let Outcome::Reply(_) = &opening.outcome {
            self.note_contact(peer, opening.timestamp);
        }
        Ok(opening.outcome)
    }

    async fn seal(
        &self,
        peer: &Peer,
        call: &Arc<MethodCall>,
        ring: Arc<KeyRing>,
    ) -> Result<Vec<u8>, CallError> {
        let now = self.shared.clock.now();
        let ours = self.shared.settings.wwwroot.clone();
        let recipient = peer.certificate.public_key().clone();
        let encoding = peer.dialect.request();
        let call = Arc::clone(call);
        let sealed = self
            .shared
            .workers
            .run(move || {
                let payload = xmlrpc::encode_call(&call, encoding);
                let signed =
                    envelope::sign(&payload, ours.as_str(), now, ring.current().private_key())?;
                envelope::seal(signed, ours.as_str(), &recipient)
            })
            .await??;
        Ok(sealed)
    }

    fn check_date(
        &self,
        peer: &Peer,
        opening: &Opening,
        half_round_trip: i64,
    ) -> Result<(), CallError> {
        let now = self.shared.clock.now();
        let ahead = opening.timestamp.since(now);
        let allowed = self.shared.settings.max_ahead;
        if ahead.saturating_sub(half_round_trip) > allowed {
            return Err(CallError::FromTheFuture {
                peer: peer.wwwroot.clone(),
                seconds: ahead,
                allowed,
            });
        }
        let behind = now.since(opening.timestamp);
        let is_old = behind.saturating_sub(half_round_trip) > KEY_CHANGE_MAX_AGE;
        if is_old && matches!(opening.outcome, Outcome::NewKey(_)) {
            return Err(CallError::KeyChangeTooOld {
                peer: peer.wwwroot.clone(),
                seconds: behind,
                allowed: KEY_CHANGE_MAX_AGE,
            });
        }
        Ok(())
    }

    fn note_contact(&self, peer: &Peer, timestamp: UnixTime) {
        let (id, now) = (peer.id, self.shared.clock.now());
        let ahead = timestamp.since(now);
        self.shared
            .store
            .write_behind(move |tx| peers::note_contact(tx, id, now, Some(ahead)));
    }

    /// A reply is not tied to its request; so that none is taken twice, its session key is remembered
    /// like a request's.
    async fn check_unseen(
        &self,
        peer: &Peer,
        key_pair: Fingerprint,
        session_key: SessionKeyDigest,
    ) -> Result<(), CallError> {
        let fresh = self
            .shared
            .store
            .write(move |tx| requests::mark_seen(tx, key_pair.as_bytes(), session_key.0))
            .await?;
        if fresh {
            Ok(())
        } else {
            Err(CallError::Replayed(peer.wwwroot.clone()))
        }
    }

    fn last_refresh(&self, peer: PeerId) -> LastRefresh {
        let mut refreshes = self
            .shared
            .refreshes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(refreshes.entry(peer).or_default())
    }

    /// Puts a call into the log that administrators see; waits for nothing.
    fn note_call(
        &self,
        peer: &Peer,
        method: &str,
        attempts: u32,
        duration: Duration,
        outcome: &Result<Value, CallError>,
    ) {
        let error = outcome.as_ref().err();
        self.shared.store.note_call(NewCall {
            at: self.shared.clock.now(),
            direction: Direction::Out,
            peer: Some(peer.id),
            origin: None,
            method: method.to_owned(),
            fault_code: error.and_then(|error| match error {
                CallError::Fault { code, .. } => Some(*code),
                _ => None,
            }),
            message: error.map(ToString::to_string),
            attempts,
            microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
        });
    }

    fn note_failure(&self, peer: &Peer, error: &CallError) {
        let (id, now, text) = (peer.id, self.shared.clock.now(), error.to_string());
        self.shared
            .store
            .write_behind(move |tx| peers::note_failure(tx, id, now, &text));
    }
}

/// One line and one count a call: who, what, how it ended. Never its contents.
fn log(peer: &Peer, method: &str, duration: Duration, outcome: &Result<Value, CallError>) {
    let (fault, failure) = match outcome {
        Ok(_) => (None, None),
        Err(CallError::Fault { code, .. }) => (Some(*code), None),
        Err(error) => (None, Some(error.to_string())),
    };
    // Rounded to microseconds, so that lines can be read.
    let milliseconds = (duration.as_secs_f64() * 1e6).round() / 1e3;
    info!(target: "mnetd::call", peer = %peer.wwwroot, method, fault, failure, milliseconds, "call out");
    let word = match (fault, failure.is_some()) {
        (Some(code), _) => code.to_string(),
        (None, true) => "failed".to_owned(),
        (None, false) => "ok".to_owned(),
    };
    counter!("mnetd_calls_out_total", "outcome" => word).increment(1);
    histogram!("mnetd_call_out_seconds").record(duration.as_secs_f64());
}

/// The call that changes nothing and that every peer answers.
fn list_services() -> Arc<MethodCall> {
    Arc::new(MethodCall {
        method: "system/listServices".to_owned(),
        params: Vec::new(),
    })
}

/// A reply after every check that needs nothing but keys.
struct Opening {
    outcome: Outcome,
    timestamp: UnixTime,
    session_key: SessionKeyDigest,
    /// Our key pair that opened it.
    key_pair: Fingerprint,
}

fn open_reply(peer: &Peer, ring: &KeyRing, body: &[u8]) -> Result<Opening, CallError> {
    if body.trim_ascii().is_empty() {
        return Err(CallError::Empty(peer.wwwroot.clone()));
    }
    match Outer::read(body) {
        Ok(Outer::Encrypted(sealed)) => open_sealed_reply(peer, ring, &sealed),
        Ok(Outer::Signed(_)) => Err(CallError::NotSealed(peer.wwwroot.clone())),
        Ok(Outer::Plain) => Err(clear_reply(peer, body)),
        Err(EnvelopeError::NotXml { .. } | EnvelopeError::DocumentType) => {
            Err(not_mnet(&peer.wwwroot, body))
        }
        Err(EnvelopeError::Missing("CipherValue")) => {
            Err(CallError::NothingSealed(peer.wwwroot.clone()))
        }
        Err(reason) => Err(CallError::Envelope {
            peer: peer.wwwroot.clone(),
            reason,
        }),
    }
}

fn open_sealed_reply(peer: &Peer, ring: &KeyRing, sealed: &Sealed) -> Result<Opening, CallError> {
    check_sender(peer, sealed.wwwroot())?;
    let (pair, opened) = ring
        .pairs()
        .find_map(|pair| {
            let opened = sealed.open(pair.private_key()).ok()?;
            Some((pair, opened))
        })
        .ok_or_else(|| CallError::NotForUs(peer.wwwroot.clone()))?;
    let (signed, session_key) = match opened.into_signed() {
        Ok(parts) => parts,
        // Peers answer an unsigned fault where they could not verify us.
        Err(body) => return Err(clear_reply(peer, &body)),
    };
    check_sender(peer, signed.wwwroot())?;
    let (verified, outcome) = match signed.verify(peer.certificate.public_key()) {
        Ok(verified) => {
            let outcome = read_verified(peer, &verified)?;
            (verified, outcome)
        }
        Err((signed, _)) => read_unverified(peer, signed)?,
    };
    Ok(Opening {
        outcome,
        timestamp: verified.timestamp(),
        session_key,
        key_pair: pair.certificate().fingerprint(),
    })
}

fn read_verified(peer: &Peer, verified: &Verified) -> Result<Outcome, CallError> {
    let (response, dialect) = decode(peer, verified.payload())?;
    match new_certificate(peer, &response)? {
        Some(certificate) => Ok(Outcome::NewKey(Box::new(certificate))),
        None => Ok(Outcome::Reply(Reply { response, dialect })),
    }
}

/// A reply that the known key did not sign: worth reading only for a 7025 that the *new* key signed,
/// as Mahara's are. That proves nothing by itself, so it is believed over https alone, where the
/// connection shows whose it is.
fn read_unverified(peer: &Peer, signed: Signed) -> Result<(Verified, Outcome), CallError> {
    let bad_signature = || CallError::BadSignature(peer.wwwroot.clone());
    // The payload is read before it is verified, for the key that verifies it is inside.
    let (response, _) = decode(peer, signed.unverified_payload())?;
    let Some(certificate) = new_certificate(peer, &response)? else {
        return Err(bad_signature());
    };
    let verified = signed
        .verify(certificate.public_key())
        .map_err(|_| bad_signature())?;
    if peer.application == Application::Mahara && peer.wwwroot.is_https() {
        return Ok((verified, Outcome::NewKey(Box::new(certificate))));
    }
    Err(CallError::unproven(peer, &certificate))
}

/// The certificate in a 7025, checked against the peer's wwwroot; `None` for any other response.
fn new_certificate(
    peer: &Peer,
    response: &MethodResponse,
) -> Result<Option<Certificate>, CallError> {
    let fault = match response {
        MethodResponse::Fault(fault) if fault.code == FAULT_KEY_CHANGED => fault,
        _ => return Ok(None),
    };
    let unusable = |reason: String| CallError::NewCertificate {
        peer: peer.wwwroot.clone(),
        reason,
    };
    let certificate = Certificate::parse(&fault.message)
        .map_err(|error: CertificateError| unusable(error.to_string()))?;
    certificate
        .matches(&peer.wwwroot)
        .map_err(|error: Mismatch| unusable(error.to_string()))?;
    Ok(Some(certificate))
}

/// What a reply in the clear comes to: a fault is told as such, a success is not believed.
fn clear_reply(peer: &Peer, body: &[u8]) -> CallError {
    match decode(peer, body) {
        // Nobody signed it, so it must not change keys.
        Ok((MethodResponse::Fault(fault), _)) => CallError::fault(peer, fault),
        Ok((MethodResponse::Success(_), _)) => CallError::NotSealed(peer.wwwroot.clone()),
        Err(_) => not_mnet(&peer.wwwroot, body),
    }
}

fn decode(peer: &Peer, payload: &[u8]) -> Result<(MethodResponse, Option<Dialect>), CallError> {
    let limits = Limits::default();
    peer.read(|encoding| xmlrpc::decode_response(payload, encoding, &limits))
        .map_err(|reason| CallError::Payload {
            peer: peer.wwwroot.clone(),
            reason,
        })
}

fn check_sender(peer: &Peer, named: &str) -> Result<(), CallError> {
    if named == peer.wwwroot.as_str() {
        return Ok(());
    }
    Err(CallError::WrongSender {
        peer: peer.wwwroot.clone(),
        named: named.chars().take(255).collect(),
    })
}

pub(super) fn not_mnet(peer: &Wwwroot, body: &[u8]) -> CallError {
    let beginning: String = String::from_utf8_lossy(&body[..body.len().min(200)])
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    CallError::NotMnet {
        peer: peer.clone(),
        beginning: beginning
            .chars()
            .filter(|c| !c.is_control())
            .take(60)
            .collect(),
    }
}

/// A fault's text as one sentence, and what such a fault usually means as the next.
fn with_hint(message: &str, code: i32) -> String {
    let hint = hint(code);
    if hint.is_empty() {
        return message.to_owned();
    }
    format!("{}. {hint}", message.trim_end().trim_end_matches('.'))
}

/// What a fault of a peer's usually means to the administrator here.
fn hint(code: i32) -> &'static str {
    match code {
        // Mahara's, whose own text is the same for all.
        0 => {
            "A Mahara answers so where there is no such method or the method refuses; the cause stands in its error log only"
        }
        6003 => {
            "The Mahara there does not know this site by that wwwroot: give an institution there the authentication plugin XML-RPC with this wwwroot (Administration › Institutions › Settings)"
        }
        6004 => {
            "The Mahara there could not verify our signature. Right after a key rotation here, call again; else replace the public key in its XML-RPC authentication of this site (Administration › Institutions › Settings) by the one that mnetd key show prints"
        }
        6013 => {
            "The Mahara there calls itself by another address than the one called: add it under the address its home page leads to"
        }
        6000..=6012 => "The cause stands in the error log of the Mahara there",
        704 => {
            "Networking is off there (Moodle: Site administration › Advanced features › Networking)"
        }
        707 => {
            "The service is not published to us there (Moodle: Networking › Manage peers › Services)"
        }
        710 => {
            "The peer verifies our signature with another certificate. Right after a key rotation here, call again; else, in Moodle, open Networking > Manage peers > this site > Review host details, replace Public key by the one that mnetd key show prints, and save; and check that no copy of this site uses the same address"
        }
        7012 => "There is no such method there, or it is not published to us",
        7020 => "The peer does not know this site by that wwwroot: add it there as a peer",
        7021 => "The peer does not take calls that are not sealed",
        FAULT_CANNOT_OPEN => {
            "The peer could not open our message. With Moodle the usual cause is PHP's OpenSSL 3 without RC4: in openssl.cnf activate both the default and the legacy provider for the PHP process, then restart it"
        }
        _ => "",
    }
}
