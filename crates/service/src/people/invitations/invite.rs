//! Inviting: the user, their invitation, its link and its mail are written together (E1, E4).

use domain::account::Account;
use domain::audit::AuditAction;
use domain::directory::NewNames;
use domain::email::Email;
use domain::invitation::Invitation;
use domain::mail::Mail;
use domain::one_time_link::OneTimeLink;
use domain::portal::Portal;
use domain::role::{Permission, RoleSet};
use domain::text::Label;
use domain::user::User;
use domain::username::Username;
use domain::{AccountId, InvitationBatchId, InvitationId};
use serde_json::Value;
use storage::Tx;
use storage::invitations::NewInvitation;

use crate::core::account;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::idempotency::{Created, IdempotencyKey};
use crate::people::People;
use crate::people::directory::{Naming, check_names};
use crate::people::invitations::mailing::{MailWishes, Mailing, MailingOf};
use crate::people::invitations::{InvitationView, audited, entry, invitation, staged};
use crate::people::users::{NewUser, audited_user, check_roles};

/// Properties that all invitations of one request share.
#[derive(Debug, Clone, Copy)]
pub struct InviteOptions {
    /// Portal that they lead to.
    pub portal: Portal,
    /// Whether they are set up without a mail, which a resend sends later.
    pub staged: bool,
    /// Wishes for the mail.
    pub wishes: MailWishes,
}

/// Person to invite. The email becomes the username (E1).
#[derive(Debug, Clone)]
pub struct Invitee {
    /// Email that the invitation is sent to.
    pub email: Email,
    /// Display name of the person.
    pub display_name: Option<Label>,
    /// Their roles; for the `admin` portal alone.
    pub roles: RoleSet,
}

/// Part of a request to invite that is alike for all its people.
pub(crate) struct Plan<'a> {
    pub account_id: AccountId,
    pub portal: Portal,
    pub caller: &'a Caller,
    pub batch_id: Option<InvitationBatchId>,
    /// Whether it is the account's first owner who is invited (A1).
    pub first_owner: bool,
    /// Facts about the mails; none where the invitations are staged.
    pub mailing: Option<Mailing>,
}

/// One invitation, ready to be written.
pub(crate) struct Prepared {
    pub user: User,
    pub invitation: Invitation,
    pub link: Option<OneTimeLink>,
    pub mail: Option<Mail>,
}

/// Invitation of one user.
#[derive(Debug, Clone)]
pub struct Invite {
    /// User who is invited.
    pub invitee: Invitee,
    /// Portal, inviter and mails.
    pub options: InviteOptions,
}

impl People {
    /// Invites one person, and mails them.
    pub async fn create_invitation(
        &self,
        caller: &Caller,
        account_id: AccountId,
        invite: Invite,
        key: Option<&IdempotencyKey>,
    ) -> Result<Created<InvitationView>> {
        caller.authorize(account_id, Permission::ManageUsers)?;
        let mut tx = self.core.store.begin().await?;
        self.hold_owners(&mut tx, caller, account_id).await?;
        if let Some(id) = self.core.replay(&mut tx, caller, key).await? {
            let id = id.parse().map_err(Error::internal)?;
            let earlier = invitation(&mut tx, account_id, id).await?;
            return Ok(Created::replayed(self.invitation_view(earlier)));
        }
        let account = account(&mut tx, account_id).await?;
        let plan = self.plan(&mut tx, caller, &account, &invite.options).await?;
        let prepared = self.prepare(&plan, invite.invitee)?;
        check_names(&mut tx, Naming { caller, by_invitation: true }, &prepared.user, NewNames::ALL).await?;
        let made = self.write_invitations(&mut tx, caller, vec![prepared]).await?.pop().flatten();
        let made = made.ok_or_else(|| Error::new(Code::UsernameTaken))?;
        self.core.remember(&mut tx, caller, key, made.id.to_string()).await?;
        tx.commit().await?;
        Ok(Created::fresh(self.invitation_view(made)))
    }

