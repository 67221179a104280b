//! Brings a database up to date. The migrations themselves, and the rules for them, are in `schema/`.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use super::error::StoreError;

const STEPS: &[(&str, M<'_>)] = &[
    (
        "0001_peers.sql",
        M::up(include_str!("../../schema/0001_peers.sql")),
    ),
    (
        "0002_register.sql",
        M::up(include_str!("../../schema/0002_register.sql")),
    ),
    (
        "0003_sign_in.sql",
        M::up(include_str!("../../schema/0003_sign_in.sql")),
    ),
    (
        "0004_lists.sql",
        M::up(include_str!("../../schema/0004_lists.sql")),
    ),
    (
        "0005_sync.sql",
        M::up(include_str!("../../schema/0005_sync.sql")),
    ),
    (
        "0006_imports.sql",
        M::up(include_str!("../../schema/0006_imports.sql")),
    ),
];

/// SQLite's `application_id` of our files: "mnet" in ASCII.
const APPLICATION_ID: i64 = 0x6d6e_6574;

/// Runs the migrations that are still to be run, after checking that the database is ours and not
/// newer than this program.
pub(super) fn bring_up_to_date(conn: &mut Connection, path: &Path) -> Result<(), StoreError> {
    check_owner(conn, path)?;
    let found = version(conn)?;
    if found == latest() {
        return Ok(());
    }
    if found > latest() {
        return Err(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: latest(),
        });
    }
    let migrations = Migrations::new(STEPS.iter().map(|(_, step)| step.clone()).collect());
    conn.pragma_update(None, "application_id", APPLICATION_ID)?;
    match migrations.to_latest(conn) {
        Ok(()) => Ok(()),
        // Another process opened the same new database in the same moment and was first.
        Err(_) if version(conn)? == latest() => Ok(()),
        Err(error) => Err(StoreError::Migration {
            path: path.to_owned(),
            reason: error.into(),
        }),
    }
}

/// Refuses a database of another program.
pub(super) fn check_owner(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let owner: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if owner == APPLICATION_ID || (owner == 0 && tables == 0) {
        Ok(())
    } else {
        Err(StoreError::NotOurs {
            path: path.to_owned(),
        })
    }
}

fn version(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.pragma_query_value(None, "user_version", |row| row.get(0))?)
}

fn latest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_and_the_folder_agree() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| {
                std::path::Path::new(name)
                    .extension()
                    .is_some_and(|e| e == "sql")
            })
            .collect();
        files.sort();
        let listed: Vec<&str> = STEPS.iter().map(|(name, _)| *name).collect();
        assert_eq!(listed, files);
        for (index, name) in listed.iter().enumerate() {
            assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name}");
        }
    }

    #[test]
    fn every_migration_runs() {
        Migrations::new(STEPS.iter().map(|(_, step)| step.clone()).collect())
            .validate()
            .unwrap();
    }
}
