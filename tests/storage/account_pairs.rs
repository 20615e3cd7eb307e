//! Pairs of users: a row for each side, always both, and void by one user's epoch.

use domain::AccountPairId;
use domain::account_link::{AccountLink, AccountRelation, LinkState};
use domain::account_pair::{AccountPair, PairState, PairedUser};
use domain::account_switch::HomeUser;
use domain::secret::SecretDigest;
use domain::session::{Session, SessionEnd};
use domain::user::User;
use domain::{AccountId, AccountLinkId};
use storage::account_pairs::{PairFilter, by_id, carry_on, delete, hold_current, insert, list, of_user};
use storage::{Page, StorageError, Tx, Unique, account_links, authorization_codes, sessions, users};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, at, code, fresh, issued, presented, session, tenant};

async fn link(tx: &mut Tx, account_id: AccountId, other_account_id: AccountId) -> AccountLink {
    let link = AccountLink {
        id: AccountLinkId::from_uuid(fresh()),
        account_id,
        other_account_id,
        relation: AccountRelation::Linked,
        state: LinkState::Accepted,
        requested_at: at(0),
        accepted_at: Some(at(0)),
    };
    account_links::insert(tx, &link).await.unwrap();
    link
}

fn pair(one: &Tenant, other: &Tenant) -> AccountPair {
    let (user, other) = (PairedUser::of(&one.user), PairedUser::of(&other.user));
    AccountPair { id: AccountPairId::from_uuid(fresh()), user, other, created_at: at(5) }
}

/// A user in another epoch than before.
async fn raised(tx: &mut Tx, user: &User) -> User {
    let credential_epoch = users::raise_epoch(tx, user).await.unwrap();
    User { credential_epoch, ..user.clone() }
}

/// Proves G1: a pair reads back from both sides, is one per user and account, needs a link, and goes with it.
#[both_engines]
async fn a_pair_has_a_row_on_each_side(db: TestDatabase) {
    let (one, other) = (tenant(&db.store, "one").await, tenant(&db.store, "other").await);
    let (here, there) = (one.account.id, other.account.id);
    let mut tx = db.store.begin().await.unwrap();
    let link = link(&mut tx, here, there).await;
    let pair = pair(&one, &other);
    insert(&mut tx, &pair).await.unwrap();
    let twice = insert(&mut tx, &AccountPair { id: AccountPairId::from_uuid(fresh()), ..pair.seen_by_other() }).await;
    assert!(matches!(twice, Err(StorageError::Conflict(Unique::AccountPair))), "{twice:?}");
    for (side, tenant) in [(pair, &one), (pair.seen_by_other(), &other)] {
        let found = by_id(&mut tx, side.user.account_id, pair.id).await.unwrap().unwrap();
        assert_eq!((found.pair, found.state, &found.username), (side, PairState::Current, &tenant.user.username));
        let of = of_user(&mut tx, side.user.account_id, side.user.user_id, side.other.account_id).await.unwrap();
        assert_eq!(of.as_ref(), Some(&found));
        let listed = list(&mut tx, side.user.account_id, &PairFilter::default(), &Page::first(9)).await.unwrap();
        let elsewhere = if side.user.account_id == here { &other.account } else { &one.account };
        assert_eq!(listed.items, [(found, elsewhere.clone())]);
    }
    let nobody = PairFilter { user_id: Some(other.user.id) };
    assert!(list(&mut tx, here, &nobody, &Page::first(9)).await.unwrap().items.is_empty());
    let stranger = AccountId::from_uuid(fresh());
    assert_eq!(by_id(&mut tx, stranger, pair.id).await.unwrap(), None);
    delete(&mut tx, &pair).await.unwrap();
    assert!(matches!(delete(&mut tx, &pair).await, Err(StorageError::Stale)));
    assert_eq!(by_id(&mut tx, there, pair.id).await.unwrap(), None);
    insert(&mut tx, &pair).await.unwrap();
    account_links::delete(&mut tx, &link).await.unwrap();
    assert_eq!(by_id(&mut tx, here, pair.id).await.unwrap(), None);
    assert_eq!(by_id(&mut tx, there, pair.id).await.unwrap(), None);
}

