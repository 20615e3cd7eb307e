//! `vestibule account create`

use clap::{Args, Subcommand};
use domain::account::AccountName;
use domain::email::Email;
use domain::owner_invitation::OwnerInvitationBlock;
use domain::text::Label;
use serde_json::json;
use service::{Caller, CreatedAccount, NewAccount};

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
    /// Name of the account that people read.
    #[arg(long, value_parser = Label::parse)]
    display_name: Label,
    /// The first owner's email, which is their username.
    #[arg(long, value_parser = Email::parse)]
    owner_email: Email,
    /// Permit a base URL in plain http, as an installation of `serve --development` has.
    #[arg(long)]
    development: bool,
}

/// Advice for a mail that waits for a page.
const NO_PAGE: &str = "The owner's mail waits: no default application (is_default) of the admin portal, of the account or \
    shared, has the page accept_invitation that its link could lead to. Register one: the mail goes out by itself.";
/// Advice for a mail that waits for a server.
const NO_MAIL_SERVER: &str =
    "The owner's mail waits: no mail server is configured (mail.host). With one, the mail goes out by itself.";

/// Creates the account and prints it, and whether its owner has been mailed or what the mail waits for.
pub async fn create(loaded: &Loaded, new: &New) -> anyhow::Result<()> {
    let wired = wire(loaded, new.development, Migrations::Require).await?;
    let account = NewAccount {
        name: new.name.clone(),
        display_name: new.display_name.clone(),
        owner_email: new.owner_email.clone(),
    };
    let created =
        wired.service.accounts.create_account(&Caller::command_line(), account, None).await.map_err(words::of)?;
    let CreatedAccount { account, owner_invitation } = created.resource;
    let blocked_by = owner_invitation.and_then(|invitation| invitation.blocked_by);
    print_json(&json!({
        "id": account.id,
        "name": account.name,
        "display_name": account.display_name,
        "owner_email": new.owner_email,
        "owner_invitation": owner_invitation.map(|told| json!({ "state": told.state, "blocked_by": told.blocked_by })),
        "created_at": account.created_at,
    }));
    if let Some(block) = blocked_by {
        eprintln!("{}", words_of(block));
    }
    wired.store.close().await;
    Ok(())
}

const fn words_of(block: OwnerInvitationBlock) -> &'static str {
    match block {
        OwnerInvitationBlock::PageNotConfigured => NO_PAGE,
        OwnerInvitationBlock::MailServerNotConfigured => NO_MAIL_SERVER,
    }
}
