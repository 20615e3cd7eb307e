//! Upgrades: today's code reads the rows of every era.
//!
//! An era is a migration. Its rows, as the code of that time wrote them, are in `upgrade/NNNN_what.sql`, one file for
//! both engines. A database gets the migrations up to that one, then the rows, then the later migrations.

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use domain::account::AccountName;
use domain::account_settings::AccountSettings;
use domain::language::Language;
use domain::network::Network;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, FromRow, PgConnection, SqliteConnection};
use storage::{Engine, accounts};
use tests::both_engines;
use tests::databases::{TestDatabase, empty};

/// Hexadecimal digits that the short form of an id leaves out: its time and version.
const ID_BEGINS: &str = "01900000000070008000";
/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 32;
/// Bytes of a digest.
const DIGEST_BYTES: usize = 32;

const SQLITE_COLUMNS: &str = "SELECT t.name, c.name, c.\"notnull\" = 0
    FROM sqlite_schema t JOIN pragma_table_info(t.name) c
    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite!_%' ESCAPE '!' AND t.name <> '_sqlx_migrations'";
const POSTGRES_COLUMNS: &str = "SELECT table_name::text, column_name::text, is_nullable = 'YES'
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'";

/// A migration, and rows of the time when it was the last one.
struct Era {
    file: String,
    rows: String,
}

impl Era {
    fn version(&self) -> i64 {
        self.file.split('_').next().unwrap().parse().unwrap()
    }

    /// A database as it was left at this time.
    async fn database(&self, engine: Engine) -> TestDatabase {
        let db = empty(engine).await;
        db.migrate_to(self.version()).await;
        db.tamper(&in_words_of(engine, &self.rows)).await;
        db
    }

    /// The same database after the later migrations.
    async fn upgraded(&self, engine: Engine) -> TestDatabase {
        let db = self.database(engine).await;
        db.store.migrate().await.unwrap();
        assert_eq!(db.store.pending_migrations().await.unwrap(), Vec::<String>::new());
        db
    }
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn sql_files(path: &str) -> BTreeSet<String> {
    let names = std::fs::read_dir(folder(path)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "sql")).collect()
}

fn eras() -> Vec<Era> {
    let files = sql_files("storage/upgrade");
    let read =
        |file: String| Era { rows: std::fs::read_to_string(folder("storage/upgrade").join(&file)).unwrap(), file };
    files.into_iter().map(read).collect()
}

/// Writes the literals of ids and bytes as this engine has them.
fn in_words_of(engine: Engine, rows: &str) -> String {
    let bytes = |hex: String| match engine {
        Engine::Sqlite => format!("x'{hex}'"),
        Engine::Postgres => format!("bytea '\\x{hex}'"),
    };
    let rows = replaced(rows, "BYTES'", |hex| bytes(hex.to_owned()));
    let rows = replaced(&rows, "DIGEST'", |byte| bytes(byte.repeat(DIGEST_BYTES)));
    replaced(&rows, "ID'", |end| {
        let hex = format!("{ID_BEGINS}{end:0>width$}", width = ID_DIGITS - ID_BEGINS.len());
        match engine {
            Engine::Sqlite => format!("x'{hex}'"),
            Engine::Postgres => format!("uuid '{hex}'"),
        }
    })
}

fn replaced(text: &str, literal: &str, write: impl Fn(&str) -> String) -> String {
    let mut parts = text.split(literal);
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |written, part| {
        let (value, rest) = part.split_once('\'').unwrap();
        written + &write(value) + rest
    })
}

/// Runs a query behind the store's back.
async fn rows<T>(db: &TestDatabase, sql: &str) -> Vec<T>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let query = AssertSqlSafe(sql.to_owned());
    match db.store.engine() {
        Engine::Sqlite => {
            let mut connection = SqliteConnection::connect(&db.url).await.unwrap();
            sqlx::query_as(query).fetch_all(&mut connection).await.unwrap()
        }
        Engine::Postgres => {
            let mut connection = PgConnection::connect(&db.url).await.unwrap();
            let found = sqlx::query_as(query).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            found
        }
    }
}

