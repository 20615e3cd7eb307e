//! The OAuth token endpoint: codes and refresh tokens become sessions and access tokens (D4, I1, I2).

pub(crate) mod claims;
mod exchange;
mod refresh;
mod revoke;

use std::net::IpAddr;

use domain::account_switch::HomeUser;
use domain::application::{Application, RefreshDelivery};
use domain::secret::Secret;
use domain::{AccountId, ApplicationId, UserId};
use storage::Tx;

use crate::core::error::{Code, Error};

/// An `authorization_code` grant as it was presented (OAuth 2.1, section 4.1.3).
#[derive(Debug, Clone, Copy)]
pub struct CodeGrant<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// `code`.
    pub code: &'a str,
    /// `redirect_uri`.
    pub redirect_uri: &'a str,
    /// `code_verifier`.
    pub code_verifier: &'a str,
    /// Address that the request comes from, for the audit log.
    pub address: IpAddr,
    /// The `Origin` of a browser's request.
    pub origin: Option<&'a str>,
}

/// A token as its client presents it: to be refreshed (OAuth 2.1, section 4.3), or revoked (RFC 7009).
#[derive(Debug, Clone, Copy)]
pub struct PresentedToken<'a> {
    /// `client_id`.
    pub client_id: &'a str,
    /// The token, from the body or the cookie.
    pub token: &'a str,
    /// Way in which the token came.
    pub delivery: RefreshDelivery,
    /// Address that the request comes from.
    pub address: IpAddr,
    /// The `Origin` of a browser's request.
    pub origin: Option<&'a str>,
}

/// Tokens that a grant gives.
#[derive(Debug)]
pub struct IssuedTokens {
    /// Access token, as a JWT.
    pub access_token: String,
    /// Seconds until it expires.
    pub expires_in: u32,
    /// The next refresh token.
    pub refresh_token: Secret,
    /// Way in which the refresh token is to travel.
    pub delivery: RefreshDelivery,
    /// Seconds until the refresh token expires when it is not used.
    pub refresh_expires_in: u32,
    /// Application that the tokens are for.
    pub application_id: ApplicationId,
}

/// Reason for which a grant is refused, in the terms of RFC 6749, section 5.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// A parameter is missing or malformed.
    InvalidRequest,
    /// Client that is not registered.
    InvalidClient,
    /// The code or refresh token is not good.
    InvalidGrant,
    /// The client may not do this from here.
    UnauthorizedClient,
    /// Only `authorization_code` and `refresh_token` are known.
    UnsupportedGrantType,
}

impl TokenError {
    /// Value of `error` in the answer.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
        }
    }
}

/// A grant that gives nothing.
#[derive(Debug)]
pub enum TokenRefusal {
    /// The client's doing, with words for its developer.
    Refused(TokenError, String),
    /// Fault of the service itself.
    Fault(Error),
}

impl<E: Into<Error>> From<E> for TokenRefusal {
    /// Turns an error into a refusal of the token: it is not a fault that a session, user or application ended or
    /// went away since it was read, a moment ago.
    fn from(error: E) -> Self {
        let error = error.into();
        if error.code == Code::PreconditionFailed { Self::session_expired() } else { Self::Fault(error) }
    }
}

impl TokenRefusal {
    pub(crate) fn grant(words: impl Into<String>) -> Self {
        Self::Refused(TokenError::InvalidGrant, words.into())
    }

    /// Refusal of a grant whose session is over (D2).
    pub(crate) fn session_expired() -> Self {
        Self::grant(Code::SessionExpired.detail())
    }
}

fn client_id(text: &str) -> Result<ApplicationId, TokenRefusal> {
    let refused =
        || TokenRefusal::Refused(TokenError::InvalidClient, "client_id is not a registered application".into());
    text.parse().map_err(|_| refused())
}

/// Refuses a foreign origin (I2): a browser sends a refresh token in a cookie with every page's request, so the
/// page that asks must be one of the application's own.
fn check_origin(application: &Application, origin: Option<&str>) -> Result<(), TokenRefusal> {
    let allowed = origin.is_some_and(|origin| application.settings.allows_origin(origin));
    if application.settings.refresh_delivery == RefreshDelivery::Json || allowed {
        Ok(())
    } else {
        let words =
            "this application keeps its refresh token in a cookie: send an Origin that is in its allowed_origins";
        Err(TokenRefusal::Refused(TokenError::UnauthorizedClient, words.into()))
    }
}

/// Whether a user may be entered from another account now: the pair stands, and is held until the transaction
/// ends, so that its end, or that of the link which it rests on, comes before or after.
pub(crate) async fn over_standing_pair(
    tx: &mut Tx,
    account_id: AccountId,
    user_id: UserId,
    home: HomeUser,
) -> crate::Result<bool> {
    Ok(storage::account_pairs::hold_current(tx, account_id, user_id, home).await?.is_some())
}
