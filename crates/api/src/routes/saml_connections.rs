//! SAML connections (C1 to C9).

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, patch, post, web};
use domain::portal::Portal;
use domain::sso::connection::{ConnectionSettings, SsoMode};
use domain::{AccountId, ConnectionId};
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::ports::MetadataBytes;
use service::{
    CertificateWarning as Warning, Code, ConnectionView, EnableReport, Error, ImportReport, MetadataImport,
    MetadataInput, NewConnection, Service, SharedEmailReport, Versioned,
};
use url::Url;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IdempotencyKeyParameter, IfMatchParameter};
use super::answer::{List, created, versioned};
use super::names::{PortalName, SsoModeName};
use super::saml_connection_settings::{CreateSamlConnection, SamlConnectionSettings, UpdateSamlConnection};
use crate::extract::{
    Authenticated, Creation, Ids, IfMatch, JsonBody, METADATA_MAX_BYTES, Members, Parameters, charset, exactly_one,
    given, media_type, parse_json, read_body,
};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ReadProblems = [READ];
    CreateProblems = [READ, BODY] + ConnectionExists + IdempotencyKeyReused;
    UpdateProblems = [READ, BODY] + ConnectionIncomplete + PreconditionFailed;
    DeleteProblems = [READ] + ConnectionEnabled + PreconditionFailed;
    EnableProblems = [READ] + ConnectionIncomplete + PreconditionFailed;
    DisableProblems = [READ] + SsoRequired + PreconditionFailed;
    ImportProblems = [READ, BODY] + MetadataUnavailable + PreconditionFailed;
}

/// Registers the operations on SAML connections.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_saml_connection)
        .service(list_saml_connections)
        .service(get_saml_connection)
        .service(update_saml_connection)
        .service(delete_saml_connection)
        .service(enable_saml_connection)
        .service(disable_saml_connection)
        .service(import_idp_metadata);
}

/// The trust between one portal of one account and one identity provider.
#[derive(Debug, Serialize, ToSchema)]
pub struct SamlConnection {
    /// Permanent identifier of the connection.
    #[schema(value_type = String, example = "conn_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: ConnectionId,
    /// Account that the connection belongs to.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Portal that the connection signs users in to.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Use of the connection by its portal.
    #[schema(value_type = SsoModeName)]
    mode: SsoMode,
    /// The entity id to enter at the identity provider; the same URL as the Reply URL.
    #[schema(example = "https://login.example.com/saml/0123456789abcdef0123")]
    entity_id: String,
    /// The Reply URL (ACS URL) to enter at the identity provider; also where the metadata is.
    #[schema(example = "https://login.example.com/saml/0123456789abcdef0123")]
    acs_url: String,
    /// A plain link that starts a sign-in (C8).
    #[schema(example = "https://login.example.com/saml/0123456789abcdef0123/login")]
    saml_login_url: String,
    #[serde(flatten)]
    #[schema(value_type = SamlConnectionSettings)]
    settings: ConnectionSettings,
    /// Settings that are missing before the connection can be enabled.
    missing: Vec<String>,
    /// Certificates that have expired or soon will.
    certificate_warnings: Vec<CertificateWarning>,
    /// Time at which the connection was created.
    created_at: Timestamp,
    /// Time of the last change.
    updated_at: Timestamp,
}

/// A certificate that has expired or soon will.
#[derive(Debug, Serialize, ToSchema)]
struct CertificateWarning {
    /// SHA-256 fingerprint of the certificate, in hexadecimal.
    sha256_fingerprint: String,
    /// Time until which it is valid.
    not_after: Timestamp,
    /// Description of the problem and its remedy.
    detail: String,
}

impl From<Warning> for CertificateWarning {
    fn from(warning: Warning) -> Self {
        let Warning { sha256_fingerprint, not_after, detail } = warning;
        Self { sha256_fingerprint, not_after, detail }
    }
}

impl From<ConnectionView> for SamlConnection {
    fn from(view: ConnectionView) -> Self {
        let connection = view.connection;
        Self {
            id: connection.id,
            account_id: connection.account_id,
            portal: connection.portal,
            mode: connection.mode,
            entity_id: view.acs_url.clone(),
            acs_url: view.acs_url,
            saml_login_url: view.login_url,
            settings: connection.settings,
            missing: view.missing,
            certificate_warnings: view.certificate_warnings.into_iter().map(CertificateWarning::from).collect(),
            created_at: connection.created_at,
            updated_at: connection.updated_at,
        }
    }
}

/// A connection that was enabled.
#[derive(Debug, Serialize, ToSchema)]
struct EnabledConnection {
    #[serde(flatten)]
    connection: SamlConnection,
    /// Emails that several active users share: none of them can use SSO until one is left (A2).
    shared_emails: Vec<SharedEmail>,
}

/// An email that several active users share.
#[derive(Debug, Serialize, ToSchema)]
struct SharedEmail {
    /// Email that the users share.
    email: String,
    /// Usernames of the users who share it.
    usernames: Vec<String>,
}

