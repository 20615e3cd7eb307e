//! The second factor of form login: a code by mail (B2).

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::Tenant;
use tests::tokens::claims;

/// An account that demands a second factor, and one of its users.
async fn demanding(app: &TestApp, name: &str) -> Tenant {
    let tenant = Tenant::create(app, name).await;
    tenant.form_user(app, "ann", Some("organization_member")).await;
    app.operator().patch(&tenant.path("/settings"), &json!({ "require_email_mfa": true })).await.expect(200);
    tenant
}

/// A sign-in that waits for its code: the pending token.
async fn pending(app: &TestApp, tenant: &Tenant) -> String {
    let step = tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    assert_eq!(step["status"], "mfa_required", "{step}");
    step["pending_token"].as_str().unwrap().to_owned()
}

async fn verify(app: &TestApp, token: &str, code: &str) -> Answer {
    app.anonymous().post("/v1/form-sign-ins/mfa-code", &json!({ "pending_token": token, "code": code })).await
}

async fn resend(app: &TestApp, token: &str) -> Answer {
    app.anonymous().post("/v1/form-sign-ins/mfa-code/resend", &json!({ "pending_token": token })).await
}

async fn mailed(app: &TestApp) -> String {
    app.mailbox().await.last_to("ann@acme.test").code()
}

/// Six digits that are not these.
fn another(code: &str, nth: u32) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + nth) % 1_000_000)
}

/// Proves B2: the mailed code completes the sign-in, once, and the session says so.
#[both_engines]
async fn the_mailed_code_completes_the_sign_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    let token = pending(&app, &tenant).await;
    let code = mailed(&app).await;
    let step = verify(&app, &token, &code).await.expect(200);
    let tokens = tenant.exchange_step(&app, &step).await;
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["amr"], json!(["pwd", "otp"]));
    verify(&app, &token, &code).await.problem(401, "session_expired");
    resend(&app, &token).await.problem(401, "session_expired");
}

/// Proves B2, A4: where there is a recovery email, the code goes there and nowhere else.
#[both_engines]
async fn the_code_goes_to_the_recovery_email(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    let found = app.operator().get(&tenant.path("/users?q=ann@acme.test")).await.expect(200);
    let ann = tenant.path(&format!("/users/{}", found["items"][0]["id"].as_str().unwrap()));
    app.operator().patch(&ann, &json!({ "recovery_email": "ann@home.test" })).await.expect(200);
    let token = pending(&app, &tenant).await;
    let code = app.mailbox().await.last_to("ann@home.test").code();
    verify(&app, &token, &code).await.expect(200);
}

/// Proves B2: one user's form logins ask for a code where an owner or they themselves say so, and no other user's
/// do.
#[both_engines]
async fn a_user_may_have_a_second_factor_of_their_own(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_member")).await;
    tenant.form_user(&app, "bob", Some("organization_member")).await;
    let ann_path = tenant.path(&format!("/users/{ann}"));
    let status = async |username: &str| tenant.form_login(&app.anonymous(), username, PASSWORD).await.expect(200);
    let complete = status("ann").await;
    assert_eq!(complete["status"], "complete");
    let tokens = tenant.exchange_step(&app, &complete).await;
    let signed_in = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let mine = async |password: &str, wanted: bool| {
        let body = json!({ "require_email_mfa": wanted, "current_password": password });
        signed_in.patch("/v1/me/second-factor", &body).await
    };
    mine("somebody elses", true).await.problem(422, "invalid_input");
    assert_eq!(status("ann").await["status"], "complete");
    assert_eq!(mine(PASSWORD, true).await.expect(200)["require_email_mfa"], true);
    let step = status("ann").await;
    assert_eq!(step["status"], "mfa_required");
    verify(&app, step["pending_token"].as_str().unwrap(), &mailed(&app).await).await.expect(200);
    assert_eq!(status("bob").await["status"], "complete");
    app.operator().patch(&ann_path, &json!({ "require_email_mfa": false })).await.expect(200);
    assert_eq!(status("ann").await["status"], "complete");
}

/// Proves B2: no user is asked for a code that they could not get.
#[both_engines]
async fn a_second_factor_needs_an_email(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let create = async |portal: &str| {
        let body = json!({ "portal": portal, "username": "robot" });
        app.operator().post(&tenant.path("/users"), &body).await.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let patch =
        async |user: &str, body: Value| app.operator().patch(&tenant.path(&format!("/users/{user}")), &body).await;
    let robot = create("admin").await;
    let problem = patch(&robot, json!({ "require_email_mfa": true })).await.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], "/require_email_mfa");
    let reachable = json!({ "require_email_mfa": true, "recovery_email": "keeper@home.test" });
    patch(&robot, reachable).await.expect(200);
    patch(&robot, json!({ "recovery_email": null })).await.problem(422, "invalid_input");
    let visitor = json!({ "require_email_mfa": true, "email": "v@acme.test" });
    patch(&create("self_service").await, visitor).await.problem(422, "invalid_input");
}

/// Proves B2: SSO sign-ins are never asked for a code.
#[both_engines]
async fn sso_sign_ins_are_not_asked(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    tenant.sign_in(&app, "bob@acme.test", Some(&["staff"])).await;
    assert!(app.mailbox().await.is_empty());
}

