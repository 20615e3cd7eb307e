//! The command line. Results go to standard output, as JSON where a program may read them; logs and errors to
//! standard error.

mod account;
mod configuration;
mod healthcheck;
mod migrate;
mod openapi;
mod operator_key;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::config::{self, CONFIG_VARIABLE, Loaded};
use crate::{demo, doctor};

/// A headless identity service: SAML single sign-on for many tenants, behind a JSON API.
#[derive(Debug, Parser)]
#[command(name = "vestibule", version)]
struct Arguments {
    /// Configuration file; `vestibule.toml` is read if it is there.
    #[arg(long, global = true, env = CONFIG_VARIABLE, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API until told to stop.
    Serve(serve::Arguments),
    /// Bring the database up to date.
    Migrate,
    /// Try it: everything on this machine, with an identity provider and an account to play with.
    Demo(demo::Arguments),
    /// Say what is right and what is wrong with this installation.
    Doctor(doctor::Arguments),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(configuration::Command),
    /// Print the OpenAPI document.
    Openapi,
    /// Create accounts with their owners.
    #[command(subcommand)]
    Account(account::Command),
    /// Manage the API keys of operators.
    #[command(subcommand)]
    OperatorKey(operator_key::Command),
    /// Ask a running Vestibule whether it lives.
    Healthcheck(healthcheck::Arguments),
}

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = runtime().and_then(|runtime| runtime.block_on(run(arguments)));
    outcome.unwrap_or_else(|error| {
        eprintln!("vestibule: {error:#}");
        ExitCode::FAILURE
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().context("threads cannot be started")
}

async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let load = || configured(arguments.config.as_deref());
    match arguments.command {
        Command::Serve(options) => serve::run(&load()?, &options).await?,
        Command::Migrate => migrate::run(&load()?).await?,
        Command::Demo(options) => demo::run(&options).await?,
        Command::Doctor(options) => return doctor::run(&load()?, &options).await,
        Command::Config(configuration::Command::Check(options)) => configuration::check(&load()?, &options)?,
        Command::Openapi => openapi::run(),
        Command::Account(account::Command::Create(new)) => account::create(&load()?, &new).await?,
        Command::OperatorKey(operator_key::Command::Create(new)) => operator_key::create(&load()?, &new).await?,
        Command::OperatorKey(operator_key::Command::List(options)) => operator_key::list(&load()?, &options).await?,
        Command::OperatorKey(operator_key::Command::Revoke(one)) => operator_key::revoke(&load()?, &one).await?,
        Command::Healthcheck(options) => healthcheck::run(&options, load).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The configuration of the file and of this process's environment.
fn configured(file: Option<&std::path::Path>) -> anyhow::Result<Loaded> {
    let variables =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    Ok(config::load(config::find_file(file)?, variables)?)
}

/// Prints a result for a program to read.
fn print_json(value: &serde_json::Value) {
    println!("{value:#}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// Proves that the command line's own rules do not contradict each other.
    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
