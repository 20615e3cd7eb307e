//! Sign-ins by password, as they are kept: one step after the other, each once.

use domain::direct_sign_in::{Awaited, DirectSignIn};
use domain::secret::{PresentedSecret, SecretDigest};
use domain::sign_in_attempt::{AttemptKind, AttemptStage, SignInAttempt};
use domain::sso::pending_sign_in::ReturnTo;
use domain::user::SignInMethod;
use jiff::Timestamp;
use storage::direct_sign_ins::RefusedLimits;
use storage::mfa_codes::NewMfaCode;
use storage::{Tx, direct_sign_ins, mfa_codes, sign_in_attempts};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, at, attempt, digest, refused_outcome, return_to, tenant};

fn by_form(tenant: &Tenant) -> SignInAttempt {
    SignInAttempt {
        connection_id: None,
        kind: AttemptKind::Form,
        stage: AttemptStage::UserResolved,
        entered_email: Some("nul\0 and å".to_owned()),
        user_id: Some(tenant.user.id),
        ..attempt(tenant)
    }
}

fn sign_in(tenant: &Tenant, attempt: &SignInAttempt, awaits: Option<Awaited>) -> DirectSignIn {
    DirectSignIn {
        attempt_id: attempt.id,
        account_id: tenant.account.id,
        portal: attempt.portal,
        user_id: tenant.user.id,
        return_to: ReturnTo { state: Some("å".to_owned()), ..return_to(tenant) },
        method: SignInMethod::Password,
        auth_time: at(0),
        credential_epoch: tenant.user.credential_epoch,
        awaits,
        expires_at: at(900_000),
    }
}

async fn stored(tx: &mut Tx, tenant: &Tenant) -> (DirectSignIn, SecretDigest) {
    let (attempt, handle) = (by_form(tenant), digest());
    let sign_in = sign_in(tenant, &attempt, Some(Awaited::MfaCode));
    direct_sign_ins::insert(tx, &attempt, &sign_in, Some(handle)).await.unwrap();
    (sign_in, handle)
}

fn mailed(sign_in: &DirectSignIn, digest: SecretDigest, (sent_at, pause_began): (Timestamp, Timestamp)) -> NewMfaCode {
    let (account_id, attempt_id) = (sign_in.account_id, sign_in.attempt_id);
    NewMfaCode { account_id, attempt_id, digest, credential_epoch: sign_in.credential_epoch, sent_at, pause_began }
}

fn presented(sign_in: &DirectSignIn, digest: SecretDigest) -> PresentedSecret {
    PresentedSecret { row: sign_in.attempt_id.as_uuid(), digest }
}

/// Proves B2: a sign-in goes on by its newest token, and by no other.
#[both_engines]
async fn a_sign_in_goes_on_by_its_newest_token(db: TestDatabase) {
    let own = tenant(&db.store, "own").await;
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let (first, handle) = stored(tx, &own).await;
    let found = direct_sign_ins::by_handle(tx, presented(&first, handle)).await.unwrap();
    assert_eq!(found.as_ref(), Some(&first));
    assert_eq!(direct_sign_ins::by_handle(tx, presented(&first, digest())).await.unwrap(), None);
    let next = digest();
    let second = DirectSignIn { awaits: Some(Awaited::PasswordChange), method: SignInMethod::PasswordAndCode, ..first };
    assert!(!direct_sign_ins::advance(tx, &second, next, Some(next), at(5)).await.unwrap());
    assert!(direct_sign_ins::advance(tx, &second, handle, Some(next), at(5)).await.unwrap());
    assert!(!direct_sign_ins::advance(tx, &second, handle, Some(next), at(5)).await.unwrap());
    assert_eq!(direct_sign_ins::by_handle(tx, presented(&second, handle)).await.unwrap(), None);
    assert_eq!(direct_sign_ins::by_handle(tx, presented(&second, next)).await.unwrap().as_ref(), Some(&second));
    let last = DirectSignIn { awaits: None, ..second };
    assert!(direct_sign_ins::advance(tx, &last, next, None, at(6)).await.unwrap());
    assert_eq!(direct_sign_ins::by_handle(tx, presented(&last, next)).await.unwrap(), None);
}

