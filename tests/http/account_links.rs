//! Links between accounts, sandboxes and switching (G1).

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client, parameter};
use tests::form::PASSWORD;
use tests::tenant::{REDIRECT_URI, Tenant, VERIFIER, challenge};
use tests::tokens::claims;

const SWITCHES: &str = "/v1/me/account-switches";
const PLACES: &str = "/v1/me/switchable-accounts";

/// A frontend that serves every account.
async fn shared_frontend(app: &TestApp) -> String {
    let console = json!({ "portal": "admin", "name": "Console", "redirect_uris": [REDIRECT_URI] });
    let made = app.operator().post("/v1/applications", &console).await.expect(201);
    made["id"].as_str().unwrap().to_owned()
}

/// The owner `ann` at `ann@acme.test`, signed in by form.
async fn ann(app: &TestApp, tenant: &Tenant) -> Client {
    let id = tenant.form_user(app, "ann", Some("organization_owner")).await;
    let client = by_form(app, tenant, "ann").await;
    let path = tenant.path(&format!("/users/{id}"));
    app.operator().patch(&path, &json!({ "break_glass": true })).await.expect(200);
    client
}

async fn by_form(app: &TestApp, tenant: &Tenant, username: &str) -> Client {
    let step = tenant.form_login(&app.anonymous(), username, PASSWORD).await.expect(200);
    let tokens = tenant.exchange_step(app, &step).await;
    app.anonymous().bearing(tokens["access_token"].as_str().unwrap())
}

fn switch_body(account_id: &str, client_id: &str) -> Value {
    json!({
        "account_id": account_id, "client_id": client_id, "redirect_uri": REDIRECT_URI, "state": "the-state",
        "code_challenge": challenge(), "code_challenge_method": "S256",
    })
}

async fn switch(client: &Client, account_id: &str, client_id: &str) -> Answer {
    client.post(SWITCHES, &switch_body(account_id, client_id)).await
}

fn code(step: &Value) -> String {
    let url: url::Url = step["redirect_to"].as_str().unwrap().parse().unwrap();
    parameter(&url, "code")
}

async fn exchange(app: &TestApp, code: &str, client_id: &str) -> Answer {
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client_id),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    app.anonymous().form("/oauth/token", &form).await
}

/// From a session to one in the other account.
async fn switched(app: &TestApp, client: &Client, account_id: &str, client_id: &str) -> Value {
    let step = switch(client, account_id, client_id).await.expect(200);
    assert_eq!(step["status"], "complete");
    exchange(app, &code(&step), client_id).await.expect(200)
}

/// Two accounts that are linked, and the path of the link in the first.
async fn linked(app: &TestApp, one: &Tenant, other: &Tenant, accepting: &Client) -> String {
    let asked = json!({ "other_account_id": other.account_id });
    let link = app.operator().post(&one.path("/links"), &asked).await.expect(201);
    let id = link["id"].as_str().unwrap();
    accepting.post(&other.path(&format!("/links/{id}/accept")), &json!({})).await.expect(200);
    one.path(&format!("/links/{id}"))
}

async fn actions(app: &TestApp, tenant: &Tenant) -> Vec<Value> {
    let events = app.operator().get(&tenant.path("/audit-events?limit=20")).await.expect(200);
    events["items"].as_array().unwrap().iter().map(|event| event["action"].clone()).collect()
}

