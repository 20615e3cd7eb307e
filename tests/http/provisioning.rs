//! Users that a response stands for, and their roles (A2, C2, C3, C4, D2).

use mock_idp::message::ResponseSpec;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::idp::{EMAIL_CLAIM, ROLE_ATTRIBUTE, USERNAME_ATTRIBUTE};
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};
use url::Url;

/// Signs in without an entered email, with a response that says just this.
async fn respond(app: &TestApp, tenant: &Tenant, say: impl FnOnce(ResponseSpec) -> ResponseSpec) -> Url {
    let pending = tenant.start(app, None).await;
    let spec = tenant.idp.response(&tenant.acs_url, app.now()).to_request(&pending.request_id);
    tenant.post_response(app, &say(spec), &pending.relay_state).await.location()
}

async fn roles_of(app: &TestApp, tenant: &Tenant, username: &str) -> Value {
    let found = app.operator().get(&tenant.path(&format!("/users?q={username}"))).await.expect(200);
    found["items"][0]["roles"].clone()
}

async fn set(app: &TestApp, tenant: &Tenant, patch: Value) {
    app.operator().patch(&tenant.connection_path(), &patch).await.expect(200);
}

/// Proves C2: the configured attribute or the platform's own; both must agree.
#[both_engines]
async fn the_username_comes_from_either_attribute(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    set(&app, &tenant, json!({ "default_roles": ["organization_member"] })).await;
    let ok = respond(&app, &tenant, |spec| spec.attribute(USERNAME_ATTRIBUTE, ["ann@acme.test"])).await;
    parameter(&ok, "code");
    let both = |spec: ResponseSpec| {
        spec.attribute(USERNAME_ATTRIBUTE, ["ann@acme.test"]).attribute(EMAIL_CLAIM, ["ANN@acme.test"])
    };
    parameter(&respond(&app, &tenant, both).await, "code");
    let differ = |spec: ResponseSpec| {
        spec.attribute(USERNAME_ATTRIBUTE, ["ann@acme.test"]).attribute(EMAIL_CLAIM, ["eve@acme.test"])
    };
    assert_eq!(parameter(&respond(&app, &tenant, differ).await, "error_code"), "saml_response_refused");
    assert_eq!(tenant.last_attempt(&app).await["failure"]["reason"], "username_attribute_ambiguous");
    let several = |spec: ResponseSpec| spec.attribute(EMAIL_CLAIM, ["ann@acme.test", "eve@acme.test"]);
    assert_eq!(parameter(&respond(&app, &tenant, several).await, "error_code"), "saml_response_refused");
    let none = |spec: ResponseSpec| spec.attribute("mail", ["ann@acme.test"]);
    assert_eq!(parameter(&respond(&app, &tenant, none).await, "error_code"), "saml_response_refused");
    let attempt = tenant.last_attempt(&app).await;
    assert_eq!(attempt["failure"]["got"], "mail");
    assert!(attempt["failure"]["wanted"].as_str().unwrap().contains(EMAIL_CLAIM));

    set(&app, &tenant, json!({ "username_source": "name_id" })).await;
    let name_id = |spec: ResponseSpec| spec.named("ann@acme.test", mock_idp::message::NAME_ID_EMAIL);
    parameter(&respond(&app, &tenant, name_id).await, "code");
    set(&app, &tenant, json!({ "username_source": "attribute", "username_attributes": ["uid", "mail"] })).await;
    parameter(&respond(&app, &tenant, none).await, "code");
}

/// Proves C3: a known user stays the same user, by username or by the one email; an unknown one is created.
#[both_engines]
async fn a_known_user_keeps_their_identity(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let body =
        json!({ "portal": "admin", "username": "jdoe", "email": "J.Doe@acme.test", "roles": ["organization_member"] });
    let known = app.operator().post(&tenant.path("/users"), &body).await.expect(201);
    let me = tenant.sign_in(&app, "j.doe@ACME.test", None).await.get("/v1/me").await.expect(200);
    assert_eq!(me["user"]["id"], known["id"]);
    assert_fields!(me["user"], { "username": "jdoe", "status": "active" });
    let new = tenant.sign_in(&app, "new@acme.test", Some(&["staff"])).await.get("/v1/me").await.expect(200);
    assert_fields!(new["user"], { "username": "new@acme.test", "email": "new@acme.test" });
}

/// Proves C3: invited users alone, where the connection says so; for them the first sign-in is enough.
#[both_engines]
async fn invited_only_creates_nobody(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    set(&app, &tenant, json!({ "provisioning": "invited_only" })).await;
    let stranger = respond(&app, &tenant, |spec| {
        spec.attribute(EMAIL_CLAIM, ["new@acme.test"]).attribute(ROLE_ATTRIBUTE, ["staff"])
    })
    .await;
    assert_eq!(parameter(&stranger, "error_code"), "sso_email_not_configured");
    let users = app.operator().get(&tenant.path("/users?q=new")).await.expect(200);
    assert_eq!(users["items"], json!([]));
    let expected = json!({ "portal": "admin", "username": "boss@acme.test", "roles": ["organization_owner"] });
    app.operator().post(&tenant.path("/users"), &expected).await.expect(201);
    let me = tenant.sign_in(&app, "boss@acme.test", None).await.get("/v1/me").await.expect(200);
    assert_eq!(me["user"]["roles"]["assigned"], json!(["organization_owner"]));
}

