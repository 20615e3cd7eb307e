//! Passwords of users, as what is kept of them (B5).

use domain::password::{PasswordCredential, PasswordHash};
use domain::{AccountId, UserId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::columns::{millis, optional_time, time};
use crate::error::{Result, StorageError, written};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    SET = "INSERT INTO password_credentials (account_id, user_id, hash, must_change, set_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (account_id, user_id) DO UPDATE
        SET hash = excluded.hash, must_change = excluded.must_change, set_at = excluded.set_at,
            expires_at = excluded.expires_at, drilled_at = NULL";
    BY_USER = "SELECT account_id, user_id, hash, must_change, set_at, expires_at FROM password_credentials
        WHERE account_id = $1 AND user_id = $2";
    REPLACE = "UPDATE password_credentials SET hash = $4, must_change = FALSE, set_at = $5, expires_at = NULL,
            drilled_at = NULL
        WHERE account_id = $1 AND user_id = $2 AND hash = $3";
    REHASH = "UPDATE password_credentials SET hash = $4 WHERE account_id = $1 AND user_id = $2 AND hash = $3";
    RECORD_DRILL = "UPDATE password_credentials SET drilled_at = $4 WHERE account_id = $1 AND user_id = $2 AND set_at = $3";
    DELETE = "DELETE FROM password_credentials WHERE account_id = $1 AND user_id = $2";
}

#[derive(sqlx::FromRow)]
struct CredentialRow {
    account_id: Uuid,
    user_id: Uuid,
    hash: String,
    must_change: bool,
    set_at: i64,
    expires_at: Option<i64>,
}

impl TryFrom<CredentialRow> for PasswordCredential {
    type Error = StorageError;

    fn try_from(row: CredentialRow) -> Result<Self> {
        Ok(Self {
            account_id: AccountId::from_uuid(row.account_id),
            user_id: UserId::from_uuid(row.user_id),
            hash: PasswordHash::from_phc(row.hash),
            must_change: row.must_change,
            set_at: time("password_credentials.set_at", row.set_at)?,
            expires_at: optional_time("password_credentials.expires_at", row.expires_at)?,
        })
    }
}

/// Gives a user this password, in place of any that they have; `Stale` if there is no such user.
pub async fn set(tx: &mut Tx, credential: &PasswordCredential) -> Result<()> {
    execute!(
        tx,
        SET,
        credential.account_id.as_uuid(),
        credential.user_id.as_uuid(),
        credential.hash.as_str(),
        credential.must_change,
        millis(credential.set_at),
        credential.expires_at.map(millis),
    )?;
    Ok(())
}

/// The password of a user, if they have one.
pub async fn by_user(tx: &mut Tx, account_id: AccountId, user_id: UserId) -> Result<Option<PasswordCredential>> {
    let row: Option<CredentialRow> = fetch_optional!(tx, BY_USER, account_id.as_uuid(), user_id.as_uuid())?;
    row.map(PasswordCredential::try_from).transpose()
}

/// Puts a password that the user chose in the place of this one; `false` if that was changed meanwhile.
pub async fn replace(tx: &mut Tx, old: &PasswordCredential, hash: &PasswordHash, at: Timestamp) -> Result<bool> {
    let (account_id, user_id) = (old.account_id.as_uuid(), old.user_id.as_uuid());
    Ok(execute!(tx, REPLACE, account_id, user_id, old.hash.as_str(), hash.as_str(), millis(at))? > 0)
}

/// Keeps the same password by another hash, made with higher parameters; `false` if the password was changed meanwhile.
pub async fn rehash(tx: &mut Tx, credential: &PasswordCredential, hash: &PasswordHash) -> Result<bool> {
    let (account_id, user_id) = (credential.account_id.as_uuid(), credential.user_id.as_uuid());
    Ok(execute!(tx, REHASH, account_id, user_id, credential.hash.as_str(), hash.as_str())? > 0)
}

/// Remembers that the bearer of this very password proved, in a break-glass drill, that they would get in by it (A4);
/// `Stale` if it was changed meanwhile. With the password the proof goes.
pub async fn record_drill(tx: &mut Tx, proven: &PasswordCredential, at: Timestamp) -> Result<()> {
    let (account_id, user_id) = (proven.account_id.as_uuid(), proven.user_id.as_uuid());
    let rows = execute!(tx, RECORD_DRILL, account_id, user_id, millis(proven.set_at), millis(at))?;
    written(rows, StorageError::Stale)
}

/// Takes a user's password away; whether they had one.
pub async fn delete(tx: &mut Tx, account_id: AccountId, user_id: UserId) -> Result<bool> {
    Ok(execute!(tx, DELETE, account_id.as_uuid(), user_id.as_uuid())? > 0)
}
