//! A mailed link comes back: what its page shows, and the sign-in that it is good for once.

use std::net::IpAddr;

use domain::account::{Account, AccountName};
use domain::email::Email;
use domain::magic_link::{decide_answer, may_sign_in};
use domain::one_time_link::{LinkPurpose, LinkRefusal, OneTimeLink, decide_use};
use domain::portal::Portal;
use domain::sso::pending_sign_in::ReturnTo;
use domain::text::Label;
use domain::user::{SignInMethod, User, UserStatus};
use jiff::Timestamp;
use storage::Tx;

use crate::connections::sso_mode;
use crate::core::account;
use crate::core::error::{Code, Error, Result};
use crate::people::invitations::accept::refused_to_invitee;
use crate::people::one_time_links::{link, link_refused};
use crate::people::users::user;
use crate::sign_in::SignIn;
use crate::sign_in::authorization_request::AuthorizationRequest;
use crate::sign_in::form_login::SignInStep;

/// Facts that a page shows before a user signs in by a link: it may be a link to another person's account that
/// they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenMagicLink {
    /// Handle of the account that the link signs in to.
    pub account_name: AccountName,
    /// Name of the account that people read.
    pub account_display_name: Label,
    /// Email that the link was mailed to; its user signs in.
    pub email: Email,
    /// Time at which the link expires.
    pub expires_at: Timestamp,
}

/// Request of a link's page to sign in. It brings a challenge of its own, so that a link may be opened on another
/// device than the one that asked for it.
#[derive(Debug)]
pub struct CompleteMagicLink {
    /// Token that the link carries.
    pub token: String,
    /// The frontend, of the `self_service` portal, and where the outcome goes.
    pub authorization: AuthorizationRequest,
    /// Address that the request comes from.
    pub address: IpAddr,
}

/// All that a link leads to.
struct Found {
    user: User,
    account: Account,
    email: Email,
}

impl SignIn {
    /// Describes the user and account that a link signs in. Uses nothing up.
    pub async fn inspect_magic_link(&self, token: &str) -> Result<OpenMagicLink> {
        let mut tx = self.core.store.read().await?;
        let link = link(&mut tx, LinkPurpose::MagicLink, token).await?;
        let Found { account, email, .. } = found(&mut tx, &link, self.core.now()).await?;
        let (account_name, account_display_name) = (account.name, account.display_name);
        Ok(OpenMagicLink { account_name, account_display_name, email, expires_at: link.expires_at })
    }

    /// Signs in by a link, which is used up; no second factor is asked for. What a link that does not work is refused
    /// for is written down for diagnostics.
    pub async fn complete_magic_link_sign_in(&self, complete: CompleteMagicLink) -> Result<SignInStep> {
        let mut tx = self.core.store.read().await?;
        let application = storage::applications::by_client_id(&mut tx, complete.authorization.client_id).await?;
        let application = application.filter(|application| application.portal == Portal::SelfService);
        let application = application.ok_or_else(|| Error::new(Code::ApplicationRefused))?;
        let return_to = complete.authorization.return_to(&application)?;
        let link = link(&mut tx, LinkPurpose::MagicLink, &complete.token).await?;
        let serving = storage::applications::serving(&mut tx, link.account_id, application.id).await?;
        serving.ok_or_else(|| Error::new(Code::ApplicationRefused))?;
        drop(tx);
        match self.admit_by_link(&link, return_to, complete.address).await {
            Err(error) => Err(self.refuse_magic_link(&link, &complete, error).await),
            admitted => admitted,
        }
    }

    async fn admit_by_link(&self, link: &OneTimeLink, return_to: ReturnTo, address: IpAddr) -> Result<SignInStep> {
        let (mut tx, now) = (self.core.store.begin().await?, self.core.now());
        let Found { mut user, email, .. } = found(&mut tx, link, now).await?;
        if !storage::one_time_links::take(&mut tx, link.digest, now).await? {
            return Err(link_refused(LinkRefusal::Used));
        }
        if user.status == UserStatus::Invited {
            let accepted = self.people.accept_by_sign_in(&mut tx, &user, SignInMethod::MagicLink).await?;
            accepted.map_err(refused_to_invitee)?;
            user = self.people.activate(&mut tx, &user, user.clone(), address).await?;
        }
        let sign_in = self.direct_sign_in(&user, return_to, SignInMethod::MagicLink, None);
        let redirect_to = self.write_complete_sign_in(&mut tx, &sign_in, email.as_str(), address).await?;
        tx.commit().await?;
        Ok(SignInStep::Complete { redirect_to })
    }
}

/// Finds the user and account of a link, if that user may sign in now.
async fn found(tx: &mut Tx, link: &OneTimeLink, now: Timestamp) -> Result<Found> {
    let user = user(tx, link.account_id, link.user_id).await?;
    let account = account(tx, link.account_id).await?;
    let mode = sso_mode(tx, account.id, Portal::SelfService).await?;
    let email = user.link_email().filter(|_| may_sign_in(&user, mode)).cloned();
    let refused = || decide_answer(mode).map_or(Code::MagicLinkUnsupported, |()| Code::LinkInvalid);
    let email = email.ok_or_else(|| Error::new(refused()))?;
    decide_use(link, user.credential_epoch, now).map_err(link_refused)?;
    Ok(Found { user, account, email })
}
