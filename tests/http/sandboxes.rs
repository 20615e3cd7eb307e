//! Sandbox accounts (G1): made by an owner, served by the account's applications, entered from their first day.

use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::Client;
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::idp::TestIdp;
use tests::switching::{code, exchange};
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

const NEW: &str = "acme-sandbox";

async fn create(client: &Client, tenant: &Tenant) -> Value {
    client.post(&tenant.path("/sandboxes"), &json!({ "name": NEW, "display_name": "Sandbox" })).await.expect(201)
}

/// A sandbox of an account with pages, whose first owner has accepted by the mailed link.
async fn sandbox(app: &TestApp, tenant: &Tenant) -> (Tenant, Client) {
    tenant.set_pages(app).await;
    let owner = tenant.ann(app).await;
    let sandbox = tenant.sandbox(&create(&owner, tenant).await);
    let token = app.mailbox().await.last_to("ann@acme.test").token();
    let accepted = json!({ "token": token, "password": PASSWORD });
    let accepted = app.anonymous().post("/v1/invitations/accept", &accepted).await.expect(200);
    assert_fields!(accepted, { "account_name": NEW, "username": "ann" });
    (sandbox, owner)
}

/// Proves G1, A1: a sandbox needs nothing but its account's applications: its owner is invited by mail to the
/// account's page, sets a password, signs in, refreshes and resets the password; SSO begins there too.
#[both_engines]
async fn a_sandbox_is_served_by_its_accounts_applications_from_its_first_day(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.operator().patch(&tenant.path("/settings"), &json!({ "magic_link_seconds": 600 })).await.expect(200);
    let (sandbox, _) = sandbox(&app, &tenant).await;
    let settings = app.operator().get(&sandbox.path("/settings")).await.expect(200);
    assert_eq!(settings["magic_link_seconds"], 600);
    let step = sandbox.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    let tokens = sandbox.exchange_step(&app, &step).await;
    let there = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let me = there.get("/v1/me").await.expect(200);
    assert_fields!(me, { "user": { "username": "ann" }, "account": { "name": NEW } });
    assert_eq!(me["user"]["roles"]["effective"], json!(["organization_owner"]));
    there.get(&tenant.path("")).await.problem(404, "not_found");
    sandbox.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(200);

    let reset = json!({ "account_name": NEW, "identifier": "ann", "client_id": tenant.client_id });
    assert_eq!(app.anonymous().post("/v1/password-resets", &reset).await.status, 202);
    app.service.people.link_requests_settled().await;
    assert!(app.mailbox().await.last_to("ann@acme.test").link().as_str().starts_with("https://app.example.test/reset"));

    let idp = TestIdp::trusted();
    let connection = json!({
        "portal": "admin", "idp_entity_id": idp.entity_id, "login_url": "https://idp.example.test/sso",
        "certificates": [idp.identity.certificate_pem()],
    });
    let connection = there.post(&sandbox.path("/saml-connections"), &connection).await.expect(201);
    let enable = format!("/saml-connections/{}/enable", connection["id"].as_str().unwrap());
    there.post(&sandbox.path(&enable), &json!({})).await.expect(200);
    app.anonymous().post("/v1/sso-sign-ins", &sandbox.start_body(None)).await.expect(200);
    let login: url::Url = connection["saml_login_url"].as_str().unwrap().parse().unwrap();
    let login = app.anonymous().get(login.path()).await.location();
    assert!(login.as_str().starts_with("https://app.example.test/login?"), "{login}");
    assert!(login.query().unwrap().contains("account_name=acme-sandbox"), "{login}");
}

