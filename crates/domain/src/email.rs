//! Email addresses and the domains that a connection speaks for.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{Stored, is_invisible, without_blanks};
use crate::username::{ascii_domain, normalized};

/// Most bytes of an address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
pub const EMAIL_MAX_BYTES: usize = 254;
/// Most bytes of a domain name (RFC 1035, section 2.3.4).
pub const DOMAIN_MAX_BYTES: usize = 253;

/// An email address as it was spelled; equality ignores case.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// Reason for which a text is not an email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Address without `@`, or with nothing on one side of it.
    #[error("must look like name@example.com")]
    Shape,
    /// Address of more than [`EMAIL_MAX_BYTES`].
    #[error("must have at most {EMAIL_MAX_BYTES} bytes")]
    TooLong,
    /// White space, a character that is not seen, or a second `@`.
    #[error("must not hold white space, control or invisible characters, quotes, angle brackets, commas or a second @")]
    Character,
    /// Text after the `@` that is not a host name.
    #[error("the part after the @ is not a domain name")]
    Domain,
}

impl Email {
    /// Takes an address of the form that people have: one `@`, a host name after it, which may be internationalized.
    /// Blanks around it are left out.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let email = Self::stored(without_blanks(text).to_owned())?;
        if email.0.chars().any(is_invisible) { Err(EmailError::Character) } else { Ok(email) }
    }

    /// The address as it was spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is compared and indexed.
    pub fn normalized(&self) -> String {
        normalized(&self.0)
    }

    /// The domain, in ASCII lower case.
    pub fn domain(&self) -> EmailDomain {
        EmailDomain(self.normalized().rsplit_once('@').map_or_else(String::new, |(_, domain)| domain.to_owned()))
    }

    /// The address as mail servers take it: with the domain's ASCII form.
    pub fn deliverable(&self) -> String {
        let local = self.0.rsplit_once('@').map_or("", |(local, _)| local);
        format!("{local}@{}", self.domain().as_str())
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.normalized() == other.normalized()
    }
}

impl Eq for Email {}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl Stored for Email {
    type Error = EmailError;

    fn stored(text: String) -> Result<Self, EmailError> {
        let (local, domain) = text.rsplit_once('@').ok_or(EmailError::Shape)?;
        if local.is_empty() || domain.is_empty() {
            return Err(EmailError::Shape);
        }
        if local.chars().any(|c| c.is_whitespace() || c.is_control() || "@\"<>,;:\\()[]".contains(c)) {
            return Err(EmailError::Character);
        }
        let ascii = EmailDomain::parse(domain).map_err(|_| EmailError::Domain)?;
        if text.len().max(local.len() + 1 + ascii.as_str().len()) > EMAIL_MAX_BYTES {
            return Err(EmailError::TooLong);
        }
        Ok(Self(text))
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// A domain of email addresses, in ASCII lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailDomain(String);

/// Reason for which a text is not a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a domain name such as example.com, without @ or wildcard")]
pub struct EmailDomainError;

impl EmailDomain {
    /// Takes a host name, also an internationalized one, whose ASCII form it becomes.
    pub fn parse(text: &str) -> Result<Self, EmailDomainError> {
        let label_ok = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let ascii = if text.chars().any(is_invisible) { None } else { ascii_domain(text) };
        let is_name = |ascii: &String| ascii.len() <= DOMAIN_MAX_BYTES && ascii.split('.').all(label_ok);
        ascii.filter(is_name).map(Self).ok_or(EmailDomainError)
    }

    /// The domain in lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EmailDomain {
    type Error = EmailDomainError;

    fn try_from(text: String) -> Result<Self, EmailDomainError> {
        Self::parse(&text)
    }
}

impl From<EmailDomain> for String {
    fn from(domain: EmailDomain) -> Self {
        domain.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves A2: what a directory knows as an address is taken as it is, and hostile spellings are not.
    #[test]
    fn addresses_are_read_strictly_and_compared_without_case() {
        for good in ["a@b.se", "Åsa.Ö+tag@Example.COM", "o'neil@x-y.example", "root@localhost", " a@b.se ", "a@räk.se"]
        {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in [
            "",
            "a",
            "@b.se",
            "a@",
            "a@b@c.se",
            "a b@c.se",
            "a@b..se",
            "a@-b.se",
            "a\n@b.se",
            "<a@b.se>",
            "a@b.se\r\n",
            "a\u{200B}@b.se",
            "a@b\u{AD}c.se",
            "\u{202E}a@b.se",
            "a@ b.se",
            &long,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Email::parse("A@Example.com").unwrap(), Email::parse("a@example.COM").unwrap());
        assert_eq!(Email::parse("a@Example.COM").unwrap().domain().as_str(), "example.com");
        assert_eq!(Email::parse(" a@b.se\t").unwrap().as_str(), "a@b.se");
    }

    /// Proves A2, C3: an internationalized domain and its ASCII form are one, in addresses and in a connection's list.
    #[test]
    fn a_domain_is_its_ascii_form() {
        let (spelled, ascii) =
            (Email::parse("Ann@Exämple.test").unwrap(), Email::parse("ann@xn--exmple-cua.test").unwrap());
        assert_eq!(spelled, ascii);
        assert_eq!(spelled.domain(), EmailDomain::parse("EXÄMPLE.test").unwrap());
        assert_eq!(spelled.deliverable(), "Ann@xn--exmple-cua.test");
        assert_eq!(spelled.as_str(), "Ann@Exämple.test");
    }
}
