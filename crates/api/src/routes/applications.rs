//! Applications of an account: its registered frontends.

use actix_web::{HttpResponse, delete, get, patch, post, web};
use domain::application::{
    Application as DomainApplication, ApplicationSettings as DomainSettings, Origin, RedirectUri, RefreshDelivery,
};
use domain::portal::Portal;
use domain::text::Label;
use domain::{AccountId, ApplicationId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{ApplicationFilter, ApplicationPatch, NewApplication, Service, Versioned};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IdempotencyKeyParameter, IfMatchParameter, PageParameters};
use super::answer::{List, created, versioned};
use super::merged::bodies;
use super::names::{PortalName, RefreshDeliveryName};
use crate::extract::{Authenticated, Creation, Ids, IfMatch, JsonBody, Listing, Members};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ] + InvalidInput;
    ReadProblems = [READ];
    CreateProblems = [READ, BODY] + IdempotencyKeyReused;
    UpdateProblems = [READ, BODY] + PreconditionFailed;
    DeleteProblems = [READ] + PreconditionFailed;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_application)
        .service(list_applications)
        .service(get_application)
        .service(update_application)
        .service(delete_application);
}

/// A registered frontend of one portal: an OAuth public client.
#[derive(Debug, Serialize, ToSchema)]
pub struct Application {
    /// Names it for good; its `client_id`.
    #[schema(value_type = String, example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: ApplicationId,
    /// Account that it is of; null for one that all accounts share.
    #[schema(value_type = Option<String>, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: Option<AccountId>,
    /// Portal that it is the frontend of.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Name that administrators read.
    #[schema(value_type = String, example = "Admin console")]
    name: Label,
    #[serde(flatten)]
    #[schema(value_type = ApplicationSettings)]
    settings: DomainSettings,
    /// Whether sign-ins that begin elsewhere go to it, and mails lead to its pages; one per portal.
    is_default: bool,
    /// Time at which it was registered.
    created_at: Timestamp,
    /// Time at which it last changed.
    updated_at: Timestamp,
}

impl From<DomainApplication> for Application {
    fn from(application: DomainApplication) -> Self {
        Self {
            id: application.id,
            account_id: application.account_id,
            portal: application.portal,
            name: application.name,
            settings: application.settings,
            is_default: application.is_default,
            created_at: application.created_at,
            updated_at: application.updated_at,
        }
    }
}

/// Settings of an application.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema of the domain's settings, which are sent as they are")]
struct ApplicationSettings {
    /// URIs that codes may go to, compared exactly: 1 to 20 absolute https URLs (http for this very machine alone).
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 20, example = json!(["https://app.example.com/callback"]))]
    redirect_uris: Vec<RedirectUri>,
    /// Browser origins that may call the API: at most 20.
    #[schema(value_type = Vec<String>, max_items = 20, example = json!(["https://app.example.com"]))]
    allowed_origins: Vec<Origin>,
    /// URI that a sign-in which begins elsewhere is sent to (OpenID Connect Core, section 4). The default application
    /// needs one.
    #[schema(value_type = Option<String>, example = "https://app.example.com/login")]
    initiate_login_uri: Option<RedirectUri>,
    /// Lifetimes of tokens and sessions.
    lifetimes: Lifetimes,
    /// Way in which refresh tokens travel.
    #[schema(value_type = RefreshDeliveryName)]
    refresh_delivery: RefreshDelivery,
    /// The pages that mails lead to.
    pages: Pages,
}

/// Lifetimes of tokens and sessions, in seconds. A member that is left out stays, or has its default in a new application.
#[expect(clippy::struct_field_names, reason = "the unit belongs to the name")]
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a schema alone")]
struct Lifetimes {
    /// Seconds until an access token expires.
    #[schema(minimum = 60, maximum = 3600, default = 600, required = false)]
    access_token_seconds: u32,
    /// Seconds until an unused refresh token expires.
    #[schema(minimum = 300, maximum = 2_592_000, default = 7200, required = false)]
    idle_seconds: u32,
    /// Seconds until the session ends, whatever is refreshed.
    #[schema(minimum = 300, maximum = 2_592_000, default = 43200, required = false)]
    session_seconds: u32,
}

