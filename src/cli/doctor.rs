//! `mnetd doctor`: finds and explains what really goes wrong with MNet.

use std::process::ExitCode;

use clap::Args;
use serde::Serialize;

use super::CliError;
use super::output::{self, Format};
use super::site::Site;
use crate::config::Config;
use crate::keys::Certificate;
use crate::peer::services::{
    Half, MissingBox, SSO_IDP, SSO_SP, ServiceThere, Side, lists_what_is_agreed, missing_boxes,
};
use crate::peer::{CallError, FAULT_CANNOT_OPEN, Peer, TransportError, known_services};
use crate::rpc::CATALOGUE;
use crate::store::syncs::{self, RunState};
use crate::sync::Report;
use crate::xmlrpc::Value;

#[derive(Args, Debug)]
pub struct DoctorArguments {
    /// A peer's wwwroot [default: every peer]
    peer: Option<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Note,
    Problem,
}

/// One thing looked at.
#[derive(Debug, Serialize)]
struct Finding {
    about: String,
    verdict: Verdict,
    finding: String,
}

const COLUMNS: [&str; 3] = ["verdict", "about", "finding"];

/// Clocks further apart than this are told: at 15 s peers begin to refuse each other.
const CLOCK_NOTE: u64 = 5;

/// Certificates that expire within this many days are told.
const EXPIRY_NOTE_DAYS: i64 = 3;

/// Synchronisations that are looked at.
const SYNCS_LOOKED_AT: u32 = 50;

/// A last synchronisation older than so many intervals is told.
const SYNC_INTERVALS: i64 = 3;

struct Examination<'a> {
    site: &'a Site,
    config: &'a Config,
    findings: Vec<Finding>,
}

