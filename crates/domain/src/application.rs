//! Applications: the registered frontends, which are OAuth public clients (OAuth 2.1, section 2).

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::named::named;
use crate::portal::Portal;
use crate::secret::Secret;
use crate::text::Label;
use crate::{AccountId, ApplicationId};

/// Most bytes of a URI that an application registers; browsers and proxies cope with it.
pub const URI_MAX_BYTES: usize = 2_000;
/// Most redirect URIs, and most origins, of one application.
pub const URIS_MAX: usize = 20;
/// Shortest and longest life of an access token, in seconds: it cannot be revoked, so it must be short.
pub const ACCESS_TOKEN_SECONDS: std::ops::RangeInclusive<u32> = 60..=3_600;
/// Shortest and longest life of a session, and of its refresh token when idle, in seconds: five minutes to 30 days.
pub const SESSION_SECONDS: std::ops::RangeInclusive<u32> = 300..=2_592_000;

/// A URI that an authorization response may be sent to. Compared byte for byte (RFC 9700, section 2.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

/// Reason for which a text cannot be registered as a URI of an application.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UriError {
    /// Text that is not an absolute URL.
    #[error("must be an absolute URL such as https://app.example.com/callback")]
    NotAbsolute,
    /// URI of more than [`URI_MAX_BYTES`].
    #[error("must have at most {URI_MAX_BYTES} bytes")]
    TooLong,
    /// Scheme other than `https`, or than `http` on this very machine.
    #[error("must use https (http only for localhost, 127.0.0.1 and [::1])")]
    Scheme,
    /// A fragment, a user name or a password in it.
    #[error("must not hold a fragment (#…), a user name or a password")]
    Parts,
    /// A wildcard or a backslash in it, which programs read in different ways.
    #[error("must not hold an asterisk or a backslash: each URI is compared whole, so register every one that is used")]
    Wildcard,
    /// Written in another way than URL parsers write it (WHATWG URL), so that it would never be compared equal.
    #[error("must be written in its canonical form, without what a browser would change: {canonical}")]
    NotCanonical {
        /// The form that browsers make of it.
        canonical: String,
    },
    /// An origin with a path or a query.
    #[error("must be an origin: scheme, host and port alone, such as https://app.example.com")]
    NotOrigin,
}

impl RedirectUri {
    /// Takes a URI as the application will send it.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        web_url(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The URI as it was registered.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it may be registered anew: in the form that every URL parser makes of it, and nothing that stands for
    /// several URIs. What was registered before this was asked for is still read. An empty path may be left empty, as
    /// clients send it.
    pub fn check_canonical(&self) -> Result<(), UriError> {
        if self.0.contains(['*', '\\']) {
            return Err(UriError::Wildcard);
        }
        let canonical = web_url(&self.0)?.to_string();
        let is_bare_origin = canonical.strip_suffix('/') == Some(self.0.as_str()) && self.0.matches('/').count() == 2;
        if self.0 == canonical || is_bare_origin { Ok(()) } else { Err(UriError::NotCanonical { canonical }) }
    }
}