impl From<EnableReport> for EnabledConnection {
    fn from(report: EnableReport) -> Self {
        let shared = |SharedEmailReport { email, usernames }| SharedEmail { email, usernames };
        let shared_emails = report.shared_emails.into_iter().map(shared).collect();
        Self { connection: report.view.into(), shared_emails }
    }
}

/// A connection whose identity provider's metadata was imported.
#[derive(Debug, Serialize, ToSchema)]
struct ImportedConnection {
    #[serde(flatten)]
    connection: SamlConnection,
    /// Parts of the metadata that were not taken, each with the reason.
    ignored: Vec<String>,
}

impl From<ImportReport> for ImportedConnection {
    fn from(report: ImportReport) -> Self {
        Self { connection: report.view.into(), ignored: report.ignored }
    }
}

/// Source of IdP metadata: exactly one of `metadata_xml`, `metadata_url` and `refresh`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportIdpMetadata {
    /// The metadata document itself, as text.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    metadata_xml: Option<String>,
    /// URL that the metadata is fetched from, now and at each refresh; https.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    metadata_url: Option<Url>,
    /// Whether to fetch again from the URL used before; `true`, or left out.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<bool>)]
    refresh: Option<bool>,
    /// Entity id of the identity provider to take, where the document describes several; at a refresh the present
    /// one, unless another is named.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 1024)]
    entity_id: Option<String>,
}

impl TryFrom<ImportIdpMetadata> for MetadataImport {
    type Error = Problem;

    fn try_from(body: ImportIdpMetadata) -> Result<Self, Problem> {
        let ImportIdpMetadata { metadata_xml, metadata_url, refresh, entity_id } = body;
        let refresh = match refresh {
            Some(false) => return Err(Problem::invalid("/refresh", "must be true, or left out")),
            given => given.map(|_| MetadataInput::Refresh),
        };
        let sources = [
            ("/metadata_xml", metadata_xml.map(MetadataInput::Text)),
            ("/metadata_url", metadata_url.map(MetadataInput::Url)),
            ("/refresh", refresh),
        ];
        Ok(Self { source: exactly_one(sources)?, entity_id })
    }
}

/// Identity provider to take from a document that is sent as the body.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ChosenProvider {
    /// Its entity id; needed where the document describes several. A JSON body names it itself.
    #[param(max_length = 1024)]
    entity_id: Option<String>,
}

/// IdP metadata, described in JSON or sent as it is.
struct Metadata(MetadataImport);

impl FromRequest for Metadata {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        async move {
            let chosen = Parameters::<ChosenProvider>::extract(&request).await?.0;
            let body = read_body(&request, &mut payload, METADATA_MAX_BYTES).await?;
            match media_type(&request).as_str() {
                "application/json" if chosen.entity_id.is_none() => {
                    parse_json::<ImportIdpMetadata>(&body)?.try_into().map(Self)
                }
                "application/json" => Err(Problem::invalid("entity_id", "belongs into the body, beside metadata_xml")),
                "application/samlmetadata+xml" | "application/xml" | "text/xml" => {
                    let document = MetadataBytes { bytes: body.to_vec(), charset: charset(&request) };
                    let source = MetadataInput::Document(document);
                    Ok(Self(MetadataImport { source, entity_id: chosen.entity_id }))
                }
                _ => Err(unsupported()),
            }
        }
        .boxed_local()
    }
}

fn unsupported() -> Problem {
    let detail = "Send application/json, application/samlmetadata+xml, application/xml or text/xml";
    Error::new(Code::UnsupportedMediaType).with_detail(detail).into()
}

/// A connection in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ConnectionPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    pub account_id: AccountId,
    /// Identifier of the connection.
    #[param(value_type = String, example = "conn_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    pub connection_id: ConnectionId,
}

