//! Signing in to the `self_service` portal by a mailed link (B6).

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::{Answer, parameter};
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::tokens::claims;
use tests::{assert_fields, both_engines};

async fn tenant(app: &TestApp) -> Tenant {
    let tenant = Tenant::create_for(app, "acme", "self_service").await;
    tenant.set_pages(app).await;
    tenant
}

/// An end user; gives their path.
async fn end_user(app: &TestApp, tenant: &Tenant, username: &str, status: &str) -> String {
    let email = if username.contains('@') { username } else { "shared@x.test" };
    let body = json!({ "portal": "self_service", "username": username, "email": email });
    let user = app.operator().post(&tenant.path("/users"), &body).await.expect(201);
    let path = tenant.path(&format!("/users/{}", user["id"].as_str().unwrap()));
    if status != "invited" {
        app.operator().patch(&path, &json!({ "status": status })).await.expect(200);
    }
    path
}

async fn ask(app: &TestApp, tenant: &Tenant, email: &str) -> Answer {
    let answer = app.anonymous().post("/v1/magic-link-sign-ins", &tenant.start_body(Some(email))).await;
    app.service.people.link_requests_settled().await;
    answer
}

/// A link that was just mailed.
async fn mailed(app: &TestApp, tenant: &Tenant, email: &str) -> String {
    assert_eq!(ask(app, tenant, email).await.status, 202);
    app.mailbox().await.last_to(&email.to_lowercase()).token()
}

async fn inspect(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/v1/magic-link-sign-ins/inspect", &json!({ "token": token })).await
}

async fn complete(app: &TestApp, tenant: &Tenant, token: &str) -> Answer {
    app.anonymous().post("/v1/magic-link-sign-ins/complete", &tenant.link_body(token)).await
}

/// Proves B6, H1: the link gives a code, which gives a session without a second factor; the page shows before whose it
/// is; nothing but the completion uses it up, and that once.
#[both_engines]
async fn a_mailed_link_signs_in_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    app.operator().patch(&tenant.path("/settings"), &json!({ "require_email_mfa": true })).await.expect(200);
    end_user(&app, &tenant, "eve@x.test", "active").await;
    let token = mailed(&app, &tenant, "EVE@x.test").await;
    let link = app.mailbox().await.last_to("eve@x.test").link();
    assert!(link.as_str().starts_with("https://app.example.test/magic#token=vml_"), "{link}");
    for _ in 0..3 {
        let shown = inspect(&app, &token).await.expect(200);
        assert_fields!(shown, { "account_display_name": "ACME", "email": "eve@x.test" });
    }
    let step = complete(&app, &tenant, &token).await.expect(200);
    let tokens = tenant.exchange_step(&app, &step).await;
    let claims = claims(tokens["access_token"].as_str().unwrap());
    assert_fields!(claims, { "amr": ["magic_link"], "portal": "self_service" });
    let attempt = tenant.last_attempt(&app).await;
    assert_fields!(attempt, { "kind": "magic_link", "outcome": "succeeded" });
    assert_eq!(attempt["entered_email"], "eve@x.test");
    inspect(&app, &token).await.problem(410, "link_used");
    let refused = complete(&app, &tenant, &token).await.problem(410, "link_used");
    let attempt = tenant.last_attempt(&app).await;
    assert_fields!(attempt, { "id": refused["attempt_id"], "kind": "magic_link" });
    assert_eq!(attempt["failure"]["reason"], "link_used");
    assert!(!attempt.to_string().contains(&token));
}

/// Proves B6: of two who complete one link at once, one is signed in.
#[both_engines]
async fn of_two_completions_one_signs_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    let token = mailed(&app, &tenant, "eve@x.test").await;
    let (one, other) = tokio::join!(complete(&app, &tenant, &token), complete(&app, &tenant, &token));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 410], "{} {}", one.text, other.text);
}

/// Proves B6, A6: a link lives as long as the account says, 300 seconds unless it says otherwise.
#[both_engines]
async fn a_link_lives_as_long_as_the_account_says(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    let token = mailed(&app, &tenant, "eve@x.test").await;
    app.world.clock.advance(SignedDuration::from_secs(299));
    inspect(&app, &token).await.expect(200);
    app.world.clock.advance(SignedDuration::from_secs(1));
    inspect(&app, &token).await.problem(410, "link_expired");
    complete(&app, &tenant, &token).await.problem(410, "link_expired");
    app.operator().patch(&tenant.path("/settings"), &json!({ "magic_link_seconds": 60 })).await.expect(200);
    let token = mailed(&app, &tenant, "eve@x.test").await;
    app.world.clock.advance(SignedDuration::from_secs(60));
    complete(&app, &tenant, &token).await.problem(410, "link_expired");
}

