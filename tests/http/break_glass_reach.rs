//! Break-glass users get in (A4): with a password of their own, a code that reaches them, and from every network;
//! and only people in a session decide who else does (A6).

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client, parameter};
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::migration::Owner;
use tests::tenant::Tenant;

const INSIDE: &str = "203.0.113.9";
const OUTSIDE: &str = "198.51.100.7";

fn office() -> Value {
    json!({ "allowed_networks": ["203.0.113.0/24"] })
}

fn user_path(tenant: &Tenant, id: &str) -> String {
    tenant.path(&format!("/users/{id}"))
}

/// An API key that may do all that a key may.
async fn program(app: &TestApp, tenant: &Tenant) -> Client {
    let scopes = json!({ "name": "sync", "scopes": ["read", "users:write", "settings:write"] });
    let key = app.operator().post(&tenant.path("/api-keys"), &scopes).await.expect(201);
    app.anonymous().bearing(key["secret"].as_str().unwrap())
}

/// An account whose allowed networks are the office's, and its break-glass user.
async fn in_an_office(app: &TestApp) -> (Tenant, Owner) {
    let tenant = Tenant::create(app, "acme").await;
    let root = tenant.break_glass_owner(app, "root").await;
    app.operator().patch(&tenant.path("/settings"), &office()).await.expect(200);
    (tenant, root)
}

async fn exchanged(client: &Client, tenant: &Tenant, step: &Value) -> Answer {
    let url: url::Url = step["redirect_to"].as_str().unwrap().parse().unwrap();
    client.form("/oauth/token", &tenant.exchange_form(&parameter(&url, "code"))).await
}

/// Proves A6: a key changes neither networks nor MFA, whichever way, and goes on to change the rest; an owner in a
/// session and the operator do.
#[both_engines]
async fn no_key_decides_who_gets_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let (program, settings) = (program(&app, &tenant).await, tenant.path("/settings"));
    let before = app.operator().get(&settings).await.expect(200);
    for change in [
        office(),
        json!({ "require_email_mfa": true }),
        json!({ "allowed_networks": ["127.0.0.0/8"], "magic_link_seconds": 600 }),
    ] {
        let problem = program.patch(&settings, &change).await.problem(403, "forbidden");
        assert!(problem["detail"].as_str().unwrap().contains("allowed_networks"), "{problem}");
    }
    assert_eq!(app.operator().get(&settings).await.expect(200), before);
    root.client
        .patch(&settings, &json!({ "require_email_mfa": true, "allowed_networks": ["127.0.0.0/8"] }))
        .await
        .expect(200);
    for change in [json!({ "require_email_mfa": false }), json!({ "allowed_networks": [] })] {
        program.patch(&settings, &change).await.problem(403, "forbidden");
    }
    let rest = json!({ "magic_link_seconds": 600, "require_email_mfa": true });
    assert_eq!(program.patch(&settings, &rest).await.expect(200)["magic_link_seconds"], 600);
    app.operator().patch(&settings, &json!({ "allowed_networks": [], "require_email_mfa": false })).await.expect(200);
    let events =
        app.operator().get(&tenant.path("/audit-events?action=account.settings_updated&limit=1")).await.expect(200);
    assert_eq!(events["items"][0]["actor"]["kind"], "operator");
}

