//! API keys of the service's operators.

use jiff::Timestamp;

use crate::OperatorKeyId;
use crate::secret::SecretDigest;
use crate::text::Label;

/// API key of an operator of Vestibule. The key itself is shown once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatorKey {
    /// Names it in the audit log.
    pub id: OperatorKeyId,
    /// Name that tells what the key is used for.
    pub name: Label,
    /// Digest of the key, by which it is found.
    pub digest: SecretDigest,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time at which it was revoked; none while it works.
    pub revoked_at: Option<Timestamp>,
}
