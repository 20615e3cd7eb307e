//! Reading sign-in attempts (H1).

use domain::role::Permission;
use domain::sign_in_attempt::SignInAttempt;
use domain::{AccountId, AttemptId};
use storage::sign_in_attempts::AttemptFilter;
use storage::{Page, Paged};

use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::sign_in::SignIn;

impl SignIn {
    /// Lists the attempts of an account, the newest first.
    pub async fn list_sign_in_attempts(
        &self,
        caller: &Caller,
        account_id: AccountId,
        filter: &AttemptFilter,
        page: &Page,
    ) -> Result<Paged<SignInAttempt>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        Ok(storage::sign_in_attempts::list(&mut tx, account_id, filter, page).await?)
    }

    /// Reads one attempt; refused as not found in another account.
    pub async fn get_sign_in_attempt(
        &self,
        caller: &Caller,
        account_id: AccountId,
        id: AttemptId,
    ) -> Result<SignInAttempt> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        storage::sign_in_attempts::by_id(&mut tx, account_id, id).await?.ok_or_else(|| Error::new(Code::NotFound))
    }
}
