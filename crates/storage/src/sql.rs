//! The macros that run one SQL text on either engine.
//!
//! A query is a constant that `queries!` declares, so that the conformance suite can prepare each on both engines.
//! Writes go through `execute!`, which a transaction for reading refuses; reads through `fetch_optional!` and
//! `fetch_all!`. Portable SQL: `$1` parameters; no arrays, no `lower()`, no time; where a parameter may be null its
//! comparison comes before its `IS NULL`, because PostgreSQL learns its type from the first use. An `INSERT` whose
//! tuple of values is parameters alone, in their order, can write many rows at once, through `execute_rows!`.

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

    /// Name of the query within its module.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// SQL text of the query.
    pub const fn sql(self) -> &'static str {
        self.sql
    }

    /// Name among these, in the order of the parameters, that is not the one of the column which its parameter is written
    /// into or compared with; none where all are right. A name may say more than its column: `read_updated_at`.
    pub(crate) fn misnamed(self, names: &[&'static str]) -> Option<&'static str> {
        let of_column = |name: &str, column: &str| {
            name.strip_suffix(column).is_some_and(|before| before.is_empty() || before.ends_with('_'))
        };
        let is_wrong = |(parameter, name): &(usize, &&'static str)| {
            self.column_of(*parameter).is_some_and(|column| !of_column(name, column))
        };
        (1..).zip(names).find(is_wrong).map(|(_, name)| *name)
    }

    /// Column that a parameter is written into by an `INSERT`, or stands beside in a comparison or an assignment.
    fn column_of(self, parameter: usize) -> Option<&'static str> {
        let marker = format!("${parameter}");
        self.inserted(&marker).or_else(|| {
            let (before, _) = self
                .sql
                .match_indices(&marker)
                .map(|(at, _)| self.sql.split_at(at))
                .find(|(_, rest)| !rest[marker.len()..].starts_with(|next: char| next.is_ascii_digit()))?;
            let operand = before.trim_end().strip_suffix(['=', '<', '>'])?.trim_end_matches(['=', '<', '>']).trim_end();
            let word = operand.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
            word.starts_with(|first: char| first.is_ascii_lowercase()).then_some(word)
        })
    }

    fn inserted(self, marker: &str) -> Option<&'static str> {
        let (_, rest) = self.sql.split_once("INSERT INTO ")?.1.split_once('(')?;
        let (columns, rest) = rest.split_once(')')?;
        let values =
            rest.trim_start().strip_prefix("VALUES (").or_else(|| rest.trim_start().strip_prefix("SELECT "))?;
        let first_word = |value: &'static str| value.trim_start().split([' ', ')', '\n']).next().unwrap_or_default();
        let found = columns.split(',').zip(values.split(',')).find(|(_, value)| first_word(value) == marker);
        found.map(|(column, _)| column.trim())
    }

    /// The text of an `INSERT` up to its values, its columns' number, and the text after them.
    fn parts(self) -> (&'static str, usize, &'static str) {
        let (head, rest) = self.sql.split_once("VALUES (").unwrap_or((self.sql, ""));
        let (tuple, tail) = rest.split_once(')').unwrap_or((rest, ""));
        let parameters = tuple.split(',').map(str::trim).zip(1..);
        debug_assert!(parameters.clone().all(|(parameter, n)| *parameter == format!("${n}")), "{}: {tuple}", self.name);
        (head, parameters.count(), tail)
    }

    /// The text of an `INSERT` for so many rows on SQLite. Its parameters have no number, because SQLite would
    /// look each of them up among all before it.
    pub(crate) fn of_rows(self, rows: usize) -> String {
        let (head, columns, tail) = self.parts();
        let tuple = format!("({})", vec!["?"; columns].join(", "));
        format!("{head}VALUES {}{tail}", vec![tuple; rows].join(", "))
    }

    /// The text of an `INSERT` for any number of rows on PostgreSQL: each parameter is the array of a column.
    pub(crate) fn of_columns(self) -> String {
        let (head, columns, tail) = self.parts();
        let parameters: Vec<String> = (1..=columns).map(|column| format!("${column}")).collect();
        format!("{head}SELECT * FROM UNNEST({}){tail}", parameters.join(", "))
    }
}

/// Most rows of one statement: with fifty columns still below the 32,766 parameters that SQLite allows.
pub(crate) const ROWS_PER_STATEMENT: usize = 500;

/// Whether SQLite's statement for so many rows is kept prepared: those that come again and again, for one row and
/// for as many as there may be.
pub(crate) const fn is_kept(rows: usize) -> bool {
    rows == 1 || rows == ROWS_PER_STATEMENT
}

/// Most arguments that come by their position alone: more of them are mixed up one day.
const POSITIONS_MAX: usize = 8;

/// Refuses, when it is compiled, a query whose arguments should have names.
pub(crate) const fn few(arguments: &[&str]) {
    assert!(arguments.len() <= POSITIONS_MAX, "give these arguments names");
}

