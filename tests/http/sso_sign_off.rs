//! The signature that requires SSO rests on a test sign-in through the connection as it is, or on an owner's word (F2).

use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::Client;
use tests::databases::TestDatabase;
use tests::idp::TestIdp;
use tests::migration::Owner;
use tests::tenant::Tenant;

const UNTESTED: &str = "/blockers/connection_untested";

/// An account whose connection was changed after its last test.
async fn untested(app: &TestApp) -> (Tenant, Owner) {
    let tenant = Tenant::create(app, "acme").await;
    tenant.set_pages(app).await;
    let root = tenant.break_glass_owner(app, "root").await;
    change_mapping(app, &tenant, "staff").await;
    (tenant, root)
}

async fn change_mapping(app: &TestApp, tenant: &Tenant, value: &str) {
    let mapping = json!({ "role_mappings": { "staff": ["organization_member"], value: ["organization_member"] } });
    app.operator().patch(&tenant.connection_path(), &mapping).await.expect(200);
}

/// Expects that the missing test is all that keeps this plan from being applied.
async fn expect_blocked(tenant: &Tenant, owner: &Client, plan: &Value) {
    let problem = tenant.apply(owner, plan).await.problem(409, "migration_blocked");
    let pointers: Vec<&Value> = problem["errors"].as_array().unwrap().iter().map(|error| &error["pointer"]).collect();
    assert_eq!(pointers, [UNTESTED]);
}

async fn mode(app: &TestApp, tenant: &Tenant) -> Value {
    app.operator().get(&tenant.connection_path()).await.expect(200)["mode"].clone()
}

/// Proves F2: a connection with a wrong certificate is never required unawares: the preview says so and what to do, and
/// the same plan can be signed once a test sign-in has succeeded.
#[both_engines]
async fn a_connection_that_passed_no_test_is_not_signed_off(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, root) = untested(&app).await;
    let right = app.operator().get(&tenant.connection_path()).await.expect(200);
    let wrong = json!({ "certificates": [TestIdp::attacker().identity.certificate_pem()] });
    app.operator().patch(&tenant.connection_path(), &wrong).await.expect(200);
    let plan = tenant.preview(&root.client, "require").await;
    assert_eq!(plan["blockers"], json!(["connection_untested"]));
    let detail = &plan["blocker_details"][0];
    assert_eq!(detail["code"], "connection_untested");
    assert!(detail["fix"].as_str().unwrap().contains("test sign-in"), "{detail}");
    let refused = async || {
        let problem = tenant.sign_off(&root.client, &plan).await.problem(409, "migration_blocked");
        assert_eq!(problem["errors"][0]["pointer"], UNTESTED);
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains("override_reason"), "{problem}");
    };
    refused().await;
    let pending = tenant.start_test(&app).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    assert!(!tenant.post_response(&app, &response, &pending.relay_state).await.text.contains("succeeded"));
    refused().await;
    let pems: Vec<&Value> = right["certificates"].as_array().unwrap().iter().map(|pinned| &pinned["pem"]).collect();
    app.operator().patch(&tenant.connection_path(), &json!({ "certificates": pems })).await.expect(200);
    refused().await;
    tenant.pass_test(&app).await;
    let signed = tenant.sign_off(&root.client, &plan).await.expect(200);
    assert_eq!(signed["signed_off"]["override_reason"], Value::Null);
    tenant.apply(&root.client, &plan).await.expect(200);
    assert_eq!(mode(&app, &tenant).await, "required");
}

