//! API keys for an account's own automation: what they open, what they never do, and how they end (A3, A5, A6).

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::{Answer, Client};
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

async fn create(app: &TestApp, tenant: &Tenant, body: Value) -> (Client, Value) {
    let made = app.operator().post(&tenant.path("/api-keys"), &body).await.expect(201);
    let client = app.anonymous().bearing(made["secret"].as_str().unwrap());
    (client, made["api_key"].clone())
}

/// A key with these scopes.
async fn key(app: &TestApp, tenant: &Tenant, scopes: &[&str]) -> Client {
    create(app, tenant, json!({ "name": "HR import", "scopes": scopes })).await.0
}

/// The path of a user, by their email.
async fn user_path(app: &TestApp, tenant: &Tenant, email: &str) -> String {
    let found = app.operator().get(&tenant.path(&format!("/users?q={email}"))).await.expect(200);
    tenant.path(&format!("/users/{}", found["items"][0]["id"].as_str().unwrap()))
}

/// Proves A3, H3: the key is shown once, kept as a digest, and names itself in the log.
#[both_engines]
async fn a_key_is_shown_once_and_acts_under_its_own_name(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let path = tenant.path("/api-keys");
    let body = json!({ "name": "HR import", "scopes": ["users:write", "read"] });
    let send = || Answer::of(owner.request(Method::POST, &path).header("Idempotency-Key", "k").json(&body));
    let (made, again) = (send().await.expect(201), send().await.expect(201));
    let secret = made["secret"].as_str().unwrap();
    assert!(secret.starts_with(made["api_key"]["hint"].as_str().unwrap()));
    assert_eq!(again["secret"], json!(null));
    assert_eq!(again["api_key"], made["api_key"]);
    let list = owner.get(&path).await;
    assert!(!list.text.contains(secret), "{}", list.text);
    assert_eq!(list.expect(200)["items"], json!([made["api_key"]]));

    let program = app.anonymous().bearing(secret);
    let ann = json!({ "portal": "admin", "username": "ann", "roles": ["organization_member"] });
    program.post(&tenant.path("/users"), &ann).await.expect(201);
    let events = program.get(&tenant.path("/audit-events?limit=100")).await;
    assert!(!events.text.contains(secret), "{}", events.text);
    let event = &events.expect(200)["items"][0];
    assert_fields!(event, { "action": "user.created", "actor": { "kind": "api_key" } });
    assert_eq!(event["actor"]["id"], made["api_key"]["id"]);
}