/// Proves B6: a new link takes the place of the one before, and no user is mailed more than three at a time.
#[both_engines]
async fn the_newest_link_works_and_nobody_is_flooded(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    let first = mailed(&app, &tenant, "eve@x.test").await;
    let second = mailed(&app, &tenant, "eve@x.test").await;
    complete(&app, &tenant, &first).await.problem(410, "link_replaced");
    complete(&app, &tenant, &second).await.expect(200);
    for _ in 0..8 {
        assert_eq!(ask(&app, &tenant, "eve@x.test").await.status, 202);
    }
    assert_eq!(app.mailbox().await.to("eve@x.test").len(), 3);
    app.world.clock.advance(SignedDuration::from_mins(5));
    ask(&app, &tenant, "eve@x.test").await;
    assert_eq!(app.mailbox().await.to("eve@x.test").len(), 4);
}

/// Proves B6, A2: every caller is told the same for a known, a deactivated, a shared and an unknown email, of this
/// account and of none; only users who may sign in are mailed.
#[both_engines]
async fn the_answer_says_nothing_about_who_is_known(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    end_user(&app, &tenant, "gone@x.test", "inactive").await;
    end_user(&app, &tenant, "one", "active").await;
    end_user(&app, &tenant, "two", "active").await;
    let expected = ask(&app, &tenant, "eve@x.test").await;
    for email in ["gone@x.test", "shared@x.test", "nobody@x.test", "owner@acme.test"] {
        let answer = ask(&app, &tenant, email).await;
        assert_eq!((answer.status, &answer.text), (expected.status, &expected.text), "{email}");
    }
    let mut elsewhere = tenant.start_body(Some("eve@x.test"));
    elsewhere["account_name"] = json!("nowhere");
    assert_eq!(app.anonymous().post("/v1/magic-link-sign-ins", &elsewhere).await.status, 202);
    app.service.people.link_requests_settled().await;
    assert_eq!(app.mailbox().await.len(), 1);
}

/// Proves B6, A3: a deactivated user's link does not sign them in, and uses nothing up.
#[both_engines]
async fn a_deactivated_user_is_refused(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let eve = end_user(&app, &tenant, "eve@x.test", "active").await;
    let token = mailed(&app, &tenant, "eve@x.test").await;
    app.operator().patch(&eve, &json!({ "status": "inactive" })).await.expect(200);
    inspect(&app, &token).await.problem(404, "link_invalid");
    complete(&app, &tenant, &token).await.problem(404, "link_invalid");
    app.operator().patch(&eve, &json!({ "status": "active" })).await.expect(200);
    complete(&app, &tenant, &token).await.problem(410, "link_replaced");
    complete(&app, &tenant, &mailed(&app, &tenant, "eve@x.test").await).await.expect(200);
}

/// Proves B6, E2: an invited user becomes active by their first link, and the invitation says so; an expired
/// invitation does not let them in.
#[both_engines]
async fn an_invited_user_becomes_active(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    for email in ["eve@x.test", "late@x.test"] {
        let body = json!({ "portal": "self_service", "email": email, "accept_by": "magic_link" });
        app.operator().post(&tenant.path("/invitations"), &body).await.expect(201);
    }
    assert_eq!(app.mailbox().await.len(), 2);
    let token = mailed(&app, &tenant, "eve@x.test").await;
    let step = complete(&app, &tenant, &token).await.expect(200);
    tenant.exchange_step(&app, &step).await;
    let users = app.operator().get(&tenant.path("/users?q=eve@x.test")).await.expect(200);
    assert_eq!(users["items"][0]["status"], "active");
    let invitations = app.operator().get(&tenant.path("/invitations?q=eve@x.test")).await.expect(200);
    assert_eq!(invitations["items"][0]["state"], "accepted", "{invitations}");
    assert_eq!(invitations["items"][0]["accepted_method"], "magic_link", "{invitations}");
    app.world.clock.advance(SignedDuration::from_hours(24 * 7));
    let before = app.mailbox().await.to("late@x.test").len();
    assert_eq!(ask(&app, &tenant, "late@x.test").await.status, 202);
    assert_eq!(app.mailbox().await.to("late@x.test").len(), before);
}

/// Proves B6, A5: a link signs in through a frontend of its account's portal alone, to a registered URI; and being
/// refused there uses nothing up.
#[both_engines]
async fn other_frontends_are_refused(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    let other = Tenant::create_for(&app, "other", "self_service").await;
    other.set_pages(&app).await;
    let administrators = Tenant::create(&app, "administrators").await;
    administrators.set_pages(&app).await;
    let token = mailed(&app, &tenant, "eve@x.test").await;
    complete(&app, &other, &token).await.problem(400, "application_refused");
    complete(&app, &administrators, &token).await.problem(400, "application_refused");
    let mut body = tenant.link_body(&token);
    body["redirect_uri"] = json!("https://app.example.test/callback/../evil");
    let path = "/v1/magic-link-sign-ins/complete";
    app.anonymous().post(path, &body).await.problem(400, "application_refused");
    complete(&app, &tenant, &token).await.expect(200);

    let mut elsewhere = other.start_body(Some("eve@x.test"));
    elsewhere["account_name"] = json!("acme");
    assert_eq!(app.anonymous().post("/v1/magic-link-sign-ins", &elsewhere).await.status, 202);
    ask(&app, &administrators, "owner@administrators.test").await.problem(400, "application_refused");
    app.service.people.link_requests_settled().await;
    assert_eq!(app.mailbox().await.len(), 1);
}