/// Proves F2, F5, H3: an owner's word takes the place of the test; it needs a reason, and stays on record.
#[both_engines]
async fn an_owner_may_answer_for_an_untested_connection(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, root) = untested(&app).await;
    let plan = tenant.preview(&root.client, "require").await;
    for wrong in ["", "   ", "two\nlines", &"x".repeat(201)] {
        tenant.override_test(&root.client, &plan, wrong).await.problem(422, "invalid_input");
    }
    let reason = "Tested by hand yesterday";
    tenant.override_test(&app.operator(), &plan, reason).await.problem(403, "forbidden");
    let signed = tenant.override_test(&root.client, &plan, reason).await.expect(200);
    assert_eq!(signed["signed_off"]["override_reason"], reason);
    let applied = tenant.apply(&root.client, &plan).await.expect(200);
    assert_eq!(applied["signed_off"]["override_reason"], reason);
    for action in ["sso_migration.signed_off", "sso_migration.applied"] {
        let events = app.operator().get(&tenant.path(&format!("/audit-events?action={action}"))).await.expect(200);
        let event = &events["items"][0];
        assert_eq!(event["actor"]["id"], json!(root.id.to_string()));
        let said = action.ends_with("applied") || event["changes"].to_string().contains(reason);
        assert!(said, "{event}");
    }
}

/// Proves F2: a word for the test is not a word for anything else, and not for a connection that was changed after
/// it.
#[both_engines]
async fn an_override_holds_for_the_connection_that_the_owner_saw(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, root) = untested(&app).await;
    let plan = tenant.preview(&root.client, "require").await;
    tenant.override_test(&root.client, &plan, "known good").await.expect(200);
    change_mapping(&app, &tenant, "guests").await;
    expect_blocked(&tenant, &root.client, &plan).await;
    tenant.override_test(&root.client, &plan, "still good").await.expect(200);
    tenant.apply(&root.client, &plan).await.expect(200);
    tenant.migrate(&root.client, "revert").await;
    let nobody = tenant.user_with_email(&app, "nobody", None).await;
    app.operator().post(&format!("{}/enable", tenant.connection_path()), &json!({})).await.expect(200);
    let plan = tenant.preview(&root.client, "require").await;
    assert_eq!(plan["blockers"], json!(["undecided_conflicts", "connection_untested"]));
    let problem = tenant.override_test(&root.client, &plan, "known good").await.problem(409, "migration_blocked");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
    assert_eq!(tenant.row(&root.client, &plan, &nobody).await["action"], "conflict");
}

/// Proves F2: what was tested must be what is required: a change between signature and application (a mapping, the key
/// that decrypts) asks for another test, and no other signature.
#[both_engines]
async fn a_connection_that_changed_after_the_signature_is_tested_again(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, root) = untested(&app).await;
    tenant.pass_test(&app).await;
    let plan = tenant.preview(&root.client, "require").await;
    tenant.sign_off(&root.client, &plan).await.expect(200);
    change_mapping(&app, &tenant, "guests").await;
    expect_blocked(&tenant, &root.client, &plan).await;
    tenant.pass_test(&app).await;
    let keys = format!("{}/sp-keys", tenant.connection_path());
    app.operator().post(&keys, &json!({})).await.expect(201);
    expect_blocked(&tenant, &root.client, &plan).await;
    assert_eq!(mode(&app, &tenant).await, "optional");
    tenant.pass_test(&app).await;
    tenant.apply(&root.client, &plan).await.expect(200);
    assert_eq!(mode(&app, &tenant).await, "required");
}

/// Proves F2, C9: a test is of the configuration: enabling, disabling, requiring and going back leave it proved.
#[both_engines]
async fn a_test_outlives_a_change_of_the_mode(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, root) = untested(&app).await;
    tenant.disable_sso(&app).await;
    tenant.pass_test(&app).await;
    let enable = format!("{}/enable", tenant.connection_path());
    app.operator().post(&enable, &json!({})).await.expect(200);
    for _ in 0..2 {
        let plan = tenant.preview(&root.client, "require").await;
        assert_eq!(plan["blockers"], json!([]));
        tenant.sign_off(&root.client, &plan).await.expect(200);
        tenant.apply(&root.client, &plan).await.expect(200);
        tenant.migrate(&root.client, "revert").await;
        app.operator().post(&enable, &json!({})).await.expect(200);
    }
}
