//! Break-glass users: there is always one, and no assertion touches them (A4).

use reqwest::Method;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client, parameter};
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::Tenant;
use tests::tokens::claims;

/// Rounds of a race: enough to see both orders.
const ROUNDS: usize = 6;

/// An owner who is signed in, and the path of their user.
struct Owner {
    client: Client,
    path: String,
}

/// Signs in a user who has a password and whose role of owner is from the operator.
async fn owner(app: &TestApp, tenant: &Tenant, email: &str) -> Owner {
    let client = tenant.sign_in(app, email, Some(&["staff"])).await;
    let me = client.get("/v1/me").await.expect(200);
    let id = me["user"]["id"].as_str().unwrap();
    app.give_password(id.parse().unwrap(), tenant.account_id.parse().unwrap(), PASSWORD).await;
    let path = tenant.path(&format!("/users/{id}"));
    app.operator().patch(&path, &json!({ "roles": ["organization_owner"] })).await.expect(200);
    // The gain of the role ended the session in which they were none yet (A7).
    Owner { client: tenant.sign_in(app, email, Some(&["staff"])).await, path }
}

async fn break_glass(app: &TestApp, tenant: &Tenant, email: &str) -> Owner {
    let owner = owner(app, tenant, email).await;
    app.operator().patch(&owner.path, &json!({ "break_glass": true })).await.expect(200);
    owner
}

/// Requests that each take a user's break-glass mark away.
fn losses() -> [(Method, Value); 4] {
    [
        (Method::PATCH, json!({ "roles": ["organization_member"] })),
        (Method::PATCH, json!({ "status": "inactive" })),
        (Method::PATCH, json!({ "break_glass": false })),
        (Method::DELETE, json!({})),
    ]
}

async fn marked(app: &TestApp, tenant: &Tenant) -> usize {
    let users = app.operator().get(&tenant.path("/users?limit=200")).await.expect(200);
    users["items"].as_array().unwrap().iter().filter(|user| user["break_glass"] == json!(true)).count()
}

/// Proves A4, B4: a break-glass user's reset goes to their recovery email, because the company's mailboxes may be
/// out of reach; other users' goes where their mail goes.
#[both_engines]
async fn a_break_glass_user_resets_by_recovery_email(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.set_pages(&app).await;
    let ann = break_glass(&app, &tenant, "ann@acme.test").await;
    let bob = owner(&app, &tenant, "bob@acme.test").await;
    for (path, address) in [(&ann.path, "ann@home.test"), (&bob.path, "bob@home.test")] {
        app.operator().patch(path, &json!({ "recovery_email": address })).await.expect(200);
    }
    for identifier in ["ann@acme.test", "bob@acme.test"] {
        let body = json!({ "account_name": "acme", "identifier": identifier, "client_id": tenant.client_id });
        assert_eq!(app.anonymous().post("/v1/password-resets", &body).await.status, 202);
        app.service.people.link_requests_settled().await;
    }
    let mailbox = app.mailbox().await;
    let mails = |to: &str| mailbox.to(to).len();
    assert_eq!((mails("ann@home.test"), mails("ann@acme.test")), (1, 0));
    assert_eq!((mails("bob@home.test"), mails("bob@acme.test")), (0, 1));
}

/// Proves A4: whichever caller asks and however, the last one stays, and the answer says what to do; with a second
/// one each change is made.
#[both_engines]
async fn the_last_break_glass_user_stays(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = break_glass(&app, &tenant, "ann@acme.test").await;
    let before = ann.client.get(&ann.path).await.expect(200);
    for (method, body) in losses() {
        for client in [&ann.client, &app.operator()] {
            let answer = Answer::of(client.request(method.clone(), &ann.path).json(&body)).await;
            let problem = answer.problem(409, "break_glass_required");
            assert!(problem["fix"].as_str().unwrap().contains("set break_glass"), "{problem}");
        }
    }
    assert_eq!(ann.client.get(&ann.path).await.expect(200), before);
    ann.client.patch(&ann.path, &json!({ "display_name": "Ann" })).await.expect(200);
    for (round, (method, body)) in losses().into_iter().enumerate() {
        let other = break_glass(&app, &tenant, &format!("other{round}@acme.test")).await;
        let answer = Answer::of(ann.client.request(method, &other.path).json(&body)).await;
        assert!(answer.status.is_success(), "{body}: {}", answer.text);
        assert_eq!(marked(&app, &tenant).await, 1, "{body}");
    }
}

