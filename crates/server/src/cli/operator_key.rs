//! `vestibule operator-key create | list | revoke`

use clap::{Args, Subcommand};
use domain::OperatorKeyId;
use domain::operator_key::OperatorKey;
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
    /// List the keys, revoked ones too; never the keys themselves.
    List(Existing),
    /// Make a key stop working at once.
    Revoke(Revocation),
}

#[derive(Debug, Args)]
pub struct Existing {
    /// Permit a base URL in plain http, as an installation of `serve --development` has.
    #[arg(long)]
    development: bool,
}

#[derive(Debug, Args)]
pub struct Revocation {
    /// The key's id, such as `opk_…`.
    id: OperatorKeyId,
    /// Permit a base URL in plain http, as an installation of `serve --development` has.
    #[arg(long)]
    development: bool,
}

#[derive(Debug, Args)]
pub struct New {
    /// Purpose of the key, in a few words.
    #[arg(long, value_parser = Label::parse)]
    name: Label,
    /// Permit a base URL in plain http, as an installation of `serve --development` has.
    #[arg(long)]
    development: bool,
}

/// Makes the key and prints it.
pub async fn create(loaded: &Loaded, new: &New) -> anyhow::Result<()> {
    let wired = wire(loaded, new.development, Migrations::Require).await?;
    let made = wired
        .service
        .installation
        .create_operator_key(&Caller::command_line(), new.name.clone())
        .await
        .map_err(words::of)?;
    print_json(&json!({ "id": made.key.id, "name": made.key.name, "key": made.secret.expose() }));
    wired.store.close().await;
    Ok(())
}

/// Prints what is kept of each key.
pub async fn list(loaded: &Loaded, existing: &Existing) -> anyhow::Result<()> {
    let wired = wire(loaded, existing.development, Migrations::Require).await?;
    let keys = wired.service.installation.list_operator_keys(&Caller::command_line()).await.map_err(words::of)?;
    let shown = |key: &OperatorKey| json!({ "id": key.id, "name": key.name, "created_at": key.created_at, "revoked_at": key.revoked_at });
    print_json(&keys.iter().map(shown).collect());
    wired.store.close().await;
    Ok(())
}

/// Revokes a key, which stops working at once.
pub async fn revoke(loaded: &Loaded, revocation: &Revocation) -> anyhow::Result<()> {
    let wired = wire(loaded, revocation.development, Migrations::Require).await?;
    wired.service.installation.revoke_operator_key(&Caller::command_line(), revocation.id).await.map_err(words::of)?;
    print_json(&json!({ "id": revocation.id, "revoked": true }));
    wired.store.close().await;
    Ok(())
}
