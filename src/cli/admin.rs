//! `mnetd admin`: accounts of this site.

use std::io::{BufRead, IsTerminal};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::CliError;
use super::output::{self, Format, say};
use super::site::Site;
use crate::sso::{AccountError, NewMember, Password, accounts};
use crate::store::accounts::{self as rows, Account, AccountRole};
use crate::store::audit::{self, Deed};
use crate::store::{MAX_PAGE, Page, StoreError, WriteTx};

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// Make an account; an administrator's unless told otherwise
    Add(AddArguments),
    /// List the accounts
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Give an account another password, read from standard input, and end its sessions
    Password {
        /// The account
        name: String,
        /// Read the password from the first line of standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Let nobody sign in by an account any more, and end its sessions
    Disable {
        /// The account
        name: String,
    },
    /// Let somebody sign in by an account again
    Enable {
        /// The account
        name: String,
    },
}

#[derive(Args, Debug)]
pub struct AddArguments {
    /// What one signs in by: small letters, digits, and . _ - @
    name: String,
    /// Read the password from the first line of standard input
    #[arg(long, required = true)]
    password_stdin: bool,
    /// First name
    #[arg(long, default_value = "Local")]
    firstname: String,
    /// Last name
    #[arg(long, default_value = "Administrator")]
    lastname: String,
    /// E-mail address [default: NAME at the host of this site]
    #[arg(long)]
    email: Option<String>,
    /// What the account may do: everything, see everything, or see what is its own and jump to peers
    #[arg(long, value_enum, default_value_t)]
    role: Role,
}

/// What an account may do.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Role {
    #[default]
    Administrator,
    Reader,
    Member,
}

#[derive(Serialize)]
struct Row {
    username: String,
    firstname: String,
    lastname: String,
    email: String,
    role: AccountRole,
    last_sign_in: Option<String>,
    disabled: bool,
}

const COLUMNS: [&str; 7] = [
    "username",
    "firstname",
    "lastname",
    "email",
    "role",
    "last_sign_in",
    "disabled",
];

pub fn run(site: &Site, command: &AdminCommand) -> Result<ExitCode, CliError> {
    match command {
        AdminCommand::Add(arguments) => add(site, arguments)?,
        AdminCommand::List { format } => list(site, *format)?,
        AdminCommand::Password { name, .. } => set_password(site, name)?,
        AdminCommand::Disable { name } => set_disabled(site, name, true)?,
        AdminCommand::Enable { name } => set_disabled(site, name, false)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(site: &Site, arguments: &AddArguments) -> Result<(), CliError> {
    let member = NewMember {
        username: arguments.name.clone(),
        firstname: arguments.firstname.clone(),
        lastname: arguments.lastname.clone(),
        email: arguments
            .email
            .clone()
            .unwrap_or_else(|| default_email(site, &arguments.name)),
        role: match arguments.role {
            Role::Administrator => AccountRole::Administrator,
            Role::Reader => AccountRole::Reader,
            Role::Member => AccountRole::Member,
        },
        person: None,
    };
    let hash = read_password(&member.username)?
        .hash()
        .map_err(AccountError::from)?;
    let (name, now) = (member.username.clone(), site.clock.now());
    site.store.write_blocking(move |tx| {
        accounts::add(tx, &member, &hash, now)?;
        note(
            tx,
            "account added",
            &member.username,
            member.role.as_str(),
            now,
        )
    })?;
    say!(
        "The account {name} is made; sign in at {}",
        site.wwwroot.join("/sign-in")
    );
    Ok(())
}

fn list(site: &Site, format: Format) -> Result<(), CliError> {
    let page = Page {
        after: None,
        limit: MAX_PAGE,
    };
    let found = site
        .store
        .read_blocking(|tx| -> Result<_, StoreError> { rows::list(tx, page) })?;
    let rows: Vec<Row> = found
        .into_iter()
        .map(|account| Row {
            username: account.username,
            firstname: account.firstname,
            lastname: account.lastname,
            email: account.email,
            role: account.role,
            last_sign_in: account.last_sign_in_at.map(|at| at.to_string()),
            disabled: account.disabled_at.is_some(),
        })
        .collect();
    output::print(format, &COLUMNS, &rows)
}

fn set_password(site: &Site, name: &str) -> Result<(), CliError> {
    let account = find(site, name)?;
    let hash = read_password(&account.username)?
        .hash()
        .map_err(AccountError::from)?;
    let now = site.clock.now();
    site.store
        .write_blocking(move |tx| -> Result<(), AccountError> {
            accounts::set_password(tx, account.id, &hash, None, now)?;
            note(tx, "password set", &account.username, "", now)
        })?;
    say!("{name} has another password; its sessions are ended.");
    Ok(())
}

fn set_disabled(site: &Site, name: &str, disabled: bool) -> Result<(), CliError> {
    let account = find(site, name)?;
    let now = site.clock.now();
    site.store.write_blocking(move |tx| {
        accounts::set_disabled(tx, &account, disabled, now)?;
        let action = if disabled {
            "account disabled"
        } else {
            "account enabled"
        };
        note(tx, action, &account.username, "", now)
    })?;
    if disabled {
        say!("Nobody can sign in as {name} any more; its sessions are ended.");
    } else {
        say!("{name} can sign in again.");
    }
    Ok(())
}

fn find(site: &Site, name: &str) -> Result<Account, CliError> {
    site.store
        .read_blocking(|tx| -> Result<_, StoreError> { rows::find(tx, name) })?
        .ok_or_else(|| CliError::UnknownAccount(name.to_owned()))
}

fn note(
    tx: &WriteTx<'_>,
    action: &str,
    object: &str,
    details: &str,
    now: crate::clock::UnixTime,
) -> Result<(), AccountError> {
    let deed = Deed {
        action,
        object,
        details,
    };
    Ok(audit::note(tx, &output::actor(), &deed, now)?)
}

/// The password, from the first line of standard input: on a command line every user of the machine
/// could read it.
fn read_password(username: &str) -> Result<Password, CliError> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("Password (it will be shown; end it with Enter):");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line).map_err(CliError::Input)?;
    let typed = line.trim_end_matches(['\r', '\n']);
    Ok(Password::chosen(typed, username).map_err(AccountError::from)?)
}

fn default_email(site: &Site, name: &str) -> String {
    let url = site.wwwroot.url();
    let host = url.host_str().unwrap_or("localhost");
    format!("{name}@{}", host.trim_matches(['[', ']']))
}
