//! Break-glass users (A4): their list, the proof that they get in, the users who are told of their use, and their
//! drills.

use domain::role::Role;
use domain::sign_in_attempt::{AttemptOutcome, AttemptStage};
use domain::user::User;
use domain::{AccountId, AttemptId};
use jiff::Timestamp;

use crate::columns::{millis, optional_time};
use crate::error::Result;
use crate::sql::{execute, fetch_all, queries};
use crate::tx::Tx;
use crate::users::{UserRow, holding, user_columns};

queries! {
    LIST = concat!("SELECT ", user_columns!(), ", password_credentials.drilled_at AS drilled_at,
            password_credentials.user_id IS NOT NULL AND NOT password_credentials.must_change AS has_own_password
        FROM users LEFT JOIN password_credentials
            ON password_credentials.account_id = users.account_id AND password_credentials.user_id = users.id
        WHERE users.account_id = $1 AND users.break_glass ORDER BY users.id");
    OWNERS = concat!("SELECT ", user_columns!(), ",
            password_credentials.user_id IS NOT NULL AND NOT password_credentials.must_change
            AND (password_credentials.expires_at > $3 OR password_credentials.expires_at IS NULL) AS has_own_password
        FROM users LEFT JOIN password_credentials
            ON password_credentials.account_id = users.account_id AND password_credentials.user_id = users.id
        WHERE users.account_id = $1 AND users.portal = 'admin' AND users.status IN ('invited', 'active')
        AND CAST(users.assigned_roles AS TEXT) LIKE $2 ORDER BY users.id");
    TOLD = concat!("SELECT ", user_columns!(), " FROM users
        WHERE account_id = $1 AND portal = 'admin' AND status = 'active'
        AND (CAST(assigned_roles AS TEXT) LIKE $2 OR CAST(saml_roles AS TEXT) LIKE $2) ORDER BY id");
    CONCLUDE_DRILL = "UPDATE sign_in_attempts SET stage = $4, outcome = $5, updated_at = $6
        WHERE account_id = $1 AND id = $2 AND user_id = $3 AND kind = 'break_glass_drill' AND outcome = 'pending'
        AND started_at > $7";
}

/// A break-glass user, and when they last drilled with the password that they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlassUser {
    /// The break-glass user, as stored.
    pub user: User,
    /// Time of their last drill; none if they have not drilled since they set the password.
    pub drilled_at: Option<Timestamp>,
    /// Whether it is one that they chose: who has a temporary password alone does not count.
    pub has_own_password: bool,
}

#[derive(sqlx::FromRow)]
struct BreakGlassRow {
    #[sqlx(flatten)]
    user: UserRow,
    drilled_at: Option<i64>,
    has_own_password: bool,
}

/// An owner by an assigned role, invited or active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The owner's row, as stored.
    pub user: User,
    /// Whether they have a password that they chose themselves.
    pub has_own_password: bool,
}

#[derive(sqlx::FromRow)]
struct OwnerRow {
    #[sqlx(flatten)]
    user: UserRow,
    has_own_password: bool,
}

/// The owners of an account, the oldest first, with what they could sign in with at this time.
pub async fn owners(tx: &mut Tx, account_id: AccountId, now: Timestamp) -> Result<Vec<Owner>> {
    let role = holding(Role::OrganizationOwner);
    let rows: Vec<OwnerRow> = fetch_all!(tx, OWNERS, account_id.as_uuid(), role, millis(now))?;
    let read = |row: OwnerRow| Ok(Owner { user: row.user.try_into()?, has_own_password: row.has_own_password });
    rows.into_iter().map(read).collect()
}

/// The break-glass users of an account.
pub async fn list(tx: &mut Tx, account_id: AccountId) -> Result<Vec<BreakGlassUser>> {
    let rows: Vec<BreakGlassRow> = fetch_all!(tx, LIST, account_id.as_uuid())?;
    let read = |row: BreakGlassRow| {
        let drilled_at = optional_time("password_credentials.drilled_at", row.drilled_at)?;
        Ok(BreakGlassUser { user: row.user.try_into()?, drilled_at, has_own_password: row.has_own_password })
    };
    rows.into_iter().map(read).collect()
}

/// Users to tell of a break-glass use: every active owner, from either source of their role.
pub async fn told(tx: &mut Tx, account_id: AccountId) -> Result<Vec<User>> {
    let rows: Vec<UserRow> = fetch_all!(tx, TOLD, account_id.as_uuid(), holding(Role::OrganizationOwner))?;
    rows.into_iter().map(User::try_from).collect()
}

/// Times by which a drill is concluded.
#[derive(Debug, Clone, Copy)]
pub struct DrillTime {
    /// The present.
    pub now: Timestamp,
    /// Time after which the drill must have begun.
    pub begun_after: Timestamp,
}

/// Ends a drill of this user that began in time and waits for its code; `false` if there is none.
pub async fn conclude_drill(tx: &mut Tx, user: &User, drill: AttemptId, time: DrillTime) -> Result<bool> {
    let (stage, outcome) = (AttemptStage::UserResolved.as_str(), AttemptOutcome::Succeeded.as_str());
    let (account_id, drill, user_id) = (user.account_id.as_uuid(), drill.as_uuid(), user.id.as_uuid());
    let rows = execute!(
        tx,
        CONCLUDE_DRILL,
        account_id,
        drill,
        user_id,
        stage,
        outcome,
        millis(time.now),
        millis(time.begun_after)
    )?;
    Ok(rows > 0)
}
