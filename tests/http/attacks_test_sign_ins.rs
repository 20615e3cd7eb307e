//! Attempts to make a session of a test sign-in, or to use a connection that is off (C9).

use mock_idp::message::{ResponseSpec, SignedParts};
use serde_json::json;
use tests::app::TestApp;
use tests::both_engines;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::idp::EMAIL_CLAIM;
use tests::tenant::{Pending, Tenant};

fn owner(app: &TestApp, tenant: &Tenant, pending: &Pending) -> ResponseSpec {
    tenant.response(app, pending, "mallory@acme.test", Some(&["nac-team-lead"]))
}

async fn nobody_came_in(app: &TestApp, tenant: &Tenant) {
    let sessions = app.operator().get(&tenant.path("/sessions")).await.expect(200);
    assert_eq!(sessions["items"], json!([]));
    let users = app.operator().get(&tenant.path("/users?q=mallory")).await.expect(200);
    assert_eq!(users["items"], json!([]));
}

/// Proves C9: nothing that a test hands out can be exchanged: not its handle, its id, its request, nor any of them
/// dressed up as a code.
#[both_engines]
async fn nothing_of_a_test_can_be_exchanged(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let pending = tenant.start_test(&app).await;
    let page = tenant.post_response(&app, &owner(&app, &tenant, &pending), &pending.relay_state).await;
    assert!(page.text.contains("succeeded"), "{}", page.text);
    let (handle, id) = (pending.relay_state.as_str(), pending.started["attempt_id"].as_str().unwrap());
    let random = handle.split_once('_').unwrap().1;
    let loot = [
        handle.to_owned(),
        id.to_owned(),
        pending.request_id.clone(),
        format!("vac_{random}"),
        format!("vps_{random}"),
    ];
    for secret in &loot {
        let answer = app.anonymous().form("/oauth/token", &tenant.exchange_form(secret)).await;
        assert_eq!(answer.expect(400)["error"], "invalid_grant", "{secret}");
        let code = json!({ "pending_token": secret, "code": "123456" });
        assert!(app.anonymous().post("/v1/form-sign-ins/mfa-code", &code).await.status.is_client_error());
        tenant.refresh(&app, secret).await.expect(400);
        app.anonymous().bearing(secret).get("/v1/me").await.problem(401, "unauthenticated");
    }
    nobody_came_in(&app, &tenant).await;
}

/// Proves C9, C10: the response to a test is not an answer to a sign-in, nor the reverse, whichever handle comes
/// with it.
#[both_engines]
async fn tests_and_sign_ins_do_not_mix(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (real, test) = (tenant.start(&app, None).await, tenant.start_test(&app).await);
    let to_test = owner(&app, &tenant, &test);
    let refused = tenant.post_response(&app, &to_test, &real.relay_state).await.location();
    assert_eq!(parameter(&refused, "error_code"), "saml_response_refused");
    let to_real = owner(&app, &tenant, &real);
    let page = tenant.post_response(&app, &to_real, &test.relay_state).await;
    assert!(page.text.contains("was refused") && !page.text.contains("vac_"), "{}", page.text);
    assert_eq!(tenant.test(&app, &test).await["failure"]["reason"], "relay_state_mismatch");
    nobody_came_in(&app, &tenant).await;

    let page = tenant.post_response(&app, &to_test, "").await;
    assert!(page.text.contains("succeeded") && !page.text.contains("vac_"), "{}", page.text);
    nobody_came_in(&app, &tenant).await;
}

