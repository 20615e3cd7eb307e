//! The OAuth endpoints: codes and refresh tokens become access tokens (RFC 6749, RFC 7009). Refused grants look as RFC
//! 6749, section 5.2, says.

mod refresh_cookie;

use std::net::IpAddr;

use actix_web::http::header::{HeaderValue, ORIGIN, PRAGMA};
use actix_web::{HttpRequest, HttpResponse, post, web};
use domain::ApplicationId;
use domain::application::RefreshDelivery;
use serde::Serialize;
use service::{CodeGrant, IssuedTokens, PresentedToken, Service, TokenError, TokenRefusal};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use self::refresh_cookie::RefreshCookie;
use crate::extract::{ClientAddress, Form, Limited, OAuthForm, TOKEN_MAX_BYTES, Token};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    TokenProblems = [ANY, LIMITED];
    RevokeProblems = [ANY, LIMITED];
}

/// Registers the OAuth endpoints for tokens.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(issue_token).service(revoke_token);
}

/// A token request: of an `authorization_code` or a `refresh_token` grant.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form of a documentation; `OAuthForm` reads it")]
struct TokenRequest {
    /// Grant type: `authorization_code` or `refresh_token`.
    #[schema(example = "authorization_code")]
    grant_type: String,
    /// Identifier of the application, as the OAuth client.
    #[schema(example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    client_id: String,
    /// The code that came to the redirect URI; valid once, for 60 seconds.
    code: Option<String>,
    /// The redirect URI that the sign-in began with.
    redirect_uri: Option<String>,
    /// Secret that the `code_challenge` was made from (RFC 7636).
    code_verifier: Option<String>,
    /// The refresh token; left out where it lives in a cookie.
    refresh_token: Option<String>,
}

/// A revocation request (RFC 7009, section 2.1).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form of a documentation; `OAuthForm` reads it")]
struct RevocationRequest {
    /// Identifier of the application, as the OAuth client.
    client_id: String,
    /// The refresh token or access token; left out where the refresh token lives in a cookie.
    token: Option<String>,
    /// Type of the token, `refresh_token` or `access_token`; both are recognized without it.
    token_type_hint: Option<String>,
}

/// Response with the issued tokens (RFC 6749, section 5.1).
#[derive(Serialize, ToSchema)]
struct TokenResponse {
    /// Access token, a JWT (RFC 9068).
    access_token: String,
    /// Type of the access token: always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 600)]
    expires_in: u32,
    /// The next refresh token; left out where it lives in a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    refresh_token: Option<String>,
}

/// A refused grant (RFC 6749, section 5.2).
#[derive(Serialize, ToSchema)]
struct OAuthError {
    /// Error code of RFC 6749, section 5.2.
    #[schema(example = "invalid_grant")]
    error: &'static str,
    /// Description for the client's developer.
    error_description: String,
}

/// Issue tokens.
///
/// Exchanges a code, with its PKCE verifier, for a session; or a refresh token for the next one. A refresh token
/// that was used a moment ago gives the same next one for ten seconds, until that one is used; any other reuse ends
/// the session, and so does a code presented twice.
#[utoipa::path(
    operation_id = "issue_token", tag = "oauth", security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The tokens of the session", body = TokenResponse,
            headers(("Set-Cookie" = Option<String>, description = "The refresh token, where the application keeps it in a cookie"))),
        (status = 400, description = "The grant is refused", body = OAuthError, content_type = "application/json"),
        TokenProblems,
    ),
)]
#[post("/oauth/token")]
async fn issue_token(
    _: Limited<Token>,
    request: HttpRequest,
    form: OAuthForm,
    ClientAddress(address): ClientAddress,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    match tokens(&request, address, form, &service).await {
        Ok(issued) => Ok(token_response(&service, issued)),
        Err(refusal) => refused(refusal),
    }
}

/// Revoke a token.
///
/// Signs out: ends the session of a refresh token, or of an access token, also of an expired one (RFC 7009). An
/// unknown token is not an error; one that was issued to another client is refused.
#[utoipa::path(
    operation_id = "revoke_token", tag = "oauth", security(()),
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The session has ended",
            headers(("Set-Cookie" = Option<String>, description = "Removes the cookie, where there was one"))),
        (status = 400, description = "The request is refused", body = OAuthError, content_type = "application/json"),
        RevokeProblems,
    ),
)]
#[post("/oauth/revoke")]
async fn revoke_token(
    _: Limited<Token>,
    request: HttpRequest,
    form: OAuthForm,
    ClientAddress(address): ClientAddress,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    match revoked(&request, address, form, &service).await {
        Ok(cookie) => Ok(revocation_response(&service, cookie)),
        Err(refusal) => refused(refusal),
    }
}

