//! The command line: one file a subcommand.
//!
//! Exit codes: 0 done, 1 failed, 2 used wrongly (clap's own, and configuration that cannot be used).

// The doc comments of arguments are the help texts people read in a terminal: no backticks, no links.
#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes)]

mod activity;
mod admin;
mod backup;
mod call;
mod data;
mod demo;
mod doctor;
mod enrol;
mod hint;
mod import;
mod import_grades;
mod key;
mod log;
mod output;
mod peer;
mod register;
mod report;
mod section;
mod serve;
mod session;
mod signin;
mod site;
mod sync;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use thiserror::Error;

use data::DataError;
use hint::Hints;
use site::Site;

use crate::config::{Config, ConfigError, Overrides};
use crate::demo::DemoError;
use crate::enrol::EnrolError;
use crate::envelope::SealError;
use crate::ims::ImportError;
use crate::keys::{CertificateError, KeyStoreError};
use crate::peer::{
    AcceptError, CallError, IntroductionError, NotANetwork, PeerError, TransportError,
    known_services,
};
use crate::register::RegisterError;
use crate::register::spreadsheet::SpreadsheetError;
use crate::reports::ReportError;
use crate::rpc::ServeError;
use crate::sso::AccountError;
use crate::store::{SectionId, StoreError};
use crate::sync::SyncError;
use crate::workers::NoThreads;
use crate::wwwroot::{Wwwroot, WwwrootError};

/// Threads that wait for connections; the RSA work has its own, one a core.
const ASYNC_THREADS: usize = 2;

/// A peer for Moodle's MNet, and the school register behind it.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// The configuration file [default: mnetd.toml, if it is there]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        help_heading = "Options of every command"
    )]
    config: Option<PathBuf>,

    #[command(flatten)]
    overrides: Overrides,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer peers until told to stop
    Serve,
    /// Show, list or rotate the key pairs of this site
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Add, list, check, allow or remove peers
    #[command(subcommand)]
    Peer(peer::PeerCommand),
    /// Call a method of a peer, signed and sealed, and print the reply as JSON
    Call(call::CallArguments),
    /// Make, list or disable accounts of this site
    #[command(subcommand)]
    Admin(admin::AdminCommand),
    /// Say who of those that peers vouch for may sign in
    #[command(subcommand)]
    Signin(signin::SigninCommand),
    /// List or end sessions of browsers
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// List what stands in the register
    #[command(subcommand)]
    Register(register::RegisterCommand),
    /// Take a file of another system into the register, or see what that would change
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Offer sections to peers, whose users may then be enrolled in them from there
    #[command(subcommand)]
    Section(section::SectionCommand),
    /// Enrol accounts of this site in courses of peers
    #[command(subcommand)]
    Enrol(enrol::EnrolCommand),
    /// List the calls between this site and others, the latest first
    Activity(activity::ActivityArguments),
    /// Give a progress report, a transcript or a class list
    #[command(subcommand)]
    Report(report::ReportCommand),
    /// Copy the register and the keys into a new directory, while the server runs
    Backup(backup::BackupArguments),
    /// Fill the register with a made-up school, to try things out
    Demo(demo::DemoArguments),
    /// Ask a peer for everything it has, and make the register agree
    Sync(sync::SyncArguments),
    /// Find and explain what is wrong between this site and its peers
    Doctor(doctor::DoctorArguments),
}

