//! Form login (A3, B1, B5): users who get in, the words that all others are told, and the slowing down of guesses.

use domain::password::PasswordCredential;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::app::TestApp;
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::{REDIRECT_URI, Tenant};
use tests::tokens::claims;
use tests::{assert_fields, both_engines};

/// A problem without what names the one request.
fn anonymized(answer: &Answer) -> Value {
    let mut problem = answer.problem(401, "login_incorrect_credentials");
    for own in ["request_id", "attempt_id"] {
        assert!(problem.as_object_mut().unwrap().remove(own).is_some_and(|id| id.is_string()), "{own}");
    }
    problem
}

/// Proves B1, H3: by username or email, in any case, to a session that says how.
#[both_engines]
async fn people_sign_in_by_username_or_email(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    for typed in ["ann", "ANN", "ann@acme.test", "Ann@Acme.Test"] {
        let step = tenant.form_login(&app.anonymous(), typed, PASSWORD).await.expect(200);
        let tokens = tenant.exchange_step(&app, &step).await;
        let claims = claims(tokens["access_token"].as_str().unwrap());
        assert_fields!(claims, { "amr": ["pwd"], "username": "ann" });
    }
    let attempt = tenant.last_attempt(&app).await;
    assert_fields!(attempt, { "kind": "form", "outcome": "succeeded" });
    let log = app.operator().get(&tenant.path("/audit-events?action=user.signed_in&limit=1")).await.expect(200);
    assert!(log.to_string().contains("\"password\""), "{log}");
}

/// Proves B5: a caller who does not know the password learns nothing, and each costs one comparison.
#[both_engines]
async fn everybody_who_does_not_know_the_password_is_told_the_same(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let role = Some("organization_member");
    tenant.form_user(&app, "ann", role).await;
    tenant.form_user(&app, "roleless", None).await;
    let gone = tenant.form_user(&app, "gone", role).await;
    let path = tenant.path(&format!("/users/{gone}"));
    app.operator().patch(&path, &json!({ "status": "inactive" })).await.expect(200);
    for name in ["twin1", "twin2"] {
        let user = json!({ "portal": "admin", "username": name, "email": "twins@acme.test", "status": "active" });
        app.operator()
            .post(
                &tenant.path("/users"),
                &json!({ "portal": user["portal"], "username": name,
                "email": user["email"], "roles": ["organization_member"] }),
            )
            .await
            .expect(201);
    }
    let wrong = "a-wrong-password";
    let first = anonymized(&tenant.form_login(&app.anonymous(), "nobody", wrong).await);
    let tries = [
        ("ann", wrong),
        ("ann", ""),
        ("roleless", wrong),
        ("gone", PASSWORD),
        ("gone", wrong),
        ("twin1", wrong),
        ("twins@acme.test", PASSWORD),
        ("nobody", PASSWORD),
        ("nul\0", wrong),
        ("%", wrong),
    ];
    for (who, password) in tries {
        let before = app.world.passwords_compared();
        assert_eq!(anonymized(&tenant.form_login(&app.anonymous(), who, password).await), first, "{who}");
        assert_eq!(app.world.passwords_compared() - before, 1, "{who}");
    }
    let before = app.world.passwords_compared();
    let mut body = tenant.form_body("ann", PASSWORD);
    body["account_name"] = json!("no-such-account");
    assert_eq!(anonymized(&app.anonymous().post("/v1/form-sign-ins", &body).await), first);
    assert_eq!(app.world.passwords_compared() - before, 1);
}

/// Proves H1: the administrator sees why, with what to do; the person who tried does not.
#[both_engines]
async fn a_refused_form_login_says_why_in_diagnostics(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    tenant.form_user(&app, "roleless", None).await;
    let cases = [
        ("ann", "xq-not-it", "password_wrong"),
        ("bob", "xq-not-it", "user_unknown"),
        ("roleless", PASSWORD, "role_missing"),
    ];
    for (who, password, reason) in cases {
        let refused = tenant.form_login(&app.anonymous(), who, password).await.json();
        let attempt = tenant.last_attempt(&app).await;
        assert_fields!(attempt, { "id": refused["attempt_id"], "entered_email": who });
        assert_eq!(attempt["failure"]["reason"], reason, "{attempt}");
        assert!(attempt["failure"]["fix"].as_str().unwrap().len() > 20, "{attempt}");
        assert!(!attempt.to_string().contains(password), "{attempt}");
    }
}

