//! Reasons that a message was refused: data with a stable code, never a free-text error.
//!
//! A rejection is an outcome that gets stored with the sign-in attempt and shown to the account's administrator,
//! so it carries what was wanted and what came. Both are bounded, and neither ever holds key or cipher material.

use std::fmt;

use crate::reason::Reason;

/// Longest `wanted` or `got` kept, in characters: enough for any URL a person can compare by eye, little enough to
/// store for every refused attempt.
const MAX_FACT: usize = 400;

/// A refusal of one message, in the words of the check that refused it.
///
/// `Display` shows the check and the code alone: what came in the message may be personal data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {reason}")]
pub struct Rejection {
    /// The stage of the pipeline that refused.
    pub check: Check,
    /// Reason of the refusal, by which diagnostics give advice.
    pub reason: Reason,
    /// Value that would have been accepted, if there is one such value.
    pub wanted: Option<String>,
    /// Value that the message had instead. Unverified input: escape it wherever it is shown.
    pub got: Option<String>,
}

impl Rejection {
    pub(crate) fn new(check: Check, reason: Reason) -> Self {
        Self { check, reason, wanted: None, got: None }
    }

    pub(crate) fn wanted(mut self, value: impl Into<String>) -> Self {
        self.wanted = Some(bounded(value.into()));
        self
    }

    pub(crate) fn got(mut self, value: impl Into<String>) -> Self {
        self.got = Some(bounded(value.into()));
        self
    }
}

fn bounded(mut value: String) -> String {
    if let Some((end, _)) = value.char_indices().nth(MAX_FACT) {
        value.truncate(end);
        value.push('…');
    }
    value
}

/// The stages of verification, in the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    /// The size of the form value or query parameter.
    Bounds,
    /// Base64, DEFLATE and UTF-8.
    Encoding,
    /// The strict pass over the XML, before any engine sees it.
    Guard,
    /// `samlp:Status` is Success (core 3.2.2.1).
    Status,
    /// A trusted signature covers what is read (core 5, XML Signature).
    Signature,
    /// The encrypted assertion could be decrypted. One code for every failure.
    Decryption,
    /// The elements covered by the signature are those that a Web SSO response needs.
    Structure,
    /// `Destination` of the response (bindings 3.5.5.2).
    Destination,
    /// `Issuer` of the response and of the assertion (profiles 4.1.4.2).
    Issuer,
    /// `saml:Conditions` other than audience and times (core 2.5.1).
    Conditions,
    /// Every `AudienceRestriction` names this service provider (core 2.5.1.4).
    Audience,
    /// A bearer `SubjectConfirmation`, and its `InResponseTo` (profiles 4.1.4.2).
    SubjectConfirmation,
    /// `Recipient` of the confirmation.
    Recipient,
    /// Presence of at least one `AuthnStatement` (profiles 4.1.4.2).
    AuthnStatement,
    /// Times, with the connection's clock skew.
    Time,
}

impl Check {
    /// All checks in pipeline order.
    pub const ALL: [Self; 15] = [
        Self::Bounds,
        Self::Encoding,
        Self::Guard,
        Self::Status,
        Self::Signature,
        Self::Decryption,
        Self::Structure,
        Self::Destination,
        Self::Issuer,
        Self::Conditions,
        Self::Audience,
        Self::SubjectConfirmation,
        Self::Recipient,
        Self::AuthnStatement,
        Self::Time,
    ];

    /// The stored and published name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bounds => "bounds",
            Self::Encoding => "encoding",
            Self::Guard => "guard",
            Self::Status => "status",
            Self::Signature => "signature",
            Self::Decryption => "decryption",
            Self::Structure => "structure",
            Self::Destination => "destination",
            Self::Issuer => "issuer",
            Self::Conditions => "conditions",
            Self::Audience => "audience",
            Self::SubjectConfirmation => "subject_confirmation",
            Self::Recipient => "recipient",
            Self::AuthnStatement => "authn_statement",
            Self::Time => "time",
        }
    }

    /// Whether a message had passed this check when `refused` refused it with `reason`. What is read early may be refused
    /// early, so not all that stands before a check has passed when it refuses; where that is not known, it has not.
    pub fn passed_before(self, refused: Self, reason: Reason) -> bool {
        let first_unknown = match (refused, reason) {
            // Also of what nobody signed.
            (Self::Structure, _) => Self::Status,
            // Where the assertion is encrypted, its signature is verified afterwards.
            (Self::Decryption, _) => Self::Signature,
            // Refused while the signed assertion is read, before anything in it is compared.
            (Self::Conditions, _)
            | (Self::Issuer, Reason::AssertionIssuerMissing)
            | (Self::Time, Reason::TimeInvalid) => Self::Structure,
            // One after the other for each confirmation, before the statements.
            (Self::Recipient, _) | (Self::Time, Reason::ConfirmationNotYetValid | Reason::ConfirmationExpired) => {
                Self::SubjectConfirmation
            }
            _ => refused,
        };
        self < first_unknown
    }
}

impl fmt::Display for Check {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Check::{self, AuthnStatement, Bounds, Destination, Issuer, Signature, Status, Structure, Time};
    use super::Reason;

    fn passed(refused: Check, reason: Reason) -> Vec<Check> {
        Check::ALL.into_iter().filter(|check| check.passed_before(refused, reason)).collect()
    }

    /// Proves C9: no check is told to have passed that may not have been made, the signature above all.
    #[test]
    fn a_check_passed_only_where_it_was_made_for_certain() {
        assert_eq!(passed(Bounds, Reason::MessageTooLong), []);
        assert!(!passed(Structure, Reason::ResponseMissing).contains(&Signature));
        assert!(!passed(Check::Decryption, Reason::DecryptionFailed).contains(&Signature));
        assert!(!passed(Signature, Reason::SignatureInvalid).contains(&Signature));
        assert!(passed(Issuer, Reason::ResponseIssuerMismatch).contains(&Destination));
        assert!(!passed(Issuer, Reason::AssertionIssuerMissing).contains(&Destination));
        assert!(!passed(Time, Reason::ConfirmationExpired).contains(&AuthnStatement));
        assert!(passed(Time, Reason::AssertionExpired).contains(&AuthnStatement));
        assert!(passed(Signature, Reason::SignatureInvalid).contains(&Status));
    }
}
