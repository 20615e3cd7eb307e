//! Form login (B1 to B5): from a username or email and a password to a code, with what may be asked in between.
//!
//! Each step answers with a [`SignInStep`], so that a frontend writes one switch. A pending token leads on; it is
//! good for one step: its digest is in the row of the sign-in, and the step that is taken replaces or removes it.

mod facts;
mod issue;
mod known;
mod mfa;
mod password_change;
mod refusal;
mod start;
mod waiting;

use domain::secret::Secret;
use jiff::Timestamp;

pub(crate) use known::KnownLogins;
pub use password_change::ReplaceTemporaryPassword;
pub use start::StartFormLogin;

/// Next step of a sign-in.
#[derive(Debug)]
pub enum SignInStep {
    /// Nothing: the browser goes back to its frontend with a code.
    Complete {
        /// The frontend's redirect URI with `code`, `state` and `iss`.
        redirect_to: String,
    },
    /// The code that was mailed.
    MfaRequired {
        /// Token that leads on with the sign-in.
        pending: PendingToken,
        /// Time from which on another code may be asked for.
        resend_after: Timestamp,
    },
    /// Another password is to be set, because an owner or the service chose this one.
    PasswordChangeRequired {
        /// Token that leads on with the sign-in.
        pending: PendingToken,
    },
    /// SSO: form login is not for this user.
    SsoRequired {
        /// A plain link that starts it (C8).
        saml_login_url: String,
    },
}

/// Token that leads on to the next step of a sign-in, once.
#[derive(Debug)]
pub struct PendingToken {
    /// The token in clear text.
    pub token: Secret,
    /// Time from which on it is too late.
    pub expires_at: Timestamp,
}
