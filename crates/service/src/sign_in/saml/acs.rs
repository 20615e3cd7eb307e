//! The assertion consumer service: a response comes in, a redirect with a code goes out (C10, D4).

use std::net::IpAddr;

use domain::AttemptId;
use domain::account_settings::AccountSettings;
use domain::secret::{PresentedSecret, SecretKind};
use domain::sign_in_attempt::AttemptKind;
use domain::sso::connection::{SamlConnection, SpHash};
use domain::sso::pending_sign_in::{PendingSignIn, Purpose, ReturnTo};
use storage::Tx;

use crate::core::error::{Code, Error, Result};
use crate::core::reason::Reason;
use crate::sign_in::SignIn;
use crate::sign_in::saml::redirect_url;
use crate::sign_in::saml::refusal::{AcsError, NewAttempt, Refusal};
use crate::sign_in::saml::start::attempt_of_request;

/// Response that a browser brings to the ACS URL (SAML bindings, section 3.5), or to something that resembles it.
#[derive(Debug, Clone)]
pub struct PostedResponse {
    /// Part of the path that says whose response this can be; none where there is no such part.
    pub sp_hash: Option<SpHash>,
    /// The whole path, for people to compare.
    pub path: String,
    /// Way in which the response came.
    pub arrival: Arrival,
    /// Value of the `SAMLResponse` field, in base64.
    pub saml_response: String,
    /// Value of the `RelayState` field, if there was one.
    pub relay_state: Option<String>,
    /// Address that the request comes from.
    pub address: IpAddr,
}

/// The two ways in which browsers carry responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Form that was posted, as the binding says.
    Form,
    /// Query of a GET request: refused, and written down.
    Query,
}

/// Answer that the browser gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcsAnswer {
    /// A redirect to the frontend, with a code or an error.
    Redirect(String),
    /// Short answer to a test sign-in (C9).
    Tested {
        /// Attempt that holds the findings.
        attempt_id: AttemptId,
        /// Reason for which a sign-in would have been refused.
        refused: Option<Code>,
    },
    /// Short answer where no frontend is known to be waiting.
    Refused {
        /// Code of the refusal.
        code: Code,
        /// Attempt that holds the particulars.
        attempt_id: Option<AttemptId>,
    },
}

/// A response that may have come to the wrong address.
struct Elsewhere {
    handle: Option<PresentedSecret>,
    came_to: String,
    address: IpAddr,
}

impl SignIn {
    /// Takes a response: route by path, verify, read only what was verified, check the state, let in, answer.
    pub async fn consume_response(&self, posted: PostedResponse) -> Result<AcsAnswer> {
        let PostedResponse { sp_hash, path, arrival, saml_response, relay_state, address } = posted;
        let handle = relay_state.and_then(|text| PresentedSecret::parse(SecretKind::RelayState, &text));
        let elsewhere = Elsewhere { handle, came_to: self.core.settings.url(&path), address };
        let (connection, settings) = match self.connection_at(sp_hash.as_ref(), handle).await {
            Ok(found) => found,
            Err(error) if matches!(error.code, Code::NotFound | Code::SsoAccountNotConfigured) => {
                return self.refuse_elsewhere(&elsewhere, None).await?.ok_or(error);
            }
            Err(error) => return Err(error),
        };
        let mut answered_request = None;
        let verified = match arrival {
            Arrival::Form => self.verify(&connection, saml_response, address).await?.map_err(Refusal::from),
            Arrival::Query => Err(Refusal::of_query(self.masked_query(&connection, saml_response, address).await?)),
        };
        let outcome = match verified {
            Err(refusal) => Err(AcsError::Refused(refusal)),
            Ok(verified) => {
                answered_request.clone_from(&verified.in_response_to);
                match &verified.in_response_to {
                    _ if !settings.admits(connection.portal, address) => Err(Refusal::of_network(address).into()),
                    None => self.admit_unsolicited(&connection, &verified, address).await,
                    Some(request_id) => self.admit(&connection, &verified, request_id, handle).await,
                }
            }
        };
        match outcome {
            Ok(answer) => Ok(answer),
            Err(AcsError::Fault(error)) => Err(error),
            Err(AcsError::Refused(refusal)) => {
                let pending = self.sign_in_to_tell(&connection, handle, answered_request.as_deref()).await?;
                if pending.is_none()
                    && let Some(answer) = self.refuse_elsewhere(&elsewhere, Some(&connection)).await?
                {
                    return Ok(answer);
                }
                self.refuse(&connection, refusal, pending, address).await
            }
        }
    }

    /// The connection that the path names, and its account's settings; what the message claims plays no part. One that
    /// is off takes responses from a browser alone that carries the handle of a test (C9).
    async fn connection_at(
        &self,
        hash: Option<&SpHash>,
        handle: Option<PresentedSecret>,
    ) -> Result<(SamlConnection, AccountSettings)> {
        let hash = hash.ok_or_else(|| Error::new(Code::NotFound))?;
        let not_configured = || Error::new(Code::SsoAccountNotConfigured);
        let mut tx = self.core.store.read().await?;
        let (connection, settings) = storage::connections::at_acs(&mut tx, hash).await?.ok_or_else(not_configured)?;
        if !connection.mode.is_enabled() {
            let handle = handle.ok_or_else(not_configured)?;
            let pending = storage::pending_sign_ins::by_relay_state(&mut tx, connection.id, handle).await?;
            pending.filter(|pending| pending.purpose == Purpose::Test).ok_or_else(not_configured)?;
        }
        Ok((connection, settings))
    }

