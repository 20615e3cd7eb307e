//! Housekeeping removes what has served its time, and nothing else.

use domain::AttemptId;
use domain::idempotency::{IDEMPOTENCY_RETENTION, IdempotencyRecord};
use domain::login_slowdown::KNOWN_LOGIN_RETENTION;
use domain::mail::{MAIL_RETENTION, Mail, MailKind};
use domain::one_time_link::{LINK_RETENTION, LinkPurpose, OneTimeLink};
use domain::sign_in_attempt::{ATTEMPT_RETENTION, SignInAttempt};
use domain::throttle::{Pace, ThrottleKey};
use jiff::{SignedDuration, Timestamp};
use storage::housekeeping::{Purged, SESSION_RETENTION, purge_expired};
use storage::{
    Tx, idempotency, known_logins, one_time_links, outbox, refresh_tokens, sessions, sign_in_attempts, throttles,
};
use tests::both_engines;
use tests::databases::TestDatabase;
use uuid::Uuid;

use crate::samples::{Tenant, at, attempt, link, mail, session, tenant, token};

const NOW: i64 = 100 * 24 * 3_600_000;

/// One row of each table that has served its time since `age` ago; returns the token of the session.
async fn store_all(tx: &mut Tx, tenant: &Tenant, age: SignedDuration, name: &str) -> domain::session::RefreshToken {
    let ago = |retention: SignedDuration| -> Timestamp { at(NOW) - retention - age };
    let started_at = ago(ATTEMPT_RETENTION);
    let id = AttemptId::from_uuid(id_at(started_at));
    sign_in_attempts::insert(tx, &SignInAttempt { id, started_at, ..attempt(tenant) }).await.unwrap();
    let mut session = session(tenant);
    session.expires_at = ago(SESSION_RETENTION);
    sessions::insert(tx, &session).await.unwrap();
    let token = token(&session);
    refresh_tokens::insert(tx, tenant.account.id, &token).await.unwrap();
    let expires_at = ago(LINK_RETENTION);
    let link = OneTimeLink { expires_at, ..link(&tenant.user, LinkPurpose::MagicLink) };
    one_time_links::insert(tx, &link).await.unwrap();
    let record = IdempotencyRecord {
        caller: "caller".to_owned(),
        key: name.to_owned(),
        request_digest: [0; 32],
        resource: "usr_1".to_owned(),
        created_at: ago(IDEMPOTENCY_RETENTION),
    };
    assert!(idempotency::insert(tx, &record).await.unwrap());
    let period = SignedDuration::from_secs(1);
    let counted = at(NOW) - age - period;
    throttles::count(tx, ThrottleKey::of("test", &[name]), Pace { burst: 1, period }, counted).await.unwrap();
    known_logins::remember(tx, ThrottleKey::of("seen", &[name]), ago(KNOWN_LOGIN_RETENTION)).await.unwrap();
    let settled = Mail { settled_at: Some(ago(MAIL_RETENTION)), ..mail(None, MailKind::Test) };
    outbox::insert_all(tx, &[settled]).await.unwrap();
    token
}

/// An id that is given at this time.
fn id_at(time: Timestamp) -> Uuid {
    let millis = time.as_millisecond().try_into().unwrap();
    uuid::Builder::from_unix_timestamp_millis(millis, Uuid::new_v4().as_bytes()[..10].try_into().unwrap()).into_uuid()
}

fn each(count: u64) -> Purged {
    Purged {
        sessions: count,
        sign_in_attempts: count,
        one_time_links: count,
        idempotency_records: count,
        throttles: count,
        known_logins: count,
        mails: count,
    }
}

/// Proves that rows go exactly when their time is over, a bounded batch at a time, and tokens with their session.
#[both_engines]
async fn what_has_served_its_time_goes_in_batches(db: TestDatabase) {
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
        assert!(refresh_tokens::family_of(&mut tx, token.digest).await.unwrap().is_none());
    }
    assert_eq!(refresh_tokens::family_of(&mut tx, kept.digest).await.unwrap().unwrap().token, kept);
}
