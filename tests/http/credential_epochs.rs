//! Credentials have an epoch (A7): what was issued before an event that concerns the user works no more, what is
//! issued after it works.

use serde_json::json;
use tests::app::TestApp;
use tests::client::parameter;
use tests::databases::TestDatabase;
use tests::form::PASSWORD;
use tests::tenant::Tenant;
use tests::tokens::claims;
use tests::{assert_fields, both_engines};

use crate::credentials::{Event, Kind, Model, Scene};

/// Number of users that the model follows; [`STEPS`] is the number of steps of each.
const SEQUENCES: u64 = 10;
const STEPS: usize = 16;

/// Proves A7: each kind of credential works; and does not, when any of the events has come in between.
#[both_engines]
async fn whatever_was_issued_before_an_event_is_void(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let scene = Scene::set(&app).await;
    for kind in Kind::ALL {
        let person = scene.person(kind).await;
        let held = scene.issue(kind, &person).await;
        assert!(scene.works(&held).await, "{kind:?} works");
        for event in Event::ALL.into_iter().filter(|event| event.can_befall(kind)) {
            let mut person = scene.person(kind).await;
            let held = scene.issue(kind, &person).await;
            scene.fire(event, &mut person).await;
            assert!(!scene.works(&held).await, "{kind:?} after {event:?}");
        }
    }
}

/// Proves A7: what is issued after an event works.
#[both_engines]
async fn whatever_is_issued_after_an_event_works(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let scene = Scene::set(&app).await;
    for kind in
        [Kind::FormCode, Kind::FormSession, Kind::MfaStep, Kind::ResetLink, Kind::InvitationLink, Kind::MagicLink]
    {
        for event in Event::ALL.into_iter().filter(|event| event.can_befall(kind) && event.leaves_a_user()) {
            let mut person = scene.person(kind).await;
            scene.fire(event, &mut person).await;
            let held = scene.issue(kind, &person).await;
            assert!(scene.works(&held).await, "{kind:?} after {event:?}");
        }
    }
}

/// Proves A7, I3: the sessions that an event voids are listed as ended, and say why.
#[both_engines]
async fn voided_sessions_are_listed_as_what_they_are(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let scene = Scene::set(&app).await;
    let table = [
        (Event::PasswordReset, "password_changed"),
        (Event::EmailChanged, "address_changed"),
        (Event::UsernameChanged, "address_changed"),
        (Event::RecoveryEmailChanged, "address_changed"),
        (Event::Deactivated, "user_deactivated"),
        (Event::OwnerGained, "owner_gained"),
    ];
    for (event, reason) in table {
        let mut person = scene.person(Kind::FormSession).await;
        scene.issue(Kind::FormSession, &person).await;
        scene.fire(event, &mut person).await;
        let list = format!("/sessions?user_id={}", person.id);
        let sessions = app.operator().get(&scene.admins.path(&list)).await.expect(200);
        assert_eq!(sessions["items"][0]["end_reason"], json!(reason), "{event:?}: {sessions}");
    }
}

/// Proves A7, E3: an invitation that went to a mistyped address is worth nothing once an owner has corrected it,
/// and one that still waits is not sent there.
#[both_engines]
async fn an_invitation_does_not_outlive_its_address(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let scene = Scene::set(&app).await;
    let invitation = json!({
        "portal": "admin", "email": "typo@acme.test", "roles": ["organization_member"], "accept_by": "password",
    });
    let invite = async || {
        let made = app.operator().post(&scene.admins.path("/invitations"), &invitation).await.expect(201);
        scene.admins.path(&format!("/users/{}", made["user_id"].as_str().unwrap()))
    };
    let path = invite().await;
    let token = app.mailbox().await.last_to("typo@acme.test").token();
    app.operator().patch(&path, &json!({ "email": "right@acme.test" })).await.expect(200);
    let accept = json!({ "token": token, "password": "harbour-violin-saddle-31" });
    app.anonymous().post("/v1/invitations/accept", &accept).await.problem(410, "link_replaced");
    assert_eq!(app.operator().delete(&path).await.status, 204);
    let path = invite().await;
    app.operator().patch(&path, &json!({ "email": "right@acme.test" })).await.expect(200);
    assert_eq!(app.mailbox().await.to("typo@acme.test").len(), 3, "the one before, and two notices");
    let list = app.operator().get("/v1/mails?state=withdrawn").await.expect(200);
    assert_fields!(list["items"][0], { "kind": "invitation", "due_at": null });
    let retry = format!("/v1/mails/{}/retry", list["items"][0]["id"].as_str().unwrap());
    app.operator().post(&retry, &json!({})).await.problem(409, "mail_not_retryable");
}

