//! Accounts: the tenants (customer organizations).

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::AccountId;
use crate::account_settings::AccountSettings;
use crate::text::Label;

/// Fewest and most characters of an account name (A1).
pub const ACCOUNT_NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=63;

/// The unique handle that people type as "Account Name". Held in lower case, so equality ignores case (A1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(String);

/// Why a text is no account name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountNameError {
    /// Shorter or longer than [`ACCOUNT_NAME_LENGTH`].
    #[error("must have 3 to 63 characters")]
    Length,
    /// Something else than letters, digits and hyphens.
    #[error("may hold only the letters a to z, digits and hyphens")]
    Character,
}

impl AccountName {
    /// Takes a name in any case.
    pub fn parse(text: &str) -> Result<Self, AccountNameError> {
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            Err(AccountNameError::Character)
        } else if !ACCOUNT_NAME_LENGTH.contains(&text.len()) {
            Err(AccountNameError::Length)
        } else {
            Ok(Self(text.to_ascii_lowercase()))
        }
    }

    /// The name in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AccountName {
    type Error = AccountNameError;

    fn try_from(text: String) -> Result<Self, AccountNameError> {
        Self::parse(&text)
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0
    }
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Names it for good.
    pub id: AccountId,
    /// What people type; may change.
    pub name: AccountName,
    /// What people read.
    pub display_name: Label,
    /// What its owners set (A6).
    pub settings: AccountSettings,
    /// When an operator created it.
    pub created_at: Timestamp,
    /// When a property last changed; its `ETag`.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves A1.
    #[test]
    fn account_names_are_three_to_sixty_three_of_letters_digits_hyphens_without_regard_to_case() {
        assert_eq!(AccountName::parse("Acme-1").unwrap(), AccountName::parse("acme-1").unwrap());
        assert!(AccountName::parse(&"a".repeat(63)).is_ok());
        for bad in ["", "ab", "acme_1", "acme.se", "äcme", " acme", "acme\n", &"a".repeat(64)] {
            assert!(AccountName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
