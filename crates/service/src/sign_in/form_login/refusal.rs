//! Refused form logins: one answer for all who did not know the password, and a reason for diagnostics (B5, H1).

use domain::form_login::FormLoginRefusal;
use domain::login_slowdown::OF_IDENTITY;
use domain::portal::Portal;
use domain::sign_in_attempt::{AttemptFailure, AttemptKind, AttemptStart, Outcome, SignInAttempt};
use domain::sso::connection::SsoMode;
use domain::throttle::ThrottleKey;
use domain::{AccountId, AttemptId};
use jiff::{SignedDuration, Timestamp};
use storage::direct_sign_ins::RefusedLimits;

use super::SignInStep;
use super::facts::Facts;
use super::start::StartFormLogin;
use crate::core::error::{Code, Error, Result};
use crate::core::reason::{Check, Reason};
use crate::sign_in::SignIn;

/// Time over which refused attempts are counted against the limits.
const LIMIT_WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Words of a refusal, for diagnostics.
struct Telling {
    reason: Reason,
    wanted: &'static str,
}

fn telling(refusal: FormLoginRefusal) -> Telling {
    use FormLoginRefusal as Refused;
    let (reason, wanted) = match refusal {
        Refused::UnknownUser => (Reason::UserUnknown, "the username or email of a user"),
        Refused::SeveralUsers => (Reason::EmailShared, "a username, or an email that one active user has"),
        Refused::NoPassword => (Reason::PasswordNotSet, "a user who has set a password"),
        Refused::WrongPassword => (Reason::PasswordWrong, "the password of the user"),
        Refused::Inactive => (Reason::UserDeactivated, "an active user"),
        Refused::SsoRequired => (Reason::FormLoginNotAllowed, "a sign-in with SSO"),
        Refused::NoRole => (Reason::RoleMissing, "a user with a role"),
        Refused::AddressNotAllowed => (Reason::NetworkNotAllowed, "an address of allowed_networks"),
    };
    Telling { reason, wanted }
}

impl SignIn {
    /// Writes a refusal down and tells it. Where SSO is required, every user who is not let in is sent there (B3).
    pub(super) async fn refuse_form_login(
        &self,
        start: &StartFormLogin,
        facts: &Facts,
        refusal: FormLoginRefusal,
    ) -> Result<SignInStep> {
        let told = telling(refusal);
        let code = told.reason.code();
        let attempt_id = match &facts.account {
            Some(account) => {
                self.record_refused_sign_in(self.refused_form_attempt(start, account.id, failure(&told))).await?
            }
            None => self.pretend_to_record(start).await?,
        };
        let attempt_id = attempt_id.unwrap_or_else(|| AttemptId::from_uuid(self.core.uuid()));
        // By code, not by reason: no number tells whether a user exists.
        metrics::counter!("vestibule_sign_ins_refused_total", "reason" => code.as_str()).increment(1);
        match &facts.connection {
            Some(connection) if facts.mode == SsoMode::Required && code == Code::LoginIncorrectCredentials => {
                Ok(SignInStep::SsoRequired { saml_login_url: self.connections.saml_login_url(&connection.sp_hash) })
            }
            _ => Err(error(code).with_attempt(Some(attempt_id))),
        }
    }

    /// Writes as much as the record of a refusal would be, where there is no account to record it for: neither the
    /// answer nor its time tells which accounts exist (A5).
    async fn pretend_to_record(&self, start: &StartFormLogin) -> Result<Option<AttemptId>> {
        let key = ThrottleKey::of("login_decoy", &[start.account_name.as_str()]);
        let mut tx = self.core.store.write_once().await?;
        storage::throttles::count(&mut tx, key, OF_IDENTITY, self.core.now()).await?;
        Ok(None)
    }

    /// Writes down a sign-in that is refused where it began, within the limits; anyone can cause them.
    pub(crate) async fn record_refused_sign_in(&self, attempt: SignInAttempt) -> Result<Option<AttemptId>> {
        let limits = RefusedLimits {
            since: self.core.now().saturating_sub(LIMIT_WINDOW).unwrap_or(Timestamp::MIN),
            per_address: self.core.settings.attempt_limits.per_address,
            per_account: self.core.settings.attempt_limits.per_connection,
        };
        let mut tx = self.core.store.write_once().await?;
        let stored = storage::direct_sign_ins::insert_refused(&mut tx, &attempt, limits).await?;
        Ok(stored.then_some(attempt.id))
    }

    /// The row of a form login that is refused where it began.
    fn refused_form_attempt(
        &self,
        start: &StartFormLogin,
        account_id: AccountId,
        failure: AttemptFailure,
    ) -> SignInAttempt {
        SignInAttempt {
            application_id: Some(start.authorization.client_id),
            outcome: Outcome::Refused(failure),
            entered_email: Some(start.identifier.clone()),
            ..SignInAttempt::new(AttemptStart {
                id: AttemptId::from_uuid(self.core.uuid()),
                account_id,
                portal: Portal::Admin,
                kind: AttemptKind::Form,
                client_address: start.address,
                at: self.core.now(),
            })
        }
    }
}

fn failure(told: &Telling) -> AttemptFailure {
    AttemptFailure { wanted: Some(told.wanted.to_owned()), ..told.reason.failure(Check::Password) }
}

fn error(code: Code) -> Error {
    match code {
        Code::NoRole => Error::new(code).with_detail("You hold no role in this account"),
        _ => Error::new(code),
    }
}

/// A sign-in whose pending token is unknown, used up or too old (D2).
pub(super) fn over() -> Error {
    Error::new(Code::SessionExpired)
}

/// The same for a sign-in that was voided while it was being taken on (A7).
pub(super) fn over_meanwhile(error: Error) -> Error {
    if error.code == Code::PreconditionFailed { over() } else { error }
}
