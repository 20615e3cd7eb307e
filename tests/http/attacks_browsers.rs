//! Attacks by a page on another site, and by a client that writes request headers by hand (D4, D5, I2).

use reqwest::Method;
use serde_json::json;
use tests::app::TestApp;
use tests::client::Answer;
use tests::databases::{Engine, database};
use tests::tenant::{ORIGIN, Tenant};

/// Proves C1, C8, D4: no URL that is given out is made of what the request calls the host.
#[tokio::test]
async fn a_forged_host_leads_nobody_astray() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    let login = format!("{}/login", tenant.acs_path());
    let paths = [
        tenant.acs_path().as_str(),
        login.as_str(),
        "/v1/login-options?account_name=acme&portal=admin",
        "/openapi.json",
        "/docs",
    ]
    .map(str::to_owned);
    for path in paths {
        let request = app.anonymous().request(Method::GET, &path).header("Host", "evil.test");
        let answer =
            Answer::of(request.header("X-Forwarded-Host", "evil.test").header("Forwarded", "host=evil.test")).await;
        assert!(!answer.text.contains("evil.test") && !answer.header("location").contains("evil.test"), "{path}");
    }
    let request = app.anonymous().request(Method::POST, "/v1/sso-sign-ins").header("Host", "evil.test");
    let answer = Answer::of(request.json(&tenant.start_body(None))).await;
    answer.expect(200);
    assert!(!answer.text.contains("evil.test"));
}

/// Proves D5, H3: no client chooses the address that it is counted and written down under.
#[tokio::test]
async fn a_forged_client_address_is_not_believed() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    let forged = |request: reqwest::RequestBuilder| {
        let request =
            request.header("X-Forwarded-For", "203.0.113.66, 203.0.113.66").header("X-Real-IP", "203.0.113.66");
        Answer::of(request.header("Forwarded", "for=203.0.113.66"))
    };
    let start = app.anonymous().request(Method::POST, "/v1/sso-sign-ins").json(&tenant.start_body(None));
    forged(start).await.expect(200);
    assert_eq!(tenant.last_attempt(&app).await["client_address"], "127.0.0.1");
    let change = app.operator().request(Method::PATCH, &tenant.path("")).json(&json!({ "display_name": "X" }));
    forged(change).await.expect(200);
    let events = app.operator().get(&tenant.path("/audit-events")).await;
    assert!(!events.text.contains("203.0.113.66"), "{}", events.text);
}

/// Proves I2, D4: a page on another site cannot sign a browser in as another user, nor refresh or end its session.
#[tokio::test]
async fn another_sites_form_neither_sets_nor_uses_the_cookie() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let (acme, evil) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "evil").await);
    for tenant in [&acme, &evil] {
        let path = tenant.path(&format!("/applications/{}", tenant.client_id));
        let origins = if tenant.name == "evil" { json!(["https://evil.test"]) } else { json!([ORIGIN]) };
        let change = json!({ "refresh_delivery": "cookie", "allowed_origins": origins });
        app.operator().patch(&path, &change).await.expect(200);
    }
    let post = |path: &'static str, origin: &'static str, cookie: String, form: Vec<(String, String)>| {
        let request = app.anonymous().request(Method::POST, path).header("Origin", origin).header("Cookie", cookie);
        Answer::of(request.form(&form))
    };
    let owned =
        |form: &[(&str, &str)]| form.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<Vec<_>>();
    let code = acme.code(&app, "mallory@acme.test", Some(&["staff"])).await;
    let exchange = owned(&acme.exchange_form(&code));
    for origin in ["https://evil.test", "null"] {
        let forged = post("/oauth/token", origin, String::new(), exchange.clone()).await;
        assert_eq!((forged.status.as_u16(), forged.header("set-cookie")), (400, ""), "{}", forged.text);
    }
    let given = post("/oauth/token", ORIGIN, String::new(), exchange).await;
    given.expect(200);
    let cookie = given.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(cookie.starts_with(&format!("__Host-vestibule_refresh_{}=", acme.client_id)), "{cookie}");
    let refresh = owned(&[("grant_type", "refresh_token"), ("client_id", &acme.client_id)]);
    let revoke = owned(&[("client_id", &acme.client_id)]);
    for (path, form) in [("/oauth/token", &refresh), ("/oauth/revoke", &revoke)] {
        assert_eq!(post(path, "https://evil.test", cookie.clone(), form.clone()).await.status, 400);
    }
    let renamed = cookie.replace(&acme.client_id, &evil.client_id);
    let as_evil = owned(&[("grant_type", "refresh_token"), ("client_id", &evil.client_id)]);
    assert_eq!(post("/oauth/token", "https://evil.test", renamed, as_evil).await.status, 400);
    post("/oauth/token", ORIGIN, cookie, refresh).await.expect(200);
}

/// Proves I2: what a browser sends without asking first (a simple request, Fetch section 2.2.1) changes nothing.
#[tokio::test]
async fn simple_requests_reach_no_json_endpoint() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    let body = tenant.start_body(None).to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "text/plain; a=application/json",
    ] {
        let request = app.anonymous().request(Method::POST, "/v1/sso-sign-ins").header("Content-Type", kind);
        Answer::of(request.body(body.clone())).await.problem(415, "unsupported_media_type");
    }
    let encoded = app.anonymous().request(Method::POST, "/v1/sso-sign-ins").header("Content-Encoding", "gzip");
    Answer::of(encoded.json(&json!({}))).await.problem(415, "unsupported_media_type");
}

/// Proves I2: origins that cannot have been registered are not allowed, however many and long they are.
#[tokio::test]
async fn invented_origins_are_never_allowed() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    Tenant::create(&app, "acme").await;
    let long = format!("https://{}.test", "a".repeat(30_000));
    let upper = ORIGIN.to_uppercase();
    for origin in [
        long.as_str(),
        upper.as_str(),
        "https://app.example.test:443",
        "https://app.example.test/",
        "http://app.example.test",
    ] {
        let request = app.anonymous().request(Method::GET, "/.well-known/jwks.json").header("Origin", origin);
        let answer = Answer::of(request).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{}", origin.len());
    }
}
