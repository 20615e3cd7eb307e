//! Operations for login pages (D1): the ways to sign in that there are, and the start of an SSO sign-in.

use actix_web::{get, post, web};
use domain::AttemptId;
use domain::account::AccountName;
use domain::email::Email;
use domain::portal::Portal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{Code, IdpHandoff, LoginMethod, LoginOptionsQuery, Service, StartSignIn, StartedSignIn};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::authorization_request::{AuthorizationFields, Authorized};
use super::merged::bodies;
use super::names::PortalName;
use crate::extract::{ClientAddress, Discovery, Limited, Parameters};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    OptionsProblems = [ANY, LIMITED] + InvalidInput;
    StartProblems = [ANY, LIMITED, BODY] + ApplicationRefused + SsoAccountNotConfigured + SsoEmailNotConfigured
        + SsoMultipleUsernames + IdpUnreachable;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_login_options).service(create_sso_sign_in);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OptionsQuery {
    /// The account name that was typed.
    #[param(value_type = String, example = "acme")]
    account_name: AccountName,
    /// The portal that the page is for.
    #[param(value_type = PortalName)]
    portal: Portal,
}

/// Ways to sign in that a login page offers.
#[derive(Debug, Serialize, ToSchema)]
struct LoginOptions {
    /// Ways that are offered, the preferred one first.
    methods: Vec<Method>,
    /// Ways that are not offered, with the reasons.
    disabled: Vec<DisabledMethod>,
    /// Whether a password can be reset; null where the portal has no passwords.
    password_reset: Option<PasswordReset>,
}

/// Whether a password can be reset, and why not: words to show at a disabled control.
#[derive(Debug, Serialize, ToSchema)]
struct PasswordReset {
    /// Whether a password can be reset here.
    enabled: bool,
    /// Reason why not, as a code of the error catalogue.
    #[schema(example = "password_reset_unsupported")]
    code: Option<&'static str>,
    /// Reason why not, in words to show.
    detail: Option<&'static str>,
}

impl From<Result<(), Code>> for PasswordReset {
    fn from(state: Result<(), Code>) -> Self {
        let refused = state.err();
        Self { enabled: refused.is_none(), code: refused.map(Code::as_str), detail: refused.map(Code::detail) }
    }
}

/// A way to sign in.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Method {
    /// Sign-in at the account's identity provider.
    Sso {
        /// Text of the login button.
        #[schema(example = "Sign in with SSO")]
        button_text: String,
        /// A plain link that starts a sign-in (C8).
        saml_login_url: String,
    },
    /// Sign-in by username or email, and password: `create_form_sign_in`.
    Form,
    /// Sign-in by a mailed link: `create_magic_link_sign_in`.
    MagicLink,
}

impl From<LoginMethod> for Method {
    fn from(method: LoginMethod) -> Self {
        match method {
            LoginMethod::Sso { button_text, saml_login_url } => Self::Sso { button_text, saml_login_url },
            LoginMethod::Form => Self::Form,
            LoginMethod::MagicLink => Self::MagicLink,
        }
    }
}

/// A way to sign in that is not offered.
#[derive(Debug, Serialize, ToSchema)]
struct DisabledMethod {
    /// Kind of the way to sign in.
    #[schema(example = "sso")]
    kind: &'static str,
    /// Reason, as a code of the error catalogue.
    #[schema(example = "sso_account_not_configured")]
    code: &'static str,
    /// Reason, in words to show.
    detail: &'static str,
    /// Advice on what the reader can do.
    fix: &'static str,
}

impl From<Code> for DisabledMethod {
    fn from(code: Code) -> Self {
        Self { kind: "sso", code: code.as_str(), detail: code.detail(), fix: code.fix() }
    }
}

impl From<service::LoginOptions> for LoginOptions {
    fn from(options: service::LoginOptions) -> Self {
        Self {
            methods: options.methods.into_iter().map(Method::from).collect(),
            disabled: options.sso_unavailable.into_iter().map(DisabledMethod::from).collect(),
            password_reset: options.password_reset.map(PasswordReset::from),
        }
    }
}

