//! A fresh, migrated database per test, on either engine.
//!
//! SQLite is a file in a temporary folder. PostgreSQL is a database of its own in the throw-away cluster that
//! `VESTIBULE_TEST_POSTGRES_URL` names (a superuser's URL; `./dev test` and `./dev postgres` start such a cluster),
//! copied from a template that is migrated once. Without the variable a test on PostgreSQL fails; it never skips.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
pub use storage::Engine;
use storage::{DatabaseSettings, Store, Synchronous};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

/// Names the throw-away PostgreSQL cluster.
pub const POSTGRES_URL_VARIABLE: &str = "VESTIBULE_TEST_POSTGRES_URL";
/// Most connections of a store: enough for tests that race; small, because many tests share one cluster.
const MAX_CONNECTIONS: u32 = 8;
/// The advisory lock under which one process makes the template and the others wait. Any number that is not in
/// use.
const TEMPLATE_LOCK: i64 = 0x7665_7374_6962;
/// The template of PostgreSQL that holds nothing and to which nobody connects, so that it can be copied at any time.
const EMPTY_TEMPLATE: &str = "template0";

/// A database of one test alone, which is removed when this is dropped.
pub struct TestDatabase {
    /// Store on it, which is open.
    pub store: Store,
    /// The URL that it was opened with, to open the database once more.
    pub url: String,
    origin: Origin,
}

enum Origin {
    Folder { _folder: TempDir },
    Cluster { server: Url, name: String },
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Origin::Cluster { server, name } = &self.origin {
            let (server, statement) = (server.clone(), format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)"));
            // A runtime of its own: the test's may be the one that is dropping this.
            let dropping = std::thread::spawn(move || block_on(run_on(server, statement)));
            dropping.join().expect("the database is dropped");
        }
    }
}

impl TestDatabase {
    /// Runs a statement over a connection of its own, as another program with access to the database would.
    pub async fn tamper(&self, statement: &str) {
        let sql = AssertSqlSafe(statement.to_owned());
        let done = match self.store.engine() {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.expect("SQLite opens");
                sqlx::raw_sql(sql).execute(&mut connection).await.map(drop)
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.expect("PostgreSQL answers");
                sqlx::raw_sql(sql).execute(&mut connection).await.map(drop)
            }
        };
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// Applies the migrations up to this number, as the build did to which no more were known.
    pub async fn migrate_to(&self, version: i64) {
        let done = match self.store.engine() {
            Engine::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url).await.expect("SQLite opens");
                migrations("sqlite").await.run_to(version, &mut connection).await
            }
            Engine::Postgres => {
                let mut connection = PgConnection::connect(&self.url).await.expect("PostgreSQL answers");
                migrations("postgres").await.run_to(version, &mut connection).await
            }
        };
        done.unwrap_or_else(|error| panic!("migrations up to {version}: {error}"));
    }
}

/// Makes a migrated database on this engine.
pub async fn database(engine: Engine) -> TestDatabase {
    match engine {
        Engine::Sqlite => {
            let db = sqlite().await;
            db.store.migrate().await.expect("SQLite migrates");
            db
        }
        Engine::Postgres => postgres(Contents::Migrated).await,
    }
}

/// Makes a database on this engine to which no migration was applied.
pub async fn empty(engine: Engine) -> TestDatabase {
    match engine {
        Engine::Sqlite => sqlite().await,
        Engine::Postgres => postgres(Contents::Nothing).await,
    }
}

/// The settings of a store on this database: what a second process, or a restarted one, would open.
pub fn settings(url: &str) -> DatabaseSettings {
    DatabaseSettings { url: url.to_owned(), max_connections: MAX_CONNECTIONS, sqlite_synchronous: Synchronous::Normal }
}

async fn sqlite() -> TestDatabase {
    let folder = TempDir::new().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("vestibule.db").display());
    let store = Store::open(&settings(&url)).await.expect("SQLite opens");
    TestDatabase { store, url, origin: Origin::Folder { _folder: folder } }
}

/// Contents that a new database of PostgreSQL begins with.
enum Contents {
    Nothing,
    Migrated,
}

async fn postgres(contents: Contents) -> TestDatabase {
    let server = cluster();
    let mut connection = PgConnection::connect(server.as_str()).await.expect("the PostgreSQL cluster answers");
    let template = match contents {
        Contents::Nothing => EMPTY_TEMPLATE.to_owned(),
        Contents::Migrated => template(&mut connection, &server).await,
    };
    let name = format!("test_{}", Uuid::new_v4().simple());
    run(&mut connection, format!("CREATE DATABASE \"{name}\" TEMPLATE \"{template}\"")).await;
    connection.close().await.expect("a connection closes");
    let url = of_database(&server, &name).to_string();
    let store = Store::open(&settings(&url)).await.expect("PostgreSQL opens");
    TestDatabase { store, url, origin: Origin::Cluster { server, name } }
}

fn cluster() -> Url {
    let url = std::env::var(POSTGRES_URL_VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{POSTGRES_URL_VARIABLE} is not set: run the tests by `./dev test`, or name a cluster of `./dev postgres`"
        )
    });
    url.parse().unwrap_or_else(|error| panic!("{POSTGRES_URL_VARIABLE} is no URL: {error}"))
}

fn of_database(server: &Url, name: &str) -> Url {
    let mut url = server.clone();
    url.set_path(name);
    url
}

/// The name of the migrated template, which the first test of these migrations makes.
async fn template(connection: &mut PgConnection, server: &Url) -> String {
    let name = format!("vestibule_template_{:016x}", fingerprint());
    if exists(connection, &name).await {
        return name;
    }
    run(connection, format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})")).await;
    if !exists(connection, &name).await {
        let unfinished = format!("{name}_unfinished");
        run(connection, format!("DROP DATABASE IF EXISTS \"{unfinished}\" WITH (FORCE)")).await;
        run(connection, format!("CREATE DATABASE \"{unfinished}\"")).await;
        let store = Store::open(&settings(of_database(server, &unfinished).as_str())).await.expect("PostgreSQL opens");
        store.migrate().await.expect("PostgreSQL migrates");
        store.close().await;
        // The name appears only now, so half a template is never copied.
        run(connection, format!("ALTER DATABASE \"{unfinished}\" RENAME TO \"{name}\"")).await;
    }
    run(connection, format!("SELECT pg_advisory_unlock({TEMPLATE_LOCK})")).await;
    name
}

async fn exists(connection: &mut PgConnection, name: &str) -> bool {
    let query = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1)").bind(name);
    query.fetch_one(connection).await.expect("the catalogue answers")
}

/// Folder of an engine's migrations.
fn folder_of(engine: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(engine)
}

async fn migrations(engine: &str) -> Migrator {
    Migrator::new(folder_of(engine)).await.expect("the migrations")
}

/// Another set of migrations is another template.
fn fingerprint() -> u64 {
    let folder = folder_of("postgres");
    let mut paths: Vec<_> =
        std::fs::read_dir(&folder).expect("the migrations").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths {
        std::fs::read(path).expect("a migration").hash(&mut hasher);
    }
    hasher.finish()
}

async fn run(connection: &mut PgConnection, statement: String) {
    let done = sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(connection).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn run_on(server: Url, statement: String) {
    let mut connection = PgConnection::connect(server.as_str()).await.expect("the PostgreSQL cluster answers");
    run(&mut connection, statement).await;
    connection.close().await.expect("a connection closes");
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work);
}