/// The pages of the frontend that mails lead to: absolute https URLs (http for this very machine alone). A link to one
/// carries its one-time token in the fragment, as `#token=…`; the page posts it to this API.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "a schema alone")]
struct Pages {
    /// Page on which an invited user sets a password.
    #[schema(value_type = Option<String>, example = "https://app.example.com/accept-invitation")]
    accept_invitation: Option<RedirectUri>,
    /// Page on which a user sets a new password.
    #[schema(value_type = Option<String>, example = "https://app.example.com/reset-password")]
    reset_password: Option<RedirectUri>,
    /// Page on which a magic link signs in.
    #[schema(value_type = Option<String>, example = "https://app.example.com/magic-link")]
    magic_link: Option<RedirectUri>,
    /// Page on which users begin to sign in.
    #[schema(value_type = Option<String>, example = "https://app.example.com/login")]
    login: Option<RedirectUri>,
}

/// Members that an application is created with, beside its settings.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a schema alone")]
struct NewApplicationMembers {
    /// Portal that it is the frontend of.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Name that administrators read.
    #[schema(value_type = String, example = "Admin console", max_length = 200)]
    name: Label,
    /// URIs that codes may go to, compared exactly: 1 to 20 absolute https URLs (http for this very machine alone).
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 20, example = json!(["https://app.example.com/callback"]))]
    redirect_uris: Vec<RedirectUri>,
    /// Way in which refresh tokens travel; `json` where it is left out or null.
    #[schema(value_type = Option<RefreshDeliveryName>)]
    refresh_delivery: Option<RefreshDelivery>,
    /// Whether sign-ins that begin elsewhere go to it, and mails lead to its pages.
    #[schema(required = false)]
    is_default: bool,
}

/// Members of an application that change beside its settings.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a schema alone")]
struct ChangedApplicationMembers {
    /// New name, if it changes.
    #[schema(value_type = String, required = false, max_length = 200)]
    name: Label,
    /// Whether sign-ins that begin elsewhere go to it, and mails lead to its pages.
    #[schema(required = false)]
    is_default: bool,
}

bodies! {
    merge_patch:
    /// Properties of a new application. Each setting that is left out has its default.
    CreateApplication = ApplicationSettings, NewApplicationMembers;
    /// Properties of an application to change; what is left out stays, null removes an optional value.
    UpdateApplication = ApplicationSettings, ChangedApplicationMembers;
}

/// Reads the properties of a new application.
pub(super) fn new_application(mut body: Members) -> Result<NewApplication, Problem> {
    Ok(NewApplication {
        portal: body.required("portal")?,
        name: body.required("name")?,
        is_default: body.take("is_default")?.unwrap_or_default(),
        settings: body.without_null("refresh_delivery").into_patch(),
    })
}

/// An application in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct ApplicationPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Identifier of the application.
    #[param(value_type = String, example = "app_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    application_id: ApplicationId,
}

/// Applications that are listed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ApplicationsQuery {
    /// Only those of this portal.
    #[param(value_type = Option<PortalName>)]
    pub portal: Option<Portal>,
}

