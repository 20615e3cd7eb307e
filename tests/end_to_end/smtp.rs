//! Mail to aiosmtpd, a mail server that is not ours: TLS, sign-in, refusals, and a server that is not there (E4).

use std::time::{Duration, Instant};

use domain::language::Language;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::json;
use server::adapters::mail::{Security, SmtpMailer, SmtpSettings};
use service::ports::{Delivery, Mailer as _, RenderedMail};
use tests::assert_fields;
use tests::databases::{Engine, database};
use tests::process::free_port;

use crate::mail_kills::sending_to;
use crate::smtp_server::SmtpServer;

const TIMEOUT: Duration = Duration::from_secs(10);

fn settings(port: u16, security: Security) -> SmtpSettings {
    SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security,
        credentials: None,
        ca_pem: None,
        from: "no-reply@example.test".to_owned().try_into().unwrap(),
        hello_name: "login.example.test".to_owned(),
        timeout: TIMEOUT,
    }
}

fn trusting(server: &SmtpServer, security: Security, password: Option<&str>) -> SmtpSettings {
    let credentials = password.map(|password| ("ann".to_owned(), SecretString::from(password)));
    SmtpSettings { ca_pem: Some(server.ca.clone().into_bytes()), credentials, ..settings(server.port, security) }
}

fn mail(to: &str) -> RenderedMail {
    RenderedMail {
        message_id: format!("{to}.1"),
        date: Timestamp::now(),
        sender_name: "Åkes Bil".to_owned(),
        reply_to: None,
        to: to.to_owned().try_into().unwrap(),
        language: Language::Swedish,
        subject: "Hej på dig".to_owned(),
        text: "https://app.example.test/#token=vil_abc\n.\n".to_owned(),
        html: "<p>Hej</p>".to_owned(),
    }
}

async fn send(settings: SmtpSettings) -> Delivery {
    SmtpMailer::new(settings).unwrap().send(&mail("ann@x.test")).await
}

#[track_caller]
fn unavailable(delivery: &Delivery, because: &str) {
    let Delivery::Unavailable(reason) = delivery else { panic!("{delivery:?}") };
    assert!(reason.contains(because), "{reason}");
}

/// Proves E4: mail goes by STARTTLS and by TLS, signed in, as it was written.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_over_tls_and_signed_in() {
    for (tls, security) in [("starttls", Security::StartTls), ("implicit", Security::Tls)] {
        let auth = if tls == "starttls" { &["--tls", tls, "--auth", "ann:s3cret"][..] } else { &["--tls", tls] };
        let server = SmtpServer::start(auth);
        let password = (tls == "starttls").then_some("s3cret");
        assert_eq!(send(trusting(&server, security, password)).await, Delivery::Delivered);
        server.took(1).await;
        let taken = server.mails().remove(0);
        assert_fields!(taken, { "to": "ann@x.test", "tls": true });
        assert_eq!(taken["auth"], json!(password.is_some()));
        assert_eq!(taken["message_id"], "<ann@x.test.1>");
        let raw = taken["raw"].as_str().unwrap();
        assert!(raw.contains("\r\n..\r\n") || raw.contains("\r\n.\r\n"), "the line of one dot is lost: {raw}");
        assert!(raw.contains("https://app.example.test/#token") && raw.contains("text/html"), "{raw}");
        let checked = SmtpMailer::new(trusting(&server, security, password)).unwrap().check().await.unwrap();
        assert!(checked.contains("takes mail, TLS"), "{checked}");
    }
}

/// Proves E4: nothing is sent to a server whose certificate is not trusted, or in clear where TLS was asked for;
/// and what is wrong is said.
#[tokio::test(flavor = "multi_thread")]
async fn mail_goes_to_nobody_else() {
    let server = SmtpServer::start(&["--tls", "starttls"]);
    unavailable(&send(settings(server.port, Security::StartTls)).await, "TLS with 127.0.0.1");
    let plain = SmtpServer::start(&[]);
    unavailable(&send(trusting(&plain, Security::StartTls, None)).await, "offers no STARTTLS");
    unavailable(&send(trusting(&plain, Security::Tls, None)).await, "cannot be connected to");
    assert!(server.mails().is_empty() && plain.mails().is_empty());
    assert_eq!(send(settings(plain.port, Security::None)).await, Delivery::Delivered);
}

/// Proves E4: a wrong or missing password is about the server, and kills no mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_concerns_all_mails() {
    let server = SmtpServer::start(&["--tls", "starttls", "--auth", "ann:s3cret"]);
    unavailable(&send(trusting(&server, Security::StartTls, Some("wrong"))).await, "does not let ann in");
    unavailable(&send(trusting(&server, Security::StartTls, None)).await, "530");
    let doctor = SmtpMailer::new(trusting(&server, Security::StartTls, Some("wrong"))).unwrap().check().await;
    assert!(doctor.unwrap_err().contains("does not let ann in"));
}

