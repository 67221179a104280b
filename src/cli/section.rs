//! `mnetd section`: sections that are offered to peers.

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::CliError;
use super::output::{self, printable, say};
use super::site::Site;
use crate::register::remote::SERVICE;
use crate::store::audit::{self, Deed};
use crate::store::{SectionId, StoreError, WriteTx, offers, sections};

#[derive(Debug, Subcommand)]
pub enum SectionCommand {
    /// Let a peer enrol its users in a section, or no longer
    Offer(OfferArguments),
}

#[derive(Args, Debug)]
pub struct OfferArguments {
    /// The id of the section, as mnetd register sections shows it
    #[arg(value_name = "SECTIONID")]
    section: i64,
    /// The peer's wwwroot
    #[arg(long, value_name = "URL")]
    peer: String,
    /// Offer it no longer; who was enrolled stays so
    #[arg(long)]
    stop: bool,
}

pub fn run(site: &Site, command: &SectionCommand) -> Result<ExitCode, CliError> {
    match command {
        SectionCommand::Offer(arguments) => offer(site, arguments)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn offer(site: &Site, arguments: &OfferArguments) -> Result<(), CliError> {
    let peer = site.peer(&arguments.peer)?;
    let section = SectionId(arguments.section);
    let stored = site
        .store
        .read_blocking(|tx| -> Result<_, StoreError> { sections::get(tx, section) })?
        .filter(|row| arguments.stop || row.removed_at.is_none())
        .ok_or(CliError::UnknownSection(section))?;
    let name = printable(&stored.fields.name);
    let (stop, now, by) = (arguments.stop, site.clock.now(), output::actor());
    let (id, wwwroot) = (peer.id, peer.wwwroot.to_string());
    let object = format!("{} (section {section})", stored.fields.name);
    let changed =
        site.store
            .write_blocking(move |tx: &WriteTx<'_>| -> Result<bool, StoreError> {
                let (changed, action) = if stop {
                    (offers::stop(tx, section, id)?, "section offer stopped")
                } else {
                    (offers::offer(tx, section, id, now)?, "section offered")
                };
                if changed {
                    let deed = Deed {
                        action,
                        object: &object,
                        details: &format!("to {wwwroot}"),
                    };
                    audit::note(tx, &by, &deed, now)?;
                }
                Ok(changed)
            })?;
    let wwwroot = &peer.wwwroot;
    match (stop, changed) {
        (false, true) => say!("“{name}” is offered to {wwwroot} as course {section}."),
        (false, false) => say!("“{name}” was offered to {wwwroot} already, as course {section}."),
        (true, true) => say!("“{name}” is no longer offered to {wwwroot}."),
        (true, false) => say!("“{name}” was not offered to {wwwroot}."),
    }
    if !stop && !peer.may_call(SERVICE.name) {
        say!(
            "Remote enrolment is not published to {wwwroot} yet: mnetd peer allow {wwwroot} {} --publish",
            SERVICE.name
        );
    }
    Ok(())
}
