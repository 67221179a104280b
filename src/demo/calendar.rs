//! The school's terms, reckoned back from today.

use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::clock::UnixTime;

/// A term of the school.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    /// As people name it: "Autumn 2026".
    pub name: String,
    /// Its first day.
    pub start: UnixTime,
    /// Its last day.
    pub end: UnixTime,
}

/// The terms a school of a chosen age has had, and the one to come.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    /// Two a year, the oldest first; the last is the one that runs now, or has just ended.
    pub terms: Vec<Term>,
    /// The one after them.
    pub coming: Term,
}

impl Calendar {
    /// `years` school years of two terms each, up to `now`.
    pub(super) fn until(now: UnixTime, years: u32) -> Self {
        let year = jiff::Timestamp::from_second(now.0)
            .map_or(1970, |at| at.to_zoned_datetime(TimeZone::UTC).year());
        // Half a year is a number: twice the year, and one more for autumn.
        let last_begun = (0..4)
            .map(|back| 2 * i32::from(year) + 1 - back)
            .find(|&half| Term::of(half).start <= now)
            .unwrap_or(2 * i32::from(year));
        let count = i32::try_from(years.max(1) * 2).unwrap_or(2);
        Self {
            terms: (1 - count..=0)
                .map(|back| Term::of(last_begun + back))
                .collect(),
            coming: Term::of(last_begun + 1),
        }
    }

    /// The first day of the first term.
    pub(super) fn start(&self) -> UnixTime {
        self.terms.first().unwrap_or(&self.coming).start
    }
}

impl Term {
    fn of(half: i32) -> Self {
        // Far beyond any school: jiff's years end at 9999.
        let year = i16::try_from(half.div_euclid(2))
            .unwrap_or(i16::MAX)
            .clamp(1, 9_000);
        let day = |month, day| {
            let midnight = date(year, month, day).to_zoned_datetime(TimeZone::UTC);
            UnixTime(midnight.map_or(0, |zoned| zoned.timestamp().as_second()))
        };
        if half.rem_euclid(2) == 1 {
            Self {
                name: format!("Autumn {year}"),
                start: day(8, 18),
                end: day(12, 18),
            }
        } else {
            Self {
                name: format!("Spring {year}"),
                start: day(1, 8),
                end: day(6, 16),
            }
        }
    }

    /// The moment a part of the way through, `part` of `parts`.
    pub(super) fn at(&self, part: usize, parts: usize) -> UnixTime {
        let length = self.end.since(self.start);
        let (part, parts) = (
            i64::try_from(part).unwrap_or(0),
            i64::try_from(parts.max(1)).unwrap_or(1),
        );
        self.start.plus(length * part / parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(now: i64, years: u32) -> Vec<String> {
        let calendar = Calendar::until(UnixTime(now), years);
        let terms = calendar.terms.iter().map(|term| term.name.clone());
        terms.chain([calendar.coming.name.clone()]).collect()
    }

    #[test]
    fn the_last_term_is_the_one_that_has_begun() {
        // 2026-11-24
        assert_eq!(
            names(1_795_478_400, 1),
            ["Spring 2026", "Autumn 2026", "Spring 2027"]
        );
        // 2026-07-15, in the holidays
        assert_eq!(
            names(1_784_073_600, 1),
            ["Autumn 2025", "Spring 2026", "Autumn 2026"]
        );
        // 2026-01-02
        assert_eq!(
            names(1_767_312_000, 1),
            ["Spring 2025", "Autumn 2025", "Spring 2026"]
        );
    }

    #[test]
    fn a_year_has_two_terms() {
        assert_eq!(names(1_795_478_400, 3).len(), 7);
    }
}
