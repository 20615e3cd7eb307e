//! Every request has a name, one line in the log and a place in the metrics. None of these ever holds a query, a
//! body, a cookie, credentials or a person's name: the route is logged as its pattern.

use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, web};
use service::Service;
use tracing::Instrument as _;

use crate::problem::{Form, Problem, respond};

/// Longest name of a request that is taken over from a proxy.
const REQUEST_ID_MAX: usize = 64;
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Prefix of the paths at which browsers arrive from identity providers.
const FOR_PEOPLE: &str = "/saml/";

/// The name of a request.
#[derive(Debug, Clone)]
pub struct RequestId(String);

impl RequestId {
    /// The name that a proxy gave, if it is a sane one, or a new one.
    fn of(request: &ServiceRequest) -> Self {
        let given = request.headers().get(&X_REQUEST_ID).and_then(|value| value.to_str().ok()).filter(|id| is_sane(id));
        let service = request.app_data::<web::Data<Service>>();
        let made = || service.map(|service| service.request_id()).unwrap_or_default();
        Self(given.map_or_else(made, str::to_owned))
    }
}

fn is_sane(id: &str) -> bool {
    (1..=REQUEST_ID_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// Names the request, lets it run, writes the body of a problem, and takes note.
pub async fn observe(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let id = RequestId::of(&request);
    let form = wanted_form(&request);
    let method = known_method(request.method());
    if request.method() == Method::HEAD {
        // The server sends no body for it; apart from that it is a GET (RFC 9110, section 9.3.2).
        request.head_mut().method = Method::GET;
    }
    let span = tracing::info_span!("request", method, request_id = id.0);
    let response = next.call(request).instrument(span.clone()).await?;
    let mut response = span.in_scope(|| finished(response.map_into_boxed_body(), &id, form));
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    span.in_scope(|| note(&response, method, started.elapsed()));
    Ok(response)
}

/// Writes a problem as its document; any other error becomes a problem first.
fn finished(response: ServiceResponse<BoxBody>, id: &RequestId, form: Form) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else { return response };
    let status = response.status();
    let problem = match error.as_error::<Problem>() {
        Some(problem) => respond(problem, &id.0, form),
        None => respond(&Problem::of_status(status), &id.0, form),
    };
    let kept = response.headers().clone();
    let mut response = response.into_response(problem);
    for (name, value) in kept {
        if !response.headers().contains_key(&name) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// Chooses the form of problems: a person in front of a browser gets a page.
fn wanted_form(request: &ServiceRequest) -> Form {
    if request.path().starts_with(FOR_PEOPLE) && prefers_html(request.headers()) { Form::Page } else { Form::Json }
}

fn prefers_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// Label of a method: from a closed list, because any client can make up methods.
fn known_method(method: &Method) -> &'static str {
    const KNOWN: [(Method, &str); 6] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
    ];
    KNOWN.iter().find(|(known, _)| known == method).map_or("OTHER", |(_, name)| name)
}

fn note(response: &ServiceResponse<BoxBody>, method: &'static str, duration: Duration) {
    let route = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let status = response.status();
    let labels = [("method", method.to_owned()), ("route", route.clone()), ("status", status.as_str().to_owned())];
    metrics::counter!("vestibule_http_requests_total", &labels).increment(1);
    let labels = [("method", method.to_owned()), ("route", route.clone())];
    metrics::histogram!("vestibule_http_request_duration_seconds", &labels).record(duration.as_secs_f64());
    let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if is_probe(&route) && status == StatusCode::OK {
        tracing::debug!(route, status = status.as_u16(), duration_ms, "answered");
    } else {
        tracing::info!(route, status = status.as_u16(), duration_ms, "answered");
    }
}

/// Whether this is a route that monitors ask every few seconds.
fn is_probe(route: &str) -> bool {
    matches!(route, "/healthz" | "/readyz")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves that a client cannot write into the log by naming a request.
    #[test]
    fn only_short_plain_request_ids_are_taken_over() {
        for good in ["a", "0f8fad5b-d9cb-469f-a165-70867728950e", "req_1.2"] {
            assert!(is_sane(good), "{good}");
        }
        for bad in ["", "a b", "a\"b", "ä", &"a".repeat(65)] {
            assert!(!is_sane(bad), "{bad}");
        }
    }
}
