//! Form login (B1 to B5): by username or email, and password.

use actix_web::{post, web};
use domain::account::AccountName;
use domain::mfa_code::MfaCode;
use domain::password::Password;
use domain::text::without_blanks;
use domain::username::USERNAME_MAX_CHARS;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use service::{PendingToken, ReplaceTemporaryPassword, Service, SignInStep, StartFormLogin};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::authorization_request::{AuthorizationFields, Authorized};
use super::merged::bodies;
use crate::extract::{ClientAddress, Discovery, JsonBody, Limited};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    StartProblems = [ANY, LIMITED, BODY] + ApplicationRefused + LoginIncorrectCredentials + NoRole + NetworkNotAllowed
        + MfaEmailMissing;
    CodeProblems = [ANY, LIMITED, BODY] + SessionExpired + MfaCodeIncorrect;
    StepProblems = [ANY, LIMITED, BODY] + SessionExpired;
    ResendProblems = [ANY, LIMITED, BODY] + SessionExpired + MfaEmailMissing;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_form_sign_in)
        .service(verify_mfa_code)
        .service(resend_mfa_code)
        .service(replace_temporary_password);
}

bodies! {
    joined:
    /// Body that a login page sends.
    CreateFormSignIn = FormSignInFields, AuthorizationFields;
}

/// Fields of a form login.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FormSignInFields {
    /// The account name that was typed.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// The username or email that was typed.
    #[serde(deserialize_with = "identifier")]
    #[schema(max_length = 254, example = "ann@acme.example")]
    identifier: String,
    /// The password that was typed.
    #[schema(value_type = String, format = Password, max_length = 256)]
    password: Password,
}

/// A username or email as it was typed, without the blanks around it. Whether a user can have it is not said.
pub(super) fn identifier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let typed = String::deserialize(deserializer)?;
    let text = without_blanks(&typed);
    if text.is_empty() || text.chars().count() > USERNAME_MAX_CHARS {
        return Err(serde::de::Error::custom(format_args!("must have 1 to {USERNAME_MAX_CHARS} characters")));
    }
    Ok(text.to_owned())
}

/// Next step of a sign-in; the same for every way to sign in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum SignIn {
    /// Nothing: send the browser on.
    Complete {
        /// The redirect URI with `code`, `state` and `iss`; exchange the code at `/oauth/token` within 60 seconds.
        redirect_to: String,
    },
    /// The code that was mailed: send it to `/v1/form-sign-ins/mfa-code`.
    MfaRequired {
        /// Token that leads on, once.
        pending_token: String,
        /// Time from which on it is too late.
        expires_at: Timestamp,
        /// Time from which on another code may be asked for.
        resend_after: Timestamp,
    },
    /// Another password: send it to `/v1/form-sign-ins/password`.
    PasswordChangeRequired {
        /// Token that leads on, once.
        pending_token: String,
        /// Time from which on it is too late.
        expires_at: Timestamp,
    },
    /// SSO: form login is not for this user.
    SsoRequired {
        /// A plain link that starts an SSO sign-in.
        saml_login_url: String,
    },
}

impl From<SignInStep> for SignIn {
    fn from(step: SignInStep) -> Self {
        let exposed = |pending: PendingToken| (pending.token.expose().to_owned(), pending.expires_at);
        match step {
            SignInStep::Complete { redirect_to } => Self::Complete { redirect_to },
            SignInStep::MfaRequired { pending, resend_after } => {
                let (pending_token, expires_at) = exposed(pending);
                Self::MfaRequired { pending_token, expires_at, resend_after }
            }
            SignInStep::PasswordChangeRequired { pending } => {
                let (pending_token, expires_at) = exposed(pending);
                Self::PasswordChangeRequired { pending_token, expires_at }
            }
            SignInStep::SsoRequired { saml_login_url } => Self::SsoRequired { saml_login_url },
        }
    }
}

/// A code that was mailed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyMfaCode {
    /// Token that the step before gave.
    pub pending_token: String,
    /// The six digits of the mailed code.
    #[serde(deserialize_with = "mfa_code")]
    #[schema(value_type = String, example = "012345")]
    pub code: MfaCode,
}