/// Fields of a start with SSO.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SsoSignInFields {
    /// The account name that was typed.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// The work email that was typed, if the page asks for one.
    #[schema(value_type = Option<String>, format = Email, example = "ann@acme.example")]
    email: Option<Email>,
}

bodies! {
    joined:
    /// Body that a login page sends to start a sign-in.
    CreateSsoSignIn = SsoSignInFields, AuthorizationFields;
}

/// A sign-in that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SsoSignIn {
    /// Next step: the browser goes to the identity provider.
    #[schema(example = "redirect_required")]
    status: &'static str,
    /// Names the attempt to support.
    #[schema(value_type = String, example = "att_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    attempt_id: AttemptId,
    /// The browser's way to the identity provider.
    handoff: Handoff,
    /// Time from which on it is too late to come back.
    expires_at: Timestamp,
}

/// Ways of the browser to the identity provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "method", rename_all = "snake_case")]
enum Handoff {
    /// Redirect of the browser to this URL.
    Redirect {
        /// URL to redirect the browser to.
        url: String,
    },
    /// Form that the browser posts.
    Post {
        /// URL to post the form to.
        action: String,
        /// Fields of the form.
        fields: HandoffFields,
    },
}

/// The fields of the SAML POST binding.
#[derive(Debug, Serialize, ToSchema)]
struct HandoffFields {
    /// The SAML request, in base64.
    #[serde(rename = "SAMLRequest")]
    saml_request: String,
    /// The handle of the sign-in.
    #[serde(rename = "RelayState")]
    relay_state: String,
}

impl From<StartedSignIn> for SsoSignIn {
    fn from(started: StartedSignIn) -> Self {
        let handoff = match started.handoff {
            IdpHandoff::Redirect { url } => Handoff::Redirect { url },
            IdpHandoff::Post { action, saml_request, relay_state } => {
                Handoff::Post { action, fields: HandoffFields { saml_request, relay_state } }
            }
        };
        Self { status: "redirect_required", attempt_id: started.attempt_id, handoff, expires_at: started.expires_at }
    }
}

/// Read login options.
///
/// Lists the ways to sign in that the login page of an account and portal may offer. An unknown account looks like one without SSO.
#[utoipa::path(
    operation_id = "get_login_options", tag = "sign-in", security(()), params(OptionsQuery),
    responses((status = 200, description = "The options as they are now", body = LoginOptions), OptionsProblems),
)]
#[get("/v1/login-options")]
async fn get_login_options(
    _: Limited<Discovery>,
    query: Parameters<OptionsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<LoginOptions>, Problem> {
    let OptionsQuery { account_name, portal } = query.0;
    Ok(web::Json(service.sign_in.login_options(&LoginOptionsQuery { account_name, portal }).await?.into()))
}

/// Start an SSO sign-in.
///
/// From account name and work email to the identity provider. Send the browser on as `handoff` says; it comes back to
/// `redirect_uri` with `code`, `state` and `iss`, or with `error`, `error_code` and `attempt_id`. Exchange the code at
/// `/oauth/token` within 60 seconds.
#[utoipa::path(
    operation_id = "create_sso_sign_in", tag = "sign-in", security(()), request_body = CreateSsoSignIn,
    responses((status = 200, description = "The sign-in has begun", body = SsoSignIn), StartProblems),
)]
#[post("/v1/sso-sign-ins")]
async fn create_sso_sign_in(
    _: Limited<Discovery>,
    address: ClientAddress,
    body: Authorized<SsoSignInFields>,
    service: web::Data<Service>,
) -> Result<web::Json<SsoSignIn>, Problem> {
    let Authorized { authorization, rest: SsoSignInFields { account_name, email } } = body;
    let address = address.0;
    let start = StartSignIn { account_name, email, authorization, address };
    Ok(web::Json(service.sign_in.start_sign_in(start).await?.into()))
}
