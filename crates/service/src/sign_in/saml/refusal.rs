//! Refused sign-ins: an outcome that is written down, with a reason that its reader can act on (H1).

use std::net::IpAddr;

use domain::email::Email;
use domain::invitation::InvitationRefusal;
use domain::sign_in_attempt::{
    AttemptFailure, AttemptKind, AttemptStage, AttemptStart, Outcome, SIGN_IN_LIFETIME, SignInAttempt,
};
use domain::sso::connection::SamlConnection;
use domain::sso::identity::{IdentityRefusal, NAME_ID_TRANSIENT};
use domain::sso::pending_sign_in::PendingSignIn;
use domain::sso::provisioning::ProvisioningRefusal;
use domain::{ApplicationId, AttemptId};
use jiff::{SignedDuration, Timestamp};
use saml::Rejection;
use storage::sign_in_attempts::UnlinkedLimits;
use storage::{StorageError, Unique};

use crate::core::error::{Code, Error, Result};
use crate::core::reason::{Check, Reason};
use crate::core::settings::AttemptLimits;
use crate::sign_in::SignIn;
use crate::sign_in::saml::verification::RefusedResponse;

/// Time over which unfinished attempts are counted against the limits.
const LIMIT_WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// Divisor of a connection's limit that gives the share of refused responses: a client that posts rubbish from
/// many addresses fills that share, and must not keep people from starting.
const REFUSED_SHARE: u32 = 2;

/// Reasons for which a response signs no user in: a refusal, which is an outcome, or a fault of ours.
#[derive(Debug)]
pub(super) enum AcsError {
    /// Refusal that is written down, and that the browser is told.
    Refused(Refusal),
    /// Fault of ours: the request fails, and nothing is written.
    Fault(Error),
}

impl<R: Into<Refusal>> From<R> for AcsError {
    fn from(refusal: R) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<Error> for AcsError {
    fn from(error: Error) -> Self {
        Self::Fault(error)
    }
}

impl From<StorageError> for AcsError {
    /// Turns a second answer to a sign-in, also one at the same moment, into a replay.
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict(Unique::Answer) => Self::Refused(Refusal::replayed()),
            error => Self::Fault(error.into()),
        }
    }
}

/// Refusal of a sign-in, for the browser and for diagnostics.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    /// Stage that the attempt reached.
    pub stage: AttemptStage,
    /// Failure in the words of diagnostics.
    pub reason: Reason,
    /// The step it failed in.
    pub check: Check,
    /// Value that would have passed.
    pub wanted: Option<String>,
    /// Value that came instead.
    pub got: Option<String>,
    /// The decoded message, masked.
    pub message: Option<String>,
}

impl Refusal {
    /// A start that leads nowhere, for a reason that says all.
    pub fn of_start(reason: Reason) -> Self {
        let (stage, check) = (AttemptStage::Started, Check::Discovery);
        Self { stage, reason, check, wanted: None, got: None, message: None }
    }

    /// A response that cannot be used in this state (saml.md, step 7).
    pub fn of_state(reason: Reason, wanted: &str, got: Option<String>) -> Self {
        Self { check: Check::State, wanted: Some(wanted.to_owned()), got, ..Self::of_verified(reason) }
    }

    /// A verified response whose user may not sign in, in the words of provisioning.
    fn of_verified(reason: Reason) -> Self {
        let (stage, check) = (AttemptStage::ResponseVerified, Check::Provisioning);
        Self { stage, reason, check, wanted: None, got: None, message: None }
    }

    /// A genuine response from a network that the account does not allow (A6).
    pub fn of_network(address: IpAddr) -> Self {
        let (wanted, got) = ("an address of allowed_networks", Some(address.to_string()));
        Self { check: Check::Network, ..Self::of_state(Reason::NetworkNotAllowed, wanted, got) }
    }

    /// A response that came in a query (C10): the binding of answers is HTTP-POST, and a query ends in logs.
    pub fn of_query(message: Option<String>) -> Self {
        Self {
            stage: AttemptStage::ResponseReceived,
            reason: Reason::ResponseByGet,
            check: Check::Message(saml::Check::Bounds),
            wanted: Some("SAMLResponse in a form (HTTP-POST binding)".to_owned()),
            got: Some("a GET with the response in its query".to_owned()),
            message,
        }
    }

