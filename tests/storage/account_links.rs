//! Links between accounts: a row for each side, always both.

use domain::account_link::{AccountLink, AccountRelation, LinkState};
use domain::account_switch::HomeUser;
use domain::application::Application;
use domain::authorization_code::SessionGrant;
use domain::portal::Portal;
use domain::session::{Session, SessionEnd};
use domain::{AccountId, AccountLinkId};
use storage::account_links::{accept, between, by_id, delete, hold, insert, list};
use storage::sessions::AcrossAccounts;
use storage::sessions::Ending;
use storage::{StorageError, Unique, accounts, applications, authorization_codes, connections, sessions};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, application, at, code, fresh, issued, presented, session, tenant};

fn link(account_id: AccountId, other_account_id: AccountId) -> AccountLink {
    AccountLink {
        id: AccountLinkId::from_uuid(fresh()),
        account_id,
        other_account_id,
        relation: AccountRelation::Sandbox,
        state: LinkState::Requested,
        requested_at: at(0),
        accepted_at: None,
    }
}

/// Proves G1: a link reads back from both sides, is one per pair, and changes on both sides at once.
#[both_engines]
async fn a_link_has_a_row_on_each_side(db: TestDatabase) {
    let (one, other) = (tenant(&db.store, "one").await, tenant(&db.store, "other").await);
    let mut tx = db.store.begin().await.unwrap();
    let link = link(one.account.id, other.account.id);
    insert(&mut tx, &link).await.unwrap();
    let mirrored = link.seen_by_other();
    assert_eq!(by_id(&mut tx, one.account.id, link.id).await.unwrap(), Some(link));
    assert_eq!(by_id(&mut tx, other.account.id, link.id).await.unwrap(), Some(mirrored));
    assert_eq!(between(&mut tx, other.account.id, one.account.id).await.unwrap(), Some(mirrored));
    assert_eq!(list(&mut tx, other.account.id).await.unwrap(), [(mirrored, one.account.clone())]);
    let twice = insert(&mut tx, &AccountLink { id: AccountLinkId::from_uuid(fresh()), ..mirrored }).await;
    assert!(matches!(twice, Err(StorageError::Conflict(Unique::AccountLink))));
    assert!(!hold(&mut tx, one.account.id, other.account.id).await.unwrap());
    accept(&mut tx, &mirrored, at(5)).await.unwrap();
    assert!(accept(&mut tx, &mirrored, at(6)).await.is_err());
    let accepted = AccountLink { state: LinkState::Accepted, accepted_at: Some(at(5)), ..link };
    assert_eq!(by_id(&mut tx, one.account.id, link.id).await.unwrap(), Some(accepted));
    assert!(hold(&mut tx, other.account.id, one.account.id).await.unwrap());
    let stranger = AccountId::from_uuid(fresh());
    assert_eq!(by_id(&mut tx, stranger, link.id).await.unwrap(), None);
    assert!(delete(&mut tx, &AccountLink { account_id: stranger, other_account_id: stranger, ..link }).await.is_err());
    delete(&mut tx, &link).await.unwrap();
    assert_eq!(list(&mut tx, other.account.id).await.unwrap(), []);
}

