//! Accounts (A1) and the audit log that every change leaves (H3).

use jiff::SignedDuration;
use serde_json::json;
use tests::app::TestApp;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// Proves A1: names are unique without regard to case, and the first owner is there and invited.
#[both_engines]
async fn an_operator_creates_an_account_with_its_first_owner(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let operator = app.operator();
    let body = json!({ "name": "Acme", "display_name": "Acme AB", "owner_email": "Eva@acme.test" });
    let account = operator.post("/v1/accounts", &body).await.expect(201);
    assert_eq!(account["name"], "acme");
    let path = format!("/v1/accounts/{}", account["id"].as_str().unwrap());
    let users = operator.get(&format!("{path}/users")).await.expect(200);
    assert_eq!(users["items"].as_array().unwrap().len(), 1);
    let owner = &users["items"][0];
    assert_fields!(owner, { "username": "Eva@acme.test", "status": "invited" });
    assert_eq!(owner["roles"]["assigned"], json!(["organization_owner"]));
    let again = json!({ "name": "ACME", "display_name": "Other", "owner_email": "x@other.test" });
    operator.post("/v1/accounts", &again).await.problem(409, "account_name_taken");
    let found = operator.get("/v1/accounts?q=acm").await.expect(200);
    assert_eq!(found["items"][0]["id"], account["id"]);
}

/// Proves A1: a renamed account keeps its entity id, and gets back its old name, which no other account gets for
/// 90 days.
#[both_engines]
async fn renaming_breaks_nothing_at_an_identity_provider(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "before").await;
    let operator = app.operator();
    operator.patch(&tenant.path(""), &json!({ "name": "after" })).await.expect(200);
    let connection = operator.get(&tenant.connection_path()).await.expect(200);
    assert_eq!(connection["acs_url"], json!(tenant.acs_url));
    assert_eq!(connection["entity_id"], json!(tenant.acs_url));
    let renamed = Tenant { name: "after".into(), ..tenant };
    renamed.sign_in(&app, "a@x.test", Some(&["staff"])).await.get("/v1/me").await.expect(200);
    let other = json!({ "name": "before", "display_name": "Other", "owner_email": "x@other.test" });
    operator.post("/v1/accounts", &other).await.problem(409, "account_name_taken");
    let rename = json!({ "name": "before" });
    let third = json!({ "name": "third", "display_name": "Third", "owner_email": "x@third.test" });
    let third = operator.post("/v1/accounts", &third).await.expect(201);
    let third = format!("/v1/accounts/{}", third["id"].as_str().unwrap());
    operator.patch(&third, &rename).await.problem(409, "account_name_taken");
    operator.patch(&renamed.path(""), &rename).await.expect(200);
    operator.patch(&renamed.path(""), &json!({ "name": "after" })).await.expect(200);
    app.world.clock.advance(SignedDuration::from_hours(90 * 24 - 1));
    operator.patch(&third, &rename).await.problem(409, "account_name_taken");
    app.world.clock.advance(SignedDuration::from_hours(2));
    operator.patch(&third, &rename).await.expect(200);
    operator.patch(&renamed.path(""), &rename).await.problem(409, "account_name_taken");
}

/// Proves A1: hyphens join the words of a name, in every operation that gives one.
#[both_engines]
async fn a_name_has_no_hyphen_first_last_or_doubled(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    for bad in ["-acme", "acme-", "ac--me"] {
        let body = json!({ "name": bad, "display_name": "A", "owner_email": "x@acme.test" });
        let problem = app.operator().post("/v1/accounts", &body).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/name");
        app.operator().patch(&tenant.path(""), &json!({ "name": bad })).await.problem(422, "invalid_input");
    }
}

/// Proves A1: of many who take a name that is just being given up, none gets it.
#[both_engines]
async fn a_name_that_is_given_up_goes_to_nobody_who_waits_for_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "first").await;
    for (old, new) in [("first", "second"), ("second", "third"), ("third", "fourth"), ("fourth", "fifth")] {
        let body = json!({ "name": old, "display_name": "Other", "owner_email": "x@other.test" });
        let (operator, path, patch) = (app.operator(), tenant.path(""), json!({ "name": new }));
        let create = || operator.post("/v1/accounts", &body);
        let (renamed, one, two, three, four) =
            tokio::join!(operator.patch(&path, &patch), create(), create(), create(), create());
        renamed.expect(200);
        for refused in [one, two, three, four] {
            refused.problem(409, "account_name_taken");
        }
    }
}

/// Proves A1, G1: owners make as many sandboxes as the operator allows, under names that are plainly their account's.
#[both_engines]
async fn sandboxes_are_held_to_the_operators_policy(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let make =
        async |name: &str| owner.post(&tenant.path("/sandboxes"), &json!({ "name": name, "display_name": "S" })).await;
    for squatted in ["globex", "acme2", "xacme-1"] {
        assert_eq!(make(squatted).await.problem(422, "invalid_input")["errors"][0]["pointer"], "/name");
    }
    for at in 0..tests::app::SANDBOXES_PER_ACCOUNT {
        let made = make(&format!("acme-{at}")).await.expect(201);
        if at == 0 {
            // A sandbox that was let go of still counts.
            owner.delete(&tenant.path(&format!("/links/{}", made["id"].as_str().unwrap()))).await;
        }
    }
    make("acme-more").await.problem(409, "too_many_account_links");
}

