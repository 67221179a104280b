//! `mnetd serve`: answers peers until told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{error, info, warn};

use super::CliError;
use super::data;
use super::hint::Hints;
use super::site::Site;
use crate::config::Config;
use crate::keys::KeyStore;
use crate::rpc::{HttpLimits, Server, ServerSettings, router, serve, serve_metrics};
use crate::sso::{KEEP_ALIVE_INTERVAL, Sso, accounts};
use crate::store::{Store, requests};
use crate::sync::Synchroniser;
use crate::web::{self, Console, ConsoleSettings};

/// How often the keys are looked at: whether another process rotated them, whether they are due.
const KEY_WATCH: Duration = Duration::from_secs(1);

/// Bounds of the duration histograms in seconds: a call takes about a millisecond of RSA, a call out as long
/// as the other side likes.
const SECONDS_BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0,
];

/// How long the end waits for a synchronisation to be noted as interrupted: as long as a page takes.
const SYNC_END: Duration = Duration::from_secs(5);

/// How often old samples are cleared out of the metrics.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

pub async fn run(config: &Config, hints: &Hints) -> Result<(), CliError> {
    let told_to_stop = watch_signals();
    let _only_server = data::lock_for_server(&config.data)?;
    let metrics = start_metrics(config);
    let listener = listen("--listen", config.listen).await?;
    let config = &with_real_address(config, &listener)?;
    let site = Site::open(config, hints, &Handle::current())?;
    site.settle_name()?;
    let (stop, stopped) = watch::channel(());
    let metrics_task = match (config.metrics_listen, metrics) {
        (Some(address), Some(handle)) => {
            let listener = listen("--metrics-listen", address).await?;
            let stopped = wait_for(stopped.clone());
            Some(tokio::spawn(serve_metrics(listener, handle, stopped)))
        }
        _ => None,
    };
    let server = Server::new(
        ServerSettings {
            wwwroot: site.wwwroot.clone(),
            max_age: config.max_age,
            max_ahead: config.max_ahead,
            register_all_hosts: config.register_all_hosts,
        },
        site.store.clone(),
        Arc::clone(&site.keys),
        site.clock.clone(),
        site.client.clone(),
        site.workers.clone(),
    );
    say_what_to_do_next(config, &site);
    offer_setup_link(&site).await?;
    let keys_task = tokio::spawn(watch_keys(
        Arc::clone(&site.keys),
        site.store.clone(),
        site.clock.clone(),
        wait_for(stopped.clone()),
    ));
    tokio::spawn(async move {
        told_to_stop.await;
        // With nobody listening any more there is nothing to stop.
        let _ = stop.send(());
    });
    let limits = HttpLimits::default();
    let console = Console::new(ConsoleSettings {
        wwwroot: site.wwwroot.clone(),
        store: site.store.clone(),
        keys: Arc::clone(&site.keys),
        clock: site.clock.clone(),
        client: site.client.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
    });
    let sso_task = tokio::spawn(keep_sessions(
        console.sso().clone(),
        wait_for(stopped.clone()),
    ));
    let synchroniser = console.synchroniser().clone();
    let sync_task = tokio::spawn(keep_synchronised(
        synchroniser,
        config.sync_every,
        wait_for(stopped.clone()),
    ));
    let proxies = config.trusted_proxies.clone();
    let routes = router(server, proxies, &limits, web::router(console));
    serve(listener, routes, &limits, wait_for(stopped)).await?;
    let _ = keys_task.await;
    let _ = sso_task.await;
    let _ = sync_task.await;
    if let Some(task) = metrics_task {
        let _ = task.await;
    }
    site.store.flush().await?;
    info!("stopped");
    Ok(())
}

fn start_metrics(config: &Config) -> Option<PrometheusHandle> {
    config.metrics_listen?;
    let recorder = PrometheusBuilder::new()
        .set_buckets(&SECONDS_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder);
    match recorder {
        Ok(handle) => {
            let upkeep = handle.clone();
            tokio::spawn(async move {
                let mut interval = tokio::time::interval(METRICS_UPKEEP);
                loop {
                    interval.tick().await;
                    upkeep.run_upkeep();
                }
            });
            Some(handle)
        }
        Err(error) => {
            error!(%error, "metrics are not available");
            None
        }
    }
}

async fn listen(option: &'static str, address: SocketAddr) -> Result<TcpListener, CliError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| CliError::Listen {
            option,
            address,
            source,
        })
}

/// Port 0 lets the system choose one: the log and the default wwwroot have to name the one it chose.
fn with_real_address(config: &Config, listener: &TcpListener) -> Result<Config, CliError> {
    let address = config.listen;
    let listen = listener.local_addr().map_err(|source| CliError::Listen {
        option: "--listen",
        address,
        source,
    })?;
    Ok(Config {
        listen,
        ..config.clone()
    })
}

