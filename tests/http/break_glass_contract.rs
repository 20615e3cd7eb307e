//! Break-glass as a contract (A4): each use is heard of, a drill proves that it works, and no attacker takes it
//! over.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::{Client, parameter};
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

const DRILLS: &str = "/v1/me/break-glass-drills";

/// The break-glass user `ann` at `ann@acme.test`, signed in by form, with that mail behind them; gives their path too.
async fn ann(app: &TestApp, tenant: &Tenant) -> (Client, String) {
    let id = tenant.form_user(app, "ann", Some("organization_owner")).await;
    let path = tenant.path(&format!("/users/{id}"));
    let step = tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    let tokens = tenant.exchange_step(app, &step).await;
    app.operator().patch(&path, &json!({ "break_glass": true })).await.expect(200);
    app.mailbox().await;
    (app.anonymous().bearing(tokens["access_token"].as_str().unwrap()), path)
}

async fn newest(app: &TestApp, tenant: &Tenant, action: &str) -> Value {
    let path = tenant.path(&format!("/audit-events?action={action}&limit=1"));
    app.operator().get(&path).await.expect(200)["items"][0].clone()
}

async fn proofs(app: &TestApp, tenant: &Tenant) -> Value {
    app.operator().get(&tenant.path("/break-glass-users")).await.expect(200)["items"][0].clone()
}

async fn sessions(app: &TestApp, tenant: &Tenant) -> usize {
    let sessions = app.operator().get(&tenant.path("/sessions?limit=200")).await.expect(200);
    sessions["items"].as_array().unwrap().len()
}

/// Proves A4, H3: where SSO is enabled, each use is in the audit log and in every owner's mailbox, whichever their role
/// comes from; and it is told when it was the last.
#[both_engines]
async fn every_owner_hears_of_each_use(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    ann(&app, &tenant).await;
    tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    tenant.sign_in(&app, "member@acme.test", Some(&["staff"])).await;
    tenant.require_sso(&app).await;
    app.world.clock.advance(SignedDuration::from_mins(1));
    let step = tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    let event = newest(&app, &tenant, "user.break_glass_used").await;
    assert_fields!(event, { "actor": { "kind": "user" }, "client_address": "127.0.0.1" });
    let mailbox = app.mailbox().await;
    for owner in ["ann@acme.test", "boss@acme.test"] {
        let mail = mailbox.last_to(owner);
        assert!(mail.subject().contains("Break-glass"), "{}", mail.subject());
        assert!(mail.text().contains("ann came into") && mail.text().contains("127.0.0.1"), "{}", mail.text());
    }
    assert!(mailbox.to("member@acme.test").is_empty() && mailbox.to("owner@acme.test").is_empty());
    tenant.exchange_step(&app, &step).await;
    assert_eq!(proofs(&app, &tenant).await["last_used_at"], json!(app.now()));
}

/// Proves A4: a wrong password, a login that still waits for its code, and a login without any SSO do not count as
/// uses.
#[both_engines]
async fn nothing_is_announced_that_lets_nobody_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    ann(&app, &tenant).await;
    let before = newest(&app, &tenant, "user.break_glass_used").await;
    app.operator().patch(&tenant.path("/settings"), &json!({ "require_email_mfa": true })).await.expect(200);
    tenant
        .form_login(&app.anonymous(), "ann", "another password of hers")
        .await
        .problem(401, "login_incorrect_credentials");
    let step = tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    let code = app.mailbox().await.last_to("ann@acme.test").code();
    assert_eq!(newest(&app, &tenant, "user.break_glass_used").await, before);
    let code = json!({ "pending_token": step["pending_token"], "code": code });
    app.anonymous().post("/v1/form-sign-ins/mfa-code", &code).await.expect(200);
    let event = newest(&app, &tenant, "user.break_glass_used").await;
    assert!(event["id"] != before["id"] && event["changes"].to_string().contains("password_and_code"), "{event}");

    let plain = Tenant::create(&app, "plain").await;
    plain.disable_sso(&app).await;
    ann(&app, &plain).await;
    plain.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    assert_eq!(newest(&app, &plain, "user.break_glass_used").await, Value::Null);
}