/// Proves A5: a sign-in is not taken on in the name of another account.
#[both_engines]
async fn a_sign_in_is_its_accounts(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await, tenant(&db.store, "other").await.account.id);
    let mut tx = db.store.begin().await.unwrap();
    let (sign_in, handle) = stored(&mut tx, &own).await;
    let moved = DirectSignIn { account_id: other, ..sign_in.clone() };
    assert!(!direct_sign_ins::advance(&mut tx, &moved, handle, None, at(5)).await.unwrap());
    let row = (sign_in.account_id, sign_in.attempt_id);
    assert!(mfa_codes::set(&mut tx, &mailed(&sign_in, digest(), (at(0), at(0)))).await.unwrap());
    assert!(mfa_codes::count_try(&mut tx, other, sign_in.attempt_id).await.unwrap().is_none());
    mfa_codes::delete(&mut tx, other, sign_in.attempt_id).await.unwrap();
    assert!(mfa_codes::count_try(&mut tx, row.0, row.1).await.unwrap().is_some());
}

/// Proves B2: each try counts, a newer code starts anew and comes after the pause, a used one is gone.
#[both_engines]
async fn tries_of_a_code_count(db: TestDatabase) {
    let own = tenant(&db.store, "own").await;
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let (sign_in, _) = stored(tx, &own).await;
    let row = (sign_in.account_id, sign_in.attempt_id);
    let (old, new) = (digest(), digest());
    assert!(mfa_codes::set(tx, &mailed(&sign_in, old, (at(10), at(0)))).await.unwrap());
    for tries in 1..=3 {
        let sent = mfa_codes::count_try(tx, row.0, row.1).await.unwrap().unwrap();
        assert_eq!((sent.digest, sent.tries, sent.sent_at), (old, tries, at(10)));
    }
    assert!(!mfa_codes::set(tx, &mailed(&sign_in, new, (at(20), at(9)))).await.unwrap());
    assert!(mfa_codes::set(tx, &mailed(&sign_in, new, (at(20), at(10)))).await.unwrap());
    let sent = mfa_codes::count_try(tx, row.0, row.1).await.unwrap().unwrap();
    assert_eq!((sent.digest, sent.tries, sent.sent_at), (new, 1, at(20)));
    mfa_codes::delete(tx, row.0, row.1).await.unwrap();
    assert!(mfa_codes::count_try(tx, row.0, row.1).await.unwrap().is_none());
}

/// Proves B5: what anyone can cause to be stored is bounded, per address and per account.
#[both_engines]
async fn refused_form_logins_are_bounded(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await, tenant(&db.store, "other").await);
    let limits = RefusedLimits { since: at(0), per_address: 2, per_account: 3 };
    let mut tx = db.store.begin().await.unwrap();
    let cases = [
        (&own, "192.0.2.1", 0, true),
        (&own, "192.0.2.1", 0, true),
        (&own, "192.0.2.1", 0, false),
        (&own, "192.0.2.2", 0, true),
        (&own, "192.0.2.3", 0, false),
        (&other, "192.0.2.1", 0, true),
        (&other, "192.0.2.1", -1, true),
        (&other, "192.0.2.1", 0, true),
    ];
    for (index, (tenant, address, started_at, wanted)) in cases.into_iter().enumerate() {
        let refused = SignInAttempt {
            user_id: None,
            outcome: refused_outcome(),
            client_address: address.to_owned(),
            started_at: at(started_at),
            ..by_form(tenant)
        };
        assert_eq!(direct_sign_ins::insert_refused(&mut tx, &refused, limits).await.unwrap(), wanted, "{index}");
        let found = sign_in_attempts::by_id(&mut tx, tenant.account.id, refused.id).await.unwrap();
        assert_eq!(found.is_some(), wanted, "{index}");
    }
}