/// Proves A3: a key that was revoked, has expired or was invented stands for no caller.
#[both_engines]
async fn a_key_ends_when_it_is_revoked_or_expires(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let in_an_hour = app.now().saturating_add(SignedDuration::from_hours(1)).unwrap();
    let body = json!({ "name": "short", "scopes": ["read"], "expires_at": in_an_hour });
    let (short, _) = create(&app, &tenant, body).await;
    let (long, kept) = create(&app, &tenant, json!({ "name": "long", "scopes": ["read"] })).await;
    short.get(&tenant.path("")).await.expect(200);
    app.world.clock.advance(SignedDuration::from_hours(1));
    short.get(&tenant.path("")).await.problem(401, "unauthenticated");
    long.get(&tenant.path("")).await.expect(200);
    let path = tenant.path(&format!("/api-keys/{}", kept["id"].as_str().unwrap()));
    long.delete(&path).await.problem(403, "forbidden");
    assert_eq!(app.operator().delete(&path).await.status, 204);
    let events = app.operator().get(&tenant.path("/audit-events?limit=4")).await.expect(200);
    let actions: Vec<&Value> = events["items"].as_array().unwrap().iter().map(|event| &event["action"]).collect();
    assert_eq!(actions[..3], ["api_key.deleted", "api_key.created", "api_key.created"]);
    long.get(&tenant.path("")).await.problem(401, "unauthenticated");
    app.operator().get(&path).await.problem(404, "not_found");
    let invented = app.anonymous().bearing("vak_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    invented.get(&tenant.path("")).await.problem(401, "unauthenticated");
}

/// Proves A3, A4: no key makes, changes, mails or removes an owner, so that none becomes one.
#[both_engines]
async fn a_key_does_not_reach_owners(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let program = key(&app, &tenant, &["read", "users:write", "settings:write"]).await;
    let owner = json!(["organization_owner"]);
    for email in ["boss@acme.test", "owner@acme.test"] {
        let path = user_path(&app, &tenant, email).await;
        for change in [json!({ "email": "thief@evil.test" }), json!({ "status": "inactive" }), json!({ "roles": [] })] {
            program.patch(&path, &change).await.problem(403, "forbidden");
        }
        program.delete(&path).await.problem(403, "forbidden");
    }
    let ann = user_path(&app, &tenant, "ann@acme.test").await;
    program.patch(&ann, &json!({ "roles": owner })).await.problem(403, "forbidden");
    let new = json!({ "portal": "admin", "username": "eve", "roles": owner });
    program.post(&tenant.path("/users"), &new).await.problem(403, "forbidden");
    program.post(&tenant.path("/user-imports"), &json!({ "users": [new] })).await.problem(403, "forbidden");
    let invitation = json!({ "portal": "admin", "email": "eve@evil.test", "roles": owner, "staged": true });
    program.post(&tenant.path("/invitations"), &invitation).await.problem(403, "forbidden");
    let first = program.get(&tenant.path("/invitations?q=owner@acme.test")).await.expect(200);
    let first = tenant.path(&format!("/invitations/{}", first["items"][0]["id"].as_str().unwrap()));
    program.post(&format!("{first}/revoke"), &json!({})).await.problem(403, "forbidden");
    let found = app.operator().get(&tenant.path("/users?q=e")).await.expect(200);
    assert!(!found.to_string().contains("evil") && !found.to_string().contains("eve"), "{found}");
    program.patch(&ann, &json!({ "display_name": "Ann" })).await.expect(200);
}

/// Proves A3, A7: no key makes a context manager, moves the addresses of a user who has a credential, wakes a user
/// who was deactivated by an owner or takes a second factor away; each is refused by its reason, and what is left
/// of its work it does.
#[both_engines]
async fn a_key_takes_nobody_over(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let program = key(&app, &tenant, &["read", "users:write"]).await;
    let manager = json!(["organization_context_manager"]);
    let new = json!({ "portal": "admin", "username": "cm", "roles": manager });
    program.post(&tenant.path("/users"), &new).await.problem(403, "forbidden");
    program.post(&tenant.path("/user-imports"), &json!({ "users": [new] })).await.problem(403, "forbidden");
    let invitation = json!({ "portal": "admin", "email": "cm@acme.test", "roles": manager, "staged": true });
    program.post(&tenant.path("/invitations"), &invitation).await.problem(403, "forbidden");
    let cm = app.operator().post(&tenant.path("/users"), &new).await.expect(201);
    let cm = tenant.path(&format!("/users/{}", cm["id"].as_str().unwrap()));
    let by_password = tenant.form_user(&app, "ann", Some("organization_member")).await;
    tenant.sign_in(&app, "bo@acme.test", Some(&["staff"])).await;
    let bo = user_path(&app, &tenant, "bo@acme.test").await;
    let ann = tenant.path(&format!("/users/{by_password}"));
    for path in [&cm, &ann, &bo] {
        for change in [
            json!({ "email": "thief@evil.test" }),
            json!({ "recovery_email": "thief@evil.test" }),
            json!({ "username": "vip@acme.test" }),
        ] {
            let problem = program.patch(path, &change).await.problem(403, "forbidden");
            assert!(problem["detail"].as_str().unwrap().contains("credential"), "{problem}");
        }
    }
    program.patch(&bo, &json!({ "roles": manager })).await.problem(403, "forbidden");
    app.operator().patch(&ann, &json!({ "require_email_mfa": true })).await.expect(200);
    program.patch(&ann, &json!({ "require_email_mfa": false })).await.problem(403, "forbidden");
    program.patch(&ann, &json!({ "status": "inactive", "display_name": "Ann" })).await.expect(200);
    program.patch(&ann, &json!({ "status": "active" })).await.problem(403, "forbidden");
    app.operator().patch(&ann, &json!({ "status": "active" })).await.expect(200);
    let dan = json!({ "portal": "admin", "username": "dan", "email": "typo@acme.test" });
    let dan = program.post(&tenant.path("/users"), &dan).await.expect(201);
    let dan = tenant.path(&format!("/users/{}", dan["id"].as_str().unwrap()));
    program.patch(&dan, &json!({ "email": "dan@acme.test" })).await.expect(200);
}

/// Proves A3: no key makes another one, and no key is a user.
#[both_engines]
async fn a_key_makes_no_keys_and_is_nobody(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let program = key(&app, &tenant, &["read", "users:write", "settings:write"]).await;
    let body = json!({ "name": "more", "scopes": ["read"] });
    program.post(&tenant.path("/api-keys"), &body).await.problem(403, "forbidden");
    program.get("/v1/me").await.problem(403, "forbidden");
    let accounts = program.get("/v1/accounts").await.expect(200);
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);
}

