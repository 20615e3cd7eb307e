//! `vestibule operator-key create`

use clap::{Args, Subcommand};
use domain::text::Label;
use serde_json::json;
use service::Caller;

use super::print_json;
use crate::config::Loaded;
use crate::wire::{Migrations, wire};
use crate::words;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key for the API. It is printed this once.
    Create(New),
}

#[derive(Debug, Args)]
pub struct New {
    /// What the key is for.
    #[arg(long, value_parser = Label::parse)]
    name: Label,
    /// For an installation of `serve --development`, whose base URL is plain http.
    #[arg(long)]
    development: bool,
}

/// Makes the key and prints it.
pub async fn create(loaded: &Loaded, new: &New) -> anyhow::Result<()> {
    let wired = wire(loaded, new.development, Migrations::Require).await?;
    let made = wired.service.create_operator_key(&Caller::command_line(), new.name.clone()).await.map_err(words::of)?;
    print_json(&json!({ "id": made.key.id, "name": made.key.name, "key": made.secret.expose() }));
    wired.store.close().await;
    Ok(())
}
