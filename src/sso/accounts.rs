//! Accounts of this site: made, given passwords, signed in to, and the first of them.

use thiserror::Error;

use super::password::PasswordError;
use super::token::Token;
use crate::clock::UnixTime;
use crate::register::{MAX_EMAIL, MAX_NAME, MAX_USERNAME};
use crate::store::accounts::{self, Account, AccountRole, NewAccount};
use crate::store::sessions::{self, SessionEnd, SessionFilter};
use crate::store::{AccountId, MAX_PAGE, Page, PersonId, ReadTx, SessionId, StoreError, WriteTx};

/// For how many seconds the setup link is good: somebody who installs the server opens it soon.
pub const SETUP_LINK_LIFETIME: i64 = 24 * 3600;

/// Somebody who is to have an account.
#[derive(Clone, Debug)]
pub struct NewMember {
    /// What they sign in by.
    pub username: String,
    /// First name.
    pub firstname: String,
    /// Last name.
    pub lastname: String,
    /// E-mail address.
    pub email: String,
    /// What they may do.
    pub role: AccountRole,
    /// Who in the register they are.
    pub person: Option<PersonId>,
}

/// Why an account cannot be made or changed.
#[derive(Debug, Error)]
pub enum AccountError {
    /// A name that cannot be one.
    #[error(
        "the username “{0}” cannot be used: expected 1 to {MAX_USERNAME} small letters a–z, digits, and any of . _ - @ (Moodle takes no others)"
    )]
    Username(String),
    /// Taken.
    #[error("there is an account called {0} already")]
    Taken(String),
    /// Somebody has an account already.
    #[error("that person has the account {0} already")]
    PersonHasOne(String),
    /// A field that is missing or too long.
    #[error("{field}: expected 1 to {most} characters; peers refuse users without")]
    Field {
        /// Which.
        field: &'static str,
        /// The most characters.
        most: usize,
    },
    /// An address that is none.
    #[error("“{0}” is no e-mail address; expected something like office@school.example")]
    Email(String),
    /// The password.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// Typed twice, and not the same.
    #[error("the two passwords are not the same; type it twice")]
    Passwords,
    /// The session that begins with it.
    #[error(transparent)]
    Session(#[from] super::session::SessionError),
    /// The last one.
    #[error(
        "{0} is the last administrator who can sign in; make another first, or nobody could change anything any more"
    )]
    LastAdministrator(String),
    /// A link that is not, or no longer, good.
    #[error(
        "this link is not good any more: it was used, a newer one was made, or a day has passed. Restart mnetd for a new one in its log, or run: mnetd admin add NAME --password-stdin"
    )]
    SetupLink,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an account. `password_hash` is [`super::Password::hash`]'s, made before, for it takes its time.
///
/// # Errors
/// Where a field cannot be used, or the name is taken.
pub fn add(
    tx: &WriteTx<'_>,
    member: &NewMember,
    password_hash: &str,
    now: UnixTime,
) -> Result<AccountId, AccountError> {
    check_username(&member.username)?;
    check_names(&member.firstname, &member.lastname, &member.email)?;
    if accounts::find(tx, &member.username)?.is_some() {
        return Err(AccountError::Taken(member.username.clone()));
    }
    if let Some(person) = member.person
        && let Some(account) = accounts::of_person(tx, person)?
    {
        return Err(AccountError::PersonHasOne(account.username));
    }
    let new = NewAccount {
        username: &member.username,
        firstname: &member.firstname,
        lastname: &member.lastname,
        email: &member.email,
        role: member.role,
        person: member.person,
        password_hash,
    };
    Ok(accounts::insert(tx, &new, now)?)
}

/// Changes names, e-mail address and role of an account.
///
/// # Errors
/// Where a field cannot be used, or no administrator would be left.
pub fn change(
    tx: &WriteTx<'_>,
    account: &Account,
    firstname: &str,
    lastname: &str,
    email: &str,
    role: AccountRole,
) -> Result<(), AccountError> {
    check_names(firstname, lastname, email)?;
    if role != AccountRole::Administrator {
        keep_an_administrator(tx, account)?;
    }
    Ok(accounts::update(
        tx, account.id, firstname, lastname, email, role,
    )?)
}

/// Gives an account another password, and ends its sessions but `kept`, for whoever knew the old one
/// may be signed in. Those that ended have still to be ended at peers ([`super::Sso::end_at_peers_later`]).
///
/// # Errors
/// When the database cannot be written.
pub fn set_password(
    tx: &WriteTx<'_>,
    account: AccountId,
    password_hash: &str,
    kept: Option<SessionId>,
    now: UnixTime,
) -> Result<Vec<SessionId>, StoreError> {
    accounts::set_password_hash(tx, account, password_hash, now)?;
    end_sessions(tx, account, kept, now)
}

