//! Problems in the OpenAPI document: each operation names its codes, and shares one response with every other operation
//! that has the same codes of a status.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use service::Code;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::{PROBLEM_JSON, Problem, status};

/// Separates the codes in the name of a shared response.
const SEPARATOR: char = '.';
/// Place of shared responses in the document.
const RESPONSES: &str = "#/components/responses/";

/// Problems that any operation may answer.
pub const ANY: &[Code] = &[Code::Internal, Code::Unavailable];
/// Problems that an operation which needs credentials may answer.
pub const SECURED: &[Code] = &[
    Code::Internal,
    Code::Unavailable,
    Code::Unauthenticated,
    Code::SessionExpired,
    Code::Forbidden,
    Code::NetworkNotAllowed,
];
/// Problems that reading something of an account may answer.
pub const READ: &[Code] = &[
    Code::Internal,
    Code::Unavailable,
    Code::Unauthenticated,
    Code::SessionExpired,
    Code::Forbidden,
    Code::NetworkNotAllowed,
    Code::NotFound,
];
/// Further problems of an operation with a JSON body.
pub const BODY: &[Code] = &[Code::InvalidBody, Code::InvalidInput, Code::PayloadTooLarge, Code::UnsupportedMediaType];
/// Further problems of a limited operation, such as one without credentials.
pub const LIMITED: &[Code] = &[Code::RateLimited];

/// Declares the problems that the operations of a resource may answer.
macro_rules! problems {
    ($($name:ident = [$($set:ident),*] $(+ $code:ident)*;)*) => {$(
        struct $name;

        impl utoipa::IntoResponses for $name {
            fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                let own: &[service::Code] = &[$(service::Code::$code),*];
                $crate::problem::documentation::responses(&[$($crate::problem::documentation::$set,)* own])
            }
        }
    )*};
}
pub(crate) use problems;

/// References to the shared responses of these codes, by status.
pub fn responses(sets: &[&[Code]]) -> BTreeMap<String, RefOr<Response>> {
    let codes: BTreeSet<usize> = sets
        .iter()
        .flat_map(|set| set.iter())
        .filter_map(|code| Code::ALL.iter().position(|known| known == code))
        .collect();
    let mut by_status = BTreeMap::<String, Vec<&str>>::new();
    for code in codes.into_iter().filter_map(|index| Code::ALL.get(index)) {
        by_status.entry(status(*code).as_u16().to_string()).or_default().push(code.as_str());
    }
    let reference = |codes: Vec<&str>| Ref::new(format!("{RESPONSES}{}", codes.join(&SEPARATOR.to_string())));
    by_status.into_iter().map(|(status, codes)| (status, reference(codes).into())).collect()
}

/// Adds every shared response that an operation refers to, with an example of each code.
pub fn add_components(document: &mut OpenApi) {
    let names: BTreeSet<String> = document
        .paths
        .paths
        .values()
        .flat_map(operations)
        .flat_map(|(_, operation)| shared_responses(operation))
        .collect();
    let components = document.components.get_or_insert_default();
    for name in names {
        let codes: Vec<Code> =
            Code::ALL.iter().copied().filter(|code| name.split(SEPARATOR).any(|part| part == code.as_str())).collect();
        for &code in &codes {
            components.examples.insert(code.as_str().to_owned(), example(code));
        }
        components.responses.insert(name, response(&codes).into());
    }
}

fn shared_responses(operation: &Operation) -> Vec<String> {
    let reference = |response: &RefOr<Response>| match response {
        RefOr::Ref(reference) => reference.ref_location.strip_prefix(RESPONSES).map(str::to_owned),
        RefOr::T(_) => None,
    };
    operation.responses.responses.values().filter_map(reference).collect()
}

/// The operations of a path, with their methods.
pub fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    let all = [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PATCH", &item.patch),
        ("PUT", &item.put),
        ("DELETE", &item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| operation.as_ref().map(|operation| (method, operation)))
}

fn response(codes: &[Code]) -> Response {
    let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
    for code in codes {
        let reference = Ref::new(format!("#/components/examples/{}", code.as_str()));
        content.examples.insert(code.as_str().to_owned(), RefOr::Ref(reference));
    }
    let description = codes.iter().map(|code| code.detail()).collect::<Vec<_>>().join(" / ");
    let mut builder = ResponseBuilder::new().description(description).content(PROBLEM_JSON, content);
    let status = codes.first().map_or(StatusCode::INTERNAL_SERVER_ERROR, |code| status(*code));
    if status == StatusCode::UNAUTHORIZED {
        builder = builder.header(
            "WWW-Authenticate",
            header(Type::String, "The scheme to authenticate with (RFC 9110, section 11.6.1)."),
        );
    }
    if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        builder = builder.header("Retry-After", header(Type::Integer, "Seconds to wait before a repeat makes sense."));
    }
    builder.build()
}

fn header(kind: Type, description: &str) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(kind).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

fn example(code: Code) -> RefOr<utoipa::openapi::example::Example> {
    let document = Problem::new(code).document("req_01890a5d6c0e7c3b8f0e1d2c3b4a5968");
    let value = serde_json::to_value(document).unwrap_or_default();
    ExampleBuilder::new().summary(code.detail()).value(Some(value)).build().into()
}
