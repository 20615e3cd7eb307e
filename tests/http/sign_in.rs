//! A whole sign-in, from the login page to the session (D1, D4), and what binds it (C10).

use jiff::SignedDuration;
use mock_idp::message::{Shape, SignedParts};
use serde_json::json;
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::tenant::{REDIRECT_URI, Tenant};
use tests::{assert_fields, both_engines};

/// Proves D1, D4, I1: account name and email in, a code out by redirect, a session for it.
#[both_engines]
async fn a_person_signs_in_from_the_login_page_to_a_session(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, Some("ann@acme.test")).await;
    assert_eq!(pending.started["status"], "redirect_required");
    let url = pending.started["handoff"]["url"].as_str().unwrap();
    assert!(url.starts_with("https://idp.example.test/sso?SAMLRequest="), "{url}");

    let response = tenant.response(&app, &pending, "Ann@acme.test", Some(&["staff"]));
    let answer = tenant.post_response(&app, &response, &pending.relay_state).await;
    assert_eq!(answer.status, 303);
    let location = answer.location();
    assert!(location.as_str().starts_with(REDIRECT_URI), "{location}");
    assert_eq!(parameter(&location, "state"), "the-state");
    assert_eq!(parameter(&location, "iss"), app.issuer());
    assert!(!location.as_str().contains("access_token"));

    let code = parameter(&location, "code");
    let answer = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.expect(200);
    assert_eq!(tokens["token_type"], "Bearer");
    let me = app.anonymous().bearing(tokens["access_token"].as_str().unwrap()).get("/v1/me").await.expect(200);
    assert_eq!(me["user"]["username"], "Ann@acme.test");
    assert_eq!(me["user"]["roles"]["effective"], json!(["organization_member"]));
    let attempt = tenant.last_attempt(&app).await;
    assert_fields!(attempt, { "outcome": "succeeded", "stage": "session_issued" });
    assert_eq!(attempt["id"], pending.started["attempt_id"]);
}

/// Proves C8: the plain link leads to the frontend, which begins a bound sign-in.
#[both_engines]
async fn the_saml_login_url_redirects_to_the_default_application(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let location = app.anonymous().get(&format!("{}/login", tenant.acs_path())).await.location();
    assert!(location.as_str().starts_with("https://app.example.test/login?"), "{location}");
    assert_eq!(parameter(&location, "iss"), app.issuer());
    assert_eq!(parameter(&location, "account_name"), "acme");
    assert_eq!(parameter(&location, "portal"), "admin");
    app.anonymous().get("/saml/00000000000000000000/login").await.problem(404, "sso_account_not_configured");
}

/// Proves C10: a response counts once, for the request it answers, and a refused one consumes nothing.
#[both_engines]
async fn a_response_is_used_once_and_a_refused_one_consumes_nothing(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, None).await;
    let mut late = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    late.audiences = vec![vec!["https://somebody.else.test".to_owned()]];
    let refused = tenant.post_response(&app, &late, &pending.relay_state).await.location();
    assert_eq!(parameter(&refused, "error_code"), "saml_response_refused");

    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let accepted = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    parameter(&accepted, "code");
    let again = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    assert_eq!(parameter(&again, "error"), "access_denied");
    assert!(again.query_pairs().all(|(name, _)| name != "code"));
    let other = tenant.response(&app, &pending, "bob@acme.test", Some(&["staff"]));
    let second = tenant.post_response(&app, &other, &pending.relay_state).await.location();
    assert_eq!(parameter(&second, "error_code"), "saml_response_refused");
}

/// Proves C10: two browsers that post the same response at once get one code.
#[both_engines]
async fn two_at_once_use_one_response(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, None).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let post = || tenant.post_response(&app, &response, &pending.relay_state);
    let (one, two, three) = tokio::join!(post(), post(), post());
    let codes = [one, two, three].iter().filter(|answer| answer.location().as_str().contains("code=vac_")).count();
    assert_eq!(codes, 1);
}

