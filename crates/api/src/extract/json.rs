//! JSON bodies: unknown fields are refused, and whatever is wrong is named by its JSON pointer (RFC 6901).

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::{FutureExt as _, LocalBoxFuture};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::error::Category;
use service::{Code, Error, IdempotencyKey, Violation, pointer};

use super::body::{JSON_MAX_BYTES, media_type, read_body};
use crate::problem::Problem;

/// JSON body of a request, at most 256 KiB.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        async move {
            let bytes = read_json(&request, &mut payload, JSON_MAX_BYTES).await?;
            Ok(Self(parse_json(&bytes)?))
        }
        .boxed_local()
    }
}

/// A JSON body of a bounded size that creates something, and the key that makes a repeat harmless.
#[derive(Debug)]
pub struct Creation<T, const MAX_BYTES: usize = JSON_MAX_BYTES> {
    /// The body as it was read.
    pub body: T,
    /// `Idempotency-Key`, if it was sent.
    pub key: Option<IdempotencyKey>,
}

impl<T: DeserializeOwned + 'static, const MAX_BYTES: usize> FromRequest for Creation<T, MAX_BYTES> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        async move {
            let bytes = read_json(&request, &mut payload, MAX_BYTES).await?;
            let key = idempotency_key(&request, &bytes)?;
            Ok(Self { body: parse_json(&bytes)?, key })
        }
        .boxed_local()
    }
}

/// Reads the idempotency key. The same key at another path is another request: it stands for a method and a path.
fn idempotency_key(request: &HttpRequest, body: &[u8]) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    let operation = format!("{} {}", request.method(), request.path());
    Ok(Some(IdempotencyKey::parse(value.to_str().unwrap_or_default(), &operation, body)?))
}

async fn read_json(request: &HttpRequest, payload: &mut Payload, max_bytes: usize) -> Result<Vec<u8>, Problem> {
    if media_type(request) != "application/json" {
        return Err(Error::new(Code::UnsupportedMediaType).with_detail("Send application/json").into());
    }
    Ok(read_body(request, payload, max_bytes).await?.to_vec())
}

/// Reads JSON, or names the place of the error by its pointer.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| refused(&pointer("", error.path()), error.inner()))?;
    deserializer.end().map_err(|error| refused("", &error))?;
    Ok(value)
}

fn refused(pointer: &str, error: &serde_json::Error) -> Error {
    match error.classify() {
        Category::Data => Error::invalid(pointer, without_position(&error.to_string())),
        Category::Syntax | Category::Eof | Category::Io => {
            Error::new(Code::InvalidBody).with_detail(format!("The body is not JSON: {error}"))
        }
    }
}

/// Keeps the message alone: the pointer gives the place.
fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

/// The only one of several properties that exclude each other. A body with none or several of them is refused by
/// their names.
pub fn exactly_one<T, const N: usize>(alternatives: [(&'static str, Option<T>); N]) -> Result<T, Problem> {
    let names = alternatives.each_ref().map(|(pointer, _)| pointer.trim_start_matches('/'));
    let mut given: Vec<(&str, T)> =
        alternatives.into_iter().filter_map(|(pointer, value)| Some((pointer, value?))).collect();
    let wanted = format!("exactly one of {} must be given", names.join(", "));
    match (given.pop(), given.is_empty()) {
        (Some((_, only)), true) => Ok(only),
        (None, _) => Err(Problem::invalid("", wanted)),
        (Some((last, _)), false) => {
            let pointers = given.iter().map(|(pointer, _)| *pointer).chain([last]);
            let violation = |pointer: &str| Violation { field: pointer.to_owned(), detail: wanted.clone() };
            Err(Error::invalid_all(pointers.map(violation).collect()).into())
        }
    }
}

/// A property that may be left out and must not be null; for `deserialize_with`.
pub fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A property that may be left out, and that null removes (RFC 7396); for `deserialize_with`.
#[expect(clippy::option_option, reason = "absent, null and a value are three different requests (RFC 7396)")]
pub fn nullable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "roles")]
        _roles: Vec<u8>,
    }

    fn problem(body: &str) -> (Code, String) {
        let problem = Problem::from(parse_json::<Sample>(body.as_bytes()).unwrap_err());
        (problem.code(), problem.field().unwrap_or_default().to_owned())
    }

    /// Proves that of properties that exclude each other one is taken, and that none and several are refused by name.
    #[test]
    fn properties_that_exclude_each_other_are_named() {
        let one = |a: Option<u8>, b: Option<u8>| exactly_one([("/a", a), ("/b", b)]);
        assert_eq!(one(None, Some(2)).ok(), Some(2));
        let refused = [one(None, None), one(Some(1), Some(2))].map(Result::unwrap_err);
        assert_eq!(refused.each_ref().map(|problem| problem.field()), [Some(""), Some("/a")]);
        for problem in refused {
            assert_eq!(problem.code(), Code::InvalidInput);
            assert!(format!("{problem:?}").contains("exactly one of a, b"), "{problem:?}");
        }
    }

    /// Proves that a caller who sends a wrong field is told its pointer.
    #[test]
    fn a_wrong_field_is_named_by_its_pointer() {
        assert_eq!(problem(r#"{"roles": [1, "x"]}"#), (Code::InvalidInput, "/roles/1".into()));
        assert_eq!(problem(r#"{"roles": [], "a/b": 1}"#), (Code::InvalidInput, "/a~1b".into()));
        assert_eq!(problem("{}"), (Code::InvalidInput, String::new()));
        assert_eq!(problem("{").0, Code::InvalidBody);
        assert_eq!(problem(r#"{"roles": []} x"#).0, Code::InvalidBody);
    }
}