async fn count(db: &TestDatabase, what: &str, table: &str) -> usize {
    let found: Vec<(i64,)> = rows(db, &format!("SELECT count({what}) FROM {table}")).await;
    usize::try_from(found[0].0).unwrap()
}

/// Every column, by table, and whether it may be null.
async fn columns(db: &TestDatabase) -> BTreeMap<String, Vec<(String, bool)>> {
    let sql = match db.store.engine() {
        Engine::Sqlite => SQLITE_COLUMNS,
        Engine::Postgres => POSTGRES_COLUMNS,
    };
    let mut tables = BTreeMap::<String, Vec<(String, bool)>>::new();
    for (table, column, is_optional) in rows::<(String, String, bool)>(db, sql).await {
        tables.entry(table).or_default().push((column, is_optional));
    }
    assert!(tables.len() > 20, "the tables were not found");
    tables
}

/// Proves that an upgrade from every version of the schema is tested.
#[test]
fn every_migration_has_its_rows() {
    let (migrations, rows) = (sql_files("../migrations/sqlite"), sql_files("storage/upgrade"));
    assert_eq!(migrations, rows, "tests/storage/upgrade/ needs a file of rows for each migration, of the same name");
}

/// Proves that an era's rows leave nothing out: each table has one, and each optional column is null once and set once.
#[both_engines]
async fn the_rows_of_an_era_fill_every_table_and_column(db: TestDatabase) {
    for era in eras() {
        let old = era.database(db.store.engine()).await;
        for (table, columns) in columns(&old).await {
            let all = count(&old, "*", &table).await;
            assert_ne!(all, 0, "{}: {table} has no row", era.file);
            for (column, _) in columns.iter().filter(|(_, is_optional)| *is_optional) {
                let set = count(&old, column, &table).await;
                assert_ne!(set, 0, "{}: {table}.{column} is never set", era.file);
                assert_ne!(set, all, "{}: {table}.{column} is never null", era.file);
            }
        }
    }
}

/// Proves that today's code reads every row of every era, once the later migrations have run over it.
#[both_engines]
async fn the_rows_of_every_era_are_read(db: TestDatabase) {
    for era in eras() {
        let old = era.upgraded(db.store.engine()).await;
        let read = reading::everything(&old).await;
        for table in columns(&old).await.keys() {
            let read = read.get(table.as_str()).unwrap_or_else(|| panic!("reading.rs does not read {table}"));
            assert_eq!(*read, count(&old, "*", table).await, "{}: {table}", era.file);
        }
    }
}

/// Proves A6: settings read as they were stored, and a property that was not stored has its default.
#[both_engines]
async fn a_setting_that_was_not_stored_has_its_default(db: TestDatabase) {
    let network = |text| Network::parse(text).unwrap();
    let full = AccountSettings {
        require_email_mfa: true,
        allowed_networks: vec![network("192.0.2.0/24"), network("2001:db8::/32")],
        magic_link_seconds: 600,
        invitation_seconds: 86_400,
        max_access_token_seconds: Some(300),
        max_idle_seconds: Some(900),
        max_session_seconds: Some(7_200),
        languages: vec![Language::Swedish, Language::English],
    };
    let partial = AccountSettings { require_email_mfa: true, ..AccountSettings::default() };
    for era in eras() {
        let old = era.upgraded(db.store.engine()).await;
        let mut tx = old.store.read().await.unwrap();
        for (name, expected) in [("acme", &full), ("acme-sandbox", &AccountSettings::default()), ("partner", &partial)]
        {
            let name = AccountName::parse(name).unwrap();
            let account = accounts::by_name(&mut tx, &name).await.unwrap().unwrap();
            assert_eq!(&account.settings, expected, "{}", era.file);
        }
    }
}