/// Proves A7: mails that carry a credential and were not delivered are withdrawn with it; notices are sent.
#[both_engines]
async fn undelivered_mails_are_withdrawn_with_what_they_carry(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let scene = Scene::set(&app).await;
    for event in [Event::EmailChanged, Event::Deactivated, Event::Deleted, Event::PasswordReset] {
        let mut person = scene.person(Kind::ResetLink).await;
        if event == Event::PasswordReset {
            // Its own link must arrive before the other one waits.
            let held = scene.issue(Kind::ResetLink, &person).await;
            scene.ask_for_reset(&person).await;
            assert!(scene.works(&held).await);
        } else {
            scene.ask_for_reset(&person).await;
            scene.fire(event, &mut person).await;
        }
        app.mailbox().await;
        let list = app.operator().get("/v1/mails?limit=5").await.expect(200);
        let of = |kind: &str| list["items"].as_array().unwrap().iter().find(|mail| mail["kind"] == kind).unwrap();
        assert_eq!(of("password_reset")["state"], "withdrawn", "{event:?}: {list}");
        let notice = match event {
            Event::EmailChanged => of("address_changed"),
            Event::PasswordReset => of("password_changed"),
            _ => continue,
        };
        assert_eq!(notice["state"], "delivered", "{event:?}");
    }
}

/// Proves A7: the address that was a user's is told of the change, whoever made it, and no address that stays.
#[both_engines]
async fn the_old_address_is_told(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_owner")).await;
    let path = tenant.path(&format!("/users/{ann}"));
    let client = tenant.form_session(&app, "ann").await;
    client.patch(&path, &json!({ "email": "ann@new.test" })).await.expect(200);
    client.get("/v1/me").await.expect(200);
    let mailbox = app.mailbox().await;
    let notice = mailbox.last_to("ann@acme.test");
    assert!(notice.subject().contains("address") && notice.text().contains("ann"), "{}", notice.text());
    assert!(mailbox.to("ann@new.test").is_empty());
    let own = json!({ "recovery_email": "ann@home.test", "current_password": PASSWORD });
    client.patch("/v1/me/second-factor", &own).await.expect(200);
    assert!(app.mailbox().await.to("ann@new.test").is_empty(), "it is theirs still");
    app.operator().patch(&path, &json!({ "recovery_email": null })).await.expect(200);
    let mailbox = app.mailbox().await;
    assert_eq!((mailbox.to("ann@home.test").len(), mailbox.to("ann@new.test").len()), (1, 0));
    client.get("/v1/me").await.problem(401, "session_expired");
}

/// Proves A7: a session makes a change of its own user and goes on, with its refresh token; every other one ends.
/// A change by another caller leaves none.
#[both_engines]
async fn ones_own_change_leaves_ones_own_session(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.form_user(&app, "ann", Some("organization_owner")).await;
    let path = tenant.path(&format!("/users/{ann}"));
    let tokens = tenant.form_tokens(&app, "ann").await;
    let client = app.anonymous().bearing(tokens["access_token"].as_str().unwrap());
    let mut refresh_token = tokens["refresh_token"].as_str().unwrap().to_owned();
    for (number, change) in
        [json!({ "email": "ann@new.test" }), json!({ "recovery_email": "a@home.test" }), json!({ "username": "anna" })]
            .into_iter()
            .enumerate()
    {
        let username = if number < 3 { "ann" } else { "anna" };
        let other = tenant.form_session(&app, username).await;
        client.patch(&path, &change).await.expect(200);
        client.get("/v1/me").await.expect(200);
        other.get("/v1/me").await.problem(401, "session_expired");
        let refreshed = tenant.refresh(&app, &refresh_token).await.expect(200);
        refreshed["refresh_token"].as_str().unwrap().clone_into(&mut refresh_token);
    }
    app.operator().patch(&path, &json!({ "username": "ann" })).await.expect(200);
    assert_eq!(tenant.refresh(&app, &refresh_token).await.expect(400)["error"], "invalid_grant");
}

