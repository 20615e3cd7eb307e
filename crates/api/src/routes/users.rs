//! Users and their roles (A2, A3).

use actix_web::{HttpResponse, delete, get, patch, post, web};
use domain::email::Email;
use domain::invitation::{InvitationState, InvitationSummary};
use domain::portal::Portal;
use domain::role::{Role, RoleAssignments, RoleSet};
use domain::text::Label;
use domain::user::{SignInMethod, User as DomainUser, UserStatus};
use domain::username::Username;
use domain::{AccountId, InvitationId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{NewUser, Service, UserFilter, UserPatch, UserView, Versioned};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IdempotencyKeyParameter, IfMatchParameter, PageParameters};
use super::answer::{List, created, versioned};
use super::names::{InvitationStateName, PortalName, RoleName, SignInMethodName, UserStatusName};
use crate::extract::{Authenticated, Creation, Ids, IfMatch, JsonBody, Listing, given, nullable};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ] + InvalidInput;
    ReadProblems = [READ];
    CreateProblems = [READ, BODY] + UsernameTaken + SsoMultipleUsernames + IdempotencyKeyReused;
    UpdateProblems = [READ, BODY] + UsernameTaken + SsoMultipleUsernames + UserArchived + BreakGlassRequired + PreconditionFailed;
    DeleteProblems = [READ] + BreakGlassRequired + PreconditionFailed;
}

/// Registers the operations on users.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(create_user).service(list_users).service(get_user).service(update_user).service(delete_user);
}

/// A person in one portal of an account.
#[derive(Debug, Serialize, ToSchema)]
pub struct User {
    /// Permanent identifier of the user.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: UserId,
    /// Account that the user belongs to.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Portal whose directory holds the user.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Name that the user signs in with; unique per account and portal, without regard to case.
    #[schema(value_type = String, example = "ann@acme.example")]
    username: Username,
    /// Address that mail to the user goes to.
    #[schema(value_type = Option<String>, example = "ann@acme.example")]
    email: Option<Email>,
    /// Name of the user for display.
    #[schema(value_type = Option<String>, example = "Ann")]
    display_name: Option<Label>,
    /// Second address, for the second factor and recovery; may be outside the company's domain.
    #[schema(value_type = Option<String>, example = "ann@home.example")]
    recovery_email: Option<Email>,
    /// Whether they get in by form login whatever happens to SSO; they never sign in through SSO.
    break_glass: bool,
    /// Whether form login asks them for a mailed code also where the account does not demand it.
    require_email_mfa: bool,
    /// Whether they keep form login, or in the `self_service` portal magic links, where SSO is required.
    exempt: bool,
    /// Current status of the user.
    #[schema(value_type = UserStatusName)]
    status: UserStatus,
    /// Roles of the user, by their source.
    roles: Roles,
    /// The last sign-in; null where there was none.
    last_sign_in: Option<LastSignIn>,
    /// Invitation of the user, in lists; left out for users that an identity provider brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    invitation: Option<InvitationOfUser>,
    /// Time at which the user was added.
    created_at: Timestamp,
    /// Time of the last change.
    updated_at: Timestamp,
}

/// Roles by where they came from (C4).
#[derive(Debug, Serialize, ToSchema)]
struct Roles {
    /// Roles given by an owner or operator.
    #[schema(value_type = Vec<RoleName>)]
    assigned: RoleSet,
    /// Roles set anew by every verified assertion; they count only in sessions that began with SAML.
    #[schema(value_type = Vec<RoleName>)]
    saml: RoleSet,
    /// Roles that count: both together, and in `GET /v1/me` those that count in this session.
    #[schema(value_type = Vec<RoleName>)]
    effective: RoleSet,
}

impl From<RoleAssignments> for Roles {
    fn from(roles: RoleAssignments) -> Self {
        let effective = roles.all();
        Self { assigned: roles.assigned, saml: roles.saml, effective }
    }
}

impl User {
    /// Limits the effective roles to those that count in a session which began by this method.
    pub fn in_session(mut self, method: SignInMethod) -> Self {
        if method != SignInMethod::Saml {
            self.roles.effective.clone_from(&self.roles.assigned);
        }
        self
    }
}