/// Proves C3: an identity provider speaks for the domains on its list, and for no look-alike of them.
#[both_engines]
async fn domains_off_the_list_are_refused(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    set(&app, &tenant, json!({ "email_domains": ["acme.test"], "default_roles": ["organization_member"] })).await;
    for (email, passes) in [
        ("ann@ACME.test", true),
        ("eve@evil-acme.test", false),
        ("eve@acme.test.evil.test", false),
        ("eve@sub.acme.test", false),
        ("eve", false),
        ("eve@acme.test@evil.test", false),
    ] {
        let location = respond(&app, &tenant, |spec| spec.attribute(EMAIL_CLAIM, [email])).await;
        assert_eq!(location.as_str().contains("code=vac_"), passes, "{email}: {location}");
    }
}

/// Proves D2: the asserted identity must be the one that was entered, compared as usernames are.
#[both_engines]
async fn somebody_else_than_was_entered_is_refused(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, Some("ann@acme.test")).await;
    let response = tenant.response(&app, &pending, "eve@acme.test", Some(&["staff"]));
    let location = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    assert_eq!(parameter(&location, "error_code"), "login_incorrect_credentials");
    assert_eq!(parameter(&location, "error_description"), "Login failed due to incorrect credentials");
    tenant.code(&app, "ANN@acme.test", Some(&["staff"])).await;
}

/// Proves A2: users who share an email are not found, whatever else matches; enabling reports them.
#[both_engines]
async fn a_shared_email_cannot_use_sso(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for username in ["first", "second"] {
        let body = json!({ "portal": "admin", "username": username, "email": "both@acme.test", "roles": ["organization_member"] });
        let user = app.operator().post(&tenant.path("/users"), &body).await.expect(201);
        let path = tenant.path(&format!("/users/{}", user["id"].as_str().unwrap()));
        app.operator().patch(&path, &json!({ "status": "active" })).await.expect(200);
    }
    let location = respond(&app, &tenant, |spec| spec.attribute(EMAIL_CLAIM, ["both@acme.test"])).await;
    assert_eq!(parameter(&location, "error_code"), "sso_multiple_usernames");
    let report = app.operator().post(&format!("{}/enable", tenant.connection_path()), &json!({})).await.expect(200);
    assert_eq!(report["shared_emails"], json!([{ "email": "both@acme.test", "usernames": ["first", "second"] }]));
}

/// Proves C4: defaults where no role attribute comes, mappings instead where one does, several unite, unknown ones
/// are recorded and grant nothing.
#[both_engines]
async fn roles_follow_the_mapping(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    set(&app, &tenant, json!({ "default_roles": ["organization_context_manager"] })).await;
    for (values, roles) in [
        (None, json!(["organization_context_manager"])),
        (Some(&["staff"][..]), json!(["organization_member"])),
        (Some(&["staff", "nac-team-lead", "other"][..]), json!(["organization_owner", "organization_member"])),
        (None, json!(["organization_context_manager"])),
    ] {
        tenant.code(&app, "ann@acme.test", values).await;
        assert_eq!(roles_of(&app, &tenant, "ann").await["saml"], roles, "{values:?}");
    }
    let pending = tenant.start(&app, None).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["unknown-team"]));
    let location = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    assert_eq!(parameter(&location, "error_code"), "no_role");
    let attempt = tenant.last_attempt(&app).await;
    assert!(attempt["failure"]["got"].as_str().unwrap().contains("unknown-team"), "{attempt}");
    assert_eq!(roles_of(&app, &tenant, "ann").await["saml"], json!([]), "the refusal sets them anew too");
}

/// Proves C4: a SAML sign-in never touches assigned roles, and a user holds both together.
#[both_engines]
async fn assigned_roles_stay_beside_saml_roles(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let boss = json!({ "portal": "admin", "username": "boss@acme.test", "roles": ["organization_owner"] });
    app.operator().post(&tenant.path("/users"), &boss).await.expect(201);
    tenant.code(&app, "boss@acme.test", Some(&["staff"])).await;
    let roles = roles_of(&app, &tenant, "boss@").await;
    assert_eq!(roles["assigned"], json!(["organization_owner"]));
    assert_eq!(roles["effective"], json!(["organization_owner", "organization_member"]));
    tenant.code(&app, "boss@acme.test", Some(&[])).await;
    let roles = roles_of(&app, &tenant, "boss@").await;
    assert_fields!(roles, { "assigned": ["organization_owner"], "saml": [] });
}

/// Proves C4: self-service sign-ins grant no account role; the values go into the token.
#[both_engines]
async fn self_service_role_values_go_into_the_token(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create_for(&app, "acme", "self_service").await;
    let tokens = tenant.tokens(&app, "ann@acme.test", Some(&["nac-team-lead", "x"])).await;
    let claims = tests::tokens::claims(tokens["access_token"].as_str().unwrap());
    assert_eq!(claims["external_roles"], json!(["nac-team-lead", "x"]));
    assert_eq!(claims.get("roles"), None);
    assert_eq!(roles_of(&app, &tenant, "ann").await["effective"], json!([]));
    let client = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    client.get(&tenant.path("/users")).await.problem(403, "forbidden");
    client.get("/v1/me").await.expect(200);
}

/// Proves C3: two first sign-ins of one person at once make one user.
#[both_engines]
async fn two_first_sign_ins_at_once_make_one_user(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let code = || tenant.code(&app, "ann@acme.test", Some(&["staff"]));
    tokio::join!(code(), code(), code());
    let users = app.operator().get(&tenant.path("/users?q=ann")).await.expect(200);
    assert_eq!(users["items"].as_array().unwrap().len(), 1);
}
