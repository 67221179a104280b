//! People: accounts, their right to sign in, and their own enrolment in the school.

use rusqlite::{Row, params};
use serde::Serialize;

use super::author::Author;
use super::enrolments::{Role, STATUS_NOW};
use super::error::StoreError;
use super::extra::Extra;
use super::ids::{PeerId, PersonId, StatusId};
use super::names::Folded;
use super::page::{Conditions, Page};
use super::sessions;
use super::statuses::{self, Status};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

/// What is known of a person.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonFields {
    /// The owner's id of the person; `None` where the owner gives none.
    pub idnumber: Option<String>,
    /// The spelling used here, unique in the register.
    pub username: String,
    /// The spelling the owner uses.
    pub sent_username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address.
    pub email: String,
    /// Nickname on IRC.
    pub ircnick: Option<String>,
    /// What else was sent.
    pub extra: Extra,
}

impl PersonFields {
    fn folded(&self) -> Folded {
        let idnumber = self.idnumber.as_deref().unwrap_or_default();
        let others = [&self.username, &self.sent_username, &self.email, idnumber];
        Folded::person(&self.firstname, &self.lastname, &others)
    }
}

/// A row of `person`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Person {
    /// The row.
    pub id: PersonId,
    /// Whose row it is; `None`: made here.
    pub peer: Option<PeerId>,
    /// What is known of the person.
    #[serde(flatten)]
    pub fields: PersonFields,
    /// The right to sign in given or denied to this very person; `None`: as the groups have it.
    pub may_sign_in: Option<bool>,
    /// When the row was made.
    pub created_at: UnixTime,
    /// When a field last changed.
    pub updated_at: UnixTime,
    /// Since when it is removed.
    pub removed_at: Option<UnixTime>,
}

impl Person {
    /// The ID number as far as `peer` may know it: what another peer says of its people is not passed on.
    #[must_use]
    pub fn idnumber_for(&self, peer: PeerId) -> Option<&str> {
        let may_know = self.peer.is_none_or(|owner| owner == peer);
        self.fields.idnumber.as_deref().filter(|_| may_know)
    }
}

/// A person in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedPerson {
    /// The person.
    #[serde(flatten)]
    pub person: Person,
    /// The title of the person's own enrolment status in the school; `None`: nothing was ever said.
    pub school_status: Option<String>,
}

/// Which people to list.
#[derive(Clone, Debug, Default)]
pub struct PeopleFilter {
    /// Only rows of this peer.
    pub peer: Option<PeerId>,
    /// Only those with this text in a name, the e-mail address or the id (ASCII case apart).
    pub search: Option<String>,
    /// Only those enrolled in this role at present, or about to be.
    pub role: Option<Role>,
    /// Removed ones as well.
    pub removed: bool,
}

/// A row of `school_enrolment_history`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SchoolChange {
    /// What the enrolment became.
    pub status: Status,
    /// From when it holds.
    pub effective_at: UnixTime,
    /// When it was written down.
    pub recorded_at: UnixTime,
    /// Who said so.
    pub author: Author,
    /// Why.
    pub note: Option<String>,
}

/// A reference to a person, as the rules need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PersonRef {
    /// The row.
    pub id: PersonId,
    /// Whether it is removed.
    pub removed: bool,
}

/// The columns that [`person_from_row`] reads.
macro_rules! select_person {
    ($rest:literal) => {
        concat!(
            "SELECT person.id, person.peer, person.idnumber, person.username, person.sent_username, ",
            "person.firstname, person.lastname, person.email, person.ircnick, person.extra, ",
            "person.may_sign_in, person.created_at, person.updated_at, person.removed_at",
            $rest
        )
    };
}

pub(super) use select_person;

/// The person that `owner` calls `idnumber`, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn by_idnumber(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    idnumber: &str,
) -> Result<Option<Person>, StoreError> {
    tx.one(
        select_person!(" FROM person WHERE ifnull(peer, 0) = ?1 AND idnumber = ?2"),
        params![PeerId::or_none(owner), idnumber],
        person_from_row,
    )
}

/// The person whom `owner` spells `username`, removed or not; the latest to come, where several do.
///
/// # Errors
/// When the database cannot be read.
pub fn by_sent_username(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    username: &str,
) -> Result<Option<Person>, StoreError> {
    tx.one(
        select_person!(
            " FROM person WHERE ifnull(peer, 0) = ?1 AND sent_username = ?2 \
             ORDER BY id DESC LIMIT 1"
        ),
        params![PeerId::or_none(owner), username],
        person_from_row,
    )
}

