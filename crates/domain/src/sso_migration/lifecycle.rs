//! Steps that a migration allows in each of its states (F2, F3).

use jiff::{SignedDuration, Timestamp};

use crate::UserId;
use crate::sso_migration::digest::PlanDigest;
use crate::sso_migration::plan::Blocker;
use crate::sso_migration::{Applied, MigrationState, Progress, SignOff, SsoMigration, UntestedOverride};
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

impl SsoMigration {
    /// The migration while its plan may still be decided upon: one that was signed off is a preview again.
    pub fn reopened(self) -> Result<Self, MigrationRefusal> {
        match self.progress {
            Progress::Previewed | Progress::SignedOff(_) => Ok(Self { progress: Progress::Previewed, ..self }),
            Progress::Applied(..) | Progress::Reverted(..) | Progress::Superseded(_) => {
                Err(MigrationRefusal::Over(self.progress.state()))
            }
        }
    }

    /// The migration with an owner's signature under the plan that they have read, as it would be made now.
    pub fn signed_off(
        self,
        signature: Signature,
        current: &CurrentPlan<'_>,
        by: UserId,
        now: Timestamp,
    ) -> Result<Self, MigrationRefusal> {
        let open = self.reopened()?;
        if signature.digest != open.digest || current.digest != &open.digest {
            return Err(MigrationRefusal::Outdated);
        }
        let word = |(reason, connection_version)| UntestedOverride { reason, connection_version };
        let untested = signature.override_reason.zip(current.connection_version).map(word);
        current.check(untested.as_ref())?;
        let expires_at = now.saturating_add(SIGN_OFF_LIFETIME).unwrap_or(Timestamp::MAX);
        Ok(Self { progress: Progress::SignedOff(SignOff { by, at: now, expires_at, untested }), ..open })
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

/// Migration whose plan may be carried out: it is signed, and the signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMigration {
    migration: SsoMigration,
    sign_off: SignOff,
}

/// Decision about a migration that is to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApplyDecision {
    /// The plan is to be carried out.
    CarryOut(SignedMigration),
    /// The plan was carried out before, by a request at the same time or one whose answer got lost.
    AlreadyApplied(SsoMigration),
}

/// Decides whether a migration may be carried out, before its plan is looked at.
pub fn decide_apply(migration: SsoMigration, now: Timestamp) -> Result<ApplyDecision, MigrationRefusal> {
    match &migration.progress {
        Progress::Applied(..) => Ok(ApplyDecision::AlreadyApplied(migration)),
        Progress::SignedOff(sign_off) if now >= sign_off.expires_at => Err(MigrationRefusal::Expired),
        Progress::SignedOff(sign_off) => {
            let sign_off = sign_off.clone();
            Ok(ApplyDecision::CarryOut(SignedMigration { migration, sign_off }))
        }
        Progress::Previewed => Err(MigrationRefusal::NotSignedOff),
        over @ (Progress::Reverted(..) | Progress::Superseded(_)) => Err(MigrationRefusal::Over(over.state())),
    }
}

impl SignedMigration {
    /// The migration as it was signed.
    pub fn migration(&self) -> &SsoMigration {
        &self.migration
    }

    /// Decides whether what was signed is what would be carried out now, and whether nothing blocks it: the connection
    /// as it is now must be the one that was tested, or the one that the owner answered for.
    pub fn decide_unchanged(&self, current: &CurrentPlan<'_>) -> Result<(), MigrationRefusal> {
        if current.digest != &self.migration.digest {
            return Err(MigrationRefusal::Outdated);
        }
        current.check(self.sign_off.untested.as_ref())
    }

