//! `mnetd session`: browsers that are signed in.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::CliError;
use super::output::{self, Format, say};
use super::site::Site;
use crate::sso::{Ending, Sso, session};
use crate::store::sessions::{self, Session, SessionEnd, SessionFilter, SignedIn};
use crate::store::{MAX_PAGE, Page, ReadTx, SessionId, StoreError, accounts, peers, people};

#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List the sessions that are alive
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// End a session, or all of a user's
    End {
        /// Its number, as the list shows it
        #[arg(required_unless_present = "user")]
        id: Option<i64>,
        /// Every session of this username
        #[arg(long, conflicts_with = "id")]
        user: Option<String>,
    },
}

#[derive(Serialize)]
struct Row {
    id: SessionId,
    username: String,
    name: String,
    /// The peer that vouched; empty: signed in here by password.
    peer: String,
    address: String,
    started_at: String,
    seen_at: String,
}

const COLUMNS: [&str; 7] = [
    "id",
    "username",
    "name",
    "peer",
    "address",
    "started_at",
    "seen_at",
];

pub fn run(site: &Site, command: &SessionCommand) -> Result<ExitCode, CliError> {
    match command {
        SessionCommand::List { format } => {
            let rows = live(site)?;
            output::print(*format, &COLUMNS, &rows)?;
        }
        SessionCommand::End { id, user } => end(site, *id, user.as_deref())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn end(site: &Site, id: Option<i64>, user: Option<&str>) -> Result<(), CliError> {
    let chosen: Vec<Row> = live(site)?
        .into_iter()
        .filter(|row| id.is_none_or(|id| row.id.0 == id))
        .filter(|row| user.is_none_or(|user| row.username == user))
        .collect();
    if chosen.is_empty() {
        let what = id.map_or_else(
            || format!("of {}", user.unwrap_or_default()),
            |id| format!("numbered {id}"),
        );
        return Err(CliError::NoSession(what));
    }
    let sso = Sso::new(
        site.wwwroot.clone(),
        site.store.clone(),
        site.client.clone(),
        site.clock.clone(),
    );
    for row in chosen {
        let noted = Ending {
            by: output::actor(),
            username: row.username.clone(),
            details: format!("begun {} from {}", row.started_at, row.address),
        };
        let ending = sso.end_session(row.id, SessionEnd::Administrator, Some(noted));
        let ended = site.block_on(ending)?;
        for peer in ended.unreached {
            eprintln!(
                "{peer} did not confirm that the session of {} is over there.",
                row.username
            );
        }
        say!(
            "The session of {} from {} is ended.",
            row.username,
            row.address
        );
    }
    Ok(())
}

fn live(site: &Site) -> Result<Vec<Row>, CliError> {
    let now = site.clock.now();
    let rows = site
        .store
        .read_blocking(|tx| -> Result<Vec<Row>, StoreError> {
            let mut rows = Vec::new();
            let mut page = Page {
                after: None,
                limit: MAX_PAGE,
            };
            loop {
                let found = sessions::list(tx, &SessionFilter::default(), page)?;
                let Some(last) = found.last() else {
                    return Ok(rows);
                };
                page = page.following(last.id.0);
                for session in found.iter().filter(|found| session::is_alive(found, now)) {
                    rows.push(row(tx, session)?);
                }
            }
        })?;
    Ok(rows)
}

fn row(tx: &ReadTx<'_>, session: &Session) -> Result<Row, StoreError> {
    let (username, name, peer) = match session.who {
        SignedIn::Account { account } => {
            let account = accounts::get(tx, account)?;
            account.map_or_else(Default::default, |account| {
                let name = format!("{} {}", account.firstname, account.lastname);
                (account.username, name, String::new())
            })
        }
        SignedIn::Person { person, peer } => {
            let peer = peers::get(tx, peer)?.map(|peer| peer.wwwroot);
            let person = people::get(tx, person)?.map(|person| person.fields);
            person.map_or_else(Default::default, |person| {
                let name = format!("{} {}", person.firstname, person.lastname);
                (person.username, name, peer.unwrap_or_default())
            })
        }
    };
    Ok(Row {
        id: session.id,
        username,
        name,
        peer,
        address: session.address.clone(),
        started_at: session.started_at.to_string(),
        seen_at: session.seen_at.to_string(),
    })
}
