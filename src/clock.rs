//! The time as an argument, so that rules about dates can be tested.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970-01-01T00:00:00Z, as MNet's envelopes carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// This moment moved by `seconds` (negative: into the past); stops at the ends of `i64`.
    #[must_use]
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// How many seconds this moment lies after `other`; negative when before.
    #[must_use]
    pub const fn since(self, other: Self) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

/// RFC 3339 in UTC (`2026-11-24T08:27:38Z`); the bare number where no calendar date fits.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

/// Where the present moment comes from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's own clock.
    #[default]
    System,
    /// A clock that is set by hand: recorded traffic is replayed at the second it was recorded.
    Set(Arc<SetClock>),
}

/// A clock that stands until it is set. Its date may be put anywhere; the time that has gone by since
/// it was made only grows.
#[derive(Debug)]
pub struct SetClock {
    date: AtomicI64,
    made: Instant,
    gone_by: AtomicU64,
}

impl Clock {
    /// A clock that stands at `at` until [`Clock::set`] or [`Clock::advance`] moves it.
    #[must_use]
    pub fn standing_at(at: UnixTime) -> Self {
        Self::Set(Arc::new(SetClock {
            date: AtomicI64::new(at.0),
            made: Instant::now(),
            gone_by: AtomicU64::new(0),
        }))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> UnixTime {
        match self {
            Self::System => {
                let elapsed = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                UnixTime(i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX))
            }
            Self::Set(clock) => UnixTime(clock.date.load(Ordering::SeqCst)),
        }
    }

    /// The present moment for measuring how much time goes by: it never goes back, whoever corrects the
    /// date.
    #[must_use]
    pub fn instant(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Set(clock) => {
                clock.made + Duration::from_secs(clock.gone_by.load(Ordering::SeqCst))
            }
        }
    }

    /// Corrects the date of a clock that is set by hand, and lets no time go by; the machine's own clock
    /// stays as it is.
    pub fn set(&self, at: UnixTime) {
        if let Self::Set(clock) = self {
            clock.date.store(at.0, Ordering::SeqCst);
        }
    }

    /// Lets time go by on a clock that is set by hand; the machine's own clock stays as it is.
    pub fn advance(&self, seconds: u32) {
        if let Self::Set(clock) = self {
            clock.date.fetch_add(seconds.into(), Ordering::SeqCst);
            clock.gone_by.fetch_add(seconds.into(), Ordering::SeqCst);
        }
    }
}
