//! Rows of accounts, and the names that they hold or have released.

use domain::account::{Account, AccountName, NAME_RESERVED_FOR};
use domain::account_settings::AccountSettings;
use domain::username::lower_case;
use domain::{AccountId, ApplicationId};
use jiff::Timestamp;
use sqlx::types::Json;
use uuid::Uuid;

use crate::applications::serves;
use crate::columns::{checked, containing, millis, stored, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

/// The columns of an [`AccountRow`], under names that a join with other tables leaves apart.
macro_rules! account_columns {
    () => {
        "accounts.id AS account_id, accounts.name AS account_name, accounts.display_name AS account_display_name,
        accounts.settings AS account_settings, accounts.created_at AS account_created_at,
        accounts.updated_at AS account_updated_at"
    };
}
pub(crate) use account_columns;

queries! {
    INSERT = "INSERT INTO accounts (id, name, display_name, search_text, settings, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    BY_ID = concat!("SELECT ", account_columns!(), " FROM accounts WHERE id = $1");
    BY_NAME = concat!("SELECT ", account_columns!(), " FROM accounts WHERE name = $1");
    SERVED_BY_NAME = concat!("SELECT ", account_columns!(), " FROM accounts JOIN applications ON applications.id = $2
        WHERE accounts.name = $1 AND ", serves!());
    LIST = concat!("SELECT ", account_columns!(), " FROM accounts
        WHERE id > $1 AND (search_text LIKE $2 ESCAPE '!' OR $2 IS NULL) ORDER BY id LIMIT $3");
    HOLD = "UPDATE accounts SET updated_at = updated_at WHERE id = $1";
    UPDATE = "UPDATE accounts SET name = $3, display_name = $4, search_text = $5, settings = $6, updated_at = $7
        WHERE id = $1 AND updated_at = $2
        AND NOT EXISTS (SELECT 1 FROM accounts WHERE name = $3 AND id <> $1)";
    MARK_SANDBOX = "UPDATE accounts SET sandbox_of = $2 WHERE id = $1";
    SANDBOXES = "SELECT count(*) FROM accounts WHERE sandbox_of = $1";
    RELEASE_NAME = "UPDATE account_names SET released_at = $3
        WHERE account_id = $1 AND name <> $2 AND released_at IS NULL";
    // One row per name, so that who takes it and who gives it up wait for each other.
    TAKE_NAME = "INSERT INTO account_names (name, account_id) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET account_id = $2, released_at = NULL
        WHERE account_names.account_id = $2 OR account_names.released_at <= $3";
}

/// Narrows the list of accounts.
#[derive(Debug, Clone, Default)]
pub struct AccountFilter {
    /// A part of the name or display name, without regard to case.
    pub search: Option<String>,
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
pub(crate) struct AccountRow {
    account_id: Uuid,
    account_name: String,
    account_display_name: String,
    account_settings: Json<AccountSettings>,
    account_created_at: i64,
    account_updated_at: i64,
}

impl TryFrom<AccountRow> for Account {
    type Error = StorageError;

    fn try_from(row: AccountRow) -> Result<Self> {
        Ok(Self {
            id: AccountId::from_uuid(row.account_id),
            name: checked("accounts.name", row.account_name)?,
            display_name: stored("accounts.display_name", row.account_display_name)?,
            settings: row.account_settings.0,
            created_at: time("accounts.created_at", row.account_created_at)?,
            updated_at: time("accounts.updated_at", row.account_updated_at)?,
        })
    }
}

/// Adds an account; `Conflict(AccountName)` if its name is taken, or was given up by another a while ago.
pub async fn insert(tx: &mut Tx, account: &Account) -> Result<()> {
    let rows = execute!(
        tx,
        INSERT,
        account.id.as_uuid(),
        account.name.as_str(),
        account.display_name.as_str(),
        search_text(account),
        Json(&account.settings),
        millis(account.created_at),
        millis(account.updated_at),
    )?;
    written(rows, StorageError::Conflict(Unique::AccountName))?;
    take_name(tx, account, account.created_at).await
}

/// Marks an account as a sandbox that was made in another; it stays one of its number.
pub async fn mark_sandbox(tx: &mut Tx, sandbox: AccountId, made_in: AccountId) -> Result<()> {
    written(execute!(tx, MARK_SANDBOX, sandbox.as_uuid(), made_in.as_uuid())?, StorageError::Stale)
}

/// Counts the sandboxes that were made in an account.
pub async fn sandboxes(tx: &mut Tx, made_in: AccountId) -> Result<i64> {
    let row: Option<(i64,)> = fetch_optional!(tx, SANDBOXES, made_in.as_uuid())?;
    Ok(row.map_or(0, |(sandboxes,)| sandboxes))
}

/// Takes a name for an account, unless another has it or gave it up so lately that it is reserved (A1).
async fn take_name(tx: &mut Tx, account: &Account, now: Timestamp) -> Result<()> {
    let reserved_since = now.saturating_sub(NAME_RESERVED_FOR).unwrap_or(Timestamp::MIN);
    let rows = execute!(tx, TAKE_NAME, account.name.as_str(), account.id.as_uuid(), millis(reserved_since))?;
    written(rows, StorageError::Conflict(Unique::AccountName))
}

/// The account of this id.
pub async fn by_id(tx: &mut Tx, id: AccountId) -> Result<Option<Account>> {
    let row: Option<AccountRow> = fetch_optional!(tx, BY_ID, id.as_uuid())?;
    row.map(Account::try_from).transpose()
}

/// The account that people call by this name (A1).
pub async fn by_name(tx: &mut Tx, name: &AccountName) -> Result<Option<Account>> {
    let row: Option<AccountRow> = fetch_optional!(tx, BY_NAME, name.as_str())?;
    row.map(Account::try_from).transpose()
}

/// The same, if its people sign in with this application.
pub async fn served_by_name(tx: &mut Tx, name: &AccountName, application: ApplicationId) -> Result<Option<Account>> {
    let row: Option<AccountRow> = fetch_optional!(tx, SERVED_BY_NAME, name.as_str(), application.as_uuid())?;
    row.map(Account::try_from).transpose()
}

/// Accounts, the oldest first. For operators: it is the one list over all accounts.
pub async fn list(tx: &mut Tx, filter: &AccountFilter, page: &Page) -> Result<Paged<Account>> {
    let search = filter.search.as_deref().map(containing);
    let rows: Vec<AccountRow> = fetch_all!(tx, LIST, page.above(), search, page.rows())?;
    let accounts = rows.into_iter().map(Account::try_from).collect::<Result<_>>()?;
    Ok(Paged::cut(accounts, page, |account: &Account| account.id.as_uuid()))
}

/// Writes what may change, if it was last changed at `expected_updated_at`; else `Stale`. `Conflict(AccountName)` if
/// the new name is taken or reserved; the old one is reserved from now on.
pub async fn update(tx: &mut Tx, account: &Account, expected_updated_at: Timestamp) -> Result<()> {
    let rows = execute!(
        tx,
        UPDATE,
        account.id.as_uuid(),
        millis(expected_updated_at),
        account.name.as_str(),
        account.display_name.as_str(),
        search_text(account),
        Json(&account.settings),
        millis(account.updated_at),
    )?;
    if rows > 0 {
        let (id, at) = (account.id.as_uuid(), millis(account.updated_at));
        let is_renamed = execute!(tx, RELEASE_NAME, id, account.name.as_str(), at)? > 0;
        return if is_renamed { take_name(tx, account, account.updated_at).await } else { Ok(()) };
    }
    let holder = by_name(tx, &account.name).await?;
    let taken = holder.is_some_and(|holder| holder.id != account.id);
    Err(if taken { StorageError::Conflict(Unique::AccountName) } else { StorageError::Stale })
}

/// Holds an account's row until the transaction ends, so that any other transaction that holds it waits; `false`
/// if there is none.
pub async fn hold(tx: &mut Tx, id: AccountId) -> Result<bool> {
    Ok(execute!(tx, HOLD, id.as_uuid())? > 0)
}

fn search_text(account: &Account) -> String {
    lower_case(&format!("{}\n{}", account.name, account.display_name.as_str()))
}
