//! Listing and ending sessions (I3).

use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

/// Proves I3: people see and end their own sessions, and no other user's.
#[both_engines]
async fn people_see_and_end_their_own_sessions(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (first, second) = (
        tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await,
        tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await,
    );
    let bob = tenant.sign_in(&app, "bob@acme.test", Some(&["staff"])).await;
    let list = first.get("/v1/me/sessions").await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let second_id = second.get("/v1/me").await.expect(200)["session"]["id"].as_str().unwrap().to_owned();
    bob.delete(&format!("/v1/me/sessions/{second_id}")).await.problem(404, "not_found");
    second.get("/v1/me").await.expect(200);
    assert_eq!(first.delete(&format!("/v1/me/sessions/{second_id}")).await.status, 204);
    second.get("/v1/me").await.problem(401, "session_expired");
    let left = first.get("/v1/me/sessions").await.expect(200);
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

/// Proves I3, A3: an owner ends any user's session of the account; a member does not.
#[both_engines]
async fn owners_end_sessions_of_their_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let ann = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let id = ann.get("/v1/me").await.expect(200)["session"]["id"].as_str().unwrap().to_owned();
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let foreign = other.sign_in(&app, "boss@other.test", Some(&["nac-team-lead"])).await;
    let path = tenant.path(&format!("/sessions/{id}"));
    ann.delete(&path).await.problem(403, "forbidden");
    foreign.delete(&path).await.problem(404, "not_found");
    foreign.delete(&other.path(&format!("/sessions/{id}"))).await.problem(404, "not_found");
    let list = owner.get(&tenant.path("/sessions?live=true")).await.expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    assert_eq!(owner.delete(&path).await.status, 204);
    ann.get("/v1/me").await.problem(401, "session_expired");
    assert_eq!(owner.delete(&path).await.status, 204);
    let ended = owner.get(&tenant.path("/audit-events?action=session.ended")).await.expect(200);
    assert_eq!(ended["items"].as_array().unwrap().len(), 1, "ending twice is one event");
    assert_eq!(ended["items"][0]["target"], json!(id));
}
