//! Serves until the process is asked to stop, and then without cutting anybody off.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use api::{ApiSettings, MetricsSettings, RateLimits};

use crate::background;
use crate::config::{Configuration, Loaded};
use crate::shutdown;
use crate::telemetry;
use crate::wire::Wired;

/// Serves the API; `listening` is called with the address once it does.
pub async fn until_stopped(loaded: &Loaded, wired: Wired, listening: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let values = &loaded.values;
    let metrics = values.metrics.bind.map(|bind| Ok::<_, anyhow::Error>((bind, telemetry::collect_metrics()?)));
    let metrics = metrics.transpose()?;
    let served = metrics.clone().map(|(bind, handle)| MetricsSettings { render: telemetry::rendered(handle), bind });
    let settings = settings(values, served);
    let background = background::start(&wired.service, metrics.map(|(_, handle)| handle));
    let bind = values.server.bind;
    let api = api::start(Arc::clone(&wired.service), settings).await;
    let mut api = api.with_context(|| format!("{bind} (server.bind) cannot be listened on"))?;
    listening(api.address());
    tokio::select! {
        asked = shutdown::requested() => asked?,
        ended = api.ended() => {
            ended.context("serving failed")?;
            bail!("serving ended by itself");
        }
    }
    api.stop().await.context("serving did not end well")?;
    background.stop().await;
    wired.store.close().await;
    Ok(())
}

fn settings(values: &Configuration, metrics: Option<MetricsSettings>) -> ApiSettings {
    ApiSettings {
        bind: values.server.bind,
        workers: values.server.workers,
        shutdown_timeout: Duration::from_secs(values.server.shutdown_seconds.into()),
        trusted_proxies: values.server.trusted_proxies.clone(),
        limits: RateLimits {
            discovery_per_minute: values.limits.discovery_per_minute,
            acs_per_minute: values.limits.acs_per_minute,
            token_per_minute: values.limits.token_per_minute,
        },
        metrics,
    }
}
