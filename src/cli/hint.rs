//! Commands in messages, written so that they can be run as they stand.

use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::Arguments;
use crate::config::Config;

/// What a command of this run begins with: the program as it was found, and the options that lead to the
/// same register.
#[derive(Clone, Debug)]
pub struct Hints {
    program: String,
    options: String,
    subcommands: Vec<String>,
}

impl Hints {
    /// For the arguments of this run, and what came of them.
    pub fn new(arguments: &Arguments, config: &Config) -> Self {
        let mut options = String::new();
        let mut add = |option: &str, path: &Path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            options.extend([" ", option, " ", &quoted(&path.to_string_lossy())]);
        };
        if let Some(file) = &arguments.config {
            add("--config", file);
        }
        let is_named = arguments.overrides.data.is_some() || arguments.config.is_none();
        if is_named && config.data != Path::new(".") {
            add("--data", &config.data);
        }
        Self {
            program: program(),
            options,
            subcommands: Arguments::command()
                .get_subcommands()
                .map(|command| command.get_name().to_owned())
                .collect(),
        }
    }

    /// `text` with every command in it, such as `mnetd peer list`, made one that works from here.
    pub fn runnable(&self, text: &str) -> String {
        let mut parts = text.split("mnetd ");
        let mut runnable = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let follows_a_space = runnable
                .chars()
                .last()
                .is_none_or(|last| last.is_whitespace() || matches!(last, '`' | '(' | '“'));
            if follows_a_space && self.begins_with_subcommand(part) {
                runnable.extend([&self.program, &self.options, " "]);
            } else {
                runnable += "mnetd ";
            }
            runnable += part;
        }
        runnable
    }

    fn begins_with_subcommand(&self, text: &str) -> bool {
        let word = text
            .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .next()
            .unwrap_or_default();
        self.subcommands.iter().any(|name| name == word)
    }
}

/// The command of this run, as it was typed.
pub fn typed() -> String {
    let words: Vec<_> = std::env::args_os()
        .map(|word| quoted(&word.to_string_lossy()))
        .collect();
    words.join(" ")
}

/// `mnetd` where the shell finds this program by that name, else the path it was called by.
fn program() -> String {
    let called_by = std::env::args_os().next().map(PathBuf::from);
    match called_by {
        Some(path) if path.components().count() > 1 && !is_in_path(&path) => {
            quoted(&path.to_string_lossy())
        }
        _ => "mnetd".to_owned(),
    }
}

fn is_in_path(program: &Path) -> bool {
    let Ok(program) = program.canonicalize() else {
        return false;
    };
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path)
            .find_map(|directory| directory.join("mnetd").canonicalize().ok())
            == Some(program)
    })
}

/// A word for the shell, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_in_a_text_can_be_run_as_they_stand() {
        let hints = Hints {
            program: "target/release/mnetd".into(),
            options: " --data /srv/mnetd".into(),
            subcommands: vec!["peer".into(), "serve".into()],
        };
        for (text, runnable) in [
            (
                "mnetd peer list shows them, `mnetd serve` starts",
                "target/release/mnetd --data /srv/mnetd peer list shows them, `target/release/mnetd --data /srv/mnetd serve` starts",
            ),
            ("another mnetd serves", "another mnetd serves"),
            ("sudo -u mnetd mnetd …", "sudo -u mnetd mnetd …"),
            ("/var/lib/mnetd peer", "/var/lib/mnetd peer"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(hints.runnable(text), runnable);
        }
    }

    #[test]
    fn a_path_is_quoted_where_the_shell_needs_it() {
        assert_eq!(quoted("/var/lib/mnetd"), "/var/lib/mnetd");
        assert_eq!(quoted("/a b/it's"), r"'/a b/it'\''s'");
    }
}
