//! Authorization codes, sessions, refresh tokens.

use domain::secret::PresentedSecret;
use domain::session::{RefreshToken, Rotation, Session, SessionEnd};
use domain::user::User;
use domain::{ApplicationId, SessionId, UserId};
use storage::sessions::{Ending, SessionFilter};
use storage::{Page, StorageError, Tx, applications, authorization_codes, refresh_tokens, sessions, users};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{at, code, digest, fresh, issued, presented, session, tenant, token, user};

/// Proves D4: a code reads back with the user and the application that an exchange needs, and is used once.
#[both_engines]
async fn a_code_reads_back_and_is_used_once(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut full = code(&tenant);
    full.grant.external_roles = vec!["rôle \"x\"".to_owned(), String::new()];
    full.grant.session_not_on_or_after = Some(at(77));
    let mut tx = db.store.begin().await.unwrap();
    for stored in [code(&tenant), full] {
        let stored = issued(&mut tx, &tenant, stored).await;
        let code = presented(&stored);
        let exchange = authorization_codes::exchange_of(&mut tx, code).await.unwrap().unwrap();
        assert_eq!((&exchange.code, &exchange.user), (&stored, &tenant.user));
        assert_eq!(exchange.application, tenant.application);
        let (first, second) = (SessionId::from_uuid(fresh()), SessionId::from_uuid(fresh()));
        assert!(authorization_codes::mark_used(&mut tx, &stored, first, at(11)).await.unwrap());
        assert!(!authorization_codes::mark_used(&mut tx, &stored, second, at(12)).await.unwrap());
        let used = authorization_codes::exchange_of(&mut tx, code).await.unwrap().unwrap().code;
        assert_eq!((used.session_id, used.grant.external_roles), (Some(first), vec![]));
        let (account, attempt) = (stored.account_id, stored.attempt_id);
        assert_eq!(authorization_codes::session_of(&mut tx, account, attempt).await.unwrap(), Some(first));
        let forged = PresentedSecret { digest: digest(), ..code };
        assert!(authorization_codes::exchange_of(&mut tx, forged).await.unwrap().is_none());
    }
}

/// Proves I3: a session reads back, live and ended, and ends once.
#[both_engines]
async fn a_session_reads_back_and_ends_once(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let account = tenant.account.id;
    let live = Session { external_roles: vec!["rôle".to_owned()], ..session(&tenant) };
    let ended = Session { ended: Some((at(30), SessionEnd::CodeReused)), ..session(&tenant) };
    let mut tx = db.store.begin().await.unwrap();
    for stored in [&live, &ended] {
        sessions::insert(&mut tx, stored).await.unwrap();
        assert_eq!(sessions::by_id(&mut tx, account, stored.id).await.unwrap().as_ref(), Some(stored));
    }
    sessions::touch(&mut tx, live.id, at(40), at(5_000)).await.unwrap();
    assert!(sessions::end(&mut tx, account, live.id, at(50), SessionEnd::EndedByUser).await.unwrap());
    assert!(!sessions::end(&mut tx, account, live.id, at(60), SessionEnd::CodeReused).await.unwrap());
    let touch = sessions::touch(&mut tx, live.id, at(60), at(5_000)).await;
    assert!(matches!(touch, Err(StorageError::Stale)), "{touch:?}");
    let read = sessions::by_id(&mut tx, account, live.id).await.unwrap().unwrap();
    assert_eq!((read.refreshed_at, read.ended), (at(40), Some((at(50), SessionEnd::EndedByUser))));
}

/// Proves I3: an expired session has nothing left to end.
#[both_engines]
async fn an_expired_session_is_not_ended(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let over = Session { expires_at: at(50), ..session(&tenant) };
    let mut tx = db.store.begin().await.unwrap();
    sessions::insert(&mut tx, &over).await.unwrap();
    let (account, reason) = (tenant.account.id, SessionEnd::EndedByAdministrator);
    assert!(!sessions::end(&mut tx, account, over.id, at(50), reason).await.unwrap());
    let ending = Ending { at: at(50), reason, kept: None };
    assert_eq!(sessions::end_for_user(&mut tx, account, over.user_id, ending).await.unwrap(), 0);
    assert!(sessions::end(&mut tx, account, over.id, at(49), reason).await.unwrap());
}

