//! The checks of a test sign-in one by one, from what refused it (C9).

use domain::sso::test_sign_in::{CheckState, TestedCheck};
use saml::Check::{Audience, Destination, Issuer, Recipient};

use crate::core::reason::Check;
use crate::sign_in::saml::refusal::Refusal;

/// Values that the connection wants of every response, compared exactly.
pub(super) struct Wanted<'a> {
    /// Destination, recipient and audience: the same URL (C1).
    pub acs_url: &'a str,
    /// The identity provider's entity id.
    pub idp_entity_id: &'a str,
}

/// Every check of a response that was let pass, or refused for this reason.
pub(super) fn checks(wanted: &Wanted<'_>, refusal: Option<&Refusal>) -> Vec<TestedCheck> {
    Check::of_response().map(|check| tested(wanted, check, state(check, refusal), refusal)).collect()
}

/// The checks of a test that no response has come to.
pub(super) fn untried(wanted: &Wanted<'_>) -> Vec<TestedCheck> {
    let mut checks = checks(wanted, None);
    for check in &mut checks {
        (check.state, check.got) = (CheckState::NotReached, None);
    }
    checks
}

fn state(check: Check, refusal: Option<&Refusal>) -> CheckState {
    match refusal {
        None => CheckState::Passed,
        Some(refusal) if refusal.check == check => CheckState::Failed,
        Some(refusal) if check.passed_before(refusal.check, refusal.reason) => CheckState::Passed,
        Some(_) => CheckState::NotReached,
    }
}

/// A check that compares exactly has got what it wanted, where it passed. A destination may be left out where the
/// assertion alone is signed.
fn tested(wanted: &Wanted<'_>, check: Check, state: CheckState, refusal: Option<&Refusal>) -> TestedCheck {
    let wants = match check {
        Check::Message(Destination | Audience | Recipient) => Some(wanted.acs_url.to_owned()),
        Check::Message(Issuer) => Some(wanted.idp_entity_id.to_owned()),
        _ => None,
    };
    let (wanted, got) = match (state, refusal) {
        (CheckState::Failed, Some(refusal)) => (refusal.wanted.clone(), refusal.got.clone()),
        (CheckState::Passed, _) if check != Check::Message(Destination) => (wants.clone(), wants),
        _ => (wants, None),
    };
    TestedCheck { check: check.as_str().to_owned(), state, wanted, got }
}

#[cfg(test)]
mod tests {
    use saml::Check::{Bounds, Signature, Structure, Time};

    use super::*;
    use crate::core::reason::Reason;

    const WANTED: Wanted<'_> = Wanted { acs_url: "https://sp.test/saml/1", idp_entity_id: "https://idp.test" };

    fn states(check: Check, reason: impl Into<Reason>) -> Vec<CheckState> {
        let refusal = Refusal { check, ..Refusal::of_start(reason.into()) };
        checks(&WANTED, Some(&refusal)).into_iter().map(|tested| tested.state).collect()
    }

    fn state(check: Check, reason: impl Into<Reason>, asked: Check) -> CheckState {
        states(check, reason)[Check::of_response().position(|check| check == asked).unwrap()]
    }

    /// Proves C9: what refused is told apart from what came before and after it.
    #[test]
    fn each_check_has_passed_failed_or_was_not_reached() {
        use CheckState::{Failed, NotReached, Passed};
        use saml::Reason::{AudienceMismatch, MessageTooLong, ResponseMissing};
        let (audience, identity) = (Check::Message(Audience), Check::Identity);
        assert_eq!(state(audience, AudienceMismatch, audience), Failed);
        assert_eq!(state(audience, AudienceMismatch, Check::Message(Signature)), Passed);
        assert_eq!(state(audience, AudienceMismatch, identity), NotReached);
        assert_eq!(state(Check::Message(Structure), ResponseMissing, Check::Message(Signature)), NotReached);
        assert_eq!(state(identity, Reason::NameIdMissing, Check::Message(Time)), Passed);
        assert_eq!(state(identity, Reason::NameIdMissing, Check::State), Passed);
        assert_eq!(state(identity, Reason::NameIdMissing, Check::Provisioning), NotReached);
        let refusals = [(Check::Message(Bounds), MessageTooLong.into()), (Check::Provisioning, Reason::NoRole)];
        for (check, reason) in refusals {
            assert_eq!(states(check, reason).into_iter().filter(|state| *state == Failed).count(), 1, "{check:?}");
        }
        assert!(checks(&WANTED, None).iter().all(|check| check.state == Passed));
        assert!(untried(&WANTED).iter().all(|check| check.state == NotReached && check.got.is_none()));
    }
}
