//! Accounts of this site itself, and the link by which the first of them is made.

use rusqlite::{Row, params};
use serde::Serialize;

use super::error::StoreError;
use super::ids::{AccountId, PersonId, words};
use super::page::{Conditions, Page};
use super::transaction::{ReadTx, WriteTx};
use crate::clock::UnixTime;

words! {
    /// What an account may do here.
    AccountRole {
        /// Sees and changes everything.
        Administrator = "administrator",
        /// Sees everything and changes nothing: a principal, an office.
        Reader = "reader",
        /// Sees what is their own, and jumps to peers.
        Member = "member",
    }
}

/// A row of `account`, without its password.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Account {
    /// The row.
    pub id: AccountId,
    /// What one signs in by; unique, ASCII case apart.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address.
    pub email: String,
    /// What it may do.
    pub role: AccountRole,
    /// Who in the register this is.
    pub person: Option<PersonId>,
    /// When it was made.
    pub created_at: UnixTime,
    /// The last time somebody signed in by it.
    pub last_sign_in_at: Option<UnixTime>,
    /// Since when nobody may.
    pub disabled_at: Option<UnixTime>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount<'a> {
    /// What one signs in by.
    pub username: &'a str,
    /// First name.
    pub firstname: &'a str,
    /// Last name.
    pub lastname: &'a str,
    /// E-mail address.
    pub email: &'a str,
    /// What it may do.
    pub role: AccountRole,
    /// Who in the register this is.
    pub person: Option<PersonId>,
    /// The hash of its password, as a PHC string.
    pub password_hash: &'a str,
}

macro_rules! select_account {
    ($rest:literal) => {
        concat!(
            "SELECT account.id, account.username, account.firstname, account.lastname, account.email, ",
            "account.role, account.person, account.created_at, account.last_sign_in_at, ",
            "account.disabled_at",
            $rest
        )
    };
}

/// The account one signs in to by `username`, disabled or not.
///
/// # Errors
/// When the database cannot be read.
pub fn find(tx: &ReadTx<'_>, username: &str) -> Result<Option<Account>, StoreError> {
    tx.one(
        select_account!(" FROM account WHERE username = ?1"),
        [username],
        from_row,
    )
}

/// The account in row `id`, disabled or not.
///
/// # Errors
/// When the database cannot be read.
pub fn get(tx: &ReadTx<'_>, id: AccountId) -> Result<Option<Account>, StoreError> {
    tx.one(
        select_account!(" FROM account WHERE id = ?1"),
        [id],
        from_row,
    )
}

/// The account of a person of the register, disabled or not.
///
/// # Errors
/// When the database cannot be read.
pub fn of_person(tx: &ReadTx<'_>, person: PersonId) -> Result<Option<Account>, StoreError> {
    tx.one(
        select_account!(" FROM account WHERE person = ?1"),
        [person],
        from_row,
    )
}

/// A page of accounts.
///
/// # Errors
/// When the database cannot be read.
pub fn list(tx: &ReadTx<'_>, page: Page) -> Result<Vec<Account>, StoreError> {
    Conditions::new(select_account!(" FROM account"), "account.id", page).list(
        tx,
        "account.id",
        page,
        from_row,
    )
}

/// The hash of an account's password, as a PHC string.
///
/// # Errors
/// When the database cannot be read.
pub fn password_hash(tx: &ReadTx<'_>, id: AccountId) -> Result<Option<String>, StoreError> {
    tx.one(
        "SELECT password_hash FROM account WHERE id = ?1",
        [id],
        |row| row.get(0),
    )
}

/// How many administrators may sign in.
///
/// # Errors
/// When the database cannot be read.
pub fn administrators(tx: &ReadTx<'_>) -> Result<u32, StoreError> {
    let count = tx.one(
        "SELECT count(*) FROM account WHERE role = 'administrator' AND disabled_at IS NULL",
        [],
        |row| row.get(0),
    )?;
    Ok(count.unwrap_or(0))
}

/// Makes an account.
///
/// # Errors
/// [`StoreError::Refused`] where the username, or the person, has one already.
pub fn insert(
    tx: &WriteTx<'_>,
    new: &NewAccount<'_>,
    now: UnixTime,
) -> Result<AccountId, StoreError> {
    let id = tx.insert(
        "INSERT INTO account (username, firstname, lastname, email, role, person, password_hash, \
         password_changed_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        params![
            new.username,
            new.firstname,
            new.lastname,
            new.email,
            new.role,
            new.person,
            new.password_hash,
            now
        ],
    )?;
    Ok(AccountId(id))
}

/// Changes names, e-mail address and role.
///
/// # Errors
/// When the database cannot be written.
pub fn update(
    tx: &WriteTx<'_>,
    id: AccountId,
    firstname: &str,
    lastname: &str,
    email: &str,
    role: AccountRole,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE account SET firstname = ?2, lastname = ?3, email = ?4, role = ?5 WHERE id = ?1",
        params![id, firstname, lastname, email, role],
    )?;
    Ok(())
}

/// Gives an account another password.
///
/// # Errors
/// When the database cannot be written.
pub fn set_password_hash(
    tx: &WriteTx<'_>,
    id: AccountId,
    password_hash: &str,
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE account SET password_hash = ?2, password_changed_at = ?3 WHERE id = ?1",
        params![id, password_hash, now],
    )?;
    Ok(())
}

/// Notes that somebody signed in.
///
/// # Errors
/// When the database cannot be written.
pub fn note_sign_in(tx: &WriteTx<'_>, id: AccountId, now: UnixTime) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE account SET last_sign_in_at = ?2 WHERE id = ?1",
        params![id, now],
    )?;
    Ok(())
}

/// Lets nobody sign in by an account any more (`since`), or again (`None`).
///
/// # Errors
/// When the database cannot be written.
pub fn set_disabled(
    tx: &WriteTx<'_>,
    id: AccountId,
    since: Option<UnixTime>,
) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE account SET disabled_at = ?2 WHERE id = ?1",
        params![id, since],
    )?;
    Ok(())
}

/// Puts a new setup link in the place of any other.
///
/// # Errors
/// When the database cannot be written.
pub fn set_setup_link(
    tx: &WriteTx<'_>,
    token_hash: &[u8; 32],
    now: UnixTime,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO setup_link (id, token_hash, made_at) VALUES (1, ?1, ?2) \
         ON CONFLICT DO UPDATE SET token_hash = excluded.token_hash, made_at = excluded.made_at",
        params![token_hash, now],
    )?;
    Ok(())
}

/// The hash of the setup link's token, where a link made at `since` or later stands.
///
/// # Errors
/// When the database cannot be read.
pub fn setup_link(tx: &ReadTx<'_>, since: UnixTime) -> Result<Option<[u8; 32]>, StoreError> {
    tx.one(
        "SELECT token_hash FROM setup_link WHERE made_at >= ?1",
        [since],
        |row| row.get(0),
    )
}

/// Does away with the setup link.
///
/// # Errors
/// When the database cannot be written.
pub fn forget_setup_link(tx: &WriteTx<'_>) -> Result<(), StoreError> {
    tx.execute("DELETE FROM setup_link", [])?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        id: row.get(0)?,
        username: row.get(1)?,
        firstname: row.get(2)?,
        lastname: row.get(3)?,
        email: row.get(4)?,
        role: row.get(5)?,
        person: row.get(6)?,
        created_at: row.get(7)?,
        last_sign_in_at: row.get(8)?,
        disabled_at: row.get(9)?,
    })
}