/// Proves A4, A6: from outside the allowed networks a break-glass user gets in by a mailed code, and stays in; the
/// same user's session without one does not go on there, and no other user comes in.
#[both_engines]
async fn allowed_networks_never_keep_break_glass_users_out(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let (tenant, _) = in_an_office(&app).await;
    tenant.form_user(&app, "boss", Some("organization_owner")).await;
    let (inside, outside) = (app.anonymous().forwarded_for(INSIDE), app.anonymous().forwarded_for(OUTSIDE));
    tenant.form_login(&outside, "root", "another password of hers").await.problem(401, "login_incorrect_credentials");
    tenant.form_login(&outside, "boss", PASSWORD).await.problem(403, "network_not_allowed");
    let step = tenant.form_login(&outside, "root", PASSWORD).await.expect(200);
    assert_eq!(step["status"], "mfa_required", "{step}");
    let code = app.mailbox().await.last_to("root@acme.test").code();
    let code = json!({ "pending_token": step["pending_token"], "code": code });
    let step = outside.post("/v1/form-sign-ins/mfa-code", &code).await.expect(200);
    let tokens = exchanged(&outside, &tenant, &step).await.expect(200);
    tenant.refresh_as(&outside, tokens["refresh_token"].as_str().unwrap()).await.expect(200);

    let step = tenant.form_login(&inside, "root", PASSWORD).await.expect(200);
    assert_eq!(step["status"], "complete", "inside, the account asks for no code");
    let refused = exchanged(&outside, &tenant, &step).await.expect(400);
    assert!(refused["error_description"].as_str().unwrap().contains("network"), "{refused}");
    let tokens = exchanged(&inside, &tenant, &step).await.expect(200);
    let token = tokens["refresh_token"].as_str().unwrap();
    tenant.refresh_as(&outside, token).await.expect(400);
    tenant.refresh_as(&inside, token).await.expect(200);
}

/// Proves A4, A6: who got in from outside by a code does not go on there without the mark.
#[both_engines]
async fn the_exception_goes_with_the_mark(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    tenant.break_glass_owner(&app, "second").await;
    app.operator().patch(&tenant.path("/settings"), &office()).await.expect(200);
    let outside = app.anonymous().forwarded_for(OUTSIDE);
    let step = tenant.form_login(&outside, "root", PASSWORD).await.expect(200);
    let code = app.mailbox().await.last_to("root@acme.test").code();
    let code = json!({ "pending_token": step["pending_token"], "code": code });
    let step = outside.post("/v1/form-sign-ins/mfa-code", &code).await.expect(200);
    let path = user_path(&tenant, &root.id.to_string());
    app.operator().patch(&path, &json!({ "break_glass": false })).await.expect(200);
    exchanged(&outside, &tenant, &step).await.expect(400);
    tenant.form_login(&outside, "root", PASSWORD).await.problem(403, "network_not_allowed");
}

/// Proves A4, B2: a drill from outside the allowed networks asks for the code that a login from there would.
#[both_engines]
async fn a_drill_from_outside_asks_for_the_code(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let (_, root) = in_an_office(&app).await;
    let drill = json!({ "current_password": PASSWORD });
    let inside = root.client.forwarded_for(INSIDE).post("/v1/me/break-glass-drills", &drill).await.expect(200);
    assert_eq!(inside["status"], "complete");
    app.mailbox().await;
    let outside = root.client.forwarded_for(OUTSIDE);
    let waiting = outside.post("/v1/me/break-glass-drills", &drill).await.expect(200);
    assert_eq!(waiting["status"], "mfa_required");
    let code = app.mailbox().await.last_to("root@acme.test").code();
    let code = json!({ "pending_token": waiting["pending_token"], "code": code });
    outside.post("/v1/me/break-glass-drills/mfa-code", &code).await.expect(200);
}

