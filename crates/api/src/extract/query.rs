//! Queries: filters and paging. An unknown, repeated or wrong parameter is refused by its name.

use std::fmt::Display;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde_json::{Map, Value};
use service::Page;
use url::form_urlencoded;
use uuid::Uuid;

use crate::problem::Problem;

/// Items of a page where the caller names no limit.
pub const LIMIT_DEFAULT: u16 = 50;
/// Most items of a page: a screen or an export reads on, a database answers in milliseconds.
pub const LIMIT_MAX: u16 = 200;

/// The parameters of a query.
#[derive(Debug)]
pub struct Parameters<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Parameters<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parameters(request.query_string()).and_then(read).map(Self))
    }
}

/// The filter and page of a list.
#[derive(Debug)]
pub struct Listing<F> {
    /// Filter that the items pass.
    pub filter: F,
    /// Page of the filtered items.
    pub page: Page,
}

impl<F: DeserializeOwned> FromRequest for Listing<F> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(listing(request.query_string()))
    }
}

fn listing<F: DeserializeOwned>(query: &str) -> Result<Listing<F>, Problem> {
    let mut parameters = parameters(query)?;
    let limit = parameters.remove("limit").map_or(Ok(LIMIT_DEFAULT), |value| limit(&value))?;
    let after = parameters.remove("cursor").map(|value| cursor(&value)).transpose()?;
    Ok(Listing { filter: read(parameters)?, page: Page { after, limit } })
}

fn parameters(query: &str) -> Result<Map<String, Value>, Problem> {
    let mut found = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if found.insert(name.clone().into_owned(), Value::String(value.into_owned())).is_some() {
            return Err(Problem::invalid(name, "must come once"));
        }
    }
    Ok(found)
}

fn read<T: DeserializeOwned>(parameters: Map<String, Value>) -> Result<T, Problem> {
    serde_path_to_error::deserialize(Value::Object(parameters)).map_err(|error| {
        let (name, detail) = (error.path().to_string(), error.inner().to_string());
        Problem::invalid(if name == "." { "query".to_owned() } else { name }, detail)
    })
}

fn limit(value: &Value) -> Result<u16, Problem> {
    let number = value.as_str().and_then(|text| text.parse().ok()).filter(|limit| (1..=LIMIT_MAX).contains(limit));
    number.ok_or_else(|| Problem::invalid("limit", format_args!("must be 1 to {LIMIT_MAX}")))
}

fn cursor(value: &Value) -> Result<Uuid, Problem> {
    let bytes = value.as_str().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let id = bytes.and_then(|bytes| Uuid::from_slice(&bytes).ok());
    id.ok_or_else(|| Problem::invalid("cursor", "must be the next_cursor of the page before"))
}

/// Writes the cursor that a client sends to get the page after this one.
pub fn next_cursor(next: Option<Uuid>) -> Option<String> {
    next.map(|id| URL_SAFE_NO_PAD.encode(id.as_bytes()))
}

/// Reads a switch in a query; for `deserialize_with`.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(D::Error::custom(wrong_flag(other))),
    }
}

/// Reads a switch that may be left out; for `deserialize_with`.
pub fn optional_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    flag(deserializer).map(Some)
}

fn wrong_flag(text: &str) -> impl Display {
    format!("expected true or false, got {} characters", text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Filter {
        #[serde(default, deserialize_with = "flag")]
        live: bool,
    }

    fn refused(query: &str) -> String {
        listing::<Filter>(query).unwrap_err().field().unwrap_or_default().to_owned()
    }

    /// Proves that a list is read in bounded pages, and that a mistyped filter is never ignored.
    #[test]
    fn pages_are_bounded_and_wrong_parameters_are_named() {
        let first = listing::<Filter>("live=true").unwrap();
        assert_eq!((first.filter.live, first.page), (true, Page::first(LIMIT_DEFAULT)));
        let after = Uuid::from_u128(7);
        let next = format!("limit=200&cursor={}", next_cursor(Some(after)).unwrap());
        assert_eq!(listing::<Filter>(&next).unwrap().page, Page { after: Some(after), limit: LIMIT_MAX });
        for (query, name) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=x", "limit"),
            ("cursor=7", "cursor"),
            ("live=1", "live"),
        ] {
            assert_eq!(refused(query), name);
        }
        assert_eq!(refused("lvie=true"), "lvie");
        assert_eq!(refused("live=true&live=true"), "live");
    }
}
