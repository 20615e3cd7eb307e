//! The service provider's own key pairs: they sign requests and decrypt assertions (C6).

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use crate::{AccountId, ConnectionId, SpKeyId};

/// Time for which an earlier key still decrypts after a rotation, so that an administrator can change the identity
/// provider.
pub const SP_KEY_OVERLAP: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Validity of a key's certificate. Identity providers pin the key; a short life would only break sign-ins.
pub const SP_CERTIFICATE_VALIDITY: SignedDuration = SignedDuration::from_hours(24 * 365 * 10);

/// A key pair of one connection, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct SpKeyRecord {
    /// Identifier of the key pair.
    pub id: SpKeyId,
    /// Account that the connection belongs to.
    pub account_id: AccountId,
    /// Connection that uses the key.
    pub connection_id: ConnectionId,
    /// Certificate of the public key, as DER.
    pub certificate_der: Vec<u8>,
    /// The private key (PKCS #8), sealed with the master key.
    pub sealed_private_key: Vec<u8>,
    /// Time at which it was made; the newest signs.
    pub created_at: Timestamp,
    /// Time at which it stops decrypting; none for the current key.
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
