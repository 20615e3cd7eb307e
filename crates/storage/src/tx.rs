//! The transaction that queries run in.

use std::sync::Arc;

use sqlx::{Database, Executor};
use tokio::sync::Notify;

use crate::error::{Result, StorageError};
use crate::lending::Lent;

/// A transaction on one of the engines. Dropped without [`Tx::commit`], it leaves nothing behind.
#[derive(Debug)]
pub enum Tx {
    /// Transaction that runs on SQLite.
    Sqlite(Handle<sqlx::Sqlite>),
    /// Transaction that runs on PostgreSQL.
    Postgres(Handle<sqlx::Postgres>),
}

impl Tx {
    /// Makes what was written durable and visible.
    ///
    /// After a failed query this is an error on both engines: PostgreSQL would quietly roll back, SQLite would keep
    /// half.
    pub async fn commit(self) -> Result<()> {
        match self {
            Self::Sqlite(handle) => handle.commit().await,
            Self::Postgres(handle) => handle.commit().await,
        }
    }

    /// Wakes a waiting task once this transaction is committed, and only then: the task then sees what it wrote.
    pub fn notify_after_commit(&mut self, whom: &Arc<Notify>) {
        let waiting = match self {
            Self::Sqlite(handle) => &mut handle.waiting,
            Self::Postgres(handle) => &mut handle.waiting,
        };
        *waiting = Some(Arc::clone(whom));
    }
}

/// A connection that is held, and what it may be used for.
#[derive(Debug)]
pub struct Handle<DB: Database> {
    lent: Lent<DB>,
    access: Access,
    failed: bool,
    waiting: Option<Arc<Notify>>,
}

/// Use that a connection is lent for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access {
    /// A transaction that sees and changes one state.
    Write,
    /// One statement that writes and is a transaction by itself.
    WriteOnce,
    /// Single statements, each of which sees the latest committed state; they cost no `BEGIN`.
    Read,
}

/// Reason that a transaction does not do what was asked.
#[derive(Debug, thiserror::Error)]
enum Misuse {
    #[error("a transaction for reading was asked to write")]
    ReadOnly,
    #[error("a query of this transaction failed, so it cannot be committed")]
    Failed,
}

impl<DB: Database> Handle<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    pub(crate) fn new(lent: Lent<DB>, access: Access) -> Self {
        Self { lent, access, failed: false, waiting: None }
    }

    pub(crate) fn reading(&mut self) -> &mut DB::Connection {
        self.lent.connection()
    }

    pub(crate) fn writing(&mut self) -> Result<&mut DB::Connection> {
        match self.access {
            Access::Write | Access::WriteOnce => Ok(self.lent.connection()),
            Access::Read => Err(StorageError::Fault(Misuse::ReadOnly.into())),
        }
    }

    /// Translates a query's result, and remembers whether one failed.
    pub(crate) fn settle<T>(&mut self, result: sqlx::Result<T>) -> Result<T> {
        self.failed |= result.is_err();
        self.lent.settle(&result);
        result.map_err(StorageError::from)
    }

    async fn commit(mut self) -> Result<()> {
        match self.access {
            _ if self.failed => return Err(StorageError::Fault(Misuse::Failed.into())),
            Access::Write => self.lent.commit().await?,
            Access::WriteOnce | Access::Read => {}
        }
        // Whoever is woken finds the connection.
        drop(self.lent);
        if let Some(waiting) = self.waiting {
            waiting.notify_one();
        }
        Ok(())
    }
}