/// Proves I3: deactivation ends every live session of one user, and no other user's.
#[both_engines]
async fn all_sessions_of_a_user_end_together(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let (account, reason) = (tenant.account.id, SessionEnd::UserDeactivated);
    let ending = Ending { at: at(50), reason, kept: None };
    let neighbour = user(account, "neighbour");
    let mut tx = db.store.begin().await.unwrap();
    users::insert(&mut tx, &neighbour).await.unwrap();
    let other = Session { user_id: neighbour.id, ..session(&tenant) };
    for stored in [&session(&tenant), &session(&tenant), &other] {
        sessions::insert(&mut tx, stored).await.unwrap();
    }
    assert_eq!(sessions::end_for_user(&mut tx, account, tenant.user.id, ending).await.unwrap(), 2);
    assert_eq!(sessions::end_for_user(&mut tx, account, tenant.user.id, ending).await.unwrap(), 0);
    assert_eq!(sessions::by_id(&mut tx, account, other.id).await.unwrap().unwrap().ended, None);
}

/// Proves I3: sessions are listed newest first, by each filter.
#[both_engines]
async fn sessions_are_listed_newest_first_by_each_filter(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let neighbour = user(tenant.account.id, "neighbour");
    let mut tx = db.store.begin().await.unwrap();
    users::insert(&mut tx, &neighbour).await.unwrap();
    let rows = [
        session(&tenant),
        Session { ended: Some((at(30), SessionEnd::EndedByUser)), ..session(&tenant) },
        Session { user_id: neighbour.id, expires_at: at(100), ..session(&tenant) },
    ];
    for row in &rows {
        sessions::insert(&mut tx, row).await.unwrap();
    }
    let none = SessionFilter::default();
    let nobody = Some(UserId::from_uuid(fresh()));
    let nowhere = Some(ApplicationId::from_uuid(fresh()));
    let cases = [
        (none.clone(), vec![2, 1, 0]),
        (SessionFilter { user_id: Some(tenant.user.id), ..none.clone() }, vec![1, 0]),
        (SessionFilter { user_id: nobody, ..none.clone() }, vec![]),
        (SessionFilter { application_id: Some(tenant.application.id), ..none.clone() }, vec![2, 1, 0]),
        (SessionFilter { application_id: nowhere, ..none.clone() }, vec![]),
        (SessionFilter { live_at: Some(at(99)), ..none.clone() }, vec![2, 0]),
        (SessionFilter { live_at: Some(at(100)), ..none.clone() }, vec![0]),
        (SessionFilter { user_id: Some(neighbour.id), live_at: Some(at(100)), ..none.clone() }, vec![]),
    ];
    for (filter, expected) in cases {
        let found = sessions::list(&mut tx, tenant.account.id, &filter, &Page::first(9)).await.unwrap();
        let expected: Vec<_> = expected.into_iter().map(|i: usize| rows[i].clone()).collect();
        assert_eq!(found.items, expected, "{filter:?}");
    }
    let of_user = SessionFilter { user_id: Some(tenant.user.id), ..none };
    let first = sessions::list(&mut tx, tenant.account.id, &of_user, &Page::first(1)).await.unwrap();
    let next = Page { after: first.next, limit: 1 };
    let rest = sessions::list(&mut tx, tenant.account.id, &of_user, &next).await.unwrap();
    assert_eq!((rest.items, rest.next), (vec![rows[0].clone()], None));
}

/// Proves I2: a token reads back with all that a refresh is decided by, and is rotated once.
#[both_engines]
async fn a_refresh_token_reads_back_with_its_family_and_is_rotated_once(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let session = session(&tenant);
    let mut tx = db.store.begin().await.unwrap();
    sessions::insert(&mut tx, &session).await.unwrap();
    let stored = token(&session);
    refresh_tokens::insert(&mut tx, tenant.account.id, &stored).await.unwrap();
    let read = async |tx: &mut Tx| refresh_tokens::family_of(tx, stored.digest).await.unwrap().unwrap().token;
    let family = refresh_tokens::family_of(&mut tx, stored.digest).await.unwrap().unwrap();
    assert_eq!((family.token, &family.session), (stored.clone(), &session));
    assert_eq!((family.user, family.application), (tenant.user, tenant.application));
    assert!(refresh_tokens::mark_rotated(&mut tx, stored.digest, at(60), b"sealed").await.unwrap());
    assert!(!refresh_tokens::mark_rotated(&mut tx, stored.digest, at(61), b"other").await.unwrap());
    let rotation = Rotation { at: at(60), sealed_successor: Some(b"sealed".to_vec()) };
    assert_eq!(read(&mut tx).await, RefreshToken { rotation: Some(rotation), ..stored.clone() });
    assert!(refresh_tokens::family_of(&mut tx, digest()).await.unwrap().is_none());
}

