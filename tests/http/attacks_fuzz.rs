//! Every operation of the OpenAPI document, with everything that it does not expect.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client};
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use url::form_urlencoded::Serializer;

/// Depth of nesting, deeper than any parser should follow.
const DEPTH: usize = 2_000;

/// An operation and what it takes.
struct Operation {
    method: Method,
    path: String,
    query: Vec<String>,
    /// Names of the JSON body's fields; none where the operation takes no such body.
    fields: Option<Vec<String>>,
}

impl Operation {
    fn of(method: &str, path: &str, item: &Value, document: &Value) -> Option<Self> {
        let method = method.to_uppercase().parse().ok()?;
        item["operationId"].as_str()?;
        let parameters = item["parameters"].as_array().cloned().unwrap_or_default();
        let query = parameters.iter().filter(|parameter| parameter["in"] == "query");
        let query = query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
        let schema = &item["requestBody"]["content"]["application/json"]["schema"];
        let fields = (!schema.is_null()).then(|| properties(schema, document));
        Some(Self { method, path: path.to_owned(), query, fields })
    }

    fn is_oauth(&self) -> bool {
        self.path.starts_with("/oauth/")
    }
}

fn properties(schema: &Value, document: &Value) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return properties(document.pointer(reference.trim_start_matches('#')).unwrap(), document);
    }
    let parts = ["allOf", "oneOf", "anyOf"].iter().filter_map(|name| schema[*name].as_array()).flatten();
    let own = schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned();
    parts.flat_map(|part| properties(part, document)).chain(own).collect()
}

async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.anonymous().get("/openapi.json").await.expect(200);
    let paths = document["paths"].as_object().unwrap().iter();
    let items = paths.flat_map(|(path, methods)| methods.as_object().unwrap().iter().map(move |item| (path, item)));
    items.filter_map(|(path, (method, item))| Operation::of(method, path, item, &document)).collect()
}

/// Texts that something chokes on.
fn texts() -> Vec<String> {
    let short = [
        "",
        "\0",
        "a\0b\u{1}\u{7f}",
        "\r\nSet-Cookie: a=b",
        "\u{202e}\u{2066}\u{FEFF}",
        "' OR 1=1 --",
        "../../../etc/passwd",
        "99999999999999999999",
        "\u{1F980}\u{1F980}",
        "-009999-01-01T00:00:00Z",
        "9999-12-30T22:00:00Z",
    ];
    short.iter().map(|text| (*text).to_owned()).chain(["a".repeat(60_000)]).collect()
}

/// Values of every JSON type that hardly any property expects.
fn values() -> Vec<Value> {
    let others = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!([]),
        json!([null]),
        json!({ "": { "\0": [] } }),
        json!([[[[[]]]]]),
        json!(["\0"]),
    ];
    texts().into_iter().map(Value::from).chain(others).collect()
}

/// Bodies to send to an operation: good ones with one value exchanged, and ones that are wrong as a whole.
fn bodies(operation: &Operation, good: &Map<String, Value>) -> Vec<String> {
    let Some(fields) = &operation.fields else { return vec![] };
    let one_wrong = fields.iter().flat_map(|field| {
        values().into_iter().map(move |value| {
            let mut body = good.clone();
            body.insert(field.clone(), value);
            Value::Object(body).to_string()
        })
    });
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(DEPTH), close.repeat(DEPTH));
    let twice = format!("{{\"{0}\": 1, \"{0}\": 2}}", fields.first().map_or("a", String::as_str));
    let whole =
        ["", "{", "null", "[]", "\"x\"", "{\"a\": 1}", "{\"\\ud800\": 1}", "\u{feff}{}", "{}{}"].map(str::to_owned);
    let whole = whole.into_iter().chain([twice, nested("[", "]"), nested("{\"a\":", "}")]);
    one_wrong.chain(whole).collect()
}