    /// Refuses a response whose browser carries the handle of a sign-in at another connection than the one that it
    /// came to. That sign-in's account is told, and no other (A5); the sign-in goes on waiting for what comes to
    /// its own address.
    async fn refuse_elsewhere(
        &self,
        elsewhere: &Elsewhere,
        came_to: Option<&SamlConnection>,
    ) -> Result<Option<AcsAnswer>> {
        let Some(handle) = elsewhere.handle else { return Ok(None) };
        let mut tx = self.core.store.read().await?;
        let Some(pending) = storage::pending_sign_ins::of_any_connection(&mut tx, handle).await? else {
            return Ok(None);
        };
        let whose = (pending.account_id, pending.connection_id);
        let connection = storage::connections::by_id(&mut tx, whose.0, whose.1).await?;
        drop(tx);
        let acs_url = |connection: &SamlConnection| self.connections.acs_url(&connection.sp_hash);
        let at_its_own = |connection: &SamlConnection| {
            came_to.is_some_and(|other| other.id == connection.id) || acs_url(connection) == elsewhere.came_to
        };
        let Some(connection) = connection.filter(|connection| !at_its_own(connection)) else { return Ok(None) };
        let refusal = Refusal::of_another_address(acs_url(&connection), &elsewhere.came_to);
        note(&connection, &refusal);
        let return_to = pending.purpose.return_to();
        let new = NewAttempt {
            connection: &connection,
            application_id: return_to.map(|return_to| return_to.application_id),
            kind: pending.purpose.kind(),
            entered_email: None,
            address: elsewhere.address,
        };
        let attempt_id = self.record_refused_attempt(&new, &refusal).await?;
        Ok(Some(AcsAnswer::Refused { code: refusal.reason.code(), attempt_id }))
    }

    /// The sign-in whose frontend is told of a refusal: the one that this browser began. Its handle has 256 random
    /// bits, so who carries it began the sign-in, also where the response proves nothing; without one, the sign-in that
    /// a verified response answers.
    async fn sign_in_to_tell(
        &self,
        connection: &SamlConnection,
        handle: Option<PresentedSecret>,
        answered_request: Option<&str>,
    ) -> Result<Option<PendingSignIn>> {
        let mut tx = self.core.store.read().await?;
        match (handle, answered_request) {
            (Some(handle), _) => Ok(storage::pending_sign_ins::by_relay_state(&mut tx, connection.id, handle).await?),
            (None, Some(request_id)) => answered(&mut tx, connection, request_id).await,
            (None, None) => Ok(None),
        }
    }

    /// One generic refusal for the browser; the reason goes to the attempt.
    async fn refuse(
        &self,
        connection: &SamlConnection,
        refusal: Refusal,
        pending: Option<PendingSignIn>,
        address: IpAddr,
    ) -> Result<AcsAnswer> {
        let code = refusal.reason.code();
        note(connection, &refusal);
        let return_to = pending.as_ref().and_then(|pending| pending.purpose.return_to());
        let new = NewAttempt {
            connection,
            application_id: return_to.map(|return_to| return_to.application_id),
            kind: pending.as_ref().map_or(AttemptKind::IdpInitiated, |pending| pending.purpose.kind()),
            entered_email: None,
            address,
        };
        let Some(pending) = &pending else {
            let attempt_id = self.record_refused_attempt(&new, &refusal).await?;
            return Ok(AcsAnswer::Refused { code, attempt_id });
        };
        let Purpose::SignIn(return_to) = &pending.purpose else {
            return self.refuse_test(pending, &new, refusal).await;
        };
        let attempt_id = self.refuse_pending(pending, &new, &refusal).await?;
        self.refused_redirect(return_to, code, attempt_id)
    }

    /// Tells the frontend of a refusal, by redirect.
    pub(super) fn refused_redirect(
        &self,
        return_to: &ReturnTo,
        code: Code,
        attempt_id: Option<AttemptId>,
    ) -> Result<AcsAnswer> {
        let attempt_id = attempt_id.map(|id| id.to_string());
        let parameters: Vec<(&str, &str)> = [
            ("error", Some("access_denied")),
            ("error_description", Some(code.detail())),
            ("error_code", Some(code.as_str())),
            ("attempt_id", attempt_id.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        Ok(AcsAnswer::Redirect(redirect_url(return_to, self.core.settings.issuer(), &parameters)?))
    }
}

/// The sign-in whose request a response answers.
pub(super) async fn answered(
    tx: &mut Tx,
    connection: &SamlConnection,
    request_id: &str,
) -> Result<Option<PendingSignIn>> {
    let Some(attempt_id) = attempt_of_request(request_id) else { return Ok(None) };
    Ok(storage::pending_sign_ins::by_request_id(tx, connection.id, attempt_id, request_id).await?)
}

/// Tells the operator of Vestibule; two engines that disagree are either a bug or an attack.
pub(super) fn note(connection: &SamlConnection, refusal: &Refusal) {
    let (id, reason) = (connection.id, refusal.reason);
    metrics::counter!("vestibule_sign_ins_refused_total", "reason" => reason.as_str()).increment(1);
    tracing::info!(connection = %id, code = reason.code().as_str(), reason = reason.as_str(), "a sign-in was refused");
    if reason == Reason::Message(saml::Reason::EnginesDisagree) {
        tracing::error!(connection = %id, security = true, "the signature engines disagree on a response");
    }
}
