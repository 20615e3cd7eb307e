//! Secrecy of the log: a reader of it learns nothing that opens a door, and the name of no user (H1).

use reqwest::Method;
use serde_json::json;
use tests::app::TestApp;
use tests::client::{Answer, parameter};
use tests::databases::{Engine, database};
use tests::logs::Lines;
use tests::tenant::{Tenant, VERIFIER};

/// A whole sign-in, and what may go wrong on the way; gives everything that must not be found in the log.
async fn live_through_a_day(app: &TestApp) -> Vec<String> {
    let tenant = Tenant::create(app, "acme").await;
    let pending = tenant.start(app, Some("ann.secretive@acme.test")).await;
    let mut refused = tenant.response(app, &pending, "ann.secretive@acme.test", Some(&["hidden-group"]));
    refused.audiences = vec![vec!["urn:another:sp".to_owned()]];
    tenant.post_response(app, &refused, &pending.relay_state).await.location();
    let response = tenant.response(app, &pending, "ann.secretive@acme.test", Some(&["staff", "hidden-group"]));
    let message = tenant.idp.sign(&response);
    let location = tenant.post_value(app, &message, &pending.relay_state).await.location();
    tenant.post_value(app, &message, &pending.relay_state).await.location();
    let code = parameter(&location, "code");
    let tokens = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(200);
    let [access, refresh] = ["access_token", "refresh_token"].map(|name| tokens[name].as_str().unwrap().to_owned());
    let rotated = tenant.refresh(app, &refresh).await.expect(200)["refresh_token"].as_str().unwrap().to_owned();
    app.anonymous().bearing(&access).get("/v1/me").await.expect(200);
    app.anonymous()
        .bearing("vop_an-operator-key-that-is-wrong")
        .get("/v1/accounts")
        .await
        .problem(401, "unauthenticated");
    app.anonymous().get(&format!("/v1/me?access_token={access}")).await.problem(401, "unauthenticated");
    let user = json!({ "portal": "admin", "username": "bob.secretive", "email": "bob.secretive@acme.test" });
    app.operator().post(&tenant.path("/users"), &user).await.expect(201);
    app.operator().post(&tenant.path("/users"), &user).await.problem(409, "username_taken");
    app.operator().get(&tenant.path("/users?q=bob.secretive")).await.expect(200);
    let broken =
        app.operator().request(Method::POST, &tenant.path("/users")).header("Content-Type", "application/json");
    Answer::of(broken.body("{\"email\": \"bob.secretive@acme.test\", ")).await.problem(400, "invalid_body");
    let named =
        app.anonymous().request(Method::GET, "/nowhere?token=bob.secretive").header("Cookie", "a=bob.secretive");
    Answer::of(named.header("X-Request-Id", "x\u{e9} FORGED level=ERROR")).await.problem(404, "route_not_found");
    app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(400);
    app.anonymous().form("/oauth/revoke", &[("client_id", tenant.client_id.as_str()), ("token", &rotated)]).await;
    app.service.installation.tick().await.unwrap();
    app.service.installation.sweep().await.unwrap();
    let named =
        ["secretive", "hidden-group", "the-state", "vop_", VERIFIER, "FORGED", "owner@", "***"].map(str::to_owned);
    let secrets = [access, refresh, rotated, code, pending.relay_state, message[..200].to_owned()];
    named.into_iter().chain(secrets).collect()
}

/// Proves H1, I1, I2: tokens, codes, handles, keys, messages, states and people's names are in no line of the log,
/// whatever it is set to.
#[tokio::test]
async fn the_log_of_a_whole_sign_in_holds_no_secret_and_nobodys_name() {
    let lines = Lines::capture();
    let app = TestApp::start(database(Engine::Sqlite).await).await;
    let forbidden = live_through_a_day(&app).await;
    let text = lines.text();
    assert!(text.contains("a sign-in was refused") && text.contains("/oauth/token"), "{text}");
    assert!(text.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "a line is no JSON");
    for secret in forbidden {
        let found: Vec<&str> = text.lines().filter(|line| line.contains(&secret)).collect();
        assert!(found.is_empty(), "{secret} is logged: {found:#?}");
    }
}
