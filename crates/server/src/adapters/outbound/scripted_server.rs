//! A server on loopback that misbehaves as told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use url::Url;

/// The server's behaviour on each connection.
#[derive(Debug, Clone, Copy)]
pub enum Script {
    /// Sends these bytes as the answer.
    Answer(&'static [u8]),
    /// Reads and never answers.
    Hang,
    /// Closes the connection after accepting it.
    HangUp,
    /// Sends a body without end, as fast as it can.
    EndlessBody,
    /// Sends a byte of a body now and then.
    TricklingBody,
    /// Speaks TLS with a self-signed certificate.
    SelfSigned,
}

/// The server; it ends with this value.
pub struct ScriptedServer {
    /// The URL on loopback that the server listens on.
    pub url: Url,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl ScriptedServer {
    /// Starts a server with this script.
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut url = url_of(&listener);
        if matches!(script, Script::SelfSigned) {
            url.set_scheme("https").unwrap();
        }
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

    /// Number of connections that were accepted.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// A URL whose port refuses connections.
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
    match script {
        Script::HangUp => return,
        Script::SelfSigned => return self_signed(stream).await,
        _ => {}
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
        Script::HangUp | Script::SelfSigned => {}
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

/// Goes through a handshake as far as the client does.
async fn self_signed(stream: TcpStream) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    let mut stream = stream.into_std().unwrap();
    stream.set_nonblocking(false).unwrap();
    tokio::task::spawn_blocking(move || connection.complete_io(&mut stream)).await.unwrap().ok();
}
