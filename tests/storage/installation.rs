//! Signing keys, operator keys, the audit log, idempotency keys, facts about the installation.

use domain::audit::{AuditAction, AuditEvent, PropertyChange};
use domain::idempotency::IdempotencyRecord;
use domain::operator_key::OperatorKey;
use domain::signing_key::SigningKeyState::{Active, Retired, Retiring, Upcoming};
use domain::signing_key::{SigningAlgorithm, SigningKey};
use domain::{AccountId, AuditEventId, OperatorKeyId};
use serde_json::{Value, json};
use storage::audit_events::AuditFilter;
use storage::{Page, StorageError, Unique, audit_events, idempotency, installation, operator_keys, signing_keys};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{at, digest, fresh, label, signing_key, stored_account};

fn event(account_id: Option<AccountId>, action: AuditAction) -> AuditEvent {
    AuditEvent {
        id: AuditEventId::from_uuid(fresh()),
        account_id,
        at: at(0),
        actor_kind: "system".to_owned(),
        actor_id: None,
        action,
        target: "usr_1".to_owned(),
        changes: vec![],
        client_address: None,
    }
}

/// Proves I1: keys read back, retired ones are published no more, and a key moves from the state it is in.
#[both_engines]
async fn a_signing_key_reads_back_and_moves_on(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let active = SigningKey { algorithm: SigningAlgorithm::EdDsa, ..signing_key(Active) };
    let upcoming = signing_key(Upcoming);
    for key in [&active, &upcoming, &signing_key(Retired)] {
        signing_keys::insert(&mut tx, key).await.unwrap();
    }
    assert_eq!(signing_keys::list_published(&mut tx).await.unwrap(), [active.clone(), upcoming.clone()]);
    assert!(!signing_keys::move_state(&mut tx, active.id, Retiring, Retired, at(5)).await.unwrap());
    assert!(signing_keys::move_state(&mut tx, active.id, Active, Retiring, at(5)).await.unwrap());
    assert!(signing_keys::move_state(&mut tx, upcoming.id, Upcoming, Active, at(6)).await.unwrap());
    let published = signing_keys::list_published(&mut tx).await.unwrap();
    assert_eq!(published[0], SigningKey { state: Retiring, since: at(5), ..active });
    assert_eq!(published[1], SigningKey { state: Active, since: at(6), ..upcoming });
}

/// Proves I1: one key signs, however a second one is brought about.
#[both_engines]
async fn there_is_one_active_signing_key(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let upcoming = signing_key(Upcoming);
    signing_keys::insert(&mut tx, &signing_key(Active)).await.unwrap();
    signing_keys::insert(&mut tx, &upcoming).await.unwrap();
    let second = signing_keys::insert(&mut tx, &signing_key(Active)).await;
    assert!(matches!(second, Err(StorageError::Conflict(Unique::ActiveSigningKey))), "{second:?}");
    let (from, to) = (Upcoming, Active);
    assert!(!signing_keys::move_state(&mut tx, upcoming.id, from, to, at(5)).await.unwrap());
}

/// Proves A5: an operator's key is found by digest, and revoked once.
#[both_engines]
async fn an_operator_key_reads_back_and_is_revoked_once(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let key = |revoked_at| {
        let id = OperatorKeyId::from_uuid(fresh());
        OperatorKey { id, name: label("drift"), digest: digest(), created_at: at(0), revoked_at }
    };
    let (live, revoked) = (key(None), key(Some(at(1))));
    for stored in [&live, &revoked] {
        operator_keys::insert(&mut tx, stored).await.unwrap();
        assert_eq!(operator_keys::by_digest(&mut tx, stored.digest).await.unwrap().as_ref(), Some(stored));
    }
    assert_eq!(operator_keys::list(&mut tx).await.unwrap(), [live.clone(), revoked]);
    assert!(operator_keys::revoke(&mut tx, live.id, at(2)).await.unwrap());
    assert!(!operator_keys::revoke(&mut tx, live.id, at(3)).await.unwrap());
    let read = operator_keys::by_digest(&mut tx, live.digest).await.unwrap().unwrap();
    assert_eq!(read.revoked_at, Some(at(2)));
    assert!(operator_keys::by_digest(&mut tx, digest()).await.unwrap().is_none());
}

