//! Accounts: the tenants (customer organizations).

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::AccountId;
use crate::account_settings::AccountSettings;
use crate::text::{Label, without_blanks};

/// Fewest and most characters of an account name (A1).
pub const ACCOUNT_NAME_LENGTH: std::ops::RangeInclusive<usize> = 3..=63;

/// Time for which a name that an account gave up is kept from other accounts (A1): links and bookmarks are found
/// out about, and a user who goes on typing the old name does not meet a stranger.
pub const NAME_RESERVED_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The unique handle that people type as "Account Name". Held in lower case, so equality ignores case (A1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(String);

/// Reason for which a text is not an account name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AccountNameError {
    /// Shorter or longer than [`ACCOUNT_NAME_LENGTH`].
    #[error("must have 3 to 63 characters")]
    Length,
    /// Character other than a letter, a digit or a hyphen.
    #[error("may hold only the letters a to z, digits and hyphens")]
    Character,
    /// A hyphen at an end, or two together.
    #[error("must not begin or end with a hyphen, nor hold two together")]
    Hyphen,
}

impl AccountName {
    /// Takes a name in any case, without the blanks around it. Names of the time before [`AccountName::check_new`]
    /// are read too, because people type them.
    pub fn parse(text: &str) -> Result<Self, AccountNameError> {
        let text = without_blanks(text);
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            Err(AccountNameError::Character)
        } else if !ACCOUNT_NAME_LENGTH.contains(&text.len()) {
            Err(AccountNameError::Length)
        } else {
            Ok(Self(text.to_ascii_lowercase()))
        }
    }

    /// Whether an account may get this name: hyphens join words, and nothing else.
    pub fn check_new(&self) -> Result<(), AccountNameError> {
        if self.0.split('-').any(str::is_empty) { Err(AccountNameError::Hyphen) } else { Ok(()) }
    }

    /// Whether it is this account's name, a hyphen and more.
    pub fn is_within(&self, account: &Self) -> bool {
        self.0.strip_prefix(account.as_str()).is_some_and(|rest| rest.len() > 1 && rest.starts_with('-'))
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

/// A tenant: one customer organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Id that names the account for good.
    pub id: AccountId,
    /// Handle that users type; it may change.
    pub name: AccountName,
    /// Name that users read, in pages and mails.
    pub display_name: Label,
    /// Settings that the owners choose (A6).
    pub settings: AccountSettings,
    /// Time at which an operator created the account.
    pub created_at: Timestamp,
    /// Time of the last change of a property; the `ETag` of the account.
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
        for bad in ["", "ab", "acme_1", "acme.se", "äcme", "ac me", "acme\n", &"a".repeat(64)] {
            assert!(AccountName::parse(bad).is_err(), "{bad:?}");
        }
    }

    /// Proves A1: hyphens join words. Older names are still read, so that their accounts can be signed in to and
    /// renamed.
    #[test]
    fn new_names_have_no_hyphen_first_last_or_doubled() {
        for good in ["acme", "acme-1", "a-b-c"] {
            assert_eq!(AccountName::parse(good).unwrap().check_new(), Ok(()), "{good}");
        }
        for bad in ["-acme", "acme-", "ac--me", "---"] {
            assert_eq!(AccountName::parse(bad).unwrap().check_new(), Err(AccountNameError::Hyphen), "{bad}");
        }
    }

    /// Proves A1, G1.
    #[test]
    fn a_sandbox_is_told_by_its_accounts_name() {
        let within = |name: &str| AccountName::parse(name).unwrap().is_within(&AccountName::parse("acme").unwrap());
        assert!(within("acme-test"));
        assert!(!within("acme") && !within("acmetest") && !within("acme-") && !within("other-acme-test"));
    }
}
