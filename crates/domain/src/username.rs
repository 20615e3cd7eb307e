//! Usernames, and the one function that says when two identities are the same.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Most characters of a username: an email address of the longest legal form fits.
pub const USERNAME_MAX_CHARS: usize = 254;

/// Signs of measure (ohm, kelvin, angstrom) that look like letters, and whose lower case is the letter's. An identity
/// provider may tell `k` from the kelvin sign; whoever has the one in their name must not become the other.
const LETTERLIKE: [char; 3] = ['\u{2126}', '\u{212A}', '\u{212B}'];

/// The form in which identities (usernames, emails) are compared: Unicode lower case, and nothing else.
///
/// No trimming and no Unicode normalization: two texts that an identity provider distinguishes stay distinct here.
/// It is the only such function; whatever compares identities calls it.
pub fn normalized(identity: &str) -> String {
    let lower = |part: &str| match part.strip_suffix(LETTERLIKE) {
        Some(letters) => letters.to_lowercase() + part.get(letters.len()..).unwrap_or_default(),
        None => part.to_lowercase(),
    };
    identity.split_inclusive(LETTERLIKE).map(lower).collect()
}

/// What a person signs in as. Keeps the spelling it was given; equality ignores case (A2).
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

/// Why a text is no username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// Nothing in it.
    #[error("must not be empty")]
    Empty,
    /// Over [`USERNAME_MAX_CHARS`].
    #[error("must have at most {USERNAME_MAX_CHARS} characters")]
    TooLong,
    /// White space at an end, or a control character anywhere.
    #[error("must not begin or end with white space or hold control characters")]
    Space,
}

impl Username {
    /// Takes a username as it is spelled.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        if text.is_empty() {
            Err(UsernameError::Empty)
        } else if text.chars().count() > USERNAME_MAX_CHARS {
            Err(UsernameError::TooLong)
        } else if text.trim() != text || text.chars().any(char::is_control) {
            Err(UsernameError::Space)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// The username as it was spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared and that is unique per account and portal.
    pub fn normalized(&self) -> String {
        normalized(&self.0)
    }
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }
}

impl Eq for Username {}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Username(…)")
    }
}

impl TryFrom<String> for Username {
    type Error = UsernameError;

    fn try_from(text: String) -> Result<Self, UsernameError> {
        Self::parse(&text)
    }
}

impl From<Username> for String {
    fn from(username: Username) -> Self {
        username.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves A2.
    #[test]
    fn usernames_are_equal_without_regard_to_case_and_nothing_else() {
        assert_eq!(Username::parse("ÅSA").unwrap(), Username::parse("åsa").unwrap());
        assert_ne!(Username::parse("asa").unwrap(), Username::parse("åsa").unwrap());
        assert_ne!(normalized("e\u{301}"), normalized("\u{e9}"));
        assert_ne!(normalized("mar\u{212A}us"), normalized("markus"));
        assert_eq!(normalized("MAR\u{212A}US"), "mar\u{212A}us");
        assert_ne!(normalized("\u{130}da"), normalized("ida"));
        for bad in ["", " a", "a ", "a\0b", "a\nb"] {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
    }
}
