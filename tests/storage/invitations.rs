//! Invitations and one-time links.

use std::slice::from_ref;

use domain::account_link::{AccountLink, AccountRelation, LinkState};
use domain::email::Email;
use domain::invitation::{Invitation, InvitationEnd, InvitationMail, InvitationState};
use domain::one_time_link::{LinkEnd, LinkPurpose, OneTimeLink};
use domain::portal::Portal;
use domain::user::{SignInMethod, User};
use domain::{AccountLinkId, InvitationBatchId, InvitationId, UserId};
use jiff::SignedDuration;
use storage::invitations::{InvitationFilter, NewInvitation};
use storage::{Page, StorageError, Tx, invitations, one_time_links, users};
use tests::both_engines;
use tests::databases::TestDatabase;

use crate::samples::{Tenant, at, fresh, invitation, label, link, stored_account, tenant, user};

const WEEK: i64 = 7 * 24 * 3_600_000;

async fn store(tx: &mut Tx, invitation: &Invitation) {
    let row = NewInvitation { invitation: invitation.clone(), display_name: Some(label("Åsa 100%")) };
    invitations::insert_all(tx, &[row]).await.unwrap();
}

fn mailed(invitation: Invitation) -> Invitation {
    Invitation { mail: Some(invitation.mailed_again(at(0), SignedDuration::from_millis(WEEK))), ..invitation }
}

fn of_nobody(user: &User) -> Invitation {
    Invitation { user_id: UserId::from_uuid(fresh()), ..invitation(user) }
}

/// Proves E1: an invitation reads back, bare and with everything, however it ended.
#[both_engines]
async fn an_invitation_reads_back(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let bare = invitation(&tenant.user);
    let batch = InvitationBatchId::from_uuid(fresh());
    let full = Invitation {
        portal: Portal::SelfService,
        batch_id: Some(batch),
        email: Some(Email::parse("Åsa.Ö+x@Example.COM").unwrap()),
        invited_by: Some(tenant.user.id),
        end: Some(InvitationEnd::Accepted(at(3), SignInMethod::Saml)),
        ..mailed(of_nobody(&tenant.user))
    };
    let revoked = Invitation { end: Some(InvitationEnd::Revoked(at(4))), ..of_nobody(&tenant.user) };
    for stored in [&bare, &full, &revoked] {
        store(&mut tx, stored).await;
        let read = invitations::by_id(&mut tx, tenant.account.id, stored.id).await.unwrap();
        assert_eq!(read.as_ref(), Some(stored));
    }
    let of_user = invitations::by_user(&mut tx, tenant.account.id, tenant.user.id).await.unwrap();
    assert_eq!(of_user, Some(bare));
    assert_eq!(invitations::by_batch(&mut tx, tenant.account.id, batch).await.unwrap(), [full]);
}

/// Proves A1, G1: first owners wait, in pages, for an account and its sandboxes or for all; not once they were
/// mailed, or their account has a break-glass user.
#[both_engines]
async fn first_owners_wait_for_their_mail(db: TestDatabase) {
    let (one, other) = (tenant(&db.store, "one").await, tenant(&db.store, "other").await);
    let mut tx = db.store.begin().await.unwrap();
    let tx = &mut tx;
    let first = |tenant: &Tenant| Invitation { first_owner: true, ..invitation(&tenant.user) };
    let (ours, theirs) = (first(&one), first(&other));
    for stored in [&ours, &theirs, &of_nobody(&one.user)] {
        store(tx, stored).await;
    }
    let (account, sandbox) = (one.account.id, other.account.id);
    assert_eq!(invitations::first_owners(tx, account).await.unwrap(), from_ref(&ours));
    let of = async |tx: &mut Tx, of, after| invitations::waiting_owners(tx, of, after, 1).await.unwrap();
    let (low, high) = if ours.id < theirs.id { (&ours, &theirs) } else { (&theirs, &ours) };
    assert_eq!(of(tx, None, None).await, from_ref(low));
    assert_eq!(of(tx, None, Some(low.id)).await, from_ref(high));
    assert!(of(tx, None, Some(high.id)).await.is_empty());
    assert_eq!(of(tx, Some(sandbox), None).await, from_ref(&theirs));
    let link = AccountLink {
        id: AccountLinkId::from_uuid(fresh()),
        account_id: account,
        other_account_id: sandbox,
        relation: AccountRelation::Sandbox,
        state: LinkState::Accepted,
        requested_at: at(0),
        accepted_at: None,
    };
    storage::account_links::insert(tx, &link).await.unwrap();
    let served = invitations::waiting_owners(tx, Some(account), None, 9).await.unwrap();
    assert_eq!(served, [low.clone(), high.clone()]);
    let mail = InvitationMail { mailed_at: at(1), expires_at: at(WEEK), sends: 1 };
    invitations::mail(tx, &ours, mail).await.unwrap();
    assert_eq!(invitations::waiting_owners(tx, Some(account), None, 9).await.unwrap(), [theirs]);
    let marked = User { break_glass: true, ..other.user.clone() };
    users::update(tx, &marked, &other.user).await.unwrap();
    assert!(invitations::waiting_owners(tx, None, None, 9).await.unwrap().is_empty());
}

