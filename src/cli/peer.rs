//! `mnetd peer`: who we exchange calls with, and what each may do.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::CliError;
use super::output::{self, Format, printable, say};
use super::site::Site;
use crate::clock::UnixTime;
use crate::keys::{Certificate, Fingerprint};
use crate::peer::{
    Application, Dialect, Introduction, Peer, introduce, known_services, parse_network,
};
use crate::sso::session;
use crate::store::StoreError;
use crate::store::peers::{self, PeerService};
use crate::store::sessions::SessionFilter;
use crate::wwwroot::Wwwroot;
use crate::xmlrpc::Value;

#[derive(Debug, Subcommand)]
pub enum PeerCommand {
    /// Add a peer: fetch its name and certificate, show the fingerprint, ask, and keep it
    Add(AddArguments),
    /// List the peers
    List {
        /// How to print
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show everything known of a peer
    Show {
        /// Its wwwroot
        url: String,
    },
    /// Call a peer and say in words what came of it; follow its new key where it proves one
    Check {
        /// Its wwwroot
        url: String,
        /// Take the certificate the peer hands out now, if it has this fingerprint: for a site that lost
        /// its keys. Compare it with the site's administrator first
        #[arg(long, value_name = "FINGERPRINT")]
        accept_key: Option<Fingerprint>,
    },
    /// Say what a peer may do; with no option, show it
    Allow(AllowArguments),
    /// Let an address call in the clear, without sealing (for tests on one machine); with no address,
    /// list those that may
    ClearText {
        /// An address or network, such as 192.0.2.7 or 192.0.2.0/24
        address: Option<String>,
        /// Take the address off the list
        #[arg(long)]
        remove: bool,
    },
    /// Remove a peer: it may do nothing any more, what it sent stays in the register
    Remove {
        /// Its wwwroot
        url: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args, Debug)]
pub struct AddArguments {
    /// Its wwwroot: the address it calls itself by, such as https://moodle.example.org
    url: String,
    /// Which kind of site it is [default: found out]
    #[arg(long, value_parser = application)]
    application: Option<Application>,
    /// Take its certificate from this PEM file instead of asking the site for it
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

#[derive(Args, Debug)]
pub struct AllowArguments {
    /// Its wwwroot
    url: String,
    /// A service: register, sso_idp, sso_sp, mnet_enrol, …
    service: Option<String>,
    /// Let the peer call our methods of the service, or no longer
    #[arg(long, requires = "service", num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    publish: Option<bool>,
    /// Let us call the peer's methods of the service, or no longer
    #[arg(long, requires = "service", num_args = 0..=1, default_missing_value = "true", value_name = "true|false")]
    subscribe: Option<bool>,
    /// Take the peer's calls from this address or network only; may be repeated, “any” lifts it
    #[arg(long, value_name = "ADDRESS")]
    from: Vec<String>,
    /// How to write text beyond ASCII for it: utf8 (Moodle 4.1 and later), mahara, old-php (Moodle up to
    /// 4.0), or auto to find it out
    #[arg(long, value_name = "DIALECT")]
    dialect: Option<String>,
    /// Take unbound register calls from it again, until it sends a bound one
    #[arg(long)]
    unbound: bool,
    /// Take the name of a service that mnetd does not know
    #[arg(long, requires = "service")]
    force: bool,
}

fn application(word: &str) -> Result<Application, String> {
    Application::from_word(word).ok_or_else(|| "expected moodle or mahara".to_owned())
}

#[derive(Serialize)]
struct Row {
    wwwroot: String,
    name: String,
    application: &'static str,
    services: Vec<String>,
    certificate_expires: String,
    last_contact: Option<String>,
    clock_offset: Option<i64>,
    last_failure: Option<String>,
}

const COLUMNS: [&str; 6] = [
    "wwwroot",
    "name",
    "application",
    "services",
    "certificate_expires",
    "last_contact",
];

pub fn run(site: &Site, command: &PeerCommand) -> Result<ExitCode, CliError> {
    match command {
        PeerCommand::Add(arguments) => add(site, arguments)?,
        PeerCommand::List { format } => list(site, *format)?,
        PeerCommand::Show { url } => show(site, &site.peer(url)?)?,
        PeerCommand::Check { url, accept_key } => check(site, &site.peer(url)?, *accept_key)?,
        PeerCommand::Allow(arguments) => allow(site, arguments)?,
        PeerCommand::ClearText { address, remove } => {
            clear_text(site, address.as_deref(), *remove)?;
        }
        PeerCommand::Remove { url, yes } => remove(site, &site.peer(url)?, *yes)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(site: &Site, arguments: &AddArguments) -> Result<(), CliError> {
    let wwwroot = Wwwroot::parse(&arguments.url)?;
    if let Some(plain) = site_of_page(&wwwroot) {
        return Err(CliError::Page {
            page: wwwroot,
            plain,
        });
    }
    site.settle_name_without_server()?;
    if let Some(known) = site.find_peer(wwwroot.as_str())? {
        return Err(CliError::KnownPeer(known.wwwroot));
    }
    let certificate = match &arguments.certificate {
        None => None,
        Some(path) => Some(read_certificate(path)?),
    };
    let introduction = site.block_on(introduce(
        site.client.transport(),
        &site.wwwroot,
        site.keys.ring().current().certificate(),
        &wwwroot,
        arguments.application,
        certificate,
    ))?;
    show_introduction(&introduction)?;
    if !arguments.yes {
        confirm(
            "Compare the fingerprint with the one the other site's administrator reads out. Add this peer?",
        )?;
    }
    store(site, &introduction)?;
    say!("Added. It may call the service register, and its users may be vouched for (sso_idp).");
    let ours = &site.wwwroot;
    let there = match introduction.application {
        Application::Moodle => format!(
            "in Moodle, Site administration > Networking > Manage peers, add {ours} (application type mnetd where the plugins are installed, else moodle), and on its tab Services tick School register"
        ),
        Application::Mahara => format!(
            "in Mahara, Administration > Institutions > Settings of an institution, add the authentication plugin XML-RPC with the wwwroot {ours} and the application Moodle"
        ),
    };
    let doctor = site.hints.runnable(&format!("mnetd doctor {wwwroot}"));
    say!("Next: {there}; then: {doctor}");
    Ok(())
}

/// The address of the site, where a page of it was given, as copied from a browser: a file of PHP, or one of
/// the folders that Moodle's own menus lead to.
fn site_of_page(wwwroot: &Wwwroot) -> Option<String> {
    const FOLDERS: [&str; 5] = ["/admin", "/login", "/my", "/mnet", "/course"];
    let text = wwwroot.as_str();
    let is_file = text.ends_with(".php");
    let start = FOLDERS
        .iter()
        .filter_map(|folder| {
            let at = text.find(&format!("{folder}/"));
            at.or_else(|| text.ends_with(folder).then(|| text.len() - folder.len()))
        })
        // The host's name comes behind two slashes.
        .filter(|at| *at > 0 && !text[..*at].ends_with('/'))
        .min();
    match start {
        Some(at) => Some(text[..at].to_owned()),
        None if is_file => text.rsplit_once('/').map(|(site, _)| site.to_owned()),
        None => None,
    }
}

fn read_certificate(path: &PathBuf) -> Result<Certificate, CliError> {
    let text = std::fs::read_to_string(path).map_err(|source| CliError::File {
        option: "--certificate",
        path: path.clone(),
        source,
    })?;
    Certificate::parse(&text).map_err(|source| CliError::CertificateFile {
        path: path.clone(),
        source,
    })
}

fn show_introduction(introduction: &Introduction) -> Result<(), CliError> {
    say!("wwwroot:     {}", introduction.wwwroot);
    say!("name:        {}", printable(&introduction.name));
    say!("application: {}", introduction.application);
    say!(
        "fingerprint: {} (SHA-256)",
        introduction.certificate.fingerprint()
    );
    say!("expires:     {}", introduction.certificate.not_after());
    Ok(())
}

fn store(site: &Site, introduction: &Introduction) -> Result<(), CliError> {
    let introduction = introduction.clone();
    let now = site.clock.now();
    site.store
        .write_blocking(move |tx| -> Result<(), StoreError> {
            introduction.register(tx, now)?;
            let details = format!("fingerprint {}", introduction.certificate.fingerprint());
            let wwwroot = introduction.wwwroot.as_str();
            output::note_in(tx, "peer added", wwwroot, &details, now)
        })?;
    Ok(())
}

/// Asks a yes-or-no question on the terminal.
fn confirm(question: &str) -> Result<(), CliError> {
    if !io::stdin().is_terminal() {
        return Err(CliError::NobodyToAsk);
    }
    print!("{question} [y/N] ");
    io::stdout().flush().map_err(CliError::Output)?;
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(CliError::Output)?;
    if answer.trim().eq_ignore_ascii_case("y") || answer.trim().eq_ignore_ascii_case("yes") {
        Ok(())
    } else {
        Err(CliError::Declined)
    }
}

fn list(site: &Site, format: Format) -> Result<(), CliError> {
    let rows: Vec<Row> = site
        .store
        .read_blocking(Peer::all)?
        .iter()
        .map(|peer| row(site, peer))
        .collect::<Result<_, _>>()?;
    output::print(format, &COLUMNS, &rows)
}

fn row(site: &Site, peer: &Peer) -> Result<Row, CliError> {
    let stored = site.peer_row(peer)?;
    Ok(Row {
        wwwroot: peer.wwwroot.to_string(),
        name: peer.name.clone(),
        application: peer.application.as_str(),
        services: peer.rights.iter().map(in_words).collect(),
        certificate_expires: peer.certificate.not_after().to_string(),
        last_contact: stored.last_contact_at.map(|at| at.to_string()),
        clock_offset: stored.clock_offset,
        last_failure: unmended_failure(&stored).map(|(_, text)| text.to_owned()),
    })
}

/// The last call to the peer that failed, if none has held since: a failure that is mended helps nobody. In
/// the same second the failure counts, for a fault is a contact as well.
fn unmended_failure(stored: &peers::Peer) -> Option<(UnixTime, &str)> {
    let at = stored.last_fault_at?;
    let text = stored.last_fault_text.as_deref()?;
    (!is_mended(at, stored.last_contact_at)).then_some((at, text))
}

fn is_mended(failure: UnixTime, last_contact: Option<UnixTime>) -> bool {
    last_contact.is_some_and(|contact| contact > failure)
}

fn in_words(right: &PeerService) -> String {
    let directions = match (right.publish, right.subscribe) {
        (true, true) => "published, subscribed",
        (true, false) => "published",
        (false, true) => "subscribed",
        (false, false) => "off",
    };
    format!("{} ({directions})", right.service)
}

fn show(site: &Site, peer: &Peer) -> Result<(), CliError> {
    let stored = site.peer_row(peer)?;
    let or_never =
        |at: Option<UnixTime>| at.map_or_else(|| "never".to_owned(), |at| at.to_string());
    say!("wwwroot:      {}", peer.wwwroot);
    say!("name:         {}", printable(&peer.name));
    say!("application:  {}", peer.application);
    say!("fingerprint:  {} (SHA-256)", peer.certificate.fingerprint());
    say!("expires:      {}", peer.certificate.not_after());
    for right in &peer.rights {
        say!("service:      {}", in_words(right));
    }
    let fixed = if peer.dialect_fixed {
        "set by hand"
    } else {
        "found out"
    };
    say!("text dialect: {} ({fixed})", peer.dialect);
    let binding = if peer.binding_required {
        "required"
    } else {
        "not required"
    };
    say!("binding:      {binding}");
    for network in &peer.source_addresses {
        say!("calls from:   {network}");
    }
    say!("last contact: {}", or_never(stored.last_contact_at));
    if let Some(offset) = stored.clock_offset {
        say!("its clock:    {offset:+} s against ours");
    }
    if let Some((at, text)) = unmended_failure(&stored) {
        say!("last failure: {at}: {}", printable(text));
    }
    Ok(())
}

fn check(site: &Site, peer: &Peer, accept_key: Option<Fingerprint>) -> Result<(), CliError> {
    if let Some(fingerprint) = accept_key {
        accept(site, peer, fingerprint)?;
        say!("The certificate with that fingerprint is stored.");
    }
    let peer = site.peer(peer.wwwroot.as_str())?;
    let call = site.client.call(&peer, "system/listServices", Vec::new());
    let services = site.block_on(call)?;
    say!(
        "{} answers signed and sealed; its signature is the one stored here.",
        peer.wwwroot
    );
    for service in services.to_list().unwrap_or_default() {
        let text = |name| {
            service
                .get(name)
                .and_then(Value::to_text)
                .unwrap_or_default()
        };
        say!(
            "there: {} (published to us: {}, subscribed: {})",
            printable(&text("name")),
            yes_or_no(&text("publish")),
            yes_or_no(&text("subscribe"))
        );
    }
    // The clock's offset is noted behind the call.
    site.block_on(site.store.flush())?;
    show(site, &site.peer(peer.wwwroot.as_str())?)
}

fn accept(site: &Site, peer: &Peer, fingerprint: Fingerprint) -> Result<(), CliError> {
    let offered = site.block_on(site.client.compared_certificate(peer, fingerprint))?;
    site.block_on(site.client.adopt(peer, offered))?;
    let details = format!("fingerprint {fingerprint}");
    output::note(site, "peer key accepted", peer.wwwroot.as_str(), &details)
}

fn yes_or_no(flag: &str) -> &'static str {
    if flag == "1" { "yes" } else { "no" }
}

fn allow(site: &Site, arguments: &AllowArguments) -> Result<(), CliError> {
    let peer = site.peer(&arguments.url)?;
    if let Some(service) = arguments.service.as_deref().filter(|_| !arguments.force) {
        check_service(&peer, service)?;
    }
    let networks = networks(&arguments.from)?;
    let dialect = dialect(&peer, arguments.dialect.as_deref())?;
    let right = arguments
        .service
        .as_deref()
        .filter(|_| arguments.publish.is_some() || arguments.subscribe.is_some())
        .map(|service| PeerService {
            service: service.to_owned(),
            publish: arguments.publish.unwrap_or(peer.may_call(service)),
            subscribe: arguments.subscribe.unwrap_or(peer.we_may_call(service)),
        });
    let (id, unbound, now) = (peer.id, arguments.unbound, site.clock.now());
    let wwwroot = peer.wwwroot.to_string();
    site.store
        .write_blocking(move |tx| -> Result<(), StoreError> {
            let note =
                |action: &str, details: &str| output::note_in(tx, action, &wwwroot, details, now);
            if let Some(right) = right {
                peers::set_service(tx, id, &right)?;
                session::end_those_without_right(tx, &SessionFilter::of_peer(id), now)?;
                note("peer services set", &in_words(&right))?;
            }
            if let Some(networks) = networks {
                peers::set_source_addresses(tx, id, &networks)?;
                let from = match networks.as_slice() {
                    [] => "any".to_owned(),
                    networks => networks.join(", "),
                };
                note("peer source addresses set", &from)?;
            }
            if let Some((dialect, fixed)) = dialect {
                peers::choose_dialect(tx, id, dialect, fixed)?;
                let how = if fixed { "by hand" } else { "to be found out" };
                note("peer text dialect set", &format!("{dialect}, {how}"))?;
            }
            if unbound {
                peers::set_binding_required(tx, id, false)?;
                note("peer binding lifted", "")?;
            }
            Ok(())
        })?;
    show(site, &site.peer(&arguments.url)?)
}

/// Refuses a name that is most likely misspelt. What the peer has a right to already can be changed.
fn check_service(peer: &Peer, service: &str) -> Result<(), CliError> {
    let is_known = known_services().contains(&service)
        || peer.rights.iter().any(|right| right.service == service);
    if is_known {
        return Ok(());
    }
    Err(CliError::UnknownService {
        service: service.to_owned(),
        peer: peer.wwwroot.clone(),
    })
}

/// The networks named by `--from`; `None` where none is, an empty list for “any”.
fn networks(given: &[String]) -> Result<Option<Vec<String>>, CliError> {
    if given.is_empty() {
        return Ok(None);
    }
    if given.iter().any(|text| text == "any") {
        return Ok(Some(Vec::new()));
    }
    let parsed = given
        .iter()
        .map(|text| parse_network(text).map(|network| network.to_string()))
        .collect::<Result<_, _>>()?;
    Ok(Some(parsed))
}

fn dialect(peer: &Peer, word: Option<&str>) -> Result<Option<(Dialect, bool)>, CliError> {
    let Some(word) = word else {
        return Ok(None);
    };
    let chosen = peer.chosen_dialect(word);
    chosen
        .map(Some)
        .ok_or_else(|| CliError::Dialect(word.to_owned()))
}

fn clear_text(site: &Site, address: Option<&str>, remove: bool) -> Result<(), CliError> {
    if let Some(address) = address {
        let network = parse_network(address)?.to_string();
        let now = site.clock.now();
        site.store
            .write_blocking(move |tx| -> Result<(), StoreError> {
                peers::set_clear_text_address(tx, &network, !remove)?;
                let action = if remove {
                    "calls in the clear refused"
                } else {
                    "calls in the clear allowed"
                };
                output::note_in(tx, action, &network, "", now)
            })?;
    }
    let all = site.store.read_blocking(peers::clear_text_addresses)?;
    if all.is_empty() {
        say!("No address may call in the clear.");
    }
    for network in all {
        say!("{network}");
    }
    Ok(())
}

fn remove(site: &Site, peer: &Peer, yes: bool) -> Result<(), CliError> {
    if !yes {
        confirm(&format!("Remove {}?", peer.wwwroot))?;
    }
    let (id, now) = (peer.id, site.clock.now());
    let wwwroot = peer.wwwroot.to_string();
    site.store
        .write_blocking(move |tx| -> Result<(), StoreError> {
            peers::remove(tx, id, now)?;
            session::end_those_without_right(tx, &SessionFilter::of_peer(id), now)?;
            output::note_in(tx, "peer removed", &wwwroot, "", now)
        })?;
    say!(
        "{} is no longer a peer. What it sent stays in the register.",
        peer.wwwroot
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_site_is_told_from_the_site() {
        for (given, plain) in [
            ("https://m.example/admin", Some("https://m.example")),
            (
                "https://m.example/school/admin/mnet/peers.php",
                Some("https://m.example/school"),
            ),
            (
                "https://m.example/login/index.php",
                Some("https://m.example"),
            ),
            ("https://m.example/index.php", Some("https://m.example")),
            ("https://m.example/my/", Some("https://m.example")),
            ("https://m.example", None),
            ("https://m.example/moodle", None),
            ("https://admin", None),
            ("https://login/moodle", None),
            ("https://m.example/administration", None),
        ] {
            let found = site_of_page(&Wwwroot::parse(given).unwrap());
            assert_eq!(found.as_deref(), plain, "{given}");
        }
    }

    #[test]
    fn a_failure_is_told_until_a_call_holds() {
        let is_mended = |contact: Option<i64>| is_mended(UnixTime(10), contact.map(UnixTime));
        assert!(!is_mended(None));
        assert!(!is_mended(Some(9)));
        assert!(!is_mended(Some(10)));
        assert!(is_mended(Some(11)));
    }
}
