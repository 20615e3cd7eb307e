//! Branding of an account's mails: names, logo, colour and contact.

use domain::AccountId;
use domain::audit::AuditAction;
use domain::branding::{Branding, BrandingSettings};
use domain::role::Permission;
use serde_json::{Value, json};
use storage::Tx;

use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::Result;
use crate::core::version::Versioned;
use crate::mail::Outbox;

impl Outbox {
    /// Reads an account's branding; where it has chosen nothing, that, as old as the account.
    pub async fn get_branding(&self, caller: &Caller, account_id: AccountId) -> Result<Branding> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        let chosen = storage::branding::by_account(&mut tx, account_id).await?;
        match chosen {
            Some(chosen) => Ok(chosen),
            None => unchosen(&mut tx, account_id).await,
        }
    }

    /// Replaces an account's branding as a whole.
    pub async fn replace_branding(
        &self,
        caller: &Caller,
        target: Versioned<AccountId>,
        settings: BrandingSettings,
    ) -> Result<Branding> {
        caller.authorize(target.id, Permission::Administer)?;
        let mut tx = self.core.store.begin().await?;
        let chosen = storage::branding::by_account(&mut tx, target.id).await?;
        let is_first = chosen.is_none();
        let before = match chosen {
            Some(chosen) => chosen,
            None => unchosen(&mut tx, target.id).await?,
        };
        let expected = target.expect(before.updated_at)?;
        let after = Branding { account_id: target.id, settings, updated_at: self.core.next_version(before.updated_at) };
        if is_first {
            storage::branding::insert(&mut tx, &after).await?;
        } else {
            storage::branding::update(&mut tx, &after, expected).await?;
        }
        self.core.record(&mut tx, caller, entry(&before, &after)).await?;
        tx.commit().await?;
        Ok(after)
    }
}

async fn unchosen(tx: &mut Tx, account_id: AccountId) -> Result<Branding> {
    let account = account(tx, account_id).await?;
    Ok(Branding { account_id, settings: BrandingSettings::default(), updated_at: account.created_at })
}

fn entry(before: &Branding, after: &Branding) -> AuditEntry {
    let audited = |branding: &Branding| -> Value { json!(branding.settings) };
    AuditEntry {
        account_id: Some(after.account_id),
        action: AuditAction::BrandingReplaced,
        target: after.account_id.to_string(),
        before: audited(before),
        after: audited(after),
    }
}
