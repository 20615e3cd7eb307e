//! Test sign-ins: a staged connection is tried end to end, and no user gets in (C9).

use mock_idp::message::ResponseSpec;
use serde_json::{Value, json};
use service::ports::ProbeResult;
use tests::app::TestApp;
use tests::client::{Answer, parameter};
use tests::databases::TestDatabase;
use tests::tenant::{Pending, Tenant};
use tests::{assert_fields, both_engines};

/// A check of a test, by its name.
fn check<'a>(test: &'a Value, name: &str) -> &'a Value {
    test["checks"].as_array().unwrap().iter().find(|check| check["check"] == name).unwrap()
}

fn states(test: &Value, state: &str) -> usize {
    test["checks"].as_array().unwrap().iter().filter(|check| check["state"] == state).count()
}

async fn usernames(app: &TestApp, tenant: &Tenant) -> Vec<Value> {
    let users = app.operator().get(&tenant.path("/users")).await.expect(200);
    users["items"].as_array().unwrap().iter().map(|user| user["username"].clone()).collect()
}

async fn answer(app: &TestApp, tenant: &Tenant, pending: &Pending, spec: &ResponseSpec) -> Answer {
    tenant.post_response(app, spec, &pending.relay_state).await
}

/// Proves C9: a connection that is off is tried with a real response; the answer shows every check, the user it would
/// be and the roles with their mapping, and nothing of it is written.
#[both_engines]
async fn a_staged_connection_is_tried_end_to_end(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.disable_sso(&app).await;
    let before = usernames(&app, &tenant).await;
    let pending = tenant.start_test(&app).await;
    assert_eq!(pending.started["status"], "redirect_required");
    let waiting = tenant.test(&app, &pending).await;
    assert_fields!(waiting, { "stage": "sent_to_idp", "outcome": "pending" });
    assert_eq!(states(&waiting, "not_reached"), 19);

    let response = tenant.response(&app, &pending, "new@acme.test", Some(&["nac-team-lead", "guests"]));
    let page = answer(&app, &tenant, &pending, &response).await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").starts_with("text/html"), "{}", page.text);
    assert!(page.text.contains("The test sign-in succeeded") && !page.text.contains("vac_"), "{}", page.text);

    let test = tenant.test(&app, &pending).await;
    assert_fields!(test, { "outcome": "succeeded", "failure": null });
    assert_eq!(states(&test, "passed"), 19);
    let audience = check(&test, "audience");
    assert_fields!(audience, { "wanted": tenant.acs_url, "got": tenant.acs_url });
    assert_eq!(test["user"], json!({ "subject": "created", "username": "new@acme.test", "user_id": null }));
    let wanted = json!([
        { "origin": "role_mappings", "value": "nac-team-lead", "roles": ["organization_owner"] },
        { "origin": "nothing", "value": "guests", "roles": [] },
    ]);
    assert_eq!(test["roles"], wanted);
    assert_eq!(test["attributes"].as_array().unwrap().len(), 2);
    assert!(!test["attributes"].to_string().contains("acme.test"), "{}", test["attributes"]);
    assert_eq!(usernames(&app, &tenant).await, before);
    let sessions = app.operator().get(&tenant.path("/sessions")).await.expect(200);
    assert_eq!(sessions["items"], json!([]));
    let audit = app.operator().get(&tenant.path("/audit-events?limit=2")).await.expect(200);
    let actions = [&audit["items"][0]["action"], &audit["items"][1]["action"]];
    assert_eq!(actions, ["saml_connection.tested", "saml_connection.test_started"]);
}

/// Proves C9, H1: a refusal tells which check failed and how to mend it; the test may be answered again, and a
/// success stays.
#[both_engines]
async fn a_refused_test_tells_the_check_and_may_be_answered_again(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.disable_sso(&app).await;
    let pending = tenant.start_test(&app).await;
    let mut wrong = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    wrong.audiences = vec![vec!["urn:another:sp".to_owned()]];
    let page = answer(&app, &tenant, &pending, &wrong).await;
    assert!(page.status == 200 && page.text.contains("was refused"), "{}", page.text);
    let test = tenant.test(&app, &pending).await;
    assert_fields!(test, { "outcome": "refused", "failure": { "reason": "audience_mismatch" } });
    assert!(test["failure"]["fix"].as_str().unwrap().contains("entity_id"));
    assert_eq!(check(&test, "signature")["state"], "passed");
    assert_eq!(check(&test, "time")["state"], "not_reached");
    assert_eq!(check(&test, "audience")["got"], "urn:another:sp");
    let message = test["saml_message"].as_str().unwrap();
    assert!(message.contains("Response") && !message.contains("ann@acme.test"), "{message}");

    let nobody = tenant.response(&app, &pending, "ann@acme.test", Some(&["guests"]));
    answer(&app, &tenant, &pending, &nobody).await;
    let test = tenant.test(&app, &pending).await;
    assert_fields!(test, { "failure": { "reason": "no_role" }, "saml_message": null });
    assert_eq!(test["user"]["subject"], "refused");
    assert_eq!(test["roles"][0]["origin"], "nothing");

    let right = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    assert!(answer(&app, &tenant, &pending, &right).await.text.contains("succeeded"));
    answer(&app, &tenant, &pending, &wrong).await.problem(400, "saml_response_refused");
    assert_eq!(tenant.test(&app, &pending).await["outcome"], "succeeded");
}

