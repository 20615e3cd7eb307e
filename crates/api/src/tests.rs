//! Tests of the API that need no running server.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use service::Code;
use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

use crate::openapi::{document, openapi};
use crate::problem::documentation::operations;
use crate::{error_catalogue_markdown, problem};

/// Environment variable; set it to write the committed files anew.
const UPDATE: &str = "VESTIBULE_UPDATE";

fn committed(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

fn assert_committed(file: &str, generated: &str) {
    let path = committed(file);
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(&path, generated).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == generated, "{file} is out of date: run `{UPDATE}=1 cargo nextest run -p api`");
}

/// Proves that the committed document is the one that the code declares.
#[test]
fn the_committed_openapi_document_is_up_to_date() {
    assert_committed("openapi/openapi.json", &format!("{}\n", openapi()));
}

/// Proves that the documented errors are the ones that there are.
#[test]
fn the_committed_error_catalogue_is_up_to_date() {
    assert_committed("docs/errors.md", &error_catalogue_markdown());
}

/// Proves the error catalogue: statuses and messages, word for word.
#[test]
fn every_code_has_an_error_status_and_the_fixed_ones_the_fixed_words() {
    let fixed = [
        (Code::SsoAccountNotConfigured, 404, "This account is not configured for SSO"),
        (Code::SsoEmailNotConfigured, 404, "This email is not configured for SSO"),
        (Code::SsoMultipleUsernames, 409, "Multiple usernames are associated with this email ID"),
        (Code::LoginIncorrectCredentials, 401, "Login failed due to incorrect credentials"),
        (Code::IdpUnreachable, 503, "Unable to connect to your identity provider. Please try again later"),
        (Code::SessionExpired, 401, "Your session has expired. Please log in again"),
    ];
    for (code, status, detail) in fixed {
        assert_eq!((problem::status(code).as_u16(), code.detail()), (status, detail));
    }
    for &code in Code::ALL {
        let status = problem::status(code);
        assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
        assert_ne!(problem::title(code), "Error", "{code:?}");
    }
}

/// Proves that a client can be generated from the document: each operation has a unique id, words, tags, a security
/// requirement (also where it is "none"), and says which problems it may answer.
#[test]
fn every_operation_is_described_secured_and_says_its_problems() {
    let document = document();
    let mut ids = BTreeSet::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations(item) {
            let id = operation.operation_id.clone().unwrap_or_default();
            assert!(id.contains('_') && ids.insert(id.clone()), "{method} {path}: {id}");
            assert!(operation.summary.is_some() && operation.description.is_some(), "{id} is not described");
            assert!(operation.tags.as_ref().is_some_and(|tags| tags.len() == 1), "{id}: {:?}", operation.tags);
            assert!(operation.security.is_some(), "{id} has no security requirement");
            assert_no_repeated_parameter(&id, operation);
            let responses = &operation.responses.responses;
            assert!(responses.contains_key("500") && responses.contains_key("503"), "{id} has no problems");
            let secured = !serde_json::to_value(&operation.security).unwrap()[0].as_object().unwrap().is_empty();
            let refuses = responses.contains_key("401") && responses.contains_key("403");
            assert!(refuses || !secured, "{id} does not say that credentials are needed");
            assert!(secured || responses.contains_key("429") || method == "GET", "{id} is open and not limited");
        }
    }
    assert!(ids.len() > 40, "{ids:?}");
}

fn assert_no_repeated_parameter(id: &str, operation: &Operation) {
    let mut seen = BTreeSet::new();
    for parameter in operation.parameters.iter().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        assert!(seen.insert((&parameter.name, parameter.parameter_in.clone() as u8)), "{id}: {}", parameter.name);
        assert!(parameter.description.is_some(), "{id}: {} is not described", parameter.name);
    }
}

/// Proves that the document holds what it refers to, and that every documented code is one of the catalogue.
#[test]
fn every_reference_of_the_document_resolves() {
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    let mut references = vec![];
    collect(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
