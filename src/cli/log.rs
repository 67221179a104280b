//! The log of a run: which lines, how they look.

use std::io::IsTerminal;

use tracing::warn;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use super::CliError;
use crate::config::{self, Config, LogFormat};

/// The server says what it does; a command speaks for itself and logs only what is amiss, unless
/// asked.
pub fn start(config: &Config, is_server: bool) -> Result<(), CliError> {
    let usual = if is_server {
        "info,rusqlite_migration=warn"
    } else {
        "warn"
    };
    let filter = parse(config.log.as_deref().unwrap_or(usual))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    match config.log_format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
    for variable in config::unknown_variables() {
        warn!(%variable, "begins as a variable of mnetd and is none; it is left out of account");
    }
    Ok(())
}

/// A word alone is a target to the filter's own parser, so that `loud` would mean: nothing but the lines
/// of a module called loud. Here it has to be a level, or a module of ours.
fn parse(text: &str) -> Result<EnvFilter, CliError> {
    let refuse = || CliError::LogFilter(text.to_owned());
    let is_meant = |part: &str| {
        part.contains(['=', '['])
            // An empty word is a level to the parser.
            || (!part.is_empty() && part.parse::<LevelFilter>().is_ok())
            || part == "mnetd"
            || part.starts_with("mnetd::")
    };
    if !text.split(',').all(is_meant) {
        return Err(refuse());
    }
    EnvFilter::try_new(text).map_err(|_| refuse())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_level_is_refused() {
        for good in [
            "info",
            "WARN",
            "off",
            "info,rusqlite_migration=warn",
            "info,mnetd::call=warn",
            "mnetd::rpc",
            "mnetd[span{field=1}]=debug",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["loud", "info,loud", "mnetd=loud", "=&=", "", "info,"] {
            assert!(parse(bad).is_err(), "{bad} was taken");
        }
    }
}
