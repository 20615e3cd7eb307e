//! A sign-in goes on by its pending token.

use domain::direct_sign_in::{Awaited, DirectSignIn};
use domain::form_login::form_login_allowed;
use domain::secret::{PresentedSecret, Secret, SecretKind};
use domain::user::User;
use storage::Tx;

use super::refusal::over;
use super::{PendingToken, SignInStep};
use crate::connections::sso_mode;
use crate::core::error::Result;
use crate::sign_in::SignIn;

/// A sign-in with its user, and the token that led to it.
pub(super) struct Waiting {
    pub sign_in: DirectSignIn,
    pub user: User,
    pub token: PresentedSecret,
}

impl SignIn {
    /// The sign-in that this token leads on with, if it waits for this.
    pub(super) async fn waiting(&self, tx: &mut Tx, token: &str, awaited: Awaited) -> Result<Waiting> {
        let token = PresentedSecret::parse(SecretKind::PendingToken, token).ok_or_else(over)?;
        let found = storage::direct_sign_ins::by_handle(tx, token).await?;
        let sign_in = found.filter(|found| found.awaits == Some(awaited) && self.core.now() < found.expires_at);
        let sign_in = sign_in.ok_or_else(over)?;
        let user = still_allowed(tx, &sign_in).await?;
        Ok(Waiting { sign_in, user, token })
    }

    /// Takes a sign-in on, after the step that it waited for: `sign_in` is as it is now. Of two who take one step,
    /// one is told that it is over.
    pub(super) async fn advance(&self, tx: &mut Tx, waiting: &Waiting, sign_in: &DirectSignIn) -> Result<SignInStep> {
        let next = sign_in.awaits.map(|_| self.pending_token(sign_in));
        let digest = next.as_ref().map(|next| next.token.digest());
        if !storage::direct_sign_ins::advance(tx, sign_in, waiting.token.digest, digest, self.core.now()).await? {
            return Err(over());
        }
        match next {
            Some(pending) => Ok(SignInStep::PasswordChangeRequired { pending }),
            None => self.complete_form_login(tx, sign_in).await,
        }
    }

    pub(super) fn pending_token(&self, sign_in: &DirectSignIn) -> PendingToken {
        let token = Secret::addressed(SecretKind::PendingToken, sign_in.attempt_id.as_uuid(), self.core.random());
        PendingToken { token, expires_at: sign_in.expires_at }
    }
}

/// The user of a sign-in, if they may go on with it: since the password was right, it may have been voided (A7),
/// or SSO may have become required of them (B3).
async fn still_allowed(tx: &mut Tx, sign_in: &DirectSignIn) -> Result<User> {
    let DirectSignIn { account_id, portal, user_id, credential_epoch, .. } = *sign_in;
    let mode = sso_mode(tx, account_id, portal).await?;
    let user = storage::users::by_id(tx, account_id, user_id).await?.ok_or_else(over)?;
    let is_allowed = user.credential_epoch == credential_epoch && form_login_allowed(mode, user.keeps_form_login());
    if is_allowed { Ok(user) } else { Err(over()) }
}
