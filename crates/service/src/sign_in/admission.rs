//! A verified response meets the state (saml.md, steps 7 and 8): consumed once, bound to one user, turned into a code.
//! All of it in one transaction; a refusal leaves nothing of it.

use domain::UserId;
use domain::authorization_code::{AuthorizationCode, SessionGrant};
use domain::role::RoleAssignments;
use domain::secret::{Secret, SecretDigest, SecretKind};
use domain::sign_in_attempt::{AttemptStage, VALUE_MAX_CHARS};
use domain::sso::connection::SamlConnection;
use domain::sso::identity::{AssertedAttribute, Assertion, read_identity};
use domain::sso::pending_sign_in::PendingSignIn;
use domain::sso::provisioning::{ProvisioningDecision, ProvisioningFacts, Subject, decide_provisioning};
use domain::user::{LastSignIn, SignInMethod, User, UserStatus};
use jiff::{SignedDuration, Timestamp};
use saml::VerifiedResponse;
use serde_json::Value;
use storage::Tx;
use storage::sign_in_attempts::Advance;

use crate::Service;
use crate::audit::Deed;
use crate::error::{Code, Error, Result};
use crate::sign_in::acs::AcsAnswer;
use crate::sign_in::redirect_url;
use crate::sign_in::refusal::{Refusal, Stop};
use crate::users::audited_user;

/// How often a sign-in is tried again when the same user is being created, deactivated or removed at the same moment.
const TRIES: usize = 3;
/// Most unknown role values that an attempt names: some identity providers send thousands of groups.
const UNKNOWN_ROLES_NAMED: usize = 20;

impl Service {
    /// Lets the subject of a response in, if the sign-in it answers is pending and the connection's rules allow it.
    pub(super) async fn admit(
        &self,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
        answer_to: (&str, Option<SecretDigest>),
    ) -> Result<AcsAnswer, Stop> {
        for _ in 1..TRIES {
            match self.try_admit(connection, verified, answer_to).await {
                Err(Stop::Fault(error)) if matches!(error.code, Code::UsernameTaken | Code::PreconditionFailed) => {}
                outcome => return outcome,
            }
        }
        self.try_admit(connection, verified, answer_to).await
    }

    async fn try_admit(
        &self,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
        (request_id, handle): (&str, Option<SecretDigest>),
    ) -> Result<AcsAnswer, Stop> {
        let mut transaction = self.store.begin().await?;
        let tx = &mut transaction;
        let taken = storage::pending_sign_ins::consume(tx, connection.id, request_id, self.now()).await?;
        let Some(pending) = taken else { return Err(why_not_pending(tx, connection, request_id).await?.into()) };
        check_pending(&pending, handle, self.now())?;
        self.remember_assertion(tx, connection, verified).await?;
        let identity = read_identity(&connection.settings, &self.settings.platform_attributes, &assertion(verified))?;
        let normalized = identity.username.normalized();
        let candidates = storage::users::candidates(tx, connection.account_id, connection.portal, &normalized).await?;
        let entered_email = pending.entered_email.as_deref();
        let facts = ProvisioningFacts { connection, identity: &identity, entered_email, candidates: &candidates };
        let decision = decide_provisioning(&facts)?;
        let user_id = self.write_user(tx, &facts, &decision).await?;
        let code = self.write_code(tx, &pending, verified, (user_id, &decision)).await?;
        let advance = Advance {
            stage: AttemptStage::CodeIssued,
            user_id,
            warnings: &warnings(verified, &decision),
            at: self.now(),
        };
        storage::sign_in_attempts::advance(tx, pending.account_id, pending.attempt_id, &advance).await?;
        transaction.commit().await?;
        let parameters = [("code", code.expose())];
        Ok(AcsAnswer::Redirect(redirect_url(&pending.return_to, self.settings.issuer(), &parameters)?))
    }

    /// Refuses an assertion that was seen before. It is remembered for as long as it could be replayed.
    pub(super) async fn remember_assertion(
        &self,
        tx: &mut Tx,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
    ) -> Result<(), Stop> {
        let skew = SignedDuration::from_secs(connection.settings.clock_skew_seconds.into());
        let until = verified.not_on_or_after.saturating_add(skew).unwrap_or(Timestamp::MAX);
        let (account, id) = (connection.account_id, connection.id);
        let is_new = storage::consumed_assertions::insert(tx, id, account, &verified.assertion_id, until).await?;
        if is_new { Ok(()) } else { Err(replayed().into()) }
    }

    async fn write_user(
        &self,
        tx: &mut Tx,
        facts: &ProvisioningFacts<'_>,
        decision: &ProvisioningDecision,
    ) -> Result<UserId> {
        let now = self.now();
        let last_sign_in = LastSignIn { at: now, method: SignInMethod::Saml };
        let (account_id, saml_roles) = (facts.connection.account_id, decision.saml_roles.clone());
        let (before, after) = match &decision.subject {
            Subject::Known(id) => {
                let known = facts.candidates.iter().find(|user| user.id == *id);
                let before = known.ok_or_else(|| Error::internal("the decision names nobody who was asked about"))?;
                storage::users::record_sign_in(tx, account_id, *id, &saml_roles, last_sign_in).await?;
                let mut after = before.clone();
                (after.status, after.roles.saml) = (UserStatus::Active, saml_roles);
                (audited_user(before), after)
            }
            Subject::New { email } => {
                let created = User {
                    id: UserId::from_uuid(self.uuid()),
                    account_id,
                    portal: facts.connection.portal,
                    username: facts.identity.username.clone(),
                    email: email.clone(),
                    display_name: None,
                    status: UserStatus::Active,
                    roles: RoleAssignments { saml: saml_roles, ..RoleAssignments::default() },
                    last_sign_in: Some(last_sign_in),
                    created_at: now,
                    updated_at: now,
                };
                storage::users::insert(tx, &created).await?;
                (Value::Null, created)
            }
        };
        self.record_user_change(tx, &after, before).await?;
        Ok(after.id)
    }

