//! A verified response meets the state (saml.md, steps 7 and 8): consumed once, bound to one user, turned into a code.
//! All of it is written in one transaction; a refusal leaves nothing of it.

use domain::UserId;
use domain::audit::AuditAction;
use domain::authorization_code::{AuthorizationCode, SessionGrant};
use domain::credential_epoch::{CredentialEpoch, carried_on};
use domain::portal::Portal;
use domain::role::{RoleAssignments, RoleSet};
use domain::secret::PresentedSecret;
use domain::sign_in_attempt::{SignInAttempt, VALUE_MAX_CHARS};
use domain::sso::connection::SamlConnection;
use domain::sso::discovery::Known;
use domain::sso::identity::{AssertedAttribute, AssertedIdentity, AssertedNameId, Assertion, read_identity};
use domain::sso::pending_sign_in::{PendingSignIn, Purpose};
use domain::sso::provisioning::{
    ProvisioningDecision, ProvisioningFacts, ProvisioningRefusal, Subject, decide_provisioning, reroled,
};
use domain::sso::role_values::{ROLE_VALUES_MAX, ROLE_VALUES_MAX_BYTES, RoleValues};
use domain::user::{SignInMethod, User, UserStatus};
use jiff::Timestamp;
use saml::VerifiedResponse;
use serde_json::Value;
use storage::Tx;
use storage::authorization_codes::Evidence;
use storage::sign_in_attempts::UsedAssertion;

use crate::core::audit::{AuditEntry, AuditOrigin};
use crate::core::error::{Code, Error, Result};
use crate::core::reason::Reason;
use crate::people::directory::hold_names;
use crate::people::users::audited_user;
use crate::sign_in::SignIn;
use crate::sign_in::saml::acs::{AcsAnswer, answered, note};
use crate::sign_in::saml::discovery::known;
use crate::sign_in::saml::redirect_url;
use crate::sign_in::saml::refusal::{AcsError, Refusal, refuse};

/// Most tries of a sign-in when the same user is being created, let in, deactivated or removed at the same moment.
const TRIES: usize = 3;
/// Most unknown role values that an attempt names: some identity providers send thousands of groups.
const UNKNOWN_ROLES_NAMED: usize = 20;

/// The user who signs in, before and after.
struct Admitted {
    /// The user as they were; none for a new one.
    before: Option<User>,
    after: User,
}

/// Identity that a response names, and the users who go by it.
pub(super) struct Named {
    identity: AssertedIdentity,
    candidates: Vec<User>,
    is_revoked: bool,
}

impl Named {
    /// Gathers the facts that the sign-in is decided by.
    pub fn facts<'a>(&'a self, connection: &'a SamlConnection, pending: &'a PendingSignIn) -> ProvisioningFacts<'a> {
        let entered_email = pending.entered_email.as_deref();
        let known = Known { candidates: &self.candidates, is_revoked: self.is_revoked };
        ProvisioningFacts { connection, identity: &self.identity, entered_email, known, superseded: false }
    }

    /// The role values that a token would not hold.
    pub fn left_out_roles(&self, connection: &SamlConnection) -> Vec<String> {
        match connection.portal {
            Portal::Admin => vec![],
            Portal::SelfService => {
                RoleValues::within_bounds(self.identity.role_values.as_deref().unwrap_or_default()).left_out
            }
        }
    }
}

/// Whether a fault tells that the same user was created, let in, deactivated or removed at the same moment.
fn is_of_this_moment(code: Code) -> bool {
    matches!(code, Code::UsernameTaken | Code::InvitationAccepted | Code::PreconditionFailed)
}

/// Verified response to a pending sign-in of a connection.
struct Answered<'a> {
    connection: &'a SamlConnection,
    pending: &'a PendingSignIn,
    verified: &'a VerifiedResponse,
}

