//! Switching from one account to another (G1): the user and the rights that it leads to, and what must be set up.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::Client;
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::switching::{PLACES, SWITCHES, actions, code, exchange, shared_frontend, switch, switch_body, switched};
use tests::tenant::Tenant;
use tests::tokens::claims;
use tests::{assert_fields, both_engines};

/// Proves G1, I1: switching gives a session of the same person there, with the rights that they have there,
/// `auth_time` and `amr` of their sign-in, and no longer life; the one here goes on. Both sides read of it.
#[both_engines]
async fn an_administrator_switches_without_a_new_login(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let (mine, theirs) = (one.ann(&app).await, other.ann(&app).await);
    let bo = one.form_user(&app, "bo", Some("organization_owner")).await;
    let there = other.form_user(&app, "bo", Some("organization_member")).await;
    let bo_here = one.by_form(&app, "bo").await;
    let me = bo_here.get("/v1/me").await.expect(200);
    switch(&bo_here, &other.account_id, &client).await.problem(404, "not_found");
    one.link_with(&app, &other, &theirs).await;
    one.pair_with(&app, &other, "bo").await;
    app.world.clock.advance(SignedDuration::from_mins(4));
    let places = bo_here.get(PLACES).await.expect(200);
    let place = &places["items"][0];
    assert_fields!(place, { "account": { "name": "other" }, "relation": "linked", "blocked": null });
    let tokens = switched(&app, &bo_here, &other.account_id, &client).await;
    let token = tokens["access_token"].as_str().unwrap();
    let claims = claims(token);
    assert_fields!(claims, { "account_id": other.account_id, "amr": ["pwd"] });
    assert_eq!(claims["roles"], json!(["organization_member"]), "the rights of the other account");
    let auth_time: jiff::Timestamp = me["session"]["authenticated_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(claims["auth_time"], auth_time.as_second());
    let switched_to = app.anonymous().bearing(token);
    let now = switched_to.get("/v1/me").await.expect(200);
    assert_fields!(now, { "user": { "id": there }, "session": { "expires_at": me["session"]["expires_at"] } });
    switched_to.get(&one.path("")).await.problem(404, "not_found");
    switched_to.patch(&other.path(""), &json!({ "display_name": "X" })).await.problem(403, "forbidden");
    bo_here.get(&one.path("")).await.expect(200);
    assert!(actions(&app, &one).await.contains(&json!("user.switched_to")));
    assert!(actions(&app, &other).await.contains(&json!("user.switched_from")));
    let back = switched(&app, &switched_to, &one.account_id, &client).await;
    let back = app.anonymous().bearing(back["access_token"].as_str().unwrap());
    assert_eq!(back.get("/v1/me").await.expect(200)["user"]["id"], json!(bo));
    mine.get("/v1/me").await.expect(200);
}

/// Proves G1, A4: the user of the same username and email does not count: not one who was made a namesake of the
/// other account's owner by an owner or a key of one account, before or after the link.
#[both_engines]
async fn a_namesake_is_nobody(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let theirs = other.ann(&app).await;
    one.link_with(&app, &other, &theirs).await;
    let mallory = one.ann(&app).await;
    switch(&mallory, &other.account_id, &client).await.problem(409, "switch_needs_setup");
    let key = json!({ "name": "sync", "scopes": ["read", "users:write"] });
    let key = app.operator().post(&one.path("/api-keys"), &key).await.expect(201);
    let key = app.anonymous().bearing(key["secret"].as_str().unwrap());
    let made =
        json!({ "portal": "admin", "username": "look-alike", "email": "l@one.test", "roles": ["organization_member"] });
    let made = key.post(&one.path("/users"), &made).await.expect(201);
    let id = made["id"].as_str().unwrap();
    app.give_password(id.parse().unwrap(), one.account_id.parse().unwrap(), PASSWORD).await;
    other.form_user(&app, "vip", Some("organization_owner")).await;
    let renamed = json!({ "username": "vip", "email": "vip@acme.test" });
    key.patch(&one.path(&format!("/users/{id}")), &renamed).await;
    app.operator().patch(&one.path(&format!("/users/{id}")), &renamed).await.expect(200);
    let look_alike = one.by_form(&app, "vip").await;
    let refused = switch(&look_alike, &other.account_id, &client).await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("no paired users"), "{refused}");
    for place in look_alike.get(PLACES).await.expect(200)["items"].as_array().unwrap() {
        assert_eq!(place["blocked"]["code"], "switch_needs_setup");
    }
}

