//! `mnetd backup`: database and keys in a directory of their own, while the server runs.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::CliError;
use super::output::say;
use crate::config::Config;
use crate::keys;
use crate::store;

#[derive(Args, Debug)]
pub struct BackupArguments {
    /// The directory to back up into: a new one, or one with nothing in it
    #[arg(value_name = "TARGET")]
    into: PathBuf,
}

/// Nothing of the site is opened: its schema stays as it is, and its keys too.
pub fn run(config: &Config, arguments: &BackupArguments) -> Result<ExitCode, CliError> {
    let into = &arguments.into;
    make_empty(into)?;
    store::back_up(&config.database(), &into.join("mnetd.db"))?;
    keys::copy(&config.keys(), &into.join("keys"))?;
    File::open(into)
        .and_then(|directory| directory.sync_all())
        .map_err(refused(into))?;
    say!("The register and the keys are in {}.", into.display());
    say!("They hold personal data and the private key: keep them as you keep those.");
    Ok(ExitCode::SUCCESS)
}

/// Makes the directory for its owner alone, or takes one with nothing in it.
fn make_empty(directory: &Path) -> Result<(), CliError> {
    let made = DirBuilder::new().mode(0o700).create(directory);
    match made {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(refused(directory)(error)),
    }
    let mut entries = fs::read_dir(directory).map_err(refused(directory))?;
    if entries.next().is_some() {
        return Err(CliError::BackupNotEmpty(directory.to_owned()));
    }
    fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).map_err(refused(directory))
}

fn refused(path: &Path) -> impl Fn(io::Error) -> CliError + '_ {
    |source| CliError::Backup {
        path: path.to_owned(),
        source,
    }
}