/// The person whom `peer` spells `username`: the latest to come of those who are not removed, else of
/// those who are.
///
/// # Errors
/// When the database cannot be read.
pub fn by_sent_username_present_first(
    tx: &ReadTx<'_>,
    peer: PeerId,
    username: &str,
) -> Result<Option<Person>, StoreError> {
    tx.one(
        select_person!(
            " FROM person WHERE ifnull(peer, 0) = ?1 AND sent_username = ?2 \
             ORDER BY removed_at IS NOT NULL, id DESC LIMIT 1"
        ),
        params![peer, username],
        person_from_row,
    )
}

/// Whom `owner` means by `userid`: the person with that id, else the one of that username who has no
/// id at all.
///
/// # Errors
/// When the database cannot be read.
pub fn refer(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    userid: &str,
) -> Result<Option<PersonRef>, StoreError> {
    let by_id = tx.one(
        "SELECT id, removed_at IS NOT NULL FROM person WHERE ifnull(peer, 0) = ?1 AND idnumber = ?2",
        params![PeerId::or_none(owner), userid],
        ref_from_row,
    )?;
    match by_id {
        Some(person) => Ok(Some(person)),
        None => refer_by_username(tx, owner, userid),
    }
}

/// The person without any id whom `owner` spells `username`.
///
/// # Errors
/// When the database cannot be read.
pub fn refer_by_username(
    tx: &ReadTx<'_>,
    owner: Option<PeerId>,
    username: &str,
) -> Result<Option<PersonRef>, StoreError> {
    tx.one(
        "SELECT id, removed_at IS NOT NULL FROM person \
         WHERE ifnull(peer, 0) = ?1 AND sent_username = ?2 AND idnumber IS NULL \
         ORDER BY id DESC LIMIT 1",
        params![PeerId::or_none(owner), username],
        ref_from_row,
    )
}

/// The person in row `id`.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: PersonId) -> Result<Option<Person>, StoreError> {
    tx.one(
        select_person!(" FROM person WHERE id = ?1"),
        [id],
        person_from_row,
    )
}

/// The person who is called `username` here, removed or not.
///
/// # Errors
/// When the database cannot be read.
pub fn by_username(tx: &ReadTx<'_>, username: &str) -> Result<Option<Person>, StoreError> {
    tx.one(
        select_person!(" FROM person WHERE username = ?1"),
        [username],
        person_from_row,
    )
}

/// Whether somebody other than `except` has `username` here, removed people included.
///
/// # Errors
/// When the database cannot be read.
pub fn username_is_taken(
    tx: &ReadTx<'_>,
    username: &str,
    except: Option<PersonId>,
) -> Result<bool, StoreError> {
    let holder = tx.one(
        "SELECT id FROM person WHERE username = ?1",
        [username],
        |row| row.get::<_, PersonId>(0),
    )?;
    Ok(holder.is_some_and(|id| Some(id) != except))
}

/// Adds a person.
///
/// # Errors
/// [`StoreError::Refused`] where the username or the owner's id is taken.
pub fn insert(
    tx: &WriteTx<'_>,
    owner: Option<PeerId>,
    fields: &PersonFields,
    now: UnixTime,
) -> Result<PersonId, StoreError> {
    let folded = fields.folded();
    let id = tx.insert(
        "INSERT INTO person (peer, idnumber, username, sent_username, firstname, lastname, email, \
         ircnick, extra, created_at, updated_at, sort_name, search_text) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10, ?11, ?12)",
        params![
            owner,
            fields.idnumber,
            fields.username,
            fields.sent_username,
            fields.firstname,
            fields.lastname,
            fields.email,
            fields.ircnick,
            fields.extra,
            now,
            folded.sort_name,
            folded.search_text
        ],
    )?;
    Ok(PersonId(id))
}

/// Replaces the fields of a person, and brings the row back where it was removed.
///
/// # Errors
/// [`StoreError::Refused`] where the username or the owner's id is taken.
pub fn update(
    tx: &WriteTx<'_>,
    id: PersonId,
    fields: &PersonFields,
    now: UnixTime,
) -> Result<(), StoreError> {
    let folded = fields.folded();
    tx.execute(
        "UPDATE person SET idnumber = ?2, username = ?3, sent_username = ?4, firstname = ?5, \
         lastname = ?6, email = ?7, ircnick = ?8, extra = ?9, updated_at = ?10, removed_at = NULL, \
         sort_name = ?11, search_text = ?12 WHERE id = ?1",
        params![
            id,
            fields.idnumber,
            fields.username,
            fields.sent_username,
            fields.firstname,
            fields.lastname,
            fields.email,
            fields.ircnick,
            fields.extra,
            now,
            folded.sort_name,
            folded.search_text
        ],
    )?;
    Ok(())
}

