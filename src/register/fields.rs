//! Reads the fields of a call, each with its type and bounds, and takes PHP's habits for what they
//! mean: ids as numbers, numbers as strings, `""` for no, `false` where there is no list.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value as Json};

use super::error::RegisterError;
use crate::clock::UnixTime;
use crate::store::{Extra, MAX_EXTRA_BYTES};
use crate::xmlrpc::{Struct, Value};

/// Characters in an id: Moodle's longest (`user.idnumber`) holds 255.
pub const MAX_ID: usize = 255;

/// Characters in a username: Moodle's `user.username` holds 100.
pub const MAX_USERNAME: usize = 100;

/// Characters in a name of anything: Moodle's longest (`course.fullname` since 5.0) holds 1333.
pub const MAX_NAME: usize = 1_333;

/// Characters in an e-mail address (RFC 5321, 4.5.3.1.3, without the angle brackets).
pub const MAX_EMAIL: usize = 254;

/// Characters in a note: two pages of text; what is longer belongs into a file.
pub const MAX_NOTE: usize = 4_000;

/// Entries in a list of teachers or segments: a section has a handful.
pub const MAX_LIST: usize = 100;

/// Points at most, and negative ones at least: Moodle keeps grades with 10 digits, 5 of them after the
/// point (`grade_grades.finalgrade`), so nothing beyond ±99,999 arrives from there.
pub const MAX_POINTS: f64 = 1_000_000.0;

/// The highest number of an attempt: more than a user can make in a year, one a minute.
pub const MAX_ATTEMPT: i64 = 1_000_000;

/// The last second of the year 9999, the last that a calendar date is printed for.
const LAST_MOMENT: i64 = 253_402_300_799;

/// Characters of a value that are repeated in a message.
pub(super) const SHOWN: usize = 60;

/// What is said about something that need not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// Nothing is said: it stays.
    Keep,
    /// It is empty: there is none.
    Clear,
    /// It is this.
    Set(T),
}

impl<T> Change<T> {
    /// What there is once this is laid over `old`.
    #[must_use]
    pub fn laid_over(self, old: Option<T>) -> Option<T> {
        match self {
            Self::Keep => old,
            Self::Clear => None,
            Self::Set(new) => Some(new),
        }
    }

    /// The same with `with` done to what is set.
    pub(super) fn map<U>(self, with: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::Keep => Change::Keep,
            Self::Clear => Change::Clear,
            Self::Set(value) => Change::Set(with(value)),
        }
    }
}

impl<T> Change<Vec<T>> {
    /// The list that is said, empty where there is to be none; `None` where nothing is said.
    pub(super) fn said(&self) -> Option<&[T]> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(&[]),
            Self::Set(list) => Some(list),
        }
    }
}

/// The members of a call's struct, and which of them were read.
pub(super) struct Fields<'v> {
    members: &'v Struct,
    read: HashSet<&'static str>,
}

impl<'v> Fields<'v> {
    /// The first parameter, which has to be a struct.
    pub(super) fn of(params: &'v [Value]) -> Result<Self, RegisterError> {
        const EXPECTED: &str = "a struct as the first parameter";
        let first = params.first().ok_or(RegisterError::Missing {
            field: "parameter 1",
            expected: EXPECTED,
        })?;
        let members = first
            .to_struct()
            .ok_or_else(|| wrong("parameter 1", first, EXPECTED))?;
        Ok(Self {
            members,
            read: HashSet::new(),
        })
    }

    /// An id that came as the first parameter itself, without a struct around it.
    pub(super) fn lone_id(
        params: &[Value],
        field: &'static str,
    ) -> Result<Option<String>, RegisterError> {
        match params.first() {
            Some(value @ (Value::String(_) | Value::Int(_) | Value::I8(_))) => id(field, value),
            _ => Ok(None),
        }
    }

