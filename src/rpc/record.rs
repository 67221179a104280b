//! What the logs and the metrics tell of a call: who, what, how it ended. Never its contents.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use metrics::{counter, histogram};

use super::fault::{Refusal, Rejected};
use super::services;
use crate::clock::UnixTime;
use crate::store::calls::{Direction, NewCall};
use crate::store::{PeerId, Store};
use crate::xmlrpc::Value;

/// Calls that nobody's signature proves, noted in the log of calls at once; then one every ten seconds.
/// An administrator who tries a new peer out makes a handful. At this pace a flood takes 8,640 rows a
/// day out of the 200,000 that are kept, so that it neither fills the disk nor drives the peers' calls
/// out of the log for weeks.
const UNPROVEN_ROWS: NonZeroU32 = NonZeroU32::new(30).unwrap();

/// How long one such row takes to be forgotten.
const UNPROVEN_PACE: Duration = Duration::from_secs(10);

/// One call as it goes into the log.
#[derive(Clone, Debug, Default)]
pub struct CallRecord {
    /// The wwwroot of the peer, once the peer is known.
    pub peer: Option<String>,
    /// The method, once the payload could be read.
    pub method: Option<String>,
    /// The fault answered.
    pub fault: Option<i32>,
    /// The row of the peer.
    pub(super) peer_id: Option<PeerId>,
    /// Whom the envelope names, where that is no peer.
    pub(super) stranger: Option<String>,
    /// Whether the peer's signature was verified, on a message not heard before.
    pub(super) is_proven: bool,
    /// The fault in words.
    pub(super) message: Option<String>,
}

/// The longest method name written to the log: a stranger may send any text for one.
const MAX_METHOD: usize = 80;

impl CallRecord {
    /// The method as the log shows it.
    #[must_use]
    pub fn method(&self) -> String {
        match &self.method {
            Some(method) => method
                .chars()
                .filter(|c| !c.is_control())
                .take(MAX_METHOD)
                .collect(),
            None => "unread".to_owned(),
        }
    }

    pub(super) fn note_outcome(&mut self, outcome: &Result<Value, Refusal>) {
        let refusal = outcome.as_ref().err();
        self.fault = refusal.map(Refusal::code);
        self.message = refusal.map(|refusal| match refusal {
            // Its text is a certificate.
            Refusal::KeyChanged(_) => {
                "it was sealed to an old key of ours; the present one was told".to_owned()
            }
            refusal => refusal.to_string(),
        });
    }

    /// Counts the call. The method is one of the known ones, so that strangers cannot invent series.
    pub(super) fn count(&self, duration: Duration, rejected: bool) {
        let method = self.method.as_deref().map_or("unread", services::canonical);
        let outcome = match (rejected, self.fault) {
            (true, _) => "rejected".to_owned(),
            (false, Some(code)) => code.to_string(),
            (false, None) => "ok".to_owned(),
        };
        counter!("mnetd_calls_total", "method" => method, "outcome" => outcome).increment(1);
        histogram!("mnetd_call_seconds", "method" => method).record(duration.as_secs_f64());
    }
}

/// Puts calls in into the log that administrators see.
#[derive(Debug)]
pub struct CallLog {
    /// Calls in the name of nobody we know.
    strangers: DefaultDirectRateLimiter,
    /// Calls in a peer's name that its signature does not prove. Apart, so that strangers do not hide
    /// what goes wrong with a peer.
    unproven: DefaultDirectRateLimiter,
}

impl Default for CallLog {
    fn default() -> Self {
        let limiter = || {
            let quota = Quota::with_period(UNPROVEN_PACE)
                .unwrap_or_else(|| Quota::per_minute(UNPROVEN_ROWS));
            RateLimiter::direct(quota.allow_burst(UNPROVEN_ROWS))
        };
        Self {
            strangers: limiter(),
            unproven: limiter(),
        }
    }
}

impl CallLog {
    /// Notes a call that ended at `now`; waits for nothing.
    pub fn note(
        &self,
        store: &Store,
        record: &CallRecord,
        rejected: Option<&Rejected>,
        from: IpAddr,
        duration: Duration,
        now: UnixTime,
    ) {
        if !self.admits(record) {
            return;
        }
        let origin = record.stranger.clone();
        store.note_call(NewCall {
            at: now,
            direction: Direction::In,
            peer: record.peer_id,
            origin: Some(origin.unwrap_or_else(|| from.to_string())),
            method: record.method(),
            fault_code: record.fault,
            message: match rejected {
                Some(rejected) => Some(rejected.to_string()),
                None => record.message.clone(),
            },
            attempts: 1,
            microseconds: i64::try_from(duration.as_micros()).unwrap_or(i64::MAX),
        });
    }

    fn admits(&self, record: &CallRecord) -> bool {
        if record.is_proven {
            return true;
        }
        let limiter = match record.peer_id {
            Some(_) => &self.unproven,
            None => &self.strangers,
        };
        limiter.check().is_ok()
    }
}
