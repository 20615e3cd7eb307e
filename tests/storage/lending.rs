//! Connections are lent again as they come back: whatever became of the one who had them before, the next one
//! finds no trace of it.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use sqlx::{Connection, PgConnection};
use storage::{DatabaseSettings, Engine, Result, Store, Synchronous, installation};
use tests::both_engines;
use tests::databases::TestDatabase;
use tokio::task::JoinSet;

/// Writes two rows in one transaction.
async fn write_both(store: &Store, name: &str) -> Result<()> {
    let mut tx = store.begin().await?;
    installation::put_if_absent(&mut tx, &format!("{name} first"), &[1]).await?;
    installation::put_if_absent(&mut tx, &format!("{name} second"), &[2]).await?;
    tx.commit().await
}

async fn is_written(store: &Store, name: &str) -> bool {
    let mut tx = store.read().await.unwrap();
    installation::get(&mut tx, name).await.unwrap().is_some()
}

/// Output of a future, if it is ready before it has waited so many times; else the future is dropped where it is.
async fn unless_given_up<F: Future>(future: F, waits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut waits = waits;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if waits == 0 => Poll::Ready(None),
        Poll::Pending => {
            waits -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Gives up on transactions at each point where they wait, as a request does whose client goes away. Each left
/// both rows or none, and the next one finds nothing of it.
async fn give_up_everywhere(store: &Store) {
    let (mut given_up, mut tries) = (0, 0);
    // A database that answers before it is asked again leaves nothing to give up: there are rounds until one did not.
    while tries < 40 || (given_up == 0 && tries < 4_000) {
        let waits = tries % 40;
        let name = format!("attempt {tries}");
        let written = unless_given_up(write_both(store, &name), waits).await;
        given_up += usize::from(written.is_none());
        let next = format!("after {tries}");
        tries += 1;
        write_both(store, &next).await.unwrap();
        assert!(is_written(store, &format!("{next} second")).await);
        let first = is_written(store, &format!("{name} first")).await;
        assert_eq!(first, is_written(store, &format!("{name} second")).await, "{name}");
        assert!(first || written.is_none(), "{name}");
    }
    assert!((1..tries).contains(&given_up), "{given_up} of {tries}: none was given up, or none ended");
}

/// Proves that a transaction whose owner went away, at whatever moment, is done or is not, and holds up no other.
#[both_engines]
async fn a_transaction_that_is_given_up_is_whole_or_not_there(db: TestDatabase) {
    give_up_everywhere(&db.store).await;
}

/// Proves that many more borrowers than connections are all served.
#[both_engines]
async fn whoever_waits_gets_a_turn(db: TestDatabase) {
    let mut writers = JoinSet::new();
    for n in 0..200 {
        let store = db.store.clone();
        writers.spawn(async move { write_both(&store, &format!("writer {n}")).await.unwrap() });
    }
    writers.join_all().await;
    for n in 0..200 {
        assert!(is_written(&db.store, &format!("writer {n} second")).await, "{n}");
    }
}

/// Proves that a closing store waits for the transaction under way, which is kept, and lends no other connection.
#[both_engines]
async fn closing_waits_for_whoever_is_at_work(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    installation::put_if_absent(&mut tx, "last", &[1]).await.unwrap();
    let closing = tokio::spawn({
        let store = db.store.clone();
        async move { store.close().await }
    });
    while db.store.ping().await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    tx.commit().await.unwrap();
    closing.await.unwrap();
    let again = Store::open(&tests::databases::settings(&db.url)).await.unwrap();
    assert!(is_written(&again, "last").await);
}

/// Proves that connections which the database ended are replaced: at most those that were at hand are lost on a
/// borrower.
#[both_engines]
async fn a_lost_connection_is_replaced(db: TestDatabase) {
    if db.store.engine() == Engine::Sqlite {
        return;
    }
    let mut loans = JoinSet::new();
    for n in 0..20 {
        let store = db.store.clone();
        loans.spawn(async move { write_both(&store, &format!("before {n}")).await.unwrap() });
    }
    loans.join_all().await;
    let mut administrator = PgConnection::connect(&db.url).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(end).execute(&mut administrator).await.unwrap();
    let mut failures = 0;
    while write_both(&db.store, "after").await.is_err() {
        failures += 1;
        assert!(failures <= 20, "no connection is replaced");
    }
    assert!(is_written(&db.store, "after second").await);
}

/// Proves the same of a database in memory, which would be lost with its only connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_in_memory_outlives_whoever_gives_up() {
    let url = "sqlite::memory:".to_owned();
    let settings = DatabaseSettings { url, max_connections: 4, sqlite_synchronous: Synchronous::default() };
    let store = Store::open(&settings).await.unwrap();
    store.migrate().await.unwrap();
    write_both(&store, "kept").await.unwrap();
    give_up_everywhere(&store).await;
    assert!(is_written(&store, "kept first").await);
}
