//! Users and their assigned roles (A2, A3).

use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

/// Proves A2: usernames need not be emails, are unique without case, and emails need not be unique.
#[both_engines]
async fn owners_add_users_whose_username_is_not_their_email(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let users = tenant.path("/users");
    let new = |username: &str| json!({ "portal": "admin", "username": username, "email": "shared@acme.test", "roles": ["organization_member"] });
    let ann = owner.post(&users, &new("Ann")).await.expect(201);
    assert_eq!(ann["status"], "invited");
    owner.post(&users, &new("bo")).await.expect(201);
    owner.post(&users, &new("ANN")).await.problem(409, "username_taken");
    let elsewhere = json!({ "portal": "self_service", "username": "ann" });
    owner.post(&users, &elsewhere).await.expect(201);
    let found = owner.get(&format!("{users}?portal=admin&q=shared")).await.expect(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 2);
    let owners = owner.get(&format!("{users}?role=organization_owner")).await.expect(200);
    let names: Vec<&str> =
        owners["items"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["owner@acme.test", "boss@acme.test"]);
}

/// Proves A2: an import says of each row what became of it, and creates the others.
#[both_engines]
async fn an_import_creates_what_it_can_and_names_what_it_cannot(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path("/user-imports");
    let user = |name: &str| json!({ "portal": "admin", "username": name, "roles": ["organization_member"] });
    let body = json!({ "users": [user("ann"), user("OWNER@acme.test"), user("bo"), user("Ann")] });
    let report = app.operator().post(&path, &body).await.expect(200);
    let statuses: Vec<&str> =
        report["results"].as_array().unwrap().iter().map(|row| row["status"].as_str().unwrap()).collect();
    assert_eq!(statuses, ["created", "refused", "created", "refused"]);
    assert_eq!(report["created"], 2);
    assert_eq!(report["results"][1]["code"], "username_taken");
    let users = app.operator().get(&tenant.path("/users")).await.expect(200);
    assert_eq!(users["items"].as_array().unwrap().len(), 3);
    let events = app.operator().get(&tenant.path("/audit-events?action=user.created")).await.expect(200);
    assert_eq!(events["items"].as_array().unwrap().len(), 3);

    app.operator().post(&path, &json!({ "users": [] })).await.problem(422, "invalid_input");
    let many: Vec<_> = (0..501).map(|n| user(&format!("user{n}"))).collect();
    app.operator().post(&path, &json!({ "users": many })).await.problem(422, "invalid_input");
    let wrong = json!({ "users": [user("good"), { "portal": "admin", "username": "" }] });
    let problem = app.operator().post(&path, &wrong).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/users/1/username");
    let users = app.operator().get(&tenant.path("/users?q=good")).await.expect(200);
    assert_eq!(users["items"], json!([]), "nothing of a refused import is left");
}

/// Proves A2: two at once who take one username give one user.
#[both_engines]
async fn two_at_once_take_one_username(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let operator = app.operator();
    let path = tenant.path("/users");
    let body = json!({ "portal": "admin", "username": "ann" });
    let (one, two) = tokio::join!(operator.post(&path, &body), operator.post(&path, &body));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
}

/// Proves A3: account roles are for administrators.
#[both_engines]
async fn a_self_service_user_holds_no_account_role(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let body = json!({ "portal": "self_service", "username": "ann", "roles": ["organization_owner"] });
    let problem = app.operator().post(&tenant.path("/users"), &body).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/roles");
}

/// Proves A3, I3: a deactivated user is out at once, everywhere, until an owner says otherwise.
#[both_engines]
async fn deactivation_ends_sessions_and_refuses_sign_in_exchange_and_refresh(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let operator = app.operator();
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["staff"])).await;
    let ann = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let me = ann.get("/v1/me").await.expect(200);
    let user = tenant.path(&format!("/users/{}", me["user"]["id"].as_str().unwrap()));
    let code = tenant.code(&app, "ann@acme.test", Some(&["staff"])).await;
    let pending = tenant.start(&app, Some("ann@acme.test")).await;

    operator.patch(&user, &json!({ "status": "inactive" })).await.expect(200);
    ann.get("/v1/me").await.problem(401, "session_expired");
    let refreshed = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.expect(400)["error"], "invalid_grant");
    let exchanged = app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await;
    assert_eq!(exchanged.expect(400)["error"], "invalid_grant");
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    let refused = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    assert_eq!(tests::client::parameter(&refused, "error_code"), "sso_email_not_configured");
    let entered = tenant.start_body(Some("ann@acme.test"));
    app.anonymous().post("/v1/sso-sign-ins", &entered).await.problem(404, "sso_email_not_configured");

    operator.patch(&user, &json!({ "status": "active" })).await.expect(200);
    tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await.get("/v1/me").await.expect(200);
}

/// Proves A3: what was taken away counts at once and not when the token expires.
#[both_engines]
async fn a_demoted_owner_loses_their_rights_at_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let body = json!({ "portal": "admin", "username": "eve@acme.test", "roles": ["organization_owner"] });
    let eve = app.operator().post(&tenant.path("/users"), &body).await.expect(201);
    let user = tenant.path(&format!("/users/{}", eve["id"].as_str().unwrap()));
    let signed_in = tenant.sign_in(&app, "eve@acme.test", None).await;
    signed_in.patch(&user, &json!({ "display_name": "Eve" })).await.expect(200);
    app.operator().patch(&user, &json!({ "roles": ["organization_member"] })).await.expect(200);
    signed_in.patch(&user, &json!({ "roles": ["organization_owner"] })).await.problem(403, "forbidden");
    signed_in.get(&user).await.expect(200);
}

/// Proves A2: a removed user is gone with their sessions, and their name is free.
#[both_engines]
async fn a_deleted_user_is_gone_with_their_sessions(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let id = ann.get("/v1/me").await.expect(200)["user"]["id"].as_str().unwrap().to_owned();
    let path = tenant.path(&format!("/users/{id}"));
    assert_eq!(app.operator().delete(&path).await.status, 204);
    ann.get("/v1/me").await.problem(401, "session_expired");
    app.operator().get(&path).await.problem(404, "not_found");
    let again = json!({ "portal": "admin", "username": "ann@acme.test" });
    app.operator().post(&tenant.path("/users"), &again).await.expect(201);
}
