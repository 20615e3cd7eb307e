//! The outbox over `kill -9` and with several processes (E4).

use std::collections::BTreeMap;
use std::time::Duration;

use domain::mail::MailState;
use reqwest::Method;
use serde_json::{Value, json};
use storage::Store;
use tests::both_engines;
use tests::client::Answer;
use tests::databases::{Engine, TestDatabase, database};
use tests::process::Installation;
use tokio::time::{sleep, timeout};

use crate::organization::Organization;
use crate::smtp_server::SmtpServer;

/// Mails that are enough to be killed ten times in between; CI need not wait for
/// the ten thousand that one call may invite.
const INVITED: usize = 2_000;
/// The first owner's own invitation, which goes out once there is a page for it.
const OWNER_MAILS: usize = 1;
/// The variable that says another number.
const VARIABLE: &str = "VESTIBULE_INVITATIONS";
/// Number of times that the process is killed while their mails are sent.
const KILLS: usize = 10;
/// Number of mails that two processes share.
const SHARED: usize = 2_000;
/// Time after which the call that invites is killed: it is being worked off then.
const INTERRUPTED_AFTER: Duration = Duration::from_millis(100);
/// Pause between two looks at the outbox.
const POLL: Duration = Duration::from_millis(50);

fn invited() -> usize {
    std::env::var(VARIABLE).map_or(INVITED, |number| number.parse().unwrap())
}

/// An account whose invitations lead to a page.
async fn organization(installation: &Installation) -> Organization {
    let key = installation.json(&["operator-key", "create", "--development", "--name", "tests"]);
    let operator = installation.anonymous().bearing(key["key"].as_str().unwrap());
    let organization = Organization::create(installation.anonymous(), operator, "acme").await;
    organization.set_page("accept_invitation", "https://app.example.test/accept").await;
    organization
}

/// Invites so many in one call, which may be sent again.
async fn invite(organization: &Organization, count: usize) -> Answer {
    let row = |n| json!({ "email": format!("p{n}@x.test"), "roles": ["organization_member"] });
    let rows: Vec<Value> = (0..count).map(row).collect();
    let body = json!({ "portal": "admin", "accept_by": "password", "invitations": rows });
    let path = format!("{}/invitation-batches", organization.account_path);
    let request = organization.operator.request(Method::POST, &path);
    Answer::of(request.header("idempotency-key", "everybody").json(&body)).await
}

/// An installation that sends its mail to this server.
pub fn sending_to(server: &SmtpServer, database_url: &str) -> Installation {
    let mut installation = Installation::on_database(database_url);
    installation.set("MAIL__HOST", "127.0.0.1");
    installation.set("MAIL__PORT", &server.port.to_string());
    installation.set("MAIL__SECURITY", "none");
    installation.set("MAIL__FROM", "no-reply@example.test");
    installation.set("MAIL__TIMEOUT_SECONDS", "1");
    installation
}

/// Counts the deliveries by recipient, and fails where a repeated mail has another `Message-ID`.
fn deliveries(mails: &[Value]) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::<String, String>::new();
    let mut counts = BTreeMap::new();
    for mail in mails {
        let (to, id) = (mail["to"].as_str().unwrap().to_owned(), mail["message_id"].as_str().unwrap().to_owned());
        assert_eq!(*ids.entry(to.clone()).or_insert_with(|| id.clone()), id, "{to} got it under another Message-ID");
        *counts.entry(to).or_default() += 1;
    }
    counts
}

/// Number of mails that are in one of these states.
async fn count(store: &Store, states: &[MailState]) -> usize {
    let mut found = 0;
    for state in states {
        found += storage::outbox::count(&mut store.read().await.unwrap(), *state).await.unwrap();
    }
    found.try_into().unwrap()
}

/// Comes back when so many mails are delivered.
async fn delivered(store: &Store, mails: usize) {
    while count(store, &[MailState::Delivered]).await < mails {
        sleep(POLL).await;
    }
}

/// Proves E1, E4: a call that invites ten thousand is done whole or not at all; killed ten times while the mails go
/// out, none is lost, and one is repeated for each kill at most.
#[both_engines]
async fn no_invitation_is_lost_over_kills_and_one_is_repeated_for_each_at_most(db: TestDatabase) {
    let server = SmtpServer::start(&[]);
    let installation = sending_to(&server, &db.url);
    let running = installation.serve().await;
    let organization = organization(&installation).await;
    let invited = invited();
    let _ = timeout(INTERRUPTED_AFTER, invite(&organization, invited)).await;
    running.kill();
    let kept = count(&db.store, &[MailState::Queued, MailState::Sending, MailState::Delivered]).await - OWNER_MAILS;
    assert!(kept == 0 || kept == invited, "{kept} of {invited} invitations were kept");
    let mut running = installation.serve().await;
    assert_eq!(invite(&organization, invited).await.expect(201)["invited"], invited);
    for kill in 1..=KILLS {
        server.took(kill * invited / (KILLS + 2)).await;
        running.kill();
        running = installation.serve().await;
    }
    assert_eq!(invite(&organization, invited).await.expect(201)["invited"], invited);
    delivered(&db.store, invited + OWNER_MAILS).await;
    let counts = deliveries(&server.mails());
    assert_eq!(counts.len(), invited + OWNER_MAILS, "mails were lost");
    let repeated = server.mails().len() - invited - OWNER_MAILS;
    assert!(repeated <= KILLS, "{repeated} mails were repeated");
    assert!(counts.values().all(|count| *count <= 2), "a mail came three times");
}

/// Proves E4: two processes share the work, and no mail comes twice; and one that is asked to stop repeats nothing.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_send_no_mail_twice() {
    let db = database(Engine::Postgres).await;
    let server = SmtpServer::start(&[]);
    let replicas = [sending_to(&server, &db.url), sending_to(&server, &db.url)];
    let _first = replicas[0].serve().await;
    let mut second = replicas[1].serve().await;
    invite(&organization(&replicas[0]).await, SHARED).await.expect(201);
    server.took(SHARED / 2).await;
    assert!(second.terminate().success());
    delivered(&db.store, SHARED + OWNER_MAILS).await;
    assert_eq!(server.mails().len(), SHARED + OWNER_MAILS);
    assert_eq!(deliveries(&server.mails()).len(), SHARED + OWNER_MAILS);
    assert!(server.connections() >= 2, "one of them did nothing");
}
