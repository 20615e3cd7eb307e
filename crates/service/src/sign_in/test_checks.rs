//! The checks of a test sign-in one by one, from what refused it (C9).

use domain::sso::test_sign_in::{CheckState, TestedCheck};
use saml::Check;

use crate::sign_in::refusal::Refusal;

/// Checks after those of the message itself, in the order in which they are done (saml.md, steps 7 and 8).
const AFTER_VERIFICATION: [&str; 4] = ["network", "state", "identity", "provisioning"];

/// Values that the connection wants of every response, compared exactly.
pub(super) struct Wanted<'a> {
    /// Destination, recipient and audience: the same URL (C1).
    pub acs_url: &'a str,
    /// The identity provider's entity id.
    pub idp_entity_id: &'a str,
}

/// Every check of a response that was let pass, or refused for this reason.
pub(super) fn checks(wanted: &Wanted<'_>, refusal: Option<&Refusal>) -> Vec<TestedCheck> {
    let of_message = Check::ALL.into_iter().map(|check| (check.as_str(), state_of_message(check, refusal)));
    let after = AFTER_VERIFICATION.into_iter().map(|check| (check, state_after(check, refusal)));
    of_message.chain(after).map(|(check, state)| tested(wanted, (check, state), refusal)).collect()
}

/// The checks of a test that no response has come to.
pub(super) fn untried(wanted: &Wanted<'_>) -> Vec<TestedCheck> {
    let mut checks = checks(wanted, None);
    for check in &mut checks {
        (check.state, check.got) = (CheckState::NotReached, None);
    }
    checks
}

fn state_of_message(check: Check, refusal: Option<&Refusal>) -> CheckState {
    let Some(refusal) = refusal else { return CheckState::Passed };
    match Check::parse(refusal.check) {
        Some(refused) if refused == check => CheckState::Failed,
        Some(refused) if !check.passed_before(refused, refusal.reason) => CheckState::NotReached,
        _ => CheckState::Passed,
    }
}

fn state_after(check: &str, refusal: Option<&Refusal>) -> CheckState {
    let Some(refusal) = refusal else { return CheckState::Passed };
    let place = |name: &str| AFTER_VERIFICATION.iter().position(|after| *after == name);
    match place(refusal.check) {
        Some(refused) if Some(refused) == place(check) => CheckState::Failed,
        Some(refused) if place(check) < Some(refused) => CheckState::Passed,
        _ => CheckState::NotReached,
    }
}

/// A check that compares exactly has got what it wanted, where it passed. A destination may be left out where the
/// assertion alone is signed.
fn tested(wanted: &Wanted<'_>, (check, state): (&str, CheckState), refusal: Option<&Refusal>) -> TestedCheck {
    let wants = match check {
        "destination" | "audience" | "recipient" => Some(wanted.acs_url.to_owned()),
        "issuer" => Some(wanted.idp_entity_id.to_owned()),
        _ => None,
    };
    let (wanted, got) = match (state, refusal) {
        (CheckState::Failed, Some(refusal)) => (refusal.wanted.clone(), refusal.got.clone()),
        (CheckState::Passed, _) if check != "destination" => (wants.clone(), wants),
        _ => (wants, None),
    };
    TestedCheck { check: check.to_owned(), state, wanted, got }
}

#[cfg(test)]
mod tests {
    use domain::sign_in_attempt::AttemptStage;

    use super::*;
    use crate::error::Code;

    const WANTED: Wanted<'_> = Wanted { acs_url: "https://sp.test/saml/1", idp_entity_id: "https://idp.test" };

    fn states(check: &'static str, reason: &'static str) -> Vec<(String, CheckState)> {
        let refusal = Refusal::of_code(Code::SamlResponseRefused, AttemptStage::ResponseReceived);
        let refusal = Refusal { reason, check, ..refusal };
        checks(&WANTED, Some(&refusal)).into_iter().map(|tested| (tested.check, tested.state)).collect()
    }

    fn state(check: &'static str, reason: &'static str, asked: &str) -> CheckState {
        states(check, reason).into_iter().find(|(name, _)| name == asked).unwrap().1
    }

    /// Proves C9: what refused is told apart from what came before and after it.
    #[test]
    fn each_check_has_passed_failed_or_was_not_reached() {
        use CheckState::{Failed, NotReached, Passed};
        assert_eq!(state("audience", "audience_mismatch", "audience"), Failed);
        assert_eq!(state("audience", "audience_mismatch", "signature"), Passed);
        assert_eq!(state("audience", "audience_mismatch", "identity"), NotReached);
        assert_eq!(state("structure", "response_missing", "signature"), NotReached);
        assert_eq!(state("identity", "name_id_missing", "time"), Passed);
        assert_eq!(state("identity", "name_id_missing", "state"), Passed);
        assert_eq!(state("identity", "name_id_missing", "provisioning"), NotReached);
        for (check, reason) in [("bounds", "message_too_long"), ("provisioning", "no_role")] {
            let failed = states(check, reason).into_iter().filter(|(_, state)| *state == Failed).count();
            assert_eq!(failed, 1, "{check}");
        }
        assert!(checks(&WANTED, None).iter().all(|check| check.state == Passed));
        assert!(untried(&WANTED).iter().all(|check| check.state == NotReached && check.got.is_none()));
    }
}