/// Proves I2: successors are erased when they are rotated on, or their grace is over, and no others.
#[both_engines]
async fn sealed_successors_are_erased(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let session = session(&tenant);
    let mut tx = db.store.begin().await.unwrap();
    sessions::insert(&mut tx, &session).await.unwrap();
    let [first, second, third] = [(); 3].map(|()| token(&session));
    let kept = async |tx: &mut Tx, token: &RefreshToken| {
        let family = refresh_tokens::family_of(tx, token.digest).await.unwrap().unwrap();
        family.token.rotation.unwrap().sealed_successor.is_some()
    };
    for (token, second_of) in [(&first, 60), (&second, 70)] {
        refresh_tokens::insert(&mut tx, tenant.account.id, token).await.unwrap();
        assert!(refresh_tokens::mark_rotated(&mut tx, token.digest, at(second_of), b"sealed").await.unwrap());
    }
    refresh_tokens::forget_successors(&mut tx, tenant.account.id, &second).await.unwrap();
    assert_eq!((kept(&mut tx, &first).await, kept(&mut tx, &second).await), (false, true));
    refresh_tokens::insert(&mut tx, tenant.account.id, &third).await.unwrap();
    assert_eq!(refresh_tokens::forget_old_successors(&mut tx, at(70)).await.unwrap(), 0);
    assert_eq!(refresh_tokens::forget_old_successors(&mut tx, at(71)).await.unwrap(), 1);
    assert!(!kept(&mut tx, &second).await);
}

/// Proves I2: a session has one live token, by a constraint.
#[both_engines]
async fn a_session_has_one_live_token(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let session = session(&tenant);
    let mut tx = db.store.begin().await.unwrap();
    sessions::insert(&mut tx, &session).await.unwrap();
    refresh_tokens::insert(&mut tx, tenant.account.id, &token(&session)).await.unwrap();
    assert!(refresh_tokens::insert(&mut tx, tenant.account.id, &token(&session)).await.is_err());
}

/// Proves I3: a user who is removed leaves no usable session, token or code behind.
#[both_engines]
async fn a_removed_user_leaves_no_usable_session_token_or_code(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let (session, code) = (session(&tenant), code(&tenant));
    let token = token(&session);
    let mut tx = db.store.begin().await.unwrap();
    sessions::insert(&mut tx, &session).await.unwrap();
    refresh_tokens::insert(&mut tx, tenant.account.id, &token).await.unwrap();
    let code = presented(&issued(&mut tx, &tenant, code).await);
    assert!(users::delete(&mut tx, tenant.account.id, tenant.user.id).await.unwrap());
    assert!(!users::delete(&mut tx, tenant.account.id, tenant.user.id).await.unwrap());
    assert!(sessions::by_id(&mut tx, tenant.account.id, session.id).await.unwrap().is_none());
    assert!(refresh_tokens::family_of(&mut tx, token.digest).await.unwrap().is_none());
    assert!(authorization_codes::exchange_of(&mut tx, code).await.unwrap().is_none());
}

/// Proves I3: an application that is removed leaves no usable session, token or code behind.
#[both_engines]
async fn a_removed_application_leaves_no_usable_session_token_or_code(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let (session, code) = (session(&tenant), code(&tenant));
    let token = token(&session);
    let mut tx = db.store.begin().await.unwrap();
    sessions::insert(&mut tx, &session).await.unwrap();
    refresh_tokens::insert(&mut tx, tenant.account.id, &token).await.unwrap();
    let code = presented(&issued(&mut tx, &tenant, code).await);
    assert!(applications::delete(&mut tx, tenant.account.id, tenant.application.id).await.unwrap());
    assert!(refresh_tokens::family_of(&mut tx, token.digest).await.unwrap().is_none());
    assert!(sessions::by_id(&mut tx, tenant.account.id, session.id).await.unwrap().is_none());
    assert!(authorization_codes::exchange_of(&mut tx, code).await.unwrap().is_none());
}

/// Proves A5: no session or token can be made that joins rows of two accounts.
#[both_engines]
async fn a_session_cannot_join_two_accounts(db: TestDatabase) {
    let (one, two) = (tenant(&db.store, "one").await, tenant(&db.store, "two").await);
    let own = session(&one);
    let mut tx = db.store.begin().await.unwrap();
    sessions::insert(&mut tx, &own).await.unwrap();
    tx.commit().await.unwrap();
    let foreign_user = User { id: two.user.id, ..one.user.clone() };
    let mut tx = db.store.begin().await.unwrap();
    let crossed = sessions::insert(&mut tx, &Session { user_id: foreign_user.id, ..session(&one) }).await;
    assert!(matches!(crossed, Err(StorageError::Stale)), "{crossed:?}");
    drop(tx);
    let mut tx = db.store.begin().await.unwrap();
    let crossed = refresh_tokens::insert(&mut tx, two.account.id, &token(&own)).await;
    assert!(matches!(crossed, Err(StorageError::Stale)), "{crossed:?}");
}
