//! What a synchronisation would do: it is done to a copy of the register, which is thrown away.
//!
//! So what is told is what would happen, rule for rule, and nothing that is served is kept waiting.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::error::SyncError;
use super::report::Report;
use super::{Order, Synchroniser, Watch};
use crate::clock::Clock;
use crate::peer::{Client, Peer};
use crate::store::{self, Store, StoreError, syncs};

/// What the directories of copies are called; the number of the process follows.
const PREFIX: &str = "rehearsal-";

/// Does `order` to a copy of `store`, which lies beside it for that long. Calls to the peer are made, and
/// logged, as ever.
///
/// # Errors
/// As [`Synchroniser::run`]; [`SyncError::Rehearsal`] where there is no room for the copy.
pub async fn rehearse(
    store: &Store,
    client: &Client,
    clock: &Clock,
    peer: &Peer,
    order: Order,
    watch: Watch<'_>,
) -> Result<Report, SyncError> {
    let beside = store.path().parent().unwrap_or(Path::new(".")).to_owned();
    clear_away(&beside);
    let place = Place::make(&beside)?;
    let (original, copy) = (store.path().to_owned(), place.path.join("mnetd.db"));
    let copying = tokio::task::spawn_blocking(move || {
        store::back_up(&original, &copy)?;
        Store::open(&copy)
    });
    let copy = copying.await.map_err(|_| StoreError::Panicked)??;
    let (id, now) = (peer.id, clock.now());
    copy.write(move |tx| syncs::interrupt(tx, id, now)).await?;
    Synchroniser::new(copy, client.clone(), clock.clone())
        .run(peer, order, watch)
        .await
}

/// A directory of its own; it goes when this is dropped.
struct Place {
    path: PathBuf,
}

impl Place {
    fn make(beside: &Path) -> Result<Self, SyncError> {
        let path = beside.join(format!("{PREFIX}{}", std::process::id()));
        // The register is personal data.
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self { path }),
            Err(source) => Err(SyncError::Rehearsal { path, source }),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What cannot be removed now is, before the next rehearsal.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes copies that were left behind by processes that are no more.
fn clear_away(beside: &Path) {
    let Ok(entries) = fs::read_dir(beside) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let Some(process) = process.and_then(|number| number.parse::<u32>().ok()) else {
            continue;
        };
        let lives = matches!(
            fs::exists(format!("/proc/{process}")).map_err(|error: io::Error| error.kind()),
            Ok(true) | Err(_)
        );
        if !lives || process == std::process::id() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