/// Proves E4: each refusal means what it says, and the connection is kept for the next mail.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_concerns_its_mail_and_the_connection_stays() {
    let mut server = SmtpServer::start(&[]);
    let mailer = SmtpMailer::new(settings(server.port, Security::None)).unwrap();
    let table = [
        ("rcpt", "450 4.2.1 greylisted", "deferred"),
        ("data", "452 4.3.1 full", "deferred"),
        ("rcpt", "550 5.1.1 no such user", "rejected"),
        ("data", "554 5.7.1 spam", "rejected"),
    ];
    for (at, reply, wanted) in table {
        server.fault(&json!({ "at": at, "reply": reply })).await;
        let (kind, reason) = match mailer.send(&mail("ann@x.test")).await {
            Delivery::Deferred(reason) => ("deferred", reason),
            Delivery::Rejected(reason) => ("rejected", reason),
            other => panic!("{other:?}"),
        };
        assert_eq!(kind, wanted, "{reason}");
        assert!(reason.contains(&reply[4..]), "{reason}");
        assert_eq!(mailer.send(&mail("bob@x.test")).await, Delivery::Delivered, "after {reply}");
    }
    assert_eq!(server.connections(), 1);
    server.fault(&json!({ "at": "mail", "reply": "550 5.7.1 sender refused" })).await;
    unavailable(&mailer.send(&mail("ann@x.test")).await, "sender refused");
    assert_eq!(mailer.send(&mail("bob@x.test")).await, Delivery::Delivered);
    assert_eq!(server.connections(), 2);
}

/// Proves E4: a server that closes the connection or stalls over a mail whose sender it took puts that mail off,
/// and the next one goes out.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_over_a_mail_counts_against_that_mail() {
    let mut server = SmtpServer::start(&[]);
    let within = Duration::from_secs(2);
    let mailer = SmtpMailer::new(SmtpSettings { timeout: within, ..settings(server.port, Security::None) }).unwrap();
    for fault in ["drop", "stall"] {
        for at in ["rcpt", "data"] {
            server.fault(&json!({ "at": at, fault: true })).await;
            let lost = mailer.send(&mail("ann@x.test")).await;
            assert!(matches!(lost, Delivery::Deferred(_)), "{fault} at {at}: {lost:?}");
            assert_eq!(mailer.send(&mail("bob@x.test")).await, Delivery::Delivered, "after {fault} at {at}");
        }
    }
    server.fault(&json!({ "at": "mail", "drop": true })).await;
    assert_eq!(mailer.send(&mail("bob@x.test")).await, Delivery::Delivered, "the kept connection was closed");
    server.fault(&json!({ "at": "rcpt", "drop": true })).await;
    mailer.send(&mail("ann@x.test")).await;
    server.fault(&json!({ "at": "mail", "drop": true })).await;
    unavailable(&mailer.send(&mail("bob@x.test")).await, "");
}

/// Proves E4: a server that is not there, or does not take part, delays for a bounded time.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_or_stalled_server_is_given_up_in_time() {
    unavailable(&send(settings(free_port(), Security::None)).await, "cannot be connected to");
    let mut server = SmtpServer::start(&[]);
    server.fault(&json!({ "at": "mail", "stall": true })).await;
    let within = Duration::from_secs(1);
    let mailer = SmtpMailer::new(SmtpSettings { timeout: within, ..settings(server.port, Security::None) }).unwrap();
    let begun = Instant::now();
    unavailable(&mailer.send(&mail("ann@x.test")).await, "does not answer within 1 s");
    assert!(begun.elapsed() < TIMEOUT, "{:?}", begun.elapsed());
    assert_eq!(mailer.send(&mail("ann@x.test")).await, Delivery::Delivered);
}

/// Proves E4: addresses over which the server drops the connection delay no mail to others, and are given up like
/// others.
#[tokio::test(flavor = "multi_thread")]
async fn addresses_over_which_the_server_gives_up_stop_no_other_mail() {
    let mut server = SmtpServer::start(&[]);
    let db = database(Engine::Sqlite).await;
    let installation = sending_to(&server, &db.url);
    let _running = installation.serve().await;
    let key = installation.json(&["operator-key", "create", "--development", "--name", "tests"]);
    let operator = installation.anonymous().bearing(key["key"].as_str().unwrap());
    let send = async |to: &str| operator.post("/v1/test-mails", &json!({ "to": to })).await.expect(201);
    let mut hostile = vec![];
    for n in 0..4 {
        let to = format!("hostile{n}@x.test");
        server.fault(&json!({ "at": "rcpt", "to": to, "drop": true })).await;
        hostile.push(send(&to).await);
    }
    for n in 1..=3 {
        send(&format!("ann{n}@x.test")).await;
        tokio::time::timeout(TIMEOUT, server.took(n)).await.expect("the mail goes out");
    }
    for mail in hostile {
        let path = format!("/v1/mails/{}", mail["id"].as_str().unwrap());
        let mail = operator.get(&path).await.expect(200);
        assert_fields!(mail, { "state": "queued", "attempts": 1 });
    }
}
