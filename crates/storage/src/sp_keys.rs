//! The service provider's key pairs, of one connection each.

use domain::sso::sp_key::SpKeyRecord;
use domain::{AccountId, ConnectionId, SpKeyId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::columns::{millis, optional_time, time};
use crate::error::{Result, StorageError, written};
use crate::sql::{execute, fetch_all, queries};
use crate::tx::Tx;

macro_rules! columns {
    () => {
        "id, account_id, connection_id, certificate_der, sealed_private_key, created_at, retires_at"
    };
}

queries! {
    INSERT = concat!("INSERT INTO sp_keys (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7)");
    LIST = concat!("SELECT ", columns!(), " FROM sp_keys
        WHERE account_id = $1 AND connection_id = $2 ORDER BY created_at DESC, id DESC");
    RETIRE = "UPDATE sp_keys SET retires_at = $4
        WHERE account_id = $1 AND connection_id = $2 AND id = $3 AND retires_at IS NULL";
}

#[derive(sqlx::FromRow)]
struct SpKeyRow {
    id: Uuid,
    account_id: Uuid,
    connection_id: Uuid,
    certificate_der: Vec<u8>,
    sealed_private_key: Vec<u8>,
    created_at: i64,
    retires_at: Option<i64>,
}

impl TryFrom<SpKeyRow> for SpKeyRecord {
    type Error = StorageError;

    fn try_from(row: SpKeyRow) -> Result<Self> {
        Ok(Self {
            id: SpKeyId::from_uuid(row.id),
            account_id: AccountId::from_uuid(row.account_id),
            connection_id: ConnectionId::from_uuid(row.connection_id),
            certificate_der: row.certificate_der,
            sealed_private_key: row.sealed_private_key,
            created_at: time("sp_keys.created_at", row.created_at)?,
            retires_at: optional_time("sp_keys.retires_at", row.retires_at)?,
        })
    }
}

/// Adds a key pair; `Stale` if its connection is gone.
pub async fn insert(tx: &mut Tx, key: &SpKeyRecord) -> Result<()> {
    execute!(
        tx,
        INSERT,
        key.id.as_uuid(),
        key.account_id.as_uuid(),
        key.connection_id.as_uuid(),
        key.certificate_der.as_slice(),
        key.sealed_private_key.as_slice(),
        millis(key.created_at),
        key.retires_at.map(millis),
    )?;
    Ok(())
}

/// The key pairs of a connection, the newest first.
pub async fn list(tx: &mut Tx, account_id: AccountId, connection_id: ConnectionId) -> Result<Vec<SpKeyRecord>> {
    let rows: Vec<SpKeyRow> = fetch_all!(tx, LIST, account_id.as_uuid(), connection_id.as_uuid())?;
    rows.into_iter().map(SpKeyRecord::try_from).collect()
}

/// Says when a current key stops decrypting; `Stale` if it is not there or was retired before.
pub async fn retire(
    tx: &mut Tx,
    account_id: AccountId,
    connection_id: ConnectionId,
    id: SpKeyId,
    retires_at: Timestamp,
) -> Result<()> {
    let (account_id, connection_id) = (account_id.as_uuid(), connection_id.as_uuid());
    let rows = execute!(tx, RETIRE, account_id, connection_id, id.as_uuid(), millis(retires_at))?;
    written(rows, StorageError::Stale)
}
