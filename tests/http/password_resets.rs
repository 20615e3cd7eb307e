//! Resetting a password by a mailed link (B4).

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

const PASSWORD: &str = "tulip-anchor-copper-72";
const OTHER_PASSWORD: &str = "window-marble-lantern-45";

async fn tenant(app: &TestApp) -> Tenant {
    let tenant = Tenant::create(app, "acme").await;
    tenant.set_pages(app).await;
    tenant
}

async fn ask(app: &TestApp, tenant: &Tenant, identifier: &str) -> Answer {
    let body = json!({ "account_name": tenant.name, "identifier": identifier, "client_id": tenant.client_id });
    let answer = app.anonymous().post("/v1/password-resets", &body).await;
    app.service.people.link_requests_settled().await;
    answer
}

async fn token(app: &TestApp, email: &str) -> String {
    app.mailbox().await.last_to(email).token()
}

async fn complete(app: &TestApp, token: &str, password: &str) -> Answer {
    app.anonymous().post("/v1/password-resets/complete", &json!({ "token": token, "password": password })).await
}

async fn inspect(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/v1/password-resets/inspect", &json!({ "token": token })).await
}

/// Proves B4, I3: the mailed link sets a password once, ends every session, leaves other links dead, tells the
/// user, and gives no session.
#[both_engines]
async fn a_password_is_reset_by_a_mailed_link(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let ann = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    assert_eq!(ask(&app, &tenant, "Ann@acme.test").await.status, 202);
    let first = token(&app, "ann@acme.test").await;
    ask(&app, &tenant, "ann@acme.test").await;
    let second = token(&app, "ann@acme.test").await;
    assert_ne!(first, second);
    for token in [&first, &first, &second] {
        let shown = inspect(&app, token).await.expect(200);
        assert_fields!(shown, { "account_name": "acme", "username": "ann@acme.test" });
    }
    let done = complete(&app, &first, PASSWORD).await;
    assert_eq!((done.status.as_u16(), done.text.as_str()), (204, ""));
    ann.get("/v1/me").await.problem(401, "session_expired");
    complete(&app, &first, OTHER_PASSWORD).await.problem(410, "link_used");
    complete(&app, &second, OTHER_PASSWORD).await.problem(410, "link_replaced");
    let notice = app.mailbox().await.last_to("ann@acme.test");
    assert!(notice.subject().to_lowercase().contains("password"), "{}", notice.subject());
    let newest = app.operator().get(&tenant.path("/audit-events?limit=1")).await.expect(200);
    assert_eq!(newest["items"][0]["action"], "user.password_reset");
    assert!(!newest.to_string().contains(PASSWORD));
}

/// Proves B4: every caller is told the same for an active, an invited, an inactive and an unknown user, of this
/// account and of none; only active users are mailed.
#[both_engines]
async fn the_answer_says_nothing_about_who_is_known(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let inactive = json!({ "portal": "admin", "username": "inactive@acme.test", "email": "inactive@acme.test" });
    let inactive = app.operator().post(&tenant.path("/users"), &inactive).await.expect(201);
    let path = tenant.path(&format!("/users/{}", inactive["id"].as_str().unwrap()));
    app.operator().patch(&path, &json!({ "status": "inactive" })).await.expect(200);
    let expected = ask(&app, &tenant, "ann@acme.test").await;
    for identifier in ["owner@acme.test", "inactive@acme.test", "nobody@acme.test", "x", "' OR 1=1 --", "\u{1F980}"] {
        let answer = ask(&app, &tenant, identifier).await;
        assert_eq!((answer.status, &answer.text), (expected.status, &expected.text), "{identifier}");
    }
    let elsewhere = json!({ "account_name": "nowhere", "identifier": "ann@acme.test", "client_id": tenant.client_id });
    assert_eq!(app.anonymous().post("/v1/password-resets", &elsewhere).await.status, 202);
    app.service.people.link_requests_settled().await;
    assert_eq!(app.mailbox().await.len(), 1);
}

