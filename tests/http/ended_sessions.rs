//! A session that is over says so in the same words everywhere (D2).

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client, SESSION_EXPIRED};
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

/// Challenge that answers a token that is not good any more (RFC 6750, section 3.1).
const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\"";

async fn assert_expired(client: &Client) {
    for (method, path) in [(Method::GET, "/v1/me"), (Method::GET, "/v1/me/sessions"), (Method::POST, "/v1/accounts")] {
        let answer = Answer::of(client.request(method, path)).await;
        answer.problem(401, "session_expired");
        assert_eq!(answer.header("www-authenticate"), INVALID_TOKEN, "{path}");
    }
}

/// Proves D2, A3, I3: an access token of an ended session, of a deactivated or removed user, or past its time, is told
/// that the session expired.
#[both_engines]
async fn an_access_token_of_an_ended_session_is_told_so(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, operator) = (Tenant::create(&app, "acme").await, app.operator());
    let user = async |client: &Client| {
        let me = client.get("/v1/me").await.expect(200);
        tenant.path(&format!("/users/{}", me["user"]["id"].as_str().unwrap()))
    };
    let out = tenant.sign_in(&app, "out@acme.test", Some(&["staff"])).await;
    let id = out.get("/v1/me").await.expect(200)["session"]["id"].as_str().unwrap().to_owned();
    assert_eq!(out.delete(&format!("/v1/me/sessions/{id}")).await.status, 204);
    assert_expired(&out).await;

    let inactive = tenant.sign_in(&app, "inactive@acme.test", Some(&["staff"])).await;
    operator.patch(&user(&inactive).await, &json!({ "status": "inactive" })).await.expect(200);
    assert_expired(&inactive).await;

    let removed = tenant.sign_in(&app, "removed@acme.test", Some(&["staff"])).await;
    assert_eq!(operator.delete(&user(&removed).await).await.status, 204);
    assert_expired(&removed).await;

    let late = tenant.sign_in(&app, "late@acme.test", Some(&["staff"])).await;
    app.world.clock.advance(SignedDuration::from_mins(10));
    assert_expired(&late).await;
}

/// Proves D2: a deactivated user's refresh token is told the same, in OAuth's terms.
#[both_engines]
async fn a_refresh_token_of_a_deactivated_user_is_told_so(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let ann = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let me = ann.get("/v1/me").await.expect(200);
    let path = tenant.path(&format!("/users/{}", me["user"]["id"].as_str().unwrap()));
    app.operator().patch(&path, &json!({ "status": "inactive" })).await.expect(200);
    let refused = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(400);
    assert_eq!(refused["error_description"], SESSION_EXPIRED);
}

/// Proves D2: what is not a token of this service is not an expired session; the answer names every kind of
/// credential.
#[both_engines]
async fn what_was_never_a_session_is_not_called_an_expired_one(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let bare = app.anonymous().get("/v1/me").await;
    let told = bare.problem(401, "unauthenticated");
    assert_eq!(bare.header("www-authenticate"), "Bearer");
    for kind in ["operator key", "API key", "access token"] {
        assert!(told["fix"].as_str().unwrap().contains(kind), "{told}");
    }
    for token in ["vop_unknown", "vak_unknown", "vrt_unknown", "a.b.c", "x"] {
        let answer = app.anonymous().bearing(token).get("/v1/me").await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), INVALID_TOKEN, "{token}");
    }
}
