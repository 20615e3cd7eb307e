//! The row of a sign-in whose password or link is right, and the code that it ends with.

use std::net::IpAddr;

use domain::AttemptId;
use domain::authorization_code::SessionGrant;
use domain::direct_sign_in::{Awaited, DirectSignIn};
use domain::sign_in_attempt::{AttemptKind, AttemptStage, AttemptStart, SIGN_IN_LIFETIME, SignInAttempt};
use domain::sso::pending_sign_in::ReturnTo;
use domain::user::{SignInMethod, User};
use jiff::Timestamp;
use storage::Tx;
use storage::authorization_codes::Evidence;

use super::SignInStep;
use super::start::Admission;
use crate::core::error::Result;
use crate::sign_in::SignIn;
use crate::sign_in::saml::redirect_url;

impl SignIn {
    /// Writes down a sign-in whose password is right, and goes as far as it can.
    pub(super) async fn write_direct_sign_in(
        &self,
        tx: &mut Tx,
        admission: &Admission<'_>,
        user: &User,
        sign_in: &DirectSignIn,
    ) -> Result<SignInStep> {
        let start = admission.start;
        let attempt = attempt_of(sign_in, &start.identifier, start.address);
        let pending = sign_in.awaits.map(|_| self.pending_token(sign_in));
        let handle = pending.as_ref().map(|pending| pending.token.digest());
        storage::direct_sign_ins::insert(tx, &attempt, sign_in, handle).await?;
        match (sign_in.awaits, pending) {
            (Some(Awaited::MfaCode), Some(pending)) => self.begin_mfa(tx, user, sign_in, pending).await,
            (Some(Awaited::PasswordChange), Some(pending)) => Ok(SignInStep::PasswordChangeRequired { pending }),
            _ => self.complete_form_login(tx, sign_in).await,
        }
    }

    /// Ends a form login with a code; loudly, where it uses the break-glass path (A4).
    pub(super) async fn complete_form_login(&self, tx: &mut Tx, sign_in: &DirectSignIn) -> Result<SignInStep> {
        self.people.announce_break_glass_use(tx, sign_in).await?;
        Ok(SignInStep::Complete { redirect_to: self.issue_code(tx, sign_in).await? })
    }

    /// Writes down a sign-in that waits for nothing, and ends it with a code; gives where the browser goes with it.
    pub(crate) async fn write_complete_sign_in(
        &self,
        tx: &mut Tx,
        sign_in: &DirectSignIn,
        entered: &str,
        address: IpAddr,
    ) -> Result<String> {
        storage::direct_sign_ins::insert(tx, &attempt_of(sign_in, entered, address), sign_in, None).await?;
        self.issue_code(tx, sign_in).await
    }

    /// Ends a sign-in with a code; gives where the browser goes with it.
    pub(crate) async fn issue_code(&self, tx: &mut Tx, sign_in: &DirectSignIn) -> Result<String> {
        self.issue_code_for(tx, sign_in, sign_in.grant()).await
    }

    /// The same, where what it has earned is more or less than itself.
    pub(crate) async fn issue_code_for(
        &self,
        tx: &mut Tx,
        sign_in: &DirectSignIn,
        grant: SessionGrant,
    ) -> Result<String> {
        let DirectSignIn { account_id, attempt_id, return_to, .. } = sign_in;
        let (code, secret) = self.authorization_code(*account_id, *attempt_id, return_to, grant);
        let evidence = Evidence { assertion: None, warnings: &[] };
        storage::authorization_codes::issue(tx, &code, evidence).await?;
        redirect_url(&sign_in.return_to, self.core.settings.issuer(), &[("code", secret.expose())])
    }

    /// Makes a sign-in of a user who has just proved who they are.
    pub(crate) fn direct_sign_in(
        &self,
        user: &User,
        return_to: ReturnTo,
        method: SignInMethod,
        awaits: Option<Awaited>,
    ) -> DirectSignIn {
        let now = self.core.now();
        DirectSignIn {
            attempt_id: AttemptId::from_uuid(self.core.uuid()),
            account_id: user.account_id,
            portal: user.portal,
            user_id: user.id,
            return_to,
            method,
            auth_time: now,
            credential_epoch: user.credential_epoch,
            awaits,
            expires_at: now.saturating_add(SIGN_IN_LIFETIME).unwrap_or(Timestamp::MAX),
        }
    }
}

/// Attempt, for diagnostics, of a sign-in whose user is known.
fn attempt_of(sign_in: &DirectSignIn, entered: &str, address: IpAddr) -> SignInAttempt {
    let kind = if sign_in.method == SignInMethod::MagicLink { AttemptKind::MagicLink } else { AttemptKind::Form };
    SignInAttempt {
        application_id: Some(sign_in.return_to.application_id),
        stage: AttemptStage::UserResolved,
        entered_email: Some(entered.to_owned()),
        user_id: Some(sign_in.user_id),
        ..SignInAttempt::new(AttemptStart {
            id: sign_in.attempt_id,
            account_id: sign_in.account_id,
            portal: sign_in.portal,
            kind,
            client_address: address,
            at: sign_in.auth_time,
        })
    }
}