/// Proves G1, C8: an account's applications serve its sandboxes too, after the sandbox's own and before the shared
/// ones; never the reverse, nor accounts that are only linked.
#[both_engines]
async fn an_application_serves_the_sandboxes_of_its_account(db: TestDatabase) {
    let (parent, sandbox) = (tenant(&db.store, "parent").await, tenant(&db.store, "sandbox").await);
    let linked = tenant(&db.store, "linked").await;
    let mut tx = db.store.begin().await.unwrap();
    insert(&mut tx, &AccountLink { state: LinkState::Accepted, ..link(parent.account.id, sandbox.account.id) })
        .await
        .unwrap();
    let plain = AccountLink { relation: AccountRelation::Linked, ..link(parent.account.id, linked.account.id) };
    insert(&mut tx, &plain).await.unwrap();
    let (shared, own) = (application(None), parent.application.id);
    applications::insert(&mut tx, &shared).await.unwrap();
    let table =
        [(&parent, own, true), (&sandbox, own, true), (&linked, own, false), (&parent, sandbox.application.id, false)];
    for (tenant, client_id, serves) in table.into_iter().chain([(&linked, shared.id, true)]) {
        let served = accounts::served_by_name(&mut tx, &tenant.account.name, client_id).await.unwrap();
        assert_eq!(served.is_some(), serves);
        let serving = applications::serving(&mut tx, tenant.account.id, client_id).await.unwrap();
        assert_eq!(serving.is_some(), serves);
        let begun = connections::of_application(&mut tx, client_id, &tenant.account.name).await.unwrap();
        assert_eq!(begun.is_some(), serves);
    }
    assert!(applications::any_serving(&mut tx, sandbox.account.id, Portal::Admin).await.unwrap());
    assert!(!applications::any_serving(&mut tx, sandbox.account.id, Portal::SelfService).await.unwrap());
    for (owner, default) in
        [(None, shared.id), (Some(parent.account.id), own), (Some(sandbox.account.id), sandbox.application.id)]
    {
        let before = applications::by_id(&mut tx, owner, default).await.unwrap().unwrap();
        applications::update(&mut tx, &Application { is_default: true, ..before.clone() }, before.updated_at)
            .await
            .unwrap();
        let found = applications::default_of(&mut tx, sandbox.account.id, Portal::Admin).await.unwrap();
        assert_eq!(found.map(|found| found.id), Some(default));
    }
    let linked_default = applications::default_of(&mut tx, linked.account.id, Portal::Admin).await.unwrap();
    assert_eq!(linked_default.map(|found| found.id), Some(shared.id));
    let held = session(&Tenant { account: sandbox.account.clone(), user: sandbox.user.clone(), ..parent });
    let native = session(&sandbox);
    for stored in [&held, &native] {
        sessions::insert(&mut tx, stored).await.unwrap();
    }
    let side = AcrossAccounts { of: sandbox.account.id, from: plain.account_id };
    assert_eq!(sessions::end_served_by(&mut tx, side, at(30), SessionEnd::LinkEnded).await.unwrap(), 1);
    assert_eq!(sessions::by_id(&mut tx, sandbox.account.id, native.id).await.unwrap(), Some(native));
}

/// Proves G1: the place where a user had proved who they are goes from the code to the session, and ends that with
/// the link, in this account alone.
#[both_engines]
async fn a_session_knows_where_it_came_from(db: TestDatabase) {
    let (one, other) = (tenant(&db.store, "one").await, tenant(&db.store, "other").await);
    let mut tx = db.store.begin().await.unwrap();
    let home = Some(HomeUser {
        account_id: other.account.id,
        user_id: other.user.id,
        credential_epoch: other.user.credential_epoch,
    });
    let mut code = code(&one);
    code.grant = SessionGrant { home, ..code.grant };
    let code = issued(&mut tx, &one, code).await;
    let read = authorization_codes::exchange_of(&mut tx, presented(&code)).await.unwrap().unwrap();
    assert_eq!(read.code, code);
    let (switched, native) = (Session { home, ..session(&one) }, session(&one));
    for stored in [&switched, &native] {
        sessions::insert(&mut tx, stored).await.unwrap();
        assert_eq!(sessions::by_id(&mut tx, one.account.id, stored.id).await.unwrap().as_ref(), Some(stored));
    }
    let (here, there, reason) = (one.account.id, other.account.id, SessionEnd::LinkEnded);
    assert_eq!(
        sessions::end_switched(&mut tx, AcrossAccounts { of: there, from: here }, at(30), reason).await.unwrap(),
        0
    );
    assert_eq!(
        sessions::end_switched(&mut tx, AcrossAccounts { of: here, from: there }, at(30), reason).await.unwrap(),
        1
    );
    let ended = sessions::by_id(&mut tx, here, switched.id).await.unwrap().unwrap();
    assert_eq!(ended.ended, Some((at(30), reason)));
    assert_eq!(sessions::by_id(&mut tx, here, native.id).await.unwrap().as_ref(), Some(&native));
    let (again, reason) = (Session { home, ..session(&one) }, SessionEnd::PasswordChanged);
    sessions::insert(&mut tx, &again).await.unwrap();
    let ending = Ending { at: at(40), reason, kept: Some(native.id) };
    let ended = sessions::end_for_user(&mut tx, there, other.user.id, ending).await.unwrap();
    assert_eq!(ended, 1, "it rests on them");
    let again = Session { home, ..session(&one) };
    sessions::insert(&mut tx, &again).await.unwrap();
    assert_eq!(
        sessions::end_for_user(&mut tx, there, other.user.id, Ending { kept: None, ..ending }).await.unwrap(),
        1
    );
    assert_eq!(sessions::by_id(&mut tx, here, native.id).await.unwrap(), Some(native));
}
