//! Attacks with a stolen code or token, and by requests that race each other (D4, I2, I3).

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, parameter};
use tests::databases::{Engine, TestDatabase, database};
use tests::tenant::{REDIRECT_URI, Tenant, challenge};
use url::form_urlencoded::Serializer;

/// Times that a race is run: each time its requests meet at another point.
const ROUNDS: usize = 6;

async fn change_application(app: &TestApp, tenant: &Tenant, change: Value) {
    let path = tenant.path(&format!("/applications/{}", tenant.client_id));
    app.operator().patch(&path, &change).await.expect(200);
}

/// Proves D4: a second use ends the session also where both come at the same moment, and the audit log tells of it.
#[both_engines]
async fn a_code_that_two_present_at_once_leaves_no_session(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for _ in 0..ROUNDS {
        let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
        let (anyone, form) = (app.anonymous(), tenant.exchange_form(&code));
        let exchange = || anyone.form("/oauth/token", &form);
        let (one, two, three) = tokio::join!(exchange(), exchange(), exchange());
        for answer in [one, two, three] {
            if answer.status == 200 {
                let token = answer.json()["access_token"].as_str().unwrap().to_owned();
                anyone.bearing(&token).get("/v1/me").await.problem(401, "session_expired");
            } else {
                assert_eq!(answer.expect(400)["error"], "invalid_grant");
            }
        }
    }
    let events = app.operator().get(&tenant.path("/audit-events?action=session.ended")).await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), ROUNDS);
    assert!(events.to_string().contains("code_reused"), "{events}");
}

/// Proves I2, I3: a refresh that meets the end of its session, or of its user, is refused in OAuth's terms.
#[both_engines]
async fn a_refresh_that_meets_the_end_of_its_session_is_refused(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for round in 0..ROUNDS {
        let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
        let refresh_token = tokens["refresh_token"].as_str().unwrap();
        let ann = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
        let me = ann.get("/v1/me").await.expect(200);
        let ended = match round % 2 {
            0 => tenant.path(&format!("/sessions/{}", me["session"]["id"].as_str().unwrap())),
            _ => tenant.path(&format!("/users/{}", me["user"]["id"].as_str().unwrap())),
        };
        let (operator, refresh) = (app.operator(), || tenant.refresh(&app, refresh_token));
        let (one, two, end, three) = tokio::join!(refresh(), refresh(), operator.delete(&ended), refresh());
        assert_eq!(end.status, 204, "{}", end.text);
        for answer in [one, two, three].iter().filter(|answer| answer.status != 200) {
            assert_eq!(answer.expect(400)["error"], "invalid_grant", "{}", answer.text);
        }
        assert_eq!(tenant.refresh(&app, refresh_token).await.expect(400)["error"], "invalid_grant");
        ann.get("/v1/me").await.problem(401, "session_expired");
    }
}

/// Proves A3, C10: a response that meets the removal of its user, or a refused one beside it, is answered by a
/// redirect, and a sign-in that gave a code is not recorded as refused.
#[both_engines]
async fn a_response_that_meets_other_changes_is_answered_by_a_redirect(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for _ in 0..ROUNDS {
        let me = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await.get("/v1/me").await.expect(200);
        let user = tenant.path(&format!("/users/{}", me["user"]["id"].as_str().unwrap()));
        let pending = tenant.start(&app, None).await;
        let good = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
        let mut bad = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
        bad.audiences = vec![vec!["urn:another:sp".to_owned()]];
        let (operator, post) = (app.operator(), |spec| tenant.post_response(&app, spec, &pending.relay_state));
        let (refused, accepted, removed) = tokio::join!(post(&bad), post(&good), operator.delete(&user));
        assert_eq!(removed.status, 204);
        assert_eq!(parameter(&refused.location(), "error_code"), "saml_response_refused");
        let path = tenant.path(&format!("/sign-in-attempts/{}", pending.started["attempt_id"].as_str().unwrap()));
        let attempt = operator.get(&path).await.expect(200);
        if accepted.location().query_pairs().any(|(name, _)| name == "code") {
            assert_eq!(attempt["stage"], "code_issued", "{attempt}");
        }
    }
}

/// Proves D4: a redirect URI that its owner took away gets no session, though the sign-in began before.
#[tokio::test]
async fn a_code_for_a_redirect_uri_that_was_taken_away_is_worth_nothing() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    change_application(&app, &tenant, json!({ "redirect_uris": ["https://app.example.test/other"] })).await;
    let answer = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await;
    assert_eq!(answer.expect(400)["error"], "invalid_grant");
    change_application(&app, &tenant, json!({ "redirect_uris": [REDIRECT_URI] })).await;
    app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200);
}

