//! Signing in to the `self_service` portal by a mailed link (B6).

use actix_web::{HttpResponse, post, web};
use domain::account::AccountName;
use domain::email::Email;
use domain::text::Label;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{AuthorizationRequest, RequestMagicLink, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::authorization_request::{AuthorizationFields, Authorized};
use super::form_sign_ins::SignIn;
use super::merged::bodies;
use crate::extract::{ClientAddress, Discovery, JsonBody, Limited};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    RequestProblems = [ANY, LIMITED, BODY] + ApplicationRefused + PageNotConfigured + MagicLinkUnsupported;
    InspectProblems = [ANY, LIMITED, BODY] + LinkInvalid + LinkUsed + LinkReplaced + LinkExpired + MagicLinkUnsupported;
    CompleteProblems = [ANY, LIMITED, BODY] + ApplicationRefused + LinkInvalid + LinkUsed + LinkReplaced + LinkExpired
        + InvitationExpired + MagicLinkUnsupported;
}

/// Registers the operations on magic links.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(create_magic_link_sign_in).service(inspect_magic_link).service(complete_magic_link_sign_in);
}

bodies! {
    joined:
    /// Request of a login page for a magic link: the same as for every start of a sign-in. `state` and `code_challenge`
    /// are checked and not kept: the page that the link leads to brings its own, perhaps on another device.
    CreateMagicLinkSignIn = MagicLinkFields, AuthorizationFields;
    /// Request of the link's page to complete the sign-in.
    CompleteMagicLink = CompletionFields, AuthorizationFields;
}

/// Fields of a request for a magic link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MagicLinkFields {
    /// The account name that was typed.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// The email that was typed.
    #[schema(value_type = String, format = Email, example = "eve@acme.example")]
    email: Email,
}

/// Content of the mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InspectMagicLink {
    /// The token in the fragment of the mailed link.
    #[schema(format = Password)]
    token: String,
}

/// A sign-in that a link is good for. Show it, so that a person does not sign in as another user who sent them a
/// link.
#[derive(Debug, Serialize, ToSchema)]
struct OpenMagicLink {
    /// Handle of the account to sign in to.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// Name of the account for display.
    #[schema(value_type = String, example = "Acme AB")]
    account_display_name: Label,
    /// Email of the user who signs in: the address that the link was mailed to.
    #[schema(value_type = String, format = Email, example = "eve@acme.example")]
    email: Email,
    /// Time until which the link works.
    expires_at: Timestamp,
}

impl From<service::OpenMagicLink> for OpenMagicLink {
    fn from(open: service::OpenMagicLink) -> Self {
        let service::OpenMagicLink { account_name, account_display_name, email, expires_at } = open;
        Self { account_name, account_display_name, email, expires_at }
    }
}

/// Fields that complete a sign-in by a mailed link.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CompletionFields {
    /// The token in the fragment of the mailed link.
    #[schema(format = Password)]
    token: String,
}

/// Ask for a magic link.
///
/// The answer is the same whether or not a user goes by this email, and comes before any user is looked for. An
/// active or invited user of the `self_service` portal who does is mailed a link that works once, for as long as
/// the account says; it takes the place of the links before. At most three mails at a time, then one in five
/// minutes.
#[utoipa::path(
    operation_id = "create_magic_link_sign_in", tag = "sign-in", security(()), request_body = CreateMagicLinkSignIn,
    responses((status = 202, description = "The user is mailed, if there is one"), RequestProblems),
)]
#[post("/v1/magic-link-sign-ins")]
async fn create_magic_link_sign_in(
    _: Limited<Discovery>,
    address: ClientAddress,
    body: Authorized<MagicLinkFields>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let Authorized { authorization, rest: MagicLinkFields { account_name, email } } = body;
    let AuthorizationRequest { client_id, redirect_uri, .. } = authorization;
    let request = RequestMagicLink { account_name, email, client_id, redirect_uri, address: address.0 };
    service.sign_in.request_magic_link(request).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Inspect a magic link.
///
/// For the page that the mailed link leads to: the user who would sign in, to show before they are asked to go on.
/// Uses nothing up.
#[utoipa::path(
    operation_id = "inspect_magic_link", tag = "sign-in", security(()), request_body = InspectMagicLink,
    responses((status = 200, description = "The link still works", body = OpenMagicLink), InspectProblems),
)]
#[post("/v1/magic-link-sign-ins/inspect")]
async fn inspect_magic_link(
    _: Limited<Discovery>,
    body: JsonBody<InspectMagicLink>,
    service: web::Data<Service>,
) -> Result<web::Json<OpenMagicLink>, Problem> {
    Ok(web::Json(service.sign_in.inspect_magic_link(&body.0.token).await?.into()))
}

/// Sign in by a magic link.
///
/// Uses the link up. The sign-in is complete: no second factor is asked for. An invited user becomes active.
#[utoipa::path(
    operation_id = "complete_magic_link_sign_in", tag = "sign-in", security(()), request_body = CompleteMagicLink,
    responses((status = 200, description = "The next step of the sign-in", body = SignIn), CompleteProblems),
)]
#[post("/v1/magic-link-sign-ins/complete")]
async fn complete_magic_link_sign_in(
    _: Limited<Discovery>,
    address: ClientAddress,
    body: Authorized<CompletionFields>,
    service: web::Data<Service>,
) -> Result<web::Json<SignIn>, Problem> {
    let Authorized { authorization, rest: CompletionFields { token } } = body;
    let address = address.0;
    let complete = service::CompleteMagicLink { token, authorization, address };
    Ok(web::Json(service.sign_in.complete_magic_link_sign_in(complete).await?.into()))
}