/// Register an application.
///
/// For operators and owners. Its id is the `client_id` that the frontend sends.
#[utoipa::path(
    operation_id = "create_application", tag = "applications", security(("operator_key" = []), ("access_token" = [])),
    params(AccountPath, IdempotencyKeyParameter), request_body = CreateApplication,
    responses(
        (status = 201, description = "The application that was created", body = Application, headers(
            ("Location" = String, description = "Path of the new resource"), ("ETag" = String, description = "Version, for `If-Match` of a change"),
        )),
        CreateProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/applications")]
async fn create_application(
    caller: Authenticated,
    path: Ids<AccountPath>,
    new: Creation<Members>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account_id = path.0.account_id;
    let made = service
        .accounts
        .create_application(&caller.0, Some(account_id), new_application(new.body)?, new.key.as_ref())
        .await?;
    let location = format!("/v1/accounts/{account_id}/applications/{}", made.resource.id);
    Ok(created(location, made.resource.updated_at, made.replayed, &Application::from(made.resource)))
}

/// List applications.
///
/// For operators, and for users of the account who hold a role. Shared applications are not among them.
#[utoipa::path(
    operation_id = "list_applications", tag = "applications", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, ApplicationsQuery, PageParameters),
    responses((status = 200, description = "A page of applications", body = List<Application>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/applications")]
async fn list_applications(
    caller: Authenticated,
    path: Ids<AccountPath>,
    listing: Listing<ApplicationsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<Application>>, Problem> {
    let filter = ApplicationFilter { portal: listing.filter.portal };
    let found = service.accounts.list_applications(&caller.0, Some(path.0.account_id), &filter, &listing.page).await?;
    Ok(web::Json(List::page(found)))
}

/// Read an application.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "get_application", tag = "applications", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(ApplicationPath),
    responses(
        (status = 200, description = "The application as it is now", body = Application,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ReadProblems,
    ),
)]
#[get("/v1/accounts/{account_id}/applications/{application_id}")]
async fn get_application(
    caller: Authenticated,
    path: Ids<ApplicationPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let ApplicationPath { account_id, application_id } = path.0;
    let found = service.accounts.get_application(&caller.0, Some(account_id), application_id).await?;
    Ok(versioned(found.updated_at, &Application::from(found)))
}

/// Change an application.
///
/// For operators and owners. What is left out stays; each list is replaced as a whole.
#[utoipa::path(
    operation_id = "update_application", tag = "applications", security(("operator_key" = []), ("access_token" = [])),
    params(ApplicationPath, IfMatchParameter), request_body = UpdateApplication,
    responses(
        (status = 200, description = "The application as it is now", body = Application,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        UpdateProblems,
    ),
)]
#[patch("/v1/accounts/{account_id}/applications/{application_id}")]
async fn update_application(
    caller: Authenticated,
    path: Ids<ApplicationPath>,
    seen: IfMatch,
    change: JsonBody<Members>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let ApplicationPath { account_id, application_id } = path.0;
    change_application(&service, &caller, Some(account_id), Versioned { id: application_id, seen: seen.0 }, change.0)
        .await
}

/// Changes an application of an account, or a shared one.
pub(super) async fn change_application(
    service: &Service,
    caller: &Authenticated,
    owner: Option<AccountId>,
    target: Versioned<ApplicationId>,
    mut body: Members,
) -> Result<HttpResponse, Problem> {
    let patch = ApplicationPatch {
        name: body.take("name")?,
        is_default: body.take("is_default")?,
        settings: body.into_patch(),
    };
    let changed = service.accounts.update_application(&caller.0, owner, target, patch).await?;
    Ok(versioned(changed.updated_at, &Application::from(changed)))
}

/// Remove an application.
///
/// For operators and owners. Its sessions end.
#[utoipa::path(
    operation_id = "delete_application", tag = "applications", security(("operator_key" = []), ("access_token" = [])),
    params(ApplicationPath, IfMatchParameter),
    responses((status = 204, description = "The application is gone"), DeleteProblems),
)]
#[delete("/v1/accounts/{account_id}/applications/{application_id}")]
async fn delete_application(
    caller: Authenticated,
    path: Ids<ApplicationPath>,
    seen: IfMatch,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let ApplicationPath { account_id, application_id } = path.0;
    let target = Versioned { id: application_id, seen: seen.0 };
    service.accounts.delete_application(&caller.0, Some(account_id), target).await?;
    Ok(HttpResponse::NoContent().finish())
}
