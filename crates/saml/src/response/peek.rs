//! What a response claims, for the diagnostics of refused attempts. Nothing here is verified.

use crate::rejection::{Check, Rejection};

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
pub fn peek(_xml: &str) -> Result<UnverifiedResponse, Rejection> {
    Err(Rejection::new(Check::Guard, "malformed_xml"))
}
