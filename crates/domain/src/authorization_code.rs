//! Authorization codes: what the browser carries back, and what a frontend exchanges (OAuth 2.1, section 4.1.3).

use jiff::{SignedDuration, Timestamp};

use crate::account_switch::HomeUser;
use crate::application::RedirectUri;
use crate::credential_epoch::{CredentialEpoch, Epochs};
use crate::pkce::CodeChallenge;
use crate::portal::Portal;
use crate::secret::SecretDigest;
use crate::user::SignInMethod;
use crate::{AccountId, ApplicationId, AttemptId, SessionId, UserId};

/// Time in which a code may be exchanged (D4).
pub const CODE_LIFETIME: SignedDuration = SignedDuration::from_secs(60);

/// A finished sign-in that waits for its frontend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// Digest by which a presented code is found.
    pub digest: SecretDigest,
    /// Account that was signed in to.
    pub account_id: AccountId,
    /// The frontend that began the sign-in.
    pub application_id: ApplicationId,
    /// URI that the code was sent to.
    pub redirect_uri: RedirectUri,
    /// PKCE challenge, which binds it to the browser that began the sign-in.
    pub code_challenge: CodeChallenge,
    /// The attempt that it completes.
    pub attempt_id: AttemptId,
    /// Grant that the session will have.
    pub grant: SessionGrant,
    /// Time at which it was issued.
    pub issued_at: Timestamp,
    /// The session it was exchanged for.
    pub session_id: Option<SessionId>,
}

/// Grant that a sign-in has earned: all that a session needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionGrant {
    /// User who signed in.
    pub user_id: UserId,
    /// Portal that they signed in to.
    pub portal: Portal,
    /// Method of the sign-in.
    pub method: SignInMethod,
    /// Time at which they proved their identity.
    pub auth_time: Timestamp,
    /// The user's epoch in which they did (A7).
    pub credential_epoch: CredentialEpoch,
    /// Role values for a `self_service` frontend (C4).
    pub external_roles: Vec<String>,
    /// Account and user with which they proved it, if they switched from there (G1).
    pub home: Option<HomeUser>,
    /// Time at which the session ends by the word of the identity provider (C12), or at which the session ends
    /// that they switched from (G1).
    pub session_not_on_or_after: Option<Timestamp>,
}

impl SessionGrant {
    /// Whether its own account mailed a code for it: a switch from another account brings none (A4).
    pub fn by_mailed_code(&self) -> bool {
        self.method == SignInMethod::PasswordAndCode && self.home.is_none()
    }

    /// The epochs that it rests on (A7).
    pub fn epochs(&self) -> Epochs {
        Epochs { user: self.credential_epoch, home: self.home.map(|home| home.credential_epoch) }
    }
}

/// Parameters that a frontend presents with a code.
#[derive(Debug, Clone, Copy)]
pub struct PresentedCode<'a> {
    /// OAuth `client_id` of the frontend.
    pub client: ApplicationId,
    /// Redirect URI that it used: `redirect_uri`.
    pub redirect_uri: &'a str,
    /// PKCE verifier: the `code_verifier`.
    pub code_verifier: &'a str,
}

/// Reason for which a code is not exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeRefusal {
    /// Code that was exchanged before: the session that came of it ends.
    #[error("the code was used before, so its session has been ended")]
    AlreadyUsed(SessionId),
    /// Code of an age over [`CODE_LIFETIME`].
    #[error("the code has expired; it is valid for 60 seconds")]
    Expired,
    /// Code that was issued to another client.
    #[error("the code was issued to another client")]
    OtherClient,
    /// Redirect URI other than the one that the code was sent to.
    #[error("redirect_uri is not the one that the sign-in began with")]
    RedirectUri,
    /// Verifier that does not match the challenge.
    #[error("code_verifier does not match the code_challenge that the sign-in began with")]
    CodeVerifier,
}

/// Decides whether a code may be exchanged (D4).
///
/// A code that comes back ends its session also without the right verifier: whoever presents it has seen a code that
/// only one browser and one frontend should have seen.
pub fn decide_exchange(
    code: &AuthorizationCode,
    presented: PresentedCode<'_>,
    now: Timestamp,
) -> Result<(), ExchangeRefusal> {
    if presented.client != code.application_id {
        Err(ExchangeRefusal::OtherClient)
    } else if presented.redirect_uri != code.redirect_uri.as_str() {
        Err(ExchangeRefusal::RedirectUri)
    } else if let Some(session) = code.session_id {
        Err(ExchangeRefusal::AlreadyUsed(session))
    } else if !code.code_challenge.matches(presented.code_verifier) {
        Err(ExchangeRefusal::CodeVerifier)
    } else if now.duration_since(code.issued_at) >= CODE_LIFETIME {
        Err(ExchangeRefusal::Expired)
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CLIENT: ApplicationId = ApplicationId::from_uuid(Uuid::from_u128(1));

    fn code() -> AuthorizationCode {
        AuthorizationCode {
            digest: SecretDigest::from_bytes([0; 32]),
            account_id: AccountId::from_uuid(Uuid::from_u128(2)),
            application_id: CLIENT,
            redirect_uri: RedirectUri::parse("https://app.example.com/cb").unwrap(),
            code_challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap(),
            attempt_id: AttemptId::from_uuid(Uuid::from_u128(3)),
            grant: SessionGrant {
                user_id: UserId::from_uuid(Uuid::from_u128(4)),
                portal: Portal::Admin,
                method: SignInMethod::Saml,
                auth_time: Timestamp::UNIX_EPOCH,
                credential_epoch: CredentialEpoch::FIRST,
                external_roles: vec![],
                home: None,
                session_not_on_or_after: None,
            },
            issued_at: Timestamp::UNIX_EPOCH,
            session_id: None,
        }
    }

    /// Proves D4.
    #[test]
    fn a_code_is_exchanged_once_in_time_by_the_one_that_began() {
        let right =
            PresentedCode { client: CLIENT, redirect_uri: "https://app.example.com/cb", code_verifier: VERIFIER };
        let other_client = PresentedCode { client: ApplicationId::from_uuid(Uuid::from_u128(9)), ..right };
        let other_uri = PresentedCode { redirect_uri: "https://app.example.com/cb/", ..right };
        let other_verifier = PresentedCode { code_verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXX", ..right };
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        assert_eq!(decide_exchange(&code(), right, at(59_999)), Ok(()));
        assert_eq!(decide_exchange(&code(), right, at(60_000)), Err(ExchangeRefusal::Expired));
        assert_eq!(decide_exchange(&code(), other_client, at(1)), Err(ExchangeRefusal::OtherClient));
        assert_eq!(decide_exchange(&code(), other_uri, at(1)), Err(ExchangeRefusal::RedirectUri));
        assert_eq!(decide_exchange(&code(), other_verifier, at(1)), Err(ExchangeRefusal::CodeVerifier));
        let session = SessionId::from_uuid(Uuid::from_u128(5));
        let used = AuthorizationCode { session_id: Some(session), ..code() };
        assert_eq!(decide_exchange(&used, other_verifier, at(99_999)), Err(ExchangeRefusal::AlreadyUsed(session)));
    }
}
