//! Usernames, and the one function that says when two identities are the same.

use std::fmt;

use icu_properties::CodePointMapData;
use icu_properties::props::Script;
use idna::{AsciiDenyList, domain_to_ascii_cow, domain_to_unicode};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::text::{Stored, is_invisible, without_blanks};

/// Most characters of a username: an email address of the longest legal form fits.
pub const USERNAME_MAX_CHARS: usize = 254;

/// Signs of measure (ohm, kelvin, angstrom) that look like letters, and whose lower case is the letter's. An
/// identity provider may tell `k` from the kelvin sign; a user who has the one in their name must not become the
/// other.
const LETTERLIKE: [char; 3] = ['\u{2126}', '\u{212A}', '\u{212B}'];

/// The form in which identities (usernames, emails) are compared: Unicode lower case, and what follows the last `@`
/// as the ASCII form of the domain name that it is (UTS 46).
///
/// No trimming and no Unicode normalization: two texts that an identity provider distinguishes stay distinct here.
/// A domain is the exception, because all its spellings lead to one mailbox. It is the only such function; whatever
/// compares identities calls it.
pub fn normalized(identity: &str) -> String {
    let email = identity.rsplit_once('@');
    match email.and_then(|(local, domain)| Some((local, ascii_domain(domain)?))) {
        Some((local, domain)) => format!("{}@{domain}", lower_case(local)),
        None => lower_case(identity),
    }
}

/// The form in which texts are searched: lower case. A sigma at a word's end is any other sigma, because upper case
/// does not tell them apart.
pub fn lower_case(text: &str) -> String {
    let lower = |part: &str| match part.strip_suffix(LETTERLIKE) {
        Some(letters) => letters.to_lowercase() + part.get(letters.len()..).unwrap_or_default(),
        None => part.to_lowercase(),
    };
    text.split_inclusive(LETTERLIKE).map(lower).collect::<String>().replace('\u{3C2}', "\u{3C3}")
}

/// The form that a compared identity had before domains were compared in their ASCII form. It differs for
/// internationalized domains alone.
pub fn former_form(normalized: &str) -> String {
    match normalized.rsplit_once('@') {
        Some((local, domain)) if domain.contains("xn--") => format!("{local}@{}", domain_to_unicode(domain).0),
        _ => normalized.to_owned(),
    }
}

/// Converts a domain name to ASCII lower case; none for a text that cannot be a domain name. An internationalized
/// one is taken in its own letters alone, with one script's in each label: spellings that a resolver would map to
/// another name, such as the kelvin sign or a full stop of another script, are an attempt to look like that name.
pub(crate) fn ascii_domain(domain: &str) -> Option<String> {
    if domain.is_ascii() {
        return Some(domain.to_ascii_lowercase()).filter(|domain| !domain.is_empty());
    }
    let ascii = domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::URL).ok()?;
    let (unicode, read) = domain_to_unicode(&ascii);
    let typed: String = lower_case(domain).nfc().collect();
    let is_itself = read.is_ok() && lower_case(&unicode) == typed && !unicode.split('.').any(mixes_scripts);
    is_itself.then(|| ascii.into_owned())
}

/// Whether a label mixes letters of the scripts that have many which look the same.
fn mixes_scripts(label: &str) -> bool {
    let has = |script: Script| label.chars().any(|letter| CodePointMapData::<Script>::new().get(letter) == script);
    [Script::Latin, Script::Greek, Script::Cyrillic].into_iter().filter(|script| has(*script)).count() > 1
}

/// Username that a person signs in with. Keeps the spelling it was given; equality ignores case (A2).
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Username(String);

/// Error of a text that is not a username.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UsernameError {
    /// The text is empty.
    #[error("must not be empty")]
    Empty,
    /// The text has more than [`USERNAME_MAX_CHARS`] characters.
    #[error("must have at most {USERNAME_MAX_CHARS} characters")]
    TooLong,
    /// White space at an end, or a control character anywhere.
    #[error("must not begin or end with white space or hold control characters")]
    Space,
    /// A character that is not seen, or white space other than the plain space.
    #[error(
        "must not hold invisible, zero-width or bidirectional control characters; type it anew instead of pasting it"
    )]
    Invisible,
}

impl Username {
    /// Takes a username as it is spelled, without the blanks around it.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        Self::asserted(without_blanks(text))
    }

    /// Takes a username as an identity provider asserts it: nothing is taken away from it.
    pub fn asserted(text: &str) -> Result<Self, UsernameError> {
        let username = Self::stored(text.to_owned())?;
        let hides = |character: char| is_invisible(character) || character != ' ' && character.is_whitespace();
        if text.chars().any(hides) { Err(UsernameError::Invisible) } else { Ok(username) }
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

impl Stored for Username {
    type Error = UsernameError;

    fn stored(text: String) -> Result<Self, UsernameError> {
        if text.is_empty() {
            Err(UsernameError::Empty)
        } else if text.chars().count() > USERNAME_MAX_CHARS {
            Err(UsernameError::TooLong)
        } else if text.trim() != text || text.chars().any(char::is_control) {
            Err(UsernameError::Space)
        } else {
            Ok(Self(text))
        }
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
        assert_ne!(normalized("ａｎｎ"), normalized("ann"));
        assert_ne!(normalized("straße"), normalized("strasse"));
        assert_eq!(normalized("ΟΔΥΣΣΕΥΣ"), normalized("οδυσσευς"));
        for bad in ["", "  ", "a\0b", "a\nb", "a\n", "a\u{200B}b", "\u{202E}a", "a\u{2003}b", "a\u{3164}"] {
            assert!(Username::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(Username::parse(" a b\u{A0}").unwrap().as_str(), "a b");
        assert_eq!(Username::asserted(" a"), Err(UsernameError::Space));
    }

    /// Proves A2, C3: a domain has one form, however it is written; what is before the `@` is compared as before.
    #[test]
    fn internationalized_domains_compare_in_their_ascii_form() {
        let ascii = "ann@xn--exmple-cua.test";
        for same in ["ann@exämple.test", "Ann@EXÄMPLE.TEST", "ann@XN--EXMPLE-CUA.test", "ann@exa\u{308}mple.test"] {
            assert_eq!(normalized(same), ascii, "{same}");
        }
        for other in ["änn@example.test", "ann@example.test", "ann@exämple.test@b", "ann@", "@", "a@b c@ä ö"] {
            assert_ne!(normalized(other), ascii, "{other}");
            assert_eq!(normalized(&normalized(other)), normalized(other));
        }
        assert_eq!(normalized("Ä@xn--a"), "ä@xn--a");
        for look_alike in
            ["a@mar\u{212A}us.se", "a@markus\u{3002}se", "a@m\u{430}rkus.se", "a@ｍarkus.se", "a@marku\u{17F}.se"]
        {
            assert_ne!(normalized(look_alike), "a@markus.se", "{look_alike}");
        }
        assert_eq!(former_form(ascii), "ann@exämple.test");
        assert_eq!(former_form("ann@example.test"), "ann@example.test");
    }

    /// Proves A2: a username that was taken under an older rule is still read, so that its user can be renamed.
    #[test]
    fn a_stored_username_is_read_by_the_rule_of_its_time() {
        assert!(Username::stored("a\u{200B}b".to_owned()).is_ok());
        assert!(Username::stored("a\nb".to_owned()).is_err());
    }
}
