//! Sign-ins that Vestibule checks itself: by password (B1) and by magic link (B6). The steps that they wait for,
//! and their outcome.

use jiff::Timestamp;

use crate::authorization_code::SessionGrant;
use crate::credential_epoch::CredentialEpoch;
use crate::named::named;
use crate::portal::Portal;
use crate::sso::pending_sign_in::ReturnTo;
use crate::user::SignInMethod;
use crate::{AccountId, AttemptId, UserId};

named! {
    /// Step that a sign-in waits for, its password or link being right.
    Awaited, AwaitedError, "expected \"mfa_code\" or \"password_change\"" {
        /// Code that was mailed to the user (B2).
        MfaCode = "mfa_code",
        /// Change of a password that another user chose.
        PasswordChange = "password_change",
    }
}

/// Sign-in of a known user, on its way to a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectSignIn {
    /// Attempt that this sign-in belongs to.
    pub attempt_id: AttemptId,
    /// Account that is signed in to.
    pub account_id: AccountId,
    /// Portal that is signed in to.
    pub portal: Portal,
    /// User who signs in.
    pub user_id: UserId,
    /// Frontend and redirect URI that the outcome goes to.
    pub return_to: ReturnTo,
    /// Method of the sign-in, as far as it got.
    pub method: SignInMethod,
    /// Time at which they proved their identity.
    pub auth_time: Timestamp,
    /// Epoch of the user in which they did (A7).
    pub credential_epoch: CredentialEpoch,
    /// Step that it waits for; none where it is complete.
    pub awaits: Option<Awaited>,
    /// Time from which on it is too late to continue.
    pub expires_at: Timestamp,
}

impl DirectSignIn {
    /// Grant that it has earned: a session that rests on it alone.
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

/// Chooses the next step after a right password: first the second factor, then another password.
pub const fn next_step(needs_mfa: bool, must_change_password: bool) -> Option<Awaited> {
    match (needs_mfa, must_change_password) {
        (true, _) => Some(Awaited::MfaCode),
        (false, true) => Some(Awaited::PasswordChange),
        (false, false) => None,
    }
}
