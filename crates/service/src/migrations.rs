//! Requiring SSO of a portal, and going back (F1 to F5): previewed, decided upon, signed off, applied, kept for good.
//!
//! Uses: `connections`, `core`, `mail`, `people`.

mod apply;
mod blockers;
pub(crate) mod decide;
mod mails;
mod planning;
mod preview;
mod sign_off;

use std::sync::Arc;

use domain::audit::AuditAction;
use domain::portal::Portal;
use domain::role::Permission;
use domain::sso_migration::{ActionName, Direction, MigrationOptions, Row, SsoMigration};
use domain::text::Label;
use domain::{AccountId, SsoMigrationId, UserId};
use serde_json::{Value, json};
use storage::sso_migrations::MigrationFilter;
use storage::{Page, Paged, Tx};

pub use blockers::{BlockerWords, blocker_words};

use crate::connections::Connections;
use crate::core::Core;
use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::mail::Outbox;
use crate::people::People;
use blockers::refused;

/// Migrations of portals to required SSO, and back.
pub struct Migrations {
    core: Arc<Core>,
    mail: Arc<Outbox>,
    connections: Arc<Connections>,
    people: Arc<People>,
}

impl Migrations {
    /// Puts the migrations over the people and connections that they change.
    pub(crate) fn new(core: Arc<Core>, mail: Arc<Outbox>, connections: Arc<Connections>, people: Arc<People>) -> Self {
        Self { core, mail, connections, people }
    }
}

/// Parameters that a migration is planned with.
#[derive(Debug, Clone, Copy)]
pub struct NewSsoMigration {
    /// Portal that the migration is for.
    pub portal: Portal,
    /// Direction of the migration: to SSO, or back.
    pub direction: Direction,
    /// Options on how it is carried out.
    pub options: MigrationOptions,
}

/// Rows that are listed.
#[derive(Debug, Clone, Copy)]
pub struct RowFilter {
    /// Migration whose plan they are of.
    pub migration_id: SsoMigrationId,
    /// Action that they have; all where none is named.
    pub action: Option<ActionName>,
}

impl Migrations {
    /// Lists the migrations of an account, the newest first (F5).
    pub async fn list_sso_migrations(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &MigrationFilter,
        page: &Page,
    ) -> Result<Paged<SsoMigration>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        Ok(storage::sso_migrations::list(&mut tx, account_id, filter, page).await?)
    }

    /// Reads one migration; refused as not found in another account.
    pub async fn get_sso_migration(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: SsoMigrationId,
    ) -> Result<SsoMigration> {
        caller.authorize(account_id, Permission::Read)?;
        migration(&mut self.core.store.read().await?, account_id, id).await
    }

    /// Lists the rows of a migration's plan, by user: all, or those of one action (F1).
    pub async fn list_sso_migration_rows(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: RowFilter,
        page: &Page,
    ) -> Result<Paged<Row>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        migration(&mut tx, account_id, filter.migration_id).await?;
        let RowFilter { migration_id, action } = filter;
        Ok(storage::sso_migration_rows::list(&mut tx, account_id, migration_id, action, page).await?)
    }
}

/// The migration, or "not found".
async fn migration(tx: &mut Tx, account_id: AccountId, id: SsoMigrationId) -> Result<SsoMigration> {
    storage::sso_migrations::by_id(tx, account_id, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}

/// The owner who acts: operators read, and an account's own owners decide what becomes of its people (F2).
fn acting_owner(caller: &Caller, account_id: AccountId) -> Result<UserId> {
    caller.authorize(account_id, Permission::Administer)?;
    Ok(caller.user()?.user_id)
}

fn entry(action: AuditAction, migration: &SsoMigration, before: Value, after: Value) -> AuditEntry {
    AuditEntry { account_id: Some(migration.account_id), action, target: migration.id.to_string(), before, after }
}

/// Properties of a migration that the audit log keeps; its rows are kept with it.
fn audited(migration: &SsoMigration) -> Value {
    let progress = &migration.progress;
    json!({
        "portal": migration.portal,
        "direction": migration.direction,
        "state": migration.progress.state(),
        "reverts": migration.reverts,
        "options": migration.options,
        "decisions": migration.decisions,
        "digest": migration.digest,
        "counts": migration.counts,
        "signed_off_by": progress.sign_off().map(|signed| signed.by),
        "override_reason": override_reason(migration),
        "applied_by": progress.applied().map(|applied| applied.by),
        "effects": progress.applied().map(|applied| applied.effects),
    })
}

fn override_reason(migration: &SsoMigration) -> Option<&Label> {
    migration.progress.untested().map(|word| &word.reason)
}