/// Marks a person as removed, ends the person's sessions, and takes back a right to sign in that was given
/// to this very person: whoever comes back under that name may be somebody else. One that was denied
/// stays denied.
///
/// # Errors
/// When the database cannot be written.
pub fn remove(tx: &WriteTx<'_>, id: PersonId, now: UnixTime) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE person SET removed_at = ?2, may_sign_in = nullif(may_sign_in, 1) WHERE id = ?1",
        params![id, now],
    )?;
    sessions::end_all_of_person(tx, id, now)?;
    Ok(())
}

/// A page of people.
///
/// # Errors
/// When the database cannot be read.
pub fn list(
    tx: &ReadTx<'_>,
    filter: &PeopleFilter,
    now: UnixTime,
    page: Page,
) -> Result<Vec<ListedPerson>, StoreError> {
    let select = select_person!(
        ", status.title FROM person LEFT JOIN enrolment_status AS status ON status.id = \
         CASE WHEN person.school_changes_at <= ?1 THEN \
         (SELECT history.status FROM school_enrolment_history AS history \
         WHERE history.person = person.id AND history.effective_at <= ?1 \
         ORDER BY history.effective_at DESC, history.id DESC LIMIT 1) \
         ELSE person.school_status END"
    );
    let mut conditions = Conditions::with_first(select, now, "person.id", page);
    conditions
        .with("person.peer = ?", filter.peer)
        .with(
            "instr(lower(concat_ws(char(10), person.username, person.sent_username, \
             person.firstname || ' ' || person.lastname, person.email, person.idnumber)), lower(?)) > 0",
            filter.search.clone(),
        )
        .with(
            &format!(
                "EXISTS (SELECT 1 FROM enrolment AS e \
                 JOIN enrolment_status AS standing ON standing.id = {STATUS_NOW} \
                 WHERE e.person = person.id AND e.removed_at IS NULL AND e.in_error_at IS NULL \
                 AND standing.meaning IN ('pending', 'active') AND e.role = ?)"
            ),
            filter.role,
        );
    if !filter.removed {
        conditions.plain("person.removed_at IS NULL");
    }
    conditions.list(tx, "person.id", page, |row| {
        Ok(ListedPerson {
            person: person_from_row(row)?,
            school_status: row.get(14)?,
        })
    })
}

/// Whether a person may sign in: the person's own right, else that of any group the person is in
/// at `now`. A removed person may not.
///
/// # Errors
/// When the database cannot be read.
pub fn may_sign_in(tx: &ReadTx<'_>, id: PersonId, now: UnixTime) -> Result<bool, StoreError> {
    let sql = format!(
        "SELECT ifnull(person.may_sign_in, EXISTS (SELECT 1 FROM enrolment AS e \
         JOIN enrolment_status AS standing ON standing.id = {STATUS_NOW} \
         JOIN section ON section.id = e.section \
         WHERE e.person = person.id AND e.removed_at IS NULL AND e.in_error_at IS NULL \
         AND (EXISTS (SELECT 1 FROM group_right AS r WHERE r.role = e.role AND r.may_sign_in = 1) \
         OR EXISTS (SELECT 1 FROM peer_group_right AS r WHERE r.peer = person.peer \
         AND r.role = e.role AND r.may_sign_in = 1)) \
         AND section.removed_at IS NULL AND standing.meaning IN ('pending', 'active'))) \
         FROM person WHERE person.id = ?2 AND person.removed_at IS NULL"
    );
    let right = tx.one(&sql, params![now, id], |row| row.get(0))?;
    Ok(right.unwrap_or(false))
}

/// Gives or denies one person the right to sign in; `None` leaves it to the groups.
///
/// # Errors
/// When the database cannot be written.
pub fn set_may_sign_in(
    tx: &WriteTx<'_>,
    id: PersonId,
    right: Option<bool>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE person SET may_sign_in = ?2 WHERE id = ?1",
        params![id, right],
    )?;
    Ok(())
}