/// Lets nobody sign in by an account any more, and ends its sessions; or lets them again. Those that ended
/// have still to be ended at peers ([`super::Sso::end_at_peers_later`]).
///
/// # Errors
/// [`AccountError::LastAdministrator`].
pub fn set_disabled(
    tx: &WriteTx<'_>,
    account: &Account,
    disabled: bool,
    now: UnixTime,
) -> Result<Vec<SessionId>, AccountError> {
    if !disabled {
        accounts::set_disabled(tx, account.id, None)?;
        return Ok(Vec::new());
    }
    keep_an_administrator(tx, account)?;
    accounts::set_disabled(tx, account.id, Some(now))?;
    Ok(end_sessions(tx, account.id, None, now)?)
}

/// A new setup link's token, where there is no administrator yet; `None` where there is one.
///
/// # Errors
/// When the database or the system's random numbers fail.
pub fn make_setup_link(tx: &WriteTx<'_>, now: UnixTime) -> Result<Option<Token>, AccountError> {
    if accounts::administrators(tx)? > 0 {
        accounts::forget_setup_link(tx)?;
        return Ok(None);
    }
    let token = Token::generate().map_err(PasswordError::from)?;
    accounts::set_setup_link(tx, &token.hash(), now)?;
    Ok(Some(token))
}

/// Whether `token` is the setup link's, and the link still good.
///
/// # Errors
/// [`AccountError::SetupLink`] where it is not.
pub fn check_setup_link(tx: &ReadTx<'_>, token: &Token, now: UnixTime) -> Result<(), AccountError> {
    let stored = accounts::setup_link(tx, now.plus(-SETUP_LINK_LIFETIME))?;
    let good = stored.is_some_and(|hash| openssl::memcmp::eq(&hash, &token.hash()))
        && accounts::administrators(tx)? == 0;
    if good {
        Ok(())
    } else {
        Err(AccountError::SetupLink)
    }
}

/// Makes the first administrator's account by the setup link, which is then gone.
///
/// # Errors
/// [`AccountError::SetupLink`], or as [`add`].
pub fn add_first(
    tx: &WriteTx<'_>,
    token: &Token,
    member: &NewMember,
    password_hash: &str,
    now: UnixTime,
) -> Result<AccountId, AccountError> {
    check_setup_link(tx, token, now)?;
    let id = add(tx, member, password_hash, now)?;
    accounts::forget_setup_link(tx)?;
    Ok(id)
}

fn end_sessions(
    tx: &WriteTx<'_>,
    account: AccountId,
    kept: Option<SessionId>,
    now: UnixTime,
) -> Result<Vec<SessionId>, StoreError> {
    let filter = SessionFilter {
        account: Some(account),
        ..SessionFilter::default()
    };
    let mut page = Page {
        after: None,
        limit: MAX_PAGE,
    };
    let mut ended = Vec::new();
    loop {
        let rows = sessions::list(tx, &filter, page)?;
        let Some(last) = rows.last() else {
            return Ok(ended);
        };
        page = page.following(last.id.0);
        for row in rows.iter().filter(|row| Some(row.id) != kept) {
            sessions::end(tx, row.id, SessionEnd::Account, now)?;
            ended.push(row.id);
        }
    }
}

fn keep_an_administrator(tx: &ReadTx<'_>, account: &Account) -> Result<(), AccountError> {
    let is_one = account.role == AccountRole::Administrator && account.disabled_at.is_none();
    if is_one && accounts::administrators(tx)? == 1 {
        return Err(AccountError::LastAdministrator(account.username.clone()));
    }
    Ok(())
}

/// Moodle's own rule (`core_user::clean_field`, `PARAM_USERNAME`), so that every peer takes the name.
fn check_username(username: &str) -> Result<(), AccountError> {
    let allowed = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '@')
    };
    let length = username.chars().count();
    if (1..=MAX_USERNAME).contains(&length) && username.chars().all(allowed) {
        Ok(())
    } else {
        let shown = username.chars().take(MAX_USERNAME).collect();
        Err(AccountError::Username(shown))
    }
}

fn check_names(firstname: &str, lastname: &str, email: &str) -> Result<(), AccountError> {
    let fits = |text: &str, most| {
        let length = text.chars().count();
        !text.trim().is_empty() && length <= most && !text.chars().any(char::is_control)
    };
    for (field, text, most) in [
        ("first name", firstname, MAX_NAME),
        ("last name", lastname, MAX_NAME),
        ("e-mail address", email, MAX_EMAIL),
    ] {
        if !fits(text, most) {
            return Err(AccountError::Field { field, most });
        }
    }
    let is_address = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'))
        && !email.contains(char::is_whitespace);
    if is_address {
        Ok(())
    } else {
        Err(AccountError::Email(email.to_owned()))
    }
}
