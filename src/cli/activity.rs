//! `mnetd activity`: the log of calls.

use std::collections::HashMap;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::CliError;
use super::output::{self, Format};
use super::site::Site;
use crate::peer::Peer;
use crate::store::StoreError;
use crate::store::calls::{self, CallFilter, Direction, LoggedCall};

#[derive(Args, Debug)]
pub struct ActivityArguments {
    /// Only calls from and to this peer (its wwwroot)
    #[arg(long, value_name = "URL")]
    peer: Option<String>,
    /// Only calls that ended with a fault or without an answer
    #[arg(long)]
    faults: bool,
    /// Only calls to this site
    #[arg(long = "in", conflicts_with = "out")]
    incoming: bool,
    /// Only calls of this site
    #[arg(long)]
    out: bool,
    /// Only methods that begin so, such as register/
    #[arg(long, value_name = "PREFIX")]
    method: Option<String>,
    /// Only calls with this text in method, message or origin
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Go on behind the row with this id, towards older ones
    #[arg(long, value_name = "ID")]
    before: Option<i64>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

const COLUMNS: [&str; 8] = [
    "at",
    "direction",
    "who",
    "method",
    "fault_code",
    "milliseconds",
    "attempts",
    "message",
];

#[derive(Serialize)]
struct Line {
    id: i64,
    at: String,
    direction: Direction,
    /// The peer's wwwroot, or who it said it was or where it came from.
    who: String,
    peer: Option<String>,
    origin: Option<String>,
    method: String,
    fault_code: Option<i32>,
    message: Option<String>,
    attempts: u32,
    milliseconds: String,
}

pub fn run(site: &Site, arguments: &ActivityArguments) -> Result<ExitCode, CliError> {
    let peer = match &arguments.peer {
        Some(url) => Some(site.peer(url)?.id),
        None => None,
    };
    let filter = CallFilter {
        direction: match (arguments.incoming, arguments.out) {
            (true, _) => Some(Direction::In),
            (_, true) => Some(Direction::Out),
            _ => None,
        },
        peer,
        faults: arguments.faults,
        method_prefix: arguments.method.clone(),
        text: arguments.text.clone(),
    };
    let calls = site.store.read_blocking(|tx| -> Result<_, StoreError> {
        calls::list(tx, &filter, arguments.before, arguments.limit)
    })?;
    let names: HashMap<i64, String> = site
        .store
        .read_blocking(Peer::all)?
        .into_iter()
        .map(|peer| (peer.id.0, peer.wwwroot.to_string()))
        .collect();
    let last = calls.last().map(|call| call.id);
    let is_full = calls.len() == arguments.limit as usize;
    let lines: Vec<Line> = calls.into_iter().map(|call| line(call, &names)).collect();
    output::print(arguments.format, &COLUMNS, &lines)?;
    if let Some(last) = last.filter(|_| is_full) {
        eprintln!("There may be more: add --before {last}.");
    }
    Ok(ExitCode::SUCCESS)
}

fn line(call: LoggedCall, names: &HashMap<i64, String>) -> Line {
    let peer = call.peer.and_then(|peer| names.get(&peer.0)).cloned();
    let who = peer.clone().or_else(|| call.origin.clone());
    let whole = call.microseconds / 1_000;
    let tenth = call.microseconds % 1_000 / 100;
    Line {
        id: call.id,
        at: call.at.to_string(),
        direction: call.direction,
        who: who.unwrap_or_default(),
        peer,
        origin: call.origin,
        method: call.method,
        fault_code: call.fault_code,
        message: call.message,
        attempts: call.attempts,
        milliseconds: format!("{whole}.{tenth}"),
    }
}