    /// A response to a sign-in of this connection that was sent to another address of this service.
    pub fn of_another_address(acs_url: String, came_to: &str) -> Self {
        let got = Some(came_to.to_owned());
        Self { wanted: Some(acs_url), got, reason: Reason::SentToAnotherAddress, ..Self::of_query(None) }
    }

    /// A response to what was answered before (C10).
    pub fn replayed() -> Self {
        let wanted = "a response that was not used before";
        Self::of_state(Reason::ResponseReplayed, wanted, None)
    }
}

impl From<RefusedResponse> for Refusal {
    fn from(refused: RefusedResponse) -> Self {
        let Rejection { check, reason, wanted, got } = refused.rejection;
        Self {
            stage: AttemptStage::ResponseReceived,
            reason: reason.into(),
            check: Check::Message(check),
            wanted,
            got,
            message: refused.message,
        }
    }
}

impl From<IdentityRefusal> for Refusal {
    fn from(refusal: IdentityRefusal) -> Self {
        let (reason, wanted, got) = match refusal {
            IdentityRefusal::UsernameMissing { wanted, got } => {
                (Reason::UsernameAttributeMissing, format!("one of {}", wanted.join(", ")), Some(got.join(", ")))
            }
            IdentityRefusal::UsernameAmbiguous { attributes, values } => (
                Reason::UsernameAttributeAmbiguous,
                format!("one value in {}", attributes.join(", ")),
                Some(format!("{values} different values")),
            ),
            IdentityRefusal::NameIdMissing => (Reason::NameIdMissing, "a NameID in the subject".to_owned(), None),
            IdentityRefusal::NameIdTransient => (
                Reason::NameIdTransient,
                "a NameID that is the same at each sign-in".to_owned(),
                Some(NAME_ID_TRANSIENT.into()),
            ),
            IdentityRefusal::UsernameInvalid { problem } => {
                (Reason::UsernameInvalid, format!("a username that {problem}"), None)
            }
        };
        Self { check: Check::Identity, wanted: Some(wanted), got, ..Self::of_verified(reason) }
    }
}

impl From<InvitationRefusal> for Refusal {
    fn from(refusal: InvitationRefusal) -> Self {
        let (reason, wanted) = match refusal {
            InvitationRefusal::Inactive => (Reason::UserInactive, "an active user"),
            InvitationRefusal::Expired => (Reason::InvitationExpired, "an invitation that has not expired"),
            InvitationRefusal::SetsPassword => {
                (Reason::FirstOwnerSetsPassword, "the link of the invitation's mail, which sets a password")
            }
            InvitationRefusal::Accepted | InvitationRefusal::Revoked | InvitationRefusal::TooSoon { .. } => {
                (Reason::UserNotInvited, "an invitation that is open")
            }
        };
        Self { wanted: Some(wanted.to_owned()), ..Self::of_verified(reason) }
    }
}

impl From<ProvisioningRefusal> for Refusal {
    fn from(refusal: ProvisioningRefusal) -> Self {
        let (reason, wanted, got) = match refusal {
            ProvisioningRefusal::NotTheEnteredEmail => (Reason::NotTheEnteredEmail, "the email that was entered", None),
            ProvisioningRefusal::DomainNotListed { got } => {
                (Reason::EmailDomainNotListed, "a domain of email_domains", got)
            }
            ProvisioningRefusal::MultipleUsernames => {
                (Reason::MultipleUsernames, "one user who may sign in and goes by this", None)
            }
            ProvisioningRefusal::InvitationRevoked => {
                (Reason::InvitationRevoked, "a user whose invitation was not revoked", None)
            }
            ProvisioningRefusal::NotInvited => (Reason::UserNotInvited, "a user, or provisioning just_in_time", None),
            ProvisioningRefusal::BreakGlass => (Reason::BreakGlassUser, "a user who is not a break-glass user", None),
            ProvisioningRefusal::Inactive => (Reason::UserInactive, "an active user", None),
            ProvisioningRefusal::NoRole { unknown, .. } => (
                Reason::NoRole,
                "an assigned role, a mapped role value, or default_roles where no role attribute is sent",
                (!unknown.is_empty()).then(|| format!("unknown role values: {}", unknown.join(", "))),
            ),
        };
        Self { wanted: Some(wanted.to_owned()), got, ..Self::of_verified(reason) }
    }
}

