//! `vestibule demo`: the whole thing on this machine, to try it in two minutes.
//!
//! An identity provider for playing, an account `demo` that alice signs in to, a frontend page that signs in as a
//! real one would, and the API over an embedded database. Everything listens on loopback and nothing else; plain
//! http and fetches to loopback are permitted here, and with `serve --development`, alone.

mod installation;
mod instructions;
mod page;
mod seed;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use mock_idp::{MockIdp, RunningIdp};

use crate::config::LogFormat;
use crate::listen;
use crate::telemetry;
use crate::wire::{Migrations, wire};

use instructions::Instructions;
use page::Page;

/// Level of the log beside the instructions: only messages that need attention.
const LOG_FILTER: &str = "warn";

#[derive(Debug, Args)]
pub struct Arguments {
    /// Port of the API on 127.0.0.1; 0 is any free one, here and below.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Port of the identity provider.
    #[arg(long, default_value_t = 9000)]
    idp_port: u16,
    /// Port of the frontend's page.
    #[arg(long, default_value_t = 8090)]
    page_port: u16,
    /// Folder that keeps the database and the master key; otherwise everything is gone at the end.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Starts everything, says what to try, and serves until the process is asked to stop.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    telemetry::log(LogFormat::Text, LOG_FILTER)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port(arguments.port)?));
    let loaded = installation::configuration(address, arguments.data.as_deref())?;
    let wired = wire(&loaded, true, Migrations::Apply).await?;
    let idp = start_idp(arguments.idp_port).await?;
    let page = Page::bind(arguments.page_port).await?;
    let seeded = seed::seed(&wired.service, &idp, page.address()).await?;
    let instructions = Instructions::new(wired.service.settings().issuer(), &idp, page.address(), &seeded);
    let _page = page.serve(&instructions);
    listen::until_stopped(&loaded, wired, |_| println!("{instructions}")).await?;
    idp.stop().await;
    Ok(())
}

async fn start_idp(port: u16) -> anyhow::Result<RunningIdp> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let idp = MockIdp::builder().bind(address).start().await;
    idp.with_context(|| format!("the identity provider cannot listen on port {port}; choose another by --idp-port"))
}

/// The base URL must be known before the API listens.
fn free_port(wanted: u16) -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted))
        .with_context(|| format!("port {wanted} of this machine cannot be used; choose another by --port"))?;
    Ok(listener.local_addr()?.port())
}
