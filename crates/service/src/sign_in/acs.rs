//! The assertion consumer service: a response comes in, a redirect with a code goes out (C10, D4).

use std::net::IpAddr;

use domain::AttemptId;
use domain::secret::{SecretDigest, SecretKind};
use domain::sign_in_attempt::AttemptKind;
use domain::sso::connection::{SamlConnection, SpHash};
use domain::sso::pending_sign_in::PendingSignIn;

use crate::Service;
use crate::error::{Code, Error, Result};
use crate::sign_in::redirect_url;
use crate::sign_in::refusal::{NewAttempt, Refusal};

/// What a browser posts to the ACS URL (SAML bindings, section 3.5).
#[derive(Debug, Clone)]
pub struct PostedResponse {
    /// The last part of the path, which says whose response this can be.
    pub sp_hash: SpHash,
    /// The `SAMLResponse` field.
    pub saml_response: String,
    /// The `RelayState` field.
    pub relay_state: Option<String>,
    /// Where it comes from.
    pub address: IpAddr,
}

/// What the browser gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcsAnswer {
    /// A redirect to the frontend, with a code or an error.
    Redirect(String),
    /// No frontend is known to be waiting: a short answer.
    Refused {
        /// Why.
        code: Code,
        /// Where the particulars are.
        attempt_id: Option<AttemptId>,
    },
}

/// A response that lets nobody in, and the frontend that is told so, where one is known.
pub(super) struct NotAdmitted {
    /// Why.
    pub refusal: Refusal,
    /// The sign-in it belongs to.
    pub pending: Option<PendingSignIn>,
}

fn presented_handle(relay_state: &str) -> Option<SecretDigest> {
    SecretDigest::of_presented(SecretKind::RelayState, relay_state)
}

impl Service {
    /// Takes a response: route by path, verify, read only what was verified, check the state, let in, answer.
    pub async fn consume_response(&self, posted: PostedResponse) -> Result<AcsAnswer> {
        let connection = self.connection_at(&posted.sp_hash).await?;
        let handle = posted.relay_state.as_deref().and_then(presented_handle);
        let outcome = match self.verify(&connection, posted.saml_response).await? {
            Err(refused) => {
                let pending = self.pending_by_handle(&connection, handle).await?;
                Err(NotAdmitted { refusal: refused.into(), pending })
            }
            Ok(verified) if verified.in_response_to.is_none() => {
                self.admit_unsolicited(&connection, &verified, posted.address).await?
            }
            Ok(verified) => self.admit(&connection, &verified, handle).await?,
        };
        match outcome {
            Ok(answer) => Ok(answer),
            Err(not_admitted) => self.refuse(&connection, not_admitted, posted.address).await,
        }
    }

    /// The connection that the path names; what the message claims plays no part.
    async fn connection_at(&self, hash: &SpHash) -> Result<SamlConnection> {
        let mut tx = self.store.read().await?;
        let found = storage::connections::by_sp_hash(&mut tx, hash).await?;
        let found = found.filter(|connection| connection.mode.is_enabled());
        found.ok_or_else(|| Error::new(Code::SsoAccountNotConfigured))
    }

    /// The sign-in that the browser carries the handle of. The handle has 256 random bits: who has it began the
    /// sign-in, so its frontend may be told of a refusal even where the response proves nothing.
    pub(super) async fn pending_by_handle(
        &self,
        connection: &SamlConnection,
        handle: Option<SecretDigest>,
    ) -> Result<Option<PendingSignIn>> {
        let Some(digest) = handle else { return Ok(None) };
        let mut tx = self.store.read().await?;
        Ok(storage::pending_sign_ins::by_relay_state(&mut tx, connection.id, digest).await?)
    }

    /// One generic refusal for the browser; the reason goes to the attempt.
    async fn refuse(&self, connection: &SamlConnection, refused: NotAdmitted, address: IpAddr) -> Result<AcsAnswer> {
        let NotAdmitted { refusal, pending } = refused;
        let code = refusal.code;
        tracing::info!(connection = %connection.id, code = code.as_str(), reason = refusal.reason, "a sign-in was refused");
        metrics::counter!("vestibule_sign_ins_refused_total", "reason" => refusal.reason).increment(1);
        if refusal.reason == "engines_disagree" {
            tracing::error!(connection = %connection.id, security = true, "the signature engines disagree on a response");
        }
        let new = NewAttempt {
            connection,
            application_id: pending.as_ref().map(|pending| pending.return_to.application_id),
            kind: if pending.is_some() { AttemptKind::SpInitiated } else { AttemptKind::IdpInitiated },
            entered_email: None,
            address,
        };
        let Some(pending) = pending else {
            let attempt_id = self.record_refused_attempt(&new, &refusal).await?;
            return Ok(AcsAnswer::Refused { code, attempt_id });
        };
        let attempt_id = self.refuse_pending(&pending, &new, &refusal).await?;
        let attempt_id = attempt_id.map(|id| id.to_string()).unwrap_or_default();
        let parameters = [
            ("error", "access_denied"),
            ("error_description", code.detail()),
            ("error_code", code.as_str()),
            ("attempt_id", &attempt_id),
        ];
        Ok(AcsAnswer::Redirect(redirect_url(&pending.return_to, self.settings.issuer(), &parameters)?))
    }
}
