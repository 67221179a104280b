//! A whole run: what is there, the cases in order, the table.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use thiserror::Error;

use crate::case::{Case, Need, Outcome, Scene};
use crate::cases;
use crate::clock;
use crate::failure::{Failure, Held};
use crate::mnetd::addresses;
use crate::moodle::{Moodle, Php, Versions};
use crate::options::{Options, Place};
use crate::report::{Ended, Report};
use crate::turn::Turn;

/// Why there was no run.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Something of the kit.
    #[error(transparent)]
    Kit(#[from] Failure),
    /// PHP without RC4.
    #[error(
        "{moodle}: this PHP cannot seal a message with RC4, without which there is no MNet ({problem}). In the openssl.cnf of the PHP process, activate both the default and the legacy provider:\n\n\
         [openssl_init]\nproviders = provider_sect\n\n[provider_sect]\ndefault = default_sect\nlegacy = legacy_sect\n\n[default_sect]\nactivate = 1\n\n[legacy_sect]\nactivate = 1\n\n\
         and name that file with --openssl-conf. Moodle's web server needs the same (OPENSSL_CONF in its environment)"
    )]
    NoRc4 {
        /// Which Moodle.
        moodle: String,
        /// What OpenSSL says.
        problem: String,
    },
    /// No mnetd to run.
    #[error("--mnetd: {0} is not there: cargo build builds it, or name another")]
    NoMnetd(PathBuf),
    /// A Moodle that calls itself by another name.
    #[error(
        "--url: the Moodle in {folder} calls itself {wwwroot}, not {url}: give the address it calls itself by"
    )]
    OtherAddress {
        /// Its folder.
        folder: String,
        /// Its own word for it.
        wwwroot: String,
        /// What was given.
        url: String,
    },
    /// A Moodle in the middle of an upgrade.
    #[error(
        "{0} waits for an upgrade and serves nobody until then: php admin/cli/upgrade.php --non-interactive, in its folder"
    )]
    UpgradeWaits(String),
    /// Nothing to run.
    #[error("no case has {0:?} in its name; --list shows them all")]
    NoSuchCase(Vec<String>),
}

/// Runs what the options ask for, and prints it.
///
/// # Errors
/// When the cases cannot even be begun.
pub fn run(options: &Options) -> Result<Report, Refusal> {
    if options.list {
        list();
        return Ok(Report::default());
    }
    let cases = chosen(&options.only)?;
    let scene = scene(options)?;
    let _turn = Turn::at(scene.moodles().map(Moodle::url))?;
    let versions = versions(&scene)?;
    for line in &versions {
        println!("{line}");
    }
    for moodle in scene.moodles() {
        moodle.clean_up()?;
    }
    if options.clean {
        return Ok(Report::default());
    }
    let report = play_all(&cases, &scene);
    println!("\n{}\n{}", report.table(), report.summary());
    if let Some(path) = &options.write {
        write(path, &(report.markdown() + "\n"))?;
    }
    if let Some(path) = &options.json {
        write(path, &format!("{:#}\n", report.json(&versions)))?;
    }
    Ok(report)
}

fn write(path: &Path, text: &str) -> Held {
    fs::write(path, text).map_err(|source| Failure::File {
        path: path.to_owned(),
        source,
    })
}

fn list() {
    for case in cases::all() {
        println!("{}\n    {}", case.name, case.shows);
    }
}

fn chosen(only: &[String]) -> Result<Vec<Case>, Refusal> {
    let wanted = |case: &Case| only.is_empty() || only.iter().any(|part| case.name.contains(part));
    let chosen: Vec<Case> = cases::all().into_iter().filter(wanted).collect();
    if chosen.is_empty() {
        return Err(Refusal::NoSuchCase(only.to_vec()));
    }
    Ok(chosen)
}

fn scene(options: &Options) -> Result<Scene, Refusal> {
    let php = php(options);
    let first = place(options.moodle.as_deref(), options.url.as_deref());
    let second = place(
        options.second_moodle.as_deref(),
        options.second_url.as_deref(),
    );
    let program =
        fs::canonicalize(&options.mnetd).map_err(|_| Refusal::NoMnetd(options.mnetd.clone()))?;
    let moodle = |place: &Place| {
        let peers = addresses(options.first_port);
        let moodle = Moodle::new(&place.folder, &place.url, php.clone(), peers)?;
        checked(match options.sign_on {
            Some(plugin) => moodle.signing_on_by(plugin),
            None => moodle,
        })
    };
    Ok(Scene {
        moodle: moodle(&first.unwrap_or_else(|| Place {
            folder: ".".into(),
            url: String::new(),
        }))?,
        second: second.as_ref().map(moodle).transpose()?,
        under_path: options.path_moodle.as_ref().map(moodle).transpose()?,
        program,
        first_port: options.first_port,
    })
}