/// Gives or denies a whole group the right to sign in; with a `peer`, those of the group whom it sent.
///
/// # Errors
/// When the database cannot be written.
pub fn set_group_may_sign_in(
    tx: &WriteTx<'_>,
    role: Role,
    peer: Option<PeerId>,
    right: bool,
) -> Result<(), StoreError> {
    match peer {
        None => tx.execute(
            "UPDATE group_right SET may_sign_in = ?2 WHERE role = ?1",
            params![role, right],
        )?,
        Some(peer) => tx.execute(
            "INSERT INTO peer_group_right (peer, role, may_sign_in) VALUES (?1, ?2, ?3) \
             ON CONFLICT DO UPDATE SET may_sign_in = excluded.may_sign_in",
            params![peer, role, right],
        )?,
    };
    Ok(())
}

/// The groups that may sign in; with the peer whose people alone that is for, where it is not for all.
///
/// # Errors
/// When the database cannot be read.
pub fn groups_that_may_sign_in(tx: &ReadTx<'_>) -> Result<Vec<(Role, Option<PeerId>)>, StoreError> {
    tx.all(
        "SELECT role, NULL FROM group_right WHERE may_sign_in = 1 UNION ALL \
         SELECT role, peer FROM peer_group_right WHERE may_sign_in = 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}

/// The status of a person's own enrolment in the school that holds at `at`.
///
/// # Errors
/// When the database cannot be read.
pub fn school_status_at(
    tx: &ReadTx<'_>,
    id: PersonId,
    at: UnixTime,
) -> Result<Option<StatusId>, StoreError> {
    tx.one(
        "SELECT status FROM school_enrolment_history WHERE person = ?1 AND effective_at <= ?2 \
         ORDER BY effective_at DESC, id DESC LIMIT 1",
        params![id, at],
        |row| row.get(0),
    )
}

/// Adds a change to a person's own enrolment in the school.
///
/// # Errors
/// When the database cannot be written.
pub fn add_school_change(
    tx: &WriteTx<'_>,
    id: PersonId,
    status: StatusId,
    effective_at: UnixTime,
    author: &Author,
    note: Option<&str>,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.insert(
        "INSERT INTO school_enrolment_history \
         (person, status, effective_at, recorded_at, author_kind, author_peer, author_name, note) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            id,
            status,
            effective_at,
            now,
            author.kind(),
            author.owner(),
            author.name(),
            note
        ],
    )?;
    tx.execute(
        "UPDATE person SET school_status = \
         (SELECT status FROM school_enrolment_history WHERE person = ?1 AND effective_at <= ?2 \
         ORDER BY effective_at DESC, id DESC LIMIT 1), \
         school_changes_at = (SELECT min(effective_at) FROM school_enrolment_history \
         WHERE person = ?1 AND effective_at > ?2) WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

/// Every change of a person's own enrolment in the school, in the order they were written down.
///
/// # Errors
/// When the database cannot be read.
pub fn school_history(tx: &ReadTx<'_>, id: PersonId) -> Result<Vec<SchoolChange>, StoreError> {
    tx.all(
        &format!(
            "SELECT {}, history.effective_at, history.recorded_at, history.author_kind, \
             history.author_peer, history.author_name, history.note \
             FROM school_enrolment_history AS history \
             JOIN enrolment_status AS status ON status.id = history.status \
             WHERE history.person = ?1 ORDER BY history.id",
            statuses::COLUMNS
        ),
        [id],
        |row| {
            Ok(SchoolChange {
                status: statuses::from_row(row, 0)?,
                effective_at: row.get(6)?,
                recorded_at: row.get(7)?,
                author: Author::from_row(row, 8)?,
                note: row.get(11)?,
            })
        },
    )
}

pub(super) fn person_from_row(row: &Row<'_>) -> rusqlite::Result<Person> {
    Ok(Person {
        id: row.get(0)?,
        peer: row.get(1)?,
        fields: PersonFields {
            idnumber: row.get(2)?,
            username: row.get(3)?,
            sent_username: row.get(4)?,
            firstname: row.get(5)?,
            lastname: row.get(6)?,
            email: row.get(7)?,
            ircnick: row.get(8)?,
            extra: row.get(9)?,
        },
        may_sign_in: row.get(10)?,
        created_at: row.get(11)?,
        updated_at: row.get(12)?,
        removed_at: row.get(13)?,
    })
}

fn ref_from_row(row: &Row<'_>) -> rusqlite::Result<PersonRef> {
    Ok(PersonRef {
        id: row.get(0)?,
        removed: row.get(1)?,
    })
}
