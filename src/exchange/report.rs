//! What an exchange did, or would do.

use serde::Serialize;

/// How many skipped items are kept with their reasons. All are counted.
pub const MAX_SKIPPED: usize = 1_000;

/// How many changes are kept one by one. All are counted.
pub const MAX_CHANGES: usize = 1_000;

/// What became of the items of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// How many the file held.
    pub read: u64,
    /// New ones.
    pub created: u64,
    /// Changed ones.
    pub updated: u64,
    /// Those that the register had so already.
    pub unchanged: u64,
    /// Those that the file took out.
    pub removed: u64,
    /// Those that could not be used.
    pub skipped: u64,
}

/// What a feed had brought before and its file no longer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Absent {
    /// How many.
    pub found: u64,
    /// Out of how many.
    pub of: u64,
    /// How many were taken out for it.
    pub dropped: u64,
    /// Why none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept: Option<Kept>,
}

/// Why what is absent was left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// More than the limit.
    #[error(
        "more than {0} of 100 are missing from the file, so nothing was taken out. If that is meant, run it again with --force"
    )]
    OverTheLimit(u8),
    /// The file is not whole.
    #[error("the file ends before its end, so nothing was taken out; get a whole one")]
    CutOff,
    /// Some could not be read.
    #[error(
        "some of the file could not be used, and may be what is missing, so nothing was taken out. Mend the file, or run it again with --force"
    )]
    Skipped,
}

/// Something that was not used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SkippedItem {
    /// The line it begins on.
    pub line: u64,
    /// What it is: `person`, `group`, `member`.
    pub what: String,
    /// Its id.
    pub id: String,
    /// Why, and what was expected.
    pub reason: String,
}

/// Something that changed, or would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangedItem {
    /// The line of the file that says so.
    pub line: u64,
    /// What it is: `person`, `section`, `membership`, `part`.
    pub what: &'static str,
    /// Its id.
    pub id: String,
    /// `created`, `updated` or `removed`.
    pub change: &'static str,
}

/// What an exchange did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The feed.
    pub feed: String,
    /// Nothing was changed; this is what would be.
    pub preview: bool,
    /// People.
    pub people: Counts,
    /// Sections.
    pub sections: Counts,
    /// People in sections.
    pub memberships: Counts,
    /// Sections in sections.
    pub parts: Counts,
    /// People that the file no longer holds; only of whole pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_people: Option<Absent>,
    /// Sections likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_sections: Option<Absent>,
    /// Memberships likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_memberships: Option<Absent>,
    /// Parts likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absent_parts: Option<Absent>,
    /// The first things that changed, absent ones apart.
    pub changes: Vec<ChangedItem>,
    /// The first things that were not used.
    pub skipped: Vec<SkippedItem>,
    /// How many there were in all.
    pub skipped_count: u64,
}

impl Report {
    /// Notes something that was not used.
    pub fn skip(&mut self, item: SkippedItem) {
        self.skipped_count += 1;
        if self.skipped.len() < MAX_SKIPPED {
            self.skipped.push(item);
        }
    }

    /// Notes something that changed.
    pub fn change(&mut self, item: ChangedItem) {
        if self.changes.len() < MAX_CHANGES {
            self.changes.push(item);
        }
    }

    /// Whether anything changed, or would.
    #[must_use]
    pub fn is_news(&self) -> bool {
        let counts = [self.people, self.sections, self.memberships, self.parts];
        counts
            .iter()
            .any(|counts| counts.created + counts.updated + counts.removed > 0)
            || self.absent().any(|absent| absent.dropped > 0)
    }

    /// Everything that is said of what is absent.
    pub fn absent(&self) -> impl Iterator<Item = &Absent> {
        [
            &self.absent_people,
            &self.absent_sections,
            &self.absent_memberships,
            &self.absent_parts,
        ]
        .into_iter()
        .flatten()
    }

    /// Why something that is absent was left alone.
    #[must_use]
    pub fn kept(&self) -> Option<Kept> {
        self.absent().find_map(|absent| absent.kept)
    }

    /// How many items the file held.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.people.read + self.sections.read + self.memberships.read + self.parts.read
    }
}