/// Proves A6: a key works from the allowed networks alone.
#[both_engines]
async fn a_key_works_from_the_allowed_networks(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let program = key(&app, &tenant, &["read", "settings:write"]).await.forwarded_for("203.0.113.9");
    let path = tenant.path("/settings");
    app.operator().patch(&path, &json!({ "allowed_networks": ["203.0.113.0/24"] })).await.expect(200);
    let stolen = program.forwarded_for("203.0.113.9, 198.51.100.7");
    stolen.get(&path).await.problem(403, "network_not_allowed");
    program.get(&path).await.expect(200);
}

/// Proves that the last use is told to the hour, and that a request in between writes nothing.
#[both_engines]
async fn the_last_use_is_known_to_the_hour(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let program = key(&app, &tenant, &["read"]).await;
    let last_use = async || {
        let list = app.operator().get(&tenant.path("/api-keys")).await.expect(200);
        list["items"][0]["last_used_at"].clone()
    };
    assert_eq!(last_use().await, json!(null));
    let first = app.now();
    program.get(&tenant.path("")).await.expect(200);
    app.world.clock.advance(SignedDuration::from_mins(59));
    program.get(&tenant.path("")).await.expect(200);
    assert_eq!(last_use().await, json!(first));
    app.world.clock.advance(SignedDuration::from_mins(1));
    program.get(&tenant.path("")).await.expect(200);
    assert_eq!(last_use().await, json!(app.now()));
}

/// Proves that a key says what it is for and may do something, and that there are not too many.
#[both_engines]
async fn keys_are_checked_and_counted(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path("/api-keys");
    for (wrong, pointer) in [
        (json!({ "name": "", "scopes": ["read"] }), "/name"),
        (json!({ "name": "x", "scopes": [] }), "/scopes"),
        (json!({ "name": "x", "scopes": ["connections:write"] }), "/scopes/0"),
        (json!({ "name": "x", "scopes": ["read"], "expires_at": app.now() }), "/expires_at"),
    ] {
        let problem = app.operator().post(&path, &wrong).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let body = json!({ "name": "x", "scopes": ["read"] });
    for _ in 0..50 {
        app.operator().post(&path, &body).await.expect(201);
    }
    app.operator().post(&path, &body).await.problem(409, "too_many_api_keys");
}

/// Proves A4: an invitation that is taken back does not take the last owner with it.
#[both_engines]
async fn revoking_an_invitation_leaves_an_owner(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let list = app.operator().get(&tenant.path("/invitations")).await.expect(200);
    let first = tenant.path(&format!("/invitations/{}", list["items"][0]["id"].as_str().unwrap()));
    let revoke = app.operator().post(&format!("{first}/revoke"), &json!({})).await;
    revoke.problem(409, "break_glass_required");
    assert_eq!(app.operator().get(&first).await.expect(200)["state"], "pending");
}
