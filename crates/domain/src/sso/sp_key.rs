//! The service provider's own key pairs: they sign requests and decrypt assertions (C6).

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::{AccountId, ConnectionId, SpKeyId};

/// How long an earlier key still decrypts after a rotation: time for an administrator at the identity provider.
pub const SP_KEY_OVERLAP: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How long a key's certificate is valid. Identity providers pin the key; a short life would only break sign-ins.
pub const SP_CERTIFICATE_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 365 * 10);

/// A key pair of one connection, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SpKeyRecord {
    /// Names it.
    pub id: SpKeyId,
    /// Whose account.
    pub account_id: AccountId,
    /// Which connection.
    pub connection_id: ConnectionId,
    /// The certificate, DER.
    pub certificate_der: Vec<u8>,
    /// The private key (PKCS #8), sealed with the master key.
    pub sealed_private_key: Vec<u8>,
    /// When it was made; the newest signs.
    pub created_at: Timestamp,
    /// When it stops decrypting; none for the current key.
    pub retires_at: Option<Timestamp>,
}

impl SpKeyRecord {
    /// Whether it still decrypts.
    pub fn is_usable(&self, now: Timestamp) -> bool {
        self.retires_at.is_none_or(|at| now < at)
    }
}

impl fmt::Debug for SpKeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpKeyRecord({})", self.id)
    }
}
