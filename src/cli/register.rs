//! `mnetd register`: what stands in the register.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::Value as Json;

use super::CliError;
use super::import_grades::{self, ImportArguments};
use super::output::{self, Format};
use super::site::Site;
use crate::peer::Peer;
use crate::store::assessments::{self, AssessmentFilter};
use crate::store::enrolments::{self, EnrolmentFilter};
use crate::store::grades::{self, GradeFilter};
use crate::store::people::{self, PeopleFilter};
use crate::store::sections::{self, SectionFilter};
use crate::store::{MAX_PAGE, Page, PeerId, ReadTx, StoreError};

#[derive(Debug, Subcommand)]
pub enum RegisterCommand {
    /// List people
    Users(ListArguments),
    /// List sections (courses)
    Sections(ListArguments),
    /// List who is in which section
    Enrolments(ListArguments),
    /// List the columns of the gradebook
    Assessments(ListArguments),
    /// List grades
    Grades(ListArguments),
    /// Enter grades from a spreadsheet (CSV), or say what it would change
    ImportGrades(ImportArguments),
}

#[derive(Args, Debug)]
pub struct ListArguments {
    /// Only what this peer sent (its wwwroot)
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
    /// What was removed or added in error as well
    #[arg(long)]
    removed: bool,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Begin behind the row with this id
    #[arg(long, value_name = "ID")]
    after: Option<i64>,
    /// Every row, however many
    #[arg(long, conflicts_with_all = ["limit", "after"])]
    all: bool,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What is listed, with the members that a table shows.
struct List {
    columns: &'static [&'static str],
    page: fn(&ReadTx<'_>, &Wanted, Page) -> Result<Vec<Json>, CliError>,
}

/// Which rows.
struct Wanted {
    peer: Option<PeerId>,
    removed: bool,
    now: crate::clock::UnixTime,
}

const USERS: List = List {
    columns: &[
        "id",
        "peer",
        "idnumber",
        "username",
        "firstname",
        "lastname",
        "email",
    ],
    page: |tx, wanted, page| {
        let filter = PeopleFilter {
            peer: wanted.peer,
            removed: wanted.removed,
            ..PeopleFilter::default()
        };
        as_json(people::list(tx, &filter, wanted.now, page))
    },
};

const SECTIONS: List = List {
    columns: &["id", "peer", "idnumber", "name", "segments", "teachers"],
    page: |tx, wanted, page| {
        let filter = SectionFilter {
            peer: wanted.peer,
            removed: wanted.removed,
            ..SectionFilter::default()
        };
        as_json(sections::list(tx, &filter, page))
    },
};

const ENROLMENTS: List = List {
    columns: &[
        "id",
        "peer",
        "sectionid",
        "section_name",
        "userid",
        "username",
        "role",
        "status.title",
    ],
    page: |tx, wanted, page| {
        let filter = EnrolmentFilter {
            peer: wanted.peer,
            all: wanted.removed,
            ..EnrolmentFilter::default()
        };
        as_json(enrolments::list(tx, &filter, wanted.now, page))
    },
};

const ASSESSMENTS: List = List {
    columns: &["id", "peer", "idnumber", "name", "sectionid", "pointval"],
    page: |tx, wanted, page| {
        let filter = AssessmentFilter {
            peer: wanted.peer,
            removed: wanted.removed,
            ..AssessmentFilter::default()
        };
        as_json(assessments::list(tx, &filter, page))
    },
};

const GRADES: List = List {
    columns: &[
        "id",
        "peer",
        "assessmentid",
        "assessment_name",
        "userid",
        "username",
        "points_earned",
        "pointval",
        "excepted",
        "attempt_num",
    ],
    page: |tx, wanted, page| {
        let filter = GradeFilter {
            peer: wanted.peer,
            all: wanted.removed,
            ..GradeFilter::default()
        };
        as_json(grades::list(tx, &filter, page))
    },
};

pub fn run(site: &Site, command: &RegisterCommand) -> Result<ExitCode, CliError> {
    let (list, arguments) = match command {
        RegisterCommand::Users(arguments) => (USERS, arguments),
        RegisterCommand::Sections(arguments) => (SECTIONS, arguments),
        RegisterCommand::Enrolments(arguments) => (ENROLMENTS, arguments),
        RegisterCommand::Assessments(arguments) => (ASSESSMENTS, arguments),
        RegisterCommand::Grades(arguments) => (GRADES, arguments),
        RegisterCommand::ImportGrades(arguments) => return import_grades::run(site, arguments),
    };
    let wanted = Wanted {
        peer: match &arguments.peer {
            Some(url) => Some(site.peer(url)?.id),
            None => None,
        },
        removed: arguments.removed,
        now: site.clock.now(),
    };
    let mut rows = read(site, &list, &wanted, arguments)?;
    name_peers(site, &mut rows)?;
    output::print(arguments.format, list.columns, &rows)?;
    if !arguments.all
        && rows.len() == arguments.limit as usize
        && let Some(last) = rows.last().and_then(|row| row.get("id"))
    {
        eprintln!("There may be more: add --after {last}, or --all.");
    }
    Ok(ExitCode::SUCCESS)
}

fn read(
    site: &Site,
    list: &List,
    wanted: &Wanted,
    arguments: &ListArguments,
) -> Result<Vec<Json>, CliError> {
    let mut page = Page {
        after: arguments.after,
        limit: if arguments.all {
            MAX_PAGE
        } else {
            arguments.limit
        },
    };
    let mut rows: Vec<Json> = Vec::new();
    loop {
        let read = site
            .store
            .read_blocking(|tx| (list.page)(tx, wanted, page))?;
        let last = read.last().and_then(|row| row.get("id")?.as_i64());
        rows.extend(read);
        match last {
            Some(last) if arguments.all => page = page.following(last),
            _ => return Ok(rows),
        }
    }
}

fn as_json<T: Serialize>(rows: Result<Vec<T>, StoreError>) -> Result<Vec<Json>, CliError> {
    rows?
        .iter()
        .map(|row| serde_json::to_value(row).map_err(|error| CliError::Output(error.into())))
        .collect()
}

/// Puts a peer's wwwroot in the place of its row number, which says nothing to anybody.
fn name_peers(site: &Site, rows: &mut [Json]) -> Result<(), CliError> {
    let names: HashMap<i64, String> = site
        .store
        .read_blocking(Peer::all)?
        .into_iter()
        .map(|peer| (peer.id.0, peer.wwwroot.to_string()))
        .collect();
    for row in rows {
        if let Some(peer) = row.get_mut("peer")
            && let Some(name) = peer.as_i64().and_then(|id| names.get(&id))
        {
            *peer = Json::from(name.as_str());
        }
    }
    Ok(())
}
