//! Content of a response: every value that an identity provider chooses, honest by default and each of them
//! replaceable.

use serde::{Deserialize, Serialize};
use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::algorithm::{DigestAlgorithm, SignatureAlgorithm};
use super::canonical::Canonicalization;
use super::encryption::Encryption;
use super::shape::Shape;

/// Lifetime of an assertion unless the specification says otherwise: an hour, as Entra ID and AD FS do.
pub const DEFAULT_ASSERTION_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// `urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress`
pub const NAME_ID_EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
/// `urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified`
pub const NAME_ID_UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
/// `urn:oasis:names:tc:SAML:2.0:nameid-format:persistent`
pub const NAME_ID_PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
/// `urn:oasis:names:tc:SAML:2.0:nameid-format:transient`
pub const NAME_ID_TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
/// The only subject confirmation that the Web Browser SSO profile knows.
pub const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
/// The status of a successful response.
pub const STATUS_SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// Sender and receiver of a response.
#[derive(Clone, Copy, Debug)]
pub struct Parties<'a> {
    /// The identity provider's entity ID.
    pub issuer: &'a str,
    /// The service provider's entity ID.
    pub audience: &'a str,
    /// The service provider's assertion consumer service URL.
    pub acs: &'a str,
}

/// A point in time as a message carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DateTime {
    /// Written in UTC, with as many fraction digits as the shape has.
    At(Timestamp),
    /// Written as it is: for times that no honest provider sends.
    Verbatim(String),
}

impl DateTime {
    pub(super) fn render(&self, fraction_digits: usize) -> String {
        match self {
            Self::At(time) => format!("{time:.fraction_digits$}"),
            Self::Verbatim(text) => text.clone(),
        }
    }
}

impl From<Timestamp> for DateTime {
    fn from(time: Timestamp) -> Self {
        Self::At(time)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(0))
    }
}

/// `saml:NameID` of the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameId {
    pub value: String,
    /// Left out if `None`.
    pub format: Option<String>,
}

/// `saml:Attribute`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeSpec {
    pub name: String,
    /// `None` takes the shape's habit.
    pub name_format: Option<String>,
    pub friendly_name: Option<String>,
    /// May be empty, and values may be empty: both occur in the wild.
    pub values: Vec<String>,
}

/// `samlp:Status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Top-level status code of the response.
    pub code: String,
    /// The code nested in it.
    pub second_level: Option<String>,
    pub message: Option<String>,
}

impl Status {
    /// The one status that lets a user in.
    pub fn success() -> Self {
        Self { code: STATUS_SUCCESS.to_owned(), second_level: None, message: None }
    }

    /// `Responder`, with a second-level code named without its URN, such as `AuthnFailed` or `NoPassive`.
    pub fn responder(second_level: &str) -> Self {
        Self {
            code: "urn:oasis:names:tc:SAML:2.0:status:Responder".to_owned(),
            second_level: Some(format!("urn:oasis:names:tc:SAML:2.0:status:{second_level}")),
            message: None,
        }
    }
}

/// Elements that carry a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedParts {
    None,
    Assertion,
    Response,
    Both,
}

impl SignedParts {
    pub(super) fn assertion(self) -> bool {
        matches!(self, Self::Assertion | Self::Both)
    }

    pub(super) fn response(self) -> bool {
        matches!(self, Self::Response | Self::Both)
    }
}

/// Certificate in `ds:X509Certificate`. Careful service providers ignore it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShownCertificate {
    None,
    /// The certificate of the key that signed.
    Own,
    /// Another one, in base64 DER: a stale one after a rollover, or an attacker's.
    Other(String),
}

/// Content of `ds:KeyInfo`; with nothing to show it is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// `ds:KeyName` with the certificate's subject.
    pub key_name: bool,
    pub certificate: ShownCertificate,
    /// `ds:X509SubjectName` before the certificate.
    pub subject_name: bool,
    /// `ds:KeyValue` with the bare key.
    pub key_value: bool,
}

impl KeyInfo {
    /// Leaves out `ds:KeyInfo` altogether.
    pub const NONE: Self =
        Self { key_name: false, certificate: ShownCertificate::None, subject_name: false, key_value: false };

    /// The signing certificate, as nearly every identity provider sends it.
    pub const CERTIFICATE: Self = Self { certificate: ShownCertificate::Own, ..Self::NONE };
}

/// Parts, algorithms and key information of a response's signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signing {
    pub parts: SignedParts,
    /// `None` takes the key's SHA-256 algorithm (SHA-384 for P-384).
    pub algorithm: Option<SignatureAlgorithm>,
    pub digest: DigestAlgorithm,
    /// Canonicalization of the signed element; `SignedInfo` uses the same method, without a prefix list.
    pub canonicalization: Canonicalization,
    pub key_info: KeyInfo,
}

