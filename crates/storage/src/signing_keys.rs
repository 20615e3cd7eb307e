//! The keys that sign access tokens.

use domain::SigningKeyId;
use domain::signing_key::{SigningKey, SigningKeyState};
use jiff::Timestamp;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{millis, parsed, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::sql::{execute, fetch_all, queries};
use crate::tx::Tx;

queries! {
    INSERT = "INSERT INTO signing_keys (id, algorithm, state, since, created_at, public_jwk, sealed_private_key)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    LIST_PUBLISHED = "SELECT id, algorithm, state, since, created_at, public_jwk, sealed_private_key FROM signing_keys
        WHERE state <> 'retired' ORDER BY id";
    MOVE_STATE = "UPDATE signing_keys SET state = $3, since = $4 WHERE id = $1 AND state = $2
        AND NOT ($3 = 'active' AND EXISTS (SELECT 1 FROM signing_keys WHERE state = 'active'))";
}

#[derive(sqlx::FromRow)]
struct SigningKeyRow {
    id: Uuid,
    algorithm: String,
    state: String,
    since: i64,
    created_at: i64,
    public_jwk: Json<Value>,
    sealed_private_key: Vec<u8>,
}

impl TryFrom<SigningKeyRow> for SigningKey {
    type Error = StorageError;

    fn try_from(row: SigningKeyRow) -> Result<Self> {
        Ok(Self {
            id: SigningKeyId::from_uuid(row.id),
            algorithm: parsed("signing_keys.algorithm", &row.algorithm)?,
            state: parsed("signing_keys.state", &row.state)?,
            since: time("signing_keys.since", row.since)?,
            created_at: time("signing_keys.created_at", row.created_at)?,
            public_jwk: row.public_jwk.0,
            sealed_private_key: row.sealed_private_key,
        })
    }
}

/// Adds a key; `Conflict(ActiveSigningKey)` if it is to sign and another one does.
pub async fn insert(tx: &mut Tx, key: &SigningKey) -> Result<()> {
    let rows = execute!(
        tx,
        INSERT,
        key.id.as_uuid(),
        key.algorithm.as_str(),
        key.state.as_str(),
        millis(key.since),
        millis(key.created_at),
        Json(&key.public_jwk),
        key.sealed_private_key.as_slice(),
    )?;
    written(rows, StorageError::Conflict(Unique::ActiveSigningKey))
}

/// Every key that is not retired, the oldest first.
pub async fn list_published(tx: &mut Tx) -> Result<Vec<SigningKey>> {
    let rows: Vec<SigningKeyRow> = fetch_all!(tx, LIST_PUBLISHED)?;
    rows.into_iter().map(SigningKey::try_from).collect()
}

/// Moves a key from one state to the next; `false` if it is not in the first, or would be a second active key.
/// `Conflict(ActiveSigningKey)` only if another transaction activates one at the same moment.
pub async fn move_state(
    tx: &mut Tx,
    id: SigningKeyId,
    from: SigningKeyState,
    to: SigningKeyState,
    now: Timestamp,
) -> Result<bool> {
    Ok(execute!(tx, MOVE_STATE, id.as_uuid(), from.as_str(), to.as_str(), millis(now))? > 0)
}
