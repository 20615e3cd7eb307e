//! Headers that keep browsers careful. A handler that sets one itself knows better.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;
use actix_web::web;
use service::Service;

/// Answers are data: they load nothing and are shown in no frame.
const POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// The API browser runs its own scripts and styles, and calls this API.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                           img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
                           form-action 'none'";
/// Prefix of the API browser's paths.
const DOCS: &str = "/docs/";

/// Sets each header that a handler did not.
pub async fn security_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let policy = if request.path().starts_with(DOCS) { DOCS_POLICY } else { POLICY };
    let is_secure =
        request.app_data::<web::Data<Service>>().is_some_and(|service| service.settings().base_url.scheme() == "https");
    let mut response = next.call(request).await?;
    let mut set = |name: HeaderName, value: &'static str| {
        if !response.headers().contains_key(&name) {
            response.headers_mut().insert(name, HeaderValue::from_static(value));
        }
    };
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    set(CONTENT_SECURITY_POLICY, policy);
    set(CACHE_CONTROL, "no-store");
    if is_secure {
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    Ok(response)
}