/// Proves D4: an application or connection that goes away in the middle takes the sign-in with it.
#[tokio::test]
async fn what_goes_away_in_the_middle_takes_the_sign_in_with_it() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let (tenant, operator) = (Tenant::create(&app, "acme").await, app.operator());
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let pending = tenant.start(&app, None).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    operator.post(&format!("{}/disable", tenant.connection_path()), &json!({})).await.expect(200);
    let answer = tenant.post_response(&app, &response, &pending.relay_state).await;
    answer.problem(404, "sso_account_not_configured");
    assert_eq!(operator.delete(&tenant.connection_path()).await.status, 204);
    let answer = tenant.post_response(&app, &response, &pending.relay_state).await;
    answer.problem(404, "sso_account_not_configured");
    assert_eq!(app.anonymous().get(&tenant.acs_path()).await.status, 404);
    assert_eq!(operator.delete(&tenant.path(&format!("/applications/{}", tenant.client_id))).await.status, 204);
    let answer = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await;
    assert_eq!(answer.expect(400)["error"], "invalid_grant");
}

/// Proves D4, A5: one tenant's code is worth nothing in another's frontend, and is still good in its own.
#[tokio::test]
async fn a_code_injected_into_another_frontend_is_refused_and_not_used_up() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let (acme, evil) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "evil").await);
    let code = acme.code(&app, "ann@acme.test", Some(&["staff"])).await;
    assert_eq!(
        app.anonymous().form("/oauth/token", &evil.exchange_form(&code)).await.expect(400)["error"],
        "invalid_grant"
    );
    let tokens = app.anonymous().form("/oauth/token", &acme.exchange_form(&code)).await.expect(200);
    let token = tokens["refresh_token"].as_str().unwrap();
    assert_eq!(evil.refresh(&app, token).await.expect(400)["error"], "invalid_grant");
    let revoked =
        app.anonymous().form("/oauth/revoke", &[("client_id", evil.client_id.as_str()), ("token", token)]).await;
    assert_eq!(revoked.expect(400)["error"], "invalid_grant");
    acme.refresh(&app, token).await.expect(200);
    let mut start = acme.start_body(None);
    start["client_id"] = json!(evil.client_id);
    app.anonymous().post("/v1/sso-sign-ins", &start).await.problem(404, "sso_account_not_configured");
}

/// Proves D4: PKCE cannot be left out, weakened or answered with the challenge itself.
#[tokio::test]
async fn pkce_cannot_be_downgraded() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    for (field, value) in [
        ("code_challenge_method", json!("plain")),
        ("code_challenge_method", json!("s256")),
        ("code_challenge_method", Value::Null),
        ("code_challenge", Value::Null),
        ("code_challenge", json!("")),
    ] {
        let mut body = tenant.start_body(None);
        body[field] = value;
        let weakened = app.anonymous().post("/v1/sso-sign-ins", &body).await;
        assert!(matches!(weakened.status.as_u16(), 400 | 422), "{}", weakened.text);
        body.as_object_mut().unwrap().remove(field);
        app.anonymous().post("/v1/sso-sign-ins", &body).await.problem(422, "invalid_input");
    }
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let challenge = challenge();
    for verifier in ["", "x", challenge.as_str()] {
        let mut form = tenant.exchange_form(&code);
        form[4].1 = verifier;
        let answer = app.anonymous().form("/oauth/token", &form).await;
        assert!(["invalid_grant", "invalid_request"].contains(&answer.expect(400)["error"].as_str().unwrap()));
    }
    app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200);
}

/// Proves D4: of two values of one parameter none is picked, what stands in the query is not read, and other media
/// types are refused in OAuth's terms.
#[tokio::test]
async fn parameters_count_once_and_in_a_form_alone() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let form = tenant.exchange_form(&code);
    for repeated in form {
        let mut fields = form.to_vec();
        fields.push(repeated);
        assert_eq!(app.anonymous().form("/oauth/token", &fields).await.expect(400)["error"], "invalid_request");
    }
    let query = Serializer::new(String::new()).extend_pairs(form).finish();
    let answer = app.anonymous().form(&format!("/oauth/token?{query}"), &[("client_id", &tenant.client_id)]).await;
    assert_eq!(answer.expect(400)["error"], "invalid_request");
    let object: serde_json::Map<String, Value> = form.iter().map(|(k, v)| ((*k).to_owned(), json!(v))).collect();
    assert_eq!(app.anonymous().post("/oauth/token", &object).await.expect(400)["error"], "invalid_request");
    let acs = app.anonymous().request(Method::POST, &tenant.acs_path());
    let twice = [("SAMLResponse", "PHgvPg=="), ("SAMLResponse", "PHkvPg==")];
    Answer::of(acs.form(&twice)).await.problem(422, "invalid_input");
    app.anonymous().form("/oauth/token", &form).await.expect(200);
}

/// Proves I2: a clock that went back does not make an old refresh token good again.
#[tokio::test]
async fn an_old_refresh_token_stays_old_when_the_clock_goes_back() {
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let tenant = Tenant::create(&app, "acme").await;
    let first = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let first = first["refresh_token"].as_str().unwrap();
    app.world.clock.advance(SignedDuration::from_mins(5));
    let second = tenant.refresh(&app, first).await.expect(200);
    app.world.clock.advance(SignedDuration::from_mins(-1));
    assert_eq!(tenant.refresh(&app, first).await.expect(400)["error"], "invalid_grant");
    tenant.refresh(&app, second["refresh_token"].as_str().unwrap()).await.expect(400);
    let events = app.operator().get(&tenant.path("/audit-events?action=session.ended")).await.expect(200);
    assert!(events.to_string().contains("refresh_token_reused"), "{events}");
}