/// Proves C10: an assertion that a test used answers no sign-in afterwards, nor one of a sign-in a test.
#[both_engines]
async fn an_assertion_is_used_once_over_tests_and_sign_ins(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let (test, real) = (tenant.start_test(&app).await, tenant.start(&app, None).await);
    let of = |pending: &Pending| ResponseSpec {
        assertion_id: "_the-same-assertion".to_owned(),
        ..tenant.response(&app, pending, "ann@acme.test", Some(&["staff"]))
    };
    assert!(tenant.post_response(&app, &of(&test), &test.relay_state).await.text.contains("succeeded"));
    let refused = tenant.post_response(&app, &of(&real), &real.relay_state).await.location();
    assert_eq!(parameter(&refused, "error_code"), "saml_response_refused");
    assert_eq!(tenant.last_attempt(&app).await["failure"]["reason"], "response_replayed");

    let used = tenant.response(&app, &real, "ann@acme.test", Some(&["staff"]));
    let used = ResponseSpec { assertion_id: "_used-by-a-sign-in".to_owned(), ..used };
    parameter(&tenant.post_response(&app, &used, &real.relay_state).await.location(), "code");
    let later = tenant.start_test(&app).await;
    let again = tenant.response(&app, &later, "ann@acme.test", Some(&["staff"]));
    let again = ResponseSpec { assertion_id: "_used-by-a-sign-in".to_owned(), ..again };
    assert!(tenant.post_response(&app, &again, &later.relay_state).await.text.contains("was refused"));
    assert_eq!(tenant.test(&app, &later).await["failure"]["reason"], "response_replayed");
}

/// Proves C9: while a connection is off, its ACS takes nothing but the answer to a test, also while one is under way:
/// no sign-in that began before, no unsolicited response, no rubbish.
#[both_engines]
async fn a_staged_connection_takes_nothing_but_its_test(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    app.operator().patch(&tenant.connection_path(), &json!({ "allow_idp_initiated": true })).await.expect(200);
    let before = tenant.start(&app, None).await;
    tenant.disable_sso(&app).await;
    let test = tenant.start_test(&app).await;
    let response = owner(&app, &tenant, &before);
    for handle in ["", "nonsense", before.relay_state.as_str()] {
        tenant.post_response(&app, &response, handle).await.problem(404, "sso_account_not_configured");
        tenant.post_value(&app, "PHgvPg==", handle).await.problem(404, "sso_account_not_configured");
    }
    let with_the_tests_handle = tenant.post_response(&app, &response, &test.relay_state).await;
    assert!(with_the_tests_handle.text.contains("was refused"), "{}", with_the_tests_handle.text);
    let unsolicited = tenant.idp.response(&tenant.acs_url, app.now()).signed(SignedParts::Both);
    let unsolicited = unsolicited.attribute(EMAIL_CLAIM, ["mallory@acme.test"]);
    let page = tenant.post_response(&app, &unsolicited, &test.relay_state).await;
    assert!(page.status == 200 && page.text.contains("was refused"), "{} {}", page.status, page.text);
    assert_eq!(tenant.test(&app, &test).await["failure"]["reason"], "unsolicited_response");
    nobody_came_in(&app, &tenant).await;
}

/// Proves A5, C9: a test is its own account's: no caller of another one begins, reads or answers it.
#[both_engines]
async fn a_test_belongs_to_its_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (mine, theirs) = (Tenant::create(&app, "mine").await, Tenant::create(&app, "theirs").await);
    let me = mine.sign_in(&app, "boss@mine.test", Some(&["nac-team-lead"])).await;
    let test = theirs.start_test(&app).await;
    let id = test.started["attempt_id"].as_str().unwrap();
    let (own, other) = (mine.connection_path(), theirs.connection_path());
    let mixed = mine.path(&format!("/saml-connections/{}", theirs.connection_id));
    for connection in [&other, &own, &mixed] {
        me.get(&format!("{connection}/test-sign-ins/{id}")).await.problem(404, "not_found");
    }
    for connection in [&other, &mixed] {
        me.post(&format!("{connection}/test-sign-ins"), &json!({})).await.problem(404, "not_found");
    }
    let response = theirs.response(&app, &test, "mallory@theirs.test", Some(&["nac-team-lead"]));
    mine.post_response(&app, &response, &test.relay_state).await.problem(400, "saml_response_refused");
    assert_eq!(theirs.test(&app, &test).await["outcome"], "pending");
}

/// Proves C10: of several at once that answer one test, one is its answer.
#[both_engines]
async fn several_at_once_answer_a_test_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let test = tenant.start_test(&app).await;
    let response = tenant.response(&app, &test, "ann@acme.test", Some(&["staff"]));
    let post = || tenant.post_response(&app, &response, &test.relay_state);
    let (one, two, three) = tokio::join!(post(), post(), post());
    let answered = [one, two, three].iter().filter(|answer| answer.text.contains("succeeded")).count();
    assert_eq!(answered, 1);
    assert_eq!(tenant.test(&app, &test).await["outcome"], "succeeded");
}
