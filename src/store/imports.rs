//! What imports brought: who is who to another system, and what its files said last.

use rusqlite::{Row, params};

use super::enrolments::Role;
use super::error::StoreError;
use super::ids::{EnrolmentId, FeedId, KeyId, MembershipId, PartId, SourceId};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// What a key stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// A row of `person`.
    Person,
    /// A row of `section`.
    Section,
}

impl KeyKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Section => "section",
        }
    }
}

/// A row of `import_key`, but for what it was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The row.
    pub id: KeyId,
    /// The row of `person` or `section`.
    pub row: i64,
    /// The feed that spoke of it last.
    pub feed: FeedId,
    /// A hash of what it said.
    pub digest: i64,
    /// Whether it is removed, or absent.
    pub absent: bool,
}

/// A row of `import_membership`, but for what it was found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Membership {
    /// The row.
    pub id: MembershipId,
    /// The row of `enrolment`.
    pub enrolment: EnrolmentId,
    /// The feed that spoke of it last.
    pub feed: FeedId,
    /// A hash of what it said.
    pub digest: i64,
    /// Whether it is absent.
    pub absent: bool,
}

/// The source of that name.
///
/// # Errors
/// When the database cannot be read.
pub fn find_source(tx: &ReadTx<'_>, name: &str) -> Result<Option<SourceId>, StoreError> {
    tx.one(
        "SELECT id FROM import_source WHERE name = ?1",
        [name],
        |row| row.get(0),
    )
}

/// The source of that name, made where there is none.
///
/// # Errors
/// When the database cannot be written.
pub fn source(tx: &WriteTx<'_>, name: &str) -> Result<SourceId, StoreError> {
    match find_source(tx, name)? {
        Some(source) => Ok(source),
        None => tx
            .insert("INSERT INTO import_source (name) VALUES (?1)", [name])
            .map(SourceId),
    }
}

/// The feed of that name.
///
/// # Errors
/// When the database cannot be read.
pub fn find_feed(tx: &ReadTx<'_>, name: &str) -> Result<Option<FeedId>, StoreError> {
    tx.one(
        "SELECT id FROM import_feed WHERE name = ?1",
        [name],
        |row| row.get(0),
    )
}

/// The feed of that name, made where there is none.
///
/// # Errors
/// When the database cannot be written.
pub fn feed(tx: &WriteTx<'_>, name: &str) -> Result<FeedId, StoreError> {
    match find_feed(tx, name)? {
        Some(feed) => Ok(feed),
        None => tx
            .insert("INSERT INTO import_feed (name) VALUES (?1)", [name])
            .map(FeedId),
    }
}

/// What a system's id stands for.
///
/// # Errors
/// When the database cannot be read.
pub fn key(
    tx: &ReadTx<'_>,
    kind: KeyKind,
    source: SourceId,
    key: &str,
) -> Result<Option<Key>, StoreError> {
    tx.one(
        "SELECT id, \"row\", feed, digest, absent_at IS NOT NULL FROM import_key \
         WHERE source = ?1 AND kind = ?2 AND key = ?3",
        params![source, kind.as_str(), key],
        |row| {
            Ok(Key {
                id: row.get(0)?,
                row: row.get(1)?,
                feed: row.get(2)?,
                digest: row.get(3)?,
                absent: row.get(4)?,
            })
        },
    )
}

/// Notes what a system's id stands for.
///
/// # Errors
/// [`StoreError::Refused`] where the source has that id already.
pub fn add_key(
    tx: &WriteTx<'_>,
    kind: KeyKind,
    source: SourceId,
    key: &str,
    row: i64,
    said: Said,
) -> Result<KeyId, StoreError> {
    tx.insert(
        "INSERT INTO import_key (kind, source, key, \"row\", feed, digest, absent_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            kind.as_str(),
            source,
            key,
            row,
            said.feed,
            said.digest,
            said.absent_at
        ],
    )
    .map(KeyId)
}

/// Who spoke of something last, and what was said.
#[derive(Clone, Copy, Debug)]
pub struct Said {
    /// The feed.
    pub feed: FeedId,
    /// A hash of what it said.
    pub digest: i64,
    /// Since when it is gone.
    pub absent_at: Option<UnixTime>,
}

/// Notes what was said of a key.
///
/// # Errors
/// When the database cannot be written.
pub fn note_key(tx: &WriteTx<'_>, id: KeyId, said: Said) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE import_key SET feed = ?2, digest = ?3, absent_at = ?4 WHERE id = ?1",
        params![id, said.feed, said.digest, said.absent_at],
    )?;
    Ok(())
}

