//! What the log and the metrics tell of a call: who, what, how it ended. Never its contents.

use std::time::Duration;

use metrics::{counter, histogram};

use super::fault::Refusal;
use super::services;
use crate::xmlrpc::Value;

/// One call as it goes into the log.
#[derive(Clone, Debug, Default)]
pub struct CallRecord {
    /// The wwwroot of the peer, once the peer is known.
    pub peer: Option<String>,
    /// The method, once the payload could be read.
    pub method: Option<String>,
    /// The fault answered.
    pub fault: Option<i32>,
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
        self.fault = outcome.as_ref().err().map(Refusal::code);
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
