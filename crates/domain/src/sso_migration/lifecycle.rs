//! Steps that a migration allows in each of its states (F2, F3).

use jiff::{SignedDuration, Timestamp};

use crate::UserId;
use crate::sso_migration::digest::PlanDigest;
use crate::sso_migration::plan::Blocker;
use crate::sso_migration::{MigrationState, SignOff, SsoMigration, UntestedOverride};
use crate::text::Label;

/// Lifetime of a signature: enough to sign in the afternoon and switch over early the next morning.
pub const SIGN_OFF_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// Reasons to refuse a step of a migration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrationRefusal {
    /// Applied, reverted or superseded: nothing can be done with the migration any more.
    #[error("the migration is over")]
    Over(MigrationState),
    /// The migration is not signed off by an owner.
    #[error("the migration is not signed off")]
    NotSignedOff,
    /// The signature is too old.
    #[error("the signature has expired")]
    Expired,
    /// The facts behind the plan changed since the preview, or the digest is of another plan.
    #[error("what the plan rests on has changed")]
    Outdated,
    /// The plan has blockers, which keep it from being carried out.
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

/// Signature that an owner gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The plan that they have read.
    pub digest: PlanDigest,
    /// Reason to require SSO although no test sign-in passed through the connection as it is now.
    pub override_reason: Option<Label>,
}

/// The plan as it would be made now.
#[derive(Debug, Clone, Copy)]
pub struct CurrentPlan<'a> {
    /// Digest of the plan as it is now.
    pub digest: &'a PlanDigest,
    /// Blockers of the plan as it is now.
    pub blockers: &'a [Blocker],
    /// The version of the portal's connection; none where there is none.
    pub connection_version: Option<Timestamp>,
}

impl CurrentPlan<'_> {
    /// Refused where something else blocks the plan than a missing test that an owner answers for.
    fn check(&self, untested: Option<&UntestedOverride>) -> Result<(), MigrationRefusal> {
        let is_overridden = untested.is_some_and(|word| Some(word.connection_version) == self.connection_version);
        let stands = |blocker: &Blocker| *blocker != Blocker::ConnectionUntested || !is_overridden;
        let blockers: Vec<Blocker> = self.blockers.iter().copied().filter(stands).collect();
        if blockers.is_empty() { Ok(()) } else { Err(MigrationRefusal::Blocked(blockers)) }
    }
}

/// Decides whether an owner may sign the plan that they have read, as it would be made now.
pub fn decide_sign_off(
    migration: &SsoMigration,
    signature: Signature,
    current: &CurrentPlan<'_>,
    by: UserId,
    now: Timestamp,
) -> Result<SignOff, MigrationRefusal> {
    decide_change(migration.state)?;
    if signature.digest != migration.digest || current.digest != &migration.digest {
        return Err(MigrationRefusal::Outdated);
    }
    let word = |(reason, connection_version)| UntestedOverride { reason, connection_version };
    let untested = signature.override_reason.zip(current.connection_version).map(word);
    current.check(untested.as_ref())?;
    Ok(SignOff { by, at: now, expires_at: now.saturating_add(SIGN_OFF_LIFETIME).unwrap_or(Timestamp::MAX), untested })
}

/// Work that is left of a migration that is to be applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// All of it is to be done.
    Due,
    /// Nothing is left: it was applied before, by a request at the same time or one whose answer got lost.
    Done,
}

/// Decides whether a migration may be carried out, before its plan is looked at.
pub fn decide_apply(migration: &SsoMigration, now: Timestamp) -> Result<Application, MigrationRefusal> {
    match (migration.state, &migration.signed_off) {
        (MigrationState::Applied, _) => Ok(Application::Done),
        (MigrationState::SignedOff, Some(sign_off)) if now >= sign_off.expires_at => Err(MigrationRefusal::Expired),
        (MigrationState::SignedOff, Some(_)) => Ok(Application::Due),
        (MigrationState::Previewed | MigrationState::SignedOff, _) => Err(MigrationRefusal::NotSignedOff),
        (over @ (MigrationState::Reverted | MigrationState::Superseded), _) => Err(MigrationRefusal::Over(over)),
    }
}

