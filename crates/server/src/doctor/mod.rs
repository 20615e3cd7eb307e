//! `vestibule doctor`: what is right and what is wrong with this installation, in words. It changes nothing.

mod base_url;
mod database;
mod finding;
mod mail;
mod saml_engines;

use std::process::ExitCode;

use clap::Args;

use crate::config::Loaded;

pub use base_url::JWKS_PATH;
use finding::Findings;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Look at it as an installation of `serve --development`.
    #[arg(long)]
    development: bool,
}

/// Prints the findings; fails if any of them is a failure.
pub async fn run(loaded: &Loaded, arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let findings = examine(loaded, arguments.development).await?;
    print!("{findings}");
    Ok(if findings.hold_a_failure() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn examine(loaded: &Loaded, development: bool) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    examine_configuration(loaded, development, &mut findings);
    let published = database::examine(loaded, &mut findings).await;
    if let Ok(base_url) = loaded.base_url(development) {
        base_url::examine(&base_url, &published, &mut findings).await?;
    }
    saml_engines::examine(loaded, &mut findings);
    mail::examine(loaded, development, &mut findings).await;
    Ok(findings)
}

fn examine_configuration(loaded: &Loaded, development: bool, findings: &mut Findings) {
    match loaded.check(development) {
        Ok(()) => findings.good("configuration", "every value is usable"),
        Err(problems) => problems.0.iter().for_each(|problem| findings.failure("configuration", problem.to_string())),
    }
    for warning in loaded.warnings() {
        findings.warning("secrets", warning);
    }
}
