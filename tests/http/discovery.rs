//! Login options and SSO discovery (D1 to D3, D5), with the catalogue's words.

use jiff::SignedDuration;
use serde_json::json;
use service::ports::ProbeResult;
use tests::app::TestApp;
use tests::both_engines;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

/// Proves D1, C8: the page learns what to offer; an unknown account looks like one without SSO.
#[both_engines]
async fn login_options_say_what_a_page_offers(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.operator().patch(&tenant.connection_path(), &json!({ "button_text": "Acme SSO" })).await.expect(200);
    let anyone = app.anonymous();
    let options = anyone.get("/v1/login-options?account_name=ACME&portal=admin").await.expect(200);
    assert_eq!(options["methods"][0]["kind"], "sso");
    assert_eq!(options["methods"][0]["button_text"], "Acme SSO");
    assert_eq!(options["methods"][0]["saml_login_url"], json!(format!("{}/login", tenant.acs_url)));
    assert_eq!(options["methods"][1]["kind"], "form");
    assert_eq!(options["password_reset"], json!({ "enabled": true, "code": null, "detail": null }));
    let mut without = anyone.get("/v1/login-options?account_name=acme&portal=self_service").await.expect(200);
    let mut unknown = anyone.get("/v1/login-options?account_name=nobody&portal=self_service").await.expect(200);
    for options in [&mut without, &mut unknown] {
        assert_eq!(options["disabled"][0]["code"], "sso_account_not_configured");
    }
    assert_eq!(without, unknown);
}

/// Proves D2: each failure has its code, its status and exactly its message.
#[both_engines]
async fn discovery_fails_with_the_catalogues_words(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let anyone = app.anonymous();
    let app = &app;
    let mut unknown = tenant.start_body(Some("a@b.test"));
    unknown["account_name"] = json!("nobody");
    let problem = anyone.post("/v1/sso-sign-ins", &unknown).await.problem(404, "sso_account_not_configured");
    assert_eq!(problem["detail"], "This account is not configured for SSO");

    app.operator().patch(&tenant.connection_path(), &json!({ "provisioning": "invited_only" })).await.expect(200);
    let body = tenant.start_body(Some("a@b.test"));
    let problem = anyone.post("/v1/sso-sign-ins", &body).await.problem(404, "sso_email_not_configured");
    assert_eq!(problem["detail"], "This email is not configured for SSO");
    let attempt = tenant.last_attempt(app).await;
    assert_eq!(attempt["id"], problem["attempt_id"]);
    assert_eq!(attempt["failure"]["code"], "sso_email_not_configured");

    for username in ["one", "two"] {
        let body = json!({ "portal": "admin", "username": username, "email": "Shared@b.test" });
        let user = app.operator().post(&tenant.path("/users"), &body).await.expect(201);
        let path = tenant.path(&format!("/users/{}", user["id"].as_str().unwrap()));
        app.operator().patch(&path, &json!({ "status": "active" })).await.expect(200);
    }
    let body = tenant.start_body(Some("shared@B.test"));
    let problem = anyone.post("/v1/sso-sign-ins", &body).await.problem(409, "sso_multiple_usernames");
    assert_eq!(problem["detail"], "Multiple usernames are associated with this email ID");
    assert!(problem["fix"].as_str().is_some_and(|fix| !fix.is_empty()));

    app.operator().post(&format!("{}/disable", tenant.connection_path()), &json!({})).await.expect(200);
    anyone.post("/v1/sso-sign-ins", &body).await.problem(404, "sso_account_not_configured");
}

/// Proves D3: only a positive failure says no; what the guard forbids to look at goes on.
#[both_engines]
async fn an_unreachable_identity_provider_is_told_at_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.world.set_probe(ProbeResult::Unreachable);
    let body = tenant.start_body(Some("a@b.test"));
    let answer = app.anonymous().post("/v1/sso-sign-ins", &body).await;
    let problem = answer.problem(503, "idp_unreachable");
    assert_eq!(problem["detail"], "Unable to connect to your identity provider. Please try again later");
    assert!(!answer.header("retry-after").is_empty());
    app.operator().patch(&tenant.connection_path(), &json!({ "probe_login_url": false })).await.expect(200);
    app.anonymous().post("/v1/sso-sign-ins", &body).await.expect(200);
    let other = Tenant::create(&app, "other").await;
    let patch = json!({ "login_url": "https://adfs.internal.test/adfs/ls/" });
    app.operator().patch(&other.connection_path(), &patch).await.expect(200);
    app.world.set_probe(ProbeResult::Unknown);
    app.anonymous().post("/v1/sso-sign-ins", &other.start_body(None)).await.expect(200);
}

/// Proves D4: a frontend starts only what it registered for.
#[both_engines]
async fn a_start_needs_a_registered_frontend(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let mut elsewhere = tenant.start_body(None);
    elsewhere["redirect_uri"] = json!("https://app.example.test/callback/");
    app.anonymous().post("/v1/sso-sign-ins", &elsewhere).await.problem(400, "application_refused");
    let mut stranger = tenant.start_body(None);
    stranger["client_id"] = json!("app_00000000000000000000000000000000");
    app.anonymous().post("/v1/sso-sign-ins", &stranger).await.problem(400, "application_refused");
    let mut plain = tenant.start_body(None);
    plain["code_challenge_method"] = json!("plain");
    let answer = app.anonymous().post("/v1/sso-sign-ins", &plain).await;
    assert!(matches!(answer.status.as_u16(), 400 | 422), "{}", answer.text);
    let mut short = tenant.start_body(None);
    short["code_challenge"] = json!("short");
    let problem = app.anonymous().post("/v1/sso-sign-ins", &short).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/code_challenge");
}

/// Proves D2: a user who takes too long is told that the session expired.
#[both_engines]
async fn a_sign_in_that_takes_too_long_has_expired(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, Some("a@b.test")).await;
    app.world.clock.advance(SignedDuration::from_mins(16));
    let response = tenant.response(&app, &pending, "a@b.test", Some(&["staff"]));
    let location = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    assert_eq!(parameter(&location, "error_code"), "session_expired");
    assert_eq!(parameter(&location, "error_description"), "Your session has expired. Please log in again");
}

/// Proves D5: answers about unknown accounts and emails are rate-limited per address.
#[both_engines]
async fn guessing_is_slowed(db: TestDatabase) {
    let app = TestApp::start_with(db, tests::app::Limits { discovery_per_minute: 5, ..Default::default() }).await;
    let tenant = Tenant::create(&app, "acme").await;
    let mut limited = None;
    for n in 0..12 {
        let body = tenant.start_body(Some(&format!("guess{n}@b.test")));
        let answer = app.anonymous().post("/v1/sso-sign-ins", &body).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
    }
    let answer = limited.expect("a limit within twelve requests");
    answer.problem(429, "rate_limited");
    assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
}
