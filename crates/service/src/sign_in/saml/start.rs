//! The start of a sign-in: from account name and work email to the identity provider (D1, D2).

use std::net::IpAddr;

use domain::AttemptId;
use domain::account::AccountName;
use domain::email::Email;
use domain::secret::{Secret, SecretKind};
use domain::sign_in_attempt::{AttemptKind, AttemptStage, SIGN_IN_LIFETIME};
use domain::sso::connection::{RequestBinding, SamlConnection};
use domain::sso::pending_sign_in::{PendingSignIn, Purpose, ReturnTo};
use jiff::Timestamp;
use saml::{AuthnRequest, request_id};
use storage::Tx;
use uuid::Uuid;
use uuid::fmt::Simple;

use crate::core::error::{Code, Error, Result};
use crate::core::reason::Reason;
use crate::sign_in::SignIn;
use crate::sign_in::authorization_request::AuthorizationRequest;
use crate::sign_in::saml::discovery::email_refusal;
use crate::sign_in::saml::refusal::{NewAttempt, Refusal, limited};

/// Body that a login page sends to start a sign-in.
#[derive(Debug, Clone)]
pub struct StartSignIn {
    /// The account that was typed.
    pub account_name: AccountName,
    /// The work email that was typed, if the page asks for one.
    pub email: Option<Email>,
    /// The frontend, and where the outcome goes.
    pub authorization: AuthorizationRequest,
    /// Address that the request comes from.
    pub address: IpAddr,
}

/// A sign-in that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartedSignIn {
    /// Names it to support.
    pub attempt_id: AttemptId,
    /// The browser's way to the identity provider.
    pub handoff: IdpHandoff,
    /// Time from which on it is too late to come back.
    pub expires_at: Timestamp,
}

/// Kinds of the browser's way to the identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdpHandoff {
    /// Redirect of the browser to this URL.
    Redirect {
        /// URL to redirect to, with the request in it.
        url: String,
    },
    /// Form that the browser posts.
    Post {
        /// URL that the form is posted to.
        action: String,
        /// Value of the `SAMLRequest` field.
        saml_request: String,
        /// Value of the `RelayState` field.
        relay_state: String,
    },
}

/// The facts that the start of a sign-in is decided by.
struct StartFacts {
    return_to: ReturnTo,
    connection: SamlConnection,
    /// The reason why the typed email may not start.
    email_refusal: Option<Reason>,
}

impl SignIn {
    /// Starts a sign-in, or says with the catalogue's words why it cannot.
    pub async fn start_sign_in(&self, start: StartSignIn) -> Result<StartedSignIn> {
        let StartFacts { return_to, connection, email_refusal } = self.facts(&start).await?;
        let attempt = NewAttempt {
            connection: &connection,
            application_id: Some(return_to.application_id),
            kind: AttemptKind::SpInitiated,
            entered_email: start.email.as_ref(),
            address: start.address,
        };
        if let Some(reason) = self.start_refusal(&connection, email_refusal).await {
            let kind = AttemptKind::Discovery;
            return Err(self.refuse_start(NewAttempt { kind, ..attempt }, reason).await);
        }
        let (pending, relay_state) = self.pending(&attempt, Purpose::SignIn(return_to));
        let mut tx = self.core.store.write_once().await?;
        self.write_start(&mut tx, &attempt, &pending).await?;
        drop(tx);
        self.handed_off(&connection, &pending, &relay_state).await
    }

    /// Reads where the outcome goes, the connection, and whether the email may start.
    async fn facts(&self, start: &StartSignIn) -> Result<StartFacts> {
        let mut tx = self.core.store.read().await?;
        let asked = &start.authorization;
        let found = storage::connections::of_application(&mut tx, asked.client_id, &start.account_name).await?;
        let Some((application, connection)) = found else {
            let application = storage::applications::by_client_id(&mut tx, asked.client_id).await?;
            asked.return_to(&application.ok_or_else(|| Error::new(Code::ApplicationRefused))?)?;
            return Err(Error::new(Code::SsoAccountNotConfigured));
        };
        let return_to = asked.return_to(&application)?;
        if !connection.mode.is_enabled() {
            return Err(Error::new(Code::SsoAccountNotConfigured));
        }
        let email_refusal = match &start.email {
            Some(email) => email_refusal(&mut tx, &connection, email).await?,
            None => None,
        };
        Ok(StartFacts { return_to, connection, email_refusal })
    }

    /// The reason why the browser may not be sent on: that of its email, or an identity provider that does not answer.
    pub(super) async fn start_refusal(
        &self,
        connection: &SamlConnection,
        email_refusal: Option<Reason>,
    ) -> Option<Reason> {
        match email_refusal {
            Some(reason) => Some(reason),
            None => self.connections.idp_is_unreachable(connection).await.then_some(Reason::IdpUnreachable),
        }
    }

