//! One's own recovery email (A4): where codes and links go when the ordinary mailbox cannot be reached.

use domain::email::Email;
use domain::password::Password;
use domain::throttle::ThrottleKey;
use domain::user::User;

use crate::Service;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::passwords::CHANGE_PACE;
use crate::ports::PasswordVerdict;
use crate::users::{audited_user, deed, user};

/// Another recovery email, and the proof that it is the user who sets it.
#[derive(Debug)]
pub struct RecoveryEmailChange {
    /// The address; none to have none.
    pub recovery_email: Option<Email>,
    /// The password: whoever found an open browser must not send the second factor to themselves.
    pub current_password: Password,
}

impl Service {
    /// Sets the caller's own recovery email.
    pub async fn change_my_recovery_email(&self, caller: &Caller, change: RecoveryEmailChange) -> Result<User> {
        let signed_in = caller.user()?;
        let (account_id, user_id) = (signed_in.account_id, signed_in.user_id);
        let mut tx = self.store.read().await?;
        let credential = storage::password_credentials::by_user(&mut tx, account_id, user_id).await?;
        drop(tx);
        let throttle = ThrottleKey::of("password_change", &[&user_id.to_string()]);
        self.count_try(throttle, CHANGE_PACE).await?;
        let kept = credential.as_ref().map(|credential| &credential.hash);
        if self.verify_password(&change.current_password, kept).await? == PasswordVerdict::Wrong {
            return Err(Error::invalid("/current_password", "is not your password"));
        }
        let mut tx = self.store.begin().await?;
        storage::throttles::clear(&mut tx, throttle).await?;
        let before = user(&mut tx, account_id, user_id).await?;
        let updated_at = self.next_version(before.updated_at);
        let after = User { recovery_email: change.recovery_email, updated_at, ..before.clone() };
        storage::users::update(&mut tx, &after, before.updated_at).await?;
        let deed = deed("user.updated", &after, audited_user(&before), audited_user(&after));
        self.record(&mut tx, caller, deed).await?;
        tx.commit().await?;
        Ok(after)
    }
}
