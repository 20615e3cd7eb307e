//! Mail: from the outbox to the mail server, and what the operator sees of it.

use domain::mail::delivery::{ATTEMPTS_MAX, MAIL_MAX_AGE};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use service::Dispatched;
use service::ports::Delivery;
use tests::app::{MAIL_TIMEOUT, TestApp};
use tests::client::Answer;
use tests::databases::TestDatabase;
use tests::tenant::Tenant;
use tests::{assert_fields, both_engines};

/// Has a test mail written; returns its path.
async fn send(app: &TestApp, body: Value) -> String {
    let mail = app.operator().post("/v1/test-mails", &body).await.expect(201);
    format!("/v1/mails/{}", mail["id"].as_str().unwrap())
}

async fn state(app: &TestApp, path: &str) -> Value {
    app.operator().get(path).await.expect(200)["state"].clone()
}

async fn newest_action(app: &TestApp, tenant: &Tenant) -> Value {
    let list = app.operator().get(&tenant.path("/audit-events?limit=1")).await.expect(200);
    list["items"][0]["action"].clone()
}

/// Proves E4: a mail is sent once, after the change that it tells of.
#[both_engines]
async fn a_mail_is_sent_once(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let path = send(&app, json!({ "to": "ann@x.test", "language": "sv" })).await;
    assert_eq!(state(&app, &path).await, "queued");
    assert!(app.world.mail_server().mailbox().is_empty(), "sent by the request itself");
    let mailbox = app.mailbox().await;
    assert_eq!(mailbox.last_to("ann@x.test").subject(), "Ett testmejl från Vestibule");
    assert_eq!(app.mailbox().await.len(), 1);
    let mail = app.operator().get(&path).await.expect(200);
    assert_fields!(mail, { "state": "delivered", "attempts": 1 });
    assert_eq!(mail["message_id"].as_str().unwrap(), mailbox.last_to("ann@x.test").mail().message_id);
    assert!(!mail.to_string().contains("sealed"), "{mail}");
}

/// Proves E4: a mail server that fails delays, and nothing is lost or counted against the mail.
#[both_engines]
async fn a_failing_mail_server_delays(db: TestDatabase) {
    let app = TestApp::start(db).await;
    app.world.mail_server().answer_always(Some(Delivery::Unavailable("connection refused".into())));
    let path = send(&app, json!({ "to": "ann@x.test" })).await;
    send(&app, json!({ "to": "bob@x.test" })).await;
    for _ in 0..2 * ATTEMPTS_MAX {
        let outcome = app.service.delivery.dispatch_mails().await.unwrap();
        assert_eq!(outcome, Dispatched::Unavailable("connection refused".into()));
    }
    let waiting = app.operator().get(&path).await.expect(200);
    assert_fields!(waiting, { "state": "queued", "attempts": 0 });
    assert_eq!(waiting["last_error"], "connection refused");
    app.world.mail_server().answer_always(None);
    assert_eq!(app.mailbox().await.len(), 2);
}

/// Proves E4: hundreds of mails of one account, whether a person waits for them or not, delay no other account's
/// by more than a turn; and a mail that is put off delays no other.
#[both_engines]
async fn an_account_that_sends_much_delays_nobody_else(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let (busy, quiet) = (Tenant::create(&app, "busy").await, Tenant::create(&app, "quiet").await);
    app.mailbox().await;
    let before = app.world.mail_server().mailbox().len();
    let to = |tenant: &Tenant, to: &str| json!({ "to": to, "account_id": tenant.account_id });
    app.world.mail_server().answer_next([Delivery::Deferred("connection closed".into())]);
    for n in 0..40 {
        send(&app, to(&busy, &format!("p{n}@x.test"))).await;
    }
    send(&app, to(&quiet, "ann@x.test")).await;
    let mailbox = app.mailbox().await;
    assert_eq!(mailbox.len() - before, 40);
    let position = mailbox.recipients().iter().skip(before).position(|to| to == "ann@x.test");
    assert!(position.is_some_and(|position| position <= 1), "{position:?}");
}