    pub(super) async fn refuse_start(&self, attempt: NewAttempt<'_>, reason: Reason) -> Error {
        let refusal = Refusal::of_start(reason);
        match self.record_refused_attempt(&attempt, &refusal).await {
            Ok(attempt_id) => {
                let error = Error::new(reason.code()).with_attempt(attempt_id);
                if reason != Reason::IdpUnreachable {
                    return error;
                }
                error.with_retry_after(
                    u32::try_from(crate::connections::probe::PROBE_CACHE.as_secs()).unwrap_or(u32::MAX),
                )
            }
            Err(error) => error,
        }
    }

    pub(super) fn pending(&self, attempt: &NewAttempt<'_>, purpose: Purpose) -> (PendingSignIn, Secret) {
        let attempt_id = AttemptId::from_uuid(self.core.uuid());
        let relay_state = Secret::addressed(SecretKind::RelayState, attempt_id.as_uuid(), self.core.random());
        let now = self.core.now();
        let pending = PendingSignIn {
            attempt_id,
            account_id: attempt.connection.account_id,
            portal: attempt.connection.portal,
            connection_id: attempt.connection.id,
            request_id: request_id_of(attempt_id, self.core.random()),
            relay_state: relay_state.digest(),
            entered_email: attempt.entered_email.map(|email| email.as_str().to_owned()),
            purpose,
            created_at: now,
            expires_at: now.saturating_add(SIGN_IN_LIFETIME).unwrap_or(Timestamp::MAX),
            answered: false,
        };
        (pending, relay_state)
    }

    pub(super) async fn write_start(
        &self,
        tx: &mut Tx,
        attempt: &NewAttempt<'_>,
        pending: &PendingSignIn,
    ) -> Result<()> {
        let row = self.attempt_row(attempt, pending.attempt_id, AttemptStage::SentToIdp);
        let stored = storage::sign_in_attempts::insert_pending(tx, &row, pending, &self.start_limits()).await?;
        if stored { Ok(()) } else { Err(limited()) }
    }

    /// A sign-in that is written down, on its way.
    pub(super) async fn handed_off(
        &self,
        connection: &SamlConnection,
        pending: &PendingSignIn,
        relay_state: &Secret,
    ) -> Result<StartedSignIn> {
        let handoff = self.handoff(connection, &pending.request_id, relay_state.expose()).await?;
        Ok(StartedSignIn { attempt_id: pending.attempt_id, handoff, expires_at: pending.expires_at })
    }

    /// The request to the identity provider (SAML core, section 3.4.1), on its way by the connection's binding.
    async fn handoff(&self, connection: &SamlConnection, request_id: &str, relay_state: &str) -> Result<IdpHandoff> {
        let settings = &connection.settings;
        let destination = settings.login_url.as_ref().ok_or_else(|| Error::new(Code::SsoAccountNotConfigured))?;
        let acs_url = self.connections.acs_url(&connection.sp_hash);
        let request = AuthnRequest {
            id: request_id,
            issue_instant: self.core.now(),
            destination: destination.as_str(),
            issuer: &acs_url,
            acs_url: &acs_url,
            name_id_format: settings.name_id_format.as_deref(),
            force_authn: settings.force_authn,
            requested_authn_context: settings.requested_authn_context.as_deref(),
        };
        let trust =
            if settings.sign_requests { Some(self.connections.prepared_trust(connection).await?) } else { None };
        let key = trust.as_ref().and_then(|trust| trust.keys.first());
        match settings.request_binding {
            RequestBinding::HttpRedirect => {
                let url = request.redirect_url(relay_state, key).map_err(Error::internal)?;
                Ok(IdpHandoff::Redirect { url })
            }
            RequestBinding::HttpPost => {
                let form = request.post_form(relay_state, key).map_err(Error::internal)?;
                let (action, saml_request, relay_state) = (form.action, form.saml_request, form.relay_state);
                Ok(IdpHandoff::Post { action, saml_request, relay_state })
            }
        }
    }
}

/// Makes the `ID` of the request of an attempt: it names the attempt, which its answer is found by, and the rest
/// cannot be guessed.
fn request_id_of(attempt_id: AttemptId, random: [u8; 20]) -> String {
    request_id(&[attempt_id.as_uuid().as_bytes().as_slice(), &random].concat())
}

/// The attempt that a request `ID` of ours names.
pub(super) fn attempt_of_request(id: &str) -> Option<AttemptId> {
    let uuid = id.strip_prefix('_')?.get(..Simple::LENGTH)?;
    Uuid::try_parse(uuid).ok().map(AttemptId::from_uuid)
}