/// Proves A3: a user without a role is told so, once the password is right.
#[both_engines]
async fn a_user_without_a_role_is_told_once_the_password_is_right(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "roleless", None).await;
    tenant.form_login(&app.anonymous(), "roleless", "wrong").await.problem(401, "login_incorrect_credentials");
    tenant.form_login(&app.anonymous(), "roleless", PASSWORD).await.problem(403, "no_role");
}

/// Proves B5: five wrong passwords, then one a minute, for users who exist and users who do not; the right one
/// forgives.
#[both_engines]
async fn guessing_is_slowed_down_and_nobody_is_locked_out(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    for who in ["ann", "nobody"] {
        for _ in 0..5 {
            anonymized(&tenant.form_login(&app.anonymous(), who, "wrong").await);
        }
        let before = app.world.passwords_compared();
        let slowed = tenant.form_login(&app.anonymous(), who, PASSWORD).await;
        slowed.problem(429, "rate_limited");
        assert_eq!((slowed.header("retry-after"), app.world.passwords_compared()), ("60", before));
    }
    app.world.clock.advance(SignedDuration::from_mins(1));
    tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    for _ in 0..5 {
        anonymized(&tenant.form_login(&app.anonymous(), "ann", "wrong").await);
    }
}

/// Proves B5: tries at the same moment all count.
#[both_engines]
async fn many_tries_at_once_are_no_way_around(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    let client = app.anonymous();
    let tries = (0..20).map(|_| tenant.form_login(&client, "ann", "wrong"));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 15);
}

/// Proves B5: a wave of wrong passwords from elsewhere does not keep a user out, and one address has no more than
/// its own.
#[both_engines]
async fn an_attack_from_elsewhere_keeps_nobody_out(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_owner")).await;
    for n in 0..30 {
        let attacker = app.anonymous().forwarded_for(&format!("198.51.{n}.1"));
        anonymized(&tenant.form_login(&attacker, "ann", "wrong").await);
    }
    let attacker = app.anonymous().forwarded_for("198.51.1.1");
    tenant.form_login(&attacker, "ann", "wrong").await.problem(429, "rate_limited");
    let ann = app.anonymous().forwarded_for("203.0.113.7");
    tenant.form_login(&ann, "ann", PASSWORD).await.expect(200);
    for n in 0..50 {
        tenant.form_login(&attacker, &format!("nobody{n}"), "wrong").await;
    }
    tenant.form_login(&attacker, "nobody", "wrong").await.problem(429, "rate_limited");
    tenant.form_login(&ann, "ann", PASSWORD).await.expect(200);
}