/// A body that is right, so that one wrong property is what the operation meets.
fn good_body(path: &str, tenant: &Tenant) -> Map<String, Value> {
    let body = match path {
        "/v1/accounts" => json!({ "name": "fuzzed", "display_name": "F", "owner_email": "f@f.test" }),
        "/v1/accounts/{account_id}/users" => json!({ "portal": "admin", "username": "fuzzed" }),
        "/v1/accounts/{account_id}/applications" | "/v1/applications" => {
            json!({ "portal": "admin", "name": "F", "redirect_uris": ["https://app.example.test/x"] })
        }
        "/v1/accounts/{account_id}/sandboxes" => json!({ "name": "fuzzed-sandbox", "display_name": "F" }),
        "/v1/accounts/{account_id}/invitations" => {
            json!({ "portal": "admin", "email": "fuzzed@f.test", "staged": true })
        }
        "/v1/accounts/{account_id}/invitation-batches" => {
            json!({ "portal": "admin", "staged": true, "invitations": [{ "email": "fuzzed-too@f.test" }] })
        }
        "/v1/invitations/inspect" | "/v1/password-resets/inspect" | "/v1/magic-link-sign-ins/inspect" => {
            json!({ "token": "x" })
        }
        "/v1/invitations/accept" | "/v1/password-resets/complete" => {
            json!({ "token": "x", "password": "tulip-anchor-copper-72" })
        }
        "/v1/password-resets" => {
            json!({ "account_name": tenant.name, "identifier": "a@f.test", "client_id": tenant.client_id })
        }
        "/v1/accounts/{account_id}/sso-migrations" => json!({ "portal": "self_service", "direction": "require" }),
        "/v1/accounts/{account_id}/saml-connections" => json!({ "portal": "self_service" }),
        "/v1/account-pairings" | "/v1/account-pairings/complete" => {
            json!({ "client_id": tenant.client_id, "redirect_uri": "https://app.example.test/x", "code": "x", "code_verifier": "x" })
        }
        "/v1/sso-sign-ins" => tenant.start_body(None),
        "/v1/magic-link-sign-ins" => tenant.start_body(Some("a@f.test")),
        "/v1/magic-link-sign-ins/complete" => tenant.link_body("x"),
        _ => json!({}),
    };
    body.as_object().unwrap().clone()
}

fn fill(path: &str, tenant: &Tenant) -> String {
    let nobody = "00000000000000000000000000000000";
    let known: BTreeMap<&str, String> = BTreeMap::from([
        ("{account_id}", tenant.account_id.clone()),
        ("{migration_id}", format!("mig_{nobody}")),
        ("{connection_id}", tenant.connection_id.clone()),
        ("{application_id}", tenant.client_id.clone()),
        ("{hash}", tenant.acs_url.rsplit('/').next().unwrap().to_owned()),
        ("{user_id}", format!("usr_{nobody}")),
        ("{session_id}", format!("ses_{nobody}")),
        ("{attempt_id}", format!("att_{nobody}")),
        ("{link_id}", format!("lnk_{nobody}")),
        ("{pair_id}", format!("pair_{nobody}")),
    ]);
    known.iter().fold(path.to_owned(), |path, (name, value)| path.replace(name, value))
}

/// Sends one request and looks at what every answer must have.
async fn probe(operation: &Operation, request: RequestBuilder, what: &str) {
    let answer = Answer::of(request).await;
    let shown: String = what.chars().take(200).collect();
    let told = format!("{} {} with {shown:?}: {} {}", operation.method, operation.path, answer.status, answer.text);
    assert!(answer.status.as_u16() < 500, "{told}");
    if !answer.status.is_client_error() || operation.method == Method::HEAD {
        return;
    }
    let body: Value = serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {told}"));
    if operation.is_oauth() && answer.status == 400 {
        assert!(body["error"].is_string() && answer.header("content-type") == "application/json", "{told}");
    } else {
        assert_eq!(answer.header("content-type"), "application/problem+json", "{told}");
        assert!(body["code"].is_string() && body["request_id"].is_string(), "{told}");
    }
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{told}");
}

