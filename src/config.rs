//! Configuration: flags over `MNETD_*` variables over `mnetd.toml` over what is built in.
//!
//! All three speak of the same options by the same names ([`Overrides`]); [`Config`] is what comes out.

mod mistake;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::keys::DEFAULT_LIFETIME_DAYS;
use crate::wwwroot::{Wwwroot, WwwrootError};

/// The file that is read where no other is named, if it is there.
pub const DEFAULT_FILE: &str = "mnetd.toml";

/// What the names of variables begin with.
const PREFIX: &str = "MNETD_";

/// Where the server listens unless told otherwise: this machine only.
const DEFAULT_LISTEN: &str = "127.0.0.1:8080";

/// How often peers are synchronised unless told otherwise: what calls left out is put right within a day.
const DEFAULT_SYNC_EVERY: &str = "24h";

/// The bounds of that interval: more often is the work of calls, more seldom is as good as off.
const SYNC_BOUNDS: std::ops::RangeInclusive<Duration> =
    Duration::from_mins(15)..=Duration::from_hours(30 * 24);

/// What every option is when nobody says anything.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address this site calls itself by; `None` where nobody named one, so that the one the
    /// server last ran under can be used.
    pub wwwroot: Option<Wwwroot>,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// Where `mnetd.db` and `keys/` are.
    pub data: PathBuf,
    /// Where `/metrics` listens; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines there are: a `tracing` filter such as `info` or `mnetd=debug`; `None`: what suits
    /// the command.
    pub log: Option<String>,
    /// Whether an unknown site may register itself by keyswap.
    pub register_all_hosts: bool,
    /// How old a request may be, in seconds.
    pub max_age: i64,
    /// How far ahead a request or reply may be dated, in seconds.
    pub max_ahead: i64,
    /// How long a certificate of ours holds, in days.
    pub key_lifetime_days: u32,
    /// How long a request to a peer may take, in seconds.
    pub timeout: u64,
    /// A PEM file with further certificate authorities to trust for https.
    pub ca_file: Option<PathBuf>,
    /// Reverse proxies whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// How often peers are synchronised; `None`: only when somebody asks for it.
    pub sync_every: Option<Duration>,
}

/// The options as a flag, a variable or a line of the file sets them; `None` leaves them as they are.
#[derive(Args, Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[command(next_help_heading = "Options of every command")]
pub struct Overrides {
    /// The address this site calls itself by, and its name for every peer [default: the one the server
    /// last ran under; at first http:// and the listening address]
    #[arg(long, global = true, value_name = "URL")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wwwroot: Option<String>,

    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,

    /// Where mnetd.db and keys/ are [default: the present directory]
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,

    /// Where Prometheus may read /metrics [default: nowhere]
    #[arg(long, global = true, value_name = "ADDR:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_listen: Option<SocketAddr>,

    /// How log lines look [default: text]
    #[arg(long, global = true, value_name = "text|json")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,

    /// Which log lines there are, such as warn, info or mnetd=debug [default: info for the
    /// server, warn for the other commands]
    #[arg(long, global = true, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,

    /// Let unknown sites register themselves by keyswap [default: false]
    #[arg(long, global = true, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register_all_hosts: Option<bool>,

    /// How many seconds old a request may be [default: 300]
    #[arg(long, global = true, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,

    /// How many seconds ahead a request or reply may be dated [default: 15]
    #[arg(long, global = true, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_ahead: Option<u32>,

    /// How many days a key pair of ours is used [default: 28]
    #[arg(long, global = true, value_name = "DAYS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_lifetime_days: Option<u32>,

    /// How many seconds a request to a peer may take [default: 30]
    #[arg(long, global = true, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u64>,

    /// A PEM file with further certificate authorities to trust for https
    #[arg(long, global = true, value_name = "FILE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,

    /// Reverse proxies whose X-Forwarded-For is believed, separated by commas [default: none]
    #[arg(long, global = true, value_name = "ADDR,…")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<String>,

    /// How often peers are asked for all they have, such as 24h, 90m or 2d; or off [default: 24h]
    #[arg(long, global = true, value_name = "TIME|off")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sync_every: Option<String>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for log collectors.
    Json,
}

