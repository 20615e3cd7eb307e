//! The outbox over `kill -9` and with several processes (E4).

use std::collections::BTreeMap;

use domain::MailId;
use domain::language::Language;
use domain::mail::{Mail, MailKind, MailMessage, MailState};
use jiff::Timestamp;
use serde_json::Value;
use server::adapters::AesGcmSealer;
use service::ports::Sealer as _;
use storage::Store;
use tests::both_engines;
use tests::databases::{Engine, database};
use tests::process::{Installation, MASTER_KEY_BYTES};
use uuid::Uuid;

use crate::smtp_server::SmtpServer;

/// Mails in the outbox at the beginning.
const MAILS: usize = 2_000;
/// How often the process is killed meanwhile.
const KILLS: usize = 10;

/// Writes mails as one change would: in one transaction.
async fn write_mails(store: &Store) {
    let (sealer, now) = (AesGcmSealer::new(&MASTER_KEY_BYTES), Timestamp::now());
    let message = serde_json::to_vec(&MailMessage::Test).unwrap();
    let mails: Vec<Mail> = (0..MAILS)
        .map(|n| {
            let id = MailId::from_uuid(Uuid::now_v7());
            Mail {
                id,
                account_id: None,
                kind: MailKind::Test,
                language: Language::English,
                recipient: format!("p{n}@x.test").try_into().unwrap(),
                message_id: format!("{id}@login.example.test"),
                sealed_message: Some(sealer.seal(&format!("outbox/{id}"), &message)),
                state: MailState::Queued,
                attempts: 0,
                due_at: Some(now),
                last_error: None,
                expires_at: None,
                settled_at: None,
                created_at: now,
            }
        })
        .collect();
    let mut tx = store.begin().await.unwrap();
    storage::outbox::insert_all(&mut tx, &mails).await.unwrap();
    tx.commit().await.unwrap();
}

fn sending_to(server: &SmtpServer, database_url: &str) -> Installation {
    let mut installation = Installation::on_database(database_url);
    installation.set("MAIL__HOST", "127.0.0.1");
    installation.set("MAIL__PORT", &server.port.to_string());
    installation.set("MAIL__SECURITY", "none");
    installation.set("MAIL__FROM", "no-reply@example.test");
    installation.set("MAIL__TIMEOUT_SECONDS", "1");
    installation
}

/// How often each mail came, by its recipient; and that a repeated one has the same `Message-ID`.
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

async fn count(store: &Store, state: MailState) -> u64 {
    storage::outbox::count(&mut store.read().await.unwrap(), state).await.unwrap()
}

/// Comes back when every mail is settled.
async fn drained(store: &Store) {
    while count(store, MailState::Delivered).await < u64::try_from(MAILS).unwrap() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

both_engines! {
    /// Proves E4: killed ten times meanwhile, no mail is lost, and one is repeated for each kill at most.
    async fn no_mail_is_lost_over_kills_and_one_is_repeated_for_each_at_most(db) {
        let server = SmtpServer::start(&[]);
        let installation = sending_to(&server, &db.url);
        write_mails(&db.store).await;
        for kill in 1..=KILLS {
            let running = installation.serve().await;
            server.took(kill * MAILS / (KILLS + 2)).await;
            running.kill();
        }
        let _running = installation.serve().await;
        drained(&db.store).await;
        let counts = deliveries(&server.mails());
        assert_eq!(counts.len(), MAILS, "mails were lost");
        let repeated = server.mails().len() - MAILS;
        assert!(repeated <= KILLS, "{repeated} mails were repeated");
        assert!(counts.values().all(|count| *count <= 2), "a mail came three times");
    }
}

/// Proves E4: two processes share the work, and no mail comes twice; and one that is asked to stop repeats nothing.
#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_send_no_mail_twice() {
    let db = database(Engine::Postgres).await;
    let server = SmtpServer::start(&[]);
    write_mails(&db.store).await;
    let replicas = [sending_to(&server, &db.url), sending_to(&server, &db.url)];
    let _first = replicas[0].serve().await;
    let mut second = replicas[1].serve().await;
    server.took(MAILS / 2).await;
    assert!(second.terminate().success());
    drained(&db.store).await;
    assert_eq!(server.mails().len(), MAILS);
    assert_eq!(deliveries(&server.mails()).len(), MAILS);
    assert!(server.connections() >= 2, "one of them did nothing");
}
