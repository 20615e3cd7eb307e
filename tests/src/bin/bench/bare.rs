//! The floor of a whole sign-in on SQLite: as many requests and statements as one has, on actix-web and sqlx as
//! they come, with nothing done in between. It runs in a process of its own, as the server does, so that its CPU
//! time is its own.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::{App, HttpResponse, HttpServer, web};
use reqwest::Method;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection as _, Executor as _, SqliteConnection};
use tempfile::TempDir;
use tests::client::Client;
use tests::process::free_port;

use crate::site::{Cost, measured};

/// Argument that makes the benchmark's program this server.
pub const ARGUMENT: &str = "serve-bare";
/// The requests of a sign-in: how many bytes are sent, and how many statements read and write. Several writes are one
/// transaction.
const REQUESTS: [(&str, usize, usize, usize); 3] =
    [("/start", 300, 2, 1), ("/response", 11_000, 3, 1), ("/exchange", 300, 1, 5)];
/// Bytes of a row, about as many as one of a sign-in has.
const ROW_BYTES: usize = 500;
/// Bytes of an answer, about as many as one with tokens has.
const ANSWER_BYTES: usize = 900;
/// Pause between two questions whether it answers.
const POLL: Duration = Duration::from_millis(20);

struct Database {
    options: SqliteConnectOptions,
    writer: tokio::sync::Mutex<SqliteConnection>,
    readers: Mutex<Vec<SqliteConnection>>,
    written: AtomicU64,
}

/// Serves until it is killed.
pub fn serve(port: &str, database: &str) {
    let port = port.parse::<u16>().expect("a port");
    actix_web::rt::System::new().block_on(async {
        let options = SqliteConnectOptions::new().filename(database).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let mut writer = SqliteConnection::connect_with(&options).await.expect("a database");
        let table = "CREATE TABLE sign_ins (id BLOB PRIMARY KEY, at INTEGER NOT NULL, text TEXT NOT NULL) STRICT";
        writer.execute(table).await.expect("a table");
        let (writer, readers) = (tokio::sync::Mutex::new(writer), Mutex::default());
        let database = web::Data::new(Database { options, writer, readers, written: AtomicU64::new(0) });
        let app = move || {
            let app = App::new().app_data(database.clone());
            REQUESTS.into_iter().fold(app, |app, (path, _, reads, writes)| {
                let answer = move |database: web::Data<Database>, _: web::Bytes| async move {
                    database.read(reads).await;
                    database.write(writes).await;
                    HttpResponse::Ok().body("x".repeat(ANSWER_BYTES))
                };
                app.route(path, web::post().to(answer))
            })
        };
        let workers = std::thread::available_parallelism().expect("a number of processors").get();
        let server = HttpServer::new(app).workers(workers).bind(("127.0.0.1", port)).expect("a free port");
        server.run().await.expect("served");
    });
}

impl Database {
    async fn read(&self, times: usize) {
        let kept = self.readers.lock().expect("not poisoned").pop();
        let mut reader = match kept {
            Some(reader) => reader,
            None => SqliteConnection::connect_with(&self.options).await.expect("a connection"),
        };
        for _ in 0..times {
            let newest = self.written.load(Ordering::Relaxed).to_be_bytes();
            let query = sqlx::query("SELECT id, at, text FROM sign_ins WHERE id = $1").bind(newest.as_slice());
            query.fetch_optional(&mut reader).await.expect("read");
        }
        self.readers.lock().expect("not poisoned").push(reader);
    }

    async fn write(&self, times: usize) {
        let mut writer = self.writer.lock().await;
        let in_transaction = times > 1;
        if in_transaction {
            writer.execute("BEGIN IMMEDIATE").await.expect("begun");
        }
        for _ in 0..times {
            let id = self.written.fetch_add(1, Ordering::Relaxed) + 1;
            let query = sqlx::query("INSERT INTO sign_ins (id, at, text) VALUES ($1, $2, $3)");
            let query = query.bind(id.to_be_bytes().to_vec()).bind(0_i64).bind("x".repeat(ROW_BYTES));
            query.execute(&mut *writer).await.expect("written");
        }
        if in_transaction {
            writer.execute("COMMIT").await.expect("committed");
        }
    }
}

/// The process under way.
pub struct Bare {
    child: Child,
    client: Client,
    _folder: TempDir,
}

impl Bare {
    pub async fn start() -> Self {
        let (folder, port) = (TempDir::new().expect("a folder"), free_port().to_string());
        let program = std::env::current_exe().expect("this program");
        let database = Path::new(folder.path()).join("bare.db");
        let mut command = Command::new(program);
        command.arg(ARGUMENT).arg(&port).arg(database).stdin(Stdio::null());
        let child = command.spawn().expect("started");
        let client = Client::anonymous(&format!("http://127.0.0.1:{port}"));
        while client.request(Method::GET, "/").send().await.is_err() {
            tokio::time::sleep(POLL).await;
        }
        Self { child, client, _folder: folder }
    }

    /// Does as many statements as that many sign-ins.
    pub async fn sign_in(&self, count: usize) -> Cost {
        let mut cost = Cost::default();
        for (path, bytes, ..) in REQUESTS {
            let client = self.client.clone();
            let post = move |body: &String| client.request(Method::POST, path).body(body.clone());
            measured(self.child.id(), &mut cost, vec!["x".repeat(bytes); count], 200, post).await;
        }
        cost
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
