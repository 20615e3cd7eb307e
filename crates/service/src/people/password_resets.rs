//! Resetting a password by a mailed link (B4).
//!
//! A request is answered before a user is looked for, so neither the answer nor its time says who is known here.

use std::net::IpAddr;
use std::sync::Arc;

use domain::ApplicationId;
use domain::account::{Account, AccountName};
use domain::application::{Application, Page, RedirectUri};
use domain::audit::AuditAction;
use domain::language::Language;
use domain::mail::{MailMessage, OutgoingMail};
use domain::one_time_link::{LinkPurpose, LinkRefusal, OneTimeLink, decide_use};
use domain::password::{Password, PasswordCredential};
use domain::password_reset::{RESET_LIFETIME, RESET_PACE, decide_answer, may_reset, recipients};
use domain::portal::Portal;
use domain::sso::connection::SsoMode;
use domain::throttle::ThrottleKey;
use domain::user::User;
use domain::username::{Username, normalized};
use jiff::Timestamp;
use serde_json::Value;
use storage::Tx;

use crate::connections::sso_mode;
use crate::core::account;
use crate::core::audit::AuditOrigin;
use crate::core::error::{Code, Error, Result};
use crate::people::People;
use crate::people::one_time_links::{link, link_refused, page_of, withdrawn_meanwhile};
use crate::people::passwords::ChosenBy;
use crate::people::users::{entry, user};

/// Body of a user who forgot their password.
#[derive(Debug, Clone)]
pub struct RequestPasswordReset {
    /// The account that was typed.
    pub account_name: AccountName,
    /// The username or email that was typed.
    pub identifier: String,
    /// The frontend, whose page the mail leads to.
    pub client_id: ApplicationId,
    /// The language of the mail.
    pub language: Option<Language>,
    /// Address that the request comes from.
    pub address: IpAddr,
}

/// Facts that a page shows before it asks for a new password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPasswordReset {
    /// Name of the account that the user is of.
    pub account_name: AccountName,
    /// Username whose password is set.
    pub username: Username,
    /// Time until which it may be set.
    pub expires_at: Timestamp,
}

/// All that a link leads to.
struct Found {
    link: OneTimeLink,
    user: User,
    account: Account,
}

impl People {
    /// Takes a request; the user it is for, if there is one, is mailed afterwards. Refused for every email alike
    /// where SSO is required, where the frontend has no page for it, and while too many requests are worked off or
    /// come from there.
    pub async fn request_password_reset(self: &Arc<Self>, request: RequestPasswordReset) -> Result<()> {
        self.count_link_request(&request.account_name, request.address).await?;
        let mut tx = self.core.store.read().await?;
        let (application, page) = page_of(&mut tx, request.client_id, Portal::Admin, Page::ResetPassword).await?;
        let connection = storage::connections::by_account_name(&mut tx, &request.account_name, Portal::Admin).await?;
        let mode = connection.map_or(SsoMode::Off, |connection| connection.mode);
        drop(tx);
        let service = Arc::clone(self);
        self.work_off(async move { service.mail_resets(&request, &application, &page).await })?;
        decide_answer(mode).map_err(|_| Error::new(Code::PasswordResetUnsupported))
    }

    async fn mail_resets(
        &self,
        request: &RequestPasswordReset,
        application: &Application,
        page: &RedirectUri,
    ) -> Result<()> {
        let mut tx = self.core.store.read().await?;
        let found = storage::accounts::served_by_name(&mut tx, &request.account_name, application.id).await?;
        let Some(account) = found else { return Ok(()) };
        let mode = sso_mode(&mut tx, account.id, Portal::Admin).await?;
        let identity = normalized(&request.identifier);
        let candidates = storage::users::candidates(&mut tx, account.id, Portal::Admin, &identity).await?;
        drop(tx);
        let language = request.language.unwrap_or_else(|| account.settings.default_language());
        for user in recipients(&candidates, mode) {
            self.mail_reset(user, page, language).await?;
        }
        Ok(())
    }

