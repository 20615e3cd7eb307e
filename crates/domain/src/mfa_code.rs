//! The one-time code by mail: the second factor of form login (B2).

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::credential_epoch::CredentialEpoch;
use crate::secret::SecretDigest;
use crate::throttle::Pace;

/// Digits of a code.
pub const MFA_CODE_DIGITS: usize = 6;
/// Lifetime of a code, from when it was sent.
pub const MFA_CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// Most tries of one code.
pub const MFA_CODE_TRIES: i64 = 5;
/// Pause before another code may be sent: mail takes some seconds, and an impatient user would ask for ten.
pub const MFA_RESEND_PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// Pace of one user's tries over all codes: an attacker who has the password and asks for ever new codes has 250 of
/// a million a day.
pub const MFA_TRIES: Pace = Pace { burst: 10, period: SignedDuration::from_mins(6) };
/// Pace of the codes that one user is sent: an attacker who has the password must not fill their mailbox.
pub const MFA_MAILS: Pace = Pace { burst: 10, period: SignedDuration::from_mins(3) };
/// Number of possible codes of [`MFA_CODE_DIGITS`] digits.
const CODES: u64 = 1_000_000;

/// A code in clear: it is in the mail, and nowhere else.
pub struct MfaCode(String);

/// Error of a text that is not a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the {MFA_CODE_DIGITS} digits of the mail")]
pub struct MfaCodeError;

impl MfaCode {
    /// Makes a code of these random bytes: eight, so that no code is likelier than another by more than one in 10^13.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Self(format!("{:06}", u64::from_be_bytes(bytes) % CODES))
    }

    /// Reads a code as a user typed it; white space between the digits is ignored.
    pub fn parse(text: &str) -> Result<Self, MfaCodeError> {
        let digits: String = text.chars().filter(|c| !c.is_whitespace()).take(MFA_CODE_DIGITS + 1).collect();
        let is_code = digits.len() == MFA_CODE_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
        is_code.then_some(Self(digits)).ok_or(MfaCodeError)
    }

    /// The digits to mail.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Digest that is stored of the code, taken together with the token of the sign-in that it belongs to. That
    /// token is not stored, so a reader of the database cannot find the code by trying a million.
    pub fn digest(&self, pending_token: &str) -> SecretDigest {
        let digest = Sha256::new_with_prefix(pending_token).chain_update([0]).chain_update(&self.0);
        SecretDigest::from_bytes(digest.finalize().into())
    }
}

impl fmt::Debug for MfaCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MfaCode(…)")
    }
}

impl TryFrom<String> for MfaCode {
    type Error = MfaCodeError;

    fn try_from(text: String) -> Result<Self, MfaCodeError> {
        Self::parse(&text)
    }
}

/// A code that was sent, as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentMfaCode {
    /// Digest that a presented code must have.
    pub digest: SecretDigest,
    /// The epoch of its user in which it was sent (A7).
    pub credential_epoch: CredentialEpoch,
    /// Number of tries, this one counted.
    pub tries: i64,
    /// Time at which it was sent.
    pub sent_at: Timestamp,
}

/// Reasons to refuse a code. Users are told the same for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MfaRefusal {
    /// The code is older than [`MFA_CODE_LIFETIME`].
    Expired,
    /// The code was tried more often than [`MFA_CODE_TRIES`].
    TriedTooOften,
    /// The code was sent in another epoch of its user (A7).
    Withdrawn,
    /// Another code was sent.
    Wrong,
}

/// Decides whether a code that a user presents, who is in this epoch, is the one that was sent.
pub fn decide_mfa(
    sent: &SentMfaCode,
    presented: SecretDigest,
    epoch: CredentialEpoch,
    now: Timestamp,
) -> Result<(), MfaRefusal> {
    if now.duration_since(sent.sent_at) >= MFA_CODE_LIFETIME {
        Err(MfaRefusal::Expired)
    } else if sent.tries > MFA_CODE_TRIES {
        Err(MfaRefusal::TriedTooOften)
    } else if sent.credential_epoch != epoch {
        Err(MfaRefusal::Withdrawn)
    } else if bool::from(sent.digest.as_bytes().ct_eq(presented.as_bytes())) {
        Ok(())
    } else {
        Err(MfaRefusal::Wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    /// Proves B2: a code is six digits, typed with spaces or without.
    #[test]
    fn a_code_is_six_digits() {
        assert_eq!(MfaCode::from_random([0; 8]).expose(), "000000");
        assert_eq!(MfaCode::from_random([0xff; 8]).expose().len(), 6);
        assert_eq!(MfaCode::parse(" 012 345\n").unwrap().expose(), "012345");
        for bad in ["", "12345", "1234567", "12345a", "１２３４５６", "-12345"] {
            assert!(MfaCode::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(format!("{:?}", MfaCode::parse("012345").unwrap()), "MfaCode(…)");
    }

    /// Proves B2: the code of this sign-in, within ten minutes, at one of five tries.
    #[test]
    fn a_code_is_good_for_its_sign_in_for_ten_minutes_and_five_tries() {
        let code = MfaCode::parse("012345").unwrap();
        let (digest, first) = (code.digest("token"), CredentialEpoch::FIRST);
        let sent = SentMfaCode { digest, credential_epoch: first, tries: 1, sent_at: at(0) };
        assert_eq!(decide_mfa(&sent, digest, first, at(599)), Ok(()));
        assert_eq!(decide_mfa(&sent, digest, first.next(), at(599)), Err(MfaRefusal::Withdrawn));
        assert_eq!(decide_mfa(&sent, digest, first, at(600)), Err(MfaRefusal::Expired));
        assert_eq!(decide_mfa(&SentMfaCode { tries: 5, ..sent }, digest, first, at(1)), Ok(()));
        assert_eq!(decide_mfa(&SentMfaCode { tries: 6, ..sent }, digest, first, at(1)), Err(MfaRefusal::TriedTooOften));
        assert_eq!(decide_mfa(&sent, code.digest("another"), first, at(1)), Err(MfaRefusal::Wrong));
        let other = MfaCode::parse("012346").unwrap().digest("token");
        assert_eq!(decide_mfa(&sent, other, first, at(1)), Err(MfaRefusal::Wrong));
    }
}
