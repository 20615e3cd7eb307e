//! Options of the identity provider's answers when nothing is wrong.

use serde::{Deserialize, Serialize};

use crate::certificate::{Certificate, CertificateError};
use crate::message::{ContentAlgorithm, DigestAlgorithm, KeyTransport, Shape, SignatureAlgorithm, SignedParts};

/// The username attribute of most identity providers.
pub const DEFAULT_USERNAME_ATTRIBUTE: &str = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress";
/// The role attribute that Vestibule reads.
pub const DEFAULT_ROLE_ATTRIBUTE: &str = "https://adminconsole.netsign-in.se/saml/attributes/role";
/// An hour, as Entra ID and AD FS do.
const DEFAULT_ASSERTION_LIFETIME_SECONDS: i64 = 3600;
/// A year: longer lifetimes are mistakes in the unit.
const MAX_LIFETIME_SECONDS: i64 = 366 * 24 * 3600;

/// Form of the subject's `NameID`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameIdForm {
    Email,
    /// The email, in the format `unspecified`.
    Unspecified,
    /// An opaque value, always the same for a user and a service provider.
    Persistent,
    /// An opaque value, new each time.
    Transient,
    /// The subject has no `NameID`.
    None,
}

/// Recipient and algorithms of encrypted assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EncryptionOptions {
    /// The service provider's RSA certificate.
    pub certificate_pem: String,
    #[serde(default = "default_content")]
    pub content: ContentAlgorithm,
    #[serde(default = "default_key_transport")]
    pub key_transport: KeyTransport,
}

fn default_content() -> ContentAlgorithm {
    ContentAlgorithm::Aes256Cbc
}

fn default_key_transport() -> KeyTransport {
    KeyTransport::OaepSha1
}

/// The settings of the identity provider. In JSON, fields left out take their defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Identity provider whose XML style and defaults are imitated.
    pub shape: Shape,
    /// `None` is the shape's default.
    pub signed: Option<SignedParts>,
    /// `None` is the key's SHA-256 algorithm.
    pub signature_algorithm: Option<SignatureAlgorithm>,
    pub digest_algorithm: DigestAlgorithm,
    /// `None` sends assertions in the clear.
    pub encryption: Option<EncryptionOptions>,
    /// The service provider's signing certificate; once set, requests must be signed with its key.
    pub request_certificate_pem: Option<String>,
    /// Assertion consumer service URLs allowed besides those on loopback.
    pub allowed_acs: Vec<String>,
    /// `None` is an email, or the shape's habit.
    pub name_id: Option<NameIdForm>,
    /// `None` sends no username attribute.
    pub username_attribute: Option<String>,
    /// `None` sends no role attribute.
    pub role_attribute: Option<String>,
    pub assertion_lifetime_seconds: i64,
    /// Sets `SessionNotOnOrAfter`; `None` is the shape's habit.
    pub session_lifetime_seconds: Option<i64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            shape: Shape::Plain,
            signed: None,
            signature_algorithm: None,
            digest_algorithm: DigestAlgorithm::Sha256,
            encryption: None,
            request_certificate_pem: None,
            allowed_acs: Vec::new(),
            name_id: None,
            username_attribute: Some(DEFAULT_USERNAME_ATTRIBUTE.to_owned()),
            role_attribute: Some(DEFAULT_ROLE_ATTRIBUTE.to_owned()),
            assertion_lifetime_seconds: DEFAULT_ASSERTION_LIFETIME_SECONDS,
            session_lifetime_seconds: None,
        }
    }
}

/// An option that cannot work.
#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    #[error("{field}: {cause}")]
    Certificate { field: &'static str, cause: CertificateError },
    #[error("{field}: a lifetime is between one second and a year")]
    Lifetime { field: &'static str },
}

impl OptionsError {
    /// The field to correct.
    pub fn field(&self) -> &'static str {
        match self {
            Self::Certificate { field, .. } | Self::Lifetime { field } => field,
        }
    }
}

impl Options {
    /// Refuses what would fail at the next sign-in.
    pub fn check(&self) -> Result<(), OptionsError> {
        let certificates = [
            ("encryption.certificate_pem", self.encryption.as_ref().map(|encryption| &encryption.certificate_pem)),
            ("request_certificate_pem", self.request_certificate_pem.as_ref()),
        ];
        for (field, pem) in certificates {
            if let Some(pem) = pem {
                Certificate::from_pem(pem).map_err(|cause| OptionsError::Certificate { field, cause })?;
            }
        }
        let lifetimes = [
            ("assertion_lifetime_seconds", Some(self.assertion_lifetime_seconds)),
            ("session_lifetime_seconds", self.session_lifetime_seconds),
        ];
        for (field, seconds) in lifetimes {
            if seconds.is_some_and(|seconds| !(1..=MAX_LIFETIME_SECONDS).contains(&seconds)) {
                return Err(OptionsError::Lifetime { field });
            }
        }
        Ok(())
    }
}
