//! `mnetd enrol`: accounts of this site in courses of peers.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::Value as Json;

use super::CliError;
use super::output::{self, Format, printable, say};
use super::site::Site;
use crate::enrol::{EnrolError, RemoteEnrolment};
use crate::peer::Peer;
use crate::store::accounts::{self, Account};
use crate::store::peer_courses::{self, PeerCourse, PeerCourseEnrolmentFilter, PeerCourseFilter};
use crate::store::{MAX_PAGE, Page, StoreError};

#[derive(Debug, Subcommand)]
pub enum EnrolCommand {
    /// Ask a peer which of its courses accounts of this site may be enrolled in
    Courses {
        /// The peer's wwwroot
        peer: String,
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Enrol an account in a course of a peer
    Add(Enrolment),
    /// End an enrolment that was made from here
    Remove(Enrolment),
    /// List the accounts in courses of peers
    List(ListArguments),
}

#[derive(Args, Debug)]
pub struct Enrolment {
    /// The username of the account
    account: String,
    /// The peer's wwwroot
    peer: String,
    /// The peer's id of the course, as mnetd enrol courses shows it
    courseid: String,
}

#[derive(Args, Debug)]
pub struct ListArguments {
    /// Only in courses of this peer (its wwwroot)
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
    /// Ask the peers first who is enrolled
    #[arg(long)]
    refresh: bool,
    /// Those that have ended as well
    #[arg(long)]
    ended: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const COURSE_COLUMNS: [&str; 6] = [
    "remote_id",
    "shortname",
    "fullname",
    "idnumber",
    "category",
    "starts_at",
];

const ENROLMENT_COLUMNS: [&str; 8] = [
    "username",
    "peer",
    "remote_id",
    "fullname",
    "role",
    "by_us",
    "enrolled_at",
    "ended_at",
];

pub fn run(site: &Site, command: &EnrolCommand) -> Result<ExitCode, CliError> {
    match command {
        EnrolCommand::Courses { peer, format } => courses(site, &site.peer(peer)?, *format)?,
        EnrolCommand::Add(enrolment) => add(site, enrolment)?,
        EnrolCommand::Remove(enrolment) => remove(site, enrolment)?,
        EnrolCommand::List(arguments) => list(site, arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn remote(site: &Site) -> RemoteEnrolment {
    RemoteEnrolment::new(site.store.clone(), site.client.clone(), site.clock.clone())
}

fn courses(site: &Site, peer: &Peer, format: Format) -> Result<(), CliError> {
    site.block_on(remote(site).refresh_courses(peer))?;
    let mut rows = offered(site, Some(peer))?
        .iter()
        .map(to_json)
        .collect::<Result<Vec<_>, _>>()?;
    for row in &mut rows {
        date(row, "starts_at");
    }
    output::print(format, &COURSE_COLUMNS, &rows)
}

fn add(site: &Site, enrolment: &Enrolment) -> Result<(), CliError> {
    let (peer, account) = parties(site, enrolment)?;
    let mut course = known(site, &peer, &enrolment.courseid)?;
    if course.as_ref().is_none_or(|course| !course.offered) {
        // It may have been offered since the peer was last asked.
        site.block_on(remote(site).refresh_courses(&peer))?;
        course = known(site, &peer, &enrolment.courseid)?;
    }
    let course = course.ok_or_else(|| unknown(&peer, enrolment))?;
    let by = output::actor();
    site.block_on(remote(site).enrol(&peer, &account, &course, &by))?;
    say!(
        "{} is enrolled in “{}” at {}.",
        account.username,
        printable(&course.fields.fullname),
        peer.wwwroot
    );
    Ok(())
}

fn remove(site: &Site, enrolment: &Enrolment) -> Result<(), CliError> {
    let (peer, account) = parties(site, enrolment)?;
    let course = known(site, &peer, &enrolment.courseid)?;
    let course = course.ok_or_else(|| unknown(&peer, enrolment))?;
    let by = output::actor();
    site.block_on(remote(site).unenrol(&peer, &account, &course, &by))?;
    say!(
        "{} is no longer enrolled in “{}” at {}.",
        account.username,
        printable(&course.fields.fullname),
        peer.wwwroot
    );
    Ok(())
}

fn parties(site: &Site, enrolment: &Enrolment) -> Result<(Peer, Account), CliError> {
    let peer = site.peer(&enrolment.peer)?;
    let account = site
        .store
        .read_blocking(|tx| -> Result<_, StoreError> { accounts::find(tx, &enrolment.account) })?
        .ok_or_else(|| CliError::UnknownAccount(enrolment.account.clone()))?;
    Ok((peer, account))
}

fn known(site: &Site, peer: &Peer, remote_id: &str) -> Result<Option<PeerCourse>, StoreError> {
    site.store
        .read_blocking(|tx| peer_courses::find(tx, peer.id, remote_id))
}

fn unknown(peer: &Peer, enrolment: &Enrolment) -> CliError {
    CliError::Enrol(EnrolError::UnknownCourse {
        peer: peer.wwwroot.clone(),
        remote_id: enrolment.courseid.clone(),
    })
}

fn list(site: &Site, arguments: &ListArguments) -> Result<(), CliError> {
    let peer = match &arguments.peer {
        Some(url) => Some(site.peer(url)?),
        None => None,
    };
    if arguments.refresh {
        refresh(site, peer.as_ref())?;
    }
    let filter = PeerCourseEnrolmentFilter {
        peer: peer.map(|peer| peer.id),
        ended: arguments.ended,
        ..PeerCourseEnrolmentFilter::default()
    };
    let names = names(site)?;
    let mut rows = Vec::new();
    let mut after = None;
    loop {
        let page = site.store.read_blocking(|tx| -> Result<_, StoreError> {
            peer_courses::enrolments(tx, &filter, after, MAX_PAGE)
        })?;
        let Some(last) = page.last() else { break };
        after = Some((last.account, last.course));
        for enrolment in &page {
            let mut row = to_json(enrolment)?;
            if let Some(name) = names.get(&enrolment.peer.0) {
                row["peer"] = Json::from(name.as_str());
            }
            date(&mut row, "enrolled_at");
            date(&mut row, "ended_at");
            rows.push(row);
        }
    }
    output::print(arguments.format, &ENROLMENT_COLUMNS, &rows)
}

/// Asks about every course that is offered to us, of one peer or of all.
fn refresh(site: &Site, peer: Option<&Peer>) -> Result<(), CliError> {
    let peers = match peer {
        Some(peer) => vec![peer.clone()],
        None => site.store.read_blocking(Peer::all)?,
    };
    let remote = remote(site);
    for peer in &peers {
        for course in offered(site, Some(peer))? {
            site.block_on(remote.refresh_enrolments(peer, &course))?;
        }
    }
    Ok(())
}

fn offered(site: &Site, peer: Option<&Peer>) -> Result<Vec<PeerCourse>, StoreError> {
    let filter = PeerCourseFilter {
        peer: peer.map(|peer| peer.id),
        all: false,
    };
    let mut page = Page {
        after: None,
        limit: MAX_PAGE,
    };
    let mut courses = Vec::new();
    loop {
        let read = site
            .store
            .read_blocking(|tx| peer_courses::list(tx, &filter, page))?;
        let Some(last) = read.last().map(|course| course.id.0) else {
            return Ok(courses);
        };
        courses.extend(read);
        page = page.following(last);
    }
}

fn names(site: &Site) -> Result<HashMap<i64, String>, CliError> {
    let peers = site.store.read_blocking(Peer::all)?;
    Ok(peers
        .into_iter()
        .map(|peer| (peer.id.0, peer.wwwroot.to_string()))
        .collect())
}

fn to_json(row: &impl serde::Serialize) -> Result<Json, CliError> {
    serde_json::to_value(row).map_err(|error| CliError::Output(error.into()))
}

/// Puts a date in the place of unix seconds, which say nothing to anybody.
fn date(row: &mut Json, member: &str) {
    if let Some(seconds) = row[member].as_i64() {
        row[member] = Json::from(crate::clock::UnixTime(seconds).to_string());
    }
}
