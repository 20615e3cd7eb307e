//! Logs and metrics.
//!
//! Logs go to standard error, so that what a command prints stays apart. No log holds query strings, bodies,
//! cookies, credentials or people's names and emails; the API's spans carry method, route, status and request id.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use api::RenderMetrics;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Upper bounds of the latency histograms, in seconds: from a cached answer to a client's patience.
const LATENCY_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Interval at which the recorder folds what it collected into its buckets; otherwise it would grow until the next
/// scrape.
pub const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Logs from now on.
pub fn log(format: LogFormat, filter: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("log.filter cannot be read")?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // It would print that it cannot print, and panic where nobody reads standard error any more.
        .log_internal_errors(false);
    let set = match format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => lines.compact().try_init(),
    };
    set.map_err(|error| anyhow::anyhow!("logging cannot be set up: {error}"))
}

/// Collects metrics from now on.
pub fn collect_metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &LATENCY_BUCKETS)
        .context("the buckets of the metrics are not valid")?
        .install_recorder()
        .context("metrics cannot be collected")
}

/// Renders the metrics, whenever they are scraped.
pub fn rendered(handle: PrometheusHandle) -> RenderMetrics {
    Arc::new(move || handle.render())
}
