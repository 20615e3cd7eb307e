//! Temporary passwords, made when their mail is sent (F4): no request waits while thousands are hashed, and none
//! lies about for a mail that never goes out.

use domain::audit::AuditAction;
use domain::mail::MailMessage;
use domain::mail::delivery::Delivery;
use domain::password::{Password, PasswordCredential, PasswordHash, TEMPORARY_PASSWORD_LIFETIME, temporary_password};
use domain::sso::connection::SsoMode;
use domain::user::User;
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::Tx;
use zeroize::Zeroizing;

use super::dispatch::Held;
use crate::connections::sso_mode;
use crate::core::audit::AuditOrigin;
use crate::core::error::{Error, Result};
use crate::delivery::MailDelivery;
use crate::mail::sealing_context;
use crate::people::users::{audited_user, entry};

/// User who gets a temporary password, or the reason why there is none.
type Recipient = std::result::Result<User, &'static str>;

/// Temporary password that was made for a mail which is being sent.
struct MadePassword<'a> {
    hash: PasswordHash,
    held: &'a Held,
    message: &'a MailMessage,
}

impl MailDelivery {
    /// Gives the user of a mail a temporary password, and the mail its message: both or neither. A process that
    /// sends the mail again sends the same.
    pub(super) async fn temporary_password(
        &self,
        held: &Held,
        shared: MailMessage,
    ) -> std::result::Result<MailMessage, Delivery> {
        let made = self.make_temporary_password(held, shared).await;
        made.map_err(|error| Delivery::Deferred(error.to_string()))?.map_err(|why| Delivery::Rejected(why.to_owned()))
    }

    async fn make_temporary_password(
        &self,
        held: &Held,
        shared: MailMessage,
    ) -> Result<std::result::Result<MailMessage, &'static str>> {
        let MailMessage::SsoEnded { login_url } = shared else { return Ok(Err("its batch says something else")) };
        let recipient = self.recipient(&mut self.core.store.read().await?, held).await?;
        if let Err(why) = recipient {
            return Ok(Err(why));
        }
        let text = temporary_password(self.core.random());
        let password = Password::parse(&text).map_err(Error::internal)?;
        let hash = self.hash_temporary_password(held, &password).await?;
        let expires_at = self.core.now().saturating_add(TEMPORARY_PASSWORD_LIFETIME).unwrap_or(Timestamp::MAX);
        let mut tx = self.core.store.begin().await?;
        let user = match self.recipient(&mut tx, held).await? {
            Ok(user) => user,
            Err(why) => return Ok(Err(why)),
        };
        let username = user.username.as_str().to_owned();
        let message = MailMessage::TemporaryPassword { login_url, username, password: text, expires_at };
        self.keep_temporary_password(&mut tx, &user, MadePassword { hash, held, message: &message }).await?;
        tx.commit().await?;
        Ok(Ok(message))
    }

    async fn hash_temporary_password(&self, held: &Held, password: &Password) -> Result<PasswordHash> {
        let account_id = held.mail.account_id.ok_or_else(|| Error::internal("the mail is of no account"))?;
        let _turn = self.people.password_permit(account_id, None).await?;
        self.people.hash_password(password).await
    }

    async fn keep_temporary_password(&self, tx: &mut Tx, user: &User, made: MadePassword<'_>) -> Result<()> {
        let MadePassword { hash, held, message } = made;
        let (account_id, user_id, expires_at) = (user.account_id, user.id, message.expires_at());
        let text = Zeroizing::new(serde_json::to_vec(message).map_err(Error::internal)?);
        let sealed = self.core.ports.sealer.seal(&sealing_context(held.mail.id), &text);
        let user = self.carry_roles_over(tx, user).await?;
        let user = self.people.void_by_password(tx, &user, None).await?;
        if !storage::outbox::set_message(tx, held.mail.id, held.until, &sealed, user.credential_epoch).await? {
            return Err(Error::internal("another process holds the mail"));
        }
        let credential =
            PasswordCredential { account_id, user_id, hash, must_change: true, set_at: self.core.now(), expires_at };
        storage::password_credentials::set(tx, &credential).await?;
        let entry =
            entry(AuditAction::UserTemporaryPasswordSet, &user, Value::Null, json!({ "expires_at": expires_at }));
        self.core.record_as(tx, AuditOrigin::SYSTEM, entry).await
    }

    /// Assigns roles from assertions to a user who has no other ones, because they count in no session by password
    /// (C4): going back to form login, which an owner signed off, takes no user's place from them (F4).
    async fn carry_roles_over(&self, tx: &mut Tx, user: &User) -> Result<User> {
        let mut after = user.clone();
        if user.roles.assigned.is_empty() {
            after.roles.assigned.clone_from(&user.roles.saml);
        }
        if after == *user {
            return Ok(after);
        }
        after.updated_at = self.core.next_version(user.updated_at);
        let after = self.people.write_user(tx, user, after, None).await?;
        let entry = entry(AuditAction::UserUpdated, &after, audited_user(user), audited_user(&after));
        self.core.record_as(tx, AuditOrigin::SYSTEM, entry).await?;
        Ok(after)
    }

    /// The user of a mail, unless they have another way in by now, or none at all.
    async fn recipient(&self, tx: &mut Tx, held: &Held) -> Result<Recipient> {
        let Some((account_id, user_id)) = held.mail.account_id.zip(held.mail.user_id) else {
            return Ok(Err("it is for no user"));
        };
        let user = storage::users::by_id(tx, account_id, user_id).await?;
        let Some(user) = user.filter(|user| user.status.is_welcome() && !user.break_glass) else {
            return Ok(Err("its user is not there any more, or deactivated"));
        };
        let credential = storage::password_credentials::by_user(tx, account_id, user_id).await?;
        if credential.is_some_and(|credential| credential.is_usable(self.core.now())) {
            return Ok(Err("its user has a password by now"));
        }
        let is_required = sso_mode(tx, account_id, user.portal).await? == SsoMode::Required;
        Ok(if is_required { Err("SSO is required again") } else { Ok(user) })
    }
}