/// Proves G1: a sandbox is entered from its account and left again, once its owner, who was invited there, has
/// paired the two users; until then the list says what blocks. A sign-in at the sandbox alone does not lead into
/// the account.
#[both_engines]
async fn a_sandbox_is_entered_from_its_account_and_left_again(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.set_pages(&app).await;
    let owner = tenant.ann(&app).await;
    let new = json!({ "name": "acme-sandbox", "display_name": "Sandbox" });
    let sandbox = tenant.sandbox(&owner.post(&tenant.path("/sandboxes"), &new).await.expect(201));
    let place = owner.get(PLACES).await.expect(200)["items"][0].clone();
    assert_fields!(place, { "relation": "sandbox", "blocked": { "code": "switch_needs_setup" } });
    assert!(place["blocked"]["detail"].as_str().unwrap().contains("accept the invitation"), "{place}");
    let token = app.mailbox().await.last_to("ann@acme.test").token();
    let accepted = json!({ "token": token, "password": PASSWORD });
    app.anonymous().post("/v1/invitations/accept", &accepted).await.expect(200);
    tenant.pair_with(&app, &sandbox, "ann").await;
    assert_eq!(owner.get(PLACES).await.expect(200)["items"][0]["blocked"], Value::Null);
    let tokens = switched(&app, &owner, &sandbox.account_id, &tenant.client_id).await;
    let there = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let me = there.get("/v1/me").await.expect(200);
    assert_eq!(me["user"]["roles"]["effective"], json!(["organization_owner"]));
    let places = there.get(PLACES).await.expect(200);
    assert_fields!(places["items"][0], { "account": { "name": "acme" }, "relation": null });
    switched(&app, &there, &tenant.account_id, &tenant.client_id).await;
    let alone = sandbox.by_form(&app, "ann").await;
    let refused = switch(&alone, &tenant.account_id, &tenant.client_id).await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("sandbox"), "{refused}");
}

/// Proves G1: an account that no application serves cannot be entered, and the list says so.
#[both_engines]
async fn an_account_that_no_application_serves_says_so(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let (mine, theirs) = (one.ann(&app).await, other.ann(&app).await);
    one.link_with(&app, &other, &theirs).await;
    one.pair_with(&app, &other, "ann").await;
    assert_eq!(mine.get(PLACES).await.expect(200)["items"][0]["blocked"], Value::Null);
    let application = other.path(&format!("/applications/{}", other.client_id));
    assert_eq!(app.operator().delete(&application).await.status, 204);
    let place = mine.get(PLACES).await.expect(200)["items"][0].clone();
    assert!(place["blocked"]["detail"].as_str().unwrap().contains("no application serves"), "{place}");
}

/// Proves G1, H1: each thing that is not set up is explained, in the list, at the switch and to the owners there;
/// required SSO and allowed networks have answers of their own.
#[both_engines]
async fn what_is_not_set_up_is_explained(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let (_, theirs) = (one.ann(&app).await, other.ann(&app).await);
    one.form_user(&app, "bo", Some("organization_member")).await;
    let bo = one.by_form(&app, "bo").await;
    one.link_with(&app, &other, &theirs).await;
    let there = other.form_user(&app, "bo", Some("organization_member")).await;
    let refused = switch(&bo, &other.account_id, &client).await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("no paired users"), "a namesake is nobody: {refused}");
    assert_eq!(bo.get(PLACES).await.expect(200)["items"][0]["blocked"]["detail"], refused["detail"]);
    one.pair_with(&app, &other, "bo").await;
    let there = other.path(&format!("/users/{there}"));
    app.operator().patch(&there, &json!({ "roles": [] })).await.expect(200);
    let refused = switch(&bo, &other.account_id, &client).await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("not active or holds no role"), "{refused}");
    app.operator().patch(&there, &json!({ "roles": ["organization_member"] })).await.expect(200);
    let settings = other.path("/settings");
    app.operator().patch(&settings, &json!({ "require_email_mfa": true })).await.expect(200);
    let refused = switch(&bo, &other.account_id, &client).await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("code by mail"), "{refused}");
    let office = json!({ "require_email_mfa": false, "allowed_networks": ["203.0.113.0/24"] });
    app.operator().patch(&settings, &office).await.expect(200);
    let away = bo.forwarded_for("198.51.100.7");
    switch(&away, &other.account_id, &client).await.problem(403, "network_not_allowed");
    let at_office = bo.forwarded_for("203.0.113.9");
    other.require_sso(&app).await;
    let refused = switch(&at_office, &other.account_id, &client).await.problem(409, "sso_required");
    let attempts = app.operator().get(&other.path("/sign-in-attempts?outcome=refused")).await.expect(200);
    let attempts = attempts["items"].as_array().unwrap();
    assert_fields!(attempts[0], { "id": refused["attempt_id"], "kind": "switch" });
    assert_eq!(attempts[0]["failure"]["got"], json!(format!("bo of {}", one.account_id)));
    let reasons: Vec<_> = attempts.iter().map(|attempt| attempt["failure"]["reason"].as_str().unwrap()).collect();
    let (unpaired, code) = ("switch_not_paired", "switch_code_required");
    assert_eq!(reasons, ["switch_sso_required", "network_not_allowed", code, "switch_user_not_ready", unpaired]);
    assert!(attempts.iter().all(|attempt| attempt["failure"]["fix"].as_str().is_some_and(|fix| fix.len() > 20)));

    let third = Tenant::create(&app, "third").await;
    switch(&bo, &third.account_id, &client).await.problem(404, "not_found");
    let attempts = app.operator().get(&third.path("/sign-in-attempts")).await.expect(200);
    assert_eq!(attempts["items"], json!([]), "an account without a link hears nothing of it");
}

