//! The frontend that the demo signs in to: one page, and a server just large enough for it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::instructions::{Instructions, ME_PATH, SIGN_IN_PATH, TOKEN_PATH};
use super::seed::{ACCOUNT_NAME, PERSON_EMAIL};

/// The page; its settings are written into it.
const TEMPLATE: &str = include_str!("page.html");
const SETTINGS: &str = "\"settings\"";
/// Longest request line and headers that are read; a browser's have one or two kilobytes.
const REQUEST_MAX_BYTES: u64 = 16 * 1024;
/// Time limit for reading and answering one request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// URL to which the browser comes back with a code.
pub fn callback_url(page: SocketAddr) -> String {
    format!("http://{page}/callback")
}

/// A page that listens and does not answer yet.
pub struct Page {
    listener: TcpListener,
    address: SocketAddr,
}

impl Page {
    /// Listens on this port of loopback; 0 is any free one.
    pub async fn bind(port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("port {port} of this machine cannot be used; choose another by --page-port"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Address that the page listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until the returned value goes.
    pub fn serve(self, instructions: &Instructions) -> JoinSet<()> {
        let document: Arc<str> = document(instructions).into();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            while let Ok((stream, _)) = self.listener.accept().await {
                let document = Arc::clone(&document);
                tokio::spawn(async move {
                    // A browser that hangs up or dawdles is its own business.
                    let _outcome = timeout(REQUEST_TIMEOUT, answer(stream, &document)).await;
                });
            }
        });
        tasks
    }
}

fn document(instructions: &Instructions) -> String {
    let settings = json!({
        "api": instructions.base_url,
        "sign_in_path": SIGN_IN_PATH,
        "token_path": TOKEN_PATH,
        "me_path": ME_PATH,
        "client_id": instructions.client_id,
        "redirect_uri": instructions.redirect_uri,
        "account_name": ACCOUNT_NAME,
        "email": PERSON_EMAIL,
    });
    TEMPLATE.replace(SETTINGS, &settings.to_string())
}

async fn answer(mut stream: TcpStream, document: &str) -> std::io::Result<()> {
    let target = request_target(&mut stream).await?;
    let path = target.split('?').next();
    let (status, body) = match path {
        Some("/" | "/callback") => ("200 OK", document),
        _ => ("404 Not Found", "Nothing is here."),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\ncache-control: no-store\r\n\
         referrer-policy: no-referrer\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// The target of the request line (RFC 9112, section 3), once the headers have ended.
async fn request_target(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut request = Vec::new();
    let mut limited = stream.take(REQUEST_MAX_BYTES);
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if limited.read_buf(&mut request).await? == 0 {
            break;
        }
    }
    let text = String::from_utf8_lossy(&request);
    Ok(text.split(' ').nth(1).unwrap_or_default().to_owned())
}