/// Proves H3: who, what, from where, property by property; for the owner who reads it too.
#[both_engines]
async fn every_change_leaves_an_audit_event(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    owner.patch(&tenant.path(""), &json!({ "display_name": "Acme Group" })).await.expect(200);
    let events = owner.get(&tenant.path("/audit-events?action=account.updated")).await.expect(200);
    let event = &events["items"][0];
    assert_eq!(event["actor"]["kind"], "user");
    assert_eq!(event["client_address"], "127.0.0.1");
    assert_eq!(event["changes"], json!([{ "property": "display_name", "before": "ACME", "after": "Acme Group" }]));
    let all = app.operator().get(&tenant.path("/audit-events?limit=100")).await.expect(200);
    let actions: Vec<&str> =
        all["items"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    for wanted in [
        "account.created",
        "user.created",
        "application.created",
        "saml_connection.created",
        "saml_connection.enabled",
        "user.signed_in",
        "account.updated",
    ] {
        assert!(actions.contains(&wanted), "{wanted} is missing from {actions:?}");
    }
    let signed_in = all["items"].as_array().unwrap().iter().find(|event| event["action"] == "user.signed_in").unwrap();
    assert_fields!(signed_in, { "client_address": "127.0.0.1", "actor": { "kind": "user" } });
}

/// Proves A1: an edit that rests on an old version is refused, and a repeated creation creates once.
#[both_engines]
async fn edits_are_guarded_by_etag_and_creation_by_idempotency_key(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let operator = app.operator();
    let body = json!({ "name": "acme", "display_name": "Acme", "owner_email": "eva@acme.test" });
    let create = || async {
        let request = operator.request(reqwest::Method::POST, "/v1/accounts").header("Idempotency-Key", "k1");
        tests::client::Answer::of(request.json(&body)).await
    };
    let (first, second) = (create().await, create().await);
    assert_eq!(first.expect(201)["id"], second.expect(201)["id"]);
    let other = operator.request(reqwest::Method::POST, "/v1/accounts").header("Idempotency-Key", "k1");
    let other = other.json(&json!({ "name": "other", "display_name": "O", "owner_email": "e@o.test" }));
    tests::client::Answer::of(other).await.problem(422, "idempotency_key_reused");

    let path = format!("/v1/accounts/{}", first.json()["id"].as_str().unwrap());
    let etag = operator.get(&path).await.header("etag").to_owned();
    let edit = |name: &str| {
        let request = operator.request(reqwest::Method::PATCH, &path).header("If-Match", &etag);
        tests::client::Answer::of(request.json(&json!({ "display_name": name })))
    };
    edit("One").await.expect(200);
    edit("Two").await.problem(412, "precondition_failed");
    assert_eq!(operator.get(&path).await.expect(200)["display_name"], "One");
}

/// Proves A1: a wrong field is named with what would be right.
#[both_engines]
async fn bad_input_names_the_field_and_the_fix(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let good = json!({ "name": "acme", "display_name": "Acme", "owner_email": "a@b.test" });
    for (field, wrong, right) in [
        ("name", "a!", "letters a to z"),
        ("name", "ab", "3 to 63"),
        ("display_name", " ", "empty"),
        ("owner_email", "nobody", "name@example.com"),
    ] {
        let mut body = good.clone();
        body[field] = json!(wrong);
        let problem = app.operator().post("/v1/accounts", &body).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], json!(format!("/{field}")));
        assert!(problem["errors"][0]["detail"].as_str().unwrap().contains(right), "{problem}");
    }
    let unknown = json!({ "name": "acme", "display_name": "A", "owner_email": "a@b.test", "colour": "red" });
    let problem = app.operator().post("/v1/accounts", &unknown).await;
    assert!(problem.text.contains("colour"), "{}", problem.text);
    assert_eq!(problem.status, 422);
}

/// Proves A1: lists are paged by cursor, in a stable order, to the end.
#[both_engines]
async fn lists_are_paged(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let operator = app.operator();
    for n in 0..5 {
        let body = json!({ "name": format!("account-{n}"), "display_name": "A", "owner_email": "a@b.test" });
        operator.post("/v1/accounts", &body).await.expect(201);
    }
    let (mut names, mut path) = (vec![], "/v1/accounts?limit=2".to_owned());
    loop {
        let page = operator.get(&path).await.expect(200);
        names.extend(page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/accounts?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["account-0", "account-1", "account-2", "account-3", "account-4"]);
    operator.get("/v1/accounts?limit=0").await.problem(422, "invalid_input");
    operator.get("/v1/accounts?cursor=nonsense").await.problem(422, "invalid_input");
}
