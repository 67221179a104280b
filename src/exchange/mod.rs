//! Files of other systems and the register: one way to preview, apply and report, whatever the file is.
//!
//! A neighbour (`ims`, …) makes [`Item`]s of its file. [`Taking`] holds each against what the other system said last
//! and against the register; it says what would change ([`Taking::look`]) or does it ([`Taking::take`]), and counts both the same
//! way in a [`Report`]. Rules are those of [`crate::register::imports`].
//!
//! Who is who is found by the system and its id ([`Key`]): the same id of another system is somebody else.

mod report;
mod seen;
mod taking;

use std::sync::Arc;

pub use report::{
    Absent, ChangedItem, Counts, Kept, MAX_CHANGES, MAX_SKIPPED, Report, SkippedItem,
};
pub use taking::{DEFAULT_LIMIT, ExchangeError, Mode, Taking};

use crate::register::imports::{ImportedEnrolment, ImportedPerson, ImportedSection};
use crate::store::enrolments::Role;

/// A system, and its id of somebody or something.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// The system's name; may be empty.
    pub source: Arc<str>,
    /// Its id.
    pub id: String,
}

/// One thing that a file says.
#[derive(Clone, Debug)]
pub struct Item {
    /// The line it begins on.
    pub line: u64,
    /// What it says.
    pub said: Said,
}

/// What a file may say.
#[derive(Clone, Debug)]
pub enum Said {
    /// There is somebody.
    Person(Key, Box<ImportedPerson>),
    /// There is a section.
    Section(Key, Box<ImportedSection>),
    /// Somebody is in a section, or no longer.
    Membership {
        /// The section.
        section: Key,
        /// Who.
        person: Key,
        /// As what.
        role: Role,
        /// How.
        enrolment: Box<ImportedEnrolment>,
    },
    /// A section is part of another, or no longer.
    Part {
        /// The other.
        whole: Key,
        /// The section.
        part: Key,
        /// Whether it is.
        active: bool,
    },
    /// Somebody is no longer there.
    NoPerson(Key),
    /// A section is no longer there.
    NoSection(Key),
}
