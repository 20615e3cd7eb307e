//! The surface of the API: problems everywhere, CORS by application, request ids, limits, documents.

use reqwest::Method;
use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::tenant::{ORIGIN, Tenant};

/// Proves D2: whatever goes wrong is a problem document with a code, a fix and a request id.
#[both_engines]
async fn whatever_goes_wrong_is_a_problem_document(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let operator = app.operator();
    let problem = operator.get("/nowhere").await.problem(404, "route_not_found");
    assert!(problem["request_id"].is_string() && problem["fix"].is_string() && problem["title"].is_string());
    operator.delete("/v1/accounts").await.problem(405, "method_not_allowed");
    let raw = |body: &'static str, kind: &'static str| {
        let request = operator.request(Method::POST, "/v1/accounts").header("Content-Type", kind).body(body);
        Answer::of(request)
    };
    raw("{", "application/json").await.problem(400, "invalid_body");
    raw("[]", "application/json").await.problem(422, "invalid_input");
    raw("name=x", "text/plain").await.problem(415, "unsupported_media_type");
    let huge = operator.request(Method::POST, "/v1/accounts").json(&json!({ "name": "a".repeat(400_000) }));
    Answer::of(huge).await.problem(413, "payload_too_large");
    operator.get("/v1/accounts/nonsense").await.problem(404, "not_found");
    operator.get("/v1/accounts/usr_00000000000000000000000000000000").await.problem(404, "not_found");
    operator.get("/v1/accounts?limit=nine").await.problem(422, "invalid_input");
}

/// Proves D2: a request id comes back, and one that is not an id is replaced.
#[both_engines]
async fn request_ids_come_back(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let with =
        |id: &'static str| Answer::of(app.anonymous().request(Method::GET, "/nowhere").header("X-Request-Id", id));
    let answer = with("trace-1").await;
    assert_eq!(answer.header("x-request-id"), "trace-1");
    assert_eq!(answer.json()["request_id"], "trace-1");
    let answer = with("<script>").await;
    assert!(!answer.header("x-request-id").contains('<'));
    assert!(answer.header("x-request-id").len() >= 16);
}

/// Proves I2: browsers may call from registered origins alone.
#[both_engines]
async fn cors_follows_the_registered_origins(db: TestDatabase) {
    let app = TestApp::start(db).await;
    Tenant::create(&app, "acme").await;
    let preflight = |origin: &'static str| {
        let request = app.anonymous().request(Method::OPTIONS, "/v1/sso-sign-ins");
        let request = request.header("Origin", origin).header("Access-Control-Request-Method", "POST");
        Answer::of(request.header("Access-Control-Request-Headers", "content-type"))
    };
    let allowed = preflight(ORIGIN).await;
    assert_eq!(allowed.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    for origin in ["https://evil.test", "null", "https://app.example.test.evil.test"] {
        assert_eq!(preflight(origin).await.header("access-control-allow-origin"), "", "{origin}");
    }
    let simple = app.anonymous().request(Method::GET, "/v1/login-options?account_name=acme&portal=admin");
    let answer = Answer::of(simple.header("Origin", ORIGIN)).await;
    assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
    assert!(answer.header("vary").to_lowercase().contains("origin"));
}

/// Proves A5, I1: health and the document are public, and figures of what happens inside are not.
#[both_engines]
async fn health_and_documents_are_public_and_metrics_are_not(db: TestDatabase) {
    let app = TestApp::start(db).await;
    assert_eq!(app.anonymous().get("/healthz").await.status, 200);
    assert_eq!(app.anonymous().get("/readyz").await.status, 200);
    app.anonymous().get("/metrics").await.problem(404, "route_not_found");
    let document = app.anonymous().get("/openapi.json").await.expect(200);
    assert_eq!(document["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    let docs = app.anonymous().get("/docs/").await;
    assert_eq!(docs.status, 200);
    assert!(docs.text.contains("swagger"), "{}", docs.text);
}
