//! Branding: the look and the apparent sender of an account's mails.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::AccountId;
use crate::email::Email;
use crate::text::{Label, optional_stored};

/// Most bytes of a logo's URL.
pub const LOGO_URL_MAX_BYTES: usize = 1_000;
/// The colour of links and codes where an account chose none: dark enough to be read on white.
pub const ACCENT_COLOR_DEFAULT: &str = "#1f4e79";

/// URL from which a mail program fetches the logo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LogoUrl(String);

/// Reason for which a text is not a logo's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an https URL of at most {LOGO_URL_MAX_BYTES} bytes, without user name and password")]
pub struct LogoUrlError;

impl LogoUrl {
    /// Takes an https URL: mail programs warn of any other.
    pub fn parse(text: &str) -> Result<Self, LogoUrlError> {
        let url = Url::parse(text).map_err(|_| LogoUrlError)?;
        let plain = url.username().is_empty() && url.password().is_none();
        let fine = text.len() <= LOGO_URL_MAX_BYTES && url.scheme() == "https" && url.has_host() && plain;
        if fine { Ok(Self(url.into())) } else { Err(LogoUrlError) }
    }

    /// The URL in its canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LogoUrl {
    type Error = LogoUrlError;

    fn try_from(text: String) -> Result<Self, LogoUrlError> {
        Self::parse(&text)
    }
}

impl From<LogoUrl> for String {
    fn from(url: LogoUrl) -> Self {
        url.0
    }
}

/// A colour as `#rrggbb`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccentColor(String);

/// Reason for which a text is not a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a colour such as #1f4e79")]
pub struct AccentColorError;

impl AccentColor {
    /// Takes a colour in six hexadecimal digits; nothing else can get into a style.
    pub fn parse(text: &str) -> Result<Self, AccentColorError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let fine = digits.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        if fine { Ok(Self(text.to_ascii_lowercase())) } else { Err(AccentColorError) }
    }

    /// The colour as `#rrggbb`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for AccentColor {
    type Error = AccentColorError;

    fn try_from(text: String) -> Result<Self, AccentColorError> {
        Self::parse(&text)
    }
}

impl From<AccentColor> for String {
    fn from(color: AccentColor) -> Self {
        color.0
    }
}

/// Choices of an account for its mails; what it left out has the operator's or a plain default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BrandingSettings {
    /// Name that the mails speak of; otherwise the account's display name.
    #[serde(deserialize_with = "optional_stored")]
    pub brand_name: Option<Label>,
    /// A picture at the head of the HTML part.
    pub logo_url: Option<LogoUrl>,
    /// The colour of links and codes.
    pub accent_color: Option<AccentColor>,
    /// Contact for questions: an address, a telephone number, a URL.
    #[serde(deserialize_with = "optional_stored")]
    pub support_contact: Option<Label>,
    /// The name beside the operator's sender address; otherwise the brand's.
    #[serde(deserialize_with = "optional_stored")]
    pub sender_name: Option<Label>,
    /// Address that answers go to.
    #[serde(deserialize_with = "optional_stored")]
    pub reply_to: Option<Email>,
}

/// The branding of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branding {
    /// Account that the branding belongs to.
    pub account_id: AccountId,
    /// Settings that were chosen for its mails.
    pub settings: BrandingSettings,
    /// Time of the last change; the `ETag`.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves E4: what goes into the HTML of a mail can be nothing but a colour and the https URL of a picture.
    #[test]
    fn a_logo_is_https_and_a_colour_is_six_digits() {
        assert_eq!(AccentColor::parse("#1F4E79").unwrap().as_str(), "#1f4e79");
        for bad in ["", "red", "#fff", "#12345g", "#123456;background:url(x)", "1f4e79", "#1f4e79 "] {
            assert!(AccentColor::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(LogoUrl::parse("https://a.example/l.png?x=\"").unwrap().as_str(), "https://a.example/l.png?x=%22");
        let long = format!("https://a.example/{}", "x".repeat(LOGO_URL_MAX_BYTES));
        for bad in [
            "",
            "http://a.example/l.png",
            "javascript:alert(1)",
            "data:image/png;base64,x",
            "https://u@a.example/",
            &long,
        ] {
            assert!(LogoUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
