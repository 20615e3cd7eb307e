//! Idempotency keys: a creating request that is sent twice creates once.
//!
//! What is kept is the id of what was created, not the answer: a repeat reads the resource again, so no secret and no
//! personal data lies in a second place.

use jiff::{SignedDuration, Timestamp};

/// Time for which a key is remembered.
pub const IDEMPOTENCY_RETENTION: SignedDuration = SignedDuration::from_hours(24);
/// Most characters of a key.
pub const IDEMPOTENCY_KEY_MAX_CHARS: usize = 128;

/// A creating request that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Caller who sent it: keys of different callers never meet.
    pub caller: String,
    /// The key that was sent.
    pub key: String,
    /// SHA-256 of the operation and the body: the same key with another request is a mistake.
    pub request_digest: [u8; 32],
    /// The id of what was created.
    pub resource: String,
    /// Time at which the request was carried out.
    pub created_at: Timestamp,
}