/// Time and method of a user's last sign-in.
#[derive(Debug, Serialize, ToSchema)]
struct LastSignIn {
    /// Time of the last sign-in.
    at: Timestamp,
    /// Method of the last sign-in.
    #[schema(value_type = SignInMethodName)]
    method: SignInMethod,
}

impl From<DomainUser> for User {
    fn from(user: DomainUser) -> Self {
        Self {
            id: user.id,
            account_id: user.account_id,
            portal: user.portal,
            username: user.username,
            email: user.email,
            display_name: user.display_name,
            recovery_email: user.recovery_email,
            break_glass: user.break_glass,
            require_email_mfa: user.require_email_mfa,
            exempt: user.exempt,
            status: user.status,
            roles: user.roles.into(),
            last_sign_in: user.last_sign_in.map(|last| LastSignIn { at: last.at, method: last.method }),
            invitation: None,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}

/// The invitation of a user, as far as a list shows it (E3).
#[derive(Debug, Serialize, ToSchema)]
struct InvitationOfUser {
    /// Identifier of the invitation.
    #[schema(value_type = String, example = "inv_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: InvitationId,
    /// Current state of the invitation.
    #[schema(value_type = InvitationStateName)]
    state: InvitationState,
    /// Time at which the user was invited.
    invited_at: Timestamp,
    /// Time of the last mail; null while the invitation is staged.
    mailed_at: Option<Timestamp>,
    /// Time from which the invitation can no longer be accepted.
    expires_at: Option<Timestamp>,
}

impl From<UserView> for User {
    fn from(view: UserView) -> Self {
        let invitation = view.invitation.map(|(invitation, state)| {
            let InvitationSummary { id, invited_at, mailed_at, expires_at, .. } = invitation;
            InvitationOfUser { id, state, invited_at, mailed_at, expires_at }
        });
        Self { invitation, ..view.user.into() }
    }
}

/// Properties of a user to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// Portal whose directory the user joins.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Name that the user signs in with; need not be their email.
    #[schema(value_type = String, example = "ann@acme.example", max_length = 254)]
    username: Username,
    /// Address that mail to the user goes to.
    #[schema(value_type = Option<String>, format = Email, example = "ann@acme.example")]
    email: Option<Email>,
    /// Name of the user for display.
    #[schema(value_type = Option<String>, example = "Ann", max_length = 200)]
    display_name: Option<Label>,
    /// Assigned roles; for the `admin` portal alone.
    #[serde(default)]
    #[schema(value_type = Vec<RoleName>, required = false)]
    roles: RoleSet,
}

impl From<CreateUser> for NewUser {
    fn from(new: CreateUser) -> Self {
        let CreateUser { portal, username, email, display_name, roles } = new;
        Self { portal, username, email, display_name, roles }
    }
}

/// Changes to a user; null removes an email, recovery email or display name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a value are three different requests (RFC 7396)")]
struct UpdateUser {
    /// New username, unique per account and portal.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, max_length = 254)]
    username: Option<Username>,
    /// New email address; null removes it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, format = Email)]
    email: Option<Option<Email>>,
    /// New display name; null removes it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, max_length = 200)]
    display_name: Option<Option<Label>>,
    /// New status: `active`, or `inactive`, which ends their sessions at once.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = UserStatusName, required = false)]
    status: Option<UserStatus>,
    /// All assigned roles; they replace the present ones.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Vec<RoleName>, required = false)]
    roles: Option<RoleSet>,
    /// New recovery email; null removes it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, format = Email)]
    recovery_email: Option<Option<Email>>,
    /// Whether they are a break-glass user. An active owner with a password can be one, and the last one stays one.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    break_glass: Option<bool>,
    /// Whether form login asks them for a mailed code also where the account does not demand it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    require_email_mfa: Option<bool>,
    /// Whether they keep form login, or in the `self_service` portal magic links, where SSO is required, such as a
    /// user that the identity provider does not know. For operators and owners.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    exempt: Option<bool>,
}

impl From<UpdateUser> for UserPatch {
    fn from(patch: UpdateUser) -> Self {
        let UpdateUser { username, email, display_name, status, roles, recovery_email, .. } = patch;
        let UpdateUser { break_glass, require_email_mfa, exempt, .. } = patch;
        Self { username, email, display_name, status, roles, recovery_email, break_glass, require_email_mfa, exempt }
    }
}

/// A user in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct UserPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Identifier of the user.
    #[param(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    user_id: UserId,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct UsersQuery {
    /// Portal whose users are listed; all where it is left out.
    #[param(value_type = Option<PortalName>)]
    portal: Option<Portal>,
    /// Status of the users listed; where it is left out, archived users are left out too.
    #[param(value_type = Option<UserStatusName>)]
    status: Option<UserStatus>,
    /// Role that the listed users hold, from either source.
    #[param(value_type = Option<RoleName>)]
    role: Option<Role>,
    /// A part of the username, email or display name, without regard to case.
    q: Option<String>,
}

