//! Signing in to the `self_service` portal by a mailed link (B6).
//!
//! A request is answered before a user is looked for, so neither the answer nor its time says who is known here.

pub(crate) mod complete;
pub(crate) mod refusal;

use std::net::IpAddr;
use std::sync::Arc;

use domain::ApplicationId;
use domain::account::{Account, AccountName};
use domain::application::{Application, Page, RedirectUri};
use domain::email::Email;
use domain::invitation::decide_accept;
use domain::magic_link::{MAGIC_LINK_PACE, decide_answer, recipient};
use domain::mail::{MailMessage, OutgoingMail};
use domain::one_time_link::LinkPurpose;
use domain::portal::Portal;
use domain::sso::connection::SsoMode;
use domain::throttle::ThrottleKey;
use domain::user::{User, UserStatus};
use jiff::Timestamp;
use storage::Tx;

use crate::connections::sso_mode;
use crate::core::error::{Code, Error, Result};
use crate::people::one_time_links::page_of;
use crate::sign_in::SignIn;
use crate::sign_in::authorization_request::registered_uri;

/// Body of a user who wants to sign in by a mailed link.
#[derive(Debug, Clone)]
pub struct RequestMagicLink {
    /// The account that was typed.
    pub account_name: AccountName,
    /// The email that was typed.
    pub email: Email,
    /// The frontend, whose page the mail leads to.
    pub client_id: ApplicationId,
    /// URI that the outcome of a sign-in would go to.
    pub redirect_uri: String,
    /// Address that the request comes from.
    pub address: IpAddr,
}

impl SignIn {
    /// Takes a request; the user it is for, if there is one, is mailed afterwards. Refused for every email alike
    /// where SSO is required (exempt users are mailed all the same), where the frontend may not sign users in by
    /// link, and while too many requests are worked off or come from there.
    pub async fn request_magic_link(self: &Arc<Self>, request: RequestMagicLink) -> Result<()> {
        self.people.count_link_request(&request.account_name, request.address).await?;
        let mut tx = self.core.store.read().await?;
        let (application, page) = page_of(&mut tx, request.client_id, Portal::SelfService, Page::MagicLink).await?;
        registered_uri(&application, &request.redirect_uri)?;
        let account_name = &request.account_name;
        let connection = storage::connections::by_account_name(&mut tx, account_name, Portal::SelfService).await?;
        let mode = connection.map_or(SsoMode::Off, |connection| connection.mode);
        drop(tx);
        let service = Arc::clone(self);
        self.people.work_off(async move { service.mail_magic_link(&request, &application, &page).await })?;
        decide_answer(mode).map_err(|_| Error::new(Code::MagicLinkUnsupported))
    }

    async fn mail_magic_link(
        &self,
        request: &RequestMagicLink,
        application: &Application,
        page: &RedirectUri,
    ) -> Result<()> {
        let mut tx = self.core.store.read().await?;
        let found = storage::accounts::served_by_name(&mut tx, &request.account_name, application.id).await?;
        let Some(account) = found else { return Ok(()) };
        let (mode, email) = (sso_mode(&mut tx, account.id, Portal::SelfService).await?, request.email.normalized());
        let candidates = storage::users::candidates(&mut tx, account.id, Portal::SelfService, &email).await?;
        let Some(user) = recipient(&request.email, &candidates, mode) else { return Ok(()) };
        if !is_expected(&mut tx, user, self.core.now()).await? {
            return Ok(());
        }
        drop(tx);
        let throttle = ThrottleKey::of("magic_link", &[&user.id.to_string()]);
        match self.people.count_try(throttle, MAGIC_LINK_PACE).await {
            Err(error) if error.code == Code::RateLimited => Ok(()),
            Err(error) => Err(error),
            Ok(()) => self.send_magic_link(&account, user, page).await,
        }
    }

    /// Mails a link, in place of those before: at most one of a user's works.
    async fn send_magic_link(&self, account: &Account, user: &User, page: &RedirectUri) -> Result<()> {
        let Some(to) = user.link_email().cloned() else { return Ok(()) };
        let now = self.core.now();
        let expires_at = now.saturating_add(account.settings.magic_link()).unwrap_or(Timestamp::MAX);
        let (token, link) = self.people.new_link(LinkPurpose::MagicLink, user, expires_at);
        let message = MailMessage::MagicLink { link: page.with_token(&token), expires_at };
        let language = account.settings.default_language();
        let mut tx = self.core.store.begin().await?;
        storage::one_time_links::replace_of_user(&mut tx, user.account_id, user.id, LinkPurpose::MagicLink, now)
            .await?;
        storage::one_time_links::insert(&mut tx, &link).await?;
        let mail = OutgoingMail { account_id: Some(account.id), to, language, message };
        self.mail.enqueue_credential(&mut tx, user, mail).await?;
        Ok(tx.commit().await?)
    }
}

/// Whether an invited user may still come (E2).
async fn is_expected(tx: &mut Tx, user: &User, now: Timestamp) -> Result<bool> {
    if user.status != UserStatus::Invited {
        return Ok(true);
    }
    let invitation = storage::invitations::by_user(tx, user.account_id, user.id).await?;
    Ok(invitation.is_none_or(|invitation| decide_accept(&invitation, user.status, now).is_ok()))
}
