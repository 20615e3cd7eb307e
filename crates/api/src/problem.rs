//! Problems: what a caller gets instead of an answer (RFC 9457).
//!
//! A handler returns `Err(Problem)`; [`respond`] turns it into a response where the request's id is known, and logs its
//! causes, which never leave the process.

pub mod catalogue;
pub mod documentation;
mod page;
mod status;

use std::error::Error as StdError;
use std::fmt;

use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use service::{Code, Error, RETRY_AFTER_SECONDS, Violation};
use utoipa::ToSchema;

pub use page::error_page;
pub use status::{status, title};

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// Reason why a request is refused or fails.
#[derive(Debug)]
pub struct Problem {
    error: Box<Error>,
    allowed: Vec<Method>,
    challenge: &'static str,
}

/// Challenge that asks for credentials (RFC 6750, section 3).
const BEARER: &str = "Bearer";
/// Challenge after a token that is not valid, or not any more (RFC 6750, section 3.1).
const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\"";

impl Problem {
    /// A problem in the code's own words.
    pub fn new(code: Code) -> Self {
        Error::new(code).into()
    }

    /// A problem with one wrong field or parameter.
    pub fn invalid(field: impl Into<String>, detail: impl fmt::Display) -> Self {
        Error::invalid(field, detail).into()
    }

    /// A problem of a path that has only these other methods.
    pub fn method_not_allowed(allowed: Vec<Method>) -> Self {
        Self { allowed, ..Self::new(Code::MethodNotAllowed) }
    }

    /// A problem with the request's credentials, which are refused.
    pub fn of_credentials(error: Error) -> Self {
        Self { challenge: INVALID_TOKEN, ..error.into() }
    }

    /// Stable code of the problem.
    pub fn code(&self) -> Code {
        self.error.code
    }

    /// The first wrong field or parameter.
    #[cfg(test)]
    pub fn field(&self) -> Option<&str> {
        self.error.violations.first().map(|violation| violation.field.as_str())
    }

    /// A problem of a request that the framework refused before a handler saw it.
    pub fn of_status(refused: StatusCode) -> Self {
        let code = match refused {
            StatusCode::NOT_FOUND => Code::RouteNotFound,
            StatusCode::METHOD_NOT_ALLOWED => Code::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Code::PayloadTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Code::UnsupportedMediaType,
            status if status.is_client_error() => Code::InvalidBody,
            _ => Code::Internal,
        };
        Self::new(code)
    }

    /// Builds the body, which names the request.
    fn document(&self, request_id: &str) -> ProblemDocument {
        let Error { code, detail, violations, attempt_id, user_id, .. } = &*self.error;
        ProblemDocument {
            kind: format!("/docs/errors#{}", code.as_str()),
            title: title(*code),
            status: status(*code).as_u16(),
            detail: detail.clone().unwrap_or_else(|| code.detail().to_owned()),
            code: code.as_str(),
            fix: code.fix(),
            request_id: request_id.to_owned(),
            attempt_id: attempt_id.map(|id| id.to_string()),
            user_id: user_id.map(|id| id.to_string()),
            errors: violations.iter().map(FieldError::from).collect(),
        }
    }

    fn headers(&self, response: &mut HttpResponse) {
        let headers = response.headers_mut();
        let status = status(self.code());
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(self.challenge));
        }
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            let seconds = self.error.retry_after.unwrap_or(RETRY_AFTER_SECONDS);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        let allowed = self.allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        if let (false, Ok(allowed)) = (allowed.is_empty(), HeaderValue::from_str(&allowed)) {
            headers.insert(ALLOW, allowed);
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self { error: Box::new(error), allowed: vec![], challenge: BEARER }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code().as_str())
    }
}

impl StdError for Problem {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        status(self.code())
    }

    /// A bare response; [`respond`] writes the body, once the request's id is known.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.status_code())
    }
}

/// Form in which a problem is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON for programs (`application/problem+json`).
    Json,
    /// Page for a person whose browser was sent here by an identity provider.
    Page,
}

/// Writes the response to a problem. Logs its causes as a chain, here and nowhere else.
pub fn respond(problem: &Problem, request_id: &str, form: Form) -> HttpResponse {
    log(problem, request_id);
    let document = problem.document(request_id);
    let mut builder = HttpResponse::build(status(problem.code()));
    let mut response = match form {
        Form::Json => builder.content_type(PROBLEM_JSON).body(serde_json::to_string(&document).unwrap_or_default()),
        Form::Page => builder.content_type("text/html; charset=utf-8").body(error_page(&document)),
    };
    problem.headers(&mut response);
    response
}

fn log(problem: &Problem, request_id: &str) {
    let code = problem.code().as_str();
    let causes = causes(problem);
    // The surplus of a flood is unavailable too, on purpose and without a cause: it must not fill the log.
    let is_fault = problem.code() == Code::Internal || problem.code() == Code::Unavailable && !causes.is_empty();
    if is_fault {
        tracing::error!(code, request_id, causes, "a request failed");
    } else {
        tracing::debug!(code, request_id, causes, "a request was refused");
    }
}

fn causes(problem: &Problem) -> String {
    let chain = std::iter::successors(problem.source(), |&error| error.source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A problem as it is sent (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument {
    /// URL that describes the code.
    #[serde(rename = "type")]
    #[schema(example = "/docs/errors#not_found")]
    kind: String,
    /// The status in words.
    title: &'static str,
    /// HTTP status code of the response.
    #[schema(example = 404)]
    status: u16,
    /// Description of this problem in words.
    detail: String,
    /// The stable name of the problem; branch on this field.
    #[schema(example = "not_found")]
    code: &'static str,
    /// Remedy: the step that the reader can take.
    fix: &'static str,
    /// Identifier of this request in the logs.
    request_id: String,
    /// The sign-in attempt that holds the particulars.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "att_01890a5d6c0e7c3b8f0e1d2c3b4a5968", nullable = false)]
    attempt_id: Option<String>,
    /// The user who is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968", nullable = false)]
    user_id: Option<String>,
    /// Fields and parameters that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
}

/// A field or parameter that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the request's body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/display_name", nullable = false)]
    pointer: Option<String>,
    /// The name of a header, or of a parameter of the query or form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    parameter: Option<String>,
    /// Description of the error, and of a right value.
    detail: String,
}

impl From<&Violation> for FieldError {
    fn from(violation: &Violation) -> Self {
        let Violation { field, detail } = violation.clone();
        let is_pointer = field.is_empty() || field.starts_with('/');
        let (pointer, parameter) = if is_pointer { (Some(field), None) } else { (None, Some(field)) };
        Self { pointer, parameter, detail }
    }
}
