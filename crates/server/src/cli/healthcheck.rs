//! `vestibule healthcheck`: for container runtimes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;
use url::Url;

use crate::adapters::outbound::OwnAddress;
use crate::config::Loaded;

#[derive(Debug, Args)]
pub struct Arguments {
    /// URL to ask [default: `/healthz` where the configuration says that it listens].
    #[arg(long)]
    url: Option<Url>,
}

/// Succeeds if the answer is 200. The configuration is read only if no URL is given.
pub async fn run(arguments: &Arguments, load: impl FnOnce() -> anyhow::Result<Loaded>) -> anyhow::Result<()> {
    let url = match &arguments.url {
        Some(url) => url.clone(),
        None => Url::parse(&format!("http://{}/healthz", reachable(load()?.values.server.bind)))?,
    };
    match OwnAddress::new()?.get(&url).await {
        Ok(answer) if answer.status == 200 => {
            println!("{url} is healthy");
            Ok(())
        }
        Ok(answer) => anyhow::bail!("{url} answers with status {}", answer.status),
        Err(why) => anyhow::bail!("{url} does not answer: {why}"),
    }
}

/// Replaces an unspecified address, which listens on every address, by this machine's loopback address.
fn reachable(bind: SocketAddr) -> SocketAddr {
    let ip = match bind.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, bind.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that an address to listen on becomes one to ask.
    #[test]
    fn what_listens_everywhere_is_asked_here() {
        for (bind, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:9000", "[::1]:9000"),
            ("10.1.2.3:80", "10.1.2.3:80"),
            ("[::1]:2", "[::1]:2"),
        ] {
            assert_eq!(reachable(bind.parse().unwrap()).to_string(), asked);
        }
    }
}