/// Proves B2: five tries for each code, also at the same moment, and the right one does not help after them.
#[both_engines]
async fn a_code_may_be_tried_five_times(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    let token = pending(&app, &tenant).await;
    let code = mailed(&app).await;
    let wrong: Vec<String> = (1..=5).map(|nth| another(&code, nth)).collect();
    let tries = wrong.iter().map(|wrong| verify(&app, &token, wrong));
    for answer in futures_util::future::join_all(tries).await {
        answer.problem(401, "mfa_code_incorrect");
    }
    verify(&app, &token, &code).await.problem(401, "mfa_code_incorrect");
    app.world.clock.advance(SignedDuration::from_secs(30));
    resend(&app, &token).await.expect(200);
    let step = verify(&app, &token, &mailed(&app).await).await.expect(200);
    assert_eq!(step["status"], "complete");
}

/// Proves B2: tries count per user over time: new codes and new sign-ins give no new ones.
#[both_engines]
async fn new_codes_give_no_more_tries(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    for _ in 0..2 {
        let token = pending(&app, &tenant).await;
        let code = mailed(&app).await;
        for nth in 1..=5 {
            verify(&app, &token, &another(&code, nth)).await.problem(401, "mfa_code_incorrect");
        }
    }
    let token = pending(&app, &tenant).await;
    let code = mailed(&app).await;
    let slowed = verify(&app, &token, &code).await;
    slowed.problem(429, "rate_limited");
    assert_eq!(slowed.header("retry-after"), "360");
    app.world.clock.advance(SignedDuration::from_mins(6));
    verify(&app, &token, &code).await.expect(200);
}

/// Proves B2: ten minutes, and not one more.
#[both_engines]
async fn a_code_lives_ten_minutes(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    let token = pending(&app, &tenant).await;
    let code = mailed(&app).await;
    app.world.clock.advance(SignedDuration::from_mins(10));
    verify(&app, &token, &code).await.problem(401, "mfa_code_incorrect");
}

/// Proves B2: another code comes after a pause, takes the place of the one before, and mailboxes are not flooded.
#[both_engines]
async fn another_code_comes_after_a_pause(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    let token = pending(&app, &tenant).await;
    let old = mailed(&app).await;
    resend(&app, &token).await.problem(429, "rate_limited");
    app.world.clock.advance(SignedDuration::from_secs(30));
    resend(&app, &token).await.expect(200);
    let new = mailed(&app).await;
    if new != old {
        verify(&app, &token, &old).await.problem(401, "mfa_code_incorrect");
    }
    verify(&app, &token, &new).await.expect(200);
    for _ in 2..10 {
        pending(&app, &tenant).await;
    }
    tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.problem(429, "rate_limited");
    assert_eq!(app.mailbox().await.to("ann@acme.test").len(), 10);
}

/// Proves B2, A5: a code is good for its own sign-in alone, not for another of the user, nor of another account.
#[both_engines]
async fn a_code_is_good_for_its_own_sign_in(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (demanding(&app, "acme").await, demanding(&app, "other").await);
    let mine = pending(&app, &tenant).await;
    let code = mailed(&app).await;
    for token in [pending(&app, &tenant).await, pending(&app, &other).await] {
        let answer = verify(&app, &token, &code).await;
        assert!(answer.status == 401 || mailed(&app).await == code, "{}", answer.text);
    }
    verify(&app, &mine, &code).await.expect(200);
    for forged in ["", "vps_", "vrs_AAAA", &mine.replace("vps_", "vac_"), &format!("{mine}A"), &"v".repeat(10_000)] {
        verify(&app, forged, &code).await.problem(401, "session_expired");
    }
}

/// Proves B2: of two who show the right code at once, one signs in.
#[both_engines]
async fn the_right_code_signs_in_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    let token = pending(&app, &tenant).await;
    let code = mailed(&app).await;
    let (one, two) = tokio::join!(verify(&app, &token, &code), verify(&app, &token, &code));
    assert_eq!(one.status.as_u16() + two.status.as_u16(), 200 + 401, "{one:?} {two:?}");
}

/// Proves B2: the second factor comes before the password is replaced, and both before the code.
#[both_engines]
async fn the_second_factor_comes_before_a_new_password(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    let eve = tenant.form_user(&app, "eve", Some("organization_member")).await;
    app.give_temporary_password(eve, tenant.account_id.parse().unwrap(), PASSWORD).await;
    let step = tenant.form_login(&app.anonymous(), "eve", PASSWORD).await.expect(200);
    assert_eq!(step["status"], "mfa_required", "{step}");
    let replace = async |step: &Value| {
        let body = json!({ "pending_token": step["pending_token"], "new_password": "gravel orbit seventeen lamps" });
        app.anonymous().post("/v1/form-sign-ins/password", &body).await
    };
    replace(&step).await.problem(401, "session_expired");
    let code = app.mailbox().await.last_to("eve@acme.test").code();
    let next = verify(&app, step["pending_token"].as_str().unwrap(), &code).await.expect(200);
    assert_eq!(next["status"], "password_change_required", "{next}");
    let tokens = tenant.exchange_step(&app, &replace(&next).await.expect(200)).await;
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["amr"], json!(["pwd", "otp"]));
    assert_eq!(app.mailbox().await.to("eve@acme.test").len(), 2, "a code, and a notice");
}

/// Proves B2: a user who has no email is told so, after the password alone.
#[both_engines]
async fn whoever_has_no_email_is_told_so(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = demanding(&app, "acme").await;
    let users = tenant.path("/users");
    let user = json!({ "portal": "admin", "username": "mailless", "roles": ["organization_member"] });
    let user = app.operator().post(&users, &user).await.expect(201);
    let id = user["id"].as_str().unwrap().parse().unwrap();
    app.give_password(id, tenant.account_id.parse().unwrap(), PASSWORD).await;
    tenant.form_login(&app.anonymous(), "mailless", "wrong").await.problem(401, "login_incorrect_credentials");
    tenant.form_login(&app.anonymous(), "mailless", PASSWORD).await.problem(409, "mfa_email_missing");
}
