//! Account data is found by its own account alone, query by query (A5).

use domain::invitation::Invitation;
use domain::one_time_link::LinkPurpose;
use domain::portal::Portal;
use domain::session::SessionEnd;
use domain::sso::sp_key::SpKeyRecord;
use domain::user::{LastSignIn, SignInMethod};
use domain::{
    AccountId, AuditEventId, InvitationBatchId, SpKeyId,
    audit::{AuditAction, AuditEvent},
};
use jiff::SignedDuration;
use storage::applications::ApplicationFilter;
use storage::audit_events::AuditFilter;
use storage::invitations::{InvitationFilter, NewInvitation};
use storage::sessions::{Ending, SessionFilter};
use storage::sign_in_attempts::AttemptFilter;
use storage::users::UserFilter;
use storage::{
    Page, applications, audit_events, connections, invitations, one_time_links, sessions, sign_in_attempts, sp_keys,
    users,
};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, at, attempt, fresh, invitation, link, session, tenant};

const PAGE: Page = Page::first(9);

fn sp_key(tenant: &Tenant) -> SpKeyRecord {
    SpKeyRecord {
        id: SpKeyId::from_uuid(fresh()),
        account_id: tenant.account.id,
        connection_id: tenant.connection.id,
        certificate_der: vec![1],
        sealed_private_key: vec![2],
        created_at: at(0),
        retires_at: None,
    }
}

fn event(account_id: AccountId) -> AuditEvent {
    AuditEvent {
        id: AuditEventId::from_uuid(fresh()),
        account_id: Some(account_id),
        at: at(0),
        actor_kind: "system".to_owned(),
        actor_id: None,
        action: AuditAction::UserCreated,
        target: String::new(),
        changes: vec![],
        client_address: None,
    }
}

/// Proves A5: with another account's id, nothing of this one is read.
#[both_engines]
async fn nothing_is_read_for_another_account(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await, tenant(&db.store, "other").await.account.id);
    let (attempt, session, key) = (attempt(&own), session(&own), sp_key(&own));
    let mut tx = db.store.begin().await.unwrap();
    sign_in_attempts::insert(&mut tx, &attempt).await.unwrap();
    sessions::insert(&mut tx, &session).await.unwrap();
    sp_keys::insert(&mut tx, &key).await.unwrap();
    audit_events::insert(&mut tx, &event(own.account.id)).await.unwrap();
    let tx = &mut tx;
    assert!(users::by_id(tx, other, own.user.id).await.unwrap().is_none());
    let identity = own.user.username.normalized();
    assert!(users::candidates(tx, other, Portal::Admin, &identity).await.unwrap().is_empty());
    assert!(applications::by_id(tx, other, own.application.id).await.unwrap().is_none());
    assert!(applications::by_id(tx, None, own.application.id).await.unwrap().is_none());
    assert!(connections::by_id(tx, other, own.connection.id).await.unwrap().is_none());
    assert!(sp_keys::list(tx, other, own.connection.id).await.unwrap().is_empty());
    assert!(sign_in_attempts::by_id(tx, other, attempt.id).await.unwrap().is_none());
    assert!(sessions::by_id(tx, other, session.id).await.unwrap().is_none());
    let listed = users::list(tx, other, &UserFilter::default(), &PAGE).await.unwrap().items;
    assert!(listed.iter().all(|listed| listed.user.account_id == other));
    let listed = applications::list(tx, other, &ApplicationFilter::default(), &PAGE).await.unwrap().items;
    assert!(listed.iter().all(|application| application.account_id == Some(other)));
    assert!(connections::list(tx, other).await.unwrap().iter().all(|connection| connection.account_id == other));
    assert!(sessions::list(tx, other, &SessionFilter::default(), &PAGE).await.unwrap().items.is_empty());
    assert!(sign_in_attempts::list(tx, other, &AttemptFilter::default(), &PAGE).await.unwrap().items.is_empty());
    assert!(audit_events::list(tx, other, &AuditFilter::default(), &PAGE).await.unwrap().items.is_empty());
    let (invitation, batch) = (invitation(&own.user), InvitationBatchId::from_uuid(fresh()));
    let row =
        NewInvitation { invitation: Invitation { batch_id: Some(batch), ..invitation.clone() }, display_name: None };
    invitations::insert_all(tx, &[row]).await.unwrap();
    assert!(invitations::by_id(tx, other, invitation.id).await.unwrap().is_none());
    assert!(invitations::by_user(tx, other, own.user.id).await.unwrap().is_none());
    assert!(invitations::by_batch(tx, other, batch).await.unwrap().is_empty());
    let listed = invitations::list(tx, other, &InvitationFilter::default(), at(0), &PAGE).await.unwrap();
    assert!(listed.items.is_empty());
}

