//! The command line: one file a subcommand.
//!
//! Exit codes: 0 done, 1 failed, 2 used wrongly (clap's own, and configuration that cannot be used).

// The doc comments of arguments are the help texts people read in a terminal: no backticks, no links.
#![allow(clippy::doc_markdown, clippy::doc_link_with_quotes)]

mod admin;
mod call;
mod doctor;
mod key;
mod output;
mod peer;
mod register;
mod serve;
mod session;
mod signin;
mod site;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use thiserror::Error;
use tracing_subscriber::EnvFilter;

use site::Site;

use crate::config::{Config, ConfigError, LogFormat, Overrides};
use crate::envelope::SealError;
use crate::keys::{CertificateError, Fingerprint, KeyStoreError};
use crate::peer::{CallError, IntroductionError, NotANetwork, PeerError, TransportError};
use crate::rpc::ServeError;
use crate::sso::AccountError;
use crate::store::StoreError;
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
    #[arg(long, global = true, value_name = "FILE")]
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
    /// Find and explain what is wrong between this site and its peers
    Doctor(doctor::DoctorArguments),
}

/// Why a command failed, in words for whoever typed it.
#[derive(Debug, Error)]
pub enum CliError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyStoreError),
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
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The address to listen at.
    #[error(
        "cannot listen at {address}: {source}. Is another mnetd running there? Choose another with --listen"
    )]
    Listen {
        /// Which.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The log filter.
    #[error("--log: “{0}” is no log filter; expected something like info or mnetd=debug")]
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
    #[error("{path}: {source}")]
    CertificateFile {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        source: CertificateError,
    },
    /// A peer that is not there.
    #[error("{0} is not a registered peer; mnetd peer list shows those that are")]
    UnknownPeer(String),
    /// A peer that is there already.
    #[error(
        "{0} is a peer already; mnetd peer show {0} shows it, mnetd peer check {0} follows its new key"
    )]
    KnownPeer(Wwwroot),
    /// Another fingerprint than the one agreed to.
    #[error(
        "{peer} hands out a certificate with another fingerprint: {offered}. Nothing was changed"
    )]
    OtherFingerprint {
        /// Which peer.
        peer: Wwwroot,
        /// What it hands out.
        offered: Fingerprint,
    },
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
    Output(std::io::Error),
    /// Worker threads.
    #[error(transparent)]
    Workers(#[from] NoThreads),
    /// Threads and sockets.
    #[error("the program could not start: {0}")]
    Runtime(std::io::Error),
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
            | Self::NobodyToAsk => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

/// Parses the command line and runs what it says.
#[must_use]
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    match execute(&arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mnetd: {error}");
            error.exit_code()
        }
    }
}

fn execute(arguments: &Arguments) -> Result<ExitCode, CliError> {
    let config = Config::load(arguments.config.as_deref(), &arguments.overrides)?;
    start_log(&config, &arguments.command)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(ASYNC_THREADS)
        .enable_all()
        .build()
        .map_err(CliError::Runtime)?;
    if let Command::Serve = arguments.command {
        runtime.block_on(serve::run(&config))?;
        return Ok(ExitCode::SUCCESS);
    }
    let site = Site::open(&config, runtime.handle())?;
    match &arguments.command {
        Command::Serve => Ok(ExitCode::SUCCESS),
        Command::Key(command) => key::run(&site, command),
        Command::Peer(command) => peer::run(&site, command),
        Command::Call(arguments) => call::run(&site, arguments),
        Command::Admin(command) => admin::run(&site, command),
        Command::Signin(command) => signin::run(&site, command),
        Command::Session(command) => session::run(&site, command),
        Command::Register(command) => register::run(&site, command),
        Command::Doctor(arguments) => doctor::run(&site, &config, arguments),
    }
}

/// The server says what it does; a command speaks for itself and logs only what is amiss, unless
/// asked.
fn start_log(config: &Config, command: &Command) -> Result<(), CliError> {
    let usual = match command {
        Command::Serve => "info,rusqlite_migration=warn",
        _ => "warn",
    };
    let filter = config.log.as_deref().unwrap_or(usual);
    let filter = EnvFilter::try_new(filter).map_err(|_| CliError::LogFilter(filter.to_owned()))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    Ok(())
}
