//! SAML connections: the trust between one portal of one account and one identity provider (IdP).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::email::EmailDomain;
use crate::named::named;
use crate::portal::Portal;
use crate::role::RoleSet;
use crate::text::{Label, stored};
use crate::{AccountId, ConnectionId};

/// The default username attribute (C2).
pub const EMAIL_ADDRESS_CLAIM: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
/// The default prefix of the platform's own attributes (C2, C4).
pub const PLATFORM_ATTRIBUTE_PREFIX: &str = "https://adminconsole.netsign-in.se/saml/attributes/";
/// Most certificates of one connection: a rollover of an IdP with three nodes. Each may be tried on a hostile message.
pub const CERTIFICATES_MAX: usize = 6;
/// Most email domains of one connection.
pub const EMAIL_DOMAINS_MAX: usize = 500;
/// Most role mappings of one connection.
pub const ROLE_MAPPINGS_MAX: usize = 500;
/// Most username attributes of one connection.
pub const USERNAME_ATTRIBUTES_MAX: usize = 8;
/// Most clock skew that a connection may allow, in seconds.
pub const CLOCK_SKEW_SECONDS_MAX: u16 = 300;
/// Clock skew that a new connection allows, in seconds.
pub const CLOCK_SKEW_SECONDS_DEFAULT: u16 = 120;
/// Most bytes of a protocol value such as an entity id (SAML core, section 8.3.6, says 1024 characters).
pub const PROTOCOL_VALUE_MAX_BYTES: usize = 1_024;

/// The last part of a portal's entity id and ACS URL (C1): short, unique, and the same for ever.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SpHash(String);

/// Refusal of a text that is not such a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {SP_HASH_CHARS} hexadecimal digits in lower case")]
pub struct SpHashError;

/// 80 bits: short enough to paste, and too many to guess one of.
const SP_HASH_CHARS: usize = 20;

impl SpHash {
    /// The hash of a portal. It depends on ids alone, so renaming the account leaves it as it is.
    pub fn of(account_id: AccountId, portal: Portal) -> Self {
        let digest = Sha256::digest(format!("{account_id}/{}", portal.as_str()).as_bytes());
        let mut hex = digest.iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"));
        hex.truncate(SP_HASH_CHARS);
        Self(hex)
    }

    /// Hash as hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SpHash {
    type Err = SpHashError;

    fn from_str(text: &str) -> Result<Self, SpHashError> {
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        (text.len() == SP_HASH_CHARS && text.bytes().all(hex)).then(|| Self(text.to_owned())).ok_or(SpHashError)
    }
}

named! {
    /// Modes of a portal's use of its connection.
    SsoMode, SsoModeError, "expected \"off\", \"optional\" or \"required\"" {
        /// Everything is saved and nothing is used (C9).
        Off = "off",
        /// Users may sign in by SSO; form login stays for all.
        Optional = "optional",
        /// Form login is for break-glass and exempt users alone (B3).
        Required = "required",
    }
}

impl SsoMode {
    /// Whether sign-ins go through the connection.
    pub fn is_enabled(self) -> bool {
        self != Self::Off
    }
}

named! {
    /// Bindings by which the authentication request travels to the IdP (SAML bindings, sections 3.4 and 3.5).
    RequestBinding, RequestBindingError, "expected \"http_redirect\" or \"http_post\"" {
        /// Sent in the query of a redirect.
        HttpRedirect = "http_redirect",
        /// Sent in a form that the browser posts.
        HttpPost = "http_post",
    }
}

named! {
    /// Places that the username is read from (C2).
    UsernameSource, UsernameSourceError, "expected \"attribute\" or \"name_id\"" {
        /// The username is in an attribute.
        Attribute = "attribute",
        /// Taken from the subject's `NameID`.
        NameId = "name_id",
    }
}

