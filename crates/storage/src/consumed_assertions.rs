//! Consumed assertions: the guard against one that is sent twice (C10).

use domain::{AccountId, ConnectionId};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::columns::millis;
use crate::error::Result;
use crate::sql::{execute, queries};
use crate::tx::Tx;

queries! {
    INSERT = "INSERT INTO consumed_assertions (connection_id, assertion_digest, account_id, expires_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
}

/// Consumes an assertion; whether that was the first time. It is remembered until `expires_at`, past which the
/// assertion's own time limits refuse it. Its id is kept as a digest, because the identity provider chooses its
/// length.
pub async fn insert(
    tx: &mut Tx,
    connection_id: ConnectionId,
    account_id: AccountId,
    assertion_id: &str,
    expires_at: Timestamp,
) -> Result<bool> {
    let digest: [u8; 32] = Sha256::digest(assertion_id.as_bytes()).into();
    let (connection_id, account_id) = (connection_id.as_uuid(), account_id.as_uuid());
    Ok(execute!(tx, INSERT, connection_id, digest.as_slice(), account_id, millis(expires_at))? > 0)
}