/// Proves H3: events read back and are listed newest first, by each filter.
#[both_engines]
async fn audit_events_are_listed_newest_first_by_each_filter(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await.id;
    let change = |before: Value, after: Value| PropertyChange { property: "a.b".to_owned(), before, after };
    let rows = [
        event(Some(account), AuditAction::UserCreated),
        AuditEvent {
            at: at(1),
            actor_kind: "user".to_owned(),
            actor_id: Some("usr_2".to_owned()),
            changes: vec![change(Value::Null, json!({"å": [1, -2.5, "x"]})), change(json!(i64::MAX), json!(false))],
            client_address: Some("2001:db8::1".to_owned()),
            ..event(Some(account), AuditAction::UserUpdated)
        },
        AuditEvent { at: at(2), target: "app_1".to_owned(), ..event(Some(account), AuditAction::ApplicationDeleted) },
    ];
    for row in &rows {
        audit_events::insert(&mut tx, row).await.unwrap();
    }
    let none = AuditFilter::default();
    let cases = [
        (none.clone(), vec![2, 1, 0]),
        (AuditFilter { action: Some(AuditAction::UserCreated), ..none.clone() }, vec![0]),
        (AuditFilter { action: Some(AuditAction::UserDeleted), ..none.clone() }, vec![]),
        (AuditFilter { actor_id: Some("usr_2".to_owned()), ..none.clone() }, vec![1]),
        (AuditFilter { target: Some("usr_1".to_owned()), ..none.clone() }, vec![1, 0]),
        (AuditFilter { since: Some(at(1)), ..none.clone() }, vec![2, 1]),
        (AuditFilter { until: Some(at(1)), ..none.clone() }, vec![0]),
    ];
    for (filter, expected) in cases {
        let found = audit_events::list(&mut tx, account, &filter, &Page::first(9)).await.unwrap();
        let expected: Vec<_> = expected.into_iter().map(|i: usize| rows[i].clone()).collect();
        assert_eq!(found.items, expected, "{filter:?}");
    }
}

/// Proves H3: what concerns the installation is read apart from what concerns an account.
#[both_engines]
async fn events_of_the_installation_stand_apart(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await.id;
    let (own, first, second) = (
        event(Some(account), AuditAction::UserCreated),
        event(None, AuditAction::OperatorKeyCreated),
        event(None, AuditAction::SigningKeyMoved),
    );
    for row in [&own, &first, &second] {
        audit_events::insert(&mut tx, row).await.unwrap();
    }
    let none = AuditFilter::default();
    assert_eq!(audit_events::list(&mut tx, account, &none, &Page::first(9)).await.unwrap().items, [own]);
    let page = audit_events::list_of_installation(&mut tx, &none, &Page::first(1)).await.unwrap();
    let next = Page { after: page.next, limit: 1 };
    let rest = audit_events::list_of_installation(&mut tx, &none, &next).await.unwrap();
    assert_eq!((page.items, rest.items, rest.next), (vec![second], vec![first], None));
}

/// Proves that a creating request which is sent twice is known the second time, and to its own caller alone.
#[both_engines]
async fn an_idempotency_key_is_used_once_per_caller(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let record = |caller: &str| IdempotencyRecord {
        caller: caller.to_owned(),
        key: "nyckel-1".to_owned(),
        request_digest: *digest().as_bytes(),
        resource: "usr_1".to_owned(),
        created_at: at(0),
    };
    let (first, other) = (record("one"), record("two"));
    assert!(idempotency::insert(&mut tx, &first).await.unwrap());
    assert!(!idempotency::insert(&mut tx, &record("one")).await.unwrap());
    assert!(idempotency::insert(&mut tx, &other).await.unwrap());
    assert_eq!(idempotency::find(&mut tx, "one", "nyckel-1").await.unwrap(), Some(first));
    assert_eq!(idempotency::find(&mut tx, "two", "nyckel-1").await.unwrap(), Some(other));
    assert!(idempotency::find(&mut tx, "one", "\0").await.unwrap().is_none());
}

/// Proves that a fact about the installation is written once.
#[both_engines]
async fn a_fact_about_the_installation_is_written_once(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    assert!(installation::get(&mut tx, "canary").await.unwrap().is_none());
    assert!(installation::put_if_absent(&mut tx, "canary", &[0, 1, 255]).await.unwrap());
    assert!(!installation::put_if_absent(&mut tx, "canary", &[9]).await.unwrap());
    assert_eq!(installation::get(&mut tx, "canary").await.unwrap(), Some(vec![0, 1, 255]));
}