/// Proves A5: with another account's id, nothing of this one is changed.
#[both_engines]
async fn nothing_is_changed_for_another_account(db: TestDatabase) {
    let (own, other) = (tenant(&db.store, "own").await, tenant(&db.store, "other").await.account.id);
    let (attempt, session, key) = (attempt(&own), session(&own), sp_key(&own));
    let mut tx = db.store.begin().await.unwrap();
    sign_in_attempts::insert(&mut tx, &attempt).await.unwrap();
    sessions::insert(&mut tx, &session).await.unwrap();
    sp_keys::insert(&mut tx, &key).await.unwrap();
    let tx = &mut tx;
    let (user, when) = (own.user.id, own.user.updated_at);
    let (invitation, link) = (invitation(&own.user), link(&own.user, LinkPurpose::Invitation));
    let row = NewInvitation { invitation: invitation.clone(), display_name: None };
    invitations::insert_all(tx, &[row]).await.unwrap();
    one_time_links::insert(tx, &link).await.unwrap();
    let moved = Invitation { account_id: other, ..invitation.clone() };
    assert!(
        invitations::mail(tx, &moved, invitation.mailed_again(at(0), SignedDuration::from_hours(24 * 7)))
            .await
            .is_err()
    );
    assert!(!invitations::accept_of_user(tx, other, user, at(0), SignInMethod::Saml).await.unwrap());
    assert!(!invitations::revoke_of_user(tx, other, user, at(0)).await.unwrap());
    assert_eq!(invitations::by_id(tx, own.account.id, invitation.id).await.unwrap(), Some(invitation));
    let ended = one_time_links::replace_of_user(tx, other, user, LinkPurpose::Invitation, at(0)).await;
    assert_eq!(ended.unwrap(), 0);
    let sign_in = LastSignIn { at: at(5), method: SignInMethod::Saml };
    assert!(users::record_sign_in(tx, other, user, sign_in, own.user.credential_epoch).await.is_err());
    let moved = domain::user::User { account_id: other, ..own.user.clone() };
    let elsewhere = domain::user::User { credential_epoch: own.user.credential_epoch.next(), ..moved.clone() };
    assert!(users::update(tx, &moved, &own.user).await.is_err());
    assert!(users::raise_epoch(tx, &moved).await.is_err());
    assert_eq!(users::epoch(tx, other, user).await.unwrap(), None);
    assert!(!users::hold_epoch(tx, other, user, own.user.credential_epoch).await.unwrap());
    assert!(!users::delete(tx, other, user).await.unwrap());
    let moved = domain::application::Application { account_id: Some(other), ..own.application.clone() };
    assert!(applications::update(tx, &moved, when).await.is_err());
    let shared = domain::application::Application { account_id: None, ..own.application.clone() };
    assert!(applications::update(tx, &shared, when).await.is_err());
    assert!(!applications::delete(tx, other, own.application.id).await.unwrap());
    assert!(!applications::delete(tx, None, own.application.id).await.unwrap());
    let moved = domain::sso::connection::SamlConnection { account_id: other, ..own.connection.clone() };
    assert!(connections::update(tx, &moved, when).await.is_err());
    assert!(!connections::delete(tx, other, own.connection.id).await.unwrap());
    assert!(sp_keys::retire(tx, other, own.connection.id, key.id, at(9)).await.is_err());
    let moved = domain::sign_in_attempt::SignInAttempt { account_id: other, ..attempt };
    assert!(!sign_in_attempts::refuse(tx, &moved).await.unwrap());
    assert!(!sessions::end(tx, other, session.id, at(30), SessionEnd::EndedByUser).await.unwrap());
    sessions::carry_on(tx, &elsewhere, session.id).await.unwrap();
    let ending = Ending { at: at(30), reason: SessionEnd::EndedByUser, kept: None };
    assert_eq!(sessions::end_for_user(tx, other, user, ending).await.unwrap(), 0);
    assert_eq!(users::by_id(tx, own.account.id, user).await.unwrap(), Some(own.user));
    let unchanged = applications::by_client_id(tx, own.application.id).await.unwrap();
    assert_eq!(unchanged, Some(own.application));
    assert_eq!(connections::by_sp_hash(tx, &own.connection.sp_hash).await.unwrap(), Some(own.connection));
    assert_eq!(sessions::by_id(tx, own.account.id, session.id).await.unwrap(), Some(session));
}