/// A whole response. All fields are public: change what a test is about, then [`build`](Self::build).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseSpec {
    /// Style in which it is written.
    pub shape: Shape,
    pub response_id: String,
    pub assertion_id: String,
    /// Issuer of the Response, left out if `None`.
    pub response_issuer: Option<String>,
    pub assertion_issuer: String,
    /// One `AudienceRestriction` for each inner list.
    pub audiences: Vec<Vec<String>>,
    pub destination: Option<String>,
    pub recipient: Option<String>,
    /// `InResponseTo` attribute of the Response.
    pub in_response_to: Option<String>,
    /// `InResponseTo` attribute of `SubjectConfirmationData`.
    pub confirmation_in_response_to: Option<String>,
    pub confirmation_method: String,
    /// `NotOnOrAfter` attribute of `SubjectConfirmationData`.
    pub confirmation_not_on_or_after: Option<DateTime>,
    pub issue_instant: DateTime,
    pub not_before: Option<DateTime>,
    pub not_on_or_after: Option<DateTime>,
    /// `None` leaves the `AuthnStatement` out.
    pub authn_instant: Option<DateTime>,
    pub session_index: Option<String>,
    pub session_not_on_or_after: Option<DateTime>,
    pub name_id: Option<NameId>,
    pub attributes: Vec<AttributeSpec>,
    /// Adds `eduPersonTargetedID`, whose value is a nested `NameID` with this text.
    pub nested_name_id: Option<String>,
    pub one_time_use: bool,
    pub status: Status,
    /// `false` for the answer to a sign-in that failed.
    pub carries_assertion: bool,
    pub signing: Signing,
    /// Encrypts the assertion, after it was signed.
    pub encryption: Option<Encryption>,
}

impl ResponseSpec {
    /// A successful, unsolicited response in the plain shape, with a signed assertion and no subject in it yet.
    ///
    /// `unique` goes into every ID: two responses with the same one are a replay. It must be made of characters that an
    /// `xs:ID` may hold.
    pub fn new(parties: Parties<'_>, now: Timestamp, unique: &str) -> Self {
        let expiry = now.saturating_add(DEFAULT_ASSERTION_LIFETIME).unwrap_or(Timestamp::MAX);
        Self {
            shape: Shape::Plain,
            response_id: format!("_response-{unique}"),
            assertion_id: format!("_assertion-{unique}"),
            response_issuer: Some(parties.issuer.to_owned()),
            assertion_issuer: parties.issuer.to_owned(),
            audiences: vec![vec![parties.audience.to_owned()]],
            destination: Some(parties.acs.to_owned()),
            recipient: Some(parties.acs.to_owned()),
            in_response_to: None,
            confirmation_in_response_to: None,
            confirmation_method: BEARER.to_owned(),
            confirmation_not_on_or_after: Some(expiry.into()),
            issue_instant: now.into(),
            not_before: Some(now.into()),
            not_on_or_after: Some(expiry.into()),
            authn_instant: Some(now.into()),
            session_index: Some(format!("_session-{unique}")),
            session_not_on_or_after: None,
            name_id: None,
            attributes: Vec::new(),
            nested_name_id: None,
            one_time_use: false,
            status: Status::success(),
            carries_assertion: true,
            signing: Signing {
                parts: SignedParts::Assertion,
                algorithm: None,
                digest: DigestAlgorithm::Sha256,
                canonicalization: Canonicalization::EXCLUSIVE,
                key_info: KeyInfo::CERTIFICATE,
            },
            encryption: None,
        }
    }

    /// Answers that request: `InResponseTo` on the Response and on the confirmation.
    #[must_use]
    pub fn to_request(mut self, request_id: &str) -> Self {
        self.in_response_to = Some(request_id.to_owned());
        self.confirmation_in_response_to = Some(request_id.to_owned());
        self
    }

    /// Sets the subject's `NameID`, with its value and format.
    #[must_use]
    pub fn named(mut self, value: &str, format: &str) -> Self {
        self.name_id = Some(NameId { value: value.to_owned(), format: Some(format.to_owned()) });
        self
    }

    /// Adds an attribute without `NameFormat` and `FriendlyName`.
    #[must_use]
    pub fn attribute<V: Into<String>>(mut self, name: &str, values: impl IntoIterator<Item = V>) -> Self {
        self.attributes.push(AttributeSpec {
            name: name.to_owned(),
            name_format: None,
            friendly_name: None,
            values: values.into_iter().map(Into::into).collect(),
        });
        self
    }

    /// Chooses which elements are signed.
    #[must_use]
    pub fn signed(mut self, parts: SignedParts) -> Self {
        self.signing.parts = parts;
        self
    }

    /// Encrypts the assertion for the given recipient.
    #[must_use]
    pub fn encrypted(mut self, encryption: Encryption) -> Self {
        self.encryption = Some(encryption);
        self
    }
}