fn say_what_to_do_next(config: &Config, site: &Site) {
    let wwwroot = &site.wwwroot;
    let ring = site.keys.ring();
    let certificate = ring.current().certificate();
    info!(listen = %config.listen, %wwwroot, fingerprint = %certificate.fingerprint(), certificate_expires = %certificate.not_after(), "mnetd is serving");
    if !wwwroot.is_https() && !config.listen.ip().is_loopback() {
        warn!(
            "peers reach this site over plain http; put it behind a reverse proxy with https and set --wwwroot to that address"
        );
    }
    let next = if site.has_peers().unwrap_or(false) {
        vec!["peers are registered; whether all is well shows: mnetd doctor".to_owned()]
    } else {
        vec![
            "next: 1. add your Moodle, and compare the fingerprint that is shown: mnetd peer add https://YOUR-MOODLE".to_owned(),
            format!("      2. in Moodle, Site administration > Networking > Manage peers: add {wwwroot}, with the application type mnetd where the plugins are installed, else moodle"),
            "      3. see whether all is well: mnetd doctor https://YOUR-MOODLE".to_owned(),
        ]
    };
    for line in next {
        info!("{}", site.hints.runnable(&line));
    }
}

/// While there is no administrator, whoever reads the log may become the first.
async fn offer_setup_link(site: &Site) -> Result<(), CliError> {
    let now = site.clock.now();
    let link = site
        .store
        .write(move |tx| accounts::make_setup_link(tx, now))
        .await?;
    if let Some(token) = link {
        info!(
            "there is no administrator yet; make the first account within a day at {}?token={}",
            site.wwwroot.join("/setup"),
            token.reveal()
        );
    }
    Ok(())
}

/// Ends sessions that are over their time, and tells peers which of their users are here.
async fn keep_sessions(sso: Sso, stopped: impl Future<Output = ()>) {
    let mut interval = tokio::time::interval(KEEP_ALIVE_INTERVAL);
    let mut stopped = std::pin::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = interval.tick() => {}
        }
        tokio::select! {
            () = &mut stopped => return,
            () = sso.keep_alive() => {}
        }
    }
}

/// Synchronises peers every so often; at the end stops what is under way, the runs that somebody asked for
/// at the console too, so that they are known to have been interrupted.
async fn keep_synchronised(
    synchroniser: Synchroniser,
    every: Option<Duration>,
    stopped: impl Future<Output = ()>,
) {
    let keeper = synchroniser.clone();
    let keeping = every.map(|every| tokio::spawn(async move { keeper.keep(every).await }));
    stopped.await;
    synchroniser.stop();
    if timeout(SYNC_END, synchroniser.ended()).await.is_err() {
        warn!("a synchronisation did not end in time; it will be noted as interrupted later");
    }
    if let Some(keeping) = keeping {
        keeping.abort();
    }
}

/// Takes over rotations made by `mnetd key rotate`, rotates before expiry, and forgets what was heard
/// under pairs that are gone.
async fn watch_keys(
    keys: Arc<KeyStore>,
    store: Store,
    clock: crate::clock::Clock,
    stopped: impl Future<Output = ()>,
) {
    let mut interval = tokio::time::interval(KEY_WATCH);
    let mut stopped = std::pin::pin!(stopped);
    loop {
        tokio::select! {
            () = &mut stopped => return,
            _ = interval.tick() => {}
        }
        let (watched, now) = (Arc::clone(&keys), clock.now());
        let looked = tokio::task::spawn_blocking(move || {
            let reloaded = watched.reload_if_changed()?;
            Ok::<_, crate::keys::KeyStoreError>(watched.rotate_if_due(now)? || reloaded)
        })
        .await;
        match looked {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => forget_gone_pairs(&keys, &store).await,
            Ok(Err(error)) => error!(%error, "the keys could not be looked at"),
            Err(error) => error!(%error, "the keys could not be looked at"),
        }
    }
}

async fn forget_gone_pairs(keys: &KeyStore, store: &Store) {
    let ring = keys.ring();
    let kept: Vec<[u8; 32]> = ring
        .pairs()
        .map(|pair| *pair.certificate().fingerprint().as_bytes())
        .collect();
    info!(fingerprint = %ring.current().certificate().fingerprint(), "another key pair is in force");
    if let Err(error) = store
        .write(move |tx| requests::forget_key_pairs_but(tx, &kept))
        .await
    {
        error!(%error, "requests heard under keys that are gone could not be forgotten");
    }
}

async fn wait_for(mut stopped: watch::Receiver<()>) {
    // An error means the sender is gone, which is the same as being told.
    let _ = stopped.changed().await;
}

/// Ends when the process is told to stop. The handlers stand when this returns: whoever reads in the log that
/// the server serves may stop it at once.
fn watch_signals() -> impl Future<Output = ()> {
    let (terminate, interrupt) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    );
    async {
        match (terminate, interrupt) {
            (Ok(mut terminate), Ok(mut interrupt)) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            _ => std::future::pending().await,
        }
    }
}
