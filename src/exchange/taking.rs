//! Takes a file up, an item at a time.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use thiserror::Error;

use super::report::{Absent, ChangedItem, Counts, Kept, MAX_CHANGES, Report, SkippedItem};
use super::seen::Seen;
use super::{Item, Key, Said};
use crate::clock::UnixTime;
use crate::register::imports::{
    self as rules, ImportedEnrolment, ImportedPerson, ImportedSection, Words,
};
use crate::register::{Place, RegisterError, Status};
use crate::store::enrolments::Role;
use crate::store::imports::{self, Brought, Key as Known, KeyKind, Membership};
use crate::store::{
    Author, Extra, FeedId, KeyId, PersonId, ReadTx, SectionId, SourceId, StoreError, WriteTx,
};

/// How many of a hundred may be absent before nothing is taken out.
pub const DEFAULT_LIMIT: u8 = 10;

/// How many memberships may wait for people and sections that stand further down in the file.
const MAX_WAITING: usize = 100_000;

/// How many rows are taken out in one transaction.
const PAGE: usize = 1_000;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What has changed: what it does not mention stays.
    Update,
    /// The whole picture: what it does not mention is taken out.
    Snapshot {
        /// As long as no more than so many of a hundred are.
        limit: u8,
        /// However many are.
        force: bool,
    },
}

/// What stops an exchange.
#[derive(Debug, Error)]
pub enum ExchangeError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A file being taken up, or looked at.
#[derive(Debug)]
pub struct Taking {
    feed: FeedId,
    author: Author,
    now: UnixTime,
    sources: HashMap<Arc<str>, SourceId>,
    /// The section of the membership before: its members stand together.
    section: Option<(Key, Option<Known>)>,
    /// The statuses that enrolments are given.
    words: Option<Words>,
    seen_keys: Seen,
    seen_memberships: Seen,
    seen_parts: Seen,
    waiting: Vec<Item>,
    /// In a preview: what would have been made.
    would_be: HashMap<(KeyKind, Key), KeyId>,
    report: Report,
}

/// A key that is found, or would be by now.
#[derive(Clone, Copy, Debug)]
struct Found {
    id: KeyId,
    row: i64,
}

/// What becomes of an item.
enum Outcome {
    Did(Status),
    Removed,
    Skipped(String),
    /// Names something that may stand further down.
    Waits,
}

