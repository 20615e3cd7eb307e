//! What can go wrong with storage, in four words.

/// What another library said; logged as a chain, never parsed and never shown.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
/// What every query gives.
pub type Result<T> = std::result::Result<T, StorageError>;

/// Why something was not stored or read.
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
        /// What is wrong with it.
        source: Cause,
    },
    /// The database cannot be reached, is too busy, or refused; trying again may help.
    #[error("the database is not available")]
    Unavailable(#[source] Cause),
}

/// What must be unique.
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
    /// What a sign-in is answered with: one assertion, which answers once per connection, and one code (C10).
    Answer,
    /// A link between two accounts.
    AccountLink,
    /// The key that signs access tokens.
    ActiveSigningKey,
}

impl Unique {
    /// What a constraint of the migrations holds unique. Only PostgreSQL names it, and only an update that races
    /// another transaction gets this far; inserts and SQLite's one writer never do.
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
            sqlx::Error::Database(cause) if cause.is_foreign_key_violation() => Self::Stale,
            sqlx::Error::Database(cause) => match cause.constraint().and_then(Unique::of_constraint) {
                Some(unique) => Self::Conflict(unique),
                None => Self::Unavailable(cause.into()),
            },
            other => Self::Unavailable(other.into()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StorageError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::Unavailable(error.into())
    }
}

/// `Ok` if a row was written, else this error.
pub(crate) fn written(rows: u64, otherwise: StorageError) -> Result<()> {
    if rows == 0 { Err(otherwise) } else { Ok(()) }
}