/// Proves G1, A5: a sign-in by SSO does not count elsewhere, whichever user the identity provider says it is of.
#[both_engines]
async fn an_identity_provider_speaks_for_its_own_account_alone(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let theirs = other.ann(&app).await;
    one.link_with(&app, &other, &theirs).await;
    let boss = json!({ "portal": "admin", "username": "boss@other.test", "email": "boss@other.test", "roles": ["organization_owner"] });
    let boss = app.operator().post(&other.path("/users"), &boss).await.expect(201);
    let boss = other.path(&format!("/users/{}", boss["id"].as_str().unwrap()));
    app.operator().patch(&boss, &json!({ "status": "active" })).await.expect(200);
    let mallory = one.sign_in(&app, "boss@other.test", Some(&["nac-team-lead"])).await;
    let refused = switch(&mallory, &other.account_id, &client).await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("SSO of one account"), "{refused}");
}

/// Proves G1: trust is not handed on. What counts is the link with the account that saw the password, and it is
/// that one's user who must still be there.
#[both_engines]
async fn trust_between_accounts_is_not_handed_on(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (a, b, c) =
        (Tenant::create(&app, "aaa").await, Tenant::create(&app, "bbb").await, Tenant::create(&app, "ccc").await);
    let client = shared_frontend(&app).await;
    let at_a = a.ann(&app).await;
    let (at_b, at_c) = (b.ann(&app).await, c.ann(&app).await);
    a.link_with(&app, &b, &at_b).await;
    b.link_with(&app, &c, &at_c).await;
    a.pair_with(&app, &b, "ann").await;
    b.pair_with(&app, &c, "ann").await;
    let tokens = switched(&app, &at_a, &b.account_id, &client).await;
    let in_b = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    switch(&in_b, &c.account_id, &client).await.problem(404, "not_found");
    let names = in_b.get(PLACES).await.expect(200);
    assert_eq!(names["items"].as_array().unwrap().len(), 1, "home alone: {names}");
    switched(&app, &at_b, &c.account_id, &client).await;
}

/// Proves G1, I3: with the link end the sessions that came over it, their refresh tokens, and codes on their way;
/// those that began there go on.
#[both_engines]
async fn with_the_link_end_the_sessions_that_came_over_it(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let (mine, theirs) = (one.ann(&app).await, other.ann(&app).await);
    let link = one.link_with(&app, &other, &theirs).await;
    one.pair_with(&app, &other, "ann").await;
    let tokens = switched(&app, &mine, &other.account_id, &client).await;
    let under_way = code(&switch(&mine, &other.account_id, &client).await.expect(200));
    assert_eq!(mine.delete(&link).await.status, 204);
    let there = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    there.get("/v1/me").await.problem(401, "session_expired");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    let form = [("grant_type", "refresh_token"), ("client_id", client.as_str()), ("refresh_token", refresh)];
    assert_eq!(app.anonymous().form("/oauth/token", &form).await.expect(400)["error"], "invalid_grant");
    assert_eq!(exchange(&app, &under_way, &client).await.expect(400)["error"], "invalid_grant");
    theirs.get("/v1/me").await.expect(200);
    mine.get("/v1/me").await.expect(200);
    switch(&mine, &other.account_id, &client).await.problem(404, "not_found");
}

