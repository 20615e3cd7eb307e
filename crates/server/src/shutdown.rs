//! The signals that ask a process to stop.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

/// Comes back when the process is asked to stop: by an orchestrator (`SIGTERM`) or at a terminal (`SIGINT`).
pub async fn requested() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be listened for")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be listened for")?;
    tokio::select! {
        _ = terminate.recv() => tracing::info!("SIGTERM: finishing the requests under way"),
        _ = interrupt.recv() => tracing::info!("SIGINT: finishing the requests under way"),
    }
    Ok(())
}
