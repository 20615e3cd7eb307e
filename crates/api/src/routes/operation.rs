//! Keys and health: for operators, monitors and verifiers of tokens.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, get, post, web};
use serde::Serialize;
use service::Service;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::extract::Authenticated;
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    RotationProblems = [SECURED];
    JwksProblems = [ANY];
    LivenessProblems = [ANY];
    ReadinessProblems = [ANY];
}

/// Time for which a verifier may keep the keys: much less than the hour for which a new key is published before it
/// signs (I1).
const JWKS_CACHE_CONTROL: &str = "public, max-age=300";

/// Registers the operations on keys and health.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(rotate_signing_keys).service(get_jwks).service(get_liveness).service(get_readiness);
}

/// Health of the service.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Status of the service: always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// A JSON Web Key Set (RFC 7517, section 5).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form of a documentation; the set comes as it was stored")]
struct JwkSet {
    /// The public keys as JSON Web Keys.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<serde_json::Value>,
}

/// Rotate the signing keys.
///
/// For operators. Publishes a new key at once; it signs access tokens an hour later, when every verifier knows it.
#[utoipa::path(
    operation_id = "rotate_signing_keys", tag = "operation", security(("operator_key" = [])),
    responses((status = 202, description = "The new key is published"), RotationProblems),
)]
#[post("/v1/signing-keys/rotations")]
async fn rotate_signing_keys(caller: Authenticated, service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    service.sessions.request_signing_key_rotation(&caller.0).await?;
    Ok(HttpResponse::Accepted().finish())
}

/// Read the JSON Web Key Set.
///
/// The public keys of access tokens (RFC 7517).
#[utoipa::path(
    operation_id = "get_jwks", tag = "oauth", security(()),
    responses((status = 200, description = "The keys as they are now", body = JwkSet), JwksProblems),
)]
#[get("/.well-known/jwks.json")]
async fn get_jwks(service: web::Data<Service>) -> Result<HttpResponse, Problem> {
    let keys = service.sessions.jwks().await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, JWKS_CACHE_CONTROL)).json(keys))
}

/// Read whether the process lives.
///
/// Looks at nothing else; for an orchestrator that restarts what hangs.
#[utoipa::path(
    operation_id = "get_liveness", tag = "operation", security(()),
    responses((status = 200, description = "The process is alive", body = Health), LivenessProblems),
)]
#[get("/healthz")]
async fn get_liveness() -> web::Json<Health> {
    web::Json(Health { status: "ok" })
}

/// Read whether the service can serve.
///
/// Looks whether the database answers; for a load balancer.
#[utoipa::path(
    operation_id = "get_readiness", tag = "operation", security(()),
    responses((status = 200, description = "The service can answer requests", body = Health), ReadinessProblems),
)]
#[get("/readyz")]
async fn get_readiness(service: web::Data<Service>) -> Result<web::Json<Health>, Problem> {
    service.installation.ready().await?;
    Ok(web::Json(Health { status: "ok" }))
}
