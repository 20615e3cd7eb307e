//! Passwords and throttles, as they are kept.

use domain::password::{PasswordCredential, PasswordHash};
use domain::session::{Session, SessionEnd};
use domain::throttle::{Pace, ThrottleKey};
use domain::user::User;
use jiff::SignedDuration;
use storage::sessions::Ending;
use storage::{known_logins, password_credentials, sessions, throttles, users};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, at, session, tenant};

const PACE: Pace = Pace { burst: 2, period: SignedDuration::from_secs(10) };

fn credential(tenant: &Tenant, hash: &str, must_change: bool) -> PasswordCredential {
    PasswordCredential {
        account_id: tenant.account.id,
        user_id: tenant.user.id,
        hash: PasswordHash::from_phc(hash.to_owned()),
        must_change,
        set_at: at(5),
        expires_at: None,
    }
}

/// Proves B5: a user has one password at most, which is theirs alone and goes with them.
#[both_engines]
async fn a_user_has_one_password(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await, tenant(&db.store, "other").await);
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let (account, user) = (own.account.id, own.user.id);
    assert_eq!(password_credentials::by_user(tx, account, user).await.unwrap(), None);
    for sample in [credential(&own, "first", true), credential(&own, "second", false)] {
        password_credentials::set(tx, &sample).await.unwrap();
        assert_eq!(password_credentials::by_user(tx, account, user).await.unwrap(), Some(sample));
    }
    assert_eq!(password_credentials::by_user(tx, other.account.id, user).await.unwrap(), None);
    assert!(!password_credentials::delete(tx, other.account.id, user).await.unwrap());
    assert!(password_credentials::delete(tx, account, user).await.unwrap());
    password_credentials::set(tx, &credential(&own, "third", false)).await.unwrap();
    assert!(users::delete(tx, account, user).await.unwrap());
    assert_eq!(password_credentials::by_user(tx, account, user).await.unwrap(), None);
}

/// Proves B5: no user gets a password through another account.
#[both_engines]
async fn a_password_is_for_a_user_of_its_account(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await, tenant(&db.store, "other").await);
    let mut tx = db.store.begin().await.unwrap();
    let foreign = PasswordCredential { account_id: other.account.id, ..credential(&own, "x", false) };
    assert!(password_credentials::set(&mut tx, &foreign).await.is_err());
}

/// Proves B5: a change of a password that was changed meanwhile changes nothing.
#[both_engines]
async fn a_password_is_replaced_only_as_it_was_read(db: TestDatabase) {
    let own = tenant(&db.store, "own").await;
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let (read, stale) = (credential(&own, "first", true), credential(&own, "older", false));
    password_credentials::set(tx, &read).await.unwrap();
    let new = PasswordHash::from_phc("second".to_owned());
    assert!(!password_credentials::replace(tx, &stale, &new, at(9)).await.unwrap());
    assert!(!password_credentials::rehash(tx, &stale, &new).await.unwrap());
    assert!(password_credentials::rehash(tx, &read, &new).await.unwrap());
    let rehashed = PasswordCredential { hash: new, ..read };
    let found = password_credentials::by_user(tx, own.account.id, own.user.id).await.unwrap();
    assert_eq!(found.as_ref(), Some(&rehashed), "a rehash is the same password");
    let new = PasswordHash::from_phc("third".to_owned());
    assert!(password_credentials::replace(tx, &rehashed, &new, at(9)).await.unwrap());
    let replaced = PasswordCredential { hash: new, must_change: false, set_at: at(9), ..rehashed };
    let found = password_credentials::by_user(tx, own.account.id, own.user.id).await.unwrap();
    assert_eq!(found, Some(replaced));
}