/// Proves G1, I3: what ends a user's sessions where they proved who they are ends the ones that rest on that; and
/// a code that a switch gave works for the verifier and the frontend of that switch alone, once.
#[both_engines]
async fn a_session_elsewhere_ends_with_those_at_home(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let (mine, theirs) = (one.ann(&app).await, other.ann(&app).await);
    one.link_with(&app, &other, &theirs).await;
    one.pair_with(&app, &other, "ann").await;
    switch(&mine, &other.account_id, &one.client_id).await.problem(400, "application_refused");
    let mut elsewhere = switch_body(&other.account_id, &client);
    elsewhere["redirect_uri"] = json!("https://evil.example.test/callback");
    mine.post(SWITCHES, &elsewhere).await.problem(400, "application_refused");
    let code = code(&switch(&mine, &other.account_id, &client).await.expect(200));
    assert_eq!(exchange(&app, &code, &other.client_id).await.expect(400)["error"], "invalid_grant");
    let tokens = exchange(&app, &code, &client).await.expect(200);
    let there = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    there.get("/v1/me").await.expect(200);
    let change = json!({ "current_password": PASSWORD, "new_password": "gravel orbit seventeen lamps" });
    assert_eq!(mine.post("/v1/me/password", &change).await.status, 204);
    there.get("/v1/me").await.problem(401, "session_expired");
    theirs.get("/v1/me").await.expect(200);
    assert_eq!(exchange(&app, &code, &client).await.expect(400)["error"], "invalid_grant");
}

/// Proves G1, B4, F3: where SSO becomes required, a session elsewhere ends that rests on a form login here; that of the
/// owner who applied it goes on.
#[both_engines]
async fn a_session_elsewhere_ends_where_sso_becomes_required_at_home(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let (mine, theirs) = (one.ann(&app).await, other.ann(&app).await);
    one.link_with(&app, &other, &theirs).await;
    let there = async |home: &Client| {
        let tokens = switched(&app, home, &other.account_id, &client).await;
        app.anonymous().bearing(tokens["access_token"].as_str().unwrap())
    };
    for tenant in [&one, &other] {
        tenant.form_user(&app, "bo", Some("organization_member")).await;
    }
    for username in ["ann", "bo"] {
        one.pair_with(&app, &other, username).await;
    }
    let native = other.by_form(&app, "bo").await;
    let (owner, member) = (there(&mine).await, there(&one.by_form(&app, "bo").await).await);
    one.migrate(&mine, "require").await;
    member.get("/v1/me").await.problem(401, "session_expired");
    owner.get("/v1/me").await.expect(200);
    native.get("/v1/me").await.expect(200);
}

/// Proves G1, F1: whose username a migration to SSO replaced by the email cannot switch, and is told why.
#[both_engines]
async fn a_replaced_username_is_not_retained(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let (_, theirs) = (one.ann(&app).await, other.ann(&app).await);
    for tenant in [&one, &other] {
        tenant.form_user(&app, "eve", Some("organization_member")).await;
    }
    one.link_with(&app, &other, &theirs).await;
    one.pair_with(&app, &other, "eve").await;
    let here = one.by_form(&app, "eve").await;
    other.migrate(&theirs, "require").await;
    let there = app.operator().get(&other.path("/users?q=eve")).await.expect(200);
    assert_eq!(there["items"][0]["username"], "eve@acme.test");
    let refused = switch(&here, &other.account_id, &client).await.problem(409, "switch_needs_setup");
    assert!(refused["detail"].as_str().unwrap().contains("replaced your username"), "{refused}");
}

/// Proves G1, A4: a switch to a break-glass user where SSO is enabled is heard of as after a form login.
#[both_engines]
async fn switching_to_a_break_glass_user_is_heard_of(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
    let client = shared_frontend(&app).await;
    let (mine, theirs) = (one.ann(&app).await, other.ann(&app).await);
    one.link_with(&app, &other, &theirs).await;
    one.pair_with(&app, &other, "ann").await;
    other.require_sso(&app).await;
    switched(&app, &mine, &other.account_id, &client).await;
    let actions = actions(&app, &other).await;
    assert!(actions.iter().take(3).any(|action| action == "user.break_glass_used"), "{actions:?}");
}
