//! Users: people in one portal of one account.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::email::Email;
use crate::portal::Portal;
use crate::role::RoleAssignments;
use crate::text::Label;
use crate::username::Username;
use crate::{AccountId, UserId};

/// Where a user stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserStatus {
    /// Expected; the first sign-in makes them active.
    Invited,
    /// May sign in.
    Active,
    /// Deactivated by an owner: refused at every sign-in, exchange and refresh (A3).
    Inactive,
}

/// Why a text names no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected \"invited\", \"active\" or \"inactive\"")]
pub struct UserStatusError;

impl UserStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Invited, Self::Active, Self::Inactive];

    /// The name that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

impl FromStr for UserStatus {
    type Err = UserStatusError;

    fn from_str(text: &str) -> Result<Self, UserStatusError> {
        Self::ALL.into_iter().find(|status| status.as_str() == text).ok_or(UserStatusError)
    }
}

/// How somebody signed in. The `amr` claim of the access token (RFC 8176 has no value for a federated sign-in, so
/// `saml` is ours and documented).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignInMethod {
    /// Through the account's SAML identity provider.
    Saml,
}

/// Why a text names no method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected \"saml\"")]
pub struct SignInMethodError;

impl SignInMethod {
    /// The name that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Saml => "saml",
        }
    }
}

impl FromStr for SignInMethod {
    type Err = SignInMethodError;

    fn from_str(text: &str) -> Result<Self, SignInMethodError> {
        match text {
            "saml" => Ok(Self::Saml),
            _ => Err(SignInMethodError),
        }
    }
}

/// The last time somebody signed in, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSignIn {
    /// When the session began.
    pub at: Timestamp,
    /// How.
    pub method: SignInMethod,
}

/// A person in one portal of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Names them for good.
    pub id: UserId,
    /// Whose they are.
    pub account_id: AccountId,
    /// Which directory they are in.
    pub portal: Portal,
    /// Unique per account and portal, without regard to case.
    pub username: Username,
    /// Where mail goes; need not be unique (A2).
    pub email: Option<Email>,
    /// What people call them.
    pub display_name: Option<Label>,
    /// Where they stand.
    pub status: UserStatus,
    /// What they may do; empty in the `self_service` portal.
    pub roles: RoleAssignments,
    /// The last sign-in, if there was one.
    pub last_sign_in: Option<LastSignIn>,
    /// When they were added.
    pub created_at: Timestamp,
    /// When a property last changed; the `ETag`.
    pub updated_at: Timestamp,
}
