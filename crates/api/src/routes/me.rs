//! The signed-in user, as they see themselves.

use actix_web::{HttpResponse, delete, get, web};
use domain::SessionId;
use serde::{Deserialize, Serialize};
use service::Service;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{Account, PageParameters};
use super::answer::List;
use super::sessions::Session;
use super::users::User;
use crate::extract::{Authenticated, Ids, Listing};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    MeProblems = [READ] + SessionExpired;
    ListProblems = [SECURED] + InvalidInput;
    EndProblems = [READ];
}

/// Registers the operations.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_me).service(list_my_sessions).service(delete_my_session);
}

/// Who somebody is.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The user.
    user: User,
    /// Their account.
    account: Account,
    /// The session of this very token.
    session: Session,
}

impl From<service::Me> for Me {
    fn from(me: service::Me) -> Self {
        Self { user: me.user.into(), account: me.account.into(), session: me.session.into() }
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct MySessionPath {
    /// The session.
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
    responses((status = 200, description = "The caller", body = Me), MeProblems),
)]
#[get("/v1/me")]
async fn get_me(caller: Authenticated, service: web::Data<Service>) -> Result<web::Json<Me>, Problem> {
    Ok(web::Json(service.me(&caller.0).await?.into()))
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
    Ok(web::Json(List::page(service.list_my_sessions(&caller.0, &listing.page).await?)))
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
    service.end_my_session(&caller.0, path.0.session_id).await?;
    Ok(HttpResponse::NoContent().finish())
}