async fn try_bodies(client: &Client, tenant: &Tenant, operation: &Operation) {
    let path = fill(&operation.path, tenant);
    for body in bodies(operation, &good_body(&operation.path, tenant)) {
        let request = client.request(operation.method.clone(), &path).header("Content-Type", "application/json");
        probe(operation, request.body(body.clone()), &body).await;
    }
}

async fn try_parameters(client: &Client, tenant: &Tenant, operation: &Operation) {
    let path = fill(&operation.path, tenant);
    for name in operation.query.iter().map(String::as_str).chain(["unknown"]) {
        for text in texts() {
            let query = Serializer::new(String::new()).append_pair(name, &text).finish();
            let request = client.request(operation.method.clone(), &format!("{path}?{query}"));
            probe(operation, request, &format!("{name}={text}")).await;
        }
    }
    for segment in ["%00", "%ff%fe", "..%2f..%2f", "acc_", "%F0%9F%A6%80", &"a".repeat(10_000)] {
        let hostile = operation.path.split('/').map(|part| if part.starts_with('{') { segment } else { part });
        let hostile = hostile.collect::<Vec<_>>().join("/");
        probe(operation, client.request(operation.method.clone(), &hostile), segment).await;
    }
}

async fn try_headers(client: &Client, tenant: &Tenant, operation: &Operation) {
    let path = fill(&operation.path, tenant);
    for header in ["If-Match", "Idempotency-Key", "Accept", "Content-Type", "X-Request-Id", "Origin"] {
        for value in ["", "\"+9223372036854775807\"", "\u{e9}", &"a".repeat(5_000)] {
            let request = client.request(operation.method.clone(), &path).header(header, value.as_bytes());
            probe(operation, request.body("{}"), &format!("{header}: {value}")).await;
        }
    }
}

async fn try_forms(client: &Client, tenant: &Tenant, operation: &Operation) {
    let path = fill(&operation.path, tenant);
    let names = [
        "grant_type",
        "client_id",
        "code",
        "redirect_uri",
        "code_verifier",
        "refresh_token",
        "token",
        "SAMLResponse",
        "RelayState",
    ];
    let grants = [("authorization_code", "vac_"), ("refresh_token", "vrt_")];
    for ((grant, prefix), wrong) in grants.iter().flat_map(|grant| names.iter().map(move |name| (grant, name))) {
        for text in texts().into_iter().chain([format!("{prefix}x"), format!("{prefix}\0")]) {
            let good = |name: &str| match name {
                "grant_type" => (*grant).to_owned(),
                "client_id" => tenant.client_id.clone(),
                "code" | "refresh_token" | "token" => format!("{prefix}{}", "A".repeat(43)),
                _ => "x".to_owned(),
            };
            let fields = names.map(|name| (name, if name == *wrong { text.clone() } else { good(name) }));
            let request = client.request(operation.method.clone(), &path).form(&fields);
            probe(operation, request, &format!("{wrong}={text}")).await;
        }
    }
}

/// Proves D2: wrong types, long texts, deep JSON and control characters are refused with a problem (OAuth's endpoints:
/// with OAuth's error), and nothing of it is a fault of ours.
#[both_engines]
async fn no_body_is_a_fault_of_ours(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let operations = operations(&app).await;
    assert!(operations.iter().filter(|operation| operation.fields.is_some()).count() > 8);
    for operation in operations {
        try_bodies(&app.operator(), &tenant, &operation).await;
        if operation.is_oauth() || operation.path == "/saml/{hash}" && operation.method == Method::POST {
            try_forms(&app.anonymous(), &tenant, &operation).await;
        }
    }
}

/// Proves D2: so are odd queries, paths and headers.
#[both_engines]
async fn no_path_query_or_header_is_a_fault_of_ours(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let operations = operations(&app).await;
    assert!(operations.len() > 40, "{}", operations.len());
    for operation in operations.iter().filter(|operation| operation.method != Method::DELETE) {
        try_parameters(&app.operator(), &tenant, operation).await;
    }
    for operation in &operations {
        try_headers(&app.operator(), &tenant, operation).await;
    }
}
