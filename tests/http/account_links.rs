//! Links between accounts (G1): asked for, agreed to, ended.

use serde_json::json;
use tests::app::TestApp;
use tests::databases::TestDatabase;
use tests::switching::{PLACES, actions, switch};
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// Proves G1: an owner asks, an owner of the other account accepts, and either ends it; each side reads it in its
/// own log.
#[both_engines]
async fn a_link_takes_the_consent_of_both_owners(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let (mine, theirs) = (one.ann(&app).await, other.ann(&app).await);
    let asked = json!({ "other_account_id": other.account_id });
    let link = mine.post(&one.path("/links"), &asked).await.expect(201);
    assert_fields!(link, { "state": "requested", "other_account": null }, "not theirs to know yet");
    let id = link["id"].as_str().unwrap();
    mine.post(&one.path("/links"), &asked).await.problem(409, "accounts_linked");
    let back = json!({ "other_account_id": one.account_id });
    theirs.post(&other.path("/links"), &back).await.problem(409, "accounts_linked");
    mine.post(&one.path(&format!("/links/{id}/accept")), &json!({})).await.problem(403, "forbidden");
    let accept = other.path(&format!("/links/{id}/accept"));
    app.operator().post(&accept, &json!({})).await.problem(403, "forbidden");
    mine.post(&accept, &json!({})).await.problem(404, "not_found");
    let seen = theirs.get(&other.path(&format!("/links/{id}"))).await.expect(200);
    assert_fields!(seen, { "state": "asked", "other_account": { "name": "one" } });
    let accepted = theirs.post(&accept, &json!({})).await.expect(200);
    assert_fields!(accepted, { "state": "accepted", "accepted_at": app.now() });
    let mine_now = mine.get(&one.path("/links")).await.expect(200)["items"][0].clone();
    assert_fields!(mine_now, { "state": "accepted", "other_account": { "name": "other" } });
    assert_eq!(theirs.delete(&other.path(&format!("/links/{id}"))).await.status, 204);
    assert_eq!(mine.get(&one.path("/links")).await.expect(200)["items"], json!([]));
    for side in [&one, &other] {
        let actions = actions(&app, side).await;
        assert_eq!(
            actions[..3],
            [json!("account_link.ended"), json!("account_link.accepted"), json!("account_link.requested")]
        );
    }
}

/// Proves A5, A3: links and sandboxes are for owners of the account; another account's are not there, and what is asked
/// tells nothing of accounts.
#[both_engines]
async fn links_are_the_owners_of_their_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let (mine, theirs) = (one.ann(&app).await, other.ann(&app).await);
    let customers = Tenant::create_for(&app, "customers", "self_service").await;
    let member = one.sign_in(&app, "member@acme.test", Some(&["staff"])).await;
    let end_user = customers.sign_in(&app, "eve@customers.test", None).await;
    let asked = json!({ "other_account_id": other.account_id });
    member.post(&one.path("/links"), &asked).await.problem(403, "forbidden");
    mine.post(&one.path("/links"), &json!({ "other_account_id": one.account_id })).await.problem(422, "invalid_input");
    let nobody = json!({ "other_account_id": "acc_00000000000000000000000000000000" });
    mine.post(&one.path("/links"), &nobody).await.problem(404, "not_found");
    let link = mine.post(&one.path("/links"), &asked).await.expect(201);
    let id = link["id"].as_str().unwrap();
    theirs.get(&one.path(&format!("/links/{id}"))).await.problem(404, "not_found");
    end_user.get(&customers.path("/links")).await.problem(403, "forbidden");
    assert_eq!(end_user.get(PLACES).await.expect(200)["items"], json!([]));
    switch(&end_user, &one.account_id, &customers.client_id).await.problem(404, "not_found");
    assert_eq!(member.get(PLACES).await.expect(200)["items"], json!([]), "asked is not accepted");
}

/// Proves G1: of two owners who ask each other at once, one asks and the other is told; neither waits for ever.
#[both_engines]
async fn two_who_ask_each_other_at_once_make_one_link(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let (to_other, to_one) =
        (json!({ "other_account_id": other.account_id }), json!({ "other_account_id": one.account_id }));
    let (mine, theirs) = (one.path("/links"), other.path("/links"));
    let operator = app.operator();
    let (first, second) = tokio::join!(operator.post(&mine, &to_other), operator.post(&theirs, &to_one));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let links = app.operator().get(&mine).await.expect(200);
    assert_eq!(links["items"].as_array().unwrap().len(), 1);
}
