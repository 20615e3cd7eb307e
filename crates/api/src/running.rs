//! The server: listens, serves, and stops without cutting requests off.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use service::Service;
use tokio::task::JoinHandle;

use crate::app::Shared;
use crate::metrics::metrics_server;
use crate::middleware::{authenticate, cors, locate, observe, security_headers};
use crate::settings::ApiSettings;

/// Time that a client may take to send its request line and headers.
pub(crate) const REQUEST_HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for which a quiet connection is kept: longer than the sixty seconds after which common proxies close
/// theirs, so that no request meets a connection that is just being closed.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// A server that runs.
pub struct RunningApi {
    address: SocketAddr,
    handles: Vec<ServerHandle>,
    task: JoinHandle<io::Result<()>>,
}

/// Binds and starts to serve; returns at once. Signals are the caller's business.
pub async fn start(service: Arc<Service>, settings: ApiSettings) -> io::Result<RunningApi> {
    let shared = Shared::new(service, &settings);
    let http = HttpServer::new(move || {
        App::new()
            .configure(|config| shared.configure(config))
            .wrap(from_fn(authenticate))
            .wrap(from_fn(locate))
            .wrap(from_fn(cors))
            .wrap(from_fn(observe))
            .wrap(from_fn(security_headers))
    });
    let workers = settings.workers.or_else(|| std::thread::available_parallelism().ok()).map_or(1, usize::from);
    let http = http
        .workers(workers)
        .client_request_timeout(REQUEST_HEAD_TIMEOUT)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(settings.shutdown_timeout.as_secs())
        .disable_signals()
        .bind(settings.bind)?;
    let address = http.addrs().first().copied().ok_or_else(|| io::Error::other("nothing is listened on"))?;
    let mut servers = vec![http.run()];
    servers.extend(settings.metrics.map(metrics_server).transpose()?);
    let handles = servers.iter().map(Server::handle).collect();
    let task = tokio::spawn(async move { futures_util::future::try_join_all(servers).await.map(drop) });
    Ok(RunningApi { address, handles, task })
}

impl RunningApi {
    /// The address that is listened on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Comes back when the server has ended by itself, which it does only by failing.
    pub async fn ended(&mut self) -> io::Result<()> {
        (&mut self.task).await.map_err(io::Error::other)?
    }

    /// Accepts no more connections, lets requests under way finish, and comes back when they have.
    pub async fn stop(self) -> io::Result<()> {
        futures_util::future::join_all(self.handles.iter().map(|handle| handle.stop(true))).await;
        self.task.await.map_err(io::Error::other)?
    }
}