impl Taking {
    /// Begins to take up a file of the feed `name`.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn begin(tx: &WriteTx<'_>, name: &str, now: UnixTime) -> Result<Self, ExchangeError> {
        let feed = imports::feed(tx, name)?;
        Ok(Self::new(feed, name, now, false))
    }

    /// Begins to look at one: nothing is written.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn preview(tx: &ReadTx<'_>, name: &str, now: UnixTime) -> Result<Self, ExchangeError> {
        // No row has the number 0: a feed that never came has brought nothing.
        let feed = imports::find_feed(tx, name)?.unwrap_or(FeedId(0));
        Ok(Self::new(feed, name, now, true))
    }

    fn new(feed: FeedId, name: &str, now: UnixTime, preview: bool) -> Self {
        Self {
            feed,
            author: Author::Import {
                name: name.to_owned(),
                peer: None,
            },
            now,
            sources: HashMap::new(),
            section: None,
            words: None,
            seen_keys: Seen::default(),
            seen_memberships: Seen::default(),
            seen_parts: Seen::default(),
            waiting: Vec::new(),
            would_be: HashMap::new(),
            report: Report {
                feed: name.to_owned(),
                preview,
                ..Report::default()
            },
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The report, at the end.
    #[must_use]
    pub fn into_report(self) -> Report {
        self.report
    }

    /// To be called as each transaction begins: what was looked up in the one before may have changed since.
    pub fn begin_transaction(&mut self) {
        self.section = None;
        self.words = None;
    }

    /// Notes an item that its reader could not use.
    pub fn skipped(&mut self, item: SkippedItem) {
        let counts = match item.what.as_str() {
            "person" => &mut self.report.people,
            "group" | "section" => &mut self.report.sections,
            _ => &mut self.report.memberships,
        };
        counts.read += 1;
        counts.skipped += 1;
        self.report.skip(item);
    }

    /// Does what an item says.
    ///
    /// # Errors
    /// Where the database fails. What cannot be used is in the report.
    pub fn take(&mut self, tx: &WriteTx<'_>, item: Item) -> Result<(), ExchangeError> {
        self.handle(tx, Some(tx), item, true)
    }

    /// Counts what an item would change.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn look(&mut self, tx: &ReadTx<'_>, item: Item) -> Result<(), ExchangeError> {
        self.handle(tx, None, item, true)
    }

    /// Does what could not be done because what it names came later.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn take_waiting(&mut self, tx: &WriteTx<'_>) -> Result<(), ExchangeError> {
        for item in std::mem::take(&mut self.waiting) {
            self.handle(tx, Some(tx), item, false)?;
        }
        Ok(())
    }

    /// [`Taking::take_waiting`] for a preview.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn look_at_waiting(&mut self, tx: &ReadTx<'_>) -> Result<(), ExchangeError> {
        for item in std::mem::take(&mut self.waiting) {
            self.handle(tx, None, item, false)?;
        }
        Ok(())
    }

    fn handle(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        item: Item,
        may_wait: bool,
    ) -> Result<(), ExchangeError> {
        let outcome = match &item.said {
            Said::Person(key, person) => self.person(tx, write, key, person)?,
            Said::Section(key, section) => self.section(tx, write, key, section)?,
            Said::Membership {
                section,
                person,
                role,
                enrolment,
            } => self.membership(tx, write, (section, person, *role), enrolment)?,
            Said::Part {
                whole,
                part,
                active,
            } => self.part(tx, write, whole, part, *active)?,
            Said::NoPerson(key) => self.removal(tx, write, KeyKind::Person, key)?,
            Said::NoSection(key) => self.removal(tx, write, KeyKind::Section, key)?,
        };
        let outcome = match outcome {
            Outcome::Waits if may_wait && self.waiting.len() < MAX_WAITING => {
                self.waiting.push(item);
                return Ok(());
            }
            Outcome::Waits => Outcome::Skipped(missing(&item.said)),
            outcome => outcome,
        };
        self.count(&item, outcome);
        Ok(())
    }

    fn count(&mut self, item: &Item, outcome: Outcome) {
        let (counts, what) = counts_of(&mut self.report, &item.said);
        counts.read += 1;
        let (count, change) = match outcome {
            Outcome::Did(Status::Created) => (&mut counts.created, Some("created")),
            Outcome::Did(Status::Updated) => (&mut counts.updated, Some("updated")),
            Outcome::Did(Status::Unchanged) => (&mut counts.unchanged, None),
            Outcome::Removed => (&mut counts.removed, Some("removed")),
            Outcome::Skipped(_) | Outcome::Waits => (&mut counts.skipped, None),
        };
        *count += 1;
        if let Outcome::Skipped(reason) = outcome {
            self.report.skip(SkippedItem {
                line: item.line,
                what: what.to_owned(),
                id: id_of(&item.said),
                reason,
            });
        } else if let Some(change) = change
            && self.report.changes.len() < MAX_CHANGES
        {
            self.report.change(ChangedItem {
                line: item.line,
                what,
                id: id_of(&item.said),
                change,
            });
        }
    }

    fn person(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        key: &Key,
        new: &ImportedPerson,
    ) -> Result<Outcome, ExchangeError> {
        let now = self.now;
        self.keyed(
            (tx, write),
            (KeyKind::Person, key),
            digest_person(new),
            |row| {
                rules::check_person(new)?;
                row.map_or(Ok(true), |row| {
                    rules::person_differs(tx, PersonId(row), new)
                })
            },
            |write, row| {
                let taken = rules::take_person(write, row.map(PersonId), new, now)?;
                Ok((taken.0.0, taken.1))
            },
        )
    }

    fn section(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        key: &Key,
        new: &ImportedSection,
    ) -> Result<Outcome, ExchangeError> {
        self.section = None;
        let now = self.now;
        self.keyed(
            (tx, write),
            (KeyKind::Section, key),
            digest_section(new),
            |row| {
                rules::check_section(new)?;
                row.map_or(Ok(true), |row| {
                    rules::section_differs(tx, SectionId(row), new)
                })
            },
            |write, row| {
                let taken = rules::take_section(write, row.map(SectionId), new, now)?;
                Ok((taken.0.0, taken.1))
            },
        )
    }

    /// A person or a section: held against what its key's system said last, then against the register. Both `differs` and `take`
    /// are given the row that the key stands for, if it stands for one.
    fn keyed(
        &mut self,
        (tx, write): (&ReadTx<'_>, Option<&WriteTx<'_>>),
        (kind, key): (KeyKind, &Key),
        digest: i64,
        differs: impl FnOnce(Option<i64>) -> Result<bool, RegisterError>,
        take: impl FnOnce(&WriteTx<'_>, Option<i64>) -> Result<(i64, Status), RegisterError>,
    ) -> Result<Outcome, ExchangeError> {
        let known = self.known(tx, write, kind, key)?;
        if let Some(known) = known {
            self.seen_keys.insert(known.id.0);
            if known.digest == digest && !known.absent && known.feed == self.feed {
                return Ok(Outcome::Did(Status::Unchanged));
            }
        }
        let row = known.map(|known| known.row);
        let Some(write) = write else {
            return self.would(kind, key, known, differs(row));
        };
        match take(write, row) {
            Ok((row, status)) => {
                self.note(write, kind, key, known, row, digest)?;
                Ok(Outcome::Did(status))
            }
            Err(error) => refused(error),
        }
    }

    /// In a preview: what would become of a person or a section.
    fn would(
        &mut self,
        kind: KeyKind,
        key: &Key,
        known: Option<Known>,
        differs: Result<bool, RegisterError>,
    ) -> Result<Outcome, ExchangeError> {
        let differs = match differs {
            Ok(differs) => differs,
            Err(error) => return refused(error),
        };
        let already = (kind, key.clone());
        let status = if known.is_some() {
            if differs {
                Status::Updated
            } else {
                Status::Unchanged
            }
        } else if self.would_be.contains_key(&already) {
            Status::Updated
        } else {
            Status::Created
        };
        // Numbers below zero are nobody's row.
        let next = KeyId(-1 - i64::try_from(self.would_be.len()).unwrap_or(i64::MAX - 1));
        if known.is_none() {
            self.would_be.entry(already).or_insert(next);
        }
        Ok(Outcome::Did(status))
    }

    fn note(
        &mut self,
        tx: &WriteTx<'_>,
        kind: KeyKind,
        key: &Key,
        known: Option<Known>,
        row: i64,
        digest: i64,
    ) -> Result<(), ExchangeError> {
        let said = imports::Said {
            feed: self.feed,
            digest,
            absent_at: None,
        };
        if let Some(known) = known {
            imports::note_key(tx, known.id, said)?;
        } else {
            let source = self.source(tx, Some(tx), &key.source)?;
            if let Some(source) = source {
                let id = imports::add_key(tx, kind, source, &key.id, row, said)?;
                self.seen_keys.insert(id.0);
            }
        }
        Ok(())
    }

    fn membership(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        (section, person, role): (&Key, &Key, Role),
        new: &ImportedEnrolment,
    ) -> Result<Outcome, ExchangeError> {
        let Some(section) = self.found_section(tx, write, section)? else {
            return Ok(Outcome::Waits);
        };
        let Some(person) = self.found(tx, write, KeyKind::Person, person)? else {
            return Ok(Outcome::Waits);
        };
        let digest = digest_enrolment(new);
        let known = match section.id.0.min(person.id.0) {
            ..0 => None,
            _ => imports::membership(tx, section.id, person.id, role)?,
        };
        if let Some(known) = known {
            self.seen_memberships.insert(known.id.0);
            if known.digest == digest && !known.absent && known.feed == self.feed {
                return Ok(Outcome::Did(Status::Unchanged));
            }
        }
        let Some(write) = write else {
            let status = known.map_or(Status::Created, |_| Status::Updated);
            return Ok(Outcome::Did(status));
        };
        let place = Place {
            section: SectionId(section.row),
            person: PersonId(person.row),
            role,
        };
        let words = match self.words {
            Some(words) => words,
            None => match Words::read(write) {
                Ok(words) => *self.words.insert(words),
                Err(error) => return refused(error),
            },
        };
        match rules::take_enrolment(write, &self.author, words, place, new, self.now) {
            Ok((id, status)) => {
                self.note_membership(write, (section.id, person.id, role), known, id, digest)?;
                Ok(Outcome::Did(status))
            }
            Err(error) => refused(error),
        }
    }

    fn note_membership(
        &mut self,
        tx: &WriteTx<'_>,
        (section, person, role): (KeyId, KeyId, Role),
        known: Option<Membership>,
        enrolment: crate::store::EnrolmentId,
        digest: i64,
    ) -> Result<(), ExchangeError> {
        let said = imports::Said {
            feed: self.feed,
            digest,
            absent_at: None,
        };
        if let Some(known) = known {
            imports::note_membership(tx, known.id, said)?;
        } else {
            let id = imports::add_membership(tx, section, person, role, enrolment, said)?;
            self.seen_memberships.insert(id.0);
        }
        Ok(())
    }

    fn part(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        whole: &Key,
        part: &Key,
        active: bool,
    ) -> Result<Outcome, ExchangeError> {
        let Some(whole) = self.found(tx, write, KeyKind::Section, whole)? else {
            return Ok(Outcome::Waits);
        };
        let Some(part) = self.found(tx, write, KeyKind::Section, part)? else {
            return Ok(Outcome::Waits);
        };
        let known = imports::part(tx, whole.id, part.id)?;
        if let Some((id, absent)) = known {
            self.seen_parts.insert(id.0);
            if absent != active {
                return Ok(Outcome::Did(Status::Unchanged));
            }
        }
        let status = match known {
            _ if !active => Status::Updated,
            Some(_) => Status::Updated,
            None => Status::Created,
        };
        if let Some(write) = write {
            let absent_at = Some(self.now).filter(|_| !active);
            let id = imports::note_part(write, whole.id, part.id, self.feed, absent_at)?;
            self.seen_parts.insert(id.0);
        }
        Ok(Outcome::Did(status))
    }

    fn removal(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        kind: KeyKind,
        key: &Key,
    ) -> Result<Outcome, ExchangeError> {
        self.section = None;
        let known = self.known(tx, write, kind, key)?;
        let Some(known) = known.filter(|known| !known.absent) else {
            return Ok(Outcome::Did(Status::Unchanged));
        };
        self.seen_keys.insert(known.id.0);
        if let Some(write) = write {
            self.remove_row(write, kind, known.row)?;
            let said = imports::Said {
                feed: self.feed,
                digest: 0,
                absent_at: Some(self.now),
            };
            imports::note_key(write, known.id, said)?;
        }
        Ok(Outcome::Removed)
    }

    fn remove_row(&self, tx: &WriteTx<'_>, kind: KeyKind, row: i64) -> Result<(), ExchangeError> {
        let removed = match kind {
            KeyKind::Person => rules::remove_person(tx, PersonId(row), self.now),
            KeyKind::Section => rules::remove_section(tx, SectionId(row), self.now),
        };
        removed.map(drop).map_err(store_error)
    }

    /// What a key stood for before this file.
    fn known(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        kind: KeyKind,
        key: &Key,
    ) -> Result<Option<Known>, ExchangeError> {
        match self.source(tx, write, &key.source)? {
            Some(source) => Ok(imports::key(tx, kind, source, &key.id)?),
            None => Ok(None),
        }
    }

    /// What a key stands for by now.
    fn found(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        kind: KeyKind,
        key: &Key,
    ) -> Result<Option<Found>, ExchangeError> {
        let known = self.known(tx, write, kind, key)?;
        if let Some(known) = known.filter(|known| !known.absent) {
            return Ok(Some(Found {
                id: known.id,
                row: known.row,
            }));
        }
        let would_be = self.would_be.get(&(kind, key.clone()));
        Ok(would_be.map(|id| Found { id: *id, row: id.0 }))
    }

    fn found_section(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        key: &Key,
    ) -> Result<Option<Found>, ExchangeError> {
        if let Some((before, Some(known))) = &self.section
            && before == key
        {
            return Ok(Some(Found {
                id: known.id,
                row: known.row,
            }));
        }
        let known = self.known(tx, write, KeyKind::Section, key)?;
        let known = known.filter(|known| !known.absent);
        self.section = Some((key.clone(), known));
        match known {
            Some(known) => Ok(Some(Found {
                id: known.id,
                row: known.row,
            })),
            None => self.found(tx, write, KeyKind::Section, key),
        }
    }

    fn source(
        &mut self,
        tx: &ReadTx<'_>,
        write: Option<&WriteTx<'_>>,
        name: &Arc<str>,
    ) -> Result<Option<SourceId>, ExchangeError> {
        if let Some(source) = self.sources.get(name) {
            return Ok(Some(*source));
        }
        let source = match write {
            Some(write) => Some(imports::source(write, name)?),
            None => imports::find_source(tx, name)?,
        };
        if let Some(source) = source {
            self.sources.insert(Arc::clone(name), source);
        }
        Ok(source)
    }

    /// What the feed had brought of a kind and this file does not hold, and whether it may be taken out. To be
    /// asked once every item was taken.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn find_absent(
        &mut self,
        tx: &ReadTx<'_>,
        what: Brought,
        mode: Mode,
        cut_off: bool,
    ) -> Result<Vec<i64>, ExchangeError> {
        let Mode::Snapshot { limit, force } = mode else {
            return Ok(Vec::new());
        };
        let mut absent = Absent::default();
        let mut rows = Vec::new();
        self.walk(tx, what, |id, is_seen| {
            absent.of += 1;
            if !is_seen {
                absent.found += 1;
                rows.push(id);
            }
        })?;
        let skipped = match what {
            Brought::People => self.report.people.skipped,
            Brought::Sections => self.report.sections.skipped,
            Brought::Memberships | Brought::Parts => self.report.memberships.skipped,
        };
        absent.kept = if absent.found == 0 {
            None
        } else if cut_off {
            Some(Kept::CutOff)
        } else if force {
            None
        } else if absent.found * 100 > absent.of * u64::from(limit) {
            Some(Kept::OverTheLimit(limit))
        } else if skipped > 0 {
            Some(Kept::Skipped)
        } else {
            None
        };
        if absent.kept.is_some() {
            rows.clear();
        }
        absent.dropped = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        *absent_of(&mut self.report, what) = Some(absent);
        Ok(rows)
    }

    fn walk(
        &self,
        tx: &ReadTx<'_>,
        what: Brought,
        mut each: impl FnMut(i64, bool),
    ) -> Result<(), ExchangeError> {
        let seen = match what {
            Brought::People | Brought::Sections => &self.seen_keys,
            Brought::Memberships => &self.seen_memberships,
            Brought::Parts => &self.seen_parts,
        };
        let mut after = 0;
        loop {
            let page = imports::brought(tx, what, self.feed, after, PAGE)?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = *last;
            for (id, _) in page {
                each(id, seen.contains(id));
            }
        }
    }

    /// Takes out what [`Taking::find_absent`] found, a page at a time; `note` says why in the histories.
    ///
    /// # Errors
    /// Where the database fails.
    pub fn drop_absent(
        &mut self,
        tx: &WriteTx<'_>,
        what: Brought,
        rows: &[i64],
        note: &str,
    ) -> Result<(), ExchangeError> {
        for id in rows {
            let found = imports::brought(tx, what, self.feed, id - 1, 1)?;
            let Some((_, row)) = found.into_iter().find(|(found, _)| found == id) else {
                continue;
            };
            match what {
                Brought::People => self.remove_row(tx, KeyKind::Person, row)?,
                Brought::Sections => self.remove_row(tx, KeyKind::Section, row)?,
                Brought::Memberships => {
                    let id = crate::store::EnrolmentId(row);
                    rules::end_enrolment(tx, &self.author, id, note, self.now)
                        .map_err(store_error)?;
                }
                Brought::Parts => {}
            }
            imports::mark_absent(tx, what, *id, self.now)?;
        }
        Ok(())
    }
}