impl SignIn {
    /// Lets the subject of a response in, if the sign-in it answers is pending and the connection's rules allow it.
    pub(super) async fn admit(
        &self,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
        request_id: &str,
        handle: Option<PresentedSecret>,
    ) -> Result<AcsAnswer, AcsError> {
        for _ in 1..TRIES {
            match self.try_admit(connection, verified, request_id, handle).await {
                Err(AcsError::Fault(error)) if is_of_this_moment(error.code) => {}
                outcome => return outcome,
            }
        }
        self.try_admit(connection, verified, request_id, handle).await
    }

    async fn try_admit(
        &self,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
        request_id: &str,
        handle: Option<PresentedSecret>,
    ) -> Result<AcsAnswer, AcsError> {
        let mut reading = self.core.store.read().await?;
        let pending = answered(&mut reading, connection, request_id).await?;
        let pending = pending.ok_or_else(|| unknown_request(request_id))?;
        check_pending(&pending, handle, self.core.now())?;
        let Purpose::SignIn(return_to) = &pending.purpose else {
            return self.try_out(reading, &pending, connection, verified).await;
        };
        let named = self.named(reading, connection, verified).await?;
        let facts = named.facts(connection, &pending);
        let decision = match self.decided(&facts, verified).await? {
            Err(ProvisioningRefusal::NoRole { user: Some(id), unknown }) => {
                let user = facts.known.candidates.iter().find(|user| user.id == id);
                let user = user.ok_or_else(|| Error::internal("the refusal names a user who was not asked about"))?;
                let refusal = ProvisioningRefusal::NoRole { user: Some(id), unknown }.into();
                return self
                    .refuse_without_role(&Answered { connection, pending: &pending, verified }, user, refusal)
                    .await;
            }
            decided => decided?,
        };
        let admitted = self.admitted(&facts, &decision)?;
        let grant = grant(&pending, verified, &admitted.after, &decision);
        let (account_id, attempt_id) = (pending.account_id, pending.attempt_id);
        let (code, secret) = self.authorization_code(account_id, attempt_id, return_to, grant);
        self.write_admission(&admitted, &code, verified, &decision).await?;
        let parameters = [("code", secret.expose())];
        Ok(AcsAnswer::Redirect(redirect_url(return_to, self.core.settings.issuer(), &parameters)?))
    }

    /// Reads the identity that a response names, and finds the users who go by it here.
    pub(super) async fn named(
        &self,
        mut reading: Tx,
        connection: &SamlConnection,
        verified: &VerifiedResponse,
    ) -> Result<Named, AcsError> {
        let identity =
            read_identity(&connection.settings, &self.core.settings.platform_attributes, &assertion(verified))?;
        let (account_id, portal) = (connection.account_id, connection.portal);
        let normalized = identity.username.normalized();
        let (candidates, is_revoked) = known(&mut reading, account_id, portal, &normalized).await?;
        Ok(Named { identity, candidates, is_revoked })
    }

    /// Decides who signs in and with which roles. An assertion that is older than another one of its user, which
    /// was used before, does not undo what that one said: this is looked up where it makes a difference.
    async fn decided(
        &self,
        facts: &ProvisioningFacts<'_>,
        verified: &VerifiedResponse,
    ) -> Result<std::result::Result<ProvisioningDecision, ProvisioningRefusal>> {
        let decision = decide_provisioning(facts);
        let Some(User { account_id, id, .. }) = reroled(facts, &decision) else { return Ok(decision) };
        let (mut tx, issued_at) = (self.core.store.read().await?, verified.issue_instant);
        if storage::sign_in_attempts::newer_assertion_was_used(&mut tx, *account_id, *id, issued_at).await? {
            return Ok(decide_provisioning(&ProvisioningFacts { superseded: true, ..*facts }));
        }
        Ok(decision)
    }