    /// A sign-in that changes who somebody is or what they may do is a change like any other (H3).
    async fn record_user_change(&self, tx: &mut Tx, user: &User, before: Value) -> Result<()> {
        let after = audited_user(user);
        if before == after {
            return Ok(());
        }
        let action = if before.is_null() { "user.created" } else { "user.updated" };
        let deed = Deed { account_id: Some(user.account_id), action, target: user.id.to_string(), before, after };
        self.record_as(tx, domain::audit::AuditActor::System, None, deed).await
    }

    async fn write_code(
        &self,
        tx: &mut Tx,
        pending: &PendingSignIn,
        verified: &VerifiedResponse,
        (user_id, decision): (UserId, &ProvisioningDecision),
    ) -> Result<Secret> {
        let secret = Secret::from_random(SecretKind::AuthorizationCode, self.random());
        let code = AuthorizationCode {
            digest: secret.digest(),
            account_id: pending.account_id,
            application_id: pending.return_to.application_id,
            redirect_uri: pending.return_to.redirect_uri.clone(),
            code_challenge: pending.return_to.code_challenge.clone(),
            attempt_id: pending.attempt_id,
            grant: SessionGrant {
                user_id,
                portal: pending.portal,
                method: SignInMethod::Saml,
                auth_time: verified.authn_instant,
                external_roles: decision.external_roles.clone(),
                session_not_on_or_after: verified.session_not_on_or_after,
            },
            issued_at: self.now(),
            session_id: None,
        };
        storage::authorization_codes::insert(tx, &code).await?;
        Ok(secret)
    }
}

/// Tells a request that was answered before from one that never was.
async fn why_not_pending(tx: &mut Tx, connection: &SamlConnection, request_id: &str) -> Result<Refusal> {
    let known = storage::pending_sign_ins::by_request_id(tx, connection.id, request_id).await?;
    Ok(if known.is_some() { replayed() } else { unknown_request(request_id) })
}

fn another_sign_in() -> Refusal {
    let wanted = "the response to the request that this RelayState belongs to";
    let got = Some("the response to another request".to_owned());
    Refusal::of_state(Code::SamlResponseRefused, "relay_state_mismatch", wanted, got)
}

fn check_pending(pending: &PendingSignIn, handle: Option<SecretDigest>, now: Timestamp) -> Result<(), Refusal> {
    if handle.is_some_and(|handle| handle != pending.relay_state) {
        return Err(another_sign_in());
    }
    if now >= pending.expires_at {
        let wanted = format!("an answer until {}", pending.expires_at);
        return Err(Refusal::of_state(Code::SessionExpired, "sign_in_too_slow", &wanted, Some(now.to_string())));
    }
    Ok(())
}

fn replayed() -> Refusal {
    let wanted = "a response that was not used before";
    Refusal::of_state(Code::SamlResponseRefused, "response_replayed", wanted, None)
}

fn unknown_request(request_id: &str) -> Refusal {
    let wanted = "InResponseTo of a sign-in that this service began for this connection";
    let got = Some(request_id.to_owned());
    Refusal::of_state(Code::SamlResponseRefused, "in_response_to_unknown", wanted, got)
}

fn assertion(verified: &VerifiedResponse) -> Assertion {
    let attribute = |attribute: &saml::Attribute| AssertedAttribute {
        name: attribute.name.clone(),
        values: attribute.values.clone(),
    };
    Assertion {
        name_id: verified.name_id.as_ref().map(|name_id| name_id.value.clone()),
        attributes: verified.attributes.iter().map(attribute).collect(),
    }
}

fn warnings(verified: &VerifiedResponse, decision: &ProvisioningDecision) -> Vec<String> {
    let unknown = decision.unknown_roles.iter().take(UNKNOWN_ROLES_NAMED).map(|value| {
        let value: String = value.chars().take(VALUE_MAX_CHARS).collect();
        format!("the role value {value:?} is in no role mapping and granted nothing")
    });
    let others = decision.unknown_roles.len().saturating_sub(UNKNOWN_ROLES_NAMED);
    let others = (others > 0).then(|| format!("{others} more role values are in no role mapping and granted nothing"));
    verified.warnings.iter().map(warning).chain(unknown).chain(others).collect()
}

fn warning(warning: &saml::Warning) -> String {
    match warning {
        saml::Warning::Sha1 => "the response is signed with SHA-1: have the identity provider sign with SHA-256".into(),
        saml::Warning::CertificateExpired { not_after } => {
            format!("the certificate that verified the response expired at {not_after}: add its successor")
        }
        saml::Warning::CertificateNotYetValid { not_before } => {
            format!("the certificate that verified the response is not valid before {not_before}")
        }
        saml::Warning::ClockSkew { seconds } => {
            format!("the identity provider's clock differs by {seconds} s: have both clocks synchronized")
        }
    }
}