fn mfa_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<MfaCode, D::Error> {
    MfaCode::try_from(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

/// Sign-in whose code is to be sent again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResendMfaCode {
    /// Token that the step before gave; it goes on leading to the next step.
    pending_token: String,
}

/// A code that is on its way.
#[derive(Debug, Serialize, ToSchema)]
struct MfaCodeSent {
    /// Time from which on another one may be asked for.
    resend_after: Timestamp,
}

/// Password in place of one that the user did not choose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReplacePassword {
    /// Token that the step before gave.
    pending_token: String,
    /// New password: 12 characters or more, hard to guess, and nothing of the user's own name, email or account.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 256)]
    new_password: Password,
}

/// Sign in by form.
///
/// By username or email, and password. Unknown, deactivated and uninvited users are answered like a wrong password, and
/// failed tries are slowed down per user and address.
#[utoipa::path(
    operation_id = "create_form_sign_in", tag = "sign-in", security(()), request_body = CreateFormSignIn,
    responses((status = 200, description = "The next step of the sign-in", body = SignIn), StartProblems),
)]
#[post("/v1/form-sign-ins")]
async fn create_form_sign_in(
    _: Limited<Discovery>,
    address: ClientAddress,
    body: Authorized<FormSignInFields>,
    service: web::Data<Service>,
) -> Result<web::Json<SignIn>, Problem> {
    let Authorized { authorization, rest: FormSignInFields { account_name, identifier, password } } = body;
    let address = address.0;
    let start = StartFormLogin { account_name, identifier, password, authorization, address };
    Ok(web::Json(service.sign_in.start_form_login(start).await?.into()))
}

/// Enter the code that was mailed.
///
/// A code works for ten minutes, five tries and one sign-in.
#[utoipa::path(
    operation_id = "verify_mfa_code", tag = "sign-in", security(()), request_body = VerifyMfaCode,
    responses((status = 200, description = "The next step of the sign-in", body = SignIn), CodeProblems),
)]
#[post("/v1/form-sign-ins/mfa-code")]
async fn verify_mfa_code(
    _: Limited<Discovery>,
    body: JsonBody<VerifyMfaCode>,
    service: web::Data<Service>,
) -> Result<web::Json<SignIn>, Problem> {
    Ok(web::Json(service.sign_in.verify_mfa_code(&body.0.pending_token, &body.0.code).await?.into()))
}

/// Send another code.
///
/// It takes the place of the one before.
#[utoipa::path(
    operation_id = "resend_mfa_code", tag = "sign-in", security(()), request_body = ResendMfaCode,
    responses((status = 200, description = "It is on its way", body = MfaCodeSent), ResendProblems),
)]
#[post("/v1/form-sign-ins/mfa-code/resend")]
async fn resend_mfa_code(
    _: Limited<Discovery>,
    body: JsonBody<ResendMfaCode>,
    service: web::Data<Service>,
) -> Result<web::Json<MfaCodeSent>, Problem> {
    let resend_after = service.sign_in.resend_mfa_code(&body.0.pending_token).await?;
    Ok(web::Json(MfaCodeSent { resend_after }))
}

/// Replace a temporary password.
///
/// The user did not choose it, so it is good for one sign-in.
#[utoipa::path(
    operation_id = "replace_temporary_password", tag = "sign-in", security(()), request_body = ReplacePassword,
    responses((status = 200, description = "The next step of the sign-in", body = SignIn), StepProblems),
)]
#[post("/v1/form-sign-ins/password")]
async fn replace_temporary_password(
    _: Limited<Discovery>,
    address: ClientAddress,
    body: JsonBody<ReplacePassword>,
    service: web::Data<Service>,
) -> Result<web::Json<SignIn>, Problem> {
    let ReplacePassword { pending_token, new_password } = body.0;
    let replace = ReplaceTemporaryPassword { pending_token, new_password, address: address.0 };
    Ok(web::Json(service.sign_in.replace_temporary_password(replace).await?.into()))
}
