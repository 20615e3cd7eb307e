//! Look of an account's mails; there is no row for an account that has chosen nothing.

use domain::AccountId;
use domain::branding::{Branding, BrandingSettings};
use domain::text::Label;
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::columns::{millis, stored, time};
use crate::error::{Result, StorageError, written};
use crate::sql::{execute, fetch_optional, queries};
use crate::tx::Tx;

queries! {
    BY_ACCOUNT = "SELECT account_id, settings, updated_at FROM account_branding WHERE account_id = $1";
    WITH_DISPLAY_NAME = "SELECT accounts.display_name, account_branding.settings FROM accounts
        LEFT JOIN account_branding ON account_branding.account_id = accounts.id WHERE accounts.id = $1";
    INSERT = "INSERT INTO account_branding (account_id, settings, updated_at) VALUES ($1, $2, $3)
        ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE account_branding SET settings = $3, updated_at = $4 WHERE account_id = $1 AND updated_at = $2";
}

#[derive(sqlx::FromRow)]
struct BrandingRow {
    account_id: Uuid,
    settings: Json<BrandingSettings>,
    updated_at: i64,
}

/// The branding of an account, if it has chosen any.
pub async fn by_account(tx: &mut Tx, account_id: AccountId) -> Result<Option<Branding>> {
    let row: Option<BrandingRow> = fetch_optional!(tx, BY_ACCOUNT, account_id.as_uuid())?;
    row.map(|row| {
        Ok(Branding {
            account_id: AccountId::from_uuid(row.account_id),
            settings: row.settings.0,
            updated_at: time("account_branding.updated_at", row.updated_at)?,
        })
    })
    .transpose()
}

/// An account's display name, with its branding if it has chosen any: what its mails are signed with.
pub async fn with_display_name(
    tx: &mut Tx,
    account_id: AccountId,
) -> Result<Option<(Label, Option<BrandingSettings>)>> {
    let row: Option<(String, Option<Json<BrandingSettings>>)> =
        fetch_optional!(tx, WITH_DISPLAY_NAME, account_id.as_uuid())?;
    let Some((display_name, settings)) = row else { return Ok(None) };
    Ok(Some((stored("accounts.display_name", display_name)?, settings.map(|Json(settings)| settings))))
}

/// Adds an account's first branding; `Stale` if it has one.
pub async fn insert(tx: &mut Tx, branding: &Branding) -> Result<()> {
    let (settings, updated_at) = (Json(&branding.settings), millis(branding.updated_at));
    let rows = execute!(tx, INSERT, branding.account_id.as_uuid(), settings, updated_at)?;
    written(rows, StorageError::Stale)
}

/// Changes a branding that was last changed at `expected_updated_at`; else `Stale`.
pub async fn update(tx: &mut Tx, branding: &Branding, expected_updated_at: Timestamp) -> Result<()> {
    let (settings, updated_at) = (Json(&branding.settings), millis(branding.updated_at));
    let expected = millis(expected_updated_at);
    let rows = execute!(tx, UPDATE, branding.account_id.as_uuid(), expected, settings, updated_at)?;
    written(rows, StorageError::Stale)
}
