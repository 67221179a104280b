//! Changes an administrator makes: dated, signed, and noted in the audit log.

use super::Console;
use super::error::WebError;
use super::page;
use super::show;
use super::visitor::Administrator;
use crate::clock::UnixTime;
use crate::register::RegisterError;
use crate::store::audit::{self, Actor, Deed};
use crate::store::people::{self, Person};
use crate::store::{Author, PersonId, ReadTx, StoreError, WriteTx};

/// An administrator's hand, to be taken into a transaction.
#[derive(Clone, Debug)]
pub struct Hand {
    /// For the histories of the register.
    pub author: Author,
    /// For the audit log.
    pub actor: Actor,
    /// The moment.
    pub now: UnixTime,
}

impl Hand {
    /// That of an administrator, now.
    #[must_use]
    pub fn of(administrator: &Administrator, console: &Console) -> Self {
        Self {
            author: administrator.author(),
            actor: administrator.actor(),
            now: console.clock().now(),
        }
    }

    /// Notes what was done.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub fn note(
        &self,
        tx: &WriteTx<'_>,
        action: &str,
        object: &str,
        details: &str,
    ) -> Result<(), StoreError> {
        let deed = Deed {
            action,
            object,
            details,
        };
        audit::note(tx, &self.actor, &deed, self.now)
    }
}

/// What a change of the register came to: the outer error is ours, the inner one, in words, is to be
/// shown beside the form.
///
/// # Errors
/// Where the database failed.
pub fn outcome<T>(result: Result<T, RegisterError>) -> Result<Result<T, String>, WebError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(RegisterError::Store(error)) => Err(error.into()),
        Err(problem) => Ok(Err(page::sentence(&problem))),
    }
}

/// The moment a date field names: `None` for today or nothing, which both mean "from now on".
///
/// # Errors
/// [`RegisterError::Wrong`] for what is no date.
pub fn from_day(day: &str, now: UnixTime) -> Result<Option<UnixTime>, RegisterError> {
    let day = day.trim();
    if day.is_empty() || day == show::date(now) {
        return Ok(None);
    }
    match show::beginning_of(day) {
        Some(at) => Ok(Some(at)),
        None => Err(RegisterError::Wrong {
            field: "from",
            found: format!("“{}”", shortened(day)),
            expected: "a date like 2026-07-01".to_owned(),
        }),
    }
}

/// A field that may be left empty.
#[must_use]
pub fn said(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

/// Whom a field means: a username here, or a row number behind a `#`.
///
/// # Errors
/// [`RegisterError::Wrong`] where nobody is called so.
pub fn person_named(tx: &ReadTx<'_>, who: &str) -> Result<Person, RegisterError> {
    let who = who.trim();
    let found = match who.strip_prefix('#').map(str::parse) {
        Some(Ok(id)) => people::get(tx, PersonId(id))?,
        Some(Err(_)) => None,
        None => people::by_username(tx, who)?,
    };
    found
        .filter(|person| person.removed_at.is_none())
        .ok_or_else(|| RegisterError::Wrong {
            field: "username",
            found: format!("“{}”", shortened(who)),
            expected: "the username of somebody in the register, as the list of people shows it"
                .to_owned(),
        })
}

/// What was typed, cut so that a message stays readable.
fn shortened(typed: &str) -> String {
    const MOST: usize = 100;
    typed.chars().take(MOST).collect()
}
