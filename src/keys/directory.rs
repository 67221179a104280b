//! The directory our key pairs live in.
//!
//! `current.pem` holds the present pair, private key and certificate in one file, so that one rename
//! replaces both. A rotation first gives the present pair a second name, `retired-…pem`, and then
//! renames the new one over `current.pem`: at every moment, whatever is cut off, there is exactly one
//! present pair and none is lost. A lock file keeps two processes from rotating at once.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use thiserror::Error;
use tracing::{info, warn};

use super::certificate::Mismatch;
use super::pair::{KeyError, KeyPair};
use crate::clock::UnixTime;
use crate::wwwroot::Wwwroot;

/// How many old pairs stay, as Moodle's `mnet_get_keypair_history` keeps them: a peer that slept
/// through three rotations can still be told of the present key.
pub const OLD_PAIRS_KEPT: usize = 3;

/// A pair is replaced this long before it expires, so that peers learn of the new one while the old
/// one still holds: two days, or a quarter of a shorter life.
const ROTATE_BEFORE_SECONDS: i64 = 2 * 86_400;

const DIRECTORY_MODE: u32 = 0o700;
const CURRENT: &str = "current.pem";
const LOCK: &str = ".lock";
const RETIRED_PREFIX: &str = "retired-";

/// The present pair and the last few old ones, newest first, at one moment. A call keeps the ring it
/// began with, so a rotation never interrupts it.
#[derive(Debug)]
pub struct KeyRing {
    current: KeyPair,
    old: Vec<RetiredPair>,
}

/// An old pair with the moment it was replaced.
#[derive(Debug)]
pub struct RetiredPair {
    /// The pair.
    pub pair: KeyPair,
    /// When it was replaced.
    pub retired_at: UnixTime,
}

/// Our key pairs on disk, with the ring in force.
#[derive(Debug)]
pub struct KeyStore {
    directory: PathBuf,
    wwwroot: Wwwroot,
    lifetime_days: u32,
    ring: RwLock<Arc<KeyRing>>,
    loaded: Mutex<Option<FileStamp>>,
}

/// Why the keys could not be read or written.
#[derive(Debug, Error)]
pub enum KeyStoreError {
    /// A file or the directory would not open, read or write.
    #[error("the key file {path} could not be {action}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// read, written, …
        action: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file was read, but holds no pair.
    #[error(
        "the key file {path} is damaged: {source}. Restore it from a backup, or move it away and start again to make a new key"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A file that others on the machine may read.
    #[error("the key file {0} may be read by other users of this machine: run chmod 600 on it")]
    Exposed(PathBuf),
    /// A directory that others on the machine may write into.
    #[error(
        "the key directory {0} may be written by other users of this machine, who can put keys of theirs in the place of this site's: look whether the files in it are yours (mnetd key show prints the fingerprint your peers know), then run chmod 700 on it"
    )]
    Writable(PathBuf),
    /// A new pair could not be made.
    #[error(transparent)]
    Generate(#[from] KeyError),
    /// The present certificate names another site than the one configured.
    #[error(
        "the keys here are made out for {named}, and this site is to go by {expected}. If the first is right, correct --wwwroot (MNETD_WWWROOT, or wwwroot in mnetd.toml), or leave it out. If the address of this site changes: stop the server, run mnetd key rotate --wwwroot {expected}, start the server, and let every peer's administrator delete the old entry and add the new address", named = .0.named, expected = .0.expected
    )]
    OtherSite(Mismatch),
}

/// What tells one state of `current.pem` from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileStamp {
    inode: u64,
    modified: (i64, i64),
}

impl KeyRing {
    /// A ring of one pair, with no old ones.
    #[must_use]
    pub fn new(current: KeyPair) -> Self {
        Self {
            current,
            old: Vec::new(),
        }
    }

    /// The pair in force.
    #[must_use]
    pub fn current(&self) -> &KeyPair {
        &self.current
    }

    /// Every pair that may still open a message: the one in force, then the old ones.
    pub fn pairs(&self) -> impl Iterator<Item = &KeyPair> {
        std::iter::once(&self.current).chain(self.old.iter().map(|old| &old.pair))
    }

