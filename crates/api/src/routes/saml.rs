//! SAML endpoints at which identity providers and the browsers they send arrive (C1, C8, C10). Outside `/v1`: these
//! paths stand in other people's settings and outlive API versions.

use std::net::IpAddr;

use actix_web::http::header::{ContentType, LOCATION};
use actix_web::{HttpRequest, HttpResponse, get, post, web};
use domain::sso::connection::SpHash;
use serde::Deserialize;
use service::{AcsAnswer, Arrival, Code, Error, PostedResponse, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::test_sign_ins::tested_page;
use crate::extract::{Acs, AcsForm, ClientAddress, Discovery, Ids, Limited, Parameters, flag};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    MetadataProblems = [ANY, LIMITED] + NotFound + InvalidInput + SamlResponseRefused + SsoAccountNotConfigured;
    AcsProblems = [ANY, LIMITED] + SamlResponseRefused + SsoAccountNotConfigured + SsoEmailNotConfigured
        + SsoMultipleUsernames + LoginIncorrectCredentials + SessionExpired + NoRole + NoDefaultApplication + NotFound
        + InvalidBody + InvalidInput + PayloadTooLarge + UnsupportedMediaType;
    LoginProblems = [ANY, LIMITED] + NotFound + SsoAccountNotConfigured + NoDefaultApplication;
}

/// The media type of SAML metadata (SAML metadata, appendix A).
const METADATA_MEDIA_TYPE: &str = "application/samlmetadata+xml";

/// Pattern of paths that resemble one of those here: other case, slashes where none belong, more behind it.
/// Administrators type and shorten Reply URLs at their identity provider, and must find out which part is wrong.
const RESEMBLING: &str = "/{resembling:/*(?i:saml)/+.+}";

/// Registers the SAML endpoints of a portal.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_sp_metadata).service(consume_saml_response).service(begin_saml_sign_in);
}

/// Registers the paths that resemble the operations, after all of them.
pub fn register_resembling(config: &mut ServiceConfig<'_>) {
    config.route(RESEMBLING, web::post().to(take_response));
    config.route(RESEMBLING, web::get().to(give_metadata));
}

/// A portal in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
struct SamlPath {
    /// The hash of the account and portal.
    #[param(example = "0123456789abcdef0123")]
    hash: String,
}

impl SamlPath {
    fn sp_hash(&self) -> Result<SpHash, Problem> {
        self.hash.parse().map_err(|_| Problem::new(Code::NotFound))
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct MetadataQuery {
    /// Whether the metadata is signed with the portal's key. Default false.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = Option<bool>)]
    signed: bool,
    /// SAML response by GET; refused and written down, because responses come by POST.
    #[serde(rename = "SAMLResponse")]
    #[param(rename = "SAMLResponse")]
    saml_response: Option<String>,
    /// Artifact of the artifact binding; refused likewise.
    #[serde(rename = "SAMLart")]
    #[param(rename = "SAMLart")]
    artifact: Option<String>,
    /// The handle that comes with either.
    #[serde(rename = "RelayState")]
    #[param(rename = "RelayState")]
    relay_state: Option<String>,
}

/// Path that a browser came to, with its address.
struct Came {
    sp_hash: Option<SpHash>,
    path: String,
    address: IpAddr,
}

impl Came {
    fn at(request: &HttpRequest, address: &ClientAddress) -> Self {
        let path = request.path().to_owned();
        Self { sp_hash: resembled(&path), path, address: address.0 }
    }

    fn response(self, arrival: Arrival, saml_response: String, relay_state: Option<String>) -> PostedResponse {
        let Self { sp_hash, path, address } = self;
        PostedResponse { sp_hash, path, arrival, saml_response, relay_state, address }
    }
}

/// The hash in a path, or in one that resembles it.
fn resembled(path: &str) -> Option<SpHash> {
    segments(path).nth(1)?.to_ascii_lowercase().parse().ok()
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !segment.is_empty())
}

/// The form of the SAML POST binding (bindings, section 3.5.4).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form of a documentation; `AcsForm` reads it")]
struct SamlResponseForm {
    /// The response, in base64.
    #[schema(rename = "SAMLResponse")]
    saml_response: String,
    /// The handle that came with the request.
    #[schema(rename = "RelayState")]
    relay_state: Option<String>,
}

/// Read SP metadata.
///
/// The document that an identity provider imports (SAML metadata, section 2.4.4). The URL is the entity id. A
/// response that comes here by GET is refused as at the ACS, and its attempt says what to change at the identity
/// provider.
#[utoipa::path(
    operation_id = "get_sp_metadata", tag = "saml", security(()), params(SamlPath, MetadataQuery),
    responses(
        (status = 200, description = "The metadata of the service provider", body = String, content_type = "application/samlmetadata+xml"),
        (status = 303, description = "A response came by GET: to the frontend, with an error",
            headers(("Location" = String, description = "The redirect URI, with its parameters"))),
        MetadataProblems,
    ),
)]
#[get("/saml/{hash}")]
async fn get_sp_metadata(
    limited: Limited<Discovery>,
    request: HttpRequest,
    address: ClientAddress,
    query: Parameters<MetadataQuery>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    give_metadata(limited, request, address, query, service).await
}

