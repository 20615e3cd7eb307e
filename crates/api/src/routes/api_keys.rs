//! API keys for an account's own automation.

use actix_web::{HttpResponse, delete, get, post, web};
use domain::api_key::{ApiKey as DomainKey, ApiKeyScope, ApiKeyScopes};
use domain::text::Label;
use domain::{AccountId, ApiKeyId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{NewApiKey, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IdempotencyKeyParameter};
use super::answer::{List, created};
use super::names::ApiKeyScopeName;
use crate::extract::{Authenticated, Creation, Ids};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ReadProblems = [READ];
    CreateProblems = [READ, BODY] + TooManyApiKeys + IdempotencyKeyReused;
}

/// Registers the operations of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(create_api_key).service(list_api_keys).service(get_api_key).service(delete_api_key);
}

/// A key by which a program acts in an account.
#[derive(Debug, Serialize, ToSchema)]
struct ApiKey {
    /// Names it in the audit log.
    #[schema(value_type = String, example = "aky_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: ApiKeyId,
    /// Account that the key is of.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Purpose of the key, for people.
    #[schema(value_type = String, example = "HR import")]
    name: Label,
    /// Permissions of the key.
    #[schema(value_type = Vec<ApiKeyScopeName>)]
    scopes: ApiKeyScopes,
    /// First characters of the secret, to recognize it by.
    #[schema(example = "vak_x7Qa")]
    hint: String,
    /// Time at which it was made.
    created_at: Timestamp,
    /// Time from which on it does not work; null for one that works until it is revoked.
    expires_at: Option<Timestamp>,
    /// Time at which it was last used, to the hour.
    last_used_at: Option<Timestamp>,
}

impl From<DomainKey> for ApiKey {
    fn from(key: DomainKey) -> Self {
        let DomainKey { id, account_id, name, scopes, hint, digest: _, created_at, expires_at, last_used_at } = key;
        Self { id, account_id, name, scopes, hint, created_at, expires_at, last_used_at }
    }
}

/// A key that was made.
#[derive(Serialize, ToSchema)]
struct CreatedApiKey {
    /// The key itself. It is shown here and never again; null in the answer to a repeated request.
    #[schema(example = "vak_x7QaAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    secret: Option<String>,
    /// The key as stored, without its secret.
    api_key: ApiKey,
}

/// Properties of a new key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateApiKey {
    /// Purpose of the key, for people.
    #[schema(value_type = String, example = "HR import", max_length = 200)]
    name: Label,
    /// Permissions of the key. `users:write` does not reach owners.
    #[schema(value_type = Vec<ApiKeyScopeName>, min_items = 1)]
    scopes: std::collections::BTreeSet<ApiKeyScope>,
    /// Time from which on it does not work; left out for one that works until it is revoked.
    expires_at: Option<Timestamp>,
}

/// A key in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct ApiKeyPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Identifier of the key.
    #[param(value_type = String, example = "aky_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    api_key_id: ApiKeyId,
}

/// Create an API key.
///
/// For operators and owners; no key creates another one. It works from the account's allowed networks alone.
#[utoipa::path(
    operation_id = "create_api_key", tag = "api keys", security(("operator_key" = []), ("access_token" = [])),
    params(AccountPath, IdempotencyKeyParameter), request_body = CreateApiKey,
    responses(
        (status = 201, description = "The key that was created", body = CreatedApiKey, headers(
            ("Location" = String, description = "Path of the new resource"), ("ETag" = String, description = "Version, for `If-Match` of a change"),
        )),
        CreateProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/api-keys")]
async fn create_api_key(
    caller: Authenticated,
    path: Ids<AccountPath>,
    new: Creation<CreateApiKey>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account_id = path.0.account_id;
    let CreateApiKey { name, scopes, expires_at } = new.body;
    let key = NewApiKey { name, scopes, expires_at };
    let made = service.accounts.create_api_key(&caller.0, account_id, key, new.key.as_ref()).await?;
    let secret = made.resource.secret.map(|secret| secret.expose().to_owned());
    let api_key = ApiKey::from(made.resource.key);
    let (location, version) = (format!("/v1/accounts/{account_id}/api-keys/{}", api_key.id), api_key.created_at);
    Ok(created(location, version, made.replayed, &CreatedApiKey { secret, api_key }))
}

/// List API keys.
///
/// For operators, and for users of the account who hold a role: all keys of the account, expired ones too.
#[utoipa::path(
    operation_id = "list_api_keys", tag = "api keys", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath),
    responses((status = 200, description = "The keys as they are now", body = List<ApiKey>), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/api-keys")]
async fn list_api_keys(
    caller: Authenticated,
    path: Ids<AccountPath>,
    service: web::Data<Service>,
) -> Result<web::Json<List<ApiKey>>, Problem> {
    Ok(web::Json(List::whole(service.accounts.list_api_keys(&caller.0, path.0.account_id).await?)))
}

/// Read an API key.
///
/// For operators, and for users of the account who hold a role: what is kept of it.
#[utoipa::path(
    operation_id = "get_api_key", tag = "api keys", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(ApiKeyPath),
    responses((status = 200, description = "The key as it is now", body = ApiKey), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/api-keys/{api_key_id}")]
async fn get_api_key(
    caller: Authenticated,
    path: Ids<ApiKeyPath>,
    service: web::Data<Service>,
) -> Result<web::Json<ApiKey>, Problem> {
    Ok(web::Json(service.accounts.get_api_key(&caller.0, path.0.account_id, path.0.api_key_id).await?.into()))
}

/// Revoke an API key.
///
/// For operators and owners. It stops working at once and is gone; the audit log keeps what it did.
#[utoipa::path(
    operation_id = "delete_api_key", tag = "api keys", security(("operator_key" = []), ("access_token" = [])),
    params(ApiKeyPath),
    responses((status = 204, description = "The key is gone"), ReadProblems),
)]
#[delete("/v1/accounts/{account_id}/api-keys/{api_key_id}")]
async fn delete_api_key(
    caller: Authenticated,
    path: Ids<ApiKeyPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    service.accounts.delete_api_key(&caller.0, path.0.account_id, path.0.api_key_id).await?;
    Ok(HttpResponse::NoContent().finish())
}