/// Decides whether what was signed is what would be carried out now, and whether nothing blocks it: the connection
/// as it is now must be the one that was tested, or the one that the owner answered for.
pub fn decide_unchanged(migration: &SsoMigration, current: &CurrentPlan<'_>) -> Result<(), MigrationRefusal> {
    if current.digest != &migration.digest {
        return Err(MigrationRefusal::Outdated);
    }
    current.check(migration.signed_off.as_ref().and_then(|signed| signed.untested.as_ref()))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::portal::Portal;
    use crate::sso_migration::{Counts, Decisions, Direction, MigrationOptions};
    use crate::{AccountId, SsoMigrationId};

    const CHIEF: UserId = UserId::from_uuid(Uuid::from_u128(1));

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn digest() -> PlanDigest {
        "0".repeat(64).parse().unwrap()
    }

    fn previewed() -> SsoMigration {
        SsoMigration {
            id: SsoMigrationId::from_uuid(Uuid::from_u128(2)),
            account_id: AccountId::from_uuid(Uuid::from_u128(3)),
            portal: Portal::Admin,
            direction: Direction::Require,
            state: MigrationState::Previewed,
            reverts: None,
            options: MigrationOptions::default(),
            decisions: Decisions::new(),
            digest: digest(),
            counts: Counts::default(),
            blockers: vec![],
            created_by: CHIEF,
            created_at: at(0),
            updated_at: at(0),
            signed_off: None,
            applied: None,
        }
    }

    fn signature(reason: Option<&str>) -> Signature {
        Signature { digest: digest(), override_reason: reason.map(|reason| Label::parse(reason).unwrap()) }
    }

    /// Proves F2: an untested connection blocks, unless an owner answers for it; that holds for the connection as
    /// it was then, and for nothing else that blocks.
    #[test]
    fn an_override_is_for_one_version_of_the_connection_and_for_its_test_alone() {
        use Blocker::{BreakGlassRequired, ConnectionUntested};
        let digest = digest();
        let plan = |blockers, version| CurrentPlan { digest: &digest, blockers, connection_version: Some(at(version)) };
        let sign =
            |reason, current: &CurrentPlan<'_>| decide_sign_off(&previewed(), signature(reason), current, CHIEF, at(9));
        let untested = plan(&[ConnectionUntested], 5);
        assert_eq!(sign(None, &untested), Err(MigrationRefusal::Blocked(vec![ConnectionUntested])));
        let both = plan(&[BreakGlassRequired, ConnectionUntested], 5);
        assert_eq!(sign(Some("known good"), &both), Err(MigrationRefusal::Blocked(vec![BreakGlassRequired])));
        let signed = sign(Some("known good"), &untested).unwrap();
        assert_eq!(signed.untested.as_ref().unwrap().reason.as_str(), "known good");
        let migration = SsoMigration { signed_off: Some(signed), ..previewed() };
        assert_eq!(decide_unchanged(&migration, &untested), Ok(()));
        let changed = plan(&[ConnectionUntested], 6);
        assert_eq!(decide_unchanged(&migration, &changed), Err(MigrationRefusal::Blocked(vec![ConnectionUntested])));
        assert_eq!(decide_unchanged(&migration, &plan(&[], 6)), Ok(()), "a test takes the place of the word");
    }

    /// Proves F2: a signature without a reason rests on the test, and is worth nothing once the connection has changed.
    #[test]
    fn a_tested_connection_that_changed_since_blocks_the_application() {
        let digest = digest();
        let plan = |blockers, version| CurrentPlan { digest: &digest, blockers, connection_version: Some(at(version)) };
        let signed = decide_sign_off(&previewed(), signature(None), &plan(&[], 5), CHIEF, at(9)).unwrap();
        let migration = SsoMigration { signed_off: Some(signed), ..previewed() };
        assert_eq!(decide_unchanged(&migration, &plan(&[], 5)), Ok(()));
        let changed = plan(&[Blocker::ConnectionUntested], 6);
        let blocked = MigrationRefusal::Blocked(vec![Blocker::ConnectionUntested]);
        assert_eq!(decide_unchanged(&migration, &changed), Err(blocked));
    }
}