    /// Old pairs, the youngest first.
    #[must_use]
    pub fn old(&self) -> &[RetiredPair] {
        &self.old
    }
}

impl KeyStore {
    /// Opens the directory, making it (mode 0700) and a first pair where there is none. From a directory
    /// that other users may read, they are shut out.
    ///
    /// # Errors
    /// When the directory or a file in it cannot be read or written, or is damaged; when other users may
    /// write into the directory, or read or write a key file. A pair made for another wwwroot is *not* an error here: see [`KeyStore::check_site`].
    pub fn open(
        directory: &Path,
        wwwroot: &Wwwroot,
        now: UnixTime,
        lifetime_days: u32,
    ) -> Result<Self, KeyStoreError> {
        make_directory(directory)?;
        close_directory(directory)?;
        let _lock = lock(directory)?;
        if !directory.join(CURRENT).exists() {
            let pair = KeyPair::generate(wwwroot, now, lifetime_days)?;
            write_pair(directory, CURRENT, &pair)?;
            info!(fingerprint = %pair.certificate().fingerprint(), "a first key pair was made");
        }
        let (ring, stamp) = load(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            wwwroot: wwwroot.clone(),
            lifetime_days,
            ring: RwLock::new(Arc::new(ring)),
            loaded: Mutex::new(Some(stamp)),
        })
    }

    /// The ring in force now.
    #[must_use]
    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// For how many days a new pair is made out.
    #[must_use]
    pub const fn lifetime_days(&self) -> u32 {
        self.lifetime_days
    }

    /// When the present pair is replaced by itself.
    #[must_use]
    pub fn next_rotation(&self) -> UnixTime {
        rotation_due(&self.ring())
    }

    /// Checks that the present certificate is made out for our wwwroot.
    ///
    /// # Errors
    /// [`KeyStoreError::OtherSite`] with both names.
    pub fn check_site(&self) -> Result<(), KeyStoreError> {
        self.ring()
            .current()
            .certificate()
            .matches(&self.wwwroot)
            .map_err(KeyStoreError::OtherSite)
    }

    /// Makes a new pair and retires the present one; the oldest beyond [`OLD_PAIRS_KEPT`] is deleted.
    ///
    /// # Errors
    /// When a file cannot be written; the present pair then stays in force.
    pub fn rotate(&self, now: UnixTime) -> Result<Arc<KeyRing>, KeyStoreError> {
        let _lock = lock(&self.directory)?;
        self.rotate_locked(now)
    }

    /// Rotates when the present certificate is about to expire. Returns whether it did.
    ///
    /// # Errors
    /// As [`KeyStore::rotate`].
    pub fn rotate_if_due(&self, now: UnixTime) -> Result<bool, KeyStoreError> {
        if !is_due(&self.ring(), now) {
            return Ok(false);
        }
        let _lock = lock(&self.directory)?;
        // Another process may have rotated while this one waited for the lock.
        self.reload_if_changed()?;
        if !is_due(&self.ring(), now) {
            return Ok(true);
        }
        self.rotate_locked(now)?;
        Ok(true)
    }

    /// Takes over what another process (`mnetd key rotate`) wrote. Returns whether anything changed.
    ///
    /// Keys made out for another site than this one are left alone, which the log tells once: to go by them
    /// would cut off every peer.
    ///
    /// # Errors
    /// When the files cannot be read; the ring in force then stays.
    pub fn reload_if_changed(&self) -> Result<bool, KeyStoreError> {
        let stamp = stamp(&self.directory.join(CURRENT))?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if *loaded == Some(stamp) {
            return Ok(false);
        }
        let (ring, stamp) = load(&self.directory)?;
        *loaded = Some(stamp);
        let was_ours = self.check_site().is_ok();
        if let Err(mismatch) = ring.current().certificate().matches(&self.wwwroot)
            && was_ours
        {
            let error = KeyStoreError::OtherSite(mismatch);
            warn!(%error, "new keys are not taken up; the ones before stay in force");
            return Ok(false);
        }
        self.replace(ring);
        Ok(true)
    }

    fn rotate_locked(&self, now: UnixTime) -> Result<Arc<KeyRing>, KeyStoreError> {
        let fresh = KeyPair::generate(&self.wwwroot, now, self.lifetime_days)?;
        retire_current(&self.directory, now)?;
        write_pair(&self.directory, CURRENT, &fresh)?;
        delete_surplus(&self.directory)?;
        let (ring, stamp) = load(&self.directory)?;
        let ring = self.replace(ring);
        *self.loaded.lock().unwrap_or_else(PoisonError::into_inner) = Some(stamp);
        info!(fingerprint = %fresh.certificate().fingerprint(), "the key pair was rotated");
        Ok(ring)
    }

    fn replace(&self, ring: KeyRing) -> Arc<KeyRing> {
        let ring = Arc::new(ring);
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&ring);
        ring
    }
}

