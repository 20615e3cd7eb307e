//! Opening either engine, and the transactions that it gives.

use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, Postgres};
use sqlx::sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, Database};

use crate::error::Result;
use crate::lending::{ACQUIRE_TIMEOUT, Lender, TEST_AFTER};
use crate::tx::{Access, Handle, Tx};
use crate::{migrations, rewrites};

/// Longest wait of SQLite for another process, such as the command line, that holds the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements that a connection keeps: all that there are, with room to grow.
const STATEMENTS_KEPT: usize = 256;
/// Rows that SQLite may read ahead of who asked for them.
const ROWS_BUFFERED: usize = 1_000;

/// The mode of a database's file: it holds password hashes, sealed keys and personal data.
const OWNER_ONLY: u32 = 0o600;

/// Address of the database, and its settings.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// `sqlite:/path/file.db`, `sqlite::memory:` (gone with the [`Store`]) or `postgres://…`.
    pub url: String,
    /// Most connections at once; SQLite has one more, which writes.
    pub max_connections: u32,
    /// Durability of a commit on SQLite.
    pub sqlite_synchronous: Synchronous,
}

impl fmt::Debug for DatabaseSettings {
    /// Leaves out the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, max_connections, sqlite_synchronous } = self;
        write!(f, "DatabaseSettings {{ max_connections: {max_connections}, {sqlite_synchronous:?}, .. }}")
    }
}

/// Durability of a commit on SQLite.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// A commit survives the loss of power.
    #[default]
    Full,
    /// A commit survives the end of the process; a loss of power may undo the last ones. Several times faster.
    Normal,
}

/// Database engines that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// SQLite, embedded in the process.
    Sqlite,
    /// PostgreSQL, as a separate server.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// An open database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    pools: Pools,
}

#[derive(Debug, Clone)]
enum Pools {
    /// One connection writes, so no statement meets `SQLITE_BUSY` and writers are served first come, first served;
    /// in WAL mode readers do not wait. In memory the two are the same single connection.
    Sqlite {
        writer: Arc<Lender<Sqlite>>,
        readers: Arc<Lender<Sqlite>>,
    },
    Postgres(Arc<Lender<Postgres>>),
}

impl Store {
    /// Connects; creates the file of a new SQLite database. A URL of neither kind is a `Fault`.
    pub async fn open(settings: &DatabaseSettings) -> Result<Self> {
        let pools = if settings.url.starts_with("sqlite:") {
            open_sqlite(settings).await?
        } else if !settings.url.starts_with("postgres") {
            let problem = "a database URL begins with sqlite: or postgres:";
            return Err(sqlx::Error::Configuration(problem.into()).into());
        } else {
            let options = PgConnectOptions::from_str(&settings.url)?
                .application_name("vestibule")
                .statement_cache_capacity(STATEMENTS_KEPT);
            Pools::Postgres(Lender::new(pool(settings.max_connections).connect_with(options).await?))
        };
        Ok(Self { pools })
    }

    /// Engine that this store uses.
    pub fn engine(&self) -> Engine {
        match self.pools {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres(_) => Engine::Postgres,
        }
    }

