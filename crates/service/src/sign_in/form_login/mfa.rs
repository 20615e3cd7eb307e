//! The second factor: a code by mail (B2).

use domain::direct_sign_in::{Awaited, DirectSignIn, next_step};
use domain::mail::{MailMessage, OutgoingMail};
use domain::mfa_code::{MFA_CODE_LIFETIME, MFA_MAILS, MFA_RESEND_PAUSE, MFA_TRIES, MfaCode, decide_mfa};
use domain::secret::SecretDigest;
use domain::throttle::ThrottleKey;
use domain::user::{SignInMethod, User};
use domain::{AttemptId, UserId};
use jiff::Timestamp;
use storage::Tx;
use storage::mfa_codes::NewMfaCode;

use super::refusal::over;
use super::waiting::Waiting;
use super::{PendingToken, SignInStep};
use crate::core::account;
use crate::core::error::{Code, Error, Result};
use crate::people::passwords::slowed_down;
use crate::sign_in::SignIn;

impl SignIn {
    /// Sends the code of a sign-in that has just begun.
    pub(super) async fn begin_mfa(
        &self,
        tx: &mut Tx,
        user: &User,
        sign_in: &DirectSignIn,
        pending: PendingToken,
    ) -> Result<SignInStep> {
        let resend_after = self.send_mfa_code(tx, user, sign_in.attempt_id, pending.token.expose()).await?;
        Ok(SignInStep::MfaRequired { pending, resend_after })
    }

    /// Sends another code, in place of the one before; gives when the next one may be asked for.
    pub async fn resend_mfa_code(&self, pending_token: &str) -> Result<Timestamp> {
        let mut tx = self.core.store.begin().await?;
        let Waiting { sign_in, user, .. } = self.waiting(&mut tx, pending_token, Awaited::MfaCode).await?;
        let resend_after = self.send_mfa_code(&mut tx, &user, sign_in.attempt_id, pending_token).await?;
        tx.commit().await?;
        Ok(resend_after)
    }

    /// Mails a code for this attempt of a user, bound to the token that they go on with; gives when the next one may be
    /// asked for.
    pub(crate) async fn send_mfa_code(
        &self,
        tx: &mut Tx,
        user: &User,
        attempt_id: AttemptId,
        pending_token: &str,
    ) -> Result<Timestamp> {
        let to = user.second_factor_email().cloned().ok_or_else(|| Error::new(Code::MfaEmailMissing))?;
        let now = self.core.now();
        let clear_at = storage::throttles::count(tx, key("mfa_mails", user.id), MFA_MAILS, now).await?;
        if let Some(wait) = MFA_MAILS.wait(clear_at, now) {
            return Err(slowed_down(wait));
        }
        let code = MfaCode::from_random(self.core.random());
        let pause_began = now.saturating_sub(MFA_RESEND_PAUSE).unwrap_or(Timestamp::MIN);
        let new = NewMfaCode {
            account_id: user.account_id,
            attempt_id,
            digest: code.digest(pending_token),
            credential_epoch: user.credential_epoch,
            sent_at: now,
            pause_began,
        };
        if !storage::mfa_codes::set(tx, &new).await? {
            return Err(slowed_down(MFA_RESEND_PAUSE));
        }
        let expires_at = now.saturating_add(MFA_CODE_LIFETIME).unwrap_or(Timestamp::MAX);
        let message = MailMessage::MfaCode { code: code.expose().to_owned(), expires_at };
        let language = account(tx, user.account_id).await?.settings.default_language();
        let mail = OutgoingMail { account_id: Some(user.account_id), to, language, message };
        self.mail.enqueue_credential(tx, user, mail).await?;
        Ok(now.saturating_add(MFA_RESEND_PAUSE).unwrap_or(Timestamp::MAX))
    }

    /// Takes the code that was mailed, and goes on with the sign-in.
    pub async fn verify_mfa_code(&self, pending_token: &str, code: &MfaCode) -> Result<SignInStep> {
        let mut tx = self.core.store.begin().await?;
        let waiting = self.waiting(&mut tx, pending_token, Awaited::MfaCode).await?;
        let (account_id, user_id) = (waiting.sign_in.account_id, waiting.sign_in.user_id);
        let (user, attempt_id) = (&waiting.user, waiting.sign_in.attempt_id);
        let mut tx = self.take_mfa_code(tx, user, attempt_id, code.digest(pending_token)).await?;
        let now = self.core.now();
        let credential =
            storage::password_credentials::by_user(&mut tx, account_id, user_id).await?.ok_or_else(over)?;
        let awaits = next_step(false, credential.must_change);
        let method = SignInMethod::PasswordAndCode;
        let sign_in = DirectSignIn { method, awaits, auth_time: now, ..waiting.sign_in.clone() };
        let step = self.advance(&mut tx, &waiting, &sign_in).await?;
        tx.commit().await?;
        Ok(step)
    }

    /// Uses up the code of an attempt, or refuses another one. Every try counts before it is compared, of the
    /// code, and of the user over all codes, and stays counted: the transaction is given back where the code is
    /// right, and committed where it is not.
    pub(crate) async fn take_mfa_code(
        &self,
        mut tx: Tx,
        user: &User,
        attempt_id: AttemptId,
        presented: SecretDigest,
    ) -> Result<Tx> {
        let (tries, now) = (key("mfa_tries", user.id), self.core.now());
        let clear_at = storage::throttles::count(&mut tx, tries, MFA_TRIES, now).await?;
        if let Some(wait) = MFA_TRIES.wait(clear_at, now) {
            return Err(slowed_down(wait));
        }
        let sent = storage::mfa_codes::count_try(&mut tx, user.account_id, attempt_id).await?;
        if decide_mfa(&sent.ok_or_else(over)?, presented, user.credential_epoch, now).is_err() {
            tx.commit().await?;
            return Err(Error::new(Code::MfaCodeIncorrect));
        }
        storage::throttles::give_back(&mut tx, tries, MFA_TRIES).await?;
        storage::mfa_codes::delete(&mut tx, user.account_id, attempt_id).await?;
        Ok(tx)
    }
}

fn key(kind: &str, user_id: UserId) -> ThrottleKey {
    ThrottleKey::of(kind, &[&user_id.to_string()])
}
