//! Reverse proxies: the address that a request comes from, for everything that asks (A6, D5).

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client};
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

const HEADER: &str = "X-Forwarded-For";

fn request(client: &Client, (method, path): (Method, &str), lines: &[&[u8]]) -> reqwest::RequestBuilder {
    let request = client.request(method, path);
    lines.iter().fold(request, |request, line| request.header(HEADER, HeaderValue::from_bytes(line).unwrap()))
}

/// Proves A6, D5: what a trusted proxy sends and cannot be read is refused, by the name of the header, wherever it
/// comes.
#[both_engines]
async fn what_a_trusted_proxy_sends_and_cannot_be_read_is_refused(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (acs, options) = (tenant.acs_path(), "/v1/login-options?account_name=acme&portal=admin");
    let operations = [
        (Method::GET, "/v1/me"),
        (Method::GET, options),
        (Method::POST, "/v1/sso-sign-ins"),
        (Method::POST, "/oauth/token"),
        (Method::POST, "/oauth/revoke"),
        (Method::POST, &acs),
        (Method::GET, "/v1/accounts"),
        (Method::GET, "/nowhere"),
    ];
    let lines: [&[&[u8]]; 6] =
        [&[b"\xff"], &[b""], &[b"unknown"], &[b"_hidden, 127.0.0.2"], &[b"198.51.100.7,"], &[b"198.51.100.7", b"x"]];
    for client in [app.anonymous(), app.operator()] {
        for (method, path) in &operations {
            for sent in lines {
                let answer = Answer::of(request(&client, (method.clone(), path), sent)).await;
                let problem = answer.problem(400, "proxy_header_invalid");
                assert_eq!(problem["errors"][0]["parameter"], HEADER, "{problem}");
            }
        }
    }
    Answer::of(request(&app.operator(), (Method::GET, "/v1/accounts"), &[b"\xff, 198.51.100.7"])).await.expect(200);
}

/// Proves A6: a request that a trusted proxy passes on without naming its client is in no network, not even the
/// proxy's own; and probes are answered.
#[both_engines]
async fn a_request_without_a_named_client_is_in_no_network(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let token = tokens["refresh_token"].as_str().unwrap();
    let own = json!({ "allowed_networks": ["127.0.0.0/8"] });
    app.operator().patch(&tenant.path("/settings"), &own).await.expect(200);
    let refused = tenant.refresh(&app, token).await.expect(400);
    assert!(refused["error_description"].as_str().unwrap().contains("network"), "{refused}");
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(app.anonymous().get(probe).await.status, 200);
    }
    tenant.refresh_as(&app.anonymous().forwarded_for("127.0.0.9"), token).await.expect(200);
}

/// Proves H3, I3: attempts and the audit log name the client that the proxy saw, whatever else the request says.
#[both_engines]
async fn records_name_the_client_that_the_proxy_saw(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, None).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", None);
    let forged = |path: &str| {
        let lines: [&[u8]; 2] = [b"203.0.113.9, \xff", b"[2001:db8::7]:443, 127.0.0.1"];
        let request = request(&app.anonymous(), (Method::POST, path), &lines);
        request.header("Forwarded", "for=203.0.113.9").header("X-Real-IP", "203.0.113.9")
    };
    let mut unsolicited = response;
    unsolicited.in_response_to = None;
    let fields = [("SAMLResponse", tenant.idp.sign(&unsolicited))];
    assert!(Answer::of(forged(&tenant.acs_path()).form(&fields)).await.status.is_client_error());
    assert_eq!(tenant.last_attempt(&app).await["client_address"], "2001:db8::7");
    let code = tenant.code(&app, "bo@acme.test", Some(&["staff"])).await;
    Answer::of(forged("/oauth/token").form(&tenant.exchange_form(&code))).await.expect(200);
    let events = app.operator().get(&tenant.path("/audit-events?action=user.signed_in")).await.expect(200);
    assert_eq!(events["items"][0]["client_address"], "2001:db8::7", "{events}");
}

/// Proves C1, I1: no header of a request changes under which name this service goes.
#[both_engines]
async fn no_header_changes_the_name_of_this_service(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let named = app.anonymous().request(Method::GET, &tenant.acs_path());
    let named = named.header("X-Forwarded-Host", "evil.test").header("X-Forwarded-Proto", "http");
    let metadata = Answer::of(named.header("Forwarded", "host=evil.test;proto=http")).await;
    assert!(metadata.text.contains(&tenant.acs_url) && !metadata.text.contains("evil.test"), "{}", metadata.text);
}