    /// Refuses a user who has no role after their assertion, and takes the roles that an earlier one gave (C4).
    /// The assertion is used up, so that it cannot come again after a newer one.
    async fn refuse_without_role(
        &self,
        response: &Answered<'_>,
        user: &User,
        refusal: Refusal,
    ) -> Result<AcsAnswer, AcsError> {
        let Answered { connection, pending, verified } = response;
        let mut tx = self.core.store.begin().await?;
        let attempt = storage::sign_in_attempts::by_id(&mut tx, pending.account_id, pending.attempt_id).await?;
        let (Some(attempt), Purpose::SignIn(return_to)) = (attempt, &pending.purpose) else {
            return Err(refusal.into());
        };
        let (stage, updated_at) = (attempt.stage.max(refusal.stage), self.core.now());
        let mut attempt = SignInAttempt { stage, updated_at, user_id: Some(user.id), ..attempt };
        refuse(&mut attempt, &refusal);
        storage::sign_in_attempts::refuse_used(&mut tx, &attempt, used(verified)).await?;
        if !user.roles.saml.is_empty() {
            let roles = RoleAssignments { saml: RoleSet::new(), ..user.roles.clone() };
            let after = User { roles, updated_at, ..user.clone() };
            let after = self.people.write_user(&mut tx, user, after, None).await?;
            self.record_user_change(&mut tx, &after, audited_user(user)).await?;
        }
        tx.commit().await?;
        note(connection, &refusal);
        Ok(self.refused_redirect(return_to, refusal.reason.code(), Some(attempt.id))?)
    }

    fn admitted(&self, facts: &ProvisioningFacts<'_>, decision: &ProvisioningDecision) -> Result<Admitted> {
        let now = self.core.now();
        let saml_roles = decision.saml_roles.clone();
        match &decision.subject {
            Subject::Known(id) => {
                let known = facts.known.candidates.iter().find(|user| user.id == *id);
                let before =
                    known.ok_or_else(|| Error::internal("the decision names a user who was not asked about"))?;
                let mut after = before.clone();
                (after.status, after.roles.saml, after.updated_at) = (UserStatus::Active, saml_roles, now);
                Ok(Admitted { after: carried_on(before, after), before: Some(before.clone()) })
            }
            Subject::New { email } => {
                let after = User {
                    id: UserId::from_uuid(self.core.uuid()),
                    account_id: facts.connection.account_id,
                    portal: facts.connection.portal,
                    username: facts.identity.username.clone(),
                    email: email.clone(),
                    display_name: None,
                    status: UserStatus::Active,
                    roles: RoleAssignments { saml: saml_roles, ..RoleAssignments::default() },
                    recovery_email: None,
                    break_glass: false,
                    require_email_mfa: false,
                    exempt: false,
                    credential_epoch: CredentialEpoch::FIRST,
                    last_sign_in: None,
                    created_at: now,
                    updated_at: now,
                };
                Ok(Admitted { before: None, after })
            }
        }
    }

