//! Proof Key for Code Exchange (RFC 7636), `S256` only.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// Length of a challenge: a SHA-256 digest in base64url without padding.
const CHALLENGE_CHARS: usize = 43;

/// The `code_challenge` of a sign-in (RFC 7636, section 4.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CodeChallenge(String);

/// Error of a text that is not an `S256` challenge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the base64url-encoded SHA-256 digest of the code_verifier: 43 characters of A-Z a-z 0-9 - _")]
pub struct CodeChallengeError;

impl CodeChallenge {
    /// Takes a challenge as a client sends it.
    pub fn parse(text: &str) -> Result<Self, CodeChallengeError> {
        let decoded = URL_SAFE_NO_PAD.decode(text).map_err(|_| CodeChallengeError)?;
        if text.len() == CHALLENGE_CHARS && decoded.len() == 32 {
            Ok(Self(text.to_owned()))
        } else {
            Err(CodeChallengeError)
        }
    }

    /// Text of the challenge, base64url-encoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this `code_verifier` (43 to 128 unreserved characters, section 4.1) is the one that it was made from.
    pub fn matches(&self, verifier: &str) -> bool {
        let shape = (43..=128).contains(&verifier.len())
            && verifier.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        shape && bool::from(digest.as_bytes().ct_eq(self.0.as_bytes()))
    }
}

impl TryFrom<String> for CodeChallenge {
    type Error = CodeChallengeError;

    fn try_from(text: String) -> Result<Self, CodeChallengeError> {
        Self::parse(&text)
    }
}

impl From<CodeChallenge> for String {
    fn from(challenge: CodeChallenge) -> Self {
        challenge.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves D4, with the example of RFC 7636, appendix B.
    #[test]
    fn only_the_verifier_that_the_challenge_was_made_from_matches() {
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap();
        assert!(challenge.matches("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"));
        assert!(!challenge.matches("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
        assert!(!challenge.matches(""));
        for bad in ["", "short", &"=".repeat(43), &"a".repeat(44)] {
            assert!(CodeChallenge::parse(bad).is_err(), "{bad}");
        }
    }
}
