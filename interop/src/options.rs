//! What is given on the command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;
use thiserror::Error;

use crate::moodle::SignOnPlugin;

// The doc comments of arguments are the help texts people read in a terminal: no backticks.
/// Run mnetd and its plugins against Moodle sites that run, case by case.
///
/// All that is needed inside a Moodle is done by a script of ours with that Moodle's PHP; what was changed is put back.
/// Use test sites: users, courses and peers whose names begin with interop- are made and removed.
#[derive(Debug, Parser)]
#[command(version)]
#[allow(clippy::doc_markdown)]
pub struct Options {
    /// The folder of the Moodle to run against, the one with its config.php
    #[arg(long, value_name = "FOLDER", required_unless_present = "list")]
    pub moodle: Option<PathBuf>,

    /// Its address: what its $CFG->wwwroot says
    #[arg(long, value_name = "URL", required_unless_present = "list")]
    pub url: Option<String>,

    /// The PHP that this Moodle runs with, with its arguments if need be
    #[arg(long, value_name = "COMMAND", default_value = "php")]
    pub php: String,

    /// The openssl.cnf for PHP, one that turns the legacy provider on, for RC4 (passed on as OPENSSL_CONF)
    #[arg(long, value_name = "FILE", env = "OPENSSL_CONF")]
    pub openssl_conf: Option<PathBuf>,

    /// A directory with further PHP settings (passed on as PHP_INI_SCAN_DIR)
    #[arg(long, value_name = "DIRS", env = "PHP_INI_SCAN_DIR")]
    pub php_ini_scan_dir: Option<String>,

    /// The folder of a second Moodle, for the cases with two
    #[arg(long, value_name = "FOLDER", requires = "second_url")]
    pub second_moodle: Option<PathBuf>,

    /// The address of the second Moodle
    #[arg(long, value_name = "URL", requires = "second_moodle")]
    pub second_url: Option<String>,

    /// A Moodle whose address has a path, such as /srv/moodle,http://127.0.0.1:8840/moodle
    #[arg(long, value_name = "FOLDER,URL")]
    pub path_moodle: Option<Place>,

    /// The plugin for single sign-on to go by [default: mnet where it is installed, else mnetd]
    #[arg(long, value_name = "PLUGIN")]
    pub sign_on: Option<SignOnPlugin>,

    /// The mnetd to run
    #[arg(long, value_name = "FILE", default_value = "target/debug/mnetd")]
    pub mnetd: PathBuf,

    /// The first of twenty ports for the mnetd of each case
    #[arg(long, value_name = "PORT", default_value_t = 18_950)]
    pub first_port: u16,

    /// Run only cases whose name holds one of these
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub only: Vec<String>,

    /// List the cases and run none
    #[arg(long)]
    pub list: bool,

    /// Only put back what an earlier run left behind, and run no case
    #[arg(long)]
    pub clean: bool,

    /// Also write the table, as Markdown, into this file
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,

    /// Also write all results and what was measured, as JSON, into this file
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

/// A Moodle's folder and address in one word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The folder with its config.php.
    pub folder: PathBuf,
    /// Its wwwroot.
    pub url: String,
}

/// A word that names no folder and address.
#[derive(Debug, Error)]
#[error(
    "expected a folder and an address with a comma between them, such as /srv/moodle,http://127.0.0.1:8840/moodle"
)]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (folder, url) = text.split_once(',').ok_or(NoPlace)?;
        if folder.is_empty() || !url.starts_with("http") {
            return Err(NoPlace);
        }
        Ok(Self {
            folder: folder.into(),
            url: url.trim_end_matches('/').to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory as _;
        Options::command().debug_assert();
    }

    #[test]
    fn a_place_is_a_folder_and_an_address() {
        let place: Place = "/srv/m,http://127.0.0.1:8840/moodle/".parse().unwrap();
        assert_eq!(place.folder, PathBuf::from("/srv/m"));
        assert_eq!(place.url, "http://127.0.0.1:8840/moodle");
    }

    #[test]
    fn a_place_without_an_address_is_refused() {
        assert!("/srv/m".parse::<Place>().is_err());
        assert!("/srv/m,8840".parse::<Place>().is_err());
    }
}
