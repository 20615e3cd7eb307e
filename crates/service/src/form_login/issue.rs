//! The row of a sign-in whose password or link is right, and the code that it ends with.

use std::net::IpAddr;

use domain::audit::AuditActor;
use domain::authorization_code::{AuthorizationCode, SessionGrant};
use domain::direct_sign_in::{Awaited, DirectSignIn};
use domain::secret::{Secret, SecretKind};
use domain::sign_in_attempt::{AttemptKind, AttemptOutcome, AttemptStage, SignInAttempt};
use domain::user::{SignInMethod, User, UserStatus};
use storage::Tx;
use storage::authorization_codes::Evidence;

use super::SignInStep;
use super::start::Admission;
use crate::Service;
use crate::error::Result;
use crate::sign_in::redirect_url;
use crate::users::{audited_user, deed};

impl Service {
    /// Writes down a sign-in whose password is right, and goes as far as it can.
    pub(super) async fn write_direct_sign_in(
        &self,
        tx: &mut Tx,
        admission: &Admission<'_>,
        sign_in: &DirectSignIn,
    ) -> Result<SignInStep> {
        let Admission { start, user, .. } = admission;
        let attempt = attempt_of(sign_in, &start.identifier, start.address);
        let pending = sign_in.awaits.map(|_| self.pending_token(sign_in));
        let handle = pending.as_ref().map(|pending| pending.token.digest());
        storage::direct_sign_ins::insert(tx, &attempt, sign_in, handle).await?;
        match (sign_in.awaits, pending) {
            (Some(Awaited::MfaCode), Some(pending)) => self.begin_mfa(tx, (user, sign_in), pending).await,
            (Some(Awaited::PasswordChange), Some(pending)) => Ok(SignInStep::PasswordChangeRequired { pending }),
            _ => Ok(SignInStep::Complete { redirect_to: self.issue_code(tx, sign_in).await? }),
        }
    }

    /// Writes down a sign-in that waits for nothing, and ends it with a code; gives where the browser goes with it.
    pub(crate) async fn write_complete_sign_in(
        &self,
        tx: &mut Tx,
        sign_in: &DirectSignIn,
        (entered, address): (&str, IpAddr),
    ) -> Result<String> {
        storage::direct_sign_ins::insert(tx, &attempt_of(sign_in, entered, address), sign_in, None).await?;
        self.issue_code(tx, sign_in).await
    }

    /// Ends a sign-in with a code; gives where the browser goes with it.
    pub(crate) async fn issue_code(&self, tx: &mut Tx, sign_in: &DirectSignIn) -> Result<String> {
        let row = sign_in.attempt_id.as_uuid();
        let secret = Secret::addressed(SecretKind::AuthorizationCode, row, self.random());
        let code = AuthorizationCode {
            digest: secret.digest(),
            account_id: sign_in.account_id,
            application_id: sign_in.return_to.application_id,
            redirect_uri: sign_in.return_to.redirect_uri.clone(),
            code_challenge: sign_in.return_to.code_challenge.clone(),
            attempt_id: sign_in.attempt_id,
            grant: SessionGrant {
                user_id: sign_in.user_id,
                portal: sign_in.portal,
                method: sign_in.method,
                auth_time: sign_in.auth_time,
                external_roles: vec![],
                session_not_on_or_after: None,
            },
            issued_at: self.now(),
            session_id: None,
        };
        let evidence = Evidence { assertion_id: None, warnings: &[] };
        storage::authorization_codes::issue(tx, &code, evidence).await?;
        redirect_url(&sign_in.return_to, self.settings.issuer(), &[("code", secret.expose())])
    }

    /// Somebody who was invited and knows their password is there, and accepts their invitation thereby (E1). They are let
    /// in also where that has expired: whoever gave them the password expected them.
    pub(crate) async fn activate(&self, tx: &mut Tx, user: &User, address: IpAddr) -> Result<()> {
        if user.status != UserStatus::Invited {
            return Ok(());
        }
        let updated_at = self.next_version(user.updated_at);
        let mut after = User { status: UserStatus::Active, updated_at, ..user.clone() };
        after.break_glass |= self.becomes_break_glass(tx, &after).await?;
        storage::users::update(tx, &after, user.updated_at).await?;
        self.accept_by_sign_in(tx, user, SignInMethod::Password).await?.ok();
        let deed = deed("user.updated", &after, audited_user(user), audited_user(&after));
        self.record_as(tx, AuditActor::User(user.id), Some(address.to_string()), deed).await
    }
}

/// What diagnostics shows of a sign-in of somebody who is known.
pub(crate) fn attempt_of(sign_in: &DirectSignIn, entered: &str, address: IpAddr) -> SignInAttempt {
    SignInAttempt {
        id: sign_in.attempt_id,
        account_id: sign_in.account_id,
        portal: sign_in.portal,
        connection_id: None,
        application_id: Some(sign_in.return_to.application_id),
        kind: if sign_in.method == SignInMethod::MagicLink { AttemptKind::MagicLink } else { AttemptKind::Form },
        stage: AttemptStage::UserResolved,
        outcome: AttemptOutcome::Pending,
        failure: None,
        entered_email: Some(entered.to_owned()),
        user_id: Some(sign_in.user_id),
        warnings: vec![],
        saml_message: None,
        client_address: address.to_string(),
        started_at: sign_in.auth_time,
        updated_at: sign_in.auth_time,
    }
}
