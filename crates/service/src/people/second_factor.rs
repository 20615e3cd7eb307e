//! One's own second factor (B2): whether form login asks for a code, and where it goes when the ordinary mailbox
//! cannot be reached (A4).

use domain::audit::AuditAction;
use domain::email::Email;
use domain::password::Password;
use domain::user::User;

use crate::core::caller::Caller;
use crate::core::error::Result;
use crate::people::People;
use crate::people::credential_epochs::check_stands;
use crate::people::users::{audited_user, check_email_mfa, entry, user};

/// Changes to the user's own second factor, and the proof that it is the user who asks.
#[derive(Debug)]
pub struct SecondFactorChange {
    /// Address that codes go to besides; the inner `None` removes it.
    pub recovery_email: Option<Option<Email>>,
    /// Whether form login asks for a code also where the account does not demand it.
    pub require_email_mfa: Option<bool>,
    /// Password of the user: a person who found an open browser must neither send the second factor to themselves
    /// nor end it.
    pub current_password: Password,
}

impl People {
    /// Changes the caller's own second factor; not so that the last break-glass user could be sent no code (A4).
    pub async fn change_my_second_factor(&self, caller: &Caller, change: SecondFactorChange) -> Result<User> {
        let signed_in = caller.user()?;
        let (account_id, user_id) = (signed_in.account_id, signed_in.user_id);
        self.prove_password(caller, &change.current_password).await?;
        let mut tx = self.core.store.begin().await?;
        storage::accounts::hold(&mut tx, account_id).await?;
        let before = user(&mut tx, account_id, user_id).await?;
        check_stands(&before, signed_in)?;
        let updated_at = self.core.next_version(before.updated_at);
        let recovery_email = change.recovery_email.unwrap_or_else(|| before.recovery_email.clone());
        let require_email_mfa = change.require_email_mfa.unwrap_or(before.require_email_mfa);
        let after = User { recovery_email, require_email_mfa, updated_at, ..before.clone() };
        check_email_mfa(&after)?;
        self.guard_owners(&mut tx, &before, Some(&after)).await?;
        let after = self.write_user(&mut tx, &before, after, Some(signed_in.session_id)).await?;
        let entry = entry(AuditAction::UserUpdated, &after, audited_user(&before), audited_user(&after));
        self.core.record(&mut tx, caller, entry).await?;
        tx.commit().await?;
        Ok(after)
    }
}