fn counts_of<'r>(report: &'r mut Report, said: &Said) -> (&'r mut Counts, &'static str) {
    match said {
        Said::Person(..) | Said::NoPerson(_) => (&mut report.people, "person"),
        Said::Section(..) | Said::NoSection(_) => (&mut report.sections, "section"),
        Said::Membership { .. } => (&mut report.memberships, "membership"),
        Said::Part { .. } => (&mut report.parts, "part"),
    }
}

fn absent_of(report: &mut Report, what: Brought) -> &mut Option<Absent> {
    match what {
        Brought::People => &mut report.absent_people,
        Brought::Sections => &mut report.absent_sections,
        Brought::Memberships => &mut report.absent_memberships,
        Brought::Parts => &mut report.absent_parts,
    }
}

fn id_of(said: &Said) -> String {
    match said {
        Said::Person(key, _)
        | Said::Section(key, _)
        | Said::NoPerson(key)
        | Said::NoSection(key) => key.id.clone(),
        Said::Membership {
            section, person, ..
        } => format!("{} in {}", person.id, section.id),
        Said::Part { whole, part, .. } => format!("{} in {}", part.id, whole.id),
    }
}

/// Why a membership cannot be used.
fn missing(said: &Said) -> String {
    match said {
        Said::Membership {
            section, person, ..
        } => format!(
            "it names the person {} and the section {}, and at least one of them is neither in this file nor in an earlier one of that source",
            person.id, section.id
        ),
        Said::Part { whole, part, .. } => format!(
            "it names the sections {} and {}, and at least one of them is neither in this file nor in an earlier one of that source",
            whole.id, part.id
        ),
        _ => String::new(),
    }
}

