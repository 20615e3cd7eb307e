//! The registry of queries is complete, every query prepares on both engines, and both have the same tables.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sqlx::{Connection, Executor, PgConnection, Row, SqlSafeStr, SqliteConnection};
use storage::{Engine, Query, registry};
use tests::databases::database;

/// Every query of the registry and the module that declares it.
pub fn queries() -> impl Iterator<Item = (&'static str, Query)> {
    registry::QUERIES.iter().flat_map(|(module, queries)| queries.iter().map(|query| (*module, *query)))
}

fn sources() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/storage/src");
    let files = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let (folders, mut found): (Vec<_>, Vec<_>) = files(&folder).into_iter().partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(|folder| files(folder)));
    found
}

/// Proves that this suite sees every query there is: each is declared by `queries!`, in a module of the registry.
#[test]
fn every_query_is_registered() {
    for path in sources() {
        let (text, name) = (std::fs::read_to_string(&path).unwrap(), path.file_stem().unwrap().to_str().unwrap());
        let registered = registry::QUERIES.iter().any(|(module, _)| *module == name);
        let declares = text.contains("\nqueries! {");
        assert_eq!(declares, registered, "{name} is missing from, or superfluous in, registry.rs");
        let runs = text.contains("sqlx::query") || text.contains("Query::new") || text.contains("raw_sql");
        assert!(!runs || ["sql", "store"].contains(&name), "{name} runs SQL that is not declared by queries!");
    }
    let names: Vec<_> = queries().map(|(module, query)| (module, query.name())).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "two queries of one name");
}

/// Proves that the same text means something to SQLite.
#[tokio::test]
async fn every_query_prepares_on_sqlite() {
    let db = database(Engine::Sqlite).await;
    let mut connection = SqliteConnection::connect(&db.url).await.unwrap();
    for (module, query) in queries() {
        let prepared = connection.prepare(query.sql().into_sql_str()).await;
        assert!(prepared.is_ok(), "{module}::{}: {:?}", query.name(), prepared.err());
    }
}

/// Proves that the same text means something to PostgreSQL, the type of every parameter included.
#[tokio::test]
async fn every_query_prepares_on_postgres() {
    let db = database(Engine::Postgres).await;
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    for (module, query) in queries() {
        let prepared = connection.prepare(query.sql().into_sql_str()).await;
        assert!(prepared.is_ok(), "{module}::{}: {:?}", query.name(), prepared.err());
    }
    connection.close().await.unwrap();
}

/// A column as `table.column type [NOT NULL]`, with PostgreSQL's name of the type.
const SQLITE_COLUMNS: &str = "SELECT t.name || '.' || c.name || CASE c.\"notnull\" WHEN 1 THEN ' NOT NULL' ELSE '' END,
        c.type FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name <> '_sqlx_migrations'";
const POSTGRES_COLUMNS: &str = "SELECT table_name || '.' || column_name
        || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";
const SQLITE_INDEXES: &str = "SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL";
const POSTGRES_INDEXES: &str = "SELECT indexname::text, tablename::text FROM pg_indexes
    WHERE schemaname = 'public' AND indexname NOT IN (SELECT conname FROM pg_constraint)";

async fn of_sqlite(url: &str, sql: &'static str) -> BTreeSet<(String, String)> {
    let mut connection = SqliteConnection::connect(url).await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

async fn of_postgres(url: &str, sql: &'static str) -> BTreeSet<(String, String)> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Storage class of SQLite that stands for a type of PostgreSQL.
fn storage_class(postgres: &str) -> &'static str {
    match postgres {
        "uuid" | "bytea" => "BLOB",
        "text" | "jsonb" => "TEXT",
        "bigint" | "boolean" => "INTEGER",
        other => panic!("{other} has no counterpart in SQLite"),
    }
}

/// Proves that both folders of migrations make the same tables, columns and indexes.
#[tokio::test]
async fn both_engines_have_the_same_schema() {
    let (sqlite, postgres) = (database(Engine::Sqlite).await, database(Engine::Postgres).await);
    let ours = of_sqlite(&sqlite.url, SQLITE_COLUMNS).await;
    let theirs = of_postgres(&postgres.url, POSTGRES_COLUMNS).await;
    let theirs = theirs.into_iter().map(|(column, kind)| (column, storage_class(&kind).to_owned())).collect();
    assert_eq!(ours, theirs);
    assert!(ours.len() > 100, "the columns were not found");
    assert_eq!(of_sqlite(&sqlite.url, SQLITE_INDEXES).await, of_postgres(&postgres.url, POSTGRES_INDEXES).await);
}

/// Proves that every constraint is named, so that it can be recognized and altered, alike on both engines.
#[test]
fn every_constraint_is_named() {
    for engine in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("-- "), "{} does not begin by saying what it is for", path.display());
            for kind in ["PRIMARY KEY", "UNIQUE (", "FOREIGN KEY", "CHECK ("] {
                for (at, _) in text.match_indices(kind) {
                    let before = text[..at].trim_end().rsplit([',', '(']).next().unwrap();
                    assert!(before.contains("CONSTRAINT "), "{}: an unnamed {kind}", path.display());
                }
            }
        }
    }
}
