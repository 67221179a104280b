//! What is wrong with an option, by the file's line or the variable's name, and what was expected.

use std::path::Path;

use figment::error::Kind;

use super::{ConfigError, OPTIONS, PREFIX};

/// Names further apart than this are not taken for misspelt: two letters missing, too many or wrong.
const MISSPELT: usize = 2;

/// Puts figment's finding into words. `text`: what `file` holds.
pub(super) fn explain(error: &figment::Error, file: &Path, text: &str) -> ConfigError {
    let is_in_file = error
        .metadata
        .as_ref()
        .is_some_and(|source| source.source.is_some());
    let option = error.path.last().map(|name| name.to_lowercase());
    let Some(option) = option else {
        return unreadable(&error.kind.to_string(), file, text);
    };
    let place = if is_in_file {
        in_file(file, line_of(&option, text))
    } else {
        format!("{PREFIX}{}", option.to_uppercase())
    };
    if let Kind::UnknownField(name, _) = &error.kind {
        return ConfigError::Unknown {
            advice: advice(name),
            place,
            name: name.clone(),
        };
    }
    ConfigError::Value {
        place,
        problem: problem(&error.kind),
        expected: expected(&option).unwrap_or("something else"),
        option,
    }
}

/// The option that a misspelt variable `name` seems to mean: `MNETD_WWWROT` is close to `MNETD_WWWROOT`.
pub(super) fn misspelt_option(name: &str) -> Option<&'static str> {
    nearest(&name.strip_prefix(PREFIX)?.to_lowercase())
}

/// Whether `name` is a variable that is read.
pub(super) fn is_read(name: &str) -> bool {
    name.strip_prefix(PREFIX)
        .is_some_and(|rest| expected(&rest.to_lowercase()).is_some())
}

fn unreadable(message: &str, file: &Path, text: &str) -> ConfigError {
    // The parser tells the place in words: “TOML parse error at line 2, column 11”.
    let line = message
        .split_once("at line ")
        .and_then(|(_, rest)| rest.split(',').next()?.parse::<usize>().ok());
    let written = line
        .and_then(|line| text.lines().nth(line.checked_sub(1)?))
        .unwrap_or_default()
        .trim();
    let option = written.split('=').next().unwrap_or_default().trim();
    ConfigError::Syntax {
        place: in_file(file, line),
        written: written.to_owned(),
        expected: expected(option).map_or_else(
            || {
                "lines such as max_age = 300, and texts in quotes: data = \"/var/lib/mnetd\""
                    .to_owned()
            },
            |expected| format!("{option} = and {expected}"),
        ),
    }
}

fn in_file(file: &Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}, line {line}", file.display()),
        None => file.display().to_string(),
    }
}

/// The line, counted from 1, on which the option or section stands.
fn line_of(option: &str, text: &str) -> Option<usize> {
    let names = |line: &str| {
        line.trim_start_matches([' ', '\t', '[', '"', '\''])
            .to_lowercase()
            .strip_prefix(option)
            .is_some_and(|rest| {
                rest.trim_start_matches(['"', '\''])
                    .trim_start()
                    .starts_with(['=', ']', '.'])
            })
    };
    text.lines().position(names).map(|place| place + 1)
}

fn expected(option: &str) -> Option<&'static str> {
    OPTIONS
        .iter()
        .find(|(name, _)| *name == option)
        .map(|(_, expected)| *expected)
}

fn nearest(name: &str) -> Option<&'static str> {
    OPTIONS
        .iter()
        .map(|(option, _)| (strsim::osa_distance(option, name), *option))
        .filter(|(distance, _)| *distance <= MISSPELT)
        .min()
        .map(|(_, option)| option)
}

fn advice(name: &str) -> String {
    if let Some(nearest) = nearest(&name.to_lowercase().replace('-', "_")) {
        return format!("did you mean {nearest}?");
    }
    let names: Vec<_> = OPTIONS.iter().map(|(name, _)| *name).collect();
    format!("there are {}, all without a [section]", names.join(", "))
}

fn problem(kind: &Kind) -> String {
    match kind {
        Kind::InvalidType(found, _) | Kind::InvalidValue(found, _) => format!("is {found}"),
        Kind::UnknownVariant(found, _) => format!("is “{found}”"),
        Kind::Message(message) => format!("cannot be used ({message})"),
        kind => format!("cannot be used ({kind})"),
    }
}
