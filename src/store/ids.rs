//! Row numbers, one type a table, so that a section's is never taken for a person's.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Serialize;

use crate::clock::UnixTime;

macro_rules! row_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                i64::column_result(value).map(Self)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

row_ids! {
    /// A row of `peer`.
    PeerId;
    /// A row of `person`.
    PersonId;
    /// A row of `section`.
    SectionId;
    /// A row of `enrolment`.
    EnrolmentId;
    /// A row of `enrolment_status`.
    StatusId;
    /// A row of `assessment`.
    AssessmentId;
    /// A row of `grade`.
    GradeId;
    /// A row of `account`.
    AccountId;
    /// A row of `session`.
    SessionId;
    /// A row of `peer_course`.
    PeerCourseId;
    /// A row of `sync_run`.
    SyncRunId;
    /// A row of `import_source`.
    SourceId;
    /// A row of `import_feed`.
    FeedId;
    /// A row of `import_key`.
    KeyId;
    /// A row of `import_membership`.
    MembershipId;
    /// A row of `import_part`.
    PartId;
}

impl PeerId {
    /// What `ifnull(peer, 0)` gives for the rows of `owner`.
    pub(super) fn or_none(owner: Option<Self>) -> i64 {
        owner.map_or(0, |peer| peer.0)
    }
}

impl ToSql for UnixTime {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for UnixTime {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

/// Makes an enum without data a column of words: `as_str`, SQL both ways, and JSON.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every one, in the order people expect.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The word for it in the database, in JSON and for people.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one that `word` stands for, in exactly this spelling.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl rusqlite::types::ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl rusqlite::types::FromSql for $name {
            fn column_result(
                value: rusqlite::types::ValueRef<'_>,
            ) -> rusqlite::types::FromSqlResult<Self> {
                Self::from_word(value.as_str()?).ok_or(rusqlite::types::FromSqlError::InvalidType)
            }
        }
    };
}

pub(in crate::store) use words;