/// Proves E3: each mail is counted, one that comes late is refused, and an ended invitation is not mailed.
#[both_engines]
async fn an_invitation_is_mailed_while_it_is_open(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let staged = invitation(&tenant.user);
    store(&mut tx, &staged).await;
    let email = Some(Email::parse("new@x.example").unwrap());
    let addressed = Invitation { email, ..staged.clone() };
    let mail = InvitationMail { mailed_at: at(1), expires_at: at(WEEK), sends: 1 };
    invitations::mail(&mut tx, &addressed, mail).await.unwrap();
    let read = invitations::by_id(&mut tx, tenant.account.id, staged.id).await.unwrap().unwrap();
    assert_eq!(read, Invitation { mail: Some(mail), ..addressed });
    let late = invitations::mail(&mut tx, &staged, mail).await;
    assert!(matches!(late, Err(StorageError::Stale)), "{late:?}");
    let (account_id, user_id) = (tenant.account.id, tenant.user.id);
    assert!(invitations::revoke_of_user(&mut tx, account_id, user_id, at(2)).await.unwrap());
    assert!(!invitations::accept_of_user(&mut tx, account_id, user_id, at(3), SignInMethod::Saml).await.unwrap());
    let ended = invitations::mail(&mut tx, &read, read.mailed_again(at(4), SignedDuration::from_millis(WEEK))).await;
    assert!(matches!(ended, Err(StorageError::Stale)), "{ended:?}");
    let read = invitations::by_user(&mut tx, tenant.account.id, tenant.user.id).await.unwrap().unwrap();
    assert_eq!(read.end, Some(InvitationEnd::Revoked(at(2))));
}

/// Proves E2: an open invitation is accepted once, and stays accepted.
#[both_engines]
async fn an_invitation_is_accepted_once(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    store(&mut tx, &mailed(invitation(&tenant.user))).await;
    let (account_id, user_id) = (tenant.account.id, tenant.user.id);
    assert!(invitations::accept_of_user(&mut tx, account_id, user_id, at(3), SignInMethod::Saml).await.unwrap());
    assert!(!invitations::accept_of_user(&mut tx, account_id, user_id, at(4), SignInMethod::Saml).await.unwrap());
    assert!(!invitations::revoke_of_user(&mut tx, account_id, user_id, at(5)).await.unwrap());
    let read = invitations::by_user(&mut tx, tenant.account.id, tenant.user.id).await.unwrap().unwrap();
    assert_eq!(read.end, Some(InvitationEnd::Accepted(at(3), SignInMethod::Saml)));
}

