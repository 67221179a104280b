//! A copy of the database beside its use.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::{Reason, StoreError};
use super::{FILE_MODE, migrations, open_reader};

/// Copies the database at `path` into the new file `copy`, as it stands at one moment, while others write.
/// The copy is on disk when this returns, and for its owner alone (0600). Its schema is the original's:
/// nothing is brought up to date, so that a copy can be made before an upgrade with either program.
///
/// # Errors
/// When `copy` is there already or cannot be written, or the original cannot be read or is not ours.
pub fn back_up(path: &Path, copy: &Path) -> Result<(), StoreError> {
    let failed = |reason: Reason| StoreError::Backup {
        copy: copy.to_owned(),
        reason,
    };
    let conn = open_reader(path)?;
    migrations::check_owner(&conn, path)?;
    let name = copy
        .to_str()
        .ok_or_else(|| failed(std::io::Error::from(std::io::ErrorKind::InvalidFilename).into()))?;
    // SQLite writes into an empty file, and keeps its mode; one that it makes others may read.
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(FILE_MODE)
        .open(copy)
        .map_err(|error| failed(error.into()))?;
    conn.execute("VACUUM INTO ?1", [name])
        .map_err(|error| failed(error.into()))?;
    // It leaves the file to the system's care otherwise (SQLite, VACUUM INTO).
    File::open(copy)
        .and_then(|file| file.sync_all())
        .map_err(|error| failed(error.into()))
}
