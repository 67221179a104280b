//! Jobs that wait are written together: all are on disk when they are answered, and none disturbs
//! another.

#![allow(clippy::unwrap_used)] // a test fails by a panic

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use mnetd::clock::UnixTime;
use mnetd::store::peers::{self, Application, NewPeer, TextDialect};
use mnetd::store::{MAX_BEHIND, PeerId, Store, StoreError, WriteTx};
use tempfile::TempDir;

struct Database {
    store: Store,
    path: PathBuf,
    _folder: TempDir,
}

fn database() -> Database {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("mnetd.db");
    Database {
        store: Store::open(&path).unwrap(),
        path,
        _folder: folder,
    }
}

fn insert(tx: &WriteTx<'_>, wwwroot: &str) -> Result<PeerId, StoreError> {
    let peer = NewPeer {
        wwwroot,
        name: "A Moodle",
        application: Application::Moodle,
        certificate: None,
        text_dialect: TextDialect::Utf8,
    };
    peers::insert(tx, &peer, UnixTime(1_800_000_000))
}

/// The peers that another process sees.
fn seen(database: &Database) -> Vec<String> {
    let conn = rusqlite::Connection::open(&database.path).unwrap();
    let mut statement = conn
        .prepare("SELECT wwwroot FROM peer ORDER BY wwwroot")
        .unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Occupies the writer until told to go on; what is handed in meanwhile becomes one group with it.
fn occupy(store: &Store) -> (Receiver<()>, Sender<()>) {
    let (begun, has_begun) = channel();
    let (go_on, may_go_on) = channel::<()>();
    let store = store.clone();
    thread::spawn(move || {
        store.write_blocking::<_, StoreError, _>(move |_| {
            begun.send(()).unwrap();
            may_go_on.recv().unwrap();
            Ok(())
        })
    });
    (has_begun, go_on)
}

#[test]
fn an_acknowledged_write_is_there_for_others() {
    let database = database();
    database
        .store
        .write_blocking(|tx| insert(tx, "https://a"))
        .unwrap();
    assert_eq!(seen(&database), ["https://a"]);
}

#[tokio::test]
async fn nothing_is_answered_before_its_group_is_on_disk() {
    let database = database();
    let (has_begun, go_on) = occupy(&database.store);
    has_begun.recv().unwrap();
    let (begun, second_has_begun) = channel();
    let (finish, may_finish) = channel::<()>();
    let store = database.store.clone();
    let first = tokio::spawn(async move { store.write(|tx| insert(tx, "https://a")).await });
    let store = database.store.clone();
    let second = tokio::spawn(async move {
        store
            .write(move |tx| {
                begun.send(()).unwrap();
                may_finish.recv().unwrap();
                insert(tx, "https://b")
            })
            .await
    });
    // On this runtime of one thread, both are handed in now.
    tokio::task::yield_now().await;
    go_on.send(()).unwrap();
    second_has_begun.recv().unwrap();
    tokio::task::yield_now().await;
    assert!(!first.is_finished());
    assert!(seen(&database).is_empty());
    finish.send(()).unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert_eq!(seen(&database), ["https://a", "https://b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_or_panics_leaves_no_trace_and_disturbs_nobody() {
    let database = database();
    let (has_begun, go_on) = occupy(&database.store);
    has_begun.recv().unwrap();
    let mut jobs = Vec::new();
    for number in 0..30 {
        let store = database.store.clone();
        jobs.push(tokio::spawn(async move {
            store
                .write(move |tx| {
                    let id = insert(tx, &format!("https://{number:02}"))?;
                    match number % 3 {
                        0 => Ok(id),
                        1 => Err(StoreError::Full),
                        _ => panic!("this panic belongs to the test"),
                    }
                })
                .await
        }));
    }
    go_on.send(()).unwrap();
    for (number, job) in jobs.into_iter().enumerate() {
        match (number % 3, job.await.unwrap()) {
            (0, Ok(_)) | (1, Err(StoreError::Full)) | (2, Err(StoreError::Panicked)) => {}
            (_, other) => panic!("{number}: {other:?}"),
        }
    }
    let expected: Vec<_> = (0..30)
        .step_by(3)
        .map(|n| format!("https://{n:02}"))
        .collect();
    assert_eq!(seen(&database), expected);
}

#[test]
fn a_failing_step_undoes_itself_alone() {
    let database = database();
    let outcome = database.store.write_blocking(|tx| {
        insert(tx, "https://kept")?;
        let failed = tx.savepoint(|tx| {
            insert(tx, "https://undone")?;
            tx.savepoint(|tx| insert(tx, "https://undone-too"))?;
            insert(tx, "https://kept")
        });
        insert(tx, "https://after")?;
        Ok::<_, StoreError>(failed)
    });
    assert!(matches!(outcome.unwrap(), Err(StoreError::Refused(_))));
    assert_eq!(seen(&database), ["https://after", "https://kept"]);
}

#[test]
fn a_mark_is_on_disk_after_a_flush() {
    let database = database();
    assert!(database.store.write_behind(|tx| insert(tx, "https://mark")));
    database
        .store
        .write_blocking::<_, StoreError, _>(|_| Ok(()))
        .unwrap();
    assert_eq!(seen(&database), ["https://mark"]);
}

#[test]
fn a_mark_is_written_without_anybody_else_writing() {
    let database = database();
    let (written, is_written) = channel();
    database.store.write_behind(move |tx| {
        insert(tx, "https://mark")?;
        Ok(OnDrop(Some(written)))
    });
    is_written.recv().unwrap();
    assert_eq!(seen(&database), ["https://mark"]);
}

/// Tells when it goes.
struct OnDrop(Option<Sender<()>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        if let Some(sender) = self.0.take() {
            let _ = sender.send(());
        }
    }
}

#[test]
fn only_so_many_marks_wait() {
    let database = database();
    let (has_begun, go_on) = occupy(&database.store);
    has_begun.recv().unwrap();
    for _ in 0..MAX_BEHIND {
        assert!(database.store.write_behind(|_| Ok(())));
    }
    assert!(!database.store.write_behind(|_| Ok(())));
    go_on.send(()).unwrap();
    database
        .store
        .write_blocking::<_, StoreError, _>(|_| Ok(()))
        .unwrap();
    assert!(database.store.write_behind(|_| Ok(())));
}

#[test]
fn closing_writes_what_waits() {
    let Database {
        store,
        path,
        _folder,
    } = database();
    store.write_behind(|tx| insert(tx, "https://mark"));
    drop(store);
    let again = Store::open(&path).unwrap();
    let found = again.read_blocking(|tx| peers::find(tx, "https://mark"));
    assert!(found.unwrap().is_some());
}

#[test]
fn a_job_may_hold_the_last_handle() {
    let Database {
        store,
        path,
        _folder,
    } = database();
    let inside = store.clone();
    let (has_begun, go_on) = occupy(&store);
    has_begun.recv().unwrap();
    let (done, is_done) = channel();
    store.write_behind(move |tx| {
        insert(tx, "https://mark")?;
        Ok((inside, OnDrop(Some(done))))
    });
    drop(store);
    go_on.send(()).unwrap();
    is_done.recv().unwrap();
    let again = Store::open(&path).unwrap();
    assert!(
        again
            .read_blocking(|tx| peers::find(tx, "https://mark"))
            .unwrap()
            .is_some()
    );
}

#[test]
fn two_processes_write_at_the_same_time() {
    let database = database();
    let other = Store::open(&database.path).unwrap();
    let each = 200;
    let writers: Vec<_> = [("a", database.store.clone()), ("b", other)]
        .into_iter()
        .map(|(name, store)| {
            thread::spawn(move || {
                for number in 0..each {
                    store
                        .write_blocking(move |tx| insert(tx, &format!("https://{name}/{number}")))
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(seen(&database).len(), 2 * each);
}

#[test]
fn a_write_waits_for_another_process() {
    let database = database();
    let mut other = rusqlite::Connection::open(&database.path).unwrap();
    let held = other
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .unwrap();
    let waiting = thread::spawn({
        let store = database.store.clone();
        move || store.write_blocking(|tx| insert(tx, "https://a"))
    });
    held.execute("INSERT INTO setting (key, value) VALUES ('k', 'v')", [])
        .unwrap();
    held.commit().unwrap();
    waiting.join().unwrap().unwrap();
    assert_eq!(seen(&database), ["https://a"]);
}

#[test]
fn many_openers_of_a_new_database_make_it_once() {
    let folder = TempDir::new().unwrap();
    let path = Arc::new(folder.path().join("mnetd.db"));
    let openers: Vec<_> = (0..8)
        .map(|_| {
            let path = Arc::clone(&path);
            thread::spawn(move || Store::open(&path).map(drop))
        })
        .collect();
    for opener in openers {
        opener.join().unwrap().unwrap();
    }
}
