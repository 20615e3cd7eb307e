//! `mock-idp`: the identity provider as a process of its own. Prints one line of JSON when it is ready, and stops
//! on Ctrl-C.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use clap::Parser;
use mock_idp::MockIdp;
use mock_idp::idp::StartError;

/// A SAML identity provider for tests. It listens on loopback only.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port on 127.0.0.1; 0 is any free one.
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Entity ID, instead of the metadata URL.
    #[arg(long)]
    entity_id: Option<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            eprintln!("mock-idp: {error}{}", cause.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), StartError> {
    let mut builder = MockIdp::builder().bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), arguments.port));
    if let Some(entity_id) = arguments.entity_id {
        builder = builder.entity_id(entity_id);
    }
    let idp = builder.start().await?;
    let ready = serde_json::json!({
        "base_url": idp.base_url(),
        "metadata_url": idp.metadata_url(),
        "entity_id": idp.entity_id(),
        "sso_url": idp.sso_url(),
        "control_url": idp.control_url(),
    });
    println!("{ready}");
    tokio::signal::ctrl_c().await?;
    idp.stop().await;
    Ok(())
}
