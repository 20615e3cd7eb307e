//! `vestibule account create`

use clap::{Args, Subcommand};
use domain::account::AccountName;
use domain::email::Email;
use domain::text::Label;
use serde_json::json;
use service::{Caller, NewAccount};

use super::print_json;
use crate::config::Loaded;
use crate::wire::{Migrations, wire};
use crate::words;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create an account with its first owner.
    Create(New),
}

#[derive(Debug, Args)]
pub struct New {
    /// The handle that people type: 3 to 63 of a-z, 0-9 and -.
    #[arg(long, value_parser = AccountName::parse)]
    name: AccountName,
    /// What people read.
    #[arg(long, value_parser = Label::parse)]
    display_name: Label,
    /// The first owner's email, which is their username.
    #[arg(long, value_parser = Email::parse)]
    owner_email: Email,
    /// For an installation of `serve --development`, whose base URL is plain http.
    #[arg(long)]
    development: bool,
}

/// Creates the account and prints it.
pub async fn create(loaded: &Loaded, new: &New) -> anyhow::Result<()> {
    let wired = wire(loaded, new.development, Migrations::Require).await?;
    let account = NewAccount {
        name: new.name.clone(),
        display_name: new.display_name.clone(),
        owner_email: new.owner_email.clone(),
    };
    let created = wired.service.create_account(&Caller::command_line(), account, None).await.map_err(words::of)?;
    let account = created.resource;
    print_json(&json!({
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "owner_email": new.owner_email,
        "created_at": account.created_at,
    }));
    wired.store.close().await;
    Ok(())
}