/// Proves A4: a drill proves the password and that mail leaves, makes no session, is on record, and counts for the
/// password that it was made with.
#[both_engines]
async fn a_drill_proves_that_a_break_glass_user_gets_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (ann, path) = ann(&app, &tenant).await;
    tenant.require_sso(&app).await;
    let (before, live) = (app.operator().get(&path).await.expect(200), sessions(&app, &tenant).await);
    assert_eq!(proofs(&app, &tenant).await["last_drilled_at"], Value::Null);
    let drilled = ann.post(DRILLS, &json!({ "current_password": PASSWORD })).await.expect(200);
    assert_eq!(drilled, json!({ "status": "complete", "drilled_at": app.now(), "mail_queued": true }));
    assert_eq!(proofs(&app, &tenant).await["last_drilled_at"], json!(app.now()));
    assert!(app.mailbox().await.last_to("ann@acme.test").subject().contains("drill"));
    assert_eq!(app.operator().get(&path).await.expect(200), before);
    assert_eq!(sessions(&app, &tenant).await, live);
    assert_eq!(newest(&app, &tenant, "user.break_glass_drilled").await["target"], before["id"]);
    assert_eq!(tenant.last_attempt(&app).await["kind"], "break_glass_drill");

    let change = json!({ "current_password": PASSWORD, "new_password": "gravel orbit seventeen lamps" });
    assert_eq!(ann.post("/v1/me/password", &change).await.status, 204);
    assert_eq!(proofs(&app, &tenant).await["last_drilled_at"], Value::Null);
}

/// Proves A4, B2: where the account asks for a code, the drill does; the code goes where a real one would, works
/// once, and leads nowhere else.
#[both_engines]
async fn a_drill_asks_for_the_code_that_form_login_would(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (_, path) = ann(&app, &tenant).await;
    app.operator().patch(&path, &json!({ "recovery_email": "ann@home.test" })).await.expect(200);
    let ann = tenant.form_session(&app, "ann").await;
    app.operator().patch(&tenant.path("/settings"), &json!({ "require_email_mfa": true })).await.expect(200);
    let waiting = ann.post(DRILLS, &json!({ "current_password": PASSWORD })).await.expect(200);
    assert_eq!(waiting["status"], "mfa_required");
    assert_eq!(proofs(&app, &tenant).await["last_drilled_at"], Value::Null);
    let code = app.mailbox().await.last_to("ann@home.test").code();
    let (end, body) =
        (format!("{DRILLS}/mfa-code"), json!({ "pending_token": waiting["pending_token"], "code": code }));
    app.anonymous().post("/v1/form-sign-ins/mfa-code", &body).await.problem(401, "session_expired");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let wrong = json!({ "pending_token": waiting["pending_token"], "code": wrong });
    ann.post(&end, &wrong).await.problem(401, "mfa_code_incorrect");
    assert_eq!(ann.post(&end, &body).await.expect(200)["status"], "complete");
    ann.post(&end, &body).await.problem(422, "invalid_input");
    assert_eq!(proofs(&app, &tenant).await["last_drilled_at"], json!(app.now()));
}

/// Proves A4, A5: no user drills for another one, nor with another password, nor from a network that would not let
/// them in.
#[both_engines]
async fn a_drill_is_the_break_glass_users_own(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (ann, _) = ann(&app, &tenant).await;
    let member = tenant.sign_in(&app, "member@acme.test", Some(&["staff"])).await;
    member.post(DRILLS, &json!({ "current_password": PASSWORD })).await.problem(409, "not_break_glass");
    ann.post(DRILLS, &json!({ "current_password": "another password of hers" })).await.problem(422, "invalid_input");
    app.operator().patch(&tenant.path("/settings"), &json!({ "require_email_mfa": true })).await.expect(200);
    let waiting = ann.post(DRILLS, &json!({ "current_password": PASSWORD })).await.expect(200);
    let code = app.mailbox().await.last_to("ann@acme.test").code();
    let body = json!({ "pending_token": waiting["pending_token"], "code": code });
    let end = format!("{DRILLS}/mfa-code");
    member.post(&end, &body).await.problem(409, "not_break_glass");
    let other = of_another_account(&app).await;
    other.post(&end, &body).await.problem(422, "invalid_input");
    let office = json!({ "allowed_networks": ["203.0.113.0/24"] });
    app.operator().patch(&tenant.path("/settings"), &office).await.expect(200);
    assert_eq!(proofs(&app, &tenant).await["last_drilled_at"], Value::Null);
    ann.forwarded_for("198.51.100.7").post(&end, &body).await.expect(200);
}

