//! The clock and the randomness. This crate stands for a foreign server, which has its own; they stay in
//! this module.

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use jiff::Timestamp;

/// Bytes in a random identifier: 160 bits, as SAML core section 1.3.4 recommends.
const IDENTIFIER_LENGTH: usize = 20;

/// The current time, of the mock's own clock.
#[expect(clippy::disallowed_methods, reason = "the mock identity provider is a foreign server with its own clock")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Random bytes. The system's source does not fail on any platform that this runs on; if it did, the bytes are zero.
pub(crate) fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    let _ = SystemRandom::new().fill(&mut bytes);
    bytes
}

/// A random identifier in hexadecimal digits.
pub(crate) fn identifier() -> String {
    hexadecimal(&random::<IDENTIFIER_LENGTH>())
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
