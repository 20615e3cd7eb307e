//! Announcement that a break-glass user comes in (A4), to all who answer for the account.

use domain::audit::{AuditAction, AuditActor};
use domain::break_glass::is_break_glass_use;
use domain::direct_sign_in::DirectSignIn;
use domain::mail::{Mail, MailMessage, OutgoingMail};
use domain::user::User;
use serde_json::{Value, json};
use storage::Tx;

use crate::connections::sso_mode;
use crate::core::account;
use crate::core::audit::AuditOrigin;
use crate::core::error::Result;
use crate::people::People;
use crate::people::users::{entry, user};

impl People {
    /// Announces a form login that uses the break-glass path: an audit event, and a mail to every active owner. In
    /// the transaction that issues the code, so that no break-glass user comes in unheard.
    pub(crate) async fn announce_break_glass_use(&self, tx: &mut Tx, sign_in: &DirectSignIn) -> Result<()> {
        let user = user(tx, sign_in.account_id, sign_in.user_id).await?;
        if !user.break_glass {
            return Ok(());
        }
        if !is_break_glass_use(&user, sso_mode(tx, user.account_id, user.portal).await?) {
            return Ok(());
        }
        let attempt = storage::sign_in_attempts::by_id(tx, user.account_id, sign_in.attempt_id).await?;
        let address = attempt.map(|attempt| attempt.client_address);
        let mails = self.mails_of_use(tx, &user, address.as_deref().unwrap_or_default()).await?;
        self.mail.enqueue(tx, &mails).await?;
        let after = json!({ "attempt_id": sign_in.attempt_id, "method": sign_in.method, "mails": mails.len() });
        let entry = entry(AuditAction::UserBreakGlassUsed, &user, Value::Null, after);
        self.core.record_as(tx, AuditOrigin { actor: AuditActor::User(user.id), client_address: address }, entry).await
    }

    async fn mails_of_use(&self, tx: &mut Tx, user: &User, client_address: &str) -> Result<Vec<Mail>> {
        let language = account(tx, user.account_id).await?.settings.default_language();
        let owners = storage::break_glass::told(tx, user.account_id).await?;
        let message = MailMessage::BreakGlassUsed {
            username: user.username.as_str().to_owned(),
            used_at: self.core.now(),
            client_address: client_address.to_owned(),
        };
        let addresses = owners.into_iter().filter_map(|owner| owner.email.or(owner.recovery_email));
        let mail = |to| {
            let (account_id, message) = (Some(user.account_id), message.clone());
            self.mail.sealed(OutgoingMail { account_id, to, language, message })
        };
        addresses.map(mail).collect()
    }
}
