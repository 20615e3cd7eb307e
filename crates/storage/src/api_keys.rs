//! API keys of accounts.

use domain::account_settings::AccountSettings;
use domain::api_key::{ApiKey, ApiKeyScopes};
use domain::secret::SecretDigest;
use domain::{AccountId, ApiKeyId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{digest, millis, optional_time, stored, time};
use crate::error::{Result, StorageError};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! key_columns {
    () => {
        "api_keys.id AS key_id, api_keys.account_id AS key_account_id, api_keys.name AS key_name,
        api_keys.scopes AS key_scopes, api_keys.hint AS key_hint, api_keys.digest AS key_digest,
        api_keys.created_at AS key_created_at, api_keys.expires_at AS key_expires_at,
        api_keys.last_used_at AS key_last_used_at"
    };
}

queries! {
    INSERT = "INSERT INTO api_keys (id, account_id, name, scopes, hint, digest, created_at, expires_at,
            last_used_at)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
        WHERE (SELECT count(*) FROM api_keys WHERE account_id = $2) < $10";
    BY_ID = concat!("SELECT ", key_columns!(), " FROM api_keys WHERE account_id = $1 AND id = $2");
    LIST = concat!("SELECT ", key_columns!(), " FROM api_keys WHERE account_id = $1 ORDER BY id");
    BY_DIGEST = concat!("SELECT ", key_columns!(), ", accounts.settings AS account_settings
        FROM api_keys JOIN accounts ON accounts.id = api_keys.account_id
        WHERE api_keys.digest = $1");
    RECORD_USE = "UPDATE api_keys SET last_used_at = $3 WHERE account_id = $1 AND id = $2";
    DELETE = "DELETE FROM api_keys WHERE account_id = $1 AND id = $2";
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
struct KeyRow {
    key_id: Uuid,
    key_account_id: Uuid,
    key_name: String,
    key_scopes: Json<ApiKeyScopes>,
    key_hint: String,
    key_digest: Vec<u8>,
    key_created_at: i64,
    key_expires_at: Option<i64>,
    key_last_used_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct PresentedRow {
    #[sqlx(flatten)]
    key: KeyRow,
    account_settings: Json<AccountSettings>,
}

impl TryFrom<KeyRow> for ApiKey {
    type Error = StorageError;

    fn try_from(row: KeyRow) -> Result<Self> {
        Ok(Self {
            id: ApiKeyId::from_uuid(row.key_id),
            account_id: AccountId::from_uuid(row.key_account_id),
            name: stored("api_keys.name", row.key_name)?,
            scopes: row.key_scopes.0,
            hint: row.key_hint,
            digest: SecretDigest::from_bytes(digest("api_keys.digest", &row.key_digest)?),
            created_at: time("api_keys.created_at", row.key_created_at)?,
            expires_at: optional_time("api_keys.expires_at", row.key_expires_at)?,
            last_used_at: optional_time("api_keys.last_used_at", row.key_last_used_at)?,
        })
    }
}

/// Adds a key; `false` if the account has as many as this already.
pub async fn insert(tx: &mut Tx, key: &ApiKey, most: u32) -> Result<bool> {
    let rows = execute!(tx, INSERT, {
        id: key.id.as_uuid(),
        account_id: key.account_id.as_uuid(),
        name: key.name.as_str(),
        scopes: Json(&key.scopes),
        hint: key.hint.as_str(),
        digest: key.digest.as_bytes().as_slice(),
        created_at: millis(key.created_at),
        expires_at: key.expires_at.map(millis),
        last_used_at: key.last_used_at.map(millis),
        most: i64::from(most),
    })?;
    Ok(rows > 0)
}

/// The key of this id.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: ApiKeyId) -> Result<Option<ApiKey>> {
    let row: Option<KeyRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(ApiKey::try_from).transpose()
}

/// The keys of an account, the oldest first, also expired ones.
pub async fn list(tx: &mut Tx, account_id: AccountId) -> Result<Vec<ApiKey>> {
    let rows: Vec<KeyRow> = fetch_all!(tx, LIST, account_id.as_uuid())?;
    rows.into_iter().map(ApiKey::try_from).collect()
}

/// The key that was presented, which is a secret and says whose it is, with what its account sets.
pub async fn by_digest(tx: &mut Tx, digest: SecretDigest) -> Result<Option<(ApiKey, AccountSettings)>> {
    let row: Option<PresentedRow> = fetch_optional!(tx, BY_DIGEST, digest.as_bytes().as_slice())?;
    row.map(|row| Ok((row.key.try_into()?, row.account_settings.0))).transpose()
}

/// Records that a key was used then.
pub async fn record_use(tx: &mut Tx, account_id: AccountId, id: ApiKeyId, at: Timestamp) -> Result<()> {
    execute!(tx, RECORD_USE, account_id.as_uuid(), id.as_uuid(), millis(at)).map(drop)
}

/// Removes a key; whether there was one.
pub async fn delete(tx: &mut Tx, account_id: AccountId, id: ApiKeyId) -> Result<bool> {
    Ok(execute!(tx, DELETE, account_id.as_uuid(), id.as_uuid())? > 0)
}
