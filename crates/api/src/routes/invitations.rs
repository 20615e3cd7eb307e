//! Invitations into an account (E1 to E3).

use actix_web::{HttpResponse, get, post, web};
use domain::email::Email;
use domain::invitation::{AcceptBy, Invitation as DomainInvitation, InvitationEnd, InvitationState};
use domain::language::Language;
use domain::portal::Portal;
use domain::role::RoleSet;
use domain::text::Label;
use domain::user::SignInMethod;
use domain::username::Username;
use domain::{AccountId, InvitationBatchId, InvitationId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{InvitationView, InvitationsQuery, Invite, InviteOptions, Invitee, MailWishes, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IdempotencyKeyParameter, PageParameters};
use super::answer::{List, recorded};
use super::names::{AcceptByName, InvitationStateName, LanguageName, PortalName, RoleName, SignInMethodName};
use crate::extract::{Authenticated, Creation, Ids, JsonBody, Listing, optional_flag};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ] + InvalidInput;
    ReadProblems = [READ];
    CreateProblems = [READ, BODY] + AlreadyInvited + UsernameTaken + SsoMultipleUsernames + IdempotencyKeyReused
        + PageNotConfigured + NoDefaultApplication;
    ResendProblems = [READ, BODY, LIMITED] + InvitationAccepted + InvitationRevoked + UserInactive + PageNotConfigured
        + NoDefaultApplication + PreconditionFailed;
    RevokeProblems = [READ] + InvitationAccepted + InvitationRevoked + BreakGlassRequired + PreconditionFailed;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_invitation)
        .service(list_invitations)
        .service(get_invitation)
        .service(resend_invitation)
        .service(revoke_invitation);
}

/// An invitation of one user.
#[derive(Debug, Serialize, ToSchema)]
pub struct Invitation {
    /// Identifier of the invitation.
    #[schema(value_type = String, example = "inv_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: InvitationId,
    /// Account that the person is invited to.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Portal that the person is invited to.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// User who is invited. Gone once the invitation is revoked.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    user_id: UserId,
    /// The batch that it came in.
    #[schema(value_type = Option<String>, example = "inb_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    batch_id: Option<InvitationBatchId>,
    /// Username that they will sign in with.
    #[schema(value_type = String, example = "ann@acme.example")]
    username: Username,
    /// Address that its mail goes to.
    #[schema(value_type = Option<String>, example = "ann@acme.example")]
    email: Option<Email>,
    /// State of the invitation.
    #[schema(value_type = InvitationStateName)]
    state: InvitationState,
    /// The owner who invited; null for an operator.
    #[schema(value_type = Option<String>, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    invited_by: Option<UserId>,
    /// Time at which it was made.
    invited_at: Timestamp,
    /// Time at which it was last mailed; null while it is staged.
    mailed_at: Option<Timestamp>,
    /// Time from which on it cannot be accepted.
    expires_at: Option<Timestamp>,
    /// Number of times that it was mailed.
    sends: u32,
    /// Time at which it was accepted.
    accepted_at: Option<Timestamp>,
    /// Way of signing in that accepted it.
    #[schema(value_type = Option<SignInMethodName>)]
    accepted_method: Option<SignInMethod>,
    /// Time at which it was revoked.
    revoked_at: Option<Timestamp>,
}

impl From<InvitationView> for Invitation {
    fn from(InvitationView { invitation, state }: InvitationView) -> Self {
        let DomainInvitation { id, account_id, portal, user_id, batch_id, username, email, .. } = invitation;
        let (accepted, revoked_at) = match invitation.end {
            Some(InvitationEnd::Accepted(at, method)) => (Some((at, method)), None),
            Some(InvitationEnd::Revoked(at)) => (None, Some(at)),
            None => (None, None),
        };
        Self {
            id,
            account_id,
            portal,
            user_id,
            batch_id,
            username,
            email,
            state,
            invited_by: invitation.invited_by,
            invited_at: invitation.invited_at,
            mailed_at: invitation.mail.map(|mail| mail.mailed_at),
            expires_at: invitation.mail.map(|mail| mail.expires_at),
            sends: invitation.mail.map_or(0, |mail| mail.sends),
            accepted_at: accepted.map(|(at, _)| at),
            accepted_method: accepted.map(|(_, method)| method),
            revoked_at,
        }
    }
}

/// Person to invite, with their roles.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateInvitation {
    /// Portal that the person is invited to.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Their email; it becomes the username.
    #[schema(value_type = String, format = Email, example = "ann@acme.example")]
    email: Email,
    /// Name of the person that people read.
    #[schema(value_type = Option<String>, example = "Ann", max_length = 200)]
    display_name: Option<Label>,
    /// Assigned roles; for the `admin` portal alone.
    #[serde(default)]
    #[schema(value_type = Vec<RoleName>, required = false)]
    roles: RoleSet,
    /// Set up without a mail; resending sends it.
    #[serde(default)]
    #[schema(required = false)]
    staged: bool,
    /// The language of the mail.
    #[schema(value_type = Option<LanguageName>)]
    language: Option<Language>,
    /// Way in which they accept; where it is left out, through SSO if the portal has it enabled.
    #[schema(value_type = Option<AcceptByName>)]
    accept_by: Option<AcceptBy>,
}

impl From<CreateInvitation> for Invite {
    fn from(new: CreateInvitation) -> Self {
        let CreateInvitation { portal, email, display_name, roles, staged, language, accept_by } = new;
        let wishes = MailWishes { language, accept_by };
        Self { options: InviteOptions { portal, staged, wishes }, invitee: Invitee { email, display_name, roles } }
    }
}

