//! Rows of SAML connections, with their settings.

use domain::account::AccountName;
use domain::account_settings::AccountSettings;
use domain::application::Application;
use domain::portal::Portal;
use domain::sso::connection::{ConnectionSettings, SamlConnection, SpHash};
use domain::{AccountId, ApplicationId, ConnectionId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::applications::{ApplicationRow, application_columns, serves};
use crate::columns::{millis, parsed, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

/// The columns of a [`ConnectionRow`], under names that a join with other tables leaves apart.
macro_rules! connection_columns {
    () => {
        "saml_connections.id AS connection_id, saml_connections.account_id AS connection_account_id,
        saml_connections.portal AS connection_portal, saml_connections.sp_hash AS connection_sp_hash,
        saml_connections.mode AS connection_mode, saml_connections.settings AS connection_settings,
        saml_connections.created_at AS connection_created_at, saml_connections.updated_at AS connection_updated_at"
    };
}

queries! {
    INSERT = "INSERT INTO saml_connections (id, account_id, portal, sp_hash, mode, settings, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING";
    BY_ID = concat!("SELECT ", connection_columns!(), " FROM saml_connections WHERE account_id = $1 AND id = $2");
    BY_ACCOUNT_NAME = concat!("SELECT ", connection_columns!(), " FROM saml_connections
        WHERE account_id = (SELECT id FROM accounts WHERE name = $1) AND portal = $2");
    OF_APPLICATION = concat!("SELECT ", connection_columns!(), ", ", application_columns!(), "
        FROM applications
        JOIN accounts ON accounts.name = $2
        JOIN saml_connections ON saml_connections.account_id = accounts.id
            AND saml_connections.portal = applications.portal
        WHERE applications.id = $1 AND ", serves!());
    BY_SP_HASH = concat!("SELECT ", connection_columns!(), " FROM saml_connections WHERE sp_hash = $1");
    AT_ACS = concat!("SELECT ", connection_columns!(), ", accounts.settings AS account_settings
        FROM saml_connections JOIN accounts ON accounts.id = saml_connections.account_id
        WHERE saml_connections.sp_hash = $1");
    LIST = concat!("SELECT ", connection_columns!(), " FROM saml_connections WHERE account_id = $1 ORDER BY portal");
    UPDATE = "UPDATE saml_connections SET mode = $4, settings = $5, updated_at = $6
        WHERE account_id = $1 AND id = $2 AND updated_at = $3";
    DELETE = "DELETE FROM saml_connections WHERE account_id = $1 AND id = $2";
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
struct ConnectionRow {
    connection_id: Uuid,
    connection_account_id: Uuid,
    connection_portal: String,
    connection_sp_hash: String,
    connection_mode: String,
    connection_settings: Json<ConnectionSettings>,
    connection_created_at: i64,
    connection_updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct AtAcsRow {
    #[sqlx(flatten)]
    connection: ConnectionRow,
    account_settings: Json<AccountSettings>,
}

#[derive(sqlx::FromRow)]
struct OfApplicationRow {
    #[sqlx(flatten)]
    connection: ConnectionRow,
    #[sqlx(flatten)]
    application: ApplicationRow,
}

impl TryFrom<ConnectionRow> for SamlConnection {
    type Error = StorageError;

    fn try_from(row: ConnectionRow) -> Result<Self> {
        Ok(Self {
            id: ConnectionId::from_uuid(row.connection_id),
            account_id: AccountId::from_uuid(row.connection_account_id),
            portal: parsed("saml_connections.portal", &row.connection_portal)?,
            sp_hash: parsed("saml_connections.sp_hash", &row.connection_sp_hash)?,
            mode: parsed("saml_connections.mode", &row.connection_mode)?,
            settings: row.connection_settings.0,
            created_at: time("saml_connections.created_at", row.connection_created_at)?,
            updated_at: time("saml_connections.updated_at", row.connection_updated_at)?,
        })
    }
}

/// Adds a connection; `Conflict(ConnectionPortal)` if the portal has one.
pub async fn insert(tx: &mut Tx, connection: &SamlConnection) -> Result<()> {
    let rows = execute!(
        tx,
        INSERT,
        connection.id.as_uuid(),
        connection.account_id.as_uuid(),
        connection.portal.as_str(),
        connection.sp_hash.as_str(),
        connection.mode.as_str(),
        Json(&connection.settings),
        millis(connection.created_at),
        millis(connection.updated_at),
    )?;
    written(rows, StorageError::Conflict(Unique::ConnectionPortal))
}

/// The connection of this id.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: ConnectionId) -> Result<Option<SamlConnection>> {
    let row: Option<ConnectionRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(SamlConnection::try_from).transpose()
}

/// The connection of a portal of the account with this name: what a login page asks for.
pub async fn by_account_name(tx: &mut Tx, name: &AccountName, portal: Portal) -> Result<Option<SamlConnection>> {
    let row: Option<ConnectionRow> = fetch_optional!(tx, BY_ACCOUNT_NAME, name.as_str(), portal.as_str())?;
    row.map(SamlConnection::try_from).transpose()
}

/// An application with the connection of its portal in the account of this name: what a sign-in starts with. None
/// if any of the three is not there, or the application does not serve the account.
pub async fn of_application(
    tx: &mut Tx,
    id: ApplicationId,
    account_name: &AccountName,
) -> Result<Option<(Application, SamlConnection)>> {
    let row: Option<OfApplicationRow> = fetch_optional!(tx, OF_APPLICATION, id.as_uuid(), account_name.as_str())?;
    row.map(|row| Ok((row.application.try_into()?, row.connection.try_into()?))).transpose()
}

/// The connection behind an ACS URL, which alone says whose it is (C1).
pub async fn by_sp_hash(tx: &mut Tx, hash: &SpHash) -> Result<Option<SamlConnection>> {
    let row: Option<ConnectionRow> = fetch_optional!(tx, BY_SP_HASH, hash.as_str())?;
    row.map(SamlConnection::try_from).transpose()
}

/// The same with what its account sets: what a response is received by.
pub async fn at_acs(tx: &mut Tx, hash: &SpHash) -> Result<Option<(SamlConnection, AccountSettings)>> {
    let row: Option<AtAcsRow> = fetch_optional!(tx, AT_ACS, hash.as_str())?;
    row.map(|row| Ok((row.connection.try_into()?, row.account_settings.0))).transpose()
}

/// The connections of an account: one per portal at most.
pub async fn list(tx: &mut Tx, account_id: AccountId) -> Result<Vec<SamlConnection>> {
    let rows: Vec<ConnectionRow> = fetch_all!(tx, LIST, account_id.as_uuid())?;
    rows.into_iter().map(SamlConnection::try_from).collect()
}

/// Writes mode and settings, if the connection was last changed at `expected_updated_at`; else `Stale`.
pub async fn update(tx: &mut Tx, connection: &SamlConnection, expected_updated_at: Timestamp) -> Result<()> {
    let rows = execute!(
        tx,
        UPDATE,
        connection.account_id.as_uuid(),
        connection.id.as_uuid(),
        millis(expected_updated_at),
        connection.mode.as_str(),
        Json(&connection.settings),
        millis(connection.updated_at),
    )?;
    written(rows, StorageError::Stale)
}

/// Removes a connection with its keys; whether there was one. What waits for its identity provider waits in vain.
pub async fn delete(tx: &mut Tx, account_id: AccountId, id: ConnectionId) -> Result<bool> {
    Ok(execute!(tx, DELETE, account_id.as_uuid(), id.as_uuid())? > 0)
}