/// What is wrong with the configuration.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A file that was named is not there.
    #[error("the configuration file {0} does not exist")]
    NoFile(PathBuf),
    /// A file that is there and cannot be read.
    #[error("the configuration file {path} cannot be read: {source}")]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is no TOML.
    #[error("{place}: “{written}” cannot be read. Expected: {expected}")]
    Syntax {
        /// The file and the line.
        place: String,
        /// What stands there.
        written: String,
        /// What could stand there.
        expected: String,
    },
    /// An option that does not exist.
    #[error("{place}: there is no option {name}; {advice}")]
    Unknown {
        /// The file and the line, or the variable.
        place: String,
        /// The option as written.
        name: String,
        /// What there is instead.
        advice: String,
    },
    /// A value of the wrong kind.
    #[error("{place}: {option} {problem}; expected {expected}")]
    Value {
        /// The file and the line, or the variable.
        place: String,
        /// Which option.
        option: String,
        /// What is wrong.
        problem: String,
        /// What can be used.
        expected: &'static str,
    },
    /// A variable whose name is nearly that of an option.
    #[error("there is no variable {given}; did you mean {PREFIX}{}?", .option.to_uppercase())]
    Misspelt {
        /// As it is set.
        given: String,
        /// The option whose name is near.
        option: &'static str,
    },
    /// The wwwroot is none.
    #[error("wwwroot: {0}")]
    Wwwroot(#[from] WwwrootError),
    /// A trusted proxy that is no address.
    #[error(
        "trusted_proxies: “{0}” is not an address or network such as 192.0.2.7 or 192.0.2.0/24"
    )]
    Proxy(String),
    /// An interval that is none.
    #[error(
        "sync_every: “{0}” is no interval; expected a whole number with m, h or d behind it, such as 24h, between 15m and 30d, or off"
    )]
    SyncEvery(String),
    /// A number outside its bounds.
    #[error("{option} is {given}; between {least} and {most} is possible")]
    OutOfRange {
        /// Its name.
        option: &'static str,
        /// What it was set to.
        given: u64,
        /// The least possible value.
        least: u64,
        /// The greatest possible value.
        most: u64,
    },
}

impl Config {
    /// Puts the sources together. `file`: the one named with `--config`, which must then exist.
    ///
    /// # Errors
    /// When a file is missing, an option unknown, or a value cannot be used; the message names the
    /// source.
    pub fn load(file: Option<&Path>, flags: &Overrides) -> Result<Self, ConfigError> {
        if let Some(path) = file
            && !path.exists()
        {
            return Err(ConfigError::NoFile(path.to_owned()));
        }
        check_variables(variable_names())?;
        let file = file.unwrap_or(Path::new(DEFAULT_FILE));
        let mut sources = Figment::new();
        let mut text = String::new();
        if file.exists() {
            text = std::fs::read_to_string(file).map_err(|source| ConfigError::Unreadable {
                path: file.to_owned(),
                source,
            })?;
            sources = sources.merge(Toml::file_exact(file));
        }
        let overrides: Overrides = sources
            .merge(Env::prefixed(PREFIX).only(&OPTIONS.map(|(name, _)| name)))
            .merge(Serialized::defaults(flags))
            .extract()
            .map_err(|error| mistake::explain(&error, file, &text))?;
        Self::from_overrides(overrides)
    }

    fn from_overrides(given: Overrides) -> Result<Self, ConfigError> {
        let in_range = |option, given: u64, least, most| {
            if (least..=most).contains(&given) {
                Ok(given)
            } else {
                Err(ConfigError::OutOfRange {
                    option,
                    given,
                    least,
                    most,
                })
            }
        };
        let max_age = given.max_age.unwrap_or(300);
        let max_ahead = given.max_ahead.unwrap_or(15);
        let lifetime = given.key_lifetime_days.unwrap_or(DEFAULT_LIFETIME_DAYS);
        // A day at the least, for peers to learn of a new key; at most what a 32-bit clock can date.
        in_range("key_lifetime_days", lifetime.into(), 1, 3650)?;
        in_range("max_age", max_age.into(), 1, 86_400)?;
        in_range("max_ahead", max_ahead.into(), 0, 86_400)?;
        let timeout = in_range("timeout", given.timeout.unwrap_or(30), 1, 600)?;
        Ok(Self {
            wwwroot: given.wwwroot.as_deref().map(Wwwroot::parse).transpose()?,
            listen: given.listen.unwrap_or_else(default_listen),
            data: given.data.unwrap_or_else(|| PathBuf::from(".")),
            metrics_listen: given.metrics_listen,
            log_format: given.log_format.unwrap_or_default(),
            log: given.log,
            register_all_hosts: given.register_all_hosts.unwrap_or(false),
            max_age: max_age.into(),
            max_ahead: max_ahead.into(),
            key_lifetime_days: lifetime,
            timeout,
            ca_file: given.ca_file,
            trusted_proxies: parse_networks(given.trusted_proxies.as_deref().unwrap_or_default())?,
            sync_every: parse_interval(given.sync_every.as_deref().unwrap_or(DEFAULT_SYNC_EVERY))?,
        })
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("mnetd.db")
    }