/// Proves A4: nothing leaves the last break-glass user without an address for a code that may be asked for: by the
/// account, by themselves, or because of where they come from; whichever change comes last is refused.
#[both_engines]
async fn the_code_must_reach_the_last_break_glass_user(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let (path, settings) = (user_path(&tenant, &root.id.to_string()), tenant.path("/settings"));
    let own = json!({ "allowed_networks": ["127.0.0.0/8"] });
    for demanding in [json!({ "require_email_mfa": true }), own] {
        root.client.patch(&settings, &demanding).await.expect(200);
        for client in [&root.client, &app.operator()] {
            client.patch(&path, &json!({ "email": null })).await.problem(409, "break_glass_required");
        }
        root.client.patch(&path, &json!({ "email": null, "recovery_email": "root@home.test" })).await.expect(200);
        let mine = json!({ "recovery_email": null, "current_password": PASSWORD });
        root.client.patch("/v1/me/second-factor", &mine).await.problem(409, "break_glass_required");
        app.operator()
            .patch(&settings, &json!({ "require_email_mfa": false, "allowed_networks": [] }))
            .await
            .expect(200);
        root.client.patch("/v1/me/second-factor", &mine).await.expect(200);
        let problem = root.client.patch(&settings, &demanding).await.problem(409, "break_glass_required");
        assert!(problem["detail"].as_str().unwrap().contains("recovery_email"), "{problem}");
        root.client.patch(&path, &json!({ "email": "root@acme.test" })).await.expect(200);
    }
}

/// Proves A4: an email that goes and a second factor that comes, at once, do not leave the account locked.
#[both_engines]
async fn an_email_that_goes_while_mfa_comes_locks_nobody_out(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let (path, settings) = (user_path(&tenant, &root.id.to_string()), tenant.path("/settings"));
    for _ in 0..4 {
        let (operator, gone) = (app.operator(), json!({ "email": null }));
        let demanding = json!({ "require_email_mfa": true });
        let (one, other) = tokio::join!(operator.patch(&path, &gone), operator.patch(&settings, &demanding));
        let done = [&one, &other].iter().filter(|answer| answer.status.is_success()).count();
        assert_eq!(done, 1, "{} {}", one.text, other.text);
        app.operator().patch(&settings, &json!({ "require_email_mfa": false })).await.expect(200);
        app.operator().patch(&path, &json!({ "email": "root@acme.test" })).await.expect(200);
    }
}

/// Proves A4: a temporary password, in time or out of it, does not make a break-glass user: it neither earns the
/// mark nor counts where another one would lose theirs, where SSO would be required, and in readiness.
#[both_engines]
async fn a_temporary_password_counts_for_nothing(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (root, other) = (tenant.break_glass_owner(&app, "root").await, tenant.break_glass_owner(&app, "other").await);
    let (id, account) = (other.id, tenant.account_id.parse().unwrap());
    for expires_in in [None, Some(1)] {
        app.give_temporary_password(id, account, PASSWORD).await;
        if let Some(hours) = expires_in {
            app.expire_password(id, account, SignedDuration::from_hours(hours)).await;
            app.world.clock.advance(SignedDuration::from_hours(hours));
        }
        for (method, body) in [
            (Method::PATCH, json!({ "roles": ["organization_member"] })),
            (Method::PATCH, json!({ "status": "inactive" })),
            (Method::PATCH, json!({ "break_glass": false })),
            (Method::DELETE, json!({})),
        ] {
            let request = app.operator().request(method, &user_path(&tenant, &root.id.to_string())).json(&body);
            Answer::of(request).await.problem(409, "break_glass_required");
        }
    }
    let path = user_path(&tenant, &id.to_string());
    app.operator().patch(&path, &json!({ "break_glass": false })).await.expect(200);
    let problem = app.operator().patch(&path, &json!({ "break_glass": true })).await.problem(422, "invalid_input");
    assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("temporary"), "{problem}");
    app.give_temporary_password(root.id, account, PASSWORD).await;
    let readiness = app.operator().get(&tenant.path("/sso-readiness?portal=admin")).await.expect(200);
    assert!(readiness["findings"].to_string().contains("no_break_glass_user"), "{readiness}");
    let boss = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let plan = tenant.preview(&boss, "require").await;
    assert!(plan["blockers"].to_string().contains("break_glass_required"), "{plan}");
    tenant.override_test(&boss, &plan, "no matter").await.problem(409, "break_glass_required");
    app.operator()
        .patch(&user_path(&tenant, &root.id.to_string()), &json!({ "display_name": "Root" }))
        .await
        .expect(200);
}