/// Create a user.
///
/// For operators and owners. The user is `invited` until their first sign-in.
#[utoipa::path(
    operation_id = "create_user", tag = "users", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, IdempotencyKeyParameter), request_body = CreateUser,
    responses(
        (status = 201, description = "The user that was created", body = User, headers(
            ("Location" = String, description = "Path of the new resource"), ("ETag" = String, description = "Version, for `If-Match` of a change"),
        )),
        CreateProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/users")]
async fn create_user(
    caller: Authenticated,
    path: Ids<AccountPath>,
    new: Creation<CreateUser>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account_id = path.0.account_id;
    let user = service.people.create_user(&caller.0, account_id, new.body.into(), new.key.as_ref()).await?;
    let location = format!("/v1/accounts/{account_id}/users/{}", user.resource.id);
    Ok(created(location, user.resource.updated_at, user.replayed, &User::from(user.resource)))
}

/// List users.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "list_users", tag = "users", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, UsersQuery, PageParameters),
    responses((status = 200, description = "A page of users", body = List<User>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/users")]
async fn list_users(
    caller: Authenticated,
    path: Ids<AccountPath>,
    listing: Listing<UsersQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<User>>, Problem> {
    let UsersQuery { portal, status, role, q } = listing.filter;
    let filter = UserFilter { portal, status, role, search: q };
    let users = service.people.list_users(&caller.0, path.0.account_id, &filter, &listing.page).await?;
    Ok(web::Json(List::page(users)))
}

/// Read a user.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "get_user", tag = "users", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(UserPath),
    responses(
        (status = 200, description = "The user as it is now", body = User, headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ReadProblems,
    ),
)]
#[get("/v1/accounts/{account_id}/users/{user_id}")]
async fn get_user(
    caller: Authenticated,
    path: Ids<UserPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let user = service.people.get_user(&caller.0, path.0.account_id, path.0.user_id).await?;
    Ok(versioned(user.updated_at, &User::from(user)))
}

/// Change a user.
///
/// For operators and owners. `roles` sets the assigned roles; the ones from SAML stay. Deactivation ends the user's
/// sessions. A change that would leave the account without a break-glass user is refused.
#[utoipa::path(
    operation_id = "update_user", tag = "users", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(UserPath, IfMatchParameter), request_body = UpdateUser,
    responses(
        (status = 200, description = "The user as it is now", body = User, headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        UpdateProblems,
    ),
)]
#[patch("/v1/accounts/{account_id}/users/{user_id}")]
async fn update_user(
    caller: Authenticated,
    path: Ids<UserPath>,
    seen: IfMatch,
    change: JsonBody<UpdateUser>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.user_id, seen: seen.0 };
    let user = service.people.update_user(&caller.0, path.0.account_id, target, change.0.into()).await?;
    Ok(versioned(user.updated_at, &User::from(user)))
}

/// Delete a user.
///
/// For operators and owners. Their sessions end; the audit log keeps what they did. The last break-glass user stays.
#[utoipa::path(
    operation_id = "delete_user", tag = "users", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(UserPath, IfMatchParameter),
    responses((status = 204, description = "The user is gone"), DeleteProblems),
)]
#[delete("/v1/accounts/{account_id}/users/{user_id}")]
async fn delete_user(
    caller: Authenticated,
    path: Ids<UserPath>,
    seen: IfMatch,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.user_id, seen: seen.0 };
    service.people.delete_user(&caller.0, path.0.account_id, target).await?;
    Ok(HttpResponse::NoContent().finish())
}
