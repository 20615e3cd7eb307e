//! The signed-in user, as they see themselves.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use domain::SessionId;
use domain::email::Email;
use domain::password::Password;
use serde::{Deserialize, Serialize};
use service::{PasswordChange, SecondFactorChange, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{Account, PageParameters};
use super::answer::List;
use super::sessions::Session;
use super::users::User;
use crate::extract::{Authenticated, Ids, JsonBody, Listing, given, nullable};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    MeProblems = [READ];
    ListProblems = [SECURED] + InvalidInput;
    EndProblems = [READ];
    PasswordProblems = [READ, BODY, LIMITED];
    SecondFactorProblems = [READ, BODY, LIMITED] + BreakGlassRequired;
}

/// Registers the operations on the signed-in user.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(get_me)
        .service(list_my_sessions)
        .service(delete_my_session)
        .service(change_my_password)
        .service(change_my_second_factor);
}

/// The signed-in user with their account and session.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// User that the token was issued to.
    user: User,
    /// Account that the user belongs to.
    account: Account,
    /// Session that this token belongs to.
    session: Session,
}

impl From<service::Me> for Me {
    fn from(me: service::Me) -> Self {
        let user = User::from(me.user).in_session(me.session.method);
        Self { user, account: me.account.into(), session: me.session.into() }
    }
}

/// A password, and the one to put in its place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangePassword {
    /// Password that the user has now.
    #[schema(value_type = String, format = Password, max_length = 256)]
    current_password: Password,
    /// New password: 12 characters or more, hard to guess, and nothing of the user's own name, email or account.
    #[schema(value_type = String, format = Password, min_length = 12, max_length = 256)]
    new_password: Password,
}

/// Changes to the user's own second factor; null removes the recovery email.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "absent, null and a value are three different requests (RFC 7396)")]
struct ChangeSecondFactor {
    /// Second address for codes and links; may be outside the company's domain.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>, format = Email, example = "ann@home.example")]
    recovery_email: Option<Option<Email>>,
    /// Whether form login asks for a mailed code also where the account does not demand it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = bool, required = false)]
    require_email_mfa: Option<bool>,
    /// Password that the user has now.
    #[schema(value_type = String, format = Password, max_length = 256)]
    current_password: Password,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct MySessionPath {
    /// Identifier of the session.
    #[param(value_type = String, example = "ses_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    session_id: SessionId,
}

/// A list without a filter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFilter {}

/// Read who I am.
///
/// For any signed-in user.
#[utoipa::path(
    operation_id = "get_me", tag = "me", security(("access_token" = [])),
    responses((status = 200, description = "The caller, with roles and account", body = Me), MeProblems),
)]
#[get("/v1/me")]
async fn get_me(caller: Authenticated, service: web::Data<Service>) -> Result<web::Json<Me>, Problem> {
    Ok(web::Json(service.sessions.me(&caller.0).await?.into()))
}

/// List my sessions.
///
/// For any signed-in user: those of their own sessions that may still be used, the newest first.
#[utoipa::path(
    operation_id = "list_my_sessions", tag = "me", security(("access_token" = [])), params(PageParameters),
    responses((status = 200, description = "A page of sessions", body = List<Session>), ListProblems),
)]
#[get("/v1/me/sessions")]
async fn list_my_sessions(
    caller: Authenticated,
    listing: Listing<NoFilter>,
    service: web::Data<Service>,
) -> Result<web::Json<List<Session>>, Problem> {
    Ok(web::Json(List::page(service.sessions.list_my_sessions(&caller.0, &listing.page).await?)))
}

/// End one of my sessions.
///
/// For any signed-in user. Its tokens stop working at once.
#[utoipa::path(
    operation_id = "delete_my_session", tag = "me", security(("access_token" = [])), params(MySessionPath),
    responses((status = 204, description = "The session has ended"), EndProblems),
)]
#[delete("/v1/me/sessions/{session_id}")]
async fn delete_my_session(
    caller: Authenticated,
    path: Ids<MySessionPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    service.sessions.end_my_session(&caller.0, path.0.session_id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Change my password.
///
/// For any signed-in user who has one. Their other sessions end at once.
#[utoipa::path(
    operation_id = "change_my_password", tag = "me", security(("access_token" = [])), request_body = ChangePassword,
    responses((status = 204, description = "The password is changed"), PasswordProblems),
)]
#[post("/v1/me/password")]
async fn change_my_password(
    caller: Authenticated,
    body: JsonBody<ChangePassword>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let ChangePassword { current_password, new_password } = body.0;
    service.people.change_my_password(&caller.0, PasswordChange { current_password, new_password }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Change my second factor.
///
/// For any signed-in user who has a password.
#[utoipa::path(
    operation_id = "change_my_second_factor", tag = "me", security(("access_token" = [])),
    request_body = ChangeSecondFactor,
    responses((status = 200, description = "The caller, with roles and account", body = User), SecondFactorProblems),
)]
#[patch("/v1/me/second-factor")]
async fn change_my_second_factor(
    caller: Authenticated,
    body: JsonBody<ChangeSecondFactor>,
    service: web::Data<Service>,
) -> Result<web::Json<User>, Problem> {
    let ChangeSecondFactor { recovery_email, require_email_mfa, current_password } = body.0;
    let change = SecondFactorChange { recovery_email, require_email_mfa, current_password };
    Ok(web::Json(service.people.change_my_second_factor(&caller.0, change).await?.into()))
}