/// Copies every pair in `directory` into the new directory `copy` (mode 0700, its files 0600). No rotation
/// comes in between.
///
/// # Errors
/// When a file cannot be read, or is there already in `copy`, or cannot be written.
pub fn copy(directory: &Path, copy: &Path) -> Result<(), KeyStoreError> {
    make_directory(copy)?;
    let _lock = lock(directory)?;
    let retired = retired_files(directory)?.into_iter().map(|(path, _)| path);
    for path in std::iter::once(directory.join(CURRENT)).chain(retired) {
        let Some(name) = path.file_name() else {
            continue;
        };
        let pem = fs::read(&path).map_err(file_error(&path, "read"))?;
        let place = copy.join(name);
        write_private(&place, &pem).map_err(file_error(&place, "written"))?;
    }
    Ok(())
}

fn is_due(ring: &KeyRing, now: UnixTime) -> bool {
    now >= rotation_due(ring)
}

fn rotation_due(ring: &KeyRing) -> UnixTime {
    let certificate = ring.current().certificate();
    let life = certificate.not_after().since(certificate.not_before());
    let margin = ROTATE_BEFORE_SECONDS.min(life / 4);
    certificate.not_after().plus(-margin)
}

fn load(directory: &Path) -> Result<(KeyRing, FileStamp), KeyStoreError> {
    let path = directory.join(CURRENT);
    let stamp = stamp(&path)?;
    let current = read_pair(&path)?;
    let mut old = Vec::new();
    for (path, retired_at) in retired_files(directory)? {
        match read_pair(&path) {
            // A rotation cut off half-way leaves the present pair under two names.
            Ok(pair) if pair.certificate() == current.certificate() => {}
            Ok(pair) => old.push(RetiredPair { pair, retired_at }),
            Err(error) => warn!(%error, "an old key pair is left out"),
        }
    }
    old.truncate(OLD_PAIRS_KEPT);
    Ok((KeyRing { current, old }, stamp))
}

/// The retired files with their times, the youngest first.
fn retired_files(directory: &Path) -> Result<Vec<(PathBuf, UnixTime)>, KeyStoreError> {
    let entries = fs::read_dir(directory).map_err(file_error(directory, "listed"))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(file_error(directory, "listed"))?;
        let name = entry.file_name();
        let Some(rest) = name
            .to_str()
            .and_then(|name| name.strip_prefix(RETIRED_PREFIX))
        else {
            continue;
        };
        let seconds = rest
            .split('-')
            .next()
            .and_then(|digits| digits.parse().ok());
        if let Some(seconds) = seconds {
            found.push((entry.path(), UnixTime(seconds)));
        }
    }
    found.sort_by(|(path, at), (other_path, other)| other.cmp(at).then(other_path.cmp(path)));
    Ok(found)
}

fn retire_current(directory: &Path, now: UnixTime) -> Result<(), KeyStoreError> {
    let current = directory.join(CURRENT);
    let fingerprint = read_pair(&current)?.certificate().fingerprint();
    let short = hex::encode(&fingerprint.as_bytes()[..4]);
    let suffix = format!("-{short}.pem");
    // A rotation cut off half-way has retired it already.
    let retired = retired_files(directory)?
        .iter()
        .any(|(path, _)| path.to_string_lossy().ends_with(&suffix));
    if retired {
        return Ok(());
    }
    let retired = directory.join(format!("{RETIRED_PREFIX}{}{suffix}", now.0));
    fs::hard_link(&current, &retired).map_err(file_error(&retired, "written"))
}

