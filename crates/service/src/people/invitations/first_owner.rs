//! The first owner of an account (A1): invited with it, mailed as soon as there is a page that the link can lead to.

use domain::account::Account;
use domain::application::{Application, Page, RedirectUri};
use domain::invitation::{AcceptBy, Invitation, decide_resend};
use domain::owner_invitation::{MailPrerequisites, OwnerInvitation};
use domain::portal::Portal;
use domain::user::User;
use domain::{AccountId, InvitationId};
use storage::Tx;

use super::Addressee;
use super::invite::Plan;
use super::mailing::{MailWishes, Mailing};
use crate::core::account;
use crate::core::audit::AuditOrigin;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::people::People;
use crate::people::users::user;

/// Invitations that one transaction mails: few enough to be no burden for a request that registers a page.
const MAILED_AT_ONCE: u16 = 100;

impl People {
    /// Invites the first owner of an account. Where there is no page yet that the mail could lead to, the
    /// invitation waits for one.
    pub(crate) async fn invite_first_owner(
        &self,
        tx: &mut Tx,
        caller: &Caller,
        account: &Account,
        owner: User,
    ) -> Result<()> {
        let (account_id, portal) = (account.id, owner.portal);
        let page = self.acceptance_page(tx, account_id).await?;
        let mailing = page.map(|page| Mailing::first_owner(account, page, MailWishes::default()));
        let plan = Plan { account_id, portal, caller, batch_id: None, first_owner: true, mailing };
        let prepared = self.prepare_user(&plan, owner)?;
        self.write_invitations(tx, caller, vec![prepared]).await.map(drop)
    }

    /// The invitation of an account's first owner, as it is told; none where the account was made otherwise.
    pub(crate) async fn owner_invitation(&self, tx: &mut Tx, account_id: AccountId) -> Result<Option<OwnerInvitation>> {
        let Some(invitation) = storage::invitations::first_owners(tx, account_id).await?.pop() else { return Ok(None) };
        let prerequisites = MailPrerequisites {
            has_page: self.acceptance_page(tx, account_id).await?.is_some(),
            has_mail_server: self.core.ports.mailer.is_configured(),
        };
        Ok(Some(OwnerInvitation::of(&invitation, prerequisites, self.core.now())))
    }

    /// The mails of a first owner's invitation that is sent again.
    pub(super) async fn first_owner_mailing(
        &self,
        tx: &mut Tx,
        account: &Account,
        wishes: MailWishes,
    ) -> Result<Mailing> {
        if wishes.accept_by.is_some_and(|wanted| wanted != AcceptBy::Password) {
            return Err(Error::invalid("/accept_by", "must be password: the first owner's link always sets one"));
        }
        let page = self.mail.page(tx, account.id, Portal::Admin, Page::AcceptInvitation).await?;
        Ok(Mailing::first_owner(account, page, wishes))
    }

    /// Mails the waiting first owners that this application serves from now on.
    pub(crate) async fn mail_owners_served_by(&self, tx: &mut Tx, application: &Application) -> Result<()> {
        let has_page = application.settings.pages.url(Page::AcceptInvitation).is_some();
        if application.portal == Portal::Admin && application.is_default && has_page {
            self.mail_waiting_owners(tx, application.account_id, None).await?;
        }
        Ok(())
    }

    /// Mails the first owners who wait for no reason any more: what serves them came in another way than by
    /// registering a page, or there were more of them than one request mails.
    pub async fn mail_first_owners(&self) -> Result<()> {
        let mut after = None;
        loop {
            let mut tx = self.core.store.begin().await?;
            after = self.mail_waiting_owners(&mut tx, None, after).await?;
            tx.commit().await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Mails some of the waiting, as far as they have a page; gives the last one, if there may be more after it.
    async fn mail_waiting_owners(
        &self,
        tx: &mut Tx,
        of: Option<AccountId>,
        after: Option<InvitationId>,
    ) -> Result<Option<InvitationId>> {
        let waiting = storage::invitations::waiting_owners(tx, of, after, MAILED_AT_ONCE).await?;
        for invitation in &waiting {
            self.mail_waiting_owner(tx, invitation).await?;
        }
        let more = waiting.len() >= usize::from(MAILED_AT_ONCE);
        Ok(waiting.last().filter(|_| more).map(|last| last.id))
    }

    async fn mail_waiting_owner(&self, tx: &mut Tx, invitation: &Invitation) -> Result<()> {
        let account_id = invitation.account_id;
        let Some(page) = self.acceptance_page(tx, account_id).await? else { return Ok(()) };
        let account = account(tx, account_id).await?;
        let user = user(tx, account_id, invitation.user_id).await?;
        let mailing = Mailing::first_owner(&account, page, MailWishes::default());
        let Ok(mail) = decide_resend(invitation, user.status, self.core.now(), mailing.lifetime) else { return Ok(()) };
        let addressee = Addressee { invitation, user: &user, mail };
        match self.mail_invitation(tx, &mailing, addressee, AuditOrigin::SYSTEM).await {
            // Another request, or another process, mailed it in this very moment.
            Err(error) if error.code == Code::PreconditionFailed => Ok(()),
            mailed => mailed.map(drop),
        }
    }

    /// The page where invitations into the admin portal of this account are accepted, if there is one.
    async fn acceptance_page(&self, tx: &mut Tx, account_id: AccountId) -> Result<Option<RedirectUri>> {
        match self.mail.page(tx, account_id, Portal::Admin, Page::AcceptInvitation).await {
            Ok(page) => Ok(Some(page)),
            Err(error) if error.code == Code::PageNotConfigured => Ok(None),
            Err(error) => Err(error),
        }
    }
}
