//! The document itself, the browser for it, and the numbers.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, get, web};
use service::Code;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::Problem;
use crate::problem::catalogue::error_catalogue_page;
use crate::problem::documentation::problems;
use crate::settings::RenderMetrics;

problems! {
    DocumentProblems = [ANY];
    MetricsProblems = [ANY] + RouteNotFound;
}

/// Prometheus' text format.
const METRICS_MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The document as it is served.
pub struct OpenApiJson(pub String);

/// Where metrics come from, if they are served here.
pub struct Metrics(pub Option<RenderMetrics>);

/// Registers the operations.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_openapi).service(get_metrics);
}

/// Registers the pages for people, which are no operations.
pub fn register_browser(config: &mut web::ServiceConfig) {
    config
        .route("/docs", web::get().to(to_browser))
        .route("/docs/errors", web::get().to(error_catalogue))
        .service(SwaggerUi::new("/docs/{_:.*}").config(Config::from("/openapi.json")));
}

async fn to_browser() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "docs/")).finish()
}

async fn error_catalogue() -> HttpResponse {
    HttpResponse::Ok().content_type("text/html; charset=utf-8").body(error_catalogue_page())
}

/// Read the OpenAPI document.
///
/// This document. `/docs/` is a browser for it.
#[utoipa::path(
    operation_id = "get_openapi", tag = "operation", security(()),
    responses((status = 200, description = "The document", body = Object, content_type = "application/json"), DocumentProblems),
)]
#[get("/openapi.json")]
async fn get_openapi(document: web::Data<OpenApiJson>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.0.clone())
}

/// Read metrics.
///
/// In Prometheus' text format. Not found where they are switched off or served at an address of their own.
#[utoipa::path(
    operation_id = "get_metrics", tag = "operation", security(()),
    responses((status = 200, description = "The metrics", body = String, content_type = "text/plain"), MetricsProblems),
)]
#[get("/metrics")]
async fn get_metrics(metrics: web::Data<Metrics>) -> Result<HttpResponse, Problem> {
    metrics_page(metrics).await
}

/// The metrics, if they are served here.
pub async fn metrics_page(metrics: web::Data<Metrics>) -> Result<HttpResponse, Problem> {
    let render = metrics.0.as_ref().ok_or_else(|| Problem::new(Code::RouteNotFound))?;
    Ok(HttpResponse::Ok().content_type(METRICS_MEDIA_TYPE).body(render()))
}
