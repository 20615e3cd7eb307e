//! Pairs of users of two accounts: a row for each side (G1). Each side's row holds the epoch of its own user, so
//! what voids or carries on a pair is a matter of that user's account alone.

use domain::account::Account;
use domain::account_pair::{AccountPair, PairState, PairedUser};
use domain::account_switch::HomeUser;
use domain::credential_epoch::CredentialEpoch;
use domain::user::User;
use domain::username::Username;
use domain::{AccountId, AccountPairId, UserId};
use uuid::Uuid;

use crate::accounts::{AccountRow, account_columns};
use crate::columns::{checked, millis, time};
use crate::error::{Result, StorageError, Unique, written};
use crate::page::{Page, Paged};
use crate::sql::{execute, fetch_all, fetch_optional, queries};
use crate::tx::Tx;

macro_rules! pair_columns {
    () => {
        "account_pairs.id AS pair_id, account_pairs.account_id AS pair_account_id, account_pairs.user_id AS pair_user_id,
        account_pairs.credential_epoch AS pair_epoch, account_pairs.other_account_id AS pair_other_account_id,
        account_pairs.other_user_id AS pair_other_user_id, mirrored.credential_epoch AS pair_other_epoch,
        account_pairs.created_at AS pair_created_at, users.username AS pair_username,
        users.credential_epoch AS pair_user_now, others.credential_epoch AS pair_other_now"
    };
}

/// Pairs, each with the row of its other side and with both users as they are now.
macro_rules! pair_tables {
    () => {
        "account_pairs
        JOIN account_pairs AS mirrored ON mirrored.account_id = account_pairs.other_account_id
            AND mirrored.user_id = account_pairs.other_user_id AND mirrored.other_account_id = account_pairs.account_id
        JOIN users ON users.account_id = account_pairs.account_id AND users.id = account_pairs.user_id
        JOIN users AS others ON others.account_id = account_pairs.other_account_id
            AND others.id = account_pairs.other_user_id"
    };
}

