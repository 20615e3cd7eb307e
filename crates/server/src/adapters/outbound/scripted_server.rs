//! A server on loopback that misbehaves as told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// What it does with each connection.
#[derive(Debug, Clone, Copy)]
pub enum Script {
    /// Sends these bytes.
    Answer(&'static [u8]),
    /// Reads and never answers.
    Hang,
    /// Closes at once.
    HangUp,
    /// Sends a body without end, as fast as it can.
    EndlessBody,
    /// Sends a byte of a body now and then.
    TricklingBody,
}

/// The server; it ends with this value.
pub struct ScriptedServer {
    /// Where it is.
    pub url: Url,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl ScriptedServer {
    /// Starts one.
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url_of(&listener);
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(act(stream, script));
            }
        });
        Self { url, connections, task }
    }

    /// How many connections it took.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// A URL whose port nobody listens on.
    pub async fn refusing_url() -> Url {
        url_of(&TcpListener::bind("127.0.0.1:0").await.unwrap())
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn url_of(listener: &TcpListener) -> Url {
    Url::parse(&format!("http://{}/sso", listener.local_addr().unwrap())).unwrap()
}

async fn act(mut stream: TcpStream, script: Script) {
    if matches!(script, Script::HangUp) {
        return;
    }
    let mut request = [0; 4096];
    let _read = stream.read(&mut request).await;
    let chunk = match script {
        Script::EndlessBody => vec![b'a'; 65_536],
        _ => vec![b'a'],
    };
    match script {
        Script::Answer(bytes) => {
            let _sent = stream.write_all(bytes).await;
        }
        Script::Hang => std::future::pending().await,
        Script::HangUp => {}
        Script::EndlessBody | Script::TricklingBody => {
            let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
            let mut pace = tokio::time::interval(Duration::from_millis(20));
            while sent.is_ok() {
                if matches!(script, Script::TricklingBody) {
                    pace.tick().await;
                }
                sent = stream.write_all(&chunk).await;
            }
        }
    }
}
