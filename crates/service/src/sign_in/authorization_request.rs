//! Parts that all ways to sign in have in common (OAuth 2.1, section 4.1): the frontend that asks, the place that
//! the outcome goes to, and the code that the sign-in ends with.

use domain::application::{Application, RedirectUri};
use domain::authorization_code::{AuthorizationCode, SessionGrant};
use domain::pkce::CodeChallenge;
use domain::secret::{Secret, SecretKind};
use domain::sso::pending_sign_in::ReturnTo;
use domain::{AccountId, ApplicationId, AttemptId};

use crate::core::error::{Code, Error, Result};
use crate::sign_in::SignIn;

/// A frontend's request for a code, and what it wants back with it (OAuth 2.1, section 4.1.1).
#[derive(Debug, Clone)]
pub struct AuthorizationRequest {
    /// The frontend, which decides the portal.
    pub client_id: ApplicationId,
    /// URI that the outcome goes to.
    pub redirect_uri: String,
    /// Echoed with the outcome.
    pub state: Option<String>,
    /// Challenge that the `code_verifier` of the exchange must match.
    pub code_challenge: CodeChallenge,
}

impl AuthorizationRequest {
    /// Place that the outcome goes to, if this frontend registered it.
    pub(crate) fn return_to(&self, application: &Application) -> Result<ReturnTo> {
        Ok(ReturnTo {
            application_id: application.id,
            redirect_uri: registered_uri(application, &self.redirect_uri)?,
            state: self.state.clone(),
            code_challenge: self.code_challenge.clone(),
        })
    }
}

/// The registered URI that was presented: compared as text (RFC 9700, section 2.1).
pub(crate) fn registered_uri(application: &Application, presented: &str) -> Result<RedirectUri> {
    let refused =
        || Error::new(Code::ApplicationRefused).with_detail("redirect_uri is not registered for this client_id");
    application.settings.redirect_uri(presented).cloned().ok_or_else(refused)
}

impl SignIn {
    /// A new code for a sign-in that has earned this grant, and the secret that the browser alone is given.
    pub(crate) fn authorization_code(
        &self,
        account_id: AccountId,
        attempt_id: AttemptId,
        return_to: &ReturnTo,
        grant: SessionGrant,
    ) -> (AuthorizationCode, Secret) {
        let secret = Secret::addressed(SecretKind::AuthorizationCode, attempt_id.as_uuid(), self.core.random());
        let code = AuthorizationCode {
            digest: secret.digest(),
            account_id,
            application_id: return_to.application_id,
            redirect_uri: return_to.redirect_uri.clone(),
            code_challenge: return_to.code_challenge.clone(),
            attempt_id,
            grant,
            issued_at: self.core.now(),
            session_id: None,
        };
        (code, secret)
    }
}