    async fn mail_reset(&self, user: &User, page: &RedirectUri, language: Language) -> Result<()> {
        let Some(to) = user.reset_email().cloned() else { return Ok(()) };
        let throttle = ThrottleKey::of("password_reset", &[&user.id.to_string()]);
        match self.count_try(throttle, RESET_PACE).await {
            Err(error) if error.code == Code::RateLimited => return Ok(()),
            counted => counted?,
        }
        let mut tx = self.core.store.begin().await?;
        let expires_at = self.core.now().saturating_add(RESET_LIFETIME).unwrap_or(Timestamp::MAX);
        let (token, link) = self.new_link(LinkPurpose::PasswordReset, user, expires_at);
        storage::one_time_links::insert(&mut tx, &link).await?;
        let (username, link) = (user.username.as_str().to_owned(), page.with_token(&token));
        let message = MailMessage::PasswordReset { username, link, expires_at };
        let mail = OutgoingMail { account_id: Some(user.account_id), to, language, message };
        self.mail.enqueue_credential(&mut tx, user, mail).await?;
        Ok(tx.commit().await?)
    }

    /// Tells whose password a link may set. Uses nothing up: mail scanners open links too.
    pub async fn inspect_password_reset(&self, token: &str) -> Result<OpenPasswordReset> {
        let mut tx = self.core.store.read().await?;
        let Found { link, user, account } = found(&mut tx, token, self.core.now()).await?;
        let (account_name, username) = (account.name, user.username);
        Ok(OpenPasswordReset { account_name, username, expires_at: link.expires_at })
    }

    /// Sets a new password by a mailed link. All that was issued to the user is void (A7); the second factor stays
    /// as it is, and the user is not signed in by it.
    pub async fn complete_password_reset(&self, token: &str, password: Password, address: IpAddr) -> Result<()> {
        let mut tx = self.core.store.read().await?;
        let asked = found(&mut tx, token, self.core.now()).await?;
        drop(tx);
        let chosen = ChosenBy {
            user: &asked.user,
            account_name: &asked.account.name,
            field: "/password",
            address: Some(address),
        };
        let hash = self.hash_new_password(password, chosen).await?;
        let mut tx = self.core.store.begin().await?;
        let Found { link, user, .. } = found(&mut tx, token, self.core.now()).await?;
        if !storage::one_time_links::take(&mut tx, link.digest, self.core.now()).await? {
            return Err(link_refused(LinkRefusal::Used));
        }
        let (account_id, user_id, now) = (user.account_id, user.id, self.core.now());
        let user = self.void_by_password(&mut tx, &user, None).await.map_err(withdrawn_meanwhile)?;
        let credential =
            PasswordCredential { account_id, user_id, hash, must_change: false, set_at: now, expires_at: None };
        storage::password_credentials::set(&mut tx, &credential).await?;
        self.mail_password_changed(&mut tx, &user).await?;
        let entry = entry(AuditAction::UserPasswordReset, &user, Value::Null, Value::Null);
        self.core.record_as(&mut tx, AuditOrigin::user(user_id, address), entry).await?;
        Ok(tx.commit().await?)
    }
}

/// Finds what a token leads to, if the password may be set now.
async fn found(tx: &mut Tx, token: &str, now: Timestamp) -> Result<Found> {
    let link = link(tx, LinkPurpose::PasswordReset, token).await?;
    let user = user(tx, link.account_id, link.user_id).await?;
    let account = account(tx, link.account_id).await?;
    let mode = sso_mode(tx, account.id, Portal::Admin).await?;
    if !may_reset(&user, mode) {
        let refused = decide_answer(mode).map_or(Code::PasswordResetUnsupported, |()| Code::LinkInvalid);
        return Err(Error::new(refused));
    }
    decide_use(&link, user.credential_epoch, now).map_err(link_refused)?;
    Ok(Found { link, user, account })
}
