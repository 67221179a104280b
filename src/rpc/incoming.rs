//! Bodies: read within their limits of size and time, and only a few long ones at a time.
//!
//! Nobody is known yet while a body is read. Were every connection allowed the longest body, 512 of
//! them could make the server hold 4 GiB.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::envelope;

/// Bodies up to this length are read on every connection: a call of one record has 4 to 8 KiB.
pub const SHORT_BODY_BYTES: usize = 64 * 1024;

/// How many longer bodies are read and answered at a time, of up to 8 MiB each; more wait.
pub const MAX_LONG_BODIES: usize = 8;

/// How many bytes a second the sender of a longer body must keep to on the whole, once it has a place:
/// half of what the slowest line to a school's server carries (1 Mbit/s). Without it, eight senders of
/// a byte now and then would keep all places for [`BODY_TIMEOUT`](super::BODY_TIMEOUT), each time.
pub const LONG_BODY_RATE: u32 = 64 * 1024;

/// How long the sender of a longer body may fall behind [`LONG_BODY_RATE`]: a lost packet or two, sent
/// again after a second.
pub const LONG_BODY_GRACE: Duration = Duration::from_secs(3);

/// Reads bodies. Clones share the places for long ones.
#[derive(Clone, Debug)]
pub struct Bodies {
    timeout: Duration,
    pace: Pace,
    long: Arc<Semaphore>,
}

/// How quickly the sender of a long body has to be.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How many bytes have to come in a second.
    pub rate: u32,
    /// How far behind that the sender may fall.
    pub grace: Duration,
}

/// A whole body, with the place it takes until it is answered.
#[derive(Debug)]
pub struct Held {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The place of a long one.
    pub place: Option<OwnedSemaphorePermit>,
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is longer than a message may be.
    TooLong,
    /// It ends before its length, or is badly chunked.
    BrokenOff,
    /// It did not come in time.
    TooSlow,
    /// Other long bodies had all the places until the time was over.
    Busy,
}

impl Bodies {
    /// Reads each body within `timeout`, and `long` long ones at a time, which have to come at `pace`.
    pub fn new(timeout: Duration, pace: Pace, long: usize) -> Self {
        Self {
            timeout,
            pace,
            long: Arc::new(Semaphore::new(long)),
        }
    }

    /// Reads a body to its end. One that is declared too long is not read at all.
    ///
    /// # Errors
    /// [`Unread`] where it has none, or none in time.
    pub async fn read(&self, mut body: Body) -> Result<Held, Unread> {
        let most = u64::try_from(envelope::MAX_BYTES).unwrap_or(u64::MAX);
        if body.size_hint().lower() > most {
            return Err(Unread::TooLong);
        }
        let deadline = Instant::now() + self.timeout;
        // Nothing is set aside for a length that is only announced.
        let mut bytes = Vec::new();
        let is_whole = fill(&mut bytes, &mut body, SHORT_BODY_BYTES, |_| deadline).await?;
        if is_whole {
            return Ok(Held { bytes, place: None });
        }
        let place = timeout_at(deadline, Arc::clone(&self.long).acquire_owned())
            .await
            .map_err(|_| Unread::Busy)?
            .map_err(|_| Unread::Busy)?;
        // What was sent before there was a place says nothing of the pace from here on.
        let (begun, before) = (Instant::now(), bytes.len());
        let next = |length| deadline.min(begun + self.pace.time_for(length - before));
        let is_whole = fill(&mut bytes, &mut body, envelope::MAX_BYTES, next).await?;
        if is_whole {
            Ok(Held {
                bytes,
                place: Some(place),
            })
        } else {
            Err(Unread::TooLong)
        }
    }
}

impl Pace {
    /// How long after its beginning a body has to go on that has come to `length` bytes.
    fn time_for(self, length: usize) -> Duration {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        self.grace + Duration::from_secs(1) * length / self.rate.max(1)
    }
}

/// Reads until the body ends, or there are more than `limit` bytes; says whether it has ended. With so
/// many bytes there, the next have to come until `deadline` of that number.
async fn fill(
    bytes: &mut Vec<u8>,
    body: &mut Body,
    limit: usize,
    deadline: impl Fn(usize) -> Instant,
) -> Result<bool, Unread> {
    while bytes.len() <= limit {
        let chunk = timeout_at(deadline(bytes.len()), chunk(body)).await;
        match chunk.map_err(|_| Unread::TooSlow)? {
            Some(Ok(chunk)) => bytes.extend_from_slice(&chunk),
            Some(Err(_)) => return Err(Unread::BrokenOff),
            None => return Ok(true),
        }
    }
    Ok(false)
}

/// The next bytes of a body; trailers are passed over.
async fn chunk(body: &mut Body) -> Option<Result<Bytes, axum::Error>> {
    loop {
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        match frame.map(|frame| frame.into_data().ok()) {
            Ok(Some(data)) => return Some(Ok(data)),
            Ok(None) => {}
            Err(error) => return Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_come_earns_time_for_the_rest() {
        let pace = Pace {
            rate: 1024,
            grace: Duration::from_secs(3),
        };
        assert_eq!(pace.time_for(0), Duration::from_secs(3));
        assert_eq!(pace.time_for(512), Duration::from_millis(3_500));
        assert_eq!(
            pace.time_for(envelope::MAX_BYTES),
            Duration::from_secs(3 + 8 * 1024)
        );
    }
}