/// Proves A7, G1: a pair is void from either user's next epoch on; what carries one user on does not revive a pair
/// that is void, and either user takes it along when they are removed.
#[both_engines]
async fn a_pair_follows_the_epochs_of_its_users(db: TestDatabase) {
    let (one, other) = (tenant(&db.store, "one").await, tenant(&db.store, "other").await);
    let mut tx = db.store.begin().await.unwrap();
    link(&mut tx, one.account.id, other.account.id).await;
    let pair = pair(&one, &other);
    insert(&mut tx, &pair).await.unwrap();
    let home = HomeUser {
        account_id: other.account.id,
        user_id: other.user.id,
        credential_epoch: other.user.credential_epoch,
    };
    let (here, me) = (one.account.id, one.user.id);
    assert_eq!(hold_current(&mut tx, here, me, home).await.unwrap(), Some(pair));
    let stranger = HomeUser { user_id: me, ..home };
    assert_eq!(hold_current(&mut tx, here, me, stranger).await.unwrap(), None);
    let own = raised(&mut tx, &one.user).await;
    assert_eq!(hold_current(&mut tx, here, me, home).await.unwrap(), None);
    carry_on(&mut tx, &own).await.unwrap();
    let carried = hold_current(&mut tx, here, me, home).await.unwrap().unwrap();
    assert_eq!(carried.user.credential_epoch, own.credential_epoch);
    let voided = raised(&mut tx, &other.user).await;
    assert_eq!(by_id(&mut tx, here, pair.id).await.unwrap().unwrap().state, PairState::Void);
    let later = raised(&mut tx, &voided).await;
    carry_on(&mut tx, &later).await.unwrap();
    assert_eq!(by_id(&mut tx, here, pair.id).await.unwrap().unwrap().state, PairState::Void, "void for good");
    users::delete(&mut tx, other.account.id, other.user.id).await.unwrap();
    assert_eq!(by_id(&mut tx, here, pair.id).await.unwrap(), None);
}

/// Proves G1: with a pair end the sessions that came over it, on the side where they are, and no others.
#[both_engines]
async fn a_pair_ends_the_sessions_that_came_over_it(db: TestDatabase) {
    let (one, other) = (tenant(&db.store, "one").await, tenant(&db.store, "other").await);
    let mut tx = db.store.begin().await.unwrap();
    let pair = pair(&one, &other);
    let home = |tenant: &Tenant| HomeUser {
        account_id: tenant.account.id,
        user_id: tenant.user.id,
        credential_epoch: tenant.user.credential_epoch,
    };
    let over = Session { home: Some(home(&other)), ..session(&one) };
    let (native, from_itself) = (session(&one), Session { home: Some(home(&one)), ..session(&one) });
    for stored in [&over, &native, &from_itself] {
        sessions::insert(&mut tx, stored).await.unwrap();
    }
    let (end, mirrored) = (SessionEnd::PairEnded, pair.seen_by_other());
    assert_eq!(sessions::end_over_pair(&mut tx, &mirrored, at(30), end).await.unwrap(), 0);
    assert_eq!(sessions::end_over_pair(&mut tx, &pair, at(30), end).await.unwrap(), 1);
    let ended = sessions::by_id(&mut tx, one.account.id, over.id).await.unwrap().unwrap();
    assert_eq!(ended.ended, Some((at(30), end)));
}

/// Proves G1, D4: a code that proves a user is used up by it, and gives no session afterwards; nor does one that
/// gave a session prove a user.
#[both_engines]
async fn a_code_gives_a_session_or_proves_a_user(db: TestDatabase) {
    let one = tenant(&db.store, "one").await;
    let mut tx = db.store.begin().await.unwrap();
    let proof = issued(&mut tx, &one, code(&one)).await;
    let another =
        domain::authorization_code::AuthorizationCode { digest: SecretDigest::from_bytes([9; 32]), ..proof.clone() };
    assert!(!authorization_codes::take_as_proof(&mut tx, &another, at(20)).await.unwrap());
    assert!(authorization_codes::take_as_proof(&mut tx, &proof, at(20)).await.unwrap());
    assert!(!authorization_codes::take_as_proof(&mut tx, &proof, at(21)).await.unwrap());
    let (session, other) = (session(&one), session(&one));
    assert!(!authorization_codes::mark_used(&mut tx, &proof, session.id, at(22)).await.unwrap());
    assert_eq!(authorization_codes::exchange_of(&mut tx, presented(&proof)).await.unwrap(), None);
    let exchanged = issued(&mut tx, &one, code(&one)).await;
    assert!(authorization_codes::mark_used(&mut tx, &exchanged, other.id, at(22)).await.unwrap());
    assert!(!authorization_codes::take_as_proof(&mut tx, &exchanged, at(23)).await.unwrap());
}
