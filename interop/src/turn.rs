//! One run at a time against a Moodle: two would take each other's users and settings away.

use std::env;
use std::fs::{File, TryLockError};
use std::path::PathBuf;

use crate::failure::{Failure, Held};

/// Files held by this run, one a Moodle. The system lets them go when the program ends, however it ends.
pub struct Turn {
    _held: Vec<File>,
}

impl Turn {
    /// Waits until no other run on this machine is at any of these Moodles.
    ///
    /// # Errors
    /// When there is no place for the files.
    pub fn at<'a>(urls: impl Iterator<Item = &'a str>) -> Held<Self> {
        let mut paths: Vec<PathBuf> = urls.map(path).collect();
        // In the same order everywhere, so that two runs cannot wait for each other.
        paths.sort();
        paths.dedup();
        let held = paths.iter().map(hold).collect::<Held<Vec<File>>>()?;
        Ok(Self { _held: held })
    }
}

fn path(url: &str) -> PathBuf {
    let plain: String = url
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    env::temp_dir().join(format!("mnetd-interop-{plain}.lock"))
}

fn hold(path: &PathBuf) -> Held<File> {
    let failure = |source| Failure::File {
        path: path.clone(),
        source,
    };
    let file = File::options()
        .create(true)
        .append(true)
        .open(path)
        .map_err(failure)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            println!("waiting for another run that holds {}", path.display());
            file.lock().map_err(failure)?;
        }
        Err(TryLockError::Error(source)) => return Err(failure(source)),
    }
    Ok(file)
}