/// Proves C9, C3, C4, A4, E1: the users that a sign-in would bind or refuse, a test binds or refuses, and leaves
/// as they are.
#[both_engines]
async fn a_test_decides_as_a_sign_in_does(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann =
        json!({ "portal": "admin", "username": "ann", "email": "ann@acme.test", "roles": ["organization_member"] });
    let ann = app.operator().post(&tenant.path("/users"), &ann).await.expect(201);
    let gone = json!({ "portal": "admin", "username": "gone@acme.test" });
    let gone = app.operator().post(&tenant.path("/users"), &gone).await.expect(201);
    let gone = tenant.path(&format!("/users/{}", gone["id"].as_str().unwrap()));
    app.operator().patch(&gone, &json!({ "status": "inactive" })).await.expect(200);

    let pending = tenant.start_test(&app).await;
    answer(&app, &tenant, &pending, &tenant.response(&app, &pending, "ann@acme.test", Some(&["nac-team-lead"]))).await;
    let test = tenant.test(&app, &pending).await;
    assert_fields!(test["user"], { "subject": "bound", "user_id": ann["id"] });
    assert_eq!(test["roles"][0]["origin"], "assigned");
    assert_eq!(test["roles"][1]["origin"], "role_mappings");
    let after = app.operator().get(&tenant.path(&format!("/users/{}", ann["id"].as_str().unwrap()))).await.expect(200);
    assert_fields!(after, { "status": ann["status"], "updated_at": ann["updated_at"] });
    assert_eq!(after["roles"], ann["roles"]);

    let pending = tenant.start_test(&app).await;
    answer(&app, &tenant, &pending, &tenant.response(&app, &pending, "gone@acme.test", Some(&["staff"]))).await;
    assert_eq!(tenant.test(&app, &pending).await["failure"]["reason"], "user_inactive");
    let attempts = app.operator().get(&tenant.path("/sign-in-attempts?limit=1")).await.expect(200);
    assert_fields!(attempts["items"][0], { "kind": "test", "user_id": null });
}

/// Proves C9, D2, D3: a test begins as a login page does, or is refused in its words; an incomplete connection cannot
/// be tried.
#[both_engines]
async fn a_test_begins_as_a_login_page_does(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tests = format!("{}/test-sign-ins", tenant.connection_path());
    app.operator().patch(&tenant.connection_path(), &json!({ "provisioning": "invited_only" })).await.expect(200);
    let unknown = app.operator().post(&tests, &json!({ "email": "new@acme.test" })).await;
    let refused = unknown.problem(404, "sso_email_not_configured");
    let attempt = tenant.last_attempt(&app).await;
    assert_fields!(attempt, { "id": refused["attempt_id"], "kind": "test" });
    let read = format!("{tests}/{}", refused["attempt_id"].as_str().unwrap());
    assert_eq!(states(&app.operator().get(&read).await.expect(200), "not_reached"), 19);
    app.world.set_probe(ProbeResult::Unreachable);
    app.operator().post(&tests, &json!({ "email": "owner@acme.test" })).await.problem(503, "idp_unreachable");

    let bare =
        app.operator().post(&tenant.path("/saml-connections"), &json!({ "portal": "self_service" })).await.expect(201);
    let bare = tenant.path(&format!("/saml-connections/{}/test-sign-ins", bare["id"].as_str().unwrap()));
    app.operator().post(&bare, &json!({})).await.problem(409, "connection_incomplete");
}

/// Proves C9, D2: the email that was entered must come back, as in a sign-in; and too late is too late.
#[both_engines]
async fn another_email_and_a_late_response_are_refused(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tests = format!("{}/test-sign-ins", tenant.connection_path());
    let started = app.operator().post(&tests, &json!({ "email": "ann@acme.test" })).await;
    assert!(started.header("location").starts_with(&tests));
    let pending = Pending::of(started.expect(201));
    let other = tenant.response(&app, &pending, "bob@acme.test", Some(&["staff"]));
    answer(&app, &tenant, &pending, &other).await;
    assert_eq!(tenant.test(&app, &pending).await["failure"]["reason"], "not_the_entered_email");
    app.world.clock.advance(jiff::SignedDuration::from_mins(16));
    let late = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    answer(&app, &tenant, &pending, &late).await;
    let test = tenant.test(&app, &pending).await;
    assert_eq!(test["failure"]["reason"], "sign_in_too_slow");
    assert_eq!(check(&test, "time")["state"], "passed");
}

/// Proves C9: an enabled connection is tried without being in a user's way.
#[both_engines]
async fn an_enabled_connection_is_tried_beside_sign_ins(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (real, test) = (tenant.start(&app, None).await, tenant.start_test(&app).await);
    let tried = tenant.response(&app, &test, "ann@acme.test", Some(&["staff"]));
    assert!(answer(&app, &tenant, &test, &tried).await.text.contains("succeeded"));
    let response = tenant.response(&app, &real, "ann@acme.test", Some(&["staff"]));
    let location = answer(&app, &tenant, &real, &response).await.location();
    parameter(&location, "code");
}
