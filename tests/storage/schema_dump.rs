//! Today's schema of both engines, written down in `docs/schema`: a reader need not add up the migrations.

use std::fmt::Write as _;
use std::path::Path;

use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use storage::Engine;
use tests::databases::database;

/// Environment variable that has the files written anew instead of compared.
const UPDATE: &str = "VESTIBULE_UPDATE";

/// Statements that would make the tables and indexes, tables first.
const SQLITE: &str = "SELECT sql FROM sqlite_schema
    WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND tbl_name <> '_sqlx_migrations'
    ORDER BY tbl_name, type = 'index', name";
/// Lines of each table: its columns in order, its constraints, its other indexes.
const POSTGRES: &str = "SELECT relname::text AS name, lines.line FROM pg_class, LATERAL (
        SELECT 1 AS kind, attnum::int AS place, attname || ' ' || format_type(atttypid, atttypmod)
                || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
                || COALESCE(' DEFAULT ' || pg_get_expr(adbin, adrelid), '') AS line
            FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
            WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        UNION ALL SELECT 2, 0, 'CONSTRAINT ' || conname || ' ' || pg_get_constraintdef(oid)
            FROM pg_constraint WHERE conrelid = pg_class.oid AND contype <> 'n'
        UNION ALL SELECT 3, 0, indexdef FROM pg_indexes
            WHERE schemaname = 'public' AND tablename = relname
            AND indexname NOT IN (SELECT conname FROM pg_constraint)
    ) AS lines
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> '_sqlx_migrations'
    ORDER BY relname, lines.kind, lines.place, lines.line";

fn assert_written_down(file: &str, schema: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema").join(file);
    let text = format!("-- Generated from the migrations by `./dev generate`.\n\n{schema}");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "docs/schema/{file} is out of date: run `./dev generate`");
}

/// Proves that the written schema of SQLite is the one that the migrations make.
#[tokio::test]
async fn the_schema_of_sqlite_is_written_down() {
    let db = database(Engine::Sqlite).await;
    let mut connection = SqliteConnection::connect(&db.url).await.unwrap();
    let rows = sqlx::query(SQLITE).fetch_all(&mut connection).await.unwrap();
    let statements: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert_written_down("sqlite.sql", &format!("{};\n", statements.join(";\n\n")));
}

/// Proves that the written schema of PostgreSQL is the one that the migrations make.
#[tokio::test]
async fn the_schema_of_postgresql_is_written_down() {
    let db = database(Engine::Postgres).await;
    let mut connection = PgConnection::connect(&db.url).await.unwrap();
    let rows = sqlx::query(POSTGRES).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let (mut text, mut table) = (String::new(), String::new());
    for row in &rows {
        let (name, line): (String, String) = (row.get(0), row.get(1));
        if name != table {
            let gap = if text.is_empty() { "" } else { "\n" };
            writeln!(text, "{gap}TABLE {name}").unwrap();
            table = name;
        }
        writeln!(text, "    {line}").unwrap();
    }
    assert_written_down("postgres.txt", &text);
}
