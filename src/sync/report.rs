//! What a synchronisation did.

use serde::{Deserialize, Serialize};

use crate::store::syncs::Kind;

/// Rows that were refused of each list that are told one by one: who has more corrects a rule, not rows.
pub const REFUSALS_TOLD: usize = 20;

/// What a run did, list by list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// In the order they were read.
    pub lists: Vec<ListReport>,
    /// Single changes: the first that were refused, and of the others as many as were asked for.
    pub changes: Vec<Change>,
    /// How long it took.
    pub seconds: f64,
}

/// What a run did with one list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListReport {
    /// Which.
    pub list: Kind,
    /// Rows that were read.
    pub read: u64,
    /// Rows that are new here.
    pub created: u64,
    /// Rows that changed, or came back.
    pub updated: u64,
    /// Rows that stood so already.
    pub unchanged: u64,
    /// Rows left alone because they changed here after they were asked for.
    pub left_alone: u64,
    /// Rows that were refused.
    pub refused: u64,
    /// Rows that the peer has no longer, and that were removed or dropped.
    pub removed: u64,
    /// Rows without an id that could be read.
    pub nameless: u64,
    /// Why what the peer has no longer was not removed.
    pub kept: Option<Kept>,
}

/// Rows that a list did not have and that were kept all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// How many.
    pub rows: i64,
    /// Of how many in use.
    pub of: i64,
    /// Why.
    pub why: KeptBecause,
}

/// Why rows that a list did not have were kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeptBecause {
    /// They are too many to be removed unasked.
    OverTheLimit,
    /// The list was empty.
    EmptyList,
    /// The peer said that it has more rows than it listed.
    ListNotWhole,
    /// There were rows without an id: they may be meant.
    RowsWithoutId,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// In which list.
    pub list: Kind,
    /// The peer's id of the row; of an enrolment or a grade its ids.
    pub id: String,
    /// What became of it.
    pub change: Became,
    /// Why it was refused.
    pub reason: Option<String>,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Became {
    /// It is new here.
    Created,
    /// It changed, or came back.
    Updated,
    /// It changed here after it was asked for, and was left alone.
    LeftAlone,
    /// The peer has it no longer.
    Removed,
    /// It was refused.
    Refused,
}

impl Report {
    /// The report on a list, begun where there is none.
    pub(super) fn list(&mut self, list: Kind) -> &mut ListReport {
        let place = self.lists.iter().position(|report| report.list == list);
        let place = place.unwrap_or_else(|| {
            self.lists.push(ListReport::of(list));
            self.lists.len() - 1
        });
        &mut self.lists[place]
    }

    /// Adds `changes`, as far as no more than `most` of a sort of each list are told.
    pub(super) fn tell(&mut self, changes: Vec<Change>, most: usize) {
        for change in changes {
            let most = if change.change == Became::Refused {
                REFUSALS_TOLD.max(most)
            } else {
                most
            };
            let told = self
                .changes
                .iter()
                .filter(|told| told.list == change.list && told.change == change.change)
                .count();
            if told < most {
                self.changes.push(change);
            }
        }
    }

    /// Rows that were read.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.lists.iter().map(|list| list.read).sum()
    }

    /// Rows that were refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.lists.iter().map(|list| list.refused).sum()
    }

    /// Whether register and peer agree now, as far as this run was to see to it.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.refused() == 0 && self.lists.iter().all(|list| list.kept.is_none())
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }

    /// From JSON; an empty one where it is none of ours.
    #[must_use]
    pub fn from_json(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// In one line, for logs.
    #[must_use]
    pub fn in_words(&self) -> String {
        let lists = self.lists.iter().map(ListReport::in_words);
        lists.collect::<Vec<_>>().join("; ")
    }
}

impl ListReport {
    fn of(list: Kind) -> Self {
        Self {
            list,
            read: 0,
            created: 0,
            updated: 0,
            unchanged: 0,
            left_alone: 0,
            refused: 0,
            removed: 0,
            nameless: 0,
            kept: None,
        }
    }

    fn in_words(&self) -> String {
        let counts = [
            (self.created, "created"),
            (self.updated, "updated"),
            (self.unchanged, "unchanged"),
            (self.left_alone, "left alone"),
            (self.removed, "removed"),
            (self.refused, "refused"),
        ];
        let said: Vec<String> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        if said.is_empty() {
            return format!("{}: none", self.list);
        }
        format!("{}: {}", self.list, said.join(", "))
    }

    /// Adds what became of rows.
    pub(super) fn count(&mut self, change: Became) {
        let count = match change {
            Became::Created => &mut self.created,
            Became::Updated => &mut self.updated,
            Became::LeftAlone => &mut self.left_alone,
            Became::Removed => &mut self.removed,
            Became::Refused => &mut self.refused,
        };
        *count += 1;
    }
}

impl Kept {
    /// Why.
    #[must_use]
    pub fn reason(&self, list: Kind) -> String {
        let Self { rows, of, why } = self;
        let why = match why {
            KeptBecause::OverTheLimit => "that is more than is removed unasked",
            KeptBecause::EmptyList => {
                "its list was empty, which is more often a fault than the truth"
            }
            KeptBecause::ListNotWhole => "it said that it has more rows than it listed",
            KeptBecause::RowsWithoutId => {
                "it listed rows without a readable id, and these may be meant"
            }
        };
        format!("{list}: {rows} of {of} are no longer there, and were kept: {why}")
    }

    /// Why, and what to do on the command line.
    #[must_use]
    pub fn in_words(&self, list: Kind) -> String {
        format!(
            "{}. See what they are with --dry-run; if it is right, add --force",
            self.reason(list)
        )
    }
}

impl Became {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::LeftAlone => "left alone",
            Self::Removed => "removed",
            Self::Refused => "refused",
        }
    }
}
