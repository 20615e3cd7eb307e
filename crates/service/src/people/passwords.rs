//! Passwords: hashed, compared and set (B5).

use std::net::IpAddr;
use std::time::Duration;

use domain::AccountId;
use domain::account::AccountName;
use domain::audit::AuditAction;
use domain::form_login::form_login_allowed;
use domain::mail::MailMessage;
use domain::password::{NewPassword, Password, PasswordCredential, PasswordHash, PasswordOwner};
use domain::throttle::{Pace, ThrottleKey, retry_after};
use domain::user::User;
use jiff::SignedDuration;
use serde_json::Value;
use storage::Tx;

use crate::connections::sso_mode;
use crate::core::account;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::core::fair_semaphore::{Busy, Claim, Permit};
use crate::core::ports::{PasswordHasherError, PasswordVerdict};
use crate::people::People;
use crate::people::credential_epochs::{check_stands, voided_meanwhile};
use crate::people::users::{entry, user};

/// Seconds that a client is told to wait when too many passwords wait to be hashed; the whole queue takes about as
/// long.
const BUSY_RETRY_AFTER_SECONDS: u32 = 2;

/// Time that a password waits to be looked at: short, so that a client that tries again at once does so at a walk.
pub(crate) const TURN_WAIT: Duration = Duration::from_secs(1);

/// Pace at which a signed-in user may say what their password is.
const CHANGE_PACE: Pace = Pace { burst: 5, period: SignedDuration::from_mins(1) };

/// Pace at which one user's password may be replaced or be refused as too weak: more often than a person finds a
/// good one, and seldom enough that looking through them costs little.
const NEW_PASSWORD_PACE: Pace = Pace { burst: 20, period: SignedDuration::from_secs(5) };

/// A password and the one to put in its place.
#[derive(Debug)]
pub struct PasswordChange {
    /// Password as it is.
    pub current_password: Password,
    /// Password as it is to be.
    pub new_password: Password,
}

/// Author of a new password, and the way in which it came.
pub(crate) struct ChosenBy<'a> {
    /// User who chose it.
    pub user: &'a User,
    /// Name of the user's account, which the password must not resemble.
    pub account_name: &'a AccountName,
    /// JSON pointer to the field that it came in.
    pub field: &'a str,
    /// Address that it came from.
    pub address: Option<IpAddr>,
}

impl People {
    /// Changes the caller's own password; all else that was issued to them is void at once (A7).
    pub async fn change_my_password(&self, caller: &Caller, change: PasswordChange) -> Result<()> {
        let signed_in = caller.user()?;
        let (account_id, user_id) = (signed_in.account_id, signed_in.user_id);
        let mut tx = self.core.store.read().await?;
        let (user, account) = (user(&mut tx, account_id, user_id).await?, account(&mut tx, account_id).await?);
        check_stands(&user, signed_in)?;
        check_has_form_login(&mut tx, &user).await?;
        drop(tx);
        let old = self.prove_password(caller, &change.current_password).await?;
        check_differs(&change)?;
        let chosen =
            ChosenBy { user: &user, account_name: &account.name, field: "/new_password", address: caller.address };
        let hash = self.hash_new_password(change.new_password, chosen).await?;
        let mut tx = self.core.store.begin().await?;
        if !storage::password_credentials::replace(&mut tx, &old, &hash, self.core.now()).await? {
            return Err(not_the_current_one());
        }
        let kept = Some(signed_in.session_id);
        let user = self.void_by_password(&mut tx, &user, kept).await.map_err(voided_meanwhile)?;
        self.core
            .record(&mut tx, caller, entry(AuditAction::UserPasswordChanged, &user, Value::Null, Value::Null))
            .await?;
        self.mail_password_changed(&mut tx, &user).await?;
        Ok(tx.commit().await?)
    }

    /// Has a signed-in user prove that they know their password, which is given back. Tries are counted before it is
    /// compared, and forgiven when it is right.
    pub(crate) async fn prove_password(&self, caller: &Caller, password: &Password) -> Result<PasswordCredential> {
        let signed_in = caller.user()?;
        let _turn = self.password_permit(signed_in.account_id, caller.address).await?;
        let mut tx = self.core.store.read().await?;
        let credential =
            storage::password_credentials::by_user(&mut tx, signed_in.account_id, signed_in.user_id).await?;
        drop(tx);
        let throttle = ThrottleKey::of("password_change", &[&signed_in.user_id.to_string()]);
        self.count_try(throttle, CHANGE_PACE).await?;
        let verdict = self.verify_password(password, credential.as_ref().map(|kept| &kept.hash)).await?;
        let proven = credential.filter(|_| verdict != PasswordVerdict::Wrong).ok_or_else(not_the_current_one)?;
        let mut tx = self.core.store.begin().await?;
        storage::throttles::clear(&mut tx, throttle).await?;
        tx.commit().await?;
        Ok(proven)
    }

