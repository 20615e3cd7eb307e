//! `saml` roles follow the newest assertion, also where it is refused for leaving no role (C4).

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::tenant::{Pending, Tenant};
use tests::{assert_fields, both_engines};

const ANN: &str = "ann@acme.test";

/// Response with these role values, kept by an attacker who caught it.
struct Caught {
    pending: Pending,
    message: String,
}

async fn catch(app: &TestApp, tenant: &Tenant, roles: &[&str]) -> Caught {
    let pending = tenant.start(app, Some(ANN)).await;
    let message = tenant.idp.sign(&tenant.response(app, &pending, ANN, Some(roles)));
    Caught { pending, message }
}

/// Posts it; gives the error code, or none where there is a code.
async fn post(app: &TestApp, tenant: &Tenant, caught: &Caught) -> Option<String> {
    let location = tenant.post_value(app, &caught.message, &caught.pending.relay_state).await.location();
    let refused = location.query_pairs().any(|(name, _)| name == "error");
    refused.then(|| parameter(&location, "error_code"))
}

async fn ann(app: &TestApp, tenant: &Tenant) -> Value {
    app.operator().get(&tenant.path("/users?q=ann")).await.expect(200)["items"][0].clone()
}

async fn attempt(app: &TestApp, tenant: &Tenant, caught: &Caught) -> Value {
    let id = caught.pending.started["attempt_id"].as_str().unwrap();
    app.operator().get(&tenant.path(&format!("/sign-in-attempts/{id}"))).await.expect(200)
}

/// Proves C4, H3: a role that was taken away at the identity provider is gone from live sessions with the refusal,
/// which is audited and names the user.
#[both_engines]
async fn a_refusal_for_no_role_takes_the_role_from_live_sessions(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let tokens = tenant.tokens(&app, ANN, Some(&["staff"])).await;
    let session = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    session.get(&tenant.path("/users")).await.expect(200);
    let caught = catch(&app, &tenant, &["a-group-of-no-meaning"]).await;
    assert_eq!(post(&app, &tenant, &caught).await.as_deref(), Some("no_role"));
    session.get(&tenant.path("/users")).await.problem(403, "forbidden");
    let refused = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(400);
    assert_eq!(refused["error"], "invalid_grant");
    let user = ann(&app, &tenant).await;
    assert!(!user["roles"].to_string().contains("organization_member"), "{user}");
    let events = app.operator().get(&tenant.path("/audit-events?action=user.updated")).await.expect(200);
    assert_eq!(events["items"][0]["target"], user["id"], "{events}");
    let mut changes = events["items"][0]["changes"].as_array().unwrap().iter();
    let holds = |value: &Value| value.to_string().contains("organization_member");
    assert!(changes.any(|change| holds(&change["before"]) && !holds(&change["after"])), "{events}");
    let attempt = attempt(&app, &tenant, &caught).await;
    assert_fields!(attempt, { "outcome": "refused", "failure": { "reason": "no_role" } });
    assert_eq!(attempt["user_id"], user["id"]);
}

/// Proves C4, C10: the assertion of such a refusal is used up, and stays what the attempt tells of.
#[both_engines]
async fn the_assertion_of_a_refusal_for_no_role_is_used_up(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.tokens(&app, ANN, Some(&["staff"])).await;
    let caught = catch(&app, &tenant, &[]).await;
    assert_eq!(post(&app, &tenant, &caught).await.as_deref(), Some("no_role"));
    tenant.tokens(&app, ANN, Some(&["staff"])).await;
    let roles = ann(&app, &tenant).await["roles"].clone();
    assert_eq!(post(&app, &tenant, &caught).await.as_deref(), Some("saml_response_refused"));
    assert_eq!(ann(&app, &tenant).await["roles"], roles);
    assert_eq!(attempt(&app, &tenant, &caught).await["failure"]["reason"], "no_role");
    assert_eq!(tenant.last_attempt(&app).await["failure"]["reason"], "response_replayed");
}

/// Proves C4: an assertion that was held back undoes nothing that a newer one said, whether it says more or less.
#[both_engines]
async fn an_older_assertion_undoes_nothing(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.tokens(&app, ANN, Some(&["staff"])).await;
    let (less, more) = (catch(&app, &tenant, &[]).await, catch(&app, &tenant, &["nac-team-lead"]).await);
    app.world.clock.advance(SignedDuration::from_secs(1));
    tenant.tokens(&app, ANN, Some(&["staff"])).await;
    let roles = ann(&app, &tenant).await["roles"].clone();
    for held_back in [&less, &more] {
        assert_eq!(post(&app, &tenant, held_back).await, None, "the person is let in, with the roles of today");
        assert_eq!(ann(&app, &tenant).await["roles"], roles);
    }
    let more = catch(&app, &tenant, &["nac-team-lead"]).await;
    app.world.clock.advance(SignedDuration::from_secs(1));
    let none = catch(&app, &tenant, &[]).await;
    assert_eq!(post(&app, &tenant, &none).await.as_deref(), Some("no_role"));
    let roles = ann(&app, &tenant).await["roles"].clone();
    assert_eq!(post(&app, &tenant, &more).await.as_deref(), Some("no_role"));
    assert_eq!(ann(&app, &tenant).await["roles"], roles);
    app.world.clock.advance(SignedDuration::from_secs(1));
    tenant.tokens(&app, ANN, Some(&["nac-team-lead"])).await;
}

/// Proves C4: what an owner assigned is not touched, and an unknown person's refusal makes no user.
#[both_engines]
async fn assigned_roles_and_strangers_are_not_touched(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let body = json!({ "portal": "admin", "username": ANN, "email": ANN, "roles": ["organization_member"] });
    app.operator().post(&tenant.path("/users"), &body).await.expect(201);
    let owner = catch(&app, &tenant, &["nac-team-lead"]).await;
    assert_eq!(post(&app, &tenant, &owner).await, None);
    let none = catch(&app, &tenant, &[]).await;
    assert_eq!(post(&app, &tenant, &none).await, None);
    let roles = ann(&app, &tenant).await["roles"].to_string();
    assert!(roles.contains("organization_member") && !roles.contains("organization_owner"), "{roles}");
    let pending = tenant.start(&app, None).await;
    let spec = tenant.response(&app, &pending, "stranger@acme.test", Some(&[]));
    let location = tenant.post_response(&app, &spec, &pending.relay_state).await.location();
    assert_eq!(parameter(&location, "error_code"), "no_role");
    let found = app.operator().get(&tenant.path("/users?q=stranger")).await.expect(200);
    assert_eq!(found["items"], json!([]));
}
