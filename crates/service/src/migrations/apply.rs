//! Carrying a plan out (F3, F4): one transaction, in which everything is looked at once more.

use domain::audit::AuditAction;
use domain::portal::Portal;
use domain::session::SessionEnd;
use domain::sso::connection::{SamlConnection, SsoMode};
use domain::sso_migration::lifecycle::{ApplyDecision, decide_apply};
use domain::sso_migration::{Applied, Direction, Effects, SsoMigration};
use domain::{AccountId, SsoMigrationId, UserId};
use storage::Tx;
use storage::sso_migration_effects::EndingSessions;

use super::mails::MailPlan;
use super::planning::Planned;
use super::{acting_owner, audited, entry, migration, refused};
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::migrations::Migrations;

impl Migrations {
    /// Applies a plan that was signed off. A caller who calls again, or at the same time, is told that it is
    /// applied, and nothing is done twice.
    pub async fn apply_sso_migration(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: SsoMigrationId,
    ) -> Result<SsoMigration> {
        let owner = acting_owner(caller, account_id)?;
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        let before = migration(&mut tx, account_id, id).await?;
        let signed = match decide_apply(before.clone(), self.core.now()).map_err(refused)? {
            ApplyDecision::CarryOut(signed) => signed,
            ApplyDecision::AlreadyApplied(applied) => return Ok(applied),
        };
        let planned = self.planned_again(&mut tx, &before).await?;
        signed.decide_unchanged(&planned.current()).map_err(refused)?;
        let effects = self.apply_plan(&mut tx, &before, planned, owner).await?;
        let record = Applied { by: owner, at: self.core.now(), effects };
        let updated_at = self.core.next_version(before.updated_at);
        let after = SsoMigration { updated_at, ..signed.applied(record) };
        storage::sso_migrations::update(&mut tx, &after, &before).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::SsoMigrationApplied, &after, audited(&before), audited(&after)))
            .await?;
        tx.commit().await?;
        Ok(after)
    }

    async fn apply_plan(
        &self,
        tx: &mut Tx,
        migration: &SsoMigration,
        planned: Planned,
        owner: UserId,
    ) -> Result<Effects> {
        let (account_id, portal, now) = (migration.account_id, migration.portal, self.core.now());
        let Planned { plan, connection, .. } = planned;
        let connection = connection.ok_or_else(|| Error::new(Code::SsoAccountNotConfigured))?;
        let mails = self.mail_plan(tx, migration, &connection).await?;
        let changes = plan.rows.iter().filter(|row| row.after.is_some()).count();
        let outdated = |error: storage::StorageError| match error {
            storage::StorageError::Stale => Error::new(Code::MigrationOutdated),
            other => other.into(),
        };
        self.switch(tx, connection, migration.direction).await.map_err(outdated)?;
        storage::sso_migration_effects::change_users(tx, account_id, migration.id, changes, now)
            .await
            .map_err(outdated)?;
        if (migration.direction, portal) == (Direction::Require, Portal::Admin) {
            // Whatever was planned: at no moment is the account without a user who can get in (A4).
            self.people.require_break_glass(tx, account_id).await?;
        }
        let ending = ending_sessions(migration, owner);
        let sessions_ended = storage::sso_migration_effects::end_sessions(tx, account_id, portal, ending, now).await?;
        let links_ended = storage::sso_migration_effects::end_links(tx, account_id, portal, now).await?;
        if let Some(reverts) = migration.reverts {
            storage::sso_migrations::mark_reverted(tx, account_id, reverts, now).await?;
        }
        self.write_mails(tx, migration, &mails).await?;
        Ok(Effects { sessions_ended, links_ended })
    }

    /// The connection's mode: `required`, or `off` with everything staged as it was (F4). `Stale` where it is not the
    /// connection any more that was planned with.
    async fn switch(
        &self,
        tx: &mut Tx,
        before: SamlConnection,
        direction: Direction,
    ) -> std::result::Result<(), storage::StorageError> {
        let mode = match direction {
            Direction::Require => SsoMode::Required,
            Direction::Revert => SsoMode::Off,
        };
        let expected = before.updated_at;
        let after = SamlConnection { mode, updated_at: self.core.next_version(expected), ..before };
        storage::connections::update(tx, &after, expected).await?;
        storage::test_sign_ins::carry_success(tx, &after, expected).await
    }

    async fn mail_plan(&self, tx: &mut Tx, migration: &SsoMigration, connection: &SamlConnection) -> Result<MailPlan> {
        self.mails_of(tx, migration, self.connections.saml_login_url(&connection.sp_hash)).await
    }
}

/// Sessions that end because they began in another way than people sign in from now on (I3).
fn ending_sessions(migration: &SsoMigration, kept: UserId) -> EndingSessions {
    match migration.direction {
        Direction::Require => EndingSessions {
            kept,
            of_sso: migration.options.end_sso_sessions,
            of_others: true,
            reason: SessionEnd::SsoRequired,
        },
        Direction::Revert => EndingSessions { kept, of_sso: true, of_others: false, reason: SessionEnd::SsoEnded },
    }
}
