//! Portals: the frontend that a sign-in is for.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which directory of an account is meant. Each has its own users and its own SAML connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Portal {
    /// The account's administrators.
    Admin,
    /// Delegated end users.
    SelfService,
}

/// Why a text names no portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected \"admin\" or \"self_service\"")]
pub struct PortalError;

impl Portal {
    /// Both portals, in the order in which they are listed.
    pub const ALL: [Self; 2] = [Self::Admin, Self::SelfService];

    /// The name that is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::SelfService => "self_service",
        }
    }
}

impl FromStr for Portal {
    type Err = PortalError;

    fn from_str(text: &str) -> Result<Self, PortalError> {
        Self::ALL.into_iter().find(|portal| portal.as_str() == text).ok_or(PortalError)
    }
}
