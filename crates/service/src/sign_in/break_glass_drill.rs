//! Break-glass drills (A4): a break-glass user proves that they would get in, with all that form login asks of
//! them, and nothing comes of it but the record.

use std::net::IpAddr;

use domain::audit::AuditAction;
use domain::break_glass::last_used;
use domain::form_login::needs_code;
use domain::mail::MailMessage;
use domain::mfa_code::MfaCode;
use domain::password::{Password, PasswordCredential};
use domain::role::Permission;
use domain::secret::{PresentedSecret, Secret, SecretKind};
use domain::sign_in_attempt::{AttemptKind, AttemptStart, SIGN_IN_LIFETIME, SignInAttempt};
use domain::user::User;
use domain::{AccountId, AttemptId};
use jiff::Timestamp;
use serde_json::{Value, json};
use storage::Tx;
use storage::break_glass::DrillTime;

use crate::core::account;
use crate::core::caller::Caller;
use crate::core::error::{Code, Error, Result};
use crate::people::users::{entry, user};
use crate::sign_in::SignIn;
use crate::sign_in::form_login::PendingToken;

/// Next step of a break-glass drill.
#[derive(Debug)]
pub enum DrillStep {
    /// Nothing: it ended well.
    Complete(Drilled),
    /// The code that was mailed.
    MfaRequired {
        /// Token that the next step of the drill presents.
        pending: PendingToken,
    },
}

/// A drill that ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drilled {
    /// Time at which the drill ended well.
    pub drilled_at: Timestamp,
    /// Whether a mail is on its way to the address that codes and reset links go to; not where no address is known.
    pub mail_queued: bool,
}

/// A break-glass user, and what proves that they get in.
#[derive(Debug, Clone)]
pub struct BreakGlassView {
    /// User with the break-glass mark.
    pub user: User,
    /// Time of their last form login; none if there was none.
    pub last_used_at: Option<Timestamp>,
    /// Time of their last drill with their present password.
    pub drilled_at: Option<Timestamp>,
}

/// Drill whose password, and code where one was asked for, are proven.
struct ProvenDrill<'a> {
    user: &'a User,
    attempt_id: AttemptId,
    credential: &'a PasswordCredential,
}

impl SignIn {
    /// Lists the break-glass users of an account, all at once: they are few.
    pub async fn list_break_glass_users(&self, caller: &Caller, account_id: AccountId) -> Result<Vec<BreakGlassView>> {
        caller.authorize(account_id, Permission::Read)?;
        let mut tx = self.core.store.read().await?;
        account(&mut tx, account_id).await?;
        let found = storage::break_glass::list(&mut tx, account_id).await?;
        let view = |found: storage::break_glass::BreakGlassUser| BreakGlassView {
            last_used_at: last_used(&found.user),
            drilled_at: found.drilled_at,
            user: found.user,
        };
        Ok(found.into_iter().map(view).collect())
    }

    /// Begins the caller's drill with their password. Where form login asks for a second factor, from there, so
    /// does the drill.
    pub async fn start_break_glass_drill(
        &self,
        caller: &Caller,
        password: &Password,
        address: IpAddr,
    ) -> Result<DrillStep> {
        let user = self.drilling_user(caller).await?;
        let proven = self.people.prove_password(caller, password).await?;
        let mut tx = self.core.store.begin().await?;
        let needs_code = needs_code(&account(&mut tx, user.account_id).await?.settings, &user, address);
        let attempt = self.drill_attempt(&user, address);
        storage::sign_in_attempts::insert(&mut tx, &attempt).await?;
        let step = if needs_code {
            let token = Secret::addressed(SecretKind::BreakGlassDrill, attempt.id.as_uuid(), self.core.random());
            self.send_mfa_code(&mut tx, &user, attempt.id, token.expose()).await?;
            let expires_at = attempt.started_at.saturating_add(SIGN_IN_LIFETIME).unwrap_or(Timestamp::MAX);
            DrillStep::MfaRequired { pending: PendingToken { token, expires_at } }
        } else {
            DrillStep::Complete(
                self.conclude_drill(
                    &mut tx,
                    caller,
                    ProvenDrill { user: &user, attempt_id: attempt.id, credential: &proven },
                )
                .await?,
            )
        };
        tx.commit().await?;
        Ok(step)
    }

    /// Ends the caller's drill with the code that was mailed.
    pub async fn complete_break_glass_drill(&self, caller: &Caller, token: &str, code: &MfaCode) -> Result<Drilled> {
        let user = self.drilling_user(caller).await?;
        let drill = PresentedSecret::parse(SecretKind::BreakGlassDrill, token).ok_or_else(ended)?;
        let drill = AttemptId::from_uuid(drill.row);
        let tx = self.core.store.begin().await?;
        let proven = self.take_mfa_code(tx, &user, drill, code.digest(token)).await;
        let mut tx = proven.map_err(|error| if error.code == Code::SessionExpired { ended() } else { error })?;
        let credential = storage::password_credentials::by_user(&mut tx, user.account_id, user.id).await?;
        let credential = credential.ok_or_else(ended)?;
        let drilled = self
            .conclude_drill(&mut tx, caller, ProvenDrill { user: &user, attempt_id: drill, credential: &credential })
            .await?;
        tx.commit().await?;
        Ok(drilled)
    }

    /// The caller, if they are a break-glass user.
    async fn drilling_user(&self, caller: &Caller) -> Result<User> {
        let signed_in = caller.user()?;
        let mut tx = self.core.store.read().await?;
        let user = user(&mut tx, signed_in.account_id, signed_in.user_id).await?;
        if user.break_glass { Ok(user) } else { Err(Error::new(Code::NotBreakGlass)) }
    }

    fn drill_attempt(&self, user: &User, address: IpAddr) -> SignInAttempt {
        let attempt = SignInAttempt::new(AttemptStart {
            id: AttemptId::from_uuid(self.core.uuid()),
            account_id: user.account_id,
            portal: user.portal,
            kind: AttemptKind::BreakGlassDrill,
            client_address: address,
            at: self.core.now(),
        });
        SignInAttempt { user_id: Some(user.id), ..attempt }
    }

    /// Writes down that a drill ended well, and mails to where codes and reset links go.
    async fn conclude_drill(&self, tx: &mut Tx, caller: &Caller, drill: ProvenDrill<'_>) -> Result<Drilled> {
        let (ProvenDrill { user, attempt_id, credential }, drilled_at) = (drill, self.core.now());
        let begun_after = drilled_at.saturating_sub(SIGN_IN_LIFETIME).unwrap_or(Timestamp::MIN);
        let time = DrillTime { now: drilled_at, begun_after };
        if !storage::break_glass::conclude_drill(tx, user, attempt_id, time).await? {
            return Err(ended());
        }
        storage::password_credentials::record_drill(tx, credential, drilled_at).await?;
        let to = user.second_factor_email().cloned();
        let mail_queued = to.is_some();
        if let Some(to) = to {
            let message = MailMessage::BreakGlassDrill { drilled_at };
            self.mail.enqueue_mail_of(tx, user.account_id, to, message).await?;
        }
        let after = json!({ "attempt_id": attempt_id, "drilled_at": drilled_at, "mail_queued": mail_queued });
        self.core.record(tx, caller, entry(AuditAction::UserBreakGlassDrilled, user, Value::Null, after)).await?;
        Ok(Drilled { drilled_at, mail_queued })
    }
}

fn ended() -> Error {
    Error::invalid("/pending_token", "belongs to no drill of yours that waits for a code")
}