fn place(folder: Option<&Path>, url: Option<&str>) -> Option<Place> {
    Some(Place {
        folder: folder?.to_owned(),
        url: url?.to_owned(),
    })
}

fn php(options: &Options) -> Php {
    let conf = options
        .openssl_conf
        .as_ref()
        .map(|file| ("OPENSSL_CONF", file.display().to_string()));
    let ini = options
        .php_ini_scan_dir
        .as_ref()
        .map(|dirs| ("PHP_INI_SCAN_DIR", dirs.clone()));
    Php {
        command: options.php.split_whitespace().map(str::to_owned).collect(),
        variables: [conf, ini]
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

/// A Moodle that can seal.
fn checked(moodle: Moodle) -> Result<Moodle, Refusal> {
    match moodle.seals()? {
        Ok(()) => Ok(moodle),
        Err(problem) => Err(Refusal::NoRc4 {
            moodle: moodle.url().to_owned(),
            problem,
        }),
    }
}

/// What the run is against, a line for mnetd and one for each Moodle; each Moodle is looked at for whether it can be.
fn versions(scene: &Scene) -> Result<Vec<String>, Refusal> {
    let output = Command::new(&scene.program).arg("--version").output();
    let output = output.map_err(|source| Failure::Program {
        program: scene.program.display().to_string(),
        source,
    })?;
    let mut lines = vec![String::from_utf8_lossy(&output.stdout).trim().to_owned()];
    for moodle in scene.moodles() {
        let versions = moodle.versions()?;
        lines.push(format!("{}: {}", moodle.url(), versions.line()));
        ready(moodle, &versions)?;
    }
    Ok(lines)
}

/// Whether a Moodle is the one that was meant, and serves.
fn ready(moodle: &Moodle, versions: &Versions) -> Result<(), Refusal> {
    if versions.wwwroot != moodle.url() {
        return Err(Refusal::OtherAddress {
            folder: moodle.folder().display().to_string(),
            wwwroot: versions.wwwroot.clone(),
            url: moodle.url().to_owned(),
        });
    }
    if versions.upgrade_waits {
        return Err(Refusal::UpgradeWaits(moodle.url().to_owned()));
    }
    Ok(())
}

fn play_all(cases: &[Case], scene: &Scene) -> Report {
    let mut report = Report::default();
    for case in cases {
        println!("… {}", case.name);
        let began = Instant::now();
        let result = play(case, scene);
        let ended = Ended {
            name: case.name,
            result,
            took: began.elapsed(),
        };
        let (word, note) = ended.told();
        println!("  {word} {:.1} s {note}", ended.took.as_secs_f64());
        report.cases.push(ended);
    }
    report
}

/// Plays one case, and puts back what it changed, whether it held or not.
fn play(case: &Case, scene: &Scene) -> Held<Outcome> {
    if let Some(why) = lacking(case.needs, scene) {
        return Ok(Outcome::Skipped(why));
    }
    let played = prepare(scene).and_then(|()| (case.run)(scene));
    let cleaned: Held = scene.moodles().try_for_each(Moodle::clean_up);
    // What the case itself found is worth more than what went wrong afterwards.
    let outcome = played?;
    cleaned?;
    Ok(outcome)
}

fn prepare(scene: &Scene) -> Held {
    scene.moodles().try_for_each(Moodle::prepare)
}

fn lacking(needs: &[Need], scene: &Scene) -> Option<String> {
    needs.iter().find_map(|need| need.lacking(scene))
}

impl Need {
    /// What is missing here, if it is.
    fn lacking(self, scene: &Scene) -> Option<String> {
        let plugin = "local/mnetd/version.php";
        let why = match self {
            Self::LocalMnetd if !scene.moodle.has(plugin) => "local_mnetd is not installed",
            Self::SingleSignOn if scene.moodle.sign_on_plugin().is_none() => {
                "neither auth_mnet nor auth_mnetd is installed"
            }
            Self::SecondMoodle => match &scene.second {
                None => "no --second-moodle was given",
                Some(moodle) if !moodle.has(plugin) => "the second Moodle has no local_mnetd",
                Some(_) => return None,
            },
            Self::PathMoodle => match &scene.under_path {
                None => "no --path-moodle was given",
                Some(moodle) if !moodle.has(plugin) => "the Moodle under a path has no local_mnetd",
                Some(_) => return None,
            },
            Self::Faketime if clock::shifted(0).is_none() => "libfaketime is not installed",
            Self::LocalMnetd | Self::SingleSignOn | Self::Faketime => return None,
        };
        Some(why.to_owned())
    }
}