named! {
    /// Treatment of asserted usernames that are unknown (C3).
    Provisioning, ProvisioningError, "expected \"just_in_time\" or \"invited_only\"" {
        /// The user is created.
        JustInTime = "just_in_time",
        /// The sign-in is refused.
        InvitedOnly = "invited_only",
    }
}

/// A certificate of the IdP which an administrator trusts (C5).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedCertificate {
    /// Certificate in the PEM format.
    pub pem: String,
    /// SHA-256 of its DER form, in hexadecimal.
    pub sha256_fingerprint: String,
    /// Subject that it names.
    pub subject: String,
    /// Such as `RSA 2048`.
    pub key: String,
    /// Time from which on it is valid.
    pub not_before: Timestamp,
    /// Time until which it is valid.
    pub not_after: Timestamp,
}

/// Everything about a connection that an administrator sets.
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a form, each with its own rule")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSettings {
    /// The IdP's entity id, as in `Issuer` (C7).
    pub idp_entity_id: Option<String>,
    /// URL that requests go to (C7).
    pub login_url: Option<Url>,
    /// Binding of requests (C7).
    pub request_binding: RequestBinding,
    /// Certificates that verify responses (C5).
    pub certificates: Vec<PinnedCertificate>,
    /// Whether an expired certificate stops verifying (C5).
    pub refuse_expired_certificates: bool,
    /// URL at which the IdP publishes its metadata.
    pub metadata_url: Option<Url>,
    /// Whether requests are signed (C6).
    pub sign_requests: bool,
    /// Whether SHA-1 signatures are accepted; warned about.
    pub allow_sha1: bool,
    /// Whether an unsolicited response is answered with a fresh sign-in (C10).
    pub allow_idp_initiated: bool,
    /// Most seconds that the IdP's clock may be off.
    pub clock_skew_seconds: u16,
    /// Whether discovery probes the login URL (D3).
    pub probe_login_url: bool,
    /// The `NameIDPolicy` format of requests, if any.
    pub name_id_format: Option<String>,
    /// Whether the IdP is asked to authenticate anew (`ForceAuthn`).
    pub force_authn: bool,
    /// The authentication context class that requests ask for, if any.
    pub requested_authn_context: Option<String>,
    /// Place that the username is read from (C2).
    pub username_source: UsernameSource,
    /// Names of the attribute that holds it, in order of preference (C2).
    pub username_attributes: Vec<String>,
    /// Treatment of unknown users (C3).
    pub provisioning: Provisioning,
    /// The email domains that the IdP speaks for; empty for all (C3).
    pub email_domains: Vec<EmailDomain>,
    /// Roles of users whose assertion has no role attribute (C4).
    pub default_roles: RoleSet,
    /// Role values of the IdP and what each grants (C4).
    pub role_mappings: BTreeMap<String, RoleSet>,
    /// Text of the login button (C8).
    #[serde(deserialize_with = "stored")]
    pub button_text: Label,
}

/// Settings that a connection lacks before it can be enabled (C9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Incomplete {
    /// The entity id is missing.
    #[error("idp_entity_id is missing: paste the identity provider's entity id (Issuer) or import its metadata")]
    IdpEntityId,
    /// The login URL is missing.
    #[error("login_url is missing: paste the identity provider's SSO URL or import its metadata")]
    LoginUrl,
    /// No certificate is pinned.
    #[error("certificates is empty: add the identity provider's signing certificate or import its metadata")]
    Certificates,
    /// Every certificate has expired and the connection refuses expired ones.
    #[error("every certificate has expired: add the identity provider's current signing certificate")]
    CertificatesExpired,
    /// The username has no source.
    #[error(
        "username_attributes is empty: name the attribute that holds the username, or set username_source to name_id"
    )]
    UsernameAttributes,
}

impl Incomplete {
    /// The setting that is missing.
    pub const fn property(self) -> &'static str {
        match self {
            Self::IdpEntityId => "idp_entity_id",
            Self::LoginUrl => "login_url",
            Self::Certificates | Self::CertificatesExpired => "certificates",
            Self::UsernameAttributes => "username_attributes",
        }
    }
}