/// Proves I3: the other sessions of the user end, and no other user's.
#[both_engines]
async fn other_sessions_end(db: TestDatabase) {
    let own = tenant(&db.store, "own").await;
    let other = tenant(&db.store, "other").await.account.id;
    let (kept, gone) = (session(&own), session(&own));
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    sessions::insert(tx, &kept).await.unwrap();
    sessions::insert(tx, &gone).await.unwrap();
    let (user, reason) = (own.user.id, SessionEnd::PasswordChanged);
    let ending = Ending { at: at(30), reason, kept: Some(kept.id) };
    assert_eq!(sessions::end_for_user(tx, other, user, ending).await.unwrap(), 0);
    assert_eq!(sessions::end_for_user(tx, own.account.id, user, ending).await.unwrap(), 1);
    let now = User { credential_epoch: own.user.credential_epoch.next(), ..own.user.clone() };
    for session in [&kept, &gone] {
        sessions::carry_on(tx, &now, session.id).await.unwrap();
    }
    let carried = Session { credential_epoch: now.credential_epoch, ..kept.clone() };
    assert_eq!(sessions::by_id(tx, own.account.id, kept.id).await.unwrap(), Some(carried));
    let ended = sessions::by_id(tx, own.account.id, gone.id).await.unwrap().unwrap();
    assert_eq!(ended.credential_epoch, own.user.credential_epoch, "what has ended is not taken along");
    assert_eq!(sessions::by_id(tx, own.account.id, gone.id).await.unwrap().unwrap().ended, Some((at(30), reason)));
}

/// Proves B5: throttles that are counted by one statement count as if by one each, and all give back what they counted.
#[both_engines]
async fn throttles_are_counted_and_given_back_together(db: TestDatabase) {
    let keys: Vec<ThrottleKey> =
        ["a", "b", "c", "d", "e", "f", "g", "h"].map(|name| ThrottleKey::of("test", &[name])).into();
    let slow = Pace { burst: 2, period: SignedDuration::from_secs(30) };
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    for (now, clear, clear_slow) in [(0, 10, 30), (0, 20, 60), (5, 30, 90), (100, 110, 130)] {
        let two = [(keys[0], PACE), (keys[1], slow)];
        let counted = throttles::count_two(tx, two, at(now * 1_000)).await.unwrap();
        assert_eq!(counted, [at(clear * 1_000), at(clear_slow * 1_000)], "{now}");
    }
    for key in &keys[2..] {
        throttles::count(tx, *key, PACE, at(100_000)).await.unwrap();
    }
    let all: Vec<_> = keys.iter().map(|key| (*key, if *key == keys[1] { slow } else { PACE })).collect();
    throttles::give_back_all(tx, &all).await.unwrap();
    for (key, pace) in all {
        let clear = throttles::count(tx, key, pace, at(100_000)).await.unwrap();
        assert_eq!(clear, at(100_000) + pace.period);
    }
}

/// Proves A4: the latest memories of who signed in from where are read, each once.
#[both_engines]
async fn known_logins_are_remembered(db: TestDatabase) {
    let keys = ["a", "b", "c"].map(|name| ThrottleKey::of("seen", &[name]));
    let mut tx = db.store.begin().await.unwrap();
    for (key, seen) in [(0, 1), (1, 2), (2, 3), (0, 9)] {
        known_logins::remember(&mut tx, keys[key], at(seen)).await.unwrap();
    }
    assert_eq!(known_logins::newest(&mut tx, at(3), 9).await.unwrap(), [keys[0], keys[2]]);
    assert_eq!(known_logins::newest(&mut tx, at(0), 1).await.unwrap(), [keys[0]]);
}

/// Proves B5: tries add up from now on, up to one too many, and what is given back or cleared does not count.
#[both_engines]
async fn throttles_count_from_now(db: TestDatabase) {
    let (key, other) = (ThrottleKey::of("test", &["a"]), ThrottleKey::of("test", &["b"]));
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let cases = [(0, 10), (0, 20), (0, 30), (0, 30), (5, 35), (34, 45), (45, 55), (60, 70)];
    for (now, clear) in cases {
        let counted = throttles::count(tx, key, PACE, at(now * 1_000)).await.unwrap();
        assert_eq!(counted, at(clear * 1_000), "{now}");
    }
    throttles::give_back(tx, key, PACE).await.unwrap();
    assert_eq!(throttles::count(tx, key, PACE, at(60_000)).await.unwrap(), at(70_000));
    assert_eq!(throttles::count(tx, other, PACE, at(60_000)).await.unwrap(), at(70_000));
    throttles::clear(tx, key).await.unwrap();
    assert_eq!(throttles::count(tx, key, PACE, at(61_000)).await.unwrap(), at(71_000));
    assert_eq!(throttles::count(tx, other, PACE, at(61_000)).await.unwrap(), at(80_000));
}
