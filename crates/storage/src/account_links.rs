//! Links between accounts: a row for each side (G1).

use domain::account::Account;
use domain::account_link::AccountLink;
use domain::{AccountId, AccountLinkId};
use jiff::Timestamp;
use uuid::Uuid;

use crate::accounts::{AccountRow, account_columns};
use crate::columns::{millis, optional_time, parsed, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! link_columns {
    () => {
        "account_links.account_id AS link_account_id, account_links.other_account_id AS link_other_account_id,
        account_links.id AS link_id, account_links.relation AS link_relation, account_links.state AS link_state,
        account_links.requested_at AS link_requested_at, account_links.accepted_at AS link_accepted_at"
    };
}

queries! {
    INSERT = "INSERT INTO account_links (account_id, other_account_id, id, relation, state, requested_at, accepted_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    BY_ID = concat!("SELECT ", link_columns!(), " FROM account_links WHERE account_id = $1 AND id = $2");
    BETWEEN = concat!("SELECT ", link_columns!(), " FROM account_links WHERE account_id = $1 AND other_account_id = $2");
    LIST = concat!("SELECT ", link_columns!(), ", ", account_columns!(), "
        FROM account_links JOIN accounts ON accounts.id = account_links.other_account_id
        WHERE account_links.account_id = $1 ORDER BY account_links.id");
    ACCEPT = "UPDATE account_links SET state = 'accepted', accepted_at = $4
        WHERE account_id IN ($1, $2) AND id = $3 AND accepted_at IS NULL";
    HOLD = "UPDATE account_links SET state = state
        WHERE account_id = $1 AND other_account_id = $2 AND state = 'accepted'";
    DELETE = "DELETE FROM account_links WHERE account_id IN ($1, $2) AND id = $3";
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
struct LinkRow {
    link_account_id: Uuid,
    link_other_account_id: Uuid,
    link_id: Uuid,
    link_relation: String,
    link_state: String,
    link_requested_at: i64,
    link_accepted_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    link: LinkRow,
    #[sqlx(flatten)]
    other: AccountRow,
}

impl TryFrom<LinkRow> for AccountLink {
    type Error = StorageError;

    fn try_from(row: LinkRow) -> Result<Self> {
        Ok(Self {
            id: AccountLinkId::from_uuid(row.link_id),
            account_id: AccountId::from_uuid(row.link_account_id),
            other_account_id: AccountId::from_uuid(row.link_other_account_id),
            relation: parsed("account_links.relation", &row.link_relation)?,
            state: parsed("account_links.state", &row.link_state)?,
            requested_at: time("account_links.requested_at", row.link_requested_at)?,
            accepted_at: optional_time("account_links.accepted_at", row.link_accepted_at)?,
        })
    }
}

/// Adds a link to both its sides; `Conflict(AccountLink)` if the two have one, `Stale` if one of them does not exist.
pub async fn insert(tx: &mut Tx, link: &AccountLink) -> Result<()> {
    // In one order whoever asks, or two who ask each other wait for each other.
    let mut sides = [*link, link.seen_by_other()];
    sides.sort_unstable_by_key(|side| side.account_id);
    for side in &sides {
        let rows = execute!(
            tx,
            INSERT,
            side.account_id.as_uuid(),
            side.other_account_id.as_uuid(),
            side.id.as_uuid(),
            side.relation.as_str(),
            side.state.as_str(),
            millis(side.requested_at),
            side.accepted_at.map(millis),
        )?;
        written(rows, StorageError::Conflict(Unique::AccountLink))?;
    }
    Ok(())
}

/// The link of this id, seen from this account.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: AccountLinkId) -> Result<Option<AccountLink>> {
    let row: Option<LinkRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(AccountLink::try_from).transpose()
}

/// The link that an account has with another one.
pub async fn between(tx: &mut Tx, account_id: AccountId, other: AccountId) -> Result<Option<AccountLink>> {
    let row: Option<LinkRow> = fetch_optional!(tx, BETWEEN, account_id.as_uuid(), other.as_uuid())?;
    row.map(AccountLink::try_from).transpose()
}

/// The links of an account, each with the account on its other side; few enough to be given at once.
pub async fn list(tx: &mut Tx, account_id: AccountId) -> Result<Vec<(AccountLink, Account)>> {
    let rows: Vec<ListedRow> = fetch_all!(tx, LIST, account_id.as_uuid())?;
    rows.into_iter().map(|row| Ok((row.link.try_into()?, row.other.try_into()?))).collect()
}

/// Accepts a link, on both its sides; `Stale` if it is gone or accepted already.
pub async fn accept(tx: &mut Tx, link: &AccountLink, at: Timestamp) -> Result<()> {
    let (account_id, other) = (link.account_id.as_uuid(), link.other_account_id.as_uuid());
    let rows = execute!(tx, ACCEPT, account_id, other, link.id.as_uuid(), millis(at))?;
    written(rows, StorageError::Stale)
}

/// Holds an accepted link until the transaction ends, so that a transaction that wants to end it waits; `false` if
/// there is none.
pub async fn hold(tx: &mut Tx, account_id: AccountId, other: AccountId) -> Result<bool> {
    Ok(execute!(tx, HOLD, account_id.as_uuid(), other.as_uuid())? > 0)
}

/// Ends a link, on both its sides; `Stale` if it is gone already.
pub async fn delete(tx: &mut Tx, link: &AccountLink) -> Result<()> {
    let (account_id, other) = (link.account_id.as_uuid(), link.other_account_id.as_uuid());
    written(execute!(tx, DELETE, account_id, other, link.id.as_uuid())?, StorageError::Stale)
}
