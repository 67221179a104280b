//! The data directory: whose it is, whether a register is in it, and which server works on it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::unistd::{Uid, User};
use thiserror::Error;

use super::hint;
use crate::config::Config;

/// Held by the server as long as it runs. It goes with the process, however that ends.
const SERVER_LOCK: &str = "server.lock";

/// Why a data directory cannot be worked on.
#[derive(Debug, Error)]
pub enum DataError {
    /// A command that only works on a register, where there is none.
    #[error(
        "there is no register in {0}: name the directory the server runs with (--data DIR, MNETD_DATA, or data in mnetd.toml), or begin a new register there with: mnetd serve"
    )]
    NoRegister(PathBuf),
    /// Something that is there, but no directory.
    #[error("--data: {0} is a file; a directory is expected, in which mnetd.db and keys/ are")]
    NotADirectory(PathBuf),
    /// What the system refuses.
    #[error(
        "--data: {path} cannot be used: {source}. Expected a directory that {user} may write to"
    )]
    Unusable {
        /// The directory, or the file in it.
        path: PathBuf,
        /// Who runs this.
        user: String,
        /// What the system said.
        source: io::Error,
    },
    /// Files of another user: what this process writes, that user's server could not read.
    #[error(
        "{path} belongs to {owner}, and this runs as {user}: files made now would be closed to the server. Run it as {owner}: sudo -u {owner} {command} — or, if they should be {user}'s, first: chown -R {user} {directory}"
    )]
    OtherOwner {
        /// What belongs to another.
        path: PathBuf,
        /// The data directory.
        directory: PathBuf,
        /// Whom it belongs to.
        owner: String,
        /// Who runs this.
        user: String,
        /// What was typed.
        command: String,
    },
    /// Another server.
    #[error(
        "another mnetd serves from {directory} already{process}. Stop it first, or give this one a directory of its own with --data"
    )]
    Served {
        /// The data directory.
        directory: PathBuf,
        /// Its process in brackets, where it is known.
        process: String,
    },
}

/// Keeps a second server from the directory until it is dropped.
#[derive(Debug)]
pub struct ServerLock {
    _file: File,
}

/// Checks that the directory may be worked on; makes it where the command `begins` a register.
///
/// # Errors
/// When there is no register and none is begun, when files are another user's, or when the directory
/// cannot be made.
pub fn prepare(config: &Config, begins: bool) -> Result<(), DataError> {
    let directory = absolute(&config.data);
    if directory.exists() && !directory.is_dir() {
        return Err(DataError::NotADirectory(directory));
    }
    let is_begun = config.database().try_exists().map_err(|error| {
        // A closed directory: it is another user's, unless its mode was changed.
        check_owner(&directory, &directory, Uid::effective().as_raw())
            .err()
            .unwrap_or_else(|| unusable(&directory)(error))
    })?;
    if !is_begun && !begins {
        return Err(DataError::NoRegister(directory));
    }
    // The register is personal data: a directory made here is its owner's alone.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .map_err(unusable(&directory))?;
    check_owners(&directory, Uid::effective().as_raw())
}

/// Takes the place of the one server of this directory.
///
/// # Errors
/// When a server holds it, or the lock file cannot be written.
pub fn lock_for_server(data: &Path) -> Result<ServerLock, DataError> {
    let path = data.join(SERVER_LOCK);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(unusable(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(DataError::Served {
                directory: absolute(data),
                process: holder(&mut file),
            });
        }
        Err(TryLockError::Error(error)) => return Err(unusable(&path)(error)),
    }
    // For the message above; the lock does not depend on it.
    file.set_len(0)
        .and_then(|()| write!(file, "{}", std::process::id()))
        .map_err(unusable(&path))?;
    Ok(ServerLock { _file: file })
}

fn holder(file: &mut File) -> String {
    let mut process = String::new();
    match file.read_to_string(&mut process) {
        Ok(_) if !process.is_empty() => format!(" (process {process})"),
        _ => String::new(),
    }
}

/// `running`: the user id of this process. A directory without a register is looked at for root only:
/// root's files are the ones its owner could not read, and nobody else can write where they should not.
fn check_owners(directory: &Path, running: u32) -> Result<(), DataError> {
    const FILES: [&str; 5] = [
        "mnetd.db",
        "mnetd.db-wal",
        "mnetd.db-shm",
        "keys",
        "keys/current.pem",
    ];
    let files = FILES.iter().map(|name| directory.join(name));
    let looked_at = files.chain((running == 0).then(|| directory.to_owned()));
    for path in looked_at {
        check_owner(&path, directory, running)?;
    }
    Ok(())
}

fn check_owner(path: &Path, directory: &Path, running: u32) -> Result<(), DataError> {
    let owner = match fs::metadata(path) {
        Ok(metadata) => metadata.uid(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(path)(error)),
    };
    if owner == running {
        return Ok(());
    }
    Err(DataError::OtherOwner {
        path: path.to_owned(),
        directory: directory.to_owned(),
        owner: user_name(owner),
        user: user_name(running),
        command: hint::typed(),
    })
}

/// A user's name; the number in the form sudo takes (`#1000`) where it has none.
fn user_name(id: u32) -> String {
    match User::from_uid(Uid::from_raw(id)) {
        Ok(Some(user)) => user.name,
        _ => format!("'#{id}'"),
    }
}

fn unusable(path: &Path) -> impl Fn(io::Error) -> DataError + '_ {
    |source| DataError::Unusable {
        path: path.to_owned(),
        user: user_name(Uid::effective().as_raw()),
        source,
    }
}

/// The directory by its full name: a relative one says little in a log.
fn absolute(directory: &Path) -> PathBuf {
    std::path::absolute(directory).map_or_else(
        |_| directory.to_owned(),
        // `.` at the end is kept by the function above.
        |path| path.components().collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_register_of_another_user_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let running = Uid::effective().as_raw();
        check_owners(directory.path(), running).unwrap();
        fs::write(directory.path().join("mnetd.db"), "").unwrap();
        check_owners(directory.path(), running).unwrap();
        let error = check_owners(directory.path(), running + 1).unwrap_err();
        let text = error.to_string();
        let owner = user_name(running);
        assert!(
            text.contains(&format!("sudo -u {owner} {}", hint::typed())),
            "{text}"
        );
        assert!(text.contains("mnetd.db"), "{text}");
    }

    #[test]
    fn the_lock_is_one_servers_until_it_is_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let lock = lock_for_server(directory.path()).unwrap();
        let error = lock_for_server(directory.path()).unwrap_err().to_string();
        let process = format!("process {}", std::process::id());
        assert!(error.contains(&process), "{error}");
        drop(lock);
        lock_for_server(directory.path()).unwrap();
    }

    #[test]
    fn a_user_without_a_name_is_told_by_number() {
        assert_eq!(user_name(4_294_000_000), "'#4294000000'");
    }
}