/// Proves A4, C3: no identity provider takes a break-glass user over, by email, by username, as a new user or in a
/// test.
#[both_engines]
async fn no_assertion_takes_a_break_glass_user_over(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (_, path) = ann(&app, &tenant).await;
    let before = app.operator().get(&path).await.expect(200);
    let name_id = json!({ "username_source": "name_id" });
    for asserted in ["ann@acme.test", "ANN@ACME.TEST"] {
        let pending = tenant.start(&app, None).await;
        let response = tenant.response(&app, &pending, asserted, Some(&["nac-team-lead"]));
        let refused = tenant.post_response(&app, &response, &pending.relay_state).await.location();
        assert_eq!(parameter(&refused, "error_code"), "break_glass_user");
    }
    app.operator().patch(&tenant.connection_path(), &name_id).await.expect(200);
    let pending = tenant.start(&app, None).await;
    let response = tenant.response(&app, &pending, "Ann", Some(&["nac-team-lead"]));
    let refused = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    assert_eq!(parameter(&refused, "error_code"), "break_glass_user");
    let test = tenant.start_test(&app).await;
    let response = tenant.response(&app, &test, "ann", Some(&["nac-team-lead"]));
    tenant.post_response(&app, &response, &test.relay_state).await;
    let found = tenant.test(&app, &test).await;
    assert_fields!(found, { "failure": { "reason": "break_glass_user" }, "user": { "subject": "refused" } });
    assert_eq!(app.operator().get(&path).await.expect(200), before);
}

/// Proves A4, A2: neither an import nor an invitation nor an API key changes a break-glass user, takes their
/// username, or keeps them out by a user of their email.
#[both_engines]
async fn no_import_invitation_or_key_takes_a_break_glass_user_over(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (_, path) = ann(&app, &tenant).await;
    let before = app.operator().get(&path).await.expect(200);
    let key = json!({ "name": "HR", "scopes": ["read", "users:write", "settings:write"] });
    let key = app.operator().post(&tenant.path("/api-keys"), &key).await.expect(201);
    let key = app.anonymous().bearing(key["secret"].as_str().unwrap());
    let taken = json!({ "users": [{ "portal": "admin", "username": "ANN", "email": "mallory@x.test" }] });
    let imported = key.post(&tenant.path("/user-imports"), &taken).await.expect(200);
    assert!(imported.to_string().contains("username_taken"), "{imported}");
    key.post(&tenant.path("/users"), &json!({ "portal": "admin", "username": "Ann" }))
        .await
        .problem(409, "username_taken");
    let changes = [
        json!({ "email": "mallory@x.test" }),
        json!({ "recovery_email": "mallory@x.test" }),
        json!({ "username": "x" }),
        json!({ "status": "inactive" }),
        json!({ "break_glass": false }),
        json!({ "roles": [] }),
    ];
    for change in changes {
        key.patch(&path, &change).await.problem(403, "forbidden");
    }
    key.delete(&path).await.problem(403, "forbidden");
    let twin = |username: &str| json!({ "portal": "admin", "username": username, "email": "ann@acme.test", "roles": ["organization_member"] });
    key.post(&tenant.path("/users"), &twin("ann@acme.test")).await.problem(409, "username_taken");
    key.post(&tenant.path("/users"), &twin("twin")).await.expect(201);
    assert_eq!(app.operator().get(&path).await.expect(200), before);
    let step = tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    assert_eq!(step["status"], "complete", "their username lets them in whoever has their email");
}

/// A break-glass user of another account, signed in.
async fn of_another_account(app: &TestApp) -> Client {
    let other = Tenant::create(app, "other").await;
    ann(app, &other).await.0
}
