//! What may be done with a migration where it stands (F2, F3).

use jiff::{SignedDuration, Timestamp};

use crate::UserId;
use crate::sso_migration::digest::PlanDigest;
use crate::sso_migration::plan::Blocker;
use crate::sso_migration::{MigrationState, SignOff, SsoMigration};

/// How long a signature is worth something: to sign in the afternoon and switch over early the next morning.
pub const SIGN_OFF_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Why something cannot be done with a migration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrationRefusal {
    /// It was applied, reverted or superseded: nothing can be done with it any more.
    #[error("the migration is over")]
    Over(MigrationState),
    /// Nobody signed it off.
    #[error("the migration is not signed off")]
    NotSignedOff,
    /// The signature is too old.
    #[error("the signature has expired")]
    Expired,
    /// What it rests on changed since the preview, or the digest is of another plan.
    #[error("what the plan rests on has changed")]
    Outdated,
    /// Something keeps it from being carried out.
    #[error("the plan is blocked")]
    Blocked(Vec<Blocker>),
}

/// Decides whether something may still be decided of its users. A plan that was signed off is a preview again then.
pub fn decide_change(state: MigrationState) -> Result<(), MigrationRefusal> {
    match state {
        MigrationState::Previewed | MigrationState::SignedOff => Ok(()),
        over => Err(MigrationRefusal::Over(over)),
    }
}

/// Decides whether an owner may sign: `presented` is what they have read, `current` the digest of the plan as it would be
/// made now, with what blocks it.
pub fn decide_sign_off(
    migration: &SsoMigration,
    presented: &PlanDigest,
    (current, blockers): (&PlanDigest, &[Blocker]),
    (by, now): (UserId, Timestamp),
) -> Result<SignOff, MigrationRefusal> {
    decide_change(migration.state)?;
    if presented != &migration.digest || current != &migration.digest {
        return Err(MigrationRefusal::Outdated);
    }
    if !blockers.is_empty() {
        return Err(MigrationRefusal::Blocked(blockers.to_vec()));
    }
    Ok(SignOff { by, at: now, expires_at: now.saturating_add(SIGN_OFF_LIFETIME).unwrap_or(Timestamp::MAX) })
}

/// What is left to do of a migration that is to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// All of it.
    Due,
    /// Nothing: it was applied before, by whoever called at the same time or got no answer.
    Done,
}

/// Decides whether a migration may be carried out, before its plan is looked at.
pub fn decide_apply(migration: &SsoMigration, now: Timestamp) -> Result<Application, MigrationRefusal> {
    match (migration.state, migration.signed_off) {
        (MigrationState::Applied, _) => Ok(Application::Done),
        (MigrationState::SignedOff, Some(sign_off)) if now >= sign_off.expires_at => Err(MigrationRefusal::Expired),
        (MigrationState::SignedOff, Some(_)) => Ok(Application::Due),
        (MigrationState::Previewed | MigrationState::SignedOff, _) => Err(MigrationRefusal::NotSignedOff),
        (over @ (MigrationState::Reverted | MigrationState::Superseded), _) => Err(MigrationRefusal::Over(over)),
    }
}

/// Decides whether what was signed is what would be carried out now.
pub fn decide_unchanged(migration: &SsoMigration, current: &PlanDigest) -> Result<(), MigrationRefusal> {
    if current == &migration.digest { Ok(()) } else { Err(MigrationRefusal::Outdated) }
}
