//! Where identity providers and their browsers arrive (C1, C8, C10). Outside `/v1`: these paths stand in other people's
//! settings and outlive API versions.

use actix_web::http::header::{ContentType, LOCATION};
use actix_web::{HttpResponse, get, post, web};
use domain::sso::connection::SpHash;
use serde::Deserialize;
use service::{AcsAnswer, Code, Error, PostedResponse, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::test_sign_ins::tested_page;
use crate::extract::{Acs, AcsForm, ClientAddress, Discovery, Ids, Limited, Parameters, flag};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    MetadataProblems = [ANY, LIMITED] + NotFound + InvalidInput;
    AcsProblems = [ANY, LIMITED] + SamlResponseRefused + SsoAccountNotConfigured + SsoEmailNotConfigured
        + SsoMultipleUsernames + LoginIncorrectCredentials + SessionExpired + NoRole + NoDefaultApplication + NotFound
        + InvalidBody + InvalidInput + PayloadTooLarge + UnsupportedMediaType;
    LoginProblems = [ANY, LIMITED] + NotFound + SsoAccountNotConfigured + NoDefaultApplication;
}

/// The media type of SAML metadata (SAML metadata, appendix A).
const METADATA_MEDIA_TYPE: &str = "application/samlmetadata+xml";

/// Registers the operations.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_sp_metadata).service(consume_saml_response).service(begin_saml_sign_in);
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
    /// `true`: signed with the portal's key.
    #[serde(default, deserialize_with = "flag")]
    #[param(value_type = Option<bool>)]
    signed: bool,
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
/// What an identity provider imports (SAML metadata, section 2.4.4). The URL is the entity id.
#[utoipa::path(
    operation_id = "get_sp_metadata", tag = "saml", security(()), params(SamlPath, MetadataQuery),
    responses(
        (status = 200, description = "The metadata", body = String, content_type = "application/samlmetadata+xml"),
        MetadataProblems,
    ),
)]
#[get("/saml/{hash}")]
async fn get_sp_metadata(
    _: Limited<Discovery>,
    path: Ids<SamlPath>,
    query: Parameters<MetadataQuery>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let metadata = service.sp_metadata(&path.0.sp_hash()?, query.0.signed).await?;
    Ok(HttpResponse::Ok().content_type(METADATA_MEDIA_TYPE).body(metadata))
}

/// Take a SAML response.
///
/// The Reply URL (ACS). Where the response belongs to a sign-in that a frontend began, the browser is redirected to it
/// with a code or an error, never with a token. Where it belongs to a test, a page says how that went. Where no frontend is known, there is a short answer: a page for a
/// browser, a problem for others.
#[utoipa::path(
    operation_id = "consume_saml_response", tag = "saml", security(()), params(SamlPath),
    request_body(content = SamlResponseForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A test sign-in: a page that says how it went", body = String, content_type = "text/html"),
        (status = 303, description = "To the frontend", headers(("Location" = String, description = "The redirect URI"))),
        AcsProblems,
    ),
)]
#[post("/saml/{hash}")]
async fn consume_saml_response(
    _: Limited<Acs>,
    path: Ids<SamlPath>,
    address: ClientAddress,
    form: AcsForm,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let AcsForm { saml_response, relay_state } = form;
    let posted = PostedResponse { sp_hash: path.0.sp_hash()?, saml_response, relay_state, address: address.0 };
    match service.consume_response(posted).await? {
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
        (status = 302, description = "To the frontend", headers(("Location" = String, description = "Its login page"))),
        LoginProblems,
    ),
)]
#[get("/saml/{hash}/login")]
async fn begin_saml_sign_in(
    _: Limited<Discovery>,
    path: Ids<SamlPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let url = service.begin_at_application(&path.0.sp_hash()?).await?;
    Ok(HttpResponse::Found().insert_header((LOCATION, url)).finish())
}
