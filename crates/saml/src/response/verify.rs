//! The whole check of a response, in pipeline order, and what it yields.

use std::time::Duration;

use jiff::Timestamp;

use crate::attribute::{Attribute, NameId};
use crate::certificate::IdpCertificate;
use crate::rejection::{Check, Rejection};
use crate::sp_key::SpKey;

/// What the response must say, compared exactly. All of it comes from the connection that the ACS path names.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// `Destination` and `Recipient`: the ACS URL as published.
    pub acs_url: &'a str,
    /// The audience: the service provider's entity id.
    pub sp_entity_id: &'a str,
    /// `Issuer` of response and assertion.
    pub idp_entity_id: &'a str,
    /// The time of arrival.
    pub now: Timestamp,
    /// Tolerated difference of clocks, 0 to [`MAX_CLOCK_SKEW`]; more counts as that.
    pub clock_skew: Duration,
}

/// Most clock skew that a connection can tolerate: five minutes, the custom since Kerberos.
pub const MAX_CLOCK_SKEW: Duration = Duration::from_secs(300);

/// Whom to believe, and how to check.
#[derive(Debug, Clone)]
pub struct Trust<'a> {
    /// The connection's certificates, tried one by one. A key inside the message is never used.
    pub certificates: &'a [IdpCertificate],
    /// Whether signatures and digests with SHA-1 are accepted, with a warning.
    pub allow_sha1: bool,
    /// Whether a certificate outside its validity period is left out.
    pub refuse_expired_certificates: bool,
    /// The service provider's keys, current one first, for encrypted assertions.
    pub decryption_keys: &'a [SpKey],
    /// Which engines must accept.
    pub engines: Engines,
}

/// The engines that verify signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engines {
    /// Both must accept, and agree on every byte that is signed.
    #[default]
    Both,
    /// libxmlsec1 alone.
    Libxmlsec,
    /// bergshamra alone.
    Bergshamra,
}

/// The element whose signed bytes were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedElement {
    /// `samlp:Response`.
    Response,
    /// `saml:Assertion`.
    Assertion,
}

/// Something an administrator should know about a response that was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A signature or digest uses SHA-1.
    Sha1,
    /// The certificate that verified had expired.
    CertificateExpired {
        /// End of its validity.
        not_after: Timestamp,
    },
    /// The certificate that verified is not valid yet.
    CertificateNotYetValid {
        /// Start of its validity.
        not_before: Timestamp,
    },
    /// The response only passed thanks to the tolerated clock skew.
    ClockSkew {
        /// How far the identity provider's clock seems ahead (positive) or behind (negative) of ours.
        seconds: i64,
    },
}

/// What a trusted signature says. Nothing here comes from unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedResponse {
    /// The element whose signature covers all the rest; the outer one if both are signed.
    pub signed: SignedElement,
    /// Whether the assertion was encrypted.
    pub encrypted: bool,
    /// The request that this answers; `None` for an unsolicited response.
    pub in_response_to: Option<String>,
    /// `ID` of the assertion, to be remembered until `not_on_or_after` plus skew.
    pub assertion_id: String,
    /// `Issuer` of the assertion.
    pub issuer: String,
    /// The subject, if named.
    pub name_id: Option<NameId>,
    /// `SessionIndex` of the first `AuthnStatement` that has one, for logout.
    pub session_index: Option<String>,
    /// `AuthnInstant` of the first `AuthnStatement`.
    pub authn_instant: Timestamp,
    /// The earliest `SessionNotOnOrAfter`: the identity provider's bound on our session.
    pub session_not_on_or_after: Option<Timestamp>,
    /// The latest time until which the assertion could be presented again, without skew.
    pub not_on_or_after: Timestamp,
    /// `AuthnContextClassRef` of the first `AuthnStatement`.
    pub authn_context_class: Option<String>,
    /// Attributes of all statements, merged by name, in document order.
    pub attributes: Vec<Attribute>,
    /// Fingerprint of the certificate that verified.
    pub certificate_sha256: String,
    /// Accepted, but worth a look.
    pub warnings: Vec<Warning>,
}

/// Verifies a decoded response: guard, signature, decryption, protocol checks.
///
/// What needs state is left to the caller: that `in_response_to` is pending, and that `assertion_id` is new.
pub fn verify_response(
    _xml: &str,
    _expected: &Expected<'_>,
    _trust: &Trust<'_>,
) -> Result<VerifiedResponse, Rejection> {
    Err(Rejection::new(Check::Guard, "malformed_xml"))
}