    fn take(&mut self, field: &'static str) -> Option<&'v Value> {
        self.read.insert(field);
        self.members.get(field)
    }

    /// An id under the first of `names` that holds one.
    pub(super) fn first_id(
        &mut self,
        names: &[&'static str],
    ) -> Result<Option<String>, RegisterError> {
        for name in names {
            let found = match self.take(name) {
                Some(value) => id(name, value)?,
                None => None,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// An id that has to be there, under the first of `names` that holds one.
    pub(super) fn required_id(&mut self, names: &[&'static str]) -> Result<String, RegisterError> {
        self.first_id(names)?.ok_or(RegisterError::Missing {
            field: names[0],
            expected: "an id, as a string or an int",
        })
    }

    /// A text without control characters, where it is there and not empty.
    pub(super) fn name(
        &mut self,
        field: &'static str,
        longest: usize,
    ) -> Result<Option<String>, RegisterError> {
        match self.take(field) {
            Some(value) => name(field, value, longest),
            None => Ok(None),
        }
    }

    /// A text that may be missing, or empty.
    pub(super) fn text(
        &mut self,
        field: &'static str,
        longest: usize,
    ) -> Result<Change<String>, RegisterError> {
        let Some(value) = self.take(field) else {
            return Ok(Change::Keep);
        };
        Ok(match text(field, value, longest)? {
            Some(text) => Change::Set(text),
            None => Change::Clear,
        })
    }

    /// A text that has to be there.
    pub(super) fn required_text(
        &mut self,
        field: &'static str,
        longest: usize,
    ) -> Result<String, RegisterError> {
        self.text(field, longest)?
            .laid_over(None)
            .ok_or(RegisterError::Missing {
                field,
                expected: "a text",
            })
    }

    /// A text that may be missing, but must not be empty.
    pub(super) fn text_if_said(
        &mut self,
        field: &'static str,
        longest: usize,
    ) -> Result<Option<String>, RegisterError> {
        match self.text(field, longest)? {
            Change::Keep => Ok(None),
            Change::Set(text) => Ok(Some(text)),
            Change::Clear => Err(RegisterError::Missing {
                field,
                expected: "a text, or leave the field out to keep what there is",
            }),
        }
    }

    /// Yes or no, where it is said. Empty is no; nil says nothing.
    pub(super) fn flag(&mut self, field: &'static str) -> Result<Option<bool>, RegisterError> {
        match self.take(field) {
            None | Some(Value::Nil) => Ok(None),
            Some(value) => match value.to_boolean() {
                Some(flag) => Ok(Some(flag)),
                None => Err(wrong(field, value, "a boolean, or 0 or 1")),
            },
        }
    }

    /// A number within bounds.
    pub(super) fn number(
        &mut self,
        field: &'static str,
        least: f64,
        most: f64,
    ) -> Result<Change<f64>, RegisterError> {
        let Some(value) = self.take(field) else {
            return Ok(Change::Keep);
        };
        if says_nothing(value) {
            return Ok(Change::Clear);
        }
        match value.to_number() {
            // Minus nought would be printed with its sign.
            Some(number) if (least..=most).contains(&number) => Ok(Change::Set(number + 0.0)),
            _ => Err(wrong(
                field,
                value,
                &format!("a number from {least} to {most}"),
            )),
        }
    }

    /// A whole number within bounds, where it is there and not empty.
    pub(super) fn whole(
        &mut self,
        field: &'static str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, RegisterError> {
        let Some(value) = self.take(field).filter(|value| !says_nothing(value)) else {
            return Ok(None);
        };
        match value.to_integer() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(wrong(
                field,
                value,
                &format!("a whole number from {least} to {most}"),
            )),
        }
    }

    /// A moment in Unix seconds.
    pub(super) fn moment(
        &mut self,
        field: &'static str,
    ) -> Result<Option<UnixTime>, RegisterError> {
        Ok(self.whole(field, 0, LAST_MOMENT)?.map(UnixTime))
    }

    /// Ids: one alone, or a list of them.
    pub(super) fn ids(
        &mut self,
        field: &'static str,
    ) -> Result<Change<Vec<String>>, RegisterError> {
        self.list(field, |value| id(field, value))
    }

    /// Texts without control characters: one alone, or a list of them.
    pub(super) fn texts(
        &mut self,
        field: &'static str,
        longest: usize,
    ) -> Result<Change<Vec<String>>, RegisterError> {
        self.list(field, |value| name(field, value, longest))
    }

    fn list(
        &mut self,
        field: &'static str,
        read: impl Fn(&Value) -> Result<Option<String>, RegisterError>,
    ) -> Result<Change<Vec<String>>, RegisterError> {
        let Some(value) = self.take(field) else {
            return Ok(Change::Keep);
        };
        let items = match value {
            Value::Array(_) | Value::Struct(_) => value
                .to_list()
                .ok_or_else(|| wrong(field, value, "a text, or an array of texts"))?,
            alone => vec![alone],
        };
        if items.len() > MAX_LIST {
            return Err(RegisterError::Wrong {
                field,
                found: format!("a list of {}", items.len()),
                expected: format!("at most {MAX_LIST} entries"),
            });
        }
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            list.extend(read(item)?);
        }
        Ok(if list.is_empty() {
            Change::Clear
        } else {
            Change::Set(list)
        })
    }

    /// Every member that was not read.
    pub(super) fn rest(&mut self) -> Result<Extra, RegisterError> {
        let mut rest = Map::new();
        for (name, value) in self.members.iter() {
            if !self.read.contains(name) {
                rest.insert(name.to_owned(), json(value));
            }
        }
        within_bounds(Extra::new(rest))
    }
}

/// `old` with `newer` laid over it.
pub(super) fn overlay(old: &Extra, newer: &Extra) -> Result<Extra, RegisterError> {
    if newer.is_empty() {
        return Ok(old.clone());
    }
    within_bounds(old.overlaid(newer))
}

fn within_bounds(extra: Extra) -> Result<Extra, RegisterError> {
    if extra.is_empty() {
        return Ok(extra);
    }
    let bytes = extra.to_json().len();
    if bytes > MAX_EXTRA_BYTES {
        return Err(RegisterError::Wrong {
            field: "(the fields the register does not know)",
            found: format!("{bytes} bytes together"),
            expected: format!("at most {MAX_EXTRA_BYTES} beside one row"),
        });
    }
    Ok(extra)
}

/// `text` in quotation marks for a message, shortened, without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters
        .by_ref()
        .take(SHOWN)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    let more = if characters.next().is_some() {
        "…"
    } else {
        ""
    };
    format!("“{start}{more}”")
}

fn wrong(field: &'static str, value: &Value, expected: &str) -> RegisterError {
    let found = match value.to_text() {
        Some(text) => shown(&text),
        None => format!("of type {}", value.kind()),
    };
    RegisterError::Wrong {
        field,
        found,
        expected: expected.to_owned(),
    }
}

/// PHP's ways of giving nothing.
fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Nil | Value::Boolean(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn id(field: &'static str, value: &Value) -> Result<Option<String>, RegisterError> {
    match value {
        Value::Double(_) | Value::DateTime(_) => {
            Err(wrong(field, value, "an id, as a string or an int"))
        }
        _ => name(field, value, MAX_ID),
    }
}

/// Ids, usernames and the like end up in log lines and in files of one row a line.
fn name(
    field: &'static str,
    value: &Value,
    longest: usize,
) -> Result<Option<String>, RegisterError> {
    let name = text(field, value, longest)?;
    match &name {
        Some(text) if text.chars().any(char::is_control) => Err(wrong(
            field,
            value,
            "a text in one line, without control characters",
        )),
        _ => Ok(name),
    }
}

fn text(
    field: &'static str,
    value: &Value,
    longest: usize,
) -> Result<Option<String>, RegisterError> {
    if says_nothing(value) {
        return Ok(None);
    }
    let text = value
        .to_text()
        .ok_or_else(|| wrong(field, value, "a text"))?;
    let length = text.chars().count();
    if length > longest {
        return Err(RegisterError::Wrong {
            field,
            found: format!("{length} characters long"),
            expected: format!("at most {longest}"),
        });
    }
    Ok(Some(text.into_owned()))
}

/// A value as JSON: dates as they were sent, bytes in base64.
fn json(value: &Value) -> Json {
    match value {
        Value::Int(number) => Json::from(*number),
        Value::I8(number) => Json::from(*number),
        Value::Boolean(truth) => Json::from(*truth),
        Value::Double(number) => Json::from(*number),
        Value::String(text) | Value::DateTime(text) => Json::from(text.as_str()),
        Value::Base64(bytes) => Json::from(BASE64.encode(bytes)),
        Value::Array(items) => items.iter().map(json).collect(),
        Value::Struct(members) => members
            .iter()
            .map(|(name, value)| (name.to_owned(), json(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Nil => Json::Null,
    }
}