/// Proves A4: a fresh account has none yet; its invited owner, who will be the first, stays until another user
/// can.
#[both_engines]
async fn an_account_without_one_keeps_its_last_owner(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let users = app.operator().get(&tenant.path("/users")).await.expect(200);
    let first = tenant.path(&format!("/users/{}", users["items"][0]["id"].as_str().unwrap()));
    for (method, body) in losses() {
        let answer = Answer::of(app.operator().request(method, &first).json(&body)).await;
        match body.get("break_glass") {
            Some(_) => drop(answer.expect(200)),
            None => drop(answer.problem(409, "break_glass_required")),
        }
    }
    owner(&app, &tenant, "ann@acme.test").await;
    assert_eq!(app.operator().delete(&first).await.status, 204);
}

/// Proves A4: an active owner by an assigned role, with a password, can be one; no other user can.
#[both_engines]
async fn only_an_active_owner_with_a_password_can_be_one(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let by_saml = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let me = by_saml.get("/v1/me").await.expect(200);
    let path = tenant.path(&format!("/users/{}", me["user"]["id"].as_str().unwrap()));
    let mark = json!({ "break_glass": true });
    let with_role = json!({ "break_glass": true, "roles": ["organization_owner"] });
    for body in [&mark, &with_role] {
        let problem = by_saml.patch(&path, body).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], "/break_glass");
    }
    let (user, account) = (me["user"]["id"].as_str().unwrap(), tenant.account_id.as_str());
    app.give_password(user.parse().unwrap(), account.parse().unwrap(), PASSWORD).await;
    by_saml.patch(&path, &mark).await.problem(422, "invalid_input");
    assert_eq!(by_saml.patch(&path, &with_role).await.expect(200)["break_glass"], json!(true));
    let events = by_saml.get(&tenant.path("/audit-events?action=user.updated&limit=1")).await.expect(200);
    assert!(events["items"][0]["changes"].to_string().contains("break_glass"), "{events}");
}

/// Proves A4, H1: an assertion neither signs them in nor changes them, and the attempt says why.
#[both_engines]
async fn an_assertion_does_not_touch_a_break_glass_user(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = break_glass(&app, &tenant, "ann@acme.test").await;
    let before = app.operator().get(&ann.path).await.expect(200);
    let pending = tenant.start(&app, Some("ann@acme.test")).await;
    let response = tenant.response(&app, &pending, "ANN@acme.test", Some(&["nac-team-lead"]));
    let refused = tenant.post_response(&app, &response, &pending.relay_state).await.location();
    assert_eq!(parameter(&refused, "error_code"), "break_glass_user");
    let attempt = tenant.last_attempt(&app).await;
    assert_eq!(attempt["failure"]["reason"], "break_glass_user");
    assert!(attempt["failure"]["fix"].as_str().unwrap().contains("password"), "{attempt}");
    assert_eq!(app.operator().get(&ann.path).await.expect(200), before);
    let step = tenant.form_login(&app.anonymous(), "ann@acme.test", PASSWORD).await.expect(200);
    assert_eq!(step["status"], "complete", "the password still lets them in");
}

