//! `vestibule serve`

use clap::Args;

use crate::config::Loaded;
use crate::listen;
use crate::telemetry;
use crate::wire::{Migrations, wire};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Bring the database up to date first, instead of refusing to start.
    #[arg(long)]
    migrate: bool,
    /// Permit plain http and identity providers on this machine; listen on loopback alone.
    #[arg(long)]
    development: bool,
}

/// Serves until the process is asked to stop.
pub async fn run(loaded: &Loaded, arguments: &Arguments) -> anyhow::Result<()> {
    loaded.check(arguments.development)?;
    telemetry::log(loaded.values.log.format, &loaded.values.log.filter)?;
    for warning in loaded.warnings() {
        tracing::warn!("{warning}");
    }
    let migrations = if arguments.migrate { Migrations::Apply } else { Migrations::Require };
    let wired = wire(loaded, arguments.development, migrations).await?;
    listen::until_stopped(loaded, wired, |address| {
        tracing::info!(%address, development = arguments.development, "listening");
    })
    .await
}