impl RedirectUri {
    /// The URI with a one-time token in its fragment: browsers keep that part to themselves, so the token is in no
    /// server's log and no `Referer`, and a mail scanner's `GET` uses nothing up.
    pub fn with_token(&self, token: &Secret) -> String {
        format!("{}#token={}", self.0, token.expose())
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        Self::parse(&text)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

/// A browser origin (RFC 6454) that may call the API and use the refresh cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Origin(String);

impl Origin {
    /// Takes an origin; one slash at its end is forgiven.
    pub fn parse(text: &str) -> Result<Self, UriError> {
        let url = web_url(text)?;
        if text.contains('\\') {
            return Err(UriError::Wildcard);
        }
        if url.path() != "/" || url.query().is_some() {
            return Err(UriError::NotOrigin);
        }
        Ok(Self(url.origin().ascii_serialization()))
    }

    /// The origin as a browser sends it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it may be registered anew: nothing in it stands for several origins.
    pub fn check_canonical(&self) -> Result<(), UriError> {
        if self.0.contains('*') { Err(UriError::Wildcard) } else { Ok(()) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Origin {
    type Error = UriError;

    fn try_from(text: String) -> Result<Self, UriError> {
        Self::parse(&text)
    }
}

impl From<Origin> for String {
    fn from(origin: Origin) -> Self {
        origin.0
    }
}

fn web_url(text: &str) -> Result<Url, UriError> {
    if text.len() > URI_MAX_BYTES {
        return Err(UriError::TooLong);
    }
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(UriError::NotAbsolute);
    }
    let url = Url::parse(text).map_err(|_| UriError::NotAbsolute)?;
    match (url.scheme(), url.host()) {
        ("https", Some(host)) if host.to_string() != "*" => {}
        ("http", Some(host)) if is_loopback(&host) => {}
        _ => return Err(UriError::Scheme),
    }
    if url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(UriError::Parts);
    }
    Ok(url)
}

/// Whether a host of a URL is this very machine.
pub fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

named! {
    /// Delivery of refresh tokens to an application.
    RefreshDelivery, RefreshDeliveryError, "expected \"json\" or \"cookie\"" {
        /// Tokens in the body of the token response.
        Json = "json",
        /// Tokens in an `HttpOnly` cookie of the API's own site.
        Cookie = "cookie",
    }
}

/// Lifetimes of an application's tokens and sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetimes {
    /// Seconds until an access token expires.
    pub access_token_seconds: u32,
    /// Seconds until an unused refresh token expires.
    pub idle_seconds: u32,
    /// Seconds until the session ends, whatever is refreshed.
    pub session_seconds: u32,
}

/// Reason for which lifetimes are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifetimesError {
    /// Life of an access token outside [`ACCESS_TOKEN_SECONDS`].
    #[error("access_token_seconds must be 60 to 3600")]
    AccessToken,
    /// Life of a session, idle or in all, outside [`SESSION_SECONDS`].
    #[error("idle_seconds and session_seconds must be 300 to 2592000")]
    Session,
    /// The parts contradict each other.
    #[error("idle_seconds must not exceed session_seconds")]
    Order,
}

impl Default for Lifetimes {
    /// Ten minutes, two hours idle, twelve hours in all: a working day.
    fn default() -> Self {
        Self { access_token_seconds: 600, idle_seconds: 7_200, session_seconds: 43_200 }
    }
}

impl Lifetimes {
    /// Whether they are within bounds and fit together.
    pub fn check(self) -> Result<Self, LifetimesError> {
        if !ACCESS_TOKEN_SECONDS.contains(&self.access_token_seconds) {
            Err(LifetimesError::AccessToken)
        } else if !SESSION_SECONDS.contains(&self.idle_seconds) || !SESSION_SECONDS.contains(&self.session_seconds) {
            Err(LifetimesError::Session)
        } else if self.idle_seconds > self.session_seconds {
            Err(LifetimesError::Order)
        } else {
            Ok(self)
        }
    }

    /// The life of an access token.
    pub fn access_token(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.access_token_seconds))
    }

    /// The life of an idle refresh token.
    pub fn idle(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.idle_seconds))
    }

    /// The life of a session.
    pub fn session(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.session_seconds))
    }
}

named! {
    /// A page of a frontend that mails lead to.
    Page, PageError, "expected \"accept_invitation\", \"reset_password\", \"magic_link\" or \"login\"" {
        /// Page on which an invited user sets a password.
        AcceptInvitation = "accept_invitation",
        /// Page on which a user who forgot their password sets a new one.
        ResetPassword = "reset_password",
        /// Page on which a magic link signs in.
        MagicLink = "magic_link",
        /// Page on which users begin to sign in.
        Login = "login",
    }
}