    /// The directory of key pairs.
    #[must_use]
    pub fn keys(&self) -> PathBuf {
        self.data.join("keys")
    }
}

/// Every option, and what it takes, in words that follow “expected”.
const OPTIONS: [(&str, &str); 14] = [
    (
        "wwwroot",
        "an address in quotes, such as \"https://register.example.org\"",
    ),
    (
        "listen",
        "an address with its port in quotes, such as \"127.0.0.1:8080\" (numbers, no name)",
    ),
    ("data", "a directory in quotes, such as \"/var/lib/mnetd\""),
    (
        "metrics_listen",
        "an address with its port in quotes, such as \"127.0.0.1:9090\" (numbers, no name)",
    ),
    ("log_format", "\"text\" or \"json\""),
    (
        "log",
        "a level or filter in quotes, such as \"info\" or \"info,mnetd::call=warn\"",
    ),
    ("register_all_hosts", "true or false"),
    ("max_age", "a whole number of seconds, such as 300"),
    ("max_ahead", "a whole number of seconds, such as 15"),
    ("key_lifetime_days", "a whole number of days, such as 28"),
    ("timeout", "a whole number of seconds, such as 30"),
    (
        "ca_file",
        "a PEM file in quotes, such as \"/etc/ssl/school.pem\"",
    ),
    (
        "trusted_proxies",
        "addresses or networks in one text, such as \"127.0.0.1, 192.0.2.0/24\"",
    ),
    (
        "sync_every",
        "an interval in quotes, such as \"24h\", or \"off\"",
    ),
];

/// Variables that begin as ours and are none: Kubernetes sets some for a service called mnetd, so that they
/// are no reason to stop.
#[must_use]
pub fn unknown_variables() -> Vec<String> {
    variable_names()
        .filter(|name| !mistake::is_read(name))
        .collect()
}

fn variable_names() -> impl Iterator<Item = String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with(PREFIX))
}

fn check_variables(names: impl Iterator<Item = String>) -> Result<(), ConfigError> {
    for given in names {
        if !mistake::is_read(&given)
            && let Some(option) = mistake::misspelt_option(&given)
        {
            return Err(ConfigError::Misspelt { given, option });
        }
    }
    Ok(())
}

fn parse_networks(list: &str) -> Result<Vec<IpNet>, ConfigError> {
    list.split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| {
            text.parse()
                .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
                .map_err(|_| ConfigError::Proxy(text.to_owned()))
        })
        .collect()
}