/// Proves B6: links of other kinds and made-up ones do not sign in, and the code of a link is of no use without
/// the verifier.
#[both_engines]
async fn nothing_but_a_magic_link_signs_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    let token = mailed(&app, &tenant, "eve@x.test").await;
    for wrong in ["", "x", &token.replacen("vml_", "vpl_", 1), &format!("{token}A")] {
        complete(&app, &tenant, wrong).await.problem(404, "link_invalid");
    }
    let reset = json!({ "token": token, "password": "tulip-anchor-copper-72" });
    app.anonymous().post("/v1/password-resets/complete", &reset).await.problem(404, "link_invalid");
    let step = complete(&app, &tenant, &token).await.expect(200);
    let url: url::Url = step["redirect_to"].as_str().unwrap().parse().unwrap();
    let code = parameter(&url, "code");
    let mut form = tenant.exchange_form(&code);
    form[4].1 = "another-verifier-that-is-long-enough-for-rfc-7636";
    assert_eq!(app.anonymous().form("/oauth/token", &form).await.status, 400);
}

/// Proves B6: where SSO is required there are no links, whichever user is meant, and those on their way are over;
/// the page is told before.
#[both_engines]
async fn there_are_no_links_where_sso_is_required(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    let token = mailed(&app, &tenant, "eve@x.test").await;
    let options = "/v1/login-options?account_name=acme&portal=self_service";
    let kinds = |options: &Value| -> Vec<Value> {
        options["methods"].as_array().unwrap().iter().map(|method| method["kind"].clone()).collect()
    };
    assert_eq!(kinds(&app.anonymous().get(options).await.expect(200)), ["sso", "magic_link"]);
    tenant.require_sso(&app).await;
    assert_eq!(kinds(&app.anonymous().get(options).await.expect(200)), ["sso"]);
    for email in ["eve@x.test", "nobody@x.test"] {
        ask(&app, &tenant, email).await.problem(409, "magic_link_unsupported");
    }
    complete(&app, &tenant, &token).await.problem(409, "magic_link_unsupported");
    assert_eq!(app.mailbox().await.len(), 1);
}

/// Proves B6, B3: where SSO is required, every caller is refused in the same words, and an exempt user gets the
/// link besides and goes on by it; a link to another user, also one that was good before, is refused.
#[both_engines]
async fn an_exempt_user_keeps_the_link(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let guest = end_user(&app, &tenant, "guest@x.test", "active").await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    app.operator().patch(&guest, &json!({ "exempt": true })).await.expect(200);
    tenant.require_sso(&app).await;
    for email in ["guest@x.test", "eve@x.test", "nobody@x.test"] {
        ask(&app, &tenant, email).await.problem(409, "magic_link_unsupported");
    }
    assert_eq!(app.mailbox().await.len(), 1);
    let token = app.mailbox().await.last_to("guest@x.test").token();
    inspect(&app, &token).await.expect(200);
    let step = complete(&app, &tenant, &token).await.expect(200);
    let url: url::Url = step["redirect_to"].as_str().unwrap().parse().unwrap();
    let tokens =
        app.anonymous().form("/oauth/token", &tenant.exchange_form(&parameter(&url, "code"))).await.expect(200);
    let claims = claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(claims["amr"], json!(["magic_link"]));

    ask(&app, &tenant, "guest@x.test").await.problem(409, "magic_link_unsupported");
    let token = app.mailbox().await.last_to("guest@x.test").token();
    app.operator().patch(&guest, &json!({ "exempt": false })).await.expect(200);
    inspect(&app, &token).await.problem(409, "magic_link_unsupported");
    complete(&app, &tenant, &token).await.problem(409, "magic_link_unsupported");
}

/// Proves B6: a frontend without the page, or with a URI that is not registered, is refused alike for every email.
#[both_engines]
async fn a_link_needs_a_page_to_lead_to(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create_for(&app, "acme", "self_service").await;
    end_user(&app, &tenant, "eve@x.test", "active").await;
    for email in ["eve@x.test", "nobody@x.test"] {
        let refused = ask(&app, &tenant, email).await.problem(409, "page_not_configured");
        assert_eq!(refused["errors"][0]["pointer"], "/pages/magic_link");
    }
    tenant.set_pages(&app).await;
    let mut body = tenant.start_body(Some("eve@x.test"));
    body["redirect_uri"] = json!("https://evil.test/");
    app.anonymous().post("/v1/magic-link-sign-ins", &body).await.problem(400, "application_refused");
}
