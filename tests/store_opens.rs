//! Opening a database: its rights, its version, and what is refused.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mnetd::store::{Store, StoreError, settings};
use rusqlite::Connection;
use tempfile::TempDir;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_files_are_their_owners_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnetd.db");
    let store = Store::open(&path).unwrap();
    store
        .write_blocking::<_, StoreError, _>(|_| Ok(()))
        .unwrap();
    for file in ["mnetd.db", "mnetd.db-wal", "mnetd.db-shm"] {
        assert_eq!(mode(&folder.path().join(file)), 0o600, "{file}");
    }
}

#[test]
fn rights_of_others_are_taken_away() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnetd.db");
    drop(Store::open(&path).unwrap());
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    drop(Store::open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_database_of_a_newer_mnetd_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnetd.db");
    drop(Store::open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 999)
        .unwrap();
    let error = Store::open(&path).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 999, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("newer mnetd"));
}

#[test]
fn somebody_elses_database_is_left_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("moodle.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE mdl_user (id)")
        .unwrap();
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(
        Store::open(&path).unwrap_err(),
        StoreError::NotOurs { .. }
    ));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_that_is_no_database_is_said_to_be_damaged() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnetd.db");
    std::fs::write(&path, "x".repeat(4096)).unwrap();
    assert!(matches!(
        Store::open(&path).unwrap_err(),
        StoreError::Damaged(_)
    ));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = Store::open(Path::new("/nowhere/at/all/mnetd.db")).unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }));
    assert!(error.to_string().contains("/nowhere/at/all/mnetd.db"));
}

#[test]
fn histories_can_be_neither_changed_nor_erased() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnetd.db");
    drop(Store::open(&path).unwrap());
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch(
        "INSERT INTO person (id, username, sent_username, firstname, lastname, email, created_at, updated_at)
         VALUES (1, 'uma', 'uma', 'Uma', 'Berg', 'uma@example.org', 0, 0);
         INSERT INTO section (id, name, created_at, updated_at) VALUES (1, 'Biology', 0, 0);
         INSERT INTO enrolment (id, section, person, role, status, created_at, updated_at)
         VALUES (1, 1, 1, 'student', 1, 0, 0);
         INSERT INTO assessment (id, section, name, created_at, updated_at) VALUES (1, 1, 'Quiz', 0, 0);
         INSERT INTO grade (id, assessment, person, points_earned, excepted, attempt_num, created_at, updated_at)
         VALUES (1, 1, 1, 5.0, 0, 1, 0, 0);
         INSERT INTO school_enrolment_history (person, status, effective_at, recorded_at, author_kind)
         VALUES (1, 5, 0, 0, 'admin');
         INSERT INTO section_teacher_history (section, person, change, recorded_at, author_kind)
         VALUES (1, 1, 'came', 0, 'admin');
         INSERT INTO enrolment_history (enrolment, change, status, effective_at, recorded_at, author_kind)
         VALUES (1, 'status', 1, 0, 0, 'admin');
         INSERT INTO grade_history (grade, change, excepted, attempt_num, recorded_at, author_kind)
         VALUES (1, 'value', 0, 1, 0, 'admin');
         INSERT INTO audit_history (at, actor, origin, action, object)
         VALUES (0, 'head', 'command line', 'peer added', 'a peer');",
    )
    .unwrap();
    let mut statement = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '%history'")
        .unwrap();
    let tables: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(tables.len(), 5);
    for table in tables {
        for sql in [
            format!("UPDATE {table} SET id = id"),
            format!("DELETE FROM {table}"),
        ] {
            let error = conn.execute(&sql, []).unwrap_err();
            assert!(error.to_string().contains("append-only"), "{sql}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_read_at_the_same_time_and_see_what_was_acknowledged() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&folder.path().join("mnetd.db")).unwrap();
    let mut readers = Vec::new();
    for number in 0..40 {
        let store = store.clone();
        readers.push(tokio::spawn(async move {
            let value = number.to_string();
            let key = format!("key {number}");
            let (written_key, written) = (key.clone(), value.clone());
            store
                .write(move |tx| settings::set(tx, &written_key, &written))
                .await?;
            let found = store.read(move |tx| settings::get(tx, &key)).await?;
            assert_eq!(found, Some(value));
            Ok::<_, StoreError>(())
        }));
    }
    for reader in readers {
        reader.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_reader_that_panics_takes_no_connection_along() {
    let folder = TempDir::new().unwrap();
    let store = Store::open(&folder.path().join("mnetd.db")).unwrap();
    for _ in 0..10 {
        let panicked = store
            .read::<(), StoreError, _>(|_| panic!("this panic belongs to the test"))
            .await;
        assert!(matches!(panicked, Err(StoreError::Panicked)));
    }
    assert_eq!(
        store.read(|tx| settings::get(tx, "nothing")).await.unwrap(),
        None
    );
}
