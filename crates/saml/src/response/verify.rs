//! The whole check of a response, in pipeline order, and what it yields.

use std::time::Duration;

use jiff::Timestamp;

use super::parse::{self, ResponseClaims, structure};
use super::signature::{self, Verified};
use super::window::Window;
use crate::attribute::{Attribute, NameId};
use crate::certificate::IdpCertificate;
use crate::guard;
use crate::instant;
use crate::reason::Reason;
use crate::rejection::{Check, Rejection};
use crate::sp_key::SpKey;

const SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";

/// Expected values of the response, compared exactly. All of it comes from the connection that the ACS path names.
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
pub const MAX_CLOCK_SKEW: Duration = Duration::from_mins(5);

/// The trusted certificates, and the settings of the check.
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
    /// The engines that must accept a signature.
    pub engines: Engines,
}

/// The engines that verify signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engines {
    /// Both must accept, and agree on every byte that is signed.
    #[default]
    Both,
    /// Only libxmlsec1 verifies signatures.
    Libxmlsec,
    /// Only bergshamra verifies signatures.
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

/// Warnings to the administrator about a response that was accepted.
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
        /// Seconds by which the identity provider's clock seems ahead (positive) or behind (negative) of ours.
        seconds: i64,
    },
}

/// The content that a trusted signature covers. Nothing here comes from unsigned bytes.
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
    /// `IssueInstant` of the assertion: of two about one subject, the later one counts.
    pub issue_instant: Timestamp,
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
/// Checks that need state are left to the caller: that `in_response_to` is pending, and that `assertion_id` is new.
pub fn verify_response(xml: &str, expected: &Expected<'_>, trust: &Trust<'_>) -> Result<VerifiedResponse, Rejection> {
    let guarded = guard::check(xml)?;
    let root = guarded.response().ok_or_else(|| structure(Reason::ResponseMissing))?;
    // Nobody signed this, so it may refuse and never accept.
    let unverified = parse::response(&root)?;
    check_status(&unverified)?;
    let verified = signature::read(xml, &guarded, expected, trust)?;
    match &verified.response {
        Some(response) => {
            check_status(response)?;
            check_signed_response(response)?;
            check_response(response, expected)?;
        }
        None => check_response(&unverified, expected)?,
    }
    let in_response_to = verified.response.as_ref().unwrap_or(&unverified).in_response_to.as_deref();
    check_assertion(&verified, expected, in_response_to)
}

/// The top status is Success (core 3.2.2.2).
fn check_status(response: &ResponseClaims) -> Result<(), Rejection> {
    if response.status.first().is_some_and(|status| status == SUCCESS) {
        return Ok(());
    }
    let message = response.status_message.iter().map(|message| format!("({message})"));
    let got: Vec<String> = response.status.iter().cloned().chain(message).collect();
    Err(Rejection::new(Check::Status, Reason::StatusNotSuccess).wanted(SUCCESS).got(got.join(" ")))
}

/// A signed response says where it goes and who sends it (bindings 3.5.5.2, profiles 4.1.4.2).
fn check_signed_response(response: &ResponseClaims) -> Result<(), Rejection> {
    if response.destination.is_none() {
        return Err(Rejection::new(Check::Destination, Reason::DestinationMissing));
    }
    if response.issuer.is_none() {
        return Err(Rejection::new(Check::Issuer, Reason::ResponseIssuerMissing));
    }
    Ok(())
}

fn check_response(response: &ResponseClaims, expected: &Expected<'_>) -> Result<(), Rejection> {
    if let Some(destination) = response.destination.as_deref().filter(|given| *given != expected.acs_url) {
        return Err(Rejection::new(Check::Destination, Reason::DestinationMismatch)
            .wanted(expected.acs_url)
            .got(destination));
    }
    match response.issuer.as_deref().filter(|given| *given != expected.idp_entity_id) {
        Some(issuer) => Err(issuer_mismatch(Reason::ResponseIssuerMismatch, issuer, expected)),
        None => instant::optional(response.issue_instant.as_deref()).map(drop),
    }
}

fn issuer_mismatch(reason: Reason, got: &str, expected: &Expected<'_>) -> Rejection {
    Rejection::new(Check::Issuer, reason).wanted(expected.idp_entity_id).got(got)
}

/// Checks the signed assertion, and turns it into the result.
fn check_assertion(
    verified: &Verified<'_>,
    expected: &Expected<'_>,
    in_response_to: Option<&str>,
) -> Result<VerifiedResponse, Rejection> {
    let assertion = &verified.assertion;
    let mut window = Window::new(expected);
    if assertion.issuer != expected.idp_entity_id {
        return Err(issuer_mismatch(Reason::AssertionIssuerMismatch, &assertion.issuer, expected));
    }
    assertion.conditions.check_audience(expected.sp_entity_id)?;
    let bearer = assertion.subject.confirmed(expected, in_response_to, &mut window)?;
    let first = assertion
        .statements
        .first()
        .ok_or_else(|| Rejection::new(Check::AuthnStatement, Reason::AuthnStatementMissing))?;
    window.begun(assertion.issue_instant, Reason::IssueInstantInFuture)?;
    assertion.conditions.check_times(&mut window)?;
    assertion.statements.iter().try_for_each(|statement| statement.check_times(&mut window))?;
    let skew = window.seen().map(|seconds| Warning::ClockSkew { seconds });
    Ok(VerifiedResponse {
        signed: verified.signed,
        encrypted: verified.encrypted,
        in_response_to: bearer.in_response_to.clone(),
        assertion_id: assertion.id.clone(),
        issuer: assertion.issuer.clone(),
        issue_instant: assertion.issue_instant,
        name_id: assertion.subject.name_id.clone(),
        session_index: assertion.statements.iter().find_map(|statement| statement.session_index.clone()),
        authn_instant: first.authn_instant,
        session_not_on_or_after: assertion.statements.iter().filter_map(|one| one.session_not_on_or_after).min(),
        not_on_or_after: assertion.subject.latest_end().unwrap_or(expected.now),
        authn_context_class: first.context_class.clone(),
        attributes: assertion.attributes.clone(),
        certificate_sha256: verified.certificate.sha256_fingerprint.clone(),
        warnings: verified.warnings.iter().cloned().chain(skew).collect(),
    })
}