    /// Plans what all invitations of a request share.
    pub(crate) async fn plan<'a>(
        &self,
        tx: &mut Tx,
        caller: &'a Caller,
        account: &Account,
        options: &InviteOptions,
    ) -> Result<Plan<'a>> {
        let (account_id, portal) = (account.id, options.portal);
        let mailing = if options.staged {
            None
        } else {
            Some(self.mailing(tx, caller, MailingOf { account, portal, wishes: &options.wishes }).await?)
        };
        Ok(Plan { account_id, portal, caller, batch_id: None, first_owner: false, mailing })
    }

    /// Makes one invitation ready, or says what is wrong with it.
    pub(crate) fn prepare(&self, plan: &Plan<'_>, invitee: Invitee) -> Result<Prepared> {
        check_roles(plan.portal, &invitee.roles)?;
        let username = Username::parse(invitee.email.as_str()).map_err(|error| Error::invalid("/email", error))?;
        let Invitee { email, display_name, roles } = invitee;
        let new = NewUser { portal: plan.portal, username, email: Some(email), display_name, roles };
        self.prepare_user(plan, self.invited_user(plan.account_id, new))
    }

    /// The same for a user who was just made and is not written yet.
    pub(crate) fn prepare_user(&self, plan: &Plan<'_>, user: User) -> Result<Prepared> {
        plan.caller.authorize_making(&user)?;
        let mut invitation = staged(InvitationId::from_uuid(self.core.uuid()), &user, plan.caller);
        (invitation.batch_id, invitation.first_owner) = (plan.batch_id, plan.first_owner);
        let Some(mailing) = &plan.mailing else { return Ok(Prepared { user, invitation, link: None, mail: None }) };
        let mailed = invitation.mailed_again(self.core.now(), mailing.lifetime);
        invitation.mail = Some(mailed);
        let (link, mail) = self.invitation_mail(mailing, &user, mailed.expires_at)?;
        Ok(Prepared { user, invitation, link, mail: Some(mail) })
    }

    /// The staged invitation of a user who was created without a mail (E1). The event of the user's creation says it.
    pub(crate) async fn stage_invitation(&self, tx: &mut Tx, caller: &Caller, user: &User) -> Result<()> {
        let invitation = staged(InvitationId::from_uuid(self.core.uuid()), user, caller);
        let row = NewInvitation { invitation, display_name: user.display_name.clone() };
        Ok(storage::invitations::insert_all(tx, &[row]).await?)
    }

    /// Writes invitations, each with its user, link, mail and audit events, in as few statements as it takes; none for
    /// those whose username is taken.
    pub(crate) async fn write_invitations(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        prepared: Vec<Prepared>,
    ) -> Result<Vec<Option<Invitation>>> {
        let users: Vec<User> = prepared.iter().map(|one| one.user.clone()).collect();
        let added = storage::users::insert_all(tx, &users).await?;
        let (mut results, mut rows) = (Vec::with_capacity(prepared.len()), Vec::with_capacity(added.len()));
        let (mut links, mut mails, mut entries) = (vec![], vec![], vec![]);
        for Prepared { user, invitation, link, mail } in prepared {
            if !added.contains(&user.id) {
                results.push(None);
                continue;
            }
            entries.push(crate::people::users::entry(
                AuditAction::UserCreated,
                &user,
                Value::Null,
                audited_user(&user),
            ));
            entries.push(entry(AuditAction::InvitationCreated, &invitation, Value::Null, audited(&invitation)));
            links.extend(link);
            mails.extend(mail);
            rows.push(NewInvitation { invitation: invitation.clone(), display_name: user.display_name });
            results.push(Some(invitation));
        }
        storage::invitations::insert_all(tx, &rows).await?;
        storage::one_time_links::insert_all(tx, &links).await?;
        self.mail.enqueue(tx, &mails).await?;
        self.core.record_all(tx, caller, entries).await?;
        Ok(results)
    }
}
