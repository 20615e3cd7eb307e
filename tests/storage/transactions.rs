//! Promises of a transaction, on either engine.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use storage::{DatabaseSettings, StorageError, Store, Synchronous, accounts, installation, users};
use tests::both_engines;
use tests::databases::{TestDatabase, settings};
use uuid::Uuid;

use crate::samples::{account, fresh, stored_account, tenant, user};

/// Proves that nothing is left of a transaction that is dropped, and that others do not see it before its end.
#[both_engines]
async fn what_is_not_committed_never_was(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let lost = stored_account(&mut tx, "lost").await;
    let mut reader = db.store.read().await.unwrap();
    assert!(accounts::by_id(&mut reader, lost.id).await.unwrap().is_none());
    drop(tx);
    assert!(accounts::by_id(&mut reader, lost.id).await.unwrap().is_none());
    let mut tx = db.store.begin().await.unwrap();
    let kept = stored_account(&mut tx, "lost").await;
    tx.commit().await.unwrap();
    assert_eq!(accounts::by_id(&mut reader, kept.id).await.unwrap(), Some(kept));
}

/// Proves that a transaction for reading writes nothing.
#[both_engines]
async fn a_reader_does_not_write(db: TestDatabase) {
    let mut tx = db.store.read().await.unwrap();
    let refused = accounts::insert(&mut tx, &account("acme")).await;
    assert!(matches!(refused, Err(StorageError::Fault(_))), "{refused:?}");
    tx.commit().await.unwrap();
}

/// Proves that a transaction in which a query failed is not committed in part.
#[both_engines]
async fn a_transaction_that_failed_cannot_be_committed(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    installation::put_if_absent(&mut tx, "half", &[1]).await.unwrap();
    let orphan = users::insert(&mut tx, &user(domain::AccountId::from_uuid(fresh()), "orphan")).await;
    assert!(matches!(orphan, Err(StorageError::Stale)), "{orphan:?}");
    assert!(matches!(tx.commit().await, Err(StorageError::Fault(_))));
    let mut tx = db.store.read().await.unwrap();
    assert!(installation::get(&mut tx, "half").await.unwrap().is_none());
}

/// Proves that a conflict found by a count of rows leaves the transaction usable: the refusal can be recorded in
/// it.
#[both_engines]
async fn a_transaction_goes_on_after_a_conflict(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    stored_account(&mut tx, "taken").await;
    assert!(accounts::insert(&mut tx, &account("taken")).await.is_err());
    let kept = stored_account(&mut tx, "free").await;
    tx.commit().await.unwrap();
    let mut tx = db.store.read().await.unwrap();
    assert!(accounts::by_id(&mut tx, kept.id).await.unwrap().is_some());
}

/// Proves that a value which this version cannot read is reported as such, and by the name of its column.
#[both_engines]
async fn a_value_from_elsewhere_is_corrupt_not_guessed(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    db.tamper("UPDATE users SET status = 'sleeping'").await;
    let mut tx = db.store.read().await.unwrap();
    let read = users::by_id(&mut tx, tenant.account.id, tenant.user.id).await;
    assert!(matches!(&read, Err(StorageError::Corrupt { column, .. }) if column == "users.status"), "{read:?}");
}

/// Proves that several processes may migrate at once and again, and that a store knows when nothing is left to do.
#[both_engines]
async fn migrating_again_changes_nothing(db: TestDatabase) {
    let again = Store::open(&settings(&db.url)).await.unwrap();
    let (one, two) = tokio::join!(db.store.migrate(), again.migrate());
    one.unwrap();
    two.unwrap();
    assert_eq!(again.pending_migrations().await.unwrap(), Vec::<String>::new());
    again.ping().await.unwrap();
    again.close().await;
    assert!(matches!(again.ping().await, Err(StorageError::Unavailable(_))));
    assert!(matches!(again.begin().await, Err(StorageError::Unavailable(_))));
}

fn in_memory() -> DatabaseSettings {
    DatabaseSettings {
        url: "sqlite::memory:".to_owned(),
        max_connections: 4,
        sqlite_synchronous: Synchronous::default(),
    }
}

/// Proves that a database in memory is private to its store, and serves readers and writers alike.
#[tokio::test]
async fn a_database_in_memory_is_shared_by_a_store_and_by_nobody_else() {
    let (one, two) = (Store::open(&in_memory()).await.unwrap(), Store::open(&in_memory()).await.unwrap());
    let pending = one.pending_migrations().await.unwrap();
    assert_eq!(pending.first().map(String::as_str), Some("0001 initial"));
    for store in [&one, &two] {
        store.migrate().await.unwrap();
    }
    let mut tx = one.begin().await.unwrap();
    let stored = stored_account(&mut tx, "acme").await;
    tx.commit().await.unwrap();
    let found = async |store: &Store| accounts::by_id(&mut store.read().await.unwrap(), stored.id).await.unwrap();
    assert!(found(&one).await.is_some());
    assert!(found(&two).await.is_none());
}

/// Proves that a database's files, the ones beside it too, are their owner's alone.
#[tokio::test]
async fn a_new_database_is_made_for_its_owner_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    let store = Store::open(&settings(&format!("sqlite:{}", folder.path().join("new.db").display()))).await.unwrap();
    store.migrate().await.unwrap();
    for name in ["new.db", "new.db-wal", "new.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// Proves that what a killed process leaves on disk holds every committed transaction and no part of another one.
#[tokio::test]
async fn a_killed_process_loses_nothing_that_was_committed() {
    let folder = tempfile::TempDir::new().unwrap();
    let alive = folder.path().join("alive.db");
    let store = Store::open(&settings(&format!("sqlite:{}", alive.display()))).await.unwrap();
    store.migrate().await.unwrap();
    let mut tx = store.begin().await.unwrap();
    let committed = stored_account(&mut tx, "committed").await;
    tx.commit().await.unwrap();
    let mut unfinished = store.begin().await.unwrap();
    let lost = stored_account(&mut unfinished, "unfinished").await;

    // The files as they are now, in the middle of a transaction and without a checkpoint: what SIGKILL would leave.
    let copy = folder.path().join(format!("{}.db", Uuid::new_v4()));
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(name(&alive), name(&copy)).unwrap();
    }
    let restarted = Store::open(&settings(&format!("sqlite:{}", copy.display()))).await.unwrap();
    assert!(restarted.pending_migrations().await.unwrap().is_empty());
    let mut tx = restarted.read().await.unwrap();
    assert_eq!(accounts::by_id(&mut tx, committed.id).await.unwrap(), Some(committed));
    assert!(accounts::by_id(&mut tx, lost.id).await.unwrap().is_none());
    drop(unfinished);
}

/// Proves that a database which cannot be opened says so, and that no message shows the password of its URL.
#[tokio::test]
async fn a_database_that_is_not_there_is_unavailable_and_keeps_its_password() {
    let absent = ["sqlite:/nowhere/at/all.db", "postgres://vestibule:hemligt@127.0.0.1:1/none"].map(|url| (url, true));
    for (url, may_come) in absent.into_iter().chain([("mysql://vestibule:hemligt@localhost/x", false), ("", false)]) {
        let settings = settings(url);
        let error = Store::open(&settings).await.unwrap_err();
        assert_eq!(matches!(error, StorageError::Unavailable(_)), may_come, "{url}: {error:?}");
        assert!(!format!("{error:?} {error} {settings:?}").contains("hemligt"));
    }
}
