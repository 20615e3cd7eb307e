//! The five ways in which storage goes wrong.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// Error of another library; logged as a chain, never parsed and never shown.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
/// Result of every query, with [`StorageError`] as its error.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Reason that something was not stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another row holds what must be unique.
    #[error("{0:?} is taken")]
    Conflict(Unique),
    /// The row, or one that it refers to, is not there any more, or not in the state that the caller last saw.
    #[error("the row was changed or removed since it was read")]
    Stale,
    /// A stored value that the domain does not know: written by a newer version, or by hand.
    #[error("{column} holds a value that cannot be read")]
    Corrupt {
        /// `table.column`, as far as it is known.
        column: String,
        /// Error of the conversion that failed.
        source: Cause,
    },
    /// The database cannot be reached, is too busy, or gave way to another transaction: trying again helps.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
    /// Anything else, such as a column that is missing or an insert that a trigger aborts: trying again does not help.
    #[error("the database refused a statement")]
    Fault(#[source] Cause),
}

/// Values that the database holds unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unique {
    /// The name of an account (A1).
    AccountName,
    /// A username, per account and portal (A2).
    Username,
    /// The default application of a portal.
    DefaultApplication,
    /// The connection of a portal.
    ConnectionPortal,
    /// Answer to a sign-in: one assertion, which answers once per connection, and one code (C10).
    Answer,
    /// A link between two accounts.
    AccountLink,
    /// A pair of a user with the users of another account (G1).
    AccountPair,
    /// The key that signs access tokens.
    ActiveSigningKey,
}

impl Unique {
    /// Maps a constraint of the migrations to the value that it holds unique. Only PostgreSQL names it, and only
    /// an update that races another transaction gets this far; inserts and SQLite's one writer never do.
    fn of_constraint(name: &str) -> Option<Self> {
        match name {
            "accounts_name_key" => Some(Self::AccountName),
            "users_username_key" => Some(Self::Username),
            "applications_default_key" | "applications_shared_default_key" => Some(Self::DefaultApplication),
            "saml_connections_portal_key" => Some(Self::ConnectionPortal),
            "sign_in_attempts_assertion_key" => Some(Self::Answer),
            "account_links_pkey" => Some(Self::AccountLink),
            "signing_keys_active_key" => Some(Self::ActiveSigningKey),
            _ => None,
        }
    }
}

impl StorageError {
    /// A value of this column that cannot be read.
    pub(crate) fn corrupt(column: &str, source: impl Into<Cause>) -> Self {
        Self::Corrupt { column: column.to_owned(), source: source.into() }
    }
}

impl From<sqlx::Error> for StorageError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { index, source } => Self::Corrupt { column: index, source },
            sqlx::Error::Decode(source) => Self::Corrupt { column: "a column".to_owned(), source },
            sqlx::Error::Database(cause) => Self::of_database(cause),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.into()),
            other => Self::Fault(other.into()),
        }
    }
}

impl StorageError {
    /// Tells apart the errors that the database itself reports, by constraint and code, never by message.
    fn of_database(cause: Box<dyn DatabaseError>) -> Self {
        if cause.is_foreign_key_violation() {
            return Self::Stale;
        }
        if let Some(unique) = cause.constraint().and_then(Unique::of_constraint) {
            return Self::Conflict(unique);
        }
        let is_transient = if let Some(postgres) = cause.try_downcast_ref::<PgDatabaseError>() {
            is_transient_sqlstate(postgres.code())
        } else {
            cause.code().and_then(|code| code.parse().ok()).is_some_and(is_transient_sqlite_code)
        };
        if is_transient { Self::Unavailable(cause.into()) } else { Self::Fault(cause.into()) }
    }
}

/// Whether a SQLSTATE (PostgreSQL, appendix A) tells of the moment rather than of the statement.
fn is_transient_sqlstate(code: &str) -> bool {
    // By class: the connection, resources that ran out (connections, memory, disk), and the operator's intervention,
    // such as a restart or a statement that was cancelled.
    let of_class = ["08", "53", "57"].iter().any(|class| code.starts_with(class));
    // And one by one: serialization failure, deadlock, a lock that is not to be had, a server that became read-only.
    of_class || matches!(code, "40001" | "40P01" | "55P03" | "25006")
}

/// Whether a result code of SQLite, extended or not, tells of the moment rather than of the statement.
fn is_transient_sqlite_code(extended: u32) -> bool {
    // `SQLITE_BUSY`, `SQLITE_LOCKED`, `SQLITE_FULL` (the disk), `SQLITE_CANTOPEN` (also for want of file
    // descriptors) and `SQLITE_PROTOCOL` (of locking); the low byte is the primary code.
    matches!(extended & 0xff, 5 | 6 | 13 | 14 | 15)
}

impl From<sqlx::migrate::MigrateError> for StorageError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(error) | sqlx::migrate::MigrateError::ExecuteMigration(error, _) => {
                error.into()
            }
            other => Self::Fault(other.into()),
        }
    }
}

/// `Ok` if a row was written, else this error.
pub(crate) fn written(rows: u64, otherwise: StorageError) -> Result<()> {
    if rows == 0 { Err(otherwise) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that only what another try can mend is called unavailable, on PostgreSQL.
    #[test]
    fn a_sqlstate_of_the_moment_is_transient_and_one_of_the_statement_is_not() {
        for transient in ["08006", "53100", "53300", "57014", "57P01", "57P03", "40001", "40P01", "55P03", "25006"] {
            assert!(is_transient_sqlstate(transient), "{transient}");
        }
        for fault in ["42703", "42P01", "23502", "23505", "23514", "22P02", "25P02", "40002", "P0001", "XX000", ""] {
            assert!(!is_transient_sqlstate(fault), "{fault}");
        }
    }

    /// Proves that only what another try can mend is called unavailable, on SQLite.
    #[test]
    fn a_result_code_of_the_moment_is_transient_and_one_of_the_statement_is_not() {
        for transient in [5, 517, 6, 262, 13, 14, 15] {
            assert!(is_transient_sqlite_code(transient), "{transient}");
        }
        for fault in [1, 8, 10, 11, 19, 1811, 2067, 26] {
            assert!(!is_transient_sqlite_code(fault), "{fault}");
        }
    }
}
