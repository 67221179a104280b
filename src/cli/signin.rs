//! `mnetd signin`: who of those that peers vouch for may sign in here.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::CliError;
use super::output::{self, Format, say};
use super::site::Site;
use crate::peer::Peer;
use crate::sso::session;
use crate::store::audit::{self, Deed};
use crate::store::enrolments::Role;
use crate::store::people::{self, Person};
use crate::store::sessions::SessionFilter;
use crate::store::{StoreError, peers};

#[derive(Debug, Subcommand)]
pub enum SigninCommand {
    /// Give the right to sign in
    Allow(Whom),
    /// Take the right to sign in; for a person also against what their group may
    Deny(Whom),
    /// Leave it to a person's groups again
    Reset(Whom),
    /// Show which groups may
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Args, Debug)]
pub struct Whom {
    #[command(flatten)]
    who: Who,
    /// With --group: only those whom this peer sent. With --user: the one whom this peer calls so
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Who {
    /// Everybody in a section in this role
    #[arg(long, value_enum)]
    group: Option<Group>,
    /// One person, by the username here
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Group {
    Student,
    Teacher,
}

#[derive(Serialize)]
struct Row {
    group: &'static str,
    peer: String,
}

impl Group {
    fn role(self) -> Role {
        match self {
            Self::Student => Role::Student,
            Self::Teacher => Role::Teacher,
        }
    }
}

pub fn run(site: &Site, command: &SigninCommand) -> Result<ExitCode, CliError> {
    match command {
        SigninCommand::Allow(whom) => set(site, whom, Some(true))?,
        SigninCommand::Deny(whom) => set(site, whom, Some(false))?,
        SigninCommand::Reset(whom) => set(site, whom, None)?,
        SigninCommand::List { format } => list(site, *format)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn set(site: &Site, whom: &Whom, right: Option<bool>) -> Result<(), CliError> {
    let peer = whom.peer.as_deref().map(|url| site.peer(url)).transpose()?;
    match (whom.who.group, &whom.who.user) {
        (Some(group), _) => set_group(site, group.role(), peer, right.unwrap_or(false)),
        (None, Some(user)) => set_person(site, user, peer.as_ref(), right),
        (None, None) => unreachable!("clap asks for one of them"),
    }
}

fn set_group(site: &Site, role: Role, peer: Option<Peer>, right: bool) -> Result<(), CliError> {
    let now = site.clock.now();
    let of = peer
        .as_ref()
        .map_or_else(String::new, |peer| format!(" of {}", peer.wwwroot));
    let group = format!("all {role}s{of}");
    let object = group.clone();
    site.store
        .write_blocking(move |tx| -> Result<(), StoreError> {
            people::set_group_may_sign_in(tx, role, peer.map(|peer| peer.id), right)?;
            session::end_those_without_right(tx, &SessionFilter::default(), now)?;
            let deed = Deed {
                action: action(Some(right)),
                object: &object,
                details: "",
            };
            audit::note(tx, &output::actor(), &deed, now)
        })?;
    if right {
        say!("{group} may sign in, those apart who are denied it themselves.");
    } else {
        say!("{group} may not sign in, those apart who are allowed to themselves.");
    }
    Ok(())
}

fn set_person(
    site: &Site,
    username: &str,
    peer: Option<&Peer>,
    right: Option<bool>,
) -> Result<(), CliError> {
    let person = find(site, username, peer)?;
    let (id, now) = (person.id, site.clock.now());
    let name = format!(
        "{} ({} {})",
        person.fields.username, person.fields.firstname, person.fields.lastname
    );
    let object = name.clone();
    site.store
        .write_blocking(move |tx| -> Result<(), StoreError> {
            people::set_may_sign_in(tx, id, right)?;
            session::end_those_without_right(tx, &SessionFilter::of_person(id), now)?;
            let deed = Deed {
                action: action(right),
                object: &object,
                details: "",
            };
            audit::note(tx, &output::actor(), &deed, now)
        })?;
    match right {
        Some(true) => say!("{name} may sign in."),
        Some(false) => say!("{name} may not sign in."),
        None => say!("{name} may sign in where a group of theirs may."),
    }
    Ok(())
}

fn find(site: &Site, username: &str, peer: Option<&Peer>) -> Result<Person, CliError> {
    let found = site.store.read_blocking(|tx| -> Result<_, StoreError> {
        match peer {
            None => people::by_username(tx, username),
            Some(peer) => people::by_sent_username(tx, Some(peer.id), username),
        }
    })?;
    found.ok_or_else(|| CliError::UnknownPerson(username.to_owned()))
}

fn action(right: Option<bool>) -> &'static str {
    match right {
        Some(true) => "sign-in allowed",
        Some(false) => "sign-in denied",
        None => "sign-in left to the groups",
    }
}

fn list(site: &Site, format: Format) -> Result<(), CliError> {
    let rows = site
        .store
        .read_blocking(|tx| -> Result<Vec<Row>, StoreError> {
            let mut rows = Vec::new();
            for (role, peer) in people::groups_that_may_sign_in(tx)? {
                let peer = match peer {
                    None => "every".to_owned(),
                    Some(id) => peers::get(tx, id)?
                        .map(|peer| peer.wwwroot)
                        .unwrap_or_default(),
                };
                rows.push(Row {
                    group: role.as_str(),
                    peer,
                });
            }
            Ok(rows)
        })?;
    output::print(format, &["group", "peer"], &rows)
}