/// The pages of a frontend that mails lead to, as far as it has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pages {
    /// Page on which an invited user sets a password.
    pub accept_invitation: Option<RedirectUri>,
    /// Page on which a user who forgot their password sets a new one.
    pub reset_password: Option<RedirectUri>,
    /// Page on which a magic link signs in.
    pub magic_link: Option<RedirectUri>,
    /// Page on which users begin to sign in.
    pub login: Option<RedirectUri>,
}

impl Pages {
    /// The URL of a page.
    pub const fn url(&self, page: Page) -> Option<&RedirectUri> {
        match page {
            Page::AcceptInvitation => self.accept_invitation.as_ref(),
            Page::ResetPassword => self.reset_password.as_ref(),
            Page::MagicLink => self.magic_link.as_ref(),
            Page::Login => self.login.as_ref(),
        }
    }
}

/// A registered frontend of one portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    /// OAuth `client_id` of the frontend.
    pub id: ApplicationId,
    /// Account that owns it; `None` for a frontend that the operator shares among all accounts, such as one login
    /// page where users type their account name. Only operators register and change shared ones.
    pub account_id: Option<AccountId>,
    /// Portal that it is the frontend of.
    pub portal: Portal,
    /// Name that administrators call it by.
    pub name: Label,
    /// Settings of the application that are set freely.
    pub settings: ApplicationSettings,
    /// Whether sign-ins that begin elsewhere (C8) go to it. At most one per account and portal, and at most one shared
    /// one per portal; an account's own default goes before the shared one.
    pub is_default: bool,
    /// Time at which it was registered.
    pub created_at: Timestamp,
    /// Time of the last change of a property; the `ETag`.
    pub updated_at: Timestamp,
}

/// The parts of an application that are set freely.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationSettings {
    /// URIs that codes may be sent to, compared exactly.
    pub redirect_uris: Vec<RedirectUri>,
    /// Browser origins that may call the API with it.
    pub allowed_origins: Vec<Origin>,
    /// URI that a sign-in which begins elsewhere is sent to (OpenID Connect Core, section 4).
    pub initiate_login_uri: Option<RedirectUri>,
    /// Lifetimes of its tokens and sessions.
    pub lifetimes: Lifetimes,
    /// Delivery of its refresh tokens, by body or cookie.
    pub refresh_delivery: RefreshDelivery,
    /// Pages that mails lead to.
    #[serde(default)]
    pub pages: Pages,
}

impl Default for ApplicationSettings {
    /// Settings of a new application: no URI yet, default lifetimes, refresh tokens in the body.
    fn default() -> Self {
        Self {
            redirect_uris: vec![],
            allowed_origins: vec![],
            initiate_login_uri: None,
            lifetimes: Lifetimes::default(),
            refresh_delivery: RefreshDelivery::Json,
            pages: Pages::default(),
        }
    }
}

impl ApplicationSettings {
    /// The registered redirect URI that is exactly this text.
    pub fn redirect_uri(&self, presented: &str) -> Option<&RedirectUri> {
        self.redirect_uris.iter().find(|uri| uri.as_str() == presented)
    }

