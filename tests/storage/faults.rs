//! Errors that may be tried again are told from those that may not, by the real answers of the engines.

use domain::account::Account;
use domain::text::Label;
use storage::{Engine, StorageError, accounts};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{account, stored_account};

/// A trigger by which the database refuses every new account.
const REFUSES_ACCOUNTS: [(Engine, &str); 2] = [
    (
        Engine::Sqlite,
        "CREATE TRIGGER no_accounts BEFORE INSERT ON accounts BEGIN SELECT RAISE(ABORT, 'not today'); END",
    ),
    (
        Engine::Postgres,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not today''; END';
        CREATE TRIGGER no_accounts BEFORE INSERT ON accounts FOR EACH ROW EXECUTE FUNCTION refuse()",
    ),
];

/// Proves that an insert which the database aborts is a fault.
#[both_engines]
async fn an_aborted_insert_is_a_fault(db: TestDatabase) {
    let engine = db.store.engine();
    let (_, trigger) = REFUSES_ACCOUNTS.into_iter().find(|(of, _)| *of == engine).unwrap();
    db.tamper(trigger).await;
    let mut tx = db.store.begin().await.unwrap();
    let refused = accounts::insert(&mut tx, &account("acme")).await.unwrap_err();
    assert!(matches!(refused, StorageError::Fault(_)), "{refused:?}");
}

/// Proves that a constraint which the service does not know is a fault.
#[both_engines]
async fn an_unknown_constraint_is_a_fault(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let first = stored_account(&mut tx, "first").await;
    let other = Account { display_name: Label::parse("Other").unwrap(), ..account("second") };
    accounts::insert(&mut tx, &other).await.unwrap();
    tx.commit().await.unwrap();
    db.tamper("CREATE UNIQUE INDEX one_of_each_display_name ON accounts (display_name)").await;
    let mut tx = db.store.begin().await.unwrap();
    let twin = Account { display_name: first.display_name, ..other.clone() };
    let refused = accounts::update(&mut tx, &twin, other.updated_at).await.unwrap_err();
    assert!(matches!(refused, StorageError::Fault(_)), "{refused:?}");
}

/// Proves that what another holds for a moment, or a connection that died, is unavailable: another try helps.
#[both_engines]
async fn what_another_try_mends_is_unavailable(db: TestDatabase) {
    if db.store.engine() == Engine::Postgres {
        let mut tx = db.store.begin().await.unwrap();
        db.tamper(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
        let cut_off = accounts::insert(&mut tx, &account("acme")).await.unwrap_err();
        assert!(matches!(cut_off, StorageError::Unavailable(_)), "{cut_off:?}");
        drop(tx);
    } else {
        let mut other = sqlx::SqlitePool::connect(&db.url).await.unwrap().acquire().await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut *other).await.unwrap();
        let busy = db.store.begin().await.unwrap_err();
        assert!(matches!(busy, StorageError::Unavailable(_)), "{busy:?}");
        sqlx::query("ROLLBACK").execute(&mut *other).await.unwrap();
    }
    let mut tx = db.store.begin().await.unwrap();
    stored_account(&mut tx, "acme").await;
    tx.commit().await.unwrap();
}
