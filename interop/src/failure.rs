//! Why a case did not hold.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// Why a case did not hold, in words for whoever has to find out more.
#[derive(Debug, Error)]
pub enum Failure {
    /// What was seen is not what had to be.
    #[error("{what}: expected {expected}, saw {seen}")]
    Otherwise {
        /// Of what.
        what: String,
        /// What had to be.
        expected: String,
        /// What was.
        seen: String,
    },
    /// Something did not come about.
    #[error("{what} did not come about within {within:?}; last seen: {last}")]
    NotInTime {
        /// What was waited for.
        what: String,
        /// How long.
        within: Duration,
        /// What stood there instead, at the end.
        last: String,
    },
    /// Moodle's own PHP, or our script in it, refused.
    #[error("{moodle}: {action}: {reason}")]
    Moodle {
        /// Which Moodle, by its address.
        moodle: String,
        /// What was asked of it.
        action: String,
        /// What it said.
        reason: String,
    },
    /// A page that does not hold what a browser's user needs next.
    #[error("{url}: {missing}. The page says: {says}")]
    Page {
        /// Its address.
        url: String,
        /// What is not on it.
        missing: String,
        /// What is, cut short.
        says: String,
    },
    /// A request that got no answer.
    #[error("{url}: {reason}")]
    Request {
        /// To where.
        url: String,
        /// What went wrong.
        reason: String,
    },
    /// More redirects than any site means.
    #[error("{url}: still sent on after {limit} redirects, the last to {last}")]
    SentInCircles {
        /// Where it began.
        url: String,
        /// How many were followed.
        limit: usize,
        /// Where the last led.
        last: String,
    },
    /// A command of mnetd that did not do what it was told.
    #[error("mnetd {command}: exit code {code}: {complaint}")]
    Mnetd {
        /// As it was called.
        command: String,
        /// What it exited with; -1: by a signal.
        code: i32,
        /// What it complained of.
        complaint: String,
        /// What it printed all the same.
        told: String,
    },
    /// A server of ours that went away, or never came.
    #[error("mnetd at {wwwroot} {happened}. Its log ends: {log}")]
    Server {
        /// Its address.
        wwwroot: String,
        /// What happened to it.
        happened: &'static str,
        /// The end of its log.
        log: String,
    },
    /// mnetd's database.
    #[error("the register's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A program that cannot be run.
    #[error("{program} cannot be run: {source}")]
    Program {
        /// Which.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the suite's own.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// JSON of another shape than expected.
    #[error("{what} is no {expected}: {seen}")]
    Shape {
        /// What was read.
        what: String,
        /// What it had to be.
        expected: &'static str,
        /// What it was.
        seen: String,
    },
    /// No port is free.
    #[error("no port of {first} to {last} is free; name others with --first-port")]
    NoPort {
        /// The first that was tried.
        first: u16,
        /// The last.
        last: u16,
    },
}

/// What a step of a case gives.
pub type Held<T = ()> = Result<T, Failure>;

/// Holds `seen` against what it has to be.
///
/// # Errors
/// When it is something else.
pub fn expect<T, S>(what: &str, expected: &T, seen: &S) -> Held
where
    T: std::fmt::Debug + PartialEq<S> + ?Sized,
    S: std::fmt::Debug + ?Sized,
{
    if expected == seen {
        return Ok(());
    }
    Err(Failure::Otherwise {
        what: what.to_owned(),
        expected: format!("{expected:?}"),
        seen: format!("{seen:?}"),
    })
}

/// Holds a text against a part that has to be in it.
///
/// # Errors
/// When it is not.
pub fn expect_text(what: &str, part: &str, seen: &str) -> Held {
    if seen.contains(part) {
        return Ok(());
    }
    Err(Failure::Otherwise {
        what: what.to_owned(),
        expected: format!("a text with “{part}”"),
        seen: format!("“{}”", shortened(seen)),
    })
}

/// Holds that something is so.
///
/// # Errors
/// When it is not; `seen` says what is.
pub fn expect_so(what: &str, so: bool, seen: &dyn std::fmt::Debug) -> Held {
    if so {
        return Ok(());
    }
    Err(Failure::Otherwise {
        what: what.to_owned(),
        expected: "it to be so".to_owned(),
        seen: format!("{seen:?}"),
    })
}

/// The beginning of a long text.
#[must_use]
pub fn shortened(text: &str) -> String {
    const ENOUGH: usize = 600;
    match text.char_indices().nth(ENOUGH) {
        None => text.to_owned(),
        Some((cut, _)) => format!("{}…", &text[..cut]),
    }
}