/// Proves C10: a response to the request of another browser does not sign in the browser that carries it.
#[both_engines]
async fn a_response_to_another_sign_in_is_refused(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (mine, theirs) = (tenant.start(&app, None).await, tenant.start(&app, None).await);
    let response = tenant.response(&app, &theirs, "mallory@acme.test", Some(&["staff"]));
    let location = tenant.post_response(&app, &response, &mine.relay_state).await.location();
    assert_eq!(parameter(&location, "error_code"), "saml_response_refused");
    let attempts = app.operator().get(&tenant.path("/sign-in-attempts?outcome=refused")).await.expect(200);
    assert_eq!(attempts["items"][0]["failure"]["reason"], "relay_state_mismatch");
    let never = tenant.idp.response(&tenant.acs_url, app.now()).to_request("_never-asked");
    let never = never.attribute(tests::idp::EMAIL_CLAIM, ["ann@acme.test"]).signed(SignedParts::Both);
    let answer = tenant.post_response(&app, &never, "nonsense").await;
    assert_eq!(answer.problem(400, "saml_response_refused")["attempt_id"], tenant.last_attempt(&app).await["id"]);
}

/// Proves C10: an unsolicited response never makes a session; where it is allowed it leads to a sign-in that was
/// asked for, and only once.
#[both_engines]
async fn an_unsolicited_response_at_most_begins_a_sign_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let unsolicited = || {
        let spec = tenant.idp.response(&tenant.acs_url, app.now()).signed(SignedParts::Both);
        spec.attribute(tests::idp::EMAIL_CLAIM, ["ann@acme.test"])
    };
    tenant.post_response(&app, &unsolicited(), "").await.problem(400, "saml_response_refused");
    app.operator().patch(&tenant.connection_path(), &json!({ "allow_idp_initiated": true })).await.expect(200);
    let response = unsolicited();
    let location = tenant.post_response(&app, &response, "").await.location();
    assert!(location.as_str().starts_with("https://app.example.test/login?iss="), "{location}");
    assert!(!location.as_str().contains("code"));
    tenant.post_response(&app, &response, "").await.problem(400, "saml_response_refused");
    let users = app.operator().get(&tenant.path("/users?q=ann")).await.expect(200);
    assert_eq!(users["items"], json!([]));
}

/// Proves C10: a browser that comes without a known sign-in is answered with one plain page that echoes nothing.
#[both_engines]
async fn a_browser_without_a_sign_in_gets_a_plain_page(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let request = app.anonymous().request(reqwest::Method::POST, &tenant.acs_path()).header("Accept", "text/html");
    let fields = [("SAMLResponse", "PHNjcmlwdD4="), ("RelayState", "<script>alert(1)</script>")];
    let answer = tests::client::Answer::of(request.form(&fields)).await;
    assert_eq!(answer.status, 400);
    assert!(answer.header("content-type").starts_with("text/html"));
    assert!(answer.text.contains("att_") && !answer.text.contains("<script"), "{}", answer.text);
}

/// Proves A5, C10: one tenant's identity provider says nothing at another tenant's ACS, though both trust its key.
#[both_engines]
async fn a_response_for_one_tenant_is_refused_at_another(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (acme, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let pending = acme.start(&app, None).await;
    let response = acme.response(&app, &pending, "ann@acme.test", Some(&["nac-team-lead"]));
    let answer = other.post_response(&app, &response, &pending.relay_state).await;
    answer.problem(400, "saml_response_refused");
    let mut readdressed = acme.response(&app, &pending, "ann@acme.test", Some(&["nac-team-lead"]));
    readdressed.recipient = Some(other.acs_url.clone());
    readdressed.destination = Some(other.acs_url.clone());
    readdressed.audiences = vec![vec![other.acs_url.clone()]];
    let answer = other.post_response(&app, &readdressed, &pending.relay_state).await;
    answer.problem(400, "saml_response_refused");
}

/// Proves C12: the identity provider's session bounds ours.
#[both_engines]
async fn session_not_on_or_after_caps_the_session(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, None).await;
    let mut response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let ends = app.now().saturating_add(SignedDuration::from_mins(5)).unwrap();
    response.session_not_on_or_after = Some(ends.into());
    let location = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    let code = parameter(&location, "code");
    let tokens = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200);
    assert!(tokens["expires_in"].as_u64().unwrap() <= 300);
    app.world.clock.advance(SignedDuration::from_mins(6));
    let refreshed = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.expect(400)["error_description"], "Your session has expired. Please log in again");
}

/// Proves C10: what honest identity providers of every make send is let in.
#[both_engines]
async fn every_honest_identity_provider_gets_its_people_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for shape in Shape::ALL {
        let pending = tenant.start(&app, None).await;
        let mut response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
        response.shape = shape;
        let location = tenant.post_response(&app, &response, &pending.relay_state).await.location();
        assert!(location.as_str().contains("code="), "{shape:?}: {location} {}", tenant.last_attempt(&app).await);
    }
}
