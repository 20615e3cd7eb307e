//! The signature (F2): of exactly what an owner has read, while nothing that it rests on has changed.

use domain::audit::AuditAction;
use domain::sso_migration::SsoMigration;
use domain::sso_migration::lifecycle::Signature;
use domain::{AccountId, SsoMigrationId};

use super::{acting_owner, audited, entry, migration, refused};
use crate::core::caller::Caller;
use crate::core::error::Result;
use crate::migrations::Migrations;

impl Migrations {
    /// Signs a plan off: once a test sign-in passed through the connection as it is now, or with a reason that stays on
    /// record.
    pub async fn sign_off_sso_migration(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: SsoMigrationId,
        signature: Signature,
    ) -> Result<SsoMigration> {
        let owner = acting_owner(caller, account_id)?;
        let mut tx = self.core.store.read().await?;
        let before = migration(&mut tx, account_id, id).await?;
        let current = self.planned_again(&mut tx, &before).await?;
        drop(tx);
        let signed = before.clone().signed_off(signature, &current.current(), owner, self.core.now());
        let updated_at = self.core.next_version(before.updated_at);
        let after = SsoMigration { updated_at, ..signed.map_err(refused)? };
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        storage::sso_migrations::update(&mut tx, &after, &before).await?;
        let entry = entry(AuditAction::SsoMigrationSignedOff, &after, audited(&before), audited(&after));
        self.core.record(&mut tx, caller, entry).await?;
        tx.commit().await?;
        Ok(after)
    }
}
