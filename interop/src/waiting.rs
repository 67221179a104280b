//! Until something is so, or too late.

use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Held};

/// How long most things are given: they come within seconds, and a slow machine must not fail a case.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Between two looks. Short against what is waited for, long against the look itself.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What a look showed.
pub enum Look<T> {
    /// It is so; this came of it.
    There(T),
    /// Not yet; this stands there instead.
    NotYet(String),
}

/// Looks again and again until it is so.
///
/// # Errors
/// When it is not so after `within`, with what stood there at the end; or when looking itself fails.
pub fn until<T>(what: &str, within: Duration, mut look: impl FnMut() -> Held<Look<T>>) -> Held<T> {
    let deadline = Instant::now() + within;
    loop {
        match look()? {
            Look::There(found) => return Ok(found),
            Look::NotYet(last) if Instant::now() >= deadline => {
                return Err(Failure::NotInTime {
                    what: what.to_owned(),
                    within,
                    last,
                });
            }
            Look::NotYet(_) => thread::sleep(BETWEEN_LOOKS),
        }
    }
}

/// Looks again and again until a value is the expected one.
///
/// # Errors
/// As [`until`].
pub fn until_equal<T>(
    what: &str,
    within: Duration,
    expected: &T,
    mut look: impl FnMut() -> Held<T>,
) -> Held
where
    T: PartialEq + std::fmt::Debug,
{
    until(what, within, || {
        let seen = look()?;
        Ok(if seen == *expected {
            Look::There(())
        } else {
            Look::NotYet(format!("{seen:?} (expected {expected:?})"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_about_is_handed_on() {
        let mut looks = 0;
        let found = until("three looks", PATIENCE, || {
            looks += 1;
            Ok(if looks == 3 {
                Look::There(looks)
            } else {
                Look::NotYet(looks.to_string())
            })
        });
        assert_eq!(found.unwrap(), 3);
    }

    #[test]
    fn what_does_not_come_about_is_told_with_what_was_there() {
        let failure = until_equal("the answer", Duration::ZERO, &42, || Ok(41)).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "the answer did not come about within 0ns; last seen: 41 (expected 42)"
        );
    }

    #[test]
    fn a_look_that_fails_ends_the_wait() {
        let failure = until::<()>("anything", PATIENCE, || {
            Err(Failure::NoPort { first: 1, last: 2 })
        });
        assert!(matches!(failure, Err(Failure::NoPort { .. })));
    }
}