/// Facts of an attempt when it is first written down.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewAttempt<'a> {
    /// Connection that it goes through.
    pub connection: &'a SamlConnection,
    /// Application that it is for.
    pub application_id: Option<ApplicationId>,
    /// Kind of its beginning.
    pub kind: AttemptKind,
    /// The email that was entered.
    pub entered_email: Option<&'a Email>,
    /// Address that it comes from.
    pub address: IpAddr,
}

impl SignIn {
    pub(super) fn attempt_row(&self, new: &NewAttempt<'_>, id: AttemptId, stage: AttemptStage) -> SignInAttempt {
        SignInAttempt {
            connection_id: Some(new.connection.id),
            application_id: new.application_id,
            stage,
            entered_email: new.entered_email.map(|email| email.as_str().to_owned()),
            ..SignInAttempt::new(AttemptStart {
                id,
                account_id: new.connection.account_id,
                portal: new.connection.portal,
                kind: new.kind,
                client_address: new.address,
                at: self.core.now(),
            })
        }
    }

    /// Limits of the sign-ins that are stored, because anyone may start one: per connection and address over the
    /// hour, and per connection over the time that a sign-in may take, so that no user is kept out for longer.
    pub(super) fn start_limits(&self) -> UnlinkedLimits {
        let AttemptLimits { per_address, per_connection } = self.core.settings.attempt_limits;
        UnlinkedLimits {
            of_address: (self.before(LIMIT_WINDOW), per_address),
            of_connection: (self.before(SIGN_IN_LIFETIME), per_connection),
        }
    }

    /// Limits as [`SignIn::start_limits`], for what is refused at once: all of it over the hour.
    fn refusal_limits(&self) -> UnlinkedLimits {
        let AttemptLimits { per_address, per_connection } = self.core.settings.attempt_limits;
        let since = self.before(LIMIT_WINDOW);
        UnlinkedLimits { of_address: (since, per_address), of_connection: (since, per_connection / REFUSED_SHARE) }
    }

    fn before(&self, window: SignedDuration) -> Timestamp {
        self.core.now().saturating_sub(window).unwrap_or(Timestamp::MIN)
    }

    /// Writes down an attempt that ends where it began. Over the limits nothing is written, and there is no id.
    pub(super) async fn record_refused_attempt(
        &self,
        new: &NewAttempt<'_>,
        refusal: &Refusal,
    ) -> Result<Option<AttemptId>> {
        let mut row = self.attempt_row(new, AttemptId::from_uuid(self.core.uuid()), refusal.stage);
        refuse(&mut row, refusal);
        let mut tx = self.core.store.write_once().await?;
        let stored = storage::sign_in_attempts::insert_within(&mut tx, &row, &self.refusal_limits()).await?;
        Ok(stored.then_some(row.id))
    }

    /// Writes a refusal into the attempt of a pending sign-in. One that has succeeded stays so: what comes after is an
    /// attempt of its own.
    pub(super) async fn refuse_pending(
        &self,
        pending: &PendingSignIn,
        new: &NewAttempt<'_>,
        refusal: &Refusal,
    ) -> Result<Option<AttemptId>> {
        let mut tx = self.core.store.begin().await?;
        let found = storage::sign_in_attempts::by_id(&mut tx, pending.account_id, pending.attempt_id).await?;
        if let Some(mut attempt) = found {
            attempt.stage = attempt.stage.max(refusal.stage);
            attempt.updated_at = self.core.now();
            refuse(&mut attempt, refusal);
            if storage::sign_in_attempts::refuse(&mut tx, &attempt).await? {
                tx.commit().await?;
                return Ok(Some(attempt.id));
            }
        }
        drop(tx);
        self.record_refused_attempt(new, refusal).await
    }
}

/// Tells that too many attempts are unfinished: what is started now counts until a sign-in would be too slow.
pub(super) fn limited() -> Error {
    let seconds = u32::try_from(SIGN_IN_LIFETIME.as_secs()).unwrap_or(u32::MAX);
    Error::new(Code::RateLimited).with_retry_after(seconds)
}

/// Writes a refusal into an attempt.
pub(super) fn refuse(attempt: &mut SignInAttempt, refusal: &Refusal) {
    let (wanted, got) = (refusal.wanted.clone(), refusal.got.clone());
    let failure = AttemptFailure { wanted, got, ..refusal.reason.failure(refusal.check) };
    attempt.outcome = Outcome::Refused(failure.bounded());
    attempt.saml_message.clone_from(&refusal.message);
}
