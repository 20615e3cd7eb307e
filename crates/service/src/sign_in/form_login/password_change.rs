//! Change of a temporary password, before the first sign-in is complete.

use std::net::IpAddr;

use domain::audit::AuditAction;
use domain::direct_sign_in::{Awaited, DirectSignIn};
use domain::password::Password;
use serde_json::Value;

use super::SignInStep;
use super::refusal::{over, over_meanwhile};
use crate::core::account;
use crate::core::audit::AuditOrigin;
use crate::core::error::{Error, Result};
use crate::core::ports::PasswordVerdict;
use crate::people::passwords::ChosenBy;
use crate::people::users::entry;
use crate::sign_in::SignIn;

/// Body of the page that asked for another password.
#[derive(Debug)]
pub struct ReplaceTemporaryPassword {
    /// Token that leads on with the sign-in.
    pub pending_token: String,
    /// The new password of the user.
    pub new_password: Password,
    /// Address that the request comes from.
    pub address: IpAddr,
}

impl SignIn {
    /// Sets the password that replaces a temporary one, and goes on with the sign-in.
    pub async fn replace_temporary_password(&self, replace: ReplaceTemporaryPassword) -> Result<SignInStep> {
        let ReplaceTemporaryPassword { pending_token, new_password, address } = replace;
        let mut reading = self.core.store.read().await?;
        let tx = &mut reading;
        let waiting = self.waiting(tx, &pending_token, Awaited::PasswordChange).await?;
        let (account_id, user_id) = (waiting.sign_in.account_id, waiting.sign_in.user_id);
        let account = account(tx, account_id).await?;
        let old = storage::password_credentials::by_user(tx, account_id, user_id).await?;
        drop(reading);
        let old = old.filter(|old| old.must_change).ok_or_else(over)?;
        let turn = self.people.password_permit(account_id, Some(address)).await?;
        if self.people.verify_password(&new_password, Some(&old.hash)).await? != PasswordVerdict::Wrong {
            return Err(Error::invalid("/new_password", "must differ from the password that you were given"));
        }
        drop(turn);
        let chosen = ChosenBy {
            user: &waiting.user,
            account_name: &account.name,
            field: "/new_password",
            address: Some(address),
        };
        let hash = self.people.hash_new_password(new_password, chosen).await?;
        let mut tx = self.core.store.begin().await?;
        if !storage::password_credentials::replace(&mut tx, &old, &hash, self.core.now()).await? {
            return Err(over());
        }
        let user = self.people.void_by_password(&mut tx, &waiting.user, None).await.map_err(over_meanwhile)?;
        let entry = entry(AuditAction::UserPasswordChanged, &user, Value::Null, Value::Null);
        self.core.record_as(&mut tx, AuditOrigin::user(user_id, address), entry).await?;
        self.people.mail_password_changed(&mut tx, &user).await?;
        let credential_epoch = user.credential_epoch;
        let sign_in = DirectSignIn { awaits: None, credential_epoch, ..waiting.sign_in.clone() };
        let step = self.advance(&mut tx, &waiting, &sign_in).await?;
        tx.commit().await?;
        Ok(step)
    }
}
