//! Faults keep their cause: what is wrong with the database is a fault in the log, and never a reason why a user
//! is refused.

use serde_json::json;
use tests::app::TestApp;
use tests::databases::TestDatabase;
use tests::logs::Lines;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// The causes of the one failed request in the log.
fn causes_of_the_failure(lines: &Lines) -> String {
    let text = lines.text();
    let failed: Vec<serde_json::Value> = text
        .lines()
        .filter(|line| line.contains("a request failed"))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(failed.len(), 1, "a fault is logged once: {failed:#?}");
    assert_eq!(failed[0]["level"], "ERROR");
    failed[0]["fields"]["causes"].as_str().unwrap().to_owned()
}

/// Proves H1: an unreadable row is a fault with its cause in the log, and leaves no attempt that gives advice.
#[both_engines]
async fn an_unreadable_row_does_not_become_the_reason_of_a_refusal(db: TestDatabase) {
    let lines = Lines::capture();
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    app.tamper("UPDATE users SET status = 'sleeping' WHERE username = 'ann'").await;
    let start = tenant.start_body(Some("ann@acme.test"));
    let answer = app.anonymous().post("/v1/sso-sign-ins", &start).await;
    let problem = answer.problem(500, "internal");
    assert_eq!(problem["attempt_id"], json!(null));
    assert_eq!(answer.header("retry-after"), "");
    assert!(causes_of_the_failure(&lines).contains("users.status holds a value that cannot be read"));
    let attempts = app.operator().get(&tenant.path("/sign-in-attempts")).await.expect(200);
    assert_eq!(attempts["items"], json!([]));
}

/// Proves H1: the same for a response, a form login and a test sign-in: a fault of ours refuses no user.
#[both_engines]
async fn a_fault_on_any_way_in_is_told_as_one(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    let pending = tenant.start(&app, Some("ann@acme.test")).await;
    let response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    app.tamper("UPDATE users SET status = 'sleeping' WHERE username = 'ann'").await;
    tenant.post_response(&app, &response, &pending.relay_state).await.problem(500, "internal");
    let attempt = tenant.last_attempt(&app).await;
    assert_fields!(attempt, { "outcome": "pending", "failure": null });
    let password = tests::form::PASSWORD;
    tenant.form_login(&app.anonymous(), "ann", password).await.problem(500, "internal");
    let test = format!("{}/test-sign-ins", tenant.connection_path());
    app.operator().post(&test, &json!({ "email": "ann@acme.test" })).await.problem(500, "internal");
    app.tamper("UPDATE users SET status = 'active' WHERE username = 'ann'").await;
    tenant.post_response(&app, &response, &pending.relay_state).await.location();
}

/// Proves that an error which another try does not mend is a fault: 500 without `Retry-After`, logged once with
/// its chain.
#[both_engines]
async fn a_missing_column_is_a_fault_and_not_an_outage(db: TestDatabase) {
    let lines = Lines::capture();
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.tamper("ALTER TABLE users RENAME COLUMN display_name TO gone").await;
    let answer = app.operator().get(&tenant.path("/users")).await;
    answer.problem(500, "internal");
    assert_eq!(answer.header("retry-after"), "");
    let causes = causes_of_the_failure(&lines);
    assert!(causes.contains("the database refused a statement") && causes.contains("display_name"), "{causes}");
}
