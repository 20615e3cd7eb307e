//! Rotation of refresh tokens: one line of successors, whichever clients ask and however often (I2).

use std::collections::BTreeSet;

use futures_util::future::join_all;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::{Answer, SESSION_EXPIRED};
use tests::databases::TestDatabase;
use tests::tenant::{ORIGIN, Tenant};
use tests::tokens::claims;
use tests::{assert_fields, both_engines};

/// Number of clients that present one token at once.
const CLIENTS: usize = 16;

fn refresh_token(tokens: &Value) -> String {
    tokens["refresh_token"].as_str().unwrap().to_owned()
}

async fn first_token(app: &TestApp, tenant: &Tenant) -> String {
    refresh_token(&tenant.tokens(app, "ann@acme.test", Some(&["staff"])).await)
}

async fn successor(app: &TestApp, tenant: &Tenant, token: &str) -> String {
    refresh_token(&tenant.refresh(app, token).await.expect(200))
}

async fn assert_over(app: &TestApp, tenant: &Tenant, token: &str) {
    let refused = tenant.refresh(app, token).await.expect(400);
    assert_fields!(refused, { "error": "invalid_grant", "error_description": SESSION_EXPIRED });
}

/// Proves I2: within ten seconds a rotated token gives the same successor again, with another access token of the same
/// session; after them it ends the session.
#[both_engines]
async fn a_rotated_token_gives_the_same_successor_and_then_ends_the_session(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let first = first_token(&app, &tenant).await;
    let rotated = tenant.refresh(&app, &first).await.expect(200);
    let second = refresh_token(&rotated);
    assert_ne!(first, second);
    app.world.clock.advance(SignedDuration::from_secs(10));
    let repeated = tenant.refresh(&app, &first).await.expect(200);
    assert_eq!(refresh_token(&repeated), second);
    let of = |tokens: &Value, name: &str| claims(tokens["access_token"].as_str().unwrap())[name].clone();
    assert_eq!(of(&rotated, "sid"), of(&repeated, "sid"));
    assert_ne!(of(&rotated, "jti"), of(&repeated, "jti"));
    app.world.clock.advance(SignedDuration::from_millis(1));
    assert_over(&app, &tenant, &first).await;
    assert_over(&app, &tenant, &second).await;
    let access = repeated["access_token"].as_str().unwrap();
    app.anonymous().bearing(access).get("/v1/me").await.problem(401, "session_expired");
    let events = app.operator().get(&tenant.path("/audit-events?action=session.ended")).await.expect(200);
    assert!(events.to_string().contains("refresh_token_reused"), "{events}");
}

/// Proves I2: a thief and the victim cannot both go on: the one who comes second with a token whose successor was
/// used ends the session, also within ten seconds.
#[both_engines]
async fn a_token_whose_successor_was_used_ends_the_session_at_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let first = first_token(&app, &tenant).await;
    let second = successor(&app, &tenant, &first).await;
    let third = successor(&app, &tenant, &second).await;
    assert_eq!(successor(&app, &tenant, &second).await, third, "the parent is still good");
    assert_over(&app, &tenant, &first).await;
    for token in [&second, &third] {
        assert_over(&app, &tenant, token).await;
    }
}

/// Proves I2: sixteen clients that present one token at once all get the one successor, over several generations.
#[both_engines]
async fn clients_that_refresh_at_once_get_one_successor(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let mut token = first_token(&app, &tenant).await;
    for generation in 0..3 {
        let answers = join_all((0..CLIENTS).map(|_| tenant.refresh(&app, &token))).await;
        let successors: BTreeSet<String> = answers.iter().map(|answer| refresh_token(&answer.expect(200))).collect();
        assert_eq!(successors.len(), 1, "generation {generation}");
        token = successors.into_iter().next().unwrap();
    }
    app.world.clock.advance(SignedDuration::from_mins(1));
    tenant.refresh(&app, &token).await.expect(200);
}

/// Proves I2: the same holds where the token lives in a cookie, for the application's own pages alone.
#[both_engines]
async fn a_cookie_repeats_the_same_successor_for_the_applications_own_pages(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path(&format!("/applications/{}", tenant.client_id));
    app.operator().patch(&path, &json!({ "refresh_delivery": "cookie" })).await.expect(200);
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let post = async |origin: &str, cookie: &str, fields: &[(&str, &str)]| {
        let request = app.anonymous().request(Method::POST, "/oauth/token").header("Origin", origin);
        Answer::of(request.header("Cookie", cookie).form(fields)).await
    };
    let pair = |answer: &Answer| answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let first = pair(&post(ORIGIN, "a=b", &tenant.exchange_form(&code)).await);
    let form = [("grant_type", "refresh_token"), ("client_id", tenant.client_id.as_str())];
    let refresh = async |cookie: &str| post(ORIGIN, cookie, &form).await;
    let answers = join_all((0..4).map(|_| refresh(&first))).await;
    let successors: BTreeSet<String> = answers.iter().map(pair).collect();
    assert_eq!(successors.len(), 1, "{successors:?}");
    let second = successors.into_iter().next().unwrap();
    assert_ne!(second, first);
    assert_eq!(post("https://evil.test", &first, &form).await.status, 400);
    let third = pair(&refresh(&second).await);
    assert_eq!(refresh(&first).await.expect(400)["error_description"], SESSION_EXPIRED);
    assert_eq!(refresh(&third).await.expect(400)["error_description"], SESSION_EXPIRED);
}

/// Proves I2: another client gets no successor, and ends nothing.
#[both_engines]
async fn another_client_gets_no_successor(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let first = first_token(&app, &tenant).await;
    let second = successor(&app, &tenant, &first).await;
    let refused = other.refresh(&app, &first).await.expect(400);
    assert!(refused.get("refresh_token").is_none());
    app.world.clock.advance(SignedDuration::from_secs(11));
    other.refresh(&app, &first).await.expect(400);
    tenant.refresh(&app, &second).await.expect(200);
}

/// Proves I2: a successor is kept sealed for its grace, and is erased when it is used or the grace is over.
#[both_engines]
async fn a_successor_is_kept_sealed_and_erased(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let kept = async |token: &str| app.kept_refresh_token(token).await.rotation.unwrap().sealed_successor;
    let first = first_token(&app, &tenant).await;
    let second = successor(&app, &tenant, &first).await;
    let sealed = kept(&first).await.unwrap();
    assert!(!sealed.windows(second.len()).any(|window| window == second.as_bytes()), "it lies there in clear");
    let third = successor(&app, &tenant, &second).await;
    assert_eq!(kept(&first).await, None);
    assert!(kept(&second).await.is_some());
    app.world.clock.advance(SignedDuration::from_secs(10));
    app.service.installation.tick().await.unwrap();
    assert!(kept(&second).await.is_some(), "its grace is not over");
    app.world.clock.advance(SignedDuration::from_millis(1));
    app.service.installation.tick().await.unwrap();
    assert_eq!(kept(&second).await, None);
    tenant.refresh(&app, &third).await.expect(200);
}