    /// The migration once its plan is carried out.
    #[must_use]
    pub fn applied(self, applied: Applied) -> SsoMigration {
        SsoMigration { progress: Progress::Applied(self.sign_off, applied), ..self.migration }
    }
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
            progress: Progress::Previewed,
            reverts: None,
            options: MigrationOptions::default(),
            decisions: Decisions::new(),
            digest: digest(),
            counts: Counts::default(),
            blockers: vec![],
            created_by: CHIEF,
            created_at: at(0),
            updated_at: at(0),
        }
    }

    fn signature(reason: Option<&str>) -> Signature {
        Signature { digest: digest(), override_reason: reason.map(|reason| Label::parse(reason).unwrap()) }
    }

    fn to_apply(migration: SsoMigration) -> SignedMigration {
        match decide_apply(migration, at(9)).unwrap() {
            ApplyDecision::CarryOut(signed) => signed,
            ApplyDecision::AlreadyApplied(migration) => panic!("{migration:?}"),
        }
    }

    /// Proves F2: a step that a state does not allow is refused, and each transition leads to the next state alone.
    #[test]
    fn a_migration_goes_through_its_states_in_order() {
        let digest = digest();
        let plan = CurrentPlan { digest: &digest, blockers: &[], connection_version: Some(at(5)) };
        assert_eq!(decide_apply(previewed(), at(9)), Err(MigrationRefusal::NotSignedOff));
        let signed = previewed().signed_off(signature(None), &plan, CHIEF, at(9)).unwrap();
        assert_eq!(signed.clone().reopened().unwrap(), previewed());
        let expired = at(9).saturating_add(SIGN_OFF_LIFETIME).unwrap();
        assert_eq!(decide_apply(signed.clone(), expired), Err(MigrationRefusal::Expired));
        let record = Applied { by: CHIEF, at: at(9), effects: crate::sso_migration::Effects::default() };
        let applied = to_apply(signed).applied(record);
        assert_eq!(applied.progress.applied(), Some(&record));
        assert_eq!(applied.clone().reopened(), Err(MigrationRefusal::Over(MigrationState::Applied)));
        assert_eq!(decide_apply(applied.clone(), at(9)), Ok(ApplyDecision::AlreadyApplied(applied.clone())));
        let superseded = SsoMigration { progress: Progress::Superseded(None), ..applied };
        assert_eq!(decide_apply(superseded, at(9)), Err(MigrationRefusal::Over(MigrationState::Superseded)));
    }

    /// Proves F2: an untested connection blocks, unless an owner answers for it; that holds for the connection as
    /// it was then, and for nothing else that blocks.
    #[test]
    fn an_override_is_for_one_version_of_the_connection_and_for_its_test_alone() {
        use Blocker::{BreakGlassRequired, ConnectionUntested};
        let digest = digest();
        let plan = |blockers, version| CurrentPlan { digest: &digest, blockers, connection_version: Some(at(version)) };
        let sign = |reason, current: &CurrentPlan<'_>| previewed().signed_off(signature(reason), current, CHIEF, at(9));
        let untested = plan(&[ConnectionUntested], 5);
        assert_eq!(sign(None, &untested), Err(MigrationRefusal::Blocked(vec![ConnectionUntested])));
        let both = plan(&[BreakGlassRequired, ConnectionUntested], 5);
        assert_eq!(sign(Some("known good"), &both), Err(MigrationRefusal::Blocked(vec![BreakGlassRequired])));
        let signed = sign(Some("known good"), &untested).unwrap();
        assert_eq!(signed.progress.untested().unwrap().reason.as_str(), "known good");
        let signed = to_apply(signed);
        assert_eq!(signed.decide_unchanged(&untested), Ok(()));
        let changed = plan(&[ConnectionUntested], 6);
        assert_eq!(signed.decide_unchanged(&changed), Err(MigrationRefusal::Blocked(vec![ConnectionUntested])));
        assert_eq!(signed.decide_unchanged(&plan(&[], 6)), Ok(()), "a test takes the place of the word");
    }

    /// Proves F2: a signature without a reason rests on the test, and is worth nothing once the connection has changed.
    #[test]
    fn a_tested_connection_that_changed_since_blocks_the_application() {
        let digest = digest();
        let plan = |blockers, version| CurrentPlan { digest: &digest, blockers, connection_version: Some(at(version)) };
        let signed = to_apply(previewed().signed_off(signature(None), &plan(&[], 5), CHIEF, at(9)).unwrap());
        assert_eq!(signed.decide_unchanged(&plan(&[], 5)), Ok(()));
        let changed = plan(&[Blocker::ConnectionUntested], 6);
        let blocked = MigrationRefusal::Blocked(vec![Blocker::ConnectionUntested]);
        assert_eq!(signed.decide_unchanged(&changed), Err(blocked));
    }
}
