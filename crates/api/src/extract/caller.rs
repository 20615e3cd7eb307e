//! The caller of a request, by its credentials.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use service::{Caller, Code};

use crate::problem::Problem;

/// Result of the middleware's check of a request's credentials; see `middleware/authenticate.rs`.
pub struct Authentication(pub Result<Caller, service::Error>);

/// A caller with valid credentials.
#[derive(Debug)]
pub struct Authenticated(pub Caller);

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let found = request.extensions_mut().remove::<Authentication>();
        ready(match found {
            Some(Authentication(outcome)) => outcome.map(Self).map_err(Problem::of_credentials),
            None => Err(Problem::new(Code::Unauthenticated)),
        })
    }
}

/// The token of `Authorization: Bearer` (RFC 6750, section 2.1).
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
