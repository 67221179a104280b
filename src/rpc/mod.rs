//! One call from the wire to the register and back.
//!
//! [`Server::answer`] is the whole line: the bytes of a request in, the bytes of the response out. Its
//! parts stand in the order a message meets them:
//!
//! 1. `receive`: which envelope, whose, opened by which key, signed by whom, in time, not heard before;
//! 2. `dispatch`: which method, and may this peer call it;
//! 3. `services`: what the method does;
//! 4. `answer`: the response in the same wrapping as the request.
//!
//! RSA work, and what needs no waiting, runs on the bounded [`Workers`]; only calls that write come back
//! to the async side, to wait for the disk with many others at once (group commit).

mod answer;
mod binding;
mod fault;
mod http;
mod incoming;
mod outgoing;
mod receive;
mod record;
mod replay;
mod services;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tracing::{error, info};

use crate::clock::Clock;
use crate::keys::KeyStore;
use crate::peer::Client;
use crate::sso::Sso;
use crate::store::Store;
use crate::workers::Workers;
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::{MethodResponse, Value};

use binding::Window;
use receive::{Received, Step};
use replay::UnderWay;

pub use fault::{Refusal, Rejected};
pub(crate) use http::client_address;
pub use http::{
    BODY_TIMEOUT, HEADER_TIMEOUT, HttpLimits, MAX_CONNECTIONS, MAX_HEADER_BYTES, SHUTDOWN_TIMEOUT,
    ServeError, WRITE_TIMEOUT, router, serve, serve_metrics,
};
pub use incoming::{LONG_BODY_GRACE, LONG_BODY_RATE, MAX_LONG_BODIES, SHORT_BODY_BYTES};
pub use record::CallRecord;
pub use services::{CATALOGUE, MAX_CALLS_IN_ONE, MAX_LOG_ENTRIES, MAX_USERNAMES};

/// Answers calls. Cheap to clone; every clone is the same server.
#[derive(Clone, Debug)]
pub struct Server {
    state: Arc<State>,
}

/// What a [`Server`] is told.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// The address our site calls itself by.
    pub wwwroot: Wwwroot,
    /// How old a request may be, in seconds.
    pub max_age: i64,
    /// How far ahead a request may be dated, in seconds.
    pub max_ahead: i64,
    /// Whether an unknown site may register itself by keyswap.
    pub register_all_hosts: bool,
}

/// What a [`Server`] works with.
#[derive(Debug)]
struct State {
    wwwroot: Wwwroot,
    window: Window,
    register_all_hosts: bool,
    store: Store,
    keys: Arc<KeyStore>,
    clock: Clock,
    workers: Workers,
    under_way: UnderWay,
    log: record::CallLog,
    client: Client,
    sso: Sso,
}

impl Server {
    /// A server in the name of `settings.wwwroot`.
    #[must_use]
    pub fn new(
        settings: ServerSettings,
        store: Store,
        keys: Arc<KeyStore>,
        clock: Clock,
        client: Client,
        workers: Workers,
    ) -> Self {
        let sso = Sso::new(
            settings.wwwroot.clone(),
            store.clone(),
            client.clone(),
            clock.clone(),
        );
        Self {
            state: Arc::new(State {
                wwwroot: settings.wwwroot,
                window: Window {
                    max_age: settings.max_age,
                    max_ahead: settings.max_ahead,
                },
                register_all_hosts: settings.register_all_hosts,
                store,
                keys,
                clock,
                workers,
                under_way: UnderWay::default(),
                log: record::CallLog::default(),
                sso,
                client,
            }),
        }
    }

    /// Answers one message that came from the address `from`: the body of an HTTP request in, the body
    /// of the response (HTTP status 200, faults included) out.
    ///
    /// # Errors
    /// [`Rejected`] for what is not even an envelope.
    pub async fn answer(&self, message: Vec<u8>, from: IpAddr) -> Result<Vec<u8>, Rejected> {
        self.answer_with_record(message, from).await.0
    }

    /// As [`Server::answer`], with what the log says of the call.
    pub async fn answer_with_record(
        &self,
        message: Vec<u8>,
        from: IpAddr,
    ) -> (Result<Vec<u8>, Rejected>, CallRecord) {
        let started = Instant::now();
        let (outcome, record) = self.work(Arc::new(message), from).await;
        let duration = started.elapsed();
        record.log(duration, from, &outcome);
        let (state, rejected) = (&self.state, outcome.as_ref().err());
        let now = state.clock.now();
        state
            .log
            .note(&state.store, &record, rejected, from, duration, now);
        (outcome, record)
    }

    async fn work(
        &self,
        message: Arc<Vec<u8>>,
        from: IpAddr,
    ) -> (Result<Vec<u8>, Rejected>, CallRecord) {
        let step = match self.first_step(&message, from, true).await {
            // The peer may have a new key: ask it, then look again, once.
            Ok(Step::StaleKey(peer)) => {
                if let Err(error) = self.state.client.refresh_key(&peer).await {
                    error!(peer = %peer.wwwroot, %error, "the peer's key could not be refreshed");
                }
                self.first_step(&message, from, false).await
            }
            step => step,
        };
        match step {
            Ok(Step::Done(done)) => (Ok(done.body), done.record),
            Ok(Step::Waiting(received)) => self.carry_out(*received).await,
            Ok(Step::StaleKey(_)) => unreachable!("the second look refuses instead"),
            Err(rejected) => (Err(rejected), CallRecord::default()),
        }
    }

    async fn first_step(
        &self,
        message: &Arc<Vec<u8>>,
        from: IpAddr,
        may_refresh: bool,
    ) -> Result<Step, Rejected> {
        let state = Arc::clone(&self.state);
        let message = Arc::clone(message);
        self.state
            .workers
            .run(move || receive::first_step(&state, &message, from, may_refresh))
            .await
            .map_err(|_| Rejected::Interrupted)?
    }

    /// A call that writes: waits for the disk, then seals the answer.
    async fn carry_out(&self, received: Received) -> (Result<Vec<u8>, Rejected>, CallRecord) {
        let Received {
            peer,
            order,
            place,
            wrapping,
            mut record,
        } = received;
        let outcome = order.carry_out(&self.state, &peer, place).await;
        record.note_outcome(&outcome);
        let response = respond(outcome);
        let state = Arc::clone(&self.state);
        let body = self
            .state
            .workers
            .run(move || wrapping.wrap(&response, &state.wwwroot, state.clock.now()))
            .await;
        (answer::finish(body), record)
    }
}

fn respond(outcome: Result<Value, Refusal>) -> MethodResponse {
    match outcome {
        Ok(value) => MethodResponse::Success(value),
        Err(refusal) => MethodResponse::Fault(refusal.to_fault()),
    }
}

impl CallRecord {
    fn log(
        &self,
        duration: std::time::Duration,
        from: IpAddr,
        outcome: &Result<Vec<u8>, Rejected>,
    ) {
        // Rounded to microseconds, so that lines can be read.
        let milliseconds = (duration.as_secs_f64() * 1e6).round() / 1e3;
        let rejected = outcome.as_ref().err().map(ToString::to_string);
        info!(
            target: "mnetd::call",
            peer = self.peer.as_deref().unwrap_or("unknown"),
            method = self.method(),
            fault = self.fault,
            rejected,
            from = %from,
            milliseconds,
            "call in"
        );
        self.count(duration, rejected.is_some());
    }
}