both_engines! {
    /// Proves G1: an owner asks, an owner of the other account accepts, and either ends it; each side reads it in its own log.
    async fn a_link_takes_the_consent_of_both_owners(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let (mine, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
        let asked = json!({ "other_account_id": other.account_id });
        let link = mine.post(&one.path("/links"), &asked).await.expect(201);
        assert_eq!((&link["state"], &link["other_account"]), (&json!("requested"), &Value::Null), "not theirs to know yet");
        let id = link["id"].as_str().unwrap();
        mine.post(&one.path("/links"), &asked).await.problem(409, "accounts_linked");
        let back = json!({ "other_account_id": one.account_id });
        theirs.post(&other.path("/links"), &back).await.problem(409, "accounts_linked");
        mine.post(&one.path(&format!("/links/{id}/accept")), &json!({})).await.problem(403, "forbidden");
        let accept = other.path(&format!("/links/{id}/accept"));
        app.operator().post(&accept, &json!({})).await.problem(403, "forbidden");
        mine.post(&accept, &json!({})).await.problem(404, "not_found");
        let seen = theirs.get(&other.path(&format!("/links/{id}"))).await.expect(200);
        assert_eq!((&seen["state"], &seen["other_account"]["name"]), (&json!("asked"), &json!("one")));
        let accepted = theirs.post(&accept, &json!({})).await.expect(200);
        assert_eq!((&accepted["state"], &accepted["accepted_at"]), (&json!("accepted"), &json!(app.now())));
        let mine_now = mine.get(&one.path("/links")).await.expect(200)["items"][0].clone();
        assert_eq!((&mine_now["state"], &mine_now["other_account"]["name"]), (&json!("accepted"), &json!("other")));
        assert_eq!(theirs.delete(&other.path(&format!("/links/{id}"))).await.status, 204);
        assert_eq!(mine.get(&one.path("/links")).await.expect(200)["items"], json!([]));
        for side in [&one, &other] {
            let actions = actions(&app, side).await;
            assert_eq!(actions[..3], [json!("account_link.ended"), json!("account_link.accepted"), json!("account_link.requested")]);
        }
    }

    /// Proves G1, I1: switching gives a session of the same person there, with the rights that they have there, `auth_time` and
    /// `amr` of their sign-in, and no longer life; the one here goes on. Both sides read of it.
    async fn an_administrator_switches_without_a_new_login(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let client = shared_frontend(&app).await;
        let (mine, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
        let bo = one.form_user(&app, "bo", Some("organization_owner")).await;
        let there = other.form_user(&app, "bo", Some("organization_member")).await;
        let bo_here = by_form(&app, &one, "bo").await;
        let me = bo_here.get("/v1/me").await.expect(200);
        app.operator().patch(&other.path(&format!("/users/{there}")), &json!({ "status": "active" })).await.expect(200);
        switch(&bo_here, &other.account_id, &client).await.problem(404, "not_found");
        linked(&app, &one, &other, &theirs).await;
        app.world.clock.advance(SignedDuration::from_mins(4));
        let places = bo_here.get(PLACES).await.expect(200);
        let place = &places["items"][0];
        assert_eq!((&place["account"]["name"], &place["relation"], &place["blocked"]), (&json!("other"), &json!("linked"), &Value::Null));
        let tokens = switched(&app, &bo_here, &other.account_id, &client).await;
        let token = tokens["access_token"].as_str().unwrap();
        let claims = claims(token);
        assert_eq!((&claims["account_id"], &claims["amr"]), (&json!(other.account_id), &json!(["pwd"])));
        assert_eq!(claims["roles"], json!(["organization_member"]), "the rights of the other account");
        let auth_time: jiff::Timestamp = me["session"]["authenticated_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(claims["auth_time"], auth_time.as_second());
        let switched_to = app.anonymous().bearing(token);
        let now = switched_to.get("/v1/me").await.expect(200);
        assert_eq!((&now["user"]["id"], &now["session"]["expires_at"]), (&json!(there), &me["session"]["expires_at"]));
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

    /// Proves G1, H1: each thing that is not set up is explained, in the list, at the switch and to the owners there; required
    /// SSO and allowed networks have answers of their own.
    async fn what_is_not_set_up_is_explained(db) {
        let app = TestApp::start_behind_proxy(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let client = shared_frontend(&app).await;
        let (_, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
        one.form_user(&app, "bo", Some("organization_member")).await;
        let bo = by_form(&app, &one, "bo").await;
        linked(&app, &one, &other, &theirs).await;
        let refused = switch(&bo, &other.account_id, &client).await.problem(409, "switch_needs_setup");
        assert!(refused["detail"].as_str().unwrap().contains("both your username and your email"), "{refused}");
        assert_eq!(bo.get(PLACES).await.expect(200)["items"][0]["blocked"]["code"], "switch_needs_setup");
        let there = other.form_user(&app, "bo", Some("organization_member")).await;
        let there = other.path(&format!("/users/{there}"));
        let refused = switch(&bo, &other.account_id, &client).await.problem(409, "switch_needs_setup");
        assert!(refused["detail"].as_str().unwrap().contains("not active"), "{refused}");
        app.operator().patch(&there, &json!({ "status": "active", "email": "bo@elsewhere.test" })).await.expect(200);
        switch(&bo, &other.account_id, &client).await.problem(409, "switch_needs_setup");
        app.operator().patch(&there, &json!({ "email": "BO@acme.test" })).await.expect(200);
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
        switch(&at_office, &other.account_id, &client).await.problem(409, "sso_required");
        let third = Tenant::create(&app, "third").await;
        let refused = switch(&at_office, &other.account_id, &third.client_id).await.problem(409, "sso_required");
        let attempts = app.operator().get(&other.path("/sign-in-attempts?outcome=refused")).await.expect(200);
        let attempts = attempts["items"].as_array().unwrap();
        assert_eq!((&attempts[0]["id"], &attempts[0]["kind"]), (&refused["attempt_id"], &json!("switch")));
        assert_eq!(attempts[0]["failure"]["got"], json!(format!("bo of {}", one.account_id)));
        let reasons: Vec<_> = attempts.iter().map(|attempt| attempt["failure"]["reason"].as_str().unwrap()).collect();
        let (user, code) = ("switch_no_same_user", "switch_code_required");
        let expected =
            ["switch_sso_required", "switch_sso_required", "network_not_allowed", code, user, "switch_user_not_ready", user];
        assert_eq!(reasons, expected);
        assert!(attempts.iter().all(|attempt| attempt["failure"]["fix"].as_str().is_some_and(|fix| fix.len() > 20)));

        switch(&bo, &third.account_id, &client).await.problem(404, "not_found");
        let attempts = app.operator().get(&third.path("/sign-in-attempts")).await.expect(200);
        assert_eq!(attempts["items"], json!([]), "an account without a link hears nothing of it");
    }

    /// Proves G1, A5: a sign-in by SSO does not count elsewhere, whatever the identity provider says of whom it is.
    async fn an_identity_provider_speaks_for_its_own_account_alone(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let client = shared_frontend(&app).await;
        let theirs = ann(&app, &other).await;
        linked(&app, &one, &other, &theirs).await;
        let boss = json!({ "portal": "admin", "username": "boss@other.test", "email": "boss@other.test", "roles": ["organization_owner"] });
        let boss = app.operator().post(&other.path("/users"), &boss).await.expect(201);
        let boss = other.path(&format!("/users/{}", boss["id"].as_str().unwrap()));
        app.operator().patch(&boss, &json!({ "status": "active" })).await.expect(200);
        let mallory = one.sign_in(&app, "boss@other.test", Some(&["nac-team-lead"])).await;
        let refused = switch(&mallory, &other.account_id, &client).await.problem(409, "switch_needs_setup");
        assert!(refused["detail"].as_str().unwrap().contains("SSO of one account"), "{refused}");
    }

    /// Proves G1: trust is not handed on. What counts is the link with the account that saw the password, and it is that one's
    /// user who must still be there.
    async fn trust_between_accounts_is_not_handed_on(db) {
        let app = TestApp::start(db).await;
        let (a, b, c) = (Tenant::create(&app, "aaa").await, Tenant::create(&app, "bbb").await, Tenant::create(&app, "ccc").await);
        let client = shared_frontend(&app).await;
        let at_a = ann(&app, &a).await;
        let (at_b, at_c) = (ann(&app, &b).await, ann(&app, &c).await);
        linked(&app, &a, &b, &at_b).await;
        linked(&app, &b, &c, &at_c).await;
        let tokens = switched(&app, &at_a, &b.account_id, &client).await;
        let in_b = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
        switch(&in_b, &c.account_id, &client).await.problem(404, "not_found");
        let names = in_b.get(PLACES).await.expect(200);
        assert_eq!(names["items"].as_array().unwrap().len(), 1, "home alone: {names}");
        switched(&app, &at_b, &c.account_id, &client).await;
    }

    /// Proves G1, I3: with the link end the sessions that came over it, their refresh tokens, and codes on their way; those that
    /// began there go on.
    async fn with_the_link_end_the_sessions_that_came_over_it(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let client = shared_frontend(&app).await;
        let (mine, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
        let link = linked(&app, &one, &other, &theirs).await;
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

    /// Proves G1, I3: what ends somebody's sessions where they proved who they are ends the ones that rest on that; and a code
    /// that a switch gave works for the verifier and the frontend of that switch alone, once.
    async fn a_session_elsewhere_ends_with_those_at_home(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let client = shared_frontend(&app).await;
        let (mine, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
        linked(&app, &one, &other, &theirs).await;
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
    async fn a_session_elsewhere_ends_where_sso_becomes_required_at_home(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let client = shared_frontend(&app).await;
        let (mine, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
        linked(&app, &one, &other, &theirs).await;
        let there = async |home: &Client| {
            let tokens = switched(&app, home, &other.account_id, &client).await;
            app.anonymous().bearing(tokens["access_token"].as_str().unwrap())
        };
        for tenant in [&one, &other] {
            tenant.form_user(&app, "bo", Some("organization_member")).await;
        }
        let native = by_form(&app, &other, "bo").await;
        let (owner, member) = (there(&mine).await, there(&by_form(&app, &one, "bo").await).await);
        one.migrate(&mine, "require").await;
        member.get("/v1/me").await.problem(401, "session_expired");
        owner.get("/v1/me").await.expect(200);
        native.get("/v1/me").await.expect(200);
    }

    /// Proves G1, F1: whose username a migration to SSO replaced by the email cannot switch, and is told why.
    async fn a_replaced_username_is_not_retained(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let client = shared_frontend(&app).await;
        let (_, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
        let eve = "eve@acme.test";
        let here = json!({ "portal": "admin", "username": eve, "email": eve, "roles": ["organization_member"] });
        let here = app.operator().post(&one.path("/users"), &here).await.expect(201);
        app.give_password(here["id"].as_str().unwrap().parse().unwrap(), one.account_id.parse().unwrap(), PASSWORD).await;
        let there = other.form_user(&app, "eve", Some("organization_member")).await;
        let there = other.path(&format!("/users/{there}"));
        app.operator().patch(&there, &json!({ "status": "active" })).await.expect(200);
        let here = by_form(&app, &one, eve).await;
        linked(&app, &one, &other, &theirs).await;
        other.migrate(&theirs, "require").await;
        assert_eq!(app.operator().get(&there).await.expect(200)["username"], eve);
        let refused = switch(&here, &other.account_id, &client).await.problem(409, "switch_needs_setup");
        assert!(refused["detail"].as_str().unwrap().contains("replaced your username"), "{refused}");
    }

    /// Proves G1, A4: whoever switches to a break-glass user where SSO is enabled is heard of as after a form login.
    async fn switching_to_a_break_glass_user_is_heard_of(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let client = shared_frontend(&app).await;
        let (mine, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
        linked(&app, &one, &other, &theirs).await;
        other.require_sso(&app).await;
        switched(&app, &mine, &other.account_id, &client).await;
        let actions = actions(&app, &other).await;
        assert!(actions.iter().take(3).any(|action| action == "user.break_glass_used"), "{actions:?}");
    }

    /// Proves A5, A3: links and sandboxes are for owners of the account; another account's are not there, and what is asked
    /// tells nothing of accounts.
    async fn links_are_the_owners_of_their_account(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let (mine, theirs) = (ann(&app, &one).await, ann(&app, &other).await);
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

    /// Proves G1: of two owners who ask each other at once, one asks and the other is told; nobody waits for ever.
    async fn two_who_ask_each_other_at_once_make_one_link(db) {
        let app = TestApp::start(db).await;
        let (one, other) = (Tenant::create(&app, "one").await, Tenant::create(&app, "other").await);
        let (to_other, to_one) = (json!({ "other_account_id": other.account_id }), json!({ "other_account_id": one.account_id }));
        let (mine, theirs) = (one.path("/links"), other.path("/links"));
        let operator = app.operator();
        let (first, second) = tokio::join!(operator.post(&mine, &to_other), operator.post(&theirs, &to_one));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        let links = app.operator().get(&mine).await.expect(200);
        assert_eq!(links["items"].as_array().unwrap().len(), 1);
    }
}