/// Why a command failed, in words for whoever typed it.
#[derive(Debug, Error)]
pub enum CliError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
    /// Making up a school.
    #[error(transparent)]
    Demo(#[from] DemoError),
    /// A stored peer.
    #[error(transparent)]
    Peer(#[from] PeerError),
    /// A call to a peer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Meeting a peer.
    #[error(transparent)]
    Introduction(#[from] IntroductionError),
    /// HTTP to a peer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An envelope that could not be made.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// An account.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// Serving.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// A file that was named.
    #[error("{option}: {path} cannot be read: {source}")]
    File {
        /// By which option.
        option: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address to listen at.
    #[error("{option}: cannot listen at {address}: {source}. {hint}", hint = listen_hint(.source, *.address))]
    Listen {
        /// By which option.
        option: &'static str,
        /// Which.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A listening address that stands for every one, where this site needs a name.
    #[error(
        "{0} is no name that peers could reach this site by: give the address it is to be known by, such as --wwwroot https://register.example.org"
    )]
    NoName(IpAddr),
    /// The log filter.
    #[error(
        "--log: “{0}” is no log filter; expected a level (error, warn, info, debug, trace or off), or parts with a level each, such as info,mnetd::call=warn"
    )]
    LogFilter(String),
    /// An address that was typed.
    #[error(transparent)]
    Wwwroot(#[from] WwwrootError),
    /// A network that was typed.
    #[error(transparent)]
    Network(#[from] NotANetwork),
    /// A dialect that was typed.
    #[error("“{0}” is no text dialect; expected utf8, mahara, old-php or auto")]
    Dialect(String),
    /// A parameter that is no JSON.
    #[error(
        "the parameter {text} cannot be sent: {reason}. Expected JSON; a text needs its quotes, and the shell its own around them: '\"text\"'"
    )]
    Parameter {
        /// As typed.
        text: String,
        /// What is wrong.
        reason: String,
    },
    /// A certificate file that holds none.
    #[error("--certificate: {path}: {source}")]
    CertificateFile {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: CertificateError,
    },
    /// A peer that is not there.
    #[error("{0} is not a registered peer; mnetd peer list shows those that are")]
    UnknownPeer(String),
    /// A page where a site was expected.
    #[error(
        "{page} looks like a page of a site; expected the plain address that the site calls itself by: {plain}"
    )]
    Page {
        /// As typed.
        page: Wwwroot,
        /// What was meant, most likely.
        plain: String,
    },
    /// A service that nobody knows.
    #[error(
        "there is no service {service}; expected one of {known}. Where it is a plugin's own: mnetd peer allow {peer} {service} --force …", known = known_services().join(", ")
    )]
    UnknownService {
        /// As typed.
        service: String,
        /// For which peer.
        peer: Wwwroot,
    },
    /// A backup over something else.
    #[error(
        "{0} is not empty; a backup goes into a directory of its own, which is made where it is not there. Nothing was written"
    )]
    BackupNotEmpty(PathBuf),
    /// A directory for a backup that cannot be made.
    #[error(
        "the backup {path} could not be written: {source}. Its parent directory has to be there, and writable for the user mnetd runs as"
    )]
    Backup {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// New keys for another name, while a server runs under the old one.
    #[error(
        "a server is running here, and these keys would be made for another wwwroot than its own: if this site is to go by {0} from now on, stop the server, run this again, and start it anew; if not, leave --wwwroot out"
    )]
    RenameBesideServer(Wwwroot),
    /// A peer that is there already.
    #[error(
        "{0} is a peer already; mnetd peer show {0} shows it, mnetd peer check {0} follows its new key"
    )]
    KnownPeer(Wwwroot),
    /// A certificate that is not taken.
    #[error(transparent)]
    Accept(#[from] AcceptError),
    /// A section that is not there.
    #[error("there is no section {0}; mnetd register sections lists them with their ids")]
    UnknownSection(SectionId),
    /// A course of a peer.
    #[error(transparent)]
    Enrol(#[from] EnrolError),
    /// A synchronisation.
    #[error(transparent)]
    Sync(#[from] SyncError),
    /// A question without a terminal.
    #[error("this needs a yes, and there is no terminal to ask at; add --yes")]
    NobodyToAsk,
    /// A question answered with no.
    #[error("nothing was changed")]
    Declined,
    /// An account that is not there.
    #[error("there is no account called {0}; mnetd admin list shows those that are")]
    UnknownAccount(String),
    /// A person who is not there.
    #[error(
        "nobody in the register is called {0}; mnetd register users shows who is. Somebody whom a peer vouches for stands there after their first visit"
    )]
    UnknownPerson(String),
    /// A session that is not there.
    #[error("there is no live session {0}; mnetd session list shows those that are")]
    NoSession(String),
    /// Reading what was typed.
    #[error("standard input could not be read: {0}")]
    Input(std::io::Error),
    /// Printing.
    #[error("the output could not be written: {0}")]
    Output(io::Error),
    /// A report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// A spreadsheet.
    #[error("FILE: {0}")]
    Spreadsheet(SpreadsheetError),
    /// A file of another system.
    #[error("FILE: {0}")]
    Import(#[from] ImportError),
    /// What the register refuses.
    #[error(transparent)]
    Register(RegisterError),
    /// A spreadsheet of which a part cannot be used.
    #[error(
        "{0} things in the file cannot be used, and nothing was changed. Correct the file, or add --skip-problems to go on without them"
    )]
    LeftOut(usize),
    /// A date that was typed.
    #[error(
        "--at: “{0}” is no date; expected one like 2026-07-01, meaning the end of that day, or a moment with its offset like 2026-07-01T12:00:00+02:00"
    )]
    Date(String),
    /// A file for a report.
    #[error("--output: {path} cannot be written: {source}")]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A PDF without a file.
    #[error(
        "a PDF is nothing for a terminal; give a file with --output report.pdf, or redirect the output"
    )]
    PdfToTerminal,
    /// Worker threads.
    #[error(transparent)]
    Workers(#[from] NoThreads),
    /// Threads and sockets.
    #[error("the program could not start: {0}")]
    Runtime(io::Error),
}