/// Proves A4, A3: of two owners who demote, deactivate or remove each other at once, one is left; an operator who
/// takes both at once is refused one of them.
#[both_engines]
async fn two_owners_who_remove_each_other_leave_one(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let operator = app.operator();
    for round in 0..ROUNDS {
        let (method, body) = losses()[round % losses().len()].clone();
        let ann = break_glass(&app, &tenant, &format!("ann{round}@acme.test")).await;
        let bo = break_glass(&app, &tenant, &format!("bo{round}@acme.test")).await;
        let users = operator.get(&tenant.path("/users?limit=200")).await.expect(200);
        for user in users["items"].as_array().unwrap() {
            let path = tenant.path(&format!("/users/{}", user["id"].as_str().unwrap()));
            if path != ann.path && path != bo.path {
                assert_eq!(operator.delete(&path).await.status, 204);
            }
        }
        let send = async |client: &Client, path: &str| {
            Answer::of(client.request(method.clone(), path).json(&body)).await.status.as_u16()
        };
        let (one, other) = if round % 2 == 0 {
            tokio::join!(send(&ann.client, &bo.path), send(&bo.client, &ann.path))
        } else {
            tokio::join!(send(&operator, &bo.path), send(&operator, &ann.path))
        };
        let done = [one, other].iter().filter(|status| (200..300).contains(*status)).count();
        assert_eq!(done, 1, "{one} {other} {body}");
        assert!([one, other].iter().any(|status| [401, 403, 404, 409].contains(status)), "{one} {other}");
        assert_eq!(marked(&app, &tenant).await, 1, "{body}");
    }
}

/// Proves A3, I3: a role that is taken away is gone from the next request on, and with the last one goes the refresh.
#[both_engines]
async fn roles_that_are_taken_away_are_gone_at_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let new = json!({ "portal": "admin", "username": "ann@acme.test", "roles": ["organization_owner"] });
    let ann = app.operator().post(&tenant.path("/users"), &new).await.expect(201);
    let path = tenant.path(&format!("/users/{}", ann["id"].as_str().unwrap()));
    let tokens = tenant.tokens(&app, "ann@acme.test", None).await;
    let ann = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    ann.patch(&tenant.path(""), &json!({ "display_name": "Acme" })).await.expect(200);
    app.operator().patch(&path, &json!({ "roles": ["organization_member"] })).await.expect(200);
    ann.patch(&tenant.path(""), &json!({ "display_name": "Mine" })).await.problem(403, "forbidden");
    let refreshed = tenant.refresh(&app, tokens["refresh_token"].as_str().unwrap()).await.expect(200);
    let claims = claims(refreshed["access_token"].as_str().unwrap());
    assert_eq!(claims["roles"], json!(["organization_member"]));
    app.operator().patch(&path, &json!({ "roles": [] })).await.expect(200);
    ann.get(&tenant.path("")).await.problem(403, "forbidden");
    let refused = tenant.refresh(&app, refreshed["refresh_token"].as_str().unwrap()).await.expect(400);
    assert_eq!(refused["error"], "invalid_grant");
}

/// Proves A4, H3: an owner sets any user's recovery email, users their own with their password, and the log says
/// so.
#[both_engines]
async fn a_recovery_email_is_set_by_owners_and_by_oneself(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = owner(&app, &tenant, "ann@acme.test").await;
    let set = ann.client.patch(&ann.path, &json!({ "recovery_email": "ann@home.test" })).await.expect(200);
    assert_eq!(set["recovery_email"], "ann@home.test");
    let mine = async |password: &str, address: Value| {
        let body = json!({ "recovery_email": address, "current_password": password });
        ann.client.patch("/v1/me/second-factor", &body).await
    };
    let problem = mine("somebody elses", json!("thief@evil.test")).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/current_password");
    assert_eq!(mine(PASSWORD, json!("a@b.test")).await.expect(200)["recovery_email"], "a@b.test");
    assert_eq!(mine(PASSWORD, json!(null)).await.expect(200)["recovery_email"], json!(null));
    let events = ann.client.get(&tenant.path("/audit-events?action=user.updated&limit=1")).await.expect(200);
    let change = json!([{ "property": "recovery_email", "before": "a@b.test", "after": null }]);
    assert_eq!(events["items"][0]["changes"], change);
    for _ in 0..5 {
        mine("a guess", json!(null)).await.problem(422, "invalid_input");
    }
    mine(PASSWORD, json!(null)).await.problem(429, "rate_limited");
}
