//! Applications that all accounts share, such as one login page where people type their account name; for operators.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use domain::ApplicationId;
use serde::Deserialize;
use service::{ApplicationFilter, Service, Versioned};
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{IdempotencyKeyParameter, IfMatchParameter, PageParameters};
use super::answer::{List, created, versioned};
use super::applications::{
    Application, ApplicationsQuery, CreateApplication, UpdateApplication, change_application, new_application,
};
use crate::extract::{Authenticated, Creation, Ids, IfMatch, JsonBody, Listing, Members};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [SECURED] + InvalidInput;
    ReadProblems = [READ];
    CreateProblems = [SECURED, BODY] + IdempotencyKeyReused;
    UpdateProblems = [READ, BODY] + PreconditionFailed;
    DeleteProblems = [READ] + PreconditionFailed;
}

/// Registers the operations on shared applications.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_shared_application)
        .service(list_shared_applications)
        .service(get_shared_application)
        .service(update_shared_application)
        .service(delete_shared_application);
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct SharedApplicationPath {
    /// Identifier of the application.
    #[param(value_type = String, example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    application_id: ApplicationId,
}

/// Register a shared application.
///
/// For operators. People of every account may sign in with it.
#[utoipa::path(
    operation_id = "create_shared_application", tag = "shared applications", security(("operator_key" = [])),
    params(IdempotencyKeyParameter), request_body = CreateApplication,
    responses(
        (status = 201, description = "The application that was created", body = Application, headers(
            ("Location" = String, description = "Path of the new resource"), ("ETag" = String, description = "Version, for `If-Match` of a change"),
        )),
        CreateProblems,
    ),
)]
#[post("/v1/applications")]
async fn create_shared_application(
    caller: Authenticated,
    new: Creation<Members>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let made =
        service.accounts.create_application(&caller.0, None, new_application(new.body)?, new.key.as_ref()).await?;
    let location = format!("/v1/applications/{}", made.resource.id);
    Ok(created(location, made.resource.updated_at, made.replayed, &Application::from(made.resource)))
}

/// List shared applications.
///
/// Only operators may call this.
#[utoipa::path(
    operation_id = "list_shared_applications", tag = "shared applications", security(("operator_key" = [])),
    params(ApplicationsQuery, PageParameters),
    responses((status = 200, description = "A page of applications", body = List<Application>), ListProblems),
)]
#[get("/v1/applications")]
async fn list_shared_applications(
    caller: Authenticated,
    listing: Listing<ApplicationsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<Application>>, Problem> {
    let filter = ApplicationFilter { portal: listing.filter.portal };
    Ok(web::Json(List::page(service.accounts.list_applications(&caller.0, None, &filter, &listing.page).await?)))
}

/// Read a shared application.
///
/// Only operators may call this.
#[utoipa::path(
    operation_id = "get_shared_application", tag = "shared applications", security(("operator_key" = [])),
    params(SharedApplicationPath),
    responses(
        (status = 200, description = "The application as it is now", body = Application,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ReadProblems,
    ),
)]
#[get("/v1/applications/{application_id}")]
async fn get_shared_application(
    caller: Authenticated,
    path: Ids<SharedApplicationPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let found = service.accounts.get_application(&caller.0, None, path.0.application_id).await?;
    Ok(versioned(found.updated_at, &Application::from(found)))
}

/// Change a shared application.
///
/// For operators. What is left out stays; each list is replaced as a whole.
#[utoipa::path(
    operation_id = "update_shared_application", tag = "shared applications", security(("operator_key" = [])),
    params(SharedApplicationPath, IfMatchParameter), request_body = UpdateApplication,
    responses(
        (status = 200, description = "The application as it is now", body = Application,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        UpdateProblems,
    ),
)]
#[patch("/v1/applications/{application_id}")]
async fn update_shared_application(
    caller: Authenticated,
    path: Ids<SharedApplicationPath>,
    seen: IfMatch,
    change: JsonBody<Members>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    change_application(&service, &caller, None, Versioned { id: path.0.application_id, seen: seen.0 }, change.0).await
}

/// Remove a shared application.
///
/// For operators. Its sessions end.
#[utoipa::path(
    operation_id = "delete_shared_application", tag = "shared applications", security(("operator_key" = [])),
    params(SharedApplicationPath, IfMatchParameter),
    responses((status = 204, description = "The application is gone"), DeleteProblems),
)]
#[delete("/v1/applications/{application_id}")]
async fn delete_shared_application(
    caller: Authenticated,
    path: Ids<SharedApplicationPath>,
    seen: IfMatch,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.application_id, seen: seen.0 };
    service.accounts.delete_application(&caller.0, None, target).await?;
    Ok(HttpResponse::NoContent().finish())
}
