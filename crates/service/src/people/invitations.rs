//! Invitations (E1 to E4): made, listed, mailed anew, revoked, accepted.

pub(crate) mod accept;
pub(crate) mod batch;
mod first_owner;
pub(crate) mod invite;
pub(crate) mod mailing;

use domain::audit::AuditAction;
use domain::invitation::{
    Invitation, InvitationEnd, InvitationMail, InvitationRefusal, InvitationState, decide_resend, decide_revoke,
};
use domain::one_time_link::LinkPurpose;
use domain::role::Permission;
use domain::throttle::retry_after;
use domain::user::{User, UserStatus};
use domain::{AccountId, InvitationId, UserId};
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::invitations::InvitationFilter;
use storage::{Page, Paged, Tx};

use crate::core::account;
use crate::core::audit::{AuditEntry, AuditOrigin};
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::search::check_search;
use crate::people::People;
use crate::people::invitations::mailing::{MailWishes, Mailing, MailingOf};
use crate::people::users::audited_user;

/// An invitation as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitationView {
    /// Invitation as it is stored.
    pub invitation: Invitation,
    /// State of the invitation at this moment.
    pub state: InvitationState,
}

/// One more mail of an invitation, and whose it is.
pub(crate) struct Addressee<'a> {
    /// Invitation as it is before the mail.
    pub invitation: &'a Invitation,
    /// User who was invited.
    pub user: &'a User,
    /// The mails after this one.
    pub mail: InvitationMail,
}

/// Filter of the invitations that are listed.
pub type InvitationsQuery = InvitationFilter;

impl People {
    /// Lists the invitations of an account, the newest first.
    pub async fn list_invitations(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &InvitationsQuery,
        page: &Page,
    ) -> Result<Paged<InvitationView>> {
        caller.authorize(account_id, Permission::Read)?;
        check_search(filter.search.as_deref())?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        let found = storage::invitations::list(&mut tx, account_id, filter, self.core.now(), page).await?;
        let items = found.items.into_iter().map(|invitation| self.invitation_view(invitation)).collect();
        Ok(Paged { items, next: found.next })
    }

    /// Reads an invitation and its state.
    pub async fn get_invitation(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: InvitationId,
    ) -> Result<InvitationView> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        Ok(self.invitation_view(invitation(&mut tx, account_id, id).await?))
    }

    /// Mails an invitation once more, or a staged one for the first time. Its older links stop working at once (E3).
    pub async fn resend_invitation(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: InvitationId,
        wishes: &MailWishes,
    ) -> Result<InvitationView> {
        caller.authorize(account_id, Permission::ManageUsers)?;
        let mut tx = self.core.store.begin().await?;
        let before = invitation(&mut tx, account_id, id).await?;
        let user = storage::users::by_id(&mut tx, account_id, before.user_id).await?;
        let user = user.ok_or_else(|| Error::new(Code::InvitationRevoked))?;
        caller.authorize_over(&user)?;
        let account = account(&mut tx, account_id).await?;
        let mailing = if before.first_owner {
            self.first_owner_mailing(&mut tx, &account, *wishes).await?
        } else {
            self.mailing(&mut tx, caller, MailingOf { account: &account, portal: before.portal, wishes }).await?
        };
        let decided = decide_resend(&before, user.status, self.core.now(), mailing.lifetime);
        let mail = decided.map_err(|refusal| self.refused_to_owner(refusal))?;
        let addressee = Addressee { invitation: &before, user: &user, mail };
        let after = self.mail_invitation(&mut tx, &mailing, addressee, caller.origin()).await?;
        tx.commit().await?;
        Ok(self.invitation_view(after))
    }

    /// Writes one mail of an invitation, whose older links stop working; `PreconditionFailed` where another mail
    /// came first.
    pub(crate) async fn mail_invitation(
        &self,
        tx: &mut Tx,
        mailing: &Mailing,
        addressee: Addressee<'_>,
        origin: AuditOrigin,
    ) -> Result<Invitation> {
        let Addressee { invitation: before, user, mail } = addressee;
        let (link, outgoing) = self.invitation_mail(mailing, user, mail.expires_at)?;
        let current = Invitation { email: user.email.clone(), ..before.clone() };
        storage::invitations::mail(tx, &current, mail).await?;
        end_links(tx, before.account_id, user.id, self.core.now()).await?;
        storage::one_time_links::insert_all(tx, link.as_slice()).await?;
        self.mail.enqueue(tx, &[outgoing]).await?;
        let after = Invitation { mail: Some(mail), ..current };
        let entry = entry(AuditAction::InvitationMailed, &after, audited(before), audited(&after));
        self.core.record_as(tx, origin, entry).await?;
        Ok(after)
    }

    /// Takes an invitation back. Its links stop working at once, and a user who never came in is removed, so that the
    /// username is free again.
    pub async fn revoke_invitation(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: InvitationId,
    ) -> Result<InvitationView> {
        caller.authorize(account_id, Permission::ManageUsers)?;
        let mut tx = self.core.store.begin().await?;
        self.hold_owners(&mut tx, caller, account_id).await?;
        let before = invitation(&mut tx, account_id, id).await?;
        decide_revoke(&before).map_err(|refusal| self.refused_to_owner(refusal))?;
        let (now, user_id) = (self.core.now(), before.user_id);
        if !storage::invitations::revoke_of_user(&mut tx, account_id, user_id, now).await? {
            return Err(Error::new(Code::PreconditionFailed));
        }
        end_links(&mut tx, account_id, user_id, now).await?;
        self.remove_invited(&mut tx, caller, &before).await?;
        let after = Invitation { end: Some(InvitationEnd::Revoked(now)), ..before.clone() };
        let entry = entry(AuditAction::InvitationRevoked, &after, audited(&before), audited(&after));
        self.core.record(&mut tx, caller, entry).await?;
        tx.commit().await?;
        Ok(self.invitation_view(after))
    }

    /// Removes the user of an invitation who never came in, but not the last owner (A4).
    async fn remove_invited(&self, tx: &mut Tx, caller: &Caller, invitation: &Invitation) -> Result<()> {
        let (account_id, id) = (invitation.account_id, invitation.user_id);
        let user = storage::users::by_id(tx, account_id, id).await?;
        let Some(user) = user.filter(|user| user.status == UserStatus::Invited) else { return Ok(()) };
        caller.authorize_over(&user)?;
        self.guard_owners(tx, &user, None).await?;
        self.remove_user(tx, &user).await?;
        let entry = crate::people::users::entry(AuditAction::UserDeleted, &user, audited_user(&user), Value::Null);
        self.core.record(tx, caller, entry).await
    }

    pub(crate) fn invitation_view(&self, invitation: Invitation) -> InvitationView {
        let state = invitation.state(self.core.now());
        InvitationView { invitation, state }
    }

    /// Translates a refusal for an owner who wants to change an invitation.
    fn refused_to_owner(&self, refusal: InvitationRefusal) -> Error {
        match refusal {
            InvitationRefusal::Accepted => Error::new(Code::InvitationAccepted),
            InvitationRefusal::Revoked => Error::new(Code::InvitationRevoked),
            InvitationRefusal::Expired => Error::new(Code::InvitationExpired),
            InvitationRefusal::SetsPassword => Error::new(Code::FirstOwnerSetsPassword),
            InvitationRefusal::Inactive => Error::new(Code::UserInactive),
            InvitationRefusal::TooSoon { until } => {
                let wait = until.duration_since(self.core.now());
                let detail = "The invitation was mailed a moment ago";
                Error::new(Code::RateLimited).with_detail(detail).with_retry_after(retry_after(wait))
            }
        }
    }
}