fn delete_surplus(directory: &Path) -> Result<(), KeyStoreError> {
    for (path, _) in retired_files(directory)?.into_iter().skip(OLD_PAIRS_KEPT) {
        fs::remove_file(&path).map_err(file_error(&path, "deleted"))?;
    }
    Ok(())
}

fn read_pair(path: &Path) -> Result<KeyPair, KeyStoreError> {
    let metadata = fs::metadata(path).map_err(file_error(path, "read"))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(KeyStoreError::Exposed(path.to_owned()));
    }
    let pem = fs::read_to_string(path).map_err(file_error(path, "read"))?;
    KeyPair::parse(&pem).map_err(|source| KeyStoreError::Damaged {
        path: path.to_owned(),
        source,
    })
}

/// Writes a pair beside its place, with mode 0600 and down to the disk, then renames it there.
fn write_pair(directory: &Path, name: &str, pair: &KeyPair) -> Result<(), KeyStoreError> {
    let fresh = directory.join(format!(".{name}.new"));
    // What a process that was cut off left behind.
    let _ = fs::remove_file(&fresh);
    let pem = pair.to_pem()?;
    write_private(&fresh, pem.as_bytes()).map_err(file_error(&fresh, "written"))?;
    let place = directory.join(name);
    fs::rename(&fresh, &place).map_err(file_error(&place, "replaced"))?;
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(file_error(directory, "written"))
}

/// Writes a new file for its owner alone, down to the disk.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn make_directory(directory: &Path) -> Result<(), KeyStoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(directory)
        .map_err(file_error(directory, "made"))
}

/// Shuts other users out of a directory that was there before. The files in it are closed to them, but
/// not their names; and where they may write, what is in it cannot be trusted.
fn close_directory(directory: &Path) -> Result<(), KeyStoreError> {
    let metadata = fs::metadata(directory).map_err(file_error(directory, "read"))?;
    let mode = metadata.permissions().mode();
    if mode & 0o022 != 0 {
        return Err(KeyStoreError::Writable(directory.to_owned()));
    }
    if mode & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))
        .map_err(file_error(directory, "closed to other users (chmod 700)"))?;
    warn!(directory = %directory.display(), "other users of this machine could list the key directory; its mode is 0700 now");
    Ok(())
}

fn lock(directory: &Path) -> Result<File, KeyStoreError> {
    let path = directory.join(LOCK);
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(file_error(&path, "locked"))
}

