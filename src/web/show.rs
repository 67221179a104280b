//! How values stand on a page.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::clock::UnixTime;
use crate::store::{Author, MAX_PAGE, Page, PeerId, ReadTx, StoreError, peers};

/// Clocks further apart than this, in seconds, are called different: at 15 s peers begin to refuse each
/// other (docs/protocol.md, A server's order of work).
const CLOCKS_AGREE: u64 = 5;

/// A day in seconds.
const DAY: i64 = 86_400;

/// A moment in the machine's time zone: `24 Nov 2026, 13:04`.
#[must_use]
pub fn moment(at: &UnixTime) -> String {
    in_zone(*at, "%-d %b %Y, %H:%M")
}

/// A day in the machine's time zone: `24 Nov 2026`.
#[must_use]
pub fn day(at: &UnixTime) -> String {
    in_zone(*at, "%-d %b %Y")
}

/// A day as date fields of forms have it: `2026-11-24`.
#[must_use]
pub fn date(at: UnixTime) -> String {
    in_zone(at, "%Y-%m-%d")
}

/// The first moment of the day that a date field holds, in the machine's time zone; `None` for anything
/// that is no date.
#[must_use]
pub fn beginning_of(date: &str) -> Option<UnixTime> {
    let date: Date = date.parse().ok()?;
    let zoned = date.to_zoned_datetime(TimeZone::system()).ok()?;
    Some(UnixTime(zoned.timestamp().as_second()))
}

/// The last second of the day that a date field holds.
#[must_use]
pub fn end_of(date: &str) -> Option<UnixTime> {
    let date: Date = date.parse().ok()?;
    let next = date
        .tomorrow()
        .ok()?
        .to_zoned_datetime(TimeZone::system())
        .ok()?;
    Some(UnixTime(next.timestamp().as_second()).plus(-1))
}

/// Points without needless zeroes: `12`, `12.5`.
#[must_use]
pub fn points(points: f64) -> String {
    let text = format!("{points:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How long something took: `850 µs`, `12 ms`, `3.4 s`.
#[must_use]
pub fn duration(microseconds: &i64) -> String {
    match *microseconds {
        under if under < 1_000 => format!("{under} µs"),
        under if under < 1_000_000 => format!("{} ms", under / 1_000),
        over => format!("{}.{} s", over / 1_000_000, over / 100_000 % 10),
    }
}

/// How long it is until a moment, in whole days: `12 days left`, `1 day left`, `less than a day left`,
/// `expired`.
#[must_use]
pub fn time_left(until: UnixTime, now: UnixTime) -> String {
    match until.since(now) {
        seconds if seconds < 0 => "expired".to_owned(),
        seconds if seconds < DAY => "less than a day left".to_owned(),
        seconds if seconds < 2 * DAY => "1 day left".to_owned(),
        seconds => format!("{} days left", seconds / DAY),
    }
}

/// How far another clock is from ours, in words.
#[must_use]
pub fn clock_offset(seconds: i64) -> String {
    let size = seconds.unsigned_abs();
    if size <= CLOCKS_AGREE {
        "agrees with ours".to_owned()
    } else if seconds > 0 {
        format!("{size} s ahead of ours")
    } else {
        format!("{size} s behind ours")
    }
}

fn in_zone(at: UnixTime, format: &str) -> String {
    match Timestamp::from_second(at.0) {
        Ok(at) => at
            .to_zoned_datetime(TimeZone::system())
            .strftime(format)
            .to_string(),
        Err(_) => at.to_string(),
    }
}

/// The names of peers, for rows that say where they come from.
#[derive(Clone, Debug, Default)]
pub struct PeerNames(HashMap<PeerId, String>);

impl PeerNames {
    /// Those of every peer, removed ones under their address.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn read(tx: &ReadTx<'_>) -> Result<Self, StoreError> {
        let page = Page {
            after: None,
            limit: MAX_PAGE,
        };
        let rows = peers::list(tx, page)?;
        Ok(Self(
            rows.into_iter().map(|peer| (peer.id, peer.name)).collect(),
        ))
    }

    /// Each by its row number, in the order of the names.
    #[must_use]
    pub fn all(&self) -> Vec<(String, &str)> {
        let mut all: Vec<_> = self
            .0
            .iter()
            .map(|(id, name)| (id.0.to_string(), name.as_str()))
            .collect();
        all.sort_by_key(|(_, name)| *name);
        all
    }

    /// Where a row comes from.
    #[must_use]
    pub fn origin(&self, owner: &Option<PeerId>) -> &str {
        match owner {
            None => "made here",
            Some(peer) => self
                .0
                .get(peer)
                .map_or("a peer that was removed", String::as_str),
        }
    }

    /// Who said something.
    #[must_use]
    pub fn author(&self, author: &Author) -> String {
        match author {
            Author::Peer { id } => self.origin(&Some(*id)).to_owned(),
            Author::Admin { name } => name.clone(),
            Author::Import { name, .. } => format!("import {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_counted_in_days() {
        let now = UnixTime(1_795_480_242);
        for (seconds, expected) in [
            (-1, "expired"),
            (0, "less than a day left"),
            (DAY, "1 day left"),
            (2 * DAY, "2 days left"),
            (28 * DAY - 1, "27 days left"),
        ] {
            assert_eq!(time_left(now.plus(seconds), now), expected);
        }
    }

    #[test]
    fn clocks_a_few_seconds_apart_agree() {
        assert_eq!(clock_offset(5), "agrees with ours");
        assert_eq!(clock_offset(-5), "agrees with ours");
        assert_eq!(clock_offset(6), "6 s ahead of ours");
        assert_eq!(clock_offset(-6), "6 s behind ours");
    }

    #[test]
    fn a_day_lasts_from_its_first_second_to_its_last() {
        let (first, last) = (
            beginning_of("2026-07-01").unwrap(),
            end_of("2026-07-01").unwrap(),
        );
        assert_eq!(last.since(first), 86_399);
        assert_eq!(date(first), "2026-07-01");
        assert_eq!(date(last), "2026-07-01");
        assert_eq!(beginning_of("1 July"), None);
    }

    #[test]
    fn points_have_no_needless_zeroes() {
        assert_eq!(points(12.0), "12");
        assert_eq!(points(12.5), "12.5");
        assert_eq!(points(0.0), "0");
        assert_eq!(points(100.0), "100");
        assert_eq!(points(2.0 / 3.0), "0.67");
    }
}
