//! People, by last and first name.

use rusqlite::params;
use serde::Serialize;

use super::super::enrolments::{Role, STATUS_NOW};
use super::super::error::StoreError;
use super::super::ids::{PeerId, PersonId};
use super::super::people::{Person, person_from_row, select_person};
use super::super::transaction::ReadTx;
use super::{Slice, Turn, Walk, numbers};
use crate::clock::UnixTime;

/// Which people to list.
#[derive(Clone, Debug, Default)]
pub struct PeopleQuery {
    /// Only those with each of these words in a name, a username, the e-mail address or the id; case apart, and accents too
    /// where the word has none.
    pub search: Option<String>,
    /// Only those enrolled in this role at present, or about to be.
    pub role: Option<Role>,
    /// Only rows of this peer; `Some(None)`: only those made here.
    pub peer: Option<Option<PeerId>>,
    /// Removed ones as well.
    pub removed: bool,
}

/// A person in the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PersonRow {
    /// The person.
    #[serde(flatten)]
    pub person: Person,
    /// The title of the person's own enrolment status in the school; `None`: nothing was ever said.
    pub school_status: Option<String>,
    /// Whether enrolled as a student somewhere at present, or about to be.
    pub student: bool,
    /// Whether enrolled as a teacher somewhere at present, or about to be.
    pub teacher: bool,
}

/// A page of people.
///
/// # Errors
/// When the database cannot be read.
pub fn people(
    tx: &ReadTx<'_>,
    query: &PeopleQuery,
    now: UnixTime,
    turn: Turn<PersonId>,
    limit: u32,
) -> Result<Slice<PersonRow>, StoreError> {
    let mut walk = Walk::new(
        "person.sort_name",
        "person.id",
        "person INDEXED BY person_by_name",
        now,
    );
    walk.search("person.search_text", query.search.as_deref())
        .with(
            "ifnull(person.peer, 0) = ??",
            query.peer.map(PeerId::or_none),
        );
    if !query.removed {
        walk.plain("person.removed_at IS NULL");
    }
    if let Some(role) = query.role {
        walk.plain(&is_in(role));
    }
    let (turn, anchor) = anchored(tx, turn)?;
    walk.page(tx, turn, anchor, limit)?
        .map(|ids| rows(tx, &ids, now))
}

/// The turn in plain numbers, with the sorting name of the person it speaks of.
pub(super) fn anchored(
    tx: &ReadTx<'_>,
    turn: Turn<PersonId>,
) -> Result<(Turn<i64>, Option<String>), StoreError> {
    let (turn, id) = match turn {
        Turn::First => return Ok((Turn::First, None)),
        Turn::Last => return Ok((Turn::Last, None)),
        Turn::After(id) => (Turn::After(id.0), id),
        Turn::Before(id) => (Turn::Before(id.0), id),
    };
    let name = tx.one(
        "SELECT sort_name FROM person WHERE id = ?1 AND sort_name IS NOT NULL",
        [id],
        |row| row.get(0),
    )?;
    Ok((turn, name))
}

/// Whether `person` is in a role at `?1`. The word stands in the text, not bound: the index of teachers is for that word.
fn is_in(role: Role) -> String {
    format!(
        "EXISTS (SELECT 1 FROM enrolment AS e \
         JOIN enrolment_status AS standing ON standing.id = {STATUS_NOW} \
         WHERE e.person = person.id AND e.role = '{role}' AND e.removed_at IS NULL \
         AND e.in_error_at IS NULL AND standing.meaning IN ('pending', 'active'))"
    )
}

fn rows(tx: &ReadTx<'_>, ids: &[i64], now: UnixTime) -> Result<Vec<PersonRow>, StoreError> {
    let select = select_person!(
        ", status.title FROM json_each(?2) AS page CROSS JOIN person ON person.id = page.value \
         LEFT JOIN enrolment_status AS status ON status.id = \
         CASE WHEN person.school_changes_at <= ?1 THEN \
         (SELECT history.status FROM school_enrolment_history AS history \
         WHERE history.person = person.id AND history.effective_at <= ?1 \
         ORDER BY history.effective_at DESC, history.id DESC LIMIT 1) \
         ELSE person.school_status END ORDER BY page.key"
    );
    let student = is_in(Role::Student);
    let teacher = is_in(Role::Teacher);
    let sql = select.replacen(
        ", status.title",
        &format!(", status.title, {student}, {teacher}"),
        1,
    );
    tx.all(&sql, params![now, numbers(ids)], |row| {
        Ok(PersonRow {
            person: person_from_row(row)?,
            school_status: row.get(14)?,
            student: row.get(15)?,
            teacher: row.get(16)?,
        })
    })
}