/// Proves E4: what the server puts off is tried later and later, and given up in the end.
#[both_engines]
async fn a_deferred_mail_is_tried_later_and_given_up_in_the_end(db: TestDatabase) {
    let app = TestApp::start(db).await;
    app.world.mail_server().answer_always(Some(Delivery::Deferred("450 busy".into())));
    let path = send(&app, json!({ "to": "ann@x.test" })).await;
    send(&app, json!({ "to": "bob@x.test" })).await;
    for attempt in 1..=ATTEMPTS_MAX {
        assert_eq!(app.service.delivery.dispatch_mails().await.unwrap(), Dispatched::All);
        assert_eq!(app.service.delivery.dispatch_mails().await.unwrap(), Dispatched::All);
        let mail = app.operator().get(&path).await.expect(200);
        assert_eq!(mail["attempts"], attempt, "tried again at once");
        app.world.clock.advance(SignedDuration::from_mins(90));
    }
    let dead = app.operator().get("/v1/mails?state=dead").await.expect(200);
    assert_eq!(dead["items"].as_array().unwrap().len(), 2);
    assert_eq!(dead["items"][0]["last_error"], "450 busy");
}

/// Proves E4: what is refused for good is given up at once, visible to the operator, who may try it again or not.
#[both_engines]
async fn a_rejected_mail_is_a_dead_letter_that_can_be_retried_or_discarded(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let body = json!({ "to": "ann@x.test", "account_id": tenant.account_id });
    app.world.mail_server().answer_next([Delivery::Rejected("550 no such user".into())]);
    let path = send(&app, body).await;
    assert_eq!(newest_action(&app, &tenant).await, "mail.test_sent");
    let retry = format!("{path}/retry");
    app.operator().post(&retry, &json!({})).await.problem(409, "mail_not_retryable");
    assert!(app.mailbox().await.is_empty());
    assert_eq!(state(&app, &path).await, "dead");
    let queued = app.operator().post(&retry, &json!({})).await.expect(200);
    assert_fields!(queued, { "state": "queued", "attempts": 0 });
    assert_eq!(newest_action(&app, &tenant).await, "mail.retried");
    assert_eq!(app.mailbox().await.len(), 1);
    app.operator().post(&retry, &json!({})).await.problem(409, "mail_not_retryable");
    assert_eq!(app.operator().delete(&path).await.status, 204);
    assert_eq!(newest_action(&app, &tenant).await, "mail.discarded");
    app.operator().get(&path).await.problem(404, "not_found");
    app.operator().delete(&path).await.problem(404, "not_found");
}

/// Proves E4: who died over a mail is waited for, and then it is sent with the `Message-ID` that it had.
#[both_engines]
async fn a_mail_whose_sender_died_is_sent_when_its_lease_ends(db: TestDatabase) {
    let app = TestApp::start(db).await;
    app.world.mail_server().hang_on_next();
    let path = send(&app, json!({ "to": "ann@x.test" })).await;
    let service = std::sync::Arc::clone(&app.service);
    let sending = tokio::spawn(async move { service.delivery.dispatch_mails().await });
    app.world.mail_server().hangs().await;
    assert_eq!(state(&app, &path).await, "sending");
    app.operator().delete(&path).await.problem(409, "mail_being_sent");
    sending.abort();
    assert!(app.mailbox().await.is_empty(), "sent again while somebody may still be sending it");
    app.world.clock.advance(SignedDuration::try_from(MAIL_TIMEOUT * 2).unwrap());
    let mail = app.operator().get(&path).await.expect(200);
    let sent = app.mailbox().await.last_to("ann@x.test");
    assert_eq!(mail["message_id"], json!(sent.mail().message_id));
    assert_eq!(app.operator().get(&path).await.expect(200)["attempts"], 2);
}

/// Proves E4: several processes that send at once send nothing twice.
#[both_engines]
async fn several_senders_send_nothing_twice(db: TestDatabase) {
    let app = TestApp::start(db).await;
    for n in 0..60 {
        send(&app, json!({ "to": format!("p{n}@x.test") })).await;
    }
    let senders: tokio::task::JoinSet<_> = (0..4)
        .map(|_| {
            let service = std::sync::Arc::clone(&app.service);
            async move { service.delivery.dispatch_mails().await.unwrap() }
        })
        .collect();
    senders.join_all().await;
    let mailbox = app.mailbox().await;
    assert_eq!(mailbox.len(), 60);
    assert!((0..60).all(|n| mailbox.to(&format!("p{n}@x.test")).len() == 1));
}

/// Proves E4: news that is old is not sent.
#[both_engines]
async fn an_old_mail_is_given_up(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let path = send(&app, json!({ "to": "ann@x.test" })).await;
    app.world.clock.advance(MAIL_MAX_AGE + SignedDuration::from_secs(1));
    assert!(app.mailbox().await.is_empty());
    assert_eq!(state(&app, &path).await, "dead");
}

