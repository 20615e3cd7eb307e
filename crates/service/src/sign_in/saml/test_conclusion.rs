//! A response comes to a test sign-in (C9): decided as a real one, by the same functions, and written down instead of
//! acted on. Nothing here can issue a code: that takes the frontend of a real sign-in.

use domain::audit::AuditAction;
use domain::sign_in_attempt::{AttemptStage, Outcome, SignInAttempt, VALUE_MAX_CHARS};
use domain::sso::connection::SamlConnection;
use domain::sso::pending_sign_in::PendingSignIn;
use domain::sso::provisioning::{ProvisioningDecision, ProvisioningFacts, Subject, decide_provisioning};
use domain::sso::test_sign_in::{FINDINGS_MAX, ReceivedAttribute, TestFindings, tested_user};
use domain::user::{User, UserStatus};
use saml::VerifiedResponse;
use serde_json::{Value, json};
use storage::Tx;

use crate::core::audit::{AuditEntry, AuditOrigin};
use crate::core::error::{Code, Error, Result};
use crate::sign_in::SignIn;
use crate::sign_in::saml::acs::AcsAnswer;
use crate::sign_in::saml::admission::{left_out_warning, warning};
use crate::sign_in::saml::refusal::{AcsError, NewAttempt, Refusal, refuse};
use crate::sign_in::saml::test_checks::checks;
use crate::sign_in::saml::test_sign_in::wanted;

/// Outcome of a response to a test.
struct Tried {
    findings: TestFindings,
    warnings: Vec<String>,
    /// The assertion that is used up; none where the response was refused.
    assertion_id: Option<String>,
    /// Reason for which a sign-in would have been refused.
    refusal: Option<Refusal>,
}

impl SignIn {
    /// Decides a verified response as a sign-in is decided, and concludes its test with that.
    pub(super) async fn try_out(
        &self,
        reading: Tx,
        test: &PendingSignIn,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
    ) -> Result<AcsAnswer, AcsError> {
        let (mut findings, mut left_out) = (received(verified), None);
        let refusal = match self.named(reading, connection, verified).await {
            Ok(named) => {
                left_out = left_out_warning(&named.left_out_roles(connection));
                self.would_be(&named.facts(connection, test), &mut findings).await?
            }
            Err(AcsError::Refused(refusal)) => Some(refusal),
            Err(fault) => return Err(fault),
        };
        let warnings = verified.warnings.iter().map(warning).chain(left_out).collect();
        let assertion_id = refusal.is_none().then(|| verified.assertion_id.clone());
        self.conclude_test(connection, test, Tried { findings, warnings, assertion_id, refusal }).await
    }

    /// Tells who it would be and with which roles; gives why they would not get in.
    async fn would_be(&self, facts: &ProvisioningFacts<'_>, findings: &mut TestFindings) -> Result<Option<Refusal>> {
        let (decision, refusal) = match decide_provisioning(facts) {
            Ok(decision) => match self.refused_invitation(facts, &decision).await? {
                Some(refusal) => (None, Some(refusal)),
                None => (Some(decision), None),
            },
            Err(refusal) => (None, Some(refusal.into())),
        };
        let (user, roles) = tested_user(facts, decision.as_ref());
        (findings.user, findings.roles) = (Some(user), roles);
        Ok(refusal)
    }

    /// Tells why an invited user's invitation lets them in no more.
    async fn refused_invitation(
        &self,
        facts: &ProvisioningFacts<'_>,
        decision: &ProvisioningDecision,
    ) -> Result<Option<Refusal>> {
        let Subject::Known(id) = decision.subject else { return Ok(None) };
        let invited = |user: &&User| user.id == id && user.status == UserStatus::Invited;
        let Some(invited) = facts.known.candidates.iter().find(invited) else { return Ok(None) };
        let mut tx = self.core.store.read().await?;
        Ok(self.people.open_to_sign_in(&mut tx, invited).await?.err().map(Refusal::from))
    }

    /// Concludes a test whose response was refused before a user was named. One that has succeeded stays so: what
    /// comes after is an attempt of its own.
    pub(super) async fn refuse_test(
        &self,
        test: &PendingSignIn,
        new: &NewAttempt<'_>,
        refusal: Refusal,
    ) -> Result<AcsAnswer> {
        let tried = Tried {
            findings: TestFindings::default(),
            warnings: vec![],
            assertion_id: None,
            refusal: Some(refusal.clone()),
        };
        match self.conclude_test(new.connection, test, tried).await {
            Ok(answer) => Ok(answer),
            Err(AcsError::Fault(error)) => Err(error),
            Err(AcsError::Refused(_)) => {
                let attempt_id = self.record_refused_attempt(new, &refusal).await?;
                Ok(AcsAnswer::Refused { code: refusal.reason.code(), attempt_id })
            }
        }
    }

    async fn conclude_test(
        &self,
        connection: &SamlConnection,
        test: &PendingSignIn,
        tried: Tried,
    ) -> Result<AcsAnswer, AcsError> {
        let Tried { mut findings, warnings, assertion_id, refusal } = tried;
        findings.checks = checks(&wanted(connection, &self.connections.acs_url(&connection.sp_hash)), refusal.as_ref());
        let mut tx = self.core.store.begin().await?;
        let found = storage::sign_in_attempts::by_id(&mut tx, test.account_id, test.attempt_id).await?;
        let mut attempt = SignInAttempt { warnings, ..found.ok_or_else(|| Error::new(Code::SessionExpired))? };
        attempt.updated_at = self.core.now();
        if let Some(refusal) = &refusal {
            attempt.stage = refusal.stage;
            refuse(&mut attempt, refusal);
        } else {
            (attempt.stage, attempt.outcome) = (AttemptStage::UserResolved, Outcome::Succeeded);
            attempt.saml_message = None;
        }
        storage::test_sign_ins::conclude(&mut tx, &attempt, &findings, assertion_id.as_deref()).await?;
        if refusal.is_none() {
            self.record_success(&mut tx, connection, &attempt).await?;
        }
        tx.commit().await?;
        Ok(AcsAnswer::Tested { attempt_id: attempt.id, refused: refusal.map(|refusal| refusal.reason.code()) })
    }

    async fn record_success(&self, tx: &mut Tx, connection: &SamlConnection, test: &SignInAttempt) -> Result<()> {
        storage::test_sign_ins::record_success(tx, connection, self.core.now()).await?;
        let entry = AuditEntry {
            account_id: Some(connection.account_id),
            action: AuditAction::SamlConnectionTested,
            target: connection.id.to_string(),
            before: Value::Null,
            after: json!({ "attempt_id": test.id }),
        };
        self.core.record_as(tx, AuditOrigin::SYSTEM, entry).await
    }
}

/// Findings that tell what came, without personal values.
fn received(verified: &VerifiedResponse) -> TestFindings {
    let attribute = |attribute: &saml::Attribute| ReceivedAttribute {
        name: attribute.name.chars().take(VALUE_MAX_CHARS).collect(),
        values: attribute.values.len(),
    };
    TestFindings {
        name_id: verified.name_id.is_some(),
        attributes: verified.attributes.iter().take(FINDINGS_MAX).map(attribute).collect(),
        ..TestFindings::default()
    }
}