async fn tokens(
    request: &HttpRequest,
    address: IpAddr,
    form: OAuthForm,
    service: &Service,
) -> Result<IssuedTokens, TokenRefusal> {
    let form = accepted(form)?;
    let (client_id, origin) = (required(&form, "client_id")?, origin(request));
    match required(&form, "grant_type")? {
        "authorization_code" => {
            let (code, redirect_uri) = (required(&form, "code")?, required(&form, "redirect_uri")?);
            let code_verifier = required(&form, "code_verifier")?;
            service
                .sessions
                .exchange_code(CodeGrant { client_id, code, redirect_uri, code_verifier, address, origin })
                .await
        }
        "refresh_token" => {
            let presented = Presented::of(request, service, &form, "refresh_token")?;
            service.sessions.refresh(presented.grant(client_id, request, address)).await
        }
        _ => {
            let words = "grant_type must be authorization_code or refresh_token";
            Err(TokenRefusal::Refused(TokenError::UnsupportedGrantType, words.into()))
        }
    }
}

async fn revoked(
    request: &HttpRequest,
    address: IpAddr,
    form: OAuthForm,
    service: &Service,
) -> Result<Option<ApplicationId>, TokenRefusal> {
    let form = accepted(form)?;
    let client_id = required(&form, "client_id")?;
    let presented = Presented::of(request, service, &form, "token")?;
    service.sessions.revoke(presented.grant(client_id, request, address)).await?;
    Ok(presented.cookie_of)
}

/// A token, with the client whose cookie it came in.
struct Presented {
    token: String,
    cookie_of: Option<ApplicationId>,
}

impl Presented {
    /// Takes the token from the form, or else from the client's cookie.
    fn of(request: &HttpRequest, service: &Service, form: &Form, field: &str) -> Result<Self, TokenRefusal> {
        if let Some(token) = form.get(field) {
            return Ok(Self { token: token.to_owned(), cookie_of: None });
        }
        let client = form.get("client_id").and_then(|client| client.parse::<ApplicationId>().ok());
        let found = client.and_then(|client| Some((RefreshCookie::of(service, client).read(request)?, client)));
        let (token, client) = found.ok_or_else(|| missing(field))?;
        Ok(Self { token, cookie_of: Some(client) })
    }

    fn grant<'a>(&'a self, client_id: &'a str, request: &'a HttpRequest, address: IpAddr) -> PresentedToken<'a> {
        let delivery = if self.cookie_of.is_some() { RefreshDelivery::Cookie } else { RefreshDelivery::Json };
        PresentedToken { client_id, token: &self.token, delivery, address, origin: origin(request) }
    }
}

fn accepted(form: OAuthForm) -> Result<Form, TokenRefusal> {
    let form = form.0.map_err(|_| {
        let words = format!("send application/x-www-form-urlencoded of at most {TOKEN_MAX_BYTES} bytes");
        TokenRefusal::Refused(TokenError::InvalidRequest, words)
    })?;
    if form.repeated().is_empty() {
        Ok(form)
    } else {
        Err(TokenRefusal::Refused(TokenError::InvalidRequest, "a parameter came more than once".into()))
    }
}

fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, TokenRefusal> {
    form.get(name).ok_or_else(|| missing(name))
}

fn missing(name: &str) -> TokenRefusal {
    TokenRefusal::Refused(TokenError::InvalidRequest, format!("{name} is missing"))
}

fn origin(request: &HttpRequest) -> Option<&str> {
    request.headers().get(ORIGIN)?.to_str().ok()
}

fn token_response(service: &Service, issued: IssuedTokens) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((PRAGMA, HeaderValue::from_static("no-cache")));
    let refresh_token = match issued.delivery {
        RefreshDelivery::Json => Some(issued.refresh_token.expose().to_owned()),
        RefreshDelivery::Cookie => {
            let cookie = RefreshCookie::of(service, issued.application_id);
            answer.cookie(cookie.set(issued.refresh_token.expose(), issued.refresh_expires_in));
            None
        }
    };
    let (access_token, expires_in) = (issued.access_token, issued.expires_in);
    answer.json(TokenResponse { access_token, token_type: "Bearer", expires_in, refresh_token })
}

fn revocation_response(service: &Service, cookie: Option<ApplicationId>) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    if let Some(client) = cookie {
        answer.cookie(RefreshCookie::of(service, client).removal());
    }
    answer.finish()
}

fn refused(refusal: TokenRefusal) -> Result<HttpResponse, Problem> {
    match refusal {
        TokenRefusal::Refused(error, error_description) => {
            Ok(HttpResponse::BadRequest().json(OAuthError { error: error.as_str(), error_description }))
        }
        TokenRefusal::Fault(error) => Err(error.into()),
    }
}
