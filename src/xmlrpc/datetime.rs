//! The shape of a `<dateTime.iso8601>`.

/// Whether `text` looks as a date and time of ISO 8601 may look in XML-RPC: `20261124T08:27:38` as the
/// specification writes it, or with dashes, without colons, with a fraction, with a zone.
///
/// Only shape and the range of each field are looked at: 31 February passes.
pub(super) fn has_the_shape(text: &str) -> bool {
    parse(text.as_bytes()).is_some()
}

fn parse(text: &[u8]) -> Option<()> {
    let (_year, rest) = digits::<4>(text)?;
    let rest = optional(rest, b'-');
    let (month, rest) = digits::<2>(rest)?;
    let rest = optional(rest, b'-');
    let (day, rest) = digits::<2>(rest)?;
    let rest = rest.strip_prefix(b"T")?;
    let rest = time(rest)?;
    let within = (1..=12).contains(&month) && (1..=31).contains(&day);
    (within && is_zone(fraction(rest))).then_some(())
}

fn time(text: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = digits::<2>(text)?;
    let (minute, rest) = digits::<2>(optional(rest, b':'))?;
    let (second, rest) = digits::<2>(optional(rest, b':'))?;
    // 60: a leap second
    (hour <= 24 && minute <= 59 && second <= 60).then_some(rest)
}

fn fraction(text: &[u8]) -> &[u8] {
    match text.strip_prefix(b".") {
        Some(rest) => {
            let end = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            &rest[end..]
        }
        None => text,
    }
}

fn is_zone(text: &[u8]) -> bool {
    match text {
        [] | b"Z" => true,
        [b'+' | b'-', rest @ ..] => digits::<2>(rest)
            .and_then(|(_, rest)| digits::<2>(optional(rest, b':')))
            .is_some_and(|(_, rest)| rest.is_empty()),
        _ => false,
    }
}

fn digits<const N: usize>(text: &[u8]) -> Option<(u32, &[u8])> {
    let (head, rest) = text.split_at_checked(N)?;
    head.iter().all(u8::is_ascii_digit).then(|| {
        (
            head.iter()
                .fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')),
            rest,
        )
    })
}

fn optional(text: &[u8], mark: u8) -> &[u8] {
    match text {
        [first, rest @ ..] if *first == mark => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::has_the_shape;

    #[test]
    fn the_forms_in_use_pass() {
        for good in [
            "20261124T08:27:38",
            "20261124T082738",
            "2026-11-24T08:27:38Z",
            "2026-11-24T08:27:38.123+01:00",
            "20261124T24:00:00-0500",
        ] {
            assert!(has_the_shape(good), "{good}");
        }
    }

    #[test]
    fn other_forms_do_not() {
        for bad in [
            "",
            "today",
            "20261324T00:00:00",
            "20261124 08:27:38",
            "20261124T08:27:38 UTC",
            "20261124",
            "20261124T08:27:38+1",
        ] {
            assert!(!has_the_shape(bad), "{bad}");
        }
    }
}
