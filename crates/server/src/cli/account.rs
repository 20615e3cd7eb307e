//! `vestibule account create`

use clap::{Args, Subcommand};
use domain::AccountId;
use domain::account::AccountName;
use domain::email::Email;
use domain::text::Label;
use serde_json::json;
use service::{Caller, NewAccount, Page, Service, UserFilter};

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

/// What an operator does about an owner who has no mail yet.
const STAGED: &str = "The owner's invitation waits: no application of the admin portal is the default one (is_default) and \
    has the page accept_invitation that the link could lead to. Register one, then resend the invitation.";

/// Creates the account and prints it, and whether its owner has been mailed.
pub async fn create(loaded: &Loaded, new: &New) -> anyhow::Result<()> {
    let wired = wire(loaded, new.development, Migrations::Require).await?;
    let account = NewAccount {
        name: new.name.clone(),
        display_name: new.display_name.clone(),
        owner_email: new.owner_email.clone(),
    };
    let caller = Caller::command_line();
    let created = wired.service.create_account(&caller, account, None).await.map_err(words::of)?;
    let account = created.resource;
    let is_mailed = owner_is_mailed(&wired.service, &caller, account.id).await?;
    print_json(&json!({
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "owner_email": new.owner_email,
        "owner_invitation": if is_mailed { "mailed" } else { "staged" },
        "created_at": account.created_at,
    }));
    if !is_mailed {
        eprintln!("{STAGED}");
    }
    wired.store.close().await;
    Ok(())
}

async fn owner_is_mailed(service: &Service, caller: &Caller, account_id: AccountId) -> anyhow::Result<bool> {
    let owners = service.list_users(caller, account_id, &UserFilter::default(), &Page::first(1)).await;
    let invitation = owners.map_err(words::of)?.items.into_iter().next().and_then(|owner| owner.invitation);
    Ok(invitation.is_some_and(|(invitation, _)| invitation.mailed_at.is_some()))
}
