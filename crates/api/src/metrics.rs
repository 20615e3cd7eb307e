//! Metrics for Prometheus, on a listener of their own: their numbers are the operator's to know, and not the
//! public's (A5).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, HttpServer};

use crate::middleware::security_headers;
use crate::running::REQUEST_HEAD_TIMEOUT;

/// Gives the metrics in Prometheus' text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// The media type of Prometheus' text format.
const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The source of metrics, and the address that serves them at `/metrics`.
#[derive(Clone)]
pub struct MetricsSettings {
    /// Source of the metrics' text.
    pub render: RenderMetrics,
    /// The address that is listened on, for these alone.
    pub bind: SocketAddr,
}

/// Starts the server that is scraped.
pub(crate) fn metrics_server(settings: MetricsSettings) -> io::Result<Server> {
    let render = Data::new(settings.render);
    let http = HttpServer::new(move || {
        App::new()
            .app_data(render.clone())
            .route("/metrics", web::get().to(metrics_page))
            .wrap(from_fn(security_headers))
    });
    Ok(http.workers(1).client_request_timeout(REQUEST_HEAD_TIMEOUT).disable_signals().bind(settings.bind)?.run())
}

async fn metrics_page(render: Data<RenderMetrics>) -> HttpResponse {
    HttpResponse::Ok().content_type(MEDIA_TYPE).body(render())
}
