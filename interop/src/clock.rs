//! Clocks that are wrong: programs run under libfaketime (Debian's package `faketime`), where it is installed.

use std::process::Command;

/// The variables under which a program's clock is `seconds` ahead, or behind where negative; none without libfaketime.
///
/// The library is named by the `faketime` program itself, which knows where it is; run in front of a server, that program
/// would stand between it and our signals.
#[must_use]
pub fn shifted(seconds: i64) -> Option<Vec<(String, String)>> {
    let shift = format!("{seconds:+}s");
    let output = Command::new("faketime")
        .args(["-f", &shift, "printenv", "LD_PRELOAD"])
        .output()
        .ok()?;
    let library = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    if library.is_empty() {
        return None;
    }
    let variables = [
        ("LD_PRELOAD", library),
        ("FAKETIME", shift),
        // Time limits go by the monotonic clock, which nobody sets.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("DONT_FAKE_MONOTONIC", "1".to_owned()),
    ];
    Some(
        variables
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}