impl ConnectionSettings {
    /// Settings that a new connection of this portal begins with.
    pub fn initial(portal: Portal, button_text: Label) -> Self {
        Self {
            idp_entity_id: None,
            login_url: None,
            request_binding: RequestBinding::HttpRedirect,
            certificates: vec![],
            refuse_expired_certificates: false,
            metadata_url: None,
            sign_requests: false,
            allow_sha1: false,
            allow_idp_initiated: false,
            clock_skew_seconds: CLOCK_SKEW_SECONDS_DEFAULT,
            probe_login_url: true,
            name_id_format: None,
            force_authn: false,
            requested_authn_context: None,
            username_source: UsernameSource::Attribute,
            username_attributes: vec![EMAIL_ADDRESS_CLAIM.to_owned()],
            provisioning: match portal {
                Portal::Admin => Provisioning::JustInTime,
                Portal::SelfService => Provisioning::InvitedOnly,
            },
            email_domains: vec![],
            default_roles: RoleSet::new(),
            role_mappings: BTreeMap::new(),
            button_text,
        }
    }

    /// Lists what is missing before sign-ins can use it; empty when it is complete.
    pub fn missing(&self, now: Timestamp) -> Vec<Incomplete> {
        let mut missing = vec![];
        if self.idp_entity_id.is_none() {
            missing.push(Incomplete::IdpEntityId);
        }
        if self.login_url.is_none() {
            missing.push(Incomplete::LoginUrl);
        }
        if self.certificates.is_empty() {
            missing.push(Incomplete::Certificates);
        } else if self.refuse_expired_certificates && self.certificates.iter().all(|pinned| pinned.not_after <= now) {
            missing.push(Incomplete::CertificatesExpired);
        }
        if self.username_source == UsernameSource::Attribute && self.username_attributes.is_empty() {
            missing.push(Incomplete::UsernameAttributes);
        }
        missing
    }
}

/// The trust between one portal of one account and one IdP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SamlConnection {
    /// Names it for good.
    pub id: ConnectionId,
    /// Account that it is of.
    pub account_id: AccountId,
    /// Portal that it is of; at most one each.
    pub portal: Portal,
    /// The last part of its entity id and ACS URL.
    pub sp_hash: SpHash,
    /// Whether it is used.
    pub mode: SsoMode,
    /// Settings of an administrator.
    pub settings: ConnectionSettings,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time at which it last changed; its `ETag`.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// Proves C1.
    #[test]
    fn the_hash_is_short_stable_and_of_one_account_and_portal() {
        let account = |n| AccountId::from_uuid(Uuid::from_u128(n));
        let hash = SpHash::of(account(1), Portal::Admin);
        assert_eq!(hash.as_str().parse::<SpHash>().unwrap(), hash);
        assert_eq!(hash, SpHash::of(account(1), Portal::Admin));
        assert_ne!(hash, SpHash::of(account(1), Portal::SelfService));
        assert_ne!(hash, SpHash::of(account(2), Portal::Admin));
        for bad in ["", "ABCDEFABCDEFABCDEFAB", "../../../etc/passwd0"] {
            assert!(bad.parse::<SpHash>().is_err(), "{bad}");
        }
    }

    /// Proves C3, C9: the defaults by portal, and that an incomplete connection says all that it lacks.
    #[test]
    fn a_new_connection_has_the_defaults_of_its_portal_and_says_what_is_missing() {
        let initial = |portal| ConnectionSettings::initial(portal, Label::parse("Sign in with SSO").unwrap());
        assert_eq!(initial(Portal::Admin).provisioning, Provisioning::JustInTime);
        assert_eq!(initial(Portal::SelfService).provisioning, Provisioning::InvitedOnly);
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(
            initial(Portal::Admin).missing(now),
            [Incomplete::IdpEntityId, Incomplete::LoginUrl, Incomplete::Certificates]
        );
    }
}