/// Wishes for the next mail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResendInvitation {
    /// Language of the mail.
    #[schema(value_type = Option<LanguageName>)]
    language: Option<Language>,
    /// Way in which the person accepts; where it is left out, through SSO if the portal has it enabled.
    #[schema(value_type = Option<AcceptByName>)]
    accept_by: Option<AcceptBy>,
}

/// An invitation in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct InvitationPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Identifier of the invitation.
    #[param(value_type = String, example = "inv_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    invitation_id: InvitationId,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct InvitationFilter {
    /// Only invitations into this portal.
    #[param(value_type = Option<PortalName>)]
    portal: Option<Portal>,
    /// Only invitations in this state.
    #[param(value_type = Option<InvitationStateName>)]
    state: Option<InvitationState>,
    /// Only invitations that were never mailed (`true`), or that were (`false`).
    #[serde(default, deserialize_with = "optional_flag")]
    staged: Option<bool>,
    /// Only invitations of this batch.
    #[param(value_type = Option<String>, example = "inb_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    batch_id: Option<InvitationBatchId>,
    /// A part of the username, email or display name, without regard to case.
    q: Option<String>,
}

/// Invite a person.
///
/// For operators and owners. The user is `invited` until they accept. The mail goes out with the change: as a link
/// that sets a password, as the way to SSO, or as the way to the magic link.
#[utoipa::path(
    operation_id = "create_invitation", tag = "invitations", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, IdempotencyKeyParameter), request_body = CreateInvitation,
    responses(
        (status = 201, description = "The invitation that was created", body = Invitation, headers(
            ("Location" = String, description = "Path of the new resource"),
        )),
        CreateProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/invitations")]
async fn create_invitation(
    caller: Authenticated,
    path: Ids<AccountPath>,
    new: Creation<CreateInvitation>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account_id = path.0.account_id;
    let made = service.people.create_invitation(&caller.0, account_id, new.body.into(), new.key.as_ref()).await?;
    let location = format!("/v1/accounts/{account_id}/invitations/{}", made.resource.invitation.id);
    Ok(recorded(location, made.replayed, &Invitation::from(made.resource)))
}

/// List invitations.
///
/// The newest first. For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "list_invitations", tag = "invitations", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, InvitationFilter, PageParameters),
    responses((status = 200, description = "A page of invitations", body = List<Invitation>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/invitations")]
async fn list_invitations(
    caller: Authenticated,
    path: Ids<AccountPath>,
    listing: Listing<InvitationFilter>,
    service: web::Data<Service>,
) -> Result<web::Json<List<Invitation>>, Problem> {
    let InvitationFilter { portal, state, staged, batch_id, q } = listing.filter;
    let filter = InvitationsQuery { portal, state, staged, batch_id, search: q };
    let found = service.people.list_invitations(&caller.0, path.0.account_id, &filter, &listing.page).await?;
    Ok(web::Json(List::page(found)))
}

/// Read an invitation.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "get_invitation", tag = "invitations", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(InvitationPath),
    responses((status = 200, description = "The invitation as it is now", body = Invitation), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/invitations/{invitation_id}")]
async fn get_invitation(
    caller: Authenticated,
    path: Ids<InvitationPath>,
    service: web::Data<Service>,
) -> Result<web::Json<Invitation>, Problem> {
    let InvitationPath { account_id, invitation_id } = path.0;
    Ok(web::Json(service.people.get_invitation(&caller.0, account_id, invitation_id).await?.into()))
}

/// Resend an invitation.
///
/// For operators and owners. Mails a new link, to the email that the user has now; the older one stops working at once.
/// Mails a staged invitation for the first time. An expired one is pending again.
#[utoipa::path(
    operation_id = "resend_invitation", tag = "invitations", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(InvitationPath), request_body = ResendInvitation,
    responses((status = 200, description = "The invitation as it is now", body = Invitation), ResendProblems),
)]
#[post("/v1/accounts/{account_id}/invitations/{invitation_id}/resend")]
async fn resend_invitation(
    caller: Authenticated,
    path: Ids<InvitationPath>,
    body: JsonBody<ResendInvitation>,
    service: web::Data<Service>,
) -> Result<web::Json<Invitation>, Problem> {
    let InvitationPath { account_id, invitation_id } = path.0;
    let ResendInvitation { language, accept_by } = body.0;
    let wishes = MailWishes { language, accept_by };
    Ok(web::Json(service.people.resend_invitation(&caller.0, account_id, invitation_id, &wishes).await?.into()))
}

/// Revoke an invitation.
///
/// For operators and owners. Its link stops working at once. A user who never came in is removed, so that the same
/// person may be invited anew; the invitation stays as a record.
#[utoipa::path(
    operation_id = "revoke_invitation", tag = "invitations", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(InvitationPath),
    responses((status = 200, description = "The invitation as it is now", body = Invitation), RevokeProblems),
)]
#[post("/v1/accounts/{account_id}/invitations/{invitation_id}/revoke")]
async fn revoke_invitation(
    caller: Authenticated,
    path: Ids<InvitationPath>,
    service: web::Data<Service>,
) -> Result<web::Json<Invitation>, Problem> {
    let InvitationPath { account_id, invitation_id } = path.0;
    Ok(web::Json(service.people.revoke_invitation(&caller.0, account_id, invitation_id).await?.into()))
}
