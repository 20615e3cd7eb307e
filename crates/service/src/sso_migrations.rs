//! Requiring SSO of a portal, and going back (F1 to F5): previewed, decided upon, signed off, applied, kept for good.

mod apply;
pub(crate) mod decide;
mod mails;
mod planning;
mod preview;
mod sign_off;

use domain::portal::Portal;
use domain::role::Permission;
use domain::sso_migration::lifecycle::MigrationRefusal;
use domain::sso_migration::{ActionName, Blocker, Direction, MigrationOptions, MigrationState, Row, SsoMigration};
use domain::{AccountId, SsoMigrationId, UserId};
use serde_json::{Value, json};
use storage::sso_migrations::MigrationFilter;
use storage::{Page, Paged, Tx};

use crate::Service;
use crate::accounts::account;
use crate::audit::Deed;
use crate::caller::Caller;
use crate::error::{Code, Error, Result, Violation};

/// What a migration is planned with.
#[derive(Debug, Clone, Copy)]
pub struct NewSsoMigration {
    /// Of which portal.
    pub portal: Portal,
    /// Where it leads.
    pub direction: Direction,
    /// How it is to be done.
    pub options: MigrationOptions,
}

impl Service {
    /// Lists the migrations of an account, the newest first (F5).
    pub async fn list_sso_migrations(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &MigrationFilter,
        page: &Page,
    ) -> Result<Paged<SsoMigration>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.store.read().await?;
        account(&mut tx, account_id).await?;
        Ok(storage::sso_migrations::list(&mut tx, account_id, filter, page).await?)
    }

    /// Reads a migration.
    pub async fn get_sso_migration(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: SsoMigrationId,
    ) -> Result<SsoMigration> {
        caller.authorize(account_id, Permission::Read)?;
        migration(&mut self.store.read().await?, account_id, id).await
    }

    /// Lists the rows of a migration's plan, by user: all, or those of one action (F1).
    pub async fn list_sso_migration_rows(
        &self,
        caller: &Caller,
        (account_id, id): (AccountId, SsoMigrationId),
        action: Option<ActionName>,
        page: &Page,
    ) -> Result<Paged<Row>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.store.read().await?;
        migration(&mut tx, account_id, id).await?;
        Ok(storage::sso_migration_rows::list(&mut tx, (account_id, id), action, page).await?)
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

fn deed<'a>(action: &'a str, migration: &SsoMigration, before: Value, after: Value) -> Deed<'a> {
    Deed { account_id: Some(migration.account_id), action, target: migration.id.to_string(), before, after }
}

/// What the audit log keeps of a migration: its rows are kept with it.
fn audited(migration: &SsoMigration) -> Value {
    json!({
        "portal": migration.portal,
        "direction": migration.direction,
        "state": migration.state,
        "reverts": migration.reverts,
        "options": migration.options,
        "decisions": migration.decisions,
        "digest": migration.digest,
        "counts": migration.counts,
        "signed_off_by": migration.signed_off.map(|signed| signed.by),
        "applied_by": migration.applied.map(|applied| applied.by),
        "effects": migration.applied.map(|applied| applied.effects),
    })
}

fn refused(refusal: MigrationRefusal) -> Error {
    match refusal {
        MigrationRefusal::Over(state) => Error::new(Code::MigrationOver).with_detail(over(state)),
        MigrationRefusal::NotSignedOff | MigrationRefusal::Expired => Error::new(Code::MigrationNotSignedOff),
        MigrationRefusal::Outdated => Error::new(Code::MigrationOutdated),
        MigrationRefusal::Blocked(blockers) if blockers == [Blocker::BreakGlassRequired] => {
            Error::new(Code::BreakGlassRequired)
        }
        MigrationRefusal::Blocked(blockers) => {
            Error::new(Code::MigrationBlocked).with_violations(blockers.into_iter().map(violation).collect())
        }
    }
}

const fn over(state: MigrationState) -> &'static str {
    match state {
        MigrationState::Applied => "This migration was applied",
        MigrationState::Reverted => "This migration was applied and put back",
        MigrationState::Superseded => "A later migration took this one's place",
        MigrationState::Previewed | MigrationState::SignedOff => "This migration is not over",
    }
}

fn violation(blocker: Blocker) -> Violation {
    let detail = match blocker {
        Blocker::UndecidedConflicts => "rows of action conflict wait for a decision",
        Blocker::BreakGlassRequired => "an active owner with a password must be marked break_glass first",
        Blocker::ConnectionNotReady => "the portal's SAML connection must be complete and enabled first",
        Blocker::WrongMode => "SSO is required already, or, for going back, is not required",
        Blocker::PageNotConfigured => {
            "the portal's default application needs an initiate_login_uri, and for going back pages.login"
        }
    };
    Violation { field: format!("/blockers/{}", blocker.as_str()), detail: detail.to_owned() }
}
