//! Operators' API keys.

use jiff::Timestamp;

use crate::OperatorKeyId;
use crate::secret::SecretDigest;
use crate::text::Label;

/// An API key of whoever runs Vestibule. The key itself is shown once, at its making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorKey {
    /// Names it in the audit log.
    pub id: OperatorKeyId,
    /// What it is used for.
    pub name: Label,
    /// What it is found by.
    pub digest: SecretDigest,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped working.
    pub revoked_at: Option<Timestamp>,
}
