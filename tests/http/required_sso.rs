//! Rules that hold while SSO is required (A3, B3, B4, C3, D2): form login is for break-glass and exempt users
//! alone.

use serde_json::json;
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::mailbox::Received;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// Proves B3, D2: every caller is told the same, whether they are known, know their password, or neither; those
/// who keep form login go on.
#[both_engines]
async fn form_login_is_for_those_who_keep_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    let guest = tenant.form_user(&app, "guest", Some("organization_member")).await;
    let path = tenant.path(&format!("/users/{guest}"));
    root.client.patch(&path, &json!({ "exempt": true })).await.expect(200);
    tenant.migrate(&root.client, "require").await;
    assert_eq!(tenant.user(&app, &guest.to_string()).await["username"], "guest");
    let login =
        async |name: &str, password: &str| tenant.form_login(&app.anonymous(), name, password).await.expect(200);
    let known = login("ann@acme.test", PASSWORD).await;
    assert_eq!(known["status"], "sso_required");
    for (name, password) in [("ann@acme.test", "wrong"), ("nobody", PASSWORD), ("guest", "wrong"), ("root", "wrong")] {
        assert_eq!(login(name, password).await, known, "{name}");
    }
    for name in ["guest", "root"] {
        assert_eq!(login(name, PASSWORD).await["status"], "complete", "{name}");
    }
}

/// Proves B3: a login that began before goes no further, at the second factor, at the exchange and at the refresh.
#[both_engines]
async fn what_began_before_goes_no_further(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    for name in ["ann", "bo", "cy"] {
        tenant.form_user(&app, name, Some("organization_member")).await;
    }
    let tokens = tenant.form_tokens(&app, "ann").await;
    let step = tenant.form_login(&app.anonymous(), "bo", PASSWORD).await.expect(200);
    let code = parameter(&step["redirect_to"].as_str().unwrap().parse().unwrap(), "code");
    app.operator().patch(&tenant.path("/settings"), &json!({ "require_email_mfa": true })).await.expect(200);
    let waiting = tenant.form_login(&app.anonymous(), "cy", PASSWORD).await.expect(200);
    assert_eq!(waiting["status"], "mfa_required");
    tenant.migrate(&root.client, "require").await;
    let token = json!({ "pending_token": waiting["pending_token"], "code": "000000" });
    app.anonymous().post("/v1/form-sign-ins/mfa-code", &token).await.problem(401, "session_expired");
    let refused = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.expect(400);
    assert_eq!(refused["error_description"], "SSO is required of this user");
    let refused = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(400);
    assert_eq!(refused["error"], "invalid_grant");
}

/// Proves B3: the mark is an owner's to give and to take, and with it goes the refresh.
#[both_engines]
async fn an_exemption_that_is_taken_away_ends_the_refresh(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let guest = tenant.form_user(&app, "guest", Some("organization_member")).await;
    let path = tenant.path(&format!("/users/{guest}"));
    let member = tenant.form_session(&app, "guest").await;
    member.patch(&path, &json!({ "exempt": true })).await.problem(403, "forbidden");
    let key = json!({ "name": "HR", "scopes": ["read", "users:write"] });
    let key = root.client.post(&tenant.path("/api-keys"), &key).await.expect(201);
    let key = app.anonymous().bearing(key["secret"].as_str().unwrap());
    key.patch(&path, &json!({ "exempt": true })).await.problem(403, "forbidden");
    key.patch(&path, &json!({ "display_name": "Guest" })).await.expect(200);
    root.client.patch(&path, &json!({ "exempt": true })).await.expect(200);
    tenant.migrate(&root.client, "require").await;
    let tokens = tenant.form_tokens(&app, "guest").await;
    let tokens = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(200);
    root.client.patch(&path, &json!({ "exempt": false })).await.expect(200);
    let refused = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(400);
    assert_eq!(refused["error_description"], "SSO is required of this user");
    let events = root.client.get(&tenant.path("/audit-events?action=user.updated&limit=1")).await.expect(200);
    assert_eq!(events["items"][0]["changes"], json!([{ "property": "exempt", "before": true, "after": false }]));
}

