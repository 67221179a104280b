//! `mnetd key`: the key pairs this site is recognised by.

use std::process::ExitCode;
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::CliError;
use super::output::{self, Format, say};
use super::site::Site;
use crate::clock::UnixTime;
use crate::keys::{Certificate, KeyPair, KeyStoreError};

/// How long a rotation waits for the running server, which looks at its keys every second.
const TAKE_UP_WAIT: Duration = Duration::from_secs(3);

/// How often it looks meanwhile.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

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
    /// Make a new key pair; the present one is kept, so that peers can be told. With another --wwwroot
    /// than before, the site goes by that name from then on (the server has to be stopped)
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
    if let Err(KeyStoreError::OtherSite { .. }) = site.keys.check_site() {
        return rename(site);
    }
    let ring = site.keys.rotate(site.clock.now())?;
    let certificate = ring.current().certificate();
    note(site, certificate)?;
    say!("A new key pair is in force.");
    say!("fingerprint: {} (SHA-256)", certificate.fingerprint());
    say!("expires:     {}", certificate.not_after());
    if site.block_on(is_taken_up(site, certificate)) {
        say!("The running server has taken it up.");
    } else {
        say!("A server that is running takes it up within a second.");
    }
    say!("Peers learn of it by themselves with their next call (fault 7025).");
    Ok(())
}

/// The present keys bear another name than the one given: the site moves to that name.
fn rename(site: &Site) -> Result<(), CliError> {
    site.take_new_name()?;
    let ring = site.keys.ring();
    let certificate = ring.current().certificate();
    note(site, certificate)?;
    let wwwroot = &site.wwwroot;
    say!(
        "A new key pair is in force, made out for {wwwroot}, and that is this site's name from now on."
    );
    say!("fingerprint: {} (SHA-256)", certificate.fingerprint());
    say!("expires:     {}", certificate.not_after());
    say!(
        "Next: 1. where mnetd.toml, MNETD_WWWROOT or the service's unit has the old wwwroot, write the new one"
    );
    say!(
        "      2. start the server: {}",
        site.hints.runnable("mnetd serve")
    );
    say!(
        "      3. let the administrator of every peer delete the old entry of this site and add {wwwroot}"
    );
    Ok(())
}

fn note(site: &Site, certificate: &Certificate) -> Result<(), CliError> {
    let fingerprint = certificate.fingerprint();
    let details = format!("the new fingerprint is {fingerprint}, for {}", site.wwwroot);
    output::note(site, "key rotated", "this site", &details)
}

/// Waits until the running server hands the certificate out; whether it does. A peer that is called
/// before asks the server about the signature it does not know, and is shown the old key.
async fn is_taken_up(site: &Site, certificate: &Certificate) -> bool {
    let url = site.wwwroot.join("/mnet/publickey.php");
    let look = async {
        // An error means that no server is running, or none that is to be reached from here.
        while let Ok(body) = site.client.transport().get(&url).await {
            if String::from_utf8_lossy(&body).trim() == certificate.pem().trim() {
                return true;
            }
            sleep(LOOK_AGAIN).await;
        }
        false
    };
    timeout(TAKE_UP_WAIT, look).await.unwrap_or(false)
}
