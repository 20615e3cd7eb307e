//! Idempotency keys that were used.

use domain::idempotency::IdempotencyRecord;

use crate::columns::{digest, millis, text, time};
use crate::error::{Result, StorageError};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    INSERT = "INSERT INTO idempotency_records (caller, key, request_digest, resource, created_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    FIND = "SELECT caller, key, request_digest, resource, created_at FROM idempotency_records
        WHERE caller = $1 AND key = $2";
}

#[derive(sqlx::FromRow)]
struct IdempotencyRow {
    caller: String,
    key: String,
    request_digest: Vec<u8>,
    resource: String,
    created_at: i64,
}

impl TryFrom<IdempotencyRow> for IdempotencyRecord {
    type Error = StorageError;

    fn try_from(row: IdempotencyRow) -> Result<Self> {
        Ok(Self {
            caller: row.caller,
            key: row.key,
            request_digest: digest("idempotency_records.request_digest", &row.request_digest)?,
            resource: row.resource,
            created_at: time("idempotency_records.created_at", row.created_at)?,
        })
    }
}

/// Remembers a request; `false` if its caller used the key before, and then nothing is written.
pub async fn insert(tx: &mut Tx, record: &IdempotencyRecord) -> Result<bool> {
    let rows = execute!(
        tx,
        INSERT,
        text(&record.caller),
        text(&record.key),
        record.request_digest.as_slice(),
        record.resource.as_str(),
        millis(record.created_at),
    )?;
    Ok(rows > 0)
}

/// Finds the record of a caller's request with this key.
pub async fn find(tx: &mut Tx, caller: &str, key: &str) -> Result<Option<IdempotencyRecord>> {
    let row: Option<IdempotencyRow> = fetch_optional!(tx, FIND, text(caller), text(key))?;
    row.map(IdempotencyRecord::try_from).transpose()
}
