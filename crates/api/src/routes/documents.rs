//! The document itself, and the browser for it.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, get, web};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::problem::catalogue::error_catalogue_page;
use crate::problem::documentation::problems;

problems! {
    DocumentProblems = [ANY];
}

/// The document as it is served.
pub struct OpenApiJson(pub String);

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_openapi);
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
    responses((status = 200, description = "The OpenAPI document as JSON", body = Object, content_type = "application/json"), DocumentProblems),
)]
#[get("/openapi.json")]
async fn get_openapi(document: web::Data<OpenApiJson>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.0.clone())
}
