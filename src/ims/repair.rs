//! What was wrong in a file: small things that were put right, and records that could not be used.

use std::collections::BTreeMap;

use serde::Serialize;
use thiserror::Error;

/// Something that was read as it was meant.
#[derive(Clone, Debug, Error, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// Bytes that are none in the file's encoding.
    #[error("letters that are not {0} were read as Windows-1252")]
    WrongBytes(&'static str),
    /// `&eacute;` and the like, which belong to HTML.
    #[error("the entity &{0}; is no part of XML; the letter it stands for in HTML was taken")]
    HtmlEntity(String),
    /// An entity that nobody knows.
    #[error("the entity &{0}; is not defined; it was left as it stands")]
    UnknownEntity(String),
    /// A character that XML does not allow.
    #[error("control characters were left out")]
    ControlCharacter,
    /// An element without its end.
    #[error("the element {0} was not ended; its end was taken to be where the one around it ends")]
    NotEnded(String),
    /// An end without an element.
    #[error("the end of {0} belongs to no element, and was passed over")]
    StrayEnd(String),
    /// Attributes that are none.
    #[error("an attribute of {0} could not be read, and was passed over")]
    Attribute(String),
    /// A `roletype` in another spelling.
    #[error("the roletype “{0}” was read as {1:?}")]
    RoleType(String, super::RoleType),
    /// No `status`, or none that is known.
    #[error("a role without a status of 0 or 1 was taken to be active")]
    RoleStatus,
    /// A `recstatus` that is none of 1, 2 and 3.
    #[error(
        "the recstatus “{0}” is none of 1 (add), 2 (update) and 3 (delete), and was passed over"
    )]
    RecStatus(String),
    /// A date in another form.
    #[error(
        "dates in the form of “{0}” are no part of the specification; they were read as day, month, year"
    )]
    DateForm(String),
    /// A date that cannot be read.
    #[error("“{0}” is no date, and was passed over; expected such as 2026-09-01")]
    NoDate(String),
    /// A country in another spelling.
    #[error("the country “{0}” was read as {1}")]
    Country(String, String),
    /// Whitespace in the middle of an id.
    #[error("line breaks within an id were read as one space")]
    BrokenId,
}

/// Why a record was not used.
#[derive(Clone, Debug, Error, PartialEq, Eq, PartialOrd, Ord)]
pub enum Problem {
    /// It does not say who or what it is.
    #[error("it has no sourcedid with an id in it")]
    NoId,
    /// A membership without its group.
    #[error("its membership has no sourcedid that names the group before the members")]
    NoGroup,
    /// No role, or none that is known.
    #[error("it has no role with a roletype from 01 to 08 or its name (Learner, Instructor, …){}", found(.0.as_deref()))]
    NoRole(Option<String>),
    /// An `idtype` that is none.
    #[error("its idtype is “{0}”; expected 1 for a person or 2 for a group")]
    IdType(String),
    /// Longer than any record is.
    #[error("it is longer than {} KiB; most likely an element is not ended", super::MAX_RECORD / 1024)]
    TooLong,
    /// Elements in elements without end.
    #[error("its elements stand in each other more than {} deep", super::MAX_DEPTH)]
    TooDeep,
    /// A value that is too long for the register.
    #[error("{field} is longer than {limit} characters")]
    TooLongValue {
        /// The element.
        field: &'static str,
        /// The most there may be.
        limit: usize,
    },
    /// The file stops in it.
    #[error("the file ends in the middle of it")]
    CutOff,
}

fn found(value: Option<&str>) -> String {
    value.map_or_else(String::new, |value| format!("; found “{value}”"))
}

/// How many lines are kept of one kind of repair.
pub const LINES_KEPT: usize = 20;

/// How many kinds of repair are kept apart. A file whose every value is wrong in another way must not fill the memory.
const MAX_KINDS: usize = 500;

/// All repairs of a file, each kind with how often and on which lines.
#[derive(Debug, Default)]
pub struct Repairs {
    kinds: BTreeMap<Repair, Lines>,
    others: u64,
}

/// How often, and on which lines at first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// How often in all.
    pub count: u64,
    /// The first lines.
    pub lines: Vec<u64>,
}

impl Repairs {
    /// Notes one.
    pub fn note(&mut self, repair: Repair, line: u64) {
        if self.kinds.len() >= MAX_KINDS && !self.kinds.contains_key(&repair) {
            self.others += 1;
            return;
        }
        let lines = self.kinds.entry(repair).or_default();
        lines.count += 1;
        if lines.lines.len() < LINES_KEPT {
            lines.lines.push(line);
        }
    }

    /// Every kind there was.
    pub fn iter(&self) -> impl Iterator<Item = (&Repair, &Lines)> {
        self.kinds.iter()
    }

    /// How many there were of kinds that are not listed.
    #[must_use]
    pub fn others(&self) -> u64 {
        self.others
    }

    /// How many there were in all.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.kinds.values().map(|lines| lines.count).sum::<u64>() + self.others
    }
}
