//! API keys of operators.

use domain::OperatorKeyId;
use domain::operator_key::OperatorKey;
use domain::secret::SecretDigest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::columns::{digest, millis, optional_time, stored, time};
use crate::error::{Result, StorageError};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    INSERT = "INSERT INTO operator_keys (id, name, digest, created_at, revoked_at) VALUES ($1, $2, $3, $4, $5)";
    BY_DIGEST = "SELECT id, name, digest, created_at, revoked_at FROM operator_keys WHERE digest = $1";
    LIST = "SELECT id, name, digest, created_at, revoked_at FROM operator_keys ORDER BY id";
    REVOKE = "UPDATE operator_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL";
}

#[derive(sqlx::FromRow)]
struct OperatorKeyRow {
    id: Uuid,
    name: String,
    digest: Vec<u8>,
    created_at: i64,
    revoked_at: Option<i64>,
}

impl TryFrom<OperatorKeyRow> for OperatorKey {
    type Error = StorageError;

    fn try_from(row: OperatorKeyRow) -> Result<Self> {
        Ok(Self {
            id: OperatorKeyId::from_uuid(row.id),
            name: stored("operator_keys.name", row.name)?,
            digest: SecretDigest::from_bytes(digest("operator_keys.digest", &row.digest)?),
            created_at: time("operator_keys.created_at", row.created_at)?,
            revoked_at: optional_time("operator_keys.revoked_at", row.revoked_at)?,
        })
    }
}

/// Adds an operator's API key.
pub async fn insert(tx: &mut Tx, key: &OperatorKey) -> Result<()> {
    execute!(
        tx,
        INSERT,
        key.id.as_uuid(),
        key.name.as_str(),
        key.digest.as_bytes().as_slice(),
        millis(key.created_at),
        key.revoked_at.map(millis),
    )?;
    Ok(())
}

/// The key of this digest, also a revoked one.
pub async fn by_digest(tx: &mut Tx, digest: SecretDigest) -> Result<Option<OperatorKey>> {
    let row: Option<OperatorKeyRow> = fetch_optional!(tx, BY_DIGEST, digest.as_bytes().as_slice())?;
    row.map(OperatorKey::try_from).transpose()
}

/// Every key, also revoked ones, the oldest first. Operators are few.
pub async fn list(tx: &mut Tx) -> Result<Vec<OperatorKey>> {
    let rows: Vec<OperatorKeyRow> = fetch_all!(tx, LIST)?;
    rows.into_iter().map(OperatorKey::try_from).collect()
}

/// Makes a key stop working; `false` if there is none or it was revoked before.
pub async fn revoke(tx: &mut Tx, id: OperatorKeyId, at: Timestamp) -> Result<bool> {
    Ok(execute!(tx, REVOKE, id.as_uuid(), millis(at))? > 0)
}
