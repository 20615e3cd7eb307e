//! The transaction that queries run in.

use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{Database, Transaction};
use tokio::sync::Notify;

use crate::error::{Result, StorageError};

/// A transaction on one of the engines. Dropped without [`Tx::commit`], it leaves nothing behind.
#[derive(Debug)]
pub enum Tx {
    /// On SQLite.
    Sqlite(Handle<sqlx::Sqlite>),
    /// On PostgreSQL.
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

    /// Wakes somebody once this transaction is committed, and only then: what it wrote is there for them to see.
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
    access: Access<DB>,
    failed: bool,
    waiting: Option<Arc<Notify>>,
}

#[derive(Debug)]
enum Access<DB: Database> {
    /// A transaction that sees and changes one state.
    Write(Transaction<'static, DB>),
    /// A connection for one statement that writes and is a transaction by itself.
    WriteOnce(PoolConnection<DB>),
    /// A connection for single statements, each of which sees the latest committed state; it costs no `BEGIN`.
    Read(PoolConnection<DB>),
}

/// Why a transaction does not do what was asked.
#[derive(Debug, thiserror::Error)]
enum Misuse {
    #[error("a transaction for reading was asked to write")]
    ReadOnly,
    #[error("a query of this transaction failed, so it cannot be committed")]
    Failed,
}

impl<DB: Database> Handle<DB> {
    pub(crate) fn for_writing(transaction: Transaction<'static, DB>) -> Self {
        Self { access: Access::Write(transaction), failed: false, waiting: None }
    }

    pub(crate) fn for_one_write(connection: PoolConnection<DB>) -> Self {
        Self { access: Access::WriteOnce(connection), failed: false, waiting: None }
    }

    pub(crate) fn for_reading(connection: PoolConnection<DB>) -> Self {
        Self { access: Access::Read(connection), failed: false, waiting: None }
    }

    pub(crate) fn reading(&mut self) -> &mut DB::Connection {
        match &mut self.access {
            Access::Write(transaction) => &mut *transaction,
            Access::WriteOnce(connection) | Access::Read(connection) => &mut *connection,
        }
    }

    pub(crate) fn writing(&mut self) -> Result<&mut DB::Connection> {
        match &mut self.access {
            Access::Write(transaction) => Ok(&mut *transaction),
            Access::WriteOnce(connection) => Ok(&mut *connection),
            Access::Read(_) => Err(StorageError::Unavailable(Misuse::ReadOnly.into())),
        }
    }

    /// Translates a query's result, and remembers whether one failed.
    pub(crate) fn settle<T>(&mut self, result: std::result::Result<T, sqlx::Error>) -> Result<T> {
        self.failed |= result.is_err();
        result.map_err(StorageError::from)
    }

    async fn commit(self) -> Result<()> {
        match self.access {
            _ if self.failed => return Err(StorageError::Unavailable(Misuse::Failed.into())),
            Access::Write(transaction) => transaction.commit().await?,
            Access::WriteOnce(_) | Access::Read(_) => {}
        }
        if let Some(waiting) = self.waiting {
            waiting.notify_one();
        }
        Ok(())
    }
}