    /// The assertion is consumed, the code issued, the user written: all or nothing. Mostly the user is as before, and
    /// one statement is the whole transaction.
    async fn write_admission(
        &self,
        admitted: &Admitted,
        code: &AuthorizationCode,
        verified: &VerifiedResponse,
        decision: &ProvisioningDecision,
    ) -> Result<(), AcsError> {
        let warnings = warnings(verified, decision);
        let evidence = Evidence { assertion: Some(used(verified)), warnings: &warnings };
        let before = admitted.before.as_ref().map_or(Value::Null, audited_user);
        let changed = before != audited_user(&admitted.after);
        let mut tx = if changed { self.core.store.begin().await? } else { self.core.store.write_once().await? };
        if admitted.before.is_none() {
            // Before anything else is held, as in every transaction that writes names.
            hold_names(&mut tx, admitted.after.account_id).await?;
            self.check_unclaimed(&mut tx, &admitted.after).await?;
        }
        storage::authorization_codes::issue(&mut tx, code, evidence).await?;
        if changed {
            if let Some(invited) = admitted.before.as_ref().filter(|user| user.status == UserStatus::Invited) {
                self.people.accept_by_sign_in(&mut tx, invited, SignInMethod::Saml).await??;
            }
            match &admitted.before {
                Some(before) => drop(self.people.write_user(&mut tx, before, admitted.after.clone(), None).await?),
                None => storage::users::insert(&mut tx, &admitted.after).await?,
            }
            self.record_user_change(&mut tx, &admitted.after, before).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Refuses to create a user whose name was taken, or whose invitation was revoked, since the sign-in was
    /// decided; it is then decided anew.
    async fn check_unclaimed(&self, tx: &mut Tx, new: &User) -> Result<()> {
        let (candidates, is_revoked) = known(tx, new.account_id, new.portal, &new.username.normalized()).await?;
        if candidates.is_empty() && !is_revoked { Ok(()) } else { Err(Error::new(Code::UsernameTaken)) }
    }

    /// Records a change that a sign-in makes to a user or their roles, like any other change (H3).
    async fn record_user_change(&self, tx: &mut Tx, user: &User, before: Value) -> Result<()> {
        let action = if before.is_null() { AuditAction::UserCreated } else { AuditAction::UserUpdated };
        let (target, after) = (user.id.to_string(), audited_user(user));
        let entry = AuditEntry { account_id: Some(user.account_id), action, target, before, after };
        self.core.record_as(tx, AuditOrigin::SYSTEM, entry).await
    }
}

fn grant(
    pending: &PendingSignIn,
    verified: &VerifiedResponse,
    user: &User,
    decision: &ProvisioningDecision,
) -> SessionGrant {
    SessionGrant {
        user_id: user.id,
        portal: pending.portal,
        method: SignInMethod::Saml,
        auth_time: verified.authn_instant,
        credential_epoch: user.credential_epoch,
        external_roles: decision.external_roles.clone(),
        home: None,
        session_not_on_or_after: verified.session_not_on_or_after,
    }
}

fn used(verified: &VerifiedResponse) -> UsedAssertion<'_> {
    UsedAssertion { id: &verified.assertion_id, issued_at: verified.issue_instant }
}

fn another_sign_in() -> Refusal {
    let wanted = "the response to the request that this RelayState belongs to";
    let got = Some("the response to another request".to_owned());
    Refusal::of_state(Reason::RelayStateMismatch, wanted, got)
}

fn check_pending(pending: &PendingSignIn, handle: Option<PresentedSecret>, now: Timestamp) -> Result<(), Refusal> {
    if pending.answered {
        return Err(Refusal::replayed());
    }
    if handle.is_some_and(|handle| handle.digest != pending.relay_state) {
        return Err(another_sign_in());
    }
    if now >= pending.expires_at {
        let wanted = format!("an answer until {}", pending.expires_at);
        return Err(Refusal::of_state(Reason::SignInTooSlow, &wanted, Some(now.to_string())));
    }
    Ok(())
}

fn unknown_request(request_id: &str) -> Refusal {
    let wanted = "InResponseTo of a sign-in that this service began for this connection";
    let got = Some(request_id.to_owned());
    Refusal::of_state(Reason::InResponseToUnknown, wanted, got)
}

fn assertion(verified: &VerifiedResponse) -> Assertion {
    let attribute = |attribute: &saml::Attribute| AssertedAttribute {
        name: attribute.name.clone(),
        values: attribute.values.clone(),
    };
    Assertion {
        name_id: verified
            .name_id
            .as_ref()
            .map(|name_id| AssertedNameId { value: name_id.value.clone(), format: name_id.format.clone() }),
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
    let left_out = left_out_warning(&decision.left_out_roles);
    verified.warnings.iter().map(warning).chain(unknown).chain(others).chain(left_out).collect()
}

/// Names the role values that a token does not hold, and the setting that sends fewer.
pub(super) fn left_out_warning(left_out: &[String]) -> Option<String> {
    let first = left_out.first()?.chars().take(VALUE_MAX_CHARS).collect::<String>();
    let (values, verb) = if left_out.len() == 1 { ("value was", "It is") } else { ("values were", "The first one is") };
    Some(format!(
        "{} role {values} left out of the token, which holds at most {ROLE_VALUES_MAX} of them in {ROLE_VALUES_MAX_BYTES} bytes. \
         {verb} {first:?}. Have the identity provider send fewer: in its role attribute, only the groups that are assigned to \
         this application, by short names",
        left_out.len()
    ))
}

pub(super) fn warning(warning: &saml::Warning) -> String {
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