    /// Tells a user that their password is another one now, so that a user who did not change it can act.
    pub(crate) async fn mail_password_changed(&self, tx: &mut Tx, user: &User) -> Result<()> {
        let Some(to) = user.reset_email().cloned() else { return Ok(()) };
        let message = MailMessage::PasswordChanged { changed_at: self.core.now() };
        self.mail.enqueue_mail_of(tx, user.account_id, to, message).await.map(drop)
    }

    /// Takes a turn for a password of a user of the account, where a session or a link has proved the user.
    pub(crate) async fn password_permit(&self, account_id: AccountId, address: Option<IpAddr>) -> Result<Permit> {
        let account = ThrottleKey::of("account", &[&account_id.to_string()]);
        self.claimed_password_permit(Claim { address, account, is_known: false }).await
    }

    /// Takes a turn for a password by this claim, which may be that of a user who signed in from there before.
    pub(crate) async fn claimed_password_permit(&self, claim: Claim) -> Result<Permit> {
        self.password_permits.take(claim).await.map_err(too_many_passwords)
    }

    /// Counts a try, or says how long to wait until one is taken.
    pub(crate) async fn count_try(&self, key: ThrottleKey, pace: Pace) -> Result<()> {
        let (mut tx, now) = (self.core.store.begin().await?, self.core.now());
        let clear_at = storage::throttles::count(&mut tx, key, pace, now).await?;
        match pace.wait(clear_at, now) {
            Some(wait) => Err(slowed_down(wait)),
            None => Ok(tx.commit().await?),
        }
    }

    /// Makes the hash that is kept of a user's new password, or refuses it (B5); call
    /// it outside of transactions, once the request has proved that it may set the password.
    pub(crate) async fn hash_new_password(&self, password: Password, chosen: ChosenBy<'_>) -> Result<PasswordHash> {
        let ChosenBy { user, account_name, field, address } = chosen;
        let owner = PasswordOwner {
            username: &user.username,
            email: user.email.as_ref(),
            display_name: user.display_name.as_ref(),
            account_name,
        };
        let weak = |weakness| Error::invalid(field, weakness);
        let password = NewPassword::of(password, &owner).map_err(weak)?;
        let _turn = self.password_permit(user.account_id, address).await?;
        self.count_try(ThrottleKey::of("new_password", &[&user.id.to_string()]), NEW_PASSWORD_PACE).await?;
        self.core.ports.password_hasher.hash_new(password, self.core.random()).await.map_err(refused)?.map_err(weak)
    }

    /// Hashes a password that is the user's already, or was made here. Call it outside of transactions.
    pub(crate) async fn hash_password(&self, password: &Password) -> Result<PasswordHash> {
        self.core.ports.password_hasher.hash(password, self.core.random()).await.map_err(refused)
    }

    /// Compares a password with what is kept of one; `None` costs the same and is wrong. Call it outside of
    /// transactions.
    pub(crate) async fn verify_password(
        &self,
        password: &Password,
        kept: Option<&PasswordHash>,
    ) -> Result<PasswordVerdict> {
        self.core.ports.password_hasher.verify(password, kept).await.map_err(refused)
    }
}

/// Answer to a client that must wait before its next try.
pub(crate) fn slowed_down(wait: SignedDuration) -> Error {
    Error::new(Code::RateLimited).with_detail("Too many failed tries").with_retry_after(retry_after(wait))
}

/// The answer to the surplus of a flood.
pub(crate) fn too_many_passwords(_: Busy) -> Error {
    metrics::counter!("vestibule_passwords_refused_total").increment(1);
    Error::new(Code::Unavailable).with_retry_after(BUSY_RETRY_AFTER_SECONDS)
}

fn not_the_current_one() -> Error {
    Error::invalid("/current_password", "is not your password")
}

/// Refuses users without form login: where SSO is required, the identity provider manages the passwords of all but
/// those who keep form login (B4).
async fn check_has_form_login(tx: &mut Tx, user: &User) -> Result<()> {
    let mode = sso_mode(tx, user.account_id, user.portal).await?;
    let allowed = form_login_allowed(mode, user.keeps_form_login());
    if allowed { Ok(()) } else { Err(Error::new(Code::PasswordResetUnsupported)) }
}

fn check_differs(change: &PasswordChange) -> Result<()> {
    if change.current_password.expose() == change.new_password.expose() {
        return Err(Error::invalid("/new_password", "must differ from the password that you have"));
    }
    Ok(())
}

fn refused(error: PasswordHasherError) -> Error {
    match error {
        PasswordHasherError::Busy => too_many_passwords(Busy),
        fault @ PasswordHasherError::Fault(_) => Error::internal(fault),
    }
}
