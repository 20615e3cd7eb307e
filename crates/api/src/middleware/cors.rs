//! Browsers of other origins (Fetch, section 3.2): an origin that any application registered may call the API with
//! credentials; no other, and never all.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderMap, HeaderValue, ORIGIN, VARY,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use service::Service;

/// Prefixes of paths that pages call; the others are for browsers to navigate to, or for programs.
const FOR_PAGES: [&str; 3] = ["/v1/", "/oauth/", "/.well-known/"];
const METHODS: &str = "GET, POST, PATCH, DELETE";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, X-Request-Id";
const RESPONSE_HEADERS: &str = "ETag, Location, Retry-After, X-Request-Id";
/// Seconds for which a browser need not ask again.
const PREFLIGHT_SECONDS: &str = "600";

/// Answers preflights, and lets registered origins read answers.
pub async fn cors(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !FOR_PAGES.iter().any(|prefix| request.path().starts_with(prefix)) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let allowed = allowed_origin(&request).await;
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_preflight && allowed.is_some() {
        let mut response = HttpResponse::NoContent().finish();
        allow_requests(response.headers_mut());
        request.into_response(response)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
    }
    Ok(response)
}

async fn allowed_origin(request: &ServiceRequest) -> Option<HeaderValue> {
    let origin = request.headers().get(ORIGIN)?.clone();
    let service = request.app_data::<web::Data<Service>>()?.clone();
    let is_registered = service.accounts.origin_is_registered(origin.to_str().ok()?).await;
    is_registered.then_some(origin)
}

fn allow_requests(headers: &mut HeaderMap) {
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_SECONDS));
}