/// Proves B4: a user is mailed three times in an hour at most, whichever caller asks, and each of those links
/// works.
#[both_engines]
async fn nobody_is_flooded_and_nobody_loses_their_link(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    for _ in 0..10 {
        assert_eq!(ask(&app, &tenant, "ann@acme.test").await.status, 202);
    }
    let mails = app.mailbox().await.to("ann@acme.test");
    assert_eq!(mails.len(), 3);
    inspect(&app, &mails[0].token()).await.expect(200);
    app.world.clock.advance(SignedDuration::from_mins(20));
    ask(&app, &tenant, "ann@acme.test").await;
    assert_eq!(app.mailbox().await.to("ann@acme.test").len(), 4);
}

/// Proves A2, B4: of users who share an email each gets a mail that names their username.
#[both_engines]
async fn users_who_share_an_email_are_mailed_each(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    for username in ["one", "two"] {
        let body = json!({
            "portal": "admin", "username": username, "email": "shared@acme.test", "roles": ["organization_member"],
        });
        let user = app.operator().post(&tenant.path("/users"), &body).await.expect(201);
        let path = tenant.path(&format!("/users/{}", user["id"].as_str().unwrap()));
        app.operator().patch(&path, &json!({ "status": "active" })).await.expect(200);
    }
    ask(&app, &tenant, "shared@acme.test").await;
    let mails = app.mailbox().await.to("shared@acme.test");
    let mut named: Vec<Value> = vec![];
    for mail in &mails {
        let username = inspect(&app, &mail.token()).await.expect(200)["username"].clone();
        assert!(mail.text().contains(username.as_str().unwrap()), "{}", mail.text());
        named.push(username);
    }
    named.sort_by_key(Value::to_string);
    assert_eq!(named, ["one", "two"]);
}

/// Proves B4, A3: a link is over after an hour, and at once for a user who is deactivated.
#[both_engines]
async fn a_link_is_over_in_time_and_with_its_user(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let ann = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let me = ann.get("/v1/me").await.expect(200);
    ask(&app, &tenant, "ann@acme.test").await;
    let late = token(&app, "ann@acme.test").await;
    app.world.clock.advance(SignedDuration::from_hours(1));
    complete(&app, &late, PASSWORD).await.problem(410, "link_expired");
    ask(&app, &tenant, "ann@acme.test").await;
    let link = token(&app, "ann@acme.test").await;
    let path = tenant.path(&format!("/users/{}", me["user"]["id"].as_str().unwrap()));
    app.operator().patch(&path, &json!({ "status": "inactive" })).await.expect(200);
    complete(&app, &link, PASSWORD).await.problem(404, "link_invalid");
    inspect(&app, &link).await.problem(404, "link_invalid");
}

/// Proves B4: of two who complete one reset at once one does; a weak password and a strange token use nothing up.
#[both_engines]
async fn a_reset_is_completed_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    ask(&app, &tenant, "ann@acme.test").await;
    let token = token(&app, "ann@acme.test").await;
    let refused = complete(&app, &token, "password1234").await.problem(422, "invalid_input");
    assert_eq!(refused["errors"][0]["pointer"], "/password");
    let accept = json!({ "token": token, "password": PASSWORD });
    app.anonymous().post("/v1/invitations/accept", &accept).await.problem(404, "link_invalid");
    complete(&app, "vpl_AAAA", PASSWORD).await.problem(404, "link_invalid");
    let (one, other) = tokio::join!(complete(&app, &token, PASSWORD), complete(&app, &token, OTHER_PASSWORD));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 410], "{} {}", one.text, other.text);
}

/// Proves B4: a frontend without the page, of the other portal or unknown is refused alike for every email, and
/// another account's frontend mails no user.
#[both_engines]
async fn a_reset_goes_through_a_frontend_of_the_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    for identifier in ["ann@acme.test", "nobody@acme.test"] {
        ask(&app, &tenant, identifier).await.problem(409, "page_not_configured");
    }
    let end_users = Tenant::create_for(&app, "customers", "self_service").await;
    ask(&app, &end_users, "ann@acme.test").await.problem(400, "application_refused");
    let other = Tenant::create(&app, "other").await;
    other.set_pages(&app).await;
    let body = json!({ "account_name": "acme", "identifier": "ann@acme.test", "client_id": other.client_id });
    assert_eq!(app.anonymous().post("/v1/password-resets", &body).await.status, 202);
    app.service.people.link_requests_settled().await;
    assert!(app.mailbox().await.is_empty());
}