/// A rule's refusal is the item's fault; a failing database stops everything.
fn refused(error: RegisterError) -> Result<Outcome, ExchangeError> {
    match error {
        RegisterError::Store(error) => Err(error.into()),
        error => Ok(Outcome::Skipped(error.to_string())),
    }
}

/// For rules that refuse nothing.
fn store_error(error: RegisterError) -> ExchangeError {
    match error {
        RegisterError::Store(error) => error.into(),
        _ => StoreError::Closed.into(),
    }
}

fn digest_person(new: &ImportedPerson) -> i64 {
    let texts = [
        &new.idnumber,
        &new.username,
        &new.firstname,
        &new.lastname,
        &new.email,
    ];
    digest(|hasher| {
        texts.hash(hasher);
        hash_extra(&new.extra, hasher);
    })
}

fn digest_section(new: &ImportedSection) -> i64 {
    digest(|hasher| {
        (&new.idnumber, &new.name, &new.segments).hash(hasher);
        hash_extra(&new.extra, hasher);
    })
}

fn digest_enrolment(new: &ImportedEnrolment) -> i64 {
    digest(|hasher| {
        (new.active, new.begins, new.ends, &new.note).hash(hasher);
        hash_extra(&new.extra, hasher);
    })
}

/// The same for the same, as long as the program is built alike; where it is not, what is the same is compared once.
fn digest(feed: impl FnOnce(&mut DefaultHasher)) -> i64 {
    let mut hasher = DefaultHasher::new();
    feed(&mut hasher);
    i64::from_ne_bytes(hasher.finish().to_ne_bytes())
}

fn hash_extra(extra: &Extra, hasher: &mut DefaultHasher) {
    for (name, value) in extra.members() {
        name.hash(hasher);
        hash_value(value, hasher);
    }
}

fn hash_value(value: &serde_json::Value, hasher: &mut DefaultHasher) {
    use serde_json::Value;
    std::mem::discriminant(value).hash(hasher);
    match value {
        Value::Null => {}
        Value::Bool(value) => value.hash(hasher),
        Value::Number(value) => value.hash(hasher),
        Value::String(value) => value.hash(hasher),
        Value::Array(values) => values.iter().for_each(|value| hash_value(value, hasher)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            name.hash(hasher);
            hash_value(value, hasher);
        }),
    }
}
