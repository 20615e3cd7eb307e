//! A frontend's request for a code (OAuth 2.1, section 4.1.1): the fields that every way to sign in has, beside its own.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use domain::ApplicationId;
use domain::pkce::CodeChallenge;
use domain::sso::pending_sign_in::STATE_MAX_CHARS;
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use service::AuthorizationRequest;
use utoipa::ToSchema;

use super::names::CodeChallengeMethodName;
use crate::extract::{JsonBody, Members};
use crate::problem::Problem;

/// Fields of a frontend's request for a code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthorizationFields {
    /// The id of an application; it decides the portal.
    #[schema(value_type = String, example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    client_id: ApplicationId,
    /// URI that the outcome goes to: exactly one of the registered ones.
    #[schema(example = "https://app.example.com/callback")]
    redirect_uri: String,
    /// Opaque value of the client's own, echoed with the outcome.
    #[serde(default, deserialize_with = "state")]
    #[schema(max_length = 512)]
    state: Option<String>,
    /// The base64url-encoded SHA-256 digest of the `code_verifier` (RFC 7636).
    #[schema(value_type = String, example = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")]
    code_challenge: CodeChallenge,
    /// Method of the challenge: `S256`; nothing else is taken.
    #[serde(rename = "code_challenge_method")]
    #[schema(value_type = CodeChallengeMethodName)]
    _code_challenge_method: CodeChallengeMethod,
}

impl AuthorizationFields {
    /// Names of the fields, as they are taken out of a body.
    const NAMES: [&'static str; 5] = ["client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method"];
}

/// Method by which a challenge was made (RFC 7636, section 4.2).
#[derive(Debug, Deserialize)]
enum CodeChallengeMethod {
    /// SHA-256 of the verifier.
    S256,
}

fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let state = Option::<String>::deserialize(deserializer)?;
    if state.as_ref().is_some_and(|state| state.chars().count() > STATE_MAX_CHARS) {
        return Err(serde::de::Error::custom(format_args!("must have at most {STATE_MAX_CHARS} characters")));
    }
    Ok(state)
}

impl From<AuthorizationFields> for AuthorizationRequest {
    fn from(fields: AuthorizationFields) -> Self {
        let AuthorizationFields { client_id, redirect_uri, state, code_challenge, _code_challenge_method } = fields;
        Self { client_id, redirect_uri, state, code_challenge }
    }
}

/// JSON body with the fields of a request for a code, and those of `T` beside them.
#[derive(Debug)]
pub(super) struct Authorized<T> {
    /// The request for a code.
    pub authorization: AuthorizationRequest,
    /// The other fields of the body.
    pub rest: T,
}

impl<T: DeserializeOwned + 'static> FromRequest for Authorized<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = JsonBody::<Members>::from_request(request, payload);
        async move {
            let mut members = body.await?.0;
            let fields: AuthorizationFields = members.split(&AuthorizationFields::NAMES).into_value()?;
            Ok(Self { authorization: fields.into(), rest: members.into_value()? })
        }
        .boxed_local()
    }
}
