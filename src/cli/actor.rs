//! Who types a command, for the history of what administrators did.

use std::os::unix::fs::MetadataExt;

use crate::store::audit::Actor;

/// From where commands come, in that history.
const ORIGIN: &str = "command line";

/// The system's user this program runs as, by name where the system has one.
pub fn on_the_command_line() -> Actor {
    let name = user_number().map_or_else(
        || "unknown".to_owned(),
        |number| user_name(number).unwrap_or_else(|| format!("user {number}")),
    );
    Actor {
        name,
        origin: ORIGIN.to_owned(),
    }
}

/// Linux shows a process to itself as a folder that belongs to its user.
fn user_number() -> Option<u32> {
    Some(std::fs::metadata("/proc/self").ok()?.uid())
}

/// From passwd(5): name, password, number, and so on, with colons between them.
fn user_name(number: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let number = number.to_string();
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    })
}