/// Proves E3: each filter of the list, the state as of the time that is asked about.
#[both_engines]
async fn invitations_are_listed_by_state_portal_batch_and_search(db: TestDatabase) {
    let mut tx = db.store.begin().await.unwrap();
    let account = stored_account(&mut tx, "acme").await;
    let batch = InvitationBatchId::from_uuid(fresh());
    let invited = |name: &str| invitation(&user(account.id, name));
    let staged = Invitation { batch_id: Some(batch), ..invited("staged@x.example") };
    let pending = mailed(invited("pending_@x.example"));
    let accepted = InvitationEnd::Accepted(at(1), SignInMethod::Saml);
    let accepted = Invitation { end: Some(accepted), portal: Portal::SelfService, ..mailed(invited("accepted")) };
    let revoked = Invitation { end: Some(InvitationEnd::Revoked(at(1))), ..mailed(invited("revoked")) };
    let all = [&staged, &pending, &accepted, &revoked];
    for stored in all {
        store(&mut tx, stored).await;
    }
    let none = InvitationFilter::default();
    let state = |state| InvitationFilter { state: Some(state), ..InvitationFilter::default() };
    let search = |text: &str| InvitationFilter { search: Some(text.to_owned()), ..InvitationFilter::default() };
    let cases = [
        (none.clone(), 0, vec![revoked.id, accepted.id, pending.id, staged.id]),
        (state(InvitationState::Pending), WEEK - 1, vec![pending.id, staged.id]),
        (state(InvitationState::Pending), WEEK, vec![staged.id]),
        (state(InvitationState::Expired), WEEK, vec![pending.id]),
        (state(InvitationState::Accepted), WEEK, vec![accepted.id]),
        (state(InvitationState::Revoked), WEEK, vec![revoked.id]),
        (InvitationFilter { staged: Some(true), ..none.clone() }, 0, vec![staged.id]),
        (InvitationFilter { staged: Some(false), ..none.clone() }, 0, vec![revoked.id, accepted.id, pending.id]),
        (InvitationFilter { portal: Some(Portal::SelfService), ..none.clone() }, 0, vec![accepted.id]),
        (InvitationFilter { batch_id: Some(batch), ..none.clone() }, 0, vec![staged.id]),
        (search("PENDING_@"), 0, vec![pending.id]),
        (search("åsa 100%"), 0, vec![revoked.id, accepted.id, pending.id, staged.id]),
        (search("g_@"), 0, vec![pending.id]),
        (search("\0"), 0, vec![]),
    ];
    for (filter, now, expected) in cases {
        let found = invitations::list(&mut tx, account.id, &filter, at(now), &Page::first(9)).await.unwrap();
        let found: Vec<InvitationId> = found.items.iter().map(|invitation| invitation.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    let first = invitations::list(&mut tx, account.id, &none, at(0), &Page::first(3)).await.unwrap();
    let next = Page { after: first.next, limit: 3 };
    let rest = invitations::list(&mut tx, account.id, &none, at(0), &next).await.unwrap();
    assert_eq!((first.items.len(), rest.items, rest.next), (3, vec![staged], None));
}

/// Proves B4, E3: a link reads back, is used once within its time, and is gone with its user.
#[both_engines]
async fn a_one_time_link_is_used_once_and_in_time(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let fresh = link(&tenant.user, LinkPurpose::PasswordReset);
    let ended = OneTimeLink { ended: Some((at(2), LinkEnd::Replaced)), ..link(&tenant.user, LinkPurpose::MagicLink) };
    for stored in [&fresh, &ended] {
        one_time_links::insert(&mut tx, stored).await.unwrap();
        assert_eq!(one_time_links::by_digest(&mut tx, stored.digest).await.unwrap().as_ref(), Some(stored));
    }
    assert!(!one_time_links::take(&mut tx, ended.digest, at(5)).await.unwrap());
    assert!(!one_time_links::take(&mut tx, fresh.digest, fresh.expires_at).await.unwrap());
    assert!(one_time_links::take(&mut tx, fresh.digest, at(5)).await.unwrap());
    assert!(!one_time_links::take(&mut tx, fresh.digest, at(6)).await.unwrap());
    let read = one_time_links::by_digest(&mut tx, fresh.digest).await.unwrap().unwrap();
    assert_eq!(read.ended, Some((at(5), LinkEnd::Used)));
    users::delete(&mut tx, tenant.account.id, tenant.user.id).await.unwrap();
    assert!(one_time_links::by_digest(&mut tx, fresh.digest).await.unwrap().is_none());
}

/// Proves E3, B4: a newer link ends the older ones of its purpose.
#[both_engines]
async fn links_of_one_purpose_are_replaced(db: TestDatabase) {
    let tenant = tenant(&db.store, "acme").await;
    let mut tx = db.store.begin().await.unwrap();
    let (account_id, user_id) = (tenant.account.id, tenant.user.id);
    let resets = [link(&tenant.user, LinkPurpose::PasswordReset), link(&tenant.user, LinkPurpose::PasswordReset)];
    let other = link(&tenant.user, LinkPurpose::MagicLink);
    one_time_links::insert_all(&mut tx, &[resets[0], resets[1], other]).await.unwrap();
    let replaced =
        one_time_links::replace_of_user(&mut tx, account_id, user_id, LinkPurpose::PasswordReset, at(3)).await;
    assert_eq!(replaced.unwrap(), 2);
    assert!(one_time_links::take(&mut tx, other.digest, at(4)).await.unwrap());
    let stranger = OneTimeLink { user_id: UserId::from_uuid(fresh()), ..link(&tenant.user, LinkPurpose::MagicLink) };
    let refused = one_time_links::insert(&mut tx, &stranger).await;
    assert!(matches!(refused, Err(StorageError::Stale)), "{refused:?}");
}
