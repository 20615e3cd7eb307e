//! Operations of the page that the link of an invitation opens (E2).

use actix_web::{post, web};
use domain::account::AccountName;
use domain::password::Password;
use domain::portal::Portal;
use domain::text::Label;
use domain::username::Username;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::Service;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::names::PortalName;
use crate::extract::{ClientAddress, Discovery, JsonBody, Limited};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    LinkProblems = [ANY, LIMITED, BODY] + LinkInvalid + LinkUsed + LinkReplaced + LinkExpired + InvitationAccepted
        + InvitationRevoked + InvitationExpired + PasswordResetUnsupported;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(inspect_invitation).service(accept_invitation);
}

/// Token that the mailed link carries.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InspectInvitation {
    /// The token in the fragment of the mailed link.
    #[schema(format = Password)]
    token: String,
}

/// An invitation that may be accepted.
#[derive(Debug, Serialize, ToSchema)]
struct OpenInvitation {
    /// Handle of the account that the person is invited to.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// Name of the account that people read.
    #[schema(value_type = String, example = "Acme Ltd")]
    account_display_name: Label,
    /// Portal that the person is invited to.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Username that the invited person will sign in with.
    #[schema(value_type = String, example = "ann@acme.example")]
    username: Username,
    /// Name of the person that people read.
    #[schema(value_type = Option<String>, example = "Ann")]
    display_name: Option<Label>,
    /// Time until which it may be accepted.
    expires_at: Timestamp,
    /// Whether accepting makes them a break-glass user, who signs in by password and not through SSO: say so on
    /// the page.
    break_glass: bool,
}

impl From<service::OpenInvitation> for OpenInvitation {
    fn from(open: service::OpenInvitation) -> Self {
        let service::OpenInvitation { account_name, account_display_name, portal, username, .. } = open;
        let (display_name, expires_at, break_glass) = (open.display_name, open.expires_at, open.break_glass);
        Self { account_name, account_display_name, portal, username, display_name, expires_at, break_glass }
    }
}

/// Body that accepts an invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptInvitation {
    /// The token in the fragment of the mailed link.
    #[schema(format = Password)]
    token: String,
    /// The password to sign in with: 12 characters or more, hard to guess, and nothing of the user's own name, email or
    /// account.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 256)]
    password: Password,
}

/// Facts that lead on to the first sign-in.
#[derive(Debug, Serialize, ToSchema)]
struct AcceptedInvitation {
    /// Name of the account, to sign in with.
    #[schema(value_type = String, example = "acme")]
    account_name: AccountName,
    /// The portal to sign in to.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Username to sign in with.
    #[schema(value_type = String, example = "ann@acme.example")]
    username: Username,
    /// Whether they are a break-glass user now, who gets in by password whatever happens to SSO.
    break_glass: bool,
}

impl From<service::AcceptedInvitation> for AcceptedInvitation {
    fn from(accepted: service::AcceptedInvitation) -> Self {
        let service::AcceptedInvitation { account_name, portal, username, break_glass } = accepted;
        Self { account_name, portal, username, break_glass }
    }
}

/// Inspect an invitation.
///
/// For the page that the mailed link leads to: what to show before a password is asked for. Uses nothing up.
#[utoipa::path(
    operation_id = "inspect_invitation", tag = "sign-in", security(()), request_body = InspectInvitation,
    responses((status = 200, description = "The invitation may be accepted", body = OpenInvitation), LinkProblems),
)]
#[post("/v1/invitations/inspect")]
async fn inspect_invitation(
    _: Limited<Discovery>,
    body: JsonBody<InspectInvitation>,
    service: web::Data<Service>,
) -> Result<web::Json<OpenInvitation>, Problem> {
    Ok(web::Json(service.people.inspect_invitation(&body.0.token).await?.into()))
}

/// Accept an invitation.
///
/// Sets the password and uses the link up. The user is not signed in by it: lead on to the login page.
#[utoipa::path(
    operation_id = "accept_invitation", tag = "sign-in", security(()), request_body = AcceptInvitation,
    responses((status = 200, description = "The user may sign in", body = AcceptedInvitation), LinkProblems),
)]
#[post("/v1/invitations/accept")]
async fn accept_invitation(
    _: Limited<Discovery>,
    address: ClientAddress,
    body: JsonBody<AcceptInvitation>,
    service: web::Data<Service>,
) -> Result<web::Json<AcceptedInvitation>, Problem> {
    let AcceptInvitation { token, password } = body.0;
    Ok(web::Json(service.people.accept_invitation(&token, password, address.0).await?.into()))
}
