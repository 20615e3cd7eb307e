//! Applications: what may be registered, shared and used.

use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::databases::TestDatabase;
use tests::tenant::{REDIRECT_URI, Tenant};

/// Proves D4: what is registered is checked, field by field.
#[both_engines]
async fn a_registration_is_checked(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path("/applications");
    let good = json!({ "portal": "admin", "name": "Second", "redirect_uris": ["http://localhost:3000/cb"] });
    app.operator().post(&path, &good).await.expect(201);
    for (field, value) in [
        ("redirect_uris", json!([])),
        ("redirect_uris", json!(["http://app.example.test/cb"])),
        ("redirect_uris", json!(["https://app.example.test/cb#x"])),
        ("redirect_uris", json!([REDIRECT_URI, "https://*.example.test/cb"])),
        ("redirect_uris", json!(["https://app.example.test\\@evil.test/cb"])),
        ("redirect_uris", json!(["https://App.example.test/cb"])),
        ("redirect_uris", json!(["https://app.example.test/a/../cb"])),
        ("redirect_uris", json!(["https://app.example.test:443/cb"])),
        ("initiate_login_uri", json!("https:/app.example.test/login")),
        ("pages", json!({ "login": "https://app.example.test/./login" })),
        ("allowed_origins", json!(["https://*.example.test"])),
        ("allowed_origins", json!(["https://app.example.test/path"])),
        ("lifetimes", json!({ "access_token_seconds": 99_999 })),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let problem = app.operator().post(&path, &body).await.problem(422, "invalid_input");
        let pointer = problem["errors"][0]["pointer"].as_str().unwrap().to_owned();
        assert!(pointer.starts_with(&format!("/{field}")), "{pointer}");
    }
    let mut default = good;
    default["is_default"] = json!(true);
    let problem = app.operator().post(&path, &default).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/initiate_login_uri");
}

/// Proves A5, D1: one login page may serve every account; only the operator registers it, and another account's
/// application serves its own account alone.
#[both_engines]
async fn a_shared_application_serves_every_account_and_an_own_one_only_its_own(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (acme, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let body = json!({ "portal": "admin", "name": "Login page", "redirect_uris": [REDIRECT_URI] });
    let shared = app.operator().post("/v1/applications", &body).await.expect(201);
    for tenant in [&acme, &other] {
        let mut start = tenant.start_body(Some("a@b.test"));
        start["client_id"] = shared["id"].clone();
        app.anonymous().post("/v1/sso-sign-ins", &start).await.expect(200);
    }
    let mut crossed = acme.start_body(Some("a@b.test"));
    crossed["client_id"] = json!(other.client_id);
    app.anonymous().post("/v1/sso-sign-ins", &crossed).await.problem(404, "sso_account_not_configured");
    let owner = acme.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    owner.post("/v1/applications", &body).await.problem(403, "forbidden");
    owner.get("/v1/applications").await.problem(403, "forbidden");
    let theirs = acme.path(&format!("/applications/{}", other.client_id));
    owner.get(&theirs).await.problem(404, "not_found");
    let shared_as_own = acme.path(&format!("/applications/{}", shared["id"].as_str().unwrap()));
    owner.delete(&shared_as_own).await.problem(404, "not_found");
}

/// Proves C8: a portal has one default application; a new one takes over.
#[both_engines]
async fn a_new_default_takes_over(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let body = json!({
        "portal": "admin", "name": "New", "redirect_uris": ["https://new.example.test/cb"],
        "initiate_login_uri": "https://new.example.test/login?from=sso", "is_default": true,
    });
    app.operator().post(&tenant.path("/applications"), &body).await.expect(201);
    let old = app.operator().get(&tenant.path(&format!("/applications/{}", tenant.client_id))).await.expect(200);
    assert_eq!(old["is_default"], false);
    let location = app.anonymous().get(&format!("{}/login", tenant.acs_path())).await.location();
    assert!(location.as_str().starts_with("https://new.example.test/login?from=sso&iss="), "{location}");
}

/// Proves D4: a change is a merge patch. It names one page or lifetime alone, what it leaves out stays, null takes a value
/// away, and members that there are not are refused wherever they stand.
#[both_engines]
async fn a_change_is_merged_member_by_member(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path("/applications");
    let pages = json!({ "login": "https://app.example.test/login", "magic_link": "https://app.example.test/link" });
    let body = json!({
        "portal": "admin", "name": "Second", "redirect_uris": [REDIRECT_URI], "pages": pages,
        "lifetimes": { "idle_seconds": 600 }, "refresh_delivery": null,
    });
    let made = app.operator().post(&path, &body).await.expect(201);
    assert_eq!(made["lifetimes"]["access_token_seconds"], 600, "the default");
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let patch = json!({ "pages": { "magic_link": null }, "lifetimes": { "access_token_seconds": 120 } });
    let changed = app.operator().patch(&one, &patch).await.expect(200);
    assert_eq!(changed["pages"]["login"], pages["login"]);
    assert_eq!(changed["pages"]["magic_link"], json!(null));
    assert_eq!(changed["lifetimes"]["access_token_seconds"], 120);
    assert_eq!(changed["lifetimes"]["idle_seconds"], 600);
    assert_eq!(changed["name"], "Second");
    for (patch, pointer) in [
        (json!({ "pages": { "logout": "https://app.example.test/x" } }), "/pages/logout"),
        (json!({ "lifetimes": null }), "/lifetimes"),
        (json!({ "redirect_uris": null }), "/redirect_uris"),
        (json!({ "refresh_delivery": null }), "/refresh_delivery"),
        (json!({ "portal": "self_service" }), "/portal"),
        (json!({ "name": null }), "/name"),
    ] {
        let problem = app.operator().patch(&one, &patch).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    assert_eq!(app.operator().get(&one).await.expect(200), changed, "nothing was half done");
}
