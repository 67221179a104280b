//! What PHP means by what it sends.
//!
//! PHP has one kind of array for lists and structs, databases that hand out numbers as strings, and sends
//! `false` for "nothing found". These readers take those habits for what they mean, and nothing else: junk stays
//! `None`. Where a rule needs the type as sent, use [`Value::as_str`] and its kin.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::{Struct, Value};

/// Whole numbers up to here stand exactly in a `<double>`: 2^53.
const EXACT_IN_DOUBLE: f64 = 9_007_199_254_740_992.0;

static NO_MEMBERS: LazyLock<Struct> = LazyLock::new(Struct::new);

impl Value {
    /// A whole number: `<int>`, `<i8>`, a `<double>` without fraction, or a string of decimal digits with an
    /// optional sign and white space around it. Never a boolean, never the empty string.
    #[must_use]
    pub fn to_integer(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(i64::from(*number)),
            Self::I8(number) => Some(*number),
            Self::Double(number) => whole(*number),
            Self::String(text) => integer_in(text),
            _ => None,
        }
    }

    /// Text: strings as they are, numbers in decimal, a date as sent, nil as empty text.
    #[must_use]
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::String(text) | Self::DateTime(text) => Some(Cow::Borrowed(text)),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::I8(number) => Some(Cow::Owned(number.to_string())),
            Self::Double(number) if number.is_finite() => Some(Cow::Owned(number.to_string())),
            Self::Nil => Some(Cow::Borrowed("")),
            _ => None,
        }
    }

    /// A number with or without fraction, or a string that holds one (`"87.50000"`, as Moodle sends grades).
    /// Always finite.
    #[must_use]
    pub fn to_number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(f64::from(*number)),
            #[allow(clippy::cast_precision_loss)] // a number beyond 2^53 is read to the nearest
            Self::I8(number) => Some(*number as f64),
            Self::Double(number) => Some(*number).filter(|number| number.is_finite()),
            Self::String(text) => number_in(text),
            _ => None,
        }
    }

    /// A truth: `<boolean>`, 0 and 1 as number or string, `"true"` and `"false"`, and for false also the empty
    /// string and nil, which PHP sends for false and NULL.
    #[must_use]
    pub fn to_boolean(&self) -> Option<bool> {
        match self {
            Self::Boolean(truth) => Some(*truth),
            Self::Int(0) | Self::I8(0) | Self::Nil => Some(false),
            Self::Int(1) | Self::I8(1) => Some(true),
            Self::String(text) => match text.as_str() {
                "1" | "true" => Some(true),
                "0" | "" | "false" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A struct, or an empty one where PHP sent an empty array, `false`, an empty string or nil for it.
    #[must_use]
    pub fn to_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(members) => Some(members),
            nothing if nothing.is_phps_nothing() => Some(&NO_MEMBERS),
            _ => None,
        }
    }

    /// A list: an array, or an empty one where PHP sent `false`, an empty struct, an empty string or nil for it,
    /// or the values of a struct whose names are all decimal numbers: a PHP list with gaps, or one keyed by
    /// database ids, travels so.
    #[must_use]
    pub fn to_list(&self) -> Option<Vec<&Value>> {
        match self {
            Self::Array(items) => Some(items.iter().collect()),
            Self::Struct(members) if members.iter().all(|(name, _)| is_index(name)) => {
                Some(members.iter().map(|(_, value)| value).collect())
            }
            nothing if nothing.is_phps_nothing() => Some(Vec::new()),
            _ => None,
        }
    }

    /// Whether PHP may have meant "nothing here" by this value.
    fn is_phps_nothing(&self) -> bool {
        match self {
            Self::Boolean(false) | Self::Nil => true,
            Self::String(text) => text.is_empty(),
            Self::Array(items) => items.is_empty(),
            _ => false,
        }
    }
}

fn whole(number: f64) -> Option<i64> {
    let exact = number.fract() == 0.0 && number.abs() <= EXACT_IN_DOUBLE;
    #[allow(clippy::cast_possible_truncation)] // within ±2^53 and without fraction
    exact.then_some(number as i64)
}

fn integer_in(text: &str) -> Option<i64> {
    // i64's own parser takes an optional sign and digits only
    text.trim_ascii().parse().ok()
}

fn number_in(text: &str) -> Option<f64> {
    super::decode::finite_double(text.trim_ascii())
}

fn is_index(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::from(text)
    }

    #[test]
    fn whole_numbers_are_read_and_junk_is_not() {
        assert_eq!(Value::Int(-3).to_integer(), Some(-3));
        assert_eq!(Value::Double(7.0).to_integer(), Some(7));
        assert_eq!(text(" 12\n").to_integer(), Some(12));
        assert_eq!(text("-0012").to_integer(), Some(-12));
        for junk in [
            "",
            "1e3",
            "0x1f",
            "12 apples",
            "1.0",
            "٣",
            "9223372036854775808",
        ] {
            assert_eq!(text(junk).to_integer(), None, "{junk:?}");
        }
        for other in [
            Value::Boolean(true),
            Value::Double(0.5),
            Value::Double(1e300),
            Value::Nil,
        ] {
            assert_eq!(other.to_integer(), None, "{other:?}");
        }
    }

    #[test]
    fn numbers_are_read_from_strings_as_moodle_sends_grades() {
        assert_eq!(text("87.50000").to_number(), Some(87.5));
        assert_eq!(text("-1E2").to_number(), Some(-100.0));
        for junk in ["", "NaN", "inf", "-infinity", "1e999", "1,5", "."] {
            assert_eq!(text(junk).to_number(), None, "{junk:?}");
        }
    }

    #[test]
    fn truths_come_as_booleans_numbers_and_strings() {
        for truth in [Value::Boolean(true), Value::Int(1), text("1"), text("true")] {
            assert_eq!(truth.to_boolean(), Some(true), "{truth:?}");
        }
        for untruth in [
            Value::Boolean(false),
            Value::I8(0),
            text("0"),
            text(""),
            text("false"),
            Value::Nil,
        ] {
            assert_eq!(untruth.to_boolean(), Some(false), "{untruth:?}");
        }
        for junk in [Value::Int(2), text("yes"), Value::Array(vec![])] {
            assert_eq!(junk.to_boolean(), None, "{junk:?}");
        }
    }

    #[test]
    fn nothing_is_an_empty_struct_and_an_empty_list() {
        for nothing in [
            Value::Boolean(false),
            text(""),
            Value::Array(vec![]),
            Value::Nil,
        ] {
            assert_eq!(nothing.to_struct().map(Struct::len), Some(0), "{nothing:?}");
            assert_eq!(nothing.to_list(), Some(vec![]), "{nothing:?}");
        }
        assert_eq!(Value::Struct(Struct::new()).to_list(), Some(vec![]));
        for something in [Value::Boolean(true), text("x"), Value::Int(0)] {
            assert_eq!(something.to_struct(), None, "{something:?}");
            assert_eq!(something.to_list(), None, "{something:?}");
        }
        assert_eq!(Value::Array(vec![Value::Int(1)]).to_struct(), None);
    }

    #[test]
    fn a_struct_keyed_by_numbers_is_a_list() {
        let keyed = Value::Struct(Struct::new().with("2", "a").with("7", "b"));
        assert_eq!(keyed.to_list(), Some(vec![&text("a"), &text("b")]));
        let named = Value::Struct(Struct::new().with("2", "a").with("seven", "b"));
        assert_eq!(named.to_list(), None);
    }
}
