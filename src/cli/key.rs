//! `mnetd key`: the key pairs this site is recognised by.

use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::CliError;
use super::output::{self, Format, say};
use super::site::Site;
use crate::clock::UnixTime;
use crate::keys::KeyPair;

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Show the present certificate
    Show,
    /// List the present key pair and the old ones that are kept
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Make a new key pair; the present one is kept, so that peers can be told
    Rotate,
}

#[derive(Serialize)]
struct Row {
    state: &'static str,
    fingerprint: String,
    valid_from: String,
    expires: String,
    replaced: Option<String>,
}

const COLUMNS: [&str; 5] = ["state", "fingerprint", "valid_from", "expires", "replaced"];

pub fn run(site: &Site, command: &KeyCommand) -> Result<ExitCode, CliError> {
    match command {
        KeyCommand::Show => show(site)?,
        KeyCommand::List { format } => list(site, *format)?,
        KeyCommand::Rotate => rotate(site)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn show(site: &Site) -> Result<(), CliError> {
    let ring = site.keys.ring();
    let certificate = ring.current().certificate();
    say!("wwwroot:     {}", site.wwwroot);
    say!("fingerprint: {} (SHA-256)", certificate.fingerprint());
    say!("expires:     {}", certificate.not_after());
    output::write(format_args!("{}", certificate.pem()))?;
    if let Err(error) = site.keys.check_site() {
        eprintln!("mnetd: {error}");
    }
    Ok(())
}

fn list(site: &Site, format: Format) -> Result<(), CliError> {
    let ring = site.keys.ring();
    let mut rows = vec![row("present", ring.current(), None)];
    let old = ring.old().iter();
    rows.extend(old.map(|old| row("old", &old.pair, Some(old.retired_at))));
    output::print(format, &COLUMNS, &rows)
}

fn row(state: &'static str, pair: &KeyPair, replaced: Option<UnixTime>) -> Row {
    let certificate = pair.certificate();
    Row {
        state,
        fingerprint: certificate.fingerprint().to_string(),
        valid_from: certificate.not_before().to_string(),
        expires: certificate.not_after().to_string(),
        replaced: replaced.map(|at| at.to_string()),
    }
}

fn rotate(site: &Site) -> Result<(), CliError> {
    let ring = site.keys.rotate(site.clock.now())?;
    let certificate = ring.current().certificate();
    say!("A new key pair is in force; a running server takes it up within a second.");
    say!("fingerprint: {} (SHA-256)", certificate.fingerprint());
    say!("expires:     {}", certificate.not_after());
    say!("Peers learn of it by themselves with their next call (fault 7025).");
    Ok(())
}
