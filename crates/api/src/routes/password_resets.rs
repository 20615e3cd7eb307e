//! Resetting a forgotten password by a mailed link (B4).

use std::net::IpAddr;

use actix_web::{HttpResponse, post, web};
use domain::ApplicationId;
use domain::account::AccountName;
use domain::language::Language;
use domain::password::Password;
use domain::username::Username;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{RequestPasswordReset, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::form_sign_ins::identifier;
use super::names::LanguageName;
use crate::extract::{ClientAddress, Discovery, JsonBody, Limited};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    RequestProblems = [ANY, LIMITED, BODY] + ApplicationRefused + PageNotConfigured + PasswordResetUnsupported;
    LinkProblems = [ANY, LIMITED, BODY] + LinkInvalid + LinkUsed + LinkReplaced + LinkExpired
        + PasswordResetUnsupported;
}

/// Registers the operations on password resets.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(create_password_reset).service(inspect_password_reset).service(complete_password_reset);
}

/// Request of a user who forgot their password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreatePasswordReset {
    /// The account name that was typed.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// The username or email that was typed.
    #[serde(deserialize_with = "identifier")]
    #[schema(example = "ann@acme.example", min_length = 1, max_length = 254)]
    identifier: String,
    /// The application's id; the mail leads to its page `reset_password`.
    #[schema(value_type = String, example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    client_id: ApplicationId,
    /// The language of the mail.
    #[schema(value_type = Option<LanguageName>)]
    language: Option<Language>,
}

impl CreatePasswordReset {
    fn requested_from(self, address: IpAddr) -> RequestPasswordReset {
        let Self { account_name, identifier, client_id, language } = self;
        RequestPasswordReset { account_name, identifier, client_id, language, address }
    }
}

/// Content of the mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InspectPasswordReset {
    /// The token in the fragment of the mailed link.
    #[schema(format = Password)]
    token: String,
}

/// A password that may be set.
#[derive(Debug, Serialize, ToSchema)]
struct OpenPasswordReset {
    /// Handle of the user's account.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// Username of the user whose password may be set.
    #[schema(value_type = String, example = "ann@acme.example")]
    username: Username,
    /// Time until which it may be set.
    expires_at: Timestamp,
}

impl From<service::OpenPasswordReset> for OpenPasswordReset {
    fn from(open: service::OpenPasswordReset) -> Self {
        let service::OpenPasswordReset { account_name, username, expires_at } = open;
        Self { account_name, username, expires_at }
    }
}

/// New password, with the token that permits it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompletePasswordReset {
    /// The token in the fragment of the mailed link.
    #[schema(format = Password)]
    token: String,
    /// The new password: 12 characters or more, hard to guess, and nothing of the user's own name, email or account.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 256)]
    password: Password,
}

/// Ask for a password reset.
///
/// The answer is the same whether or not a user goes by this identifier, and comes before any user is looked for.
/// Active users of the `admin` portal who do are mailed a link that works once, for an hour; one mail for each, at
/// most three at a time.
#[utoipa::path(
    operation_id = "create_password_reset", tag = "sign-in", security(()), request_body = CreatePasswordReset,
    responses((status = 202, description = "The user is mailed, if there is one"), RequestProblems),
)]
#[post("/v1/password-resets")]
async fn create_password_reset(
    _: Limited<Discovery>,
    address: ClientAddress,
    body: JsonBody<CreatePasswordReset>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    service.people.request_password_reset(body.0.requested_from(address.0)).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Inspect a password reset.
///
/// For the page that the mailed link leads to: what to show before a password is asked for. Uses nothing up.
#[utoipa::path(
    operation_id = "inspect_password_reset", tag = "sign-in", security(()), request_body = InspectPasswordReset,
    responses((status = 200, description = "The password may be set", body = OpenPasswordReset), LinkProblems),
)]
#[post("/v1/password-resets/inspect")]
async fn inspect_password_reset(
    _: Limited<Discovery>,
    body: JsonBody<InspectPasswordReset>,
    service: web::Data<Service>,
) -> Result<web::Json<OpenPasswordReset>, Problem> {
    Ok(web::Json(service.people.inspect_password_reset(&body.0.token).await?.into()))
}

/// Complete a password reset.
///
/// Sets the password, uses the link up and ends all sessions of the user, who is told by mail. It signs no user in,
/// and the second factor stays as it is.
#[utoipa::path(
    operation_id = "complete_password_reset", tag = "sign-in", security(()), request_body = CompletePasswordReset,
    responses((status = 204, description = "The password is set"), LinkProblems),
)]
#[post("/v1/password-resets/complete")]
async fn complete_password_reset(
    _: Limited<Discovery>,
    address: ClientAddress,
    body: JsonBody<CompletePasswordReset>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let CompletePasswordReset { token, password } = body.0;
    service.people.complete_password_reset(&token, password, address.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