queries! {
    INSERT = "INSERT INTO account_pairs
            (account_id, user_id, other_account_id, other_user_id, id, credential_epoch, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    BY_ID = concat!("SELECT ", pair_columns!(), " FROM ", pair_tables!(), "
        WHERE account_pairs.account_id = $1 AND account_pairs.id = $2");
    OF_USER = concat!("SELECT ", pair_columns!(), " FROM ", pair_tables!(), "
        WHERE account_pairs.account_id = $1 AND account_pairs.user_id = $2 AND account_pairs.other_account_id = $3");
    LIST = concat!("SELECT ", pair_columns!(), ", ", account_columns!(), " FROM ", pair_tables!(), "
        JOIN accounts ON accounts.id = account_pairs.other_account_id
        WHERE account_pairs.account_id = $1 AND account_pairs.id > $2 AND (account_pairs.user_id = $3 OR $3 IS NULL)
        ORDER BY account_pairs.id LIMIT $4");
    HOLD = "UPDATE account_pairs SET created_at = created_at
        WHERE account_id = $1 AND user_id = $2 AND other_account_id = $3 AND other_user_id = $4";
    CARRY_ON = "UPDATE account_pairs SET credential_epoch = $3
        WHERE account_id = $1 AND user_id = $2 AND credential_epoch = $3 - 1";
    DELETE = "DELETE FROM account_pairs WHERE account_id IN ($1, $2) AND id = $3";
}

/// A filter of the pairs of an account.
#[derive(Debug, Clone, Default)]
pub struct PairFilter {
    /// Leaves only the pairs of this user.
    pub user_id: Option<UserId>,
}

/// A pair as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingPair {
    /// The pair as it was made.
    pub pair: AccountPair,
    /// State by the epochs of now.
    pub state: PairState,
    /// The username on this side.
    pub username: Username,
}

#[expect(clippy::struct_field_names, reason = "a join reads the rows of several tables at once")]
#[derive(sqlx::FromRow)]
struct PairRow {
    pair_id: Uuid,
    pair_account_id: Uuid,
    pair_user_id: Uuid,
    pair_epoch: i64,
    pair_other_account_id: Uuid,
    pair_other_user_id: Uuid,
    pair_other_epoch: i64,
    pair_created_at: i64,
    pair_username: String,
    pair_user_now: i64,
    pair_other_now: i64,
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    pair: PairRow,
    #[sqlx(flatten)]
    other: AccountRow,
}

impl TryFrom<PairRow> for StandingPair {
    type Error = StorageError;

    fn try_from(row: PairRow) -> Result<Self> {
        let paired = |account_id, user_id, epoch| PairedUser {
            account_id: AccountId::from_uuid(account_id),
            user_id: UserId::from_uuid(user_id),
            credential_epoch: CredentialEpoch::from_number(epoch),
        };
        let pair = AccountPair {
            id: AccountPairId::from_uuid(row.pair_id),
            user: paired(row.pair_account_id, row.pair_user_id, row.pair_epoch),
            other: paired(row.pair_other_account_id, row.pair_other_user_id, row.pair_other_epoch),
            created_at: time("account_pairs.created_at", row.pair_created_at)?,
        };
        let [user, other] = [row.pair_user_now, row.pair_other_now].map(CredentialEpoch::from_number);
        Ok(Self { pair, state: pair.state(user, other), username: checked("users.username", row.pair_username)? })
    }
}

/// Adds a pair to both its sides; `Conflict(AccountPair)` if either user has a pair with the other account,
/// `Stale` if a user or the link between the accounts is gone.
pub async fn insert(tx: &mut Tx, pair: &AccountPair) -> Result<()> {
    // In one order, or two callers who pair the same users would wait for each other.
    let mut sides = [*pair, pair.seen_by_other()];
    sides.sort_unstable_by_key(|side| side.user.account_id);
    for side in &sides {
        let rows = execute!(
            tx,
            INSERT,
            side.user.account_id.as_uuid(),
            side.user.user_id.as_uuid(),
            side.other.account_id.as_uuid(),
            side.other.user_id.as_uuid(),
            side.id.as_uuid(),
            side.user.credential_epoch.number(),
            millis(side.created_at),
        )?;
        written(rows, StorageError::Conflict(Unique::AccountPair))?;
    }
    Ok(())
}

/// The pair of this id, seen from this account.
pub async fn by_id(tx: &mut Tx, account_id: AccountId, id: AccountPairId) -> Result<Option<StandingPair>> {
    let row: Option<PairRow> = fetch_optional!(tx, BY_ID, account_id.as_uuid(), id.as_uuid())?;
    row.map(StandingPair::try_from).transpose()
}

/// The pair that a user of an account has with a user of another one; there is one at most.
pub async fn of_user(
    tx: &mut Tx,
    account_id: AccountId,
    user_id: UserId,
    other: AccountId,
) -> Result<Option<StandingPair>> {
    let row: Option<PairRow> = fetch_optional!(tx, OF_USER, account_id.as_uuid(), user_id.as_uuid(), other.as_uuid())?;
    row.map(StandingPair::try_from).transpose()
}

/// Pairs of an account, the oldest first, each with the account on its other side.
pub async fn list(
    tx: &mut Tx,
    account_id: AccountId,
    filter: &PairFilter,
    page: &Page,
) -> Result<Paged<(StandingPair, Account)>> {
    let user_id = filter.user_id.map(UserId::as_uuid);
    let rows: Vec<ListedRow> = fetch_all!(tx, LIST, account_id.as_uuid(), page.above(), user_id, page.rows())?;
    let pairs = rows.into_iter().map(|row| Ok((row.pair.try_into()?, row.other.try_into()?))).collect::<Result<_>>()?;
    Ok(Paged::cut(pairs, page, |(standing, _): &(StandingPair, Account)| standing.pair.id.as_uuid()))
}

/// Holds the pair of these two users until the transaction ends, so that its end waits; gives it if it is current.
pub async fn hold_current(
    tx: &mut Tx,
    account_id: AccountId,
    user_id: UserId,
    other: HomeUser,
) -> Result<Option<AccountPair>> {
    let (account, user) = (account_id.as_uuid(), user_id.as_uuid());
    execute!(tx, HOLD, account, user, other.account_id.as_uuid(), other.user_id.as_uuid())?;
    let standing = of_user(tx, account_id, user_id, other.account_id).await?;
    let standing = standing.filter(|standing| standing.pair.other.user_id == other.user_id);
    Ok(standing.filter(|standing| standing.state == PairState::Current).map(|standing| standing.pair))
}

/// Takes the pairs of a user, who made a change of their own, along into the epoch that it led to (A7). Those that
/// were void before stay so.
pub async fn carry_on(tx: &mut Tx, user: &User) -> Result<()> {
    let (account_id, user_id) = (user.account_id.as_uuid(), user.id.as_uuid());
    execute!(tx, CARRY_ON, account_id, user_id, user.credential_epoch.number()).map(drop)
}

/// Ends a pair, on both its sides; `Stale` if it is gone already.
pub async fn delete(tx: &mut Tx, pair: &AccountPair) -> Result<()> {
    let (account_id, other) = (pair.user.account_id.as_uuid(), pair.other.account_id.as_uuid());
    written(execute!(tx, DELETE, account_id, other, pair.id.as_uuid())?, StorageError::Stale)
}