/// Proves A6: outside of the allowed networks the right password is told so, and a wrong one is told as wrong.
#[both_engines]
async fn a_form_login_from_outside_the_allowed_networks_is_refused(db: TestDatabase) {
    let app = TestApp::start_behind_proxy(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    let office = json!({ "allowed_networks": ["192.0.2.0/24"] });
    app.operator().patch(&tenant.path("/settings"), &office).await.expect(200);
    let (inside, outside) = (app.anonymous().forwarded_for("192.0.2.7"), app.anonymous().forwarded_for("203.0.113.7"));
    tenant.form_login(&inside, "ann", PASSWORD).await.expect(200);
    anonymized(&tenant.form_login(&outside, "ann", "wrong").await);
    tenant.form_login(&outside, "ann", PASSWORD).await.problem(403, "network_not_allowed");
}

/// Proves B1, A5: a frontend that is not registered, another portal's, and another account's users get nowhere.
#[both_engines]
async fn a_form_login_is_for_registered_frontends_of_the_admin_portal(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (tenant, other) = (Tenant::create(&app, "acme").await, Tenant::create(&app, "other").await);
    let customers = Tenant::create_for(&app, "customers", "self_service").await;
    tenant.form_user(&app, "ann", Some("organization_member")).await;
    let changed = |property: &str, value: &str| {
        let mut body = tenant.form_body("ann", PASSWORD);
        body[property] = json!(value);
        body
    };
    let nobody = "app_00000000000000000000000000000000";
    let foreign = format!("{REDIRECT_URI}/");
    for body in
        [changed("client_id", nobody), changed("redirect_uri", &foreign), changed("client_id", &customers.client_id)]
    {
        app.anonymous().post("/v1/form-sign-ins", &body).await.problem(400, "application_refused");
    }
    let refused = app.anonymous().post("/v1/form-sign-ins", &changed("client_id", &other.client_id)).await;
    refused.problem(401, "login_incorrect_credentials");
    anonymized(&other.form_login(&app.anonymous(), "ann", PASSWORD).await);
}

/// Proves B5: what is too long or no password at all is refused before it is looked at, and other alphabets are not.
#[both_engines]
async fn strange_passwords_do_no_harm(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_member")).await;
    let send = async |password: &str| tenant.form_login(&app.anonymous(), "ann", password).await;
    send(&"a".repeat(10_000_000)).await.problem(413, "payload_too_large");
    send(&"a".repeat(257)).await.problem(422, "invalid_input");
    anonymized(&send("\u{0}\u{feff}\u{202e}").await);
    app.give_password(ann, tenant.account_id.parse().unwrap(), "smörgåsbord på 雨の日").await;
    send("smo\u{308}rga\u{30a}sbord pa\u{30a} 雨の日").await.expect(200);
}

/// Proves B5: a hash of older parameters is replaced at the sign-in that shows the password.
#[both_engines]
async fn a_sign_in_brings_the_hash_up_to_date(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_member")).await;
    let outdated = app.give_outdated_password(ann, tenant.account_id.parse().unwrap(), PASSWORD).await;
    let kept = async || -> PasswordCredential { app.password_of(tenant.account_id.parse().unwrap(), ann).await };
    anonymized(&tenant.form_login(&app.anonymous(), "ann", "wrong").await);
    assert_eq!(kept().await, outdated);
    tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    let renewed = kept().await;
    assert_ne!(renewed.hash, outdated.hash);
    assert_eq!(renewed.set_at, outdated.set_at);
    tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
}

/// Proves B1: a password that another person chose is changed before the sign-in is complete, and is good for no
/// other.
#[both_engines]
async fn a_temporary_password_is_replaced_before_anything_else(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_member")).await;
    app.give_temporary_password(ann, tenant.account_id.parse().unwrap(), PASSWORD).await;
    let step = tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    assert_eq!(step["status"], "password_change_required", "{step}");
    let token = step["pending_token"].as_str().unwrap();
    let replace = async |token: &str, password: &str| {
        let body = json!({ "pending_token": token, "new_password": password });
        app.anonymous().post("/v1/form-sign-ins/password", &body).await
    };
    for weak in ["short", "password1234", PASSWORD] {
        replace(token, weak).await.problem(422, "invalid_input");
    }
    let new = "gravel orbit seventeen lamps";
    replace("vps_AAAA", new).await.problem(401, "session_expired");
    let code = json!({ "pending_token": token, "code": "012345" });
    app.anonymous().post("/v1/form-sign-ins/mfa-code", &code).await.problem(401, "session_expired");
    let (one, two) = tokio::join!(replace(token, new), replace(token, "another seventeen orbit lamps"));
    let won = if one.status == 200 { &one } else { &two };
    assert_eq!([one.status.as_u16(), two.status.as_u16()].iter().sum::<u16>(), 200 + 401, "{one:?} {two:?}");
    tenant.exchange_step(&app, &won.json()).await;
    let log = app.operator().get(&tenant.path("/audit-events?action=user.password_changed")).await.expect(200);
    assert_eq!(log["items"].as_array().unwrap().len(), 1, "{log}");
    replace(token, "yet another orbit lamp 17").await.problem(401, "session_expired");
    tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.problem(401, "login_incorrect_credentials");
}

/// Proves D2: a user who takes longer than a sign-in may take begins anew.
#[both_engines]
async fn a_pending_sign_in_is_over_after_a_quarter_of_an_hour(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_member")).await;
    app.give_temporary_password(ann, tenant.account_id.parse().unwrap(), PASSWORD).await;
    let step = tenant.form_login(&app.anonymous(), "ann", PASSWORD).await.expect(200);
    app.world.clock.advance(SignedDuration::from_mins(15));
    let body = json!({ "pending_token": step["pending_token"], "new_password": "gravel orbit seventeen lamps" });
    app.anonymous().post("/v1/form-sign-ins/password", &body).await.problem(401, "session_expired");
}