pub fn run(
    site: &Site,
    config: &Config,
    arguments: &DoctorArguments,
) -> Result<ExitCode, CliError> {
    let peers = match &arguments.peer {
        Some(url) => vec![site.peer(url)?],
        None => site.store.read_blocking(Peer::all)?,
    };
    let mut examination = Examination {
        site,
        config,
        findings: Vec::new(),
    };
    examination.ourselves();
    for peer in &peers {
        examination.peer(peer)?;
        examination.synchronisation(peer)?;
    }
    if peers.is_empty() {
        examination.add(
            "peers",
            Verdict::Note,
            "no peer is registered yet; add one with: mnetd peer add https://YOUR-MOODLE",
        );
    }
    output::print(arguments.format, &COLUMNS, &examination.findings)?;
    let is_well = examination
        .findings
        .iter()
        .all(|finding| finding.verdict != Verdict::Problem);
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

impl Examination<'_> {
    fn add(&mut self, about: &str, verdict: Verdict, finding: impl Into<String>) {
        self.findings.push(Finding {
            about: about.to_owned(),
            verdict,
            finding: self.site.hints.runnable(&finding.into()),
        });
    }

    /// [`Examination::add`] for what another machine said: a command in it is meant for that machine.
    fn add_their_words(&mut self, about: &str, verdict: Verdict, finding: String) {
        self.findings.push(Finding {
            about: about.to_owned(),
            verdict,
            finding,
        });
    }

    fn ourselves(&mut self) {
        let wwwroot = self.site.wwwroot.to_string();
        match self.site.keys.check_site() {
            Ok(()) => self.add(
                "this site",
                Verdict::Ok,
                format!("the certificate is made out for {wwwroot}"),
            ),
            Err(error) => self.add("this site", Verdict::Problem, error.to_string()),
        }
        let ring = self.site.keys.ring();
        self.expiry(
            "this site",
            ring.current().certificate(),
            "the server rotates it by itself; is it running?",
        );
        if !self.site.wwwroot.is_https() && !self.config.listen.ip().is_loopback() {
            self.add(
                "this site",
                Verdict::Note,
                "the wwwroot is plain http: put the server behind a reverse proxy with https",
            );
        }
        self.own_address();
    }

    /// Whether our own address leads to us: peers call back at it.
    fn own_address(&mut self) {
        let url = self.site.wwwroot.join("/mnet/publickey.php");
        let fetched = self.site.block_on(self.site.client.transport().get(&url));
        let ours = self.site.keys.ring();
        let certificate = ours.current().certificate();
        match fetched {
            Ok(body) if String::from_utf8_lossy(&body).trim() == certificate.pem().trim() => self
                .add(
                    "this site",
                    Verdict::Ok,
                    format!("{url} leads to this server"),
                ),
            Ok(_) => self.add(
                "this site",
                Verdict::Problem,
                format!("{url} is answered, but with another certificate: another site, or another data directory, stands at this address"),
            ),
            Err(error) => self.add(
                "this site",
                Verdict::Problem,
                format!("{error}. If the server is not running, start it with: mnetd serve"),
            ),
        }
    }

    fn expiry(&mut self, about: &str, certificate: &Certificate, what_to_do: &str) {
        let now = self.site.clock.now();
        let days = certificate.not_after().since(now).div_euclid(86_400);
        let until = certificate.not_after();
        if days < 0 {
            self.add(
                about,
                Verdict::Problem,
                format!("the certificate expired at {until}; {what_to_do}"),
            );
        } else if days <= EXPIRY_NOTE_DAYS {
            self.add(
                about,
                Verdict::Note,
                format!("the certificate expires at {until}; {what_to_do}"),
            );
        } else {
            self.add(
                about,
                Verdict::Ok,
                format!("the certificate holds until {until}"),
            );
        }
    }

    fn peer(&mut self, peer: &Peer) -> Result<(), CliError> {
        let about = peer.wwwroot.to_string();
        if !self.home_page(&about, peer) {
            return Ok(());
        }
        let Some(key_is_known) = self.offered_certificate(&about, peer) else {
            return Ok(());
        };
        let call = self
            .site
            .client
            .call(peer, "system/listServices", Vec::new());
        match self.site.block_on(call) {
            Ok(services) => {
                let known = self.site.peer(&about)?.certificate;
                let finding = if known == peer.certificate {
                    "a signed and sealed call was answered, signed with the key known here"
                        .to_owned()
                } else {
                    format!(
                        "the peer had a new key, proved it with the old one, and it was taken up ({})",
                        known.fingerprint()
                    )
                };
                self.add(&about, Verdict::Ok, finding);
                self.services(&about, peer, &services);
            }
            Err(error) => {
                self.failed_call(&about, key_is_known, &error);
                // Nothing was learnt of its certificate and clock today.
                return Ok(());
            }
        }
        self.site.block_on(self.site.store.flush())?;
        let peer = self.site.peer(&about)?;
        self.expiry(
            &about,
            &peer.certificate,
            &format!("a Moodle makes a new one with the next request it gets; open its home page, then run: mnetd peer check {about}"),
        );
        self.clock(&about, &peer)
    }

    /// What became of the last synchronisation, where there ever was one.
    fn synchronisation(&mut self, peer: &Peer) -> Result<(), CliError> {
        let (id, about) = (peer.id, peer.wwwroot.as_str());
        let runs = self
            .site
            .store
            .read_blocking(|tx| syncs::latest(tx, id, SYNCS_LOOKED_AT))?;
        let whole = || runs.iter().filter(|run| run.section.is_none());
        let Some(last) = whole().find(|run| run.state != RunState::Running) else {
            return Ok(());
        };
        let now = self.site.clock.now();
        let went_well = whole().find(|run| run.state == RunState::Done);
        if last.state != RunState::Done {
            let when = last.finished_at.unwrap_or(last.started_at);
            let why = last.error.as_deref().unwrap_or("its process ended");
            let finding = format!(
                "the last synchronisation ended at {when}, {}: {why}. Try it by hand: mnetd sync {about}",
                last.state
            );
            self.add(about, Verdict::Problem, finding);
        } else if !Report::from_json(&last.report).is_whole() {
            let finding = format!(
                "the synchronisation of {} refused rows, or kept what is gone there; see which: mnetd sync {about} --dry-run",
                last.started_at
            );
            self.add(about, Verdict::Note, finding);
        }
        let (Some(done), Some(every)) = (went_well, self.config.sync_every) else {
            return Ok(());
        };
        let age = now.since(done.started_at);
        let every = i64::try_from(every.as_secs()).unwrap_or(i64::MAX);
        if age > every.saturating_mul(SYNC_INTERVALS) {
            self.add(
                about,
                Verdict::Problem,
                format!("it was last synchronised at {}, more than {SYNC_INTERVALS} intervals ago: the server does it by itself; is it running?", done.started_at),
            );
        } else if last.state == RunState::Done {
            self.add(
                about,
                Verdict::Ok,
                format!("it was synchronised at {}", done.started_at),
            );
        }
        Ok(())
    }

    /// Returns whether the site can be reached at all.
    fn home_page(&mut self, about: &str, peer: &Peer) -> bool {
        let page = self
            .site
            .block_on(self.site.client.transport().get(&peer.wwwroot.join("/")));
        match page {
            Ok(_) => self.add(about, Verdict::Ok, "the home page answers"),
            Err(error @ TransportError::Redirected { .. }) => self.add(
                about,
                Verdict::Problem,
                format!("{error}. A wwwroot that differs in http/https, “www.” or a path is another site to MNet"),
            ),
            // The site is there, and its home page is not what calls go to.
            Err(error @ TransportError::Status { .. }) => {
                self.add(about, Verdict::Note, error.to_string());
            }
            Err(error) => {
                self.add(about, Verdict::Problem, error.to_string());
                return false;
            }
        }
        true
    }

    /// Compares the certificate the peer hands out with the one stored. Returns whether they agree
    /// (what it means where they do not, the sealed call shows), or `None` where no call is worth a try.
    fn offered_certificate(&mut self, about: &str, peer: &Peer) -> Option<bool> {
        let offered = match self
            .site
            .block_on(self.site.client.offered_certificate(peer))
        {
            Ok(offered) => offered,
            Err(error) => {
                self.add(
                    about,
                    Verdict::Problem,
                    format!("the peer hands out no certificate: {error}"),
                );
                // A call would go to the same address.
                return None;
            }
        };
        if let Err(mismatch) = offered.matches(&peer.wwwroot) {
            self.add(about, Verdict::Problem, mismatch.to_string());
            return None;
        }
        if offered == peer.certificate {
            self.add(
                about,
                Verdict::Ok,
                format!(
                    "the certificate is the one known here ({})",
                    offered.fingerprint()
                ),
            );
            return Some(true);
        }
        Some(false)
    }

    fn failed_call(&mut self, about: &str, key_is_known: bool, error: &CallError) {
        let more = match error {
            CallError::Empty(_) | CallError::NotMnet { .. } if key_is_known => {
                ". It answers in the clear but not sealed, so it is the sealing that fails there: almost surely PHP's OpenSSL 3 without RC4"
            }
            CallError::Fault {
                code: FAULT_CANNOT_OPEN,
                ..
            } if key_is_known => {
                ". The key it hands out is the one known here, so almost surely that is it"
            }
            _ => "",
        };
        let finding = format!("{error}{more}");
        match error {
            CallError::Fault { .. } => self.add_their_words(about, Verdict::Problem, finding),
            _ => self.add(about, Verdict::Problem, finding),
        }
    }

    /// Compares what the peer says of each service with what is allowed here: both sides must agree.
    fn services(&mut self, about: &str, peer: &Peer, answer: &Value) {
        if !lists_what_is_agreed(peer.application) {
            return;
        }
        let there = ServiceThere::read_all(answer);
        let is_ours = |name: &str| CATALOGUE.iter().any(|service| service.name == name);
        for missing in missing_boxes(peer, &there, is_ours) {
            self.add(about, Verdict::Note, in_words(about, &missing));
        }
        let ticked = |name: &str| there.iter().find(|service| service.name == name);
        let publishes_idp = ticked(SSO_IDP).is_some_and(|service| service.publish);
        let subscribes_sp = ticked(SSO_SP).is_some_and(|service| service.subscribe);
        if publishes_idp != subscribes_sp {
            let missing = if publishes_idp {
                "Subscribe under SSO (Service Provider)"
            } else {
                "Publish under SSO (Identity Provider)"
            };
            self.add(about, Verdict::Problem, format!("only one half of single sign-on is ticked there. For its users to come here, tick also: {missing} (Moodle: Networking > Manage peers > this site > Services)"));
        }
    }

    fn clock(&mut self, about: &str, peer: &Peer) -> Result<(), CliError> {
        let Some(offset) = self.site.peer_row(peer)?.clock_offset else {
            return Ok(());
        };
        if offset.unsigned_abs() > CLOCK_NOTE {
            let allowed = self.config.max_ahead;
            let verdict = if offset.unsigned_abs() > allowed.unsigned_abs() {
                Verdict::Problem
            } else {
                Verdict::Note
            };
            self.add(about, verdict, format!("its clock is {offset:+} s against ours; beyond {allowed} s messages are refused. Set the clocks of both servers by NTP"));
        } else {
            self.add(
                about,
                Verdict::Ok,
                format!("its clock agrees with ours ({offset:+} s)"),
            );
        }
        Ok(())
    }
}

/// What a missing box means, and what to do.
fn in_words(about: &str, missing: &MissingBox) -> String {
    let name = &missing.service;
    match (missing.side, missing.half) {
        (Side::There, Half::Publish) => format!(
            "we subscribe to {name}, but the peer does not publish it to us: tick it there (Moodle: Networking > Manage peers > this site > Services) if it is to be used"
        ),
        (Side::There, Half::Subscribe) => format!(
            "we publish {name}, but the peer does not subscribe to it: tick it there, or install the plugin that brings it"
        ),
        (Side::Here, Half::Publish) => format!(
            "the peer subscribes to {name}, which we do not publish to it; allow it with: mnetd peer allow {about} {name} --publish"
        ),
        (Side::Here, Half::Subscribe) => format!(
            "the peer publishes {name}, to which we do not subscribe; if it is to be used, allow it with: mnetd peer allow {about} {name} --subscribe{}",
            force(name)
        ),
    }
}

/// What `mnetd peer allow` wants besides for a service it does not know.
fn force(service: &str) -> &'static str {
    if known_services().contains(&service) {
        ""
    } else {
        " --force"
    }
}