/// Declares a module's queries, and `QUERIES`, which holds them all.
macro_rules! queries {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* const $name: $crate::sql::Query = $crate::sql::Query::new(stringify!($name), $sql);)*

        /// Every query of this module.
        pub(crate) const QUERIES: &[$crate::sql::Query] = &[$($name),*];
    };
}

/// Runs a query that writes; gives the number of rows that it wrote. Arguments come in the order of the parameters; more
/// than eight come by name, `{ id: …, account_id: … }`, which tests compare with the columns.
macro_rules! execute {
    ($tx:expr, $query:expr, { $($name:ident: $argument:expr),* $(,)? }) => {{
        debug_assert_eq!($query.misnamed(&[$(stringify!($name)),*]), None, "{}", $query.name());
        $crate::sql::write!($tx, $query $(, $argument)*)
    }};
    ($tx:expr, $query:expr $(, $argument:expr)* $(,)?) => {{
        const { $crate::sql::few(&[$(stringify!($argument)),*]) };
        $crate::sql::write!($tx, $query $(, $argument)*)
    }};
}

macro_rules! write {
    ($tx:expr, $query:expr $(, $argument:expr)*) => {
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

/// Runs an `INSERT` for many rows, in as few statements as it takes; gives the number of rows that it wrote. PostgreSQL
/// gets a column at a time, as an array, so that its one statement is prepared once for any number of rows.
macro_rules! execute_rows {
    ($tx:expr, $query:expr, $rows:expr, |$row:ident| { $($name:ident: $argument:expr),* $(,)? }) => {{
        debug_assert_eq!($query.misnamed(&[$(stringify!($name)),*]), None, "{}", $query.name());
        $crate::sql::execute_rows!($tx, $query, $rows, |$row| [$($argument),*])
    }};
    ($tx:expr, $query:expr, $rows:expr, |$row:ident| [$($argument:expr),* $(,)?]) => {{
        let mut written = 0;
        for chunk in $rows.chunks($crate::sql::ROWS_PER_STATEMENT) {
            written += match $tx {
                $crate::tx::Tx::Sqlite(handle) => {
                    let sql = sqlx::AssertSqlSafe($query.of_rows(chunk.len()));
                    let query = sqlx::query(sql).persistent($crate::sql::is_kept(chunk.len()));
                    let query = chunk.iter().fold(query, |query, $row| query$(.bind($argument))*);
                    let result = query.execute(handle.writing()?).await;
                    handle.settle(result.map(|done| done.rows_affected()))?
                }
                $crate::tx::Tx::Postgres(handle) => {
                    let query = sqlx::query(sqlx::AssertSqlSafe($query.of_columns()));
                    let query = query$(.bind(chunk.iter().map(|$row| ($argument, $row).0).collect::<Vec<_>>()))*;
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
    ($tx:expr, $query:expr $(, $argument:expr)* $(,)?) => {{
        const { $crate::sql::few(&[$(stringify!($argument)),*]) };
        $crate::sql::fetch!(fetch_optional, $tx, $query $(, $argument)*)
    }};
}

/// Runs a query that reads rows of the type that the caller names.
macro_rules! fetch_all {
    ($tx:expr, $query:expr, { $($name:ident: $argument:expr),* $(,)? }) => {{
        debug_assert_eq!($query.misnamed(&[$(stringify!($name)),*]), None, "{}", $query.name());
        $crate::sql::fetch!(fetch_all, $tx, $query $(, $argument)*)
    }};
    ($tx:expr, $query:expr $(, $argument:expr)* $(,)?) => {{
        const { $crate::sql::few(&[$(stringify!($argument)),*]) };
        $crate::sql::fetch!(fetch_all, $tx, $query $(, $argument)*)
    }};
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

pub(crate) use {execute, execute_rows, fetch, fetch_all, fetch_optional, queries, write};

#[cfg(test)]
mod tests {
    use super::Query;

    /// Proves that a value is written where its name says: two of one type cannot change places unseen.
    #[test]
    fn arguments_are_held_against_the_columns_of_their_parameters() {
        let insert = Query::new("INSERT", "INSERT INTO t (id, account_id, at) VALUES ($1, $2, $3)");
        assert_eq!(insert.misnamed(&["id", "account_id", "at"]), None);
        assert_eq!(insert.misnamed(&["account_id", "id", "at"]), Some("id"));
        let select = Query::new("LIMITED", "INSERT INTO t (id, at) SELECT $1, $2 WHERE (SELECT 1) < $3");
        assert_eq!(select.misnamed(&["id", "at", "most"]), None);
        assert_eq!(select.misnamed(&["at", "id", "most"]), Some("at"));
        let update = Query::new("UPDATE", "UPDATE t SET state = $3, at = $10 WHERE t.id = $1 AND at <= $2");
        let names = ["id", "read_at", "state", "", "", "", "", "", "", "at"];
        assert_eq!(update.misnamed(&names), None);
        assert_eq!(update.misnamed(&["id", "state", "read_at"]), Some("state"));
    }
}
