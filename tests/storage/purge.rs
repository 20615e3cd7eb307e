//! Housekeeping removes what has served its time, and nothing else.

use domain::idempotency::{IDEMPOTENCY_RETENTION, IdempotencyRecord};
use domain::sign_in_attempt::ATTEMPT_RETENTION;
use domain::sso::pending_sign_in::PendingSignIn;
use jiff::{SignedDuration, Timestamp};
use storage::housekeeping::{CODE_RETENTION, PENDING_SIGN_IN_RETENTION, Purged, SESSION_RETENTION, purge_expired};
use storage::{
    Tx, authorization_codes, consumed_assertions, idempotency, pending_sign_ins, refresh_tokens, sessions,
    sign_in_attempts,
};
use tests::both_engines;

use crate::samples::{Tenant, at, attempt, code, pending, session, tenant, token};

const NOW: i64 = 100 * 24 * 3_600_000;

/// One row of each table that has served its time since `age` ago; returns the token of the session.
async fn store_all(tx: &mut Tx, tenant: &Tenant, age: SignedDuration, name: &str) -> domain::session::RefreshToken {
    let ago = |retention: SignedDuration| -> Timestamp { at(NOW) - retention - age };
    let mut attempt = attempt(tenant);
    attempt.started_at = ago(ATTEMPT_RETENTION);
    sign_in_attempts::insert(tx, &attempt).await.unwrap();
    let waiting = PendingSignIn { expires_at: ago(PENDING_SIGN_IN_RETENTION), ..pending(tenant) };
    pending_sign_ins::insert(tx, &waiting).await.unwrap();
    let (connection, account) = (tenant.connection.id, tenant.account.id);
    consumed_assertions::insert(tx, connection, account, name, at(NOW) - age).await.unwrap();
    let mut code = code(tenant);
    code.issued_at = ago(CODE_RETENTION);
    authorization_codes::insert(tx, &code).await.unwrap();
    let mut session = session(tenant);
    session.expires_at = ago(SESSION_RETENTION);
    sessions::insert(tx, &session).await.unwrap();
    let token = token(&session);
    refresh_tokens::insert(tx, account, &token).await.unwrap();
    let record = IdempotencyRecord {
        caller: "caller".to_owned(),
        key: name.to_owned(),
        request_digest: [0; 32],
        resource: "usr_1".to_owned(),
        created_at: ago(IDEMPOTENCY_RETENTION),
    };
    assert!(idempotency::insert(tx, &record).await.unwrap());
    token
}

fn each(count: u64) -> Purged {
    Purged {
        pending_sign_ins: count,
        consumed_assertions: count,
        authorization_codes: count,
        sessions: count,
        sign_in_attempts: count,
        idempotency_records: count,
    }
}

both_engines! {
    /// Proves that rows go exactly when their time is over, a bounded batch at a time, and tokens with their session.
    async fn what_has_served_its_time_goes_in_batches(db) {
        let tenant = tenant(&db.store, "acme").await;
        let mut tx = db.store.begin().await.unwrap();
        let over = SignedDuration::from_millis(1);
        let mut gone = vec![];
        for name in ["one", "two", "three"] {
            gone.push(store_all(&mut tx, &tenant, over, name).await);
        }
        let kept = store_all(&mut tx, &tenant, SignedDuration::ZERO, "kept").await;
        assert_eq!(purge_expired(&mut tx, at(NOW), 2).await.unwrap(), each(2));
        let rest = purge_expired(&mut tx, at(NOW), 2).await.unwrap();
        assert_eq!((rest, rest.most()), (each(1), 1));
        assert_eq!(purge_expired(&mut tx, at(NOW), 2).await.unwrap(), each(0));
        for token in gone {
            assert!(refresh_tokens::by_digest(&mut tx, token.digest).await.unwrap().is_none());
        }
        assert_eq!(refresh_tokens::by_digest(&mut tx, kept.digest).await.unwrap(), Some(kept));
    }
}
