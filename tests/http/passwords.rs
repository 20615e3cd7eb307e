//! Changing one's own password (B5).

use serde_json::{Value, json};
use tests::app::TestApp;
use tests::both_engines;
use tests::client::{Answer, Client};
use tests::databases::TestDatabase;
use tests::tenant::Tenant;

const OLD: &str = "tulip-anchor-copper-72";
const NEW: &str = "gravel orbit seventeen lamps";

/// A signed-in user with a password, and the operator's view of them.
async fn with_password(app: &TestApp, tenant: &Tenant, email: &str) -> Client {
    let client = tenant.sign_in(app, email, Some(&["staff"])).await;
    let me = client.get("/v1/me").await.expect(200);
    let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    app.give_password(id(&me["user"]).parse().unwrap(), id(&me["account"]).parse().unwrap(), OLD).await;
    client
}

async fn change(client: &Client, current: &str, new: &str) -> Answer {
    client.post("/v1/me/password", &json!({ "current_password": current, "new_password": new })).await
}

#[track_caller]
fn refused_field(answer: &Answer, pointer: &str) {
    let problem = answer.problem(422, "invalid_input");
    assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
}

/// Proves B5, I3, H3: the new password counts, the old one no more; other sessions end, this one goes on.
#[both_engines]
async fn a_changed_password_ends_the_other_sessions(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = with_password(&app, &tenant, "ann@acme.test").await;
    let elsewhere = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let bob = tenant.sign_in(&app, "bob@acme.test", Some(&["staff"])).await;
    assert_eq!(change(&ann, OLD, NEW).await.status, 204);
    elsewhere.get("/v1/me").await.problem(401, "session_expired");
    bob.get("/v1/me").await.expect(200);
    refused_field(&change(&ann, OLD, "window-marble-thirty-four").await, "/current_password");
    assert_eq!(change(&ann, NEW, OLD).await.status, 204);
    let log = app.operator().get(&tenant.path("/audit-events?action=user.password_changed")).await.expect(200);
    assert_eq!(log["items"].as_array().unwrap().len(), 2);
    assert!(!log.to_string().contains(NEW) && !log.to_string().contains("argon2"), "{log}");
}

/// Proves B5: what is easy to guess, one's own, or no change is refused with a reason, and changes nothing.
#[both_engines]
async fn a_weak_password_is_refused_with_its_reason(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = with_password(&app, &tenant, "annika@acme.test").await;
    let too_long = "a tulip ".repeat(33);
    for weak in ["", "short", "password1234", "annika-annika-tulip", "the acme tulip garden", &too_long, OLD] {
        refused_field(&change(&ann, OLD, weak).await, "/new_password");
    }
    assert_eq!(change(&ann, OLD, NEW).await.status, 204);
}

/// Proves B5: a new password is looked at once the old one is proved, and a bounded number of times. Looking through a
/// password that was chosen to be slow takes no longer than hashing one.
#[both_engines]
async fn a_new_password_is_looked_at_after_the_old_one_is_proved(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = with_password(&app, &tenant, "ann@acme.test").await;
    refused_field(&change(&ann, "a-wrong-password", "password1234").await, "/current_password");
    let begun = std::time::Instant::now();
    for _ in 0..20 {
        refused_field(&change(&ann, OLD, "password1234").await, "/new_password");
    }
    let slowed = change(&ann, OLD, NEW).await;
    slowed.problem(429, "rate_limited");
    assert_eq!(slowed.header("retry-after"), "5");
    app.world.clock.advance(jiff::SignedDuration::from_secs(5));
    let slow = "4@8({[<369|1!7$5+%20".repeat(12);
    assert_eq!(change(&ann, OLD, &slow).await.status, 204);
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// Proves B5: a password typed on another keyboard is the same one, whichever form its letters came in.
#[both_engines]
async fn a_password_is_the_same_in_every_unicode_form(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = with_password(&app, &tenant, "ann@acme.test").await;
    assert_eq!(change(&ann, OLD, "caf\u{e9} orbit seventeen lamps").await.status, 204);
    assert_eq!(change(&ann, "cafe\u{301} orbit seventeen lamps", NEW).await.status, 204);
}

/// Proves B5: the holder of a stolen session cannot guess the password through it, nor whether there is one.
#[both_engines]
async fn guesses_through_a_session_are_slowed_down(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = with_password(&app, &tenant, "ann@acme.test").await;
    let bob = tenant.sign_in(&app, "bob@acme.test", Some(&["staff"])).await;
    for client in [&ann, &bob] {
        for _ in 0..5 {
            refused_field(&change(client, "a-wrong-password", NEW).await, "/current_password");
        }
        let slowed = change(client, OLD, NEW).await;
        slowed.problem(429, "rate_limited");
        assert_eq!(slowed.header("retry-after"), "60");
    }
    app.world.clock.advance(jiff::SignedDuration::from_mins(1));
    assert_eq!(change(&ann, OLD, NEW).await.status, 204);
}

/// Proves B5: a body of megabytes is refused before it is read as a password.
#[both_engines]
async fn a_huge_password_is_refused_unread(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = with_password(&app, &tenant, "ann@acme.test").await;
    change(&ann, &"a".repeat(10_000_000), NEW).await.problem(413, "payload_too_large");
    refused_field(&change(&ann, &"a".repeat(257), NEW).await, "/current_password");
}