impl CliError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_)
            | Self::LogFilter(_)
            | Self::Wwwroot(_)
            | Self::Network(_)
            | Self::Dialect(_)
            | Self::Parameter { .. }
            | Self::Date(_)
            | Self::PdfToTerminal
            | Self::NoName(_)
            | Self::Page { .. }
            | Self::BackupNotEmpty(_)
            | Self::UnknownService { .. }
            | Self::NobodyToAsk => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Ports below this are root's (Linux, `net.ipv4.ip_unprivileged_port_start`).
const FIRST_FREE_PORT: u16 = 1024;

fn listen_hint(source: &io::Error, address: SocketAddr) -> String {
    match source.kind() {
        io::ErrorKind::PermissionDenied if address.port() < FIRST_FREE_PORT => format!(
            "Ports below {FIRST_FREE_PORT} are for root: choose a higher one, such as {}:8080, and let the reverse proxy have this one; or give the service AmbientCapabilities=CAP_NET_BIND_SERVICE",
            address.ip()
        ),
        io::ErrorKind::AddrNotAvailable => {
            "This machine has no such address (ip address lists those it has); behind a reverse proxy on it, 127.0.0.1 is the usual one".to_owned()
        }
        io::ErrorKind::AddrInUse => format!(
            "Another program listens there, perhaps another mnetd (ss -ltnp 'sport = :{}' shows it): stop it, or choose another port",
            address.port()
        ),
        _ => "Choose another address".to_owned(),
    }
}

/// Parses the command line and runs what it says.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let config = Config::load(arguments.config.as_deref(), &arguments.overrides);
    let ran = match &config {
        Ok(config) => {
            let hints = Hints::new(&arguments, config);
            execute(&arguments, config, &hints).map_err(|error| {
                let text = match &error {
                    // The peer's words, about its own machine.
                    CliError::Call(CallError::Fault { .. })
                    | CliError::Sync(SyncError::Call(CallError::Fault { .. }))
                    // What was typed, which had its options.
                    | CliError::Data(DataError::OtherOwner { .. }) => error.to_string(),
                    error => hints.runnable(&error.to_string()),
                };
                (text, error.exit_code())
            })
        }
        Err(error) => Err((error.to_string(), ExitCode::from(2))),
    };
    ran.unwrap_or_else(|(text, code)| {
        eprintln!("mnetd: {text}");
        code
    })
}

fn execute(arguments: &Arguments, config: &Config, hints: &Hints) -> Result<ExitCode, CliError> {
    log::start(config, matches!(arguments.command, Command::Serve))?;
    data::prepare(config, begins_a_register(&arguments.command))?;
    if let Command::Backup(arguments) = &arguments.command {
        return backup::run(config, arguments);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(ASYNC_THREADS)
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    if let Command::Serve = arguments.command {
        runtime.block_on(serve::run(config, hints))?;
        return Ok(ExitCode::SUCCESS);
    }
    let site = Site::open(config, hints, runtime.handle())?;
    match &arguments.command {
        Command::Serve | Command::Backup(_) => Ok(ExitCode::SUCCESS),
        Command::Key(command) => key::run(&site, command),
        Command::Peer(command) => peer::run(&site, command),
        Command::Call(arguments) => call::run(&site, arguments),
        Command::Admin(command) => admin::run(&site, command),
        Command::Signin(command) => signin::run(&site, command),
        Command::Session(command) => session::run(&site, command),
        Command::Register(command) => register::run(&site, command),
        Command::Import(command) => import::run(&site, command),
        Command::Section(command) => section::run(&site, command),
        Command::Enrol(command) => enrol::run(&site, command),
        Command::Activity(arguments) => activity::run(&site, arguments),
        Command::Report(command) => report::run(&site, command),
        Command::Demo(arguments) => demo::run(&site, arguments),
        Command::Sync(arguments) => sync::run(&site, arguments),
        Command::Doctor(arguments) => doctor::run(&site, config, arguments),
    }
}

/// Whether a command may begin a register; any other is told of a misprint in `--data` instead.
fn begins_a_register(command: &Command) -> bool {
    matches!(command, Command::Serve | Command::Demo(_))
}
