//! Races of two transactions for the same thing, which one of them gets. Each is run several times, on real
//! connections.

use std::sync::atomic::{AtomicUsize, Ordering};

use domain::SessionId;
use domain::application::Application;
use domain::one_time_link::LinkPurpose;
use domain::portal::Portal;
use domain::sign_in_attempt::SignInAttempt;
use domain::signing_key::SigningKeyState;
use domain::user::User;
use domain::username::Username;
use storage::applications::ApplicationFilter;
use storage::authorization_codes::Evidence;
use storage::{
    Result, StorageError, Store, Tx, Unique, accounts, applications, authorization_codes, connections, one_time_links,
    refresh_tokens, sessions, sign_in_attempts, signing_keys, users,
};
use tests::both_engines;
use tests::databases::TestDatabase;
use tokio::sync::Barrier;

use crate::samples::{
    account, application, at, attempt, code, connection, fresh, issued, link, session, signing_key, tenant, token,
    used, user,
};

/// Rounds of each race: enough to see both orders.
const ROUNDS: usize = 10;

/// Runs an action in two transactions that begin together.
async fn two_at_once<T>(store: &Store, action: impl AsyncFn(&mut Tx) -> Result<T>) -> [Result<T>; 2] {
    let start = Barrier::new(2);
    let run = async || {
        start.wait().await;
        let mut tx = store.begin().await?;
        let done = action(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    };
    let (one, other) = tokio::join!(run(), run());
    [one, other]
}

fn assert_one_conflict<T: std::fmt::Debug>(results: &[Result<T>; 2], unique: Unique) {
    let won = results.iter().filter(|result| result.is_ok()).count();
    let lost = |result: &&Result<T>| matches!(result, Err(StorageError::Conflict(taken)) if *taken == unique);
    let lost = results.iter().filter(lost).count();
    assert_eq!((won, lost), (1, 1), "{results:?}");
}

fn assert_one_true(results: &[Result<bool>; 2]) {
    let mut results: Vec<bool> = results.iter().map(|result| *result.as_ref().unwrap()).collect();
    results.sort_unstable();
    assert_eq!(results, [false, true]);
}

/// Makes room for the next active signing key.
async fn retire_active(tx: &mut Tx) -> bool {
    use SigningKeyState::{Active, Retiring};
    let published = signing_keys::list_published(tx).await.unwrap();
    let active = published.into_iter().find(|key| key.state == Active).unwrap();
    signing_keys::move_state(tx, active.id, Active, Retiring, at(2)).await.unwrap()
}

/// Proves A1.
#[both_engines]
async fn one_of_two_gets_an_account_name(db: TestDatabase) {
    for round in 0..ROUNDS {
        let results =
            two_at_once(&db.store, async |tx| accounts::insert(tx, &account(&format!("name-{round}"))).await).await;
        assert_one_conflict(&results, Unique::AccountName);
    }
}

/// Proves A2, also for two renamings at once, which PostgreSQL settles by its constraint.
#[both_engines]
async fn one_of_two_gets_a_username(db: TestDatabase) {
    let account = tenant(&db.store, "acme").await.account.id;
    for round in 0..ROUNDS {
        let name = format!("user-{round}");
        let results = two_at_once(&db.store, async |tx| users::insert(tx, &user(account, &name)).await).await;
        assert_one_conflict(&results, Unique::Username);
    }
    for round in 0..ROUNDS {
        let pair = [user(account, &format!("a-{round}")), user(account, &format!("b-{round}"))];
        let mut tx = db.store.begin().await.unwrap();
        for stored in &pair {
            users::insert(&mut tx, stored).await.unwrap();
        }
        tx.commit().await.unwrap();
        let wanted = Username::parse(&format!("wanted-{round}")).unwrap();
        let next = AtomicUsize::new(0);
        let results = two_at_once(&db.store, async |tx| {
            let before = &pair[next.fetch_add(1, Ordering::SeqCst)];
            let after = User { username: wanted.clone(), updated_at: at(9), ..before.clone() };
            users::update(tx, &after, before).await
        })
        .await;
        assert_one_conflict(&results, Unique::Username);
    }
}

/// Proves A7: of two events at once that void one user's credentials, the second is told that it comes late.
#[both_engines]
async fn one_of_two_raises_an_epoch(db: TestDatabase) {
    let mut user = tenant(&db.store, "acme").await.user;
    for _ in 0..ROUNDS {
        let results = two_at_once(&db.store, async |tx| users::raise_epoch(tx, &user).await.map(drop)).await;
        let won = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(won, 1, "{results:?}");
        user.credential_epoch = user.credential_epoch.next();
    }
}

/// Proves that of two administrators who change one user at once, the second is told so.
#[both_engines]
async fn one_of_two_changes_a_user(db: TestDatabase) {
    let stored = tenant(&db.store, "acme").await.user;
    let mut seen = stored.clone();
    for round in 0..ROUNDS {
        let now = at(100 + i64::try_from(round).unwrap());
        let after = User { updated_at: now, ..stored.clone() };
        let results = two_at_once(&db.store, async |tx| users::update(tx, &after, &seen).await).await;
        let stale = results.iter().filter(|result| matches!(result, Err(StorageError::Stale))).count();
        let won = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!((won, stale), (1, 1), "{results:?}");
        seen = after;
    }
}

/// Proves that a portal gets one connection.
#[both_engines]
async fn one_of_two_gets_the_connection_of_a_portal(db: TestDatabase) {
    let account = tenant(&db.store, "acme").await.account.id;
    for _ in 0..ROUNDS {
        let new = || connection(account, Portal::SelfService);
        let results = two_at_once(&db.store, async |tx| connections::insert(tx, &new()).await).await;
        assert_one_conflict(&results, Unique::ConnectionPortal);
        let mut tx = db.store.begin().await.unwrap();
        let hash = new().sp_hash;
        let found = connections::by_sp_hash(&mut tx, &hash).await.unwrap().unwrap();
        connections::delete(&mut tx, account, found.id).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Proves C8: whichever comes first or second, there is one default application in the end.
#[both_engines]
async fn two_new_default_applications_leave_one(db: TestDatabase) {
    let account = tenant(&db.store, "acme").await.account.id;
    for owner in [Some(account), None] {
        for _ in 0..ROUNDS {
            let new = || Application { is_default: true, ..application(owner) };
            let results = two_at_once(&db.store, async |tx| applications::insert(tx, &new()).await).await;
            assert!(results.iter().any(Result::is_ok), "{results:?}");
            for result in &results {
                let conflict = matches!(result, Err(StorageError::Conflict(Unique::DefaultApplication)));
                assert!(result.is_ok() || conflict, "{result:?}");
            }
        }
        let mut tx = db.store.read().await.unwrap();
        let page = storage::Page::first(99);
        let all = applications::list(&mut tx, owner, &ApplicationFilter::default(), &page).await.unwrap().items;
        assert_eq!(all.iter().filter(|application| application.is_default).count(), 1);
    }
}

/// Proves D4: a code gives one session.
#[both_engines]
async fn one_of_two_uses_a_code(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    for _ in 0..ROUNDS {
        let mut tx = db.store.begin().await.unwrap();
        let code = issued(&mut tx, &tenant, code(&tenant)).await;
        tx.commit().await.unwrap();
        let results = two_at_once(&db.store, async |tx| {
            authorization_codes::mark_used(tx, &code, SessionId::from_uuid(fresh()), at(11)).await
        })
        .await;
        assert_one_true(&results);
    }
}

/// Proves C10: of two responses with one assertion, one answers, whichever sign-ins they are for.
#[both_engines]
async fn one_of_two_consumes_an_assertion(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    for round in 0..ROUNDS {
        let codes = [code(&tenant), code(&tenant)];
        let mut tx = db.store.begin().await.unwrap();
        for code in &codes {
            let started = SignInAttempt { id: code.attempt_id, ..attempt(&tenant) };
            sign_in_attempts::insert(&mut tx, &started).await.unwrap();
        }
        tx.commit().await.unwrap();
        let id = format!("_{round}");
        let evidence = Evidence { assertion: Some(used(&id)), warnings: &[] };
        let next = AtomicUsize::new(0);
        let results = two_at_once(&db.store, async |tx| {
            authorization_codes::issue(tx, &codes[next.fetch_add(1, Ordering::SeqCst)], evidence).await
        })
        .await;
        assert_one_conflict(&results, Unique::Answer);
    }
}

/// Proves C10: a sign-in is answered by one of two responses.
#[both_engines]
async fn one_of_two_answers_a_sign_in(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    for _ in 0..ROUNDS {
        let code = code(&tenant);
        let mut tx = db.store.begin().await.unwrap();
        let started = SignInAttempt { id: code.attempt_id, ..attempt(&tenant) };
        sign_in_attempts::insert(&mut tx, &started).await.unwrap();
        tx.commit().await.unwrap();
        let evidence = Evidence { assertion: None, warnings: &[] };
        let results = two_at_once(&db.store, async |tx| authorization_codes::issue(tx, &code, evidence).await).await;
        assert_one_conflict(&results, Unique::Answer);
    }
}

/// Proves I2: of two tabs that refresh at once, one rotates the token.
#[both_engines]
async fn one_of_two_rotates_a_refresh_token(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let session = session(&tenant);
    let mut tx = db.store.begin().await.unwrap();
    sessions::insert(&mut tx, &session).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..ROUNDS {
        let token = token(&session);
        let mut tx = db.store.begin().await.unwrap();
        refresh_tokens::insert(&mut tx, tenant.account.id, &token).await.unwrap();
        tx.commit().await.unwrap();
        let rotate = async |tx: &mut Tx| refresh_tokens::mark_rotated(tx, token.digest, at(60), b"sealed").await;
        let results = two_at_once(&db.store, rotate).await;
        assert_one_true(&results);
    }
}

/// Proves I1: of two replicas that bring a key into use at once, one does.
#[both_engines]
async fn one_of_two_activates_a_signing_key(db: TestDatabase) {
    use SigningKeyState::{Active, Upcoming};
    for _ in 0..ROUNDS {
        let results = two_at_once(&db.store, async |tx| signing_keys::insert(tx, &signing_key(Active)).await).await;
        assert_one_conflict(&results, Unique::ActiveSigningKey);
        let mut tx = db.store.begin().await.unwrap();
        assert!(retire_active(&mut tx).await);
        tx.commit().await.unwrap();
        let results = two_at_once(&db.store, async |tx| {
            let next = signing_key(Upcoming);
            signing_keys::insert(tx, &next).await?;
            signing_keys::move_state(tx, next.id, Upcoming, Active, at(3)).await
        })
        .await;
        let won = results.iter().filter(|result| matches!(result, Ok(true))).count();
        assert_eq!(won, 1, "{results:?}");
        let mut tx = db.store.begin().await.unwrap();
        assert!(retire_active(&mut tx).await);
        tx.commit().await.unwrap();
    }
}

/// Proves B4, E2: of two who use one link at once, one does.
#[both_engines]
async fn a_one_time_link_is_used_by_one(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    for _ in 0..ROUNDS {
        let link = link(&tenant.user, LinkPurpose::Invitation);
        let mut tx = db.store.begin().await.unwrap();
        one_time_links::insert(&mut tx, &link).await.unwrap();
        tx.commit().await.unwrap();
        let results = two_at_once(&db.store, async |tx| one_time_links::take(tx, link.digest, at(5)).await).await;
        assert_one_true(&results);
    }
}
