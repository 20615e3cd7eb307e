//! Sign-ins that Vestibule checks itself: by password (B1) and by magic link (B6). What they wait for, and how they end.

use jiff::Timestamp;

use crate::authorization_code::SessionGrant;
use crate::credential_epoch::CredentialEpoch;
use crate::named::named;
use crate::portal::Portal;
use crate::sso::pending_sign_in::ReturnTo;
use crate::user::SignInMethod;
use crate::{AccountId, AttemptId, UserId};

named! {
    /// What a sign-in waits for, its password or link being right.
    Awaited, AwaitedError, "expected \"mfa_code\" or \"password_change\"" {
        /// The code that was mailed (B2).
        MfaCode = "mfa_code",
        /// Another password, because somebody else chose this one.
        PasswordChange = "password_change",
    }
}

/// A sign-in of somebody who is known, on its way to a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectSignIn {
    /// The attempt that it is.
    pub attempt_id: AttemptId,
    /// Whose account.
    pub account_id: AccountId,
    /// To which portal.
    pub portal: Portal,
    /// Who signs in.
    pub user_id: UserId,
    /// Where the outcome goes.
    pub return_to: ReturnTo,
    /// By what, as far as it got.
    pub method: SignInMethod,
    /// When they proved who they are.
    pub auth_time: Timestamp,
    /// Their epoch in which they did (A7).
    pub credential_epoch: CredentialEpoch,
    /// What it waits for; nothing where it is complete.
    pub awaits: Option<Awaited>,
    /// When it is too late to go on.
    pub expires_at: Timestamp,
}

impl DirectSignIn {
    /// What it has earned: a session that rests on it alone.
    pub const fn grant(&self) -> SessionGrant {
        SessionGrant {
            user_id: self.user_id,
            portal: self.portal,
            method: self.method,
            auth_time: self.auth_time,
            credential_epoch: self.credential_epoch,
            external_roles: vec![],
            home: None,
            session_not_on_or_after: None,
        }
    }
}

/// What is asked of somebody whose password is right: first the second factor, then another password.
pub const fn next_step(needs_mfa: bool, must_change_password: bool) -> Option<Awaited> {
    match (needs_mfa, must_change_password) {
        (true, _) => Some(Awaited::MfaCode),
        (false, true) => Some(Awaited::PasswordChange),
        (false, false) => None,
    }
}
