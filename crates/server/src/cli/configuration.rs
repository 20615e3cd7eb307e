//! `vestibule config check`

use clap::{Args, Subcommand};

use crate::config::Loaded;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print every key, its value and where that came from, secrets masked; fail if anything is wrong.
    Check(Check),
}

#[derive(Debug, Args)]
pub struct Check {
    /// Check for `serve --development`.
    #[arg(long)]
    development: bool,
}

/// Prints the configuration and its warnings, then fails if it cannot be used.
pub fn check(loaded: &Loaded, options: &Check) -> anyhow::Result<()> {
    match &loaded.file {
        Some(file) => println!("# {}", file.display()),
        None => println!("# no configuration file"),
    }
    print!("{}", loaded.listing());
    for warning in loaded.warnings() {
        eprintln!("warning: {warning}");
    }
    Ok(loaded.check(options.development)?)
}
