//! Who a change comes from, as histories keep it.

use rusqlite::Row;
use serde::Serialize;

use super::ids::PeerId;

/// Who says something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Author {
    /// A peer, in a call of its own.
    Peer {
        /// The peer.
        id: PeerId,
    },
    /// An administrator, by hand.
    Admin {
        /// The name to be shown in histories.
        name: String,
    },
    /// An import.
    Import {
        /// The file or feed.
        name: String,
        /// The peer whose rows it speaks of; `None`: rows made here.
        peer: Option<PeerId>,
    },
}

impl Author {
    /// Whose rows this author speaks of. `None`: those made here, by hand or by an import.
    #[must_use]
    pub fn owner(&self) -> Option<PeerId> {
        match self {
            Self::Peer { id } => Some(*id),
            Self::Admin { .. } => None,
            Self::Import { peer, .. } => *peer,
        }
    }

    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Peer { .. } => "peer",
            Self::Admin { .. } => "admin",
            Self::Import { .. } => "import",
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Peer { .. } => None,
            Self::Admin { name } | Self::Import { name, .. } => Some(name),
        }
    }

    /// Reads `author_kind`, `author_peer` and `author_name` from three columns beginning at `first`.
    pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let kind: String = row.get(first)?;
        let name = || {
            Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(first + 2)?.unwrap_or_default())
        };
        Ok(match kind.as_str() {
            "peer" => Self::Peer {
                id: row.get(first + 1)?,
            },
            "import" => Self::Import {
                name: name()?,
                peer: row.get(first + 1)?,
            },
            _ => Self::Admin { name: name()? },
        })
    }
}
