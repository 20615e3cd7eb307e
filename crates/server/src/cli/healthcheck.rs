//! `vestibule healthcheck`: for container runtimes.

use clap::Args;
use url::Url;

use crate::adapters::outbound::OwnAddress;

#[derive(Debug, Args)]
pub struct Arguments {
    /// What to ask.
    #[arg(long, default_value = "http://127.0.0.1:8080/healthz")]
    url: Url,
}

/// Succeeds if the answer is 200.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let url = &arguments.url;
    match OwnAddress::new()?.get(url).await {
        Ok(answer) if answer.status == 200 => {
            println!("{url} is healthy");
            Ok(())
        }
        Ok(answer) => anyhow::bail!("{url} answers with status {}", answer.status),
        Err(why) => anyhow::bail!("{url} does not answer: {why}"),
    }
}