/// Proves E4: an account's mails look as it chose; what it chose cannot break out of its place.
#[both_engines]
async fn branding_applies_to_the_mails_of_its_account(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path("/branding");
    let before = app.operator().get(&path).await;
    assert_eq!(before.expect(200)["brand_name"], Value::Null);
    let branding = json!({
        "brand_name": "<script>Å & Co</script>", "logo_url": "https://cdn.example.test/l.png",
        "accent_color": "#AABBCC", "support_contact": "+46 8 123", "sender_name": "Co IT", "reply_to": "it@co.test",
    });
    let owner = tenant.sign_in(&app, "boss@acme.test", Some(&["nac-team-lead"])).await;
    let replace = |version: &str| owner.request(Method::PUT, &path).header("If-Match", version).json(&branding);
    let after = Answer::of(replace(before.header("etag"))).await;
    assert_eq!(after.expect(200)["accent_color"], "#aabbcc");
    assert_eq!(newest_action(&app, &tenant).await, "branding.replaced");
    Answer::of(replace(before.header("etag"))).await.problem(412, "precondition_failed");
    send(&app, json!({ "to": "ann@x.test", "account_id": tenant.account_id })).await;
    let mail = app.mailbox().await.last_to("ann@x.test");
    assert_eq!(mail.subject(), "A test mail from <script>Å & Co</script>");
    assert!(mail.text().contains("Questions? +46 8 123"), "{}", mail.text());
    let html = &mail.mail().html;
    assert!(!html.contains("<script>") && html.contains("Å &amp; Co"), "{html}");
    assert!(html.contains("src=\"https:&#x2f;&#x2f;cdn.example.test&#x2f;l.png\""), "{html}");
    assert_eq!(mail.mail().sender_name, "Co IT");
    assert_eq!(mail.mail().reply_to.as_ref().unwrap().as_str(), "it@co.test");
    for (field, value) in [
        ("logo_url", "http://cdn.example.test/l.png"),
        ("accent_color", "red;x:y"),
        ("brand_name", "a\r\nBcc: x@x.test"),
        ("reply_to", "x\r\n@x.test"),
    ] {
        let problem = owner.put(&path, &json!({ field: value })).await.problem(422, "invalid_input");
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"));
    }
}

/// Proves E4: outside of development no caller reads a mail by the API.
#[both_engines]
async fn there_is_a_mailbox_in_development_alone(db: TestDatabase) {
    let app = TestApp::start(db).await;
    app.operator().get("/v1/mailbox").await.problem(404, "not_found");
    app.operator().delete("/v1/mailbox").await.problem(404, "not_found");
}

/// Proves E4: in development, what would have been sent is read by the API, with its links.
#[both_engines]
async fn the_mailbox_of_development_shows_what_would_have_been_sent(db: TestDatabase) {
    let app = TestApp::start_development(db).await;
    for to in ["ann@x.test", "bob@x.test"] {
        send(&app, json!({ "to": to })).await;
    }
    app.service.delivery.dispatch_mails().await.unwrap();
    let all = app.operator().get("/v1/mailbox").await.expect(200);
    assert_eq!(all["items"][0]["to"], "bob@x.test");
    assert_eq!(all["items"][1]["to"], "ann@x.test");
    let mine = app.operator().get("/v1/mailbox?to=Ann@X.test").await.expect(200);
    assert_eq!(mine["items"].as_array().unwrap().len(), 1);
    assert_eq!(mine["items"][0]["subject"], "A test mail from Vestibule");
    assert_eq!(app.operator().delete("/v1/mailbox").await.status, 204);
    assert_eq!(app.operator().get("/v1/mailbox").await.expect(200)["items"], json!([]));
}

/// Proves E2: where mails lead is part of an application, checked as redirect URIs are.
#[both_engines]
async fn the_pages_of_an_application_are_checked(db: TestDatabase) {
    let app = TestApp::start(db).await;
    let tenant = Tenant::create(&app, "acme").await;
    let path = tenant.path(&format!("/applications/{}", tenant.client_id));
    let pages = json!({ "pages": { "accept_invitation": "https://app.example.test/accept" } });
    let changed = app.operator().patch(&path, &pages).await.expect(200);
    assert_eq!(changed["pages"]["accept_invitation"], "https://app.example.test/accept");
    assert_eq!(changed["pages"]["magic_link"], Value::Null);
    for bad in ["http://app.example.test/x", "https://app.example.test/#/x", "javascript:alert(1)"] {
        let answer = app.operator().patch(&path, &json!({ "pages": { "reset_password": bad } })).await;
        assert_eq!(answer.problem(422, "invalid_input")["errors"][0]["pointer"], "/pages/reset_password");
    }
}
