//! What a response claims, for the diagnostics of refused attempts. Nothing here is verified.

use super::parse;
use crate::guard;
use crate::rejection::Rejection;
use crate::xml::namespace;

/// Claims of a response that nobody has verified: to show, never to decide by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnverifiedResponse {
    /// `ID` of the response.
    pub unverified_id: Option<String>,
    /// `InResponseTo` of the response.
    pub unverified_in_response_to: Option<String>,
    /// `Destination` of the response.
    pub unverified_destination: Option<String>,
    /// `Issuer` of the response, or of a plain assertion.
    pub unverified_issuer: Option<String>,
    /// `IssueInstant` as it stands.
    pub unverified_issue_instant: Option<String>,
    /// The status codes, outermost first.
    pub unverified_status: Vec<String>,
    /// Whether the assertion is encrypted.
    pub unverified_encrypted: bool,
    /// Whether a signature is there at all.
    pub unverified_signed: bool,
}

/// Reads a response's claims, after the guard alone.
pub fn peek(xml: &str) -> Result<UnverifiedResponse, Rejection> {
    let guarded = guard::check(xml)?;
    let Some(root) = guarded.response() else { return Ok(UnverifiedResponse::default()) };
    let claims = parse::response(&root)?;
    let inner_issuer = guarded
        .assertion()
        .and_then(|assertion| assertion.child(namespace::ASSERTION, "Issuer"))
        .map(|issuer| issuer.deep_text());
    Ok(UnverifiedResponse {
        unverified_id: Some(claims.id),
        unverified_in_response_to: claims.in_response_to,
        unverified_destination: claims.destination,
        unverified_issuer: claims.issuer.or(inner_issuer),
        unverified_issue_instant: claims.issue_instant,
        unverified_status: claims.status,
        unverified_encrypted: guarded.encrypted_assertion().is_some(),
        unverified_signed: !guarded.signatures().is_empty(),
    })
}