    /// Begins a transaction that may write. On SQLite it waits for the one before it.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => {
                Tx::Sqlite(Handle::new(writer.lend_transaction("BEGIN IMMEDIATE").await?, Access::Write))
            }
            Pools::Postgres(lender) => {
                Tx::Postgres(Handle::new(lender.lend_transaction("BEGIN").await?, Access::Write))
            }
        })
    }

    /// A connection for one statement that writes, which is a transaction by itself: it costs no `BEGIN` and no
    /// `COMMIT`. A second statement would be another transaction.
    pub async fn write_once(&self) -> Result<Tx> {
        Ok(match &self.pools {
            Pools::Sqlite { writer, .. } => Tx::Sqlite(Handle::new(writer.lend().await?, Access::WriteOnce)),
            Pools::Postgres(lender) => Tx::Postgres(Handle::new(lender.lend().await?, Access::WriteOnce)),
        })
    }

    /// A connection for reading. Every statement sees the latest committed state, so what must fit together is read by
    /// one statement or within [`Store::begin`]. In memory it is the writer's connection: do not hold it over `begin`.
    pub async fn read(&self) -> Result<Tx> {
        Ok(match &self.pools {
            Pools::Sqlite { readers, .. } => Tx::Sqlite(Handle::new(readers.lend().await?, Access::Read)),
            Pools::Postgres(lender) => Tx::Postgres(Handle::new(lender.lend().await?, Access::Read)),
        })
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => readers.lend().await?.connection().ping().await?,
            Pools::Postgres(lender) => lender.lend().await?.connection().ping().await?,
        }
        Ok(())
    }

    /// Applies the migrations that the database lacks. On PostgreSQL several processes may call it at once.
    pub async fn migrate(&self) -> Result<()> {
        match &self.pools {
            Pools::Sqlite { writer, .. } => migrations::SQLITE.run(writer.lend().await?.connection()).await?,
            Pools::Postgres(lender) => migrations::POSTGRES.run(lender.lend().await?.connection()).await?,
        }
        let mut tx = self.begin().await?;
        rewrites::identities(&mut tx).await?;
        tx.commit().await
    }

    /// The migrations that the database lacks, in order, as `0001 what`; empty when it is up to date.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        match &self.pools {
            Pools::Sqlite { readers, .. } => {
                let mut lent = readers.lend().await?;
                let connection = lent.connection();
                let history = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";
                let has_history = sqlx::query_scalar(history).fetch_one(&mut *connection).await?;
                migrations::pending(&migrations::SQLITE, &mut *connection, has_history).await
            }
            Pools::Postgres(lender) => {
                let mut lent = lender.lend().await?;
                let connection = lent.connection();
                let history = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
                let has_history = sqlx::query_scalar(history).fetch_one(&mut *connection).await?;
                migrations::pending(&migrations::POSTGRES, &mut *connection, has_history).await
            }
        }
    }

    /// Waits for transactions under way and closes every connection.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(lender) => lender.close().await,
        }
    }
}

async fn open_sqlite(settings: &DatabaseSettings) -> Result<Pools> {
    let options = SqliteConnectOptions::from_str(&settings.url)?
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .synchronous(match settings.sqlite_synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        })
        .statement_cache_capacity(STATEMENTS_KEPT)
        .row_buffer_size(ROWS_BUFFERED);
    // The writer stays connected: a database in memory lives as long as its connection.
    let writer = pool(1).min_connections(1).idle_timeout(None).max_lifetime(None);
    if settings.url.ends_with(":memory:") {
        let writer = Lender::new(writer.connect_with(options).await?);
        return Ok(Pools::Sqlite { readers: Arc::clone(&writer), writer });
    }
    create_private(options.get_filename())?;
    let writing = options.clone().journal_mode(SqliteJournalMode::Wal);
    let writer = writer.connect_with(writing).await?;
    let readers = pool(settings.max_connections).connect_with(options.pragma("query_only", "on")).await?;
    Ok(Pools::Sqlite { writer: Lender::new(writer), readers: Lender::new(readers) })
}

/// Creates the file of a new database, for this process's user alone. SQLite gives the files beside it (`-wal`,
/// `-shm`) the same mode.
fn create_private(file: &Path) -> sqlx::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(io::Error::new(error.kind(), format!("{} cannot be made: {error}", file.display())).into())
        }
        _ => Ok(()),
    }
}

fn pool<DB: Database>(max_connections: u32) -> PoolOptions<DB> {
    PoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(false)
        .before_acquire(|connection: &mut DB::Connection, state| {
            Box::pin(async move {
                if state.idle_for > TEST_AFTER {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
}