/// Create a SAML connection.
///
/// For operators and owners. It has its own entity id, Reply URL and key pair, and is `off` until it is enabled.
#[utoipa::path(
    operation_id = "create_saml_connection", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = [])), params(AccountPath, IdempotencyKeyParameter),
    request_body = CreateSamlConnection,
    responses(
        (status = 201, description = "The connection that was created", body = SamlConnection, headers(
            ("Location" = String, description = "Path of the new resource"), ("ETag" = String, description = "Version, for `If-Match` of a change"),
        )),
        CreateProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/saml-connections")]
async fn create_saml_connection(
    caller: Authenticated,
    path: Ids<AccountPath>,
    mut new: Creation<Members>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account_id = path.0.account_id;
    let connection = NewConnection { portal: new.body.required("portal")?, settings: new.body.into_patch() };
    let made = service.connections.create_connection(&caller.0, account_id, connection, new.key.as_ref()).await?;
    let body = SamlConnection::from(made.resource);
    let location = format!("/v1/accounts/{account_id}/saml-connections/{}", body.id);
    Ok(created(location, body.updated_at, made.replayed, &body))
}

/// List SAML connections.
///
/// For operators, and for users of the account who hold a role. There is one per portal at most, so the list is always
/// whole.
#[utoipa::path(
    operation_id = "list_saml_connections", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(AccountPath),
    responses((status = 200, description = "The connections as they are now", body = List<SamlConnection>), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/saml-connections")]
async fn list_saml_connections(
    caller: Authenticated,
    path: Ids<AccountPath>,
    service: web::Data<Service>,
) -> Result<web::Json<List<SamlConnection>>, Problem> {
    Ok(web::Json(List::whole(service.connections.list_connections(&caller.0, path.0.account_id).await?)))
}

/// Read a SAML connection.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "get_saml_connection", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(ConnectionPath),
    responses(
        (status = 200, description = "The connection as it is now", body = SamlConnection,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ReadProblems,
    ),
)]
#[get("/v1/accounts/{account_id}/saml-connections/{connection_id}")]
async fn get_saml_connection(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let ConnectionPath { account_id, connection_id } = path.0;
    let body = SamlConnection::from(service.connections.get_connection(&caller.0, account_id, connection_id).await?);
    Ok(versioned(body.updated_at, &body))
}

/// Change a SAML connection.
///
/// For operators and owners. What is left out stays; lists and mappings are replaced as a whole. An enabled connection
/// cannot be made incomplete.
#[utoipa::path(
    operation_id = "update_saml_connection", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = [])), params(ConnectionPath, IfMatchParameter),
    request_body = UpdateSamlConnection,
    responses(
        (status = 200, description = "The connection as it is now", body = SamlConnection,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        UpdateProblems,
    ),
)]
#[patch("/v1/accounts/{account_id}/saml-connections/{connection_id}")]
async fn update_saml_connection(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    seen: IfMatch,
    change: JsonBody<Members>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.connection_id, seen: seen.0 };
    let view =
        service.connections.update_connection(&caller.0, path.0.account_id, target, change.0.into_patch()).await?;
    let body = SamlConnection::from(view);
    Ok(versioned(body.updated_at, &body))
}

/// Remove a SAML connection.
///
/// For operators and owners. An enabled one must be disabled first.
#[utoipa::path(
    operation_id = "delete_saml_connection", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = [])), params(ConnectionPath, IfMatchParameter),
    responses((status = 204, description = "The connection is gone"), DeleteProblems),
)]
#[delete("/v1/accounts/{account_id}/saml-connections/{connection_id}")]
async fn delete_saml_connection(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    seen: IfMatch,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.connection_id, seen: seen.0 };
    service.connections.delete_connection(&caller.0, path.0.account_id, target).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Enable a SAML connection.
///
/// For operators and owners. From now on people sign in through it; form login stays. The answer also lists the emails
/// that cannot use SSO because several users share them.
#[utoipa::path(
    operation_id = "enable_saml_connection", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = [])), params(ConnectionPath, IfMatchParameter),
    responses(
        (status = 200, description = "The connection as it is now", body = EnabledConnection,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        EnableProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/saml-connections/{connection_id}/enable")]
async fn enable_saml_connection(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    seen: IfMatch,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.connection_id, seen: seen.0 };
    let report = service.connections.enable_connection(&caller.0, path.0.account_id, target).await?;
    let body = EnabledConnection::from(report);
    Ok(versioned(body.connection.updated_at, &body))
}

/// Disable a SAML connection.
///
/// For operators and owners. From now on nothing goes through it; its settings stay. Where SSO is required, a migration
/// leads back.
#[utoipa::path(
    operation_id = "disable_saml_connection", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = [])), params(ConnectionPath, IfMatchParameter),
    responses(
        (status = 200, description = "The connection as it is now", body = SamlConnection,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        DisableProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/saml-connections/{connection_id}/disable")]
async fn disable_saml_connection(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    seen: IfMatch,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.connection_id, seen: seen.0 };
    let body =
        SamlConnection::from(service.connections.disable_connection(&caller.0, path.0.account_id, target).await?);
    Ok(versioned(body.updated_at, &body))
}

/// Import IdP metadata.
///
/// For operators and owners. Takes entity id, login URL, binding and certificates from the document; everything else
/// stays. Send JSON, or the document itself as the body, in any encoding that XML allows. At most 2 MiB.
#[utoipa::path(
    operation_id = "import_idp_metadata", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = [])), params(ConnectionPath, ChosenProvider, IfMatchParameter),
    request_body(content(
        (ImportIdpMetadata = "application/json"), (String = "application/samlmetadata+xml"),
        (String = "application/xml"), (String = "text/xml"),
    )),
    responses(
        (status = 200, description = "The connection as it is now", body = ImportedConnection,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ImportProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/saml-connections/{connection_id}/idp-metadata")]
async fn import_idp_metadata(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    seen: IfMatch,
    metadata: Metadata,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.connection_id, seen: seen.0 };
    let report = service.connections.import_idp_metadata(&caller.0, path.0.account_id, target, metadata.0).await?;
    let body = ImportedConnection::from(report);
    Ok(versioned(body.connection.updated_at, &body))
}
