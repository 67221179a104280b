//! What every command needs of the site: its database, its keys, its name, its client.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tracing::warn;
use url::Host;

use super::CliError;
use super::data::{self, DataError, ServerLock};
use super::hint::Hints;
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{KeyStore, KeyStoreError};
use crate::peer::{Client, ClientSettings, Peer, Transport};
use crate::store::{Page, Store, StoreError, peers, settings};
use crate::workers::Workers;
use crate::wwwroot::Wwwroot;

/// Under which key the wwwroot the server last ran under is remembered, so that a command typed
/// beside it needs no `--wwwroot`.
const WWWROOT_SETTING: &str = "wwwroot";

/// The opened site.
pub struct Site {
    pub wwwroot: Wwwroot,
    pub store: Store,
    pub keys: Arc<KeyStore>,
    pub client: Client,
    pub clock: Clock,
    pub workers: Workers,
    data: PathBuf,
    /// How to write commands that work on this site.
    pub hints: Hints,
    runtime: Handle,
}

impl Site {
    /// Opens database and keys, making them where there are none. The directory is there already
    /// ([`super::data::prepare`]).
    pub fn open(config: &Config, hints: &Hints, runtime: &Handle) -> Result<Self, CliError> {
        let store = Store::open(&config.database())?;
        let wwwroot = find_wwwroot(config, &store)?;
        let clock = Clock::System;
        let keys = Arc::new(KeyStore::open(
            &config.keys(),
            &wwwroot,
            clock.now(),
            config.key_lifetime_days,
        )?);
        let workers = Workers::new()?;
        let client = Client::new(
            ClientSettings {
                wwwroot: wwwroot.clone(),
                max_ahead: config.max_ahead,
            },
            store.clone(),
            Arc::clone(&keys),
            clock.clone(),
            transport(config)?,
            workers.clone(),
        );
        Ok(Self {
            wwwroot,
            store,
            keys,
            client,
            clock,
            workers,
            data: config.data.clone(),
            hints: hints.clone(),
            runtime: runtime.clone(),
        })
    }

    /// Remembers our name, and sees to it that the keys bear it: with no peers yet, new keys are made
    /// for a new name; with peers, whom that would cut off, it is refused. For the one server of this site.
    pub fn settle_name(&self) -> Result<(), CliError> {
        if let Err(error) = self.keys.check_site() {
            let has_peers = self.has_peers()?;
            if has_peers || !matches!(error, KeyStoreError::OtherSite { .. }) {
                return Err(error.into());
            }
            warn!(wwwroot = %self.wwwroot, "the keys bear another wwwroot; no peer knows them yet, so new ones are made");
            self.keys.rotate(self.clock.now())?;
        }
        self.remember_name()
    }

    /// [`Site::settle_name`] for commands: a running server keeps the name it has.
    pub fn settle_name_without_server(&self) -> Result<(), CliError> {
        let _lock = match self.keys.check_site() {
            Ok(()) => None,
            Err(_) => Some(self.keep_server_away()?),
        };
        self.settle_name()
    }

    /// Makes keys for the name that was given, whoever knew the old one, and goes by it from now on.
    pub fn take_new_name(&self) -> Result<(), CliError> {
        let _lock = self.keep_server_away()?;
        self.keys.rotate(self.clock.now())?;
        self.remember_name()
    }

    fn keep_server_away(&self) -> Result<ServerLock, CliError> {
        data::lock_for_server(&self.data).map_err(|error| match error {
            DataError::Served { .. } => CliError::RenameBesideServer(self.wwwroot.clone()),
            error => error.into(),
        })
    }

    fn remember_name(&self) -> Result<(), CliError> {
        let wwwroot = self.wwwroot.to_string();
        self.store
            .write_blocking(move |tx| settings::set(tx, WWWROOT_SETTING, &wwwroot))?;
        Ok(())
    }

    /// The peer registered under what was typed for its wwwroot.
    pub fn peer(&self, url: &str) -> Result<Peer, CliError> {
        let wwwroot = Wwwroot::parse(url)?;
        self.find_peer(wwwroot.as_str())?
            .ok_or_else(|| CliError::UnknownPeer(wwwroot.to_string()))
    }

    /// The peer registered under `wwwroot`, if there is one.
    pub fn find_peer(&self, wwwroot: &str) -> Result<Option<Peer>, CliError> {
        Ok(self.store.read_blocking(|tx| Peer::find(tx, wwwroot))?)
    }

    /// What is stored of a peer besides what it may do.
    pub fn peer_row(&self, peer: &Peer) -> Result<peers::Peer, CliError> {
        self.store
            .read_blocking(|tx| peers::find(tx, peer.wwwroot.as_str()))?
            .ok_or_else(|| CliError::UnknownPeer(peer.wwwroot.to_string()))
    }

    /// Runs something that waits, for a command that has nothing else to do meanwhile.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Whether any peer is registered.
    pub fn has_peers(&self) -> Result<bool, StoreError> {
        let first = self.store.read_blocking(|tx| {
            peers::list(
                tx,
                Page {
                    after: None,
                    limit: 1,
                },
            )
        })?;
        Ok(!first.is_empty())
    }
}

/// What was configured, else the name the server last ran under, else the listening address.
fn find_wwwroot(config: &Config, store: &Store) -> Result<Wwwroot, CliError> {
    let wwwroot = match &config.wwwroot {
        Some(wwwroot) => wwwroot.clone(),
        None => remembered_wwwroot(config, store)?,
    };
    // To listen at every address is well; as a name it would lead each peer to itself.
    match wwwroot.url().host() {
        Some(Host::Ipv4(address)) if address.is_unspecified() => {
            Err(CliError::NoName(address.into()))
        }
        Some(Host::Ipv6(address)) if address.is_unspecified() => {
            Err(CliError::NoName(address.into()))
        }
        _ => Ok(wwwroot),
    }
}

fn remembered_wwwroot(config: &Config, store: &Store) -> Result<Wwwroot, CliError> {
    let remembered = store
        .read_blocking(|tx| -> Result<_, StoreError> { settings::get(tx, WWWROOT_SETTING) })?;
    let text = remembered.unwrap_or_else(|| format!("http://{}", config.listen));
    Wwwroot::parse(&text).map_err(|error| CliError::Config(error.into()))
}

fn transport(config: &Config) -> Result<Transport, CliError> {
    let ca = match &config.ca_file {
        None => None,
        Some(path) => Some(std::fs::read(path).map_err(|source| CliError::File {
            option: "--ca-file",
            path: path.clone(),
            source,
        })?),
    };
    Ok(Transport::new(
        Duration::from_secs(config.timeout),
        ca.as_deref(),
    )?)
}
