//! Lending connections: one that came back in good order is lent again as it is.
//!
//! sqlx tests a connection with a round trip whenever it goes back to its pool, and that is also how its transactions
//! end. A sign-in borrows seven times, so here connections stay out of the pool between loans, and transactions
//! are plain statements. Only what came back otherwise, or was tested too long ago, goes back through the pool.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use scopeguard::ScopeGuard;
use sqlx::pool::PoolConnection;
use sqlx::{Database, Executor, Pool};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Longest wait of a request for a connection: past this, an honest 503 serves its client better than waiting on.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
/// A connection that was tested longer ago is tested before it is lent.
pub(crate) const TEST_AFTER: Duration = Duration::from_secs(10);

/// Lends the connections of a pool, first come, first served.
pub(crate) struct Lender<DB: Database> {
    pool: Pool<DB>,
    turns: Arc<Semaphore>,
    kept: Mutex<Vec<Tested<DB>>>,
}

/// A connection in good order, and when the pool gave it out.
struct Tested<DB: Database> {
    connection: PoolConnection<DB>,
    at: Instant,
}

/// A connection on loan, which gives itself back.
pub(crate) type Lent<DB> = ScopeGuard<Loan<DB>, fn(Loan<DB>)>;

/// Connection on loan, with its turn and its state.
pub(crate) struct Loan<DB: Database> {
    tested: Tested<DB>,
    lender: Arc<Lender<DB>>,
    in_transaction: bool,
    /// Whether a statement failed, or was begun and its end not waited for.
    in_doubt: bool,
    /// Dropped last, so that the next borrower finds the connection.
    _turn: OwnedSemaphorePermit,
}

impl<DB: Database> fmt::Debug for Lender<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lender({:?})", self.pool)
    }
}

impl<DB: Database> fmt::Debug for Loan<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { in_transaction, in_doubt, .. } = self;
        write!(f, "Loan {{ in_transaction: {in_transaction}, in_doubt: {in_doubt}, .. }}")
    }
}

impl<DB: Database> Lender<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    pub(crate) fn new(pool: Pool<DB>) -> Arc<Self> {
        let most = usize::try_from(pool.options().get_max_connections()).unwrap_or(usize::MAX);
        let turns = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { pool, turns, kept: Mutex::default() })
    }

    /// Lends a connection, as soon as there is one.
    pub(crate) async fn lend(self: &Arc<Self>) -> sqlx::Result<Lent<DB>> {
        let turn = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        let tested = match self.take() {
            Some(tested) => tested,
            None => Tested { connection: self.pool.acquire().await?, at: Instant::now() },
        };
        let lender = Arc::clone(self);
        let loan = Loan { tested, lender, in_transaction: false, in_doubt: false, _turn: turn };
        Ok(scopeguard::guard(loan, Loan::give_back))
    }

    /// Lends a connection on which a transaction has begun, by this statement.
    pub(crate) async fn lend_transaction(self: &Arc<Self>, begin: &'static str) -> sqlx::Result<Lent<DB>> {
        let mut lent = self.lend().await?;
        lent.in_transaction = true;
        lent.run(begin).await?;
        Ok(lent)
    }

    /// Waits for every loan's end and closes the connections; a request for one is refused from now on.
    pub(crate) async fn close(&self) {
        self.turns.close();
        let closed = self.pool.close();
        drop(std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner)));
        closed.await;
    }

    /// The connection that came back last; those that were tested too long ago go back to the pool.
    fn take(&self) -> Option<Tested<DB>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|tested| tested.at.elapsed() < TEST_AFTER);
        kept.pop()
    }

    fn keep(&self, tested: Tested<DB>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock: what is put here after the pool was closed would never leave.
        if !self.pool.is_closed() {
            kept.push(tested);
        }
    }
}

impl<DB: Database> Loan<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// The connection, for one statement, whose end is told by [`Loan::settle`].
    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        self.in_doubt = true;
        &mut self.tested.connection
    }

    /// Notes a statement's end, and whether it failed.
    pub(crate) fn settle<T>(&mut self, result: &sqlx::Result<T>) {
        self.in_doubt = result.is_err();
    }

    /// Ends the transaction and keeps what it did.
    pub(crate) async fn commit(&mut self) -> sqlx::Result<()> {
        self.run("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn run(&mut self, statement: &'static str) -> sqlx::Result<()> {
        let result = self.connection().execute(statement).await;
        self.settle(&result);
        result.map(drop)
    }

    fn give_back(self) {
        if self.in_transaction {
            tokio::spawn(self.roll_back());
        } else {
            self.keep();
        }
    }

    /// Undoes what was not committed.
    async fn roll_back(mut self) {
        if self.run("ROLLBACK").await.is_ok() || self.begins_anew().await.is_ok() {
            self.keep();
        } else {
            // Nobody is lent a transaction of somebody else's.
            self.tested.connection.close().await.ok();
        }
    }

    /// Whether there was no transaction any more: SQLite may have ended it by itself, or by a `COMMIT` whose end
    /// was not awaited, and then refuses to roll back.
    async fn begins_anew(&mut self) -> sqlx::Result<()> {
        self.run("BEGIN").await?;
        self.run("ROLLBACK").await
    }

    fn keep(self) {
        // A connection in doubt is dropped: the pool tests it.
        if !self.in_doubt {
            let Self { tested, lender, _turn, .. } = self;
            lender.keep(tested);
        }
    }
}
