//! Inviting many at once (E1): what is right is done whole, what is wrong is told row by row.

use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

async fn tenant(app: &TestApp) -> Tenant {
    let tenant = Tenant::create(app, "acme").await;
    tenant.set_pages(app).await;
    tenant
}

fn batch(rows: &Value) -> Value {
    json!({ "portal": "admin", "accept_by": "password", "invitations": rows })
}

fn row(email: &str) -> Value {
    json!({ "email": email, "roles": ["organization_member"] })
}

async fn send(app: &TestApp, tenant: &Tenant, body: &Value) -> Answer {
    app.operator().post(&tenant.path("/invitation-batches"), body).await
}

fn codes(answer: &Value) -> Vec<&str> {
    let results = answer["results"].as_array().unwrap().iter();
    results.map(|result| result["code"].as_str().unwrap_or_else(|| result["status"].as_str().unwrap())).collect()
}

/// Proves E1: rows that are wrong, taken or twice there are refused alone, with the field that is wrong.
#[both_engines]
async fn wrong_rows_are_refused_and_the_others_invited(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    send(&app, &tenant, &batch(&json!([row("before@acme.test")]))).await.expect(201);
    tenant.sign_in(&app, "active@acme.test", Some(&["staff"])).await;
    let rows = json!([
        row("ann@acme.test"), row("Before@acme.test"), row("active@acme.test"), row("ANN@acme.test"), row("no email"),
        row("x@acme.test\r\nBcc: y@y.test"), { "email": "bo@acme.test" }, 7, row("cy@acme.test"),
        { "email": "d@acme.test", "roles": ["emperor"] }, { "email": "e@acme.test", "evil": true },
    ]);
    let answer = send(&app, &tenant, &batch(&rows)).await;
    let body = answer.expect(201);
    let expected = [
        "invited",
        "already_invited",
        "username_taken",
        "already_invited",
        "invalid_input",
        "invalid_input",
        "invalid_input",
        "invalid_input",
        "invited",
        "invalid_input",
        "invalid_input",
    ];
    assert_eq!(codes(&body), expected);
    assert_fields!(body, { "invited": 2, "refused": 9 });
    let field = |row: usize| body["results"][row]["errors"][0]["pointer"].as_str().unwrap().to_owned();
    assert_eq!([field(4), field(6), field(9)], ["/email", "/roles", "/roles/0"]);
    let mailbox = app.mailbox().await;
    assert_eq!((mailbox.len(), mailbox.to("ann@acme.test").len(), mailbox.to("cy@acme.test").len()), (3, 1, 1));
    let list = app.operator().get(answer.header("location")).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let accepted = json!({ "token": mailbox.last_to("cy@acme.test").token(), "password": "tulip-anchor-copper-72" });
    app.anonymous().post("/v1/invitations/accept", &accepted).await.expect(200);
}

/// Proves E1, E4: ten thousand people are invited by one request, each with one mail in the outbox, and a repeat
/// with the same key invites none of them twice.
#[both_engines]
async fn ten_thousand_people_are_invited_at_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let rows: Vec<Value> = (0..10_000).map(|number| row(&format!("person-{number}@acme.test"))).collect();
    let body = batch(&json!(rows));
    let send = async || {
        let request = app.operator().request(Method::POST, &tenant.path("/invitation-batches"));
        Answer::of(request.header("idempotency-key", "all").json(&body)).await
    };
    let (first, second) = (send().await, send().await);
    assert_eq!(first.expect(201)["invited"], 10_000);
    assert_eq!(second.expect(201), first.json());
    assert_eq!(second.header("idempotent-replayed"), "true");
    let last = app.operator().get(&tenant.path("/invitations?q=person-9999@&state=pending")).await.expect(200);
    assert_eq!(last["items"].as_array().unwrap().len(), 1);
}

/// Proves E1: too many rows, none, or a body that is too large are refused before anything is done.
#[both_engines]
async fn a_batch_is_bounded(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = tenant(&app).await;
    let many: Vec<Value> = (0..10_001).map(|_| json!(1)).collect();
    for rows in [json!([]), json!(many), json!({}), json!(null)] {
        let refused = send(&app, &tenant, &batch(&rows)).await.problem(422, "invalid_input");
        assert_eq!(refused["errors"][0]["pointer"], "/invitations");
    }
    let huge = json!({ "portal": "admin", "invitations": ["x".repeat(9 * 1024 * 1024)] });
    send(&app, &tenant, &huge).await.problem(413, "payload_too_large");
    let unmailable = json!({ "portal": "self_service", "accept_by": "sso", "invitations": [row("a@acme.test")] });
    send(&app, &tenant, &unmailable).await.problem(422, "invalid_input");
    assert!(app.mailbox().await.is_empty());
}
