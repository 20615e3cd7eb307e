//! Sign-in attempts: each try leaves a record that says why (H1).

use serde_json::json;
use tests::app::TestApp;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// Proves H1: how far it got, the failed check, what was wanted and what came, how to mend it; with the message,
/// personal values masked.
#[both_engines]
async fn a_refused_response_leaves_a_reason_that_somebody_can_act_on(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start(&app, Some("ann@acme.test")).await;
    let mut response = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    response.audiences = vec![vec!["urn:another:sp".to_owned()]];
    tenant.post_response(&app, &response, &pending.relay_state).await.location();
    let attempt = tenant.last_attempt(&app).await;
    assert_fields!(attempt, { "outcome": "refused", "stage": "response_received" });
    let failure = &attempt["failure"];
    assert_eq!(failure["check"], "audience");
    assert_fields!(failure, { "wanted": tenant.acs_url, "got": "urn:another:sp" });
    assert!(failure["fix"].as_str().unwrap().len() > 20, "{failure}");
    let message = attempt["saml_message"].as_str().unwrap();
    assert!(message.contains("Response") && !message.contains("ann@acme.test"), "{message}");

    let good = tenant.response(&app, &pending, "ann@acme.test", Some(&["staff"]));
    tenant.post_response(&app, &good, &pending.relay_state).await.location();
    let attempt = tenant.last_attempt(&app).await;
    assert_fields!(attempt, { "outcome": "pending", "failure": null });
    assert_eq!(attempt["stage"], "code_issued");
}

/// Proves H1, A5: owners read their own account's attempts, and no other account's.
#[both_engines]
async fn attempts_are_read_by_their_own_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let foreign = other.sign_in(&app, "boss@other.test", Some(&["nac-team-lead"])).await;
    let list = owner.get(&tenant.path("/sign-in-attempts")).await.expect(200);
    let id = list["items"][0]["id"].as_str().unwrap();
    foreign.get(&tenant.path("/sign-in-attempts")).await.problem(404, "not_found");
    foreign.get(&other.path(&format!("/sign-in-attempts/{id}"))).await.problem(404, "not_found");
    let succeeded = owner.get(&tenant.path("/sign-in-attempts?outcome=succeeded&portal=admin")).await.expect(200);
    assert_eq!(succeeded["items"].as_array().unwrap().len(), 1);
    let refused = owner.get(&tenant.path("/sign-in-attempts?outcome=refused")).await.expect(200);
    assert_eq!(refused["items"], json!([]));
}

/// Proves H1: what anyone may cause is capped where it is stored.
#[both_engines]
async fn unlinked_refusals_are_capped(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let cap = tests::app::ATTEMPTS_PER_ADDRESS as usize;
    for _ in 0..cap + 5 {
        tenant.post_value(&app, "PHgvPg==", "").await.problem(400, "saml_response_refused");
    }
    let list = app.operator().get(&tenant.path("/sign-in-attempts?limit=200")).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), cap);
    app.world.clock.advance(jiff::SignedDuration::from_mins(61));
    let refused = tenant.post_value(&app, "PHgvPg==", "").await.problem(400, "saml_response_refused");
    assert!(refused["attempt_id"].is_string());
}

/// Proves B5, C10: all addresses of a network together leave twice as many attempts as one of them may, and keep
/// no other network's from being written.
#[both_engines]
async fn many_addresses_of_a_network_are_little_more_than_one(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (anyone, cap) = (app.anonymous(), tests::app::ATTEMPTS_PER_ADDRESS as usize);
    let answer_from = async |address: String| {
        let client = anyone.forwarded_for(&address);
        let answer = client.form(&tenant.acs_path(), &[("SAMLResponse", "PHgvPg==")]).await;
        answer.problem(400, "saml_response_refused")["attempt_id"].is_string()
    };
    let mut written = 0;
    for n in 0..cap * 3 {
        written += usize::from(answer_from(format!("2001:db8:1:{:x}::1", n * 128)).await);
    }
    assert_eq!(written, cap * 2);
    assert!(answer_from("2001:db8:2::1".to_owned()).await);
    assert!(answer_from("198.51.100.7".to_owned()).await);
}