async fn give_metadata(
    _: Limited<Discovery>,
    request: HttpRequest,
    address: ClientAddress,
    query: Parameters<MetadataQuery>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let MetadataQuery { signed, saml_response, artifact, relay_state } = query.0;
    let came = Came::at(&request, &address);
    if let Some(response) = saml_response.or(artifact) {
        return consumed(&service, came.response(Arrival::Query, response, relay_state)).await;
    }
    let hash = came.sp_hash.filter(|_| segments(&came.path).count() == 2);
    let metadata = service.connections.sp_metadata(&hash.ok_or_else(|| Problem::new(Code::NotFound))?, signed).await?;
    Ok(HttpResponse::Ok().content_type(METADATA_MEDIA_TYPE).body(metadata))
}

/// Take a SAML response.
///
/// The Reply URL (ACS). Where the response belongs to a sign-in that a frontend began, the browser is redirected to
/// it with a code or an error, never with a token. Where it belongs to a test, a page says how that went. Where no
/// frontend is known, there is a short answer: a page for a browser, a problem for others.
#[utoipa::path(
    operation_id = "consume_saml_response", tag = "saml", security(()), params(SamlPath),
    request_body(content = SamlResponseForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A test sign-in: a page that says how it went", body = String, content_type = "text/html"),
        (status = 303, description = "Redirects back to the frontend", headers(("Location" = String, description = "The redirect URI, with its parameters"))),
        AcsProblems,
    ),
)]
#[post("/saml/{hash}")]
async fn consume_saml_response(
    limited: Limited<Acs>,
    request: HttpRequest,
    address: ClientAddress,
    form: AcsForm,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    take_response(limited, request, address, form, service).await
}

async fn take_response(
    _: Limited<Acs>,
    request: HttpRequest,
    address: ClientAddress,
    form: AcsForm,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let AcsForm { saml_response, relay_state } = form;
    consumed(&service, Came::at(&request, &address).response(Arrival::Form, saml_response, relay_state)).await
}

async fn consumed(service: &Service, posted: PostedResponse) -> Result<HttpResponse, Problem> {
    match service.sign_in.consume_response(posted).await? {
        AcsAnswer::Redirect(url) => Ok(HttpResponse::SeeOther().insert_header((LOCATION, url)).finish()),
        AcsAnswer::Tested { attempt_id, refused } => {
            Ok(HttpResponse::Ok().content_type(ContentType::html()).body(tested_page(attempt_id, refused.is_none())))
        }
        AcsAnswer::Refused { code, attempt_id } => Err(Error::new(code).with_attempt(attempt_id).into()),
    }
}

/// Begin a sign-in from a plain link.
///
/// The SAML login URL (C8): redirects to the `initiate_login_uri` of the portal's default application, which begins a
/// sign-in (OpenID Connect Core, section 4).
#[utoipa::path(
    operation_id = "begin_saml_sign_in", tag = "saml", security(()), params(SamlPath),
    responses(
        (status = 302, description = "Redirects to the login page", headers(("Location" = String, description = "The frontend's login page, with parameters"))),
        LoginProblems,
    ),
)]
#[get("/saml/{hash}/login")]
async fn begin_saml_sign_in(
    _: Limited<Discovery>,
    path: Ids<SamlPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let url = service.sign_in.begin_at_application(&path.0.sp_hash()?).await?;
    Ok(HttpResponse::Found().insert_header((LOCATION, url)).finish())
}