/// What was said of somebody in a section.
///
/// # Errors
/// When the database cannot be read.
pub fn membership(
    tx: &ReadTx<'_>,
    section: KeyId,
    person: KeyId,
    role: Role,
) -> Result<Option<Membership>, StoreError> {
    tx.one(
        "SELECT id, enrolment, feed, digest, absent_at IS NOT NULL FROM import_membership \
         WHERE section = ?1 AND person = ?2 AND role = ?3",
        params![section, person, role],
        |row| {
            Ok(Membership {
                id: row.get(0)?,
                enrolment: row.get(1)?,
                feed: row.get(2)?,
                digest: row.get(3)?,
                absent: row.get(4)?,
            })
        },
    )
}

/// Notes that an import put somebody in a section.
///
/// # Errors
/// [`StoreError::Refused`] where that was noted already.
pub fn add_membership(
    tx: &WriteTx<'_>,
    section: KeyId,
    person: KeyId,
    role: Role,
    enrolment: EnrolmentId,
    said: Said,
) -> Result<MembershipId, StoreError> {
    tx.insert(
        "INSERT INTO import_membership (section, person, role, enrolment, feed, digest, absent_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            section,
            person,
            role,
            enrolment,
            said.feed,
            said.digest,
            said.absent_at
        ],
    )
    .map(MembershipId)
}

/// Notes what was said of a membership.
///
/// # Errors
/// When the database cannot be written.
pub fn note_membership(tx: &WriteTx<'_>, id: MembershipId, said: Said) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE import_membership SET feed = ?2, digest = ?3, absent_at = ?4 WHERE id = ?1",
        params![id, said.feed, said.digest, said.absent_at],
    )?;
    Ok(())
}

/// Whether a section is noted as part of another: the row, and whether it is absent.
///
/// # Errors
/// When the database cannot be read.
pub fn part(
    tx: &ReadTx<'_>,
    whole: KeyId,
    part: KeyId,
) -> Result<Option<(PartId, bool)>, StoreError> {
    tx.one(
        "SELECT id, absent_at IS NOT NULL FROM import_part WHERE whole = ?1 AND part = ?2",
        params![whole, part],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// Notes that a section is part of another, or is no longer.
///
/// # Errors
/// When the database cannot be written.
pub fn note_part(
    tx: &WriteTx<'_>,
    whole: KeyId,
    part: KeyId,
    feed: FeedId,
    absent_at: Option<UnixTime>,
) -> Result<PartId, StoreError> {
    tx.execute(
        "INSERT INTO import_part (whole, part, feed, absent_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (whole, part) DO UPDATE SET feed = ?3, absent_at = ?4",
        params![whole, part, feed, absent_at],
    )?;
    let found = self::part(tx, whole, part)?;
    found.map(|(id, _)| id).ok_or(StoreError::Closed)
}

/// What a feed brought and is not known to be gone: rows behind `after`, `limit` of them at most, as (row of the
/// import's table, row of the register's).
///
/// # Errors
/// When the database cannot be read.
pub fn brought(
    tx: &ReadTx<'_>,
    what: Brought,
    feed: FeedId,
    after: i64,
    limit: usize,
) -> Result<Vec<(i64, i64)>, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    match what {
        Brought::People | Brought::Sections => tx.all(
            "SELECT id, \"row\" FROM import_key WHERE id > ?1 AND feed = ?2 AND kind = ?3 \
             AND absent_at IS NULL ORDER BY id LIMIT ?4",
            params![after, feed, what.kind(), limit],
            read,
        ),
        Brought::Memberships => tx.all(
            "SELECT id, enrolment FROM import_membership WHERE id > ?1 AND feed = ?2 \
             AND absent_at IS NULL ORDER BY id LIMIT ?3",
            params![after, feed, limit],
            read,
        ),
        Brought::Parts => tx.all(
            "SELECT id, part FROM import_part WHERE id > ?1 AND feed = ?2 \
             AND absent_at IS NULL ORDER BY id LIMIT ?3",
            params![after, feed, limit],
            read,
        ),
    }
}

/// What feeds bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brought {
    /// People.
    People,
    /// Sections.
    Sections,
    /// People in sections.
    Memberships,
    /// Sections in sections.
    Parts,
}

impl Brought {
    fn kind(self) -> &'static str {
        match self {
            Self::People => "person",
            _ => "section",
        }
    }
}

/// Marks a row of [`brought`] as gone.
///
/// # Errors
/// When the database cannot be written.
pub fn mark_absent(
    tx: &WriteTx<'_>,
    what: Brought,
    id: i64,
    now: UnixTime,
) -> Result<(), StoreError> {
    let sql = match what {
        Brought::People | Brought::Sections => "UPDATE import_key SET absent_at = ?2 WHERE id = ?1",
        Brought::Memberships => "UPDATE import_membership SET absent_at = ?2 WHERE id = ?1",
        Brought::Parts => "UPDATE import_part SET absent_at = ?2 WHERE id = ?1",
    };
    tx.execute(sql, params![id, now])?;
    Ok(())
}
