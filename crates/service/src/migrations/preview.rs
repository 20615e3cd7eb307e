//! The preview (F1): what would be done, row by row. It changes no user.

use domain::audit::AuditAction;
use domain::sso_migration::{Decisions, Direction, PlanContext, Progress, Row, SsoMigration};
use domain::{AccountId, MailId, SsoMigrationId, UserId};
use serde_json::Value;
use storage::Tx;
use storage::sso_migration_rows::NewRow;

use super::planning::Planned;
use super::{NewSsoMigration, acting_owner, audited, entry, migration};
use crate::core::account;
use crate::core::caller::Caller;
use crate::core::error::{Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};
use crate::migrations::Migrations;

/// Migration that an owner asks for.
struct Asked {
    new: NewSsoMigration,
    /// The migration that going back reverts.
    reverts: Option<SsoMigrationId>,
    created_by: UserId,
}

impl Migrations {
    /// Plans a migration. It takes the place of one that was planned for this portal and not applied.
    pub async fn create_sso_migration(
        &self,
        caller: &Caller,
        account_id: AccountId,
        new: NewSsoMigration,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<SsoMigration>> {
        let acting = acting_owner(caller, account_id)?;
        let mut tx = self.core.store.read().await?;
        if let Some(id) = self.core.replay(&mut tx, caller, key).await? {
            let id = id.parse().map_err(Error::internal)?;
            return Ok(Created::replayed(migration(&mut tx, account_id, id).await?));
        }
        account(&mut tx, account_id).await?;
        let reverts = reverted(&mut tx, account_id, &new).await?;
        let NewSsoMigration { portal, direction, options } = new;
        let decisions = Decisions::new();
        let context = PlanContext { portal, direction, acting, reverts, options, decisions: &decisions };
        let planned = self.planned(&mut tx, account_id, context).await?;
        drop(tx);
        let made = self.previewed(account_id, Asked { new, reverts, created_by: acting }, &planned);
        let rows = self.with_mails(planned.plan.rows);
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        storage::sso_migration_rows::delete_drafts(&mut tx, account_id, portal).await?;
        storage::sso_migrations::supersede(&mut tx, account_id, portal, self.core.now()).await?;
        storage::sso_migrations::insert(&mut tx, &made).await?;
        storage::sso_migration_rows::insert_all(&mut tx, account_id, made.id, &rows).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::SsoMigrationPreviewed, &made, Value::Null, audited(&made)))
            .await?;
        self.core.remember(&mut tx, caller, key, made.id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(made))
    }

    fn previewed(&self, account_id: AccountId, asked: Asked, planned: &Planned) -> SsoMigration {
        let (Asked { new, reverts, created_by }, now) = (asked, self.core.now());
        SsoMigration {
            id: SsoMigrationId::from_uuid(self.core.uuid()),
            account_id,
            portal: new.portal,
            direction: new.direction,
            progress: Progress::Previewed,
            reverts,
            options: new.options,
            decisions: Decisions::new(),
            digest: planned.digest.clone(),
            counts: planned.plan.counts.clone(),
            blockers: planned.plan.blockers.clone(),
            created_by,
            created_at: now,
            updated_at: now,
        }
    }

    /// The rows, with an id for each mail: so the transaction that applies them makes none.
    pub(super) fn with_mails(&self, rows: Vec<Row>) -> Vec<NewRow> {
        let new = |row: Row| {
            let id = row.mail.map(|_| MailId::from_uuid(self.core.uuid()));
            NewRow { mail: id.map(|id| (id, self.mail.message_id(id))), row }
        };
        rows.into_iter().map(new).collect()
    }
}

/// The migration that going back puts back; none where SSO became required by none.
async fn reverted(tx: &mut Tx, account_id: AccountId, new: &NewSsoMigration) -> Result<Option<SsoMigrationId>> {
    if new.direction == Direction::Require {
        return Ok(None);
    }
    let applied = storage::sso_migrations::last_applied(tx, account_id, new.portal).await?;
    Ok(applied.map(|migration| migration.id))
}