fn stamp(path: &Path) -> Result<FileStamp, KeyStoreError> {
    let metadata = fs::metadata(path).map_err(file_error(path, "read"))?;
    Ok(FileStamp {
        inode: metadata.ino(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
    })
}

fn file_error<'a>(
    path: &'a Path,
    action: &'static str,
) -> impl FnOnce(io::Error) -> KeyStoreError + 'a {
    move |source| KeyStoreError::File {
        path: path.to_owned(),
        action,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn open(directory: &Path) -> KeyStore {
        let wwwroot = Wwwroot::parse("https://register.example.org").unwrap();
        KeyStore::open(directory, &wwwroot, NOW, 28).unwrap()
    }

    fn fingerprints(ring: &KeyRing) -> Vec<String> {
        ring.old()
            .iter()
            .map(|old| old.pair.certificate().fingerprint().to_string())
            .collect()
    }

    #[test]
    fn the_last_three_old_pairs_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        let mut expected = Vec::new();
        for turn in 0..5 {
            expected.insert(
                0,
                store
                    .ring()
                    .current()
                    .certificate()
                    .fingerprint()
                    .to_string(),
            );
            store.rotate(NOW.plus(turn)).unwrap();
        }
        expected.truncate(OLD_PAIRS_KEPT);
        assert_eq!(fingerprints(&store.ring()), expected);
        assert_eq!(fingerprints(&open(directory.path()).ring()), expected);
    }

    #[test]
    fn files_are_for_the_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store.rotate(NOW).unwrap();
        for entry in fs::read_dir(directory.path()).unwrap() {
            let entry = entry.unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{:?}", entry.path());
        }
        let current = directory.path().join(CURRENT);
        fs::set_permissions(&current, Permissions::from_mode(0o644)).unwrap();
        let wwwroot = Wwwroot::parse("https://register.example.org").unwrap();
        let error = KeyStore::open(directory.path(), &wwwroot, NOW, 28).unwrap_err();
        assert!(matches!(error, KeyStoreError::Exposed(_)), "{error}");
    }

    #[test]
    fn other_users_are_shut_out_of_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let made = directory.path().join("made");
        open(&made);
        assert_eq!(mode(&made), 0o700);
        for found in [0o755, 0o750, 0o701] {
            fs::set_permissions(&made, Permissions::from_mode(found)).unwrap();
            open(&made);
            assert_eq!(mode(&made), 0o700, "{found:o}");
        }
        let wwwroot = Wwwroot::parse("https://register.example.org").unwrap();
        for found in [0o777, 0o720, 0o702, 0o1777] {
            fs::set_permissions(&made, Permissions::from_mode(found)).unwrap();
            let error = KeyStore::open(&made, &wwwroot, NOW, 28).unwrap_err();
            assert!(matches!(error, KeyStoreError::Writable(_)), "{error}");
            assert_eq!(mode(&made), found & 0o777, "{found:o}");
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn another_process_rotating_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let (here, there) = (open(directory.path()), open(directory.path()));
        assert!(!here.reload_if_changed().unwrap());
        there.rotate(NOW).unwrap();
        assert!(here.reload_if_changed().unwrap());
        assert_eq!(
            here.ring().current().certificate(),
            there.ring().current().certificate()
        );
    }

    #[test]
    fn keys_for_another_site_are_not_taken_up() {
        let directory = tempfile::tempdir().unwrap();
        let here = open(directory.path());
        let before = here.ring().current().certificate().clone();
        let other = Wwwroot::parse("https://other.example.org").unwrap();
        let there = KeyStore::open(directory.path(), &other, NOW, 28).unwrap();
        there.rotate(NOW).unwrap();
        assert!(!here.reload_if_changed().unwrap());
        assert_eq!(here.ring().current().certificate(), &before);
        // Nor are they looked at again and again.
        assert!(!here.reload_if_changed().unwrap());
        open(directory.path()).rotate(NOW).unwrap();
        assert!(here.reload_if_changed().unwrap());
    }

    #[test]
    fn a_pair_is_replaced_before_it_expires() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        assert!(!store.rotate_if_due(NOW.plus(25 * 86_400)).unwrap());
        let late = NOW.plus(26 * 86_400);
        assert!(store.rotate_if_due(late).unwrap());
        assert!(!store.rotate_if_due(late).unwrap());
    }

    #[test]
    fn a_rotation_cut_off_half_way_loses_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        // What is there when the power goes after the first step.
        retire_current(directory.path(), NOW).unwrap();
        fs::write(directory.path().join(".current.pem.new"), "half a ke").unwrap();
        let again = open(directory.path());
        assert_eq!(
            again.ring().current().certificate(),
            store.ring().current().certificate()
        );
        assert!(again.ring().old().is_empty());
        again.rotate(NOW.plus(1)).unwrap();
        assert_eq!(again.ring().old().len(), 1);
    }

    #[test]
    fn keys_for_another_site_are_told() {
        let directory = tempfile::tempdir().unwrap();
        open(directory.path()).check_site().unwrap();
        let other = Wwwroot::parse("https://other.example.org").unwrap();
        let store = KeyStore::open(directory.path(), &other, NOW, 28).unwrap();
        let error = store.check_site().unwrap_err().to_string();
        assert!(error.contains("https://register.example.org"), "{error}");
        assert!(error.contains("https://other.example.org"), "{error}");
        store.rotate(NOW).unwrap();
        store.check_site().unwrap();
    }

    #[test]
    fn damage_is_told_with_the_file() {
        let directory = tempfile::tempdir().unwrap();
        open(directory.path());
        let current = directory.path().join(CURRENT);
        fs::write(&current, "rubbish").unwrap();
        let wwwroot = Wwwroot::parse("https://register.example.org").unwrap();
        let error = KeyStore::open(directory.path(), &wwwroot, NOW, 28).unwrap_err();
        assert!(error.to_string().contains("current.pem"), "{error}");
    }
}
