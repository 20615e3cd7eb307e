//! Decisions of an owner about single users (F1). The plan is made anew with them, and a signature is void.

use std::collections::BTreeMap;

use domain::audit::AuditAction;
use domain::sso_migration::decision::{DECISIONS_MAX, decide_choice};
use domain::sso_migration::{Decision, Decisions, Row, SsoMigration};
use domain::{AccountId, SsoMigrationId, UserId};

use super::planning::context;
use super::{acting_owner, audited, entry, migration, refused};
use crate::core::caller::Caller;
use crate::core::error::{Error, Result};
use crate::core::version::Versioned;
use crate::migrations::Migrations;

/// Decision about one user of a migration.
#[derive(Debug, Clone, Copy)]
pub struct UserDecision {
    /// User that the decision is about.
    pub user_id: UserId,
    /// Decision to keep; none takes an earlier decision back.
    pub decision: Option<Decision>,
}

impl Migrations {
    /// Decides what becomes of some users; what was decided of others stays.
    pub async fn decide_sso_migration(
        &self,
        caller: &Caller,
        account_id: AccountId,
        target: Versioned<SsoMigrationId>,
        decided: &[UserDecision],
    ) -> Result<SsoMigration> {
        acting_owner(caller, account_id)?;
        let mut tx = self.core.store.read().await?;
        let before = migration(&mut tx, account_id, target.id).await?;
        target.expect(before.updated_at)?;
        let open = before.clone().reopened().map_err(refused)?;
        let offered = self.planned_again(&mut tx, &before).await?.plan.rows;
        let decisions = merged(&before.decisions, decided, &offered)?;
        drop(offered);
        let planned = self.planned(&mut tx, account_id, context(&before, &decisions)).await?;
        drop(tx);
        let after = SsoMigration {
            digest: planned.digest,
            counts: planned.plan.counts,
            blockers: planned.plan.blockers,
            updated_at: self.core.next_version(before.updated_at),
            decisions,
            ..open
        };
        let rows = self.with_mails(planned.plan.rows);
        let mut tx = self.core.store.begin().await?;
        self.people.hold_owners(&mut tx, caller, account_id).await?;
        storage::sso_migrations::update(&mut tx, &after, &before).await?;
        storage::sso_migration_rows::delete(&mut tx, account_id, after.id).await?;
        storage::sso_migration_rows::insert_all(&mut tx, account_id, after.id, &rows).await?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::SsoMigrationDecided, &after, audited(&before), audited(&after)))
            .await?;
        tx.commit().await?;
        Ok(after)
    }
}

/// The decisions with these; refused where one is not among what its row offers.
fn merged(earlier: &Decisions, decided: &[UserDecision], rows: &[Row]) -> Result<Decisions> {
    let rows: BTreeMap<UserId, &Row> = rows.iter().map(|row| (row.user_id, row)).collect();
    let mut decisions = earlier.clone();
    for (position, UserDecision { user_id, decision }) in decided.iter().enumerate() {
        let Some(row) = rows.get(user_id) else {
            return Err(Error::invalid(format!("/decisions/{position}/user_id"), "is not a user of this plan"));
        };
        match decision {
            Some(decision) => {
                let field = format!("/decisions/{position}/choice");
                decide_choice(row, *decision).map_err(|problem| Error::invalid(field, problem))?;
                decisions.insert(*user_id, *decision);
            }
            None => drop(decisions.remove(user_id)),
        }
    }
    if decisions.len() > DECISIONS_MAX {
        return Err(Error::invalid("/decisions", format!("must be at most {DECISIONS_MAX} of one plan")));
    }
    Ok(decisions)
}
