//! Moments and spans of time as people read them.

use crate::clock::UnixTime;

/// Clocks further apart than this, in seconds, are called different: at 15 s peers begin to refuse each
/// other (docs/protocol.md, A server's order of work).
const CLOCKS_AGREE: u64 = 5;

/// A day in seconds.
const DAY: i64 = 86_400;

/// A moment to the minute, in UTC: `2026-11-24 08:27 UTC`; the bare number where no calendar date fits.
#[must_use]
pub fn moment(at: UnixTime) -> String {
    match jiff::Timestamp::from_second(at.0) {
        Ok(timestamp) => timestamp.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => at.0.to_string(),
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_795_480_242);

    #[test]
    fn a_moment_is_told_to_the_minute() {
        assert_eq!(moment(NOW), "2026-11-24 00:30 UTC");
        assert_eq!(moment(UnixTime(i64::MAX)), i64::MAX.to_string());
    }

    #[test]
    fn what_is_left_is_counted_in_days() {
        for (seconds, expected) in [
            (-1, "expired"),
            (0, "less than a day left"),
            (DAY, "1 day left"),
            (2 * DAY, "2 days left"),
            (28 * DAY - 1, "27 days left"),
        ] {
            assert_eq!(time_left(NOW.plus(seconds), NOW), expected);
        }
    }

    #[test]
    fn clocks_a_few_seconds_apart_agree() {
        assert_eq!(clock_offset(5), "agrees with ours");
        assert_eq!(clock_offset(-5), "agrees with ours");
        assert_eq!(clock_offset(6), "6 s ahead of ours");
        assert_eq!(clock_offset(-6), "6 s behind ours");
    }
}
