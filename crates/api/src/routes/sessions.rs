//! Sessions: who is signed in (I3).

use actix_web::{HttpResponse, delete, get, web};
use domain::portal::Portal;
use domain::session::Session as DomainSession;
use domain::user::SignInMethod;
use domain::{AccountId, ApplicationId, SessionId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{Service, SessionFilter};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, PageParameters};
use super::answer::List;
use super::names::{PortalName, SignInMethodName};
use crate::extract::{Authenticated, Ids, Listing, flag};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ] + InvalidInput;
    EndProblems = [READ];
}

/// Registers the operations on sessions.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(list_sessions).service(delete_session);
}

/// A signed-in user in one frontend.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    /// Permanent identifier of the session; the `sid` claim of its tokens.
    #[schema(value_type = String, example = "ses_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: SessionId,
    /// Account that the user belongs to.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// User who is signed in.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    user_id: UserId,
    /// Frontend that holds the session.
    #[schema(value_type = String, example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    application_id: ApplicationId,
    /// Portal that the session is for.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Method by which the user signed in.
    #[schema(value_type = SignInMethodName)]
    method: SignInMethod,
    /// Time at which the user authenticated.
    authenticated_at: Timestamp,
    /// Role values that the identity provider sent for a `self_service` user (C4).
    external_roles: Vec<String>,
    /// Time at which the session began.
    created_at: Timestamp,
    /// Time at which tokens were last issued for the session.
    refreshed_at: Timestamp,
    /// Time at which the session ends, whatever is refreshed.
    expires_at: Timestamp,
    /// Time at which the session was ended early; null where it was not.
    ended_at: Option<Timestamp>,
    /// Reason why the session was ended early.
    #[schema(example = "ended_by_user")]
    end_reason: Option<&'static str>,
}

impl From<DomainSession> for Session {
    fn from(session: DomainSession) -> Self {
        Self {
            id: session.id,
            account_id: session.account_id,
            user_id: session.user_id,
            application_id: session.application_id,
            portal: session.portal,
            method: session.method,
            authenticated_at: session.auth_time,
            external_roles: session.external_roles,
            created_at: session.created_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
            ended_at: session.ended.map(|(at, _)| at),
            end_reason: session.ended.map(|(_, reason)| reason.as_str()),
        }
    }
}

/// A session in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct SessionPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Identifier of the session.
    #[param(value_type = String, example = "ses_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    session_id: SessionId,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SessionsQuery {
    /// User whose sessions are listed; all where it is left out.
    #[param(value_type = Option<String>)]
    user_id: Option<UserId>,
    /// Frontend of the sessions listed; all where it is left out.
    #[param(value_type = Option<String>)]
    application_id: Option<ApplicationId>,
    /// Whether only sessions that may still be used are listed. Default false.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = Option<bool>)]
    live: bool,
}

/// List sessions.
///
/// For operators, and for users of the account who hold a role. The newest first.
#[utoipa::path(
    operation_id = "list_sessions", tag = "sessions", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, SessionsQuery, PageParameters),
    responses((status = 200, description = "A page of sessions", body = List<Session>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/sessions")]
async fn list_sessions(
    caller: Authenticated,
    path: Ids<AccountPath>,
    listing: Listing<SessionsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<Session>>, Problem> {
    let SessionsQuery { user_id, application_id, live } = listing.filter;
    let filter = SessionFilter { user_id, application_id, live_at: live.then(|| service.now()) };
    let sessions = service.sessions.list_sessions(&caller.0, path.0.account_id, &filter, &listing.page).await?;
    Ok(web::Json(List::page(sessions)))
}

/// End a session.
///
/// For operators and owners. Its tokens stop working at once. One that has ended already stays as it ended.
#[utoipa::path(
    operation_id = "delete_session", tag = "sessions", security(("operator_key" = []), ("access_token" = [])),
    params(SessionPath),
    responses((status = 204, description = "The session has ended"), EndProblems),
)]
#[delete("/v1/accounts/{account_id}/sessions/{session_id}")]
async fn delete_session(
    caller: Authenticated,
    path: Ids<SessionPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    service.sessions.end_session(&caller.0, path.0.account_id, path.0.session_id).await?;
    Ok(HttpResponse::NoContent().finish())
}