/// The invitation, or "not found".
async fn invitation(tx: &mut Tx, account_id: AccountId, id: InvitationId) -> Result<Invitation> {
    storage::invitations::by_id(tx, account_id, id).await?.ok_or_else(|| Error::new(Code::NotFound))
}

/// Ends an invitation's links, and takes back its mails that still wait: they would lead nowhere.
pub(crate) async fn end_links(tx: &mut Tx, account_id: AccountId, user_id: UserId, now: Timestamp) -> Result<()> {
    storage::one_time_links::replace_of_user(tx, account_id, user_id, LinkPurpose::Invitation, now).await?;
    Ok(storage::outbox::withdraw_invitations(tx, account_id, user_id).await?)
}

pub(crate) fn entry(action: AuditAction, invitation: &Invitation, before: Value, after: Value) -> AuditEntry {
    AuditEntry { account_id: Some(invitation.account_id), action, target: invitation.id.to_string(), before, after }
}

/// Properties of an invitation that the audit log keeps.
pub(crate) fn audited(invitation: &Invitation) -> Value {
    let (accepted, revoked_at) = match invitation.end {
        Some(InvitationEnd::Accepted(at, method)) => (Some((at, method)), None),
        Some(InvitationEnd::Revoked(at)) => (None, Some(at)),
        None => (None, None),
    };
    let mail = |time: fn(InvitationMail) -> Timestamp| invitation.mail.map(time);
    json!({
        "user_id": invitation.user_id,
        "username": invitation.username,
        "email": invitation.email,
        "mailed_at": mail(|mail| mail.mailed_at),
        "expires_at": mail(|mail| mail.expires_at),
        "accepted_at": accepted.map(|(at, _)| at),
        "accepted_method": accepted.map(|(_, method)| method),
        "revoked_at": revoked_at,
    })
}

/// A staged invitation of a user who was just made.
pub(crate) fn staged(id: InvitationId, user: &User, caller: &Caller) -> Invitation {
    Invitation {
        id,
        account_id: user.account_id,
        portal: user.portal,
        user_id: user.id,
        batch_id: None,
        first_owner: false,
        username: user.username.clone(),
        email: user.email.clone(),
        invited_by: caller.user().ok().map(|user| user.user_id),
        invited_at: user.created_at,
        mail: None,
        end: None,
    }
}
