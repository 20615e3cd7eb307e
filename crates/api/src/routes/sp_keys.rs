//! The service provider's own keys and certificate, of each connection (C6).

use actix_web::http::header::{CONTENT_DISPOSITION, LOCATION};
use actix_web::{HttpResponse, get, post, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::SpKeyId;
use domain::sso::sp_key::SpKeyRecord;
use jiff::Timestamp;
use serde::Serialize;
use service::{Code, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::answer::List;
use super::saml_connections::ConnectionPath;
use crate::extract::{Authenticated, Ids};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ReadProblems = [READ];
    RotateProblems = [READ];
}

/// Characters of a line of PEM (RFC 7468, section 2).
const PEM_LINE: usize = 64;
/// The media type of PEM certificates (RFC 8555, section 9.1).
const PEM_MEDIA_TYPE: &str = "application/pem-certificate-chain";

/// Registers the operations on SP keys.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(get_sp_certificate).service(list_sp_keys).service(rotate_sp_key);
}

/// A key pair that signs requests and decrypts assertions.
#[derive(Debug, Serialize, ToSchema)]
struct SpKey {
    /// Permanent identifier of the key.
    #[schema(value_type = String, example = "spk_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: SpKeyId,
    /// The certificate to give to the identity provider.
    certificate_pem: String,
    /// Time at which the key was made.
    created_at: Timestamp,
    /// Time at which the key stops decrypting; null for the current one, which alone signs.
    retires_at: Option<Timestamp>,
}

impl From<SpKeyRecord> for SpKey {
    fn from(key: SpKeyRecord) -> Self {
        let certificate_pem = pem(&key.certificate_der);
        Self { id: key.id, certificate_pem, created_at: key.created_at, retires_at: key.retires_at }
    }
}

/// A certificate as text (RFC 7468, section 5).
fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut lines = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in text.as_bytes().chunks(PEM_LINE) {
        lines.extend(line.iter().copied().map(char::from));
        lines.push('\n');
    }
    lines + "-----END CERTIFICATE-----\n"
}

/// Download the SP certificate.
///
/// For operators, and for users of the account who hold a role. The current one, in PEM; an identity provider
/// checks signed requests with it, and encrypts assertions to it.
#[utoipa::path(
    operation_id = "get_sp_certificate", tag = "saml connections",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(ConnectionPath),
    responses(
        (status = 200, description = "The certificate as it is now", body = String, content_type = "application/pem-certificate-chain"),
        ReadProblems,
    ),
)]
#[get("/v1/accounts/{account_id}/saml-connections/{connection_id}/sp-certificate")]
async fn get_sp_certificate(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let ConnectionPath { account_id, connection_id } = path.0;
    let keys = service.connections.list_sp_keys(&caller.0, account_id, connection_id).await?;
    let current = keys.first().ok_or_else(|| Problem::new(Code::NotFound))?;
    let disposition = format!("attachment; filename=\"{connection_id}.pem\"");
    let mut answer = HttpResponse::Ok();
    answer.content_type(PEM_MEDIA_TYPE).insert_header((CONTENT_DISPOSITION, disposition));
    Ok(answer.body(pem(&current.certificate_der)))
}

/// List SP keys.
///
/// For operators, and for users of the account who hold a role. Those that still decrypt, the current one first; the
/// list is always whole.
#[utoipa::path(
    operation_id = "list_sp_keys", tag = "saml connections", security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(ConnectionPath),
    responses((status = 200, description = "The keys as they are now", body = List<SpKey>), ReadProblems),
)]
#[get("/v1/accounts/{account_id}/saml-connections/{connection_id}/sp-keys")]
async fn list_sp_keys(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    service: web::Data<Service>,
) -> Result<web::Json<List<SpKey>>, Problem> {
    let ConnectionPath { account_id, connection_id } = path.0;
    Ok(web::Json(List::whole(service.connections.list_sp_keys(&caller.0, account_id, connection_id).await?)))
}

/// Rotate the SP key.
///
/// For operators and owners. The new key signs from now on; the earlier ones still decrypt for 30 days, time to give
/// the new certificate to the identity provider.
#[utoipa::path(
    operation_id = "rotate_sp_key", tag = "saml connections", security(("operator_key" = []), ("access_token" = [])),
    params(ConnectionPath),
    responses(
        (status = 201, description = "The new key that was created", body = SpKey,
            headers(("Location" = String, description = "The list that it is in"))),
        RotateProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/saml-connections/{connection_id}/sp-keys")]
async fn rotate_sp_key(
    caller: Authenticated,
    path: Ids<ConnectionPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let ConnectionPath { account_id, connection_id } = path.0;
    let key = service.connections.rotate_sp_key(&caller.0, account_id, connection_id).await?;
    let location = format!("/v1/accounts/{account_id}/saml-connections/{connection_id}/sp-keys");
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(SpKey::from(key)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves C6: the download is PEM as every tool reads it.
    #[test]
    fn a_certificate_is_written_in_lines_of_64_characters() {
        let text = pem(&[7; 60]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[1].len(), lines[2].len()), ("-----BEGIN CERTIFICATE-----", 64, 16));
        assert_eq!(lines[3], "-----END CERTIFICATE-----");
    }
}