/// Proves G1: an account's applications serve its sandboxes, and neither the reverse nor accounts that are only linked.
#[both_engines]
async fn a_sandboxs_applications_do_not_serve_its_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, linked) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "linked").await);
    let (sandbox, _) = sandbox(&app, &tenant).await;
    let theirs = linked.ann(&app).await;
    tenant.link_with(&app, &linked, &theirs).await;
    let own = json!({ "portal": "admin", "name": "Own", "redirect_uris": ["https://app.example.test/callback"] });
    let there = sandbox.by_form(&app, "ann").await;
    let own = there.post(&sandbox.path("/applications"), &own).await.expect(201);
    for (name, client_id) in
        [("acme", own["id"].as_str().unwrap()), ("linked", &tenant.client_id), ("acme", &linked.client_id)]
    {
        let mut body = tenant.form_body("ann", PASSWORD);
        (body["account_name"], body["client_id"]) = (json!(name), json!(client_id));
        let refused = app.anonymous().post("/v1/form-sign-ins", &body).await;
        refused.problem(401, "login_incorrect_credentials");
        let mut body = tenant.start_body(None);
        (body["account_name"], body["client_id"]) = (json!(name), json!(client_id));
        app.anonymous().post("/v1/sso-sign-ins", &body).await.problem(404, "sso_account_not_configured");
    }
    let mut body = sandbox.form_body("ann", PASSWORD);
    body["client_id"] = own["id"].clone();
    app.anonymous().post("/v1/form-sign-ins", &body).await.expect(200);
}

/// Proves G1, I3: where the link with a sandbox ends, its account's applications hold no session there any more,
/// get none for a code on its way, and begin no sign-in; sessions of its own applications go on.
#[both_engines]
async fn with_the_link_ends_what_the_accounts_applications_hold_in_a_sandbox(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (sandbox, owner) = sandbox(&app, &tenant).await;
    let step = sandbox.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    let tokens = sandbox.exchange_step(&app, &step).await;
    let there = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let own = json!({ "portal": "admin", "name": "Own", "redirect_uris": ["https://app.example.test/callback"] });
    let own = there.post(&sandbox.path("/applications"), &own).await.expect(201);
    let own = Tenant {
        client_id: own["id"].as_str().unwrap().to_owned(),
        ..tenant.sandbox(&json!({
            "other_account_id": sandbox.account_id, "other_account": { "name": NEW },
        }))
    };
    let native = own.by_form(&app, "ann").await;
    let under_way = code(&sandbox.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200));
    let link = owner.get(&tenant.path("/links")).await.expect(200)["items"][0]["id"].clone();
    assert_eq!(owner.delete(&tenant.path(&format!("/links/{}", link.as_str().unwrap()))).await.status, 204);
    assert_eq!(there.get("/v1/me").await.status, 401);
    native.get("/v1/me").await.expect(200);
    let refused = sandbox.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(400);
    assert_eq!(refused["error"], "invalid_grant");
    assert_eq!(exchange(&app, &under_way, &tenant.client_id).await.expect(400)["error"], "invalid_grant");
    let refused = sandbox.form_login(&app.anonymous(), "ann", PASSWORD).await;
    refused.problem(401, "login_incorrect_credentials");
}

/// Proves G1: a sandbox is an owner's who can be mailed to, its name is free, and it has no sandboxes of its own.
#[both_engines]
async fn a_sandbox_that_could_not_be_entered_is_not_made(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (sandbox, owner) = sandbox(&app, &tenant).await;
    let new = json!({ "name": NEW, "display_name": "Sandbox" });
    owner.post(&tenant.path("/sandboxes"), &new).await.problem(409, "account_name_taken");
    let unnamed = app.operator().post(&tenant.path("/sandboxes"), &new).await.problem(422, "invalid_input");
    assert_eq!(unnamed["errors"][0]["pointer"], "/owner_id");
    let silent = json!({ "portal": "admin", "username": "silent", "roles": ["organization_owner"] });
    let silent = app.operator().post(&tenant.path("/users"), &silent).await.expect(201);
    let new = json!({ "name": "acme-second", "display_name": "Second", "owner_id": silent["id"] });
    let refused = app.operator().post(&tenant.path("/sandboxes"), &new).await.problem(422, "invalid_input");
    assert!(refused["errors"][0]["detail"].as_str().unwrap().contains("email"), "{refused}");
    let nested = json!({ "name": "acme-sandbox-nested", "display_name": "Nested" });
    let there = sandbox.by_form(&app, "ann").await;
    there.post(&sandbox.path("/sandboxes"), &nested).await.problem(403, "forbidden");
}