/// A whole number of minutes, hours or days; `off`: `None`.
fn parse_interval(text: &str) -> Result<Option<Duration>, ConfigError> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let refused = || ConfigError::SyncEvery(text.to_owned());
    let unit = text.chars().last().ok_or_else(refused)?;
    let minutes: u64 = match unit {
        'm' => 1,
        'h' => 60,
        'd' => 24 * 60,
        _ => return Err(refused()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default().trim_end();
    let number: u64 = number.parse().map_err(|_| refused())?;
    let seconds = number.checked_mul(minutes * 60).ok_or_else(refused)?;
    let interval = Duration::from_secs(seconds);
    if SYNC_BOUNDS.contains(&interval) {
        Ok(Some(interval))
    } else {
        Err(refused())
    }
}

fn default_listen() -> SocketAddr {
    DEFAULT_LISTEN
        .parse()
        .unwrap_or_else(|_| unreachable!("a constant that a test parses"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mnetd.toml");
        std::fs::write(&path, text).unwrap();
        (directory, path)
    }

    #[test]
    fn without_a_word_it_serves_this_machine_from_here() {
        let config = Config::from_overrides(Overrides::default()).unwrap();
        assert_eq!(config.listen, DEFAULT_LISTEN.parse().unwrap());
        assert_eq!(config.database(), PathBuf::from("./mnetd.db"));
        assert_eq!(config.keys(), PathBuf::from("./keys"));
        assert!(!config.register_all_hosts);
    }

    #[test]
    fn a_flag_stands_over_the_file() {
        let (_directory, path) = file("max_age = 60\nmax_ahead = 5\n");
        let flags = Overrides {
            max_age: Some(90),
            ..Overrides::default()
        };
        let config = Config::load(Some(&path), &flags).unwrap();
        assert_eq!((config.max_age, config.max_ahead), (90, 5));
    }

    #[test]
    fn every_option_can_come_from_a_variable() {
        let all = Overrides {
            wwwroot: Some("https://a.example".into()),
            listen: Some(default_listen()),
            data: Some("d".into()),
            metrics_listen: Some(default_listen()),
            log_format: Some(LogFormat::Json),
            log: Some("warn".into()),
            register_all_hosts: Some(true),
            max_age: Some(1),
            max_ahead: Some(1),
            key_lifetime_days: Some(1),
            timeout: Some(1),
            ca_file: Some("ca".into()),
            trusted_proxies: Some("10.0.0.1".into()),
            sync_every: Some("off".into()),
        };
        let names: Vec<_> = serde_json::to_value(&all)
            .unwrap()
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect();
        assert_eq!(names, OPTIONS.map(|(name, _)| name));
    }

    #[test]
    fn a_mistake_is_told_with_line_option_and_what_was_expected() {
        for (text, told) in [
            (
                "\nwwwrot = \"https://a.example\"\n",
                &["line 2: there is no option wwwrot; did you mean wwwroot?"][..],
            ),
            (
                "max_age = 60\n[server]\nlisten = \"x\"\n",
                &["line 2: there is no option server", "without a [section]"],
            ),
            (
                "max_age = \"abc\"\n",
                &["line 1: max_age is string \"abc\"; expected a whole number of seconds"],
            ),
            (
                "log_format = \"xml\"\n",
                &["line 1: log_format is “xml”; expected \"text\" or \"json\""],
            ),
            (
                "max_age = 1\nlisten = \"here\"\n",
                &["line 2: listen", "\"127.0.0.1:8080\""],
            ),
            (
                "max_age = 1\nwwwroot = https://a.example\n",
                &[
                    "line 2: “wwwroot = https://a.example” cannot be read",
                    "in quotes",
                ],
            ),
            ("rubbish\n", &["line 1: “rubbish”", "max_age = 300"]),
        ] {
            let (_directory, path) = file(text);
            let error = Config::load(Some(&path), &Overrides::default())
                .unwrap_err()
                .to_string();
            assert!(error.contains("mnetd.toml"), "{error}");
            for part in told {
                assert!(error.contains(part), "{part}: {error}");
            }
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn a_misspelt_variable_is_told_with_the_one_meant() {
        let check = |name: &str| check_variables(std::iter::once(name.to_owned()));
        let error = check("MNETD_WWWROT").unwrap_err().to_string();
        assert!(error.contains("did you mean MNETD_WWWROOT?"), "{error}");
        assert!(check("MNETD_MAX_AGES").is_err());
        assert!(check("MNETD_MAX_AGE").is_ok());
        assert!(check("MNETD_max_age").is_ok());
        // What Kubernetes sets for a service of that name.
        assert!(check("MNETD_PORT_8080_TCP_ADDR").is_ok());
        assert!(!mistake::is_read("MNETD_PORT_8080_TCP_ADDR"));
    }

    #[test]
    fn numbers_out_of_bounds_are_refused() {
        let (_directory, path) = file("key_lifetime_days = 0\n");
        let error = Config::load(Some(&path), &Overrides::default()).unwrap_err();
        assert!(matches!(error, ConfigError::OutOfRange { .. }), "{error}");
    }

    #[test]
    fn an_interval_is_a_number_with_its_unit_or_off() {
        let hours = |hours| Some(Duration::from_hours(hours));
        for (text, interval) in [
            ("24h", hours(24)),
            (" 90m ", Some(Duration::from_mins(90))),
            ("2 d", hours(48)),
            ("off", None),
            ("Off", None),
        ] {
            assert_eq!(parse_interval(text).unwrap(), interval, "{text}");
        }
        for text in [
            "",
            "24",
            "h",
            "14m",
            "31d",
            "-1h",
            "1.5h",
            "99999999999999999999d",
            "6000000000000000d",
            "24é",
        ] {
            assert!(parse_interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_that_was_named_must_exist() {
        let error = Config::load(Some(Path::new("no/such.toml")), &Overrides::default());
        assert!(matches!(error, Err(ConfigError::NoFile(_))));
    }
}
