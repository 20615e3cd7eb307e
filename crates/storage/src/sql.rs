//! The macros that run one SQL text on either engine.
//!
//! A query is a constant that `queries!` declares, so that the conformance suite can prepare each on both engines.
//! Writes go through `execute!`, which a transaction for reading refuses; reads through `fetch_optional!` and
//! `fetch_all!`. Portable SQL: `$1` parameters; no arrays, no `lower()`, no time; where a parameter may be null its
//! comparison comes before its `IS NULL`, because PostgreSQL learns its type from the first use. An `INSERT` whose tuple of
//! values is parameters alone can write many rows at once, through `execute_rows!`.

/// A query and its name.
#[derive(Debug, Clone, Copy)]
pub struct Query {
    name: &'static str,
    sql: &'static str,
}

impl Query {
    pub(crate) const fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sql }
    }

    /// Its name within its module.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// Its text.
    pub const fn sql(self) -> &'static str {
        self.sql
    }

    /// The text of an `INSERT` for so many rows: its one tuple of parameters repeated, numbered on.
    pub(crate) fn of_rows(self, rows: usize) -> String {
        let (head, rest) = self.sql.split_once("VALUES (").unwrap_or((self.sql, ""));
        let (tuple, tail) = rest.split_once(')').unwrap_or((rest, ""));
        let columns = tuple.split(',').count();
        let parameters = |row: usize| (1..=columns).map(move |column| format!("${}", row * columns + column));
        let tuples = (0..rows).map(|row| format!("({})", parameters(row).collect::<Vec<_>>().join(", ")));
        format!("{head}VALUES {}{tail}", tuples.collect::<Vec<_>>().join(", "))
    }
}

/// Most rows of one statement. SQLite looks each numbered parameter up among all before it, so that longer statements
/// cost more than they save; on PostgreSQL they save hardly any more round trips.
pub(crate) const ROWS_PER_STATEMENT: usize = 20;

/// Whether the statement for so many rows is kept prepared: those that come again and again, for one row and for as many as
/// there may be.
pub(crate) const fn is_kept(rows: usize) -> bool {
    rows == 1 || rows == ROWS_PER_STATEMENT
}

/// Declares a module's queries, and `QUERIES`, which holds them all.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: $crate::sql::Query = $crate::sql::Query::new(stringify!($name), $sql);)*

        /// Every query of this module.
        pub(crate) const QUERIES: &[$crate::sql::Query] = &[$($name),*];
    };
}

/// Runs a query that writes; gives the number of rows that it wrote.
macro_rules! execute {
    ($tx:expr, $query:expr $(, $argument:expr)* $(,)?) => {
        match $tx {
            $crate::tx::Tx::Sqlite(handle) => {
                let query = sqlx::query($query.sql())$(.bind($argument))*;
                let result = query.execute(handle.writing()?).await;
                handle.settle(result.map(|done| done.rows_affected()))
            }
            $crate::tx::Tx::Postgres(handle) => {
                let query = sqlx::query($query.sql())$(.bind($argument))*;
                let result = query.execute(handle.writing()?).await;
                handle.settle(result.map(|done| done.rows_affected()))
            }
        }
    };
}

/// Runs an `INSERT` for many rows, in as few statements as it takes; gives the number of rows that it wrote.
macro_rules! execute_rows {
    ($tx:expr, $query:expr, $rows:expr, |$row:ident| [$($argument:expr),* $(,)?]) => {{
        let mut written = 0;
        for chunk in $rows.chunks($crate::sql::ROWS_PER_STATEMENT) {
            let sql = sqlx::AssertSqlSafe($query.of_rows(chunk.len()));
            written += match $tx {
                $crate::tx::Tx::Sqlite(handle) => {
                    let query = sqlx::query(sql).persistent($crate::sql::is_kept(chunk.len()));
                    let query = chunk.iter().fold(query, |query, $row| query$(.bind($argument))*);
                    let result = query.execute(handle.writing()?).await;
                    handle.settle(result.map(|done| done.rows_affected()))?
                }
                $crate::tx::Tx::Postgres(handle) => {
                    let query = sqlx::query(sql).persistent($crate::sql::is_kept(chunk.len()));
                    let query = chunk.iter().fold(query, |query, $row| query$(.bind($argument))*);
                    let result = query.execute(handle.writing()?).await;
                    handle.settle(result.map(|done| done.rows_affected()))?
                }
            };
        }
        $crate::error::Result::Ok(written)
    }};
}

/// Runs a query that reads one row at most, of the type that the caller names.
macro_rules! fetch_optional {
    ($tx:expr, $query:expr $(, $argument:expr)* $(,)?) => {
        $crate::sql::fetch!(fetch_optional, $tx, $query $(, $argument)*)
    };
}

/// Runs a query that reads rows of the type that the caller names.
macro_rules! fetch_all {
    ($tx:expr, $query:expr $(, $argument:expr)* $(,)?) => {
        $crate::sql::fetch!(fetch_all, $tx, $query $(, $argument)*)
    };
}

macro_rules! fetch {
    ($how:ident, $tx:expr, $query:expr $(, $argument:expr)*) => {
        match $tx {
            $crate::tx::Tx::Sqlite(handle) => {
                let query = sqlx::query_as($query.sql())$(.bind($argument))*;
                let result = query.$how(handle.reading()).await;
                handle.settle(result)
            }
            $crate::tx::Tx::Postgres(handle) => {
                let query = sqlx::query_as($query.sql())$(.bind($argument))*;
                let result = query.$how(handle.reading()).await;
                handle.settle(result)
            }
        }
    };
}

pub(crate) use {execute, execute_rows, fetch, fetch_all, fetch_optional, queries};