/// Proves A7, C4: a password that was planted before gives nothing of what an identity provider says afterwards:
/// the first assertion that makes an owner ends the sessions from before it, and a session by password holds
/// assigned roles alone.
#[both_engines]
async fn a_planted_password_does_not_become_an_owner(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let body = json!({
        "portal": "admin", "username": "vip@acme.test", "email": "vip@acme.test", "roles": ["organization_member"],
    });
    let user = app.operator().post(&tenant.path("/users"), &body).await.expect(201);
    let id = user["id"].as_str().unwrap();
    app.give_password(id.parse().unwrap(), tenant.account_id.parse().unwrap(), PASSWORD).await;
    let planted = tenant.form_tokens(&app, "vip@acme.test").await;
    let step = tenant.form_login(&app.anonymous(), "vip@acme.test", PASSWORD).await.expect(200);
    let vip = tenant.sign_in(&app, "vip@acme.test", Some(&["nac-team-lead"])).await;
    vip.patch(&tenant.path(""), &json!({ "display_name": "Ours" })).await.expect(200);
    let thief = app.anonymous().bearing(planted["access_token"].as_str().unwrap());
    thief.get("/v1/me").await.problem(401, "session_expired");
    assert_eq!(tenant.refresh(&app, planted["refresh_token"].as_str().unwrap()).await.status, 400);
    let code = parameter(&step["redirect_to"].as_str().unwrap().parse().unwrap(), "code");
    assert_eq!(app.anonymous().form("/oauth/token", &tenant.exchange_form(&code)).await.status, 400);
    let again = tenant.form_tokens(&app, "vip@acme.test").await;
    let member = json!(["organization_member"]);
    assert_eq!(claims(again["access_token"].as_str().unwrap())["roles"], member);
    let thief = app.anonymous().bearing(again["access_token"].as_str().unwrap());
    assert_eq!(thief.get("/v1/me").await.expect(200)["user"]["roles"]["effective"], member);
    thief.patch(&tenant.path(""), &json!({ "display_name": "Mine" })).await.problem(403, "forbidden");
    let refreshed = tenant.refresh(&app, again["refresh_token"].as_str().unwrap()).await.expect(200);
    assert_eq!(claims(refreshed["access_token"].as_str().unwrap())["roles"], member);
    vip.get("/v1/me").await.expect(200);
}

/// Proves C4: a user with roles from assertions alone has none by password, and is told so.
#[both_engines]
async fn roles_from_assertions_let_nobody_in_by_password(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let ann = tenant.sign_in(&app, "ann@acme.test", Some(&["staff"])).await;
    let me = ann.get("/v1/me").await.expect(200);
    assert_eq!(me["user"]["roles"]["effective"], json!(["organization_member"]));
    let id = me["user"]["id"].as_str().unwrap().parse().unwrap();
    app.give_password(id, tenant.account_id.parse().unwrap(), PASSWORD).await;
    tenant.form_login(&app.anonymous(), "ann@acme.test", PASSWORD).await.problem(403, "no_role");
}

/// Proves A7: whatever is issued, happens and is used, in any order: what was issued before the last event is
/// worth nothing, and what was issued since is worth what it says.
#[both_engines]
async fn in_any_order_what_is_of_the_present_epoch_alone_works(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let scene = Scene::set(&app).await;
    for seed in 1..=SEQUENCES {
        let mut model = Model::of_somebody(&scene).await;
        let mut number: u64 = seed;
        for _ in 0..STEPS {
            // xorshift64*: the same sequences each time.
            number ^= number >> 12;
            number ^= number << 25;
            number ^= number >> 27;
            model.step(number.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16).await;
        }
        model.finish().await;
    }
}