/// Proves B4: a reset is refused in the same words for every email; break-glass and exempt users are mailed
/// besides; and no other user changes their own password.
#[both_engines]
async fn passwords_are_for_those_who_keep_form_login(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.set_pages(&app).await;
    let root = tenant.break_glass_owner(&app, "root").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    let guest = tenant.form_user(&app, "guest", Some("organization_member")).await;
    tenant.form_session(&app, "guest").await;
    root.client.patch(&tenant.path(&format!("/users/{guest}")), &json!({ "exempt": true })).await.expect(200);
    tenant.migrate(&root.client, "require").await;
    for name in ["ann@acme.test", "guest", "root", "nobody@acme.test"] {
        let body = json!({ "account_name": "acme", "identifier": name, "client_id": tenant.client_id });
        app.anonymous().post("/v1/password-resets", &body).await.problem(409, "password_reset_unsupported");
        app.service.people.link_requests_settled().await;
    }
    let mailbox = app.mailbox().await;
    let leads_to_reset = |mail: &Received| mail.text().contains("https://app.example.test/reset");
    let resets = |to: &str| mailbox.to(to).into_iter().filter(leads_to_reset).count();
    assert_eq!((resets("root@acme.test"), resets("guest@acme.test"), resets("ann@acme.test")), (1, 1, 0));
    let ann = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "gravel orbit seventeen lamps" });
    ann.post("/v1/me/password", &change).await.problem(409, "password_reset_unsupported");
    assert_eq!(root.client.post("/v1/me/password", &change).await.status, 204);
    let options = app.anonymous().get("/v1/login-options?account_name=acme&portal=admin").await.expect(200);
    assert!(options.to_string().contains("password_reset_unsupported"), "{options}");
}

/// Proves A2, A4: while SSO is required no user gets an email that another one goes by; before, they may.
#[both_engines]
async fn an_email_stays_one_persons(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let ann = tenant.user_with_email(&app, "ann", Some("ann@acme.test")).await;
    tenant.migrate(&root.client, "require").await;
    for email in ["ANN@acme.test", "root@acme.test"] {
        let new = json!({ "portal": "admin", "username": "other", "email": email });
        root.client.post(&tenant.path("/users"), &new).await.problem(409, "sso_multiple_usernames");
    }
    tenant.set_pages(&app).await;
    let invitation = |email: &str| json!({ "email": email, "roles": ["organization_member"] });
    let mut one = invitation("Root@acme.test");
    (one["portal"], one["accept_by"]) = (json!("admin"), json!("sso"));
    root.client.post(&tenant.path("/invitations"), &one).await.problem(409, "sso_multiple_usernames");
    let rows = ["Root@acme.test", "ann@acme.test", "new@acme.test"].map(invitation);
    let batch = json!({ "portal": "admin", "accept_by": "sso", "invitations": rows });
    let results = root.client.post(&tenant.path("/invitation-batches"), &batch).await.expect(201);
    let codes = results["results"].as_array().unwrap().iter().map(|row| row["code"].as_str());
    assert_eq!(codes.collect::<Vec<_>>(), [Some("sso_multiple_usernames"), Some("already_invited"), None]);
    let other = tenant.user_with_email(&app, "other", None).await;
    let path = tenant.path(&format!("/users/{other}"));
    let taken = json!({ "email": "ann@acme.test" });
    root.client.patch(&path, &taken).await.problem(409, "sso_multiple_usernames");
    let inactive = json!({ "status": "inactive" });
    let ann = tenant.path(&format!("/users/{ann}"));
    root.client.patch(&ann, &inactive).await.expect(200);
    root.client.patch(&path, &taken).await.problem(409, "sso_multiple_usernames");
    root.client.delete(&ann).await.expect(204);
    root.client.patch(&path, &taken).await.expect(200);
}

/// Proves A3, C3: a user who was deactivated stays so, whatever the identity provider says; a newcomer is created,
/// and an archived duplicate does not count.
#[both_engines]
async fn sso_lets_in_whom_it_should(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let root = tenant.break_glass_owner(&app, "root").await;
    let gone = tenant.form_user(&app, "gone", Some("organization_member")).await;
    let path = tenant.path(&format!("/users/{gone}"));
    app.operator().patch(&path, &json!({ "status": "inactive" })).await.expect(200);
    tenant.migrate(&root.client, "require").await;
    let gone = tenant.user(&app, &gone.to_string()).await;
    assert_fields!(gone, { "username": "gone@acme.test", "status": "inactive" });
    assert_eq!(app.mailbox().await.to("gone@acme.test").len(), 1);
    let start = tenant.start_body(Some("gone@acme.test"));
    app.anonymous().post("/v1/sso-sign-ins", &start).await.problem(404, "sso_email_not_configured");
    let start = tenant.start_body(Some("root@acme.test"));
    app.anonymous().post("/v1/sso-sign-ins", &start).await.expect(200);
    let new = tenant.sign_in(&app, "new@acme.test", Some(&["staff"])).await;
    assert_eq!(new.get("/v1/me").await.expect(200)["user"]["username"], "new@acme.test");
}