    /// Whether a browser page of this origin may use the application.
    pub fn allows_origin(&self, presented: &str) -> bool {
        self.allowed_origins.iter().any(|origin| origin.as_str() == presented)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{SECRET_BYTES, SecretKind};

    /// Proves D4: what may be registered, and that nothing but the very text is matched.
    #[test]
    fn redirect_uris_are_https_or_loopback_and_matched_exactly() {
        for good in
            ["https://app.example.com/cb", "http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]:8/cb?x=1"]
        {
            assert!(RedirectUri::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/cb",
            "app.example.com/cb",
            "http://app.example.com/cb",
            "https://a@app.example.com/cb",
            "https://app.example.com/cb#f",
            "javascript:alert(1)",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "https://a.example/ b",
            "https:///cb\n",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad}");
        }
    }

    /// Proves D4: what is registered is in canonical form and stands for itself alone; what was registered before
    /// is read.
    #[test]
    fn a_uri_is_registered_in_its_canonical_form_alone() {
        let check = |text: &str| RedirectUri::parse(text).unwrap().check_canonical();
        for good in [
            "https://app.example.com/cb?x=1&y=%2F",
            "https://app.example.com",
            "https://app.example.com/",
            "http://[::1]:8/cb",
            "https://xn--exmple-cua.test/cb",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for wild in ["https://*.example.com/cb", "https://app.example.com/*", "https://app.example.com\\@evil.test/"] {
            assert_eq!(check(wild), Err(UriError::Wildcard), "{wild}");
        }
        for (text, canonical) in [
            ("https://App.example.com/cb", "https://app.example.com/cb"),
            ("HTTPS://app.example.com/cb", "https://app.example.com/cb"),
            ("https://app.example.com:443/cb", "https://app.example.com/cb"),
            ("https://app.example.com/a/../cb", "https://app.example.com/cb"),
            ("https://app.example.com/%2e%2e/cb", "https://app.example.com/cb"),
            ("https:app.example.com/cb", "https://app.example.com/cb"),
            ("https:///app.example.com/cb", "https://app.example.com/cb"),
            ("https://app.example.com?x", "https://app.example.com/?x"),
            ("https://ex\u{e4}mple.test/\u{e4}", "https://xn--exmple-cua.test/%C3%A4"),
            ("http://127.1/cb", "http://127.0.0.1/cb"),
        ] {
            assert_eq!(check(text), Err(UriError::NotCanonical { canonical: canonical.to_owned() }), "{text}");
        }
        let origin = |text: &str| Origin::parse(text).unwrap().check_canonical();
        assert_eq!(origin("https://app.example.com"), Ok(()));
        assert_eq!(origin("https://*.example.com"), Err(UriError::Wildcard));
    }

    /// Proves E2: the token stays in the browser, and a page that was registered before there were pages has none.
    #[test]
    fn a_link_carries_its_token_in_the_fragment() {
        let token = Secret::from_random(SecretKind::RelayState, [7; SECRET_BYTES]);
        let page = RedirectUri::parse("https://app.example.com/accept?lang=sv").unwrap();
        assert_eq!(page.with_token(&token), format!("https://app.example.com/accept?lang=sv#token={}", token.expose()));
        let pages: Pages = serde_json::from_str("{\"login\": \"https://app.example.com/\"}").unwrap();
        for page in Page::ALL {
            assert_eq!(pages.url(*page).is_some(), *page == Page::Login);
        }
    }

    /// Proves I2.
    #[test]
    fn origins_are_kept_as_browsers_send_them() {
        assert_eq!(Origin::parse("HTTPS://App.example.com:443/").unwrap().as_str(), "https://app.example.com");
        assert_eq!(Origin::parse("http://localhost:3000").unwrap().as_str(), "http://localhost:3000");
        for bad in [
            "https://app.example.com/x",
            "https://app.example.com/?q",
            "null",
            "*",
            "https://*",
            "https:\\\\app.example.com",
        ] {
            let parsed = Origin::parse(bad);
            assert!(parsed.is_err(), "{bad}: {parsed:?}");
        }
    }

    /// Proves I1.
    #[test]
    fn lifetimes_are_bounded_and_ordered() {
        let lifetimes = |a, i, s| Lifetimes { access_token_seconds: a, idle_seconds: i, session_seconds: s }.check();
        assert!(Lifetimes::default().check().is_ok());
        assert_eq!(lifetimes(59, 300, 300), Err(LifetimesError::AccessToken));
        assert_eq!(lifetimes(3_601, 300, 300), Err(LifetimesError::AccessToken));
        assert_eq!(lifetimes(60, 299, 300), Err(LifetimesError::Session));
        assert_eq!(lifetimes(60, 300, 2_592_001), Err(LifetimesError::Session));
        assert_eq!(lifetimes(60, 301, 300), Err(LifetimesError::Order));
    }
}
